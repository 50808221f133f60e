"""Members of enumerations by names of their own.

Python 3.11 takes longer to look up ``Use.ARGUMENT`` than to make a node, and every expression has a use.
"""

from __future__ import annotations

from typing import Final

from awaitlint.index.facts import ScopeKind, Use
from awaitlint.index.marks import MarkKind

MARK_ASYNC_FOR: Final = MarkKind.ASYNC_FOR
MARK_ASYNC_WITH: Final = MarkKind.ASYNC_WITH
MARK_AUGMENTED: Final = MarkKind.AUGMENTED
MARK_FOR: Final = MarkKind.FOR
MARK_HANDLER: Final = MarkKind.HANDLER
MARK_LOOP: Final = MarkKind.LOOP
MARK_WITH: Final = MarkKind.WITH
SCOPE_CLASS: Final = ScopeKind.CLASS
SCOPE_FUNCTION: Final = ScopeKind.FUNCTION
SCOPE_LAMBDA: Final = ScopeKind.LAMBDA
SCOPE_MODULE: Final = ScopeKind.MODULE
ARGUMENT: Final = Use.ARGUMENT
ASYNC_ITERATED: Final = Use.ASYNC_ITERATED
ASYNC_WITH: Final = Use.ASYNC_WITH
ATTRIBUTE: Final = Use.ATTRIBUTE
AWAITED: Final = Use.AWAITED
BOUND: Final = Use.BOUND
CALLED: Final = Use.CALLED
COMPARED: Final = Use.COMPARED
DECORATOR: Final = Use.DECORATOR
DISCARDED: Final = Use.DISCARDED
ELEMENT: Final = Use.ELEMENT
FORMATTED: Final = Use.FORMATTED
ITERATED: Final = Use.ITERATED
NEVER_READ: Final = Use.NEVER_READ
OPERAND: Final = Use.OPERAND
OTHER: Final = Use.OTHER
RETURNED: Final = Use.RETURNED
STORED: Final = Use.STORED
SUBSCRIPTED: Final = Use.SUBSCRIPTED
TESTED: Final = Use.TESTED
UNPACKED: Final = Use.UNPACKED
WITH: Final = Use.WITH
YIELDED: Final = Use.YIELDED
