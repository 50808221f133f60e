"""
## What it does

Reports `functools.lru_cache`, `cache` or `cached_property` on an `async def`, as a decorator or called
(`load = lru_cache(load)`), and the same of caches of other packages that know nothing of coroutines:
cachetools, propcache, Django's and Werkzeug's `cached_property` and the like. A plain function that returns
a coroutine is reported as well.

Caches that await are fine: `async_lru.alru_cache`, `aiocache.cached`, asyncstdlib's, `cached_property` of the
package of that name. So is a cache of tasks or futures, which can be awaited again and again.

## Why is this bad?

What the function returns is a coroutine, and that is what is kept. Who comes second is given the same
coroutine, and awaiting it raises `RuntimeError: cannot reuse already awaited coroutine`. An async generator
that is kept gives nothing the second time.

## Example

```py
from functools import cached_property, lru_cache

@lru_cache  # error: [cached-coroutine]
async def load(path: str) -> str:
    return path

class Client:
    @cached_property  # error: [cached-coroutine]
    async def token(self) -> str:
        return "secret"
```

## Use instead

```py
import asyncio
from functools import cached_property

_loading: dict[str, asyncio.Task[str]] = {}

async def load(path: str) -> str:
    if path not in _loading:
        _loading[path] = asyncio.create_task(_load(path))
    return await _loading[path]

async def _load(path: str) -> str:
    return path

class Client:
    @cached_property
    def token(self) -> asyncio.Task[str]:
        return asyncio.create_task(self._token())

    async def _token(self) -> str:
        return "secret"
```

or a cache that is made for it, such as `async_lru.alru_cache`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.rulekit.caches import Caches, once_only
from awaitlint.rulekit.definitions import Definitions
from awaitlint.rulekit.libraries import library
from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.rulekit.caches import Cached
    from awaitlint.rulekit.context import ModuleContext


class CachedCoroutine(Rule):
    code = "AWL504"
    name = "cached-coroutine"
    summary = "a cache that keeps the coroutine of an `async def`, not its result"

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._caches = Caches(module)
        self._definitions = Definitions(module)

    def suspicious(self) -> Iterator[int]:
        facts = self.module.facts
        if not self._caches.are_there:
            return
        for index, scope in enumerate(facts.scopes):
            if scope.decorators and scope.kind is f.ScopeKind.FUNCTION and self._cached(index) is not None:
                yield scope.first_line
        for site in facts.sites:
            if self._given(site) is not None:
                yield site.line

    def _cached(self, scope: int) -> tuple[int, str, Cached] | None:
        """Of a function's decorators: which one keeps a coroutine, its name, and what makes the coroutine."""
        fact = self.module.facts.scopes[scope]
        if not any(map(self._caches.name, fact.decorators)):
            return None
        for decorator, value in self._definitions.decorations(scope):
            name = self._caches.name(decorator)
            found = once_only(self.module, value) if name else None
            if found is not None:
                return fact.decorators.index(decorator), name, found
        return None

    def _given(self, site: f.Site) -> tuple[str, Cached] | None:
        """For a call of a cache with a function: its name, and what makes the coroutine that it keeps."""
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, f.Call) or not call.args or site.use is f.Use.DECORATOR:
            return None
        name = self._caches.name(call.func)
        if not name:
            return None
        found = once_only(self.module, self.module.infer.value(self.module.module, call.args[0]))
        return (name, found) if found is not None else None

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        if not node.decorators:
            return
        scope = self._definitions.scope(self.context, node)
        cached = self._cached(scope) if scope >= 0 else None
        if cached is not None:
            number, name, found = cached
            decorator = node.decorators[number].decorator
            self._say(decorator, f"@{self.context.source(decorator)}", node.name.value, name, found)

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        given = self._given(site) if site is not None else None
        if given is not None:
            function = self.context.source(node.args[0].value)
            self._say(node, self.context.source(node.func), function, *given)

    def _say(self, node: libcst.CSTNode, cache: str, function: str, name: str, found: Cached) -> None:
        thing = "async generator" if found.is_generator else "coroutine"
        second = (
            "iterating it a second time gives nothing"
            if found.is_generator
            else "awaiting it a second time raises RuntimeError"
        )
        self.report(
            node,
            f"`{cache}` keeps the {thing} of `{function}`, not its result: {second}; {self._advice(name)}",
            related=[self.module.definition(found.function, f"`{found.function.fact.name}` is `async def`")],
        )

    def _advice(self, name: str) -> str:
        if library(self.module)[0] != "asyncio":
            return "keep the result, in a cache that awaits it"
        if "property" in name or name.endswith("reify"):
            return "keep a task or the result in an attribute"
        return "use a cache that awaits, such as `async_lru.alru_cache`"
