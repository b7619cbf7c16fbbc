"""How a picture was made, inside its file: any text comes back and no pixel changes."""

from __future__ import annotations

import io
import json
import os
import random
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from nanorecipes.embed import embed, extract
from nanorecipes.errors import InputError
from nanorecipes.naming import MAX_NAME_BYTES, fill, safe_name
from nanorecipes.provenance import read

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
XMP = (
    b'<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="uuid:7" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="another tool"/></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def drawn(mode: str, size: tuple[int, int] = (61, 43)) -> Image.Image:
    """A picture with shapes and noise, so that a lost bit shows."""
    image = Image.new("RGBA", size, (200, 120, 40, 255))
    ImageDraw.Draw(image).ellipse((5, 5, 40, 30), fill=(10, 90, 200, 120))
    image.putpixel((1, 1), (1, 2, 3, 0))
    return image.convert(mode)


def exif() -> bytes:
    data = Image.Exif()
    data[0x0112] = 6
    data[0x010E] = "a note"
    return data.tobytes()


def cases() -> dict[str, bytes]:
    """Pictures of each type, with metadata that other tools leave."""
    text = PngInfo()
    text.add_text("Comment", "kept")
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    rgb, rgba = drawn("RGB"), drawn("RGBA")
    found = {
        "png": encoded(rgb, "PNG"),
        "png-palette": encoded(drawn("P"), "PNG"),
        "png-alpha-text": encoded(rgba, "PNG", pnginfo=text, exif=exif()),
        "png-gray": encoded(drawn("L"), "PNG"),
        "jpeg": encoded(rgb, "JPEG"),
        "jpeg-progressive-exif": encoded(rgb, "JPEG", progressive=True, exif=exif()),
        "jpeg-xmp": encoded(rgb, "JPEG", xmp=XMP, comment=b"kept"),
        "jpeg-cmyk": encoded(drawn("CMYK"), "JPEG"),
        "jpeg-gray": encoded(drawn("L"), "JPEG"),
        "jpeg-trailing": encoded(rgb, "JPEG") + b"trailing bytes",
        "webp": encoded(rgb, "WEBP"),
        "webp-lossless": encoded(rgb, "WEBP", lossless=True),
        "webp-lossless-alpha": encoded(rgba, "WEBP", lossless=True),
        "webp-alpha": encoded(rgba, "WEBP"),
        "webp-xmp-exif": encoded(rgb, "WEBP", xmp=XMP, exif=exif()),
        "webp-trailing": encoded(rgb, "WEBP") + b"xyz",
        "webp-animated": encoded(
            rgb, "WEBP", save_all=True, append_images=[drawn("RGB", (61, 43)).rotate(90)]
        ),
    }
    return found | {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.[jp][pn]g"))}


CASES = cases()


def kind_of(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        return TYPES[str(image.format)]


def pixels(data: bytes) -> tuple[Any, ...]:
    frames = []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append((image.mode, image.size, image.tobytes()))
    return tuple(frames)


def record(prompt: str) -> str:
    facts = {"tool": {"name": "nanorecipes"}, "prompt": prompt}
    return json.dumps(facts, ensure_ascii=False)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("length", [10, 90_000])
def test_a_text_comes_back_and_no_pixel_changes(name: str, length: int) -> None:
    """A picture that was paid for stays that picture, however much is told about it."""
    data = CASES[name]
    text = record("Größe 'x' \"y\" <&> 画像 \U0001f600 \u0001\u0085\u2028\ufffe " * (length // 10))
    written = embed(data, kind_of(data), text)
    found = read(written)
    assert found is not None
    assert found.prompt == json.loads(text)["prompt"]
    assert pixels(written) == pixels(data)


@pytest.mark.parametrize("name", CASES)
def test_what_other_tools_wrote_stays(name: str) -> None:
    """A photographer's rights and a camera's orientation are not ours to drop."""
    data = CASES[name]
    written = embed(data, kind_of(data), record("x"))
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(written)) as after:
        assert after.getexif() == before.getexif()
        for key in ("Comment", "comment", "icc_profile", "dpi", "XML:com.adobe.xmp"):
            assert after.info.get(key) == before.info.get(key)
        if "xmp" in before.info:
            assert b"another tool" in after.info["xmp"]


@pytest.mark.parametrize("name", ["png", "jpeg", "jpeg-xmp", "webp", "webp-xmp-exif"])
def test_a_second_record_takes_the_place_of_the_first(name: str) -> None:
    """A file tells one story, and doesn't grow."""
    data, kind = CASES[name], kind_of(CASES[name])
    once = embed(data, kind, record("first"))
    assert embed(embed(data, kind, record("other")), kind, record("first")) == once


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["png", "jpeg", "jpeg-xmp", "webp", "webp-alpha"]))
def test_any_unicode_comes_back(text: str, name: str) -> None:
    """Prompts are written in every language."""
    found = read(embed(CASES[name], kind_of(CASES[name]), record(text)))
    assert found is not None
    assert found.prompt == text


def test_a_record_rewritten_by_another_tool_is_still_read() -> None:
    """Tools rewrite XMP as elements and under prefixes of their own."""
    written = embed(CASES["jpeg"], "image/jpeg", record("a < b"))
    start = written.index(b"<rdf:Description")
    end = written.index(b"/>", start) + 2
    element = (
        b'<rdf:Description rdf:about="" xmlns:q="urn:nanorecipes:provenance:1/"><q:making>'
        b'{"tool":{"name":"nanorecipes"},"prompt":"a &lt; b"}</q:making></rdf:Description>'
    )
    length = int.from_bytes(written[4:6], "big")
    at = written.index(b"\xff\xe1")
    size = int.from_bytes(written[at + 2 : at + 4], "big") + len(element) - (end - start)
    other = written[:at] + b"\xff\xe1" + size.to_bytes(2, "big") + written[at + 4 : start]
    found = read(other + element + written[end:])
    assert length > 0
    assert found is not None
    assert found.prompt == "a < b"


@pytest.mark.parametrize("kind", TYPES.values())
def test_a_signed_picture_stays_bit_for_bit(kind: str) -> None:
    """Its provenance record holds a hash of the whole file."""
    name = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}[kind]
    signed = CASES[name] + b"....jumdc2pa...."
    assert embed(signed, kind, record("x")) == signed


@pytest.mark.parametrize(
    "odd",
    [
        b"<x:xmpmeta>no end",
        XMP.replace(b"rdf:", b"r:"),
        XMP.decode().encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    ],
)
def test_a_packet_that_can_not_be_added_to_is_left_alone(odd: bytes) -> None:
    """Better no record than another tool's broken."""
    data = encoded(drawn("RGB"), "JPEG", xmp=odd)
    assert embed(data, "image/jpeg", record("x")) == data
    assert extract(data) is None


@pytest.mark.parametrize("name", ["png-alpha-text", "jpeg-xmp", "webp-xmp-exif", "webp"])
def test_truncated_and_damaged_pictures_are_read_without_a_fault(name: str, tmp_path: Path) -> None:
    """Files come from strangers, and downloads break off."""
    written = embed(CASES[name], kind_of(CASES[name]), record("x" * 100))
    chance = random.Random(7)
    path = tmp_path / "picture"
    for _ in range(150):
        data = bytearray(written)
        for _ in range(chance.randrange(1, 20)):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        path.write_bytes(bytes(data[: chance.randrange(1, len(data) + 1)]))
        found = read(path)
        assert found is None or found.place == "file"
        embed(path.read_bytes(), kind_of(CASES[name]), record("x"))


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF\0\1\0\0WEBP"]),
)
def test_any_bytes_are_read_without_a_fault(rest: bytes, head: bytes) -> None:
    """Whatever is called a picture."""
    assert read(head + rest) is None


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"tool":{"name":"nanorecipes"},"cost_usd":"NaN","inputs":[],"sections":{}}',
     '{"tool":{"name":"nanorecipes"},"cost_usd":1' + "0" * 5000 + "}",
     '{"tool":{"name":"nanorecipes"},"prompt":"\\ud800","inputs":{"images":[1,{"slot":2}]}}'],
)  # fmt: skip
def test_a_record_of_another_shape_is_read_as_far_as_it_goes(text: str) -> None:
    """A stranger's record may hold anything."""
    found = read(embed(CASES["png"], "image/png", text))
    if found is not None:
        assert found.cost_usd is None
        assert len(found.images) < 2
        assert found.sections == ()
        (found.prompt or "").encode("utf-8")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """As a wrong argument, not as a fault."""
    with pytest.raises(InputError, match="there is no file"):
        read(tmp_path / "gone.png")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_a_name_is_safe_on_every_file_system(text: str) -> None:
    """A task's id and a recipe's name come from outside."""
    name = safe_name(text)
    assert name
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert len(name.encode("utf-8")) <= MAX_NAME_BYTES + 1
    assert name.strip(" .-") == name
    assert unicodedata.is_normalized("NFC", name)
    assert name.lower() not in {"con", "nul", "com1", "lpt9"}
    assert os.path.basename(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CON", "_CON"),
        ("nul.v2", "_nul.v2"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\u202eb", "ab"),
        ("画像 1", "画像 1"),
        ("...", "picture"),
        ("x" * 500, "x" * MAX_NAME_BYTES),
    ],
)
def test_names_that_file_systems_dislike_are_changed(text: str, name: str) -> None:
    """Reserved names, separators, lengths and hidden characters."""
    assert safe_name(text) == name


def test_a_field_without_a_value_leaves_no_trace() -> None:
    """`run` has no rows."""
    assert fill("{recipe}-{row}-{n}", {"recipe": "mug", "n": "1"}) == "mug-1"
