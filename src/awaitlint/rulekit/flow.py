"""Where the value of a call goes within its function: through names, branches and narrowings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import TAKERS, last_name
from awaitlint.infer.values import members

if TYPE_CHECKING:
    from awaitlint.index.facts import Site
    from awaitlint.index.modules import Module
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
        return self._is_looked_at(call)

    def _is_looked_at(self, call: int) -> bool:
        """Whether code tests what a call's result is, or uses it in a function that is defined inside."""
        facts = self._module.facts
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

    def _is_told_apart(self, call: int) -> bool:
        """Whether an ``isinstance`` that a coroutine may pass is asked of what a call's result is."""
        return any(
            isinstance(node, f.Narrow)
            and node.test == "isinstance"
            and call in self.origins(index)
            and self._infer.tells_coroutines(self._module, node)
            for index, node in enumerate(self._module.facts.nodes)
        )

    def is_taken(self, call: int, argument: int) -> bool:
        """Whether the function that is called is there for coroutines."""
        nodes = self._module.facts.nodes
        node = nodes[call]
        return (isinstance(node, f.Call) and last_name(nodes[node.func]) in TAKERS) or any(
            self._infer.welcomes(slot) for slot in self._infer.slots(self._module, call, argument)
        )

    def wants(self, call: int) -> list[Site] | None:
        """Where names that are bound to a call's result are used as the coroutine that it is.

        They are awaited there, or given to a function that is there for coroutines.  None: code looks whether
        it has a coroutine, or has it in more than one function.
        """
        if self._is_looked_at(call) or self._is_told_apart(call):
            return None
        return [
            site
            for site in self._module.facts.sites
            if call in self.origins(site.node) and self._is_wanted(site)
        ]

    def _is_wanted(self, site: Site) -> bool:
        if site.use is Use.ELEMENT:
            # ``gather(*[a, b])``
            nodes, todo = self._module.facts.nodes, [site.other]
            for node in todo:
                for user in self._infer.users(self._module).get(node, ()):
                    if isinstance(nodes[user], f.Starred):
                        todo.append(user)
                    elif isinstance(nodes[user], f.Call) and self.is_taken(user, node):
                        return True
            return False
        return site.use is Use.AWAITED or (site.use is Use.ARGUMENT and self.is_taken(site.other, site.node))

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
