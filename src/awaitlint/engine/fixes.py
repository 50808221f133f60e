"""Applying fixes to a text, and writing the result back without ever leaving half a file behind."""

from __future__ import annotations

import ast
import codecs
import itertools
import os
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from awaitlint.engine.writing import replace_file
from awaitlint.model import Diagnostic, Edit, Fix, Safety

_LINE_END = re.compile(r"\r\n|\r|\n")
_BARE_NEWLINE = re.compile(r"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """What one pass of fixes did to a text.

    `applied` are the findings whose fix is in `text`; `skipped` those whose fix gets in the way of another
    one, and may fit in the next pass; `rejected` those whose fix would have made the text unparsable, or
    does not fit the text at all.
    """

    text: str
    applied: tuple[Diagnostic, ...] = ()
    skipped: tuple[Diagnostic, ...] = ()
    rejected: tuple[Diagnostic, ...] = ()


class FixError(Exception):
    """A fixed file that cannot be written; the file on disk is as it was."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: cannot write the fixed file: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True, order=True)
class _Replacement:
    """An edit as offsets into the text."""

    start: int
    end: int
    content: str

    @property
    def adds_lines(self) -> bool:
        """Whether it inserts whole lines, such as an import."""
        return self.start == self.end and self.content.endswith(("\n", "\r"))


_Chosen = tuple[list[_Replacement], Diagnostic]


class _Accepted:
    """The replacements of the fixes that were chosen so far; they overlap nowhere."""

    def __init__(self) -> None:
        self._all: set[_Replacement] = set()
        #: in order, and where each begins
        self._ordered: list[_Replacement] = []
        self._starts: list[int] = []

    def add(self, replacements: Iterable[_Replacement]) -> None:
        for each in replacements:
            if each not in self._all:
                self._all.add(each)
                index = bisect_right(self._starts, each.start)
                while index and self._ordered[index - 1] > each:
                    index -= 1
                self._ordered.insert(index, each)
                self._starts.insert(index, each.start)

    def fits(self, replacements: list[_Replacement]) -> bool:
        """Whether a fix touches nothing that is accepted already, but for lines that both insert."""
        if replacements and all(each in self._all for each in replacements):
            return True  # the same fix, found by two rules
        return not any(
            not (each == other and each.adds_lines) for each in replacements for other in self._touching(each)
        )

    def _touching(self, each: _Replacement) -> Iterator[_Replacement]:
        index = bisect_right(self._starts, each.end)
        while index and self._ordered[index - 1].end >= each.start:
            index -= 1
            yield self._ordered[index]


def applicable(fix: Fix | None, *, unsafe: bool) -> bool:
    """Whether there is a fix, and one that may be applied: a safe one, or any where `unsafe` is allowed."""
    return fix is not None and bool(fix.edits) and (unsafe or fix.safety is Safety.SAFE)


def apply_fixes(text: str, diagnostics: Iterable[Diagnostic], *, unsafe: bool) -> FixOutcome:
    """Apply the fixes of one file's findings, all edits of a fix or none.

    Of two fixes that touch the same place the first finding's is applied and the other skipped, so that a
    second pass looks at it anew.  Only the insertion of the very same lines, such as an import, is shared.
    Where the text parsed before, it parses afterwards.
    """
    positions = _Positions(text)
    wanted: list[_Chosen] = []
    skipped: list[Diagnostic] = []
    rejected: list[Diagnostic] = []
    for diagnostic in diagnostics:
        if diagnostic.fix is None or not applicable(diagnostic.fix, unsafe=unsafe):
            continue
        replacements = positions.replacements(diagnostic.fix.edits)
        if replacements is None:
            rejected.append(diagnostic)
        else:
            wanted.append((replacements, diagnostic))
    # By the finding's place, for an import that a fix adds far above says nothing about its order.
    wanted.sort(key=lambda each: each[1].sort_key)
    accepted = _Accepted()
    chosen: list[_Chosen] = []
    for replacements, diagnostic in wanted:
        if accepted.fits(replacements):
            accepted.add(replacements)
            chosen.append((replacements, diagnostic))
        else:
            skipped.append(diagnostic)
    good = _verified(text, chosen)
    kept = {id(each) for each in good}
    rejected += [each[1] for each in chosen if id(each) not in kept]
    return FixOutcome(_apply(text, good), tuple(each[1] for each in good), tuple(skipped), tuple(rejected))


def _verified(text: str, chosen: list[_Chosen]) -> list[_Chosen]:
    """The fixes that leave the text as readable as it is, each beside the ones before it."""
    good: list[_Chosen] = []
    # Halves of what does not parse are tried by themselves, so that one bad fix costs few attempts.
    todo = [chosen] if chosen else []
    while todo:
        part = todo.pop()
        if verify(text, _apply(text, [*good, *part])) is None:
            good += part
        elif len(part) > 1:
            todo += [part[len(part) // 2 :], part[: len(part) // 2]]
    return good


def verify(before: str, after: str) -> str | None:
    """Why a fixed text cannot be right, or None: it has to parse, if the text did before."""
    problem = _syntax_problem(after)
    return None if problem is None or _syntax_problem(before) is not None else problem


def encode(text: str, encoding: str, *, bom: bool) -> bytes:
    """The bytes of a source file; raises `UnicodeError` where the encoding lacks a character."""
    data = text.encode(encoding)
    return codecs.BOM_UTF8 + data if bom else data


def write_fixed(path: Path, data_before: bytes, text: str, encoding: str, *, bom: bool) -> bool:
    """Write a fixed text in the file's own encoding; answers whether it changed the file.

    A link stays and the file it points to is written.  The new content is written beside the file, flushed
    to the disk and put in its place in one step, with the file's permissions.  Raises `FixError` where that
    fails or the file is no longer what was checked; it is then as it was.
    """
    try:
        data = encode(text, encoding, bom=bom)
    except UnicodeEncodeError as error:
        raise FixError(path, f"{encoding} has no {error.object[error.start]!r}") from error
    except UnicodeError as error:
        raise FixError(path, f"{encoding} cannot hold it") from error
    if data == data_before:
        return False
    target = Path(os.path.realpath(path))
    try:
        if target.read_bytes() != data_before:
            raise FixError(path, "it was changed while it was checked")
        if not os.access(target, os.W_OK):
            raise FixError(path, "permission denied")
        replace_file(target, data)
    except OSError as error:
        raise FixError(path, (error.strerror or str(error)).lower()) from error
    return True


class _Positions:
    """Lines and columns of a text as offsets."""

    def __init__(self, text: str) -> None:
        self.size = len(text)
        self.starts = [0]
        self.ends = []
        self.newline = "\n"
        for number, match in enumerate(_LINE_END.finditer(text)):
            if number == 0:
                self.newline = match[0]
            self.ends.append(match.start())
            self.starts.append(match.end())
        self.ends.append(self.size)

    def replacements(self, edits: Sequence[Edit]) -> list[_Replacement] | None:
        """The edits in order, with the file's newlines; None where they overlap or lie outside the text."""
        found = []
        for edit in edits:
            start = self._offset(edit.span.line, edit.span.column)
            end = self._offset(edit.span.end_line, edit.span.end_column)
            if start is None or end is None or end < start:
                return None
            found.append(_Replacement(start, end, _BARE_NEWLINE.sub(self.newline, edit.replacement)))
        found.sort(key=lambda each: (each.start, each.end))
        for left, right in itertools.pairwise(found):
            if right.start < left.end:
                return None
        return found

    def _offset(self, line: int, column: int) -> int | None:
        if line == len(self.starts) + 1 and column == 0:
            return self.size  # the end of a text without a final newline, as the start of the next line
        if not 1 <= line <= len(self.starts) or column < 0:
            return None
        offset = self.starts[line - 1] + column
        return offset if offset <= self.ends[line - 1] else None


def _apply(text: str, chosen: Iterable[_Chosen]) -> str:
    parts: list[str] = []
    at = 0
    seen: set[_Replacement] = set()
    ordered: list[_Replacement] = []
    for replacements, _ in chosen:
        new = [each for each in replacements if each not in seen]
        seen.update(new)
        ordered.extend(new)
    ordered.sort(key=lambda each: (each.start, each.end))
    for each in ordered:
        parts += (text[at : each.start], each.content)
        at = each.end
    parts.append(text[at:])
    return "".join(parts)


def _syntax_problem(text: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return None
