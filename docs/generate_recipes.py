"""Writes the catalogue: a page for each built-in recipe, and an index by capability.

`python -m docs.generate_recipes` writes what is out of date and removes pages of recipes that are
gone; `--check` only tells which they are. Nothing on these pages is written by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs.generate import DOCS, ROOT, code, codes_of, table

if TYPE_CHECKING:
    from nanorecipes import Library, Recipe, Request
    from nanorecipes.recipe.params import Param, Slot

FOLDER = DOCS / "recipes"
INDEX = FOLDER / "README.md"

ABOUT: Mapping[str, str] = {
    "edit": "Change, add, remove or replace something, or the conditions of the shot.",
    "style": "Redraw a picture in another look; what it shows stays.",
    "background": "Keep the subject, change what is behind it or around it.",
    "composition": "Make one picture out of several.",
    "consistency": "Show a known person, figure or product again in a new scene.",
    "outfit": "Dress, adorn or recolour a person or a product.",
    "placement": "Put a logo, a print, an interface or an object where it belongs.",
    "upscale": "Render a small or poor picture again, with clear edges and true texture.",
    "variation": "Vary one quality, and nothing but that one.",
    "grounded": "Rest an edit on a fact that the model looks up.",
}  # fmt: skip
"""What each capability is for, in the order of the index."""


def library() -> Library:
    """The built-in library, whatever stands in the current folder."""
    from nanorecipes import Library as Shelves

    return Shelves(ROOT / "recipes")


def pages() -> dict[Path, str]:
    """Every page of the catalogue with its text."""
    recipes = library()
    made = {FOLDER / f"{name}.md": recipe_page(recipes[name], recipes) for name in sorted(recipes)}
    return {INDEX: index_page(recipes), **made}


# --- the index


def index_page(recipes: Library) -> str:
    """The recipes by capability, each with the first sentence of its summary and its cost."""
    parts = [
        "# The recipes",
        f"{len(recipes)} recipes ship with nanorecipes. The pages are made from the recipe files; "
        "the price is that of one call with the recipe's own settings.",
    ]
    for capability, about in ABOUT.items():
        found = [recipes[name] for name in sorted(recipes)]
        rows = [_index_row(recipe) for recipe in found if recipe.capability == capability]
        parts += [f"## {capability}", about, table(["recipe", "does", "price"], rows).rstrip()]
    return "\n\n".join(parts) + "\n"


def _index_row(recipe: Recipe) -> tuple[str, str, str]:
    sentence = " ".join(recipe.summary.split()).split(". ")[0].rstrip(".")
    return f"[{recipe.name}]({recipe.name}.md)", sentence, _money(_own_price(recipe))


def _own_price(recipe: Recipe) -> Decimal | None:
    """The price of one call with the recipe's own settings."""
    from nanorecipes.catalogue import catalogue

    return catalogue().cost_usd(recipe.settings)


# --- one recipe


def recipe_page(recipe: Recipe, recipes: Library) -> str:
    """A recipe's page: what it is for, what it takes, a call, the prompt, the cost."""
    example = recipe.examples[0]
    request = recipe.render(**example["inputs"])
    parts = [
        f"# {recipe.title}",
        _summary(recipe, recipes),
        _facts(recipe),
        "## What it takes",
        *_interface(recipe),
        "## Call it",
        *_calls(recipe, example),
        "## What it orders",
        *_prompt(recipe, example, request),
        "## What it costs",
        *_costs(recipe),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _summary(recipe: Recipe, recipes: Library) -> str:
    """The summary, with links to the recipes that it names."""

    def link(found: re.Match[str]) -> str:
        return f"[{found[0]}](../{found[0]}.md)" if found[0] in recipes else found[0]

    return re.sub(r"\b[a-z]+/[a-z_]+\b", link, " ".join(recipe.summary.split()))


def _facts(recipe: Recipe) -> str:
    capability = f"[{recipe.capability}](../README.md#{recipe.capability})"
    file = f"[`recipes/{recipe.name}.yaml`](../../../recipes/{recipe.name}.yaml)"
    tags = f" · tags: {', '.join(recipe.tags)}" if recipe.tags else ""
    return (
        f"`{recipe.name}` {recipe.version} · {capability} · "
        f"changes: {recipe.changes}{tags} · {file}"
    )


def _interface(recipe: Recipe) -> Iterator[str]:
    rows = [_slot_row(slot) for slot in recipe.images.values()]
    yield table(["image", "role", "what to pass"], rows)
    if recipe.params:
        params = [_param_row(param) for param in recipe.params.values()]
        yield table(["parameter", "takes", "meaning"], params)
    for param in recipe.params.values():
        if param.wording:
            values = [(code(value), str(param.words_for(value))) for value in param.enum or ()]
            yield table([code(param.name), "in the prompt"], values)


def _slot_row(slot: Slot) -> tuple[str, str, str]:
    count = f", {slot.min} to {slot.max} pictures" if slot.is_list else ""
    need = ", optional" if slot.optional else ""
    return code(slot.name), f"{slot.role}{need}{count}", slot.description


def _param_row(param: Param) -> tuple[str, str, str]:
    takes = f"one of {codes_of(param.enum)}" if param.enum is not None else _kind(param)
    if param.is_required:
        need = "Required."
    elif param.default in (None, ""):
        need = "Optional."
    else:
        need = f"Default: {code(_shown(param.default))}."
    sample = f" For example {_sample(param.examples[0])}." if param.examples else ""
    return code(param.name), takes, f"{param.description} {need}{sample}"


def _kind(param: Param) -> str:
    if param.type == "array":
        return f"{param.min_items or 1} to {param.max_items} texts"
    if param.type == "boolean":
        return "`true` or `false`"
    if param.type != "string":
        return f"a number, {param.least:g} to {param.most:g}"
    if param.format == "color":
        return "a CSS colour name or `#rrggbb`"
    kinds = {"verbatim": "lettering, as it shall appear", "multiline": "sentences", "line": "words"}
    return f"{kinds[param.format]}, at most {param.max_length} characters"


def _sample(value: Any) -> str:
    return ", ".join(code(item) for item in value) if isinstance(value, list) else code(value)


def _calls(recipe: Recipe, example: Mapping[str, Any]) -> Iterator[str]:
    from nanorecipes.testing.calls import command_line

    inputs = example["inputs"]
    lines = [f"    {name}={_literal(value)}," for name, value in inputs.items()]
    python = "\n".join(
        ["from nanorecipes import recipes", "",
         f'request = recipes["{recipe.name}"].render(', *lines, ")"]
    )  # fmt: skip
    yield (
        "`render` sends nothing. Left out in Python, or as `run` on the command line, the same "
        "arguments make the picture."
    )
    yield f"```python\n{python}\n```"
    yield f"```console\n$ {command_line(recipe, inputs, 'render')}\n```"


def _literal(value: Any) -> str:
    """A value as Python code, texts in double quotes."""
    if isinstance(value, list):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _prompt(recipe: Recipe, example: Mapping[str, Any], request: Request) -> Iterator[str]:
    from nanorecipes.testing.lines import split_text
    from nanorecipes.testing.snapshot import fenced, image_line

    count = f"{len(request.prompt)} characters in {len(request.sections)} sections"
    yield f"*{example['name']}*, {count}:"
    yield "\n".join(image_line(image, len(request.images)) for image in request.images)
    for part in request.sections:
        yield f"**{part.name}**"
        yield fenced("\n".join(split_text(part.text)), "text")
    group, _, stem = recipe.name.partition("/")
    others = ", ".join(f"*{other['name']}*" for other in recipe.examples[1:])
    yield (
        f"One sentence or list entry stands on a line here. The other examples ({others}) are in "
        f"[the snapshot](../../../recipes/{group}/__snapshots__/{stem}.md)."
    )


def _costs(recipe: Recipe) -> Iterator[str]:
    """The settings with their reason, and the price of one call by tier and model."""
    from nanorecipes.catalogue import catalogue

    shown = ", ".join(f"{name} {code(_shown(value))}" for name, value in recipe.settings.items())
    yield f"Settings: {shown}. {_reason(recipe)}".rstrip()
    search = bool(recipe.settings.get("search"))
    models = [m for m in catalogue().models.values() if m.search or not search]
    tiers = list(dict.fromkeys(tier for model in models for tier in model.qualities))
    rows = [
        (tier, *(_price(recipe, model, tier) for model in models))
        for tier in sorted(tiers, key=lambda tier: (tier[-1] == "K", tier))
    ]
    count = recipe.settings.get("num_images", 1)
    yield table(["quality", *(model.alias for model in models)], rows)
    pictures = "one picture" if count == 1 else f"the {count} pictures that it asks for"
    yield (
        f"USD for {pictures}; in bold what the recipe's settings cost. Where a price comes from is "
        "told in [Models](../../reference/models.md)."
    )


def _reason(recipe: Recipe) -> str:
    """The comment at the head of the file, which tells why the settings are as they are."""
    lines = recipe.path.read_text("utf-8").split("\n")
    head = [line[1:].strip() for line in lines[: lines.index("format: 1")] if line[:1] == "#"]
    return " ".join(head)


def _price(recipe: Recipe, model: Any, tier: str) -> str:
    price = model.price(tier)
    if tier not in model.qualities or price is None:
        return ""
    shown = _money(price.usd * recipe.settings.get("num_images", 1))
    own = (model.alias, tier) == (recipe.settings.get("model"), str(recipe.settings.get("quality")))
    return f"**{shown}**" if own else shown


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _money(usd: Decimal | None) -> str:
    """A price with as many places as it needs, at least two."""
    if usd is None:
        return "unknown"
    whole, _, places = f"{usd:f}".partition(".")
    return f"${whole}.{places.rstrip('0').ljust(2, '0')}"


# --- writing


def outdated() -> dict[Path, str | None]:
    """The pages that are not as they should be, with their text; None for those of no recipe."""
    made = pages()
    stale: dict[Path, str | None] = {
        path: text
        for path, text in made.items()
        if not path.exists() or path.read_text("utf-8") != text
    }
    return stale | {path: None for path in sorted(FOLDER.rglob("*.md")) if path not in made}


def main(arguments: Sequence[str]) -> int:
    """Write what is out of date, or with `--check` only name it."""
    stale = outdated()
    for path, text in stale.items():
        print(path.relative_to(ROOT))
        if "--check" in arguments:
            continue
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
