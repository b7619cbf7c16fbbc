"""`nanorecipes lint --fix`: what is mended, and everything that has to stay as it is."""

from __future__ import annotations

import errno
import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanorecipes import fixing
from nanorecipes.cli.main import run
from nanorecipes.fixing import Fix, Fixes, fix_paths
from nanorecipes.linting import Examination, Report, examine, lint_paths

HEAD = """\
format: 1   # stays
title: Paper
summary: Hang wallpaper.
capability: edit
changes: part
images:
  room: {description: The room.}
  paper: {role: reference, description: The wallpaper.}
"""
EDIT = "Cover the wall of {{ room }} with the wallpaper of {{ paper }}."
TAIL = """\
  protect: [the sofa and its cushions, the floor boards]
examples:
  - name: plain
    inputs: {room: room.jpg, paper: paper.jpg}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that an author sits in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recipe(details: str, *, edit: str = EDIT, head: str = HEAD) -> str:
    """A recipe whose details are one text, as it stands in a literal block."""
    block = "".join(f"    {line}\n" for line in details.split("\n"))
    return f"{head}prompt:\n  edit: |\n    {edit}\n  details: |\n{block}{TAIL}"


def written(folder: Path, text: str | bytes, name: str = "shop/paper") -> Path:
    """A recipe file below `recipes`."""
    path = folder / "recipes" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def fixed(folder: Path, text: str) -> str:
    """What a recipe file holds once it is mended."""
    path = written(folder, text)
    fix_paths([path])
    return path.read_bytes().decode("utf-8")


def mended(folder: Path, details: str, *, head: str = HEAD) -> str:
    """What became of the details; the rest of the file is as before."""
    after = fixed(folder, recipe(details, head=head))
    before, _, rest = after.partition("  details: |\n    ")
    inside, _, tail = rest.partition("\n  protect:")
    assert f"{before}  details: |\n" == recipe("", head=head).split("    \n  protect:")[0]
    assert f"  protect:{tail}" == TAIL
    return inside.replace("\n    ", "\n")


@dataclass(frozen=True)
class Case:
    """A text, and what `--fix` makes of it."""

    id: str
    before: str
    after: str


MENDS = [
    Case("tags at the end", "The wall is matt, 8k, masterpiece.", "The wall is matt."),
    Case("the last tag behind and", "The wall is matt, 8k, and best quality.", "The wall is matt."),
    Case("tags in the middle", "The wall is matt, 8k, hdr, soft to the touch.",
         "The wall is matt, soft to the touch."),
    Case("tags without a stop", "The wall is matt, uhd", "The wall is matt"),
    Case("tags of two sentences", "The wall is matt, 8k. The light is soft, hdr.",
         "The wall is matt. The light is soft."),
    Case("a tag behind doubled blanks", "The wall is matt,  8k.", "The wall is matt."),
    Case("blanks", "The  wall   is matt.", "The wall is matt."),
    Case("blanks beside code", "The wall of  {{ room }}  is matt.",
         "The wall of {{ room }} is matt."),
    Case("ordinal", "The pattern of the second image meets at the seams.",
         "The pattern of {{ paper }} meets at the seams."),
    Case("ordinal in digits", "The pattern of the 2nd photo.", "The pattern of {{ paper }}."),
    Case("label", "Hang image 2 on the wall in image 1.",
         "Hang {{ paper }} on the wall in {{ room }}."),
    Case("label with a sign", "The seams follow image #2.", "The seams follow image #2."),
    Case("label behind a preposition", "The seams are those of image #2.",
         "The seams are those of {{ paper }}."),
    Case("ordinal at the beginning", "The second image gives the pattern.",
         "{{ paper | capitalize }} gives the pattern."),
    Case("label at the beginning of a sentence", "The wall is matt. Image 2 gives the pattern.",
         "The wall is matt. {{ paper | capitalize }} gives the pattern."),
    Case("possessive", "The second image's seams.", "{{ paper | capitalize }}'s seams."),
    Case("several in one line",
         "Image 2 gives the  pattern, the first image the wall of image 1, 8k, hdr.",
         "{{ paper | capitalize }} gives the pattern, the first image the wall of {{ room }}."),
    Case("on several lines", "The wall is matt, 8k.\nImage 2 gives the pattern.",
         "The wall is matt.\n{{ paper | capitalize }} gives the pattern."),
]  # fmt: skip


@pytest.mark.parametrize("case", MENDS, ids=lambda case: case.id)
def test_what_is_mechanical_is_mended(case: Case, folder: Path) -> None:
    """A mend that a machine can make surely is no work for a person."""
    assert mended(folder, case.before) == case.after


STAYS = {
    "lettering": 'Letter "image 2,  8k, masterpiece" on the sign.',
    "a list of real things": "Linen, wool and velvet, smooth, in three stripes.",
    "a tag in a sentence": "A print of a masterpiece hangs at the left.",
    "a tag that opens the text": "Masterpiece, 8k, the wall is matt.",
    "tags among other keywords": "The wall, moody, cinematic, 8k, trending, hdr.",
    "a row of nothing but keywords": "archviz, octane render, unreal engine, 8k",
    "a tag behind a colon": "Style: 8k, masterpiece.",
    "a tag before an or": "The wall is matt, hdr, or satin.",
    "capitals may be names": "The cans on the shelf read as Turpentine, Octane, Keyshot.",
    "a comma at the end of a line": "The wall is matt,\n8k.",
    "a tag within a branch": "The wall is matt{% if model == 'pro' %}, 8k{% endif %}.",
    "a picture that hangs there": "The second picture on the wall is small.",
    "a measure": "Make the seams of image 2 mm wide.",
    "several numbers": "The light falls as in image 1 and 2.",
    "a number that no slot has": "The light falls as in image 3.",
    "a number among the references": "The pattern of reference image 2 meets.",
    "a number of given ones": "The pattern of the attached image 2 meets.",
    "the other image": "The pattern of the other image meets.",
    "a code within a text": "The wall is matt {{ 'image 2,  8k' }}.",
    "a name that means another thing": "{% for paper in [room] %}In the second image.{% endfor %}",
    "a capital in doubt": "{% if model == 'pro' %}matt{% endif %} The second image is sharp.",
    "a lower letter in doubt": "{% if model == 'pro' %}Matt. {% endif %}the second image is sharp.",
    "a small letter behind a short form": "The wall is matt approx. the second image is too.",
    "an and that ends no row of tags": "The wall is matt, 8k, and hdr, soft to the touch.",
    "delimiters in a code": "The wall is {{ '{%' }} as in image 2,  8k.",
    "code that is printed": "{% raw %}The wall is matt as in image 2,  8k.{% endraw %}",
    "letters of ours": "The wall is matt as in image 2 \ue000,  8k.",
    "one tag of two alike": "The wall is matt, 8k. Style: 8k, hdr.",
    "an indent": "{% if model == 'pro' %}\n    matt\n{% endif %}",
}  # fmt: skip


@pytest.mark.parametrize("text", STAYS.values(), ids=STAYS)
def test_what_is_in_doubt_stays(text: str, folder: Path) -> None:
    """A wrong mend costs more than the ten right ones have saved."""
    assert fixed(folder, recipe(text)) == recipe(text)


@pytest.mark.parametrize(
    "paper",
    ["{role: reference, optional: true, description: A.}", "{min: 1, max: 3, description: A.}"],
)
def test_numbers_stay_where_images_may_be_left_out_or_are_many(paper: str, folder: Path) -> None:
    """With an optional image or a list the number means another slot from call to call."""
    head = HEAD.replace("{role: reference, description: The wallpaper.}", paper)
    text = recipe(
        "The light falls as in image 2.", edit="Paint the wall of {{ room }} red.", head=head
    )
    path = written(folder, text)
    found = fix_paths([path])
    assert path.read_text("utf-8") == text
    assert found.unmended == ()


def test_single_image_keeps_the_pictures_that_hang_in_it(folder: Path) -> None:
    """In one photo of a gallery "the second picture" is content; only "image 1" is a number."""
    head = HEAD.split("  paper:")[0]
    text = recipe("The second picture shows a sea. The light is that of image 1.",
                  edit="Paint the wall of {{ room }} red.", head=head)  # fmt: skip
    text = text.replace(", paper: paper.jpg", "")
    assert fixed(folder, text) == text.replace("image 1", "{{ room }}")


def test_protected_things_get_no_capital(folder: Path) -> None:
    """They stand within the sentence that the framework makes of them."""
    text = recipe("The wall is matt.").replace(
        "[the sofa", "\n    - the second image's seams\n    - [the sofa"
    )
    text = text.replace("- [the sofa and its cushions, the floor boards]", "- the floor boards")
    text = text.replace("- the second", "- >-\n      the second")
    assert fixed(folder, text) == text  # folded: places aren't exact
    literal = text.replace(">-", "|-")
    assert fixed(folder, literal) == literal.replace("the second image's", "{{ paper }}'s")


@pytest.mark.parametrize(
    ("scalar", "after"),
    [
        ('"The seams of image 2, 8k."', '"The seams of {{ paper }}."'),
        ("'The seams of image 2, 8k.'", "'The seams of {{ paper }}.'"),
        ("The seams of image 2, 8k.   # why", "The seams of {{ paper }}.   # why"),
        ("&light The light, 8k.", "&light The light."),
        ("!!str The light, 8k.", "!!str The light."),
        ('"The\\u0020seams of image 2, 8k."', None),
        ("'It''s the seams of image 2, 8k.'", None),
        ("The light, so that it\n      falls, 8k.", None),
        (">\n      The seams of image 2, 8k.", None),
        ("image 2 gives the light.", None),
    ],
)
def test_scalars_are_mended_only_where_places_are_exact(
    scalar: str, after: str | None, folder: Path
) -> None:
    """An escape or a folded line moves all that stands behind it; a `{` would open a mapping."""
    text = recipe("x").replace("details: |\n    x\n", f"details:\n    - {scalar}\n")
    expected = text if after is None else text.replace(scalar, after)
    assert fixed(folder, text) == expected


def test_text_that_an_alias_uses_too_stays(folder: Path) -> None:
    """The mend would change a second place, which nobody has looked at."""
    text = recipe("x").replace(
        "details: |\n    x\n", "details:\n    - &a The light, 8k.\n    - *a\n"
    )
    assert fixed(folder, text) == text


def test_line_endings_bom_and_comments_stay(folder: Path) -> None:
    """A diff that touches each line hides the one that matters."""
    before = recipe("The wall is matt, 8k.\nImage 2 gives  the pattern.")
    data = b"\xef\xbb\xbf" + before.replace("\n", "\r\n").encode()
    path = written(folder, data)
    fix_paths([path])
    after = recipe("The wall is matt.\n{{ paper | capitalize }} gives the pattern.")
    assert path.read_bytes() == b"\xef\xbb\xbf" + after.replace("\n", "\r\n").encode()


def test_read_only_file_is_left_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever took the right to write away meant it."""
    path = written(folder, recipe("The wall is matt, 8k."))
    before = path.read_bytes()
    path.chmod(0o444)
    assert run(["lint", "--fix"]) == 1
    assert path.read_bytes() == before
    printed = capsys.readouterr()
    assert "is left as it is: it is read-only" in printed.err
    assert "NR121 keyword-soup" in printed.out


def test_file_that_changes_meanwhile_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor may save while the rules still read: what it saved must not be lost."""
    path = written(folder, recipe("The wall is matt, 8k."))

    def slow(*args: Any, **options: Any) -> Examination:
        found = examine(*args, **options)
        if "unsaved" in options:
            path.write_text(recipe("The wall is green, 8k."), "utf-8")
        return found

    text = recipe("The wall is matt, 8k.")
    monkeypatch.setattr(fixing, "examine", slow)
    found = fix_paths([path])
    assert path.read_text("utf-8") == text.replace("matt", "green")
    assert [item.reason for item in found.unmended] == ["it has changed meanwhile"]
    assert found.fixed == ()


def test_file_that_is_gone_meanwhile_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch switched under the linter ends in a sentence, not in a traceback."""
    path = written(folder, recipe("The wall is matt, 8k."))

    def last(*args: Any, **options: Any) -> Examination:
        found = examine(*args, **options)
        path.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(fixing, "examine", last)
    (item,) = fix_paths([path]).unmended
    assert "can't be read" in item.reason


def test_folder_that_takes_no_file_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves the file as it was."""
    path = written(folder, recipe("The wall is matt, 8k."))

    def full(path: Path, data: bytes) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fixing, "write_atomic", full)
    (item,) = fix_paths([path]).unmended
    assert item.reason == "it can't be written: No space left on device"
    assert path.read_text("utf-8") == recipe("The wall is matt, 8k.")


def test_rights_of_a_file_and_a_link_to_it_stay(folder: Path) -> None:
    """Writing beside and moving into place must not show."""
    path = written(folder, recipe("The wall is matt, 8k."))
    path.chmod(0o640)
    link = path.with_name("linked.yaml")
    link.symlink_to(path.name)
    found = fix_paths([link])
    assert [fix.before for fix in found.fixed] == [", 8k"]
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text("utf-8") == recipe("The wall is matt.")


def test_file_given_twice_is_mended_once(folder: Path) -> None:
    """The second mend would start from what stood there before the first."""
    path = written(folder, recipe("The wall is matt, 8k."))
    found = fix_paths([path, "recipes"])
    assert len(found.fixed) == len(found.changes) == 1
    assert path.read_text("utf-8") == recipe("The wall is matt.")


def test_mend_that_brings_a_new_finding_is_not_made(folder: Path) -> None:
    """A file is never worse than before: here a child allows what its parent no longer does."""
    path = written(folder, recipe("The wall is matt, 8k."))
    child = ("format: 1\ntitle: Child\nsummary: Child.\nextends: shop/paper\n"
             'allow: {keyword-soup: "our house style"}\n')  # fmt: skip
    written(folder, child, "shop/child")
    found = fix_paths(["recipes"])
    assert path.read_text("utf-8") == recipe("The wall is matt, 8k.")
    assert [item.file.name for item in found.unmended] == ["paper.yaml"]
    assert "NR026 unused-allow" in found.unmended[0].reason


def test_parent_that_was_not_given_stays(folder: Path) -> None:
    """Who names one file does not expect another to change."""
    path = written(folder, recipe("The wall is matt, 8k."))
    child = written(
        folder, "format: 1\ntitle: Child\nsummary: Child.\nextends: shop/paper\n", "shop/child"
    )
    assert fix_paths([child]).changes == ()
    assert path.read_text("utf-8") == recipe("The wall is matt, 8k.")


def test_what_is_allowed_stays(folder: Path) -> None:
    """The author has said why."""
    text = recipe("The wall is matt, 8k.") + 'allow: {keyword-soup: "a test of tags"}\n'
    assert fixed(folder, text) == text


@pytest.mark.parametrize(
    ("select", "after"),
    [
        (["NR121"], "The  wall as in image 2."),
        (["hand-written-ordinal"], "The  wall as in {{ paper }}, 8k."),
        (["NR1"], "The wall as in {{ paper }}."),
        (["NR0"], "The  wall as in image 2, 8k."),
    ],
)
def test_only_what_is_selected_is_mended(select: list[str], after: str, folder: Path) -> None:
    """A team mends one rule at a time."""
    path = written(folder, recipe("The  wall as in image 2, 8k."))
    fix_paths([path], select=select)
    assert path.read_text("utf-8") == recipe(after)


def test_fix_prints_what_it_mended_and_what_is_left(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The author reads what was done in his name, and what is left for him."""
    written(folder, recipe("The wall is matt, 8k.\nThe pattern of the other image meets."))
    assert run(["lint", "--fix"]) == 1
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "recipes/shop/paper.yaml:13: keyword-soup: ', 8k' -> nothing"
    assert lines[1].startswith("recipes/shop/paper.yaml:14:24: warning NR131")
    assert printed.err.startswith("mended 1 place in 1 file\n1 file checked: 1 warning")


def test_exit_code_is_zero_when_nothing_is_left(folder: Path) -> None:
    """A hook that mends everything does not stop the commit."""
    written(folder, recipe("The wall is matt, 8k."))
    assert run(["lint", "--fix"]) == 0
    assert run(["lint", "--fix"]) == 0


def test_diff_writes_nothing_and_applies_as_a_patch(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Looking is free, and what was shown is what `--fix` does."""
    path = written(folder, recipe("The wall is matt, 8k."))
    before = path.read_bytes()
    assert run(["lint", "--diff"]) == 1
    assert path.read_bytes() == before
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["--- recipes/shop/paper.yaml", "+++ recipes/shop/paper.yaml"]
    changed = [line for line in lines[2:] if line[0] in "+-"]
    assert changed == ["-    The wall is matt, 8k.", "+    The wall is matt."]


def test_json_lists_what_was_mended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tool that calls `--fix` shows it in its own way."""
    written(folder, recipe("The wall is matt, 8k."))
    assert run(["lint", "--diff", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert run(["lint", "--fix", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["fixed"] == [
        {"file": "recipes/shop/paper.yaml", "line": 13, "column": 21, "rule": "keyword-soup",
         "before": ", 8k", "after": ""}
    ]  # fmt: skip
    assert (data["diagnostics"], data["unmended"]) == ([], [])
    assert shown["fixed"] == data["fixed"]
    assert shown["diff"].startswith("--- recipes/shop/paper.yaml\n")


@pytest.mark.parametrize(
    "options", [["--fix", "--diff"], ["--diff", "--format", "sarif"]], ids=" ".join
)
def test_options_that_contradict_each_other_are_refused(options: list[str], folder: Path) -> None:
    """Nobody should have to guess which of the two has won."""
    path = written(folder, recipe("The wall is matt, 8k."))
    assert run(["lint", *options]) == 2
    assert path.read_text("utf-8") == recipe("The wall is matt, 8k.")


# --- for any recipe

PIECES = st.sampled_from([
    "The wall is matt", "the seams meet as in image 2", "Image 1 shows a sofa", "8k", "masterpiece",
    "best quality", "soft to the touch", "as the second image", "linen, wool and velvet",
    'the sign reads "image 2,  8k"', "  two blanks", "{{ paper }}", "{{ room | capitalize }} stays",
    "{% if model == 'pro' %}crisp, 8k{% endif %}", "{# a note,  8k #}", "Octane", "and hdr",
    "the first photo", "reference image 2", "It's the sofa's, uhd", "of image 1", "Ünïcode 🛋 seams",
])  # fmt: skip
JOINS = st.sampled_from([", ", ". ", " ", "  ", ",\n", ".\n", "; "])
TEXTS = st.lists(st.tuples(PIECES, JOINS), min_size=1, max_size=7).map(
    lambda parts: "".join(piece + join for piece, join in parts).strip() or "x"
)


@given(first=TEXTS, second=TEXTS, quote=st.sampled_from(["", '"', "'"]), crlf=st.booleans())
def test_mended_files_load_and_nothing_else_has_changed(
    first: str, second: str, quote: str, crlf: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever an author wrote, fixing is safe, complete after one run, and changes no more."""
    folder = tmp_path_factory.mktemp("fix")
    item = " ".join(second.split("\n")).replace("'", "").replace('"', "")
    text = recipe(first) + f"tags: [x]\nversion: {quote or chr(34)}1.0{quote or chr(34)}\n"
    text = text.replace("  protect:", f"  subject: {quote}A wall. {item}{quote}\n  protect:", 1)
    path = written(folder, text.replace("\n", "\r\n") if crlf else text)
    before = path.read_bytes()
    report = lint_paths([path])
    found = fix_paths([path])
    after = path.read_bytes()
    if any(finding.code < "NR1" and finding.severity == "error" for finding in report.diagnostics):
        assert after == before
        return
    lines, now = before.decode().split("\n"), after.decode().split("\n")
    assert len(lines) == len(now)
    for number, (line, other) in enumerate(zip(lines, now, strict=True), 1):
        assert _is_mended(line, other, [fix for fix in found.fixed if fix.line == number])
    left = lint_paths([path])
    assert left == found.report
    assert not {f.code for f in left.diagnostics} - {f.code for f in report.diagnostics}
    gone = _mended_findings(report, found)
    assert all(_counted(left)[key] <= _counted(report)[key] - n for key, n in gone.items())
    assert fix_paths([path]).fixed == ()
    assert path.read_bytes() == after
    assert '"image 2,  8k"' in after.decode() or '"image 2,  8k"' not in before.decode()


def _is_mended(before: str, after: str, fixes: list[Fix]) -> bool:
    """Whether a line became another by these fixes alone, each of them made once."""

    @cache
    def fits(at: int, to: int, left: frozenset[int]) -> bool:
        if at == len(before) and to == len(after):
            return not left
        if before[at : at + 1] == after[to : to + 1] != "" and fits(at + 1, to + 1, left):
            return True
        return any(
            before.startswith(fixes[n].before, at)
            and after.startswith(fixes[n].after, to)
            and fits(at + len(fixes[n].before), to + len(fixes[n].after), left - {n})
            for n in left
        )

    return fits(0, 0, frozenset(range(len(fixes))))


def _mended_findings(report: Report, found: Fixes) -> Counter[tuple[str, str]]:
    """The findings that point into what was mended."""
    return Counter(
        (finding.code, finding.message)
        for finding in report.diagnostics
        for fix in found.fixed
        if (finding.line, finding.name) == (fix.line, fix.rule)
        and fix.column <= (finding.column or 0) < fix.column + len(fix.before)
    )


def _counted(report: Report) -> Counter[tuple[str, str]]:
    return Counter((finding.code, finding.message) for finding in report.diagnostics)
