"""
## What it does

Reports a lock of `threading` or `multiprocessing` that async code holds while it awaits: `with lock:` around
an `await`, an `async for`, an `async with` or an async comprehension, and `lock.acquire()` with an `await`
before `lock.release()`. What is entered must be known to be such a lock: by its assignment, an annotation, or
what a function returns.

## Why is this bad?

While the function awaits, other tasks of the same event loop run, in the same thread. One that wants the lock
blocks that thread until the lock is free, and the task that could free it never runs again: the event loop
stops for good. It takes two requests at the same time to see it. An `RLock` (and a `Condition`, which has
one) does the opposite: it belongs to the thread, so that the other task walks in, and nothing is protected.

## Example

```py
import asyncio
import threading

class Account:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 0

    async def deposit(self, amount: int) -> None:
        with self.lock:  # error: [sync-lock-across-await]
            await asyncio.sleep(0.1)
            self.balance += amount

    async def withdraw(self, amount: int) -> None:
        self.lock.acquire()  # error: [sync-lock-across-await]
        await asyncio.sleep(0.1)
        self.balance -= amount
        self.lock.release()
```

## Use instead

The lock of the async library where only tasks share the data, or a critical section that does not await.

```py
import asyncio

class Account:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.balance = 0

    async def deposit(self, amount: int) -> None:
        async with self.lock:
            await asyncio.sleep(0.1)
            self.balance += amount
```
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.marks import MarkKind
from awaitlint.infer.values import Value
from awaitlint.model import Related
from awaitlint.rulekit.libraries import library
from awaitlint.rulekit.locks import is_private, lock, made_lock, managers
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.running import innermost_function, spelling
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import evaluated, is_await

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.rulekit.locks import Lock


class SyncLockAcrossAwait(Rule):
    code = "AWL601"
    name = "sync-lock-across-await"
    summary = "a lock of threads that async code holds while it awaits"
    uses = frozenset({Use.WITH, Use.DISCARDED})

    def suspicious(self) -> Iterator[int]:
        scopes = self.module.facts.scopes
        for mark in self.module.facts.marks:
            scope = scopes[mark.scope]
            waits = mark.kind is MarkKind.WITH and scope.is_async and (mark.awaits or scope.is_generator)
            if waits and self._lock(self.module.infer.value(self.module.module, mark.node)) is not None:
                yield mark.line

    def suspect(self, site: f.Site) -> bool:
        facts = self.module.facts
        call = facts.nodes[site.node]
        if not isinstance(call, f.Call) or not facts.scopes[site.scope].is_async:
            return False
        if site.use is Use.WITH:
            return (
                made_lock(self.module, site.node) is None and self._lock(self.module.value(site)) is not None
            )
        return self._acquired(call) is not None

    @staticmethod
    def _lock(value: Value) -> Lock | None:
        found = lock(value)
        return found if found is not None and found.is_sync else None

    def _acquired(self, call: f.Call) -> Lock | None:
        """The lock that a call takes and waits for as long as that lasts."""
        func = self.module.facts.nodes[call.func]
        if not isinstance(func, f.Attr) or func.name != "acquire" or call.args or call.keywords:
            return None
        return self._lock(self.module.infer.value(self.module.module, func.value))

    # ------------------------------------------------------------------ with
    def visit_With(self, node: libcst.With) -> None:
        if node.asynchronous is not None or not self.context.scope.is_async:
            return
        waits = self._waits(node.body)
        if waits is None:
            return
        for item, value in zip(node.items, managers(self, node), strict=True):
            found = self._lock(value)
            if found is not None and not self._is_own(item.item) and not self._releases(node, item.item):
                self._report(item.item, f"with {self.context.source(item.item)}", found, waits)

    def _waits(self, body: libcst.BaseSuite) -> libcst.CSTNode | None:
        """Where a body lets other tasks run; an async generator's `yield` does, which its user iterates."""
        for node in evaluated(body):
            if is_await(node) or isinstance(node, cst.Yield):
                return node
        return None

    def _is_own(self, node: libcst.BaseExpression) -> bool:
        """Whether a lock is made here and for nobody else: nobody waits for it (see AWL602)."""
        if isinstance(node, cst.Call):
            site = self.context.site(node)
            return site is not None and made_lock(self.module, site.node) is not None
        function = innermost_function(self.context.parents)
        if not isinstance(node, cst.Name) or function is None:
            return False
        bound = self.context.scope.bindings.get(node.value, ())
        calls = [call for each in bound for call in self.module.flow.origins(each)]
        made = bool(calls) and all(made_lock(self.module, call) is not None for call in calls)
        return made and is_private(function, node.value)

    def _releases(self, node: libcst.With, held: libcst.BaseExpression) -> bool:
        """Whether the body of a `with` gives its lock back in between."""
        return any(_method(part) == (spelling(held), "release") for part in evaluated(node.body))

    # ------------------------------------------------------------------ acquire and release
    def visit_Call(self, node: libcst.Call) -> None:
        """`lock.acquire()` as a statement, where the function awaits before it gives the lock back."""
        owner, method = _method(node)
        if method != "acquire" or not self.context.scope.is_async:
            return
        site = self.context.site(node)
        call = self.module.facts.nodes[site.node] if site is not None else None
        found = self._acquired(call) if isinstance(call, f.Call) else None
        function = innermost_function(self.context.parents)
        if site is None or site.use is not Use.DISCARDED or found is None or function is None:
            return
        waits: libcst.CSTNode | None = None
        for part in itertools.dropwhile(lambda part: part is not node, evaluated(function.body)):
            if _method(part) == (owner, "release"):
                if waits is not None:
                    self._report(node, self.context.source(node), found, waits)
                return
            if waits is None and is_await(part):
                waits = part

    def _report(self, node: libcst.BaseExpression, subject: str, found: Lock, waits: libcst.CSTNode) -> None:
        bound = library(self.module)[1]
        where = self._words(waits)
        if found.is_reentrant:
            message = (
                f"`{subject}` ({found.name}) keeps no other task out while {where} lets them run: they are "
                f"in the same thread, which may take this lock again; use `{bound}.Lock` and `async with`"
            )
        else:
            message = (
                f"`{subject}` ({found.name}) holds the lock while {where} lets other tasks run: one that "
                f"wants it stops the event loop for good; use `{bound}.Lock` and `async with`, or do not "
                "await here"
            )
        place = Related(self.module.display, self.context.span(waits), "here other tasks run")
        self.report(node, message, related=(place,))

    def _words(self, waits: libcst.CSTNode) -> str:
        if isinstance(waits, cst.Await):
            return f"`{self.context.source(waits)}`"
        if isinstance(waits, cst.With):
            return f"`async with {self.context.source(waits.items[0].item)}`"
        if isinstance(waits, (cst.For, cst.CompFor)):
            return f"`async for {self.context.source(waits.target)}`"
        return "`yield`"


def _method(node: libcst.CSTNode) -> tuple[str, str]:
    """(owner, method) of a call of `acquire` or `release`; empty for anything else."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        name = node.func.attr.value
        owner = spelling(node.func.value)
        if owner and name in ("acquire", "release"):
            return owner, name
    return "", ""
