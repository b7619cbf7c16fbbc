"""`run --show`: a small picture in terminals that can show one."""

from __future__ import annotations

import base64
import io
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from nanorecipes.cli import terminal

if TYPE_CHECKING:
    from shells import Shell

RUN = (
    "run", "edit/change_part", "photo=photo.jpg", "part=the mug", "change=red",
    "--quality", "512", "--sandbox", "--show",
)  # fmt: skip


def drawing(size: tuple[int, int] = (640, 401)) -> bytes:
    """A picture with plain surfaces and an edge."""
    image = Image.new("RGB", size, (200, 30, 40))
    ImageDraw.Draw(image).ellipse((100, 60, 400, 300), fill=(20, 90, 180))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def small(data: bytes) -> Image.Image:
    """What should be seen."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.thumbnail((terminal.EDGE_PX, terminal.EDGE_PX))
    return image


def from_kitty(shown: bytes) -> Image.Image:
    """The picture that kitty would show."""
    parts = re.findall(rb"\x1b_G([^;]*);([^\x1b]*)\x1b\\", shown)
    assert b"".join(b"\x1b_G%s;%s\x1b\\" % part for part in parts) == shown
    assert all(len(data) <= 4096 for _, data in parts)
    assert [b"m=1" in control for control, _ in parts] == [True] * (len(parts) - 1) + [False]
    assert b"a=T" in parts[0][0]
    return Image.open(io.BytesIO(base64.b64decode(b"".join(data for _, data in parts))))


def from_iterm2(shown: bytes) -> Image.Image:
    """The picture that iTerm2 would show."""
    found = re.fullmatch(rb"\x1b\]1337;File=inline=1;size=(\d+):([^\x07]*)\x07", shown)
    assert found is not None
    data = base64.b64decode(found[2])
    assert int(found[1]) == len(data)
    return Image.open(io.BytesIO(data))


def from_sixels(shown: bytes) -> Image.Image:
    """The picture that a sixel terminal would show."""
    found = re.fullmatch(rb'\x1bPq"1;1;(\d+);(\d+)(.*)\x1b\\', shown, re.DOTALL)
    assert found is not None
    image = Image.new("RGB", (int(found[1]), int(found[2])), "magenta")
    colors: dict[int, tuple[int, ...]] = {}
    x = y = color = 0
    for part in re.finditer(rb"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|([?-~])|(\$)|(-)",
                            found[3]):  # fmt: skip
        if part[1]:
            colors[int(part[1])] = tuple(round(int(p) * 255 / 100) for p in part.groups()[1:4])
        elif part[5]:
            color = int(part[5])
        elif part[9]:
            x = 0
        elif part[10]:
            x, y = 0, y + 6
        else:
            column = (part[7] or part[8])[0] - 63
            run = int(part[6] or 1)
            for bit in range(6):
                if column >> bit & 1:
                    image.paste(colors[color], (x, y + bit, x + run, y + bit + 1))
            x += run
    return image


@pytest.mark.parametrize(
    ("protocol", "read"),
    [("kitty", from_kitty), ("iterm2", from_iterm2), ("sixel", from_sixels)],
    ids=["kitty", "iterm2", "sixel"],
)
def test_each_protocol_carries_the_small_picture(protocol: terminal.Protocol, read: object) -> None:
    """The escape codes are read back as a terminal would read them."""
    data = drawing()
    shown = terminal.picture_bytes(data, protocol)
    assert shown is not None
    seen = read(shown).convert("RGB")  # type: ignore[operator]  # one of the three above
    wanted = small(data)
    assert seen.size == wanted.size
    off = ImageChops.difference(seen, wanted)
    assert max(ImageStat.Stat(off).mean) < 4


def test_clear_pixels_become_white_in_sixels() -> None:
    """A logo on no ground must not come out on black."""
    buffer = io.BytesIO()
    Image.new("RGBA", (12, 7), (0, 0, 0, 0)).save(buffer, "PNG")
    shown = terminal.picture_bytes(buffer.getvalue(), "sixel")
    assert shown is not None
    assert from_sixels(shown).getcolors() == [(84, (255, 255, 255))]


def test_what_cannot_be_decoded_is_not_shown() -> None:
    """A paid picture of an odd type is saved all the same, and the command doesn't fail."""
    assert terminal.picture_bytes(b"no picture", "kitty") is None
    assert terminal.picture_bytes(b"no picture", "sixel") is None


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "mintty"}, "sixel"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "screen", "LC_TERMINAL": "iTerm2"}, None),
        ({"TERM": "xterm-256color", "NANORECIPES_SHOW": "sixel"}, "sixel"),
        ({"TERM": "xterm-kitty", "NANORECIPES_SHOW": "none"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_environment_tells_the_protocol(
    environment: dict[str, str], protocol: str | None
) -> None:
    """No terminal is asked: one that doesn't answer would hang the command."""
    assert terminal.find_protocol(environment) == protocol


def test_a_pipe_gets_a_line_in_words(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape codes in a log file help nobody."""
    monkeypatch.setenv("TERM", "xterm-kitty")
    done = shell(*RUN)
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "no picture is shown" in done.err


def test_a_terminal_gets_the_picture(shell: Shell, tmp_path: Path) -> None:
    """The whole way: a real terminal on the other side of stderr, stdout stays plain."""
    main, side = pty.openpty()
    received = bytearray()

    def listen() -> None:
        while True:
            try:
                data = os.read(main, 65536)
            except OSError:  # the other side was closed
                return
            received.extend(data)
            if not data:
                return

    listener = threading.Thread(target=listen)
    listener.start()
    done = subprocess.run(
        [sys.executable, "-m", "nanorecipes", *RUN], stdout=subprocess.PIPE, stderr=side,
        env={**os.environ, "TERM": "xterm-kitty"}, cwd=tmp_path, check=False,
    )  # fmt: skip
    os.close(side)
    listener.join()
    os.close(main)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    start, end = received.index(b"\x1b_G"), received.rindex(b"\x1b\\") + 2
    assert max(from_kitty(bytes(received[start:end])).size) == terminal.EDGE_PX
