"""The `nanorecipes` command: its sub-commands, loaded when they are used, and its exit codes."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import NamedTuple, NoReturn, TextIO

import click

from nanorecipes.errors import (
    ApiError,
    NanorecipesError,
    OutcomeUnknownError,
    SaveError,
)

FINE, FINDINGS, WRONG_USE, SERVICE, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 4, 130


class _Command(NamedTuple):
    module: str
    group: str
    help: str


# The texts stand here too, so that `--help` and completion load no command.
COMMANDS = {
    "list": _Command("recipe", "Find and read", "List the recipes, or search them."),
    "show": _Command("recipe", "Find and read", "Show what a recipe does and takes."),
    "models": _Command("model", "Find and read", "Show the models: sizes, limits, prices."),
    "inspect": _Command("picture", "Find and read", "Show how a picture was made."),
    "diff": _Command("picture", "Find and read", "Show how two pictures' makings differ."),
    "prove": _Command("prove", "Find and read", "Hold a picture against its source."),
    "report": _Command("report", "Find and read", "Write a page about a folder or a run."),
    "render": _Command("recipe", "Make pictures", "Print prompt, request and cost; send nothing."),
    "run": _Command("run", "Make pictures", "Run a recipe and save the pictures."),
    "resume": _Command("run", "Make pictures", "Wait again for what was submitted, and save it."),
    "rerun": _Command("picture", "Make pictures", "Make a picture again, with changes."),
    "batch": _Command("batch", "Make pictures", "Run a recipe over a table; pay once a row."),
    "runs": _Command("ledger", "Keep books", "List what was run here, or show one run."),
    "unknown": _Command("ledger", "Keep books", "List what was perhaps charged, and decide."),
    "costs": _Command("ledger", "Keep books", "Show what was spent here."),
    "new": _Command("recipe", "Write recipes", "Write a recipe to start from."),
    "lint": _Command("lint", "Write recipes", "Check recipe files and the prompt guide."),
    "test": _Command("test", "Write recipes", "Render the examples against their snapshots."),
    "schema": _Command(
        "recipe", "Write recipes", "Print the JSON Schema of the file or of inputs."
    ),
    "sandbox": _Command("sandbox", "Set up", "Serve an emulator of the service over HTTP."),
    "completion": _Command("complete", "Set up", "Print the shell's completion script."),
}

EPILOG = """\b
Begin with:
  nanorecipes list                              what there is
  nanorecipes show edit/change_part             what one takes
  nanorecipes render edit/change_part photo=mug.jpg part="the mug" change="glazed deep blue"
  nanorecipes run edit/change_part photo=mug.jpg part="the mug" change="glazed deep blue" --sandbox
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = COMMANDS.get(cmd_name)
        if command is None:
            return None
        module = import_module(f"nanorecipes.cli.{command.module}")
        found: click.Command = getattr(module, f"{cmd_name}_command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from nanorecipes.suggest import did_you_mean

            near = did_you_mean(args[0], COMMANDS)
            hint = f"{near} " if near else ""
            raise click.UsageError(f"there is no command {args[0]!r}; {hint}See --help.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group in dict.fromkeys(command.group for command in COMMANDS.values()):
            rows = [(name, c.help) for name, c in COMMANDS.items() if c.group == group]
            with formatter.section(group):
                formatter.write_dl(rows)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from nanorecipes import __version__

        click.echo(f"nanorecipes {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Print the version.",
)  # fmt: skip
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Edit pictures with Nano Banana by recipes: reusable prompts with typed inputs.

    Limits are checked and costs shown before anything is sent; --sandbox needs no key and costs
    nothing.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _terminated)
    warnings.showwarning = _show_warning
    code = run(args)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
    sys.exit(code)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Warnings of the library as those of the commands: where in the code helps nobody here."""
    from nanorecipes.cli import view

    if issubclass(category, UserWarning):
        view.warn([str(message)])


def _terminated(signum: int, frame: object) -> NoReturn:
    """Being told to stop is like Ctrl-C: what was paid for is named on the way out."""
    raise KeyboardInterrupt


def run(args: list[str]) -> int:
    """Run the command line; the exit code. No traceback reaches a person without `--debug`."""
    if os.environ.get("NO_COLOR"):
        color: bool | None = False
    else:
        color = None
    if "_NANORECIPES_COMPLETE" in os.environ:
        import_module("nanorecipes.cli.complete")  # brings our own bash completion
    options = args[: args.index("--")] if "--" in args else args
    as_json = _asks_json(options)
    try:
        result = cli.main(args, prog_name="nanorecipes", standalone_mode=False, color=color)
    except click.exceptions.Abort:
        return _interrupted()
    except KeyboardInterrupt:
        return _interrupted()
    except click.ClickException as exc:
        _report_usage(exc, as_json)
        return exc.exit_code
    except BrokenPipeError:
        _silence_stdout()
        return FINE
    except NanorecipesError as exc:
        _report(exc, as_json, "--debug" in options)
        return exit_code(exc)
    except Exception as exc:
        if "--debug" in options:
            raise
        _report_bug(exc, as_json)
        return WRONG_USE
    return result if isinstance(result, int) else FINE


def _asks_json(options: Sequence[str]) -> bool:
    """Whether results, and so errors, are wanted as JSON: `--json`, or lint's `--format json`."""
    pairs = pairwise(options)
    return bool({"--json", "--format=json"} & set(options)) or ("--format", "json") in pairs


def exit_code(error: NanorecipesError) -> int:
    """The exit code of an error, as the interface promises it."""
    if isinstance(error, OutcomeUnknownError):
        return UNKNOWN
    if isinstance(error, (ApiError, SaveError)):
        return SERVICE
    return WRONG_USE


def _report(error: NanorecipesError, as_json: bool, debug: bool) -> None:
    from nanorecipes.cli import view

    if as_json:
        view.print_json(view.error_json(error))
    else:
        view.print_error(error)
    if debug:
        import traceback

        traceback.print_exception(error)


def _report_usage(exc: click.ClickException, as_json: bool) -> None:
    from nanorecipes.cli import view

    if as_json:
        view.print_json({"error": {"type": "UsageError", "message": exc.format_message(),
                                   "diagnostics": []}})  # fmt: skip
    else:
        exc.show()


def _report_bug(exc: Exception, as_json: bool) -> None:
    """A fault of our own: said in one line, with the way to more."""
    from nanorecipes.cli import view

    message = f"{type(exc).__name__}: {exc}"
    if as_json:
        view.print_json({"error": {"type": "InternalError", "message": message,
                                   "diagnostics": []}})  # fmt: skip
    else:
        click.echo(f"error: {message}", err=True)
        click.echo("  help: this is a fault of nanorecipes; --debug shows where", err=True)


def _interrupted() -> int:
    click.echo("interrupted", err=True)
    return INTERRUPTED


def _silence_stdout() -> None:
    """The reader went away: leave without a second complaint when Python flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


__all__ = ["cli", "exit_code", "main", "run"]
