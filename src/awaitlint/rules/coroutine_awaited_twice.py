"""
## What it does

Reports a coroutine in a local variable that is awaited a second time on one path, or in a loop that does not
make a new one. Giving it to `asyncio.create_task`, `gather`, `wait_for`, `asyncio.run` and the like counts as
awaiting it.

Tasks and futures can be awaited as often as one likes, and are not reported, nor are objects with an
`__await__` of their own. Silent are branches of which only one runs, conditions that may have to do with each
other (`if a: await c` and later `if b: await c`), and an `except` after which the coroutine may not have run:
trying again is a mistake where the `await` is what the `try` begins with.

## Why is this bad?

A coroutine runs once: `RuntimeError: cannot reuse already awaited coroutine`.

## Example

```py
import asyncio

async def fetch() -> int:
    return 1

async def main() -> int:
    coroutine = fetch()
    first = await coroutine
    second = await coroutine  # error: [coroutine-awaited-twice]
    return first + second

async def poll(times: int) -> None:
    coroutine = fetch()
    for _ in range(times):
        await coroutine  # error: [coroutine-awaited-twice]

async def retry(times: int) -> int | None:
    coroutine = fetch()
    for _ in range(times):
        try:
            return await coroutine  # error: [coroutine-awaited-twice]
        except OSError:
            await asyncio.sleep(1)
    return None

async def both() -> None:
    coroutine = fetch()
    task = asyncio.create_task(coroutine)
    await coroutine  # error: [coroutine-awaited-twice]
    await task
```

## Use instead

```py
import asyncio

async def fetch() -> int:
    return 1

async def main() -> int:
    number = await fetch()
    return number + number

async def poll(times: int) -> None:
    for _ in range(times):
        await fetch()

async def both() -> None:
    task = asyncio.create_task(fetch())
    await task
```

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import TAKERS, last_name
from awaitlint.infer.values import AwaitableValue, members
from awaitlint.rulekit.callables import qualname
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.paths import End, climb, is_conditional, leads_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst

    from awaitlint.model import Related

#: functions of asyncio that run the coroutine they are given
_RUN = TAKERS - {"wait", "start_soon"}
_LOOP = re.compile(r"\b(?:for|while)\b")


class _Run(NamedTuple):
    """A place where a coroutine is run: `chain` leads from the outermost node to the name."""

    site: f.Site
    chain: tuple[libcst.CSTNode, ...]


class CoroutineAwaitedTwice(CoroutineRule):
    code = "AWL106"
    name = "coroutine-awaited-twice"
    summary = "a coroutine that is awaited a second time"
    fixes = ()
    uses = frozenset({Use.AWAITED, Use.ARGUMENT})

    #: of the function that is walked: the node that a name stands for, and where it is run
    _runs: dict[int, list[_Run]]

    def suspect(self, site: f.Site) -> bool:
        made = self._made(site)
        return made >= 0 and (self._may_repeat(site, made) or self._may_be_second(site, made))

    def _may_repeat(self, site: f.Site, made: int) -> bool:
        """Whether there may be a loop between where a coroutine is made and the end of the function."""
        calls = [self.module.call_site(call) for call in self.module.flow.origins(made)]
        first = min((call.line for call in calls if call is not None), default=1)
        lines = self.module.lines[first - 1 : self.module.scope_of(site).end_line]
        return any(map(_LOOP.search, lines))

    def _may_be_second(self, site: f.Site, made: int) -> bool:
        """Whether the coroutine that runs at a site may run at another one, too."""
        return any(
            other is not site
            and other.use in self.uses
            and other.scope == site.scope
            and self._made(other) == made
            for other in self.module.facts.sites
        )

    def _made(self, site: f.Site) -> int:
        """The node of the coroutine that a name stands for which is run at a site; -1 where there is none."""
        nodes = self.module.facts.nodes
        if type(nodes[site.node]) not in (f.Call, f.Phi, f.Narrow, f.Declared) or not self._is_run(site):
            return -1
        if self.is_call(site):
            return -1
        node = self.bound_to(site.node)
        calls = self.module.flow.origins(node)
        if not isinstance(nodes[node], (f.Call, f.Phi)) or not calls:
            return -1
        place = (site.line, site.column)
        for call in calls:
            made = self.module.call_site(call)
            # a call further down makes it anew, in a loop
            if made is None or made.scope != site.scope or (made.line, made.column) > place:
                return -1
        value = self.module.value(site)
        if not all(isinstance(each, AwaitableValue) and each.kind == "Coroutine" for each in members(value)):
            return -1
        return -1 if self.module.coroutine(site) is None else node

    def _is_run(self, site: f.Site) -> bool:
        if site.use is Use.AWAITED:
            return True
        nodes = self.module.facts.nodes
        call = nodes[site.other] if site.use is Use.ARGUMENT and site.other >= 0 else None
        if not isinstance(call, f.Call) or last_name(nodes[call.func]) not in _RUN:
            return False
        name = qualname(self.module.infer.value(self.module.module, call.func))
        return name.startswith("asyncio.") and name.rpartition(".")[2] in _RUN

    # ------------------------------------------------------------------ the walk
    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:  # noqa: ARG002  the walker's signature
        if not self._functions():
            self._runs = {}

    def visit_Name(self, node: libcst.Name) -> None:
        site = self.context.site(node)
        if site is None or site.use not in self.uses or not self._functions():
            return
        made = self._made(site)
        if made >= 0 and not self.context.expects_error() and not self.context.is_probed(node):
            self._runs.setdefault(made, []).append(_Run(site, (*self.context.parents, node)))

    def leave_FunctionDef(self, node: libcst.FunctionDef) -> None:  # noqa: ARG002
        if self._functions():
            return
        for made, runs in self._runs.items():
            found = self._second(runs) or self._repeated(made, runs)
            if found is not None:
                self._report(made, *found)
        self._runs = {}

    def _functions(self) -> bool:
        return any(isinstance(parent, cst.FunctionDef) for parent in self.context.parents)

    def _second(self, runs: Sequence[_Run]) -> tuple[_Run, _Run] | None:
        """The first place where a coroutine is run that was run before, and where that was."""
        for number, later in enumerate(runs):
            for earlier in runs[:number]:
                if earlier.site.other == later.site.other >= 0:
                    # ``gather(c, c)`` knows one from two
                    continue
                if _follows(earlier.chain, later.chain):
                    return later, earlier
        return None

    def _repeated(self, made: int, runs: Sequence[_Run]) -> tuple[_Run, None] | None:
        """A place in a loop where a coroutine is run that was made before the loop."""
        calls = [self.module.call_site(call) for call in self.module.flow.origins(made)]
        for run in runs:
            for loop, part in _loops(run.chain):
                place = self.context.span(loop)
                if any(call is not None and (call.line, call.column) >= (place.line, 0) for call in calls):
                    break
                inside = run.chain[run.chain.index(part) :]
                if not is_conditional(inside) and not climb(inside).isdisjoint({End.NEXT, End.CONTINUE}):
                    return run, None
        return None

    # ------------------------------------------------------------------ the report
    def _report(self, made: int, run: _Run, earlier: _Run | None) -> None:
        site, node = run.site, run.chain[-1]
        text = self.context.source(node)
        value = self.module.coroutine(site)
        assert value is not None
        related: list[Related] = []
        if earlier is not None:
            related.append(self.module.place(earlier.site, "it runs here"))
            what = f"`{text}` is a coroutine that ran on line {earlier.site.line}"
        else:
            what = f"`{text}` is a coroutine that this loop runs again and again"
        self.report(
            node,
            f"{what}: RuntimeError, for a coroutine runs once; make a new one, or keep the result",
            related=[*related, *self.evidence(site, value)],
            cause=("awaited twice", made),
        )


def _follows(one: Sequence[libcst.CSTNode], other: Sequence[libcst.CSTNode]) -> bool:
    """Whether code that goes well runs the end of one chain and then that of the other.

    It is so for certain: whoever runs the one has run the other, or will.
    """
    depth = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a is not b), -1)
    if depth < 1:
        return False
    first, second = one[depth:], other[depth:]
    found = leads_on(one[depth - 1], first, second[0])
    if End.NEXT not in found:
        return False
    return not is_conditional(first) or (not is_conditional(second) and found == {End.NEXT})


def _loops(chain: Sequence[libcst.CSTNode]) -> Iterator[tuple[libcst.CSTNode, libcst.CSTNode]]:
    """The loops around the end of a chain, innermost first, and their parts that run again and again."""
    for parent, child in zip(reversed(chain[:-1]), reversed(chain[1:]), strict=True):
        if isinstance(parent, (cst.FunctionDef, cst.Lambda)):
            return
        if (
            (isinstance(parent, cst.For) and child is parent.body)
            or (isinstance(parent, cst.While) and child is not parent.orelse)
            or (isinstance(parent, cst.BaseComp) and child is not parent.for_in)
        ):
            yield parent, child
