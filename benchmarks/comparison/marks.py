"""The marked lines: small modules in Markdown, whose comments say which lines are bugs or only look so."""

from __future__ import annotations

import ast
import hashlib
import re
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

LINES = Path(__file__).with_name("lines")

_FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"[ ]*#[ ](bug|fine|also):[ ]([a-z0-9-]+)$")


class Kind(StrEnum):
    """What a marked line is."""

    BUG = "bug"
    FINE = "fine"


class Mark(NamedTuple):
    """A marked line."""

    kind: Kind
    #: the name of the rule that the bug is for, or that the look-alike could deceive
    rule: str
    #: the path in the tree, with slashes
    file: str
    line: int
    #: where a diagnostic counts: the lines of the statement or of its header, in all of the bug's places
    lines: frozenset[int]


class MarkError(Exception):
    """A document says something that cannot be."""


class Marked(NamedTuple):
    """All marked lines, and the files that they are in."""

    #: path and text, without the marks
    files: dict[str, str]
    marks: tuple[Mark, ...]

    @property
    def fingerprint(self) -> str:
        """Changes with the files and with the places of the marks."""
        places = sorted((mark.file, sorted(mark.lines)) for mark in self.marks)
        return hashlib.sha256(repr((sorted(self.files.items()), places)).encode()).hexdigest()[:16]

    def write(self, tree: Path) -> None:
        """Make a directory that holds the files and nothing else."""
        shutil.rmtree(tree, ignore_errors=True)
        for name, text in self.files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def read(directory: Path = LINES) -> Marked:
    """Read a directory of documents.

    Raises:
        MarkError: a mark cannot be read, two of them share a line, or a file is there twice.
    """
    files: dict[str, str] = {}
    marks: list[Mark] = []
    for document in sorted(directory.glob("*.md")):
        for name, marked in _FILE.findall(document.read_text(encoding="utf-8")):
            if name in files:
                raise MarkError(f"{name} is in {document.name} and in another place")
            text, found = _unmark(marked)
            files[name] = text
            marks += _placed(name, text, found)
    return Marked(files, tuple(marks))


def _unmark(marked: str) -> tuple[str, list[tuple[int, str, str]]]:
    """The text without its marks, and line, kind and rule of each."""
    lines, found = [], []
    for number, line in enumerate(marked.splitlines(), 1):
        match = _MARK.search(line)
        lines.append(line[: match.start()] if match else line)
        if match:
            found.append((number, match[1], match[2]))
    return "".join(f"{line}\n" for line in lines), found


def _placed(name: str, text: str, found: list[tuple[int, str, str]]) -> Iterator[Mark]:
    if not found:
        return
    headers = list(_headers(ast.parse(text, name)))
    taken: set[int] = set()
    marks: list[Mark] = []
    for line, kind, rule in found:
        lines = min((header for header in headers if line in header), key=len, default=None)
        if lines is None or not taken.isdisjoint(lines):
            raise MarkError(f"{name}:{line} is no statement's, or another mark has it already")
        taken |= lines
        if kind != "also":
            marks.append(Mark(Kind(kind), rule, name, line, lines))
        elif marks and marks[-1].kind is Kind.BUG and marks[-1].rule == rule:
            marks[-1] = marks[-1]._replace(lines=marks[-1].lines | lines)
        else:
            raise MarkError(f"{name}:{line} has `also`, and the mark above is no bug of {rule}")
    yield from marks


def _headers(tree: ast.Module) -> Iterator[frozenset[int]]:
    """The lines of each statement; of one that holds others, those before the first of them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt | ast.ExceptHandler):
            continue
        last = node.end_lineno or node.lineno
        body = getattr(node, "body", None)
        if body:
            last = max(node.lineno, _first(body[0]) - 1)
        yield frozenset(range(_first(node), last + 1))


def _first(node: ast.stmt | ast.ExceptHandler) -> int:
    """The first line of a statement, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])
