"""Which handlers catch a cancellation, as far as what they name tells."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.reached import reached
from awaitlint.infer.values import ClassValue, External, FunctionValue, TupleValue, members

if TYPE_CHECKING:
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext


class Caught(enum.IntFlag):
    """What a handler catches."""

    #: cancellation, by its name
    CANCELLATION = enum.auto()
    #: everything, cancellation included: ``BaseException``, or no name at all
    EVERYTHING = enum.auto()
    OTHERS = enum.auto()


_CANCELLATION = frozenset(
    {
        "asyncio.exceptions.CancelledError",
        "trio.Cancelled",
        "trio._core._exceptions.Cancelled",
        "anyio.get_cancelled_exc_class",
        "anyio._core._eventloop.get_cancelled_exc_class",
    }
)
_EVERYTHING = frozenset({"builtins.BaseException"})


def caught(module: ModuleContext, node: int) -> Caught:
    """What the handler catches whose type is a node; a node of -1 stands for none."""
    if node < 0:
        return Caught.EVERYTHING
    fact = module.facts.nodes[node]
    if isinstance(fact, f.Display):
        found = Caught(0)
        for element in fact.elements:
            found |= caught(module, element)
        return found
    if isinstance(fact, f.Param):
        # `type[BaseException]` says what a caller may give, not what he gives
        return Caught.OTHERS
    called = fact.func if isinstance(fact, f.Call) else node
    if reached(module.infer.project, module.module, called) in _CANCELLATION:
        return Caught.CANCELLATION
    found = _of_value(module.infer.value(module.module, called))
    if Caught.EVERYTHING in found and getattr(fact, "name", "") != "BaseException":
        # an attribute that is declared so, for all that is known
        return (found & ~Caught.EVERYTHING) | Caught.OTHERS
    return found


def _of_value(value: Value) -> Caught:
    found = Caught(0)
    for member in members(value):
        if isinstance(member, TupleValue):
            for element in member.elements:
                found |= _of_value(element)
            continue
        name = ""
        if isinstance(member, (ClassValue, FunctionValue)):
            name = member.qualname
        elif isinstance(member, External):
            name = member.path.replace("()", "")
        if name in _CANCELLATION:
            found |= Caught.CANCELLATION
        else:
            found |= Caught.EVERYTHING if name in _EVERYTHING else Caught.OTHERS
    return found
