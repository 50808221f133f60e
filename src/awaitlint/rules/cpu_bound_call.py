"""
## What it does

Reports calls in the body of an `async def` that compute for long: password hashing (`bcrypt`, `scrypt`,
`argon2`, `pbkdf2_hmac`), compression of whole buffers, loading of models.

## Why is this bad?

Such a call keeps the event loop busy for a tenth of a second or more, and no other task runs meanwhile. A
password hash is slow on purpose.

## Example

<!-- select: cpu-bound-call -->

```py
import hashlib

async def digest(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=16384, r=8, p=1)  # error: [cpu-bound-call]
```

## Use instead

```py
import asyncio
import hashlib

async def digest(password: bytes, salt: bytes) -> bytes:
    return await asyncio.to_thread(hashlib.scrypt, password, salt=salt, n=16384, r=8, p=1)
```

## Fix safety

The fix has a thread make the call, `await asyncio.to_thread(...)`, or what the module's library calls it. It
is unsafe: the function must bear to run in another thread.
"""

from __future__ import annotations

from awaitlint.model import Severity
from awaitlint.rulekit.blocked import BlockedRule


class CpuBoundCall(BlockedRule):
    code = "AWL311"
    name = "cpu-bound-call"
    summary = "a call that computes for long in async code"
    default = False
    severity = Severity.WARNING
    kinds = frozenset({"cpu"})
