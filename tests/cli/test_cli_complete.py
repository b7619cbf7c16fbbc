"""Shell completion."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shells import Shell


def completed(line: str, monkeypatch: pytest.MonkeyPatch, shell: Shell) -> list[str]:
    monkeypatch.setenv("_NANORECIPES_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    monkeypatch.setenv("COMP_BREAKS", " =:")
    with pytest.raises(SystemExit):
        shell()
    return [row.split(",", 1)[1] for row in shell.read().out.splitlines()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nanorecipes rend", ["render"]),
        ("nanorecipes render outfit/change_o", ["outfit/change_outfit"]),
        ("nanorecipes render outfit/change_outfit fi", ["fit="]),
        ("nanorecipes render outfit/change_outfit fit=", ["slim", "regular", "oversized"]),
        ("nanorecipes render outfit/change_outfit fit=o", ["oversized"]),
        ("nanorecipes run outfit/change_outfit --model ", ["flash", "pro"]),
        ("nanorecipes run outfit/change_outfit --aspect-ratio 16", ["16:9"]),
        ("nanorecipes completion b", ["bash"]),
    ],
)
def test_bash_completes(
    line: str, expected: list[str], monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    """Names and values need not be remembered."""
    assert completed(line, monkeypatch, shell)[: len(expected)] == expected


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(name: str, shell: Shell) -> None:
    """It is printed to be saved."""
    assert "_NANORECIPES_COMPLETE" in shell("completion", name).out


def test_bash_script_fills_in_a_value(shell: Shell, tmp_path: Path) -> None:
    """The script itself runs, in a real bash."""
    bash = shutil.which("bash")
    assert bash is not None
    script = tmp_path / "complete.bash"
    script.write_text(shell("completion", "bash").out)
    program = tmp_path / "nanorecipes"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m nanorecipes "$@"\n')
    program.chmod(0o755)
    lines = f"""
        source {script}
        COMP_LINE="nanorecipes render outfit/change_outfit fit=s"; COMP_POINT=${{#COMP_LINE}}
        _nanorecipes_completion {program} 2>/dev/null; echo "${{COMPREPLY[*]}}"
    """
    done = subprocess.run([bash, "-c", lines], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "slim"


def test_help_and_completion_load_nothing_heavy(shell: Shell) -> None:
    """Pressing Tab must not be felt."""
    code = """
import sys
from nanorecipes.cli.main import run
run(["--help"])
import nanorecipes.cli.complete as complete
import click
context = click.Context(click.Command("x"))
context.params["recipe_name"] = "outfit/change_outfit"
assert complete.complete_recipes(context, None, "edit/")
assert complete.complete_inputs(context, None, "fi")
heavy = {"pydantic", "pydantic_core", "jinja2", "httpx", "PIL"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
