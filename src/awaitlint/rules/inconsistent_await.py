"""
## What it does

Reports a bare statement that calls something unknown, where the same call is awaited at least three times
elsewhere in the file and never used in any other way.

The *same call* has the same method or function on the same path: from the same import or global name,
an attribute of `self` in the same class, a parameter of the same name and annotation, or the same local
variable. Local variables of other functions count only where they are bound to the same thing. One place that
assigns, returns, passes on or drops the call without `await` makes the rule silent: it may be a future, which
works by itself, or a method for two worlds.

What inference can resolve is not looked at, for AWL101 speaks of that. The finding is *likely*, not certain:
the rule is off by default and reports under the preset `pedantic`, or where it is selected by its own code or
name.

Only the file itself is searched. What `self.client` is called in one file means nothing in another, and the
answer must not depend on which other files a run looks at.

## Why is this bad?

Nobody awaits a call three times that gives nothing to await. The one without `await` makes a coroutine whose
body
never runs.

## Example

<!-- select: inconsistent-await -->

```py
from broker import connect

async def publish(orders):
    channel = await connect("orders")
    await channel.declare("created")
    await channel.declare("paid")
    await channel.declare("shipped")
    channel.declare("returned")  # error: [inconsistent-await]
    for order in orders:
        await channel.send(order)
```

## Use instead

```py
from broker import connect

async def publish(orders):
    channel = await connect("orders")
    await channel.declare("created")
    await channel.declare("paid")
    await channel.declare("shipped")
    await channel.declare("returned")
    for order in orders:
        await channel.send(order)
```

## Fix safety

The fix adds `await` and is unsafe: the code then does what it did not do before, and the call is not known to
give something that can be awaited.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import AwaitableValue, External, Unknown
from awaitlint.model import Confidence
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.rulekit.receivers import Receivers

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Related
    from awaitlint.rulekit.context import ModuleContext

#: so many awaited calls make a habit
_HABIT = 3
_RESULT = Unknown("what is called is not known")
#: names of functions that start something, which goes on by itself and can be awaited as well
_STARTERS = re.compile(r"task|future|deferred|executor|submit|spawn|schedule|dispatch|background|start_soon")


class InconsistentAwait(CoroutineRule):
    code = "AWL112"
    name = "inconsistent-await"
    summary = "a call of something unknown that is dropped here and awaited everywhere else in the file"
    default = False
    confidence = Confidence.LIKELY
    uses = frozenset({Use.DISCARDED})

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._receivers = Receivers(module)

    def awaitable(self, site: f.Site) -> AwaitableValue | None:
        return AwaitableValue("Awaitable", _RESULT) if self._awaited(site) else None

    def _awaited(self, site: f.Site) -> list[f.Site]:
        """The awaited calls of what a bare statement calls; empty where they prove nothing."""
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        if not isinstance(call, f.Call) or not self.can_await(self.module.scope_of(site)):
            return []
        func = nodes[call.func]
        # a function that is passed in may be of either kind each time
        if not isinstance(func, (f.Attr, f.Name, f.Import)) or _STARTERS.search(func.name):
            return []
        if not self.is_call(site) or self.module.is_safe(site):
            return []
        alike = self._receivers.alike(site.node)
        awaited = [each for each in alike if each.use is Use.AWAITED]
        if len(awaited) < _HABIT or len(awaited) + 1 != len(alike):
            return []
        if not isinstance(self.module.infer.value(self.module.module, call.func), (Unknown, External)):
            return []
        return [] if self._is_alternative(site, awaited) else awaited

    def _is_alternative(self, site: f.Site, awaited: list[f.Site]) -> bool:
        """Whether the function awaits the very same call on another path: it serves two worlds."""
        text = self._text(site)
        return any(each.scope == site.scope and self._text(each) == text for each in awaited)

    def _text(self, site: f.Site) -> str:
        span = self.module.span(site)
        rows = self.module.lines[span.line - 1 : span.end_line]
        rows[-1] = rows[-1][: span.end_column]
        rows[0] = rows[0][span.column :]
        return " ".join(" ".join(rows).split())

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        times = len(self._awaited(site))
        return (
            f"`{self.subject(node, site)}` is not awaited, as it is in {times} other places of this file: "
            "if it makes a coroutine, its body does not run; add `await`"
        )

    def evidence(self, site: f.Site, value: AwaitableValue) -> list[Related]:
        del value
        return [self.module.place(each, "here it is awaited") for each in self._awaited(site)[:_HABIT]]
