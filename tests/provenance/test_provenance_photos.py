"""Photos of every kind, saved with their record: not a pixel and not a word of others changes."""

from __future__ import annotations

import io
import json
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import photos
import pytest
from network import HOST, KEY, Answer, Played, Service, request
from PIL import Image

from nanorecipes import Client, Result, files, making
from nanorecipes.cli.main import run
from nanorecipes.client import Wiring
from nanorecipes.provenance import read
from nanorecipes.result import sheet_of
from nanorecipes.service.timing import VirtualClock
from nanorecipes.xmp import NAMESPACE

OURS = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"


def received(data: bytes) -> Result:
    """The result of a service that sends this file."""
    service = Played(Service(file=[Answer(200, data)]))
    wiring = Wiring(transport=service, clock=VirtualClock(0.0))
    with Client(
        backend="qolaba", api_key=KEY, base_url=HOST, wiring=wiring, ledger=False
    ) as client:
        return client.run(request())


def pixels(data: bytes) -> list[tuple[Any, ...]]:
    """Every frame as it is decoded."""
    frames = []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            palette = image.getpalette() if image.mode == "P" else None
            frames.append((image.mode, image.size, image.tobytes(), palette))
    return frames


def others(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every part of a file that isn't our record, in order; XMP without what is ours in it."""
    found = list({b"\x89": _png, b"\xff": _jpeg, b"R": _webp}[data[:1]](data))
    return [(name, _foreign(body) if b"<x:xmpmeta" in body else body) for name, body in found]


def _png(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(data) and data[at - 8 : at - 4] != b"IEND":
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 12 + length]
        if not body.startswith(b"nanorecipes\0"):
            yield name, body
        at += length + 12
    yield b"rest", data[at:]


def _jpeg(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 2
    while data[at + 1] != 0xDA:
        if data[at + 1] == 0xFF:
            yield b"fill", b""
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        is_ours = body.startswith(b"http://ns.adobe.com/xap/1.0/\0") and not _foreign(body)
        if not is_ours:
            yield data[at + 1 : at + 2], body
        at += 2 + length
    yield b"rest", data[at:]


def _webp(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, struct.unpack_from("<I", data, 4)[0] + 8
    while at < end:
        (length,) = struct.unpack_from("<I", data, at + 4)
        name, body = data[at : at + 4], data[at + 8 : at + 8 + length]
        if name != b"VP8X" and not (name == b"XMP " and not _foreign(body)):
            yield name, body
        at += 8 + length + (length & 1)
    yield b"rest", data[end:]


def _foreign(packet: bytes) -> bytes:
    """What other tools wrote into XMP, in a form that can be compared; empty where nothing."""
    start = packet.index(b"<x:xmpmeta")
    root = ElementTree.fromstring(packet[start : packet.rindex(b"</x:xmpmeta>") + 12].decode())
    for rdf in list(root):
        for part in list(rdf):
            if part.tag == OURS and any(NAMESPACE in name for name in part.attrib):
                rdf.remove(part)
    if not list(root[0]):
        return b""
    return ElementTree.canonicalize(ElementTree.tostring(root, "unicode"), strip_text=True).encode()


def check(photo: photos.Photo, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Save one, and ask the file alone how it was made."""
    result = received(photo.data)
    (path,) = result.save(folder / "saved")
    written = path.read_bytes()
    assert written != photo.data
    assert pixels(written) == pixels(photo.data)
    assert others(written) == others(photo.data)
    moved = folder / f"moved{path.suffix}"
    path.rename(moved)
    assert run(["inspect", str(moved), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("found_in") == "file"
    del told["file"]
    assert told == json.loads(making.said_inside(sheet_of(result.images[0])))


def test_photos_of_every_kind_stay_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture that was paid for stays that picture, and so does what it tells of others."""
    own = sorted(photos.SAMPLES.glob("*.jpg"))
    for photo in photos.photos(own, len(photos.WAYS)):
        check(photo, tmp_path, capsys)


@pytest.mark.soak
def test_two_hundred_real_photos_stay_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cameras' pictures hold what drawn ones don't: noise, grain, every value."""
    real = photos.real_photos()
    if len(real) < 15:
        pytest.skip("needs the photos of scikit-image and scikit-learn: `make soak` installs them")
    kinds: Counter[str] = Counter()
    for photo in photos.photos(real, 200):
        check(photo, tmp_path, capsys)
        kinds[photo.name.split("-")[1].partition("_")[0]] += 1
    assert sum(kinds.values()) == 200
    assert min(kinds.values()) > 50


@pytest.mark.parametrize("format", ["png", "webp", "jpeg"])
def test_converting_keeps_what_others_wrote(tmp_path: Path, format: Any) -> None:
    """Encoded anew on request, a photo keeps its colours, its author and the way it's held."""
    with Image.open(photos.SAMPLES / "mug.jpg") as image:
        data = photos.webp_xmp(image) if format == "jpeg" else photos.jpeg_everything(image)
    result = received(data)
    (path,) = result.save(tmp_path, format=format)
    with Image.open(io.BytesIO(data)) as before, Image.open(path) as after:
        assert str(after.format).lower() == format
        assert after.size == before.size
        assert after.getexif() == before.getexif()
        assert after.info["icc_profile"] == before.info["icc_profile"]
        kept = after.info.get("xmp") or after.info["XML:com.adobe.xmp"].encode()
    assert _foreign(kept) == _foreign(photos.XMP)
    made = read(path.read_bytes())
    assert made is not None
    assert made.facts["picture"]["received_sha256"] == files.sha256(data)
