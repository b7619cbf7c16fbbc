"""Runs a template's syntax tree with given values, and keeps where each stretch of text came from.

Rules have to see every branch, with values that only stand for what a caller will pass. Running the
tree itself costs a tenth of compiling it, and it knows which words are the author's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError

from nanorecipes.prompt.bounds import BoundError
from nanorecipes.prompt.environment import environment, join_texts
from nanorecipes.prompt.filters import FILTERS
from nanorecipes.prompt.lint.draft import Chunk, Origin, Source
from nanorecipes.prompt.words import NotAttachedError, text
from nanorecipes.recipe.library import find_macro
from nanorecipes.recipe.source import Place

MAX_CHUNKS = 5_000


class CannotRunError(Exception):
    """The tree holds something that needs the real template engine."""


FAILURES = (
    CannotRunError, BoundError, TemplateError, NotAttachedError, RecursionError,
    TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
)  # fmt: skip
"""What can go wrong in a walk; the real renderer then tells what."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro, ready to be walked."""

    node: nodes.Macro
    source: Source
    known: Mapping[str, Macro]


class MacroSource(Source):
    """A macro file."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path = path

    def place(self, line: int, column: int, length: int) -> Place:
        lines = self.text.split("\n")
        excerpt = lines[line - 1] if 0 < line <= len(lines) else ""
        return Place(self.path, line, column, line, column + max(length, 1), excerpt)


_macro_files: dict[tuple[Path, int, int, tuple[Path, ...]], dict[str, Macro]] = {}


def macros_of(path: Path, folders: Sequence[Path], depth: int = 0) -> dict[str, Macro]:
    """The macros of a file, read again only when it has changed."""
    stat = path.stat()
    key = (path, stat.st_mtime_ns, stat.st_size, tuple(folders))
    if key not in _macro_files:
        if len(_macro_files) > 500:
            _macro_files.clear()
        _macro_files[key] = _read_macros(path, folders, depth)
    return _macro_files[key]


def _read_macros(path: Path, folders: Sequence[Path], depth: int) -> dict[str, Macro]:
    if depth > 20:
        return {}
    source = MacroSource(path, path.read_text(encoding="utf-8", errors="replace"))
    tree = environment().parse(source.text)
    known = imported(tree, folders, depth + 1)
    own: dict[str, Macro] = {}
    for node in tree.body:
        if isinstance(node, nodes.Macro):
            own[node.name] = Macro(node, source, {**known, **own})
    return own


def imported(tree: nodes.Template, folders: Sequence[Path], depth: int = 0) -> dict[str, Macro]:
    """The macros that a template imports, by the names that it gives them."""
    found: dict[str, Macro] = {}
    for node in tree.body:
        if not isinstance(node, nodes.FromImport) or not isinstance(node.template, nodes.Const):
            continue
        path = find_macro(folders, str(node.template.value))
        macros = macros_of(path, folders, depth) if path is not None else {}
        for item in node.names:
            name, alias = item if isinstance(item, tuple) else (item, item)
            if name in macros:
                found[alias] = macros[name]
    return found


_OUTPUT, _DATA, _CALL, _FILTER, _NAME = (
    nodes.Output, nodes.TemplateData, nodes.Call, nodes.Filter, nodes.Name,
)  # fmt: skip
_new: Any = tuple.__new__
"""The bare constructor: chunks are made by the thousand."""


@dataclass(slots=True)
class _Loop:
    """What `loop` knows."""

    items: Sequence[Any]
    index0: int = 0

    def get(self, name: str) -> Any:
        count, at = len(self.items), self.index0
        found = {
            "index": at + 1, "index0": at, "revindex": count - at, "revindex0": count - at - 1,
            "first": at == 0, "last": at == count - 1, "length": count,
        }  # fmt: skip
        if name in found:
            return found[name]
        if name == "previtem" and at > 0:
            return self.items[at - 1]
        if name == "nextitem" and at < count - 1:
            return self.items[at + 1]
        raise CannotRunError(name)


class Walker:
    """Walks one tree with one set of values."""

    __slots__ = ("chunks", "macros", "own", "params", "source", "values")

    def __init__(
        self,
        source: Source,
        values: Mapping[str, Any],
        macros: Mapping[str, Macro],
        params: frozenset[str] = frozenset(),
        own: dict[str, Any] | None = None,
    ) -> None:
        self.source = source
        self.values = values
        self.macros = macros
        self.params = params
        self.chunks: list[Chunk] = []
        self.own = own or {}
        """What the template sets, loop variables, and a macro's arguments."""

    def run(self, body: Sequence[nodes.Node]) -> list[Chunk]:
        """The text of some statements.

        Raises:
            CannotRunError: only the template engine itself can tell.
        """
        chunks, source = self.chunks, self.source
        for node in body:
            kind = type(node)
            if kind is _OUTPUT:
                if len(chunks) > MAX_CHUNKS:
                    raise CannotRunError("too long")
                for part in node.nodes:  # type: ignore[attr-defined]  # an Output has them
                    if type(part) is _DATA:
                        origin = _new(Origin, (source, part, None))
                        chunks.append(_new(Chunk, (part.data, origin)))
                    else:
                        self.output(part)
            else:
                statement: Callable[[Walker, Any], Any] = _STATEMENTS.get(kind, _refuse)
                statement(self, node)
        return chunks

    def output(self, part: Any) -> None:
        if type(part) is _CALL:
            macro = self.macros.get(getattr(part.node, "name", ""))
            if macro is not None:
                self.chunks += _stripped(self.call(macro, part))
                return
        origin: Origin = _new(Origin, (self.source, part, self.named(part)))
        self.chunks.append(_new(Chunk, (text(self.value(part)), origin)))

    def named(self, node: Any) -> str | None:
        """The parameter that an expression prints, perhaps filtered."""
        while type(node) is _FILTER:
            node = node.node
        if type(node) is _NAME and node.name in self.params and node.name not in self.own:
            return str(node.name)
        return None

    def value(self, node: Any) -> Any:
        return _EXPRESSIONS.get(type(node), _refuse)(self, node)

    def call(self, macro: Macro, node: nodes.Call) -> list[Chunk]:
        names = [argument.name for argument in macro.node.args]
        given = dict(zip(names, [self.value(item) for item in node.args], strict=False))
        given.update({item.key: self.value(item.value) for item in node.kwargs})
        for name, default in zip(reversed(names), reversed(macro.node.defaults), strict=False):
            if name not in given:
                given[name] = self.value(default)
        walker = Walker(macro.source, {}, macro.known, own=given)
        return walker.run(macro.node.body)

    def condition(self, node: Any) -> None:
        for branch in (node, *node.elif_):
            if self.value(branch.test):
                self.run(branch.body)
                return
        self.run(node.else_)

    def loop(self, node: Any) -> None:
        items = list(self.value(node.iter))
        before = dict(self.own)
        if node.test is not None:
            items = [item for item in items if self.kept(node, item)]
        state = _Loop(items)
        for state.index0, item in enumerate(items):
            self.own["loop"] = state
            self.bind(node.target, item)
            self.run(node.body)
        if not items:
            self.run(node.else_)
        self.own = before

    def kept(self, node: Any, item: Any) -> bool:
        self.bind(node.target, item)
        return bool(self.value(node.test))

    def assign(self, node: Any) -> None:
        self.bind(node.target, self.value(node.node))

    def bind(self, target: Any, value: Any) -> None:
        if type(target) is nodes.Name:
            self.own[target.name] = value
        elif type(target) is nodes.Tuple:
            for part, item in zip(target.items, value, strict=False):
                self.bind(part, item)
        else:
            raise CannotRunError("target")

    def name(self, node: Any) -> Any:
        if node.name in self.own:
            return self.own[node.name]
        if node.name in self.values:
            return self.values[node.name]
        raise CannotRunError(node.name)

    def filter(self, node: Any) -> Any:
        args = [self.value(item) for item in node.args]
        keywords = {item.key: self.value(item.value) for item in node.kwargs}
        function: Callable[..., Any] = FILTERS[node.name]  # type: ignore[assignment]  # all are
        return function(self.value(node.node), *args, **keywords)

    def test(self, node: Any) -> bool:
        if node.name in ("defined", "undefined"):
            return bool(node.name == "defined")
        args = [self.value(item) for item in node.args]
        tests: Mapping[str, Any] = environment().tests
        return bool(tests[node.name](self.value(node.node), *args))

    def compare(self, node: Any) -> bool:
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            if not _COMPARE[operand.op](left, right):
                return False
            left = right
        return True

    def member(self, node: Any) -> Any:
        owner = self.value(node.node)
        if isinstance(owner, _Loop):
            return owner.get(node.attr)
        return getattr(owner, node.attr)

    def item(self, node: Any) -> Any:
        return self.value(node.node)[self.value(node.arg)]

    def called(self, node: Any) -> Any:
        name = getattr(node.node, "name", "")
        if name == "range":
            found = range(*[self.value(item) for item in node.args])
            if len(found) > MAX_CHUNKS:
                raise CannotRunError("range")
            return found
        if name not in self.macros:
            raise CannotRunError(name)
        return "".join(chunk.text for chunk in self.call(self.macros[name], node)).strip()

    def arithmetic(self, node: Any) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            if abs(left) < 1e9 and abs(right) < 1e9:
                return _ARITHMETIC[type(node)](left, right)
        elif type(node) is nodes.Add and isinstance(left, str) and isinstance(right, str):
            return join_texts((left, right))
        raise CannotRunError("arithmetic")


def _stripped(chunks: list[Chunk]) -> Iterator[Chunk]:
    """A macro's text without white space at its ends, as a call gives it."""
    last = len(chunks) - 1
    while last >= 0 and not chunks[last].text.strip():
        last -= 1
    begun = False
    for index, chunk in enumerate(chunks[: last + 1]):
        content = chunk.text if begun else chunk.text.lstrip()
        if index == last:
            content = content.rstrip()
        if content:
            begun = True
            yield Chunk(content, chunk.origin)


def _refuse(walker: Walker, node: Any) -> Any:
    raise CannotRunError(type(node).__name__)


def _in(left: Any, right: Any) -> bool:
    return left in right


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b), "ne": lambda a, b: bool(a != b),
    "lt": lambda a, b: bool(a < b), "lteq": lambda a, b: bool(a <= b),
    "gt": lambda a, b: bool(a > b), "gteq": lambda a, b: bool(a >= b),
    "in": _in, "notin": lambda a, b: not _in(a, b),
}  # fmt: skip
_ARITHMETIC: dict[type[nodes.Node], Callable[[Any, Any], Any]] = {
    nodes.Add: lambda a, b: a + b, nodes.Sub: lambda a, b: a - b, nodes.Mul: lambda a, b: a * b,
    nodes.Div: lambda a, b: a / b, nodes.FloorDiv: lambda a, b: a // b,
    nodes.Mod: lambda a, b: a % b,
}  # fmt: skip
_STATEMENTS: dict[type[nodes.Node], Callable[[Walker, Any], None]] = {
    nodes.If: Walker.condition, nodes.For: Walker.loop, nodes.Assign: Walker.assign,
    nodes.FromImport: lambda walker, node: None,
}  # fmt: skip
_EXPRESSIONS: dict[type[nodes.Node], Callable[[Walker, Any], Any]] = {
    nodes.Name: Walker.name,
    nodes.Const: lambda walker, node: node.value,
    nodes.Filter: Walker.filter,
    nodes.Test: Walker.test,
    nodes.Compare: Walker.compare,
    nodes.Getattr: Walker.member,
    nodes.Getitem: Walker.item,
    nodes.Call: Walker.called,
    nodes.And: lambda walker, node: walker.value(node.left) and walker.value(node.right),
    nodes.Or: lambda walker, node: walker.value(node.left) or walker.value(node.right),
    nodes.Not: lambda walker, node: not walker.value(node.node),
    nodes.Neg: lambda walker, node: -walker.value(node.node),
    nodes.Pos: lambda walker, node: +walker.value(node.node),
    nodes.CondExpr: lambda walker, node: _either(walker, node),
    nodes.Concat: lambda walker, node: join_texts([walker.value(part) for part in node.nodes]),
    nodes.List: lambda walker, node: [walker.value(item) for item in node.items],
    nodes.Tuple: lambda walker, node: tuple(walker.value(item) for item in node.items),
    **dict.fromkeys(_ARITHMETIC, Walker.arithmetic),
}


def _either(walker: Walker, node: Any) -> Any:
    if walker.value(node.test):
        return walker.value(node.expr1)
    return "" if node.expr2 is None else walker.value(node.expr2)
