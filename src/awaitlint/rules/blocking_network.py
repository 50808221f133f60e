"""
## What it does

Reports calls that wait for the network in the body of an `async def`: `requests`, `urllib`, `urllib3`, the
synchronous client of `httpx`, sockets, DNS lookups, mail and file transfer, cloud SDKs, the synchronous
clients of LLM providers. Methods count where inference knows what they are called on: `requests.Session()`,
`OpenAI().chat.completions.create`, a client that another file makes.

A nested plain function or lambda is not part of the body, and handing the function to a thread is fine.

## Why is this bad?

A synchronous client stops the whole event loop until the server has answered: no other request is served,
no timeout fires, no heartbeat is sent. One slow answer is enough to make every client of a service wait.

## Example

```py
import requests

async def handler(url: str) -> str:
    return requests.get(url).text  # error: [blocking-network]
```

## Use instead

```py
import httpx

async def handler(client: httpx.AsyncClient, url: str) -> str:
    return (await client.get(url)).text
```

## Fix safety

The fix has a thread make the call, `await asyncio.to_thread(...)`, or what the module's library calls it. It
is unsafe: the function must bear to run in another thread.
"""

from __future__ import annotations

from awaitlint.rulekit.blocked import BlockedRule


class BlockingNetwork(BlockedRule):
    code = "AWL302"
    name = "blocking-network"
    summary = "a blocking network call in async code"
    kinds = frozenset({"network"})
