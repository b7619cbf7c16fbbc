"""What every test stands on: an empty environment, a home of its own, and no network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from nanorecipes import config
from nanorecipes.service import door
from nanorecipes.service.timing import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from network import Face

# A busy machine is no failure, and what CI says must not change from one run to the next.
settings.register_profile(
    "nanorecipes",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("nanorecipes")

_OURS = ("QOLABA_", "GEMINI_", "NANORECIPES_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Only this machine is reached, whatever a test does."""
    before = door.allow_network(False)
    yield
    door.allow_network(before)


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, _home: str) -> Iterator[None]:
    """No setting, key or proxy of the machine's owner reaches a test."""
    for name in os.environ:
        if name.startswith(_OURS) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", _home)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("NANORECIPES_LEDGER", "off")  # tests of the ledger choose their own
    yield
    config.configure()


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that moves only when someone waits: 2026-11-20, 00:00 UTC at the start."""
    return VirtualClock(start=1_795_132_800.0)


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """One of the two clients, blocking or on an event loop; what it made is closed at the end."""
    from network import Face

    made = Face(request.param)
    yield made
    made.close()
