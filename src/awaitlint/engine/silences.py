"""Comments in one file that silence what is reported in another: at any hop of a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.engine.suppressions import find_suppressions
from awaitlint.files.source import SourceError, decode
from awaitlint.model import Diagnostic, Span

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from awaitlint.engine.session import Lowered
    from awaitlint.index.project import Module

#: the rules that speak of a blocking call where it stands, and of the chains that lead to it
_RULES = (
    ("AWL301", "blocking-sleep"),
    ("AWL302", "blocking-network"),
    ("AWL303", "blocking-database"),
    ("AWL304", "blocking-process"),
    ("AWL305", "blocking-file"),
    ("AWL306", "blocking-wait"),
    ("AWL307", "event-loop-reentry"),
    ("AWL308", "blocking-call-chain"),
    ("AWL310", "user-blocking-call"),
    ("AWL311", "cpu-bound-call"),
)


class Silences:
    """Tells whether a comment on a line of a module says that what blocks there is meant.

    Args:
        lowered: What is known of a file.
    """

    def __init__(self, lowered: Callable[[Path], Lowered]) -> None:
        self._lowered = lowered
        self._lines: dict[Module, tuple[bool, frozenset[int]]] = {}

    def __call__(self, module: Module, line: int) -> bool:
        found = self._lines.get(module)
        if found is None:
            found = self._lines[module] = self._read(module)
        return found[0] or line in found[1]

    def _read(self, module: Module) -> tuple[bool, frozenset[int]]:
        """Whether the whole module is silent, and the lines that are."""
        data = self._lowered(module.path).data if module.path is not None else None
        if data is None:
            return False, frozenset()
        try:
            text = decode(data).text
        except SourceError:
            return False, frozenset()
        lines: set[int] = set()
        for each in find_suppressions(text):
            place = Span(each.span.line, 0, each.span.line, 0)
            if any(each.covering(Diagnostic("", place, code, name, "")) is not None for code, name in _RULES):
                if each.whole_file:
                    return True, frozenset()
                lines.add(each.span.line)
        return False, frozenset(lines)
