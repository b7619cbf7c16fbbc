"""Files that a batch keeps for good, by itself and by processes that write for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from catalogue import RECIPE, Shop, rows, states
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nanorecipes import AsyncClient, files, making
from nanorecipes.batch import drafts, keeper
from nanorecipes.batch.drafts import End, Parcel
from nanorecipes.batch.keeper import Keeper
from nanorecipes.batch.ledger import Ledger
from nanorecipes.batch.locks import Lock, is_held
from nanorecipes.making import Sheet

Keep = Callable[[list[Parcel]], list[End]]

MANY = 2 * keeper.FEW


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Lock]:
    """The lock of a process that lives."""
    held = Lock(tmp_path / "locks" / "this")
    yield held
    held.release()


@pytest.fixture(params=["thread", "process"])
def keep(request: pytest.FixtureRequest, lock: Lock, begun: list[Any]) -> Iterator[Keep]:
    """Both ways to keep files."""
    if request.param == "thread":
        yield drafts.keep
        assert not begun
        return
    with_processes = Keeper(lambda: lock.handle)
    yield lambda parcels: with_processes.keep(parcels)
    with_processes.close()
    assert [process.returncode for process in begun] == [0]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that were begun."""
    all_: list[subprocess.Popen[bytes]] = []
    begin = keeper.begin
    monkeypatch.setattr(keeper, "begin", lambda lock: all_.append(begin(lock)) or all_[-1])
    return all_


KIND = "application/octet-stream"
"""A type of file in which nothing is written."""


def parcels(folder: Path, pictures: dict[str, bytes], count: int = MANY) -> list[Parcel]:
    """The same pictures in several folders."""
    sheets = [
        (name, drafts.plain(Sheet(data, KIND, {"model": "flash"}, number, None)))
        for number, (name, data) in enumerate(pictures.items())
    ]
    return [(os.fsencode(folder / f"row-{n}"), sheets) for n in range(count)]


def kept(pictures: dict[str, bytes]) -> End:
    """What is told of pictures that were kept."""
    return End("kept", "", [files.sha256(data) for data in pictures.values()])


def found(folder: Path) -> dict[str, dict[str, bytes]]:
    """The pictures that lie in each folder, with sidecars that tell of them."""
    return {place.name: _pictures(place) for place in folder.iterdir()}


def _pictures(place: Path) -> dict[str, bytes]:
    told = {path.name: path.read_bytes() for path in place.iterdir()}
    pictures = {}
    for name in [name for name in told if f"{name}.json" in told]:
        pictures[name] = told.pop(name)
        facts = json.loads(told.pop(f"{name}.json"))
        assert facts["model"] == "flash"
        assert facts["picture"]["file"] == name
        assert facts["picture"]["sha256"] == files.sha256(pictures[name])
    assert not told
    return pictures


names = st.text("abcé .-_", min_size=1, max_size=12).filter(lambda name: name.strip("."))


@given(st.dictionaries(names, st.binary(max_size=300_000), max_size=3), st.data())
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_files_are_kept_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, keep: Keep, pictures: dict[str, bytes], data: Any
) -> None:
    """Any bytes under any name, also where something was left by an earlier attempt."""
    out = tmp_path_factory.mktemp("out")
    for left in data.draw(st.sets(st.sampled_from([".row-0.part", "row-1", ".row-1.part"]))):
        (out / left).mkdir()
        (out / left / "half").write_bytes(b"half")
    assert keep(parcels(out, pictures)) == [kept(pictures)] * MANY
    assert found(out) == {f"row-{n}": pictures for n in range(MANY)}


def test_folder_that_can_not_be_written_is_told_and_the_others_kept(
    tmp_path: Path, keep: Keep
) -> None:
    """One row's trouble must not cost the others of its group anything."""
    out = tmp_path / "out"
    out.mkdir()
    (out / ".row-3.part").write_bytes(b"a file where a folder belongs")
    (out / "row-5").mkdir()
    ends = keep(parcels(out, PICTURE))
    assert ends[3] == End("error", "Not a directory")
    assert [end for end in ends if end != kept(PICTURE)] == [ends[3]]
    assert not (out / "row-3").exists()
    assert (out / "row-5" / "1.jpg").read_bytes() == b"picture"


def test_processes_write_where_many_pictures_come_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: list[subprocess.Popen[bytes]]
) -> None:
    """A fast service's pictures; a slow one's are written without any process."""
    shop = Shop.open(tmp_path)
    assert states(shop.batch(rows(3))) == {"verified": 3}
    assert not begun
    monkeypatch.setattr(keeper, "FEW", 1)
    assert states(shop.batch(rows(MANY))) == {"verified": MANY}
    assert begun
    assert {process.returncode for process in begun} == {0}
    assert len(shop.sandbox.charges) == MANY
    shop.checked().close()


PICTURE = {"1.jpg": b"picture"}
ANSWER = """
import os, sys
number, parcels = drafts.receive(sys.stdin.buffer, sys.maxsize)
ends = drafts.keep(parcels)
"""
FAULTS = {
    "dies at once": "raise SystemExit(1)",
    "dies half way": """
import os, sys
number, parcels = drafts.receive(sys.stdin.buffer, sys.maxsize)
for folder, pictures in parcels[:3]:
    parent, name = os.path.split(folder)
    os.makedirs(os.path.join(parent, b"." + name + b".part"))
    with open(os.path.join(parent, b"." + name + b".part", pictures[0][0].encode()), "wb") as file:
        file.write(b"half")
os.kill(os.getpid(), 9)
""",
    "dies before it answers": f"{ANSWER}os.write(1, b'0000'); os.kill(os.getpid(), 9)",
    "prints something else": f"{ANSWER}os.write(1, b'hello world, this is a library')",
    "answers no message": f"{ANSWER}os.write(1, (5).to_bytes(8, 'big') + b'hello')",
    "answers too much": f"{ANSWER}os.write(1, (2**40).to_bytes(8, 'big'))",
    "answers another question": f"{ANSWER}drafts.send(sys.stdout.buffer, (number + 1, ends))",
    "answers for too few": f"{ANSWER}drafts.send(sys.stdout.buffer, (number, ends[1:]))",
    "hangs": f"{ANSWER}import time; time.sleep(600)",
}


def _worker(folder: Path, fault: str) -> subprocess.Popen[bytes]:
    """A process in place of ours that has a fault."""
    script = folder / "worker.py"
    home = str(Path(drafts.__file__).parents[2])
    head = f"import sys\nsys.path.append({home!r})\nfrom nanorecipes.batch import drafts\n"
    script.write_text(f"{head}{FAULTS[fault]}")
    return subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_process_that_fails_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Out of memory, say: its work is done again, and the batch hears nothing of it."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(lock: int) -> subprocess.Popen[bytes]:
        begun.append(_worker(tmp_path, fault))
        return begun[-1]

    monkeypatch.setattr(keeper, "begin", begin)
    monkeypatch.setattr(keeper, "FEW", 1)
    if fault == "hangs":
        monkeypatch.setattr(keeper, "PATIENCE_S", 0.2)
    shop = Shop.open(tmp_path)
    assert states(shop.batch(rows(MANY))) == {"verified": MANY}
    assert begun
    assert None not in {process.returncode for process in begun}
    assert len(shop.sandbox.charges) == MANY
    assert not list(shop.out.glob(".*.part"))
    assert states(shop.batch(rows(MANY))) == {"verified": MANY}
    assert len(shop.sandbox.charges) == MANY
    shop.checked().close()


def test_batch_that_is_left_waits_for_what_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then others must see it live, or they write in the same folders."""
    begun: list[subprocess.Popen[bytes]] = []
    shop = Shop.open(tmp_path)

    async def leave_it(books: Ledger) -> None:
        loop, is_written = asyncio.get_running_loop(), asyncio.Event()

        def begin(lock: int) -> subprocess.Popen[bytes]:
            begun.append(_worker(tmp_path, "hangs"))
            loop.call_soon_threadsafe(is_written.set)
            return begun[-1]

        faults.setattr(keeper, "begin", begin)
        async with shop.client(AsyncClient, ledger=books) as client:
            found = client.batch(RECIPE, rows(MANY), out=shop.out)
            reading = asyncio.create_task(anext(found))
            await is_written.wait()
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            await found.aclose()
            assert None not in {process.returncode for process in begun}

    with monkeypatch.context() as faults, shop.ledger() as books:
        faults.setattr(keeper, "FEW", 1)
        faults.setattr(keeper, "PATIENCE_S", 0.2)
        asyncio.run(leave_it(books))
    assert states(shop.batch(rows(MANY))) == {"verified": MANY}
    assert len(shop.sandbox.charges) == MANY
    shop.checked().close()


@pytest.mark.parametrize("executable", ["", "/usr/sbin/a-server", "/nowhere/python3"])
def test_without_a_python_to_begin_the_thread_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executable: str, lock: Lock
) -> None:
    """Python may be built into another program, which must not be begun a second time."""
    monkeypatch.setattr(sys, "executable", executable)
    ends = Keeper(lambda: lock.handle).keep(parcels(tmp_path / "out", PICTURE))
    assert ends == [kept(PICTURE)] * MANY
    assert len(found(tmp_path / "out")) == MANY


def test_values_of_a_type_of_ones_own_are_the_same_in_both(tmp_path: Path, keep: Keep) -> None:
    """A row from Python may hold anything that reads as a text, or looks like bytes."""
    facts = {"price": Decimal("0.10"), "at": date(2026, 11, 28), "mask": bytearray(b"ab"),
             "size": (1, 2), "words": "half \ud83d, null \0"}  # fmt: skip
    sheet = Sheet(b"picture", KIND, facts, 1, (2, 3))
    parcel = (os.fsencode(tmp_path / "out" / "own"), [("1.jpg", drafts.plain(sheet))])
    assert keep([parcel, *parcels(tmp_path / "out", PICTURE)])[0].state == "kept"
    sidecar = (tmp_path / "out" / "own" / "1.jpg.json").read_bytes()
    assert sidecar == making.put_together(sheet, "1.jpg").sidecar
    assert json.loads(sidecar)["price"] == "0.10"


def test_process_without_its_parent_touches_nothing_more(tmp_path: Path) -> None:
    """After the lease another batch may be at the same folders, and what it made must stay."""
    (parcel,) = parcels(tmp_path / "out", PICTURE, 1)
    drafts.keep([parcel])
    (changed,) = parcels(tmp_path / "out", {"1.jpg": b"another"}, 1)
    asked: list[bool] = []

    def is_wanted() -> bool:
        asked.append(True)
        return len(asked) < 2  # it goes while the files are written

    with pytest.raises(SystemExit):
        drafts.keep([changed], is_wanted)
    assert len(asked) == 2
    assert (tmp_path / "out" / "row-0" / "1.jpg").read_bytes() == PICTURE["1.jpg"]
    left = tmp_path / "out" / ".row-0.part"
    assert (left / "1.jpg").read_bytes() == b"another"  # it may be the other batch's by now
    assert drafts.keep([changed])[0].state == "kept"
    assert not left.exists()


def test_error_leaves_nothing_behind(tmp_path: Path, keep: Keep) -> None:
    """A folder appears whole or not at all, and so does its draft."""
    ends = keep(parcels(tmp_path / "out", {"1.jpg": b"picture", "no/folder.jpg": b"picture"}))
    assert {end.state for end in ends} == {"error"}
    assert not list((tmp_path / "out").iterdir())


def test_folders_are_handed_over_as_the_system_spells_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As texts the other process would spell them by its own locale, and write elsewhere."""
    told: list[Parcel] = []
    keep = Keeper.keep

    def spied(self: Keeper, given: Any) -> list[End]:
        told.extend(given)
        return keep(self, given)

    monkeypatch.setattr(Keeper, "keep", spied)
    shop = Shop.open(tmp_path / "Küche")
    found = shop.batch(rows(2))
    assert states(found) == {"verified": 2}
    assert {folder for folder, _ in told} == {os.fsencode(o.path.parent) for o in found if o.path}
    assert {type(folder) for folder, _ in told} == {bytes}


def test_process_that_still_writes_keeps_the_rows_of_a_killed_batch(
    tmp_path: Path, begun: list[subprocess.Popen[bytes]]
) -> None:
    """Else the next batch would write in the same folders at the same time."""
    killed = Lock(tmp_path / "locks" / "killed")
    with_processes = Keeper(lambda: killed.handle)
    with_processes.keep(parcels(tmp_path / "out", PICTURE))
    assert killed.handle is not None
    os.close(killed.handle)  # as the system does it for a process that dies
    assert is_held(killed.path)
    with_processes.close()
    assert begun[0].returncode == 0
    assert not is_held(killed.path)
