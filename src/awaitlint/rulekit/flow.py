"""Where the value of a call goes within its function: through names, branches and narrowings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import members

if TYPE_CHECKING:
    from awaitlint.index.facts import Site
    from awaitlint.index.project import Module
    from awaitlint.infer.engine import Inference

#: uses after which the value is in somebody's care
_KEPT = frozenset({Use.AWAITED, Use.YIELDED, Use.ELEMENT, Use.STORED, Use.DECORATOR})


class Flow:
    """The flow of call results in one module."""

    def __init__(self, module: Module, infer: Inference) -> None:
        self._module = module
        self._infer = infer
        self._origins: dict[int, tuple[int, ...]] = {}
        self._handled: dict[int, bool] = {}

    def origins(self, node: int) -> tuple[int, ...]:
        """The calls whose result a node may be, in the order of the text."""
        found = self._origins.get(node)
        if found is None:
            nodes = self._module.facts.nodes
            seen, todo, calls = {node}, [node], set[int]()
            while todo:
                index = todo.pop()
                fact = nodes[index]
                if isinstance(fact, f.Call):
                    calls.add(index)
                    continue
                parts: tuple[int, ...] = ()
                if isinstance(fact, f.Phi):
                    parts = fact.options
                elif isinstance(fact, (f.Narrow, f.Declared)):
                    parts = (fact.value,)
                for part in parts:
                    if part >= 0 and part not in seen:
                        seen.add(part)
                        todo.append(part)
            found = self._origins[node] = tuple(sorted(calls))
        return found

    def is_handled(self, call: int) -> bool:
        """Whether the function awaits a call's result on some path, looks at it, or gives it away."""
        found = self._handled.get(call)
        if found is None:
            found = self._handled[call] = self._is_handled(call)
        return found

    def _is_handled(self, call: int) -> bool:
        facts = self._module.facts
        for site in facts.sites:
            if site.node == call and site.use is not Use.ARGUMENT:
                # the call itself, where it is bound
                if site.use in _KEPT:
                    return True
            elif call in self.origins(site.node) and self._is_care(site) and self._gets_to(call, site.node):
                return True
        for index, node in enumerate(facts.nodes):
            if (
                isinstance(node, f.Narrow)
                and node.test in ("awaitable", "async function")
                and call in self.origins(index)
            ):
                return True
            if isinstance(node, f.Free) and any(
                call in self.origins(bound) for bound in facts.scopes[node.scope].bindings.get(node.name, ())
            ):
                return True
        return False

    def _may_be_stored(self, target: int) -> bool:
        """Whether code may want a coroutine in an attribute or item: it awaits what it finds there."""
        declared = self._infer.target_refuses(self._module, target)
        if declared is None or any(self._infer.is_awaitable(member) for member in members(declared)):
            return True
        is_attribute = isinstance(self._module.facts.nodes[target], f.Attr)
        return is_attribute and self._infer.is_attribute_awaited(self._module, target)

    def _gets_to(self, call: int, node: int) -> bool:
        """Whether a coroutine that a call made gets to a node: it passes no ``isinstance(x, list)``."""
        nodes = self._module.facts.nodes
        seen, todo = {node}, [node]
        while todo:
            index = todo.pop()
            fact = nodes[index]
            parts: tuple[int, ...] = ()
            if index == call:
                return True
            if isinstance(fact, f.Phi):
                parts = fact.options
            elif isinstance(fact, f.Declared) or (
                isinstance(fact, f.Narrow) and self._infer.passes(self._module, fact)
            ):
                parts = (fact.value,)
            for part in parts:
                if part >= 0 and part not in seen:
                    seen.add(part)
                    todo.append(part)
        return False

    def _is_care(self, site: Site) -> bool:
        """Whether whoever gets the value at a site may know that it is a coroutine."""
        if site.use is Use.ELEMENT and site.other >= 0:
            scope = self._module.facts.scopes[site.scope]
            # async code that returns a tuple has awaited what is in it
            return not (scope.is_async and site.other in scope.returned)
        scope = self._module.facts.scopes[site.scope]
        if site.use is Use.YIELDED and scope.is_async and scope.returns >= 0:
            return not self._infer.refuses(self._infer.yields(self._module, scope))
        if site.use is Use.STORED and scope.is_async and site.other >= 0:
            return self._may_be_stored(site.other)
        if site.use in _KEPT:
            return True
        if site.use is Use.RETURNED:
            return not scope.is_async
        if site.use is not Use.ARGUMENT:
            return False
        slots = self._infer.slots(self._module, site.other, site.node)
        return not slots or any(self._infer.may_take(slot) for slot in slots)
