"""Where requests go: arguments, `configure`, environment, pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nanorecipes import config
from nanorecipes.cli.main import run
from nanorecipes.client import Client, default_client
from nanorecipes.config import configure, connection
from nanorecipes.errors import ConfigurationError

Env = pytest.MonkeyPatch


@pytest.mark.parametrize(
    ("options", "missing", "variable"),
    [
        (
            {},
            "neither QOLABA_API_KEY nor GEMINI_API_KEY is set",
            "QOLABA_API_KEY or GEMINI_API_KEY",
        ),
        ({"backend": "qolaba"}, "QOLABA_API_KEY is not set", "QOLABA_API_KEY"),
        ({"backend": "gemini"}, "GEMINI_API_KEY is not set", "GEMINI_API_KEY"),
        ({"backend": "gemini", "api_key": " "}, "api_key is empty", "GEMINI_API_KEY"),
        ({"api_key": ""}, "api_key is empty", "QOLABA_API_KEY"),
    ],
)
def test_without_a_key_the_text_names_the_variable_and_the_sandbox(
    options: dict[str, Any], missing: str, variable: str
) -> None:
    """A traceback shows the text alone; and the sandbox is never chosen silently."""
    with pytest.raises(ConfigurationError) as caught:
        Client(**options)
    first, advice = str(caught.value).split("\n")
    assert missing in first
    assert advice.startswith(f"  help: set {variable}, or try without a key: backend='sandbox'")
    assert (caught.value.message, f"  help: {caught.value.help}") == (first, advice)


def test_the_command_line_says_the_way_out_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The text of the error holds it as well."""
    url = "https://pictures.invalid/mug.jpg"
    assert run(["run", "edit/change_part", f"photo={url}", "part=a", "change=b"]) == 2
    assert capsys.readouterr().err.count("help:") == 1


def test_the_backend_whose_key_is_set_is_taken(monkeypatch: Env) -> None:
    """One key is a choice."""
    monkeypatch.setenv("QOLABA_API_KEY", " qk-123456 \n")
    found = connection()
    assert (found.backend, found.base_url) == ("qolaba", "https://api.platform.qolaba.ai")
    assert found.secret.reveal() == "qk-123456"


def test_a_gemini_key_alone_goes_to_google(monkeypatch: Env) -> None:
    """One key is a choice, whichever it is."""
    monkeypatch.setenv("GEMINI_API_KEY", " gk-123456 \n")
    found = connection()
    assert (found.backend, found.key_name) == ("gemini", "GEMINI_API_KEY")
    assert found.base_url == "https://generativelanguage.googleapis.com"
    assert found.secret.reveal() == "gk-123456"


def test_of_two_keys_qolabas_is_taken(monkeypatch: Env) -> None:
    """Setting a second key moves nobody's requests and money elsewhere."""
    monkeypatch.setenv("GEMINI_API_KEY", "gk-123456")
    monkeypatch.setenv("QOLABA_API_KEY", "qk-123456")
    assert connection().backend == "qolaba"
    assert connection("gemini").secret.reveal() == "gk-123456"


def test_gemini_has_a_key_and_an_address_of_its_own(monkeypatch: Env) -> None:
    """Neither service ever gets what is meant for the other."""
    monkeypatch.setenv("QOLABA_API_KEY", "qk-123456")
    monkeypatch.setenv("QOLABA_BASE_URL", "https://qolaba.example")
    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY is not set"):
        connection("gemini")
    monkeypatch.setenv("GEMINI_API_KEY", "gk-123456")
    monkeypatch.setenv("GEMINI_BASE_URL", "https://google.example/v1beta/")
    assert connection("gemini").base_url == "https://google.example"
    configure(api_key="qk-999999", base_url="https://configured.example")
    assert connection("gemini")[1:3] != connection("qolaba")[1:3]
    assert connection("gemini").base_url == "https://google.example"
    assert connection("gemini").secret.reveal() == "gk-123456"


def test_the_order_is_argument_configure_environment_file(monkeypatch: Env, tmp_path: Path) -> None:
    """The nearer to the call, the stronger."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.nanorecipes]\nbackend = "sandbox"\nqolaba-base-url = "https://file.example/"\n'
    )
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert connection().backend == "sandbox"
    monkeypatch.setenv("NANORECIPES_BACKEND", "qolaba")
    monkeypatch.setenv("QOLABA_API_KEY", "qk-1")
    assert connection().base_url == "https://file.example"
    monkeypatch.setenv("QOLABA_BASE_URL", "https://env.example")
    assert connection().base_url == "https://env.example"
    configure(base_url="https://configured.example")
    assert connection().base_url == "https://configured.example"
    assert connection(base_url="https://call.example").base_url == "https://call.example"
    configure(backend="sandbox")
    assert connection().backend == "sandbox"
    assert connection("qolaba").backend == "qolaba"


def test_a_key_given_without_a_backend_is_qolabas(monkeypatch: Env) -> None:
    """But the environment's choice of backend stands."""
    assert connection(api_key="qk-2").backend == "qolaba"
    monkeypatch.setenv("NANORECIPES_BACKEND", "sandbox")
    assert connection(api_key="qk-2").backend == "sandbox"


def test_the_sandbox_gets_no_real_key_and_no_real_address(monkeypatch: Env) -> None:
    """An emulator on another machine has no business with them."""
    monkeypatch.setenv("QOLABA_API_KEY", "qk-real-key")
    monkeypatch.setenv("QOLABA_BASE_URL", "https://real.example")
    configure(api_key="qk-configured", base_url="https://configured.example")
    found = connection("sandbox")
    assert found.secret.reveal() == "sandbox"
    assert found.base_url == "http://sandbox.invalid"


@pytest.mark.parametrize(
    "url", ["https://a.example/", "https://a.example/api/v1", "https://a.example/api/v1/"]
)
def test_a_base_url_is_scheme_and_host(url: str) -> None:
    """Who copies the whole address from the docs is understood."""
    assert connection("qolaba", "k", url).base_url == "https://a.example"


@pytest.mark.parametrize(
    "url",
    [
        "a.example",
        "ftp://a.example",
        "http://",
        "http://u:p@a.example",
        "http://a/?k=1",
        "",
        "http://a:x",
        "http://a b/\n",
        5,
    ],
)
def test_a_base_url_that_is_none_is_refused_without_showing_it(url: Any) -> None:
    """It may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        connection("qolaba", "k", url)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "schlüssel", 7])
def test_a_key_that_fits_in_no_header_is_refused_without_showing_it(key: Any) -> None:
    """An error from inside the HTTP library would show it."""
    with pytest.raises(ConfigurationError) as caught:
        connection("qolaba", key)
    assert str(key).strip() == "" or str(key) not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"backend": "sandbux"}, "did you mean 'sandbox'"),
        ({"backend": 5}, "expected one of"),
        ({"backend": "sandbox", "mode": "async"}, "task"),
        ({"backend": "sandbox", "timeout_s": 0}, "seconds"),
        ({"backend": "sandbox", "timeout_s": float("nan")}, "seconds"),
        ({"backend": "sandbox", "timeout_s": "60"}, "seconds"),
        ({"backend": "qolaba"}, "QOLABA_API_KEY"),
    ],
)
def test_unfit_values_are_named(options: Any, word: str) -> None:
    """With what was expected."""
    with pytest.raises(ConfigurationError, match=word):
        Client(**options)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('qolaba_api_key = "qk-1"', "doesn't belong in a file"),
        ('api-key = "qk-1"', "doesn't belong in a file"),
        ('backnd = "sandbox"', "did you mean 'backend'"),
        ('backend = "sandbux"', "sandbux"),
        ("backend = 5", "expected one of"),
        ("uploads = 5", "expected a text"),
        ('provenance = "some"', "full, minimal, none"),
        ("path = [5]", "folders"),
        ("backend = ", "can't be read"),
    ],
)
def test_a_wrong_file_is_named(monkeypatch: Env, tmp_path: Path, text: str, word: str) -> None:
    """A setting that is ignored in silence costs an afternoon."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.nanorecipes]\n{text}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=word) as caught:
        connection()
    assert "pyproject.toml" in str(caught.value)
    assert "qk-1" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "tool = 5", "[tool.other]\nx = 1", "[project]\nname = 'x'"])
def test_a_file_of_others_says_nothing(monkeypatch: Env, tmp_path: Path, text: str) -> None:
    """Most pyproject.toml files are not ours."""
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert config.search_path() == ()
    assert config.uploads() is None


def test_a_table_that_is_none_is_refused(monkeypatch: Env, tmp_path: Path) -> None:
    """And tables below it belong to other parts."""
    file = tmp_path / "pyproject.toml"
    monkeypatch.chdir(tmp_path)
    file.write_text("[tool]\nnanorecipes = 5\n")
    with pytest.raises(ConfigurationError, match="expected a table"):
        config.uploads()
    file.write_text('[tool.nanorecipes.lint]\nselect = ["x"]\n[tool.nanorecipes]\nuploads = "s3"\n')
    os.utime(file, ns=(1, 1))
    assert config.uploads() == "s3"


def test_the_search_path_is_read_from_every_place(monkeypatch: Env, tmp_path: Path) -> None:
    """In a file it starts at the file, elsewhere where the caller stands."""
    (tmp_path / "pyproject.toml").write_text('[tool.nanorecipes]\npath = ["a", "b"]\n')
    monkeypatch.chdir(tmp_path)
    assert config.search_path() == (tmp_path / "a", tmp_path / "b")
    monkeypatch.setenv("NANORECIPES_PATH", os.pathsep.join(["x", "", "~/y"]))
    assert config.search_path() == (Path("x"), Path("~/y").expanduser())
    configure(path=[tmp_path, "z"])
    assert config.search_path() == (tmp_path, Path("z"))
    configure(path=f"p{os.pathsep}q")
    assert config.search_path() == (Path("p"), Path("q"))
    configure(path=tmp_path)
    assert config.search_path() == (tmp_path,)


def test_a_folder_that_was_deleted_has_no_file(monkeypatch: Env, tmp_path: Path) -> None:
    """A shell may stand in one."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert config.search_path() == ()
    monkeypatch.chdir(tmp_path)


def test_configure_makes_the_default_client_anew() -> None:
    """A change holds at once, and forgetting it as well."""
    configure(backend="sandbox", timeout_s=5, mode="sync", uploads="s3")
    first = default_client()
    assert default_client() is first
    assert first.backend == "sandbox"
    assert config.uploads() == "s3"
    configure(backend="qolaba", api_key="qk-1")
    assert default_client().backend == "qolaba"
    assert "qk-1" not in repr(config.given())
    configure()
    with pytest.raises(ConfigurationError):
        default_client()


@pytest.mark.parametrize("options", [{"backend": "x"}, {"mode": "x"}, {"timeout_s": -1}])
def test_configure_refuses_what_can_not_be_used(options: Any) -> None:
    """At once, not at the first request."""
    with pytest.raises(ConfigurationError):
        configure(**options)


def test_importing_and_making_a_client_loads_no_http_library() -> None:
    """The command line answers before it would be needed."""
    code = (
        "import sys, nanorecipes.client as c; c.Client('qolaba', api_key='k');"
        "heavy = ('httpx', 'httpcore', 'PIL', 'pydantic', 'yaml');"
        "print([m for m in heavy if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
