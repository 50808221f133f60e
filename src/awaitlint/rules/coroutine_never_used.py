"""
## What it does

Reports a coroutine that is bound to a local name which no code reads afterwards. `_ = refresh()` is no way
to run a coroutine either.

## Why is this bad?

The coroutine is dropped when the function returns, and none of its body has run.

## Example

```py
async def refresh() -> int:
    return 1

async def main() -> None:
    result = refresh()  # error: [coroutine-never-used]
    _ = refresh()  # error: [coroutine-never-used]
```

## Use instead

```py
async def refresh() -> int:
    return 1

async def main() -> None:
    result = await refresh()
```

## Fix safety

The fix adds `await` and is unsafe, because the code then does what it did not do before.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index.facts import Use
from awaitlint.rulekit.coroutines import CoroutineRule

if TYPE_CHECKING:
    import libcst

    from awaitlint.index import facts as f


class CoroutineNeverUsed(CoroutineRule):
    code = "AWL102"
    name = "coroutine-never-used"
    summary = "a coroutine bound to a name that nothing reads"
    uses = frozenset({Use.NEVER_READ})

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        subject = self.subject(node, site)
        return f"the coroutine of `{subject}` is never used: its body does not run; {self.advice(site)}"
