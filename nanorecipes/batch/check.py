"""A whole table checked without spending: bad rows, total cost, longest prompt, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from nanorecipes import codes, config
from nanorecipes.batch.pictures import Pictures
from nanorecipes.batch.table import format_of
from nanorecipes.batch.writers import (
    RowWriter,
    free_name,
    new_file,
    parquet_text_writer,
    text_writer,
)
from nanorecipes.errors import InputError, LimitError, RenderError, SaveError
from nanorecipes.images import BadImageError, ImageInput, image_input
from nanorecipes.preflight import SEND_ALONG, check_direct
from nanorecipes.recent import Recent

if TYPE_CHECKING:
    import os

    from nanorecipes.batch.binding import Binding
    from nanorecipes.batch.rows import Row
    from nanorecipes.book import Recipe
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.request import Request

KEPT_PROBLEMS = 100
KEPT_PROMPTS = 1_024
_NOT_VISIBLE = (
    "{name!r} lies on this machine, and the service takes public URLs only: "
    f"give a URL, or set NANORECIPES_UPLOADS to an upload place; {SEND_ALONG}"
)


class Problem(NamedTuple):
    """Why one row can't be run."""

    row: int
    """From 1, over data rows."""
    line: int | None
    column: str | None
    """The column that is to blame, where one is."""
    message: str

    def __str__(self) -> str:
        where = f"row {self.row}" + (f" (line {self.line})" if self.line is not None else "")
        return f"{where}{f', column {self.column!r}' if self.column else ''}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return self._asdict()


OnBad: TypeAlias = Callable[["Row", Sequence[Problem]], Any]


class Facts(NamedTuple):
    """What a check needs to know of a request; rows that differ in pictures alone share it."""

    cost: Decimal | None
    prompt_chars: int
    model: str
    quality: str | None
    pictures: int
    is_matched: bool
    """Whether the ratio is to follow the first picture."""
    notices: tuple[str, ...]


@dataclass
class Tally:
    """Rows of one model and quality."""

    rows: int = 0
    pictures: int = 0
    cost_usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Check:
    """What a whole table comes to. Nothing was sent."""

    rows: int
    good: int
    bad: int
    problems: tuple[Problem, ...]
    """The first ones; `problem_count` says how many there are."""
    problem_count: int
    estimated_cost_usd: Decimal
    """Of the good rows whose price is known; identical rows count each."""
    unpriced: int
    """Good rows for which no price is known."""
    longest_prompt: int
    """In characters."""
    longest_prompt_row: int | None
    tallies: Mapping[tuple[str, str | None], Tally]
    """By model and quality."""
    pictures_looked_at: int
    bad_picture_rows: int
    """Rows with a picture that can't be read."""
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The facts as plain data."""
        return {
            "rows": self.rows,
            "good": self.good,
            "bad": self.bad,
            "problems": [problem.to_json() for problem in self.problems],
            "problem_count": self.problem_count,
            "estimated_cost_usd": self.estimated_cost_usd,
            "unpriced": self.unpriced,
            "longest_prompt": self.longest_prompt,
            "longest_prompt_row": self.longest_prompt_row,
            "models": [
                {"model": model, "quality": quality, "rows": tally.rows,
                 "pictures": tally.pictures, "cost_usd": tally.cost_usd}
                for (model, quality), tally in self.tallies.items()
            ],
            "pictures_looked_at": self.pictures_looked_at,
            "bad_picture_rows": self.bad_picture_rows,
            "warnings": list(self.warnings),
        }  # fmt: skip


def check_rows(
    recipe: Recipe,
    rows: Iterable[Row],
    binding: Binding,
    *,
    takes_files: bool = True,
    backend: str = "qolaba",
    on_bad: OnBad | None = None,
    keep: int = KEPT_PROBLEMS,
) -> Check:
    """Hold every row against the recipe, the model's limits and its pictures.

    Args:
        recipe: what each row is rendered with.
        rows: as `read_rows` gives them; each is looked at once and forgotten.
        binding: which column feeds which input.
        takes_files: whether local pictures can be sent; `pictures_can_be_sent` knows.
        backend: who is going to make the pictures, and whose prices count.
        on_bad: called with each bad row and all that is wrong with it.
        keep: how many problems the result holds.

    Raises:
        RecipeError: the recipe itself is broken.
        InputError: the table can't be read.
    """
    checker = Checker(recipe, binding, takes_files=takes_files, backend=backend)
    sums = _Sums(keep)
    for row in rows:
        facts, problems, has_bad_picture = checker.look(row)
        sums.bad_picture_rows += has_bad_picture
        if facts is None:
            sums.add_bad(problems)
            if on_bad is not None:
                on_bad(row, problems)
        else:
            sums.add_good(row.number, facts)
    return sums.check(checker)


def pictures_can_be_sent(backend: str) -> bool:
    """Whether a backend gets to see pictures of this machine: itself, or by an upload."""
    return backend != "qolaba" or config.uploads() is not None


class Looked(NamedTuple):
    """What was found about one row."""

    facts: Facts | None
    """None for a bad row."""
    problems: tuple[Problem, ...]
    has_bad_picture: bool


class Checker:
    """Checks one row after the other; what rows have in common is worked out once."""

    def __init__(
        self,
        recipe: Recipe,
        binding: Binding,
        *,
        takes_files: bool = True,
        backend: str = "qolaba",
    ) -> None:
        self._backend = backend
        self._recipe = recipe
        self._binding = binding
        self._takes_files = takes_files
        self._slots = tuple(recipe.images)
        self._known: Recent[tuple[Any, ...], Facts] = Recent(KEPT_PROMPTS)
        self.pictures = Pictures()
        self.unknown_ratios = 0
        """Rows whose ratio should follow a picture behind a URL, which nobody opens."""

    def look(self, row: Row) -> Looked:
        """What the row comes to, or everything that is wrong with it.

        Raises:
            RecipeError: the recipe itself is broken.
        """
        try:
            arguments = self._binding.arguments(row)
        except InputError as exc:
            found = [_problem(row, item.field or None, item) for item in exc.diagnostics]
            return Looked(None, tuple(found), False)
        try:
            facts, images = self._facts(arguments)
        except (InputError, LimitError, RenderError) as exc:
            return Looked(None, self._blame(row, exc.diagnostics), False)
        problems = self._look_at(row, images)
        if problems:
            return Looked(None, tuple(problems), True)
        if facts.is_matched and images[0][1].kind == "url":
            self.unknown_ratios += 1
        return Looked(facts, (), False)

    def _facts(self, arguments: Mapping[str, Any]) -> tuple[Facts, list[tuple[str, ImageInput]]]:
        """Rendered, unless a row with the same texts and as many pictures was before."""
        key, images = self._key(arguments)
        facts = self._known.get(key) if key is not None else None
        if facts is not None:
            return facts, images
        prepared = dict(arguments)
        for slot, image in images:  # taken in already: not a second time
            if not isinstance(prepared[slot], list):
                prepared[slot] = image
        request = self._recipe.render(**prepared).priced_for(self._backend)
        if self._backend == "gemini":
            check_direct(request)
        facts = _facts(request)
        if key is not None:
            self._known.put(key, facts)
        return facts, [(image.slot, image.input) for image in request.images]

    def _key(
        self, arguments: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...] | None, list[tuple[str, ImageInput]]]:
        """What the prompt depends on, and the pictures; None where rendering has to tell."""
        images: list[tuple[str, ImageInput]] = []
        key: list[Any] = []
        rest = dict(arguments)
        try:
            for slot in self._slots:
                value = rest.pop(slot, None)
                if value is None:
                    key.append(0)
                    continue
                items = value if isinstance(value, list) else [value]
                images += [(slot, image_input(item)) for item in items]
                key.append(len(items))
        except BadImageError:
            return None, []
        for name, value in rest.items():
            if isinstance(value, str):
                key += (name, value)
            elif isinstance(value, list):
                key += (name, *value, len(value))
            else:  # with its type: 1, 1.0 and true are one key otherwise
                key += (name, type(value), value)
        return tuple(key), images

    def _look_at(self, row: Row, images: Sequence[tuple[str, ImageInput]]) -> list[Problem]:
        found: list[Problem] = []
        for slot, image in images:
            if image.kind == "url":
                continue
            reason = self.pictures.problem(image)
            if reason is None and not self._takes_files:
                reason = _NOT_VISIBLE.format(name=image.name)
            if reason is not None:
                found.append(Problem(row.number, row.line, self._binding.column_of(slot), reason))
        return found

    def _blame(self, row: Row, found: Sequence[Diagnostic]) -> tuple[Problem, ...]:
        """Findings about inputs, told as findings about the columns that feed them."""
        return tuple(
            _problem(row, self._binding.column_of(item.field) if item.field else None, item)
            for item in found
        )


def _problem(row: Row, column: str | None, item: Diagnostic) -> Problem:
    message = item.message
    if item.code == codes.MISSING_ARGUMENT.code and column is not None:
        message = f"the cell is empty, but {message.removeprefix('the ')}"
    return Problem(row.number, row.line, column, message)


def _facts(request: Request) -> Facts:
    options = request.options
    return Facts(
        cost=request.estimated_cost,
        prompt_chars=len(request.prompt),
        model=request.chosen.alias,
        quality=options.get("quality") or request.chosen.default_quality,
        pictures=request.num_images,
        is_matched=options.get("aspect_ratio") == "match",
        notices=request.notices,
    )


@dataclass
class _Sums:
    keep: int
    good: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    longest: tuple[int, int | None] = (0, None)
    tallies: dict[tuple[str, str | None], Tally] = field(default_factory=dict)
    bad_picture_rows: int = 0
    notices: tuple[str, ...] = ()

    def add_bad(self, problems: Sequence[Problem]) -> None:
        self.bad += 1
        self.problem_count += len(problems)
        self.problems += problems[: max(0, self.keep - len(self.problems))]

    def add_good(self, number: int, facts: Facts) -> None:
        self.good += 1
        tally = self.tallies.setdefault((facts.model, facts.quality), Tally())
        tally.rows += 1
        tally.pictures += facts.pictures
        if facts.cost is None:
            self.unpriced += 1
        else:
            self.cost += facts.cost
            tally.cost_usd += facts.cost
        if facts.prompt_chars > self.longest[0]:
            self.longest = (facts.prompt_chars, number)
        self.notices = facts.notices or self.notices

    def check(self, checker: Checker) -> Check:
        warnings = list(self.notices)
        if checker.unknown_ratios:
            warnings.append(
                f"aspect_ratio: match is left out for {checker.unknown_ratios} rows whose first "
                "picture is a URL: the size isn't known, and the output follows the input"
            )
        return Check(
            rows=self.good + self.bad, good=self.good, bad=self.bad,
            problems=tuple(self.problems), problem_count=self.problem_count,
            estimated_cost_usd=self.cost, unpriced=self.unpriced,
            longest_prompt=self.longest[0], longest_prompt_row=self.longest[1],
            tallies=self.tallies, pictures_looked_at=checker.pictures.looked,
            bad_picture_rows=self.bad_picture_rows, warnings=tuple(warnings),
        )  # fmt: skip


class BadRows:
    """Takes bad rows into a file with the table's columns and `error`: an `on_bad` for a check."""

    def __init__(self, stack: ExitStack, path: Path, columns: Sequence[str]) -> None:
        self._stack = stack
        self._path = path
        self._columns = tuple(columns)
        self._writer: RowWriter | None = None
        self.count = 0

    def __call__(self, row: Row, problems: Sequence[Problem]) -> None:
        """Write a bad row; the file is begun with the first."""
        if self._writer is None:
            self._writer = self._begin()
        error = "; ".join(
            f"{problem.column}: {problem.message}" if problem.column else problem.message
            for problem in problems
        )
        self._writer.write([*(row.values.get(name) for name in self._columns), error])
        self.count += 1

    def _begin(self) -> RowWriter:
        part = self._stack.enter_context(new_file(self._path))
        heads = [*self._columns, free_name("error", self._columns)]
        guarded = [False] * len(self._columns) + [True]
        kind = format_of(self._path)
        if kind == "parquet":
            return self._stack.enter_context(parquet_text_writer(part, heads))
        return self._stack.enter_context(text_writer(part, heads, kind, guarded))


@contextmanager
def bad_rows(path: str | os.PathLike[str], columns: Sequence[str]) -> Iterator[BadRows]:
    """A file for the bad rows of a table, which can be corrected and run as a table itself.

    It is there when the block ends, and only if there was a bad row: one of an earlier check goes.

    Args:
        path: a CSV, TSV, JSON Lines or Parquet file.
        columns: the table's; a column `error` is added.

    Raises:
        SaveError: it can't be written, or the earlier one can't be removed.
    """
    with ExitStack() as stack:
        found = BadRows(stack, Path(path), columns)
        yield found
    if not found.count:
        _remove(Path(path))


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        message = (
            f"{str(path)!r} is of an earlier check and can't be removed: {exc.strerror or exc}"
        )
        raise SaveError(message, path=path) from exc


__all__ = [
    "BadRows", "Check", "Checker", "Facts", "Looked", "Problem", "Tally", "bad_rows",
    "check_rows", "pictures_can_be_sent",
]  # fmt: skip
