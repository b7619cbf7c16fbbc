"""What is on the disk for good: also where the system means less by that word."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from catalogue import Shop, rows, states

from nanorecipes import durable
from nanorecipes.errors import InputError, SaveError

FULL = 51
RENAMED = -1
"""Stands among the inodes where something got its name."""


def _as_on_macos(
    monkeypatch: pytest.MonkeyPatch, full: Callable[[int, int], int]
) -> tuple[list[int], list[int]]:
    """The inodes that were synced in macOS's own way, and those in everybody's."""
    fully: list[int] = []
    plainly: list[int] = []
    fsync, rename = os.fsync, os.rename

    def in_its_own_way(handle: int, command: int) -> int:
        end = full(handle, command)
        fully.append(os.fstat(handle).st_ino)
        return end

    def in_everybodys(handle: int) -> None:
        plainly.append(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "rename", lambda *names: (rename(*names), fully.append(RENAMED)))
    monkeypatch.setattr(durable, "_fcntl", SimpleNamespace(F_FULLFSYNC=FULL, fcntl=in_its_own_way))
    monkeypatch.setattr(os, "fsync", in_everybodys)
    return fully, plainly


def _kept(out: Path) -> set[int]:
    """What a batch must have made durable: folders, pictures and sidecars."""
    return {path.stat().st_ino for path in (out, *out.glob("*/"), *out.glob("*/*"))}


def test_the_drive_itself_is_waited_for_on_macos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There `fsync` comes back while the drive holds the picture in memory alone."""
    shop = Shop.open(tmp_path)

    def full(handle: int, command: int) -> int:
        assert command == FULL
        return 0

    fully, plainly = _as_on_macos(monkeypatch, full)
    assert states(shop.batch(rows(3))) == {"verified": 3}
    assert len(_kept(shop.out)) >= 1 + 3 * 3
    assert _kept(shop.out) <= set(fully)
    assert not plainly
    last = max(at for at, inode in enumerate(fully) if inode == RENAMED)
    assert shop.out.stat().st_ino in fully[last:]  # the last name as well


def test_disk_that_fails_is_no_disk_that_does_not_know_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a failing disk says must not be asked away by another call, which may say nothing."""
    shop = Shop.open(tmp_path)

    mkdir, is_failing = os.mkdir, []

    def full(handle: int, command: int) -> int:
        if is_failing:
            raise OSError(errno.EIO, "Input/output error")
        return 0

    def made(path: bytes, *args: int) -> None:
        mkdir(path, *args)
        is_failing.append(os.fsencode(path).endswith(b".part"))

    assert states(shop.batch(rows(1))) == {"verified": 1}
    with monkeypatch.context() as faults:
        _as_on_macos(faults, full)
        faults.setattr(os, "mkdir", made)
        with pytest.raises(SaveError, match="Input/output error"):
            shop.batch(rows(2))
    assert is_failing == [True]
    assert states(shop.batch(rows(2))) == {"verified": 2}
    assert len(shop.sandbox.charges) == 2


def test_disk_that_fails_before_anything_was_bought_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's mark is written first: without it the next call would look for other books."""
    shop = Shop.open(tmp_path)
    shop.ledger().close()

    def full(handle: int, command: int) -> int:
        raise OSError(errno.EIO, "Input/output error")

    _as_on_macos(monkeypatch, full)
    with pytest.raises(InputError, match="can't be written: Input/output error"):
        shop.batch(rows(1))
    assert not shop.sandbox.charges


def test_file_system_without_that_call_is_synced_as_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network's file system may not know it: that stops no batch."""
    shop = Shop.open(tmp_path)

    def full(handle: int, command: int) -> int:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    fully, plainly = _as_on_macos(monkeypatch, full)
    assert states(shop.batch(rows(3))) == {"verified": 3}
    assert _kept(shop.out) <= set(plainly)
    assert set(fully) == {RENAMED}
