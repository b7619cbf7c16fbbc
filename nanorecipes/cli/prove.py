"""The command that holds an output against its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import proofs, view
from nanorecipes.cli.inputs import find_recipe
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from nanorecipes.errors import InputError
    from nanorecipes.proof.values import Proof
    from nanorecipes.provenance import Provenance
    from nanorecipes.proving.terms import Terms


@click.command("prove", epilog="""\b
Examples:
  nanorecipes prove mug.jpg out/mug.png --region 300,200,700,640
  nanorecipes prove room.jpg out/room.png --changes background --protect mask.png
  nanorecipes prove out/mug.png                 the sidecar names the source and the recipe
  nanorecipes prove mug.jpg out/mug.png --region 300,200,700,640 --restore mug-restored.png
""")  # fmt: skip
@click.argument("pictures", nargs=-1, metavar="[SOURCE] OUTPUT", type=click.Path())
@click.option(
    "--changes",
    type=click.Choice(["part", "background", "look", "scene"]),
    help="What the edit may change: a part (all else is held), the background (the "
    "subject is held), the look (edges and layout are held), or the scene "
    "(pixels can't prove it). Without it, what OUTPUT or --recipe says, else part.",
)
@click.option(
    "--region",
    multiple=True,
    metavar="BOX|MASK",
    help="Where change was allowed: left,top,right,bottom in pixels of SOURCE or in "
    "fractions (0,0,0.5,1 is the left half), several times for several boxes; or a "
    "picture that is white there. Surer than without.",
)
@click.option(
    "--protect",
    "--protect-region",
    "protect",
    multiple=True,
    metavar="BOX|MASK",
    help="Where nothing may change, in the same form; it wins over --region.",
)
@click.option(
    "--min-score",
    type=float,
    metavar="N",
    help="A score below N (0 to 1) counts as drifted, though the verdict was kept.",
)
@click.option(
    "--ignore",
    multiple=True,
    type=click.Choice(["tone", "framing"]),
    help="Accept a shift of the whole in light and colour, or zoom and crop.",
)
@click.option(
    "--recipe",
    "recipe_name",
    metavar="NAME",
    help="Take --changes and the rest from a recipe; flags win over it.",
)
@click.option(
    "--overlay",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw OUTPUT with its changes: red was not allowed, blue was.",
)
@click.option(
    "--map",
    "change_map",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the map of changes alone: white changed.",
)
@click.option(
    "--restore",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Put the pixels of SOURCE back outside the region (changes: part) and save "
    "that as a further picture, which says that it is a composite.",
)
@common
def prove_command(pictures: tuple[str, ...], as_json: bool, quiet: bool, **options: Any) -> int:
    """Hold an edit against its source: what changed that should not have?

    It compares pixels on this machine; no service is asked and nothing is paid. SOURCE may be a
    URL, or be left out when OUTPUT was saved by nanorecipes and its source still lies where it
    was. Exit code 1 when a promise was broken (drifted); kept, unclear and not provable leave
    with 0.
    """
    asked = _Asked.read(pictures, options)
    _check_targets(options)
    if options["restore"] is not None:
        asked.terms.check_restorable()
    proof = asked.terms.hold(asked.source, asked.output)
    if not (as_json or quiet):
        for note in asked.notes:
            view.info(note)
    written = _draw(proof, options["overlay"], options["change_map"])
    if not as_json:
        proofs.print_proof(proof, quiet)
    if options["restore"] is not None:
        written["restored"] = _restore(asked, options["restore"], as_json, quiet)
    if as_json:
        files = {name: str(path) for name, path in written.items()}
        told = {"source": asked.source_name, "output": str(asked.output_path), **proof.to_json()}
        view.print_json({**told, "files": files})
    else:
        proofs.print_files(written)
    return proofs.exit_code(proof)


@dataclass(frozen=True)
class _Asked:
    """What the command line comes to."""

    source: bytes
    source_name: str
    output: bytes
    output_path: Path
    made: Provenance | None
    terms: Terms
    notes: tuple[str, ...]

    @classmethod
    def read(cls, pictures: Sequence[str], options: dict[str, Any]) -> _Asked:
        from nanorecipes import provenance
        from nanorecipes.proving.pictures import read_picture

        if not 1 <= len(pictures) <= 2:
            raise click.UsageError(
                f"expected SOURCE and OUTPUT, found {len(pictures)} pictures"
                if pictures
                else "expected SOURCE and OUTPUT: the picture that was edited, and what came back"
            )
        *first, output = pictures
        path = Path(output)
        data = read_picture(path, "output")
        made = provenance.read(path)
        notes: list[str] = []
        source, name = _source(first, path, made, notes)
        terms = _terms(path, made, options, notes)
        return cls(source, name, data, path, made, terms, tuple(notes))


def _source(
    given: Sequence[str], output: Path, made: Provenance | None, notes: list[str]
) -> tuple[bytes, str]:
    """The source's bytes and name: as given, fetched, or as the output's making tells."""
    from nanorecipes.proving import pictures

    if given:
        if "://" in given[0]:
            return pictures.fetch(given[0]), given[0]
        return pictures.read_picture(given[0], "source"), given[0]
    if made is None:
        raise _no_source(output, "it doesn't tell how it was made")
    image = pictures.source_of(made)
    if image is None or not image.source:
        raise _no_source(output, "it doesn't tell what it was made from")
    found = pictures.find_picture(image, [output.parent, Path()])
    if found is None:
        raise _no_source(output, _why_absent(image.source, image.sha256))
    notes.append(f"source {found}, as {output.name} tells")
    return pictures.read_picture(found, "source"), str(found)


def _why_absent(name: str, digest: str | None) -> str:
    if "://" in name:
        return f"its source was {name}, and only a URL that you give is fetched"
    if digest is None:
        return f"its source {name!r} is named without its digest"
    return f"its source {name!r} is not found, or is not the same picture any more"


def _no_source(output: Path, why: str) -> InputError:
    from nanorecipes import codes
    from nanorecipes.arguments import problem
    from nanorecipes.errors import InputError

    return InputError([
        problem(codes.MISSING_ARGUMENT, "source", f"source: {str(output)!r} alone won't do: {why}",
                f"name the picture that was edited: nanorecipes prove SOURCE {output}")
    ])  # fmt: skip


def _terms(
    output: Path, made: Provenance | None, options: dict[str, Any], notes: list[str]
) -> Terms:
    """What the output is held to: flags, then the recipe that was named, then its making."""
    from nanorecipes.book import recipes
    from nanorecipes.proving import promises
    from nanorecipes.proving.terms import Terms, read_where

    terms = None
    skip = [name for name in ("region", "protect") if options[name]]
    if options["recipe_name"] is not None:
        recipe = find_recipe(recipes, options["recipe_name"])
        policy = recipe.definition.data.get("prove")
        terms = promises.terms_from(
            made, [output.parent, Path()], changes=recipe.changes, policy=policy, skip=skip
        )
    elif made is not None:
        terms = promises.terms_from(made, [output.parent, Path()], skip=skip)
        if terms is not None and made.recipe:
            notes.append(f"held to what {made.recipe} promised, as {output.name} tells")
    return (terms or Terms()).given(
        changes=options["changes"],
        region=read_where(options["region"], "region"),
        protect=read_where(options["protect"], "protect"),
        min_score=options["min_score"],
        ignore=options["ignore"] or None,
    )


def _check_targets(options: dict[str, Any]) -> None:
    """Find out that a file can't be written before the work."""
    from nanorecipes import codes, files
    from nanorecipes.arguments import problem
    from nanorecipes.errors import InputError

    found = []
    for name, key in (("overlay", "overlay"), ("map", "change_map"), ("restore", "restore")):
        path = options[key]
        if path is None:
            continue
        try:
            files.check_writable(path.parent)
        except OSError as exc:
            message = f"{name}: {str(path)!r} can't be written: {exc.strerror or exc}"
            found.append(problem(codes.BAD_OPTION, name, message))
    if found:
        raise InputError(found)


def _draw(proof: Proof, overlay: Path | None, change_map: Path | None) -> dict[str, Path]:
    from nanorecipes.composite import format_of, write_picture

    written: dict[str, Path] = {}
    wanted = (("overlay", overlay, proof.overlay), ("map", change_map, proof.change_map))
    for name, path, draw in wanted:
        if path is not None and proof.has_pictures:
            written[name] = write_picture(draw(), path, format_of(path))
    return written


def _restore(asked: _Asked, target: Path, as_json: bool, quiet: bool) -> Path:
    from nanorecipes.composite import format_of, restore_file

    facts = asked.made.facts if asked.made is not None else None
    made = restore_file(
        asked.terms, asked.source, asked.output, facts, target, to=format_of(target)
    )
    if not (as_json or quiet):
        view.info(f"restored: {proofs.headline(made.proof)}; a composite, and its file says so")
    return made.path


__all__ = ["prove_command"]
