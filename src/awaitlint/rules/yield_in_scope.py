"""
## What it does

Reports `yield` in the body of a timeout, cancel scope, task group or nursery, in an async generator that is
iterated. Functions that become context managers are fine: `@asynccontextmanager`, fixtures of pytest,
dependencies and lifespans of web frameworks, and any function with a decorator that might do the same.

## Why is this bad?

While a generator is suspended in a scope, the scope is open around whoever iterates it. A timeout then
counts the time that the consumer takes, and cancels the consumer where it happens to wait; a failing task
of the group does the same. If the consumer stops early, the scope is left at some later time by the garbage
collector, in another task: asyncio, anyio and trio raise errors then, or cancel what they should not.

## Example

```py
import asyncio
from collections.abc import AsyncIterator

async def lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    async with asyncio.timeout(30):
        while line := await reader.readline():
            yield line  # error: [yield-in-scope]
```

## Use instead

```py
import asyncio
from collections.abc import AsyncIterator

async def lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(30):
            line = await reader.readline()
        if not line:
            return
        yield line
```

A task group belongs in a context manager that gives its user something to iterate, such as a queue or a
memory stream.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import ClassValue, FunctionValue
from awaitlint.rulekit.scoped import ScopedRule
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.index.facts import Scope
    from awaitlint.rulekit.cancel_scopes import CancelScope
    from awaitlint.rulekit.scoped import Entry

#: decorators that leave an async generator what it is
_TRANSPARENT = frozenset(
    {
        "builtins.staticmethod",
        "builtins.classmethod",
        "abc.abstractmethod",
        "typing.override",
        "typing_extensions.override",
        "typing.final",
        "typing_extensions.final",
    }
)
#: packages that make a context manager of a generator without a decorator: dependencies, lifespans
_FRAMEWORKS = frozenset(
    {"dependency_injector", "dishka", "fast_depends", "fastapi", "faststream", "litestar", "starlette"}
    | {"taskiq", "taskiq_dependencies", "that_depends", "wireup"}
)


class YieldInScope(ScopedRule):
    code = "AWL405"
    name = "yield-in-scope"
    summary = "`yield` in a timeout, cancel scope or task group of an async generator"

    def may_report(self, entry: Entry) -> bool:
        scope = self.scope_of(entry)
        return scope.is_async and scope.is_generator and not self._is_decorated(scope)

    def _is_decorated(self, scope: Scope) -> bool:
        """Whether a decorator may make something else of a function."""
        for decorator in scope.decorators:
            value = self.module.infer.value(self.module.module, decorator)
            known = isinstance(value, (FunctionValue, ClassValue)) and value.qualname in _TRANSPARENT
            if not known:
                return True
        return False

    def visit_Yield(self, node: libcst.Yield) -> None:
        opened = next(self._around(node), None)
        if opened is None:
            return
        subject, scope = opened
        if not self._is_iterated(node):
            return
        ends = "expires" if scope.kind.value == "timeout" else "is cancelled"
        self.report(
            node,
            f"`yield` leaves `{subject}` open around whoever iterates this generator, which is interrupted"
            f" when the {scope.noun} {ends}; yield outside of it",
        )

    def _function(self) -> int:
        """How many ancestors of the visited node stand around the body of its function."""
        parents = self.context.parents
        return max((at for at, each in enumerate(parents) if isinstance(each, cst.FunctionDef)), default=-1)

    def _around(self, node: libcst.Yield) -> Iterator[tuple[str, CancelScope]]:
        """The scopes that are open at a ``yield``, the innermost first."""
        parents = self.context.parents
        chain = [*parents[self._function() + 1 :], node]
        for statement, child in reversed(list(itertools.pairwise(chain))):
            if not isinstance(statement, cst.With) or child is not statement.body:
                continue
            for item, entry in self.entries(statement):
                opened = self.opened(entry) if self.may_report(entry) else None
                if opened is not None:
                    yield self.context.source(item.item), opened

    def _is_iterated(self, node: libcst.Yield) -> bool:
        """Whether the generator gives several values, or nobody seems to make a context manager of it."""
        parents = [*self.context.parents[self._function() + 1 :], node]
        if any(isinstance(each, (cst.For, cst.While)) for each in parents):
            return True
        scope = self.context.scope
        if scope.name in self._iterated:
            return True
        return scope.name not in self._referred and not _FRAMEWORKS.intersection(self.module.facts.packages)

    @cached_property
    def _iterated(self) -> frozenset[str]:
        """The names of the functions whose calls ``async for`` goes through."""
        nodes = self.module.facts.nodes
        return frozenset(
            last_name(nodes[call.func])
            for site in self.module.facts.sites
            if site.use is Use.ASYNC_ITERATED and isinstance(call := nodes[site.node], f.Call)
        )

    @cached_property
    def _referred(self) -> frozenset[str]:
        """The names of the functions that are given to others: ``Depends(session)``, ``lifespan=run``."""
        nodes = self.module.facts.nodes
        given = (
            argument
            for node in nodes
            if isinstance(node, f.Call)
            for argument in (*node.args, *(value for _, value in node.keywords))
        )
        names = set()
        for index in given:
            node = nodes[index]
            if isinstance(node, f.Func):
                names.add(self.module.facts.scopes[node.scope].name)
            elif isinstance(node, (f.Name, f.Free, f.Attr)):
                names.add(node.name)
        return frozenset(names)
