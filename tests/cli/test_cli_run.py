"""Running recipes from the command line, on the sandbox and against what goes wrong."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from nanorecipes.errors import AuthenticationError
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import running_server

if TYPE_CHECKING:
    from shells import Shell

PART = ("edit/change_part", "photo=photo.jpg", "part=the mug", "change=deep blue")
BY_URL = ("edit/change_part", "photo=https://example.com/mug.jpg", *PART[2:])


def test_run_saves_picture_and_sidecar(shell: Shell) -> None:
    """The whole point."""
    said = shell("run", *PART, "--sandbox", "-o", "out", "--json")
    assert said.code == 0
    assert set(said.json) == {"recipe", "task_id", "images", "cost_usd", "backend"}
    made = said.json["images"][0]
    with Image.open(made["path"]) as picture:
        assert picture.size == (made["width"], made["height"]) == (1200, 896)
    sidecar = json.loads(Path(made["path"] + ".json").read_text())
    assert sidecar["recipe"] == "edit/change_part"
    assert sidecar["task_id"] == said.json["task_id"]


def test_run_prints_paths_on_stdout_and_the_rest_on_stderr(shell: Shell) -> None:
    """`$(nanorecipes run ...)` is a file name."""
    said = shell("run", *PART, "--sandbox", "-o", "out")
    assert Path(said.out.strip()).is_file()
    assert "cost $" in said.err
    assert "sandbox: nothing was charged" in said.err
    assert shell("run", *PART, "--sandbox", "-o", "out", "-q").err == ""


def test_run_without_a_key_names_the_keys_and_the_sandbox(shell: Shell) -> None:
    """The sandbox is never chosen silently."""
    said = shell("run", *BY_URL)
    assert said.code == 2
    assert "QOLABA_API_KEY" in said.err
    assert "--sandbox" in said.err


def test_cost_above_the_limit_sends_nothing(shell: Shell) -> None:
    """Money is asked about before it is spent."""
    said = shell("run", *PART, "--sandbox", "--max-cost", "0.01", "--json")
    assert said.code == 2
    assert said.json["error"]["type"] == "BudgetError"
    assert said.json["error"]["cost_usd"] == "0.067"


def test_folder_that_cannot_be_written_is_found_before_sending(shell: Shell) -> None:
    """A paid picture needs a place to lie."""
    Path("taken").write_text("a file")
    sandbox = Sandbox()
    with running_server(sandbox) as server:
        os.environ.update(QOLABA_BASE_URL=server.base_url, QOLABA_API_KEY="key-for-tests")
        try:
            said = shell("run", *BY_URL, "-o", "taken/below")
        finally:
            del os.environ["QOLABA_BASE_URL"], os.environ["QOLABA_API_KEY"]
    assert said.code == 2
    assert "can't be written" in said.err
    assert sandbox.charges == []


def test_local_picture_on_the_service_names_the_setting(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service takes URLs, and the error says how to give it one."""
    monkeypatch.setenv("QOLABA_API_KEY", "key-for-tests")
    said = shell("run", *PART)
    assert said.code == 2
    assert "NANORECIPES_UPLOADS" in said.err
    assert "NANORECIPES_BACKEND=gemini, or backend='gemini', sends it along to Google" in said.err


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        (["blocked"], 3, "ContentBlockedError"),
        (["no_image"], 3, "NoImageError"),
        (["drop_after"], 4, "OutcomeUnknownError"),
        (["500"], 4, "OutcomeUnknownError"),
        (["drop_before", "ok"], 4, "OutcomeUnknownError"),
    ],
)
def test_each_failure_has_its_exit_code(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, script: list[str], code: int, words: str
) -> None:
    """Scripts decide by it whether money may be gone."""
    sandbox = Sandbox(faults=Faults.script(script))
    with running_server(sandbox) as server:
        monkeypatch.setenv("QOLABA_BASE_URL", server.base_url)
        monkeypatch.setenv("QOLABA_API_KEY", "key-for-tests")
        said = shell("run", *BY_URL, "--json")
    assert said.code == code
    assert said.json["error"]["type"] == words
    assert "key-for-tests" not in said.out + said.err


@pytest.mark.parametrize(("key", "error"), [
    ("bad-key", "AuthenticationError"), ("no-credits", "InsufficientCreditsError"),
])  # fmt: skip
def test_refused_keys_exit_with_three(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, key: str, error: str
) -> None:
    """The service refused; nothing is wrong with the call."""
    with running_server() as server:
        monkeypatch.setenv("QOLABA_BASE_URL", server.base_url)
        monkeypatch.setenv("QOLABA_API_KEY", key)
        said = shell("run", *BY_URL, "--json")
    assert said.code == 3
    assert said.json["error"]["type"] == error


def test_timeout_prints_the_line_that_resumes(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task was paid for and may still finish."""
    # A clock that stands still: the task is accepted and never done.
    sandbox = Sandbox(clock=lambda: 0.0)
    with running_server(sandbox) as server:
        monkeypatch.setenv("QOLABA_BASE_URL", server.base_url)
        monkeypatch.setenv("QOLABA_API_KEY", "key-for-tests")
        said = shell("run", *BY_URL, "--timeout", "0.2", "-o", "my out")
    assert said.code == 3
    assert f"nanorecipes resume {sandbox.charges[0].task_id} -o 'my out'" in said.err


def test_resume_saves_the_pictures_of_a_task(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was paid for is fetched, and nothing is paid again."""
    sandbox = Sandbox()
    with running_server(sandbox) as server:
        monkeypatch.setenv("QOLABA_BASE_URL", server.base_url)
        monkeypatch.setenv("QOLABA_API_KEY", "key-for-tests")
        first = shell("run", *BY_URL, "-o", "one", "--json").json
        said = shell("resume", first["task_id"], "-o", "two", "--json")
    assert said.code == 0
    paths = (first["images"][0]["path"], said.json["images"][0]["path"])
    pixels = []
    for path in paths:
        with Image.open(path) as picture:
            pixels.append(picture.tobytes())
    assert pixels[0] == pixels[1]
    assert len(sandbox.charges) == 1


def test_no_traceback_reaches_a_person(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is said in a line, with the way to more."""
    monkeypatch.setattr("nanorecipes.book.Library.scan", lambda self: 1 / 0)
    said = shell("list")
    assert said.code == 2
    assert "Traceback" not in said.err
    assert "--debug" in said.err
    with pytest.raises(ZeroDivisionError):
        shell("list", "--debug")


def test_interrupt_exits_with_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's own number for Ctrl-C."""

    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nanorecipes.client.Client.run", interrupted)
    said = shell("run", *PART, "--sandbox")
    assert said.code == 130
    assert "interrupted" in said.err


def test_closed_pipe_is_no_error(shell: Shell) -> None:
    """`nanorecipes list | head -1` is how people look."""
    command = f"{shlex.quote(sys.executable)} -m nanorecipes list --json | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.stdout == "["
    assert "Traceback" not in done.stderr


def test_missing_picture_is_the_first_thing_said(shell: Shell) -> None:
    """A warning about its shape would hide that it isn't there."""
    said = shell("run", PART[0], "photo=nowhere.jpg", *PART[2:], "--sandbox")
    assert said.code == 2
    assert said.err.startswith("error NR033 bad-image: photo: there is no file 'nowhere.jpg'")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_names_the_task_it_leaves(shell: Shell, number: signal.Signals) -> None:
    """The task is paid for; whoever stops the wait must be able to come back."""
    sandbox = Sandbox(clock=lambda: 0.0)  # accepted and never done
    with running_server(sandbox) as server:
        env = {**os.environ, "QOLABA_BASE_URL": server.base_url, "QOLABA_API_KEY": "key-for-tests"}
        args = [sys.executable, "-m", "nanorecipes", "run", *BY_URL, "-o", "out"]
        with subprocess.Popen(args, env=env, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            said = ""
            while "accepted as task" not in said:  # it has the task; now it only waits
                line = process.stderr.readline()
                assert line, said
                said += line
            process.send_signal(number)
            said += process.stderr.read()
    assert process.returncode == 130
    assert f"nanorecipes resume {sandbox.charges[0].task_id} -o out" in said


def test_key_for_another_host_is_announced(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's checkout could name a host of its own in pyproject.toml."""
    Path("pyproject.toml").write_text('[tool.nanorecipes]\nbase_url = "https://gate.invalid"\n')
    monkeypatch.setenv("QOLABA_API_KEY", "key-for-tests")

    def refused(*args: object, **options: object) -> None:
        raise AuthenticationError("refused")

    monkeypatch.setattr("nanorecipes.client.Client.run", refused)
    said = shell("run", *BY_URL)
    assert said.code == 3
    assert "the request and the key go to https://gate.invalid" in said.err


def test_a_box_for_the_prompt_is_warned_of(shell: Shell) -> None:
    """`prove --protect` takes one; here it would be paid for as words."""
    said = shell("render", *PART, "--protect", "0,0,0.5,1")
    assert "--protect-region" in said.err
    assert "warning" in said.err
    assert "--protect-region" not in shell("render", *PART, "--protect", "the 2, 3 or 4 dots").err


def test_a_run_is_shown_by_its_id_or_as_the_last(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to know the word in between."""
    monkeypatch.delenv("NANORECIPES_LEDGER")
    assert shell("run", *PART, "--sandbox", "-o", "out", "-q").code == 0
    run_id = shell("runs").out.split()[0]
    shown = shell("runs", "show", run_id).out
    assert shell("runs", run_id).out == shown
    assert shell("runs", "last").out == shown
    assert shell("runs", "show", "last").out == shown
    assert shell("runs", "nothing").code == 2


def test_a_port_that_there_is_not_is_wrong_use(shell: Shell) -> None:
    """A slip of the keyboard is no fault of the program."""
    assert shell("sandbox", "--port", "99999").code == 2
