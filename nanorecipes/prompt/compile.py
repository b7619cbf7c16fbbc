"""A recipe's templates as one compiled function, with every finding of the static check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import nodes
from jinja2.environment import Template
from jinja2.exceptions import TemplateSyntaxError

from nanorecipes import codes
from nanorecipes.diagnostics import sort
from nanorecipes.prompt.check import Check, Scope
from nanorecipes.prompt.environment import MAX_PARTS, bound, environment, parse
from nanorecipes.prompt.layout import Layout, make_layout
from nanorecipes.prompt.macros import Imported, Importer
from nanorecipes.prompt.pieces import Piece, pieces

if TYPE_CHECKING:
    from jinja2.runtime import Context

    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.source import Document

END = "\x1e"
"""Closes each piece in the rendered text; refused in values and templates: it is never theirs."""

LINES = 1_000_000
"""A compiled line is `piece * LINES + line`, so that an error finds its way back."""


class Compiled(NamedTuple):
    """A recipe's templates, ready to run; `run` writes the pieces, each closed by `END`."""

    pieces: tuple[Piece, ...]
    findings: tuple[Diagnostic, ...]
    """Errors and warnings."""
    layout: Layout
    template: Template | None = None
    """All pieces that hold variables, as one; None where there is none or with an error."""
    globals: Mapping[str, Any] = MappingProxyType({})
    spoken: frozenset[str] = frozenset()
    """Image slots that some template prints."""
    used: frozenset[str] = frozenset()
    """Parameters and images that some template reads."""
    errors: tuple[Diagnostic, ...] = ()
    """The findings with which it can't be run."""

    def run(self, context: Context) -> Iterable[str]:
        """Render every piece that holds variables."""
        if self.template is None:  # the caller raises the errors before it comes here
            raise AssertionError("a recipe with errors was rendered")
        return self.template.root_render_func(context)


class _Parsed:
    """A piece and its syntax tree; `imported` is filled when all pieces are parsed."""

    __slots__ = ("imported", "parts", "piece", "tree")

    def __init__(self, piece: Piece, tree: nodes.Template, parts: int) -> None:
        self.piece = piece
        self.tree = tree
        self.parts = parts
        self.imported: dict[str, Imported] = {}


def compile_prompt(
    definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
) -> Compiled:
    """Parse, check and compile every template of a recipe.

    Args:
        definition: the loaded recipe.
        macro_folders: for a library folder, where its templates' macros are looked up.
    """
    found: list[Diagnostic] = []
    all_pieces = pieces(definition)
    parsed = [tree for piece in all_pieces if (tree := _parse(piece, found)) is not None]
    found += _too_many_parts(parsed)
    by_file, broken = _import(parsed, macro_folders, found)
    scopes = _check(definition, parsed, by_file, broken, found)
    spoken = frozenset().union(*(scope.spoken for scope in scopes), _named(definition))
    used = frozenset().union(*(scope.used for scope in scopes))
    if len(parsed) == len(all_pieces):
        found += _unused(definition, used, spoken)
    constants = {i: text for i, item in enumerate(parsed) if (text := _constant(item)) is not None}
    layout = make_layout(all_pieces, constants if len(parsed) == len(all_pieces) else {})
    findings = tuple(sort(dict.fromkeys(found)))
    errors = tuple(finding for finding in findings if finding.severity == "error")
    compiled = Compiled(
        tuple(all_pieces), findings, layout, spoken=spoken, used=used, errors=errors
    )
    if compiled.errors or not layout.dynamic:
        return compiled
    template, names = _assemble([(i, parsed[i]) for i in layout.dynamic], _plain(definition))
    return compiled._replace(template=template, globals=names)


def _constant(item: _Parsed) -> str | None:
    """The text of a piece that holds no template at all."""
    parts = [part for node in item.tree.body for part in getattr(node, "nodes", [node])]
    if all(isinstance(part, nodes.TemplateData) for part in parts):
        return "".join(part.data for part in parts)
    return None


def _report(piece: Piece, found: list[Diagnostic]) -> Callable[..., None]:
    def report(
        code: codes.Code, line: int, message: str, word: str | None, help: str | None
    ) -> None:
        found.append(piece.place(line, word).diagnostic(code, message, help=help))

    return report


def _parse(piece: Piece, found: list[Diagnostic]) -> _Parsed | None:
    report = _report(piece, found)
    try:
        return _Parsed(piece, *parse(piece.text))
    except TemplateSyntaxError as exc:
        message = (exc.message or "not valid").rstrip(".")
        report(codes.TEMPLATE_SYNTAX, exc.lineno, message, None, _syntax_help(message))
    return None


def _too_many_parts(parsed: Sequence[_Parsed]) -> list[Diagnostic]:
    parts = 0
    for item in parsed:
        parts += item.parts
        if parts > MAX_PARTS:
            message = f"the templates have more than {MAX_PARTS} parts together"
            return [item.piece.place().diagnostic(codes.TOO_LARGE, message)]
    return []


def _syntax_help(message: str) -> str | None:
    if "Encountered unknown tag" in message:
        return "templates have if, for, set and from"
    if "end of template" in message or "Unexpected end" in message:
        return "close every {% if %} and {% for %} in the same text"
    return None


def _import(
    parsed: Sequence[_Parsed],
    macro_folders: Callable[[Path], Sequence[Path]],
    found: list[Diagnostic],
) -> tuple[dict[Document, dict[str, Imported]], frozenset[str]]:
    """What each file imports: an import holds for every template of the file that it stands in.

    Returns:
        The macros by file, and the names that could not be imported.
    """
    by_file: dict[Document, dict[str, Imported]] = {}
    broken: set[str] = set()
    for item in parsed:
        document = item.piece.document
        root = document.root_folder or document.path.parent
        importer = Importer(item.piece.text, macro_folders(root), _report(item.piece, found))
        names = importer.run(item.tree)
        broken |= importer.broken
        for file in importer.files:
            found += file.findings
        known = by_file.setdefault(document, {})
        for name, imported in names.items():
            if name in known and known[name].function is not imported.function:
                place = item.piece.place(1, name)
                message = f"another macro of the name {name!r} is imported already"
                advice = f"import it under another name: {name} as other_{name}"
                found.append(place.diagnostic(codes.UNKNOWN_MACRO, message, help=advice))
            known[name] = imported
    for item in parsed:
        item.imported = by_file[item.piece.document]
    return by_file, frozenset(broken)


def _check(
    definition: Definition,
    parsed: Sequence[_Parsed],
    by_file: Mapping[Document, Mapping[str, Imported]],
    broken: frozenset[str],
    found: list[Diagnostic],
) -> list[Scope]:
    scopes = []
    for item in parsed:
        macros = {name: imp.signature for name, imp in by_file[item.piece.document].items()}
        scope = Scope(
            params=frozenset(definition.params),
            images={slot.name: slot.optional for slot in definition.slots.values()},
            macros=macros,
            others=frozenset({"model"}),
            broken=broken,
        )
        Check(scope, _report(item.piece, found)).run(item.tree)
        scopes.append(scope)
    return scopes


def _named(definition: Definition) -> frozenset[str]:
    """The images that the protecting paragraph names whenever they are attached."""
    protect = definition.data["prompt"]["protect"]
    if isinstance(protect, dict):
        return frozenset(protect)
    first = next(iter(definition.slots.values()))
    return frozenset({first.name})


def _unused(
    definition: Definition, used: frozenset[str], spoken: frozenset[str]
) -> list[Diagnostic]:
    found = []
    for name in definition.params:
        if name not in used:
            place = definition.document.place(("params", name), key=True)
            message = f"no template uses the parameter {name!r}"
            advice = f"write {{{{ {name} }}}} where it belongs, or remove it"
            found.append(
                place.diagnostic(codes.UNUSED_PARAM, message, help=advice, severity="warning")
            )
    for name in definition.slots:
        if name not in spoken:
            place = definition.document.place(("images", name), key=True)
            message = f"the prompt never speaks of the image {name!r}"
            advice = f"say what it is for with {{{{ {name} }}}}"
            found.append(
                place.diagnostic(codes.UNUSED_IMAGE, message, help=advice, severity="warning")
            )
    return found


def _plain(definition: Definition) -> frozenset[str]:
    """The names whose values print as `str` makes them: texts, whole numbers, images."""
    return frozenset(definition.slots) | {
        name
        for name, param in definition.params.items()
        if param.type in ("string", "integer")
        and not (param.has_default and not isinstance(param.default, (str, int)))
    }


def _assemble(
    parsed: Sequence[tuple[int, _Parsed]], plain: frozenset[str]
) -> tuple[Template, dict[str, Any]]:
    """All pieces as one template: one call renders them all, at a third of the cost of many."""
    env = environment()
    names: dict[str, Any] = dict(env.globals)
    by_function: dict[int, str] = {}
    body: list[nodes.Node] = []
    for index, item in parsed:
        _rename_macros(item, names, by_function)
        bound(item.tree, plain)
        _renumber(item.tree, index)
        inner: list[nodes.Node] = list(item.tree.body)
        if any(True for _ in item.tree.find_all(nodes.Assign)):
            # What a piece sets is its own and must not reach the next one.
            inner = [nodes.Scope(inner, lineno=index * LINES + 1)]
        body += inner
        end = nodes.TemplateData(END, lineno=index * LINES + 1)
        body.append(nodes.Output([end], lineno=index * LINES + 1))
    whole = nodes.Template(body, lineno=1)
    whole.set_environment(env)
    return Template.from_code(env, env.compile(whole, filename="<recipe>"), names), names


def _rename_macros(item: _Parsed, names: dict[str, Any], by_function: dict[int, str]) -> None:
    """Give each imported macro one name for the whole template: files may reuse theirs."""
    for node in item.tree.find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name in item.imported:
            imported = item.imported[node.node.name]
            unique = by_function.setdefault(id(imported.function), f"_macro{len(by_function)}")
            names[unique] = imported.function
            node.node.name = unique


def _renumber(tree: nodes.Template, index: int) -> None:
    for node in tree.find_all(nodes.Node):
        if node.lineno is not None:
            node.lineno += index * LINES
