"""Lines of source text with a place in them underlined."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Sequence

from awaitlint.model import Span
from awaitlint.report.style import Style

_TAB = 4
#: columns of source text at most, and at least; a longer line is cut around the place
_WIDTH, _NARROWEST = 140, 40
_ELLIPSIS = "..."
#: what joins characters, such as the parts of an emoji
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060"
#: lines of one place at most; the middle of a longer one is left out
_LINES = 8


def excerpt(
    lines: Sequence[str],
    span: Span,
    style: Style,
    *,
    gutter: int,
    context: int = 2,
    paint: Callable[[str], str] | None = None,
    columns: int | None = None,
) -> list[str]:
    """The lines of a place and `context` more on either side; empty where the place is not in the text.

    `gutter` is the width of the line numbers, `paint` colours what underlines the place, `columns` is the
    width of the terminal, None where the text goes elsewhere.
    """
    if not 1 <= span.line <= len(lines) or (len(lines) == 1 and not lines[0]):
        return []
    underline = paint or style.code
    end_line, end_column = min(span.end_line, len(lines)), span.end_column
    if end_line > span.line and end_column == 0:  # up to a line's start: the line itself is not in it
        end_line -= 1
        end_column = len(lines[end_line - 1])
    first, last = _around(lines, span.line, end_line, context)
    rows = {number: _cells(lines[number - 1]) for number in range(first, last + 1)}
    start = _column(lines[span.line - 1], span.column)
    end = _column(lines[end_line - 1], end_column)
    multiple = end_line > span.line
    width = _WIDTH
    if columns is not None:
        frame = gutter + len(" | ") + (len("| ") if multiple else 0)
        width = max(_NARROWEST, min(_WIDTH, columns - frame))
    left = _cut(rows[span.line], start, start if multiple else end, width)
    bar = style.frame(f"{' ' * gutter} |")
    out = [bar]
    from_margin = multiple and not lines[span.line - 1][: span.column].strip()
    skipped = _skipped(span.line, end_line)
    for number in range(first, last + 1):
        if number in skipped:
            if number == skipped[0]:
                out.append(f"{style.frame(_ELLIPSIS)} {underline('|')}")
            continue
        margin = ""
        if multiple:
            inside = span.line < number <= end_line
            begins = from_margin and number == span.line
            margin = underline("/" if begins else "|" if inside else "") + (" " if inside or begins else "  ")
        text = _slice(rows[number], left, width)
        out.append(f"{style.frame(f'{number:>{gutter}} |')} {margin}{text}".rstrip())
        if number == span.line and not multiple:
            carets = max(min(end, left + width) - start, 1)
            out.append(f"{bar} {' ' * (start - left)}{underline('^' * carets)}")
        elif number == span.line and not from_margin:
            out.append(f"{bar}  {underline('_' * (start - left + 1) + '^')}")
        elif number == end_line:
            out.append(f"{bar} {underline('|' + '_' * min(max(end - left, 1), width) + '^')}")
    return [*out, bar]


def _around(lines: Sequence[str], first: int, last: int, context: int) -> tuple[int, int]:
    """The lines to show: some around the place, but no blank ones at the ends."""
    top, bottom = max(1, first - context), min(len(lines), last + context)
    while top < first and not lines[top - 1].strip():
        top += 1
    while bottom > last and not lines[bottom - 1].strip():
        bottom -= 1
    return top, bottom


def _skipped(first: int, last: int) -> range:
    if last - first < _LINES:
        return range(0)
    return range(first + _LINES // 2, last - _LINES // 2 + 2)


@functools.lru_cache(maxsize=16)
def _cells(line: str) -> Sequence[str]:
    """What stands in each column of the screen; a wide character is followed by an empty cell."""
    if line.isascii() and line.isprintable():
        return line
    cells: list[str] = []
    for char in line:
        if char == "\t":
            cells.extend(" " * (_TAB - len(cells) % _TAB))
        elif unicodedata.category(char) in ("Mn", "Me") or char in _ZERO_WIDTH:
            if cells:
                cells[-1 if cells[-1] or len(cells) == 1 else -2] += char
        elif not char.isprintable():
            # It has no width to rely on, and might steer the terminal.
            cells.append("\N{REPLACEMENT CHARACTER}")
        elif unicodedata.east_asian_width(char) in "WF":
            cells += (char, "")
        else:
            cells.append(char)
    return cells


def _column(line: str, column: int) -> int:
    """The column of the screen for a column of the text."""
    cells = _cells(line)
    return min(column, len(line)) if cells is line else len(_cells(line[:column]))


def _cut(row: Sequence[str], start: int, end: int, width: int) -> int:
    """The first column to show, so that the place is in view."""
    in_view = len(row) <= width or max(start + 1, end) <= width - len(_ELLIPSIS)
    return 0 if in_view else max(0, start - width // 3)


def _slice(cells: Sequence[str], left: int, width: int) -> str:
    shown = list(cells[left : left + width])
    dots = len(_ELLIPSIS)
    # half of a wide character is a space
    if left and cells:
        shown[: dots + 1] = [*_ELLIPSIS, *(each or " " for each in shown[dots : dots + 1])]
    if len(cells) > left + width:
        if not shown[-dots]:
            shown[-dots - 1] = " "
        shown[-dots:] = _ELLIPSIS
    return "".join(shown)
