"""Numbers in words and cells, and sentences that are true whatever the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.speed.commands import AWAITLINT, COMPILED, PARSED, PARSED_OFF
from benchmarks.speed.data import Measured, Results, ratio
from benchmarks.speed.measure import NOTHING

_OWN = (AWAITLINT, COMPILED)
#: differences below this are within what one measurement tells
_SAME = 1.1


def seconds(value: float) -> str:
    """Seconds, with three digits that count."""
    return _rounded(value, (1, 10, 100))


def times(value: float) -> str:
    """A ratio."""
    return _rounded(value, (0.1, 10, 100))


def _rounded(value: float, bounds: Sequence[float]) -> str:
    """A number with three digits after the point below the first bound, and one less from each on."""
    return f"{value:,.{sum(value < bound for bound in bounds)}f}"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def comparisons(own: Measured, others: Iterable[Measured]) -> str:
    """How awaitlint's cost compares to those of other tools, in clauses; empty without any."""
    ordered = sorted((each for each in others if each.costs), key=lambda each: ratio(own, each))
    more = [each for each in ordered if ratio(own, each) <= 1 / _SAME]
    less = [each for each in ordered if ratio(own, each) >= _SAME]
    same = [each.name for each in ordered if each not in more and each not in less]
    clauses = []
    if more:
        parts = [f"{each.name} {times(1 / ratio(own, each))} times" for each in more]
        clauses.append(f"{listed(parts)} as much")
    if same:
        clauses.append(f"{listed(same)} about as much")
    if less:
        parts = [f"{times(ratio(own, each))} times {each.name}" for each in less]
        clauses.append(f"awaitlint needs {listed(parts)}")
    return "; ".join(clauses)


def verdicts(results: Results) -> Iterator[str]:
    """For each tree, how awaitlint fares."""
    for tree in results.trees:
        own = results.cold.get(AWAITLINT, tree.name)
        if own is None or tree.lines == 1:
            continue
        names = [name for name in results.cold.names if name not in (*_OWN, PARSED_OFF)]
        found = [results.cold.get(name, tree.name) for name in names]
        parsing = [each for each in found if each is not None and each.name == PARSED]
        tools = [each for each in found if each is not None and each.name != PARSED]
        text = f"**{tree.lines:,} lines**: {seconds(own.cpu)} CPU seconds"
        if parsing:
            text += f", {times(ratio(own, parsing[0]))} times `ast.parse`"
        if tools:
            text += f"; {comparisons(own, tools)}"
        yield f"- {text}."


def slower(results: Results) -> str:
    """Where awaitlint is slower than another tool; a sentence in any case."""
    found: list[str] = []
    for tree in results.trees:
        own = results.cold.get(AWAITLINT, tree.name)
        if own is not None and tree.lines > 1:
            found += _faster(own, [*results.cold.measured], tree.name, f"on {tree.lines:,} lines")
    for subject in dict.fromkeys(each.subject for each in results.warm.measured):
        own = results.warm.get(AWAITLINT, subject)
        if own is not None:
            where = "with a cache, " + (subject if subject == NOTHING else f"after an edit ({subject})")
            found += _faster(own, [*results.warm.measured], subject, where)
    if not found:
        return "In none of these measurements does awaitlint need more CPU time than another tool."
    return "\n".join(["awaitlint needs more CPU time than another tool here:", "", *found])


def _faster(own: Measured, all_of: Sequence[Measured], subject: str, where: str) -> Iterator[str]:
    others = [each for each in all_of if each.subject == subject and each.costs]
    others = [each for each in others if each.name not in (*_OWN, PARSED, PARSED_OFF)]
    faster = sorted(
        (each for each in others if ratio(own, each) >= _SAME), key=lambda each: -ratio(own, each)
    )
    if faster:
        yield f"- {where}: {listed([f'{times(ratio(own, each))} times {each.name}' for each in faster])}"
