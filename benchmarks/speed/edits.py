"""Edits of one file, after which everything is checked again."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Edit(NamedTuple):
    """An edit of a file in a tree."""

    name: str
    #: below the tree
    path: str
    change: Callable[[str], str]


class EditError(Exception):
    """A file cannot be edited so."""


def comment(source: str) -> str:
    """Put a comment at the end."""
    return f"{source}# a comment\n"


def body(source: str) -> str:
    """Put an assignment at the beginning of the first function's body.

    Raises:
        EditError: there is no function whose body has a line of its own.
    """
    lines = source.splitlines(keepends=True)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, functions) or node.body[-1].lineno == node.lineno:
            continue
        # behind a docstring, if there is one and something else
        first = node.body[1 if len(node.body) > 1 and ast.get_docstring(node, clean=False) else 0]
        if isinstance(first, (*functions, ast.ClassDef)) or not lines[first.lineno - 1].isascii():
            continue
        lines.insert(first.lineno - 1, f"{' ' * first.col_offset}changed_ = 1\n")
        return "".join(lines)
    raise EditError("no function to change")


def function(source: str) -> str:
    """Put a function at the end, which importers may see."""
    return f"{source}\n\nasync def changed_() -> int:\n    return 1\n"


def edits(leaf: str, imported: str) -> tuple[Edit, ...]:
    """Edits of a module that nothing imports, and of one that much does."""
    return (
        Edit("a comment in a leaf module", leaf, comment),
        Edit("a function body in a leaf module", leaf, body),
        Edit("a function body in a module that many import", imported, body),
        Edit("a new function in a module that many import", imported, function),
    )


#: by tree: a module that nothing imports, and one that much does
MODULES = {
    "10k": ("httpx/_main.py", "httpx/_types.py"),
    "1M": ("homeassistant/components/abode/sensor.py", "homeassistant/core.py"),
}


@contextlib.contextmanager
def applied(edit: Edit, tree: Path) -> Iterator[None]:
    """The tree with the edit, for as long as the context lasts.

    Raises:
        EditError: it cannot be edited so.
    """
    path = tree / edit.path
    before = path.read_bytes()
    try:
        path.write_bytes(edit.change(before.decode("utf-8")).encode("utf-8"))
        yield
    finally:
        path.write_bytes(before)
