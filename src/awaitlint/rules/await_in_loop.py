"""
## What it does

Reports an `await` in a `for` loop, or in a comprehension, whose iterations have nothing to do with each
other: each calls a function with its own item and collects the result. Only such calls count that share no
session, connection or stream, and whose results are put into a list, a set or a dict.

Silent are loops that end early (`break`, `return`, `raise`) or carry something from one iteration to the
next, loops that sleep, catch exceptions, hold a lock or a session, `async for` and `while`, and tests.

That iterations are independent is likely, not certain. The findings are shown only under the preset
`pedantic`, or where the rule is selected by its own name.

## Why is this bad?

Each iteration begins when the one before has ended: a hundred requests of 0.1 s take 10 s, where they could
take little more than one.

## Example

<!-- select: await-in-loop -->

```py
import asyncio

async def fetch(url: str) -> bytes:
    await asyncio.sleep(0.1)
    return b""

async def fetch_all(urls: list[str]) -> list[bytes]:
    pages = []
    for url in urls:
        page = await fetch(url)  # error: [await-in-loop]
        pages.append(page)
    return pages
```

## Use instead

Start all of them, with a semaphore where there may be many:

```py
import asyncio

async def fetch(url: str) -> bytes:
    await asyncio.sleep(0.1)
    return b""

async def fetch_all(urls: list[str]) -> list[bytes]:
    limit = asyncio.Semaphore(10)

    async def fetch_one(url: str) -> bytes:
        async with limit:
            return await fetch(url)

    return await asyncio.gather(*(fetch_one(url) for url in urls))
```
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awaitlint.index.facts import Use
from awaitlint.model import Confidence, Severity
from awaitlint.rulekit.independent import ORDERED, Awaited, awaited_call, in_session, is_session, is_test
from awaitlint.rulekit.iterations import Iteration
from awaitlint.rulekit.libraries import library
from awaitlint.rulekit.locks import is_guarded
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.running import innermost_function, names
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import evaluated, is_await

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site


#: what a loop takes several items at a time by
_PARTS = re.compile(r"batch|chunk", re.IGNORECASE)


class AwaitInLoop(Rule):
    code = "AWL606"
    name = "await-in-loop"
    summary = "an `await` in a loop over independent iterations"
    default = False
    severity = Severity.WARNING
    confidence = Confidence.LIKELY
    uses = frozenset({Use.AWAITED})

    def suspect(self, site: Site) -> bool:
        return self.module.scope_of(site).is_async

    def visit_For(self, node: libcst.For) -> None:
        if node.asynchronous is not None or node.orelse is not None or not self.context.scope.is_async:
            return
        if any(_PARTS.search(name) for name in names(node.target)):
            return
        iteration = Iteration.of_loop(node)
        waits = [part for part in evaluated(node.body) if is_await(part)]
        if iteration is None or not waits:
            return
        if all(iteration.is_collected(part) and self._is_independent(part, iteration) for part in waits):
            self._report(waits)

    def visit_ListComp(self, node: libcst.ListComp) -> None:
        self._comprehension(node, node.elt)

    def visit_SetComp(self, node: libcst.SetComp) -> None:
        self._comprehension(node, node.elt)

    def visit_DictComp(self, node: libcst.DictComp) -> None:
        self._comprehension(node, node.value)

    def _comprehension(
        self, node: libcst.ListComp | libcst.SetComp | libcst.DictComp, element: libcst.BaseExpression
    ) -> None:
        loop = node.for_in
        waits = [part for part in evaluated(element) if is_await(part)]
        every = [part for part in evaluated(node) if is_await(part)]
        plain = loop.asynchronous is None and loop.inner_for_in is None
        if not waits or not plain or len(every) != len(waits) or not self.context.scope.is_async:
            return
        iteration = Iteration(frozenset(names(loop.target)), frozenset(), frozenset())
        if all(self._is_independent(part, iteration) for part in waits):
            self._report(waits)

    def _is_independent(self, node: libcst.CSTNode, iteration: Iteration) -> bool:
        """Whether an awaited call is one of an iteration's own."""
        call = awaited_call(self, node)
        if call is None or not isinstance(node, cst.Await):
            return False
        used = names(node)
        if used.isdisjoint(iteration.own) or not used.isdisjoint(iteration.filled):
            return False
        return self._serves_many(call, iteration)

    def _serves_many(self, call: Awaited, iteration: Iteration) -> bool:
        """Whether a function can be called again while it works, as far as names tell."""
        first = call.owner.partition(".")[0]
        if not call.owner:
            fitting = ORDERED.search(call.name) is None and not self._is_recursive(call)
        else:
            fitting = call.reads and (call.pooled or first in iteration.own)
        shared = [argument for argument in call.arguments if argument.partition(".")[0] not in iteration.own]
        return fitting and not any(
            argument in ("self", "cls") or is_session(argument.rpartition(".")[2]) for argument in shared
        )

    def _is_recursive(self, call: Awaited) -> bool:
        """Whether a function calls itself: what it does for its items is its own work, and no waiting."""
        function = innermost_function(self.context.parents)
        return function is not None and function.name.value == call.name

    def _report(self, waits: list[libcst.CSTNode]) -> None:
        if is_test(self) or is_guarded(self) or in_session(self):
            return
        found, bound = library(self.module)
        together = {"asyncio": f"`{bound}.gather`", "anyio": "a task group", "trio": "a nursery"}[found]
        first = waits[0]
        if isinstance(first, cst.Await):
            self.report(
                first,
                f"the next iteration begins when `{self.context.source(first)}` has ended, though they seem "
                f"to have nothing to do with each other; run them at the same time, with {together}",
            )
