"""Comments in one file that silence what is reported in another: at any hop of a chain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.engine.suppressions import find_suppressions
from awaitlint.files.source import SourceError, decode, split_lines
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


#: what may be a comment that speaks of a whole file
_WHOLE = re.compile(r"flake8\s*[:=]|ignore-file", re.IGNORECASE)


class _Text(NamedTuple):
    """A module's lines, and whether a comment may speak of them all."""

    lines: list[str]
    whole: bool


class Silences:
    """Tells whether a comment on a line of a module says that what blocks there is meant.

    Args:
        lowered: What is known of a file.
    """

    def __init__(self, lowered: Callable[[Path], Lowered]) -> None:
        self._lowered = lowered
        self._texts: dict[Module, _Text] = {}
        self._lines: dict[Module, tuple[bool, frozenset[int]]] = {}

    def __call__(self, module: Module, line: int) -> bool:
        text = self._texts.get(module)
        if text is None:
            text = self._texts[module] = self._text(module)
        # to go through a file's tokens takes a while, and few lines have such a comment
        if not text.whole and (line > len(text.lines) or "#" not in text.lines[line - 1]):
            return False
        found = self._lines.get(module)
        if found is None:
            found = self._lines[module] = self._read("\n".join(text.lines))
        return found[0] or line in found[1]

    def _text(self, module: Module) -> _Text:
        data = self._lowered(module.path).data if module.path is not None else None
        try:
            text = decode(data).text if data is not None else ""
        except SourceError:
            text = ""
        return _Text(split_lines(text), _WHOLE.search(text) is not None)

    @staticmethod
    def _read(text: str) -> tuple[bool, frozenset[int]]:
        """Whether the whole text is silent, and the lines that are."""
        lines: set[int] = set()
        for each in find_suppressions(text):
            place = Span(each.span.line, 0, each.span.line, 0)
            if any(each.covering(Diagnostic("", place, code, name, "")) is not None for code, name in _RULES):
                if each.whole_file:
                    return True, frozenset()
                lines.add(each.span.line)
        return False, frozenset(lines)
