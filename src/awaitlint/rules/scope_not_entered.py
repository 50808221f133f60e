"""
## What it does

Reports timeouts, cancel scopes and task groups (`asyncio.timeout`, `asyncio.TaskGroup`, those of
async_timeout, anyio and trio, and what functions of the project return of them) that are not entered, or by
the wrong statement:

- on a line of their own, or bound to a name that nobody reads;
- a task group in which tasks are started, a timeout or scope that is asked whether it has expired, but which
  no `with` enters;
- `with` where `async with` is needed, or the reverse.

## Why is this bad?

A scope works only between its entry and its exit: `asyncio.timeout(5)` on a line of its own limits nothing.
A task group that was not entered raises `RuntimeError` when a task is started in it. The wrong statement
fails, too: asyncio's scopes have no `__enter__`, and `fail_after` and its kin no `__aenter__`.

## Example

```py
import asyncio

async def load(url: str) -> bytes:
    asyncio.timeout(5)  # error: [scope-not-entered]
    return await fetch(url)

async def load_all(urls: list[str]) -> None:
    with asyncio.TaskGroup() as group:  # error: [scope-not-entered]
        for url in urls:
            group.create_task(fetch(url))

async def fetch(url: str) -> bytes:
    return b""
```

## Use instead

```py
import asyncio

async def load(url: str) -> bytes:
    async with asyncio.timeout(5):
        return await fetch(url)

async def load_all(urls: list[str]) -> None:
    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(fetch(url))

async def fetch(url: str) -> bytes:
    return b""
```

## Fix safety

The fix turns `with` into `async with`, or the reverse, and is safe: the code always fails without it. There
is none where `async with` cannot stand, nor for a scope on a line of its own: only its author knows what
was to be in it.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import last_name
from awaitlint.model import Edit, Safety, Span
from awaitlint.rulekit.cancel_scopes import SCOPE_NAMES, Kind
from awaitlint.rulekit.scoped import Entry, ScopedRule

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site
    from awaitlint.model import Fix
    from awaitlint.rulekit.cancel_scopes import CancelScope

#: a value that nobody gets
_LOST = frozenset({Use.DISCARDED, Use.NEVER_READ})
#: what code does with a task group that it has entered
_OF_GROUPS = frozenset({"create_task", "start", "start_soon", "cancel_scope"})
#: what code asks a timeout or cancel scope when it is over
_OF_SCOPES = frozenset({"cancel_called", "cancelled_caught", "expired"})


class ScopeNotEntered(ScopedRule):
    code = "AWL403"
    name = "scope-not-entered"
    summary = "a timeout, cancel scope or task group that is not entered, or by the wrong `with`"
    fixes = (Safety.SAFE,)
    uses = ScopedRule.uses | _LOST | {Use.BOUND}

    def suspect(self, site: Site) -> bool:
        if site.use in ScopedRule.uses:
            return super().suspect(site)
        return self._lost(site) is not None

    def may_report(self, entry: Entry) -> bool:
        return self.module.cancel_scopes.refuses(entry.node, is_async=entry.is_async)

    def _lost(self, site: Site) -> CancelScope | None:
        """The scope that a call makes for nobody, or for somebody who does not enter it."""
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, f.Call) or self.module.call_site(site.node) is not site:
            return None
        bound = site.use is Use.BOUND
        if bound and last_name(self.module.facts.nodes[call.func]) not in SCOPE_NAMES:
            return None
        made = self.module.cancel_scopes.at(site.node)
        if made is None or self.module.is_safe(site):
            return None
        if bound and not self._is_never_entered(site, made):
            return None
        return made

    def _is_never_entered(self, site: Site, made: CancelScope) -> bool:
        """Whether a scope is used as if it had been entered, and nothing else is done with its name."""
        facts, flow = self.module.facts, self.module.flow
        attributes = _OF_GROUPS if made.kind is Kind.GROUP else _OF_SCOPES
        started = False
        for other in facts.sites:
            if other is site or site.node not in flow.origins(other.node):
                continue
            used = facts.nodes[other.other] if other.use is Use.ATTRIBUTE and other.other >= 0 else None
            if not isinstance(used, f.Attr) or used.name not in attributes:
                return False
            started = True
        # a function that is defined inside may enter it
        return started and not any(
            isinstance(node, f.Free)
            and any(
                site.node in flow.origins(bound)
                for bound in facts.scopes[node.scope].bindings.get(node.name, ())
            )
            for node in facts.nodes
        )

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        if site is None or site.use in ScopedRule.uses or site.use not in self.uses:
            return
        made = self._lost(site)
        if made is None or self.context.expects_error():
            return
        subject, statement = self.context.source(node), "async with" if made.is_async else "with"
        if site.use is Use.BOUND:
            is_group = made.kind is Kind.GROUP
            so = "to start a task in it raises RuntimeError" if is_group else "it ends nothing"
            message = (
                f"the {made.noun} `{subject}` is never entered: {so}; write `{statement} {subject} as ...`"
            )
        else:
            message = (
                f"`{subject}` has no effect: a {made.noun} works only where it is entered;"
                f" write `{statement} {subject}`"
            )
        self.report(node, message)

    def visit_With(self, node: libcst.With) -> None:
        if self.context.expects_error():
            return
        for item, entry in self.entries(node):
            opened = self.opened(entry) if self.may_report(entry) else None
            if opened is None:
                continue
            subject = self.context.source(item.item)
            missing, right = ("aenter", "with") if entry.is_async else ("enter", "async with")
            self.report(
                item.item,
                f"`{subject}` cannot be entered so: it has no `__{missing}__`; use `{right}`",
                fix=self._fix(node, entry, right),
            )

    def _fix(self, node: libcst.With, entry: Entry, right: str) -> Fix | None:
        if len(node.items) > 1 or not self.scope_of(entry).is_async:
            return None
        start = self.context.span(node)
        if node.asynchronous is None:
            edit = Edit(Span(start.line, start.column, start.line, start.column), "async ")
        else:
            line = self.module.lines[start.line - 1]
            at = line.find("with", start.column + len("async"))
            if at < 0:
                return None
            edit = Edit(Span(start.line, start.column, start.line, at), "")
        return self.fix(f"Replace with `{right}`", [edit])
