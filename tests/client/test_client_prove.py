"""Results held against their sources: by `Result.prove`, and within `Client.run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from network import HOST, SOURCE, Action, Answer, Break, Face, Played, Service, request
from PIL import Image
from proof_pictures import EDIT, ELSEWHERE, encoded, patched, resynthesised, scene

from nanorecipes import Client, Result, provenance, recipes
from nanorecipes.errors import InputError
from nanorecipes.proof import Proof
from nanorecipes.sandbox.core import Sandbox

EDITED = resynthesised(patched(scene(), EDIT))
DRIFTED = resynthesised(patched(patched(scene(), EDIT), ELSEWHERE))


class Shop:
    """A service whose result is an edit, and the shop's host, which has the source."""

    def __init__(self, result: bytes, source: Action | None = None) -> None:
        self.service = Service(file=[Answer(200, result)])
        self.source = source or Answer(200, encoded(scene(), "PNG"))

    def __call__(self, call: httpx.Request) -> Action:
        return self.source if call.url.host == "pictures.invalid" else self.service(call)


def proof_of(result: Result) -> Proof:
    """The one picture's proof."""
    (image,) = result.images
    assert image.proof is not None
    return image.proof


def test_run_proves_what_came(face: Face) -> None:
    """One word more, and drift is found where it happens."""
    region = {"region": EDIT}
    kept = face(face.client(Played(Shop(EDITED))).run(request(), prove=region))
    assert proof_of(kept).verdict == "kept"
    drifted = face(face.client(Played(Shop(DRIFTED))).run(request(), prove=region))
    assert proof_of(drifted).verdict == "drifted"
    unproved = face(face.client(Played(Shop(DRIFTED))).run(request()))
    assert unproved.images[0].proof is None


def test_a_source_behind_a_url_is_fetched_without_the_key(face: Face) -> None:
    """The host of a picture is a stranger."""
    played = Played(Shop(EDITED))
    result = face(face.client(played).run(request(), prove=True))
    (fetched,) = [seen for seen in played.requests if seen.url.host == "pictures.invalid"]
    assert str(fetched.url) == SOURCE
    assert not {"authorization", "x-api-key"} & {name.lower() for name in fetched.headers}
    assert result.source == encoded(scene(), "PNG")
    assert result.prove(region=EDIT, min_score=1.0).verdict == "drifted"  # at hand for more


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Answer(403), "answered 403"),
        (Answer(200, b"<html>"), "no picture of a known type"),
        (Break(httpx.ReadError), "broken on purpose"),
    ],
    ids=["refused", "no picture", "broken"],
)
def test_a_source_that_cannot_be_had_leaves_the_picture(
    face: Face, source: Action, said: str
) -> None:
    """What was paid for is never lost over a proof."""
    result = face(face.client(Played(Shop(EDITED, source))).run(request(), prove=True))
    proof = proof_of(result)
    assert (proof.verdict, proof.score, proof.has_pictures) == ("not provable", None, False)
    assert said in proof.reasons[0]
    assert result.images[0].data == EDITED


def test_an_output_that_cannot_be_decoded_is_not_provable(face: Face) -> None:
    """Types that can't be opened here are kept as well."""
    heic = b"\0\0\0\x18ftypheic" + bytes(64)
    result = face(face.client(Played(Shop(heic))).run(request(), prove=True))
    assert proof_of(result).verdict == "not provable"


@pytest.mark.parametrize(
    "prove",
    [{"region": (0, 0, 0, 1)}, {"region": "no-mask.png"}, {"min_score": 7}, {"regoin": EDIT}],
    ids=str,
)
def test_what_cannot_be_proved_so_is_found_before_anything_is_sent(
    face: Face, prove: dict[str, Any]
) -> None:
    """A typing error must not cost a picture's price and its proof."""
    played = Played(Shop(EDITED))
    with pytest.raises(InputError):
        face(face.client(played).run(request(), prove=prove))
    assert played.requests == []


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """An edit of a local picture that drifted, by a recipe."""
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "photo.jpg").write_bytes(DRIFTED)
    scene().save(tmp_path / "photo.png")
    asked = recipes["edit/change_part"].render(
        photo=tmp_path / "photo.png", part="the mug", change="blue", num_images=2
    )
    with Client(sandbox=Sandbox(answers=answers, task_seconds=0)) as client:
        return client.run(asked)


def test_a_result_proves_itself(result: Result) -> None:
    """Also afterwards, with other options; each picture keeps its proof."""
    assert result.images[1].proof is None
    assert result.prove().verdict == "drifted"
    assert result.prove(region=(0, 0, 1, 0.8)).verdict == "kept"
    assert [image.proof.verdict for image in result.images if image.proof] == ["kept", "kept"]
    assert result.prove(changes="scene").verdict == "not provable"


def test_saving_writes_the_proof_along(result: Result, tmp_path: Path) -> None:
    """In the sidecar in full, in the picture in short, and drawn beside it."""
    result.prove(region=EDIT)
    path = result.save(tmp_path / "out")[0]
    told = json.loads(path.with_name(f"{path.name}.json").read_text())["proof"]
    assert told["verdict"] == "drifted"
    assert told["changed"]
    for key in ("overlay", "change_map"):
        with Image.open(path.with_name(told[key])) as drawn:
            assert drawn.size[0] <= scene().width
    inside = provenance.read(path.read_bytes())
    assert inside is not None
    assert inside.facts["proof"]["verdict"] == "drifted"
    assert inside.facts["changes"] == "part"
    assert "changed" not in inside.facts["proof"]


def test_a_source_that_has_changed_since_is_refused(result: Result, tmp_path: Path) -> None:
    """A proof against another picture would be worth nothing."""
    scene(3).save(tmp_path / "photo.png")
    with pytest.raises(InputError, match="has changed since"):
        result.prove()
    assert result.prove(source=encoded(scene(), "PNG")).verdict == "drifted"


def test_without_its_source_a_result_says_what_to_give(face: Face) -> None:
    """A URL isn't fetched behind the caller's back, and a bare task tells nothing."""
    bought = face(face.client(Played(Shop(EDITED))).run(request()))
    with pytest.raises(InputError, match="prove=True"):
        bought.prove()
    waited = face(face.client(Played(Shop(EDITED))).wait("t-1"))
    with pytest.raises(InputError, match="waited for by its id"):
        waited.prove()
    assert waited.prove(source=encoded(scene(), "PNG")).changes == "part"


def test_a_card_of_the_sandbox_is_no_edit(tmp_path: Path) -> None:
    """It must not look like drift, nor like a promise kept."""
    scene().save(tmp_path / "photo.png")
    asked = recipes["edit/change_part"].render(
        photo=tmp_path / "photo.png", part="the mug", change="blue"
    )
    with Client(backend="sandbox") as client:
        proof = proof_of(client.run(asked, prove=True))
        by_url = recipes["edit/change_part"].render(
            photo=f"{HOST}/photo.png", part="the mug", change="blue"
        )
        other = proof_of(client.run(by_url, prove=True))
    assert (proof.verdict, proof.score) == ("not provable", None)
    assert "drew this picture as a card" in proof.reasons[0]
    assert other.verdict == "not provable"


def test_the_sandbox_fetches_no_source(tmp_path: Path) -> None:
    """With pictures of one's own it proves local sources alone, and says so."""
    (tmp_path / "photo.jpg").write_bytes(EDITED)
    asked = recipes["edit/change_part"].render(
        photo=f"{HOST}/photo.png", part="the mug", change="blue"
    )
    with Client(sandbox=Sandbox(answers=tmp_path, task_seconds=0)) as client:
        proof = proof_of(client.run(asked, prove=True))
    assert "sandbox fetches none" in proof.reasons[0]


def test_a_mask_of_the_recipe_is_taken_from_the_call(tmp_path: Path) -> None:
    """`region: mask` in a recipe names the picture that the caller passes."""
    file = tmp_path / "recipes" / "shop" / "masked.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "format: 1\ntitle: T\nsummary: S\ncapability: edit\nchanges: part\n"
        "images:\n  photo:\n  mask: {role: reference, optional: true}\n"
        "prompt:\n  edit: Change {{ photo }}{% if mask %} where {{ mask }} is white{% endif %}.\n"
        "  protect: [the rest]\nprove: {region: mask, min_score: 0.2}\n"
    )
    mask = Image.new("L", scene().size)
    mask.paste(255, ELSEWHERE)
    mask.save(tmp_path / "mask.png")
    scene().save(tmp_path / "photo.png")
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "photo.jpg").write_bytes(EDITED)
    from nanorecipes import Library

    recipe = Library(tmp_path / "recipes")["shop/masked"]
    photo = tmp_path / "photo.png"
    with Client(sandbox=Sandbox(answers=answers, task_seconds=0)) as client:
        with_mask = client.run(recipe.render(photo=photo, mask=tmp_path / "mask.png"), prove=True)
        without = client.run(recipe.render(photo=photo), prove=True)
    assert proof_of(with_mask).verdict == "drifted"  # the edit is not where the mask allows it
    assert proof_of(without).verdict == "kept"
    assert proof_of(without).min_score == 0.2
