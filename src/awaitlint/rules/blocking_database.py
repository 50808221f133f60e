"""
## What it does

Reports calls that wait for a database in the body of an `async def`: `sqlite3`, `psycopg` and `psycopg2`,
`pymysql`, the synchronous clients of Redis and MongoDB, SQLAlchemy's `Session` and `Engine`, Django's ORM
without the `a` in front of the method. The message names the asynchronous client where there is one.

## Why is this bad?

The event loop stands still until the database has answered. Under load that is what makes an asynchronous
service slower than a synchronous one: all requests wait in line for each query.

## Example

```py
import sqlite3

async def count(path: str) -> int:
    connection = sqlite3.connect(path)  # error: [blocking-database]
    rows = connection.execute("select count(*) from users")  # error: [blocking-database]
    return rows.fetchone()[0]  # error: [blocking-database]
```

## Use instead

```py
import aiosqlite

async def count(path: str) -> int:
    async with aiosqlite.connect(path) as connection:
        async with connection.execute("select count(*) from users") as cursor:
            return (await cursor.fetchone())[0]
```

## Fix safety

The fix has a thread make the call, `await asyncio.to_thread(...)`, or what the module's library calls it. It
is unsafe: the function must bear to run in another thread.
"""

from __future__ import annotations

from awaitlint.rulekit.blocked import BlockedRule


class BlockingDatabase(BlockedRule):
    code = "AWL303"
    name = "blocking-database"
    summary = "a blocking database call in async code"
    kinds = frozenset({"database"})
