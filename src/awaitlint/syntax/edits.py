"""Edits that add and take away ``await`` and ``async``.

The functions take the tree's nodes with their ancestors (outermost first, as the walker keeps them) and
something that knows places: a region, or the context of a rule's visitor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaitlint.model import Edit, Span
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.syntax.positions import Placed


def insert_await(
    placed: Placed, lines: Sequence[str], node: libcst.BaseExpression, parents: Sequence[libcst.CSTNode]
) -> tuple[Edit, ...]:
    """Make an expression the operand of an ``await``.

    Parentheses are added where ``await`` would otherwise take more or less than the expression:
    ``(await f())["k"]``, ``await (a or b)``.  `lines` are those of the file, without their ends.
    """
    inner, outer = placed.span(node), placed.outer_span(node)
    tight = binds_tighter(node, parents)
    if isinstance(node, (cst.Tuple, cst.GeneratorExp)) and node.lpar:
        # these parentheses are the expression's own
        return _around(lines, outer, "(await ", ")") if tight else _around(lines, outer, "await ", "")
    if not node.lpar:
        if _is_primary(node):
            return _around(lines, inner, "(await ", ")") if tight else _around(lines, inner, "await ", "")
        return _around(lines, inner, "(await (", "))") if tight else _around(lines, inner, "await (", ")")
    if _is_primary(node):
        return (_insert(inner.line, inner.column, "await "),)
    return _around(lines, outer, "(await ", ")") if tight else _around(lines, outer, "await ", "")


def remove_await(placed: Placed, node: libcst.Await) -> tuple[Edit, ...]:
    """Leave only the operand of an ``await``, with its parentheses and with comments between the two."""
    start = placed.span(node)
    operand = placed.outer_span(node.expression)
    end_line, end_column = operand.line, operand.column
    if isinstance(node.whitespace_after_await, cst.ParenthesizedWhitespace):
        # a comment or a new line follows: only the keyword goes
        end_line, end_column = start.line, start.column + len("await")
    return (Edit(Span(start.line, start.column, end_line, end_column), ""),)


def make_async(placed: Placed, node: libcst.FunctionDef) -> tuple[Edit, ...]:
    """Turn a ``def`` into an ``async def``; no edit where it is one."""
    if node.asynchronous is not None:
        return ()
    place = placed.span(node)
    return (_insert(place.line, place.column, "async "),)


def _insert(line: int, column: int, text: str) -> Edit:
    return Edit(Span(line, column, line, column), text)


def _around(lines: Sequence[str], place: Span, before: str, after: str) -> tuple[Edit, ...]:
    """Put text before and after a place; a keyword that touches the place is kept apart (``return[f()]``)."""
    line = lines[place.line - 1]
    previous = line[place.column - 1 : place.column]
    if before[0].isalpha() and (previous.isalnum() or previous == "_"):
        before = " " + before
    edits = (_insert(place.line, place.column, before),)
    return (*edits, _insert(place.end_line, place.end_column, after)) if after else edits


def _is_primary(node: libcst.BaseExpression) -> bool:
    """Whether the grammar takes the expression, without parentheses, as the operand of ``await``."""
    if isinstance(node, (cst.Tuple, cst.GeneratorExp)):
        return bool(node.lpar)
    return isinstance(
        node,
        (
            cst.Attribute,
            cst.BaseDict,
            cst.BaseList,
            cst.BaseNumber,
            cst.BaseSet,
            cst.BaseString,
            cst.Call,
            cst.Ellipsis,
            cst.Name,
            cst.Subscript,
        ),
    )


def binds_tighter(node: libcst.BaseExpression, parents: Sequence[libcst.CSTNode]) -> bool:
    """Whether the parent would take the operand of the ``await`` for itself.

    ``await f() ** 2`` does await first, but few readers know.
    """
    parent = parents[-1] if parents else None
    if isinstance(parent, (cst.Attribute, cst.Subscript)):
        return parent.value is node
    if isinstance(parent, cst.Call):
        return parent.func is node
    if isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Power):
        return parent.left is node
    return isinstance(parent, cst.Await)
