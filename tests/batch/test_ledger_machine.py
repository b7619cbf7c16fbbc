"""The ledger's rules under any order of steps, by two processes that may die at any time."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from books import Wall, batch_run, die, plan
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger, Row
from nanorecipes.batch.states import cap_micro, to_micro
from nanorecipes.errors import BudgetError, LedgerError

PRICES = st.sampled_from(["0.045", "0.161", "0.0336", "0.1"]).map(Decimal)
WHO = st.integers(0, 1)


class Books(RuleBasedStateMachine):
    """Two processes on one file, and a service that is only a list of what it charged."""

    rows: Bundle[int] = Bundle("rows")
    open_posts: Bundle[Row] = Bundle("open_posts")

    @initialize(cap=st.integers(0, 900).map(lambda cents: Decimal(cents) / 1000))
    def begin(self, cap: Decimal) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.sqlite"
        self.wall = Wall()
        self.both = [self.opened(), self.opened()]
        self.cap = cap
        self.run = batch_run(self.both[0], cap=cap)
        self.charged: dict[int, int] = {}
        self.allowed: dict[int, int] = {}
        self.count = 0

    def opened(self) -> Ledger:
        return Ledger(self.path, wall=self.wall)

    def attempt(self, future: Any) -> Row | None:
        try:
            row: Row = future.result()
        except (LedgerError, BudgetError):
            return None
        return row

    @rule(target=rows, who=WHO, price=PRICES)
    def plan(self, who: int, price: Decimal) -> int:
        self.count += 1
        return self.both[who].plan(self.run.id, plan(f"k{self.count}", price)).id

    @rule(target=open_posts, who=WHO, row_id=rows)
    def intend(self, who: int, row_id: int) -> Any:
        row = self.attempt(self.both[who].intend_later(row_id, self.cap))
        if row is None:
            return _NOBODY
        # The service's side: it may be charged from the moment in which it is sent.
        self.charged[row_id] = self.charged.get(row_id, 0) + 1
        return row

    @rule(who=WHO, post=consumes(open_posts))
    def accepted(self, who: int, post: Row) -> None:
        if post is not _NOBODY and post.owner == self.both[who].store.owner:
            self.attempt(self.both[who].submitted_later(post.id, post.attempt, f"t{post.id}"))

    @rule(who=WHO, post=consumes(open_posts))
    def refused_before_work(self, who: int, post: Row) -> None:
        if (
            post is not _NOBODY
            and post.owner == self.both[who].store.owner
            and self.attempt(self.both[who].release_later(post.id, "429")) is not None
        ):
            self.charged[post.id] -= 1

    @rule(who=WHO, post=consumes(open_posts), lost=st.booleans())
    def answered_badly(self, who: int, post: Row, lost: bool) -> None:
        if post is _NOBODY or post.owner != self.both[who].store.owner:
            return
        books = self.both[who]
        step = books.unknown_later if lost else books.refused_later
        if self.attempt(step(post.id, "x")) is not None and not lost:
            self.charged[post.id] -= 1

    @rule(who=WHO, row_id=rows, less=st.booleans())
    def done(self, who: int, row_id: int, less: bool) -> None:
        cost = Decimal("0.03") if less else None
        self.attempt(self.both[who].done_later(row_id, [{"url": "u"}], cost))

    @rule(who=WHO, row_id=rows, step=st.sampled_from(["failed", "refused", "again", "lost"]))
    def ends_badly(self, who: int, row_id: int, step: str) -> None:
        row = self.row(row_id)
        if step == "refused" and row.state == "submitting":
            return  # an open post has its own rule
        self.attempt(getattr(self.both[who], f"{step}_later")(row_id, "x"))

    @rule(who=WHO, row_id=rows)
    def fetched(self, who: int, row_id: int) -> None:
        if self.attempt(self.both[who].downloaded_later(row_id, [{"path": "p"}])) is not None:
            self.attempt(self.both[who].verified_later(row_id))

    @rule(who=WHO, row_id=rows, again=st.booleans())
    def a_person_decides(self, who: int, row_id: int, again: bool) -> None:
        books = self.both[who]
        if not again:
            self.attempt(books.assume_charged_later(row_id))
        elif self.attempt(books.replan_later(row_id)) is not None:
            self.allowed[row_id] = self.allowed.get(row_id, 0) + 1

    @rule(who=WHO, row_id=rows)
    def takes_over(self, who: int, row_id: int) -> None:
        if self.row(row_id).state in ("submitted", "done", "downloaded"):
            self.both[who].take_later(row_id).result()

    @rule(who=WHO)
    def dies_and_comes_again(self, who: int) -> None:
        die(self.both[who])
        self.both[who] = self.opened()
        self.both[who].recover()

    @rule(who=WHO)
    def leaves_and_comes_again(self, who: int) -> None:
        self.both[who].close()
        self.both[who] = self.opened()

    @rule(who=WHO, seconds=st.sampled_from([1.0, 60.0, 200.0]))
    def time_passes(self, who: int, seconds: float) -> None:
        self.wall.now += seconds
        self.both[who].recover()

    def row(self, row_id: int) -> Row:
        return next(row for row, _ in queries.rows_of(self.both[0]) if row.id == row_id)

    @invariant()
    def file_is_what_its_events_say(self) -> None:
        if hasattr(self, "both"):
            queries.check(self.both[0])

    @invariant()
    def cap_is_kept(self) -> None:
        if hasattr(self, "both"):
            found = queries.find_run(self.both[1], self.run.id)
            assert found is not None
            strays = 0  # bought by a process whose lease had ended: entered after the fact
            for note, spent in self.both[0].store.do(
                lambda c: c.execute(
                    "SELECT note, spent_micro FROM events WHERE before = after"
                ).fetchall()
            ):
                assert "stray" in note
                strays += spent
            bound = found.run.spent_micro + found.run.reserved_micro
            assert bound - strays <= cap_micro(self.cap)

    @invariant()
    def nothing_is_bought_twice_unless_allowed(self) -> None:
        if hasattr(self, "both"):
            for row_id, count in self.charged.items():
                assert count <= 1 + self.allowed.get(row_id, 0)

    @invariant()
    def what_was_bought_is_counted(self) -> None:
        if not hasattr(self, "both"):
            return
        for row, _ in queries.rows_of(self.both[0]):
            if row.state in ("submitting", "unknown"):
                assert row.reserved_micro == to_micro(row.price or Decimal(0))
            else:
                assert row.reserved_micro == 0

    def teardown(self) -> None:
        if hasattr(self, "both"):
            for books in self.both:
                books.close()
            self.folder.cleanup()


_NOBODY: Any = object()

TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
