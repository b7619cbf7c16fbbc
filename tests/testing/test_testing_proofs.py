"""Stored results of examples, held against what their recipe promised to keep."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from proof_pictures import EDIT, ELSEWHERE, encoded, patched, resynthesised, scene
from testing_projects import Project, expecting

REGION = "prove: {region: [0.08, 0.18, 0.4, 0.6]}\n"


@pytest.fixture
def pictures(project: Project) -> Path:
    """A source, a faithful result, and one in which something else was changed too."""
    folder = project.tree.root / "pictures"
    folder.mkdir(parents=True)
    source = scene()
    edited = patched(source, EDIT)
    (project.tree.root / "wall.jpg").write_bytes(encoded(source, quality=95))
    (folder / "kept.jpg").write_bytes(resynthesised(edited))
    (folder / "drifted.jpg").write_bytes(resynthesised(patched(edited, ELSEWHERE, 3)))
    return folder


def add(project: Project, expect: str, more: str = REGION) -> None:
    """A recipe whose one example expects something of a stored result."""
    project.add(more + expecting(f"{{prove: {expect}}}"))
    project.test("--update")


def test_a_faithful_result_passes(project: Project, pictures: Path) -> None:
    """A recipe's promise is tested like its prompt, with the team's other tests."""
    add(project, "{output: pictures/kept.jpg}")
    assert project.test().code == 0


def test_a_drifted_result_fails_with_the_reason(project: Project, pictures: Path) -> None:
    """A reviewer learns what drifted, at the line that expects otherwise."""
    add(project, "{output: pictures/drifted.jpg}")
    said = project.test()
    assert said.code == 1
    assert "expected the result to be kept, found drifted (score 0" in said.out
    assert "changed outside the region" in said.out
    assert "NR053" in said.out


def test_a_known_weakness_can_be_expected(project: Project, pictures: Path) -> None:
    """A result that drifts is kept as a test of the proof itself."""
    add(project, "{output: pictures/drifted.jpg, verdict: [drifted, unclear]}")
    assert project.test().code == 0


def test_the_recipes_own_strictness_counts(project: Project, pictures: Path) -> None:
    """The stored result meets what `batch --prove` would ask of a new one."""
    add(
        project, "{output: pictures/kept.jpg}", REGION.replace("prove: {", "prove: {min_score: 1, ")
    )
    said = project.test()
    assert said.code == 1
    assert "found drifted" in said.out


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("pictures/absent.jpg", "there is no file"),
        ("../../kept.jpg", "leads out of"),
        ("/etc/hostname", "leads out of"),
        ("house/wall.yaml", "not a picture that can be read"),
    ],
    ids=["absent", "above", "absolute", "no picture"],
)
def test_a_result_that_cannot_be_proved_fails(
    project: Project, pictures: Path, output: str, message: str
) -> None:
    """A test that proves nothing must not pass, and no file outside the library is opened."""
    add(project, f"{{output: {output}}}")
    said = project.test()
    assert said.code == 1
    assert "can't be proved" in said.out
    assert message in said.out


def test_a_link_out_of_the_library_is_not_followed(project: Project, pictures: Path) -> None:
    """A stranger's library may hold a link to anything."""
    os.rename(pictures / "kept.jpg", project.root / "kept.jpg")
    (pictures / "kept.jpg").symlink_to(project.root / "kept.jpg")
    add(project, "{output: pictures/kept.jpg}")
    assert "leads out of" in project.test().out


def test_a_source_that_is_gone_fails(project: Project, pictures: Path) -> None:
    """Nothing is proved from one picture."""
    (project.tree.root / "wall.jpg").unlink()
    add(project, "{output: pictures/kept.jpg}")
    assert "there is no file" in project.test().out


def test_an_unknown_key_is_a_finding(project: Project) -> None:
    """A typing error must not switch the proof off."""
    project.add(expecting("{prove: {outptu: a.jpg}}"))
    said = project.test()
    assert said.code == 1
    assert "'outptu'" in said.out
