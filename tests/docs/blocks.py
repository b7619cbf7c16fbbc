"""The code blocks of the documentation, and what it takes to run one page's blocks in order."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nanorecipes
from nanorecipes import Library, book
from nanorecipes.cli.main import run as run_command_line
from nanorecipes.linting import lint_paths
from nanorecipes.prompt.environment import environment
from nanorecipes.recipe import source

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
SAMPLES = DOCS / "samples"

_FENCE = re.compile(r"^( *)```(\w*)\s*$")
_SKIP = re.compile(r"<!-- not run: (.+?) -->")
_HIDDEN = re.compile(r"<!-- run: (.+?) -->")
_FILE = re.compile(r"(?:#|\{#|<!--) ([\w./-]+\.(?:yaml|jinja|toml|txt))\b")

BASE = """\
format: 1
title: Base
summary: What the fragments of the reference are laid over.
capability: edit
changes: part
images:
  photo: {description: The photo to edit.}
prompt:
  edit: Change the part in {{ photo }}.
  protect: [the framing]
"""


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, what it is, and why it isn't run, if it isn't."""

    page: Path
    line: int
    language: str
    text: str
    skipped: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page whose blocks are run; the pages of the lint rules show what is wrong."""
    rules = DOCS / "reference" / "rules"
    found = [page for page in DOCS.rglob("*.md") if rules not in page.parents]
    return [ROOT / "README.md", *sorted(page for page in found if page.parent != SAMPLES)]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    inside: list[str] | None = None
    start, language, indent, before = 0, "", "", ""
    for number, line in enumerate(page.read_text("utf-8").split("\n"), 1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside, start, indent, language = [], number, fence[1], fence[2]
        elif inside is not None and fence and not fence[2]:
            skip = _SKIP.search(before)
            text = "\n".join(inside) + "\n"
            found.append(Block(page, start, language, text, skip[1] if skip else None))
            inside, before = None, ""
        elif inside is not None:
            inside.append(line.removeprefix(indent))
        elif line.strip():
            before = line
            if hidden := _HIDDEN.search(line):  # what a reader does with an editor
                found.append(Block(page, number, "sh", hidden[1], None))
    return found


class MismatchError(AssertionError):
    """A block did something else than the page shows."""


@dataclass
class Page:
    """Runs the blocks of a page, one after the other, in the folder that it is in."""

    folder: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, block: Block) -> None:
        """Run one block; what it shows as output must come."""
        runner = getattr(self, f"run_{block.language}", None)
        if runner is None:
            raise MismatchError(f"{block}: blocks of {block.language!r} are not known here")
        try:
            runner(block)
        except Exception as exc:
            raise MismatchError(f"{block}: {type(exc).__name__}: {exc}") from exc

    def run_text(self, block: Block) -> None:
        """Text is there to be read."""

    def run_json(self, block: Block) -> None:
        """JSON that parses."""
        json.loads(block.text)

    def run_toml(self, block: Block) -> None:
        """TOML that parses, written where the page says."""
        tomllib.loads(block.text)
        self._write(block)

    def run_jinja(self, block: Block) -> None:
        """A template, or a file of macros that the page's recipes import."""
        environment().parse(block.text)
        self._write(block)

    def run_yaml(self, block: Block) -> None:
        """A recipe that loads and checks clean, or a fragment that fits into one."""
        path = self._write(block)
        if path is not None and not path.match("recipes/*/*.yaml"):
            return
        if path is None:
            path = self.folder / ".fragments" / "fragment.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(_over_base(path, block.text), "utf-8")
            found = Library(self.folder / "recipes").open(path).check()
            findings = [finding for finding in found if finding.severity == "error"]
        else:
            findings = list(lint_paths([path]).diagnostics)
        if findings:
            raise MismatchError("\n".join(finding.headline() for finding in findings))

    def run_python(self, block: Block) -> None:
        """A program; lines with `# ->` say what it prints."""
        if re.search(r"^ *# ?>", block.text, re.MULTILINE):
            raise MismatchError("what is printed stands behind `# ->`")
        printed = io.StringIO()
        source = "\n" * block.line + block.text
        compiled = compile(source, str(block.page), "exec")
        self._fresh_library()
        with contextlib.redirect_stdout(printed):
            exec(compiled, self.names)
        expected = re.findall(r"^ *# -> ?(.*)$", block.text, re.MULTILINE)
        if expected:
            compare("\n".join(expected), printed.getvalue())

    def run_sh(self, block: Block) -> None:
        """A script, as the shell runs it."""
        self._shell(block.text, "")

    def run_console(self, block: Block) -> None:
        """Commands behind `$`, and what they print."""
        for command, expected in _commands(block.text):
            simple = self._simple(command)
            if simple is None:
                self._shell(command, expected)
            else:
                self._in_process(simple, expected)

    def _simple(self, command: str) -> list[str] | None:
        """The words of a plain `nanorecipes ...`, which needs no shell and no new process."""
        if not command.startswith("nanorecipes ") or re.search(r"[|<>;&$`]", command):
            return None
        return shlex.split(command.replace("\\\n", " "))[1:]

    def _in_process(self, arguments: list[str], expected: str) -> None:
        printed = io.StringIO()
        self._fresh_library()
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            _variables(self.environment),
        ):
            code = run_command_line(arguments)
        self._judge(code, printed.getvalue(), expected)

    def _shell(self, command: str, expected: str) -> None:
        export = re.fullmatch(r"export (\w+)=(\S*)\s*", command)
        if export:
            self.environment[export[1]] = export[2]
            return
        found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environ = {**os.environ, **self.environment, "PATH": found}
        done = subprocess.run(
            ["sh", "-ec", command], cwd=self.folder, env=environ, text=True, timeout=30,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._judge(done.returncode, done.stdout, expected)

    def _judge(self, code: int, printed: str, expected: str) -> None:
        """A command ends well, unless the page shows that it doesn't."""
        shows_failure = re.search(
            r'^(error|Error|drifted|.*: (error|warning) NR|  "error": )', expected, re.MULTILINE
        )
        if (code != 0) != bool(shows_failure):
            raise MismatchError(f"exit code {code}, printed:\n{printed}")
        if expected.strip():
            compare(expected, printed)

    def _write(self, block: Block) -> Path | None:
        """Write the block where its first line says."""
        named = _FILE.match(block.text)
        if named is None:
            return None
        path = self.folder / named[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
        return path

    def _fresh_library(self) -> None:
        """The process's library looks anew: the page may have written a recipe."""
        library = Library()
        book.recipes = library
        vars(nanorecipes)["recipes"] = library


def compare(expected: str, printed: str) -> None:
    """Line by line: `...` stands for anything in its line, alone for any lines or none."""
    pattern = "".join(_line_pattern(line) for line in _lines(expected))
    text = "".join(f"{line}\n" for line in _lines(printed))
    if not re.fullmatch(pattern, text):
        raise MismatchError(f"expected:\n{expected}\n\nprinted:\n{printed}")


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return "(?:.*\\n)*?"
    return re.escape(line).replace(re.escape("..."), ".*?") + "\\n"


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").split("\n")]


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that is shown for it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    for part in parts[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command}\n{more}"
        yield re.sub(r"\s+# .*$", "", command), output


def _over_base(path: Path, text: str) -> str:
    """A fragment's keys in place of those of a plain recipe; its prompt is filled up from there."""
    base, own = (source.parse(path, part).data for part in (BASE, text))
    prompt = {**base["prompt"], **own.get("prompt", {})}
    return json.dumps({**base, **own, "prompt": prompt})


@contextlib.contextmanager
def _variables(given: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
