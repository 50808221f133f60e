"""
## What it does

Reports `await asyncio.wait(...)` with `return_when=FIRST_COMPLETED` (or `FIRST_EXCEPTION`) or with a
`timeout`, where nothing reads the set of pending tasks, and the function has started the tasks itself and
neither awaits, cancels nor keeps them. The last wait of a function that `asyncio.run` runs is not reported:
that cancels what is left.

## Why is this bad?

`asyncio.wait` cancels nothing. The tasks that lose the race run on, with all that they hold, nobody looks at
their results or exceptions, and soon only the event loop's weak references to them are left.

## Example

```py
import asyncio

async def ask(server: str) -> str:
    return server

async def fastest() -> str:
    first = asyncio.create_task(ask("a"))
    second = asyncio.create_task(ask("b"))
    done, pending = await asyncio.wait(  # error: [pending-tasks-abandoned]
        [first, second], return_when=asyncio.FIRST_COMPLETED
    )
    return await done.pop()
```

## Use instead

```py
import asyncio

async def ask(server: str) -> str:
    return server

async def fastest() -> str:
    first = asyncio.create_task(ask("a"))
    second = asyncio.create_task(ask("b"))
    done, pending = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return await done.pop()
```

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import last_name
from awaitlint.model import Severity
from awaitlint.rulekit.futures import future_maker
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.waits import left_alone
from awaitlint.syntax.cst import cst
from awaitlint.syntax.reading import is_read_after

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site

_EARLY = {"FIRST_COMPLETED": "when the first is done", "FIRST_EXCEPTION": "when the first fails"}


class PendingTasksAbandoned(Rule):
    code = "AWL205"
    name = "pending-tasks-abandoned"
    summary = "`asyncio.wait` that leaves tasks running which nothing looks at any more"
    severity = Severity.WARNING
    uses = frozenset({Use.AWAITED})
    callees = frozenset({"wait"})

    def suspect(self, site: Site) -> bool:
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, f.Call) or not self._returns(call):
            return False
        if self.module.call_site(site.node) is not site or future_maker(self.module, site.node) != "wait":
            return False
        return left_alone(self.module, site) and not self.module.is_safe(site)

    def _returns(self, call: f.Call) -> str:
        """When a call of ``wait`` returns; empty where all tasks are done then."""
        nodes = self.module.facts.nodes
        keywords = dict(call.keywords)
        when = nodes[keywords["return_when"]] if "return_when" in keywords else None
        name = str(when.value) if isinstance(when, f.Const) else last_name(when) if when is not None else ""
        if name in _EARLY:
            return _EARLY[name]
        timeout = nodes[keywords["timeout"]] if "timeout" in keywords else f.Const(None)
        return "" if isinstance(timeout, f.Const) and timeout.value is None else "after the timeout"

    def visit_Await(self, node: libcst.Await) -> None:
        call = node.expression
        site = self.context.site(call) if isinstance(call, cst.Call) else None
        if site is None or site.use is not Use.AWAITED or not isinstance(call, cst.Call):
            return
        if not self.suspect(site) or not self._drops(node) or self.context.expects_error():
            return
        fact = self.module.facts.nodes[site.node]
        assert isinstance(fact, f.Call)
        self.report(
            call,
            f"`{self.context.source(call.func)}` returns {self._returns(fact)} and cancels nothing, and"
            " nothing reads the pending tasks: they run on unobserved; cancel what is pending and await it",
        )

    def _drops(self, node: libcst.Await) -> bool:
        """Whether nothing reads the second of the two sets that an ``await asyncio.wait`` gives."""
        parents = self.context.parents
        parent = parents[-1]
        if isinstance(parent, cst.Expr):
            return True
        if isinstance(parent, cst.Subscript) and parent.value is node and len(parent.slice) == 1:
            index = parent.slice[0].slice
            return isinstance(index, cst.Index) and self.context.source(index.value) == "0"
        if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
            return False
        target = parent.targets[0].target
        if not isinstance(target, (cst.Tuple, cst.List)) or len(target.elements) != 2:
            return False
        pending = target.elements[1]
        if not isinstance(pending, cst.Element) or not isinstance(pending.value, cst.Name):
            return False
        name = pending.value.value
        return name == "_" or not is_read_after(self.context, parents, parent, name)
