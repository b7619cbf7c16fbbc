"""The sandbox that templates run in: only the handles' attributes, only macro calls, bounded."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from nanorecipes.prompt import bounds
from nanorecipes.prompt.bounds import (
    BoundError,
    bounded,
    checked_number,
    current,
    meter,
    number_only,
)
from nanorecipes.prompt.filters import FILTERS, text
from nanorecipes.prompt.words import Absent, Handle, Handles

TESTS = (
    "defined", "undefined", "none", "odd", "even", "divisibleby", "string", "number", "integer",
    "true", "false", "sequence", "eq", "ne", "lt", "le", "gt", "ge", "in", "lower", "upper",
    "equalto", "==", "!=", "<", "<=", ">", ">=", "greaterthan", "lessthan", "boolean", "float",
    "iterable", "mapping",
)  # fmt: skip

MAX_TEMPLATE_CHARS = 64_000
"""Of one template text or macro file."""
MAX_PARTS = 4_000
"""Parts of the syntax trees of a recipe or a macro file; compiling takes about 0.1 ms for each."""
MAX_NESTING = 40
MAX_LOOPS = 8
"""Loops within each other. Python compiles at most 20 of them, and 100 levels of indentation."""

HANDLE_ATTRIBUTES = frozenset({"ordinal", "label"})
LOOP_ATTRIBUTES = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"}
)


class RecipeEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox, with bounds on what a template may cost."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers, and `+` on two texts; anything larger is a bound."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return join_texts((left, right))
        if operator == "**":
            return bounds.power(left, right)
        number_only(operator, left, right)
        if operator in ("/", "//", "%") and right == 0:
            raise BoundError(f"`{operator}` by zero")
        return checked_number(self.binop_table[operator](left, right))

    def call(self, context: Context, callee: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, counted; nothing else that a template can reach may be called."""
        kwargs.pop("_loop_vars", None)  # Jinja2 adds them for callables that ask for the context
        kwargs.pop("_block_vars", None)
        if isinstance(callee, Macro):
            current().step()
            written: str = callee(*args, **kwargs).strip()
            current().write(len(written))
            return written
        if callee is _range:
            return _range(*args, **kwargs)
        raise BoundError("only macros and range() can be called")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Handles have two attributes, the loop variable some; nothing else has any."""
        if isinstance(obj, (Handle, Handles, Absent)):
            return attr in HANDLE_ATTRIBUTES
        return attr in LOOP_ATTRIBUTES and type(obj).__name__ == "LoopContext"


def _range(start: int, stop: int | None = None, step: int = 1) -> list[int]:
    """Whole numbers in a row, counted before they are made."""
    numbers = range(start, stop, step) if stop is not None else range(start)
    current().walk(len(numbers))
    return list(numbers)


def flat_list(items: list[Any]) -> list[Any]:
    """A list as the template writes it; lists of lists of lists would grow beyond all bounds."""
    for item in items:
        if isinstance(item, (list, tuple)):
            current().walk(len(item))
            if any(isinstance(entry, (list, tuple)) for entry in item):
                raise BoundError("lists are nested more than 2 deep")
    current().walk(len(items))
    return items


def join_texts(parts: Any) -> str:
    """What `~` does: values one behind the other as they print, counted."""
    joined = [text(part) for part in parts]
    current().write(sum(map(len, joined)))
    return "".join(joined)


def print_value(value: Any) -> str:
    """The last step of a `{{ }}`: print the value, and count its characters."""
    shown = value if type(value) is str else text(value)
    counter = meter.get(None)
    if counter is not None:  # None while constants are folded
        counter.write(len(shown))
    return shown


class RecipeContext(Context):
    """Jinja2's context without what only inheritance and exports need."""

    def __init__(self, variables: dict[str, Any]) -> None:
        self.parent = variables
        self.vars: dict[str, Any] = {}
        self.environment = environment()
        self.eval_ctx = _eval_context()
        self.exported_vars: set[str] = set()
        self.name = "<recipe>"
        self.blocks: dict[str, Any] = {}
        self.globals_keys: set[str] = set()


@cache
def _eval_context() -> EvalContext:
    """Shared: it only says that nothing is escaped, and no template can change that."""
    return EvalContext(environment(), "<recipe>")


class _Bounder(NodeTransformer):
    """Rewrites what could cost much: loops count their turns, `~` and output their characters.

    A name in `plain` prints as `str` makes it, and outside of loops its length is bounded by its
    declaration, so that nothing has to be counted: most of a prompt's values are such names.
    """

    def __init__(self, plain: frozenset[str]) -> None:
        self._plain = plain
        self._loops = 0

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802  # the visitor's name
        self.generic_visit(node)
        node.nodes = [self._printed(part) for part in node.nodes]
        return node

    def _printed(self, part: nodes.Expr) -> nodes.Expr:
        if isinstance(part, nodes.TemplateData):
            return part
        if isinstance(part, nodes.Name) and part.name in self._plain and not self._loops:
            return part
        return nodes.Filter(part, "_print", [], [], None, None, lineno=part.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self._loops += 1
        self.generic_visit(node)
        self._loops -= 1
        chars = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        cost = nodes.Const(chars, lineno=node.lineno)
        node.iter = nodes.Filter(node.iter, "_bounded", [cost], [], None, None, lineno=node.lineno)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return nodes.Filter(node, "_list", [], [], None, None, lineno=node.lineno)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        if node.ctx != "load":  # the targets of a loop or an assignment
            return node
        return self.visit_List(nodes.List(node.items, lineno=node.lineno))

    def visit_FromImport(self, node: nodes.FromImport) -> None:  # noqa: N802
        """Dropped: what it imports is bound as a function already."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "_concat", [], [], None, None, lineno=node.lineno)


def parse(text: str) -> tuple[nodes.Template, int]:
    """The syntax tree of a template, small enough for everything that walks it, and its parts.

    Raises:
        TemplateSyntaxError: it is not valid, or goes beyond a bound.
    """
    if len(text) > MAX_TEMPLATE_CHARS:
        raise TemplateSyntaxError(f"a template of more than {MAX_TEMPLATE_CHARS} characters", 1)
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        return _plain(text), 1
    try:
        tree = environment().parse(plain_blanks(text))
    except RecursionError as exc:
        raise TemplateSyntaxError("expressions are nested too deep", 1) from exc
    except ValueError as exc:  # Python refuses to read numbers of thousands of digits
        raise TemplateSyntaxError("a number has too many digits", 1) from exc
    return tree, _measure(tree)


def _plain(text: str) -> nodes.Template:
    """The tree of a text without any template in it, as most are; parsing one takes 1 ms."""
    data = nodes.TemplateData(plain_blanks(text).removesuffix("\n"), lineno=1)
    tree = nodes.Template([nodes.Output([data], lineno=1)], lineno=1)
    tree.set_environment(environment())
    return tree


def plain_blanks(text: str) -> str:
    """The text with every white space but line breaks as a blank, so that none counts double."""
    if text.replace("\n", "").isprintable():  # the blank is the only printable white space
        return text
    return re.sub(r"[^\S\n]", " ", text)


def _measure(tree: nodes.Template) -> int:
    """Count the parts; refuse what Python could not compile, and walk no deeper than allowed."""
    level: list[tuple[nodes.Node, int]] = [(tree, 0)]
    count = 0
    for _ in range(MAX_NESTING):
        level = [
            (child, loops + isinstance(child, nodes.For))
            for node, loops in level
            for child in node.iter_child_nodes()
        ]
        if not level:
            return count
        count += len(level)
        if count > MAX_PARTS:
            raise TemplateSyntaxError(f"more than {MAX_PARTS} parts", level[-1][0].lineno)
        for node, loops in level:
            if loops > MAX_LOOPS:
                raise TemplateSyntaxError(f"more than {MAX_LOOPS} loops in a loop", node.lineno)
    raise TemplateSyntaxError(f"parts are nested more than {MAX_NESTING} deep", level[0][0].lineno)


def bound(tree: nodes.Template, plain: frozenset[str] = frozenset()) -> nodes.Template:
    """A syntax tree whose loops, lists and joins are counted."""
    _Bounder(plain).visit(tree)
    tree.set_environment(environment())
    return tree


@cache
def environment() -> RecipeEnvironment:
    """The one environment: it holds no state of any recipe."""
    env = RecipeEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=False,
        cache_size=0,
    )
    env.filters = {
        **FILTERS,
        "_print": print_value,
        "_bounded": bounded,
        "_concat": join_texts,
        "_list": flat_list,
    }
    env.tests = {name: env.tests[name] for name in TESTS if name in env.tests}
    env.globals = {"range": _range}
    return env
