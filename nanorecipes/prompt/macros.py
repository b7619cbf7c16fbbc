"""Macro files: read, checked and compiled once, and bound to templates as ready functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jinja2 import Template, nodes
from jinja2.exceptions import TemplateSyntaxError

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.prompt.check import Check, Scope, Signature
from nanorecipes.prompt.environment import bound, environment, parse
from nanorecipes.recipe.library import (
    MAX_MACRO_BYTES,
    Stamp,
    candidates,
    find_macro,
    imported_names,
    read_macro,
    stamp,
)
from nanorecipes.recipe.places import MACROS
from nanorecipes.suggest import did_you_mean

_NONE: Mapping[str, Any] = MappingProxyType({})


class MacroFile(NamedTuple):
    """The macros of one file, ready to be called, and what is wrong with it."""

    path: Path
    macros: Mapping[str, Any] = _NONE
    signatures: Mapping[str, Signature] = _NONE
    findings: tuple[Diagnostic, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    """Of the file and of those that it imports: what its compiled macros were made from."""


class Imported(NamedTuple):
    """One name that a template imports."""

    name: str
    """As the template calls it."""
    function: Any
    signature: Signature


MAX_TRAIL = 8
"""Macro files that import each other in a row."""
MAX_DEPTH = 20
"""Macros that call each other in a row."""

_cache: dict[tuple[Path, tuple[Path, ...]], MacroFile] = {}


def imports(tree: nodes.Template) -> Iterator[nodes.FromImport]:
    """The import statements of a template."""
    yield from tree.find_all(nodes.FromImport)


class Importer:
    """Resolves the imports of one template and reports those that can't be."""

    def __init__(
        self, text: str, folders: Sequence[Path], report: Any, trail: tuple[Path, ...] = ()
    ) -> None:
        self.plain = frozenset(imported_names(text))
        self.folders = folders
        self.report = report
        self.trail = trail
        self.files: list[MacroFile] = []
        self.stamps: list[Stamp] = []
        """Of every place where a file was looked for."""
        self.broken: set[str] = set()
        """Names that could not be imported: reported once, so that calls need not be."""

    def run(self, tree: nodes.Template) -> dict[str, Imported]:
        """The names that a template imports; what can't be found is reported."""
        found: dict[str, Imported] = {}
        for node in imports(tree):
            file = self.file(node)
            for item in node.names:
                name, alias = item if isinstance(item, tuple) else (item, item)
                if file is None or name not in file.macros:
                    self.missing(node, file, name)
                    self.broken.add(alias)
                    continue
                signature = file.signatures[name]
                found[alias] = Imported(
                    alias,
                    file.macros[name],
                    signature._replace(name=alias),
                )
        return found

    def file(self, node: nodes.FromImport) -> MacroFile | None:
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if name not in self.plain:  # the content hash would miss what isn't written out
            name = None
        path = find_macro(self.folders, name) if isinstance(name, str) else None
        if isinstance(name, str):
            self.stamps += map(stamp, candidates(self.folders, name, path))
        if path is None:
            shown = repr(name) if name is not None else "a computed name"
            known = [
                path.relative_to(folder).as_posix()
                for folder in self.folders
                for path in sorted((folder / MACROS).glob("*.jinja"))
            ]
            near = did_you_mean(str(name), known)
            advice = near or f'macro files lie in the library\'s folder "{MACROS}"'
            word = name if isinstance(name, str) else None
            message = f"there is no macro file {shown}"
            self.report(codes.UNKNOWN_MACRO, node.lineno, message, word, advice)
            return None
        if path in self.trail:
            message = f"{name!r} imports itself by way of {self.trail[-1].name}"
            self.report(codes.UNKNOWN_MACRO, node.lineno, message, name, None)
            return None
        if len(self.trail) >= MAX_TRAIL:
            message = f"more than {MAX_TRAIL} macro files import each other in a row"
            self.report(codes.TOO_LARGE, node.lineno, message, name, None)
            return None
        file = load(path, self.folders, self.trail)
        self.files.append(file)
        return file

    def missing(self, node: nodes.FromImport, file: MacroFile | None, name: str) -> None:
        if file is None or file.findings:  # reported already, as a whole
            return
        near = did_you_mean(name, file.macros)
        advice = near or f"it has {', '.join(sorted(file.macros)) or 'none'}"
        message = f"{file.path.name} has no macro {name!r}"
        self.report(codes.UNKNOWN_MACRO, node.lineno, message, name, advice)


def load(path: Path, folders: Sequence[Path], trail: tuple[Path, ...] = ()) -> MacroFile:
    """A macro file, compiled; read again only when it or a file that it imports has changed."""
    key = (path, tuple(folders))
    known = _cache.get(key)
    if known is not None and all(stamp(Path(item[0])) == item for item in known.stamps):
        return known
    if len(_cache) > 500:
        _cache.clear()
    own = stamp(path)  # taken before reading: a change in between is seen the next time
    file = _load(path, folders, trail)
    _cache[key] = file._replace(stamps=(own, *file.stamps))
    return _cache[key]


def _load(path: Path, folders: Sequence[Path], trail: tuple[Path, ...]) -> MacroFile:
    findings: list[Diagnostic] = []
    lines: list[str] = []

    def report(
        code: codes.Code, line: int, message: str, word: str | None, help: str | None
    ) -> None:
        excerpt = lines[line - 1] if 0 < line <= len(lines) else ""
        column = excerpt.find(word) + 1 if word and word in excerpt else 1
        end = column + len(word) if word and word in excerpt else column + len(excerpt)
        findings.append(
            Diagnostic(
                code.code, code.name, "error", message, file=path, line=line, column=column,
                end_line=line, end_column=end, excerpt=excerpt, help=help,
            )
        )  # fmt: skip

    try:
        raw = read_macro(path)
    except OSError as exc:
        report(codes.UNREADABLE, 1, f"can't be read: {exc.strerror or exc}", None, None)
        return MacroFile(path, findings=tuple(findings))
    if len(raw) > MAX_MACRO_BYTES:
        report(codes.TOO_LARGE, 1, f"the file is larger than {MAX_MACRO_BYTES} bytes", None, None)
        return MacroFile(path, findings=tuple(findings))
    text = raw.decode("utf-8", errors="replace")
    lines += text.split("\n")
    try:
        tree, _ = parse(text)
    except TemplateSyntaxError as exc:
        report(codes.TEMPLATE_SYNTAX, exc.lineno, str(exc.message), None, None)
        return MacroFile(path, findings=tuple(findings))
    importer = Importer(text, folders, report, (*trail, path))
    imported = importer.run(tree)
    for file in importer.files:
        findings += file.findings
    below = [item for file in importer.files for item in file.stamps]
    stamps = tuple(dict.fromkeys([*importer.stamps, *below]))
    signatures = _check(tree, imported, frozenset(importer.broken), report)
    if findings:
        return MacroFile(path, signatures=signatures, findings=tuple(findings), stamps=stamps)
    return MacroFile(path, _Macros(tree, imported), signatures, stamps=stamps)


def _check(
    tree: nodes.Template, imported: Mapping[str, Imported], broken: frozenset[str], report: Any
) -> dict[str, Signature]:
    """Check each macro's body; a macro may call those above it, so that none can call itself."""
    known = {name: item.signature for name, item in imported.items()}
    own: dict[str, Signature] = {}
    for node in tree.body:
        if isinstance(node, nodes.Macro):
            if node.name in known or node.name in own:
                message = f"there is a macro {node.name!r} already"
                report(codes.NOT_ALLOWED, node.lineno, message, node.name, "rename one of the two")
            arguments = tuple(argument.name for argument in node.args)
            scope = Scope(macros={**known, **own}, broken=broken)
            check = Check(scope, report)
            check.block(node.body, frozenset(arguments), frozenset())
            for value in node.defaults:
                check.expression(value, frozenset(), frozenset())
            below = (scope.macros.get(name) for name in _called(node))
            depth = 1 + max((signature.depth for signature in below if signature), default=0)
            if depth == MAX_DEPTH + 1:
                message = f"more than {MAX_DEPTH} macros call each other in a row"
                report(codes.TOO_LARGE, node.lineno, message, node.name, None)
            own[node.name] = Signature(node.name, arguments, len(node.defaults), depth)
        elif isinstance(node, nodes.Output) and _only_blank(node):
            continue
        elif not isinstance(node, nodes.FromImport):
            message = "a macro file holds macros and imports, nothing else"
            report(codes.NOT_ALLOWED, node.lineno, message, None, None)
    return own


def _called(node: nodes.Macro) -> set[str]:
    """The names that a macro calls."""
    callees = (call.node for call in node.find_all(nodes.Call))
    return {callee.name for callee in callees if isinstance(callee, nodes.Name)}


def _only_blank(node: nodes.Output) -> bool:
    return all(
        isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes
    )


class _Macros(Mapping[str, Any]):
    """A file's macros as functions, each compiled when it is first asked for.

    A recipe uses two or three of a file's twenty, and compiling is most of what a start costs.
    """

    def __init__(self, tree: nodes.Template, imported: Mapping[str, Imported]) -> None:
        self._nodes = {node.name: node for node in tree.body if isinstance(node, nodes.Macro)}
        self._ready = {name: item.function for name, item in imported.items()}

    def __getitem__(self, name: str) -> Any:
        node = self._nodes[name]
        if name not in self._ready:
            self._ready[name] = self._compile(node)
        return self._ready[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def _compile(self, node: nodes.Macro) -> Any:
        called = _called(node)
        functions = {name: self[name] for name in called if name in self._nodes}
        functions |= {name: self._ready[name] for name in called if name in self._ready}
        env = environment()
        code = env.compile(bound(nodes.Template([node], lineno=1)))
        template = Template.from_code(env, code, {**env.globals, **functions})
        return getattr(template.make_module(), node.name)
