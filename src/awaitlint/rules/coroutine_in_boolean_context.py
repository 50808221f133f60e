"""
## What it does

Reports a coroutine that is tested for truth: in `if`, `while`, `assert`, a conditional expression, `not`,
`and`/`or`, the condition of a comprehension, `bool()` or the guard of a `case`. The coroutine may be a call
or a local name that is bound to nothing else.

## Why is this bad?

A coroutine is always true. The branch does not depend on what the function would have returned, and its body
never runs.

## Example

```py
async def is_allowed(user: str) -> bool:
    return user == "admin"

async def main() -> None:
    if is_allowed("guest"):  # error: [coroutine-in-boolean-context]
        print("welcome")
```

## Use instead

```py
async def is_allowed(user: str) -> bool:
    return user == "admin"

async def main() -> None:
    if await is_allowed("guest"):
        print("welcome")
```

## Fix safety

The fix adds `await` where the coroutine is created and is unsafe, because the code then does what it did not
do before. There is none where other code wants the coroutine itself.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import ClassValue
from awaitlint.rulekit.coroutines import CoroutineRule

if TYPE_CHECKING:
    import libcst


_BOOL = frozenset({"bool"})


class CoroutineInBooleanContext(CoroutineRule):
    code = "AWL103"
    name = "coroutine-in-boolean-context"
    summary = "a coroutine tested for truth, which it always is"
    uses = frozenset({Use.TESTED, Use.ARGUMENT})

    def suspect(self, site: f.Site) -> bool:
        if site.use is Use.ARGUMENT and not (
            self.called_by_name(site.other, _BOOL) and self._is_bool_call(site.other)
        ):
            return False
        return self.module.coroutine(site) is not None

    def _is_bool_call(self, node: int) -> bool:
        call = self.module.facts.nodes[node]
        if not isinstance(call, f.Call):
            return False
        func = self.module.infer.value(self.module.module, call.func)
        return isinstance(func, ClassValue) and func.qualname == "builtins.bool"

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        return f"`{self.subject(node, site)}` is a coroutine, which is always true; {self.advice(site)}"
