"""Which syntax in a tree is newer than the Python that runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from awaitlint.syntax.cst import cst
from awaitlint.syntax.positions import Positions
from awaitlint.syntax.walk import Walker

if TYPE_CHECKING:
    import libcst


class _NewerSyntax:
    """Collects the nodes that `version` cannot read."""

    def __init__(self, positions: Positions, parents: list[libcst.CSTNode], version: tuple[int, int]) -> None:
        self.positions = positions
        self.parents = parents
        self.version = version
        self.lines: set[int] = set()

    def _since(self, version: tuple[int, int], node: libcst.CSTNode) -> None:
        if self.version < version:
            self.lines.add(self.positions.span(node).line)

    def visit_TypeAlias(self, node: libcst.TypeAlias) -> None:
        self._since((3, 12), node)

    def visit_TypeParameters(self, node: libcst.TypeParameters) -> None:
        self._since((3, 12), node)

    def visit_TypeParam(self, node: libcst.TypeParam) -> None:
        if node.default is not None:
            self._since((3, 13), node)

    def visit_FormattedString(self, node: libcst.FormattedString) -> None:
        # Before Python 3.12 a replacement field had no backslash, no comment and no quote of its string,
        # and no newline but between triple quotes.
        text, offsets = self.positions.text, self.positions.offsets
        barred = ["\\", "#", node.end]
        if len(node.end) == 1:
            barred += ["\n", "\r"]
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                start, end = offsets[id(part)]
                field = text[start:end]
                if any(mark in field for mark in barred):
                    self._since((3, 12), node)
                    return

    def visit_FormattedStringExpression(self, node: libcst.FormattedStringExpression) -> None:
        # {a:{b:{c}}} was nested too deeply
        outer = self.parents[-2:]
        if len(outer) == 2 and all(isinstance(parent, cst.FormattedStringExpression) for parent in outer):
            self._since((3, 12), node)

    def visit_ExceptHandler(self, node: libcst.ExceptHandler | libcst.ExceptStarHandler) -> None:
        if isinstance(node.type, cst.Tuple) and not node.type.lpar:
            self._since((3, 14), node)

    visit_ExceptStarHandler = visit_ExceptHandler  # noqa: N815

    def visit_TemplatedString(self, node: libcst.CSTNode) -> None:
        self._since((3, 14), node)

    def visit_ListComp(self, node: Any) -> None:
        if isinstance(node.elt, cst.StarredElement):
            self._since((3, 15), node)

    visit_SetComp = visit_ListComp  # noqa: N815
    visit_GeneratorExp = visit_ListComp  # noqa: N815

    def visit_StarredDictComp(self, node: libcst.CSTNode) -> None:
        self._since((3, 15), node)

    visit_LazyImport = visit_StarredDictComp  # noqa: N815
    visit_LazyImportFrom = visit_StarredDictComp  # noqa: N815


def newer_lines(
    module: libcst.Module, source: str | None = None, version: tuple[int, int] = sys.version_info[:2]
) -> list[int]:
    """The lines, in order, on which syntax begins that Python `version` (major, minor) cannot read."""
    parents: list[libcst.CSTNode] = []
    visitor = _NewerSyntax(Positions(module, source=source), parents, version)
    Walker((visitor,), parents=parents).walk(module)
    return sorted(visitor.lines)
