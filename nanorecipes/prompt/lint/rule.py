"""What a rule of the guide is: its code, name, severity and page, and its check."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from nanorecipes.codes import Code

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Severity
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.mending import Edit
    from nanorecipes.recipe.source import Place

Status = Literal["stable", "preview"]


class Fault(NamedTuple):
    """One breach of a rule: where, what, and the way out."""

    place: Place
    message: str
    help: str | None = None
    edits: Iterable[Edit] = ()
    """What mends it and its like in the same text, where that is safe; sought when it is read."""


class Rule(ABC):
    """One rule of the guide; its docstring is its documentation page."""

    code: ClassVar[str]
    name: ClassVar[str]
    """States the fault, and reads well after "allow"."""
    severity: ClassVar[Severity] = "warning"
    status: ClassVar[Status] = "stable"
    """`preview` where the rule reads meaning from words, and will still learn to read better."""
    reads_english: ClassVar[bool] = True
    """Whether it is left out for recipes in another language."""

    @abstractmethod
    def check(self, context: Context) -> Iterator[Fault]:
        """Every breach of the rule in a recipe."""

    def page(self) -> str:
        """The documentation page: what it does, why it matters, an example, what to use."""
        return inspect.cleandoc(type(self).__doc__ or "")

    @property
    def about(self) -> Code:
        """Code and name, with the first sentence of the page."""
        return Code(self.code, self.name, self.page().split("\n")[0])
