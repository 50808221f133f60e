"""
## What it does

Reports clients and connection pools that are made inside of a web handler: `aiohttp.ClientSession()`,
`httpx.AsyncClient()`, `redis.from_url()`, `AsyncOpenAI()`, `create_async_engine()` and the like.

## Why is this bad?

Such an object keeps a pool of connections. Made for each request, no connection is ever used twice: every
call pays for a new TCP and TLS handshake, under load the ports run out, and a client that nobody closes leaks
its connections.

## Example

<!-- select: client-per-request -->

```py
import httpx
from fastapi import FastAPI

app = FastAPI()

@app.get("/rate")
async def rate() -> float:
    async with httpx.AsyncClient() as client:  # error: [client-per-request]
        return (await client.get("https://api.example.com/rate")).json()
```

## Use instead

```py
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request

@asynccontextmanager
async def lifespan(app: FastAPI):
    async with httpx.AsyncClient() as client:
        app.state.client = client
        yield

app = FastAPI(lifespan=lifespan)

@app.get("/rate")
async def rate(request: Request) -> float:
    return (await request.app.state.client.get("https://api.example.com/rate")).json()
```
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index.facts import Call, Use
from awaitlint.index.reached import reached
from awaitlint.model import Severity
from awaitlint.rulekit.handlers import Handlers
from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site

#: what keeps connections for later: the names by which code reaches it
_CLIENTS = frozenset(
    {
        "aiohttp.ClientSession",
        "anthropic.Anthropic",
        "anthropic.AsyncAnthropic",
        "asyncpg.create_pool",
        "elasticsearch.AsyncElasticsearch",
        "elasticsearch.Elasticsearch",
        "google.genai.Client",
        "httpx.AsyncClient",
        "httpx.Client",
        "mistralai.Mistral",
        "motor.motor_asyncio.AsyncIOMotorClient",
        "openai.AsyncAzureOpenAI",
        "openai.AsyncOpenAI",
        "openai.AzureOpenAI",
        "openai.OpenAI",
        "opensearchpy.AsyncOpenSearch",
        "psycopg_pool.AsyncConnectionPool",
        "psycopg_pool.ConnectionPool",
        "pymongo.AsyncMongoClient",
        "pymongo.MongoClient",
        "qdrant_client.AsyncQdrantClient",
        "redis.Redis",
        "redis.Redis.from_url",
        "redis.asyncio.Redis",
        "redis.asyncio.Redis.from_url",
        "redis.asyncio.from_url",
        "redis.from_url",
        "requests.Session",
        "requests.session",
        "sqlalchemy.create_engine",
        "sqlalchemy.ext.asyncio.create_async_engine",
    }
)


class ClientPerRequest(Rule):
    code = "AWL312"
    name = "client-per-request"
    summary = "a client or connection pool that is made for each request"
    default = False
    severity = Severity.WARNING
    uses = frozenset(Use)

    def suspect(self, site: Site) -> bool:
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, Call) or self.module.call_site(site.node) is not site:
            return False
        if not self._handlers.may_be(site.scope):
            return False
        path = reached(self.module.infer.project, self.module.module, call.func)
        if path not in _CLIENTS or self._handlers.framework(site.scope) is None:
            return False
        return not self.module.is_safe(site)

    @cached_property
    def _handlers(self) -> Handlers:
        return Handlers(self.module)

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        if site is None or not self.suspect(site):
            return
        subject = self.context.source(node.func)
        framework = self._handlers.framework(site.scope)
        self.report(
            node,
            f"`{subject}` is made for every request that this {framework} handler serves: no connection is"
            " used twice; make one when the application starts, and share it",
        )
