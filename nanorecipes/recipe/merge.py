"""`extends`: a child's nodes laid over its parent's; every value keeps its file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from nanorecipes import codes
from nanorecipes.recipe.source import MAX_FINDINGS, OVERRIDE, UNTAGGED, Document, rebuild
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic

APPENDED = frozenset({("tags",), ("prompt", "details"), ("prompt", "protect")})
"""Lists that a child adds to; every other value replaces the parent's."""

OWN = frozenset({"format", "title", "summary"})
"""What a child says for itself."""

NOT_INHERITED = frozenset({"examples", "deprecated", "overrides", "extends", "fixed"})
"""What speaks of the parent's own file: its calls, its fate, its place."""


def lone_overrides(document: Document) -> list[Diagnostic]:
    """A finding for each `!override`, and for `fixed`, in a file that has no parent."""
    message = "`!override` replaces a parent's value, but this file has no `extends`"
    problems = [
        document.place(path).diagnostic(codes.BAD_PARENT, message)
        for path in sorted(document.overrides, key=str)[:MAX_FINDINGS]
    ]
    if "fixed" in document.data:
        message = "`fixed` binds a parent's parameters, but this file has no `extends`"
        problems.append(document.place(("fixed",), key=True).diagnostic(codes.BAD_PARENT, message))
    return problems


def merge(child: Document, parent: Document) -> Document:
    """The child over its parent, as one document that knows where each value came from.

    Its problems are those of both files, and what the child leaves out or overrides in vain.
    """
    problems = _own_words(child) + _useless_overrides(child, parent) + _mixed_protect(child, parent)
    others: dict[int, Document] = {}
    _adopt(parent.root, parent, others)
    inherited = [(key, value) for key, value in parent.root.value if key.value not in NOT_INHERITED]
    base = _mapping_like(child.root, inherited)
    root = _lay(base, child.root, ())
    merged = Document(child.path, child.text, root, None, child.root_folder, others=others)
    merged.data = rebuild(merged)
    merged.problems = [*child.problems, *parent.problems, *problems]
    return merged


def _own_words(child: Document) -> list[Diagnostic]:
    place = child.place(("extends",), key=True)
    return [
        place.diagnostic(codes.MISSING_KEY, f"a recipe that extends another gives its own {key!r}")
        for key in sorted(OWN - child.data.keys())
    ]


def _useless_overrides(child: Document, parent: Document) -> list[Diagnostic]:
    problems = []
    for path in sorted(child.overrides, key=str)[:MAX_FINDINGS]:
        data: Any = parent.data
        for step in path:
            known = data.keys() if isinstance(data, dict) else ()
            if step not in known:
                place = child.place(path)
                message = f"`!override` on {step!r}, which the parent does not have"
                advice = did_you_mean(str(step), [str(key) for key in known])
                if isinstance(step, int):
                    message = "`!override` in a list: entries are appended, not replaced"
                    advice = "tag the whole list"
                problems.append(place.diagnostic(codes.BAD_PARENT, message, help=advice))
                break
            data = data[step]
    return problems


def _mixed_protect(child: Document, parent: Document) -> list[Diagnostic]:
    """A list and a mapping can't be appended to each other."""
    path = ("prompt", "protect")
    mine, theirs = child.node(path), parent.node(path)
    if not child.has(path) or type(mine) is type(theirs) or path in child.overrides:
        return []
    message = "the parent's `protect` is of the other form: one is a list, the other a mapping"
    advice = "write it like the parent's, or replace it with `protect: !override`"
    return [child.place(path, key=True).diagnostic(codes.BAD_PARENT, message, help=advice)]


def _adopt(node: Any, owner: Document, others: dict[int, Document]) -> None:
    """Remember of which file a node is; nodes that aliases share are visited once."""
    if id(node) in others:
        return
    others[id(node)] = owner
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _adopt(key, owner, others)
            _adopt(value, owner, others)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _adopt(item, owner, others)


def _lay(base: Any, over: Any, path: tuple[str, ...]) -> Any:
    if over.tag == OVERRIDE:
        return _untagged(over)
    if path == ("prompt", "details"):
        base, over = _as_list(base), _as_list(over)
    if type(base) is not type(over):
        return over
    if isinstance(over, yaml.MappingNode):
        return _lay_mapping(base, over, path)
    if isinstance(over, yaml.SequenceNode) and (path in APPENDED or path[:-1] in APPENDED):
        return yaml.SequenceNode(
            over.tag, [*base.value, *over.value], over.start_mark, over.end_mark
        )
    return over


def _lay_mapping(base: Any, over: Any, path: tuple[str, ...]) -> Any:
    merged = {key.value: (key, value) for key, value in base.value}
    for key, value in over.value:
        if key.value in merged:
            value = _lay(merged[key.value][1], value, (*path, key.value))
        else:
            value = _untagged(value)
        merged[key.value] = (key, value)
    return _mapping_like(over, list(merged.values()))


def _as_list(node: Any) -> Any:
    """A text as a list of one, so that it can be appended to."""
    if isinstance(node, yaml.SequenceNode):
        return node
    return yaml.SequenceNode("tag:yaml.org,2002:seq", [node], node.start_mark, node.end_mark)


def _mapping_like(node: Any, pairs: list[Any]) -> Any:
    tag = "tag:yaml.org,2002:map" if node.tag == OVERRIDE else node.tag
    return yaml.MappingNode(tag, pairs, node.start_mark, node.end_mark)


def _untagged(node: Any) -> Any:
    """The node without `!override`, which has done its work."""
    if node.tag != OVERRIDE:
        return node
    if isinstance(node, yaml.ScalarNode):
        return yaml.ScalarNode(
            UNTAGGED, node.value, node.start_mark, node.end_mark, style=node.style
        )
    kind = "map" if isinstance(node, yaml.MappingNode) else "seq"
    return type(node)(f"tag:yaml.org,2002:{kind}", node.value, node.start_mark, node.end_mark)
