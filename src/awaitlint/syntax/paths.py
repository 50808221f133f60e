"""How control goes through statements: how they can end, and what runs after what.

Exceptions are followed where it is plain what raised them: an expression that a `try` begins with.  For the
rest what is asked is whether code that goes well gets from one place to another.
"""

from __future__ import annotations

import enum
from itertools import pairwise
from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import libcst


class End(enum.Enum):
    """A way in which a statement ends."""

    #: the next one runs
    NEXT = enum.auto()
    BREAK = enum.auto()
    CONTINUE = enum.auto()
    #: the function returns, or raises
    LEAVE = enum.auto()


Ends = frozenset[End]
_NEXT: Ends = frozenset({End.NEXT})
_LEAVE: Ends = frozenset({End.LEAVE})
_NOTHING: Ends = frozenset()


def ends(node: libcst.CSTNode | None) -> Ends:
    """How a statement or a block can end; of None, a part that is not there: the next statement runs."""
    if node is None:
        return _NEXT
    if isinstance(node, (cst.BaseSuite, cst.SimpleStatementLine, cst.Module)):
        return in_order(node.body)
    if isinstance(node, (cst.Return, cst.Raise)):
        return _LEAVE
    if isinstance(node, cst.Break):
        return frozenset({End.BREAK})
    if isinstance(node, cst.Continue):
        return frozenset({End.CONTINUE})
    if isinstance(node, cst.If):
        return ends(node.body) | ends(node.orelse)
    if isinstance(node, (cst.While, cst.For)):
        return _after_body(node, ends(node.body))
    if isinstance(node, (cst.With, cst.Else, cst.Finally, cst.ExceptHandler, cst.ExceptStarHandler)):
        return ends(node.body)
    if isinstance(node, (cst.Try, cst.TryStar)):
        found = _after_try(node, ends(node.body))
        for handler in node.handlers:
            found |= _finally(node, ends(handler))
        return found
    if isinstance(node, cst.Match):
        found = frozenset().union(*(ends(case.body) for case in node.cases))
        last = node.cases[-1] if node.cases else None
        catches = last is not None and last.guard is None and _takes_all(last.pattern)
        return found if catches else found | _NEXT
    return _NEXT


def in_order(statements: Iterable[libcst.CSTNode]) -> Ends:
    """How statements end that stand behind each other."""
    found = _NOTHING
    for statement in statements:
        each = ends(statement)
        found |= each - _NEXT
        if End.NEXT not in each:
            return found
    return found | _NEXT


def is_endless(loop: libcst.While | libcst.For) -> bool:
    """Whether only a `break` gets past a loop."""
    if isinstance(loop, cst.For):
        return False
    test = loop.test
    return (isinstance(test, cst.Name) and test.value == "True") or (
        isinstance(test, cst.Integer) and test.value == "1"
    )


def _takes_all(pattern: libcst.MatchPattern) -> bool:
    return isinstance(pattern, cst.MatchAs) and pattern.pattern is None


def _after_body(loop: libcst.While | libcst.For, body: Ends) -> Ends:
    """How a loop ends whose body ends so."""
    found = body & _LEAVE
    if End.BREAK in body:
        found |= _NEXT
    if not is_endless(loop):
        found |= ends(loop.orelse)
    return found


def _after_try(node: libcst.Try | libcst.TryStar, body: Ends) -> Ends:
    """How a `try` ends whose body ends so, where nothing is raised."""
    if End.NEXT in body:
        body = (body - _NEXT) | ends(node.orelse)
    return _finally(node, body)


def _finally(node: libcst.Try | libcst.TryStar, before: Ends) -> Ends:
    """How a `try` ends where what comes before its `finally` ends so."""
    after = ends(node.finalbody)
    return before | (after - _NEXT) if End.NEXT in after else after


def climb(chain: Sequence[libcst.CSTNode]) -> Ends:
    """How the first of a chain's parts ends, once its last node was evaluated.

    A chain leads from a node to one inside of it, each the child of the one before.
    """
    found = _NEXT
    for at in range(len(chain) - 2, -1, -1):
        found = _step(chain[at], chain[at + 1 :], found)
    return found


def _step(parent: libcst.CSTNode, chain: Sequence[libcst.CSTNode], found: Ends) -> Ends:
    """How a node ends, where its child, the first of a chain, does so."""
    child = chain[0]
    if isinstance(parent, (cst.Return, cst.Raise)):
        return _LEAVE
    if isinstance(parent, (cst.BaseSuite, cst.SimpleStatementLine, cst.Module)):
        rest = parent.body[list(parent.body).index(child) + 1 :]
        return (found - _NEXT) | in_order(rest) if End.NEXT in found else found
    if isinstance(parent, cst.If) and child is parent.test:
        return ends(parent)
    if isinstance(parent, (cst.While, cst.For)) and child is not parent.orelse:
        if child is not parent.body:
            return ends(parent)
        again = not found.isdisjoint({End.NEXT, End.CONTINUE}) and not is_endless(parent)
        passed = _NEXT if again or End.BREAK in found else _NOTHING
        return (found & _LEAVE) | passed
    if isinstance(parent, cst.With) and child is not parent.body:
        return ends(parent)
    if isinstance(parent, (cst.Try, cst.TryStar)) and child is not parent.finalbody:
        if child is not parent.body:
            return _finally(parent, found)
        found = _after_try(parent, found)
        if _comes_first(chain):
            for handler in parent.handlers:
                found |= _finally(parent, ends(handler))
        return found
    if isinstance(parent, cst.Match) and child is parent.subject:
        return ends(parent)
    return found


def _comes_first(chain: Sequence[libcst.CSTNode]) -> bool:
    """Whether the end of a chain, which begins with a block, is what the block evaluates first.

    The functions of asyncio that are awaited may stand around it: ``await wait_for(coroutine, 1)``.
    """
    for parent, child in pairwise(chain):
        if isinstance(parent, (cst.BaseSuite, cst.SimpleStatementLine)):
            first: object = parent.body[0]
        elif isinstance(parent, (cst.BinaryOperation, cst.BooleanOperation, cst.Comparison)):
            first = parent.left
        elif isinstance(parent, cst.Await):
            first = parent.expression
        elif isinstance(parent, cst.Call):
            first = parent.args[0] if parent.args and child is not parent.func else parent.func
        elif isinstance(
            parent, (cst.Return, cst.Expr, cst.Assign, cst.AnnAssign, cst.Arg, cst.Attribute, cst.Subscript)
        ):
            first = parent.value
        else:
            return False
        if child is not first:
            return False
    return True


def is_conditional(chain: Sequence[libcst.CSTNode]) -> bool:
    """Whether the first of a chain's nodes may run and not evaluate the last.

    The body of a `try` whose `except` goes on may have raised something before that.
    """
    return any(_may_skip(parent, chain[at:]) for at, parent in enumerate(chain[:-1], 1))


def _may_skip(parent: libcst.CSTNode, chain: Sequence[libcst.CSTNode]) -> bool:
    child = chain[0]
    if isinstance(parent, (cst.If, cst.IfExp)):
        return child is not parent.test
    if isinstance(parent, (cst.While, cst.For)):
        return child is parent.orelse or (child is parent.body and not is_endless(parent))
    if isinstance(parent, cst.BooleanOperation):
        return child is parent.right
    if isinstance(parent, (cst.Try, cst.TryStar)):
        if child is parent.body:
            goes_on = any(ends(handler) != _LEAVE for handler in parent.handlers)
            return goes_on and not _comes_first(chain)
        return child not in (parent.orelse, parent.finalbody)
    if isinstance(parent, cst.Match):
        return child is not parent.subject
    return isinstance(
        parent, (cst.BaseComp, cst.CompFor, cst.Lambda, cst.FunctionDef, cst.Assert, cst.MatchCase)
    )


def leads_on(common: libcst.CSTNode, chain: Sequence[libcst.CSTNode], second: libcst.CSTNode) -> Ends:
    """How code gets from the end of a chain, which begins with a child of a node, to a later child.

    Nothing where it does not; `End.NEXT` alone where it always does.
    """
    first, found = chain[0], climb(chain)
    if isinstance(common, (cst.BaseSuite, cst.SimpleStatementLine, cst.Module)):
        body = list(common.body)
        between = in_order(body[body.index(first) + 1 : body.index(second)])
        return (found - _NEXT) | between if End.NEXT in found and End.NEXT in between else _NOTHING
    if isinstance(common, (cst.If, cst.IfExp)):
        return found if first is common.test else _NOTHING
    if isinstance(common, (cst.Try, cst.TryStar)):
        if second is common.finalbody:
            return _NEXT
        if first is not common.body:
            return _NOTHING
        if second is common.orelse:
            return found if End.NEXT in found else _NOTHING
        return _NEXT if _comes_first(chain) else _NOTHING
    if isinstance(common, (cst.While, cst.For)):
        if first is not common.body:
            return found
        goes_on = not is_endless(common) and not found.isdisjoint({End.NEXT, End.CONTINUE})
        return found | _NEXT if goes_on else _NOTHING
    if isinstance(common, cst.Match):
        return found if first is common.subject else _NOTHING
    return _NOTHING if isinstance(common, (cst.BaseComp, cst.CompFor)) else found
