"""Files that a batch keeps for good, by itself and by processes that write for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from catalogue import Shop, rows, states
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nanorecipes import files
from nanorecipes.batch import drafts, keeper
from nanorecipes.batch.drafts import End, Parcel
from nanorecipes.batch.keeper import Keeper
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
    begin = keeper._begin
    monkeypatch.setattr(keeper, "_begin", lambda lock: all_.append(begin(lock)) or all_[-1])
    return all_


KIND = "application/octet-stream"
"""A type of file in which nothing is written."""


def parcels(folder: Path, pictures: dict[str, bytes], count: int = MANY) -> list[Parcel]:
    """The same pictures in several folders."""
    sheets = [
        (name, tuple(Sheet(data, KIND, {"model": "flash"}, number, None)))
        for number, (name, data) in enumerate(pictures.items())
    ]
    return [(str(folder / f"row-{n}"), sheets) for n in range(count)]


def kept(pictures: dict[str, bytes]) -> End:
    """What is told of pictures that were kept."""
    return ("kept", "", [files.sha256(data) for data in pictures.values()])


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
    assert ends[3] == ("error", "Not a directory", [])
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
DIES_AT_ONCE = "raise SystemExit(1)"
DIES_HALF_WAY = """
import os, sys
parcels = drafts.receive(sys.stdin.buffer)
for folder, pictures in parcels[:3]:
    parent, name = os.path.split(folder)
    os.makedirs(os.path.join(parent, f".{name}.part"))
    with open(os.path.join(parent, f".{name}.part", pictures[0][0]), "wb") as file:
        file.write(b"half")
os.kill(os.getpid(), 9)
"""
DIES_BEFORE_IT_ANSWERS = """
import os, sys
drafts.keep(drafts.receive(sys.stdin.buffer))
os.write(1, b"\\0\\0\\0")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("text", [DIES_AT_ONCE, DIES_HALF_WAY, DIES_BEFORE_IT_ANSWERS])
def test_process_that_dies_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Out of memory, say: its work is done again, and the batch hears nothing of it."""
    script = tmp_path / "worker.py"
    home = str(Path(drafts.__file__).parents[2])
    head = f"import sys\nsys.path.append({home!r})\nfrom nanorecipes.batch import drafts\n"
    script.write_text(f"{head}{text}")
    begun: list[subprocess.Popen[bytes]] = []

    def begin(lock: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        begun.append(process)
        return process

    monkeypatch.setattr(keeper, "_begin", begin)
    monkeypatch.setattr(keeper, "FEW", 1)
    shop = Shop.open(tmp_path)
    assert states(shop.batch(rows(MANY))) == {"verified": MANY}
    assert begun
    assert None not in {process.returncode for process in begun}
    assert len(shop.sandbox.charges) == MANY
    assert not list(shop.out.glob(".*.part"))
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


def test_values_of_a_type_of_ones_own_are_written_by_the_thread(
    tmp_path: Path, lock: Lock, begun: list[subprocess.Popen[bytes]]
) -> None:
    """A row from Python may hold anything that reads as a text, and the other process is kept."""
    with_processes = Keeper(lambda: lock.handle)
    ((folder, ((name, sheet),)),) = parcels(tmp_path / "out", PICTURE, 1)
    own = Sheet(*sheet)._replace(facts={"model": "flash", "price": Decimal("0.10")})
    given = [*parcels(tmp_path / "out", PICTURE), (f"{folder}-own", [(name, tuple(own))])]
    for _ in range(2):
        assert with_processes.keep(given) == [kept(PICTURE)] * (MANY + 1)
    with_processes.close()
    assert [process.returncode for process in begun] == [0]
    sidecar = json.loads((tmp_path / "out" / "row-0-own" / "1.jpg.json").read_bytes())
    assert sidecar["price"] == "0.10"


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
