"""
## What it does

Reports `task.cancel()` for a task that the function has in a local variable and that it never awaits, nor
gives to `gather` or `wait`, returns, stores or hands on.

## Why is this bad?

`cancel` merely asks: the task gets `CancelledError` when the event loop turns to it the next time, and then
runs its `finally` blocks, which may await as well. Code that does not await the task goes on before that has
happened: it closes what the task is still using. And an exception that the task raises meanwhile is never
seen.

The rule is off by default, because there are tasks that have nothing to clean up.

## Example

<!-- select: cancelled-task-not-awaited -->

```py
import asyncio

async def beat() -> None: ...

async def work() -> None: ...

async def main() -> None:
    task = asyncio.create_task(beat())
    await work()
    task.cancel()  # error: [cancelled-task-not-awaited]
```

## Use instead

```py
import asyncio
from contextlib import suppress

async def beat() -> None: ...

async def work() -> None: ...

async def main() -> None:
    task = asyncio.create_task(beat())
    await work()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
```

## Options

`known-safe-calls`: globs of qualified names of functions whose tasks are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index.facts import Attr, Use
from awaitlint.model import Severity
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.tasks import is_cared_for, starter
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site

_TASKS = frozenset({"create_task", "ensure_future"})


class CancelledTaskNotAwaited(Rule):
    code = "AWL204"
    name = "cancelled-task-not-awaited"
    summary = "a task that is cancelled, and whose end nobody waits for"
    default = False
    severity = Severity.WARNING
    uses = frozenset({Use.ATTRIBUTE})

    def suspect(self, site: Site) -> bool:
        nodes = self.module.facts.nodes
        taken = nodes[site.other] if site.other >= 0 else None
        if not isinstance(taken, Attr) or taken.name != "cancel" or not self.module.scope_of(site).is_async:
            return False
        return bool(calls := self._started(site)) and not any(
            is_cared_for(self.module, call) for call in calls
        )

    def _started(self, site: Site) -> tuple[int, ...]:
        """The calls in this function that start the task which a name stands for."""
        calls = self.module.flow.origins(site.node)
        for call in calls:
            made = self.module.call_site(call)
            if made is None or made is site or made.scope != site.scope or self.module.is_safe(made):
                return ()
            if starter(self.module, call) not in _TASKS:
                return ()
        return calls

    def visit_Call(self, node: libcst.Call) -> None:
        func = node.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "cancel":
            return
        site = self.context.site(func.value)
        if site is None or site.use not in self.uses or not self.suspect(site):
            return
        calls = self._started(site)
        made = self.module.call_site(calls[0])
        subject = self.context.source(func.value)
        self.report(
            node,
            f"`{subject}` is cancelled, but never awaited: it goes on until it has dealt with CancelledError,"
            f" and its exception is never seen; `await {subject}` afterwards",
            related=[self.module.place(made, "the task is started here")] if made is not None else (),
            cause=("cancelled", calls),
        )
