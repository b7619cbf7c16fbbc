"""The house as data: which room may use which; imports point down, and heavy parts stay out."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import nanorecipes

PACKAGE = Path(nanorecipes.__file__).parent

GROUND = "codes suggest diagnostics errors"
ROOMS: dict[str, str] = {
    # The ground: findings, errors, files, pictures, facts about models.
    "codes": "",
    "suggest": "",
    "diagnostics": "",
    "errors": "diagnostics",
    "events": "errors",
    "tracing": "events nanorecipes",
    "durable": "",
    "files": "codes diagnostics durable errors",
    "headers": "",
    "wholeness": "",
    "decoding": "",
    "preview": "decoding",
    "markup": "preview",
    "images": "files headers suggest",
    "xmp": "",
    "embed": "xmp",
    "making": "embed",
    "convert": "images",
    "naming": "codes diagnostics errors",
    "provenance": f"{GROUND} embed files images",
    "catalogue": "",
    "limits": f"{GROUND} catalogue",
    "wire": "",
    "google_wire": "files",
    # From a file to a request.
    "recipe": GROUND,
    "inputs_schema": "recipe",
    "request": "catalogue google_wire images markup wire",
    "prompt": f"{GROUND} recipe request",
    "prompt.lint": f"{GROUND} catalogue recipe prompt",
    "arguments": f"{GROUND} images recipe",
    "builder": f"{GROUND} arguments catalogue images limits prompt recipe request",
    "proof": f"{GROUND} images",
    # To the service and back.
    "sandbox": "catalogue errors files google_wire images suggest wire",
    "service": "decoding durable errors events files google_wire request sandbox wholeness wire",
    "config": "errors service suggest",
    "search_path": "config recipe",
    "recent": "",
    "fit": "files images recent",
    "preflight": f"{GROUND} catalogue files fit google_wire images request",
    "uploads": "config errors files fit images recent service",
    "proving": f"{GROUND} files fit images proof provenance request sandbox service",
    "composite": "convert embed errors files proof proving service",
    "drawings": "files proof",
    "result": "config convert drawings errors events files images making markup naming proof"
    " proving request service",
    "arrival": "errors proof proving request result service",
    # What callers hold.
    "client_core": f"{GROUND} arrival config events files preflight proving request result sandbox"
    " service uploads",
    "client": "client_core config request result service",
    "book": f"{GROUND} builder client config events inputs_schema recipe request result"
    " search_path",
    "batch": f"{GROUND} arguments book client config drawings durable events files fit headers"
    " images making preflight proof provenance proving recent recipe request result service",
    # What looks at recipes and results from outside.
    "rerun": f"{GROUND} book files images provenance",
    "lint_settings": f"{GROUND} prompt.lint",
    "linting": f"{GROUND} arguments book builder catalogue limits lint_settings prompt prompt.lint"
    " recipe search_path",
    "fixing": f"{GROUND} files lint_settings linting prompt.lint recipe",
    "testing": f"{GROUND} book files images linting prompt proof proving recipe request",
    "scaffold": f"{GROUND} book files recipe",
    "report": f"{GROUND} batch drawings files images preview proof provenance",
    "pytest_plugin": f"{GROUND} linting recipe search_path testing",
    # The faces: they call what a user could call.
    "cli": f"{GROUND} arguments batch book catalogue client composite config convert drawings files"
    " fixing google_wire images linting lint_settings naming preflight preview prompt.lint proof"
    " provenance proving recipe report request rerun result sandbox scaffold search_path service"
    " testing wire nanorecipes",
    "__main__": "cli",
    "nanorecipes": "book client config errors events proof request result",
}
"""Each room, from the ground up, and the rooms that it may use: all of them stand above it here."""

DOORS = {
    ("events", "tracing"): "loaded only in a process that has OpenTelemetry: steps without it stay"
    " light",
    ("client_core", "batch"): "ledgers, likewise",
    ("client", "batch"): "`Client.batch` and ledgers: taken where they are called, so that a client"
    " without them stays light",
}
"""Imports that climb, within functions or for types alone, each with its reason."""

TYPES_ONLY = {
    ("events", "request"): "an event carries the request that it is about",
    ("wire", "request"): "the body of a request is spelled beside the other spellings",
    ("google_wire", "request"): "likewise, for Google",
    ("client", "book"): "what `Client.run` takes may be a recipe's request",
}
"""Imports that climb for the type checker alone."""

HTTP = {
    "httpx": {"service/with_httpx.py", "service/embedded.py"},
    "httpcore": {"service/with_httpx.py", "service/sockets.py"},
    "aiohttp": {"service/with_aiohttp.py", "sandbox/server.py"},
    "yarl": {"service/with_aiohttp.py"},
    "urllib.request": {"service/proxies.py"},  # for what the system says about proxies
}
"""The HTTP libraries, and the only files that may import them."""


@dataclass(frozen=True)
class Import:
    """One import statement: who, whom, where, and when it runs."""

    module: str
    target: str
    line: int
    is_lazy: bool
    """Whether it runs only when a function is called."""
    is_type_only: bool

    @property
    def edge(self) -> tuple[str, str]:
        """The two rooms."""
        return room(self.module), room(self.target)

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def module_of(path: Path) -> str:
    """`nanorecipes.prompt.check` for its file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def room(module: str) -> str:
    """The room that a module is in."""
    parts = module.split(".")[1:]
    if parts[:2] == ["prompt", "lint"]:
        return "prompt.lint"
    return parts[0] if parts else "nanorecipes"


@cache
def files() -> dict[str, Path]:
    """Every module of the package and its file."""
    return {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


class _Collector(ast.NodeVisitor):
    def __init__(self, module: str) -> None:
        self.module = module
        self.found: list[Import] = []
        self.in_function = self.for_types = False

    def visit_If(self, node: ast.If) -> None:  # the visitor's name
        before = self.for_types
        self.for_types = before or ast.unparse(node.test) == "TYPE_CHECKING"
        for child in node.body:
            self.visit(child)
        self.for_types = before
        for child in node.orelse:
            self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before = self.in_function
        self.in_function = True
        self.generic_visit(node)
        self.in_function = before

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, f"{self.module}:{node.lineno}: a relative import"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            self.add(inner if inner in files() else str(node.module), node.lineno)

    def add(self, target: str, line: int) -> None:
        lazy = self.in_function
        self.found.append(Import(self.module, target, line, lazy, self.for_types))


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every module."""
    found: list[Import] = []
    for module, path in files().items():
        collector = _Collector(module)
        collector.visit(ast.parse(path.read_text(encoding="utf-8")))
        found += collector.found
    return tuple(found)


def own() -> list[Import]:
    """Those within the package."""
    return [item for item in imports() if item.target.split(".")[0] == "nanorecipes"]


def test_the_table_itself_climbs_nowhere() -> None:
    """A room may only use what stands before it."""
    above: set[str] = {"nanorecipes"}  # its names are loaded when they are first used
    for name, used in ROOMS.items():
        assert set(used.split()) <= above, f"{name} uses a room that stands after it"
        above.add(name)


def test_every_module_is_in_a_room() -> None:
    """A new module says in the table what it may use."""
    unknown = {module for module in files() if room(module) not in ROOMS}
    assert not unknown, "add them to ROOMS in this file"


@pytest.mark.parametrize("name", ROOMS)
def test_no_import_climbs(name: str) -> None:
    """Imports point down the table; those that don't are listed with their reason."""
    allowed = {name, *ROOMS[name].split()}
    wrong = [
        str(item)
        for item in own()
        if room(item.module) == name
        and room(item.target) not in allowed
        and not (item.edge in DOORS and (item.is_lazy or item.is_type_only))
        and not (item.edge in TYPES_ONLY and item.is_type_only)
    ]
    assert not wrong


@pytest.mark.parametrize("edge", [*DOORS, *TYPES_ONLY], ids="->".join)
def test_each_exception_is_still_needed(edge: tuple[str, str]) -> None:
    """A list of exceptions that nobody uses invites the next."""
    assert any(item.edge == edge for item in own())


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not when the package is loaded, and not when a function is called."""
    graph: dict[str, set[str]] = {module: set() for module in files()}
    for item in own():
        if not item.is_type_only and item.edge not in DOORS and item.target != item.module:
            graph[item.module].add(item.target)
    graph["nanorecipes"] = set()
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as exc:
        pytest.fail(" -> ".join(exc.args[1]))


@pytest.mark.parametrize("library", HTTP)
def test_the_http_libraries_are_imported_in_one_place(library: str) -> None:
    """Another engine can take their place without anyone else noticing."""
    where = {
        files()[item.module].relative_to(PACKAGE).as_posix()
        for item in imports()
        if f"{item.target}.".startswith(f"{library}.")
    }
    assert where <= HTTP[library]


@pytest.mark.parametrize("library", ["requests", "urllib3", "http.client"])
def test_no_other_http_library_is_used(library: str) -> None:
    """What guards the network guards one library."""
    assert not [str(item) for item in imports() if f"{item.target}.".startswith(f"{library}.")]


HEAVY = ("PIL", "jinja2", "pydantic", "pydantic_core", "yaml", "httpx", "aiohttp", "click", "numpy",
         "cv2")  # fmt: skip


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import nanorecipes", HEAVY),
        ("import nanorecipes; nanorecipes.InputError, dir(nanorecipes)", HEAVY),
        ("from nanorecipes import Proof, prove, restore", HEAVY),
        (
            "import nanorecipes; list(nanorecipes.recipes)",
            ("PIL", "pydantic", "httpx", "aiohttp", "click", "numpy"),
        ),
        (
            "from nanorecipes import recipes; recipes['outfit/change_outfit']"
            ".render(person='a.jpg', outfit='x', aspect_ratio='1:1').payload()",
            ("PIL", "pydantic", "httpx", "aiohttp", "click", "numpy"),
        ),
    ],
    ids=["import", "errors", "proof", "list", "render"],
)
def test_heavy_parts_are_loaded_where_they_are_used(code: str, absent: tuple[str, ...]) -> None:
    """A process that only renders starts in a moment."""
    check = f"import sys; {code}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_the_public_names_are_sorted_and_there() -> None:
    """The package is the door: what it promises can be had."""
    assert list(nanorecipes.__all__) == sorted(nanorecipes.__all__)
    for name in nanorecipes.__all__:
        assert getattr(nanorecipes, name).__module__.startswith("nanorecipes") or name == "recipes"
    absent = "nothing"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(nanorecipes, absent)
