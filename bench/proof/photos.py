"""Real photos that packages on this machine carry, found at run time and split in two halves."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

MIN_SIDE = 600
"""Long side in pixels below which a photo isn't used."""

# What these packages ship besides photos (drawings, gradients, logos) isn't listed.
IN_PACKAGES = {
    "skimage": [
        "data/coffee.png", "data/motorcycle_left.png", "data/retina.jpg", "data/rocket.jpg",
        "data/hubble_deep_field.jpg",
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
    "matplotlib": ["mpl-data/sample_data/grace_hopper.jpg"],
}  # fmt: skip
IN_SYSTEM = {
    "/usr/share/backgrounds": [
        "Bridge_by_Sander_Klootwijk.jpg", "Dragonfly_by_Bolly.jpg",
        "Kleiber_by_Lukas_Baubkus.jpg", "Picture_0B_by_freespace.jpg",
        "Picture_1A_by_freespace.jpg", "Wine_by_Jakkub_Mede.jpg",
        "aitzgorri_by_Aitzol_Berasategi.jpg", "free_by_Peter_Nerlich.jpg",
        "friends_by_Aitzol_Berasategi.jpg", "greentock_by_Peter_Nerlich.jpg",
        "life_by_Aitzol_Berasategi.jpg", "picosdeeuropa_by_Aitzol_Berasategi.jpg",
        "seeding_by_Clements_Engelhardt.jpg", "sunset_by_Aitzol_Berasategi.jpg",
    ],
    "/usr/share/backgrounds/mate/nature": [
        "Aqua.jpg", "Dune.jpg", "FreshFlower.jpg", "Garden.jpg", "GreenMeadow.jpg",
        "LadyBird.jpg", "RainDrops.jpg", "Storm.jpg", "TwoWings.jpg", "YellowFlower.jpg",
    ],
    "/usr/share/wallpapers": [
        f"{name}/contents/images/2560x1600.jpg"
        for name in (
            "BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow",
            "FallenLeaf", "Grey", "Kite", "OneStandsOut", "Path", "summer_1am",
        )
    ],
    "/usr/share/doc/opencv-doc/examples": [
        "data/aero1.jpg", "data/aloeL.jpg", "data/basketball1.png", "data/board.jpg",
        "data/building.jpg", "data/ela_original.jpg", "data/graf1.png", "data/left.jpg",
        "data/leuvenA.jpg", "data/stuff.jpg", *[f"text/scenetext0{n}.jpg" for n in range(1, 7)],
    ],
}  # fmt: skip
HINT = (
    "install scikit-image, scikit-learn and matplotlib, and on Debian the packages "
    "lomiri-wallpapers-16.04, lomiri-wallpapers-20.04, mate-backgrounds, "
    "plasma-workspace-wallpapers and opencv-doc"
)


def find_photos() -> list[Path]:
    """Every listed photo that is installed here, in a fixed order."""
    return sorted({path for path in _candidates() if _usable(path)}, key=lambda path: _key(path))


def halves() -> tuple[list[Path], list[Path]]:
    """The photos for tuning and those for testing; a photo's half never depends on the others."""
    photos = find_photos()
    tuning = [path for path in photos if _digest(path) % 2 == 0]
    return tuning, [path for path in photos if path not in tuning]


def read_large(size: tuple[int, int]) -> Image.Image:
    """A photo with real detail in the given size, for measuring time and memory."""
    largest = max(find_photos(), key=lambda path: path.stat().st_size)
    with Image.open(largest) as image:
        return image.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _candidates() -> Iterator[Path]:
    for package, names in IN_PACKAGES.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            for name in names:
                yield Path(spec.origin).parent / name
    for folder, names in IN_SYSTEM.items():
        for name in names:
            yield Path(folder) / name


def _usable(path: Path) -> bool:
    if not path.is_file():
        return False
    with Image.open(path) as image:
        return max(image.size) >= MIN_SIDE


def _key(path: Path) -> str:
    return "/".join(path.parts[-4:])


def _digest(path: Path) -> int:
    return hashlib.sha256(_key(path).encode()).digest()[0]
