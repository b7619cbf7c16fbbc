"""Taking times so that a busy machine disturbs them least: processor time, the best of many."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence


def call_us(work: Callable[[], object], *, number: int = 400, rounds: int = 25) -> float:
    """Microseconds of processor time for one call: the best of several rounds."""
    work()
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        for _ in range(number):
            work()
        best = min(best, time.process_time() - start)
    return best / number * 1e6


def once_ms(work: Callable[[], object], *, rounds: int = 5) -> float:
    """Milliseconds of processor time for a long piece of work: the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best * 1e3


def process_ms(args: Sequence[str], *, rounds: int = 15, cwd: str | None = None) -> float:
    """Milliseconds of processor time of a whole Python process: the best of some rounds."""
    best = float("inf")
    # Without cached bytecode a start would measure Python's compiler.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, *args], env=env, cwd=cwd, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(f"{args}: {done.stderr.decode()[-500:]}")
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, spent)
    return best * 1e3


def row(name: str, value: float, unit: str, base: float | None = None, bar: str = "") -> None:
    """One line of a table: the value, its ratio to the base, and the bar it has to keep."""
    ratio = f"{value / base:8.2f}x" if base else " " * 9
    print(f"  {name:44s}{value:10.2f} {unit:3s}{ratio}  {bar}")
