"""Edits that add an import."""

from __future__ import annotations

import ast
import itertools
import re
from typing import TYPE_CHECKING

from awaitlint.files.source import split_lines
from awaitlint.model import Edit, Span
from awaitlint.syntax.parse import SyntaxProblem, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Import = ast.Import | ast.ImportFrom


def add_import(text: str, statement: str) -> Edit | None:
    """Add ``import module`` or ``import module as name`` to a module's text.

    None where a statement at module level already binds that name to that module, and where the text cannot
    be parsed.
    """
    wanted = ast.parse(statement).body[0]
    assert isinstance(wanted, ast.Import)
    alias = wanted.names[0]

    def present(node: ast.stmt) -> bool:
        if not isinstance(node, ast.Import):
            return False
        return any(
            (name.name == alias.name and name.asname == alias.asname)
            # `import a.b` binds `a` as well
            or (alias.asname is name.asname is None and name.name.startswith(alias.name + "."))
            for name in node.names
        )

    return _add(text, statement, alias.name, present, ast.Import)


def add_from_import(text: str, module: str, name: str) -> Edit | None:
    """Add ``from module import name`` to a module's text; None as for `add_import`."""

    def present(node: ast.stmt) -> bool:
        return (
            isinstance(node, ast.ImportFrom)
            and node.level == 0
            and node.module == module
            and any(alias.name == name and alias.asname in {None, name} for alias in node.names)
        )

    return _add(text, f"from {module} import {name}", module, present, ast.ImportFrom)


def _add(
    text: str, statement: str, module: str, present: Callable[[ast.stmt], bool], kind: type[_Import]
) -> Edit | None:
    try:
        body = parse(text.encode()).body
    except SyntaxProblem:
        return None
    if any(present(node) for node in body):
        return None
    lines = split_lines(text)
    found = re.search(r"\r\n?|\n", text)
    newline = "\n" if found is None else found.group()
    prologue = _prologue(body)
    imports = _first_run(body[prologue:])
    if imports:
        line = _line_among(imports, module, kind)
        return _insert_line(lines, line, statement, newline)
    if prologue:
        after = _end_line(body, prologue - 1)
        follows = after < len(lines) and lines[after].strip()
        return _insert_line(lines, after + 1, newline + statement + (newline if follows else ""), newline)
    if not body:
        return _insert_line(lines, len(lines) + 1, statement, newline)
    return _insert_line(lines, _first_line(body[0]), statement + newline, newline)


def _prologue(body: Sequence[ast.stmt]) -> int:
    """How many statements have to stay first: the docstring and imports from ``__future__``."""
    count = 0
    for node in body:
        docstring = (
            count == 0
            and isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )
        if not docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        count += 1
    return count


def _first_run(body: Sequence[ast.stmt]) -> list[_Import]:
    """The imports with which a module begins, of those that stand alone on their lines."""
    run: list[_Import] = []
    for node in body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            break
        run.append(node)
    # lines on which one statement ends and the next begins
    shared = {after.lineno for before, after in itertools.pairwise(body) if after.lineno == before.end_lineno}
    return [node for node in run if node.lineno not in shared and node.end_lineno not in shared]


def _line_among(imports: Sequence[_Import], module: str, kind: type[_Import]) -> int:
    """The line at which an import goes: in order among its like, or before the first, or after the last."""
    alike = [node for node in imports if isinstance(node, kind)]
    if not alike:
        if kind is ast.Import:
            return imports[0].lineno
        return (imports[-1].end_lineno or imports[-1].lineno) + 1
    for node in alike:
        name = node.names[0].name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
        if name.startswith(".") or name.lower() > module.lower():
            return node.lineno
    return (alike[-1].end_lineno or alike[-1].lineno) + 1


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _end_line(body: Sequence[ast.stmt], index: int) -> int:
    """The last line of a statement and of those that share its last line."""
    line = body[index].end_lineno or body[index].lineno
    for node in body[index + 1 :]:
        if _first_line(node) > line:
            break
        line = node.end_lineno or node.lineno
    return line


def _insert_line(lines: Sequence[str], line: int, text: str, newline: str) -> Edit:
    """Insert text as a line of its own before line `line`, or after the last."""
    if not lines[-1]:
        # the text ends with a newline, or is empty
        line = min(line, len(lines))
    if line <= len(lines):
        return Edit(Span(line, 0, line, 0), text + newline)
    last, column = len(lines), len(lines[-1])
    return Edit(Span(last, column, last, column), newline + text)
