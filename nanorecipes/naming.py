"""File names from a pattern such as `{recipe}-{n}`, safe on every file system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError

FIELDS = ("recipe", "group", "n", "task", "row", "model", "date")
MAX_NAME_BYTES = 110
"""Below the 143 that encrypted folders leave of 255, with a counter, extensions and a sidecar."""

_FIELD = re.compile(r"\{([^{}]*)\}")
_UNFIT = re.compile(r'[<>:"/\\|?*]+')
# Windows opens a device under these names, whatever the extension.
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{name}{digit}" for name in ("com", "lpt") for digit in "0123456789¹²³"]
)


def check_pattern(pattern: str) -> None:
    """Make sure that a pattern can be filled in, before anything is paid for.

    Raises:
        InputError: an unknown field, a lone brace, or no pattern at all.
    """
    unknown = [name for name in _FIELD.findall(pattern) if name not in FIELDS]
    rest = _FIELD.sub("", pattern)
    if unknown:
        message = f"name: unknown field {{{unknown[0]}}}"
    elif "{" in rest or "}" in rest:
        message = f"name: a lone brace in {pattern!r}"
    elif not pattern.strip():
        message = "name: expected a pattern, found an empty text"
    else:
        return
    help = f"the fields are {', '.join(f'{{{name}}}' for name in FIELDS)}"
    code = codes.BAD_OPTION
    raise InputError([Diagnostic(code.code, code.name, "error", message, field="name", help=help)])


def fill(pattern: str, facts: Mapping[str, str]) -> str:
    """The name that a pattern makes, without an extension.

    Raises:
        InputError: as in `check_pattern`.
    """
    check_pattern(pattern)
    return safe_name(_FIELD.sub(lambda found: facts.get(found[1], ""), pattern))


def safe_name(text: str) -> str:
    """A text as a file name: letters of every script stay, what a file system dislikes doesn't."""
    plain = unicodedata.normalize("NFC", text)
    plain = "".join(
        char for char in plain if unicodedata.category(char)[0] != "C" or char in "\t\n"
    )
    plain = _UNFIT.sub("-", " ".join(plain.split()))
    plain = re.sub(r"-{2,}", "-", plain).strip(" .-")
    plain = plain.encode("utf-8")[:MAX_NAME_BYTES].decode("utf-8", "ignore").strip(" .-")
    if plain.partition(".")[0].strip().lower() in _RESERVED:
        plain = f"_{plain}"
    return plain or "picture"
