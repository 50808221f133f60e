"""
## What it does

Reports a bare statement that calls something unknown, where the same call is awaited at least three times
elsewhere and never used in any other way.

The *same call* has the same method or function on the same path: from the same import or global name,
an attribute of `self` in the same class, a parameter of the same name and annotation, or the same local
variable. Local variables of other functions count only where they are bound to the same thing. One place that
assigns, returns or passes on the call without `await`, or another in the file that drops it, makes the rule
silent: it may be a future, which works by itself, or a method for two worlds.

What inference can resolve is not looked at, for AWL101 speaks of that. The finding is *likely*, not certain:
the rule is off by default and reports under the preset `pedantic`, or where it is selected by its own code or
name.

What begins with an import, or with a global that another module can import, is looked for in all source files
of the project, also if only one file is checked; other files may then drop the call as well, one for two that
await it. For anything else only the file itself is searched: what `self.client` is called in one file means
nothing in another.

## Why is this bad?

Nobody awaits a call three times that gives nothing to await. The one without `await` makes a coroutine whose
body never runs.

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
from awaitlint.model import Confidence, Related, Span
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.rulekit.receivers import Place, Receivers, same_everywhere
from awaitlint.rulekit.texts import Texts

if TYPE_CHECKING:
    import libcst

    from awaitlint.rulekit.context import ModuleContext

#: so many awaited calls make a habit
_HABIT = 3
_RESULT = Unknown("what is called is not known")
#: names of functions that start something, which goes on by itself and can be awaited as well
_STARTERS = re.compile(r"task|future|deferred|executor|submit|spawn|schedule|dispatch|background|start_soon")


class InconsistentAwait(CoroutineRule):
    code = "AWL112"
    name = "inconsistent-await"
    summary = "a call of something unknown that is dropped here and awaited everywhere else"
    default = False
    confidence = Confidence.LIKELY
    uses = frozenset({Use.DISCARDED})

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._receivers = Receivers(module)
        self._known: dict[int, list[Place]] = {}
        self._texts = Texts(module.infer.project.store.read)

    def awaitable(self, site: f.Site) -> AwaitableValue | None:
        return AwaitableValue("Awaitable", _RESULT) if self._awaited(site) else None

    def _awaited(self, site: f.Site) -> list[Place]:
        """The awaited calls of what a bare statement calls; empty where they prove nothing."""
        known = self._known.get(site.node)
        if known is None:
            known = self._known[site.node] = self._habit(site)
        return known

    def _habit(self, site: f.Site) -> list[Place]:
        nodes, module = self.module.facts.nodes, self.module.module
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
        if len(awaited) + 1 != len(alike) or self._is_alternative(site, awaited):
            return []
        if not isinstance(self.module.infer.value(module, call.func), (Unknown, External)):
            return []
        found = [Place(module, each) for each in awaited]
        others = self._elsewhere(call.func, found)
        return [] if others is None or len(found) + len(others) < _HABIT else [*found, *others]

    def _elsewhere(self, func: int, here: list[Place]) -> list[Place] | None:
        """The awaited calls of the same thing in other files; None where it is called otherwise there."""
        project, module = self.module.infer.project, self.module.module
        alike = same_everywhere(project, module, func, awaited=_HABIT)
        others = [each for each in alike if each.module is not module]
        awaited = [each for each in others if each.site.use is Use.AWAITED]
        dropped = [each for each in others if each.site.use is Use.DISCARDED]
        if len(awaited) + len(dropped) != len(others):
            return None
        if len({each.module for each in dropped}) != len(dropped):
            return None
        return awaited if (len(dropped) + 1) * 2 <= len(here) + len(awaited) else None

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
        awaited = self._awaited(site)
        is_here = all(each.module is self.module.module for each in awaited)
        return (
            f"`{self.subject(node, site)}` is not awaited, as it is in {len(awaited)} other places of this"
            f" {'file' if is_here else 'project'}: if it makes a coroutine, its body does not run; add"
            " `await`"
        )

    def evidence(self, site: f.Site, value: AwaitableValue) -> list[Related]:
        del value
        return [self._related(each) for each in self._awaited(site)[:_HABIT]]

    def _related(self, place: Place) -> Related:
        message = "here it is awaited"
        if place.module is self.module.module or place.module.path is None:
            return self.module.place(place.site, message)
        site, columns = place.site, self._texts.columns(place.module)
        span = Span(
            site.line,
            columns.to_characters(site.line, site.column),
            site.end_line,
            columns.to_characters(site.end_line, site.end_column),
        )
        return Related(self.module.display_of(place.module.path), span, message)
