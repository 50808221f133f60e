"""Who holds a lock while it waits for something: without that proof nobody is told off for taking one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.blocking import Kind as Waits
from awaitlint.index.blocking import catalogue
from awaitlint.index.facts import Use
from awaitlint.index.marks import MarkKind
from awaitlint.index.modules import Origin
from awaitlint.infer.values import ClassValue, FunctionValue, Instance, ModuleValue, without_none
from awaitlint.model import Severity
from awaitlint.rulekit.conditions import holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.modules import Module
    from awaitlint.infer.callgraph import Step
    from awaitlint.rulekit.chains import Chains
    from awaitlint.rulekit.leaves import Leaf
    from awaitlint.rulekit.reasons import Hop

#: what a holder may wait for so that whoever wants the lock waits, too
_KINDS = frozenset({"sleep", "network", "database", "process", "wait", "user"})


class Kept(NamedTuple):
    """A lock, by where it is kept: an attribute of a class (`scope`) or a name of a module (0)."""

    module: Module
    scope: int
    name: str


class Taking(NamedTuple):
    """A place in async code that takes a lock; `line` is that of the ``with`` or of the call."""

    scope: int
    line: int
    node: int


class Holder(NamedTuple):
    """A plain function that blocks while it holds a lock, and the way to what it waits for."""

    function: FunctionValue
    leaf: Leaf
    hops: tuple[Hop, ...]


class Holders:
    """The holders of locks."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._infer = chains.infer
        self._found: dict[Kept, Holder | None] = {}

    def takings(self, module: Module) -> Iterator[tuple[Taking, Holder]]:
        """Where async code of a module takes a lock that a plain function holds while it blocks."""
        facts = module.facts
        for mark in facts.marks:
            if mark.kind is MarkKind.WITH and facts.scopes[mark.scope].is_async:
                holder = self.holder(module, mark.node)
                if holder is not None:
                    yield Taking(mark.scope, mark.line, mark.node), holder
        for site in facts.sites:
            call = facts.nodes[site.node]
            if type(call) is not f.Call or not facts.scopes[site.scope].is_async or site.use is Use.AWAITED:
                continue
            method = facts.nodes[call.func]
            if type(method) is f.Attr and method.name == "acquire":
                holder = self.holder(module, method.value)
                if holder is not None and not self._returns_at_once(module, call, method.value):
                    yield Taking(site.scope, site.line, site.node), holder

    def holder(self, module: Module, node: int) -> Holder | None:
        """The plain function that blocks while it holds the lock that a node is, where there is one."""
        lock = self.lock(module, node)
        if lock is None:
            return None
        if lock not in self._found:
            self._found[lock] = next(self._holders(lock), None)
        return self._found[lock]

    def lock(self, module: Module, node: int) -> Kept | None:
        """The lock that a node is: an attribute of the project's classes, or a name of its modules."""
        fact = module.facts.nodes[node]
        if not isinstance(fact, (f.Attr, f.Name)) or not self._classes(module, node):
            return None
        if isinstance(fact, f.Name):
            return self._of_module(module, fact.name)
        owner = without_none(self._infer.value(module, fact.value))
        if isinstance(owner, ModuleValue):
            return self._of_module(owner.module, fact.name)
        cls = owner.cls if isinstance(owner, Instance) else owner
        if not isinstance(cls, ClassValue):
            return None
        for entry in self._infer.mro(cls):
            if entry is None or entry.module.origin is not Origin.PROJECT:
                return None
            if fact.name in entry.fact.attributes or fact.name in entry.fact.bindings:
                return Kept(entry.module, entry.scope, fact.name)
        return None

    def _of_module(self, module: Module, name: str, depth: int = 0) -> Kept | None:
        """The lock that a module binds to a name, or imports by it."""
        bound = module.facts.scopes[0].bindings.get(name, ())
        if len(bound) != 1 or module.origin is not Origin.PROJECT:
            return None
        node = module.facts.nodes[bound[0]]
        if not isinstance(node, f.Import):
            return Kept(module, 0, name)
        source = self._infer.project.resolve(module, node.module, node.level) if node.name else None
        # re-exports of re-exports end somewhere
        return self._of_module(source, node.name, depth + 1) if source is not None and depth < 5 else None

    def _classes(self, module: Module, node: int) -> list[str]:
        """The qualified names of the class of a lock and of its bases; none where a node is no lock."""
        value = without_none(self._infer.value(module, node))
        if not isinstance(value, Instance):
            return []
        names = [entry.qualname for entry in self._infer.mro(value.cls) if entry is not None]
        known = catalogue().method(names, "__enter__")
        return names if known is not None and known.kind is Waits.LOCK else []

    def _returns_at_once(self, module: Module, call: f.Call, receiver: int) -> bool:
        known = catalogue().method(self._classes(module, receiver), "acquire")
        return known is None or any(holds(module, call, known.name, condition) for condition in known.unless)

    def _holders(self, lock: Kept) -> Iterator[Holder]:
        facts = lock.module.facts
        for mark in facts.marks:
            scope = facts.scopes[mark.scope]
            # async code that blocks while it holds a lock stops the event loop by itself
            if mark.kind is not MarkKind.WITH or scope.is_async or scope.kind is not f.ScopeKind.FUNCTION:
                continue
            node = facts.nodes[mark.node]
            if getattr(node, "name", "") == lock.name and self.lock(lock.module, mark.node) == lock:
                function = FunctionValue(lock.module, mark.scope)
                block = self._chains.block(function, mark.line)
                if block is not None:
                    yield from self._waits_in(function, *block)

    def _waits_in(self, function: FunctionValue, first: int, last: int) -> Iterator[Holder]:
        """What a function waits for in some of its lines."""
        chains = self._chains

        def is_inside(step: Step, leaf: Leaf) -> bool:
            # to wait for a condition gives its lock back
            if leaf.kind not in _KINDS or leaf.severity is not Severity.ERROR or "Condition" in leaf.name:
                return False
            return first <= chains.place(function, step)[0] <= last

        for step, leaf in chains.direct(function):
            if is_inside(step, leaf):
                yield Holder(function, leaf, (chains.hop(function, step, leaf),))
        for step, reason in chains.reached(function):
            if is_inside(step, reason.leaf):
                yield Holder(function, reason.leaf, tuple(chains.chain(function, step, reason)))
