"""Flows as steps that are told: what a flow notes on its way becomes facts of its step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from nanorecipes.service.flow import Flow, Note

if TYPE_CHECKING:
    from nanorecipes.events import Step

T = TypeVar("T")


def watched(
    flow: Flow[T], step: Step | None, told: Callable[[T], Mapping[str, Any]] | None = None
) -> Flow[T]:
    """The same flow as one step; as it is where nobody watches.

    Args:
        flow: what is done.
        step: the step, not begun.
        told: more details, from what the flow returns.
    """
    if step is None:
        return (yield from flow)
    answer: Any = None
    step.begin()
    try:
        while True:
            try:
                asked = flow.send(answer)
            except StopIteration as end:
                result: T = end.value
                break
            if isinstance(asked, Note):
                _take(step, asked)
            answer = yield asked
    except BaseException as exc:
        flow.close()
        step.end(exc)
        raise
    if told is not None:
        step.details.update(told(result))
    step.end()
    return result


def _take(step: Step, note: Note) -> None:
    """What a note adds to the step that it was made in."""
    data, details = note.data, step.details
    if data.get("task_id") is not None:
        step.facts["task_id"] = data["task_id"]
    if note.kind == "submitting":
        details["attempts"] = data["attempt"]
    elif note.kind == "retrying" and step.kind in ("upload", "download"):
        details["attempts"] = data["attempt"] + 1
    elif note.kind == "uploaded":
        details["size_bytes"] = data["size_bytes"]
    elif note.kind == "polling":
        details["polls"] = details.get("polls", 0) + 1
        details["status"] = data["status"]
    elif note.kind == "done" and step.kind != "run":
        step.facts["cost_usd"] = data["cost_usd"]
