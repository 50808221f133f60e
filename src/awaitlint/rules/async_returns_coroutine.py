"""
## What it does

Reports an `async def` function that returns an un-awaited coroutine: a call, or a local name that is bound to
nothing else. Awaiting such a function once gives a coroutine, not its result. The future of `asyncio.gather`
or `loop.run_in_executor` counts as well.

Silent where the return annotation says so (`-> Coroutine[...]`, `-> Awaitable[...]`), where the function
returns coroutines on other paths as well, as one that chooses between them does, where a caller in the same file awaits the result again or runs the function with `asyncio.run`, and in web handlers, of which AWL802 speaks.

## Why is this bad?

The caller's `await` runs the function and gets a coroutine in place of the value; its body never runs. Python
says nothing before the caller uses the value, which may be far away.

## Example

```py
async def load(key: str) -> bytes:
    return b""

async def cached(key: str):
    return load(key)  # error: [async-returns-coroutine]
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

The fix adds `await` where the coroutine is created. It is unsafe, because a caller may already await twice.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import AwaitableValue, Instance, members
from awaitlint.rulekit.coroutines import CoroutineRule, noun
from awaitlint.rulekit.futures import future
from awaitlint.rulekit.handlers import Handlers

if TYPE_CHECKING:
    import libcst

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
        if self._handlers.framework(site.scope) is not None or self._is_dispatcher(site):
            return False
        return not self._is_awaited_again(site.scope)

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
        """Whether what awaiting the function gives is awaited in this module: ``await (await f())``."""
        facts = self.module.facts
        name = facts.scopes[scope].name
        for site in facts.sites:
            if site.use is Use.AWAITED:
                inner = facts.nodes[self.bound_to(site.node)]
                if isinstance(inner, f.Await) and self._called(inner.value) == name:
                    return True
            elif site.use is Use.ARGUMENT and self._called(site.node) == name:
                # a plain function that runs it hands out what it gives
                if not facts.scopes[site.scope].is_async and self._called(site.other) in _RUNNERS:
                    return True
        return False

    def _is_dispatcher(self, site: f.Site) -> bool:
        """Whether the function returns un-awaited calls on other paths, too: it hands out coroutines."""
        nodes = self.module.facts.nodes
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
