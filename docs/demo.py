"""The demo: one recipe on the embedded sandbox, without a key and without a network."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes import Client, Library, NanorecipesError

if TYPE_CHECKING:
    from nanorecipes import Request, Result

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "samples" / "mug.jpg"
OUT = ROOT / "demo-out"

INTRO = """\
Welcome to nanorecipes. This demo runs one recipe on the sandbox: a small copy of the
image service that lives in this process, needs no key and costs nothing.
"""

OUTRO = """\
The proof picture is the sandbox's own drawing: your picture, the size that was asked
for, and the prompt in its four colours. A real model would have painted the mug.

What to try next, from this folder:

  {command} list
  {command} show edit/change_part
  {command} render edit/change_part photo={source} part="the spoon" change="polished silver"
  {command} run edit/change_part photo={source} \\
      part="the spoon" change="polished silver" --sandbox -o {out}

docs/tutorial/first-recipe.md goes on from there: a recipe of your own in ten minutes.
"""


def make_request() -> Request:
    """What the recipe makes of one picture and two phrases; nothing is sent yet."""
    recipe = Library(ROOT / "recipes")["edit/change_part"]
    return recipe.render(photo=SOURCE, part="the mug", change="glazed deep blue")


def send(request: Request) -> Result:
    """Send it to the sandbox, and only there, whatever keys the environment holds."""
    with Client(backend="sandbox") as client:
        return client.run(request)


def show_files(picture: Path) -> None:
    """Say where everything is."""
    print("Your files")
    print(f"  source         {_short(SOURCE)}")
    print(f"  proof picture  {_short(picture)}")
    print(f"  sidecar        {_short(picture.with_name(picture.name + '.json'))}")
    print("                 (how it was made: recipe, inputs, prompt, settings, cost, checksums)\n")


def main() -> int:
    """Run the demo and say what happened."""
    print(INTRO)
    try:
        request = make_request()
        print(f"The recipe edit/change_part wrote a prompt of {len(request.prompt)} characters:")
        print(f"  {request.sections[0].text}")
        print(f"  ... and closes with: {request.sections[-1].text.rpartition('. ')[2]}\n")
        cost = request.estimated_cost
        print(f"On the real service this would cost about ${cost}; here it costs nothing.\n")
        picture = send(request).images[0].save(OUT)
    except NanorecipesError as exc:
        print(f"The demo could not finish: {exc}", file=sys.stderr)
        return 1
    show_files(picture)
    print(OUTRO.format(command=_command(), source=_short(SOURCE), out=_short(OUT)))
    return 0


def _command() -> str:
    """How this installation's command is typed."""
    beside = Path(sys.executable).with_name("nanorecipes")
    on_path = shutil.which("nanorecipes")
    is_found = on_path is not None and (Path(on_path) == beside or not beside.exists())
    return "nanorecipes" if is_found else _short(beside)


def _short(path: Path) -> str:
    """The path as seen from here, where that is shorter and holds no `..`."""
    near = os.path.relpath(path)
    text = str(path) if near.startswith("..") else near
    return f'"{text}"' if " " in text else text


if __name__ == "__main__":
    sys.exit(main())
