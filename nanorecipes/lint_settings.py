"""Which findings are wanted: the command line's choice, and `[tool.nanorecipes.lint]`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import ConfigurationError, InputError
from nanorecipes.prompt.lint.rules import RULES
from nanorecipes.suggest import did_you_mean

_KEYS = ("select", "ignore")


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes, beginnings of codes and names; an empty `select` takes everything."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def takes(self, code: str, name: str) -> bool:
        """Whether findings of this code are wanted."""
        return (not self.select or _hits(self.select, code, name)) and not _hits(
            self.ignore, code, name
        )


def _hits(items: Sequence[str], code: str, name: str) -> bool:
    return any(name == item or code.startswith(item.upper()) for item in items)


def read_selection(select: Sequence[str], ignore: Sequence[str]) -> Selection:
    """What is wanted: `select` replaces the file's choice, `ignore` adds to it.

    Raises:
        InputError: a code or name is unknown; every one is named.
        ConfigurationError: the nearest pyproject.toml holds a wrong setting.
    """
    chosen, left_out = _split(select), _split(ignore)
    problems = [
        Diagnostic(*codes.BAD_OPTION[:2], "error", unknown(item), field=option, help=near(item))
        for option, items in (("select", chosen), ("ignore", left_out))
        for item in items
        if not is_known(item)
    ]
    if problems:
        raise InputError(problems)
    settings = _file_settings()
    return Selection(chosen or settings.get("select", ()), left_out + settings.get("ignore", ()))


def _split(items: Sequence[str]) -> tuple[str, ...]:
    """Each item, also where several stand in one text with commas."""
    return tuple(part.strip() for item in items for part in item.split(",") if part.strip())


def known_codes() -> dict[str, str]:
    """Every code with its name: those of the format and those of the guide."""
    found = {code.code: code.name for code in codes.ALL}
    found.update({rule.code: rule.name for rule in RULES})
    return found


def is_known(item: str) -> bool:
    """Whether a text is a code, the beginning of one, or a name."""
    known = known_codes()
    return item in known.values() or any(code.startswith(item.upper()) for code in known)


def unknown(item: str) -> str:
    """What is wrong with a text that is neither."""
    return f"{item!r} is no code and no name of a rule"


def near(item: str) -> str:
    """The nearest code or name, or where all of them are listed."""
    known = known_codes()
    found = did_you_mean(item, [*known, *known.values()])
    return found or "`nanorecipes lint --explain` lists them all"


def _file_settings() -> dict[str, tuple[str, ...]]:
    here = Path.cwd()
    files = (folder / "pyproject.toml" for folder in (here, *here.parents))
    file = next((path for path in files if path.is_file()), None)
    return {} if file is None else _read(file)


def _read(file: Path) -> dict[str, tuple[str, ...]]:
    try:
        data: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{file} can't be read: {exc}") from exc
    for name in ("tool", "nanorecipes", "lint"):
        data = data.get(name, {}) if isinstance(data, dict) else {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"{file}: [tool.nanorecipes.lint] is {data!r}, expected a table")
    return {key: _items(file, key, value) for key, value in data.items()}


def _items(file: Path, key: str, value: Any) -> tuple[str, ...]:
    where = f"{file}: [tool.nanorecipes.lint]"
    if key not in _KEYS:
        advice = did_you_mean(key, _KEYS) or f"there are {' and '.join(_KEYS)}"
        raise ConfigurationError(f"{where} has no setting {key!r}", help=advice)
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ConfigurationError(f"{where}: {key} is {value!r}, expected a list of codes or names")
    for item in items:
        if not is_known(item):
            raise ConfigurationError(f"{where}: {key}: {unknown(item)}", help=near(item))
    return tuple(items)
