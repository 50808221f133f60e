"""What follows the findings: how many there are, how many can be mended, how often each rule spoke."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from awaitlint.engine.fixes import applicable
from awaitlint.model import Diagnostic
from awaitlint.report.context import ReportContext


def summary(
    diagnostics: Sequence[Diagnostic],
    context: ReportContext,
    *,
    fixed: int = 0,
    failed: bool = False,
    known: int = 0,
) -> Iterator[str]:
    """Up to three lines; `fixed` is the number of findings that were mended and are gone.

    `known` is the number of those that are in a baseline.  Nothing is said to be well where the run `failed`.
    """
    remaining = len(diagnostics)
    if fixed:
        yield f"Found {_count(remaining + fixed, 'error')} ({fixed} fixed, {remaining} remaining)."
    elif remaining:
        yield f"Found {_count(remaining, 'error')}."
    elif not failed:
        yield "All checks passed!" if not known else "No new errors!"
    available = sum(context.fixable(each) for each in diagnostics)
    hidden = sum(applicable(each.fix, unsafe=True) for each in diagnostics) - available
    more = f"{_count(hidden, 'hidden fix', 'hidden fixes')} can be enabled with --unsafe-fixes"
    if available:
        mark = f"[{context.style.accent('*')}]"
        yield f"{mark} {available} fixable with the --fix option{f' ({more})' if hidden else ''}."
    elif hidden:
        yield f"No safe fixes available ({more})."
    if known:
        yield f"{_count(known, 'error is', 'errors are')} known from the baseline."


def noqa_summary(lines: int, silenced: int, *, only_shown: bool) -> str:
    """The line after comments were added to some lines, for some findings."""
    if not lines:
        return "No noqa comments to add."
    verb = "Would add" if only_shown else "Added"
    return f"{verb} noqa comments to {_count(lines, 'line')} for {_count(silenced, 'error')}."


def diff_summary(would_fix: int, hidden: int) -> str:
    """The line after a diff; `hidden` is the number of unsafe fixes that were left out."""
    more = f"{_count(hidden, 'hidden fix', 'hidden fixes')} can be enabled with --unsafe-fixes"
    if would_fix:
        return f"Would fix {_count(would_fix, 'error')}{f' ({more})' if hidden else ''}."
    return f"No errors would be fixed{f' ({more})' if hidden else ''}."


def statistics(diagnostics: Sequence[Diagnostic], context: ReportContext, *, as_json: bool) -> Iterator[str]:
    """How many findings each rule has: most first, as lines or as a JSON array."""
    counts = Counter((each.code, each.name) for each in diagnostics)
    fixable = Counter(each.code for each in diagnostics if context.fixable(each))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        yield json.dumps(
            [
                {"code": code, "name": name, "count": count, "fixable_count": fixable[code]}
                for (code, name), count in ordered
            ],
            indent=2,
        )
        return
    width = max((len(str(count)) for count in counts.values()), default=0)
    for (code, name), count in ordered:
        mark = f"[{context.style.accent('*' if fixable[code] else ' ')}] " if fixable else ""
        yield f"{count:>{width}}\t{context.style.code(code)}\t{mark}{name}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
