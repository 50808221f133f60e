"""
## What it does

Reports locks that no other task can ever wait for, in async code: `async with asyncio.Lock():` and its like,
where the lock is made on the spot, or by a function or property that makes a new one each time, and a lock in
a local variable that the function enters and gives to nobody.

It knows `Lock`, `Semaphore`, `BoundedSemaphore` and `Condition` of asyncio, those of anyio and trio with
`CapacityLimiter` and `StrictFIFOLock`, and, in async functions, those of threading and multiprocessing.

## Why is this bad?

A lock keeps tasks apart that hold the *same* lock. Each call of the function makes a new one, which is free:
nobody ever waits, and the code behaves as if there were no lock or limit at all.

## Example

```py
import asyncio

balance = 0

async def fetch() -> int:
    return 1

async def deposit() -> None:
    global balance
    async with asyncio.Lock():  # error: [ephemeral-lock]
        amount = await fetch()
        balance += amount

async def withdraw() -> None:
    global balance
    lock = asyncio.Lock()
    async with lock:  # error: [ephemeral-lock]
        amount = await fetch()
        balance -= amount
```

## Use instead

Make the lock once, where all tasks find it: in the module, or in `__init__` of the object that it protects.

```py
import asyncio

balance = 0
lock = asyncio.Lock()

async def fetch() -> int:
    return 1

async def deposit() -> None:
    global balance
    async with lock:
        amount = await fetch()
        balance += amount
```

A local semaphore that a nested function or the tasks of the same call share is right, and not reported.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import ScopeKind, Use
from awaitlint.index.marks import MarkKind
from awaitlint.rulekit.locks import entered, is_private, made_lock, rebuilt_lock
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.running import innermost_function
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.rulekit.locks import Lock

#: what stands for a value that was bound to a name
_NAMED = frozenset({f.Call, f.Declared, f.Phi})


class EphemeralLock(Rule):
    code = "AWL602"
    name = "ephemeral-lock"
    summary = "a lock or semaphore that is made where it is entered, so that nobody else can wait for it"
    uses = frozenset({Use.ASYNC_WITH, Use.WITH, Use.ATTRIBUTE})

    def suspect(self, site: f.Site) -> bool:
        facts = self.module.facts
        node = facts.nodes[site.node]
        if type(node) not in _NAMED or not facts.scopes[site.scope].is_async:
            return False
        if site.use is Use.ATTRIBUTE:
            taken = facts.nodes[site.other]
            if not isinstance(taken, f.Attr) or taken.name != "acquire":
                return False
        return any(self._lock(call) is not None for call in self.module.flow.origins(site.node))

    def suspicious(self) -> Iterator[int]:
        facts = self.module.facts
        for mark in facts.marks:
            if mark.kind is MarkKind.ASYNC_WITH and rebuilt_lock(self.module, mark.node) is not None:
                yield mark.line

    def _lock(self, call: int) -> Lock | None:
        site = self.module.call_site(call)
        found = made_lock(self.module, call)
        return None if found is None or site is None or self.module.is_safe(site) else found

    def visit_With(self, node: libcst.With) -> None:
        if not self.context.scope.is_async:
            return
        for item, entering in entered(self, node):
            found = rebuilt_lock(self.module, entering) if isinstance(item, cst.Attribute) else None
            if found is not None:
                self._report(item, found, entering, "is a property that makes a new one each time")
            else:
                self._check(item)

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        if node.attr.value == "acquire" and self.context.scope.is_async:
            self._check(node.value)

    def _check(self, node: libcst.BaseExpression) -> None:
        """Report a lock where it is entered or acquired."""
        site = self.context.site(node)
        if site is None:
            return
        if isinstance(node, cst.Call):
            found = self._lock(site.node)
            if found is not None:
                self._report(node, found, site.node, "is made where it is entered, anew each time")
        elif isinstance(node, cst.Name):
            made = self._made_in_function(node.value)
            function = innermost_function(self.context.parents)
            if made is not None and function is not None and is_private(function, node.value):
                call, found = made
                self._report(node, found, call, "is made in each call of the function and given to nobody")

    def _made_in_function(self, name: str) -> tuple[int, Lock] | None:
        """The call that makes the lock in a local variable, where every binding of the variable makes one."""
        scope = self.context.scope
        if scope.kind is not ScopeKind.FUNCTION or not scope.bindings.get(name):
            return None
        made: list[tuple[int, Lock]] = []
        for bound in scope.bindings[name]:
            node = self.module.facts.nodes[bound]
            call = node.value if isinstance(node, f.Declared) else bound
            found = self._lock(call) if call >= 0 else None
            if found is None:
                return None
            made.append((call, found))
        return made[0]

    def _report(self, node: libcst.BaseExpression, lock: Lock, call: int, how: str) -> None:
        subject = self.context.source(node)
        kind = "" if isinstance(node, cst.Call) else f" ({lock.name})"
        self.report(
            node,
            f"`{subject}`{kind} {how}: no other task can wait for it, so that it keeps nobody out; "
            "make it once, where all that use it find it",
            cause=("ephemeral", call),
        )
