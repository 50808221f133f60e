"""An `async def` that returns an un-awaited coroutine: what is a mistake, whichever rule speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import AwaitableValue, Instance, Unknown, members
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.rulekit.futures import future
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import Value


class Block(NamedTuple):
    """A statement that a `return` leaves, its keywords, and whether it catches exceptions there."""

    node: libcst.With | libcst.Try | libcst.TryStar
    keyword: str
    catches: bool = False


#: functions that give the result of a coroutine to code that is not asynchronous
_RUNNERS = frozenset({"run", "run_until_complete"})


class ReturnedRule(CoroutineRule):
    """Base of the rules about async functions that return a coroutine.

    Several may speak of one `return`: the first of them by code is shown, or that about web handlers.
    """

    uses = frozenset({Use.RETURNED})
    yields_to = frozenset({"AWL802"})

    def suspect(self, site: f.Site) -> bool:
        scope = self.module.scope_of(site)
        if not self.can_await(scope) or scope.is_generator:
            return False
        value = self.awaitable(site)
        if value is None or self._is_declared(scope, value):
            return False
        if any(self._is_manager(member, scope) for member in members(self.module.value(site))):
            return False
        function = value.function
        if function is not None and function.fact.returns < 0 and self.module.infer.is_hook(function):
            # what subclasses put in its place may well be an async generator
            return False
        return not self._is_dispatcher(site) and not self._is_awaited_again(site.scope)

    def _is_manager(self, value: Value, scope: f.Scope) -> bool:
        """Whether a function may return a value for others to enter it with ``async with``.

        The requests of aiohttp can be entered as well as awaited.
        """
        infer = self.module.infer
        if not isinstance(value, Instance) or not any(
            entry is not None and "__aenter__" in entry.fact.bindings for entry in infer.mro(value.cls)
        ):
            return False
        return not self._is_refused(scope) or any(
            isinstance(member, Instance) and infer.is_subclass(value.cls, member.cls)
            for member in members(infer.annotation(self.module.module, scope.returns))
        )

    def awaitable(self, site: f.Site) -> AwaitableValue | None:
        return self.module.coroutine(site) or future(
            self.module, site, frozenset({"gather", "run_in_executor"})
        )

    def _is_declared(self, scope: f.Scope, value: AwaitableValue) -> bool:
        """Whether the annotation lets the function return such a value."""
        if scope.returns < 0:
            return False
        infer = self.module.infer
        for member in members(infer.annotation(self.module.module, scope.returns)):
            if isinstance(member, AwaitableValue):
                return True
            if value.kind == "Future" and isinstance(member, Instance) and infer.is_awaitable(member):
                return True
        return False

    def _is_refused(self, scope: f.Scope) -> bool:
        """Whether the annotation says that awaiting the function gives something else."""
        infer = self.module.infer
        return scope.returns >= 0 and infer.refuses(infer.annotation(self.module.module, scope.returns))

    def _is_awaited_again(self, scope: int) -> bool:
        """Whether this module awaits what awaiting the function gives, or has it awaited.

        ``await (await f())``, ``create_task(await f())``, and plain functions that run it and hand out what
        it gives.
        """
        facts = self.module.facts
        name = facts.scopes[scope].name
        for index, node in enumerate(facts.nodes):
            if isinstance(node, f.Await):
                if self._is_result_of(node.value, name):
                    return True
            elif isinstance(node, f.Call):
                if any(self._called(argument) == name for argument in node.args):
                    run = self.module.call_site(index)
                    if self._called(index) in _RUNNERS and run is not None and self._is_handed_out(run):
                        return True
                for argument in node.args:
                    if self._is_result_of(argument, name) and self.module.flow.is_taken(index, argument):
                        return True
        return False

    def _is_result_of(self, node: int, name: str) -> bool:
        """Whether a node is what awaiting a call of a function of that name gives."""
        awaited = self.module.facts.nodes[self.bound_to(node)]
        return isinstance(awaited, f.Await) and self._called(awaited.value) == name

    def _is_handed_out(self, run: f.Site) -> bool:
        """Whether a plain function has a use for what running a coroutine gives."""
        return run.use is not Use.DISCARDED and not self.module.scope_of(run).is_async

    def _is_dispatcher(self, site: f.Site) -> bool:
        """Whether the function returns un-awaited calls on other paths, too: it hands out coroutines."""
        nodes, scope = self.module.facts.nodes, self.module.scope_of(site)
        if self._is_refused(scope):
            return False
        for other in self.module.facts.sites:
            if other.use is not Use.RETURNED or other.scope != site.scope or other.node == site.node:
                continue
            call = nodes[other.node]
            if isinstance(call, f.Call) and isinstance(nodes[call.func], f.Call):
                return True
            if self.module.coroutine(other) is not None:
                return True
        return False

    def _called(self, node: int) -> str:
        """The last name of the function that a call calls; "" for anything else."""
        nodes = self.module.facts.nodes
        call = nodes[node]
        func = nodes[call.func] if isinstance(call, f.Call) else None
        return func.name if isinstance(func, (f.Attr, f.Name, f.Free, f.Import)) else ""

    def _is_any(self, value: AwaitableValue) -> bool:
        """Whether a callback annotated ``-> Awaitable[Any]`` gave it, which may say more than is true."""
        unclear = isinstance(self.module.infer.awaited(value), Unknown)
        return value.kind == "Awaitable" and value.function is None and unclear

    def _is_at_work(self, node: libcst.CSTNode, site: f.Site) -> bool:
        """Whether a function does more than to hand on what a callback gives.

        Its annotation says so, it awaits something of its own, or it wants to be there while the callback
        runs: the return stands in a ``try`` or in a ``with``.
        """
        if self._is_refused(self.module.scope_of(site)):
            return True
        if any(other.use is Use.AWAITED and other.scope == site.scope for other in self.module.facts.sites):
            return True
        return self.ended_block(node) is not None

    def ended_block(self, node: libcst.CSTNode) -> Block | None:
        """The innermost block of the function that ends as the visited node is returned."""
        parents = self.context.parents
        for above, below in zip(reversed(parents), [node, *reversed(parents[1:])], strict=True):
            if isinstance(above, (cst.FunctionDef, cst.Lambda)):
                return None
            if isinstance(above, cst.With) and below is above.body:
                return Block(above, "async with" if above.asynchronous is not None else "with")
            if isinstance(above, (cst.Try, cst.TryStar)) and _is_watched(above, below):
                return Block(above, "try", bool(above.handlers) and below is above.body)
        return None

    def is_fair(self, node: libcst.CSTNode, site: f.Site) -> bool:
        """Whether the function hands on what a callback gave it, be it a coroutine or not."""
        value = self.awaitable(site)
        return value is not None and self._is_any(value) and not self._is_at_work(node, site)


def _is_watched(block: libcst.Try | libcst.TryStar, part: libcst.CSTNode) -> bool:
    """Whether a `try` has something to do after one of its parts: to catch its exceptions, or to clean up."""
    if part is block.body:
        return True
    return block.finalbody is not None and part is not block.finalbody
