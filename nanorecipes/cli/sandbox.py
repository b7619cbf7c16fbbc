"""The command that serves the sandbox."""

from __future__ import annotations

from pathlib import Path

import click

from nanorecipes.cli.options import common


@click.command("sandbox", epilog="""\b
Point a client at it:
  export QOLABA_BASE_URL=http://127.0.0.1:8765 QOLABA_API_KEY=anything
or, for Google's wire:
  export GEMINI_BASE_URL=http://127.0.0.1:8765 GEMINI_API_KEY=anything

\b
The key `bad-key` is refused (401), `no-credits` has none left (402); Google
says 400 and 403 of them.
""")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option("--seed", default=0, show_default=True, help="The seed of its faults.")
@click.option("--faults", metavar="LIST", default="",
              help='What goes wrong, and how often: "429:0.05,drop_after:0.02".')  # fmt: skip
@click.option("--answer-with", type=click.Path(path_type=Path, exists=True, file_okay=False),
              metavar="DIR", help="Answer with pictures of a folder: mug.png for a request that "
                                  "edits mug.jpg, the next time mug-2.png, ...")  # fmt: skip
@common
def sandbox_command(
    host: str, port: int, seed: int, faults: str, answer_with: Path | None, as_json: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Serve an emulator of the service over HTTP: the same wire, no key, no money.

    It draws proof pictures that say what they are, keeps a charge log at /sandbox/charges, and
    fails on request, so that a program can be tried out against everything that goes wrong.
    """
    from nanorecipes.cli import view
    from nanorecipes.sandbox.core import Sandbox
    from nanorecipes.sandbox.faults import Faults
    from nanorecipes.sandbox.server import serve

    try:
        chosen = Faults.parse(faults, seed=seed)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--faults") from exc

    def ready(base_url: str) -> None:
        if as_json:
            view.print_json({"base_url": base_url})
        else:
            click.echo(base_url)
            view.info("Ctrl-C stops it", quiet)

    sandbox = Sandbox(seed=seed, faults=chosen, answers=answer_with)
    serve(sandbox, host, port, on_ready=ready)
