"""The guide's rules: precision and recall on the labelled recipes, and their speed."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from bench.load import COUNT, SAMPLE, load_all
from bench.timing import once_ms, row
from nanorecipes.linting import lint_paths
from nanorecipes.prompt.lint.rules import RULES

LABELLED = Path(__file__).parent.parent / "tests" / "lint" / "labelled"


def write_library(folder: Path) -> None:
    """A thousand different files; their templates differ too, so that none is read for another."""
    text = SAMPLE.read_text(encoding="utf-8")
    (folder / "many").mkdir()
    for number in range(COUNT):
        own = text.replace("the person", f"the person in row {number}")
        own = own.replace("the garment shown", f"the garment of peg {number} shown")
        own = own.replace(" fit, drapes", f" fit of size {number}, drapes")
        own = own.replace("shows one person", f"shows one person in row {number}")
        (folder / "many" / f"recipe_{number:04}.yaml").write_text(own, encoding="utf-8")


def quality() -> None:
    """Print recall, false alarms and precision on the labelled recipes, and each disagreement."""
    report = lint_paths([LABELLED], select=["NR1"])
    names: dict[Path, set[str]] = {path: set() for path in report.files}
    for finding in report.diagnostics:
        if finding.file is not None:
            names[finding.file].add(finding.name)
    counts: Counter[str] = Counter()
    for path, found in names.items():
        kind, label = path.relative_to(LABELLED).parts[:2]
        counts[kind] += 1
        if kind == "good":
            counts["alarms"] += bool(found)
            wrong = found
        else:
            counts["hits"] += label in found
            wrong = found - {label} | ({label} - found)
        counts["right"] += len(found - wrong)
        counts["all"] += len(found)
        if wrong:
            print(f"  {path.relative_to(LABELLED)}: {', '.join(sorted(wrong))}")
    print(f"  recipes     {counts['bad']} bad, {counts['good']} good, {len(RULES)} rules")
    print(f"  recall      {counts['hits'] / counts['bad']:.3f}  bar: at least 0.9")
    print(f"  false alarms{counts['alarms'] / counts['good']:6.3f}  bar: at most 0.05")
    print(f"  precision   {counts['right'] / counts['all']:.3f}")


def speed() -> None:
    """Print how long linting takes, against loading the same files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "recipes"
        folder.mkdir()
        write_library(folder)
        base = once_ms(lambda: load_all(folder), rounds=9)
        row(f"loading {COUNT} recipes", base, "ms", base)
        row("linting them", once_ms(lambda: lint_paths([folder]), rounds=9), "ms", base,
            "bar: at most 3x")  # fmt: skip


def main() -> None:
    """Print both."""
    print("the guide as lint")
    speed()  # first: a heap full of other files would be looked through along
    quality()


if __name__ == "__main__":
    main()
