"""The ledger: states, money, leases, and what happens to its file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest
from books import PRICE, Wall, batch_run, die, ledger, plan

from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger, default_path
from nanorecipes.batch.states import cap_micro, to_micro, to_usd
from nanorecipes.errors import BudgetError, LedgerError


def test_row_walks_from_plan_to_verified(tmp_path: Path) -> None:
    """The whole life of a purchase, with its money, as the file tells it afterwards."""
    with ledger(tmp_path) as books:
        run = batch_run(books)
        row = books.plan(run.id, plan(number=1))
        row = books.intend_later(row.id).result()
        assert (row.state, row.attempt, row.reserved_micro) == ("submitting", 1, 45_000)
        row = books.submitted_later(row.id, 1, "task-1").result()
        assert (row.task_id, row.reserved_micro, row.spent) == ("task-1", 0, PRICE)
        row = books.done_later(row.id, [{"url": "http://x/1"}], Decimal("0.05")).result()
        assert row.spent == Decimal("0.05")
        books.downloaded_later(row.id, [{"path": "a.jpg", "sha256": "00"}]).result()
        row = books.verified_later(row.id).result()
        assert (row.state, row.request, row.owner) == ("verified", None, None)
    with ledger(tmp_path) as books:
        queries.check(books)
        found = queries.find_run(books, run.id)
        assert found is not None
        assert (found.counts, found.run.spent_micro) == ({"verified": 1}, 50_000)
        (line,) = queries.lines(books, run.id, 9)
        assert line.row is not None
        assert line.row.files[0]["path"] == "a.jpg"


def test_step_that_does_not_follow_is_refused(tmp_path: Path) -> None:
    """A program's fault must not write a state that never was."""
    with ledger(tmp_path) as books:
        row = books.plan(batch_run(books).id, plan())
        for wrong in (
            books.submitted_later(row.id, 1, "t"),
            books.done_later(row.id, [], None),
            books.verified_later(row.id),
            books.replan_later(row.id),
            books.assume_charged_later(row.id),
        ):
            if wrong.exception() is None:  # an acceptance nobody waits for is entered as spent
                assert wrong.result().state == "planned"
        assert books.plan(row.run_id, plan()).state == "planned"
        queries.check(books)


def test_budget_is_reserved_with_the_intent(tmp_path: Path) -> None:
    """Two rows fit, the third waits; what is released may be reserved again."""
    cap = Decimal("0.09")
    with ledger(tmp_path) as books:
        run = batch_run(books, cap=cap)
        ids = [books.plan(run.id, plan(f"k{n}")).id for n in range(3)]
        first, second = (books.intend_later(row_id, cap).result() for row_id in ids[:2])
        with pytest.raises(BudgetError) as caught:
            books.intend_later(ids[2], cap).result()
        assert caught.value.limit_usd == cap
        books.release_later(first.id, "429").result()
        assert books.intend_later(ids[2], cap).result().state == "submitting"
        books.unknown_later(second.id, "lost").result()
        with pytest.raises(BudgetError):  # what is unknown stays reserved
            books.intend_later(first.id, cap).result()


def test_price_that_is_not_known_can_not_keep_a_cap(tmp_path: Path) -> None:
    """A cap without a price would be a promise about nothing."""
    with ledger(tmp_path) as books:
        row = books.plan(batch_run(books).id, plan(price=None))
        with pytest.raises(BudgetError, match="no price is known"):
            books.intend_later(row.id, Decimal(1)).result()
        assert books.intend_later(row.id).result().state == "submitting"


def test_open_intent_of_a_dead_process_becomes_unknown(tmp_path: Path) -> None:
    """Killed with a request open: perhaps charged, so never sent again by itself."""
    first = ledger(tmp_path)
    run = batch_run(first)
    ids = [first.plan(run.id, plan(f"k{n}")).id for n in range(3)]
    first.intend_later(ids[0]).result()
    first.intend_later(ids[1]).result()
    first.submitted_later(ids[1], 1, "t").result()
    with ledger(tmp_path) as second:
        assert second.recover() == 0  # it lives
        assert second.take_later(ids[1]).result() is None
        die(first)
        assert second.recover() == 1
        states = [row.state for row, _ in queries.rows_of(second, run_id=run.id)]
        assert states == ["unknown", "submitted", "planned"]
        assert second.take_later(ids[1]).result() is not None
        queries.check(second)


def test_lease_ends_when_a_process_is_silent(tmp_path: Path) -> None:
    """A machine that sleeps can't hold a row for ever; when it wakes, its answer still counts."""
    wall = Wall()
    asleep, awake = ledger(tmp_path, wall), ledger(tmp_path, wall)
    row = asleep.plan(batch_run(asleep).id, plan())
    asleep.intend_later(row.id).result()
    wall.now += asleep.store.lease_s + 1
    assert awake.recover() == 1
    assert asleep.submitted_later(row.id, 1, "t").result().state == "submitted"
    queries.check(awake)
    asleep.close()
    awake.close()


def test_answer_after_a_second_purchase_is_entered_as_spent(tmp_path: Path) -> None:
    """The money of a first request that was given up on must not be lost from the sum."""
    wall = Wall()
    asleep, awake = ledger(tmp_path, wall), ledger(tmp_path, wall)
    run = batch_run(asleep)
    row = asleep.plan(run.id, plan())
    asleep.intend_later(row.id).result()
    wall.now += asleep.store.lease_s + 1
    awake.recover()
    awake.replan_later(row.id).result()
    awake.intend_later(row.id).result()
    late = asleep.submitted_later(row.id, 1, "late").result()
    assert (late.state, late.attempt) == ("submitting", 2)
    with pytest.raises(LedgerError, match="no longer held"):
        asleep.release_later(row.id, "429").result()
    queries.check(awake)
    found = queries.find_run(awake, run.id)
    assert found is not None
    assert found.run.spent_micro == 90_000
    asleep.close()
    awake.close()


def test_unknown_is_resolved_by_a_person_only(tmp_path: Path) -> None:
    """Taken as charged, or bought again with the first one counted as spent."""
    with ledger(tmp_path) as books:
        run = batch_run(books)
        rows = [books.plan(run.id, plan(f"k{n}")) for n in range(2)]
        for row in rows:
            books.intend_later(row.id).result()
            books.unknown_later(row.id, "reset").result()
        done = books.assume_charged_later(rows[0].id).result()
        assert (done.state, done.spent, done.reserved_micro) == ("failed", PRICE, 0)
        again = books.replan_later(rows[1].id).result()
        assert (again.state, again.spent, again.reserved_micro) == ("planned", PRICE, 0)
        queries.check(books)


def test_same_place_is_the_same_run(tmp_path: Path) -> None:
    """The same command again finds its rows; another folder is another purchase."""
    with ledger(tmp_path) as books:
        one, same, other = (batch_run(books, place) for place in ("a", "a", "b"))
        assert one.id == same.id != other.id
        row = books.plan(one.id, plan())
        assert books.plan(same.id, plan()).id == row.id != books.plan(other.id, plan()).id


@pytest.mark.parametrize("size", [0, 60, 4096, 9000])
def test_cut_file_is_reported_and_never_started_over(tmp_path: Path, size: int) -> None:
    """An empty ledger would pay for everything again."""
    with ledger(tmp_path) as books:
        batch_run(books)
    path = books.path
    data = path.read_bytes()[:size]
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="damaged") as caught:
        ledger(tmp_path)
    assert caught.value.path == path
    assert caught.value.help is not None
    assert path.read_bytes() == data


def test_overwritten_pages_are_reported(tmp_path: Path) -> None:
    """Damage in the middle is found when the file is opened, before anything is sent."""
    with ledger(tmp_path) as books:
        run = batch_run(books)
        books.plan_later(run.id, [plan(f"{n:032x}") for n in range(500)]).result()
    data = bytearray(books.path.read_bytes())
    data[8192:40960] = bytes(32768)
    books.path.write_bytes(data)
    with pytest.raises(LedgerError, match="damaged"):
        ledger(tmp_path)


def test_other_files_are_no_ledgers(tmp_path: Path) -> None:
    """A path by mistake must not turn somebody's data into a ledger."""
    path = tmp_path / "ledger.sqlite"
    path.write_text("x" * 200)
    with pytest.raises(LedgerError, match="doesn't begin"):
        ledger(tmp_path)
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="no ledger"):
        ledger(tmp_path)


def test_missing_file_beside_its_wal_is_reported(tmp_path: Path) -> None:
    """A ledger that was moved without its last commits is not begun anew."""
    (tmp_path / "ledger.sqlite-wal").write_bytes(b"x")
    with pytest.raises(LedgerError, match="is gone"):
        ledger(tmp_path)


def test_group_keeps_the_good_and_drops_the_wrong(tmp_path: Path) -> None:
    """One caller's error must not undo what others were told is on the disk."""
    with ledger(tmp_path) as books:
        run = batch_run(books)
        ids = [books.plan(run.id, plan(f"k{n}")).id for n in range(20)]
        futures = [books.intend_later(row_id) for row_id in (*ids, *ids)]
        assert [f.exception() is None for f in futures] == [True] * 20 + [False] * 20
        queries.check(books)


def test_replay_finds_a_changed_row(tmp_path: Path) -> None:
    """The events are the truth; a table that says otherwise is reported."""
    with ledger(tmp_path) as books:
        row = books.plan(batch_run(books).id, plan())
        books.store.do(lambda c: c.execute("UPDATE rows SET state = 'verified'").rowcount)
        with pytest.raises(LedgerError, match=f"row {row.id} is not"):
            queries.check(books)


def test_full_disk_stops_at_the_intent(tmp_path: Path) -> None:
    """No room for the intent, no request; what was on the disk before stays whole."""
    script = dedent(f"""
        import resource, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from books import batch_run, ledger, plan
        from nanorecipes.errors import LedgerError
        books = ledger(Path({str(tmp_path)!r}))
        run = batch_run(books)
        size = 1_000_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        entered = 0
        try:
            while True:
                row = books.plan(run.id, plan(f"{{entered:032x}}"))
                books.intend_later(row.id).result()
                entered += 1
        except LedgerError as exc:
            print(entered, exc.help)
    """)
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    entered, _, told = ran.stdout.partition(" ")
    assert "make room on the disk" in told
    with ledger(tmp_path) as books:
        books.recover()
        rows = [row for row, _ in queries.rows_of(books, states=("unknown",))]
        assert len(rows) == int(entered) > 10
        queries.check(books)


def test_two_processes_write_one_file(tmp_path: Path) -> None:
    """Both machines' workers share a cap: what they reserve together stays below it."""
    with ledger(tmp_path) as books:
        run = batch_run(books)
        books.plan_later(run.id, [plan(f"{n:032x}") for n in range(60)]).result()
        script = dedent(f"""
            import sys
            sys.path.insert(0, {str(Path(__file__).parent)!r})
            from decimal import Decimal
            from pathlib import Path
            from books import ledger
            from nanorecipes.errors import BudgetError, LedgerError
            books = ledger(Path({str(tmp_path)!r}))
            futures = [books.intend_later(n, Decimal("1.80")) for n in range(1, 61)]
            won = [f.result().id for f in futures if f.exception() is None]
            for row_id in won:
                books.submitted_later(row_id, 1, f"t{{row_id}}").result()
            books.close()
            print(len(won))
        """)
        command = [sys.executable, "-c", script]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        counts = [int(process.communicate(timeout=120)[0]) for process in both]
        assert sum(counts) == 40
        found = queries.find_run(books, run.id)
        assert found is not None
        assert (found.run.spent_micro, found.run.reserved_micro) == (1_800_000, 0)
        queries.check(books)


def test_costs_leave_the_sandbox_out(tmp_path: Path) -> None:
    """Proof pictures cost nothing and must not look as if they did."""
    with ledger(tmp_path) as books:
        for backend, key in (("qolaba", "a"), ("sandbox", "b"), ("qolaba", "c")):
            run = books.start_run("run", "edit/x", backend, "http://x")
            row = books.plan(run.id, plan(key))
            books.intend_later(row.id).result()
            books.submitted_later(row.id, 1, f"t{key}").result()
        for by, name in (("recipe", "edit/x"), ("model", "vertex/x"), ("day", "2026-11-20")):
            (cost,) = queries.costs(books, by)  # type: ignore[arg-type]  # a list of its words
            assert (cost.name, cost.usd, cost.pictures) == (name, 2 * PRICE, 2)
        (played,) = queries.costs(books, "recipe", sandbox=True)
        assert played.usd == PRICE


def test_money_is_exact() -> None:
    """A part of a micro-dollar is rounded against the spender, never against the cap."""
    assert to_micro(Decimal("0.0000001")) == 1
    assert cap_micro(Decimal("0.0000019")) == 1
    assert [str(to_usd(m)) for m in (161_000, 5_000_000, 0)] == ["0.161", "5", "0"]


def test_ledger_lies_in_the_nearest_project(tmp_path: Path) -> None:
    """From any folder of a project the same books are kept."""
    deep = tmp_path / "project" / "a" / "b"
    deep.mkdir(parents=True)
    assert default_path(deep).parent.parent == deep or tmp_path not in default_path(deep).parents
    (tmp_path / "project" / "pyproject.toml").touch()
    assert default_path(deep) == tmp_path / "project" / ".nanorecipes" / "ledger.sqlite"
    with Ledger(default_path(deep)) as books:
        assert (books.path.parent / ".gitignore").read_text() == "*\n"
        assert books.path.stat().st_mode & 0o077 == 0
