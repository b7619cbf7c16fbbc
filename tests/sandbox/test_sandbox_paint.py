"""Proof pictures: the right size for every format, any prompt, any source."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sandbox_calls import picture

from nanorecipes.catalogue import catalogue
from nanorecipes.sandbox import lettering, pictures, setting
from nanorecipes.sandbox.paint import Sheet, Tile, paint

FLASH = catalogue().models["flash"]
ELSEWHERE = Tile(1, "source", None, "cdn.example.com", "mug.jpg")
LONG = "\n\n".join(
    f"Paragraph {n} " + "tells what shall change and what not. " * 9 for n in range(11)
)


def sheet(
    ratio: str = "1:1",
    tier: str = "512",
    prompt: str = "Make it blue.\n\nKeep the rest.",
    tiles: tuple[Tile, ...] = (ELSEWHERE,),
    count: int = 1,
) -> Sheet:
    """A proof sheet of the flash model."""
    size = FLASH.size_px(ratio, tier)
    assert size is not None
    return Sheet(FLASH.title, tier, ratio, size, prompt, None, "sbx-0-abc", 1, count, tiles)


def opened(data: bytes) -> Image.Image:
    """The picture, decoded to its end."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def crowd() -> tuple[Tile, ...]:
    """The most images that a request may have."""
    data = picture((90, 60))
    return tuple(
        Tile(n, "source" if n < 15 else "reference", data if n % 2 else None, "a.example", "x.jpg")
        for n in range(1, 29)
    )


@pytest.mark.parametrize("ratio", FLASH.ratios)
def test_small_tier_has_the_size_of_the_table(ratio: str) -> None:
    """Clients compare the size that came with the one asked for, to 3 %."""
    for tiles in ((ELSEWHERE,), crowd()):
        image = opened(paint(sheet(ratio, tiles=tiles, prompt=LONG, count=2)))
        assert (image.format, image.size) == ("JPEG", FLASH.size_px(ratio, "512"))


@pytest.mark.parametrize(
    ("ratio", "tier"), [("16:9", "1K"), ("2:3", "2K"), ("8:1", "4K"), ("1:8", "4K"), ("1:1", "4K")]
)
def test_large_tiers_have_the_size_of_the_table(ratio: str, tier: str) -> None:
    """Up to the longest side of all, 12288 px, with the longest prompt."""
    image = opened(paint(sheet(ratio, tier, prompt=LONG[:4000], tiles=crowd())))
    assert image.size == FLASH.size_px(ratio, tier)


def test_same_sheet_same_bytes() -> None:
    """Snapshots of proofs hold only when drawing has no chance in it."""
    tiles = (Tile(1, "source", picture(), "sandbox.invalid", "a.png"), *crowd()[1:4])
    assert paint(sheet(tiles=tiles)) == paint(sheet(tiles=tiles))
    assert paint(sheet(tiles=tiles)) != paint(sheet(tiles=tiles, prompt="Another."))


TEXT = st.text(max_size=400) | st.text(st.characters(categories=["Cs", "Cc", "Mn", "So"]))


@settings(max_examples=60, deadline=None)
@given(TEXT, st.sampled_from(["1:8", "8:1", "3:2"]))
def test_any_text_can_be_set(text: str, ratio: str) -> None:
    """A prompt in any script, with emoji or half a surrogate, is drawn: as boxes if need be."""
    assert opened(paint(sheet(ratio, prompt=text))).size == FLASH.size_px(ratio, "512")


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_any_name_fits_on_a_card(host: str, name: str) -> None:
    """Hosts and file names come from URLs, which may hold anything."""
    tile = Tile(1, "source", None, host, name)
    assert opened(paint(sheet(tiles=(tile, tile)))).size == (512, 512)


def with_exif(orientation: int) -> bytes:
    """A left-red, right-blue picture with an orientation tag."""
    image = Image.new("RGB", (80, 40), "blue")
    image.paste("red", (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def test_orientation_is_applied() -> None:
    """A source that lies on its side in the proof would be taken for a fault of the request."""
    turned = pictures.open_rgb(with_exif(6), (100, 100))
    assert turned.size == (40, 80)
    assert turned.getpixel((20, 10)) == (255, 0, 0)
    assert turned.getpixel((20, 70)) == (0, 0, 255)


def sixteen_bit() -> bytes:
    """A grey picture of 16 bits a pixel, half as bright as can be."""
    buffer = io.BytesIO()
    Image.new("I;16", (30, 20), 0x8000).save(buffer, "PNG")
    return buffer.getvalue()


def floating() -> bytes:
    """A picture in floats without an agreed white."""
    image = Image.new("F", (30, 20), -3.5)
    image.putpixel((0, 0), 9000.0)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        picture(mode="L"),
        picture(mode="1"),
        picture(mode="P"),
        picture(mode="LA"),
        picture(mode="RGBA"),
        picture(mode="CMYK", kind="JPEG"),
        picture(mode="CMYK", kind="TIFF"),
        picture(mode="LAB", kind="TIFF"),
        picture(mode="RGB", kind="WEBP"),
        picture(mode="P", kind="GIF"),
        picture(mode="I", kind="TIFF"),
        picture(size=(1, 400)),
        picture(size=(1, 1)),
        sixteen_bit(),
        floating(),
        with_exif(8),
    ],
    ids=[
        *("L", "1", "P", "LA", "RGBA", "CMYK-jpg", "CMYK-tif", "LAB", "webp", "gif", "I"),
        *("thin", "dot", "16bit", "float", "turned"),
    ],
)
def test_any_kind_of_source_is_shown(data: bytes) -> None:
    """What callers send is not always eight bits of RGB."""
    assert pictures.open_rgb(data, (40, 40)).mode == "RGB"
    assert pictures.fit(data, (60, 20), "#ebe5d9").size == (60, 20)


def test_sixteen_bits_keep_their_brightness() -> None:
    """Clipped to white, the proof would show nothing of it."""
    assert pictures.open_rgb(sixteen_bit(), (40, 40)).getpixel((5, 5)) == (128, 128, 128)


def test_transparency_shows_the_ground() -> None:
    """Transparent is neither black nor white; the chequered ground says so."""
    buffer = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(buffer, "PNG")
    made = pictures.open_rgb(buffer.getvalue(), (64, 64))
    assert {colour for _, colour in made.getcolors() or []} == {(236,) * 3, (214,) * 3}


def test_the_whole_source_is_seen_unstretched() -> None:
    """Fitted, not cropped: each edge is there, and a square stays a square."""
    image = Image.new("RGB", (100, 100), "white")
    for edge in ((0, 0, 100, 10), (0, 90, 100, 100), (0, 0, 10, 100), (90, 0, 100, 100)):
        image.paste("black", edge)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    framed = pictures.fit(buffer.getvalue(), (300, 100), "#ffffff").convert("L")
    assert [framed.getpixel((x, 50)) for x in (102, 150, 197)] == [0, 255, 0]
    assert [framed.getpixel((150, y)) for y in (2, 97)] == [0, 0]


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", picture((300, 300))[:200], b"\x00\x00\x00\x18ftypheic" + b"\0" * 40],
    ids=["empty", "head", "cut", "heic"],
)
def test_broken_source_is_named_and_the_sheet_is_drawn(data: bytes) -> None:
    """The picture that can't be read is the thing to see on the proof."""
    with pytest.raises(pictures.UnreadableError, match="can't be read"):
        pictures.open_rgb(data, (40, 40))
    tile = Tile(1, "source", data, "sandbox.invalid", "broken.png")
    assert opened(paint(sheet(tiles=(tile, tile)))).size == (512, 512)


def test_too_many_pixels_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file can hold a picture that fills the memory."""
    monkeypatch.setattr(pictures, "MAX_PIXELS", 100)
    with pytest.raises(pictures.UnreadableError, match="too large: 64 x 48 px"):
        pictures.open_rgb(picture(), (10, 10))


BOX = setting.Box(10, 10, 90, 60)
WORDS = st.text(st.sampled_from("ab é\n\t—漢"), max_size=300)
ONE_LONG_WORD = st.text(st.sampled_from("wé—漢"), min_size=12, max_size=60)


@settings(max_examples=60, deadline=None)
@given(WORDS | ONE_LONG_WORD, st.integers(8, 30))
def test_lines_hold_the_text_in_order(text: str, size: int) -> None:
    """Nothing of a prompt is lost, doubled or moved by wrapping it."""
    flow = setting.flow_text(setting.paragraphs(text), BOX._replace(h=10**6), size)
    assert flow.is_whole
    assert "".join("".join(line.text for line in flow.lines).split()) == "".join(text.split())
    ends = [line.end for line in flow.lines]
    assert ends == sorted(ends)
    if ends:
        assert ends[-1] == len(text.rstrip())


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("abc é"), min_size=40, max_size=300), st.integers(8, 30))
def test_lines_stay_in_their_place(text: str, size: int) -> None:
    """Type that runs out of its column would cover the picture or leave the sheet."""
    flow = setting.flow_text(setting.paragraphs(text), BOX, size)
    for line in flow.lines:
        assert line.x >= BOX.x
        # A single letter may be wider than a very narrow column; these letters aren't.
        assert line.x + lettering.width(line.text, line.size) <= BOX.x + BOX.w + 1
        assert BOX.y < line.baseline <= BOX.y + BOX.h


def test_paragraphs_are_split_at_blank_lines() -> None:
    """They are the sections of the prompt; a line break alone divides nothing."""
    parts = setting.paragraphs("\n  Edit\nthis.\n \t\n\n- a\n- b\n\nKeep.\n\n")
    assert [part.text.strip() for part in parts] == ["Edit\nthis.", "- a\n- b", "Keep."]
    assert setting.paragraphs(" \n\n ") == []


def test_long_prompt_is_cut_with_a_count() -> None:
    """What isn't shown is said, with how much it is."""
    box = setting.Box(0, 0, 120, 60)
    flow = setting.flow_text(setting.paragraphs("word " * 200), box, 10)
    assert not flow.is_whole
    assert 0 < flow.lines[-1].end < 1000


def test_letters_with_marks_are_drawn_and_others_are_boxes() -> None:
    """The typeface has ASCII alone; European names stay readable, the rest stays visible."""
    from PIL import ImageDraw

    def ink(text: str) -> bytes:
        image = Image.new("L", (60, 40), 255)
        lettering.write(ImageDraw.Draw(image), 5, 30, text, 24, "black")
        return image.tobytes()

    assert len({ink(text) for text in ("u", "ü", "ú", "û", "ù", "漢", "-", "—", "")}) == 9
    assert ink("漢") == ink("字")
    assert ink("u\u0308") == ink("ü")
    assert ink("\u200d\ufe0f") == ink("")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.integers(6, 40), st.integers(1, 300))
def test_shortened_text_fits(text: str, size: int, room: int) -> None:
    """A file name of any length stays on its card."""
    assert lettering.width(lettering.shorten(text, size, room), size) <= room
