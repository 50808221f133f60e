"""Whether code is written for several versions of what it uses, and only looks wrong for one of them."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst
from awaitlint.syntax.reaching import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst

    from awaitlint.rulekit.context import NodeContext

#: words of a test that tells one version or environment from another
_TELLS = re.compile(r"version|hasattr|getattr|TYPE_CHECKING|\bPY_?\d|\bHAS_|\bIS_PY", re.IGNORECASE)
#: context managers in which a warning or an error is expected
_EXPECTED = re.compile(r"(?:\w+\.)*(?:warns|deprecated_call|catch_warnings|suppress|raises|assertWarns\w*)\(")
#: what is raised where something is not there
MISSING = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "NameError", "TypeError"})
_BROAD = frozenset({"", "Exception", "BaseException"})


def is_guarded(context: NodeContext, node: libcst.CSTNode, errors: frozenset[str] = MISSING) -> bool:
    """Whether a node stands under a test of versions, or in a ``try`` that handles one of the errors.

    Where no error is asked about, no ``try`` counts.  A handler for any exception counts where the ``try``
    holds one statement, and for errors other than those of `MISSING` where it does not raise anew.
    """
    path = [*context.parents, node]
    for outer, inner in itertools.pairwise(path):
        if isinstance(outer, (cst.If, cst.IfExp)) and _TELLS.search(context.source(outer.test)):
            return True
        if errors and isinstance(outer, (cst.Try, cst.TryStar)) and _handles(outer, errors):
            return True
        if isinstance(outer, cst.With) and any(
            _EXPECTED.match(context.source(item.item)) for item in outer.items
        ):
            return True
        if isinstance(outer, (cst.IndentedBlock, cst.Module)) and _left_before(context, outer.body, inner):
            return True
    return False


def is_fallback(context: NodeContext, error: str) -> bool:
    """Whether the visited node stands in a handler of an error."""
    return any(
        isinstance(each, cst.ExceptHandler) and error in _caught(each.type) for each in context.parents
    )


def _handles(node: libcst.Try | libcst.TryStar, errors: frozenset[str]) -> bool:
    """Whether a ``try`` handles one of the errors."""
    short = isinstance(node.body, cst.IndentedBlock) and len(node.body.body) == 1
    for handler in node.handlers:
        caught = set(_caught(handler.type))
        if not caught.isdisjoint(errors):
            return True
        if not caught.isdisjoint(_BROAD) and (short or not (errors <= MISSING or _leaves(handler.body))):
            return True
    return False


def _caught(node: libcst.BaseExpression | None) -> Iterator[str]:
    if node is None:
        yield ""
    elif isinstance(node, cst.Tuple):
        for element in node.elements:
            yield from _caught(element.value)
    else:
        yield dotted(node).rpartition(".")[2] or "?"


def _left_before(context: NodeContext, statements: Sequence[libcst.CSTNode], inner: libcst.CSTNode) -> bool:
    """Whether a test of versions, above a statement of a block, ends the block for some of them."""
    for statement in statements:
        if statement is inner:
            return False
        if not isinstance(statement, cst.If) or statement.orelse is not None:
            continue
        if _TELLS.search(context.source(statement.test)) and _leaves(statement.body):
            return True
    return False


def _leaves(block: libcst.BaseSuite) -> bool:
    last = block.body[-1] if block.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, (cst.Return, cst.Raise, cst.Continue, cst.Break))
