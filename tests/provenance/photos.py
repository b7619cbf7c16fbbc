"""Photos as files of every kind, with the odd metadata that cameras, editors and stores leave."""

from __future__ import annotations

import importlib.util
import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
IN_PACKAGES = {
    "skimage": [
        f"data/{name}" for name in (
            "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png",
            "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png",
            "motorcycle_left.png", "motorcycle_right.png", "page.png", "retina.jpg", "rocket.jpg",
        )
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
}  # fmt: skip
XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Some Editor 7.1">\n'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="x">\n'
    b"<dc:creator><rdf:Seq><rdf:li>J\xc3\xb8rgen &amp; Co</rdf:li></rdf:Seq></dc:creator>\n"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>\n" + b" " * 2000 + b'\n<?xpacket end="w"?>'
)


class Photo(NamedTuple):
    """A file, and what it is."""

    name: str
    data: bytes


def real_photos() -> list[Path]:
    """What the installed test packages carry."""
    found = []
    for package, names in IN_PACKAGES.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found += [Path(spec.origin).parent / name for name in names]
    return [path for path in found if path.exists()]


def photos(originals: list[Path], count: int, seed: int = 7) -> Iterator[Photo]:
    """So many crops of these pictures, written in every way in turn."""
    chance = random.Random(seed)
    for number in range(count):
        way = WAYS[number % len(WAYS)]
        path = originals[number // 2 % len(originals)]
        with Image.open(path) as image:
            image.load()
            crop = _crop(image.convert("RGB"), chance)
        yield Photo(f"{number}-{way.__name__.strip('_')}-{path.stem}", way(crop))


def _crop(image: Image.Image, chance: random.Random) -> Image.Image:
    width = chance.randrange(min(200, image.width), image.width + 1)
    height = chance.randrange(min(200, image.height), image.height + 1)
    left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _exif(**more: Any) -> bytes:
    data = Image.Exif()
    data[0x010F], data[0x0110] = "Some Camera", "Model 7"
    data[0x0112], data[0x8298] = 6, "Copyright J\xf8rgen"
    data.get_ifd(0x8825)[1] = "N"  # a place
    return data.tobytes()


def _profile(padding: int = 0) -> bytes:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    whole = made + bytes(padding)
    return struct.pack(">I", len(whole)) + whole[4:]


def _clear(image: Image.Image) -> Image.Image:
    clear = image.convert("RGBA")
    clear.putalpha(image.convert("L"))
    return clear


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


# --- PNG


def png_plain(image: Image.Image) -> bytes:
    return _saved(image, "PNG")


def png_alpha_texts(image: Image.Image) -> bytes:
    info = PngInfo()
    info.add_text("Software", "Some Editor")
    info.add_text("Comment", "kept " * 400, zip=True)
    info.add_itxt("Title", "画像 №1", lang="ja", tkey="題")
    return _saved(_clear(image), "PNG", pnginfo=info, exif=_exif(), dpi=(300, 300))


def png_palette_clear(image: Image.Image) -> bytes:
    return _saved(image.quantize(200), "PNG", transparency=7)


def png_gray_16_bit(image: Image.Image) -> bytes:
    return _saved(image.convert("I;16"), "PNG")


def png_rgb_16_bit(image: Image.Image) -> bytes:
    """Pillow reads such files, and doesn't write them."""
    width, height = image.size
    pixels = image.tobytes()
    rows = b"".join(
        b"\0" + b"".join(bytes((b, 255 - b)) for b in pixels[y * width * 3 : (y + 1) * width * 3])
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 1))
        + _chunk(b"IEND", b"")
    )  # fmt: skip


def png_profile_xmp(image: Image.Image) -> bytes:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return _saved(image, "PNG", icc_profile=_profile(), pnginfo=info)


def png_animated(image: Image.Image) -> bytes:
    return _saved(image, "PNG", save_all=True, append_images=[image.rotate(180)], duration=90)


def png_odd_chunks(image: Image.Image) -> bytes:
    """Chunks of nobody's, before and behind the pixels, and bytes after the end."""
    data = _saved(image.convert("LA"), "PNG")
    end = data.rindex(b"IEND") - 4
    head = 8 + 25
    own = _chunk(b"prVt", b"\0\xff private"), _chunk(b"gAMA", struct.pack(">I", 45455))
    return data[:head] + own[1] + own[0] + data[head:end] + own[0] + data[end:] + b"and more"


# --- JPEG


def jpeg_baseline(image: Image.Image) -> bytes:
    return _saved(image, "JPEG", quality=88)


def jpeg_progressive_exif(image: Image.Image) -> bytes:
    return _saved(image, "JPEG", progressive=True, exif=_exif(), subsampling=0)


def jpeg_profile_in_parts(image: Image.Image) -> bytes:
    return _saved(image, "JPEG", icc_profile=_profile(150_000), exif=_exif())


def jpeg_xmp_comment(image: Image.Image) -> bytes:
    return _saved(image, "JPEG", xmp=XMP, comment="kept, Jørgen")


def jpeg_cmyk(image: Image.Image) -> bytes:
    return _saved(image.convert("CMYK"), "JPEG")


def jpeg_gray_restarts(image: Image.Image) -> bytes:
    return _saved(image.convert("L"), "JPEG", restart_marker_rows=2, optimize=True)


def jpeg_editor(image: Image.Image) -> bytes:
    """Resources of an editor, markers filled up, and a second picture behind the first."""
    data = _saved(image, "JPEG", dpi=(72, 72))
    resources = b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x05\0\x03abc"
    segment = b"\xff\xff\xff\xed" + struct.pack(">H", len(resources) + 2) + resources
    at = 4 + int.from_bytes(data[4:6], "big")
    return data[:at] + segment + data[at:] + _saved(image.resize((64, 64)), "JPEG")


def jpeg_everything(image: Image.Image) -> bytes:
    return _saved(image, "JPEG", exif=_exif(), xmp=XMP, icc_profile=_profile(), comment=b"kept")


# --- WebP


def webp_plain(image: Image.Image) -> bytes:
    return _saved(image, "WEBP")


def webp_lossless(image: Image.Image) -> bytes:
    return _saved(image, "WEBP", lossless=True, quality=10, method=0)


def webp_alpha(image: Image.Image) -> bytes:
    return _saved(_clear(image), "WEBP", exif=_exif())


def webp_lossless_alpha_profile(image: Image.Image) -> bytes:
    clear = _clear(image)
    return _saved(clear, "WEBP", lossless=True, quality=10, method=0, icc_profile=_profile())


def webp_xmp(image: Image.Image) -> bytes:
    return _saved(image, "WEBP", xmp=XMP, exif=_exif(), icc_profile=_profile())


def webp_animated(image: Image.Image) -> bytes:
    frames = [image.rotate(180), image.rotate(90)]
    return _saved(image, "WEBP", save_all=True, append_images=frames, duration=50, method=0)


def webp_odd_chunk(image: Image.Image) -> bytes:
    """A chunk of odd length that the format doesn't know, and bytes after the end."""
    data = _saved(image, "WEBP", exif=_exif())
    own = b"OWNC" + struct.pack("<I", 5) + b"12345\0"
    size = struct.unpack_from("<I", data, 4)[0] + len(own)
    return data[:4] + struct.pack("<I", size) + data[8:] + own + b"tail"


Way = Callable[[Image.Image], bytes]
WAYS: tuple[Way, ...] = (
    png_plain, jpeg_baseline, webp_plain, png_alpha_texts, jpeg_progressive_exif, webp_lossless,
    png_palette_clear, jpeg_profile_in_parts, webp_alpha, png_gray_16_bit, jpeg_xmp_comment,
    webp_lossless_alpha_profile, png_rgb_16_bit, jpeg_cmyk, webp_xmp, png_profile_xmp,
    jpeg_gray_restarts, webp_animated, png_animated, jpeg_editor, webp_odd_chunk, png_odd_chunks,
    jpeg_everything,
)  # fmt: skip
