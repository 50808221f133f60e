"""
## What it does

Reports `asyncio.run`, `Runner.run`, `loop.run_until_complete` and `async_to_sync(f)()` in the body of an
`async def`, also where a plain function does it that is called there; and `asyncio.create_task` and
`asyncio.get_running_loop` at the level of a module or class, where no event loop is running. Code that looks
first whether a loop is running is not reported.

Where plain functions lead to such a call, and a test in one of them decides whether it is reached, the
finding is only *likely*: it is shown under the preset `pedantic`, or where the rule is selected by its own
code or name.

## Why is this bad?

An event loop cannot be started where one is running: `RuntimeError: asyncio.run() cannot be called from a
running event loop`. And where none is running, `create_task` fails with `no running event loop`.

## Example

```py
import asyncio

async def fetch() -> str: ...

async def main() -> str:
    return asyncio.run(fetch())  # error: [event-loop-reentry]
```

## Use instead

```py
import asyncio

async def fetch() -> str: ...

async def main() -> str:
    return await fetch()
```

## Fix safety

The fix awaits the coroutine in place of the call. It is unsafe: `asyncio.run` would have used an event loop
and a context of its own.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index.facts import Call, ScopeKind, Use
from awaitlint.infer.values import FunctionValue, OverloadedValue
from awaitlint.model import Edit, Safety, Span
from awaitlint.rulekit.chained import ChainedRule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.edits import binds_tighter

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.index.facts import Site
    from awaitlint.model import Fix

_NEED_LOOP = frozenset(
    {
        "_asyncio.get_running_loop",
        "asyncio.events.get_running_loop",
        "asyncio.tasks.create_task",
    }
)
#: what takes one coroutine and gives its result
_RUNS = frozenset({"run", "run_until_complete"})


class EventLoopReentry(ChainedRule):
    code = "AWL307"
    name = "event-loop-reentry"
    summary = "starting an event loop where one is running, or needing one where none is"
    fixes = (Safety.UNSAFE,)
    uses = frozenset(Use)
    callees = frozenset({"create_task", "get_running_loop"})
    only = frozenset({"reentry"})

    def may_suspect(self, site: Site) -> bool:
        return site.scope in self._outside

    def suspect(self, site: Site) -> bool:
        return self._needs_loop(site)

    def suspicious(self) -> Iterator[int]:
        blocked = self.module.blocked
        for found in blocked.of_kinds(self.only) if blocked is not None else ():
            if found.step.site is not None:
                yield found.step.site.line

    def _is_reentry(self, site: Site) -> bool:
        blocked = self.module.blocked
        return blocked is not None and blocked.at(site, self.only) is not None

    def _needs_loop(self, site: Site) -> bool:
        call = self.module.facts.nodes[site.node]
        if site.scope not in self._outside or not isinstance(call, Call):
            return False
        func = self.module.infer.value(self.module.module, call.func)
        if isinstance(func, OverloadedValue):
            func = func.functions[0]
        return isinstance(func, FunctionValue) and func.qualname in _NEED_LOOP

    @cached_property
    def _outside(self) -> frozenset[int]:
        """The scopes whose code runs when the module is imported."""
        found = {0}
        for index, scope in enumerate(self.module.facts.scopes):
            if scope.kind is ScopeKind.CLASS and scope.parent in found:
                found.add(index)
        return frozenset(found)

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        if site is None or self.context.expects_error():
            return
        subject = self.context.source(node.func)
        if self._is_reentry(site):
            message = (
                f"`{subject}` cannot run here: an event loop is running already; await the coroutine instead"
            )
            self.report(node, message, fix=self._fix(node, site))
        elif self._needs_loop(site) and not any(isinstance(each, cst.Try) for each in self.context.parents):
            message = f"`{subject}` fails here: no event loop is running while a module is imported"
            self.report(node, message)

    def _fix(self, node: libcst.Call, site: Site) -> Fix | None:
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        assert isinstance(call, Call)
        name = getattr(nodes[call.func], "name", "")
        if len(node.args) != 1 or node.args[0].keyword is not None or node.args[0].star or name not in _RUNS:
            return None
        if not self.module.scope_of(site).is_async:
            return None
        given = self.module.infer.value(self.module.module, call.args[0])
        if self.module.infer.coroutine(given) is None:
            return None
        place, argument = self.context.span(node), self.context.outer_span(node.args[0].value)
        before = Span(place.line, place.column, argument.line, argument.column)
        after = Span(argument.end_line, argument.end_column, place.end_line, place.end_column)
        tight = binds_tighter(node, self.context.parents)
        opening, closing = ("(await ", ")") if tight else ("await ", "")
        return self.fix("Await it", [Edit(before, opening), Edit(after, closing)])
