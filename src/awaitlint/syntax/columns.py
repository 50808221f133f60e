"""Columns in UTF-8 bytes, as `ast` and facts count them, and in characters, as everything else does."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: characters of a long line between two places whose column in bytes is remembered
_STEP = 1024


class Columns:
    """Translates between the two, for the lines of one text (without their ends).

    However long a line is, a translation looks at a small part of it.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._marks: dict[int, list[int]] = {}

    def to_bytes(self, line: int, column: int) -> int:
        """The column in bytes of a column in characters."""
        text = self._lines[line - 1]
        if text.isascii():
            return column
        step = min(column, len(text)) // _STEP
        if not step:
            return _size(text[:column])
        return self._marks_of(line, text)[step] + _size(text[step * _STEP : column])

    def to_characters(self, line: int, column: int) -> int:
        """The column in characters of a column in bytes; within a character it is that character's."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        if text.isascii():
            return column
        marks = self._marks_of(line, text)
        step = bisect_right(marks, column) - 1
        part = text[step * _STEP : (step + 1) * _STEP].encode("utf-8", "surrogatepass")
        return min(step * _STEP, len(text)) + len(part[: column - marks[step]].decode("utf-8", "ignore"))

    def _marks_of(self, line: int, text: str) -> list[int]:
        """The column in bytes of every `_STEP`-th character."""
        marks = self._marks.get(line)
        if marks is None:
            marks = self._marks[line] = [0]
            for start in range(0, len(text), _STEP):
                marks.append(marks[-1] + _size(text[start : start + _STEP]))
        return marks


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
