"""Patterns of ``match`` statements in the libcst → `ast` conversion."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from awaitlint.syntax._from_cst_base import identifier
from awaitlint.syntax._from_cst_expressions import Expressions
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

_SINGLETONS = {"None": None, "True": True, "False": False}


class Patterns(Expressions):
    """Conversions of patterns."""

    def pattern(self, node: libcst.CSTNode) -> ast.pattern:
        """Convert one pattern."""
        converted: ast.pattern = self.convert(node)
        return converted

    def convert_MatchValue(self, node: libcst.MatchValue) -> ast.pattern:
        return self.make(ast.MatchValue, self.inner(node.value), value=self.expr(node.value))

    def convert_MatchSingleton(self, node: libcst.MatchSingleton) -> ast.pattern:
        return self.make(ast.MatchSingleton, self.inner(node.value), value=_SINGLETONS[node.value.value])

    def _elements(self, nodes: Sequence[Any]) -> list[ast.pattern]:
        return [
            self.pattern(node.value if isinstance(node, cst.MatchSequenceElement) else node) for node in nodes
        ]

    def convert_MatchStar(self, node: libcst.MatchStar) -> ast.pattern:
        start = self.offsets[id(node)][0]
        if node.name is None:
            # `*_` has no node for its underscore
            end = self.offsets[id(node.whitespace_before_name)][1] + len("_")
            return self.make(ast.MatchStar, (start, end), name=None)
        end = self.offsets[id(node.name)][1]
        return self.make(ast.MatchStar, (start, end), name=identifier(node.name))

    def convert_MatchList(self, node: libcst.MatchList) -> ast.pattern:
        place = self.inner(node)
        return self.make(ast.MatchSequence, place, patterns=self._elements(node.patterns))

    def convert_MatchTuple(self, node: libcst.MatchTuple) -> ast.pattern:
        place = self.inner(node)
        if node.lpar:
            place = self.offsets[id(node.lpar[-1])][0], self.offsets[id(node.rpar[0])][1]
        return self.make(ast.MatchSequence, place, patterns=self._elements(node.patterns))

    def convert_MatchMapping(self, node: libcst.MatchMapping) -> ast.pattern:
        keys = [self.expr(element.key) for element in node.elements]
        patterns = [self.pattern(element.pattern) for element in node.elements]
        rest = None if node.rest is None else identifier(node.rest)
        return self.make(ast.MatchMapping, self.inner(node), keys=keys, patterns=patterns, rest=rest)

    def convert_MatchClass(self, node: libcst.MatchClass) -> ast.pattern:
        names = [identifier(element.key) for element in node.kwds]
        by_name = [self.pattern(element.pattern) for element in node.kwds]
        return self.make(
            ast.MatchClass,
            self.inner(node),
            cls=self.expr(node.cls),
            patterns=self._elements(node.patterns),
            kwd_attrs=names,
            kwd_patterns=by_name,
        )

    def convert_MatchAs(self, node: libcst.MatchAs) -> ast.pattern:
        pattern = None if node.pattern is None else self.pattern(node.pattern)
        name = None if node.name is None else identifier(node.name)
        return self.make(ast.MatchAs, self.inner(node), pattern=pattern, name=name)

    def convert_MatchOr(self, node: libcst.MatchOr) -> ast.pattern:
        patterns = [self.pattern(element.pattern) for element in node.patterns]
        return self.make(ast.MatchOr, self.inner(node), patterns=patterns)
