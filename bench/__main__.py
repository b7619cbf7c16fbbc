"""`python -m bench [NAME ...]`: every benchmark, or those that are named."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in ("__init__", "__main__", "timing")
)


def main() -> None:
    """Run them one after the other."""
    chosen = sys.argv[1:] or NAMES
    for name in chosen:
        if name not in NAMES:
            sys.exit(f"there is no benchmark {name!r}; there are {', '.join(NAMES)}")
        import_module(f"bench.{name}").main()
        print()


main()
