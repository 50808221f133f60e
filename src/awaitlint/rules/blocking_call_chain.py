"""
## What it does

Reports the call of a plain function in the body of an `async def` where that function blocks: it calls,
itself or through any number of other plain functions, in this file or in others, something that
`blocking-sleep`, `blocking-network`, `blocking-database`, `blocking-process`, `blocking-file`,
`blocking-wait` or `user-blocking-call` would report. The chain is printed hop by hop.

Constructors, properties, context managers, decorators of the project, closures, `super()` and generators that
are iterated count as calls; so do functions that are given to `map`, `sorted(key=...)` or `loop.call_soon`. A
function that is passed as a value, to a thread for instance, does not. There is one finding for each root
cause: of several ways to what blocks in the same function the shortest is shown, and how many other async
functions get there.

A comment at the blocking call, at any call on the way, or at the `def` of a function on the way silences it.

## Why is this bad?

While the function runs, the event loop stands still: no other task runs, no request is served.

## Example

```py
import requests

def exchange_rate(currency: str) -> float:
    return requests.get("https://api.example.com/rates", timeout=10).json()[currency]

def in_euro(amount: float, currency: str) -> float:
    return amount / exchange_rate(currency)

async def price(amount: float, currency: str) -> float:
    return in_euro(amount, currency)  # error: [blocking-call-chain]
```

## Use instead

```py
import httpx

async def exchange_rate(client: httpx.AsyncClient, currency: str) -> float:
    return (await client.get("https://api.example.com/rates")).json()[currency]

async def in_euro(client: httpx.AsyncClient, amount: float, currency: str) -> float:
    return amount / await exchange_rate(client, currency)

async def price(client: httpx.AsyncClient, amount: float, currency: str) -> float:
    return await in_euro(client, amount, currency)
```

Where the function cannot be made async, `await asyncio.to_thread(in_euro, amount, currency)`.
"""

from __future__ import annotations

from awaitlint.rulekit.chained import ChainedRule


class BlockingCallChain(ChainedRule):
    code = "AWL308"
    name = "blocking-call-chain"
    summary = "a call that reaches something blocking through other functions"
    but = frozenset({"reentry", "cpu"})
