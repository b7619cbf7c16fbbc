"""Who is asking: the tool's own version."""

from __future__ import annotations

from functools import cache


@cache
def tool_version() -> str:
    """The installed version, or `0` in a tree that was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nanorecipes")
    except PackageNotFoundError:
        return "0"
