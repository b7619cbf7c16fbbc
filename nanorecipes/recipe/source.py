"""YAML text read by the 1.2 core rules, bounded, with the place of every value.

`16:9`, `on`, `no` and dates stay text, a repeated key is a finding, and every other value can say
on which line and column it stands. Nodes are composed by the C parser; values are built here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic, Severity
from nanorecipes.errors import RecipeError
from nanorecipes.recipe.places import OTHER_SUFFIX, SUFFIX
from nanorecipes.suggest import did_you_mean, did_you_mean_file

if TYPE_CHECKING:
    from pathlib import Path

    from nanorecipes.codes import Code

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
MAX_NODES = 20_000
MAX_BRACKETS = 200
"""A text with fewer `[` and `{` in all isn't looked at for those that stand open at once."""
MAX_FINDINGS = 100
"""Findings of one kind in one file; the rest is only counted."""

OVERRIDE = "!override"

Path_ = tuple["str | int", ...]
"""The way to a value: keys and indexes from the root."""

_STR = "tag:yaml.org,2002:str"
UNTAGGED = "untagged"
"""The tag of scalars that have none: those with `!!str` are text, however they look."""
_CORE_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)
_SPECIAL_FIRST = frozenset("0123456789+-.~nNtTfF")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]{1,300}\Z")
_OCTAL = r"0o[0-7]{1,300}\Z"
_HEX = r"0x[0-9a-fA-F]{1,300}\Z"
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,300}|[0-9]{1,300}(\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,3})?\Z")
_SPECIAL_FLOAT = r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z"

_STRANGE_BREAK = re.compile("[\x85\u2028\u2029]")
"""A line break in YAML 1.1, as the parser reads it, and a character like others in YAML 1.2."""
_NOT_YAML = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff"
"""Compiled when it is needed: that takes 2 ms, and every start would pay for it."""
_TOO_DEEP_FOR_LIBYAML = "exceeded maximum nesting depth"
_COMPACT = re.compile(rf"[-?:][ \t]+(?:[-?:][ \t]+){{{MAX_DEPTH - 1}}}")
"""`- - - -` and the like: many levels on one line. (Beginning with a set is six times as fast.)"""

_TAGS = {
    yaml.ScalarNode: UNTAGGED,
    yaml.MappingNode: "tag:yaml.org,2002:map",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
}

_cyaml: Any = getattr(yaml, "cyaml", None)  # absent where PyYAML was built without its C library
_Parser: Any = yaml.BaseLoader if _cyaml is None else _cyaml.CParser


class _Loader(_Parser):  # type: ignore[misc]  # PyYAML's C parser has no types
    """The parser with no rules of its own for plain scalars: `resolve` below has them."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return _TAGS[kind]

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Nothing to keep: no rule here depends on the place."""

    def ascend_resolver(self) -> None:
        """Nothing to take back."""


class Place(NamedTuple):
    """Where a value stands: file, line and column from 1, and its line's text."""

    file: Path
    line: int
    column: int
    end_line: int
    end_column: int
    excerpt: str

    def diagnostic(
        self, code: Code, message: str, *, help: str | None = None, severity: Severity = "error"
    ) -> Diagnostic:
        """A finding that points here."""
        return Diagnostic(
            code.code, code.name, severity, message, file=self.file, line=self.line,
            column=self.column, end_line=self.end_line, end_column=self.end_column,
            excerpt=self.excerpt, help=help,
        )  # fmt: skip


@dataclass(eq=False, repr=False)
class Document:
    """A YAML file: its values, and for each of them the node that it was read from."""

    path: Path
    text: str
    _root: Any
    data: Any
    root_folder: Path | None = None
    """The library folder that the file belongs to; macros are looked up there."""
    overrides: frozenset[Path_] = frozenset()
    others: dict[int, Document] = field(default_factory=dict)
    """By node identity: nodes that came from another file (a parent) and that file."""
    problems: list[Diagnostic] = field(default_factory=list)
    """What was wrong with the YAML, but could be read past: repeated keys, unknown tags."""
    _lines: list[str] | None = None

    @property
    def root(self) -> Any:
        """The root node, read again when it was let go."""
        if self._root is None:
            self._root = _compose(self.path, self.text)
        return self._root

    def release(self) -> None:
        """Let the nodes go: they take 20 times the room of the text that they came from."""
        self._lines = None
        if not self.others:
            self._root = None

    def node(self, path: Path_) -> Any:
        """The value node at a path, or the deepest one on the way to it."""
        node = self.root
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node = found[1]
        return node

    def has(self, path: Path_) -> bool:
        """Whether there is a value at a path."""
        node = self.root
        for step in path:
            found = _child(node, step)
            if found is None:
                return False
            node = found[1]
        return True

    def document_of(self, node: Any) -> Document:
        """The file that a node was read from."""
        return self.others.get(id(node), self)

    def place(self, path: Path_, *, key: bool = False) -> Place:
        """Where the value at a path stands (with `key`, where its key stands)."""
        node = self.root
        for index, step in enumerate(path):
            found = _child(node, step)
            if found is None:
                break
            at_key = key and index == len(path) - 1 and found[0] is not None
            node = found[0] if at_key else found[1]
        return self.place_of(node)

    def place_of(self, node: Any) -> Place:
        """Where a node stands."""
        owner = self.document_of(node)
        start, end = node.start_mark, node.end_mark
        end_line, end_column = end.line, end.column
        if end_line > start.line and isinstance(node, yaml.ScalarNode) and node.style in "|>":
            end_line, end_column = start.line, start.column + 1
        return owner.place_at(start.line + 1, start.column + 1, end_line + 1, end_column + 1)

    def place_at(self, line: int, column: int, end_line: int, end_column: int) -> Place:
        """A place by numbers, with the line's text."""
        if self._lines is None:
            self._lines = self.text.splitlines()
        excerpt = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return Place(self.path, line, column, end_line, end_column, excerpt)


def read(path: Path) -> tuple[str, bytes]:
    """A recipe file's text and bytes.

    Raises:
        RecipeError: it can't be read, is too large, or isn't UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as exc:
        near = (
            did_you_mean_file(path, (SUFFIX, OTHER_SUFFIX))
            if isinstance(exc, FileNotFoundError)
            else None
        )
        raise _bare(path, codes.UNREADABLE, f"can't be read: {exc.strerror or exc}", near) from exc
    if len(raw) > MAX_BYTES:
        raise _bare(path, codes.TOO_LARGE, f"the file is larger than {MAX_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig"), raw
    except UnicodeDecodeError as exc:
        before = len(raw[: exc.start].decode("utf-8-sig"))
        text = raw.decode("utf-8-sig", errors="replace")
        message = f"the file is not UTF-8: byte {raw[exc.start]:#04x}"
        advice = "save it as UTF-8"
        raise _at_offset(path, text, before, message, advice) from exc


def parse(path: Path, text: str) -> Document:
    """Read YAML text into values; repeated keys and unknown tags become the document's problems.

    Raises:
        RecipeError: the text is no YAML, or goes beyond a bound.
    """
    _check_bounds(path, text)
    root = _compose(path, text)
    document = Document(path, text, root, None)
    if root is None:
        raise _at_offset(path, text, 0, "the file is empty, expected a recipe")
    builder = _Builder(document)
    document.data = builder.build(root, (), 0)
    document.problems = capped(builder.findings, builder.problems)
    document.overrides = frozenset(builder.overrides)
    return document


def rebuild(document: Document) -> Any:
    """Build the values of a changed node tree (a child merged into its parent) again."""
    return _Builder(document).build(document.root, (), 0)


def capped(findings: list[Diagnostic], total: int) -> list[Diagnostic]:
    """The findings, and at the place of the last how many more there are."""
    if total <= len(findings):
        return findings
    message = f"and {total - len(findings)} more problems of this kind"
    return [*findings, findings[-1]._replace(message=message, help=None)]


def _bare(path: Path, code: Code, message: str, help: str | None = None) -> RecipeError:
    finding = Diagnostic(code.code, code.name, "error", message, file=path, help=help)
    return RecipeError([finding], path=path)


def _check_bounds(path: Path, text: str) -> None:
    """Refuse what would make the parser itself slow: its time grows with the square of depth."""
    strange = None if text.isascii() else _STRANGE_BREAK.search(text)
    if strange is not None:
        message = (
            f"U+{ord(strange.group()):04X} may not stand here: YAML versions read it differently"
        )
        advice = f'write it as "\\u{ord(strange.group()):04x}" in double quotes'
        raise _at_offset(path, text, strange.start(), message, advice)
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        _check_depth(path, text)
    crowded = _COMPACT.search(text)
    if crowded is not None:
        message = f"lists are nested more than {MAX_DEPTH} deep"
        raise _at_offset(path, text, crowded.start(), message, code=codes.TOO_LARGE)


def _at_offset(
    path: Path, text: str, offset: int, message: str, help: str | None = None,
    *, code: Code = codes.SYNTAX,
) -> RecipeError:  # fmt: skip
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    place = Document(path, text, None, None).place_at(line, column, line, column + 1)
    return RecipeError([place.diagnostic(code, message, help=help)], path=path)


def _check_depth(path: Path, text: str) -> None:
    """Count what stands open, event by event: quotes and comments may hold brackets too."""
    depth = 0
    loader = _Loader(text)
    try:
        while (event := loader.get_event()) is not None:
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH + 1:
                mark = event.start_mark
                message = f"values are nested more than {MAX_DEPTH} deep"
                raise _at_offset(path, text, mark.index, message, code=codes.TOO_LARGE)
    except yaml.MarkedYAMLError as exc:
        # libyaml has a bound of its own, and may meet it while it looks ahead for a key: what
        # stands before that place is deep enough. Composing meets any other error and tells it.
        mark = exc.problem_mark
        if exc.problem == _TOO_DEEP_FOR_LIBYAML and mark is not None and mark.index < len(text):
            _check_depth(path, text[: mark.index])
    except yaml.YAMLError:
        pass  # composing meets the same error, and tells about it
    finally:
        loader.dispose()


def _compose(path: Path, text: str) -> Any:
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as exc:
        raise _syntax_error(path, text, exc) from exc
    except yaml.reader.ReaderError as exc:
        raise _reader_error(path, text, exc) from exc
    except yaml.YAMLError as exc:
        raise _bare(path, codes.SYNTAX, str(exc).split("\n")[0]) from exc
    finally:
        if loader is not None:
            loader.dispose()


def _reader_error(path: Path, text: str, exc: yaml.reader.ReaderError) -> RecipeError:
    found = re.search(_NOT_YAML, text)
    if found is None:
        return _bare(path, codes.SYNTAX, str(exc.reason))
    message = f"the character U+{ord(found.group()):04X} is not allowed in YAML"
    return _at_offset(path, text, found.start(), message, "remove it, or write it as an escape")


_ADVICE = (
    ("mapping values are not allowed", "quote a value that holds ': '"),
    ("found character that cannot start", "quote a value that begins with @, ` or %"),
    ("expected ',' or", "quote a value that begins with { or [, or write it as a block with |"),
    ("did not find expected key", "check the indentation of this line"),
    ("did not find expected '-'", "check the indentation of this line"),
    ("could not find expected ':'", "a key needs ': ' behind it"),
    ("undefined alias", "quote a value that begins with *"),
    ("expected a single document", "a recipe file holds one recipe: remove the line ---"),
)


def _syntax_error(path: Path, text: str, exc: yaml.MarkedYAMLError) -> RecipeError:
    mark = exc.problem_mark or exc.context_mark
    parts = (
        [exc.context, exc.problem]
        if (exc.problem or "").startswith("but ")
        else [exc.problem, exc.context]
    )
    problem = " ".join(filter(None, parts)) or str(exc)
    advice = next((text for start, text in _ADVICE if start in problem), None)
    if mark is None:
        return _bare(path, codes.SYNTAX, problem, advice)
    document = Document(path, text, None, None)
    last = text.count("\n") + 1
    line, column = min(mark.line + 1, last), mark.column + 1
    place = document.place_at(line, column, line, column + 1)
    if "\t" in place.excerpt[: column + 1]:
        advice = "indent with spaces; YAML does not take tabs"
    elif re.search(r"[:-] \{\{", place.excerpt):
        advice = "quote a value that begins with {, or write it as a block with |"
    return RecipeError([place.diagnostic(codes.SYNTAX, problem, help=advice)], path=path)


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None


class _Builder:
    """Builds values from nodes, and collects what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.findings: list[Diagnostic] = []
        self.problems = 0
        self.overrides: list[Path_] = []
        self.count = 0

    def build(self, node: Any, path: Path_, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            self.refuse_size(node, depth)
        tag = node.tag
        kind = type(node)
        if kind is yaml.ScalarNode:
            if tag == UNTAGGED:
                value = node.value
                # Only a plain scalar is anything but text, and few begin like another type.
                if node.style == "" and (not value or value[0] in _SPECIAL_FIRST):
                    return resolve(value)
                return value
            return self.tagged_scalar(node, tag, path)
        if tag[0] == "!" or tag not in _CORE_TAGS:
            self.check_tag(node, tag, path)
        if kind is yaml.MappingNode:
            return self.mapping(node, path, depth + 1)
        return [self.build(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]

    def mapping(self, node: Any, path: Path_, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        repeated: list[Any] = []
        for key_node, value_node in node.value:
            if type(key_node) is not yaml.ScalarNode:
                self.report(key_node, codes.SYNTAX, "a key must be a plain text")
                continue
            key = key_node.value
            if key in result:
                repeated.append(key_node)
                continue
            result[key] = self.build(value_node, (*path, key), depth)
        if repeated:
            self.repeated(node, repeated)
        return result

    def report(self, node: Any, code: Code, message: str, help: str | None = None) -> None:
        self.problems += 1
        if len(self.findings) < MAX_FINDINGS:
            place = self.document.place_of(node)
            self.findings.append(place.diagnostic(code, message, help=help))

    def repeated(self, node: Any, keys: list[Any]) -> None:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                lines.setdefault(key.value, key.start_mark.line + 1)
        for key in keys:
            message = f"the key {key.value!r} already stands on line {lines[key.value]}"
            advice = "keep one of the two; the second would silently replace the first"
            self.report(key, codes.REPEATED_KEY, message, advice)

    def tagged_scalar(self, node: Any, tag: str, path: Path_) -> Any:
        self.check_tag(node, tag, path)
        if tag == OVERRIDE and node.style == "":
            return resolve(node.value)
        if tag in _CORE_TAGS and tag != _STR:
            return resolve(node.value)
        return node.value

    def check_tag(self, node: Any, tag: str, path: Path_) -> None:
        if tag == OVERRIDE:
            self.overrides.append(path)
        elif tag not in _CORE_TAGS and tag != "!":
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            message = f"the tag {shown!r} has no meaning in a recipe"
            advice = did_you_mean(shown, [OVERRIDE]) or "`!override` is the only tag"
            self.report(node, codes.WRONG_VALUE, message, advice)

    def refuse_size(self, node: Any, depth: int) -> None:
        what = (
            f"values are nested more than {MAX_DEPTH} deep"
            if depth > MAX_DEPTH
            else f"the file holds more than {MAX_NODES} values, counting each alias in full"
        )
        place = self.document.place_of(node)
        raise RecipeError([place.diagnostic(codes.TOO_LARGE, what)], path=place.file)


def resolve(text: str) -> Any:
    """The value of a plain scalar by YAML 1.2's core schema: null, boolean, number or text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if text[0] == "0" and re.match(_OCTAL, text):
        return int(text[2:], 8)
    if text[0] == "0" and re.match(_HEX, text):
        return int(text[2:], 16)
    if "." in text[:2] and re.match(_SPECIAL_FLOAT, text):
        return float(text.replace(".", "", 1))
    return text
