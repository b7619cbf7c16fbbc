"""What `render` says of a request that goes to Google: its body, its price, its curl command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from network import Played, picture
from PIL import Image
from played_google import HOST, KEY, inline, made
from shells import Shell

from nanorecipes import recipes
from nanorecipes.client import Client, Wiring
from nanorecipes.sandbox.server import RunningServer

GIVEN = {"part": "the mug", "change": "deep blue"}
STEERING = 'blue, as in "$HOME" and `ls` and $(touch made) and it\'s \\n \\\\ $$ <<BODY'


def sent(photo: Any, **given: Any) -> Any:
    """The body that a client sends for the same arguments."""
    played = Played(lambda _: made())
    with Client("gemini", api_key=KEY, base_url=HOST, wiring=Wiring(transport=played)) as client:
        client.run(recipes["edit/change_part"].render(photo=photo, **{**GIVEN, **given}))
    return json.loads(played.requests[0].content)


def render(shell: Shell, photo: str, *more: str, **given: str) -> str:
    """What `render --curl` prints."""
    words = [f"{name}={value}" for name, value in {**GIVEN, **given}.items()]
    said = shell("render", "edit/change_part", f"photo={photo}", *words, "--curl", *more)
    assert said.code == 0, said.err
    return said.out


def run_by_shell(command: str, folder: Path) -> tuple[list[str], Any]:
    """What curl would be given: its arguments, and the body."""
    stub = folder / "bin" / "curl"
    stub.parent.mkdir()
    stub.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > asked\ncat > body\n')
    stub.chmod(0o755)
    environment = {"PATH": f"{stub.parent}:/usr/bin:/bin", "GEMINI_API_KEY": "from-the-shell"}
    subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, check=True, timeout=30,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    asked = (folder / "asked").read_text(encoding="utf-8")
    body = (folder / "body").read_text(encoding="utf-8") or asked.partition("\n-d\n")[2]
    return asked.splitlines(), json.loads(body)


def test_curl_sends_googles_request(shell: Shell, google: RunningServer, tmp_path: Path) -> None:
    """The same body as a run sends, at the same place, with the key from the environment."""
    command = render(shell, "photo.jpg", "--quality", "2K")
    assert "gk-1234567890-secret" not in command
    assert '-H "x-goog-api-key: $GEMINI_API_KEY"' in command
    assert len(command) < 2_000  # the picture is read from its file
    asked, body = run_by_shell(command, tmp_path)
    assert f"{google.base_url}/v1beta/models/gemini-3.1-flash-image:generateContent" in asked
    assert "x-goog-api-key: from-the-shell" in asked
    assert body == sent("photo.jpg", quality="2K")


def test_curl_with_urls_alone_reads_no_file(shell: Shell, tmp_path: Path) -> None:
    """The body then fits into the command."""
    url = "https://pictures.invalid/mug.png"
    asked, body = run_by_shell(render(shell, url), tmp_path)
    assert "-d" in asked
    assert body == sent(url)


def test_curl_reads_files_and_names_urls_in_one_request(shell: Shell, tmp_path: Path) -> None:
    """Each picture goes as a run sends it, under its number."""
    url = "https://pictures.invalid/coat.png"
    given = {"person": "photo.jpg", "garment": url, "outfit": "this coat"}
    words = [f"{name}={value}" for name, value in given.items()]
    command = shell("render", "outfit/change_outfit", *words, "--curl").out
    parts = run_by_shell(command, tmp_path)[1]["contents"][0]["parts"]
    assert [part["text"] for part in parts[1::2]] == ["Image 1:", "Image 2:"]
    assert parts[2] == inline(Path("photo.jpg").read_bytes(), "image/jpeg")
    assert parts[4]["fileData"]["fileUri"] == url


@pytest.mark.parametrize("name", ["my photo's.jpg", "a$b`c\\d.jpg", "-x.jpg", "ü (1).jpg"])
def test_no_text_and_no_name_steers_the_shell(shell: Shell, tmp_path: Path, name: str) -> None:
    """A prompt and a name are data: what a shell would read in them arrives as it stands."""
    Path("photo.jpg").rename(name)
    _, body = run_by_shell(render(shell, name, change=STEERING), tmp_path)
    assert body == sent(name, change=STEERING)
    assert not Path("made").exists()


def test_a_picture_that_is_changed_to_be_sent_stands_in_the_command(
    shell: Shell, tmp_path: Path
) -> None:
    """Its file holds other bytes than those that are sent."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 48), "teal").save("turned.jpg", exif=exif)
    command = render(shell, "turned.jpg")
    assert "'turned.jpg' is changed before it is sent" in shell(
        "render", "edit/change_part", "photo=turned.jpg", "part=a", "change=b", "--curl"
    ).err  # fmt: skip
    assert run_by_shell(command, tmp_path)[1] == sent("turned.jpg")


@pytest.mark.parametrize(
    ("words", "found"),
    [(["photo=absent.jpg"], "there is no file"),
     (["photo=photo.jpg", "--num-images", "3"], "one picture a request")],
)  # fmt: skip
def test_curl_refuses_what_a_run_would_refuse(shell: Shell, words: list[str], found: str) -> None:
    """A command that can't work is none."""
    said = shell("render", "edit/change_part", *words, "part=a", "change=b", "--curl")
    assert (said.code, said.out) == (2, "")
    assert found in said.err


def test_a_setting_chooses_whose_request_is_printed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With both keys at hand it is Qolaba's, unless something says otherwise."""
    monkeypatch.setenv("QOLABA_API_KEY", "qk-1234567890")
    assert "$QOLABA_API_KEY" in render(shell, "photo.jpg")
    (tmp_path / "pyproject.toml").write_text('[tool.nanorecipes]\nbackend = "gemini"\n')
    assert "$GEMINI_API_KEY" in render(shell, "photo.jpg")
    monkeypatch.setenv("NANORECIPES_BACKEND", "qolaba")
    assert "$QOLABA_API_KEY" in render(shell, "photo.jpg")


def test_render_json_holds_googles_body_and_price(shell: Shell) -> None:
    """With the picture's name in place of its bytes, which nobody wants to read."""
    words = [f"{name}={value}" for name, value in GIVEN.items()]
    said = shell(
        "render", "edit/change_part", "photo=photo.jpg", *words, "--quality", "2K", "--json"
    ).json
    assert (said["backend"], str(said["estimated_cost_usd"])) == ("gemini", "0.101")
    body = sent("photo.jpg", quality="2K")
    inline = body["contents"][0]["parts"][1]["inlineData"]
    assert inline["mimeType"] == "image/jpeg"
    inline["data"] = "<base64 of photo.jpg>"
    assert said["payload"] == body


def test_render_and_show_tell_googles_price_and_words(shell: Shell) -> None:
    """What is printed is what would be paid."""
    words = [f"{name}={value}" for name, value in GIVEN.items()]
    said = shell("render", "edit/change_part", "photo=photo.jpg", *words, "--quality", "2K").out
    assert "gemini-3.1-flash-image" in said
    assert "imageSize" in said
    assert "$0.101 estimated" in said
    recipe = recipes["edit/change_part"]
    usd = recipe.render(photo="photo.jpg", **GIVEN).priced_for("gemini").estimated_cost
    assert f"${usd} estimated for a call as set" in shell("show", "edit/change_part").out


def test_a_payload_needs_no_file(tmp_path: Path) -> None:
    """It is shown before anything is at hand; a URL goes as a URL."""
    request = recipes["edit/change_part"].render(photo=tmp_path / "no", **GIVEN)
    parts = request.payload(backend="gemini")["contents"][0]["parts"]
    assert parts[1] == {"inlineData": {"data": f"<base64 of {tmp_path / 'no'}>"}}
    request = recipes["edit/change_part"].render(photo=picture(), **GIVEN)
    (given,) = request.payload(backend="gemini")["contents"][0]["parts"][1:]
    assert given["inlineData"]["mimeType"] == "image/png"
