"""Syntax trees of the plain kind of template, made without the template engine's own parser.

Most templates hold names, filters without arguments, and conditions on a name. Reading those by one
regular expression takes a fifth of the time; whatever else a template holds, the engine parses. The
trees are the same, node for node.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeVar

from jinja2 import nodes

from nanorecipes.prompt.environment import plain_blanks

MAX_CHARS = 4_000
"""Longer ones may be nested beyond the engine's bounds, which the engine tells."""
N = TypeVar("N", bound=nodes.Node)
_TAG = re.compile(r"\{\{ ([^{}%]*?) \}\}|\{% ([^{}%]*?) %\}")
_NAME = r"[a-z_][a-z0-9_]*"
_PRINTED = re.compile(rf"({_NAME})((?: ?\| ?{_NAME})*)\Z")
_TESTED = re.compile(
    rf"(el)?if (not )?({_NAME})(?: (==|!=) (?:\"([a-z0-9_ ]*)\"|'([a-z0-9_ ]*)'))?\Z"
)
_WORDS = frozenset(
    "and or not in is if else elif for true false none True False None recursive import from as"
    " with without context ignore missing scoped loop self super varargs kwargs caller".split()
)
_HARMLESS = frozenset("capitalize lower upper title trim sentence join_and unique".split())
_OPERATORS = {"==": "eq", "!=": "ne"}


class _TooRich(Exception):  # a signal within this module
    pass


class Skimmed(NamedTuple):
    """A template that needed no parser."""

    tree: nodes.Template
    parts: int
    """How many nodes the tree has, without the root."""
    is_harmless: bool = False
    """Whether nothing in it can fail with one value and not with another."""
    names: frozenset[str] | None = None
    """The names that it reads; None where only a walk over the tree can tell."""
    asked: frozenset[str] = frozenset()
    """Those of the names that stand in conditions."""
    shown: frozenset[str] = frozenset()
    """Those that it prints."""
    bare: frozenset[str] = frozenset()
    """Those that it prints where no condition makes sure of them."""


def skim(text: str) -> Skimmed | None:
    """The tree of a template; None where the engine has to parse it."""
    if len(text) > MAX_CHARS or "{#" in text or "\r" in text or "-%}" in text or "{%-" in text:
        return None
    plain = plain_blanks(text).removesuffix("\n")
    try:
        skimmer = _Skimmer(plain)
        body = skimmer.run()
    except _TooRich:
        return None
    asked = frozenset(skimmer.asked)
    return Skimmed(
        nodes.Template(body, lineno=1), skimmer.parts, skimmer.is_harmless,
        asked.union(skimmer.shown), asked, frozenset(skimmer.shown), frozenset(skimmer.bare),
    )  # fmt: skip


class _Skimmer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.line = 1
        self.parts = 0
        self.is_harmless = True
        self.shown: set[str] = set()
        self.asked: set[str] = set()
        self.bare: set[str] = set()
        self.sure: list[str | None] = []
        """By open condition, the name that it makes sure of."""
        self.body: list[Any] = []
        """What is open: an output that still grows is the last item of the innermost body."""
        self.open: list[tuple[list[Any], Any, Any]] = []
        """Around that: the body outside, the whole condition, and its last branch."""

    def run(self) -> list[Any]:
        at = 0
        for match in _TAG.finditer(self.text):
            self.data(self.text[at : match.start()])
            if match.group(1) is not None:
                self.printed(match.group(1))
            else:
                self.statement(match.group(2))
            self.line += match.group().count("\n")
            at = match.end()
        self.data(self.text[at:])
        if self.open:
            raise _TooRich
        return self.body

    def data(self, text: str) -> None:
        if not text:
            return
        if "{{" in text or "{%" in text or "}}" in text or "%}" in text:
            raise _TooRich
        self.write(self.node(nodes.TemplateData, {"data": text}))
        self.line += text.count("\n")

    def write(self, node: nodes.Expr) -> None:
        self.parts += 1
        if self.body and type(self.body[-1]) is nodes.Output:
            self.body[-1].nodes.append(node)
        else:
            self.parts += 1
            self.body.append(self.node(nodes.Output, {"nodes": [node]}))

    def node(self, kind: type[N], fields: dict[str, Any]) -> N:
        """A node; its class's own way to set the fields takes most of the time of a parse."""
        node = kind.__new__(kind)
        fields["lineno"] = self.line
        fields["environment"] = None
        node.__dict__ = fields
        return node

    def printed(self, code: str) -> None:
        found = _PRINTED.match(code)
        if found is None:
            raise _TooRich
        name = found.group(1)
        node: nodes.Expr = self.name(name)
        self.shown.add(name)
        if name not in self.sure:
            self.bare.add(name)
        for name in found.group(2).replace("|", " ").split():
            self.parts += 1
            self.is_harmless &= name in _HARMLESS
            node = self.node(
                nodes.Filter,
                {"node": node, "name": name, "args": [], "kwargs": [], "dyn_args": None,
                 "dyn_kwargs": None},
            )  # fmt: skip
        self.write(node)
        self.parts -= 1

    def name(self, word: str) -> nodes.Name:
        if word in _WORDS:
            raise _TooRich
        self.parts += 1
        return self.node(nodes.Name, {"name": word, "ctx": "load"})

    def statement(self, code: str) -> None:
        tested = _TESTED.match(code)
        if tested is not None:
            self.branch(bool(tested.group(1)), self.test(tested))
            self.asked.add(tested.group(3))
            self.sure[-1] = None if tested.group(2) else tested.group(3)
        elif code == "else" and self.open and self.open[-1][2] is not None:
            outside, whole, _ = self.open.pop()
            self.body = whole.else_
            self.open.append((outside, whole, None))
            self.sure[-1] = None
        elif code == "endif" and self.open:
            self.body = self.open.pop()[0]
            self.sure.pop()
        else:
            raise _TooRich

    def branch(self, again: bool, test: nodes.Expr) -> None:
        node = self.node(nodes.If, {"test": test, "body": [], "elif_": [], "else_": []})
        self.parts += 1
        if not again:
            self.body.append(node)
            self.open.append((self.body, node, node))
            self.sure.append(None)
        else:
            if not self.open or self.open[-1][2] is None:
                raise _TooRich
            outside, whole, _ = self.open.pop()
            whole.elif_.append(node)
            self.open.append((outside, whole, node))
        self.body = node.body

    def test(self, found: re.Match[str]) -> nodes.Expr:
        _, negated, word, operator, double, single = found.groups()
        test: nodes.Expr = self.name(word)
        if operator is not None:
            self.parts += 3
            value = nodes.Const(double if double is not None else single, lineno=self.line)
            operand = nodes.Operand(_OPERATORS[operator], value)
            test = nodes.Compare(test, [operand], lineno=self.line)
        if negated:
            self.parts += 1
            test = nodes.Not(test, lineno=self.line)
        return test
