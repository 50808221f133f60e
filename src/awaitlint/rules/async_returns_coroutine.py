"""
## What it does

Reports an `async def` function that returns an un-awaited coroutine: a call, or a local name that is bound to
one, be it on some path only. Awaiting such a function once gives a coroutine, not its result. The future of
`asyncio.gather` or `loop.run_in_executor` counts as well; tasks do not, nor does `asyncio.shield`.

Silent where

- the return annotation says so (`-> Coroutine[...]`, `-> Awaitable[...]`);
- the function returns coroutines on several paths, as one that chooses between them does, and no annotation
  says otherwise;
- code in the same file awaits the result again, gives it to a function that takes coroutines, or runs the
  function with `asyncio.run` in a plain function that hands out what this gives;
- the value can be entered with `async with` as well, as the requests of aiohttp can;
- AWL802 reports the `return` of a web handler, or AWL110 one that leaves a `try` or `with`: they say what is
  wrong there. Where those rules are off, this one speaks.

## Why is this bad?

The caller's `await` runs the function and gets a coroutine in place of the value; its body never runs. Python
says nothing before the caller uses the value, which may be far away.

## Example

```py
import asyncio

async def load(key: str) -> bytes:
    return b""

async def cached(key: str):
    return load(key)  # error: [async-returns-coroutine]

async def named(key: str):
    data = load(key)
    return data  # error: [async-returns-coroutine]

async def on_some_path(key: str, store: dict[str, bytes]):
    data = store.get(key)
    if data is None:
        data = load(key)
    return data  # error: [async-returns-coroutine]

async def several(keys: list[str]):
    return asyncio.gather(*map(load, keys))  # error: [async-returns-coroutine]
```

## Use instead

```py
async def load(key: str) -> bytes:
    return b""

async def cached(key: str):
    return await load(key)
```

A plain `def` that returns the coroutine is right, too: its callers then await it once.

## Fix safety

The fix adds `await` where the coroutine is created; at the `return`, where code further down wants the
coroutine itself; and there is none where code before it does. It is unsafe, because a caller may already
await twice.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.rulekit.coroutines import noun
from awaitlint.rulekit.returned import ReturnedRule

if TYPE_CHECKING:
    import libcst

    from awaitlint.index import facts as f


class AsyncReturnsCoroutine(ReturnedRule):
    code = "AWL111"
    name = "async-returns-coroutine"
    summary = "an `async def` that returns an un-awaited coroutine"

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        if self.is_fair(node, site):
            return None
        function, value = self.context.scope.name, self.awaitable(site)
        what = "coroutine" if value is None else noun(value)
        return (
            f"`{function}` returns the {what} `{self.subject(node, site)}`, not its result: "
            f"whoever awaits `{function}` gets a {what}; {self.advice(site)}"
        )
