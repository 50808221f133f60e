"""
## What it does

Reports calls in the body of an `async def` that wait for another thread or for the user: `Thread.join`,
`queue.Queue.get` and `put`, `threading.Event.wait`, `Future.result` of `concurrent.futures`, `select.select`,
`input`. Calls that do not wait (`block=False`, `timeout=0`, `get_nowait`) are not reported, nor is the result
of a future that is `done()`.

Taking a lock of `threading` or `multiprocessing` is reported only where it may take long: a plain function of
the project holds the lock while it sleeps, or waits for the network, a database, another process or thread.

## Why is this bad?

The event loop stands still until the other thread is done. Where that thread itself needs the event loop,
for instance through `asyncio.run_coroutine_threadsafe`, both wait forever.

## Example

```py
import queue

jobs: queue.Queue[str] = queue.Queue()

async def work() -> str:
    return jobs.get()  # error: [blocking-wait]
```

## Use instead

```py
import asyncio

jobs: asyncio.Queue[str] = asyncio.Queue()

async def work() -> str:
    return await jobs.get()
```
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.rulekit.blocked import BlockedRule, waits
from awaitlint.rulekit.holders import Holders
from awaitlint.rulekit.libraries import in_thread
from awaitlint.rulekit.locks import entered
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.rulekit.holders import Holder, Taking


class BlockingWait(BlockedRule):
    code = "AWL306"
    name = "blocking-wait"
    summary = "waiting for another thread in async code"
    fixes = ()
    kinds = frozenset({"wait"})

    def suspicious(self) -> Iterator[int]:
        yield from super().suspicious()
        for taking, _ in self._takings:
            yield taking.line

    @cached_property
    def _takings(self) -> list[tuple[Taking, Holder]]:
        blocked = self.module.blocked
        return [] if blocked is None else list(Holders(blocked.chains).takings(self.module.module))

    def visit_With(self, node: libcst.With) -> None:
        if node.asynchronous is None and self._takings:
            for lock, taken in entered(self, node):
                self._report(lock, taken)

    def visit_Call(self, node: libcst.Call) -> None:
        super().visit_Call(node)
        site = self.context.site(node) if self._takings else None
        if site is not None and isinstance(node.func, cst.Attribute):
            self._report(node.func.value, site.node, node)

    def _report(
        self, lock: libcst.BaseExpression, taken: int, at: libcst.BaseExpression | None = None
    ) -> None:
        """Report that a lock is taken by a node, if it is."""
        blocked = self.module.blocked
        holder = next((holder for taking, holder in self._takings if taking.node == taken), None)
        if blocked is None or holder is None:
            return
        subject, name = self.context.source(lock), holder.function.fact.qualname
        place = blocked.place(holder.hops[-1])
        self.report(
            at or lock,
            f"to take `{subject}` stops the event loop while `{name}` holds it, which {waits(holder.leaf)}"
            f" meanwhile ({place}); use the lock in a thread: `await {in_thread(self.module)}(...)`",
            related=[blocked.related(hop) for hop in holder.hops],
        )
