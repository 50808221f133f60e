"""
## What it does

Reports `time.sleep` in the body of an `async def`. A nested plain function or lambda is not part of that
body, and handing `time.sleep` to a thread is fine.

## Why is this bad?

`time.sleep` stops the whole event loop: no other task runs until it returns.

## Example

```py
import time

async def poll() -> None:
    time.sleep(2)  # error: [blocking-sleep]
```

## Use instead

```py
import asyncio

async def poll() -> None:
    await asyncio.sleep(2)
```

## Fix safety

The fix replaces the call by `await asyncio.sleep(...)` (`trio.sleep` or `anyio.sleep` in a module that uses
that library and not asyncio) and adds the import. It is safe: the function waits as long as before, and lets
others run meanwhile. There is no fix where `await` cannot stand.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import FunctionValue
from awaitlint.model import Edit, Safety
from awaitlint.rulekit.libraries import is_shadowed, library
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.edits import insert_await
from awaitlint.syntax.imports import add_import

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix


class BlockingSleep(Rule):
    code = "AWL301"
    name = "blocking-sleep"
    summary = "`time.sleep` in async code"
    fixes = (Safety.SAFE,)
    uses = frozenset(Use)
    callees = frozenset({"sleep"})

    def may_suspect(self, site: f.Site) -> bool:
        return site.scope in self._async_scopes

    def suspect(self, site: f.Site) -> bool:
        if not self.may_suspect(site):
            return False
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, f.Call):
            return False
        func = self.module.infer.value(self.module.module, call.func)
        if not isinstance(func, FunctionValue) or func.qualname != "time.sleep":
            return False
        return not self.module.is_safe(site)

    @cached_property
    def _async_scopes(self) -> frozenset[int]:
        """The scopes whose code runs in an event loop; the body of a class runs where it stands."""
        found: set[int] = set()
        for index, scope in enumerate(self.module.facts.scopes):
            if scope.is_async or (scope.kind is f.ScopeKind.CLASS and scope.parent in found):
                found.add(index)
        return frozenset(found)

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        if site is None or not self.suspect(site) or self.context.in_generator(node):
            return
        found, bound = library(self.module)
        subject = self.context.source(node.func)
        self.report(
            node,
            f"`{subject}` stops the event loop and every task in it; use `await {bound}.sleep(...)`",
            fix=self._fix(node, site, found, bound),
        )

    def _fix(self, node: libcst.Call, site: f.Site, found: str, bound: str) -> Fix | None:
        scope = self.module.scope_of(site)
        if not scope.is_async or not node.args or is_shadowed(self.module, bound):
            return None
        edits = [Edit(self.context.span(node.func), f"{bound}.sleep")]
        if site.use is not Use.AWAITED:
            edits += insert_await(self.context, self.module.lines, node, self.context.parents)
        added = add_import(self.module.text, f"import {found}") if bound == found else None
        if added is not None:
            edits.append(added)
        return self.fix(f"Replace with `await {bound}.sleep(...)`", edits)
