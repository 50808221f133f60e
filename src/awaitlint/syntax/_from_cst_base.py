"""What all parts of the libcst → `ast` conversion share: positions and dispatch."""

from __future__ import annotations

import ast
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import libcst

    from awaitlint.syntax.positions import Positions

_NodeT = TypeVar("_NodeT", bound=ast.AST)

#: Offsets in the text: from the first character up to, not including, the last.
Place = tuple[int, int]

_TRAILING = " \t\f\\\r\n"


def identifier(node: Any) -> str:
    """The name that an identifier stands for: Python normalises identifiers to NFKC."""
    name: str = node.value
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


@dataclass(slots=True)
class TypeParameter:
    """A type parameter, for a Python whose `ast` has no class for it; `kind` is ``TypeVar`` or its like."""

    kind: str
    name: str
    bound: ast.expr | None
    default_value: ast.expr | None


class Base:
    """Positions, and a table of the methods that convert one class of nodes each."""

    def __init__(self, positions: Positions) -> None:
        self.offsets = positions.offsets
        self.outer = positions.outer
        self.text = positions.text
        self._starts = positions.line_starts
        self._ascii = self.text.isascii()
        self._methods: dict[type, Callable[[Any], Any]] = {}

    def convert(self, node: libcst.CSTNode) -> Any:
        """Convert a node by the method that is named after its class."""
        kind = node.__class__
        method = self._methods.get(kind)
        if method is None:
            method = self._methods[kind] = getattr(self, "convert_" + kind.__name__)
        return method(node)

    def inner(self, node: libcst.CSTNode) -> Place:
        """A node without its parentheses; whitespace that libcst counts to its last comma is left out."""
        start, end = self.offsets[id(node)]
        text = self.text
        while end > start and text[end - 1] in _TRAILING:
            end -= 1
        return start, end

    def after(self, punctuation: Any) -> int:
        """The end of a comma, colon or semicolon, without the whitespace that libcst counts to it."""
        return self.offsets[id(punctuation.whitespace_after)][0]

    def make(self, kind: type[_NodeT], place: Place, /, **fields: Any) -> _NodeT:
        """Build a node at a place."""
        start, end = place
        starts = self._starts
        line = bisect_right(starts, start)
        end_line = bisect_right(starts, end)
        column = start - starts[line - 1]
        end_column = end - starts[end_line - 1]
        if not self._ascii:
            column = len(self.text[start - column : start].encode())
            end_column = len(self.text[end - end_column : end].encode())
        build: Callable[..., _NodeT] = kind
        return build(**fields, lineno=line, col_offset=column, end_lineno=end_line, end_col_offset=end_column)

    def expr(self, node: libcst.CSTNode) -> ast.expr:
        """Convert an expression that is read."""
        converted: ast.expr = self.convert(node)
        return converted

    def optional(self, node: libcst.CSTNode | None) -> ast.expr | None:
        """Convert an expression that may be missing."""
        return None if node is None else self.expr(node)

    def target(self, node: libcst.CSTNode, context: type[ast.expr_context] = ast.Store) -> ast.expr:
        """Convert an expression that is assigned to or deleted."""
        converted = self.expr(node)
        todo: list[ast.expr] = [converted]
        while todo:
            current = todo.pop()
            if isinstance(current, (ast.Name, ast.Attribute, ast.Subscript)):
                current.ctx = context()
            elif isinstance(current, ast.Starred):
                current.ctx = context()
                todo.append(current.value)
            elif isinstance(current, (ast.Tuple, ast.List)):
                current.ctx = context()
                todo.extend(current.elts)
        return converted
