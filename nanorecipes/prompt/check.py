"""The static check: what a template would only reveal in a branch that seldom runs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import nodes

from nanorecipes import codes
from nanorecipes.prompt.bounds import MAX_INTEGER
from nanorecipes.prompt.environment import HANDLE_ATTRIBUTES, LOOP_ATTRIBUTES, TESTS
from nanorecipes.prompt.filters import FILTERS
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.codes import Code

Report = Callable[["Code", int, str, "str | None", "str | None"], None]
"""code, template line, message, the word to point at, help."""

_EXPRESSIONS = (
    nodes.Const, nodes.Tuple, nodes.List, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow,
    nodes.Neg, nodes.Pos, nodes.Concat, nodes.Output, nodes.Keyword, nodes.Pair,
)  # fmt: skip
_CONTROL = "[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]"

_NAMES: dict[type[nodes.Node], str] = {
    nodes.Block: "block", nodes.Extends: "extends", nodes.Include: "include",
    nodes.Import: "import", nodes.CallBlock: "call", nodes.FilterBlock: "filter",
    nodes.With: "with", nodes.Macro: "macro", nodes.ScopedEvalContextModifier: "autoescape",
    nodes.EvalContextModifier: "autoescape", nodes.NSRef: "namespace", nodes.Slice: "slice",
    nodes.Dict: "dictionary", nodes.AssignBlock: "set block",
}  # fmt: skip


_TAKE_ABSENT = frozenset({"default", "length", "join", "join_and", "unique"})
"""Filters to which an absent image is an empty list."""


class Signature(NamedTuple):
    """What a macro takes: its arguments, and how many of the last have defaults."""

    name: str
    arguments: tuple[str, ...]
    defaults: int
    depth: int = 1
    """How many macros are open at once in a call of it, itself counted."""


class Scope:
    """The names that a template may use, and those that it did.

    Args:
        params: the recipe's parameters.
        images: its image slots, and whether each may be absent.
        macros: what is imported.
        others: names that are always there.
        broken: macros that could not be imported, which is reported where they should have been.
    """

    def __init__(
        self,
        *,
        params: frozenset[str] = frozenset(),
        images: Mapping[str, bool] | None = None,
        macros: Mapping[str, Signature] | None = None,
        others: frozenset[str] = frozenset(),
        broken: frozenset[str] = frozenset(),
    ) -> None:
        self.params = params
        self.images = images or {}
        self.macros = macros or {}
        self.others = others
        self.broken = broken
        self.used: set[str] = set()
        """Parameters and images that some expression reads."""
        self.spoken: set[str] = set()
        """Images that are printed or looped over, not only asked for in a condition."""

    def knows(self, name: str) -> bool:
        return (
            name in self.params or name in self.images or name in self.macros or name in self.others
        )

    def all_names(self) -> list[str]:
        return [*self.params, *self.images, *self.macros, *self.others]


class Check:
    """Walks one syntax tree; `locals` are the names that the template sets itself."""

    def __init__(self, scope: Scope, report: Report) -> None:
        self.scope = scope
        self.report = report
        self.in_condition = 0

    def run(self, tree: nodes.Template, known: frozenset[str] = frozenset()) -> None:
        """Check a whole template."""
        self.block(tree.body, known, frozenset())

    def block(
        self, body: list[Any], known: frozenset[str], guarded: frozenset[str]
    ) -> frozenset[str]:
        for node in body:
            known = self.statement(node, known, guarded)
        return known

    def statement(
        self, node: Any, known: frozenset[str], guarded: frozenset[str]
    ) -> frozenset[str]:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                self.printed(part, known, guarded)
            return known
        if isinstance(node, nodes.If):
            return self.condition(node, known, guarded)
        if isinstance(node, nodes.For):
            self.loop(node, known, guarded)
            return known
        if isinstance(node, nodes.Assign):
            return self.assign(node, known, guarded)
        if not isinstance(node, nodes.FromImport):
            self.refuse(node)
        return known

    def printed(self, node: Any, known: frozenset[str], guarded: frozenset[str]) -> None:
        if isinstance(node, nodes.TemplateData):
            if has_control(node.data):
                self.report(codes.NOT_ALLOWED, node.lineno, "a control character", None, None)
            return
        self.expression(node, known, guarded)
        self.needed(node, known, guarded)

    def needed(self, node: Any, known: frozenset[str], guarded: frozenset[str]) -> None:
        """Report optional images that would be printed even when they are absent."""
        if isinstance(node, nodes.Name):
            optional = self.scope.images.get(node.name, False)
            if optional and node.name not in guarded and node.name not in known:
                self.unguarded(node)
        elif isinstance(node, nodes.Filter) and node.name not in _TAKE_ABSENT:
            self.needed(node.node, known, guarded)
            for argument in node.args:
                self.needed(argument, known, guarded)
        elif isinstance(node, (nodes.Getattr, nodes.Getitem)):
            self.needed(node.node, known, guarded)
        elif isinstance(node, (nodes.Concat, nodes.Add)):
            for part in node.iter_child_nodes():
                self.needed(part, known, guarded)
        elif isinstance(node, nodes.CondExpr):
            self.needed(node.expr1, known, guarded | _attached(node.test, True))
            if node.expr2 is not None:
                self.needed(node.expr2, known, guarded | _attached(node.test, False))

    def unguarded(self, node: nodes.Name) -> None:
        name = node.name
        message = f"the image {name!r} is optional, but the template prints it in any case"
        advice = f"guard it: {{% if {name} %}}...{{{{ {name} }}}}...{{% endif %}}"
        self.report(codes.UNDEFINED, node.lineno, message, name, advice)

    def condition(
        self, node: nodes.If, known: frozenset[str], guarded: frozenset[str]
    ) -> frozenset[str]:
        """Each branch knows what its own test makes sure of and what those before ruled out."""
        after = []
        for branch in (node, *node.elif_):
            self.tested(branch.test, known, guarded)
            inside = guarded | _attached(branch.test, True)
            after.append(self.block(branch.body, known, inside))
            guarded |= _attached(branch.test, False)
        after.append(self.block(node.else_, known, guarded))
        # A name is set behind the `if` only when every branch sets it.
        return frozenset.intersection(*after)

    def tested(self, test: Any, known: frozenset[str], guarded: frozenset[str]) -> None:
        """Check a condition: a name that only stands in one is not spoken of."""
        self.in_condition += 1
        self.expression(test, known, guarded)
        self.in_condition -= 1

    def loop(self, node: nodes.For, known: frozenset[str], guarded: frozenset[str]) -> None:
        self.expression(node.iter, known, guarded)
        if node.recursive:
            self.report(codes.NOT_ALLOWED, node.lineno, "a recursive loop", "recursive", None)
        inside = known | self.targets(node.target) | {"loop"}
        if node.test is not None:
            self.expression(node.test, inside, guarded)
        self.block(node.body, inside, guarded)
        self.block(node.else_, known, guarded)

    def assign(
        self, node: nodes.Assign, known: frozenset[str], guarded: frozenset[str]
    ) -> frozenset[str]:
        self.expression(node.node, known, guarded)
        names = self.targets(node.target)
        for name in names:
            if self.scope.knows(name):
                message = f"`set` would hide the name {name!r}"
                self.report(codes.NOT_ALLOWED, node.lineno, message, name, "choose another name")
        return known | names

    def targets(self, node: Any) -> frozenset[str]:
        if isinstance(node, nodes.Name):
            return frozenset({node.name})
        if isinstance(node, nodes.Tuple):
            return frozenset().union(*(self.targets(item) for item in node.items))
        self.refuse(node)
        return frozenset()

    def expression(self, node: Any, known: frozenset[str], guarded: frozenset[str]) -> None:
        if isinstance(node, nodes.Name):
            self.name(node, known)
        elif isinstance(node, nodes.CondExpr):
            self.tested(node.test, known, guarded)
            for part in (node.expr1, node.expr2):
                if part is not None:
                    self.expression(part, known, guarded)
        elif isinstance(node, nodes.Call):
            self.call(node, known, guarded)
        elif isinstance(node, nodes.Filter):
            self.filter(node, known, guarded)
        elif isinstance(node, nodes.Test):
            self.test(node, known, guarded)
        elif isinstance(node, (nodes.Getattr, nodes.Getitem)):
            self.member(node, known, guarded)
        elif isinstance(node, _EXPRESSIONS):
            self.plain(node, known, guarded)
        else:
            self.refuse(node)

    def plain(self, node: Any, known: frozenset[str], guarded: frozenset[str]) -> None:
        if isinstance(node, nodes.Const):
            self.constant(node)
        if isinstance(node, (nodes.Mul, nodes.Mod, nodes.Pow)):
            for side in (node.left, node.right):
                if isinstance(side, nodes.Const) and not isinstance(side.value, (int, float)):
                    message = f"`{node.operator}` works on numbers only"
                    self.report(codes.NOT_ALLOWED, node.lineno, message, None, None)
        for child in node.iter_child_nodes():
            self.expression(child, known, guarded)

    def constant(self, node: nodes.Const) -> None:
        value = node.value
        if isinstance(value, str) and has_control(value):
            self.report(codes.NOT_ALLOWED, node.lineno, "a control character", None, None)
        elif isinstance(value, (int, float)) and abs(value) > MAX_INTEGER:
            message = f"a number beyond {MAX_INTEGER}"
            self.report(codes.NOT_ALLOWED, node.lineno, message, None, None)

    def name(self, node: nodes.Name, known: frozenset[str]) -> None:
        name = node.name
        if name in known or name in self.scope.broken:
            return
        if name in self.scope.macros or name == "range":
            message = f"{name!r} is a macro and has to be called"
            self.report(codes.UNKNOWN_MACRO, node.lineno, message, name, f"write {name}(...)")
            return
        if not self.scope.knows(name):
            near = did_you_mean(name, [*self.scope.all_names(), *known])
            self.report(codes.UNDEFINED, node.lineno, f"{name!r} is not defined", name, near)
            return
        self.scope.used.add(name)
        if not self.in_condition:
            self.scope.spoken.add(name)

    def call(self, node: nodes.Call, known: frozenset[str], guarded: frozenset[str]) -> None:
        for part in (*node.args, *(keyword.value for keyword in node.kwargs)):
            self.expression(part, known, guarded)
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self.report(codes.NOT_ALLOWED, node.lineno, "`*` in a call", None, None)
        name = node.node.name if isinstance(node.node, nodes.Name) else None
        if name == "range" and name not in known:
            if not (1 <= len(node.args) <= 3 or node.dyn_args) or node.kwargs:
                message = "range() takes one to three numbers"
                self.report(codes.MACRO_ARGUMENTS, node.lineno, message, name, None)
        elif name is not None and name in self.scope.macros and name not in known:
            self.arguments(node, self.scope.macros[name])
        elif name not in self.scope.broken:
            self.uncallable(node, name)

    def uncallable(self, node: nodes.Call, name: str | None) -> None:
        if name is None:
            message = "only macros can be called, not what a value carries"
            self.report(codes.NOT_ALLOWED, node.lineno, message, None, None)
            return
        near = did_you_mean(name, [*self.scope.macros, *FILTERS])
        if name in FILTERS:
            near = f"{name} is a filter: write {{{{ value | {name} }}}}"
        advice = near or 'import it first: {% from "_macros/file.jinja" import ' + name + " %}"
        message = f"there is no macro {name!r}"
        self.report(codes.UNKNOWN_MACRO, node.lineno, message, name, advice)

    def arguments(self, node: nodes.Call, macro: Signature) -> None:
        given = list(macro.arguments[: len(node.args)])
        shown = f"{macro.name}({', '.join(macro.arguments)})"
        problems = []
        if len(node.args) > len(macro.arguments):
            problems.append(f"takes {len(macro.arguments)}, found {len(node.args)}")
        for keyword in node.kwargs:
            if keyword.key not in macro.arguments:
                problems.append(f"has no argument {keyword.key!r}")
            elif keyword.key in given:
                problems.append(f"gets {keyword.key!r} twice")
            given.append(keyword.key)
        required = macro.arguments[: len(macro.arguments) - macro.defaults]
        problems += [f"needs {name!r}" for name in required if name not in given]
        for problem in problems:
            message = f"the macro {macro.name!r} {problem}"
            self.report(codes.MACRO_ARGUMENTS, node.lineno, message, macro.name, f"it is {shown}")

    def filter(self, node: nodes.Filter, known: frozenset[str], guarded: frozenset[str]) -> None:
        for part in (node.node, *node.args, *(keyword.value for keyword in node.kwargs)):
            self.expression(part, known, guarded)
        if node.name not in FILTERS:
            near = did_you_mean(node.name, FILTERS) or f"there are {', '.join(sorted(FILTERS))}"
            message = f"there is no filter {node.name!r}"
            self.report(codes.UNKNOWN_FILTER, node.lineno, message, node.name, near)
            return
        keywords: dict[str, Any] = {str(keyword.key): None for keyword in node.kwargs}
        try:
            _signature(node.name).bind(None, *node.args, **keywords)
        except TypeError as exc:
            message = f"the filter {node.name!r}: {exc}"
            self.report(codes.UNKNOWN_FILTER, node.lineno, message, node.name, None)

    def test(self, node: nodes.Test, known: frozenset[str], guarded: frozenset[str]) -> None:
        for part in (node.node, *node.args, *(keyword.value for keyword in node.kwargs)):
            self.expression(part, known, guarded)
        if node.name not in TESTS:
            near = did_you_mean(node.name, TESTS)
            message = f"there is no test {node.name!r}"
            self.report(codes.UNKNOWN_FILTER, node.lineno, message, node.name, near)

    def member(
        self, node: nodes.Getattr | nodes.Getitem, known: frozenset[str], guarded: frozenset[str]
    ) -> None:
        self.expression(node.node, known, guarded)
        if isinstance(node, nodes.Getitem):
            if isinstance(node.arg, nodes.Slice):
                self.refuse(node.arg)
            elif not _is_index(node.arg):
                message = "only whole numbers may stand in brackets"
                self.report(codes.NOT_ALLOWED, node.lineno, message, None, None)
            return
        allowed = HANDLE_ATTRIBUTES
        if isinstance(node.node, nodes.Name) and node.node.name == "loop":
            allowed = LOOP_ATTRIBUTES
        if isinstance(node.node, nodes.Name) and node.node.name in self.scope.params - known:
            message = f"{node.node.name!r} is a parameter and has no .{node.attr}"
            self.report(codes.NOT_ALLOWED, node.lineno, message, f".{node.attr}", None)
        elif node.attr not in allowed:
            near = did_you_mean(node.attr, allowed) or f"there are {', '.join(sorted(allowed))}"
            message = f"nothing here has .{node.attr}"
            self.report(codes.NOT_ALLOWED, node.lineno, message, f".{node.attr}", near)

    def refuse(self, node: Any) -> None:
        if isinstance(node, nodes.Scope):  # what Jinja2 puts around `autoescape`
            node = node.body[0]
        name = _NAMES.get(type(node), type(node).__name__.lower())
        message = f"`{name}` can't be used in a recipe"
        advice = "templates have if, for, set, filters, and macros imported from _macros/"
        self.report(codes.NOT_ALLOWED, node.lineno, message, name, advice)


def _is_index(node: Any) -> bool:
    if isinstance(node, nodes.Neg):
        node = node.node
    return isinstance(node, nodes.Const) and type(node.value) is int


def _attached(test: Any, outcome: bool) -> frozenset[str]:
    """The images that are surely attached when a condition comes out true, or false."""
    if isinstance(test, nodes.Not):
        return _attached(test.node, not outcome)
    if isinstance(test, (nodes.And, nodes.Or)):
        left, right = _attached(test.left, outcome), _attached(test.right, outcome)
        return left | right if isinstance(test, nodes.And) is outcome else left & right
    if not outcome or isinstance(test, nodes.Test):
        return frozenset()
    # A comparison or a filter that comes out true has asked for something that the image has.
    names = [test] if isinstance(test, nodes.Name) else test.find_all(nodes.Name)
    return frozenset(name.name for name in names)


def has_control(text: str) -> bool:
    """Whether a text holds a character that would break lines or prints as nothing."""
    return not text.isprintable() and re.search(_CONTROL, text) is not None


@cache
def _signature(name: str) -> inspect.Signature:
    return inspect.signature(FILTERS[name])  # type: ignore[arg-type]  # all are functions
