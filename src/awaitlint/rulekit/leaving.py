"""Statements that leave a block before its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst


@dataclass(frozen=True, slots=True)
class Leaving:
    """A ``return``, or a ``break`` or ``continue`` of a loop around the block.

    `loop` is the outermost loop of the block around it; `at_end` says that the block ends there anyway.
    """

    node: libcst.Return | libcst.Break | libcst.Continue
    loop: libcst.CSTNode | None
    at_end: bool


def leavings(block: libcst.CSTNode) -> Iterator[Leaving]:
    """What leaves a block (a suite, or a part of a compound statement) before its end, in order."""
    return _leavings(block, None, at_end=True)


def _leavings(block: Any, loop: libcst.CSTNode | None, *, at_end: bool) -> Iterator[Leaving]:
    for number, statement in enumerate(block.body):
        last = at_end and number == len(block.body) - 1
        if isinstance(statement, cst.SimpleStatementLine):
            yield from _leavings(statement, loop, at_end=last)
        elif isinstance(statement, cst.Return) or (
            loop is None and isinstance(statement, (cst.Break, cst.Continue))
        ):
            yield Leaving(statement, loop, last)
        elif isinstance(statement, (cst.For, cst.While)):
            yield from _leavings(statement.body, loop or statement, at_end=False)
            if statement.orelse is not None:
                yield from _leavings(statement.orelse.body, loop, at_end=last)
        elif not isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
            for part, ends in _parts(statement):
                yield from _leavings(part, loop, at_end=last and ends)


def _parts(statement: Any) -> Iterator[tuple[Any, bool]]:
    """The blocks of a compound statement that is no loop, and whether it ends with them."""
    if isinstance(statement, cst.Match):
        for case in statement.cases:
            yield case.body, True
        return
    if isinstance(statement, (cst.Try, cst.TryStar)):
        yield statement.body, statement.orelse is None
        for handler in statement.handlers:
            yield handler.body, True
        for clause in (statement.orelse, statement.finalbody):
            if clause is not None:
                yield clause.body, True
        return
    if isinstance(statement, cst.With):
        yield statement.body, True
    while isinstance(statement, cst.If):
        yield statement.body, True
        statement = statement.orelse
    if isinstance(statement, cst.Else):
        yield statement.body, True
