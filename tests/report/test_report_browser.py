"""The page in a real Chromium: the slider moves, the filter filters, the console is silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, needs_browser
from PIL import Image
from test_report_page import record

from nanorecipes import files
from nanorecipes.report.page import write_report

pytestmark = needs_browser

ARTICLES = "document.querySelectorAll('article').length"
NAMES = "[...document.querySelectorAll('article a.open')].map((link) => link.textContent)"
TOLD = "document.querySelector('.totals').innerText"


def shown_text(browser: Browser) -> str:
    """The text of the first article, once it is drawn: what is out of view has none."""
    article = "document.querySelector('article').innerText"
    browser.wait(f"return {article} !== ''")
    text: str = browser.run(f"return {article}")
    return text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One window for all tests of a worker; each opens a page of its own."""
    with Browser(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A report on four pictures and a table whose rows made none."""
    source = tmp_path / "source.png"
    Image.new("RGB", (64, 48), "red").save(source)
    image = {
        "slot": "photo", "role": "source", "source": str(source),
        "sha256": files.sha256(source.read_bytes()),
    }  # fmt: skip
    shown = tmp_path / "shown"
    shown.mkdir()
    facts: list[dict[str, Any]] = [
        {"cost_usd": "0.2", "finished_at": "2026-11-02T10:00:00+00:00"},
        {"cost_usd": "0.1", "finished_at": "2026-11-03T10:00:00+00:00"},
        {"cost_usd": "0.3", "finished_at": "2026-11-01T10:00:00+00:00", "warnings": ["too small"]},
        {"cost_usd": "0.4", "recipe": "edit/relight", "model": "vertex/nano-banana-pro"},
    ]
    for name, more in zip("abcd", facts, strict=True):
        inputs = {"values": {"part": f"the {name}"}, "images": [image]}
        record(shown, f"{name}.png", f"paint <b>{name}</b> blue", inputs=inputs, **more)
    rows = [
        {"row_key": "1", "state": "failed", "error": "the service gave up", "part": "the lid"},
        {"row_key": "2", "state": "planned", "part": "the lid"},
    ]
    (shown / "results.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return write_report(shown).path


def test_slider_moves_by_mouse_and_keys(browser: Browser, page: Path) -> None:
    """It is what the page is for."""
    browser.open(page)
    edge = "document.querySelector('.compare').style.getPropertyValue('--at')"
    browser.run(
        "const s = document.querySelector('input[type=range]'); s.value = 80;"
        "s.dispatchEvent(new Event('input'));"
    )
    assert browser.run(f"return {edge}") == "80%"
    browser.keys("j\ue014\ue014")
    browser.wait(f"return {edge} === '82%'")
    shown = "getComputedStyle(document.querySelector('.compare .before')).clipPath"
    assert browser.run(f"return {shown}").startswith("inset(0px 18%")
    assert browser.complaints() == []


def test_filters_narrow_rows_and_totals(browser: Browser, page: Path) -> None:
    """Forty files are only told apart by someone who can leave out thirty."""
    browser.open(page)
    assert browser.run(f"return {ARTICLES}") == 6
    browser.keys("/blue relight")
    browser.wait(f"return {ARTICLES} === 1")
    told = browser.run(f"return {TOLD}")
    assert "1 of 6 rows" in told
    assert "$0.40 spent" in told
    browser.run(
        "document.getElementById('text').value = '';"
        "const r = document.getElementById('recipe'); r.value = 'edit/change_part';"
        "r.dispatchEvent(new Event('change'));"
    )
    assert browser.run(f"return {ARTICLES}") == 3
    browser.run("[...document.querySelectorAll('#states button')]"
                ".find((b) => b.textContent.startsWith('warned')).click()")  # fmt: skip
    assert browser.run(f"return {NAMES}") == ["c.png"]
    assert browser.run("return document.activeElement.textContent") == "warned 1"
    assert browser.complaints() == []


def test_rows_that_made_no_picture_are_shown_with_their_error(browser: Browser, page: Path) -> None:
    """An error is as plain as a result."""
    browser.open(page)
    browser.keys("/gave up")
    browser.wait(f"return {ARTICLES} === 1")
    text = shown_text(browser)
    for said in ("failed", "the service gave up", "Accepted, and no picture came of it.", "row 1"):
        assert said in text


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("given", ["a.png", "b.png", "c.png", "d.png"]),
        ("dear", ["d.png", "c.png", "a.png", "b.png"]),
        ("cheap", ["b.png", "a.png", "c.png", "d.png"]),
        ("new", ["b.png", "a.png", "c.png", "d.png"]),
        ("old", ["d.png", "c.png", "a.png", "b.png"]),
    ],
)
def test_rows_are_sorted(browser: Browser, page: Path, order: str, names: list[str]) -> None:
    """By what they cost and when they came."""
    browser.open(page)
    browser.run(
        "const s = document.getElementById('sort'); s.value = arguments[0];"
        "s.dispatchEvent(new Event('change'));",
        order,
    )
    assert browser.run(f"return {NAMES}") == names


def test_chart_adds_up_by_what_is_chosen(browser: Browser, page: Path) -> None:
    """Where the money went, in one look."""
    browser.open(page)
    chart = "[...document.querySelectorAll('#chart li')].map((li) => li.innerText.split('\\n'))"
    assert browser.run(f"return {chart}")[:2] == [
        ["edit/change_part", "$0.60", "3 rows"],
        ["edit/relight", "$0.40", "1 row"],
    ]
    browser.run(
        "const b = document.getElementById('by'); b.value = 'day';"
        "b.dispatchEvent(new Event('change'));"
    )
    days = [entry[0] for entry in browser.run(f"return {chart}")]
    assert days == ["unknown", "2026-11-01", "2026-11-02", "2026-11-03"]


def test_strangers_text_is_shown_as_text(browser: Browser, page: Path) -> None:
    """A prompt in angle brackets is no markup, and its sections are marked."""
    browser.open(page)
    browser.keys("jp")
    browser.wait("return document.querySelector('.section.edit') !== null")
    text = browser.run("return document.querySelector('.section.edit').textContent")
    assert text == "editpaint <b>a</b> blue"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [1280, 420])
def test_axe_finds_nothing(browser: Browser, page: Path, theme: str, width_px: int) -> None:
    """Readable by everybody: contrast, names, roles, order, on a desk and on a phone."""
    pytest.importorskip("axe_core_python")
    browser.resize(width_px, 1000)
    browser.open(page)
    browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
    browser.run("for (const d of document.querySelectorAll('details')) d.open = true")
    browser.wait("return document.querySelectorAll('.section').length === 4")
    assert browser.axe() == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.run(f"return {wide}") == 0
    browser.resize(1280, 1000)


def test_thousands_of_rows_are_drawn_as_they_are_needed(browser: Browser, tmp_path: Path) -> None:
    """A catalogue's page opens at once: what isn't looked at isn't made."""
    rows = [
        {"row_key": str(n), "state": "failed", "error": f"error {n}", "part": f"the lid {n}"}
        for n in range(5000)
    ]
    (tmp_path / "results.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    browser.open(write_report(tmp_path).path)
    assert browser.run(f"return {ARTICLES}") < 200
    assert "5,000 rows" in browser.run(f"return {TOLD}")
    browser.keys("/4999")
    browser.wait(f"return {ARTICLES} === 1")
    browser.keys("\ue003\ue003\ue003\ue003")
    browser.wait(f"return {ARTICLES} > 1")
    before = browser.run(f"return {ARTICLES}")
    # Whoever stays at the end is given more, again and again.
    browser.wait(
        f"window.scrollTo(0, document.body.scrollHeight); return {ARTICLES} > {before + 500}"
    )
    assert browser.complaints() == []


@pytest.fixture
def proved(tmp_path: Path) -> Path:
    """A report on pictures that were held against their source, and one that wasn't."""
    source = tmp_path / "source.png"
    Image.new("RGB", (64, 48), "red").save(source)
    image = {
        "slot": "photo", "role": "source", "source": str(source),
        "sha256": files.sha256(source.read_bytes()),
    }  # fmt: skip
    shown = tmp_path / "shown"
    shown.mkdir()
    proofs: list[dict[str, Any] | None] = [
        {"verdict": "kept", "score": 0.97, "reasons": ["everything stayed"]},
        {"verdict": "drifted", "score": 0.021, "reasons": ["1 place changed", "zoomed in"]},
        {"verdict": "not provable", "score": None, "reasons": ["the scene may be new"]},
        None,
    ]
    for name, proof in zip("abcd", proofs, strict=True):
        more = {} if proof is None else {"proof": proof}
        record(shown, f"{name}.png", "paint", inputs={"values": {}, "images": [image]}, **more)
        if proof is not None and proof["score"] is not None:
            Image.new("RGB", (64, 48), "blue").save(shown / f"{name}.png.overlay.jpg")
    return write_report(shown).path


def test_verdicts_filter_and_scores_sort(browser: Browser, proved: Path) -> None:
    """Whoever checks a catalogue looks at what drifted, the worst first."""
    browser.open(proved)
    browser.run(
        "const s = document.getElementById('sort'); s.value = 'drift';"
        "s.dispatchEvent(new Event('change'));"
    )
    assert browser.run(f"return {NAMES}") == ["b.png", "a.png", "c.png", "d.png"]
    buttons = "[...document.querySelectorAll('#verdicts button')]"
    told = browser.run(f"return {buttons}.map((b) => b.textContent)")
    assert told == ["all 4", "drifted 1", "kept 1", "not provable 1"]
    browser.run(f"{buttons}[1].click()")
    assert browser.run(f"return {NAMES}") == ["b.png"]
    assert browser.run("return document.activeElement.textContent") == "drifted 1"
    text = shown_text(browser)
    for said in ("drifted score 0.021", "1 place changed", "zoomed in"):
        assert said in text
    assert "1 row drifted" in browser.run(f"return {TOLD}")
    assert browser.complaints() == []


def test_heat_is_laid_over_the_result(browser: Browser, proved: Path) -> None:
    """Where it drifted is seen at once, by mouse and by key, and the slider still compares."""
    browser.open(proved)
    look = "getComputedStyle(document.querySelector('.compare .heat')).visibility"
    assert browser.run("return document.querySelectorAll('button.hot').length") == 2
    assert browser.run(f"return {look}") == "hidden"
    browser.run("document.querySelector('button.hot').click()")
    assert browser.run(f"return {look}") == "visible"
    pressed = "document.querySelector('button.hot').getAttribute('aria-pressed')"
    assert browser.run(f"return {pressed}") == "true"
    browser.run("document.activeElement.blur()")
    browser.keys("jh")
    browser.wait(f"return {look} === 'hidden'")
    assert browser.run(f"return {pressed}") == "false"
    assert browser.complaints() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_proofs(browser: Browser, proved: Path, theme: str) -> None:
    """Verdicts are words as well as colours, and buttons have names."""
    pytest.importorskip("axe_core_python")
    browser.open(proved)
    browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
    browser.run("document.querySelector('button.hot').click()")
    assert browser.axe() == []


def test_without_proofs_there_is_nothing_to_filter_by(browser: Browser, page: Path) -> None:
    """A page about something else isn't cluttered with it."""
    browser.open(page)
    shown = "getComputedStyle(document.getElementById('verdicts')).display"
    assert browser.run(f"return {shown}") == "none"
    assert browser.run("return document.querySelectorAll('.proof, button.hot').length") == 0
