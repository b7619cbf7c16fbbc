"""Catalogues on Google: paid once, priced by Google, and kept until they are saved."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from network import Face
from PIL import Image
from played_google import Emulated, answers

from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger, Row
from nanorecipes.batch.outcomes import Outcome
from nanorecipes.errors import AuthenticationError
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import RunningServer, running_server

RECIPE = "edit/change_part"


def rows(folder: Path, count: int, **more: Any) -> list[dict[str, Any]]:
    """Different rows over one picture of this machine."""
    photo = folder / "mug.png"
    if not photo.exists():
        Image.new("RGB", (300, 300), "teal").save(photo)
    given = {"photo": photo, "part": "the mug", "aspect_ratio": "1:1", "quality": "512", **more}
    return [{**given, "change": f"glazed in blue number {n}"} for n in range(count)]


def batch(face: Face, shop: Emulated, folder: Path, given: Any, **options: Any) -> list[Outcome]:
    """Run a batch to its end, by either client."""
    asking = shop.client(face, ledger=folder / "ledger.sqlite")
    found = asking.batch(RECIPE, given, out=folder / "out", **options)
    ended = list(found) if hasattr(found, "__iter__") else face(_all(found))
    face(asking.close())
    return ended


async def _all(found: Any) -> list[Outcome]:
    return [outcome async for outcome in found]


def states(found: list[Outcome]) -> dict[str, int]:
    """How many rows came to what."""
    return dict(Counter(outcome.state for outcome in found))


def book(folder: Path) -> list[Row]:
    """The ledger's rows, after its own check."""
    with Ledger(folder / "ledger.sqlite", create=False) as books:
        queries.check(books)
        return [row for row, _ in queries.rows_of(books)]


def test_a_catalogue_is_bought_once_and_keeps_nothing_behind(face: Face, tmp_path: Path) -> None:
    """As many pictures as rows, Google's price for each, and an empty folder of answers."""
    shop = Emulated()
    found = batch(face, shop, tmp_path, rows(tmp_path, 12))
    assert states(found) == {"verified": 12}
    assert sum(o.cost_usd for o in found if o.cost_usd) == shop.sandbox.charged_usd
    assert answers(tmp_path) == []
    assert states(batch(face, shop, tmp_path, rows(tmp_path, 13))) == {"verified": 13}
    assert len(shop.sandbox.charges) == 13


def test_a_budget_counts_what_google_asks(face: Face, tmp_path: Path) -> None:
    """At 2K that is 10.1 cents, not Qolaba's 8: three rows don't fit into 30 cents."""
    shop = Emulated()
    found = batch(face, shop, tmp_path, rows(tmp_path, 3, quality="2K"), budget="0.30")
    assert states(found) == {"verified": 2, "planned": 1}
    assert shop.sandbox.charged_usd == Decimal("0.202")


def test_a_row_that_google_does_not_take_is_bad_and_the_others_are_bought(
    face: Face, tmp_path: Path
) -> None:
    """Several pictures in one request are Qolaba's."""
    shop = Emulated()
    given = [*rows(tmp_path, 2), *rows(tmp_path, 1, num_images=2)]
    found = batch(face, shop, tmp_path, given)
    assert states(found) == {"verified": 2, "bad": 1}
    assert any("one picture a request" in str(outcome.error) for outcome in found)


def test_what_goes_wrong_is_told_row_by_row(face: Face, tmp_path: Path) -> None:
    """Refused, failed and unknown are three things; what is surely free is tried again."""
    script = ["429", "ok", "blocked", "no_image", "drop_after", "503", "ok"]
    shop = Emulated(Faults.script(script))
    found = batch(face, shop, tmp_path, rows(tmp_path, 5), submits=1)
    assert states(found) == {"verified": 2, "refused": 1, "failed": 1, "unknown": 1}
    assert {row.state for row in book(tmp_path) if row.reserved_micro} == {"unknown"}
    assert batch(face, shop, tmp_path, rows(tmp_path, 5)) is not None
    assert len(shop.sandbox.charges) == 5  # the same call again sends none of them twice


@pytest.mark.parametrize("fault", ["truncated_picture", "not_a_picture"])
def test_an_answer_that_is_no_picture_has_failed_and_is_bought_again_on_request(
    face: Face, tmp_path: Path, fault: str
) -> None:
    """There is nothing to fetch again: to wait for it would be for ever."""
    shop = Emulated(Faults.script([fault]))
    found = batch(face, shop, tmp_path, rows(tmp_path, 1))
    assert states(found) == {"failed": 1}
    assert found[0].cost_usd == Decimal("0.045")
    assert states(batch(face, shop, tmp_path, rows(tmp_path, 1))) == {"failed": 1}
    assert len(shop.sandbox.charges) == 1
    again = batch(face, shop, tmp_path, rows(tmp_path, 1), retry_failed=True)
    assert states(again) == {"verified": 1}
    assert again[0].cost_usd == Decimal("0.09")


def test_a_saved_picture_that_was_deleted_has_failed(face: Face, tmp_path: Path) -> None:
    """It was paid for and is gone: whoever wants it again says so."""
    shop = Emulated()
    (first,) = batch(face, shop, tmp_path, rows(tmp_path, 1))
    assert first.path is not None
    first.path.unlink()
    found = batch(face, shop, tmp_path, rows(tmp_path, 1))
    assert states(found) == {"failed": 1}
    assert "is gone, and Google keeps no copy" in str(found[0].error)
    again = batch(face, shop, tmp_path, rows(tmp_path, 1), retry_failed=True)
    assert states(again) == {"verified": 1}
    assert len(shop.sandbox.charges) == 2


def test_a_refused_key_stops_a_batch(face: Face, tmp_path: Path) -> None:
    """Google says 400 then; taken for a refused row, it would burn through the catalogue."""
    shop = Emulated()
    asking = shop.client(face, api_key="bad-key", ledger=tmp_path / "ledger.sqlite")

    def run() -> None:
        found = asking.batch(RECIPE, rows(tmp_path, 5), out=tmp_path / "out")
        list(found) if hasattr(found, "__iter__") else face(_all(found))

    with pytest.raises(AuthenticationError):
        run()
    face(asking.close())
    assert {row.state for row in book(tmp_path)} == {"planned"}


def command(server: RunningServer, folder: Path, count: int) -> list[str]:
    """The runner's process."""
    script = Path(__file__).with_name("killed_batch.py")
    return [sys.executable, str(script), server.base_url, str(folder), str(count)]


def kill_after(server: RunningServer, start: Callable[[], Any], more: int) -> None:
    """Start it, and kill it when so many more were charged."""
    end = len(server.sandbox.charges) + more
    with start() as process:
        while len(server.sandbox.charges) < end:
            try:
                process.wait(0.001)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail("it was faster than the kill")
        process.kill()


def test_a_killed_batch_pays_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    """The promise of the whole tool, where an answer is the only copy of its picture."""
    count, chance = 120, random.Random(3)
    sandbox = Sandbox(task_seconds=0, plain=True)
    with running_server(sandbox) as server:
        for _ in range(4):
            kill_after(
                server,
                lambda: subprocess.Popen(command(server, tmp_path, count)),
                chance.randint(3, 20),
            )
        ran = subprocess.run(command(server, tmp_path, count), check=False, timeout=120)
        assert ran.returncode == 0
    charged = Counter(charge.request_key for charge in sandbox.charges)
    assert max(charged.values()) == 1
    found = book(tmp_path)
    assert len(found) == count
    unknown = [row for row in found if row.state == "unknown"]
    verified = [row for row in found if row.state == "verified"]
    assert len(verified) + len(unknown) == count
    assert len(unknown) <= 4 * 4  # no more than there were open purchases at each kill
    assert all(Path(row.files[0]["path"]).is_file() for row in verified)
    # What was charged has its picture, or is known to be unknown.
    assert len(verified) <= len(charged) <= len(verified) + len(unknown)
