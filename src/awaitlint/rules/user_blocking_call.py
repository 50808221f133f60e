"""
## What it does

Reports calls in async code of the functions and methods that the option `blocking.calls` names, with the
advice that stands there. Names are qualified and may hold globs. `blocking-call-chain` follows them through
plain functions as it does with those that awaitlint knows.

## Why is this bad?

Every project has functions of its own, or of packages that nobody else uses, which must not be called where
an event loop runs.

## Example

```toml
[tool.awaitlint.blocking]
calls = { "legacy.*" = "use `client.fetch` instead" }
```

```py
import legacy

async def main(key: str) -> str:
    return legacy.fetch(key)  # error: [user-blocking-call]
```
"""

from __future__ import annotations

from awaitlint.rulekit.blocked import BlockedRule


class UserBlockingCall(BlockedRule):
    code = "AWL310"
    name = "user-blocking-call"
    summary = "a call that the configuration names as blocking"
    fixes = ()
    kinds = frozenset({"user"})
