"""
## What it does

Reports a web handler that returns an un-awaited coroutine, bare or inside a dict, list, tuple or response
object. Handlers of FastAPI, Starlette, aiohttp, Litestar, Quart, Sanic, Flask and Django are known by their
decorators and by the calls that register them in the same module.

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

    def suspect(self, site: f.Site) -> bool:
        framework = self._handlers.framework(site.scope)
        if framework is None or not self._is_returned(site):
            return False
        scope = self.module.scope_of(site)
        if framework in _AWAITING and not scope.is_async and site.use is Use.RETURNED:
            return False
        return self.module.coroutine(site) is not None

    def _is_returned(self, site: f.Site) -> bool:
        """Whether the value is what the handler returns, or directly inside of it."""
        if site.use is Use.RETURNED:
            return True
        nodes = self.module.facts.nodes
        todo = list(self.module.scope_of(site).returned)
        seen: set[int] = set()
        while todo:
            index = todo.pop()
            if index == site.other:
                container = nodes[index]
                return not isinstance(container, f.Call) or self._handlers.is_response(container.func)
            if index in seen or index < 0:
                continue
            seen.add(index)
            node = nodes[index]
            if isinstance(node, f.Phi):
                todo.extend(node.options)
            elif isinstance(node, f.Display):
                todo.extend(node.elements)
            elif isinstance(node, f.DictDisplay):
                todo.extend(node.values)
            elif isinstance(node, f.Comp) and node.kind != "generator":
                todo.append(node.element)
            elif isinstance(node, (f.Narrow, f.Declared)):
                todo.append(node.value)
            elif isinstance(node, f.Call) and self._handlers.is_response(node.func):
                todo.extend((*node.args, *(value for _, value in node.keywords)))
        return False

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        framework = self._handlers.framework(site.scope) or ""
        how = "returns" if site.use is Use.RETURNED else "puts into its response"
        consequence = _CONSEQUENCE.get(framework, f"{framework} cannot make a response of it")
        handler = self.module.scope_of(site).name
        subject = self.subject(node, site)
        return f"the handler `{handler}` {how} the coroutine `{subject}`: {consequence}; {self.advice(site)}"
