"""What fixes would change, as a unified diff."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from awaitlint.report.style import Style

#: what a name cannot have outside of quotes, and the bytes that are escaped within
_SPECIAL = re.compile(r'[\x00-\x1f"\\\x7f-\x9f\ud800-\udfff]')
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f-\xff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_Change = tuple[Literal["equal", "replace", "delete", "insert"], int, int, int, int]

#: lines left out on both sides together before the rest counts as changed
_FARTHEST = 400
_LINES = re.compile(r"[^\n]*\n|[^\n]+$")


def unified_diff(name: str, before: str, after: str, style: Style) -> Iterator[str]:
    """The lines of a diff, without their ends, and an empty line after them.

    ``git apply`` and ``patch -p1 --binary`` read it.
    """
    old, new = _LINES.findall(before), _LINES.findall(after)
    relative = not Path(name).is_absolute() and name != "-"
    left, right = (f"a/{name}", f"b/{name}") if relative else (name, name)
    if old != new:
        yield style.removed(f"--- {_quoted(left)}")
        yield style.added(f"+++ {_quoted(right)}")
    changes = _Changes(list(_changes(old, new)))
    for hunk in changes.get_grouped_opcodes() if old != new else ():
        yield f"@@ -{_range(hunk[0][1], hunk[-1][2])} +{_range(hunk[0][3], hunk[-1][4])} @@"
        for tag, first, last, other_first, other_last in hunk:
            if tag == "equal":
                yield from _marked(" ", old[first:last], str)
            else:
                yield from _marked("-", old[first:last], style.removed)
                yield from _marked("+", new[other_first:other_last], style.added)
    yield ""


class _Changes(difflib.SequenceMatcher[str]):
    """Puts together what is near; finding it would take minutes for files of many like lines."""

    def __init__(self, changes: list[_Change]) -> None:
        super().__init__(None, "", "")
        self._changes = changes

    def get_opcodes(self) -> list[_Change]:
        return self._changes


def _marked(mark: str, lines: Iterable[str], paint: Callable[[str], str]) -> Iterator[str]:
    for line in lines:
        yield paint(mark + line.removesuffix("\n"))
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _range(first: int, last: int) -> str:
    """Lines of a hunk as both formats of diff have them: an empty range names the line before it."""
    size = last - first
    return str(first + 1) if size == 1 else f"{first + 1 if size else first},{size}"


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[_Change]:
    """What is equal and what is not, in turn, as `difflib` tells it, in time that grows with the text."""
    here = there = 0
    while here < len(old) or there < len(new):
        first, other_first = here, there
        while here < len(old) and there < len(new) and old[here] == new[there]:
            here, there = here + 1, there + 1
        if here > first:
            yield "equal", first, here, other_first, there
        skipped, added = _until_alike(old, new, here, there)
        if skipped or added:
            yield "replace", here, here + skipped, there, there + added
        here, there = here + skipped, there + added


def _until_alike(old: Sequence[str], new: Sequence[str], here: int, there: int) -> tuple[int, int]:
    """How many lines to leave out on either side until two lines, or the ends, are alike again."""
    left, right = len(old) - here, len(new) - there
    for both in range(min(left + right, _FARTHEST) + 1):
        for skipped in _splits(both, left, right):
            added = both - skipped
            if old[here + skipped : here + skipped + 2] == new[there + added : there + added + 2]:
                return skipped, added
    return left, right


def _splits(both: int, left: int, right: int) -> list[int]:
    """Shares of a number, even ones first: most changes put lines in the place of as many others."""

    def unevenness(share: int) -> int:
        return abs(2 * share - both)

    return sorted(range(max(0, both - right), min(both, left) + 1), key=unevenness)


def _quoted(name: str) -> str:
    """A name as git writes it: in quotes, by its bytes, where it would not survive on the line.

    Behind one with blanks stands a tab, by which ``patch`` knows its end.
    """
    if not _SPECIAL.search(name):
        return f"{name}\t" if " " in name else name
    return f'"{_ESCAPED.sub(_escape, os.fsencode(name).decode("latin-1"))}"'


def _escape(byte: re.Match[str]) -> str:
    return _ESCAPES.get(byte[0]) or f"\\{ord(byte[0]):03o}"
