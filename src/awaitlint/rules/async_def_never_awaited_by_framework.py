"""
## What it does

Reports an `async def` in a place where a framework calls it as a plain function and nobody awaits the
coroutine that it gets:

- commands of click, typer, invoke, nox, hydra and locust, also through `typer.run`;
- tasks of Celery and receivers of its signals; tasks of ray; jobs of `schedule`, and of APScheduler's
  `BackgroundScheduler` and `BlockingScheduler`;
- validators, serialisers, computed fields and `model_post_init` of pydantic; listeners of SQLAlchemy;
- template tags, admin actions and management commands of Django; views of Django REST framework; views of
  Flask, where the project takes a version before 2.0;
- `unittest` hooks (`setUp`, `setUpClass` …, also those of `IsolatedAsyncioTestCase`, which awaits
  `asyncSetUp`), `addCleanup`, and pytest's hooks;
- the setter and deleter of a property, `Thread.run`, `Process.run`, `logging.Handler.emit`, request handlers
  of `socketserver` and `http.server`, and the methods of asyncio's protocols.

Frameworks that do await, such as RQ, AsyncIOScheduler, asyncclick and Django's signals, are not reported, nor
is a function with a decorator or a class with a base that is not known.

## Why is this bad?

To call an `async def` only makes a coroutine. The framework drops it, or takes it for the result: the command
does nothing and exits with 0, the job never runs, the field holds a coroutine.

## Example

```py
import asyncio

import click

async def fetch() -> None: ...

@click.command()
async def main() -> None:  # error: [async-def-never-awaited-by-framework]
    await fetch()
```

## Use instead

```py
import asyncio

import click

async def fetch() -> None: ...

@click.command()
def main() -> None:
    asyncio.run(fetch())
```
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from awaitlint.index.facts import Call, ScopeKind
from awaitlint.rulekit.plain_calls import PlainCalls
from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.index.facts import Site
    from awaitlint.rulekit.plain_callers import PlainCaller
    from awaitlint.rulekit.plain_calls import Given


class AsyncDefNeverAwaitedByFramework(Rule):
    code = "AWL804"
    name = "async-def-never-awaited-by-framework"
    summary = "an `async def` that a framework calls as a plain function"

    def suspicious(self) -> Iterator[int]:
        for line, _ in self._functions:
            yield line
        calls, may_be = self.module.calls, self._calls.may_take
        named = calls.named(self._calls.names)
        for site, call in chain(named, calls.others):
            if may_be(call) and self._given(site) is not None:
                yield site.line

    def _given(self, site: Site) -> Given | None:
        """The async function that the call at a site gives to something which calls it so."""
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, Call) or self.module.call_site(site.node) is not site:
            return None
        given = self._calls.argument(call)
        return None if given is None or self.module.is_safe(site) else given

    @cached_property
    def _calls(self) -> PlainCalls:
        return PlainCalls(self.module)

    @cached_property
    def _functions(self) -> dict[tuple[int, str], PlainCaller]:
        """The functions that are called so, by line and name."""
        found: dict[tuple[int, str], PlainCaller] = {}
        for number, scope in enumerate(self.module.facts.scopes):
            if scope.kind is ScopeKind.FUNCTION and scope.is_async:
                caller = self._calls.of_function(number)
                if caller is not None:
                    found[scope.line, scope.name] = caller
        return found

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        name = node.name.value
        caller = self._functions.get((self.context.span(node.name).line, name))
        if caller is not None and not self.context.expects_error():
            self._report(node.name, f"`{name}`", caller)

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        given = self._given(site) if site is not None else None
        if given is None or self.context.expects_error():
            return
        for number, argument in enumerate(node.args):
            if given.key == (number if argument.keyword is None else argument.keyword.value):
                self._report(argument.value, f"`{self.context.source(argument.value)}`", given.caller)

    def _report(self, node: libcst.CSTNode, subject: str, caller: PlainCaller) -> None:
        self.report(
            node,
            f"{subject} is `async def`, but {caller.name} calls it as a plain function:"
            f" {caller.consequence}; {caller.advice}",
        )
