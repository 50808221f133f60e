"""
## What it does

Reports handlers in async code that catch a cancellation and keep it, where the `try` awaits something:

- `except asyncio.CancelledError` (also `trio.Cancelled` and `anyio.get_cancelled_exc_class()`) in an
  endless loop or a `for` loop that then goes on;
- `except BaseException` and a bare `except` that log or ignore whatever happens, without an earlier `except
  asyncio.CancelledError: raise`.

Where the function merely ends, or goes on elsewhere, after a handler for cancellation, that is often meant:
such findings are *likely*, and reported only under the preset `pedantic` or where the rule is selected by
its name. Handlers in code that cleans up, for tasks that the function has cancelled or waits for, and those
that look at the exception, store it or hand it on are not reported.

## Why is this bad?

Cancellation is an exception that the event loop raises in the task, and has to come out of it. Where it is
swallowed, the task runs on: timeouts do not end it, a task group waits for it for ever, and the program
hangs when it is to stop.

## Example

```py
import asyncio
import logging

async def poll(queue: asyncio.Queue[str]) -> None:
    while True:
        try:
            print(await queue.get())
        except asyncio.CancelledError:  # error: [swallowed-cancellation]
            logging.info("cancelled")

async def load(url: str) -> str | None:
    try:
        return await fetch(url)
    except:  # error: [swallowed-cancellation]
        return None

async def fetch(url: str) -> str:
    return url
```

## Use instead

```py
import asyncio
import logging

async def poll(queue: asyncio.Queue[str]) -> None:
    while True:
        try:
            print(await queue.get())
        except asyncio.CancelledError:
            logging.info("cancelled")
            raise

async def load(url: str) -> str | None:
    try:
        return await fetch(url)
    except Exception:
        return None

async def fetch(url: str) -> str:
    return url
```

## Fix safety

The fix adds `raise`: to a handler for cancellation alone at its end, before any other as a handler of its
own. It is unsafe, because code may rely on the function going on.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.config.selection import reports_likely
from awaitlint.index import facts as f
from awaitlint.index.marks import MarkKind
from awaitlint.infer.bodies import last_name
from awaitlint.model import Confidence, Safety, Span
from awaitlint.rulekit.caught import Caught, caught
from awaitlint.rulekit.fates import goes_on_in
from awaitlint.rulekit.reraising import reraise
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.suites import may_be_in_loop, surely_raises
from awaitlint.rulekit.swallowing import (
    cleans_up,
    decides,
    is_told,
    notes,
    waits_for_others,
    was_cancelled,
)
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

_CATCHES = Caught.CANCELLATION | Caught.EVERYTHING


class SwallowedCancellation(Rule):
    code = "AWL401"
    name = "swallowed-cancellation"
    summary = "a handler that keeps a cancellation, so that the task runs on"
    fixes = (Safety.UNSAFE,)

    def suspicious(self) -> Iterator[int]:
        likely = reports_likely(self.module.settings, self.code, self.name)
        for mark in self.module.facts.marks:
            what = self._handlers[mark.line] if mark.kind is MarkKind.HANDLER else Caught(0)
            if not what & _CATCHES or surely_raises(self.module.lines, mark.line):
                continue
            scope = self.module.facts.scopes[mark.scope]
            if (
                likely
                or Caught.EVERYTHING in what
                or may_be_in_loop(self.module.lines, scope.line, mark.line)
            ):
                yield mark.line

    @cached_property
    def _handlers(self) -> dict[int, Caught]:
        """What the handlers catch whose `try` awaits in async code, by their lines."""
        return {
            mark.line: caught(self.module, mark.node)
            for mark in self.module.facts.marks
            if mark.kind is MarkKind.HANDLER
        }

    def visit_Try(self, node: libcst.Try) -> None:
        for handler in node.handlers:
            what = self._handlers.get(self.context.span(handler).line, Caught(0))
            if what & _CATCHES:
                self._look_at(node, handler, what)
                return

    def _look_at(self, node: libcst.Try, handler: libcst.ExceptHandler, what: Caught) -> None:
        parents = self.context.parents
        at = max(at for at, each in enumerate(parents) if isinstance(each, cst.FunctionDef))
        function, inner = parents[at], parents[at + 1 :]
        assert isinstance(function, cst.FunctionDef)
        if (
            is_told(handler)
            or waits_for_others(node)
            or cleans_up(function, node, inner)
            or was_cancelled(function, handler)
        ):
            return
        loop = goes_on_in(handler, node, inner)
        if loop is not None and not notes(handler).isdisjoint(self._read(loop)):
            return
        everything = Caught.EVERYTHING in what
        certain = self._is_certain(handler, loop, function, everything=everything)
        self._report(handler, what, loop, Confidence.CERTAIN if certain else Confidence.LIKELY)

    @staticmethod
    def _read(loop: libcst.For | libcst.While) -> set[str]:
        """The names that the test of a loop looks at."""
        test = [loop.test] if isinstance(loop, cst.While) else []
        return {each.value for each in own_nodes(test) if isinstance(each, cst.Name)}

    def _is_certain(
        self,
        handler: libcst.ExceptHandler,
        loop: libcst.For | libcst.While | None,
        function: libcst.FunctionDef,
        *,
        everything: bool,
    ) -> bool:
        if everything:
            # the outermost function of a task may end as it likes, and a test is one
            name = function.name.value
            return loop is not None or not (name in self._given or name.startswith("test_"))
        if loop is None or decides(handler):
            return False
        # whoever cancels may have told the test of the loop before
        return isinstance(loop, cst.For) or _is_constant(loop.test)

    @cached_property
    def _given(self) -> frozenset[str]:
        """The names of functions that are given to others, or whose coroutines are."""
        nodes = self.module.facts.nodes
        found = set()
        for node in nodes:
            if not isinstance(node, f.Call):
                continue
            for index in (*node.args, *(value for _, value in node.keywords)):
                given = nodes[index]
                given = nodes[given.func] if isinstance(given, f.Call) else given
                if isinstance(given, f.Func):
                    found.add(self.module.facts.scopes[given.scope].name)
                else:
                    found.add(last_name(given))
        return frozenset(found)

    def _report(
        self,
        handler: libcst.ExceptHandler,
        what: Caught,
        loop: libcst.CSTNode | None,
        confidence: Confidence,
    ) -> None:
        start = self.context.span(handler)
        spelled = "except" if handler.type is None else f"except {self.context.source(handler.type)}"
        end = start.column + len("except")
        span = Span(start.line, start.column, start.line, end)
        then = "the loop goes on" if loop is not None else "the task goes on"
        if what is Caught.EVERYTHING:
            message = (
                f"`{spelled}` also swallows the cancellation of the task, and {then} as if nothing had"
                " happened; let it pass, or catch `Exception`"
            )
        else:
            message = f"`{spelled}` swallows the cancellation of the task, and {then}; end with `raise`"
        fix = reraise(self, handler, alone=what is Caught.CANCELLATION)
        self.module.add(self, span, message, fix=fix, confidence=confidence)


def _is_constant(test: libcst.BaseExpression) -> bool:
    return isinstance(test, cst.Integer) or (isinstance(test, cst.Name) and test.value == "True")
