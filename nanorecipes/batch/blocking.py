"""The batch for callers without an event loop: it runs in a thread, outcomes come by a queue."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from nanorecipes.batch.outcomes import Outcome
    from nanorecipes.client import AsyncClient

_WAITING = 64
"""Outcomes that wait for the caller; then the batch waits too."""


def iterate(
    make_client: Callable[[], AsyncClient],
    begin: Callable[[AsyncClient], AsyncIterator[Outcome]],
) -> Iterator[Outcome]:
    """Yield the outcomes of an asynchronous batch; leaving the loop stops it cleanly.

    Args:
        make_client: makes the client that the thread uses and closes.
        begin: begins the batch with it.
    """
    came: queue.Queue[Any] = queue.Queue(_WAITING)
    gone = threading.Event()
    end = object()

    async def work() -> None:
        client = make_client()
        outcomes = begin(client)
        try:
            async for outcome in outcomes:
                await asyncio.to_thread(_put, came, outcome, gone)
                if gone.is_set():
                    return
        finally:
            await outcomes.aclose()  # type: ignore[attr-defined]  # an async generator
            await client.aclose()

    def body() -> None:
        error: BaseException | None = None
        try:
            asyncio.run(work())
        except BaseException as exc:
            error = exc
        gone_or_told = error if error is not None else end
        _put(came, gone_or_told, gone)

    # In the caller's context, so that its spans are the parents of ours.
    run = contextvars.copy_context().run
    thread = threading.Thread(target=run, args=(body,), name="nanorecipes-batch")
    thread.start()
    try:
        while (outcome := came.get()) is not end:
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        gone.set()
        thread.join()


def _put(came: queue.Queue[Any], item: Any, gone: threading.Event) -> None:
    while not gone.is_set():
        try:
            came.put(item, timeout=0.1)
        except queue.Full:
            continue
        return
