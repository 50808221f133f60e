"""What people said about findings in released code, kept in a file for each rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from benchmarks.releases import Release
from benchmarks.tools import Diagnostic

JUDGED = Path(__file__).with_name("judged")

_HEADER = ["package", "version", "path", "line", "verdict", "note"]


class Verdict(StrEnum):
    """Whether a finding is a mistake in the code that its author would mend."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"


class Judgement(NamedTuple):
    """What was said about a finding."""

    #: the rule's name
    rule: str
    #: the distribution or the import package
    package: str
    version: str
    #: from the directory that holds the import package
    path: str
    line: int
    verdict: Verdict
    note: str


class Finding(NamedTuple):
    """Something that awaitlint reports in a release."""

    release: Release
    rule: str
    diagnostic: Diagnostic


class JudgementError(Exception):
    """A file of judgements cannot be read."""


def load(directory: Path = JUDGED) -> list[Judgement]:
    """The judgements of all files; the file's name is the rule's.

    Raises:
        JudgementError: a line has other columns than the header, another verdict, or no number.
    """
    return [each for path in sorted(directory.glob("*.tsv")) for each in _read(path)]


def _read(path: Path) -> Iterator[Judgement]:
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    if header.split("\t") != _HEADER:
        raise JudgementError(f"{path.name}: the header is not {' '.join(_HEADER)}")
    for number, row in enumerate(rows, 2):
        try:
            package, version, file, line, verdict, note = row.split("\t")
            yield Judgement(path.stem, package, version, file, int(line), Verdict(verdict), note)
        except ValueError as error:
            raise JudgementError(f"{path.name}:{number}: {error}") from error


class Judged(NamedTuple):
    """Findings and what was said about them."""

    #: each finding with its judgement, if there is one
    findings: tuple[tuple[Finding, Judgement | None], ...]
    #: judgements of these releases whose finding is gone
    stale: tuple[Judgement, ...]


def join(findings: Iterable[Finding], judgements: Iterable[Judgement], releases: Iterable[Release]) -> Judged:
    """Find the judgement of each finding: that of the same rule about the same line of the same version."""
    known = {}
    for judgement in judgements:
        for release in releases:
            if release.is_called(judgement.package) and release.version == judgement.version:
                path = judgement.path.removeprefix("./")
                known[judgement.rule, release.distribution, path, judgement.line] = judgement
    joined = []
    used = set()
    for each in findings:
        key = (each.rule, each.release.distribution, each.diagnostic.file, each.diagnostic.line)
        used.add(key)
        joined.append((each, known.get(key)))
    stale = tuple(judgement for key, judgement in known.items() if key not in used)
    return Judged(tuple(joined), stale)
