"""The sandbox that templates run in: no attributes but the handles', no calls but macros, bounded."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import StrictUndefined, nodes
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
from nanorecipes.prompt.filters import FILTERS
from nanorecipes.prompt.words import Absent, Handle, Handles, text

TESTS = (
    "defined", "undefined", "none", "odd", "even", "divisibleby", "string", "number", "integer",
    "true", "false", "sequence", "eq", "ne", "lt", "le", "gt", "ge", "in", "lower", "upper",
    "equalto", "==", "!=", "<", "<=", ">", ">=", "greaterthan", "lessthan", "boolean", "float",
    "iterable", "mapping",
)  # fmt: skip

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

    def call(  # type: ignore[override]  # the sandbox's own names, shorter
        self, context: Context, callee: Any, /, *args: Any, **kwargs: Any
    ) -> Any:
        """Call a macro, counted; nothing else that a template can reach may be called."""
        if isinstance(callee, Macro):
            current().step()
            return callee(*args, **kwargs).strip()
        if callee is _range:
            return _range(*args, **kwargs)
        raise BoundError("only macros and range() can be called")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Handles have two attributes, the loop variable some; nothing else has any."""
        if isinstance(obj, (Handle, Handles, Absent)):
            return attr in HANDLE_ATTRIBUTES
        return attr in LOOP_ATTRIBUTES and type(obj).__name__ == "LoopContext"


def _range(start: int, stop: int | None = None, step: int = 1) -> range:
    """A range; the loop over it is counted, so that its own length needs no bound."""
    return range(start, stop, step) if stop is not None else range(start)


def join_texts(parts: Any) -> str:
    """What `~` does: values one behind the other as they print, counted."""
    joined = [text(part) for part in parts]
    current().write(sum(map(len, joined)))
    return "".join(joined)


def _finalize(value: Any) -> Any:
    """The last step of each `{{ }}`: print the value, and count its characters."""
    if type(value) is not str:
        value = str(value) if type(value) is Handle else text(value)
    counter = meter.get(None)
    if counter is not None:  # None while constants are folded
        counter.chars -= len(value)
        if counter.chars < 0:
            counter.write(0)
    return value


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
    """Rewrites what could cost much: loops count their turns, `~` counts its characters."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # the visitor's name
        self.generic_visit(node)
        chars = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        cost = nodes.Const(chars, lineno=node.lineno)
        node.iter = nodes.Filter(
            node.iter, "_bounded", [cost], [], None, None, lineno=node.lineno
        )
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "_concat", [], [], None, None, lineno=node.lineno)


def bound(tree: nodes.Template) -> nodes.Template:
    """A syntax tree whose loops and joins are counted."""
    _Bounder().visit(tree)
    tree.set_environment(environment())
    return tree


@cache
def environment() -> RecipeEnvironment:
    """The one environment: it holds no state of any recipe."""
    env = RecipeEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_finalize,
        keep_trailing_newline=False,
        cache_size=0,
    )
    env.filters = {**FILTERS, "_bounded": bounded, "_concat": join_texts}
    env.tests = {name: env.tests[name] for name in TESTS if name in env.tests}
    env.globals = {"range": _range}
    return env
