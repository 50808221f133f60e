"""docs/comparison.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.comparison.marks import Kind, Mark, Marked
from benchmarks.comparison.matters import BY_RULE, MATTERS, Matter
from benchmarks.comparison.scoring import Score, Tally

_INTRODUCTION = """\
# Comparison

<!-- Made by `python -m benchmarks.comparison`: edit benchmarks/comparison/, then make it again. -->

What awaitlint and other tools find on {bugs} lines that have a mistake and on {fine} that only look like
it, in {files} small modules with the mistakes of [the catalogue](../README.md#rules), {rules} rules. The
lines are in [benchmarks/comparison/lines](../benchmarks/comparison/lines/project.md). They were written
from the catalogue, to show what each rule is about: they say what a tool *can* see, not how often it
matters. How much of what awaitlint reports in released code is right is on [another page](precision.md),
how many forgotten `await`s the tools find in it is measured by [another
benchmark](../benchmarks/README.md).

- A bug is **named** where a tool's diagnostic on the line would lead a reader to it: it speaks of a
  coroutine or an `await`, of a blocked event loop, of a result that is dropped … ([the
  words](../benchmarks/comparison/matters.py)). **Any** counts every diagnostic on the line.
- A look-alike is **flagged** where a diagnostic names the matter that it does not have; *any* as before.
- A bug counts for awaitlint only where the rule that it is marked with reports it, and a look-alike
  counts as flagged whichever rule reports it.
- A line is that of the whole statement, or of its header, with decorators.

Make the page again with

```sh
python3 -m venv PEERS && PEERS/bin/pip install -r benchmarks/peers.txt
make comparison BENCH_ARGS='--peers PEERS --with-dependencies'   # runs the other tools, too
make comparison                                                  # awaitlint only
```
"""

_REMARKS = """\
## Remarks

- Every tool is at its strictest: awaitlint with `--preset pedantic`; ruff with the preview rules ASYNC,
  RUF006, RUF029, B, F, PLE, PLW, PT, BLE, E722, S113, SIM117 and UP041; all of flake8-async, the optional
  ones included; pylint's errors and warnings; all of codehound; hydroid with `--cpu`; mypy with
  `--strict` and eight optional codes; basedpyright with `typeCheckingMode = "all"`; ty with every rule;
  pyrefly with the preset `all`. Nobody works like that: it is why *any* is large for the type checkers,
  and says little.
- awaitlint, flake8-async and hydroid are told of the blocking functions of one made-up package; the
  others have no option for that. hydroid follows what can be imported, and this package cannot.
- The lines come from those who make awaitlint, and follow its catalogue: a tool that is not made for a
  group of rules is not worse for finding nothing there. Where another tool draws the line in another
  place on purpose, it counts as missed or as flagged here: flake8-async wants every handler of a
  cancellation to re-raise, also that of a task that was just cancelled; hydroid reports every lock of
  `threading` in async code, also one that is held for a moment; for mypy, a method that overrides an
  `async def` has to give a coroutine, not just something that can be awaited.
- Type checkers look for types that do not fit, in all of Python. They find most of 1xx and 5xx on the
  way, where they know the types, and are not made for the rest. What they find without dependencies is
  what they find in a pre-commit hook; awaitlint reads no dependencies in either table.
- ruff, flake8-async, pylint and codehound look at one file at a time, and mostly at the names of what is
  called.
"""


def page(marked: Marked, scores: Sequence[Score], registered: frozenset[str]) -> str:
    """The page; the first score is awaitlint's, `registered` are the codes of the rules that it has."""
    return "\n".join(_parts(marked, scores, registered))


def _parts(marked: Marked, scores: Sequence[Score], registered: frozenset[str]) -> Iterator[str]:
    marks = Counter(mark.kind for mark in marked.marks)
    rules = [matter for matter in MATTERS if any(mark.rule == matter.rule for mark in marked.marks)]
    modules = [name for name, text in marked.files.items() if name.endswith(".py") and text.strip()]
    yield _INTRODUCTION.format(
        bugs=marks[Kind.BUG], fine=marks[Kind.FINE], files=len(modules), rules=len(rules)
    )
    alone = [each for each in scores if not each.dependencies]
    installed = [each for each in scores if each.dependencies]
    yield "## Totals\n"
    yield from _totals(alone, rules, "Nothing installed but the tools")
    if installed:
        yield from _totals([scores[0], *installed], rules, "With everything installed that the lines import")
    yield "## By rule\n"
    yield "Bugs named, and after a plus those reported by another diagnostic only; a dot is none.\n"
    yield from _by_rule(alone, rules, Kind.BUG, "bugs")
    if installed:
        yield "With everything installed that the lines import:\n"
        yield from _by_rule(installed, rules, Kind.BUG, "bugs")
    yield "## Look-alikes flagged\n"
    yield "In the same notation; a rule of which no look-alike is flagged is left out.\n"
    yield from _by_rule(alone, _flagged(alone, rules), Kind.FINE, "look-alikes")
    if installed:
        yield "With everything installed that the lines import:\n"
        yield from _by_rule(installed, _flagged(installed, rules), Kind.FINE, "look-alikes")
    yield from _of_awaitlint(scores[0], registered)
    yield _REMARKS


def _totals(scores: Sequence[Score], rules: Sequence[Matter], title: str) -> Iterator[str]:
    names = [matter.rule for matter in rules]
    groups = sorted({matter.code[3] for matter in rules})
    head = ["tool", "version", "bugs named", "any", "look-alikes flagged", "any"]
    yield f"{title}. The numbers of the groups are bugs named.\n"
    yield f"| {' | '.join(head)} | {' | '.join(f'{group}xx' for group in groups)} |"
    yield f"|---|---|{'---:|' * (len(head) - 2 + len(groups))}"
    for each in scores:
        bugs, fine = each.sum(Kind.BUG, names), each.sum(Kind.FINE, names)
        cells = [each.tool, each.version or "this", _share(bugs), str(bugs.named + bugs.other)]
        cells += [str(fine.named), str(fine.named + fine.other)]
        for group in groups:
            cells.append(_share(each.sum(Kind.BUG, [m.rule for m in rules if m.code[3] == group])))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _share(tally: Tally) -> str:
    return f"{tally.named}/{tally.total}"


def _by_rule(scores: Sequence[Score], rules: Sequence[Matter], kind: Kind, noun: str) -> Iterator[str]:
    yield f"| rule | {noun} | {' | '.join(each.tool for each in scores)} |"
    yield f"|---|---:|{'---:|' * len(scores)}"
    for matter in rules:
        tallies = [each.tallies.get((kind, matter.rule), Tally()) for each in scores]
        label = f"{matter.code} {matter.rule}"
        yield f"| {label} | {tallies[0].total} | {' | '.join(map(_cell, tallies))} |"
    yield ""


def _cell(tally: Tally) -> str:
    other = f"+{tally.other}" if tally.other else ""
    return f"{tally.named or ''}{other}" or "·"


def _flagged(scores: Sequence[Score], rules: Sequence[Matter]) -> list[Matter]:
    return [
        matter
        for matter in rules
        if any(each.tallies.get((Kind.FINE, matter.rule), Tally()).named for each in scores)
    ]


def _of_awaitlint(score: Score, registered: frozenset[str]) -> Iterator[str]:
    yield "## What awaitlint misses and flags here\n"
    absent = [matter for matter in MATTERS if matter.code not in registered]
    if absent:
        yield f"Not there yet: {', '.join(f'{matter.code} {matter.rule}' for matter in absent)}.\n"
    missed = [mark for mark in score.missed if BY_RULE[mark.rule].code in registered]
    for verb, marks in (("Missed", missed), ("Flagged", score.flagged)):
        yield "\n".join([f"{verb}: {'' if marks else 'none.'}".rstrip(), *map(_item, marks), ""])


def _item(mark: Mark) -> str:
    return f"- {BY_RULE[mark.rule].code} {mark.rule}, `{mark.file}:{mark.line}`"
