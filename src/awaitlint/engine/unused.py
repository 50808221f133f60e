"""Which comments that silence findings are not needed, once all that there is has been found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.config.selection import nearest_rule
from awaitlint.engine.silences import CHAINED
from awaitlint.engine.suppressions import coverings, parse_comment
from awaitlint.files.source import split_lines
from awaitlint.model import Edit, Fix, Safety, Span
from awaitlint.rulekit.registry import rule_keys
from awaitlint.rules.unused_suppression import UnusedSuppression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from awaitlint.engine.suppressions import Comments, Suppressed, Suppression
    from awaitlint.model import Diagnostic

_ENTRY = re.compile(r"[^,\s\]]+")
_SPACE = " \t\f"
#: what stands between a list of codes and the reason for it
_DASHES = _SPACE + "-:\N{EN DASH}\N{EM DASH},;"


class _Entry(NamedTuple):
    """Something that a comment names, and where in its line."""

    text: str
    start: int
    end: int


class Unused:
    """Judges the comments of one file.

    Args:
        text: The text.
        comments: Its comments.
        checked: The codes of the rules that were checked in it.
        silences: Whether a comment on a line, or for the whole file (None), keeps something from callers.
        noqa: Whether ``# noqa`` is judged as well.
    """

    def __init__(
        self,
        text: str,
        comments: Comments,
        checked: frozenset[str],
        silences: Callable[[int | None], bool],
        *,
        noqa: bool = True,
    ) -> None:
        self._lines = split_lines(text)
        self._comments = comments
        self._checked = checked
        self._silences = silences
        self._noqa = noqa
        self._rules = [(key.code, key.name) for key in rule_keys()]
        self._defaults = {key.code for key in rule_keys() if key.default}

    def findings(self, path: str, outcome: Suppressed) -> Iterator[Diagnostic]:
        """The comments that did nothing to all that was found; less those that others silence."""
        if not self._comments.complete:
            return
        for suppression in self._comments.found:
            if suppression.foreign or not (self._noqa or suppression.by_name) or self._is_exempt(suppression):
                continue
            used = outcome.used.get(suppression)
            for finding in self._of(path, suppression, used):
                ((_, covering),) = coverings(self._comments, [finding])
                if all(each is suppression for each, _ in covering):
                    yield finding

    def _is_exempt(self, suppression: Suppression) -> bool:
        """Whether a comment says that it is meant as it is."""
        own = (UnusedSuppression.code.lower(), UnusedSuppression.name)
        return any(each.lower() in own for each in suppression.selectors or ())

    def _of(self, path: str, suppression: Suppression, used: frozenset[str] | None) -> Iterator[Diagnostic]:
        written = self._written(suppression)
        if suppression.selectors is None:
            if suppression.by_name and used is None and self._is_unused(suppression, ""):
                yield self._finding(path, suppression, f"{written} silences nothing; remove it", [])
            return
        entries = self._entries(suppression)
        if not entries:
            yield self._finding(path, suppression, f"{written} names no rule, and silences nothing", [])
        unused: list[_Entry] = []
        seen: set[str] = set()
        for entry in entries:
            if not suppression.by_name and not entry.text.upper().startswith("AWL"):
                continue
            if not self._covered(suppression, entry.text):
                yield self._unknown(path, suppression, entry)
            elif entry.text.lower() in seen:
                message = f"`{entry.text}` is named twice in {written}; remove one of them"
                yield self._finding(path, suppression, message, [entry])
            elif entry.text not in (used or ()) and self._is_unused(suppression, entry.text):
                unused.append(entry)
            seen.add(entry.text.lower())
        if unused:
            subject, advice = written, "silences nothing; remove it"
            if len(unused) < len(entries):
                subject = ", ".join(f"`{entry.text}`" for entry in unused) + f" in {written}"
            if len(unused) > 1 and subject is not written:
                advice = "silence nothing; remove them"
            yield self._finding(path, suppression, f"{subject} {advice}", unused)

    def _unknown(self, path: str, suppression: Suppression, entry: _Entry) -> Diagnostic:
        selector = entry.text if suppression.by_name else entry.text.upper()
        advice = nearest_rule(selector, self._rules)
        message = f"`{entry.text}` in {self._written(suppression)}: {advice}"
        # what is merely misspelt would be lost
        return self._finding(path, suppression, message, None if "`" in advice else [entry])

    # ------------------------------------------------------------------ what a selector stands for
    def _covered(self, suppression: Suppression, selector: str) -> set[str]:
        """The codes of the rules that a selector stands for; all for an empty one."""
        return {code for code, name in self._rules if suppression.covers(selector, code, name)}

    def _is_unused(self, suppression: Suppression, selector: str) -> bool:
        """Whether rules that a selector stands for were checked, so that they would have needed it."""
        covered = self._covered(suppression, selector)
        if len(covered) > 1:
            if not self._checked & covered >= self._defaults & covered:
                return False
            covered &= self._checked
        if not covered or not covered <= self._checked:
            return False
        if not any(suppression.covers(selector, code, name) for code, name in CHAINED):
            return True
        return not self._silences(None if suppression.whole_file else suppression.span.line)

    # ------------------------------------------------------------------ findings and fixes
    def _written(self, suppression: Suppression) -> str:
        span = suppression.span
        return f"`{self._lines[span.line - 1][span.column : span.end_column]}`"

    def _entries(self, suppression: Suppression) -> list[_Entry]:
        span = suppression.span
        line = self._lines[span.line - 1]
        found = _ENTRY.finditer(line, suppression.listed, span.end_column)
        return [_Entry(match[0], match.start(), match.end()) for match in found]

    def _finding(
        self, path: str, suppression: Suppression, message: str, dropped: Sequence[_Entry] | None
    ) -> Diagnostic:
        """A finding whose fix drops some of what a comment names; all of it where that is all there is."""
        fix = None
        if dropped is not None:
            whole = len(dropped) == len(self._entries(suppression) if suppression.selectors else ())
            edit = self._without(suppression) if whole else self._with_fewer(suppression, dropped)
            if edit is not None:
                what = "comment" if whole else "code" if len(dropped) == 1 else "codes"
                fix = Fix(f"Remove the unused {what}", (edit,), Safety.SAFE)
        return UnusedSuppression.finding(path, suppression.span, message, fix)

    def _with_fewer(self, suppression: Suppression, dropped: Sequence[_Entry]) -> Edit:
        entries = self._entries(suppression)
        number = suppression.span.line
        line = self._lines[number - 1]
        kept = [index for index, entry in enumerate(entries) if entry not in dropped]
        text = entries[kept[0]].text
        for index in kept[1:]:
            # each keeps what stood in front of it
            text += line[entries[index - 1].end : entries[index].end]
        return Edit(Span(number, entries[0].start, number, entries[-1].end), text)

    def _without(self, suppression: Suppression) -> Edit | None:
        """The edit that removes a comment; None where what is left would silence something else."""
        number, start, end = suppression.span.line, suppression.span.column, suppression.span.end_column
        line = self._lines[number - 1]
        before, rest = line[:start].rstrip(_SPACE), line[end:].strip(_SPACE)
        if not rest:
            if not before:
                return Edit(Span(number, 0, number + 1, 0), "")
            return Edit(Span(number, len(before), number, len(line)), "")
        end = len(line) - len(line[end:].lstrip(_SPACE if rest.startswith("#") else _DASHES))
        text = "" if line[end : end + 1] in ("#", "") else "# "
        on_line = [each for each in self._comments.found if each.span.line == number]
        others = [each.selectors for each in on_line if each is not suppression]
        first = min(each.span.column for each in on_line)
        left = line[first:start] + text + line[end:]
        found = parse_comment(left, number, first, alone=not line[:first].strip())
        return (
            Edit(Span(number, start, number, end), text) if others == [x.selectors for x in found] else None
        )
