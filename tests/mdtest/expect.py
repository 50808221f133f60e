"""What the comments of a source expect, and how that differs from what was found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from awaitlint.model import Diagnostic
    from mdtest.document import Case, Source

_COMMENT = re.compile(r"\s*#\s*(?P<kind>error|revealed):\s*(?P<rest>.*?)\s*$")
_ITEM = re.compile(
    r"(?:(?P<column>\d+) +)?\[(?P<name>[\w-]+)\](?: +\"(?P<message>(?:[^\"\\]|\\.)*)\")?(?: +|$)"
)


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding that has to be there; `column` counts from 1, as the tool prints it."""

    line: int
    name: str
    message: str = ""
    column: int | None = None

    def matches(self, found: Diagnostic) -> bool:
        """Whether a finding is this one; rules may be named by code too."""
        return (
            found.span.line == self.line
            and self.name in {found.name, found.code}
            and self.message in found.message
            and (self.column is None or found.span.column + 1 == self.column)
        )

    def __str__(self) -> str:
        column = f"{self.column} " if self.column is not None else ""
        return f"{column}[{self.name}]" + (f' "{self.message}"' if self.message else "")


def _comments(text: str) -> Iterable[tuple[int, str, str]]:
    """(line, kind, rest) of every expectation, those on lines of their own moved to the next code line."""
    waiting: list[tuple[str, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        code, found = _split(line)
        if not code.strip():
            waiting.extend(found)
        elif not code.lstrip().startswith("#"):
            for kind, rest in (*waiting, *found):
                yield number, kind, rest
            waiting.clear()
        else:
            # behind another comment, which is what is spoken of
            for kind, rest in found:
                yield number, kind, rest
    if waiting:
        raise ValueError(f"no code follows the expectation: {waiting[0][1]}")


def _split(line: str) -> tuple[str, list[tuple[str, str]]]:
    """The line without its expectations, and these."""
    found: list[tuple[str, str]] = []
    while (at := max(line.rfind("# error:"), line.rfind("# revealed:"))) >= 0:
        comment = _COMMENT.match(line, at)
        assert comment is not None
        found.insert(0, (comment["kind"], comment["rest"]))
        line = line[:at].rstrip()
    return line, found


def expectations(text: str) -> tuple[list[Expected], list[tuple[int, str]]]:
    """The findings that a source expects, and (line, description) of what its ``reveal`` calls show.

    Raises `ValueError` for a comment that cannot be read.
    """
    errors: list[Expected] = []
    revealed: list[tuple[int, str]] = []
    for line, kind, rest in _comments(text):
        if kind == "revealed":
            revealed.append((line, rest))
            continue
        position = 0
        while position < len(rest) or not rest:
            item = _ITEM.match(rest, position)
            if item is None:
                raise ValueError(
                    f'line {line}: write # error: [rule-name] "part of the message", not: {rest}'
                )
            column = int(item["column"]) if item["column"] else None
            message = re.sub(r"\\(.)", r"\1", item["message"] or "")
            errors.append(Expected(line, item["name"], message, column))
            position = item.end()
    return errors, revealed


def without_expectations(text: str) -> str:
    """The source without the comments that speak to the harness; lines that hold nothing else go."""
    kept = []
    for line in text.split("\n"):
        code, found = _split(line)
        if not found or code.strip():
            kept.append(code if found else line)
    return "\n".join(kept)


def mismatches(case: Case, found: Iterable[Diagnostic]) -> list[str]:
    """Lines that say where findings and expectations differ; none where they agree.

    The diagnostics' paths are those of the case's files.
    """
    by_path: dict[str, list[Diagnostic]] = {}
    for each in found:
        by_path.setdefault(each.path, []).append(each)
    lines: list[str] = []
    for source in case.files:
        expected = expectations(source.text)[0] if source.is_python else []
        lines += _mismatches(case, source, expected, by_path.pop(source.path, []))
    for path, rest in by_path.items():
        lines += [f"unexpected  {path}: {each.span.line} [{each.name}] {each.message}" for each in rest]
    return lines


def _mismatches(
    case: Case, source: Source, expected: Sequence[Expected], found: Sequence[Diagnostic]
) -> list[str]:
    missing = []
    left = list(found)
    # the most exact expectations choose first
    for each in sorted(expected, key=lambda e: (e.column is None, not e.message)):
        match = next((one for one in left if each.matches(one)), None)
        if match is None:
            missing.append(each)
        else:
            left.remove(match)
    notes = [(each.line, "missed     ", str(each)) for each in missing]
    notes += [
        (one.span.line, "unexpected ", f"{one.span.column + 1} [{one.name}] {one.message}") for one in left
    ]
    code = source.text.split("\n")
    lines = []
    for line, what, text in sorted(notes):
        shown = _split(code[line - 1])[0] if line <= len(code) else "(after the end)"
        lines.append(f"{what} {text}")
        lines.append(
            f"     {source.path}:{line} ({case.document}:{source.line + line - 1}):  {shown.strip()}"
        )
    return lines
