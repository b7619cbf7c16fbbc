"""What the rules look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanorecipes.recipe.model import Definition


class Context:
    """A recipe as the rules see it; everything is made when it is first asked for."""

    def __init__(
        self, definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
    ) -> None:
        self.definition = definition
        self._macro_folders = macro_folders

    @property
    def is_english(self) -> bool:
        """Whether the author's text is English."""
        return self.definition.language.split("-")[0] == "en"
