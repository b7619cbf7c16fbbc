"""A catalogue that is stopped by a signal: it leaves cleanly, and goes on later."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.server import running_server

ROWS = 40


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal_stops_cleanly_and_the_same_command_goes_on(tmp_path: Path, name: str) -> None:
    """Open purchases are waited for: nothing is unknown, nothing is bought again."""
    lines = ["photo,part,change"]
    lines += [f"https://pictures.invalid/{n}.jpg,the mug,blue {n}" for n in range(ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["batch", "edit/change_part", "t.csv", "-o", "out", "--aspect-ratio", "1:1", "--json"]
    command = [sys.executable, "-m", "nanorecipes", *words, "--quality", "512"]
    with running_server(Sandbox(task_seconds=0, plain=True)) as server:
        environment = {
            **os.environ, "NANORECIPES_LEDGER": str(tmp_path / "ledger.sqlite"),
            "QOLABA_BASE_URL": server.base_url, "QOLABA_API_KEY": "any",
        }  # fmt: skip
        with subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while len(server.sandbox.charges) < 5:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.005)
            process.send_signal(getattr(signal, name))
            told = json.loads(process.communicate(timeout=120)[0])
        assert process.returncode == 130
        assert told["unknown"] == 0
        assert told["bought"] == len(server.sandbox.charges) < ROWS
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
            check=True,
        )  # fmt: skip
        told = json.loads(ran.stdout)
        assert told["verified"] == ROWS == len(server.sandbox.charges)
