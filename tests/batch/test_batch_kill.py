"""A runner that is killed without warning: nothing is paid twice, nothing that was paid is lost."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from killed_runner import RECIPE, given

from nanorecipes import recipes
from nanorecipes.batch import queries
from nanorecipes.batch.keys import row_key
from nanorecipes.batch.ledger import Ledger, Row
from nanorecipes.sandbox.check import request_key
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import RunningServer, running_server

FAULTS = {"429": 0.02, "drop_before": 0.01, "drop_after": 0.02}
SUBMITS = 4


def command(server: RunningServer, folder: Path, count: int) -> list[str]:
    """The runner's process."""
    script = Path(__file__).with_name("killed_runner.py")
    return [sys.executable, str(script), server.base_url, str(folder), str(count)]


def kill_once(server: RunningServer, folder: Path, count: int, after: int) -> bool:
    """Start it, and kill it when so many more were charged; False when it was faster."""
    end = len(server.sandbox.charges) + after
    with subprocess.Popen(command(server, folder, count), stdout=subprocess.DEVNULL) as process:
        while len(server.sandbox.charges) < end:
            try:
                process.wait(0.001)
            except subprocess.TimeoutExpired:
                continue
            assert process.returncode == 0
            return False
        process.kill()
    return True


def run_to_the_end(server: RunningServer, folder: Path, count: int) -> dict[int, str]:
    """Run it whole: the state of each row."""
    ran = subprocess.run(
        command(server, folder, count), capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    words = (line.split() for line in ran.stdout.splitlines())
    return {int(number): state for number, state, _ in words}


def check_books(server: RunningServer, folder: Path, count: int, kills: int) -> None:
    """The ledger against the emulator's charge log, purchase by purchase."""
    with Ledger(folder / "ledger.sqlite") as books:
        queries.check(books)
        rows = {row.key: row for row, _ in queries.rows_of(books)}
    recipe = recipes[RECIPE]
    requests = [recipe.render(**row) for row in given(count)]
    by_wire = {request_key(request.payload()): row_key(request) for request in requests}
    assert set(by_wire.values()) == set(rows)  # every row is accounted for
    charged = Counter(charge.request_key for charge in server.sandbox.charges)
    assert max(charged.values()) == 1  # nobody allowed a second purchase
    tasks = {charge.task_id: charge.request_key for charge in server.sandbox.charges}
    for key, row in rows.items():
        assert row.state in ("verified", "unknown"), row
        if row.state == "verified":
            assert by_wire[tasks[str(row.task_id)]] == key
            assert Path(row.files[0]["path"]).is_file()
    for wire_key in charged:  # what was charged has its picture, or is known to be unknown
        assert rows[by_wire[wire_key]].state in ("verified", "unknown")
    check_unknown(list(rows.values()), kills)


def check_unknown(rows: list[Row], kills: int) -> None:
    """A kill leaves no more unknown than there were open purchases."""
    killed = [row for row in rows if "the program ended" in str(row.error)]
    assert len(killed) <= SUBMITS * kills


def play(folder: Path, count: int, kills: int, seed: int) -> None:
    """Kill a batch again and again, let it end, and audit the books."""
    chance = random.Random(seed)
    sandbox = Sandbox(task_seconds=0, plain=True, faults=Faults(FAULTS, seed=seed, retry_after_s=0))
    with running_server(sandbox) as server:
        step = count // (kills + 2)
        done = sum(kill_once(server, folder, count, chance.randint(1, step)) for _ in range(kills))
        assert done == kills
        states = run_to_the_end(server, folder, count)
        assert sorted(states) == [*range(1, count + 1)]
        check_books(server, folder, count, kills)


def test_killed_runner_pays_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    """The promise of the whole tool, on 300 rows and 8 kills."""
    play(tmp_path, 300, 8, seed=7)


@pytest.mark.soak
def test_runner_that_is_killed_forty_times(tmp_path: Path) -> None:
    """The same on 3,000 rows and 40 kills."""
    play(tmp_path, 3000, 40, seed=11)
