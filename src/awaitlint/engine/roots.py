"""One finding for each root cause, of all the files of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from awaitlint.config.options import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awaitlint.model import Diagnostic


def one_for_each_root(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings in order, less those that have their root cause in common with a better one.

    The worst is kept, then the nearest to the cause, then the first by file and place; its message says how
    many others there are.
    """
    ordered = list(findings)
    groups: dict[str, list[Diagnostic]] = {}
    for finding in ordered:
        if finding.root is not None:
            groups.setdefault(finding.root.key, []).append(finding)
    if not groups:
        return ordered
    best = {key: min(group, key=_rank) for key, group in groups.items()}
    kept = []
    for finding in ordered:
        root = finding.root
        if root is None:
            kept.append(finding)
        elif finding is best[root.key]:
            others = sum(1 + each.root.others for each in groups[root.key] if each.root is not None) - 1
            kept.append(_counted(finding, others))
    return kept


def _rank(finding: Diagnostic) -> tuple[int, int, object]:
    distance = finding.root.distance if finding.root is not None else 0
    return (SEVERITIES.index(finding.severity.value), distance, finding.sort_key)


def _counted(finding: Diagnostic, others: int) -> Diagnostic:
    if not others:
        return finding
    functions = "function gets" if others == 1 else "functions get"
    return replace(finding, message=f"{finding.message} ({others} other async {functions} there, too)")
