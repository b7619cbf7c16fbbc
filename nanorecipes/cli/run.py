"""The commands that spend money: run, and resume for a task that was not waited for."""

from __future__ import annotations

import warnings
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import proving, view
from nanorecipes.cli.inputs import find_recipe, read_inputs
from nanorecipes.cli.money import Money
from nanorecipes.cli.options import (
    call_arguments,
    call_options,
    common,
    inputs_argument,
    recipe_argument,
)
from nanorecipes.cli.progress import Progress, names_kept
from nanorecipes.cli.proving import NOT_ASKED, Asked, proof_options
from nanorecipes.cli.saving import Saving, save_options, saved_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from nanorecipes.batch.ledger import Row, Run
    from nanorecipes.client import Client
    from nanorecipes.request import Request
    from nanorecipes.result import Result


OUT = click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(),
    show_default="this folder", help="The folder for pictures and sidecars.",
)  # fmt: skip
SANDBOX = click.option(
    "--sandbox", is_flag=True,
    help="Use the embedded sandbox: no key, no cost, proof pictures only.",
)  # fmt: skip
TIMEOUT = click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=600.0, show_default="600",
    metavar="SECONDS", help="How long to wait for the pictures.",
)  # fmt: skip
MAX_COST = click.option(
    "--max-cost", type=Money(), help="Send nothing that is estimated above this."
)


SHOW = click.option(
    "--show", is_flag=True,
    help="Show a small picture in a terminal that can: kitty, iTerm2 or sixels.",
)  # fmt: skip


@click.command("run")
@recipe_argument
@inputs_argument
@call_options
@OUT
@SANDBOX
@MAX_COST
@TIMEOUT
@SHOW
@proof_options
@save_options
@common
def run_command(
    recipe_name: str,
    inputs: tuple[str, ...],
    out: Path,
    sandbox: bool,
    max_cost: Decimal | None,
    timeout: float,
    show: bool,
    asked: Asked,
    saving: Saving,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Run a recipe: render, send, wait, download, save.

    Everything is checked before anything is sent: the arguments, the model's limits, the cost
    against --max-cost, and that the folder can be written. Ctrl-C prints the line that resumes.

    With --prove the exit code is 1 when the picture changed what the recipe holds; the picture is
    kept all the same, for it is paid for.
    """
    from nanorecipes.book import recipes

    recipe = find_recipe(recipes, recipe_name)
    request = recipe.render(**read_inputs(recipe, inputs), **call_arguments(options))
    result, code = send(
        request, out=out, sandbox=sandbox, max_cost=max_cost, timeout=timeout, saving=saving,
        asked=asked, as_json=as_json, quiet=quiet,
    )  # fmt: skip
    if show:
        view.show_pictures([image.data for image in result.images])
    return code


def send(
    request: Request,
    *,
    out: Path,
    sandbox: bool,
    max_cost: Decimal | None,
    timeout: float,
    saving: Saving,
    asked: Asked,
    as_json: bool,
    quiet: bool,
) -> tuple[Result, int]:
    """Send a request and save what comes, with everything checked before; and the exit code."""
    _check_pictures(request)
    asked.check(request)
    view.warn(request.warnings)
    _check_folder(out)
    progress = Progress(quiet=quiet or as_json, out=out, sandbox=sandbox)
    with _client(sandbox, timeout, progress) as client:
        view.warn(_other_host(client))
        progress.start(request.priced_for(client.backend), client.backend)
        result = _guarded(
            progress, lambda: client.run(request, max_cost=max_cost, prove=asked.argument)
        )
        code = _save(result, out, request, saving, asked, as_json, quiet, client)
    return result, code


@click.command("resume")
@click.argument("run_or_task", metavar="[ID]", required=False)
@OUT
@SANDBOX
@TIMEOUT
@save_options
@common
def resume_command(
    run_or_task: str | None,
    out: Path,
    sandbox: bool,
    timeout: float,
    saving: Saving,
    as_json: bool,
    quiet: bool,
) -> int:
    """Wait again for what was submitted before, and save its pictures. Waiting costs nothing.

    ID is a run, or a task; without one everything that the ledger has open is fetched.
    """
    rows = None if sandbox else _open_rows(run_or_task)
    real = [(row, run) for row, run in rows or () if not run.is_sandbox]
    if real:
        return _resume_rows(real, out, timeout, as_json, quiet)
    if rows is not None or run_or_task is None:
        ended = f": {len(rows)} rows of the sandbox ended with its program" if rows else ""
        view.info(f"there is nothing to resume{ended}", quiet)
        if as_json:
            view.print_json([])
        return 0
    task_id = run_or_task
    is_kept = not sandbox and names_kept(task_id)
    if not (sandbox or is_kept):
        view.info(f"{task_id!r} is no run of the ledger here: waiting for it as a task", quiet)
    _check_folder(out)
    progress = Progress(quiet=quiet or as_json, out=out, sandbox=sandbox)
    with _client(sandbox, timeout, progress, is_kept=is_kept) as client:
        result = _guarded(progress, lambda: client.wait(task_id))
        _save(result, out, result.request, saving, NOT_ASKED, as_json, quiet, client)
    return 0


def _open_rows(name: str | None) -> list[tuple[Row, Run]] | None:
    """What was paid for and not fetched, of one run or of all; None where a task is meant."""
    from nanorecipes.batch import opening, queries
    from nanorecipes.batch.states import PAID
    from nanorecipes.cli.ledger import open_books

    books = open_books() if opening.chosen_path() is not None else None
    if books is None:
        return None
    with books:
        run = queries.find_run(books, name) if name is not None else None
        if name is not None and run is None:
            return None
        run_id = run.run.id if run is not None else None
        return list(queries.rows_of(books, run_id=run_id, states=sorted(PAID)))


def _resume_rows(
    rows: list[tuple[Row, Run]], out: Path, timeout: float, as_json: bool, quiet: bool
) -> int:
    from nanorecipes.cli.ledger import open_books, tell_outcomes, work_through

    books = open_books()
    assert books is not None
    with books:
        return tell_outcomes(work_through(books, rows, out, timeout), as_json, quiet)


def _other_host(client: Client) -> list[str]:
    """Say where the key goes when a setting, perhaps of a stranger's checkout, names the host."""
    from nanorecipes.config import GEMINI_HOST, QOLABA_HOST

    usual = {"qolaba": QOLABA_HOST, "gemini": GEMINI_HOST}.get(client.backend, client.base_url)
    if client.base_url in (usual, "") or _is_here(client):
        return []
    return [f"the request and the key go to {client.base_url}, as the settings say"]


def _is_here(client: Client) -> bool:
    from urllib.parse import urlsplit

    return urlsplit(client.base_url).hostname in ("localhost", "127.0.0.1", "::1")


def _client(sandbox: bool, timeout: float, progress: Progress, *, is_kept: bool = False) -> Client:
    """A client by the settings; what is kept here was Google's, whatever they say by now."""
    from nanorecipes.client import Client, Wiring

    client = Client(
        backend="sandbox" if sandbox else "gemini" if is_kept else None,
        timeout_s=timeout, observer=progress.note, wiring=Wiring(needs_key=not is_kept),
    )  # fmt: skip
    client._out = str(progress.out.resolve())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _ = client.ledger  # opened before anything is sent
    view.warn(str(warning.message) for warning in caught)
    return client


def _check_pictures(request: Request) -> None:
    """Find out that a picture isn't there before saying anything else about the request."""
    from nanorecipes import codes
    from nanorecipes.arguments import problem
    from nanorecipes.errors import InputError
    from nanorecipes.images import BadImageError

    found = []
    for image in request.images:
        try:
            image.input.check()
        except BadImageError as exc:
            found.append(problem(codes.BAD_IMAGE, image.slot, f"{image.slot}: {exc}",
                                 image.input.advice))  # fmt: skip
    if found:
        raise InputError(found)


def _check_folder(out: Path) -> None:
    """Find out that the folder can't be written before anything is paid for."""
    from nanorecipes import codes, files
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.errors import InputError

    try:
        files.check_writable(out)
    except OSError as exc:
        code = codes.BAD_OPTION
        message = f"the folder {str(out)!r} can't be written: {exc.strerror or exc}"
        finding = Diagnostic(
            code.code, code.name, "error", message, field="out",
            help="nothing was sent; choose another folder with -o",
        )  # fmt: skip
        raise InputError([finding]) from exc


def _guarded(progress: Progress, work: Callable[[], Result]) -> Result:
    """Do the work; whatever stops it, say how to come back for what was paid."""
    from nanorecipes.errors import TaskTimeoutError

    try:
        return work()
    except KeyboardInterrupt:
        progress.interrupted()
        raise
    except TaskTimeoutError as exc:
        if exc.task_id:
            line = progress.resume_line(exc.task_id)
            exc.help = f"the task may still finish; resume it with: {line}"
        raise
    finally:
        progress.close()


def _save(
    result: Result,
    out: Path,
    request: Request | None,
    saving: Saving,
    asked: Asked,
    as_json: bool,
    quiet: bool,
    client: Client,
) -> int:
    view.warn(result.warnings)
    paths = result.save(out, **saving)
    images = [
        saved_image(path, image, saving) for path, image in zip(paths, result.images, strict=True)
    ]
    client._book_saved(result, [image.path for image in images])
    restored = [
        proving.restore_image(result, image, path, asked, saving)
        for image, path in zip(result.images, paths, strict=True)
    ]
    together = list(zip(images, result.images, restored, strict=True))
    if as_json:
        view.print_json({
            "recipe": request.recipe if request is not None else None,
            "task_id": result.task_id,
            "images": [
                {"path": str(image.path), "width": image.size[0] if image.size else None,
                 "height": image.size[1] if image.size else None, "mime_type": image.mime_type,
                 **proving.proof_json(made, image.path, restoring)}
                for image, made, restoring in together
            ],
            "cost_usd": result.cost,
            "backend": result.backend,
        })  # fmt: skip
        return proving.exit_code(result, restored)
    for image, made, restoring in together:
        click.echo(str(image.path))
        view.info(f"  {image.about}", quiet)
        proving.print_proof(made, image.path, restoring, quiet)
    said = {"service": "reported", "estimate": "estimated"}.get(result.cost_source, "")
    fake = "  (sandbox: nothing was charged)" if result.backend == "sandbox" else ""
    task = f"   task {result.task_id}" if result.task_id else ""
    view.info(f"cost {view.money(result.cost)} {said}{task}{fake}", quiet)
    proving.print_broken(result, quiet)
    return proving.exit_code(result, restored)


__all__ = ["resume_command", "run_command", "send"]
