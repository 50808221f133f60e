"""How many calls were resolved, as ``--statistics`` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.report.plain import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.engine.resolution import Reason, Resolution
    from awaitlint.report.style import Style

#: what the numbers are called
_ROWS = {
    "total": "calls",
    "known": "resolved",
    "project": "  to the project",
    "stdlib": "  to Python itself",
    "packages": "  to packages",
    "unknown": "unknown",
}
_LABELS = max(map(len, _ROWS.values()))


def render(found: Resolution, style: Style) -> Iterator[str]:
    """A table of all calls and of those in async functions, and the reasons."""
    tallies = (found.calls, found.in_async)
    headings = ("all", "in async functions")
    cells = {
        field: [_cell(getattr(tally, field), tally.total, is_share=field != "total") for tally in tallies]
        for field in _ROWS
    }
    widths = [
        max(len(heading), *(len(row[column]) for row in cells.values()))
        for column, heading in enumerate(headings)
    ]
    yield style.underlined("How calls were resolved")
    rows = [("", list(headings)), *((_ROWS[field], row) for field, row in cells.items())]
    for label, row in rows:
        cells_of_row = (f"  {cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        yield f"{label:<{_LABELS}}{''.join(cells_of_row)}".rstrip()
    if found.reasons:
        yield ""
        yield style.underlined("Why functions are unknown")
        yield from _reasons(found.reasons)


def _cell(number: int, total: int, *, is_share: bool) -> str:
    """A number of calls, with its share or the place for one."""
    share = ""
    if is_share and total:
        share = f" ({100 * number / total:4.1f} %)".replace("(100.0", "( 100")
    return f"{number:,}{share:<9}"


def _reasons(reasons: tuple[Reason, ...]) -> Iterator[str]:
    width = max(len(f"{each.count:,}") for each in reasons)
    for each in reasons:
        examples = f": {', '.join(map(one_line, each.examples))}" if each.examples else ""
        yield f"{each.count:>{width},}  {one_line(each.text)}{examples}"
