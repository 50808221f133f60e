"""The lines of an indented suite, without a tree: to tell cheaply that there is nothing to look at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: what makes indentation say little: strings over several lines, and lines that go on
_UNTOLD = ('"""', "'''", "\\")
_BRACKETS = str.maketrans({"[": "(", "{": "(", "]": ")", "}": ")"})
_DEFINITION = re.compile(r"\s*(?:async\s+def|def|class)\b")
_RAISE = re.compile(r"\s*raise\b")
_LEAVING = re.compile(r"\b(?:return|break|continue)\b")
_LOOP = re.compile(r"(\s*)(?:async\b.*)?(?:for|while)\b")


def indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def is_inside(line: str, indent: str) -> bool:
    """Whether a line is blank or a comment, or indented more than its header."""
    if not line.strip() or line.lstrip().startswith("#"):
        return True
    return line.startswith(indent) and line[len(indent)] in " \t"


def suite(lines: Sequence[str], header: int, body: int) -> list[str] | None:
    """The lines of the suite of a statement; None where indentation does not tell.

    `header` is the number of the line that the statement begins on, `body` that of the suite's first.
    """
    indent = indentation(lines[header - 1])
    found: list[str] = []
    for line in lines[body - 1 :]:
        if not is_inside(line, indent):
            break
        found.append(line)
    text = "\n".join(found)
    if not found or any(mark in text for mark in _UNTOLD):
        return None
    text = text.translate(_BRACKETS)
    return found if text.count("(") == text.count(")") else None


def surely_raises(lines: Sequence[str], handler: int) -> bool:
    """Whether a handler certainly has a ``raise`` statement of its own."""
    if not lines[handler - 1].rstrip().endswith(":"):
        return False
    body = suite(lines, handler, handler + 1)
    if body is None or any(_DEFINITION.match(line) for line in body):
        return False
    return any(_RAISE.match(line) for line in body)


def may_leave(lines: Sequence[str], header: int, body: int) -> bool:
    """Whether a suite may have a ``return``, ``break`` or ``continue``."""
    found = suite(lines, header, body)
    return found is None or any(_LEAVING.search(line) for line in found)


def may_be_in_loop(lines: Sequence[str], first: int, line: int) -> bool:
    """Whether a statement may stand in a loop of the function that begins on line `first`."""
    depth = len(indentation(lines[line - 1]).expandtabs())
    return any(
        (loop := _LOOP.match(each)) is not None and len(loop.group(1).expandtabs()) < depth
        for each in lines[first - 1 : line - 1]
    )
