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

`coroutine-never-used.report-partial`: also report a coroutine that is used on some paths through the
function, and dropped on another, by an early `return` or where a condition does not hold:

```py
async def main(ready: bool) -> None:
    result = refresh()
    if not ready:
        return  # `result` is dropped
    await result
```

Exceptions do not count as paths, loops are taken to run, and a chain of `elif` to cover everything. Where two
conditions may depend on each other, nothing is reported. There is no fix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import External, NeverValue, Unknown, members
from awaitlint.model import Related
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.rulekit.paths import leak
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst


class CoroutineNeverUsed(CoroutineRule):
    code = "AWL102"
    name = "coroutine-never-used"
    summary = "a coroutine bound to a name that nothing reads"
    uses = frozenset({Use.NEVER_READ})

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        subject = self.subject(node, site)
        return f"the coroutine of `{subject}` is never used: its body does not run; {self.advice(site)}"

    # ------------------------------------------------------------------ used on some paths
    def suspicious(self) -> Iterator[int]:
        if self.module.settings.coroutine_never_used_report_partial:
            for site in self.module.facts.sites:
                if site.use is Use.BOUND and self.is_call(site) and self.suspect(site):
                    yield site.line

    def visit_Call(self, node: libcst.Call) -> None:
        super().visit_Call(node)
        if not self.module.settings.coroutine_never_used_report_partial:
            return
        site = self.context.site(node)
        value = self.awaitable(site) if site is not None and site.use is Use.BOUND else None
        if site is None or value is None or self.context.is_probed(node) or self.context.expects_error():
            return
        found = leak(self.context.parents, self._may_end)
        if found is None:
            return
        way_out = "`await` it, or `close()` it" if self.can_await(self.context.scope) else "`close()` it"
        span = self.context.span(found.node)
        self.report(
            node,
            f"the coroutine of `{self.subject(node, site)}` is not used on every path (line {span.line}), and"
            f" then its body does not run; {way_out} there, or create it only where it is used",
            related=[Related(self.module.display, span, found.what), *self.evidence(site, value)],
        )

    def _may_end(self, expression: libcst.BaseExpression) -> bool:
        """Whether a call may never return: one that is known to return is declared to return something."""
        if isinstance(expression, cst.Await):
            expression = expression.expression
        site = self.context.site(expression) if isinstance(expression, cst.Call) else None
        if site is None:
            return False
        found = members(self.module.value(site))
        return any(isinstance(member, (Unknown, External, NeverValue)) for member in found)
