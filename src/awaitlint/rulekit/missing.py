"""Tests that ask whether something is there: ``x is None``, ``not x``, ``key in cache``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.rulekit.running import spelling
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst


def found_missing(test: libcst.BaseExpression, *, missing: bool) -> list[libcst.BaseExpression]:
    """The things that are missing where a test holds (or present, where `missing` is false).

    One operand of ``and`` or ``or`` is enough.  What is tested with ``in`` is the item, as a new node.
    """
    if isinstance(test, cst.BooleanOperation):
        return [*found_missing(test.left, missing=missing), *found_missing(test.right, missing=missing)]
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return found_missing(test.expression, missing=not missing)
    if isinstance(test, cst.Comparison):
        return _compared(test, missing=missing)
    if missing:
        return []
    return _thing(test)


def _compared(test: libcst.Comparison, *, missing: bool) -> list[libcst.BaseExpression]:
    if len(test.comparisons) != 1:
        return []
    operator, right = test.comparisons[0].operator, test.comparisons[0].comparator
    if isinstance(operator, (cst.In, cst.NotIn)):
        if isinstance(operator, cst.NotIn) is not missing:
            return []
        return _item(right, test.left)
    if not isinstance(right, cst.Name) or right.value != "None":
        return []
    if isinstance(operator, (cst.Is, cst.Equal)):
        return _thing(test.left) if missing else []
    if isinstance(operator, (cst.IsNot, cst.NotEqual)):
        return [] if missing else _thing(test.left)
    return []


def _thing(node: libcst.BaseExpression) -> list[libcst.BaseExpression]:
    """What an expression gives that is None, or false, where something is missing."""
    if isinstance(node, cst.NamedExpr):
        return _thing(node.value)
    if isinstance(node, cst.Call) and node.args:
        func, first = node.func, node.args[0].value
        if isinstance(func, cst.Attribute) and func.attr.value == "get" and len(node.args) == 1:
            return _item(func.value, first)
        if isinstance(func, cst.Name) and func.value in ("hasattr", "getattr") and len(node.args) > 1:
            name = node.args[1].value
            text = name.evaluated_value if isinstance(name, cst.SimpleString) else None
            if isinstance(text, str) and text.isidentifier() and spelling(first):
                return [cst.Attribute(first, cst.Name(text))]
        return []
    return [node] if spelling(node) and isinstance(node, (cst.Name, cst.Attribute, cst.Subscript)) else []


def _item(container: libcst.BaseExpression, key: libcst.BaseExpression) -> list[libcst.BaseExpression]:
    if not spelling(container) or not spelling(key):
        return []
    return [cst.Subscript(container, [cst.SubscriptElement(cst.Index(key))])]
