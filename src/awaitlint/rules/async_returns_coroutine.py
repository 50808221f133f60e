"""
## What it does

Reports an `async def` function that returns an un-awaited coroutine: a call, or a local name that is bound to
one, be it on some path only. Awaiting such a function once gives a coroutine, not its result. The future of
`asyncio.gather` or `loop.run_in_executor` counts as well; tasks do not, nor does `asyncio.shield`.

Silent where

- the return annotation says so (`-> Coroutine[...]`, `-> Awaitable[...]`);
- the function returns coroutines on several paths, as one that chooses between them does, and no annotation
  says otherwise;
- code in the same file awaits the result again, gives it to a function that takes coroutines, or runs the
  function with `asyncio.run` in a plain function that hands out what this gives;
- the value can be entered with `async with` as well, as the requests of aiohttp can;
- the function is a web handler, of which AWL802 speaks.

## Why is this bad?

The caller's `await` runs the function and gets a coroutine in place of the value; its body never runs. Python
says nothing before the caller uses the value, which may be far away.

## Example

```py
import asyncio

async def load(key: str) -> bytes:
    return b""

async def cached(key: str):
    return load(key)  # error: [async-returns-coroutine]

async def named(key: str):
    data = load(key)
    return data  # error: [async-returns-coroutine]

async def on_some_path(key: str, store: dict[str, bytes]):
    data = store.get(key)
    if data is None:
        data = load(key)
    return data  # error: [async-returns-coroutine]

async def several(keys: list[str]):
    return asyncio.gather(*map(load, keys))  # error: [async-returns-coroutine]
```

## Use instead

```py
async def load(key: str) -> bytes:
    return b""

async def cached(key: str):
    return await load(key)
```

A plain `def` that returns the coroutine is right, too: its callers then await it once.

## Fix safety

The fix adds `await` where the coroutine is created; at the `return`, where code further down wants the
coroutine itself; and there is none where code before it does. It is unsafe, because a caller may already
await twice.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import AwaitableValue, Instance, Unknown, members
from awaitlint.rulekit.coroutines import CoroutineRule, noun
from awaitlint.rulekit.futures import future
from awaitlint.rulekit.handlers import Handlers

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

#: functions that give the result of a coroutine to code that is not asynchronous
_RUNNERS = frozenset({"run", "run_until_complete"})


class AsyncReturnsCoroutine(CoroutineRule):
    code = "AWL111"
    name = "async-returns-coroutine"
    summary = "an `async def` that returns an un-awaited coroutine"
    uses = frozenset({Use.RETURNED})

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._handlers = Handlers(module)

    def suspect(self, site: f.Site) -> bool:
        scope = self.module.scope_of(site)
        if not self.can_await(scope) or scope.is_generator:
            return False
        value = self.awaitable(site)
        if value is None or self._is_declared(scope, value):
            return False
        unclear = isinstance(self.module.infer.awaited(value), Unknown)
        if value.kind == "Awaitable" and value.function is None and unclear:
            # of a callback annotated ``-> Awaitable[Any]``: the annotation may say more than is true
            return False
        if any(self._is_manager(member) for member in members(self.module.value(site))):
            return False
        function = value.function
        if function is not None and function.fact.returns < 0 and self.module.infer.is_hook(function):
            # what subclasses put in its place may well be an async generator
            return False
        if self._handlers.framework(site.scope) is not None or self._is_dispatcher(site):
            return False
        return not self._is_awaited_again(site.scope)

    def _is_manager(self, value: Value) -> bool:
        """Whether a value can be entered with ``async with`` as well, as the requests of aiohttp can."""
        return isinstance(value, Instance) and any(
            entry is not None and "__aenter__" in entry.fact.bindings
            for entry in self.module.infer.mro(value.cls)
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
        nodes, infer, scope = self.module.facts.nodes, self.module.infer, self.module.scope_of(site)
        if scope.returns >= 0 and infer.refuses(infer.annotation(self.module.module, scope.returns)):
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

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        function = self.context.scope.name
        value = self.awaitable(site)
        what = "coroutine" if value is None else noun(value)
        return (
            f"`{function}` returns the {what} `{self.subject(node, site)}`, not its result: "
            f"whoever awaits `{function}` gets a {what}; {self.advice(site)}"
        )
