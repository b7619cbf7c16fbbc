"""Writes the generated parts of the documentation: help texts, tables, signatures.

A page holds what a person wrote, and between two comments what comes from the code:

    <!-- begin generated: codes -->
    <!-- end generated -->

`python -m docs.generate` fills them in, `--check` only tells which pages are out of date, and
`--picture` draws the README's picture anew. The catalogue of recipes is written along.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PICTURE = DOCS / "images" / "proof.jpg"

_BLOCK = re.compile(
    r"(?P<begin><!-- begin generated: (?P<name>[a-z-]+)(?: (?P<argument>[\w.]+))? -->\n)"
    r".*?(?P<end><!-- end generated -->)",
    re.DOTALL,
)


# --- Markdown


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a bar within a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """A text in code type."""
    return f"`{text}`"


def codes_of(values: Sequence[object]) -> str:
    """Several of them."""
    return ", ".join(code(value) for value in values)


# --- the command line


def commands() -> str:
    """Every command: its usage, its help and its options."""
    from nanorecipes.cli import main

    return "\n".join(_command(name, entry.help) for name, entry in _available(main.COMMANDS))


def _available(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The commands whose module is there."""
    from importlib.util import find_spec

    for name, entry in entries.items():
        if find_spec(f"nanorecipes.cli.{entry.module}") is not None:
            yield name, entry


def _command(name: str, short: str) -> str:
    import click

    from nanorecipes.cli.main import cli

    context = click.Context(cli, info_name="nanorecipes")
    command = cli.get_command(context, name)
    assert command is not None
    arguments = [_argument(p) for p in command.params if isinstance(p, click.Argument)]
    options = [_option(p) for p in command.params if isinstance(p, click.Option)]
    usage = " ".join(["nanorecipes", name, *arguments, "[OPTIONS]"])
    help_text = inspect.cleandoc(command.help or short).replace("\b\n", "")
    epilog = inspect.cleandoc(command.epilog or "").replace("\b\n", "")
    parts = [f"### {name}\n", f"```text\n{usage}\n```\n", f"{_prose(help_text)}\n"]
    parts.append(
        table(["option", "what it does"], [*options, ("`-h`, `--help`", "Show this help.")])
    )
    if epilog:
        parts.append(f"```text\n{epilog}\n```\n")
    return "\n".join(parts)


def _prose(text: str) -> str:
    """Capital words are the command line's: `NAME=VALUE` in code type."""
    return re.sub(r"(?<![\w`])([A-Z]{4,}=@?[A-Z]+)(?![\w`])", r"`\1`", text)


def _argument(parameter: Any) -> str:
    shown = str(parameter.metavar or parameter.name.upper())
    if shown.startswith("[") or parameter.required:
        return shown
    return f"[{shown}]"


def _option(parameter: Any) -> tuple[str, str]:
    names = ", ".join(code(name) for name in (*parameter.opts, *parameter.secondary_opts))
    value = "" if parameter.is_flag else f" {code(parameter.metavar or _kind(parameter))}"
    about = parameter.help or ""
    if parameter.show_default and not parameter.is_flag:
        told = parameter.show_default if isinstance(parameter.show_default, str) else None
        about += f" Default: {told or code(parameter.default)}."
    return f"{names}{value}", about


def _kind(parameter: Any) -> str:
    choices = getattr(parameter.type, "choices", None)
    return "|".join(choices) if choices else str(parameter.type.name).upper()


def exit_codes() -> str:
    """Which errors leave with which code."""
    from nanorecipes import errors
    from nanorecipes.cli import main

    by_code: dict[int, list[str]] = {}
    for name in errors.__all__:
        kind = getattr(errors, name)
        if kind not in (errors.NanorecipesError, errors.ApiError):
            by_code.setdefault(main.exit_code(kind.__new__(kind)), []).append(name)
    rows = [
        ("0", "fine", ""),
        ("1", "findings in files; a promise that was broken; rows that are left undone", ""),
        ("2", "wrong use; nothing was sent", codes_of(by_code[main.WRONG_USE])),
        ("3", "the service refused or failed, or a file could not be saved",
         codes_of(by_code[main.SERVICE])),
        ("4", "nobody knows: sent, perhaps charged", codes_of(by_code[main.UNKNOWN])),
        ("130", "interrupted; a task that was accepted can be resumed", ""),
    ]  # fmt: skip
    return table(["code", "meaning", "errors"], rows)


# --- errors and findings


def error_tree() -> str:
    """The tree as it stands at the top of the module."""
    from nanorecipes import errors

    assert errors.__doc__ is not None
    tree = errors.__doc__.partition("\n\n")[2].strip()
    return f"```text\n{tree}\n```\n"


def error_table() -> str:
    """Each error: what it is besides, what it says, what it knows."""
    from nanorecipes import errors

    rows = []
    for name in errors.__all__:
        kind = getattr(errors, name)
        also = [base.__name__ for base in kind.__bases__ if base.__module__ == "builtins"]
        doc = _first_sentence(kind) + _rest(kind)
        rows.append((code(name), codes_of([a for a in also if a != "Exception"]), doc,
                     codes_of(_attributes(kind))))  # fmt: skip
    return table(["error", "is also a", "means", "attributes"], rows)


def _rest(kind: type) -> str:
    rest = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[2]
    return f" {rest}" if rest else ""


def _attributes(kind: type) -> list[str]:
    """What the constructors of an error set, besides what every error has."""
    names: dict[str, None] = {}
    for base in kind.__mro__:
        source = inspect.getsource(base) if base.__module__ == kind.__module__ else ""
        names |= dict.fromkeys(re.findall(r"self\.([a-z_]+) = ", source))
    return [name for name in names if name not in ("message", "help")]


def codes() -> str:
    """Every code of findings about the format, calls and limits."""
    from nanorecipes import codes as module

    rows = [(code(item.code), code(item.name), item.about) for item in module.ALL]
    return table(["code", "name", "means"], rows)


def rules() -> str:
    """Every rule of the prompt guide, with its page."""
    from docs import generate_rules

    return generate_rules.rules()


# --- models


def models() -> str:
    """What each model is for, offers and costs."""
    from nanorecipes.catalogue import catalogue

    return "\n".join(_model(model) for model in catalogue().models.values())


def _model(model: Any) -> str:
    facts = [
        ("id", code(model.id)),
        ("for", model.use),
        ("ratios", codes_of(model.ratios)),
        ("quality tiers", codes_of(model.qualities)),
        ("without a tier", f"{model.default_quality} is assumed"),
        ("looks facts up (`search`)", "yes" if model.search else "no"),
        ("at Google directly", f"{code(model.google_id)}: {_google_prices(model)}"),
        ("people that stay themselves", f"at most {model.people} in one picture"),
    ]
    prices = [(tier, f"${price.usd}", price.basis) for tier, price in model.prices.items()]
    return (
        f"## {model.alias}: {model.title}\n\n{table(['fact', 'value'], facts)}\n"
        f"{table(['tier', 'USD for one picture', 'where the figure comes from'], prices)}"
    )


def _google_prices(model: Any) -> str:
    return ", ".join(f"{tier} ${price.usd}" for tier, price in model.google_prices.items())


def model_sizes() -> str:
    """Pixels by ratio and tier."""
    from nanorecipes.catalogue import catalogue

    by_alias = catalogue().models
    widest = max(by_alias.values(), key=lambda model: len(model.ratios) * len(model.qualities))
    rows = []
    for ratio in widest.ratios:
        sizes = [widest.size_px(ratio, tier) for tier in widest.qualities]
        offering = [model.alias for model in by_alias.values() if ratio in model.ratios]
        rows.append((ratio, *(f"{s[0]} x {s[1]}" if s else "" for s in sizes), ", ".join(offering)))
    return table(["ratio", *widest.qualities, "offered by"], rows)


def model_limits() -> str:
    """What one request may hold."""
    from nanorecipes.catalogue import catalogue

    limits = catalogue().limits
    rows = [
        ("characters of prompt", f"at most {limits.prompt_chars}"),
        ("source images", f"{limits.min_sources} to {limits.max_sources}"),
        ("reference images", f"at most {limits.max_references}"),
        ("pictures of one request", f"1 to {limits.max_num_images}"),
    ]
    return f"{table(['what', 'limit'], rows)}\nFacts of {catalogue().date}.\n"


# --- the recipe file


def schema_keys(where: str) -> str:
    """The keys of one part of the file, from the JSON Schema that editors read."""
    from nanorecipes.recipe.schema import recipe_schema

    schema = recipe_schema()
    node = schema if where == "file" else schema["$defs"].get(where) or schema["properties"][where]
    required = set(node.get("required", ()))
    rows = [
        (code(key) + (" (required)" if key in required else ""), _type(spec), _about(spec, schema))
        for key, spec in node["properties"].items()
    ]
    return table(["key", "value", "meaning"], rows)


def _type(spec: Mapping[str, Any]) -> str:
    if "$ref" in spec:
        return "mapping"
    if "const" in spec:
        return code(spec["const"])
    if "enum" in spec:
        return codes_of(spec["enum"])
    kinds = spec.get("type", "any")
    names = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number",
             "boolean": "true or false", "null": "nothing"}  # fmt: skip
    shown = [names.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return " or ".join(shown) + _bounds(spec)


def _bounds(spec: Mapping[str, Any]) -> str:
    low = spec.get("minimum")
    high = spec.get("maximum", spec.get("maxLength", spec.get("maxItems")))
    if low is not None and high is not None:
        return f", {low} to {high}"
    if high is not None:
        return f", at most {high}"
    return f", {low} or more" if low is not None else ""


def _about(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in spec:
        spec = {**schema["$defs"][spec["$ref"].rpartition("/")[2]], **spec}
    text = str(spec.get("description", ""))
    if "default" in spec:
        default = spec["default"]
        text += f" Default: {code(str(default).lower() if default in (True, False) else default)}."
    return text


FILTER_EXAMPLES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "capitalize": ("{{ x | capitalize }}", {"x": "the image"}),
    "default": ("{{ x | default('plain', true) }}", {"x": ""}),
    "first": ("{{ x | first }}", {"x": ["oak", "pine"]}),
    "int": ("{{ x | int }}", {"x": "12.7"}),
    "join": ("{{ x | join(' / ') }}", {"x": ["oak", "pine"]}),
    "last": ("{{ x | last }}", {"x": ["oak", "pine"]}),
    "length": ("{{ x | length }}", {"x": ["oak", "pine"]}),
    "lower": ("{{ x | lower }}", {"x": "Deep Blue"}),
    "replace": ("{{ x | replace('_', ' ') }}", {"x": "deep_blue"}),
    "round": ("{{ x | round(1) }}", {"x": 2.46}),
    "title": ("{{ x | title }}", {"x": "deep blue"}),
    "trim": ("{{ x | trim('.') }}", {"x": "deep blue."}),
    "unique": ("{{ x | unique | join(', ') }}", {"x": ["oak", "Oak", "pine"]}),
    "upper": ("{{ x | upper }}", {"x": "oak"}),
    "sentence": ("{{ x | sentence }}", {"x": "the handle is brass"}),
    "join_and": ("{{ x | join_and }}", {"x": ["oak", "pine", "ash"]}),
    "quote": ("{{ x | quote }}", {"x": "Fresh bread"}),
}


def filters() -> str:
    """Every filter with an example; what it prints is computed here."""
    from nanorecipes.prompt.environment import environment
    from nanorecipes.prompt.filters import FILTERS

    rows = []
    for name, function in FILTERS.items():
        template, values = FILTER_EXAMPLES[name]
        printed = environment().from_string(template).render(**values)
        rows.append((code(name), _first_sentence(function), code(template),
                     code(values["x"]), code(printed)))  # fmt: skip
    return table(["filter", "gives", "example", "with `x`", "prints"], rows)


def template_tests() -> str:
    """The tests that `is` may name."""
    from nanorecipes.prompt.environment import TESTS

    return f"{codes_of([name for name in TESTS if name.isalpha()])}\n"


def closings() -> str:
    """How the protecting paragraph ends, by what may change."""
    from nanorecipes.prompt.layout import CLOSINGS

    rows = [(code(changes), text) for changes, text in CLOSINGS.items()]
    return table(["`changes`", "closing sentence"], rows)


def taken_names() -> str:
    """Names that no image and no parameter may have."""
    from nanorecipes.recipe.checks import CALL_OPTIONS, TEMPLATE_WORDS

    return (
        f"Call options: {codes_of(CALL_OPTIONS)}.\n\n"
        f"Words of the template language: {codes_of(sorted(TEMPLATE_WORDS))}.\n"
    )


# --- the sandbox


def faults() -> str:
    """Everything that can go wrong on demand."""
    from nanorecipes.sandbox.faults import FAULTS

    rows = [(code(fault.name), codes_of(fault.routes), fault.text) for fault in FAULTS.values()]
    return table(["fault", "calls that it can strike", "what happens"], rows)


# --- Python


def names() -> str:
    """Everything that the package exports."""
    import nanorecipes

    rows = []
    for name in nanorecipes.__all__:
        item = getattr(nanorecipes, name)
        about = _first_sentence(item) if name != "recipes" else "The library of this process."
        rows.append((code(name), about))
    return table(["name", "what it is"], rows)


def members(name: str) -> str:
    """The signatures and docstrings of a public class, or of a function."""
    import nanorecipes

    kind = getattr(nanorecipes, name)
    if not inspect.isclass(kind):
        return _signature_block(name, kind)
    parts = [_signature_block(name, kind)] if name in _MADE_BY_CALLERS else []
    attributes = [(code(n), doc) for n, doc in _fields(kind)]
    methods = []
    for member, value in _public(kind):
        if isinstance(value, property) or hasattr(value, "attrname"):
            attributes.append((code(member), _first_sentence(value)))
        elif callable(value) or isinstance(value, classmethod):
            methods.append(_signature_block(member, value))
    if attributes:
        parts.append(table(["attribute", "what it is"], attributes))
    return "\n".join([*parts, *methods])


def event_details() -> str:
    """What the events of each kind tell beside what all of them do."""
    from nanorecipes.events import DETAILS

    rows = [
        (code(kind), code(name), about)
        for kind, details in DETAILS.items()
        for name, about in details.items()
    ]
    return table(["kind", "detail", "what it is"], rows)


_MADE_BY_CALLERS = {"Client", "Library"}
_INTERNAL = {"make", "shelf", "definition", "chosen", "save_quietly"}


def _public(kind: type) -> Iterator[tuple[str, Any]]:
    """Own and inherited members, in the order of the source; `__call__` is one of them."""
    seen: set[str] = set()
    for base in kind.__mro__:
        if not base.__module__.startswith("nanorecipes"):
            continue
        for name, value in vars(base).items():
            is_public = not name.startswith("_") or name == "__call__"
            if is_public and name not in seen and name not in _INTERNAL and _is_member(value):
                seen.add(name)
                yield name, value


def _is_member(value: Any) -> bool:
    return isinstance(value, (property, classmethod)) or hasattr(value, "attrname") or (
        inspect.isfunction(value)
    )  # fmt: skip


def _fields(kind: type) -> Iterator[tuple[str, str]]:
    """The fields of a dataclass, each with the text below it."""
    import dataclasses

    if not dataclasses.is_dataclass(kind):
        return
    source = inspect.getsource(kind)
    for field in dataclasses.fields(kind):
        if field.name in _INTERNAL or field.name.startswith("_"):
            continue
        found = re.search(rf'\n    {field.name}: [^\n]*\n    """(.*?)"""', source, re.DOTALL)
        yield field.name, (found.group(1) if found else _plain_type(field.type)).strip()


def _plain_type(annotation: object) -> str:
    return code(annotation)


def _signature_block(name: str, item: Any) -> str:
    function = item.__init__ if inspect.isclass(item) else getattr(item, "__func__", item)
    kind = "async " if inspect.iscoroutinefunction(function) else ""
    shown = "recipe(...)" if name == "__call__" else name
    doc = inspect.cleandoc(function.__doc__ or "")
    return (
        f"#### `{shown}`\n\n```text\n{kind}{name}{_signature(function)}\n```\n\n{_docstring(doc)}\n"
    )


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    kept = [p for n, p in signature.parameters.items() if n not in ("self", "cls", "wiring")]
    text = str(signature.replace(parameters=kept)).replace("'", "").removesuffix(" -> None")
    if len(text) <= 78:
        return text
    inside, _, after = text[1:].rpartition(")")
    return "(\n" + "".join(f"    {part},\n" for part in _split(inside)) + f"){after}"


def _split(text: str) -> list[str]:
    """Split at commas that stand outside of brackets."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    return [*parts, text[start:].strip()]


def _docstring(doc: str) -> str:
    """A docstring in Markdown: its lists of arguments and errors become lists."""
    doc = re.sub(r"\nExample:\n(?:    .*\n?|\n)+", "\n", f"{doc}\n")
    lines: list[str] = []
    for line in doc.strip().split("\n"):
        entry = re.match(r"    (?! )([\w, ]+): (.*)", line)
        if re.fullmatch(r"(Args|Returns|Raises):", line):
            lines += [f"*{line.rstrip(':')}*", ""]
        elif entry and entry[1] != "wiring":
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        elif entry is None:
            lines.append("  " + line.strip() if line.startswith("     ") else line.strip())
    return "\n".join(lines)


def _first_sentence(item: Any) -> str:
    doc = inspect.cleandoc(getattr(item, "__doc__", "") or "")
    return " ".join(doc.partition("\n\n")[0].split())


# --- filling in

GENERATORS: Mapping[str, Callable[..., str]] = {
    "commands": commands, "exit-codes": exit_codes, "error-tree": error_tree,
    "error-table": error_table, "codes": codes, "rules": rules,
    "models": models, "model-sizes": model_sizes,
    "model-limits": model_limits, "schema-keys": schema_keys, "filters": filters,
    "template-tests": template_tests, "closings": closings, "taken-names": taken_names,
    "faults": faults, "names": names, "members": members, "event-details": event_details,
}  # fmt: skip


def pages() -> list[Path]:
    """Every page of the documentation that may hold generated parts."""
    return sorted(DOCS.rglob("*.md"))


def fill(text: str) -> str:
    """A page's text with its generated parts up to date."""
    return _BLOCK.sub(_filled, text)


def _filled(found: re.Match[str]) -> str:
    generator = GENERATORS[found["name"]]
    made = generator(found["argument"]) if found["argument"] else generator()
    return f"{found['begin']}{made}{found['end']}"


def outdated() -> list[Path]:
    """The pages whose generated parts differ from the code."""
    return [page for page in pages() if (text := page.read_text("utf-8")) != fill(text)]


def draw_picture() -> Path:
    """The README's picture: what the sandbox draws for a change of clothes."""
    from nanorecipes import Client, Library

    samples = DOCS / "samples"
    request = Library(ROOT / "recipes")["outfit/change_outfit"].render(
        person=samples / "mannequin.jpg", garment=samples / "coat.jpg",
        outfit="this camel coat", aspect_ratio="3:2", quality="1K",
    )  # fmt: skip
    with Client(backend="sandbox") as client:
        PICTURE.write_bytes(client.run(request).images[0].data)
    return PICTURE


def main(arguments: Sequence[str]) -> int:
    """Fill in every page, or with `--check` only name those that are out of date."""
    if "--picture" in arguments:
        print(draw_picture().relative_to(ROOT))
    stale = outdated()
    for page in stale:
        print(page.relative_to(ROOT))
        if "--check" not in arguments:
            page.write_text(fill(page.read_text("utf-8")), "utf-8")
    from docs import generate_recipes  # pages of its own, whole

    catalogue = generate_recipes.main(arguments)
    return 1 if catalogue or (stale and "--check" in arguments) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
