"""A cache of bytes with a bound on their sum, for uploads and drawn pictures."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ByteCache:
    """Keeps the bytes used last, at most `limit` of them; threads may share it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._making: dict[str, Future[bytes]] = {}

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self._size

    def get(self, key: str) -> bytes | None:
        """The bytes of a key, which counts as a use, or None when they are not held."""
        with self._lock:
            data = self._held.get(key)
            if data is not None:
                self._held.move_to_end(key)
            return data

    def put(self, key: str, data: bytes) -> None:
        """Keep these bytes, and let go of those unused for longest. One item always stays."""
        with self._lock:
            old = self._held.pop(key, None)
            self._size += len(data) - (len(old) if old is not None else 0)
            self._held[key] = data
            while self._size > self.limit and len(self._held) > 1:
                self._size -= len(self._held.popitem(last=False)[1])

    def get_or_make(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The bytes of a key, made once however many threads ask at the same time."""
        data = self.get(key)
        if data is not None:
            return data
        own: Future[bytes] = Future()
        with self._lock:
            first = self._making.setdefault(key, own)
        if first is not own:
            return first.result()
        try:
            data = self.get(key)  # another thread may have finished between the two locks
            if data is None:
                data = make()
                self.put(key, data)
            own.set_result(data)
        except BaseException as exc:
            own.set_exception(exc)
            raise
        finally:
            with self._lock:
                del self._making[key]
        return data
