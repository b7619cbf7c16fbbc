"""The error for a proof that can't be asked so."""

from __future__ import annotations

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError


def problem(
    field: str, message: str, help: str | None = None, code: codes.Code = codes.BAD_OPTION
) -> InputError:
    """An `InputError` about one option or picture."""
    text = f"{field}: {message}"
    return InputError([Diagnostic(code.code, code.name, "error", text, help=help, field=field)])
