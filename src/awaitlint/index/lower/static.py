"""Tests whose outcome type checkers know, too: for them, and of the version of Python."""

from __future__ import annotations

import ast

#: names that stand for "a type checker is reading this"
_CHECKING = frozenset({"TYPE_CHECKING", "MYPY"})


def static_test(test: ast.expr, version: tuple[int, int] | None) -> bool | None:
    """The value of a test that type checkers decide, or None; `version` is None where all versions count."""
    if _name(test) in _CHECKING:
        return True
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = static_test(test.operand, version)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = [static_test(value, version) for value in test.values]
        if isinstance(test.op, ast.And):
            return False if False in parts else None if None in parts else True
        return True if True in parts else None if None in parts else False
    return None if version is None else _compared(test, version)


def is_for_checkers(test: ast.expr) -> bool:
    """Whether a test asks whether a type checker is reading."""
    return _name(test.operand if isinstance(test, ast.UnaryOp) else test) in _CHECKING


def _name(test: ast.expr) -> str:
    return test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""


def _compared(test: ast.expr, version: tuple[int, int]) -> bool | None:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    try:
        right = ast.literal_eval(test.comparators[0])
    except ValueError:
        return None
    op, left = test.ops[0], ast.unparse(test.left)
    if left != "sys.version_info" or not isinstance(right, tuple):
        return None
    have = version[: len(right)]
    results: dict[type[ast.cmpop], bool] = {
        ast.GtE: have >= right,
        ast.Lt: have < right,
        ast.Gt: have > right,
        ast.LtE: have <= right,
        ast.Eq: have == right,
    }
    return results.get(type(op))
