"""What Google says of its answer, beside the picture: in the sidecar, bounded and checked."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network import Face, Played, picture, request
from played_google import HOST, KEY, client, inline, said
from shells import Shell

from nanorecipes import provenance
from nanorecipes.client import Client, Wiring
from nanorecipes.sandbox.server import RunningServer

USAGE = {
    "promptTokenCount": 258, "candidatesTokenCount": 1290, "thoughtsTokenCount": 40,
    "toolUsePromptTokenCount": 7, "cachedContentTokenCount": 0, "totalTokenCount": 1595,
}  # fmt: skip
TOLD = {"modelVersion": "gemini-3.1-flash-image", "responseId": "mJ8x_a-Y=", "usageMetadata": USAGE}
SERVICE = {
    "model_version": "gemini-3.1-flash-image",
    "response_id": "mJ8x_a-Y=",
    "usage": {
        "prompt_tokens": 258, "output_tokens": 1290, "thought_tokens": 40, "tool_tokens": 7,
        "cached_tokens": 0, "total_tokens": 1595,
    },
}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
    | st.sampled_from([10**4_000, -1, 10**12, 10**12 + 1, "x" * 10_000, KEY, "\x1b[2J", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*USAGE, "other"]), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


def saved(folder: Path, **told: Any) -> tuple[Path, dict[str, Any]]:
    """A picture that came with an answer that says this, saved; and its sidecar."""
    played = Played(lambda _: said(inline(picture((64, 64))), **told))
    wiring = Wiring(transport=played)
    with Client("gemini", api_key=KEY, base_url=HOST, wiring=wiring, ledger=False) as asking:
        path = asking.run(request()).images[0].save(folder)
    return path, json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))


def test_the_sidecar_and_the_file_say_what_google_said(face: Face, tmp_path: Path) -> None:
    """Which version made it, under which id Google knows it, and what was counted."""
    answer = said(inline(picture()), **TOLD)
    (path,) = face(client(face, Played(lambda _: answer)).run(request())).save(tmp_path)
    made = provenance.read(path)
    inside = provenance.read(path.read_bytes())
    assert made is not None
    assert inside is not None
    assert made.service == inside.service == SERVICE
    assert (made.cost_source, str(made.cost_usd)) == ("estimate", "0.045")


def test_a_sidecar_without_such_facts_has_no_such_key(tmp_path: Path) -> None:
    """Nothing is said in place of what didn't come."""
    assert "service" not in saved(tmp_path)[1]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"modelVersion": 3, "responseId": "ok"}, {"response_id": "ok"}),
        ({"responseId": "a\nb"}, None),
        ({"responseId": "x" * 201}, None),
        ({"responseId": KEY}, {"response_id": "[key hidden]"}),
        ({"usageMetadata": {"totalTokenCount": True}}, None),
        ({"usageMetadata": {"totalTokenCount": -1}}, None),
        ({"usageMetadata": {"totalTokenCount": 10**12 + 1}}, None),
        ({"usageMetadata": {"totalTokenCount": 5.5, "promptTokenCount": 5, "new": 1}},
         {"usage": {"prompt_tokens": 5}}),
        ({"usageMetadata": [USAGE]}, None),
    ],
)  # fmt: skip
def test_only_known_facts_of_the_right_kind_are_taken(
    tmp_path: Path, told: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    """The rest of an answer is anybody's text."""
    assert saved(tmp_path, **told)[1].get("service") == kept


@settings(max_examples=60)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_facts_break_saving(version: Any, name: Any, usage: Any) -> None:
    """It is paid for: whatever stands there, the picture is saved, and what is kept is small."""
    with tempfile.TemporaryDirectory() as folder:
        told = {"modelVersion": version, "responseId": name, "usageMetadata": usage}
        path, sidecar = saved(Path(folder), **told)
        service = sidecar.get("service", {})
        assert path.is_file()
        assert set(service) <= set(SERVICE)
        assert set(service.get("usage", {})) <= set(SERVICE["usage"])
        assert all(type(count) is int for count in service.get("usage", {}).values())
        assert len(json.dumps(service)) < 1000
        assert KEY not in json.dumps(sidecar)


def test_inspect_shows_what_google_said(shell: Shell, google: RunningServer) -> None:
    """The sandbox says it in the same form."""
    said = shell(
        "run", "edit/change_part", "photo=photo.jpg", "part=the mug", "change=blue", "-o", "out"
    )
    shown = shell("inspect", said.out.strip()).out
    assert "model version  gemini-3.1-flash-image" in shown
    assert f"response id    {google.sandbox.charges[0].task_id}" in shown
    assert " prompt" in shown.split("tokens")[1].split("\n")[0]
    found = shell("inspect", said.out.strip(), "--json").json["service"]
    assert found["model_version"] == "gemini-3.1-flash-image"


@pytest.mark.parametrize(
    "service",
    [
        [1],
        "x",
        {"usage": 5, "model_version": ["\x1b[2J"]},
        {"usage": {"a": {}}},
        {"usage": {"total_tokens": "\x1b[2J"}, "response_id": {"a": "\x1b[2J"}},
    ],
)
def test_inspect_prints_a_strangers_facts_harmlessly(
    shell: Shell, tmp_path: Path, service: Any
) -> None:
    """A file from anywhere may hold anything in their place."""
    path, sidecar = saved(tmp_path, **TOLD)
    text = json.dumps({**sidecar, "service": service})
    path.with_name(f"{path.name}.json").write_text(text, encoding="utf-8")
    shown = shell("inspect", str(path))
    assert shown.code == 0
    assert "\x1b" not in shown.out
