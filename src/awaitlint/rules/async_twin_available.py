"""
## What it does

Reports the call of a plain method in the body of an `async def`, where the class has the same method in a
form to be awaited: `invoke` and `ainvoke`, `get` and `get_async`, `refresh` and `async_refresh`. The twin has
to take the arguments of the call.

What other rules report as blocking, this one does not. Where the source of the two methods is part of the
project, it has to bear out that there is something to gain: the plain method calls something that may wait,
and the twin awaits.

## Why is this bad?

Who wrote the class made a second method for asynchronous code, most likely because the first one waits for
something: it stops the event loop and every task in it.

## Example

<!-- select: async-twin-available -->

```py
class Chain:
    def invoke(self, text: str) -> str:
        return self.client.post(text)

    async def ainvoke(self, text: str) -> str:
        return await self.client.apost(text)

async def answer(chain: Chain, text: str) -> str:
    return chain.invoke(text)  # error: [async-twin-available]
```

## Use instead

```py
class Chain:
    def invoke(self, text: str) -> str:
        return self.client.post(text)

    async def ainvoke(self, text: str) -> str:
        return await self.client.apost(text)

async def answer(chain: Chain, text: str) -> str:
    return await chain.ainvoke(text)
```

## Fix safety

The fix calls the twin and awaits it. It is unsafe: nothing says that the two do the same, and other tasks run
meanwhile. There is none for a twin that gives an async iterator.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.model import Edit, Safety, Severity
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.twins import Twins
from awaitlint.syntax.cst import cst
from awaitlint.syntax.edits import insert_await

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.twins import Twin


class AsyncTwinAvailable(Rule):
    code = "AWL309"
    name = "async-twin-available"
    summary = "a plain method called in async code, where its class has one to be awaited"
    default = False
    severity = Severity.WARNING
    fixes = (Safety.UNSAFE,)
    uses = frozenset(Use) - {Use.AWAITED}
    yields_to = frozenset({f"AWL{number}" for number in (*range(301, 309), 310, 311)})

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._twins = Twins(module)

    def suspect(self, site: f.Site) -> bool:
        return self._twin(site) is not None

    def _twin(self, site: f.Site) -> Twin | None:
        """The twin of what a site calls, where it could be called there."""
        scope = self.module.scope_of(site)
        if not scope.is_async or scope.kind is not f.ScopeKind.FUNCTION:
            return None
        if not isinstance(self.module.facts.nodes[site.node], f.Call):
            return None
        if self.module.call_site(site.node) is not site:
            return None
        found = self._twins.of(site.node)
        if found is None or self.module.is_safe(site) or self._is_of_twin(found, scope):
            return None
        return found

    def _is_of_twin(self, twin: Twin, scope: f.Scope) -> bool:
        """Whether the twin itself makes the call, or one of its name that hands on to another object."""
        return twin.name == scope.name or twin.function.fact is scope

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        twin = self._twin(site) if site is not None and site.use in self.uses else None
        if site is None or twin is None or not isinstance(node.func, cst.Attribute):
            return
        if self.context.in_generator(node) or self.context.expects_error():
            return
        subject = self.context.source(node.func)
        better = f"{self.context.source(node.func.value)}.{twin.name}"
        use = f"go through `{better}(...)` with `async for`" if twin.is_stream else f"`await {better}(...)`"
        self.report(
            node,
            f"`{subject}` is a plain method with an asynchronous twin: if it waits for anything, it stops "
            f"the event loop and every task in it; {use}",
            related=[self.module.definition(twin.function, f"`{twin.name}` is its twin")],
            fix=None if twin.is_stream else self._fix(node, twin),
        )

    def _fix(self, node: libcst.Call, twin: Twin) -> Fix:
        assert isinstance(node.func, cst.Attribute)
        edits = [
            Edit(self.context.span(node.func.attr), twin.name),
            *insert_await(self.context, self.module.lines, node, self.context.parents),
        ]
        return self.fix(f"Replace with `await ...{twin.name}(...)`", edits)
