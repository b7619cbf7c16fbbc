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

FULL = 51


def _as_on_macos(
    monkeypatch: pytest.MonkeyPatch, full: Callable[[int, int], int]
) -> tuple[list[int], list[int]]:
    """The inodes that were synced in macOS's own way, and those in everybody's."""
    fully: list[int] = []
    plainly: list[int] = []
    fsync = os.fsync

    def in_its_own_way(handle: int, command: int) -> int:
        end = full(handle, command)
        fully.append(os.fstat(handle).st_ino)
        return end

    def in_everybodys(handle: int) -> None:
        plainly.append(os.fstat(handle).st_ino)
        fsync(handle)

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
    assert not fully
