"""Pictures from strangers: fuzzed, cut off, swollen. Run as a program, it shows them to everything
that reads pictures, and prints as JSON what that took and what went wrong.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import struct
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from nanorecipes.embed import embed

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
FACTS = {
    "tool": {"name": "nanorecipes", "version": "0"}, "recipe": "edit/change_part",
    "prompt": "Paint the mug blue. " * 20, "sections": [{"name": "edit", "text": "Paint."}],
    "inputs": {"values": {"part": "the mug"}, "images": [{"slot": "photo", "role": "source"}]},
    "cost_usd": "0.08", "backend": "qolaba", "task_id": "t-1",
}  # fmt: skip
MIME_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sound() -> list[bytes]:
    """Good files of every type, those that can with a record in them."""
    with Image.open(SAMPLES / "mug.jpg") as image:
        photo = image.convert("RGB").resize((320, 240))
    clear = photo.convert("RGBA")
    clear.putalpha(photo.convert("L"))
    bare = [
        encoded(photo, "PNG"), encoded(clear, "PNG"), encoded(photo.quantize(64), "PNG"),
        encoded(photo.convert("I;16"), "PNG"), encoded(photo, "JPEG"),
        encoded(photo, "JPEG", progressive=True), encoded(photo.convert("CMYK"), "JPEG"),
        encoded(photo, "WEBP"), encoded(clear, "WEBP", lossless=True),
        encoded(photo, "WEBP", save_all=True, append_images=[photo.rotate(90)]),
        encoded(photo, "PNG", save_all=True, append_images=[photo.rotate(90)]),
    ]  # fmt: skip
    text = json.dumps(FACTS)
    told = [embed(data, MIME_TYPES[kind_of(data)], text) for data in bare]
    more = [encoded(photo, kind) for kind in ("GIF", "BMP", "TIFF", "AVIF")]
    return [*told, *more]


def kind_of(data: bytes) -> str:
    """PNG, JPEG or WEBP."""
    return {b"\x89": "PNG", b"\xff": "JPEG", b"R": "WEBP"}[data[:1]]


def chunk(name: bytes, body: bytes) -> bytes:
    """A PNG chunk with a good checksum."""
    crc = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)


def bombs() -> Iterator[bytes]:
    """Small files that unpack into more than there is memory for."""
    png, text = b"\x89PNG\r\n\x1a\n", b"nanorecipes\0\x01\0\0\0"
    for width, height in ((9990, 9990), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (0, 0)):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        pixels = zlib.compress(bytes(min(width * 4 + 1, 200_000)) * 50)
        yield png + head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(72)))
    packed = _packed(b" " * 1_000_000, 300)
    for name, body in ((b"iTXt", text + packed), (b"zTXt", b"Comment\0\0" + packed),
                       (b"iCCP", b"profile\0\0" + packed),
                       (b"iTXt", text + _packed(b'{"a":' * 1_000, 1_000))):  # fmt: skip
        yield png + head + chunk(name, body) + pixels + chunk(b"IEND", b"")
    # As large as is decoded at all, and whole.
    edge = 8900
    head_of_large = chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 8, 6, 0, 0, 0))
    rows = _packed(bytes(edge * 4 + 1), edge)
    yield png + head_of_large + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    # A lossless WebP of one colour holds as many pixels as its header says.
    for edge in (9990, 16_383):
        bits = (edge - 1) | (edge - 1) << 14
        body = b"\x2f" + struct.pack("<I", bits) + bytes.fromhex("071011fd0f4444ff03")
        data = b"VP8L" + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)
        yield b"RIFF" + struct.pack("<I", len(data) + 4) + b"WEBP" + data
    photo = encoded(Image.new("RGB", (16, 16), "teal"), "JPEG", progressive=True)
    at = photo.index(b"\xff\xc2") + 5
    for size in (struct.pack(">HH", 9990, 9990), b"\xff\xdc\xff\xdc"):
        yield photo[:at] + size + photo[at + 4 :]


def _packed(data: bytes, times: int) -> bytes:
    packer = zlib.compressobj()
    return b"".join([*(packer.compress(data) for _ in range(times)), packer.flush()])


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A file with some of what happens to files."""
    changed = bytearray(data)
    for _ in range(chance.randrange(4)):
        way = chance.randrange(5)
        at = chance.randrange(len(changed)) if chance.random() < 0.5 else chance.randrange(64)
        at = min(at, len(changed) - 1)
        if way == 0:  # a bit
            changed[at] ^= 1 << chance.randrange(8)
        elif way == 1:  # some bytes
            changed[at : at + 8] = chance.randbytes(8)
        elif way == 2:  # a length or a size
            changed[at : at + 4] = struct.pack(">I", chance.choice([0, 1, 2**31, 2**32 - 1, 65535]))
        elif way == 3:  # a part twice
            changed[at:at] = changed[at : at + chance.randrange(1, 2000)]
        elif len(changed) > 100:  # a part missing
            del changed[at : at + chance.randrange(1, len(changed) // 2)]
    if chance.random() < 0.4 and changed:
        del changed[chance.randrange(len(changed)) :]
    return bytes(changed) or b"\0"


def strangers(count: int, seed: int) -> Iterator[bytes]:
    """So many bad pictures; every bomb is among them."""
    chance = random.Random(seed)
    swollen, good = list(bombs()), sound()
    yield from swollen
    for _ in range(count - len(swollen)):
        yield damaged(chance.choice(good), chance)


# --- who reads them


def inspect(path: Path) -> None:
    """The command line, as a person calls it."""
    from nanorecipes.cli.main import run

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(["inspect", str(path)])
    if code not in (0, 1, 2) or "fault of nanorecipes" in said.getvalue():
        raise AssertionError(f"exit code {code}: {said.getvalue()}")


def report(path: Path) -> None:
    """A page about a folder that holds nothing else."""
    from nanorecipes.report.page import write_report

    beside = path.with_name(f"{path.name}.json")
    beside.write_text(json.dumps(FACTS), "utf-8")  # so that it is shown, whatever it holds
    write_report(path.parent)
    beside.unlink()


def download(path: Path) -> None:
    """What a client does with a picture that a service sends."""
    import httpx

    from nanorecipes import Client, DownloadError
    from nanorecipes.client import Wiring
    from nanorecipes.service.timing import VirtualClock

    def answer(request: httpx.Request) -> httpx.Response:
        if "/tasks/" in request.url.path:
            url = "http://service.invalid/1.png"
            return httpx.Response(200, json={"task_id": "t-1", "status": "completed",
                                             "images": [{"url": url}]})  # fmt: skip
        return httpx.Response(200, content=path.read_bytes())

    wiring = Wiring(transport=httpx.MockTransport(answer), clock=VirtualClock(0.0))
    options: Any = {"backend": "qolaba", "api_key": "any", "base_url": "http://service.invalid"}
    with (
        Client(wiring=wiring, ledger=False, **options) as client,
        contextlib.suppress(DownloadError),
    ):
        result = client.wait("t-1")
        result.save(path.parent / "saved")
        _ = result._repr_html_()


READERS: tuple[Callable[[Path], None], ...] = (inspect, report, download)


def main(count: int, seed: int) -> dict[str, Any]:
    """Show the pictures to every reader; what it took, and what went wrong."""
    faults: list[str] = []
    slowest_s, slowest = 0.0, ""
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = place
        for number, data in enumerate(strangers(count, seed)):
            folder = Path(place) / str(number)
            folder.mkdir()
            path = folder / f"picture.{['png', 'jpg', 'webp'][number % 3]}"
            path.write_bytes(data)
            for reader in READERS:
                before = time.process_time()
                try:
                    reader(path)
                except Exception:
                    faults.append(f"{number} {reader.__name__}: {traceback.format_exc()}")
                took = time.process_time() - before
                if took > slowest_s:
                    slowest_s, slowest = took, f"{number} {reader.__name__}"
    return {
        "pictures": count, "faults": faults, "slowest_s": slowest_s, "slowest": slowest,
        "memory_mb": _peak_mb(),
    }  # fmt: skip


def _peak_mb() -> float:
    """The most memory that this process held.

    `ru_maxrss` would begin at what the parent held when it started this process.
    """
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
