"""The documentation is true: its blocks run, and its generated parts are those of the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from blocks import DOCS, ROOT, SAMPLES, Page, blocks, pages

import nanorecipes
from nanorecipes import book

sys.path.insert(0, str(ROOT))
from docs import generate

# The blocks that can't run here, so that nobody skips one unseen.
NOT_RUN = {
    "README.md": ["it would install from the network"],
    "docs/how-to/local-pictures.md": ["it would install from the network"],
    "docs/how-to/prove-a-result.md": ["it would install from the network"],
    "docs/how-to/test-without-money.md": [
        "a server runs until it is stopped",
        "a server must be running",
    ],
    "docs/how-to/run-on-google-directly.md": ["it needs your key"],
    "docs/how-to/use-with-qolaba.md": ["it needs your key", "it needs your key"],
    "docs/tutorial/first-recipe.md": ["it would install from the network"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample pictures, in which a page's reader would sit."""
    for sample in (*SAMPLES.glob("*.jpg"), *SAMPLES.glob("*.png")):
        shutil.copy(sample, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NANORECIPES_BACKEND", "sandbox")
    monkeypatch.delenv("NANORECIPES_LEDGER")  # a reader keeps books in the folder
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(book, "recipes", book.recipes)
    monkeypatch.setitem(vars(nanorecipes), "recipes", book.recipes)
    return tmp_path


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_runs_and_prints_what_it_shows(page: Path, folder: Path) -> None:
    """An example that no longer works costs every reader an hour."""
    reader = Page(folder)
    for block in blocks(page):
        if block.skipped is None:
            reader.run(block)


def test_only_the_listed_blocks_are_not_run() -> None:
    """A block that is skipped without anybody knowing is one that rots."""
    skipped: dict[str, list[str]] = {}
    for page in pages():
        for block in blocks(page):
            if block.skipped is not None:
                skipped.setdefault(str(page.relative_to(ROOT)), []).append(block.skipped)
    assert skipped == NOT_RUN


def test_generated_parts_are_up_to_date() -> None:
    """Help texts and tables in the docs are the code's own; `make docs` writes them."""
    assert [str(page.relative_to(ROOT)) for page in generate.outdated()] == []


@pytest.mark.parametrize("page", [*pages(), ROOT / "CHANGELOG.md"], ids=lambda page: page.stem)
def test_links_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    """A link that leads nowhere is noticed by readers only."""
    broken = [link for link in _links(page) if not _leads_somewhere(page, link)]
    assert broken == []


def test_every_page_is_on_the_list_of_all() -> None:
    """A page that nothing leads to is found by `ls` alone."""
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in _links(DOCS / "README.md")}
    pages = {page for room in ("tutorial", "how-to", "reference", "explanation")
             for page in (DOCS / room).glob("*.md")}  # fmt: skip
    assert sorted(page.name for page in pages - listed) == []


def test_readme_fits_on_two_screens() -> None:
    """A stranger reads two screens, not five."""
    assert len((ROOT / "README.md").read_text("utf-8").split("\n")) <= 100


def test_pictures_are_small() -> None:
    """A clone carries every picture for ever."""
    large = [p.name for p in (DOCS / "images").iterdir() if p.stat().st_size > 300_000]
    assert large == []


def test_demo_runs_twice_from_another_folder_whose_path_holds_spaces(tmp_path: Path) -> None:
    """The demo is the first thing that a newcomer runs, in whatever place."""
    home = tmp_path / "a checkout of mine"
    for name in ("docs/demo.py", "docs/samples/mug.jpg"):
        target = home / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    shutil.copytree(ROOT / "recipes", home / "recipes")
    printed = [_demo(home / "docs" / "demo.py", tmp_path) for _ in range(2)]
    names = [re.search(r"proof picture  (.*)", text)[1].strip('"') for text in printed]  # type: ignore[index]
    assert len({*names}) == 2
    for name in names:
        picture = tmp_path / name
        assert picture.read_bytes()[:3] == b"\xff\xd8\xff"
        assert picture.with_name(f"{picture.name}.json").is_file()


def _demo(script: Path, cwd: Path) -> str:
    environ = {k: v for k, v in os.environ.items() if k != "NANORECIPES_BACKEND"}
    environ["QOLABA_API_KEY"] = "never-sent"
    done = subprocess.run(
        [sys.executable, str(script)], cwd=cwd, env=environ, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "never-sent" not in done.stdout
    return done.stdout


def _links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.replace("`", "").lower()) for head in heads)
    return {head.strip().replace(" ", "-") for head in plain}
