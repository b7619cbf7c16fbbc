"""The commands about a saved picture: inspect, rerun, diff."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import view
from nanorecipes.cli.inputs import find_recipe, read_inputs
from nanorecipes.cli.options import call_arguments, call_options, common
from nanorecipes.cli.proving import Asked, proof_options
from nanorecipes.cli.run import MAX_COST, OUT, SANDBOX, SHOW, TIMEOUT, send
from nanorecipes.cli.saving import Saving, save_options

if TYPE_CHECKING:
    from nanorecipes.provenance import Provenance
    from nanorecipes.rerun import Difference

_SERVICE = {"model_version": "model version", "response_id": "response id"}
_TOKENS = ("prompt", "output", "thought", "tool", "cached", "total")
"""What the service said of its answer: a stranger's file may hold anything else besides."""

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command("inspect")
@_FILE
@common
def inspect_command(file: Path, as_json: bool, quiet: bool) -> int:
    """Show how a picture was made: recipe, inputs, prompt, model, cost.

    It is read from the picture itself, also after it was renamed or moved, or from the sidecar
    beside it. Exit code 1 when neither says anything.
    """
    made = _read(file)
    if made is None:
        return _nothing(file, as_json)
    if as_json:
        view.print_json({"file": str(file), **made.to_json()})
    elif quiet:
        click.echo(printable(made.prompt or ""))
    else:
        _print(made)
    return 0


@click.command("diff")
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@common
def diff_command(before: Path, after: Path, as_json: bool, quiet: bool) -> int:
    """Show how the makings of two pictures differ: recipe, inputs, settings, prompt, cost."""
    from nanorecipes.rerun import differences, prompt_diff

    first, second = _read(before), _read(after)
    if first is None or second is None:
        return _nothing(before if first is None else after, as_json)
    found = differences(first, second)
    prompt = prompt_diff(first.prompt or "", second.prompt or "")
    if as_json:
        view.print_json({
            "differences": [difference._asdict() for difference in found],
            "prompt": prompt,
        })  # fmt: skip
        return 0
    _print_differences(found, prompt, quiet)
    return 0


@click.command("rerun")
@_FILE
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@call_options
@OUT
@SANDBOX
@MAX_COST
@TIMEOUT
@SHOW
@proof_options
@save_options
@common
def rerun_command(
    file: Path,
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
    """Make a picture again, with changes: its recipe, inputs and settings come from its file.

    Warns when the recipe or a source picture is no longer the same, and shows what that and the
    changes do to the prompt before anything is sent.
    """
    from nanorecipes.book import recipes
    from nanorecipes.rerun import arguments_again, prompt_diff

    made = _read(file)
    if made is None or made.recipe is None:
        raise _no_record(file)
    recipe = find_recipe(recipes, made.recipe)
    changes = {**read_inputs(recipe, inputs), **call_arguments(options)}
    again = arguments_again(made, recipe, changes, [file.parent, Path()])
    view.warn(map(printable, again.warnings))
    request = recipe.render(**again.arguments)
    if made.prompt is not None and not quiet:
        for line in prompt_diff(made.prompt, request.prompt):
            view.info(_colored(printable(line)))
    result, code = send(
        request, out=out, sandbox=sandbox, max_cost=max_cost, timeout=timeout, saving=saving,
        asked=asked, as_json=as_json, quiet=quiet,
    )  # fmt: skip
    if show:
        view.show_pictures([image.data for image in result.images])
    return code


def printable(text: str) -> str:
    """A stranger's text without the characters that steer a terminal or turn its writing around."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else "\ufffd"
        for char in text
    )


def _read(file: Path) -> Provenance | None:
    from nanorecipes.provenance import read

    return read(file)


def _nothing(file: Path, as_json: bool) -> int:
    if as_json:
        view.print_json({"file": str(file), "found_in": None})
    view.info(f"{file} doesn't tell how it was made, and no sidecar of it lies beside it")
    return 1


def _no_record(file: Path) -> Exception:
    from nanorecipes import codes
    from nanorecipes.arguments import problem
    from nanorecipes.errors import InputError

    message = f"{str(file)!r} doesn't tell by which recipe it was made"
    return InputError([problem(codes.BAD_ARGUMENT, "file", message)])


def _task(made: Provenance) -> str:
    """Its id; Google's answers have none."""
    is_direct = made.backend == "gemini" and made.task_id is None
    return "none" if is_direct else _text(made.task_id)


def _print(made: Provenance) -> None:
    click.echo(f"{view.heading(printable(made.recipe or 'no recipe'))} {_text(made.version)}")
    rows = [
        ("hash", _text(made.hash)),
        ("model", _text(made.model)),
        *((name, _text(value)) for name, value in made.settings.items() if name != "model"),
        ("cost", f"{view.money(made.cost_usd)} ({_cost_words(made)})"),
        ("task", f"{_task(made)} on {_text(made.backend)}"),
        *_said_by_service(made),
        ("finished", _text(made.finished_at)),
        ("made by", f"nanorecipes {_text(made.tool_version)}"),
        ("found in", made.place),
        *_since(made),
    ]
    click.echo(view.table([(printable(name), text) for name, text in rows]))
    images = [(i.slot, i.role, f"{i.source}  {(i.sha256 or '')[:12]}".strip()) for i in made.images]
    values = [*made.values.items(), *made.additions.items()]
    if images or values:
        click.echo(f"\n{view.heading('Inputs')}")
        click.echo(view.table([tuple(map(printable, row)) for row in images]), nl=bool(images))
        shown = [
            (printable(name), _text(value)) for name, value in values if value not in ("", None)
        ]
        click.echo(view.table(shown), nl=bool(shown))
    if made.prompt is not None:
        click.echo(f"\n{view.heading('Prompt')}")
        for name, text in made.sections or (("", made.prompt),):
            click.echo(f"\n  {click.style(printable(name), fg='cyan')}")
            click.echo(view.wrap(printable(text), "    "))
    view.warn(map(printable, made.warnings))


def _said_by_service(made: Provenance) -> list[tuple[str, str]]:
    """What the service said of its answer, where it did."""
    told = made.service
    rows = [(label, _text(told[key])) for key, label in _SERVICE.items() if key in told]
    usage = told.get("usage")
    if isinstance(usage, dict):
        counts = ((kind, usage.get(f"{kind}_tokens")) for kind in _TOKENS)
        shown = [f"{count} {kind}" for kind, count in counts if isinstance(count, int)]
        rows.append(("tokens", ", ".join(shown) or "unknown"))
    return rows


def _since(made: Provenance) -> list[tuple[str, str]]:
    """What was found out about the picture, and what was made of it."""
    rows = []
    proof, composite = made.facts.get("proof"), made.facts.get("composite")
    if isinstance(proof, dict):
        rows.append(("proof", f"{_text(proof.get('verdict'))}, score {_text(proof.get('score'))}"))
    if isinstance(composite, dict):
        rows.append(("composite", _text(composite.get("what"))))
    return rows


def _cost_words(made: Provenance) -> str:
    if made.backend == "sandbox":
        return "sandbox: nothing was charged"
    words = {"service": "reported by the service", "estimate": "estimated"}
    return words.get(made.cost_source or "", _text(made.cost_source))


def _print_differences(found: list[Difference], prompt: list[str], quiet: bool) -> None:
    if not found and not prompt:
        view.info("both were made in the same way", quiet)
        return
    rows = [(printable(d.fact), f"{_text(d.before)}  ->  {_text(d.after)}") for d in found]
    if rows:
        click.echo(view.table(rows))
    if prompt:
        click.echo(f"\n{view.heading('Prompt')}")
        for line in prompt:
            click.echo(view.wrap(_colored(printable(line))))


def _colored(line: str) -> str:
    return click.style(line, fg="green" if line.startswith("+") else "red")


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return printable(str(value))


__all__ = ["diff_command", "inspect_command", "rerun_command"]
