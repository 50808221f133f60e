"""
## What it does

Reports a web handler that returns an un-awaited coroutine, bare or inside a dict, list, tuple or response
object. Handlers of FastAPI, Starlette, aiohttp, Litestar, Quart, Sanic, Flask and Django are known by

- their decorators, also those of a router that another module makes;
- the class whose methods they are: Django's `View` and its kin, aiohttp's `web.View`, Starlette's
  `HTTPEndpoint`, the method views of Flask, Quart and Sanic, unless a class of the project dispatches in its
  own way;
- the call that registers them (`Route("/", home)`, `path("", views.home)`, `add_get(...)`), in the same
  module or in one with a customary name, such as `urls`, `routes`, `app` or `main`, in the same folder or the
  one above. For Django it may also be the `urls` of another app.

## Why is this bad?

The framework awaits the handler once and then tries to turn what it returned into a response. FastAPI fails
with `ValueError: [TypeError("'coroutine' object is not iterable"), ...]`, the others with errors of their
own; the body of the coroutine never runs.

## Example

```py
from fastapi import FastAPI

app = FastAPI()

async def process_data() -> dict[str, int]:
    return {"id": 1}

@app.post("/webhook")
async def webhook():
    data = process_data()
    return data  # error: [handler-returns-coroutine]
```

## Use instead

```py
from fastapi import FastAPI

app = FastAPI()

async def process_data() -> dict[str, int]:
    return {"id": 1}

@app.post("/webhook")
async def webhook():
    data = await process_data()
    return data
```

## Fix safety

The fix adds `await` where the coroutine is created and is unsafe, because the code then does what it did not
do before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.rulekit.handlers import Handlers

if TYPE_CHECKING:
    import libcst

    from awaitlint.rulekit.context import ModuleContext

_CONSEQUENCE = {
    "FastAPI": "FastAPI fails with `'coroutine' object is not iterable`",
    "Django": "Django fails with `the view returned an unawaited coroutine`",
}
#: these await what a plain handler returned
_AWAITING = frozenset({"aiohttp", "Sanic"})


class HandlerReturnsCoroutine(CoroutineRule):
    code = "AWL802"
    name = "handler-returns-coroutine"
    summary = "a web handler that returns an un-awaited coroutine"
    uses = frozenset({Use.RETURNED, Use.ELEMENT, Use.ARGUMENT})

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._handlers = Handlers(module)
        self._returned: dict[int, frozenset[int]] = {}

    def suspect(self, site: f.Site) -> bool:
        if not self._handlers.may_be(site.scope) or not self._is_returned(site):
            return False
        # most returned calls are none of coroutines, and who registers a function takes a while to find out
        value = self.module.coroutine(site)
        if value is None:
            return False
        made = value.function
        if made is not None and made.module is self.module.module and made.fact.parent == site.scope:
            # a function that makes an async function of its own and calls it, as Django's views do
            return False
        framework = self._handlers.framework(site.scope)
        if framework in _AWAITING and site.use is Use.RETURNED:
            return self.module.scope_of(site).is_async
        return framework is not None

    def _is_returned(self, site: f.Site) -> bool:
        """Whether the value is what the function returns, or directly inside of it."""
        return site.use is Use.RETURNED or site.other in self._containers(site.scope)

    def _containers(self, scope: int) -> frozenset[int]:
        """The nodes in which a value is part of what a function returns."""
        known = self._returned.get(scope)
        if known is not None:
            return known
        nodes = self.module.facts.nodes
        found: set[int] = set()
        todo = list(self.module.facts.scopes[scope].returned)
        seen: set[int] = set()
        while todo:
            index = todo.pop()
            if index in seen or index < 0:
                continue
            seen.add(index)
            node = nodes[index]
            inside: tuple[int, ...] = ()
            if isinstance(node, f.Phi):
                todo.extend(node.options)
            elif isinstance(node, (f.Narrow, f.Declared)):
                todo.append(node.value)
            elif isinstance(node, f.Display):
                inside = node.elements
            elif isinstance(node, f.DictDisplay):
                inside = node.values
            elif isinstance(node, f.Comp):
                found.add(index)
                inside = () if node.kind == "generator" else (node.element,)
            elif isinstance(node, f.Call) and self._handlers.is_response(node.func):
                inside = (*node.args, *(value for _, value in node.keywords))
            if inside:
                found.add(index)
                todo.extend(inside)
        self._returned[scope] = frozenset(found)
        return self._returned[scope]

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        framework = self._handlers.framework(site.scope) or ""
        how = "returns" if site.use is Use.RETURNED else "puts into its response"
        consequence = _CONSEQUENCE.get(framework, f"{framework} cannot make a response of it")
        handler = self.module.scope_of(site).name
        subject = self.subject(node, site)
        return f"the handler `{handler}` {how} the coroutine `{subject}`: {consequence}; {self.advice(site)}"
