"""Errors about the pictures and regions that a proof is asked for."""

from __future__ import annotations

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError


def bad_image(field: str, message: str, help: str) -> InputError:
    """An `InputError` about one picture argument."""
    return _fault(codes.BAD_IMAGE, field, message, help)


def bad_option(field: str, message: str, help: str) -> InputError:
    """An `InputError` about one option."""
    return _fault(codes.BAD_OPTION, field, message, help)


def _fault(code: codes.Code, field: str, message: str, help: str) -> InputError:
    text = f"{field}: {message}"
    return InputError(
        [Diagnostic(code.code, code.name, "error", text, help=help, field=field)],
    )
