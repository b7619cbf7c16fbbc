"""Catalogues that are proved as they run: verdicts, resuming, and further tries within a budget."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from network import ACCEPTED, HOST, KEY, Answer, Played, Service, done
from proof_pictures import encoded, scene
from proved_shop import DRIFTED, FAR_OFF, KEPT, PRICE, PROVE, RECIPE, ProvedShop

from nanorecipes import AsyncClient, Client, recipes
from nanorecipes.batch import begin, prover
from nanorecipes.batch.ledger import Ledger
from nanorecipes.batch.outcomes import BatchOptions, Outcome
from nanorecipes.batch.preparing import Source
from nanorecipes.batch.prove_worker import prove_files
from nanorecipes.batch.prover import Worker
from nanorecipes.batch.queries import list_runs, rows_of
from nanorecipes.batch.redo import ProvedBatch
from nanorecipes.cli.main import run
from nanorecipes.client import Wiring
from nanorecipes.errors import AuthenticationError, ConfigurationError, InputError
from nanorecipes.images import image_input
from nanorecipes.report.runs import collect_run
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import running_server
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import VirtualClock


def verdicts(found: list[Outcome]) -> list[str | None]:
    """What was found of each row."""
    return [outcome.verdict for outcome in found]


@pytest.mark.parametrize("kind", ["batch", "batch_async"])
def test_each_row_comes_with_its_verdict(tmp_path: Path, kind: str) -> None:
    """Drift is found while the catalogue runs, by the row; equal rows share a proof."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT], "b": [DRIFTED]})
    found = getattr(shop, kind)(shop.rows("a", "b", "a"), prove=PROVE)
    assert verdicts(found) == ["kept", "drifted", "kept"]
    assert [outcome.state for outcome in found] == ["verified"] * 3
    assert found[0].score is not None
    assert found[1].score is not None
    assert found[0].score > 0.5 > found[1].score
    assert "1 place changed outside the region" in found[1].reasons[0]
    assert len(shop.sandbox.charges) == 2


def test_the_proof_stands_in_the_sidecar_and_beside_the_picture(tmp_path: Path) -> None:
    """Whoever finds the picture finds what was found about it."""
    shop = ProvedShop.open(tmp_path, {"b": [DRIFTED]})
    (outcome,) = shop.batch(shop.rows("b"), prove=PROVE)
    path = outcome.path
    assert path is not None
    told = json.loads(path.with_name(f"{path.name}.json").read_text())
    assert told["proof"]["verdict"] == "drifted"
    assert told["recipe"] == RECIPE
    assert path.with_name(told["proof"]["overlay"]).is_file()
    assert path.with_name(told["proof"]["change_map"]).is_file()


def fail(*_: Any) -> Any:
    """Nothing may be computed."""
    raise AssertionError("it was proved again")


def test_what_was_proved_is_not_proved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue of 5,000 rows is run again for its last five."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT], "b": [DRIFTED]})
    first = shop.batch(shop.rows("a", "b"), prove=PROVE)
    monkeypatch.setattr(Worker, "run", fail)
    assert shop.batch(shop.rows("a", "b"), prove=PROVE) == first


def test_what_was_bought_and_not_proved_is_proved_without_paying(tmp_path: Path) -> None:
    """The wish may come later, and so may a changed bar."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    assert verdicts(shop.batch(shop.rows("a"))) == [None]
    assert verdicts(shop.batch(shop.rows("a"), prove=PROVE)) == ["kept"]
    assert verdicts(shop.batch(shop.rows("a"), prove={**PROVE, "min_score": 1.0})) == ["drifted"]
    assert len(shop.sandbox.charges) == 1


def test_drawings_that_are_gone_are_drawn_again(tmp_path: Path) -> None:
    """The ledger says that it was proved, the folder doesn't show it."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    (outcome,) = shop.batch(shop.rows("a"), prove=PROVE)
    assert outcome.path is not None
    overlay = outcome.path.with_name(f"{outcome.path.name}.overlay.jpg")
    overlay.unlink()
    shop.batch(shop.rows("a"), prove=PROVE)
    assert overlay.is_file()


def test_proving_does_not_hold_up_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Computing takes seconds a row: purchases must not wait for it."""
    count = 400  # more than wait in queues
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    rows = [{**row, "change": f"blue {n}"} for n in range(count) for row in shop.rows("a")]

    all_bought = threading.Event()
    handle = shop.sandbox.handle

    def counted(call: Any) -> Any:
        reply = handle(call)
        if len(shop.sandbox.charges) == count:
            all_bought.set()
        return reply

    async def once_all_is_bought(self: Worker, job: Any) -> Any:
        assert await asyncio.to_thread(all_bought.wait, 120), "the purchases wait for the proofs"
        return {"verdict": "kept", "score": 1.0, "reasons": [], "is_final": True}

    monkeypatch.setattr(shop.sandbox, "handle", counted)
    monkeypatch.setattr(Worker, "run", once_all_is_bought)
    assert verdicts(shop.batch(rows, prove=PROVE)) == ["kept"] * count


def test_a_process_that_is_killed_costs_one_proof(tmp_path: Path) -> None:
    """One that runs out of memory must not take the batch with it."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    job = {
        "source": str(tmp_path / "a.png"), "outputs": [str(tmp_path / "answers" / "a.jpg")],
        "terms": {"changes": "part", "region": [list(PROVE["region"])]},
    }  # fmt: skip

    async def work() -> list[dict[str, Any]]:
        worker = Worker()
        try:
            first = await worker.run(job)
            assert worker._process is not None
            os.kill(worker._process.pid, signal.SIGKILL)
            return [first, await worker.run(job), await worker.run(job), await worker.run({})]
        finally:
            await worker.close()

    first, killed, after, odd = asyncio.run(work())
    assert (first["verdict"], killed["verdict"]) == ("kept", "not provable")
    assert "process ended with -9" in killed["reasons"][0]
    assert (after["verdict"], odd["verdict"]) == ("kept", "not provable")
    assert not killed["is_final"]
    assert shop.sandbox.charges == []


def test_modules_of_the_readers_folder_are_none_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue's folder may hold anything, also a `json.py`."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit('taken from the folder')")
    assert verdicts(shop.batch(shop.rows("a"), prove=PROVE)) == ["kept"]


def test_a_source_that_is_gone_leaves_the_row_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was for the moment is not written down for good."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})

    async def lost(self: Worker, job: Any) -> Any:
        return {"verdict": "not provable", "score": None, "reasons": ["lost"], "is_final": False}

    with monkeypatch.context() as patch:
        patch.setattr(prover.Worker, "run", lost)
        (outcome,) = shop.batch(shop.rows("a"), prove=PROVE)
    assert (outcome.state, outcome.verdict, outcome.reasons) == (
        "verified", "not provable", ("lost",),
    )  # fmt: skip
    assert verdicts(shop.batch(shop.rows("a"), prove=PROVE)) == ["kept"]


def test_sources_given_as_bytes_are_proved(tmp_path: Path) -> None:
    """Callers have pictures in memory; a process of its own needs them as files."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    data = encoded(scene(), "PNG")
    name = Path(image_input(data).name).stem
    (tmp_path / "answers" / f"{name}.jpg").write_bytes(DRIFTED)
    shop.sandbox.answer_with(tmp_path / "answers")
    (row,) = shop.rows("a")
    assert verdicts(shop.batch([{**row, "photo": data}], prove=PROVE)) == ["drifted"]


def test_a_url_source_in_the_sandbox_is_not_provable(tmp_path: Path) -> None:
    """It says why, and the row is verified all the same."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    (row,) = shop.rows("a")
    (outcome,) = shop.batch([{**row, "photo": "https://shop.invalid/a.png"}], prove=PROVE)
    assert (outcome.state, outcome.verdict) == ("verified", "not provable")
    assert "sandbox fetches none" in outcome.reasons[0]


def test_a_picture_given_as_bytes_is_not_bought_again(tmp_path: Path) -> None:
    """The ledger keeps no pictures, so it can't send one a second time."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT]})
    data = encoded(scene(), "PNG")
    name = Path(image_input(data).name).stem
    (tmp_path / "answers" / f"{name}.jpg").write_bytes(DRIFTED)
    shop.sandbox.answer_with(tmp_path / "answers")
    (row,) = shop.rows("a")
    (outcome,) = shop.batch([{**row, "photo": data}], prove=PROVE, redo_drifted=2, budget="1")
    assert (outcome.verdict, outcome.tries) == ("drifted", 1)


def test_an_output_that_is_gone_is_told(tmp_path: Path) -> None:
    """The process answers whatever it finds."""
    ProvedShop.open(tmp_path, {"a": [KEPT]})
    job = {"source": str(tmp_path / "a.png"), "outputs": [str(tmp_path / "gone.jpg")],
           "terms": {"changes": "part"}}  # fmt: skip
    told = prove_files(job)
    assert (told["verdict"], told["is_final"]) == ("not provable", False)
    assert "no file" in told["reasons"][0]
    lost = prove_files({**job, "source": str(tmp_path / "gone.png")})
    assert (lost["verdict"], lost["is_final"]) == ("not provable", False)
    assert lost["reasons"] == told["reasons"]  # the first that is missed
    here = {**job, "outputs": [str(tmp_path / "answers" / "a.jpg")]}
    lost = prove_files({**here, "source": str(tmp_path / "gone.png")})
    assert "no source to compare with" in lost["reasons"][0]
    assert prove_files(here)["is_final"]


@pytest.mark.parametrize("redo", [0, 1])
def test_a_refused_key_ends_it_once_what_came_is_proved(tmp_path: Path, redo: int) -> None:
    """What was paid for before is told with its verdict, in the rows as in further tries."""
    posts: list[Any] = [ACCEPTED, Answer(401, {"detail": "this key is not valid"})]
    service = Service(post=posts, poll=[done()], file=[Answer(200, DRIFTED)])

    def shop(call: Any) -> Any:
        is_source = call.url.host == "pictures.invalid"
        return Answer(200, encoded(scene(), "PNG")) if is_source else service(call)

    wiring = Wiring(transport=Played(shop), clock=VirtualClock(0.0))
    rows = [
        {"photo": f"https://pictures.invalid/{n}.png", "part": "x", "change": "y"}
        for n in range(1 if redo else 2)
    ]
    found: list[Outcome] = []
    books = Ledger(tmp_path / "ledger.sqlite")
    with books, Client("qolaba", api_key=KEY, base_url=HOST, wiring=wiring, ledger=books) as client:
        came = client.batch(
            RECIPE,
            rows,
            out=tmp_path / "out",
            prove=PROVE,
            redo_drifted=redo,
            budget="9",
            submits=1,
        )
        with pytest.raises(AuthenticationError):
            found.extend(came)
    assert [outcome.verdict for outcome in found if outcome.state == "verified"] == ["drifted"]


def test_sources_behind_urls_are_fetched_without_the_key(tmp_path: Path) -> None:
    """A catalogue's pictures lie on a shop's host; each is fetched for its own proof."""

    def shop(call: Any) -> Any:
        if call.url.host == "pictures.invalid":
            kind = call.url.path.rpartition("/")[2]
            return Answer(404) if kind == "gone.png" else Answer(200, encoded(scene(), "PNG"))
        return service(call)

    service = Service(poll=[done()], file=[Answer(200, KEPT)])
    played = Played(shop)
    wiring = Wiring(
        transport=played, clock=VirtualClock(0.0), retry=RetryPolicy(random=lambda: 0.0)
    )
    rows = [
        {"photo": f"https://pictures.invalid/{name}.png", "part": "x", "change": "y"}
        for name in ("there", "gone")
    ]
    books = Ledger(tmp_path / "ledger.sqlite")
    with books, Client("qolaba", api_key=KEY, base_url=HOST, wiring=wiring, ledger=books) as client:
        found = list(client.batch(RECIPE, rows, out=tmp_path / "out", prove=PROVE))
    told = {outcome.number: outcome for outcome in found}
    assert (told[1].verdict, told[2].verdict) == ("kept", "not provable")
    assert "answered 404" in told[2].reasons[0]
    fetched = [seen for seen in played.requests if seen.url.host == "pictures.invalid"]
    assert fetched
    for seen in fetched:
        assert not {"authorization", "x-api-key"} & {name.lower() for name in seen.headers}


def test_a_batch_that_is_stopped_leaves_its_proofs_to_the_next_call(tmp_path: Path) -> None:
    """Ctrl-C while it only computes ends soon, and nothing is lost."""
    names = "abcdef"
    shop = ProvedShop.open(tmp_path, {name: [KEPT] for name in names})

    async def work() -> list[Outcome]:
        async with shop.client(books, AsyncClient) as client:
            recipe = recipes[RECIPE]
            runner = begin.start(client, recipe, tmp_path / "out", BatchOptions())
            batch = ProvedBatch(runner, PROVE, workers=1)
            source = Source(enumerate(shop.rows(*names), 1), lambda args: recipe.render(**args))
            found = []
            async for outcome in batch.outcomes(source):
                found.append(outcome)
                if outcome.verdict is not None:
                    batch.stop("interrupted")
            return found

    with shop.ledger() as books:
        found = asyncio.run(work())
    proved = [outcome for outcome in found if outcome.verdict is not None]
    assert 1 <= len(proved) <= 3  # what was under way, and what waited to be taken
    assert verdicts(shop.batch(shop.rows(*names), prove=PROVE)) == ["kept"] * len(names)
    assert len(shop.sandbox.charges) == len(names)


def test_of_several_pictures_of_a_row_the_worst_counts(tmp_path: Path) -> None:
    """A row is fine when all its pictures are."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT, DRIFTED]})
    (outcome,) = shop.batch(shop.rows("a", num_images=2), prove=PROVE)
    assert (outcome.verdict, len(outcome.paths)) == ("drifted", 2)


# further tries


def test_a_further_try_takes_the_place_of_a_drifted_one(tmp_path: Path) -> None:
    """The better picture is named, both stay, and both are paid for."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT], "b": [DRIFTED, KEPT], "c": [DRIFTED, FAR_OFF]})
    rows = shop.rows("a", "b", "c", "b")
    found = shop.batch(rows, prove=PROVE, redo_drifted=2, budget="1")
    assert verdicts(found) == ["kept", "kept", "drifted", "kept"]
    assert [outcome.tries for outcome in found] == [1, 2, 3, 2]
    price = Decimal(PRICE)
    assert [outcome.cost_usd for outcome in found] == [price, 2 * price, 3 * price, 2 * price]
    assert found[1].row_key is not None
    assert found[1].row_key.endswith(".try2")
    for outcome in found:
        assert outcome.path is not None
        assert outcome.path.is_file()
    files = sorted(path.parent.name[32:] for path in (tmp_path / "out").glob("*/1.jpg"))
    assert files == ["", "", "", ".try2", ".try2", ".try3"]
    assert len(shop.sandbox.charges) == 6
    assert shop.batch(rows, prove=PROVE, redo_drifted=2, budget="1") == found
    assert len(shop.sandbox.charges) == 6


def test_the_report_names_tries_beside_their_row(tmp_path: Path) -> None:
    """The contact sheet shows what was tried, in the table's order."""
    shop = ProvedShop.open(tmp_path, {"a": [KEPT], "b": [DRIFTED, KEPT], "c": [KEPT]})
    shop.batch(shop.rows("a", "b", "c"), prove=PROVE, redo_drifted=1, budget="1")
    with shop.ledger() as books:
        (found,) = list_runs(books)
        rows = collect_run(books, found.run)
    told = [(row.number, row.proof.verdict if row.proof else None) for row in rows]
    assert told == [("1", "kept"), ("2", "drifted"), ("2, try 2", "kept"), ("3", "kept")]
    assert all(row.proof and row.proof.overlay for row in rows)
    assert sum(row.cost_usd or 0 for row in rows) == 4 * Decimal(PRICE)


def test_tries_may_be_added_later(tmp_path: Path) -> None:
    """N is over all calls: what was tried before counts."""
    shop = ProvedShop.open(tmp_path, {"b": [DRIFTED, DRIFTED, KEPT]})
    assert verdicts(shop.batch(shop.rows("b"), prove=PROVE)) == ["drifted"]
    once = shop.batch(shop.rows("b"), prove=PROVE, redo_drifted=1, budget="1")
    assert (once[0].verdict, once[0].tries) == ("drifted", 2)
    twice = shop.batch(shop.rows("b"), prove=PROVE, redo_drifted=2, budget="1")
    assert (twice[0].verdict, twice[0].tries) == ("kept", 3)
    later = shop.batch(shop.rows("b"))
    assert later[0].verdict is None  # nobody asked


@pytest.mark.parametrize(("budget", "bought"), [("0.134", 2), ("0.135", 3), ("0.18", 4)])
def test_the_budget_is_never_exceeded(tmp_path: Path, budget: str, bought: int) -> None:
    """Further tries are paid from the same purse, and none is bought that doesn't fit."""
    shop = ProvedShop.open(tmp_path, {"b": [DRIFTED], "c": [DRIFTED]})
    found = shop.batch(shop.rows("b", "c"), prove=PROVE, redo_drifted=5, budget=budget)
    assert len(shop.sandbox.charges) == bought
    assert shop.sandbox.charged_usd <= Decimal(budget)
    assert verdicts(found) == ["drifted", "drifted"]


@pytest.mark.parametrize(
    ("fault", "state"),
    [("drop_after", "unknown"), ("blocked", "refused"), ("failed_task", "failed")],
)
def test_behind_a_try_that_did_not_come_no_further_one_is_bought(
    tmp_path: Path, fault: str, state: str
) -> None:
    """It was perhaps charged, or will be refused again: a person looks first."""
    faults = Faults.script(["ok", fault])
    shop = ProvedShop.open(tmp_path, {"b": [DRIFTED, KEPT, KEPT]}, faults)
    options = {"prove": PROVE, "redo_drifted": 2, "budget": "1"}
    (outcome,) = shop.batch(shop.rows("b"), **options)
    assert (outcome.state, outcome.verdict) == ("verified", "drifted")
    assert len(shop.sandbox.charges) == 2
    with shop.ledger() as books:
        assert [row.state for row, _ in rows_of(books)] == ["verified", state]
    (again,) = shop.batch(shop.rows("b"), **options, retry_failed=True)
    if state == "unknown":
        assert (again.verdict, len(shop.sandbox.charges)) == ("drifted", 2)
    else:
        assert (again.verdict, len(shop.sandbox.charges)) == ("kept", 3)


def test_a_fixed_seed_is_another_one_for_each_try(tmp_path: Path) -> None:
    """With the same seed the same picture would come, and be paid for again."""
    shop = ProvedShop.open(tmp_path, {"b": [DRIFTED]})
    shop.batch(shop.rows("b", seed=7), prove=PROVE, redo_drifted=2, budget="1")
    sidecars = sorted((tmp_path / "out").glob("*/1.jpg.json"))
    seeds = [json.loads(path.read_text())["settings"]["seed"] for path in sidecars]
    assert seeds == [7, 8, 9]


def test_further_tries_need_a_proof_and_a_budget(tmp_path: Path) -> None:
    """Paying again without a bound is nobody's wish."""
    shop = ProvedShop.open(tmp_path, {"b": [DRIFTED]})
    with pytest.raises(ConfigurationError, match="need a proof"):
        shop.batch(shop.rows("b"), redo_drifted=1, budget="1")
    with pytest.raises(ConfigurationError, match="without a bound"):
        shop.batch(shop.rows("b"), prove=True, redo_drifted=1)
    with pytest.raises(ConfigurationError, match="whole number"):
        shop.batch(shop.rows("b"), prove=True, redo_drifted=-1, budget="1")
    with pytest.raises(InputError, match="No such file"):
        shop.batch(shop.rows("b"), prove={"region": "nothing.png"})
    with pytest.raises(InputError, match="name the file"):
        shop.batch(shop.rows("b"), prove={"region": scene()})
    assert shop.sandbox.charges == []


def test_leaving_the_loop_ends_everything(tmp_path: Path) -> None:
    """A caller that has seen enough gets its process back, and the next call goes on."""
    shop = ProvedShop.open(tmp_path, {name: [KEPT] for name in "abcdef"})
    with shop.ledger() as books, shop.client(books) as client:
        for outcome in client.batch(
            RECIPE, shop.rows(*"abcdef"), out=tmp_path / "out", prove=PROVE
        ):
            assert outcome.verdict == "kept"
            break
    assert verdicts(shop.batch(shop.rows(*"abcdef"), prove=PROVE)) == ["kept"] * 6
    assert len(shop.sandbox.charges) == 6


SCRIPT = """
import sys
from nanorecipes import Client
from nanorecipes.client import Wiring
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import Timing
url, folder, names = sys.argv[1], sys.argv[2], sys.argv[3]
wiring = Wiring(retry=RetryPolicy(first_s=0.01, longest_s=0.05),
                timing=Timing(first_poll_s=0.01, longest_poll_s=0.05))
rows = [{"photo": f"{folder}/{name}.png", "part": "the mug", "change": "blue",
         "aspect_ratio": "1:1", "quality": "512"} for name in names]
with Client(backend="sandbox", base_url=url, wiring=wiring,
            ledger=f"{folder}/ledger.sqlite") as client:
    for outcome in client.batch("edit/change_part", rows, out=f"{folder}/out",
                                prove={"region": (40, 60, 130, 150)}, redo_drifted=2, budget="5"):
        print(outcome.number, outcome.verdict, outcome.tries, flush=True)
"""


def test_a_kill_among_further_tries_never_pays_twice(tmp_path: Path) -> None:
    """The promise of the ledger holds for tries as for rows, wherever the program ends."""
    names = "abcd"
    answers = {name: [DRIFTED, DRIFTED, KEPT] for name in names}
    shop = ProvedShop.open(tmp_path, answers, in_real_time=True)
    with running_server(shop.sandbox) as server:
        command = [sys.executable, "-c", SCRIPT, server.base_url, str(tmp_path), names]
        kills = 0
        for charges in (2, 5, 7, 9):  # among the rows, among second tries, among third ones
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                while len(shop.sandbox.charges) < charges and process.poll() is None:
                    try:
                        process.wait(0.002)
                    except subprocess.TimeoutExpired:
                        continue
                process.kill()
                kills += process.wait() == -signal.SIGKILL
        assert kills >= 1
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    told = sorted(line.split() for line in ended.stdout.splitlines())
    shop.audit()
    with shop.ledger() as books:
        found = [row for row, _ in rows_of(books)]
    lost = [row for row in found if row.state == "unknown"]
    assert len(lost) <= 4 * 4  # no more than were open at the kills
    assert len(shop.sandbox.charges) <= len(found)  # one purchase a row of the books, at most
    if not lost:
        assert [words[1:] for words in told] == [["kept", "3"]] * len(names)
        assert len(shop.sandbox.charges) == 3 * len(names)


# the command


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of two rows in a project of its own; the sandbox answers with edits."""
    ProvedShop.open(tmp_path, {"a": [KEPT], "b": [DRIFTED, KEPT]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NANORECIPES_LEDGER")
    monkeypatch.setenv("NANORECIPES_SANDBOX_ANSWERS", "answers")
    path = tmp_path / "catalogue.csv"
    # The process's sandbox counts tries of equal requests: each test makes its own.
    lines = [f"{name}.png,the mug,{tmp_path.name}" for name in "ab"]
    path.write_text("\n".join(["photo,part,change", *lines, ""]))
    return path


COMMAND = (
    "batch", RECIPE, "catalogue.csv", "-o", "out", "--aspect-ratio", "1:1", "--quality", "512",
    "--sandbox", "--prove", "--region", ",".join(map(str, PROVE["region"])),
)  # fmt: skip


def test_the_command_tells_verdicts_in_results_summary_and_exit_code(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who runs a catalogue overnight reads one line in the morning."""
    assert run([*COMMAND]) == 1
    said = capsys.readouterr()
    assert "proved: 1 kept, 1 drifted" in said.err
    with Path("out/results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["verdict"] for line in lines] == ["kept", "drifted"]
    assert float(lines[0]["score"]) > 0.5 > float(lines[1]["score"])
    assert "outside the region" in lines[1]["reasons"]
    assert [line["tries"] for line in lines] == ["1", "1"]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_results_of_every_format_have_the_columns(
    table: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next program reads what it likes."""
    run([*COMMAND, "--results", kind])
    path = Path(f"out/results.{kind}")
    if kind == "jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        lines = parquet.read_table(path).to_pylist()
    assert [line["verdict"] for line in lines] == ["kept", "drifted"]
    assert all(float(line["score"]) <= 1 for line in lines)


def test_results_keep_their_verdicts_when_a_later_run_does_not_prove(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is known stays in the file; without any proof there are no such columns."""
    plain = [part for part in COMMAND if part not in ("--prove", *COMMAND[-2:])]
    assert run(plain) == 0
    assert "verdict" not in Path("out/results.csv").read_text().splitlines()[0]
    run([*COMMAND])
    assert run(plain) == 0
    assert "drifted" in Path("out/results.csv").read_text()


def test_redo_drifted_reads_as_json(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command, and the catalogue is as good as the budget makes it."""
    assert run([*COMMAND, "--redo-drifted", "1", "--budget", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdicts"] == {"kept": 2}
    assert (told["bought"], told["bought_again"], told["spent_usd"]) == (2, 1, 0.135)
    with Path("out/results.csv").open(newline="") as file:
        line = list(csv.DictReader(file))[1]
    assert (line["verdict"], line["tries"], line["cost_usd"]) == ("kept", "2", "0.09")
    assert ".try2/" in line["path"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--redo-drifted", "1"], "name a budget"),
        (["--region", "nothing.png"], "give one mask picture"),
        (["--min-score", "3"], "from 0 to 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ",
)
def test_wrong_use_sends_nothing(
    table: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Before the first purchase."""
    sent: list[Any] = []
    monkeypatch.setattr(Sandbox, "handle", lambda self, call: sent.append(call))
    assert run([*COMMAND, *more]) == 2
    assert said in capsys.readouterr().err
    assert sent == []
