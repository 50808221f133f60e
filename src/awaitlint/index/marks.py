"""Places in a module's text that some rules look at: loops, handlers, `with` statements and the like."""

from __future__ import annotations

import enum

import msgspec


class MarkKind(enum.IntEnum):
    """What a `Mark` stands for; `Mark.node` is the expression named here."""

    #: an ``except`` of a ``try`` that awaits, in async code; what it catches, -1 where it names nothing
    HANDLER = 0
    #: a ``while`` in async code; its test
    LOOP = 1
    #: a ``for`` over something else than a call, or whose body awaits; what it goes through
    FOR = 2
    #: an item of a ``with`` that is no call; the context manager
    WITH = 3
    #: an item of an ``async with`` that is no call; the context manager
    ASYNC_WITH = 4
    #: ``target += value`` in async code, to no local variable, where the value awaits; the value
    AUGMENTED = 5
    #: the same as FOR of an ``async for``
    ASYNC_FOR = 6


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A place in the text that some rules look at, and that is no `Site`.

    `line` is the one that the statement (of HANDLER the clause) begins on.
    """

    kind: MarkKind
    scope: int
    line: int
    node: int
    #: whether the body awaits (of HANDLER that of the ``try``, of LOOP also the test)
    awaits: bool
