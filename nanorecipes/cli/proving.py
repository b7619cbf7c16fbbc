"""How the commands that make pictures prove them: flags, what is printed, and restoring."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from nanorecipes.cli import proofs, view
from nanorecipes.drawings import SUFFIXES
from nanorecipes.sandbox.card import is_card

if TYPE_CHECKING:
    from nanorecipes.cli.saving import Saving
    from nanorecipes.composite import Composite
    from nanorecipes.request import Request
    from nanorecipes.result import Result, ResultImage

F = TypeVar("F", bound=Callable[..., Any])


class Asked(NamedTuple):
    """What is to be proved, and how."""

    prove: bool
    options: dict[str, Any]
    """What takes the place of the recipe's own terms."""
    restore: bool

    @property
    def argument(self) -> bool | dict[str, Any]:
        """What `Client.run` takes as `prove`."""
        return self.options if self.prove else False

    def check(self, request: Request) -> None:
        """Find out before anything is paid for whether it can be proved, and restored.

        Raises:
            InputError: it can't.
            MissingExtraError: `nanorecipes[proof]` isn't installed.
        """
        if self.prove:
            from nanorecipes.proving import promises

            terms = promises.agreed(request, self.options)
            if self.restore:
                terms.check_restorable()


NOT_ASKED = Asked(False, {}, False)


def proof_options(command: F) -> F:
    """`--prove`, `--region`, `--protect-region`, `--min-score`, `--restore`, as `asked`."""
    restore = click.option(
        "--restore", is_flag=True,
        help="Also save each picture with the source's pixels put back outside the region "
             "(changes: part): a composite, which says so. Implies --prove.",
    )  # fmt: skip
    decorated: F = _proof_options(restore(_collected(command)))
    return decorated


def batch_proof_options(command: F) -> F:
    """The same without `--restore`."""
    decorated: F = _proof_options(_collected(command))
    return decorated


def _proof_options(collected: Any) -> Any:
    made = collected
    for option in (
        click.option("--min-score", type=float, metavar="N",
                     help="With --prove: a score below N (0 to 1) counts as drifted."),
        click.option("--protect-region", multiple=True, metavar="BOX|MASK",
                     help="With --prove: where nothing may change; it wins over --region."),
        click.option("--region", multiple=True, metavar="BOX|MASK",
                     help="With --prove: where change is allowed: left,top,right,bottom in pixels "
                          "of the source or in fractions, or a picture that is white there."),
        click.option("--prove", is_flag=True,
                     help="Hold each picture against its first source image, as the recipe "
                          "promises: verdict, score, reasons, overlay and map; exit code 1 when "
                          "it drifted."),
    ):  # fmt: skip
        made = option(made)
    return made


def _collected(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def collected(
        *args: Any, prove: bool, region: tuple[str, ...], protect_region: tuple[str, ...],
        min_score: float | None, restore: bool = False, **more: Any,
    ) -> Any:  # fmt: skip
        asked = read_asked(prove, region, protect_region, min_score, restore)
        return command(*args, asked=asked, **more)

    return collected


def read_asked(
    prove: bool,
    region: tuple[str, ...],
    protect_region: tuple[str, ...],
    min_score: float | None,
    restore: bool = False,
) -> Asked:
    """What the flags come to."""
    from nanorecipes.proving.terms import read_where

    if not (prove or restore):
        flags = {"--region": region, "--protect-region": protect_region, "--min-score": min_score}
        for flag, value in flags.items():
            if value not in ((), None):
                raise click.UsageError(f"{flag} is for proofs: add --prove")
        return NOT_ASKED
    options = {
        "region": read_where(region, "region"),
        "protect": read_where(protect_region, "protect-region"),
        "min_score": min_score,
    }
    return Asked(True, {name: value for name, value in options.items() if value is not None},
                 restore)  # fmt: skip


class Restoring(NamedTuple):
    """What came of putting the source back: a composite, or why there is none."""

    made: Composite | None
    why: str = ""


def restore_image(
    result: Result, image: ResultImage, path: Path, asked: Asked, saving: Saving
) -> Restoring | None:
    """Put the source back outside the region of a saved picture, as a further file beside it.

    None where nobody asked, or the sandbox drew a card: the proof has said so.
    """
    if not asked.restore or is_card(image.received_data):
        return None
    from nanorecipes.composite import EXTENSIONS, restore_file
    from nanorecipes.errors import NanorecipesError
    from nanorecipes.proving import promises

    to = saving["format"] or "png"
    target = path.with_name(f"{path.stem}-restored{EXTENSIONS[to]}")
    detail = saving["provenance"]
    try:
        assert result.request is not None, "what was just sent is known"
        return Restoring(restore_file(
            promises.agreed(result.request, asked.options), result.source_bytes(),
            image.received_data, result.origin.to_json(detail), target, to=to,
            told=detail != "none",
        ))  # fmt: skip
    except NanorecipesError as exc:
        return Restoring(None, exc.message)


def print_proof(image: ResultImage, path: Path, restoring: Restoring | None, quiet: bool) -> None:
    """Below a picture's path: what was proved of it; a restored picture's path after it."""
    if image.proof is not None and not quiet:
        proofs.print_reasons(image.proof)
        if image.proof.has_pictures:
            view.info(f"    drawn in {path.name}{SUFFIXES['overlay']}")
    if restoring is None:
        return
    if restoring.made is None:
        view.warn([f"it can't be restored: {restoring.why}"])
        return
    click.echo(str(restoring.made.path))
    view.info(f"  restored: {proofs.headline(restoring.made.proof)}; a composite, and says so",
              quiet)  # fmt: skip


def proof_json(image: ResultImage, path: Path, restoring: Restoring | None) -> dict[str, Any]:
    """What `--json` tells of a picture's proof, where one was wanted."""
    if image.proof is None:
        return {}
    told: dict[str, Any] = {"proof": image.proof.to_json()}
    if image.proof.has_pictures:
        told |= {name: f"{path}{suffix}" for name, suffix in SUFFIXES.items()}
    if restoring is not None and restoring.made is not None:
        made = restoring.made
        told["restored"] = {"path": str(made.path), "proof": made.proof.to_json()}
    elif restoring is not None:
        told["restored"] = {"path": None, "why": restoring.why}
    return told


def exit_code(result: Result, restored: list[Restoring | None]) -> int:
    """1 where a promise was broken, or what was to be restored couldn't be."""
    found = [image.proof for image in result.images if image.proof is not None]
    missing = any(item is not None and item.made is None for item in restored)
    return proofs.BROKEN if missing else proofs.exit_code(*found)


def print_broken(result: Result, quiet: bool) -> None:
    """What a broken promise means for the picture and its cost."""
    found = [image.proof for image in result.images if image.proof is not None]
    if not proofs.exit_code(*found):
        return
    paid = "" if result.backend == "sandbox" else ", and it is paid for"
    view.info(f"the promise was broken: the picture is kept{paid}; look at the overlay", quiet)
