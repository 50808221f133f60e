"""Comments in one file that silence what is reported in another: at any hop of a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.engine.suppressions import Comments, may_suppress
from awaitlint.model import Diagnostic, Span

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
    from awaitlint.rulekit.texts import Texts

#: the rules that speak of a blocking call where it stands, and of the chains that lead to it
CHAINED = (
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


#: words of comments that may speak of a whole file
_WHOLE = ("flake8", "ignore-file")


class Silences:
    """Tells whether a comment on a line of a module says that what blocks there is meant.

    Args:
        texts: The texts of the modules.
        noqa: Whether ``# noqa`` counts.
    """

    def __init__(self, texts: Texts, *, noqa: bool = True) -> None:
        self._texts = texts
        self._noqa = noqa
        #: whether a comment may speak of the whole module
        self._may_be_whole: dict[Module, bool] = {}
        self._lines: dict[Module, tuple[bool, frozenset[int]]] = {}

    def __call__(self, module: Module, line: int) -> bool:
        lines = self._texts.lines(module)
        if module in self._texts.lost:
            # there may have been a comment
            return True
        whole = self._may_be_whole.get(module)
        if whole is None:
            text = self._texts.text(module).lower()
            whole = self._may_be_whole[module] = any(word in text for word in _WHOLE)
        # to go through a file's tokens takes a while, and few lines have such a comment
        if not whole and (line > len(lines) or not may_suppress(lines[line - 1])):
            return False
        found = self._lines.get(module)
        if found is None:
            found = self._lines[module] = self._read("\n".join(lines))
        return found[0] or line in found[1]

    def _read(self, text: str) -> tuple[bool, frozenset[int]]:
        """Whether the whole text is silent, and the lines that are."""
        lines: set[int] = set()
        for each in Comments.of(text, noqa=self._noqa).found:
            place = Span(each.span.line, 0, each.span.line, 0)
            if any(
                each.covering(Diagnostic("", place, code, name, "")) is not None for code, name in CHAINED
            ):
                if each.whole_file:
                    return True, frozenset()
                lines.add(each.span.line)
        return False, frozenset(lines)
