"""Batches against the emulator: what is bought, what it costs, and what every row comes to."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from catalogue import RECIPE, Shop, row, rows, states
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from network import free_port

from nanorecipes import AsyncClient, Client, files
from nanorecipes.batch import queries
from nanorecipes.batch.outcomes import Outcome
from nanorecipes.client import Wiring
from nanorecipes.errors import (
    AuthenticationError,
    ConfigurationError,
    InsufficientCreditsError,
    LedgerError,
    ServiceError,
)
from nanorecipes.sandbox.faults import Faults
from nanorecipes.service.flow import Note
from nanorecipes.service.retry import RetryPolicy

Batch = Callable[..., list[Outcome]]


@pytest.fixture(params=["sync", "async"])
def batch_of(request: pytest.FixtureRequest) -> Callable[[Shop], Batch]:
    """The batch of a shop, by either client."""
    return lambda shop: shop.batch if request.param == "sync" else shop.batch_async


def test_every_row_gets_its_picture_and_sidecar(
    tmp_path: Path, batch_of: Callable[[Shop], Batch]
) -> None:
    """The point of it all: as many pictures as rows, each paid once, each with its story."""
    shop = Shop.open(tmp_path)
    found = batch_of(shop)(rows(30))
    assert [outcome.number for outcome in found] == [*range(1, 31)]
    assert states(found) == {"verified": 30}
    assert len(shop.sandbox.charges) == 30
    assert sum(o.cost_usd for o in found if o.cost_usd) == shop.sandbox.charged_usd
    for outcome in found:
        assert outcome.path is not None
        assert outcome.path.parent == shop.out.resolve() / str(outcome.row_key)
        record = json.loads(outcome.path.with_name(f"{outcome.path.name}.json").read_bytes())
        assert record["task_id"] == outcome.task_id
        assert record["picture"]["sha256"] == files.sha256(outcome.path.read_bytes())
    shop.checked().close()


def test_same_call_again_pays_nothing(tmp_path: Path, batch_of: Callable[[Shop], Batch]) -> None:
    """A catalogue that grew by some rows costs those rows only."""
    shop = Shop.open(tmp_path)
    batch_of(shop)(rows(10))
    found = batch_of(shop)(rows(13))
    assert states(found) == {"verified": 13}
    assert len(shop.sandbox.charges) == 13


def test_identical_rows_are_paid_once(tmp_path: Path, batch_of: Callable[[Shop], Batch]) -> None:
    """A table with doubles costs the price of its different rows, and each row has its picture."""
    shop = Shop.open(tmp_path)
    found = batch_of(shop)([row(1), row(2), row(1), row(1)])
    assert len(shop.sandbox.charges) == 2
    assert found[0].path == found[2].path == found[3].path != found[1].path


def test_identical_rows_are_bought_each_on_request(tmp_path: Path) -> None:
    """Variations of one picture: so many as there are rows, and none more the next time."""
    shop = Shop.open(tmp_path)
    for _ in range(2):
        found = shop.batch([row(1), row(2), row(1)], dedupe=False)
        assert len(shop.sandbox.charges) == 3
        assert len({outcome.path for outcome in found}) == 3


def test_changed_picture_is_another_purchase(tmp_path: Path) -> None:
    """The bytes count, not the name; and a file of another name with the same bytes is the same."""
    from sandbox_pictures import png

    shop = Shop.open(tmp_path)
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    first.write_bytes(png("red"))
    second.write_bytes(png("red"))
    given = [row(1, photo=str(first)), row(1, photo=str(second))]
    shop.batch(given)
    assert len(shop.sandbox.charges) == 1
    second.write_bytes(png("blue"))
    shop.batch(given)
    assert len(shop.sandbox.charges) == 2


def test_new_signature_is_the_same_picture(tmp_path: Path) -> None:
    """A presigned URL changes each day; what it points at doesn't."""
    shop = Shop.open(tmp_path)
    for signature in ("aaa", "bbb"):
        url = f"https://store.invalid/1.jpg?v=3&X-Amz-Signature={signature}&X-Amz-Date=1"
        shop.batch([row(1, photo=url)])
    assert len(shop.sandbox.charges) == 1
    shop.batch([row(1, photo="https://store.invalid/1.jpg?v=4")])
    assert len(shop.sandbox.charges) == 2


def test_budget_is_never_exceeded(tmp_path: Path, batch_of: Callable[[Shop], Batch]) -> None:
    """It stops cleanly below the cap; a larger one goes on from there."""
    shop = Shop.open(tmp_path)
    found = batch_of(shop)(rows(30), budget="0.46", submits=8)
    assert shop.sandbox.charged_usd == Decimal("0.45")
    assert states(found)["verified"] == 10
    assert states(found).keys() <= {"verified", "planned"}
    found = batch_of(shop)(rows(30), budget="10")
    assert states(found) == {"verified": 30}
    assert len(shop.sandbox.charges) == 30


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cap=st.integers(0, 2000),
    qualities=st.lists(st.sampled_from(["512", "1K", "2K", "4K"]), min_size=1, max_size=24),
    faults=st.sampled_from(["", "429:0.2", "drop_after:0.2,503:0.1", "refused:0.3"]),
    seed=st.integers(0, 5),
)
def test_budget_holds_for_any_prices_and_faults(
    tmp_path_factory: pytest.TempPathFactory, cap: int, qualities: list[str], faults: str, seed: int
) -> None:
    """Not by a cent, with 64 in flight and whatever goes wrong."""
    shop = Shop.open(tmp_path_factory.mktemp("b"), Faults.parse(faults, seed=seed))
    budget = Decimal(cap) / 1000
    given_rows = [row(n, quality=quality) for n, quality in enumerate(qualities)]
    found = shop.batch_async(given_rows, budget=budget, submits=8)
    assert shop.sandbox.charged_usd <= budget
    assert len(found) <= len(qualities)
    shop.checked().close()


@pytest.mark.parametrize("fault", ["429", "503", "refused", "429_date"])
def test_refusals_before_work_are_tried_again(
    tmp_path: Path, batch_of: Callable[[Shop], Batch], fault: str
) -> None:
    """Nothing was bought by them, so every row still gets its picture and is paid once."""
    shop = Shop.open(tmp_path, Faults({fault: 0.3}, seed=3))
    found = batch_of(shop)(rows(30))
    assert states(found) == {"verified": 30}
    assert len(shop.sandbox.charges) == 30


def test_429_slows_the_whole_run(tmp_path: Path) -> None:
    """One refusal with Retry-After holds back every other purchase, not only its own row."""
    shop = Shop.open(tmp_path, Faults(retry_after_s=60).push(["429"]))
    sent: list[float] = []

    def watch(note: Note) -> None:
        if note.kind == "submitting":
            sent.append(shop.clock.monotonic())

    with shop.client(observer=watch) as client:
        found = list(client.batch(RECIPE, rows(12), out=shop.out, submits=1))
    assert states(found) == {"verified": 12}
    assert sent[1] - sent[0] >= 60


@pytest.mark.parametrize("fault", ["drop_after", "500", "504", "half_body", "bad_json"])
def test_what_is_unknown_is_never_sent_again(
    tmp_path: Path, batch_of: Callable[[Shop], Batch], fault: str
) -> None:
    """Perhaps charged: the next call leaves it too, and the ledger says what it is worth."""
    shop = Shop.open(tmp_path, Faults({fault: 0.3}, seed=1))
    for _ in range(2):
        found = batch_of(shop)(rows(20))
        assert len(shop.sandbox.charges) == 20
        counts = states(found)
        assert counts["unknown"] >= 2
        assert counts["verified"] + counts["unknown"] == 20
    with shop.checked() as books:
        unknown = [entry for entry, _ in queries.rows_of(books, states=("unknown",))]
        assert all(entry.reserved_micro == 45_000 for entry in unknown)


@pytest.mark.parametrize(
    ("fault", "state"),
    [("failed_task", "failed"), ("expired_task", "failed"), ("unknown_task", "failed"),
     ("no_image", "failed"), ("blocked", "refused")],
)  # fmt: skip
def test_tasks_that_end_badly_are_told_and_retried_on_request(
    tmp_path: Path, fault: str, state: str
) -> None:
    """They were charged, so only a wish buys them again, and then both are in the sum."""
    shop = Shop.open(tmp_path, Faults.script([fault]))
    (found,) = shop.batch(rows(1))
    assert (found.state, found.cost_usd) == (state, Decimal("0.045"))
    assert found.error
    (same,) = shop.batch(rows(1))
    assert (same.state, len(shop.sandbox.charges)) == (state, 1)
    shop.clock.sleep(1)
    (again,) = shop.batch(rows(1), retry_failed=True)
    assert (again.state, again.cost_usd) == ("verified", Decimal("0.09"))


def test_equal_rows_are_not_retried_twice_in_one_call(tmp_path: Path) -> None:
    """A retry on request is one purchase, however many rows of the table are the same."""
    shop = Shop.open(tmp_path, Faults({"failed_task": 1.0}))
    shop.batch([row(1)])
    shop.clock.sleep(1)
    shop.batch([row(1), *rows(130), row(1)], retry_failed=True)
    charges = shop.sandbox.charges
    assert len(charges) == 1 + 130


def test_picture_that_can_not_be_fetched_is_fetched_by_the_next_call(tmp_path: Path) -> None:
    """It was paid for: the row stays open, and costs nothing more."""
    shop = Shop.open(tmp_path)
    shop.sandbox.faults.push(["gone"] * 3, route="results")
    (found,) = shop.batch(rows(1))
    assert (found.state, found.task_id is not None) == ("done", True)
    assert found.error is not None
    (again,) = shop.batch(rows(1))
    assert (again.state, len(shop.sandbox.charges)) == ("verified", 1)


def test_picture_that_its_host_no_longer_has_fails_after_the_life_of_a_task(
    tmp_path: Path,
) -> None:
    """Else the row would stay paid for and open for ever, and nothing could buy it again."""
    shop = Shop.open(tmp_path)
    shop.sandbox.faults.push(["gone"] * 9, route="results")
    assert shop.batch(rows(1))[0].state == "done"
    assert shop.batch(rows(1))[0].state == "done"
    shop.clock.sleep(4 * 3600)
    (found,) = shop.batch(rows(1))
    assert found.state == "failed"
    assert "answered 404" in str(found.error)
    assert len(shop.sandbox.charges) == 1
    shop.clock.sleep(1)
    (again,) = shop.batch(rows(1), retry_failed=True)
    assert (again.state, len(shop.sandbox.charges)) == ("verified", 2)
    shop.checked().close()


def test_task_that_never_ends_is_given_up_after_its_life(tmp_path: Path) -> None:
    """Asking costs nothing, so later calls ask again; after four hours nothing can come."""
    shop = Shop.open(tmp_path, Faults.script(["never_ends"]))
    assert shop.batch(rows(1))[0].state == "submitted"
    shop.clock.sleep(4 * 3600)
    assert shop.batch(rows(1))[0].state == "failed"
    assert len(shop.sandbox.charges) == 1


def test_file_that_was_damaged_before_its_check_is_fetched_again(tmp_path: Path) -> None:
    """Downloaded is not verified: after a crash in between, what lies there is read first."""
    shop = Shop.open(tmp_path)
    (found,) = shop.batch(rows(1))
    assert found.path is not None
    with shop.ledger() as books:
        for sql in (
            "DELETE FROM events WHERE after = 'verified'",
            "UPDATE rows SET state = 'downloaded'",
        ):
            books.store.do(lambda c, sql=sql: c.execute(sql).rowcount)
    found.path.write_bytes(b"half")
    (again,) = shop.batch(rows(1))
    assert again.state == "verified"
    assert found.path.stat().st_size > 100
    assert len(shop.sandbox.charges) == 1
    shop.checked().close()


@pytest.mark.parametrize(
    "other",
    [lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: data + b"more"],
    ids=["changed", "longer"],
)
def test_disk_that_keeps_other_bytes_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Callable[[bytes], bytes]
) -> None:
    """A paid picture counts as kept when it was read again, not when writing it raised nothing."""
    shop = Shop.open(tmp_path)
    write, lies = os.write, [b"\xff\xd8"]  # the head of a JPEG file: only the first is changed

    def lie(handle: int, data: bytes) -> int:
        if lies and data.startswith(lies[0]):
            lies.clear()
            write(handle, other(data))
            return len(data)
        return write(handle, data)

    with monkeypatch.context() as faults:
        faults.setattr(os, "write", lie)
        found = shop.batch(rows(3))
    assert not lies
    assert states(found) == {"done": 1, "verified": 2}
    (told,) = (outcome.error for outcome in found if outcome.state == "done")
    assert "is not what was written" in str(told)
    assert states(shop.batch(rows(3))) == {"verified": 3}
    assert len(shop.sandbox.charges) == 3
    shop.checked().close()


def test_bad_rows_are_told_and_the_others_bought(tmp_path: Path) -> None:
    """One wrong cell must not stop a catalogue."""
    shop = Shop.open(tmp_path)
    found = shop.batch([row(1), {"photo": "x.jpg"}, row(2, quality="9K"), row(3)])
    assert [outcome.state for outcome in found] == ["verified", "bad", "bad", "verified"]
    assert "part" in str(found[1].error)
    assert len(shop.sandbox.charges) == 2


@pytest.mark.parametrize(
    ("key", "error"), [("bad-key", AuthenticationError), ("no-credits", InsufficientCreditsError)]
)
def test_refused_key_stops_the_run(tmp_path: Path, key: str, error: type[Exception]) -> None:
    """What is wrong with the account is wrong for every row: a handful of calls, not thousands."""
    shop = Shop.open(tmp_path)
    sent: list[Note] = []
    with shop.client(api_key=key, observer=sent.append) as client, pytest.raises(error):
        list(client.batch(RECIPE, rows(500), out=shop.out))
    assert sum(note.kind == "submitting" for note in sent) <= 8


def test_endless_refusals_end_the_run_for_now(tmp_path: Path) -> None:
    """A service that takes nothing is not asked for ever; no row is lost by it."""
    shop = Shop.open(tmp_path, Faults({"503": 1.0}))
    with shop.client() as client, pytest.raises(Exception, match="503"):
        list(client.batch(RECIPE, rows(6), out=shop.out))
    assert shop.sandbox.charges == []
    shop.sandbox.faults = Faults()
    assert states(shop.batch(rows(6))) == {"verified": 6}


def test_leaving_the_loop_loses_nothing(tmp_path: Path, batch_of: Callable[[Shop], Batch]) -> None:
    """Whoever stops early has every purchase in the books, and none of them unknown."""
    shop = Shop.open(tmp_path)

    async def leave_early() -> None:
        async with shop.client(AsyncClient) as client:
            outcomes = client.batch(RECIPE, rows(60), out=shop.out, concurrency=4)
            async for _ in outcomes:
                break
            await outcomes.aclose()

    asyncio.run(leave_early())
    charged = len(shop.sandbox.charges)
    with shop.checked() as books:
        found = queries.list_runs(books)[0].counts
    assert found.get("unknown", 0) == found.get("submitting", 0) == 0
    assert (
        sum(found.get(s, 0) for s in ("submitted", "done", "downloaded", "verified"))
        == charged
        < 60
    )
    assert states(batch_of(shop)(rows(60))) == {"verified": 60}
    assert len(shop.sandbox.charges) == 60


def test_leaving_the_blocking_loop_stops_the_thread(tmp_path: Path) -> None:
    """The same for a caller without an event loop."""
    shop = Shop.open(tmp_path)
    with shop.client() as client:
        outcomes = client.batch(RECIPE, rows(60), out=shop.out)
        next(outcomes)
        outcomes.close()
    shop.checked().close()
    assert states(shop.batch(rows(60))) == {"verified": 60}
    assert len(shop.sandbox.charges) == 60


def test_two_runs_at_once_share_the_work(tmp_path: Path) -> None:
    """The same command started twice by mistake pays for everything once."""
    shop = Shop.open(tmp_path)

    async def one() -> list[Outcome]:
        async with shop.client(AsyncClient) as client:
            return [o async for o in client.batch(RECIPE, rows(40), out=shop.out)]

    async def both() -> list[list[Outcome]]:
        return list(await asyncio.gather(one(), one()))

    for found in asyncio.run(both()):
        assert states(found) == {"verified": 40}
    assert len(shop.sandbox.charges) == 40
    shop.checked().close()


def test_rate_spaces_purchases(tmp_path: Path) -> None:
    """A bound that the account has is kept, whatever the width."""
    shop = Shop.open(tmp_path)
    sent: list[float] = []

    def watch(note: Note) -> None:
        if note.kind == "submitting":
            sent.append(shop.clock.monotonic())

    with shop.client(observer=watch) as client:
        list(client.batch(RECIPE, rows(10), out=shop.out, rate="30/m", submits=1, concurrency=1))
    assert sent[-1] - sent[0] >= 18
    with shop.client() as client, pytest.raises(ConfigurationError, match="60/m"):
        client.batch(RECIPE, rows(1), out=shop.out, rate="fast")


def test_folder_of_another_ledger_is_refused(tmp_path: Path) -> None:
    """Its rows were paid for in books that aren't at hand: paying again must be a decision."""
    shop = Shop.open(tmp_path)
    shop.batch(rows(3))
    with (
        shop.client(ledger=tmp_path / "other.sqlite") as client,
        pytest.raises(LedgerError, match="not the one in use"),
    ):
        list(client.batch(RECIPE, rows(3), out=shop.out))
    (tmp_path / "ledger.sqlite").unlink()
    with pytest.raises(LedgerError, match="knows nothing of it"):
        shop.batch(rows(3))
    assert len(shop.sandbox.charges) == 3


def test_batch_without_a_ledger_is_refused(tmp_path: Path) -> None:
    """Without books a crash would be paid for twice."""
    shop = Shop.open(tmp_path)
    with shop.client(ledger=False) as client, pytest.raises(LedgerError, match="needs a ledger"):
        list(client.batch(RECIPE, rows(1), out=shop.out))


def test_budget_below_one_price_buys_nothing(tmp_path: Path) -> None:
    """The cap comes before the first purchase, too."""
    shop = Shop.open(tmp_path)
    given_rows: list[dict[str, Any]] = [row(1)]
    found = shop.batch(given_rows, budget="0.01")
    assert states(found) == {"planned": 1}
    assert shop.sandbox.charges == []


def test_picture_that_was_deleted_is_fetched_again(
    tmp_path: Path, batch_of: Callable[[Shop], Batch]
) -> None:
    """What was paid for is to be on the disk when the batch says so; fetching it costs nothing."""
    shop = Shop.open(tmp_path)
    first, *_ = batch_of(shop)(rows(3))
    assert first.path is not None
    first.path.unlink()
    assert states(batch_of(shop)(rows(3))) == {"verified": 3}
    assert first.path.is_file()
    assert len(shop.sandbox.charges) == 3
    shop.checked().close()


def test_project_that_moved_keeps_its_pictures(tmp_path: Path) -> None:
    """Its files lie elsewhere now, and are as good as before."""
    shop = Shop.open(tmp_path / "here")
    shop.batch(rows(2))
    moved = Shop((tmp_path / "here").rename(tmp_path / "there"), shop.sandbox, shop.clock)
    before = {path: path.stat().st_ino for path in moved.out.rglob("*.jpg")}
    assert states(moved.batch(rows(2))) == {"verified": 2}
    assert {path: path.stat().st_ino for path in moved.out.rglob("*.jpg")} == before
    assert len(shop.sandbox.charges) == 2


def test_ledger_that_has_gone_is_not_begun_anew(tmp_path: Path) -> None:
    """A new one in its place would be in the way of the old one, and would pay again."""
    shop = Shop.open(tmp_path)
    shop.batch(rows(2))
    kept = (tmp_path / "ledger.sqlite").rename(tmp_path / "kept.sqlite")
    with shop.client() as client, pytest.raises(LedgerError, match="isn't there"):
        list(client.batch(RECIPE, rows(2), out=shop.out))
    assert not (tmp_path / "ledger.sqlite").exists()
    with shop.client(ledger=kept) as client:  # it may be named where it lies now
        assert states(list(client.batch(RECIPE, rows(2), out=shop.out))) == {"verified": 2}
    assert len(shop.sandbox.charges) == 2


def test_tasks_are_asked_for_where_they_were_bought(tmp_path: Path) -> None:
    """Another host would say that it knows nothing of them, and paid rows would count as failed."""
    shop = Shop.open(tmp_path, Faults.script(["never_ends"]))
    assert shop.batch(rows(1))[0].state == "submitted"
    with shop.ledger() as books:
        sql = "UPDATE runs SET base_url = 'https://elsewhere.invalid'"
        books.store.do(lambda c: c.execute(sql).rowcount)
    with pytest.raises(LedgerError, match=r"wait at https://elsewhere\.invalid"):
        shop.batch(rows(1))
    with shop.ledger() as books:
        assert queries.list_runs(books)[0].counts == {"submitted": 1}


def test_service_that_was_never_reached_is_not_asked_for_long(tmp_path: Path) -> None:
    """A wrong address shows at once; a night's run sits out a gap in the network."""
    shop = Shop.open(tmp_path)
    sent: list[Note] = []
    address = f"http://127.0.0.1:{free_port()}"
    wiring = Wiring(clock=shop.clock, retry=RetryPolicy(random=lambda: 0.0))
    client = Client(
        backend="qolaba", api_key="any", base_url=address, wiring=wiring, observer=sent.append,
        ledger=tmp_path / "ledger.sqlite",
    )  # fmt: skip
    with client, pytest.raises(ServiceError, match="can't be reached, and nothing was sent"):
        list(client.batch(RECIPE, rows(20), out=shop.out))
    assert sum(note.kind == "submitting" for note in sent) <= 5 * 8
    with shop.ledger() as books:
        assert queries.list_runs(books)[0].counts == {"planned": 20}


def test_rows_of_an_emulator_that_has_ended_are_made_anew(tmp_path: Path) -> None:
    """The embedded one dies with its process; its tasks can't be fetched, and were no money."""
    shop = Shop.open(tmp_path, Faults.script(["never_ends"]))
    assert [outcome.state for outcome in shop.batch(rows(2))].count("submitted") == 1
    other = Shop.open(tmp_path)
    assert states(other.batch(rows(2))) == {"verified": 2}
    assert len(other.sandbox.charges) == 1
    other.checked().close()
