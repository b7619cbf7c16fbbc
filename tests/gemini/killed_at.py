"""A run on Google that ends at one point as a kill ends it: `killed_at.py URL FOLDER POINT`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nanorecipes import Client, recipes
from nanorecipes.batch.ledger import Ledger
from nanorecipes.client_core import ClientBase
from nanorecipes.service import door
from nanorecipes.service.kept import KeptAnswers

KILLED = 9
POINTS = ("answer", "spool", "submitted", "done", "downloaded")


def die(*_: Any, **__: Any) -> Any:
    """What a kill looks like from inside: nothing is written, closed, or said."""
    os._exit(KILLED)


def and_die(work: Callable[..., Any]) -> Callable[..., Any]:
    """Do the work, and then die."""

    def done(*given: Any, **more: Any) -> Any:
        work(*given, **more)
        die()

    return done


def arm(point: str) -> None:
    """Put death at one point."""
    if point == "answer":  # it has come, and nothing is written
        KeptAnswers.keep = die  # type: ignore[method-assign]
    elif point == "spool":  # it lies on the disk, and the ledger knows nothing of it
        KeptAnswers.keep = and_die(KeptAnswers.keep)  # type: ignore[method-assign]
    elif point == "submitted":
        Ledger.done_later = die  # type: ignore[method-assign]
    elif point == "done":
        ClientBase._fetch_flow = die  # type: ignore[method-assign]
    elif point == "downloaded":
        Ledger.verified_later = die  # type: ignore[method-assign]


def main(url: str, folder: Path, point: str) -> None:
    """Run and save."""
    arm(point)
    request = recipes["edit/change_part"].render(
        photo=folder / "photo.jpg", part="the mug", change="deep blue", quality="512"
    )
    client = Client("gemini", api_key="any", base_url=url, ledger=folder / "ledger.sqlite")
    with client:
        client._out = str(folder / "out")
        client.run(request).save(folder / "out")


if __name__ == "__main__":
    door.allow_network(False)
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
