"""Whether two texts of a module say the same in other places: comments, blank lines, formatting."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from awaitlint.index.facts import ModuleFacts

#: fields that say where in the text something is
_PLACES = ("line", "first_line", "end_line", "column", "end_column")
_LINES = ("first_line", "line", "end_line")


def same_shape(old: ModuleFacts, new: ModuleFacts) -> bool:
    """Whether facts differ in places only, and what stood on one line, or before another, still does."""
    if (old.nodes, old.imports, old.packages, old.stars, old.exports, old.patched) != (
        *(new.nodes, new.imports, new.packages),
        *(new.stars, new.exports, new.patched),
    ):
        return False
    lines: set[tuple[int, int]] = set()
    groups: Iterable[tuple[Sequence[msgspec.Struct], Sequence[msgspec.Struct]]] = (
        *((old.scopes, new.scopes), (old.sites, new.sites)),
        *((old.marks, new.marks), (old.misplaced, new.misplaced)),
    )
    for before, after in groups:
        if len(before) != len(after):
            return False
        if before and not _same(before, after, lines):
            return False
    return all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(sorted(lines)))


def _same(
    before: Sequence[msgspec.Struct], after: Sequence[msgspec.Struct], lines: set[tuple[int, int]]
) -> bool:
    """Whether records are equal but for their places; `lines` takes the lines that correspond."""
    names = type(before[0]).__struct_fields__
    said = [name for name in names if name not in _PLACES]
    placed = [name for name in _LINES if name in names]
    for one, two in zip(before, after, strict=True):
        for name in said:
            if getattr(one, name) != getattr(two, name):
                return False
        for name in placed:
            lines.add((getattr(one, name), getattr(two, name)))
    return True
