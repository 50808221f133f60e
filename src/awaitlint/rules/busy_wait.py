"""
## What it does

Reports loops in async code that wait for something by asking again and again:

- `while not self.ready: await asyncio.sleep(...)`, also written as `while True` with an `if` that ends it,
  where the test looks at variables and attributes, or asks `done()`, `is_set()`, `empty()` and the like;
- `while not self.ready: pass`, during which nothing else can run;
- `while True` that neither awaits nor ends.

## Why is this bad?

A loop that sleeps wakes up for nothing most of the time, and too late when it matters. An event wakes
whoever waits at once. A loop that does not even await stops the event loop: what it waits for can never
happen.

## Example

<!-- select: busy-wait -->

```py
import asyncio

class Client:
    connected = False

    async def wait_connected(self) -> None:
        while not self.connected:  # error: [busy-wait]
            await asyncio.sleep(0.1)
```

## Use instead

```py
import asyncio

class Client:
    def __init__(self) -> None:
        self.connected = asyncio.Event()

    async def wait_connected(self) -> None:
        await self.connected.wait()
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.marks import MarkKind
from awaitlint.index.reached import reached
from awaitlint.infer.values import Instance
from awaitlint.model import Severity
from awaitlint.rulekit.libraries import library
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

_SLEEPS = frozenset(
    {"anyio.sleep", "anyio.lowlevel.checkpoint", "asyncio.sleep", "asyncio.tasks.sleep"}
    | {"trio.sleep", "trio.lowlevel.checkpoint", "anyio._core._eventloop.sleep"}
)
#: methods that tell something of this process
_ASKING = frozenset(
    {"all", "any", "bool", "cancelled", "done", "empty", "full", "is_set", "len", "locked", "qsize"}
)
#: modules whose objects are shared among threads or processes
_THREADING = frozenset({"threading", "queue", "_queue", "multiprocessing", "concurrent"})
#: calls that may end a loop
_ENDING = frozenset({"_exit", "abort", "exit", "quit"})


class BusyWait(Rule):
    code = "AWL703"
    name = "busy-wait"
    summary = "a loop that polls state of its own process, or that never lets go"
    default = False
    severity = Severity.WARNING

    def suspicious(self) -> Iterator[int]:
        for mark in self.module.facts.marks:
            if mark.kind is MarkKind.LOOP:
                yield mark.line

    def visit_While(self, node: libcst.While) -> None:
        if not self.context.scope.is_async or node.orelse is not None:
            return
        endless = _is_endless(node.test)
        asked = self._asked(node)
        if asked is not None and self._is_state(asked):
            self._report_polling(node, asked)
        elif not endless and self._is_state(node.test) and _is_empty(node.body):
            subject = self.context.source(node.test)
            self.report(
                node.test,
                f"`while {subject}` awaits nothing: no other task can run and change that; wait for an event",
            )
        elif endless and self._never_lets_go(node):
            subject = self.context.source(node.test)
            message = (
                f"`while {subject}` neither awaits nor ends: it stops the event loop and every task in it"
            )
            self.report(node.test, message)

    def _report_polling(self, node: libcst.While, asked: libcst.BaseExpression) -> None:
        subject, bound = self.context.source(asked), library(self.module)[1]
        self.report(
            node.test,
            f"this loop asks for `{subject}` again and again; await what it waits for,"
            f" such as an `{bound}.Event` that is set then",
        )

    # ------------------------------------------------------------------ polling
    def _asked(self, node: libcst.While) -> libcst.BaseExpression | None:
        """What decides about the end of a loop that does nothing but sleep."""
        statements = list(node.body.body)
        asked = None if _is_endless(node.test) else node.test
        if asked is None:
            ends = [each for each in statements if isinstance(each, cst.If)]
            if len(ends) != 1 or ends[0].orelse is not None or not _is_exit(ends[0].body):
                return None
            statements.remove(ends[0])
            asked = ends[0].test
        return asked if len(statements) == 1 and self._is_sleep(statements[0]) else None

    def _is_sleep(self, statement: libcst.CSTNode) -> bool:
        if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
            statement = statement.body[0]
        if not isinstance(statement, cst.Expr) or not isinstance(statement.value, cst.Await):
            return False
        site = self.context.site(statement.value.expression)
        call = self.module.facts.nodes[site.node] if site is not None else None
        if not isinstance(call, f.Call):
            return False
        func = self.module.called(site) if site is not None else None
        if func is not None and func.qualname in _SLEEPS:
            return True
        return reached(self.module.infer.project, self.module.module, call.func) in _SLEEPS

    def _is_state(self, test: libcst.BaseExpression) -> bool:
        """Whether a test looks at variables and attributes only, and at one of them at least."""
        named = False
        for node in own_nodes([test]):
            if isinstance(node, (cst.Await, cst.NamedExpr, cst.Lambda)):
                return False
            if isinstance(node, cst.Call):
                func = node.func
                name = func.attr.value if isinstance(func, cst.Attribute) else getattr(func, "value", "")
                if name not in _ASKING or self._is_of_threads(node):
                    return False
            named = named or (isinstance(node, cst.Name) and node.value not in ("True", "False", "None"))
        return named

    def _is_of_threads(self, node: libcst.Call) -> bool:
        """Whether a call asks an object that other threads use, which cannot wake up a task."""
        site = self.context.site(node)
        call = self.module.facts.nodes[site.node] if site is not None else None
        func = self.module.facts.nodes[call.func] if isinstance(call, f.Call) else None
        if not isinstance(func, f.Attr):
            return False
        owner = self.module.infer.value(self.module.module, func.value)
        return isinstance(owner, Instance) and owner.cls.module.name.partition(".")[0] in _THREADING

    def _never_lets_go(self, node: libcst.While) -> bool:
        """Whether nothing ends an endless loop but an exception that nobody there expects."""
        parents = self.context.parents
        at = max((at for at, each in enumerate(parents) if isinstance(each, cst.FunctionDef)), default=-1)
        if any(isinstance(each, (cst.Try, cst.TryStar, cst.With)) for each in parents[at + 1 :]):
            return False
        for each in own_nodes([node.body]):
            if isinstance(each, (cst.Await, cst.Break, cst.Return, cst.Raise, cst.Yield)):
                # the `break` of a loop inside is taken for one of this loop
                return False
            if isinstance(each, (cst.For, cst.With, cst.CompFor)) and each.asynchronous is not None:
                return False
            if isinstance(each, cst.Call) and isinstance(each.func, (cst.Name, cst.Attribute)):
                name = each.func.value if isinstance(each.func, cst.Name) else each.func.attr.value
                if name in _ENDING:
                    return False
        return True


def _is_endless(test: libcst.BaseExpression) -> bool:
    if isinstance(test, cst.Integer):
        return test.evaluated_value != 0
    return isinstance(test, cst.Name) and test.value == "True"


def _is_exit(body: libcst.BaseSuite) -> bool:
    """Whether a block leaves the loop at once."""
    last = body.body[-1]
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return len(body.body) == 1 and isinstance(last, (cst.Break, cst.Return))


def _is_empty(body: libcst.BaseSuite) -> bool:
    """Whether a block does nothing."""
    for statement in body.body:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else (statement,):
            bare = isinstance(small, cst.Expr) and isinstance(small.value, cst.Ellipsis)
            if not isinstance(small, cst.Pass) and not bare:
                return False
    return True
