"""Answers that are kept: what was paid for survives a kill at any point where it can."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from killed_at import KILLED, POINTS
from network import Answer, Face, Played, picture, request
from PIL import Image
from played_google import Emulated, answers, client, made, said

from nanorecipes import Client
from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger, Row, Run
from nanorecipes.errors import (
    ContentBlockedError,
    DownloadError,
    NoImageError,
    OutcomeUnknownError,
)
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import RunningServer, running_server
from nanorecipes.service.kept import KeptAnswers


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """Google, played over HTTP."""
    with running_server(Sandbox(plain=True, task_seconds=0)) as running:
        yield running


def book(folder: Path) -> tuple[Row, Run]:
    """The one row of a ledger, as whoever looks next finds it."""
    with Ledger(folder / "ledger.sqlite", create=False) as books:
        books.recover()
        queries.check(books)
        (pair,) = queries.rows_of(books)
    return pair


def go_on(folder: Path, run: Run) -> list[Any]:
    """What `nanorecipes resume` does."""
    from nanorecipes.cli.ledger import work_through
    from nanorecipes.cli.run import _open_rows

    assert run.backend == "gemini"
    rows = _open_rows(None)
    with Ledger(folder / "ledger.sqlite") as books:
        return work_through(books, rows or [], folder / "out")


def full(*_: Any) -> str:
    """A disk that takes nothing more."""
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_loses_nothing_that_the_ledger_knows(
    point: str, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the ledger's first word on the picture is there; before it, nobody says it isn't."""
    Image.new("RGB", (400, 300), "teal").save(tmp_path / "photo.jpg")
    script = Path(__file__).with_name("killed_at.py")
    command = [sys.executable, str(script), server.base_url, str(tmp_path), point]
    assert subprocess.run(command, check=False, timeout=60).returncode == KILLED
    assert len(server.sandbox.charges) == 1

    row, run = book(tmp_path)
    before = {"answer": "unknown", "spool": "unknown"}.get(point, point)
    assert row.state == before
    assert len(answers(tmp_path)) == (0 if point == "answer" else 1)

    monkeypatch.setenv("GEMINI_API_KEY", "any")
    monkeypatch.setenv("NANORECIPES_LEDGER", str(tmp_path / "ledger.sqlite"))
    outcomes = go_on(tmp_path, run)
    after, _ = book(tmp_path)
    assert len(server.sandbox.charges) == 1  # whatever it came to, it was bought once
    if before == "unknown":
        assert (outcomes, after.state) == ([], "unknown")
        return
    assert [outcome.state for outcome in outcomes] == ["verified"]
    assert after.spent == Decimal("0.045")
    assert answers(tmp_path) == []
    with Image.open(outcomes[0].path) as found:
        assert found.format == "JPEG"


@pytest.mark.parametrize("save", [lambda r, to: r.save(to), lambda r, to: r.images[0].save(to)])
def test_a_picture_that_is_saved_is_kept_no_longer(face: Face, tmp_path: Path, save: Any) -> None:
    """The copy goes when the picture lies where it belongs, and the row says so."""
    asking = Emulated().client(face, ledger=tmp_path / "ledger.sqlite")
    result = face(asking.run(request()))
    (kept,) = answers(tmp_path)
    assert kept.read_bytes() == result.images[0].data
    assert result.images[0].url == f"kept:{kept.name}"
    save(result, tmp_path / "out")
    assert answers(tmp_path) == []
    face(asking.close())
    row, _ = book(tmp_path)
    assert (row.state, row.spent) == ("verified", Decimal("0.045"))


def test_the_copy_stays_until_the_saved_picture_is_on_the_disk(
    face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut would take the one while the other has gone."""

    def fail(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("nanorecipes.files.make_durable", fail)
    asking = Emulated().client(face, ledger=tmp_path / "ledger.sqlite")
    (path,) = face(asking.run(request())).save(tmp_path / "out")
    assert path.is_file()
    assert len(answers(tmp_path)) == 1


def test_a_picture_saved_after_its_client_was_closed_stays_kept(face: Face, tmp_path: Path) -> None:
    """The books are closed then; `resume` can still save it, and nothing fails."""
    asking = Emulated().client(face, ledger=tmp_path / "ledger.sqlite")
    result = face(asking.run(request()))
    face(asking.close())
    assert result.save(tmp_path / "out")[0].is_file()
    assert len(answers(tmp_path)) == 1
    assert book(tmp_path)[0].state == "done"


def test_a_result_can_be_copied_and_sent_to_another_process(face: Face, tmp_path: Path) -> None:
    """Without its client, whose key must not travel."""
    asking = Emulated().client(face, ledger=tmp_path / "ledger.sqlite")
    result = face(asking.run(request()))
    for twin in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):  # own bytes
        assert twin.images[0].data == result.images[0].data
        assert twin.images[0].save(tmp_path / "other").is_file()
    assert len(answers(tmp_path)) == 1


def test_the_answer_is_kept_before_the_ledger_hears_of_it(face: Face, tmp_path: Path) -> None:
    """In the other order a kill between the two would lose what was paid for."""
    seen: list[tuple[str, int]] = []
    asking = Emulated().client(
        face, ledger=tmp_path / "ledger.sqlite",
        observer=lambda note: seen.append((note.kind, len(answers(tmp_path)))),
    )  # fmt: skip
    face(asking.run(request()))
    assert ("submitting", 0) in seen
    assert ("submitted", 1) in seen


def test_a_kept_answer_can_be_waited_for_by_its_name(face: Face, tmp_path: Path) -> None:
    """The ledger's name for it leads to it in another process, while it is kept."""
    emulated, ledger = Emulated(), tmp_path / "ledger.sqlite"
    name = face(emulated.client(face, ledger=ledger).run(request())).images[0].url
    result = face(emulated.client(face, ledger=ledger).wait(name))
    assert result.images[0].url == name
    assert len(emulated.sandbox.charges) == 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.unlink(), "is gone, and Google keeps no copy"),
        (lambda path: path.write_bytes(b"x"), "is damaged"),
        (lambda path: (path.unlink(), path.mkdir()), "can't be read"),
    ],
    ids=["gone", "damaged", "folder"],
)
def test_a_kept_answer_that_is_spoiled_says_so(
    face: Face, tmp_path: Path, spoil: Any, why: str
) -> None:
    """Never half a picture, and never a second purchase."""
    emulated, ledger = Emulated(), tmp_path / "ledger.sqlite"
    name = face(emulated.client(face, ledger=ledger).run(request())).images[0].url
    spoil(answers(tmp_path)[0])
    with pytest.raises(DownloadError, match=why):
        face(emulated.client(face, ledger=ledger).wait(name))
    assert len(emulated.sandbox.charges) == 1


@pytest.mark.parametrize("name", ["kept:../../etc/passwd", "kept:", f"kept:{'0' * 64}"])
def test_a_name_leads_to_kept_answers_alone(face: Face, tmp_path: Path, name: str) -> None:
    """It is a name from a file, not a path."""
    with pytest.raises(DownloadError, match="names no kept answer"):
        face(Emulated().client(face, ledger=tmp_path / "ledger.sqlite").wait(name))


def test_the_same_picture_bought_twice_is_kept_twice(tmp_path: Path) -> None:
    """One purchase's end must not take what the other still needs."""
    kept = KeptAnswers(tmp_path / "answers")
    one, two = kept.keep(picture()), kept.keep(picture())
    kept.drop(one)
    assert kept.read(two) == picture()
    assert not isinstance(kept.read(one), bytes)


def test_a_full_disk_does_not_lose_the_picture(
    face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is paid for: it goes on in memory, with a warning."""
    monkeypatch.setattr(KeptAnswers, "keep", full)
    asking = client(face, Played(lambda _: made()), ledger=tmp_path / "ledger.sqlite")
    result = face(asking.run(request()))
    assert result.images[0].data == picture()
    assert result.warnings == (
        "the answer could not be kept beside the ledger: No space left on device",
    )


def test_a_picture_that_could_not_be_kept_is_booked_when_it_is_saved(
    face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies where it belongs: there is nothing left to resume."""
    monkeypatch.setattr(KeptAnswers, "keep", full)
    asking = client(face, Played(lambda _: made()), ledger=tmp_path / "ledger.sqlite")
    face(asking.run(request())).save(tmp_path / "out")
    face(asking.close())
    row, _ = book(tmp_path)
    assert (row.state, row.task) == ("verified", None)


def test_a_picture_that_was_never_kept_has_failed_and_is_not_waited_for_for_ever(
    face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was in memory alone, and its program has ended."""
    monkeypatch.setattr(KeptAnswers, "keep", full)
    asking = client(face, Played(lambda _: made()), ledger=tmp_path / "ledger.sqlite")
    face(asking.run(request()))
    face(asking.close())
    monkeypatch.setenv("NANORECIPES_LEDGER", str(tmp_path / "ledger.sqlite"))
    (outcome,) = go_on(tmp_path, book(tmp_path)[1])
    assert outcome.state == "failed"
    assert "in memory alone" in str(outcome.error)
    row, _ = book(tmp_path)
    assert (row.state, row.spent) == ("failed", Decimal("0.045"))


@pytest.mark.parametrize(
    ("answer", "error", "state", "usd"),
    [
        (said({"text": "no"}, finish="IMAGE_SAFETY"), ContentBlockedError, "refused", "0.045"),
        (said({"text": "no"}), NoImageError, "failed", "0.045"),
        (
            Answer(200, {"promptFeedback": {"blockReason": "SAFETY"}}),
            ContentBlockedError,
            "refused",
            "0",
        ),
        (Answer(200, b"{"), OutcomeUnknownError, "unknown", "0"),
    ],
    ids=["blocked", "no picture", "prompt refused", "unread"],
)
def test_the_books_say_what_an_answer_without_a_picture_costs(
    face: Face, tmp_path: Path, answer: Any, error: type[Exception], state: str, usd: str
) -> None:
    """Only a refused prompt is taken as free; what nobody can know stays reserved."""
    asking = client(face, Played(lambda _: answer), ledger=tmp_path / "ledger.sqlite")
    with pytest.raises(error):
        face(asking.run(request()))
    face(asking.close())
    row, _ = book(tmp_path)
    assert (row.state, row.spent) == (state, Decimal(usd))
    assert (row.reserved_micro > 0) == (state == "unknown")


def test_a_dropped_connection_is_unknown_in_the_books(face: Face, tmp_path: Path) -> None:
    """With what it perhaps cost, until a person decides."""
    emulated = Emulated(Faults.script(["drop_after"]))
    asking = emulated.client(face, ledger=tmp_path / "ledger.sqlite")
    with pytest.raises(OutcomeUnknownError):
        face(asking.run(request()))
    face(asking.close())
    row, _ = book(tmp_path)
    assert (row.state, row.reserved_micro) == ("unknown", 45_000)


def test_a_client_without_books_finds_nothing_kept() -> None:
    """And says why."""
    with (
        Client("gemini", api_key="any", base_url="http://google.invalid", ledger=False) as asking,
        pytest.raises(DownloadError, match="no ledger is kept here"),
    ):
        asking.wait(f"kept:{'0' * 64}-00000000")


def test_an_answer_that_cannot_be_read_is_kept_for_a_person(face: Face, tmp_path: Path) -> None:
    """It was perhaps paid for, in a form that nobody has seen yet: it is the only copy."""
    body = b'{"pictures": ["in a form of next year"]}'
    asking = client(face, Played(lambda _: Answer(200, body)), ledger=tmp_path / "ledger.sqlite")
    with pytest.raises(OutcomeUnknownError) as caught:
        face(asking.run(request()))
    face(asking.close())
    (kept,) = answers(tmp_path)
    assert kept.read_bytes() == body
    assert "`nanorecipes unknown` names its file" in str(caught.value.help)
    with Ledger(tmp_path / "ledger.sqlite", create=False) as books:
        assert queries.unnamed_answers(books) == [kept]
    assert book(tmp_path)[0].state == "unknown"


def test_an_empty_answer_leaves_no_file(face: Face, tmp_path: Path) -> None:
    """There is nothing to look at."""
    asking = client(face, Played(lambda _: Answer(200, b"")), ledger=tmp_path / "ledger.sqlite")
    with pytest.raises(OutcomeUnknownError):
        face(asking.run(request()))
    assert answers(tmp_path) == []


def test_a_task_that_an_error_names_is_none_of_googles(face: Face, tmp_path: Path) -> None:
    """The books would wait for it, and then call failed what is unknown."""
    answer = Answer(500, {"task_id": "t-9"})
    asking = client(face, Played(lambda _: answer), ledger=tmp_path / "ledger.sqlite")
    with pytest.raises(OutcomeUnknownError) as caught:
        face(asking.run(request()))
    face(asking.close())
    assert caught.value.task_id is None
    row, _ = book(tmp_path)
    assert (row.state, row.task_id) == ("unknown", None)
