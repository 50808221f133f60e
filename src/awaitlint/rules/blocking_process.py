"""
## What it does

Reports calls that start another process and wait for it, or that wait for one, in the body of an
`async def`: `subprocess.run` and its kin, `Popen.wait` and `communicate`, `os.system`, `os.waitpid`. A call
that returns at once, such as `os.waitpid(pid, os.WNOHANG)`, is not reported.

## Why is this bad?

The event loop stands still for as long as the other process runs.

## Example

```py
import subprocess

async def build() -> None:
    subprocess.run(["make"], check=True)  # error: [blocking-process]
```

## Use instead

```py
import asyncio

async def build() -> None:
    process = await asyncio.create_subprocess_exec("make")
    await process.wait()
```

## Fix safety

The fix has a thread make the call, `await asyncio.to_thread(...)`, or what the module's library calls it. It
is unsafe: the function must bear to run in another thread.
"""

from __future__ import annotations

from awaitlint.rulekit.blocked import BlockedRule


class BlockingProcess(BlockedRule):
    code = "AWL304"
    name = "blocking-process"
    summary = "waiting for a process in async code"
    kinds = frozenset({"process"})
