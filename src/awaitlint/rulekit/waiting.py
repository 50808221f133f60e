"""Which async functions wait for something, and which are async in name only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.marks import MarkKind
from awaitlint.infer.values import FunctionValue

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
    from awaitlint.infer.engine import Inference

#: uses of a value for which a function waits, whatever the value is
_WAITS = frozenset({Use.ASYNC_WITH, Use.ASYNC_ITERATED})


class Waiting:
    """Looks through the functions that a call leads to; each counts once."""

    def __init__(self, infer: Inference) -> None:
        self._infer = infer
        self._seen: set[tuple[Module, int]] = set()

    def calls(self, module: Module, call: int) -> bool:
        """Whether awaiting a call may wait; so it is with everything that is not known."""
        node = module.facts.nodes[call]
        func = self._infer.value(module, node.func) if isinstance(node, f.Call) else None
        return not isinstance(func, FunctionValue) or self._function(func)

    def _function(self, func: FunctionValue) -> bool:
        module, fact = func.module, func.fact
        if (module, func.scope) in self._seen:
            return False
        self._seen.add((module, func.scope))
        if module.path is None or module.path.suffix != ".py" or fact.is_stub or not fact.is_async:
            return True
        facts = module.facts
        own = slice(fact.first_node, fact.end_node)
        if any(isinstance(node, f.Iter) and node.is_async for node in facts.nodes[own]):
            return True
        if any(mark.kind is MarkKind.ASYNC_WITH and mark.scope == func.scope for mark in facts.marks):
            return True
        return any(
            site.use in _WAITS or (site.use is Use.AWAITED and self.calls(module, site.node))
            for site in facts.sites
            if site.scope == func.scope
        )
