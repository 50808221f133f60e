"""One finding for each root cause, of all the files of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from awaitlint.config.options import SEVERITIES
from awaitlint.model import OTHER_PLACE, Related

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awaitlint.model import Diagnostic

#: places that lead to the same cause which are listed
MOST_OTHERS = 10


def one_for_each_root(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings in order, less those that have their root cause in common with a better one.

    The worst is kept, then the nearest to the cause, then the first by file and place; the others become
    places that explain it.
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
            kept.append(_with_others(finding, groups[root.key]))
    return kept


def _rank(finding: Diagnostic) -> tuple[int, int, object]:
    distance = finding.root.distance if finding.root is not None else 0
    return (SEVERITIES.index(finding.severity.value), distance, finding.sort_key)


def _with_others(finding: Diagnostic, group: list[Diagnostic]) -> Diagnostic:
    """A finding with the places of all that have its root cause, where these are not too many."""
    found: list[Related] = []
    for each in group:
        assert each.root is not None
        if each is not finding:
            found.append(Related(each.path, each.span, OTHER_PLACE))
        found += each.related[each.root.hops :]
    if not found:
        return finding
    assert finding.root is not None
    left = len(found) - MOST_OTHERS
    if left > 0:
        found[MOST_OTHERS:] = [Related(finding.path, None, f"and {left} more")]
    return replace(finding, related=(*finding.related[: finding.root.hops], *found))
