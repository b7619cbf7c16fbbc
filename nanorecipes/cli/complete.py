"""Shell completion: commands, recipe names, a recipe's inputs and their enum values.

Pressing Tab must be quick: recipes are found by their folders, and one file is read with YAML
alone; nothing is validated or compiled.
"""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

SHELLS = ("bash", "zsh", "fish")

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion kind value
    response=$(env COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" COMP_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete $1)
    COMPREPLY=()
    for completion in $response; do
        IFS=',' read -r kind value <<< "$completion"
        if [[ $kind == 'dir' ]]; then
            compopt -o dirnames
        elif [[ $kind == 'file' ]]; then
            compopt -o default
        elif [[ $kind == 'plain' ]]; then
            COMPREPLY+=("$value")
            [[ $value == *= ]] && compopt -o nospace
        fi
    done
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(BashComplete):
    """Bash splits words at `=` and `:`, so the line is read whole and only the rest is given."""

    source_template = _BASH

    @staticmethod
    def _check_version() -> None:
        """Every bash that has `compopt` will do; asking which one it is would start another."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE", "")
        upto = line.encode()[: int(os.environ.get("COMP_POINT") or len(line))].decode(
            errors="ignore"
        )
        words = split_arg_string(upto)
        is_new = not words or upto.endswith(" ")
        return (words[1:], "") if is_new else (words[1:-1], words[-1])

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        self._typed = incomplete
        return super().get_completions(args, incomplete)

    def format_completion(self, item: CompletionItem) -> str:
        breaks = os.environ.get("COMP_BREAKS", "=:")
        head = max((self._typed.rfind(mark) + 1 for mark in "=:" if mark in breaks), default=0)
        value = item.value[head:] if item.value.startswith(self._typed[:head]) else item.value
        return f"{item.type},{value}"


add_completion_class(_Bash)


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


def complete_models(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The models' aliases and ids."""
    from nanorecipes.catalogue import catalogue

    return _beginning(incomplete, [*catalogue().models, *catalogue().by_id])


def complete_qualities(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The quality tiers that some model offers."""
    from nanorecipes.catalogue import catalogue

    tiers = [tier for model in catalogue().models.values() for tier in model.qualities]
    return _beginning(incomplete, list(dict.fromkeys(tiers)))


def complete_ratios(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The ratios that some model offers, and `match`."""
    from nanorecipes.catalogue import catalogue

    ratios = [ratio for model in catalogue().models.values() for ratio in model.ratios]
    return _beginning(incomplete, ["match", *dict.fromkeys(ratios)])


def _beginning(incomplete: str, words: list[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


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
