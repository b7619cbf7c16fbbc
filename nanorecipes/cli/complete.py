"""Shell completion: commands, recipe names, a recipe's inputs and their enum values.

Pressing Tab must be quick: recipes are found by their folders, and one file is read with YAML
alone; nothing is validated or compiled.
"""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")


def complete_recipes(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Recipe names that begin like this."""
    from nanorecipes.recipe.places import walk
    from nanorecipes.search_path import search_path

    names = {entry.name for folder in search_path() for entry in walk(folder)}
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


def complete_inputs(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """`name=` of the recipe's inputs, and behind it the values of an enum or a file name."""
    data = _recipe_data(ctx.params.get("recipe_name"))
    images = data.get("images") or {}
    params = {k: v or {} for k, v in (data.get("params") or {}).items()}
    name, equals, value = incomplete.partition("=")
    if not equals:
        names = [*images, *params]
        return [CompletionItem(f"{n}=") for n in names if n.startswith(incomplete)]
    if name in images:
        return [CompletionItem(value, type="file")]
    spec = params.get(name, {})
    values = spec.get("enum") or (["true", "false"] if spec.get("type") == "boolean" else [])
    texts = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
    return [CompletionItem(f"{name}={t}") for t in texts if t.startswith(value)]


def _recipe_data(name: str | None) -> dict[str, Any]:
    """A recipe file's content, unchecked; empty when there is none or it can't be read."""
    import yaml

    from nanorecipes.recipe.places import NAME, SUFFIX
    from nanorecipes.search_path import search_path

    if not name or not NAME.match(name):
        return {}
    for folder in search_path():
        path = folder.path / f"{name}{SUFFIX}"
        if path.is_file() and path.stat().st_size < 256 * 1024:
            try:
                data = yaml.safe_load(path.read_text(encoding="utf-8"))
            except (yaml.YAMLError, OSError, ValueError):
                return {}
            return data if isinstance(data, dict) else {}
    return {}


@click.command("completion", epilog="""\b
To install:
  bash   nanorecipes completion bash >> ~/.bashrc
  zsh    nanorecipes completion zsh >> ~/.zshrc
  fish   nanorecipes completion fish > ~/.config/fish/completions/nanorecipes.fish
""")  # fmt: skip
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> None:
    """Print the script that makes SHELL complete commands, recipe names, inputs and values."""
    from nanorecipes.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(kind(cli, {}, "nanorecipes", "_NANORECIPES_COMPLETE").source())
