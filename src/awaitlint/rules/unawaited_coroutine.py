"""
## What it does

Reports a call that makes a coroutine whose value is dropped: an expression statement, also as an arm of
`and`/`or` or of a conditional expression, or as an element of a discarded tuple, list or comprehension.

## Why is this bad?

Calling an `async def` function only creates a coroutine. Until it is awaited or made a task, none of its body
runs: the statement does nothing, and Python says so at some later time, if at all
(`RuntimeWarning: coroutine '...' was never awaited`).

## Example

```py
import asyncio

async def refresh() -> None: ...

async def main() -> None:
    asyncio.sleep(1)  # error: [unawaited-coroutine]
    refresh()  # error: [unawaited-coroutine]
```

## Use instead

```py
import asyncio

async def refresh() -> None: ...

async def main() -> None:
    await asyncio.sleep(1)
    await refresh()
```

## Fix safety

The fix adds `await` and is unsafe, because the code then does what it did not do before. There is no fix in a
function that is not `async def`.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index.facts import Use
from awaitlint.infer.values import Instance, members
from awaitlint.rulekit.coroutines import CoroutineRule

if TYPE_CHECKING:
    import libcst

    from awaitlint.index import facts as f


#: functions that give what awaiting their argument gives
_RUNNERS = frozenset({"run", "run_until_complete"})


class UnawaitedCoroutine(CoroutineRule):
    code = "AWL101"
    name = "unawaited-coroutine"
    summary = "a coroutine that is created and dropped"
    uses = frozenset({Use.DISCARDED})

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        if not self.is_call(site):
            return None
        subject = self.subject(node, site)
        scope = self.context.scope
        infer, value = self.module.infer, self.module.value(site)
        objects = [member.cls for member in members(value) if isinstance(member, Instance)]
        if any(not infer.has_base(cls, "typing.Coroutine") for cls in objects):
            # a mere awaitable, which warns where it is dropped
            advice = "add `await`" if self.can_await(scope) else "only `async def` code can await it"
            return f"`{subject}` is never awaited: nothing waits for what it does; {advice}"
        if self.can_await(scope):
            return f"`{subject}` is never awaited: its body does not run; add `await`"
        runner = self.module.called(site)
        if runner is not None and runner.module.is_stdlib and runner.fact.name in _RUNNERS:
            return (
                f"`{subject}` gives a coroutine, which is never awaited: its body does not run; "
                "`await` it in the function that is run"
            )
        where = (
            f"`{scope.name}` is not `async def`" if scope.name.isidentifier() else "this is not async code"
        )
        return (
            f"`{subject}` is never awaited: its body does not run, and {where}; "
            "use `asyncio.run` or `asyncio.create_task`"
        )
