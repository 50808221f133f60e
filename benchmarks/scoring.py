"""Which mutants a tool finds, told from what it says about the clean and about the mutated tree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.mutation import Mutant
from benchmarks.tools import Diagnostic, Tool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool newly says about a mutant."""

    mutant: Mutant
    #: on the mutated statement, or where the value is read
    found: tuple[Diagnostic, ...]
    #: elsewhere in the function
    near: bool
    #: does a diagnostic say what the mistake is?
    named: bool


@dataclass(frozen=True, slots=True)
class Score:
    """A tool's result for one package."""

    outcomes: tuple[Outcome, ...]
    #: new diagnostics that belong to no mutant's function
    elsewhere: tuple[Diagnostic, ...]


def score(
    mutants: Sequence[Mutant], clean: Iterable[Diagnostic], mutated: Iterable[Diagnostic], tool: Tool
) -> Score:
    """Compare a tool's diagnostics of the two trees; one is new if the clean tree has fewer of its like."""
    new = Counter(mutated) - Counter(clean)
    by_file: dict[str, list[Diagnostic]] = defaultdict(list)
    for diagnostic in sorted(new):
        by_file[diagnostic.file].append(diagnostic)
    outcomes, claimed = [], set[Diagnostic]()
    for mutant in mutants:
        inside = [each for each in by_file[mutant.file] if mutant.first <= each.line <= mutant.last]
        found = tuple(each for each in by_file[mutant.file] if each.line in mutant.hits)
        claimed.update(inside, found)
        near = not found and bool(inside)
        outcomes.append(Outcome(mutant, found, near, any(tool.names(each) for each in found)))
    return Score(tuple(outcomes), tuple(each for each in sorted(new) if each not in claimed))


def union(scores: Iterable[Score]) -> Score:
    """The result of several tools together: a mutant is found, and named, if one of them does."""
    outcomes = []
    for together in zip(*(score.outcomes for score in scores), strict=True):
        found = tuple(diagnostic for outcome in together for diagnostic in outcome.found)
        near = not found and any(outcome.near for outcome in together)
        outcomes.append(Outcome(together[0].mutant, found, near, any(outcome.named for outcome in together)))
    return Score(tuple(outcomes), ())
