"""
## What it does

Reports calls in the body of an `async def` that wait for another thread or for the user: `Thread.join`,
`queue.Queue.get` and `put`, `threading.Event.wait`, `Future.result` of `concurrent.futures`, `select.select`,
`input`. Calls that do not wait (`block=False`, `timeout=0`, `get_nowait`) are not reported, nor is the result
of a future that is `done()`. Taking a lock is not reported.

## Why is this bad?

The event loop stands still until the other thread is done. Where that thread itself needs the event loop,
for instance through `asyncio.run_coroutine_threadsafe`, both wait forever.

## Example

```py
import queue

jobs: queue.Queue[str] = queue.Queue()

async def work() -> str:
    return jobs.get()  # error: [blocking-wait]
```

## Use instead

```py
import asyncio

jobs: asyncio.Queue[str] = asyncio.Queue()

async def work() -> str:
    return await jobs.get()
```
"""

from __future__ import annotations

from awaitlint.rulekit.blocked import BlockedRule


class BlockingWait(BlockedRule):
    code = "AWL306"
    name = "blocking-wait"
    summary = "waiting for another thread in async code"
    fixes = ()
    kinds = frozenset({"wait"})
