"""
## What it does

Reports timeouts and cancel scopes in async code whose body awaits nothing: `asyncio.timeout`,
`async_timeout.timeout`, `fail_after`, `move_on_after` and `CancelScope` of anyio and trio, and functions of
the project that return one.

## Why is this bad?

A timeout interrupts its body only where that waits: at an `await`, an `async for` or an `async with`. A
body without one is never interrupted, however long it takes. What it starts in a task group is no part of
it, either.

## Example

```py
import asyncio

def crunch(rows: list[int]) -> int:
    return sum(rows)

async def total(rows: list[int]) -> int:
    async with asyncio.timeout(5):  # error: [timeout-without-await]
        return crunch(rows)
```

## Use instead

```py
import asyncio

def crunch(rows: list[int]) -> int:
    return sum(rows)

async def total(rows: list[int]) -> int:
    async with asyncio.timeout(5):
        return await asyncio.to_thread(crunch, rows)
```

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index.facts import Use
from awaitlint.rulekit.cancel_scopes import Kind
from awaitlint.rulekit.scoped import ScopedRule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import awaits, own_nodes

if TYPE_CHECKING:
    import libcst

    from awaitlint.rulekit.cancel_scopes import CancelScope
    from awaitlint.rulekit.scoped import Entry

#: what becomes of a coroutine that somebody forgot to await
_FORGOTTEN = frozenset({Use.DISCARDED, Use.NEVER_READ, Use.RETURNED})
#: functions that read what a scope does to the code in it
_OBSERVERS = frozenset({"current_effective_deadline", "current_statistics"})


class TimeoutWithoutAwait(ScopedRule):
    code = "AWL402"
    name = "timeout-without-await"
    summary = "a timeout or cancel scope whose body awaits nothing"
    kinds = frozenset({Kind.TIMEOUT, Kind.CANCEL})
    # where an `await` is missing in the body, that is the mistake
    yields_to = frozenset({"AWL101", "AWL102", "AWL110", "AWL111", "AWL802"})

    def may_report(self, entry: Entry) -> bool:
        return self.scope_of(entry).is_async and not self.surely_awaits(entry)

    def visit_With(self, node: libcst.With) -> None:
        if self.context.expects_error():
            return
        for number, (item, entry) in enumerate(self.entries(node)):
            opened = self.opened(entry) if self.may_report(entry) else None
            if opened is None:
                continue
            inner = [other.item for other in node.items if other is not item][number:]
            if (inner and entry.is_async) or awaits([*inner, node.body], or_yields=True):
                continue
            if self._is_observed(node) or self._is_held(item, node, opened):
                continue
            subject = self.context.source(item.item)
            never = "expire" if opened.kind is Kind.TIMEOUT else "be cancelled"
            self.report(
                item.item,
                f"`{subject}` can never {never}: it interrupts only what waits, and its body awaits nothing",
                cause=self._forgotten(node),
            )

    def _forgotten(self, node: libcst.With) -> object:
        """What findings about an ``await`` that is missing in the body have for a cause; None without one."""
        sites = (self.context.site(each) for each in own_nodes([node.body]) if isinstance(each, cst.Call))
        for site in sites:
            if site is not None and site.use in _FORGOTTEN and self.module.coroutine(site) is not None:
                return ("coroutine", site.node)
        return None

    def _is_asked(self, scope: libcst.BaseExpression) -> bool:
        """Whether the function looks at attributes of a scope that it has in a variable."""
        functions = [each for each in self.context.parents if isinstance(each, cst.FunctionDef)]
        return isinstance(scope, cst.Name) and any(
            isinstance(each, cst.Attribute) and scope.deep_equals(each.value)
            for each in own_nodes([functions[-1].body])
        )

    @staticmethod
    def _is_observed(node: libcst.With) -> bool:
        return any(
            isinstance(each, cst.Call)
            and isinstance(each.func, (cst.Name, cst.Attribute))
            and (each.func.value if isinstance(each.func, cst.Name) else each.func.attr.value) in _OBSERVERS
            for each in own_nodes([node.body])
        )

    def _is_held(self, item: libcst.WithItem, node: libcst.With, opened: CancelScope) -> bool:
        """Whether somebody has a cancel scope in hand: the body uses it, or it had a name before."""
        if not isinstance(item.item, cst.Call) and not opened.is_async:
            return opened.kind is Kind.CANCEL or self._is_asked(item.item)
        if opened.kind is not Kind.CANCEL or item.asname is None:
            return False
        name = item.asname.name
        if not isinstance(name, cst.Name):
            return True
        return any(isinstance(each, cst.Name) and each.value == name.value for each in own_nodes([node.body]))
