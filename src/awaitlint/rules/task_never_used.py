"""
## What it does

Reports a task that is bound to a local name which no code reads, or which is bound to something else before
anything reads it. The functions are those of dangling-task, which speaks of tasks that are bound to `_`.

## Why is this bad?

The name keeps the task until the function returns, and no longer: the event loop has only a weak reference to
it, so that it may be garbage-collected in the middle of its work. Nobody waits for it or sees its exception.

The rule is off by default, because a name is a way to say that the task is meant to run by itself, and a
function that runs as long as the task does keeps it alive.

## Example

<!-- select: task-never-used -->

```py
import asyncio

async def refresh() -> None: ...

async def main() -> None:
    task = asyncio.create_task(refresh())  # error: [task-never-used]
```

## Use instead

```py
import asyncio

async def refresh() -> None: ...

async def main() -> None:
    task = asyncio.create_task(refresh())
    await task
```

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index.facts import Use
from awaitlint.model import Severity
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.tasks import bound_names, starter

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site


class TaskNeverUsed(Rule):
    code = "AWL202"
    name = "task-never-used"
    summary = "a task bound to a local name that nothing reads"
    default = False
    severity = Severity.WARNING
    uses = frozenset({Use.NEVER_READ})

    def suspect(self, site: Site) -> bool:
        return (
            starter(self.module, site.node) is not None
            and self.module.call_site(site.node) is site
            and "_" not in bound_names(self.module, site.node)
            and not self.module.is_safe(site)
        )

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        if site is None or site.use not in self.uses or not self.suspect(site):
            return
        if self.context.expects_error():
            return
        subject = self.context.source(node.func)
        names = bound_names(self.module, site.node)
        name = f"`{names[0]}`" if names else "a name"
        is_future = starter(self.module, site.node) == "run_coroutine_threadsafe"
        self.report(
            node,
            f"the {'future' if is_future else 'task'} of `{subject}(...)` is bound to {name}, which nothing"
            " reads: nobody waits for it or sees its exception"
            f"{'' if is_future else ', and when the function returns nothing keeps it'}; "
            f"{'ask for its `result()`' if is_future else 'await it, or keep it where it lasts'}",
        )
