"""Which ledger a client keeps: the one that was named, the project's, or none."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TypeAlias

from nanorecipes import config
from nanorecipes.batch.ledger import Ledger, default_path, project_folder
from nanorecipes.errors import LedgerError

LedgerChoice: TypeAlias = "Ledger | str | os.PathLike[str] | bool | None"

OFF = frozenset({"off", "none", "0", "false"})

_warned: set[str] = set()


def chosen_path(choice: str | os.PathLike[str] | bool | None = None) -> Path | None:
    """The ledger's file by argument, environment or project; None when it is switched off."""
    if choice is False:
        return None
    if choice is not None and choice is not True:
        return Path(choice)
    setting = config.ledger()
    if setting is None:
        return default_path()
    return None if setting.lower() in OFF else project_folder() / Path(setting).expanduser()


def open_ledger(choice: LedgerChoice = None) -> Ledger | None:
    """The ledger for a client; None when it is off, or its folder can't be written.

    A run without a ledger is better than none where only the project's folder is read-only, so
    that is a warning, once; a ledger that was named must be usable.

    Raises:
        LedgerError: the file is damaged, or the one that was named can't be written.
    """
    if isinstance(choice, Ledger):
        return choice
    path = chosen_path(choice)
    if path is None:
        return None
    try:
        return Ledger(path)
    except OSError as exc:
        message = f"no ledger is kept: {str(path)!r} can't be written ({exc.strerror or exc})"
        if isinstance(choice, (str, os.PathLike)):
            raise LedgerError(message, path=path, help="name another place") from exc
        if str(path) not in _warned:
            _warned.add(str(path))
            warnings.warn(
                f"{message}; NANORECIPES_LEDGER names another place, or off", stacklevel=4
            )
        return None
