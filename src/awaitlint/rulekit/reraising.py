"""A fix that lets a cancellation out of a handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.model import Edit, Span
from awaitlint.rulekit.libraries import is_shadowed, library
from awaitlint.syntax.cst import cst
from awaitlint.syntax.imports import add_import

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.rule import Rule

_CLASSES = {"asyncio": "CancelledError", "anyio": "get_cancelled_exc_class()", "trio": "Cancelled"}


def reraise(rule: Rule, handler: libcst.ExceptHandler, *, alone: bool) -> Fix | None:
    """Add ``raise``: to the handler where it is there for a cancellation `alone`, else in one before it."""
    edits = _at_end(rule, handler) if alone else _before(rule, handler)
    return rule.fix("Raise the cancellation again", edits) if edits else None


def _at_end(rule: Rule, handler: libcst.ExceptHandler) -> list[Edit]:
    body = handler.body
    line = body.body[-1]
    if isinstance(body, cst.SimpleStatementSuite):
        last = body.body[-1]
    elif isinstance(line, cst.SimpleStatementLine):
        last = line.body[-1]
    else:
        last = None
    if isinstance(last, (cst.Pass, cst.Break, cst.Continue, cst.Return)):
        return [Edit(rule.context.span(last), "raise")]
    place = rule.context.span(line)
    if isinstance(body, cst.SimpleStatementSuite):
        return [Edit(Span(place.end_line, place.end_column, place.end_line, place.end_column), "; raise")]
    column = rule.context.span(body.body[0]).column
    indent = rule.module.lines[rule.context.span(body.body[0]).line - 1][:column]
    return _insert(rule, place.end_line + 1, [f"{indent}raise"])


def _before(rule: Rule, handler: libcst.ExceptHandler) -> list[Edit]:
    found, bound = library(rule.module)
    if is_shadowed(rule.module, bound):
        return []
    place = rule.context.span(handler)
    indent = rule.module.lines[place.line - 1][: place.column]
    step = "    "
    if isinstance(handler.body, cst.IndentedBlock):
        first = rule.context.span(handler.body.body[0])
        step = rule.module.lines[first.line - 1][: first.column].removeprefix(indent)
    clause = [f"{indent}except {bound}.{_CLASSES[found]}:", f"{indent}{step}raise"]
    edits = _insert(rule, place.line, clause)
    added = add_import(rule.module.text, f"import {found}") if bound == found else None
    if added is not None:
        edits.append(added)
    return edits


def _insert(rule: Rule, line: int, text: list[str]) -> list[Edit]:
    """Insert lines before a line, or after the last one."""
    lines = rule.module.lines
    newline = "\r\n" if "\r\n" in rule.module.text else "\n"
    if line <= len(lines):
        return [Edit(Span(line, 0, line, 0), "".join(each + newline for each in text))]
    end = Span(len(lines), len(lines[-1]), len(lines), len(lines[-1]))
    return [Edit(end, "".join(newline + each for each in text))]
