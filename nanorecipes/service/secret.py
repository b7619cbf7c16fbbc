"""A key that never shows itself: not in a repr, a log line, an error or a copy."""

from __future__ import annotations

from typing import NoReturn

HIDDEN = "[key hidden]"

# A shorter text is no credential, and hiding it would tear holes into ordinary words.
_SCRUB_FROM_CHARS = 6


class Secret:
    """Holds a key; only `reveal` gives it, to the one place that writes the header."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the header of a request to the service's own host."""
        return self._value

    def scrub(self, text: str) -> str:
        """The text without the key, for whatever a service says that may echo it."""
        value = self._value
        if len(value) < _SCRUB_FROM_CHARS:
            return text
        text = text.replace(value, HIDDEN)
        # A text may have been cut within the key.
        rest = next(
            (
                n
                for n in range(len(value) - 1, _SCRUB_FROM_CHARS - 1, -1)
                if text.endswith(value[:n])
            ),
            0,
        )
        return f"{text[:-rest]}{HIDDEN}" if rest else text

    def bearer(self) -> Secret:
        """The value of an Authorization header, as well hidden as the key."""
        return Secret(f"Bearer {self._value}")

    def __repr__(self) -> str:
        return f"Secret({HIDDEN!r})"

    def __str__(self) -> str:
        return HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is neither pickled nor copied")


class NoSecret(Secret):
    """Stands for a key that isn't there: whoever is about to send it hears why.

    Args:
        error: what is raised then.
    """

    __slots__ = ("_error",)

    def __init__(self, error: Exception) -> None:
        super().__init__("")
        self._error = error

    def reveal(self) -> NoReturn:
        """Nothing is sent without a key."""
        raise self._error

    def bearer(self) -> Secret:
        """No header either."""
        return self
