"""Comments that silence findings: ``# noqa``, ``# awaitlint: ignore`` and their forms for a whole file.

======================================  =============================================================
``# noqa``                              every finding on the line
``# noqa: AWL101, AWL3``                those with the codes, or codes that begin so
``# awaitlint: ignore``                 every finding on the line
``# awaitlint: ignore[blocking-sleep]`` those with the names, codes or beginnings of codes
``# flake8: noqa``, ``: AWL101``        the same for the file; alone on its line
``# awaitlint: ignore-file``, ``[...]`` the same for the file; alone on its line
======================================  =============================================================

So do the comments by which other tools are told that the very same thing is meant, which stand beside them
in many projects: ``# type: ignore[unused-coroutine]`` (mypy), ``# pyright: ignore[reportUnusedCoroutine]``,
``# noqa: ASYNC251`` (flake8-async and ruff).

A finding looks for such a comment on its own first and last line, on the first and last line of the
statement that it begins in, and, as flake8 does, on the line where a string that it begins in ends.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from awaitlint.files.source import split_lines
from awaitlint.model import Diagnostic, Span

_ANY = re.compile(r"noqa|awaitlint\s*:|:\s*ignore\[[^\]]*(?:unused-|reportUnused)", re.IGNORECASE)
_CODES = r"[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*"
_NOQA = re.compile(rf"#\s*noqa(?:\s?:\s*(?P<codes>{_CODES}))?", re.IGNORECASE)
_FILE_NOQA = re.compile(rf"#\s*flake8[:=]\s*noqa(?:\s*:\s*(?P<codes>{_CODES}))?", re.IGNORECASE)
_IGNORE = re.compile(
    r"#\s*awaitlint\s*:\s*ignore(?P<file>-file)?\b(?!-)(?:\s*\[(?P<codes>[^\]]*)\])?", re.IGNORECASE
)
_CHECKERS = re.compile(r"#\s*(?:type|pyright)\s*:\s*ignore\[(?P<codes>[^\]]*)\]")
#: what other tools call a mistake -> the code it has here
_FOREIGN = {
    "unused-coroutine": "AWL101",
    "unused-awaitable": "AWL101",
    "reportUnusedCoroutine": "AWL101",
    "ASYNC251": "AWL301",
}
_SEPARATORS = re.compile(r"[,\s]+")
#: the tokens around f-strings and t-strings, where this Python has them
_STRING_STARTS = frozenset({getattr(tokenize, f"{kind}STRING_START", -1) for kind in "FT"})
_STRING_ENDS = frozenset({getattr(tokenize, f"{kind}STRING_END", -1) for kind in "FT"})


@dataclass(frozen=True, slots=True)
class Suppression:
    """One such comment: `span` is the directive's place in the text, from its ``#`` on.

    `selectors` are what it names, as written; None where it stands for every finding, as opposed to naming
    none.  `by_name` tells whether the names of rules count, as they do in ``# awaitlint: ignore[...]``; the
    list of what it names begins in the column `listed`.
    """

    span: Span
    selectors: tuple[str, ...] | None
    whole_file: bool = False
    by_name: bool = False
    #: addressed to another tool
    foreign: bool = False
    listed: int = 0

    @property
    def is_noqa(self) -> bool:
        """Whether it is a ``# noqa``, of the line or of the file."""
        return not (self.by_name or self.foreign)

    def covering(self, diagnostic: Diagnostic) -> tuple[str, ...] | None:
        """The selectors that cover the finding, none for a bare comment; None where it is not covered."""
        if self.selectors is None:
            return ()
        code, name = diagnostic.code, diagnostic.name
        return tuple(each for each in self.selectors if self.covers(each, code, name)) or None

    def covers(self, selector: str, code: str, name: str) -> bool:
        """Whether one of the selectors stands for a rule."""
        upper = selector.upper()
        return code.startswith(_FOREIGN.get(upper, upper)) or (self.by_name and selector.lower() == name)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The outcome: the findings that stay, those that go, and what each comment that was needed did.

    `used` has, for each comment that silenced something, the selectors of it that did (none for a bare
    comment); a comment of `suppressions` that is not in it, or a selector, silenced nothing.
    """

    kept: tuple[Diagnostic, ...]
    silenced: tuple[Diagnostic, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    used: dict[Suppression, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of a text that silence findings, and which lines belong together."""

    found: tuple[Suppression, ...]
    #: line → (first, last) line of the statement it belongs to
    statements: dict[int, tuple[int, int]]
    #: line → last line of the strings or continued lines it belongs to
    joined: dict[int, int]
    #: whether the text was understood to its end: what looks like a comment is one
    complete: bool = True

    @staticmethod
    def of(text: str, *, noqa: bool = True) -> Comments:
        """The comments of a text; where it has none, nothing is known of its lines.

        `noqa` off leaves out ``# noqa``.
        """
        comments = _read(text) if _ANY.search(text) else Comments((), {}, {})
        if noqa:
            return comments
        return replace(comments, found=tuple(each for each in comments.found if not each.is_noqa))

    @staticmethod
    def read(text: str) -> Comments:
        """The comments of a text, and which of its lines belong together."""
        return _read(text)

    def on_line(self) -> dict[int, list[Suppression]]:
        """Those that do not speak of the whole file, by their lines."""
        by_line: dict[int, list[Suppression]] = {}
        for each in self.found:
            if not each.whole_file:
                by_line.setdefault(each.span.line, []).append(each)
        return by_line

    def lines(self, span: Span) -> list[int]:
        """The lines on which a comment about a finding may stand."""
        first, last = self.statements.get(span.line, (span.line, span.line))
        return sorted({span.line, span.end_line, first, last, self.joined.get(span.line, span.line)})


def suppress(
    text: str, diagnostics: Sequence[Diagnostic], comments: Comments | None = None, *, noqa: bool = True
) -> Suppressed:
    """Drop the findings of one file that its comments silence; the order of the others is kept.

    `comments` are those of the text, where they are known; otherwise `noqa` off leaves out ``# noqa``.
    """
    if not diagnostics:
        return Suppressed(())
    comments = comments or Comments.of(text, noqa=noqa)
    if not comments.found:
        return Suppressed(tuple(diagnostics))
    kept: list[Diagnostic] = []
    silenced: list[Diagnostic] = []
    used: dict[Suppression, set[str]] = {}
    for diagnostic, covering in coverings(comments, diagnostics):
        for suppression, selectors in covering:
            used.setdefault(suppression, set()).update(selectors)
        (silenced if covering else kept).append(diagnostic)
    frozen = {suppression: frozenset(selectors) for suppression, selectors in used.items()}
    return Suppressed(tuple(kept), tuple(silenced), comments.found, frozen)


def coverings(
    comments: Comments, diagnostics: Iterable[Diagnostic]
) -> Iterator[tuple[Diagnostic, list[tuple[Suppression, tuple[str, ...]]]]]:
    """Each finding with the comments that silence it, and what in them does."""
    whole = [each for each in comments.found if each.whole_file]
    by_line = comments.on_line()
    for diagnostic in diagnostics:
        candidates = [each for line in comments.lines(diagnostic.span) for each in by_line.get(line, ())]
        covering = [(each, each.covering(diagnostic)) for each in (*candidates, *whole)]
        yield diagnostic, [(each, selectors) for each, selectors in covering if selectors is not None]


def may_suppress(line: str) -> bool:
    """Whether there may be such a comment on a line: cheap, and never too narrow."""
    return _ANY.search(line) is not None


def noqa_rows(text: str, diagnostics: Iterable[Diagnostic]) -> list[int]:
    """For each finding of one file the line where a ``# noqa`` for it can stand: after a string's end."""
    comments = _read(text) if '"""' in text or "'''" in text or "\\" in text else None
    rows = []
    for diagnostic in diagnostics:
        line = diagnostic.span.line
        rows.append(comments.joined.get(line, line) if comments is not None else line)
    return rows


def _read(text: str) -> Comments:
    """The comments of a text, by its tokens as far as they go, and by its lines from there."""
    lines = split_lines(text)
    found: list[Suppression] = []
    statements: dict[int, tuple[int, int]] = {}
    joined: dict[int, int] = {}
    statement_start = part_start = last = 0
    in_statement = False
    complete = True
    #: f-strings that are open: their lines are joined as those of other strings are
    strings = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            kind, (line, column), (end_line, _) = token.type, token.start, token.end
            if kind in (tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT):
                continue
            last = max(last, end_line if kind not in (tokenize.NEWLINE, tokenize.NL) else line)
            part_start = part_start or line
            strings += (kind in _STRING_STARTS) - (kind in _STRING_ENDS)
            if kind == tokenize.COMMENT:
                found.extend(
                    parse_comment(token.string, line, column, alone=not lines[line - 1][:column].strip())
                )
            elif strings and kind == tokenize.NL:
                continue
            elif kind in (tokenize.NL, tokenize.NEWLINE):
                if line > part_start:
                    joined.update(dict.fromkeys(range(part_start, line + 1), line))
                part_start = 0
                if kind == tokenize.NEWLINE and in_statement:
                    if line > statement_start:
                        bounds = (statement_start, line)
                        statements.update(dict.fromkeys(range(statement_start, line + 1), bounds))
                    in_statement = False
            elif not in_statement:
                in_statement, statement_start = True, line
    except (tokenize.TokenError, SyntaxError, ValueError):
        complete = False
        # The text cannot be parsed further: a comment in a string is then taken for what it says.
        for number in range(last + 1, len(lines) + 1):
            content = lines[number - 1]
            column = content.find("#")
            if column >= 0:
                found.extend(
                    parse_comment(content[column:], number, column, alone=not content[:column].strip())
                )
    return Comments(tuple(found), statements, joined, complete)


def parse_comment(comment: str, line: int, column: int, *, alone: bool) -> Iterable[Suppression]:
    """The directives of one comment, which may hold several: ``# type: ignore  # noqa: AWL101``."""
    if not _ANY.search(comment):
        return

    def found(match: re.Match[str], *, whole_file: bool = False, by_name: bool = False) -> Suppression:
        span = Span(line, column + match.start(), line, column + match.end())
        listed = column + match.start("codes") if match["codes"] is not None else 0
        return Suppression(span, _split(match["codes"]), whole_file, by_name, listed=listed)

    whole = _FILE_NOQA.match(comment) if alone else None
    if whole is not None:
        yield found(whole, whole_file=True)
    for match in _NOQA.finditer(comment):
        yield found(match)
    for match in _CHECKERS.finditer(comment):
        codes = tuple(_FOREIGN[each] for each in _split(match["codes"]) or () if each in _FOREIGN)
        if codes:
            yield Suppression(found(match).span, codes, foreign=True)
    for match in _IGNORE.finditer(comment):
        if match["file"] is None or alone:
            yield found(match, whole_file=match["file"] is not None, by_name=True)


def _split(codes: str | None) -> tuple[str, ...] | None:
    return None if codes is None else tuple(each for each in _SEPARATORS.split(codes) if each)
