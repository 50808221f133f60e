"""What happens after a handler has run: how it ends, and where the function goes on."""

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, Any

from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Sequence

    import libcst


class Way(enum.Flag):
    """How control may leave a block."""

    FALL = enum.auto()
    RAISE = enum.auto()
    RETURN = enum.auto()
    BREAK = enum.auto()
    CONTINUE = enum.auto()


_IN_LOOP = Way.BREAK | Way.CONTINUE
_SIMPLE = {"Raise": Way.RAISE, "Return": Way.RETURN, "Break": Way.BREAK, "Continue": Way.CONTINUE}


def ways(block: Any) -> Way:
    """The ways out of a block: a suite, or a clause that has one."""
    found = Way.FALL
    for statement in block.body if not hasattr(block.body, "body") else block.body.body:
        if Way.FALL not in found:
            break
        found = (found & ~Way.FALL) | _of_statement(statement)
    return found


def _of_statement(statement: Any) -> Way:
    kind = type(statement).__name__
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind == "SimpleStatementLine":
        return ways(statement)
    if kind == "If":
        return ways(statement) | (_of_branch(statement.orelse) if statement.orelse else Way.FALL)
    if kind == "With":
        # it may swallow what its body raises
        return ways(statement) | Way.FALL
    if kind in ("For", "While"):
        return (ways(statement) & ~_IN_LOOP) | Way.FALL
    if kind in ("Try", "TryStar"):
        return _of_try(statement)
    if kind == "Match":
        found = Way.FALL
        for case in statement.cases:
            found |= ways(case)
        return found
    return Way.FALL


def _of_branch(branch: Any) -> Way:
    return ways(branch) if isinstance(branch, cst.Else) else _of_statement(branch)


def _of_try(statement: Any) -> Way:
    last = ways(statement.finalbody) if statement.finalbody is not None else Way.FALL
    if Way.FALL not in last:
        return last
    found = ways(statement)
    if statement.orelse is not None and Way.FALL in found:
        found = (found & ~Way.FALL) | ways(statement.orelse)
    for handler in statement.handlers:
        found |= ways(handler)
    return found | (last & ~Way.FALL)


def goes_on_in(
    handler: libcst.ExceptHandler, statement: libcst.Try, parents: Sequence[libcst.CSTNode]
) -> libcst.For | libcst.While | None:
    """The loop whose next round may follow a handler of a ``try``.

    `parents` are the ancestors of the ``try`` in its function.
    """
    found = ways(handler)
    at = max((at for at, each in enumerate(parents) if isinstance(each, (cst.For, cst.While))), default=-1)
    loop = parents[at]
    # the clause `else` of a loop does not lead to its next round
    if at < 0 or [*parents, statement][at + 1] is not loop.body:  # type: ignore[attr-defined]
        return None
    if Way.FALL in found:
        found = (found & ~Way.FALL) | _after([*parents[at + 1 :], statement])
    return loop if found & (Way.FALL | Way.CONTINUE) else None  # type: ignore[return-value]


def _after(chain: Sequence[Any]) -> Way:
    """How control leaves the first of nested nodes when the last of them has ended."""
    found = Way.FALL
    for outer, inner in reversed(list(itertools.pairwise(chain))):
        if not isinstance(outer, cst.IndentedBlock):
            continue
        following = next(at for at, each in enumerate(outer.body) if each is inner) + 1
        for statement in outer.body[following:]:
            if Way.FALL not in found:
                return found
            found = (found & ~Way.FALL) | _of_statement(statement)
    return found
