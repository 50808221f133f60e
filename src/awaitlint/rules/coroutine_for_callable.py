"""
## What it does

Reports a coroutine where a framework wants a function that it will call: `BackgroundTasks.add_task(send())`,
`Depends(get_user())`, `add_event_handler("startup", connect())`, APScheduler's `add_job(job())`, routes, and
whatever runs a function in a thread or later on the event loop: `asyncio.to_thread(f())`,
`run_in_executor(None, f())`, `run_in_threadpool(f())`, `sync_to_async(f())`, `Thread(target=f())`,
`loop.call_soon(f())`, `signal.signal(..., f())`.

## Why is this bad?

The coroutine cannot be called: `TypeError: 'coroutine' object is not callable`, often long after and in
another place, and the function never runs.

## Example

```py
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()

async def send(to: str) -> None: ...

@app.post("/users")
async def create(tasks: BackgroundTasks) -> None:
    tasks.add_task(send("a@example.com"))  # error: [coroutine-for-callable]
```

## Use instead

```py
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()

async def send(to: str) -> None: ...

@app.post("/users")
async def create(tasks: BackgroundTasks) -> None:
    tasks.add_task(send, "a@example.com")
```

## Fix safety

Where the framework takes an `async def`, the fix passes the function in place of its call, and the arguments
behind it where they are passed on. It is unsafe: the function then runs, and its arguments are evaluated in
another order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import CallableValue, ClassValue, FunctionValue, OverloadedValue, members
from awaitlint.model import Edit, Span
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.rulekit.wanted import WantedFunctions
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.wanted import Wanted


_FUNCTIONS = (CallableValue, ClassValue, FunctionValue, OverloadedValue)


class CoroutineForCallable(CoroutineRule):
    code = "AWL803"
    name = "coroutine-for-callable"
    summary = "a coroutine where a framework wants the function"
    uses = frozenset({Use.ARGUMENT})

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._functions = WantedFunctions(module)

    def suspect(self, site: f.Site) -> bool:
        if self._wanted(site) is None or self.awaitable(site) is None:
            return False
        # where its result is a function, that is what was meant
        result = self.module.infer.awaited(self.module.value(site))
        return not any(isinstance(member, _FUNCTIONS) for member in members(result))

    def _wanted(self, site: f.Site) -> Wanted | None:
        call = self.module.facts.nodes[site.other] if site.other >= 0 else None
        return self._functions.at(call, site.node) if isinstance(call, f.Call) else None

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        wanted = self._wanted(site)
        outer = self._outer()
        if wanted is None or outer is None:
            return None
        taker = self.context.source(outer.func)
        given = f"the coroutine `{self.subject(node, site)}`, which cannot be called"
        return (
            f"`{taker}` wants a function and is given {given}: TypeError; {self._advice(node, site, wanted)}"
        )

    def _advice(self, node: libcst.Call | libcst.Name, site: f.Site, wanted: Wanted) -> str:
        if wanted.takes_async:
            if isinstance(node, cst.Call) and self.is_call(site):
                behind = ", with the arguments behind it" if node.args and wanted.forwards else ""
                return f"pass `{self.context.source(node.func)}`{behind}"
            return "pass the function itself"
        if wanted.on_loop:
            return "make it a task, or pass a plain function"
        return "await it" if self.can_await(self.module.scope_of(site)) else "pass a plain function"

    def _outer(self) -> libcst.Call | None:
        """The call that the visited node is an argument of."""
        return next((each for each in reversed(self.context.parents) if isinstance(each, cst.Call)), None)

    def await_fix(self, node: libcst.BaseExpression, site: f.Site) -> Fix | None:
        """Pass the function in place of the coroutine."""
        wanted, outer = self._wanted(site), self._outer()
        if wanted is None or outer is None or not wanted.takes_async or not isinstance(node, cst.Call):
            return None
        func, whole = self.context.outer_span(node.func), self.context.span(node)
        if not node.args:
            opening = Edit(Span(func.end_line, func.end_column, whole.end_line, whole.end_column), "")
            return self.fix("Pass the function itself", [opening])
        names = {argument.keyword.value for argument in node.args if argument.keyword is not None}
        alone = len(outer.args) == 1 and outer.args[0].keyword is None and not node.lpar
        if not wanted.forwards or not alone or wanted.name in names or whole.line != whole.end_line:
            return None
        if any(isinstance(argument.value, cst.GeneratorExp) for argument in node.args):
            return None
        start, end = self.context.span(node.args[0]), self.context.span(node.args[-1])
        return self.fix(
            "Pass the function and its arguments",
            [
                Edit(Span(func.end_line, func.end_column, start.line, start.column), ", "),
                Edit(Span(end.end_line, end.end_column, whole.end_line, whole.end_column), ""),
            ],
        )
