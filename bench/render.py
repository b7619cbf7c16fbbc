"""`recipe.render()` complete, against a bare template of the same text and against the peers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bench.timing import call_us, row
from nanorecipes import Library
from nanorecipes.search_path import built_in

NAME = "outfit/change_outfit"
CALL = {"person": "me.jpg", "outfit": "a tailored navy linen suit"}
DEEP = Path(__file__).parent / "data"


def bare_source(recipe: Any) -> str:
    """The recipe's prompt as one template, as somebody would write it without a framework."""
    prompt = recipe.definition.data["prompt"]
    details = prompt.get("details", [])
    protect = prompt["protect"]
    first = next(iter(recipe.images))
    items = (
        protect if isinstance(protect, list) else [i for group in protect.values() for i in group]
    )
    return "\n\n".join([
        prompt["edit"].strip(),
        prompt.get("subject", "").strip(),
        " ".join(details) if isinstance(details, list) else details,
        f"Keep {'; '.join(items)} exactly as in {{{{ {first} }}}}. Change nothing else.",
    ])  # fmt: skip


def bare_template(recipe: Any, cls: type[Environment]) -> Any:
    """The same text precompiled in a plain environment, with the same filters and macros."""
    from nanorecipes.prompt.filters import FILTERS

    env = cls(undefined=StrictUndefined, loader=FileSystemLoader(built_in()), auto_reload=False)
    env.filters |= {name: FILTERS[name] for name in ("sentence", "join_and", "quote")}
    return env.from_string(bare_source(recipe))


def peers(source: str, values: dict[str, Any], folder: Path) -> list[tuple[str, Any]]:
    """The same text in frameworks for prompts, as far as they are installed."""
    found: list[tuple[str, Any]] = []
    try:
        from langchain_core.prompts import PromptTemplate
    except ImportError:
        print("  (langchain-core is not installed)")
    else:
        template = PromptTemplate.from_template(source, template_format="jinja2")
        found.append(("LangChain PromptTemplate (jinja2)", lambda: template.format(**values)))
    try:
        import prompty
    except ImportError:
        print("  (prompty is not installed)")
    else:
        file = folder / "bench.prompty"
        file.write_text(f"---\nname: bench\n---\nuser:\n{source}\n", encoding="utf-8")
        agent = prompty.load(str(file))
        found.append(("prompty", lambda: prompty.render(agent, values)))
    return found


def measure(library: Library, name: str, call: dict[str, Any], folder: Path) -> None:
    """The table of one recipe."""
    recipe = library[name]
    request = recipe.render(**call)
    print(f"render: {name}, {len(request.prompt)} characters")
    handles = {slot: "the image" if slot in call else "" for slot in recipe.images}
    given = {**request.inputs, **handles, "model": "pro"}
    sandboxed = bare_template(recipe, ImmutableSandboxedEnvironment)
    plain = bare_template(recipe, Environment)
    base = call_us(lambda: sandboxed.render(**given))
    row("bare Jinja2, immutable sandbox", base, "us", base)
    row("bare Jinja2, no sandbox", call_us(lambda: plain.render(**given)), "us", base)
    ours = call_us(lambda: recipe.render(**call))
    row("recipe.render(), all checks and the request", ours, "us", base, "bar: at most 2x")
    if "_macros" in bare_source(recipe):
        return  # the peers import no macros
    values = {key: str(value) for key, value in given.items()}
    for peer, work in peers(bare_source(recipe), values, folder):
        spent = call_us(work, number=20, rounds=5)
        row(peer, spent, "us", base, f"{spent / ours:.0f} times ours; bar: at least 20")


def main() -> None:
    """Print the tables."""
    part = {"photo": "me.jpg", "part": "the mug", "change": "blue"}
    with tempfile.TemporaryDirectory() as name:
        measure(Library(built_in()), NAME, CALL, Path(name))
        measure(Library(DEEP), "plain/change_part", part, Path(name))


if __name__ == "__main__":
    main()
