"""What each tool found of the bugs, and which look-alikes it flagged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from benchmarks.comparison.marks import Kind, Mark, Marked
from benchmarks.comparison.matters import BY_RULE
from benchmarks.tools import Diagnostic


class Tally(NamedTuple):
    """How many marked lines."""

    #: reported by a diagnostic that names the matter
    named: int = 0
    #: reported by others only
    other: int = 0
    total: int = 0

    def __add__(self, other: object) -> Tally:
        assert isinstance(other, Tally)
        return Tally(self.named + other.named, self.other + other.other, self.total + other.total)


class Score(NamedTuple):
    """A tool's result."""

    tool: str
    version: str
    dependencies: bool
    #: by kind and rule
    tallies: dict[tuple[Kind, str], Tally]
    #: the bugs that it did not name
    missed: tuple[Mark, ...]
    #: the look-alikes that it named
    flagged: tuple[Mark, ...]

    def sum(self, kind: Kind, rules: Iterable[str]) -> Tally:
        return sum((self.tallies[kind, rule] for rule in rules if (kind, rule) in self.tallies), Tally())


def score(
    marked: Marked,
    diagnostics: Iterable[Diagnostic],
    names: Callable[[Mark, Diagnostic], bool],
    *,
    tool: str,
    version: str = "",
    dependencies: bool = False,
) -> Score:
    """Count the marked lines that diagnostics are about; `names` says which of these name the matter."""
    said: dict[tuple[str, int], list[Diagnostic]] = {}
    for each in diagnostics:
        said.setdefault((each.file, each.line), []).append(each)
    tallies: dict[tuple[Kind, str], Tally] = {}
    missed, flagged = [], []
    for mark in marked.marks:
        here = [each for line in mark.lines for each in said.get((mark.file, line), ())]
        named = any(names(mark, each) for each in here)
        tally = Tally(named, bool(here) and not named, 1)
        tallies[mark.kind, mark.rule] = tallies.get((mark.kind, mark.rule), Tally()) + tally
        if named and mark.kind is Kind.FINE:
            flagged.append(mark)
        if not named and mark.kind is Kind.BUG:
            missed.append(mark)
    return Score(tool, version, dependencies, tallies, tuple(missed), tuple(flagged))


def peer_names(mark: Mark, diagnostic: Diagnostic) -> bool:
    """Whether another tool's diagnostic on a marked line names the matter."""
    return BY_RULE[mark.rule].is_named(diagnostic)


def awaitlint_names(mark: Mark, diagnostic: Diagnostic) -> bool:
    """Whether awaitlint's does: a bug takes the rule that it is for, a look-alike any rule."""
    return mark.kind is Kind.FINE or diagnostic.code == BY_RULE[mark.rule].code
