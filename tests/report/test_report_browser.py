"""The page in a real Chromium: the slider moves, the filter filters, the console is silent."""

from __future__ import annotations

from pathlib import Path

from browser import Browser, needs_browser
from PIL import Image
from test_report_page import record

from nanorecipes import files
from nanorecipes.report.page import write_report


@needs_browser
def test_the_page_works_from_disk(tmp_path: Path) -> None:
    """It is what people look at."""
    source = tmp_path / "source.png"
    Image.new("RGB", (64, 48), "red").save(source)
    image = {
        "slot": "photo", "role": "source", "source": str(source),
        "sha256": files.sha256(source.read_bytes()),
    }  # fmt: skip
    shown = tmp_path / "shown"
    shown.mkdir()
    record(shown, "a.png", "a blue mug", inputs={"values": {}, "images": [image]})
    record(shown, "b.png", "a red <b>mug</b>")
    page = write_report(shown).path
    with Browser(tmp_path / "profile") as browser:
        browser.open(page)
        count = "return document.querySelectorAll('article').length"
        assert browser.run(count) == 2
        browser.run(
            "const s = document.querySelector('input[type=range]'); s.value = 80;"
            "s.dispatchEvent(new Event('input'));"
        )
        moved = "document.querySelector('.compare').style.getPropertyValue('--at')"
        assert browser.run(f"return {moved}") == "80%"
        browser.keys("/red")
        browser.wait("return document.querySelectorAll('article').length === 1")
        assert "1 of 2 rows" in browser.run("return document.getElementById('totals').textContent")
        assert browser.complaints() == []
