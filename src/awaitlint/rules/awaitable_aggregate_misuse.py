"""
## What it does

Reports misuse of the functions of asyncio that await several things, or hand work to others:

- `gather` that is given a list, a tuple, a set or a comprehension instead of several awaitables;
- `asyncio.wait` that is given coroutines;
- `gather`, `shield` or `run_in_executor` whose future is dropped in async code.

A dropped `asyncio.wait(...)`, `wait_for(...)` or `to_thread(...)` is a coroutine that never runs, and belongs to
AWL101.

## Why is this bad?

`asyncio.gather([first(), second()])` raises `TypeError: unhashable type: 'list'` (or `an asyncio.Future, a
coroutine or an awaitable is required`), and `asyncio.wait` refuses coroutines since Python 3.11. A future that is
dropped works on, but nobody waits for it, and its exceptions are lost: `gather(...)` on a line of its own was
meant to be awaited.

## Example

```py
import asyncio

async def fetch(url: str) -> bytes:
    return b""

async def main(urls: list[str]) -> None:
    await asyncio.gather([fetch(url) for url in urls])  # error: [awaitable-aggregate-misuse]
    await asyncio.wait([fetch(url) for url in urls])  # error: [awaitable-aggregate-misuse]
    asyncio.gather(fetch("a"), fetch("b"))  # error: [awaitable-aggregate-misuse]
```

## Use instead

```py
import asyncio

async def fetch(url: str) -> bytes:
    return b""

async def main(urls: list[str]) -> None:
    await asyncio.gather(*[fetch(url) for url in urls])
    await asyncio.wait([asyncio.create_task(fetch(url)) for url in urls])
    await asyncio.gather(fetch("a"), fetch("b"))
```

## Fix safety

Adding the missing `*` is safe: the call cannot work without it. Adding `await` to a dropped future is unsafe,
because the code then waits. There is no fix for `asyncio.wait`.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import AwaitableValue, GeneratorValue, Instance, TupleValue, members
from awaitlint.model import Edit, Safety, Span
from awaitlint.rulekit.futures import future_maker
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.edits import insert_await

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import Value

_COLLECTIONS = frozenset({"list", "tuple", "set", "frozenset"})


class AwaitableAggregateMisuse(Rule):
    code = "AWL109"
    name = "awaitable-aggregate-misuse"
    summary = "`gather` of a list, `asyncio.wait` of coroutines, or a future of `gather` that is dropped"
    fixes = (Safety.SAFE, Safety.UNSAFE)
    uses = frozenset(Use)
    callees = frozenset({"gather", "wait", "shield", "run_in_executor"})

    def suspect(self, site: f.Site) -> bool:
        call = self._call(site)
        return call is not None and (self._is_dropped(site) or self._wrong_argument(site, call) is not None)

    def _call(self, site: f.Site) -> f.Call | None:
        """The call at a site, where it may be one of the functions."""
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        if not isinstance(call, f.Call) or getattr(nodes[call.func], "name", "") not in self.callees:
            return None
        return None if self.module.is_safe(site) else call

    def _is_dropped(self, site: f.Site) -> bool:
        if site.use is not Use.DISCARDED or not self.module.scope_of(site).is_async:
            return False
        return future_maker(self.module, site.node) is not None

    def _wrong_argument(self, site: f.Site, call: f.Call) -> int | None:
        """The number of an argument that the function cannot take."""
        function = future_maker(self.module, site.node)
        if function == "gather":
            for number, argument in enumerate(call.args):
                if self._is_collection(self._value(argument)):
                    return number
        elif function == "wait" and call.args and self._holds_coroutines(self._value(call.args[0])):
            return 0
        return None

    def _value(self, node: int) -> Value:
        return self.module.infer.value(self.module.module, node)

    @staticmethod
    def _is_collection(value: Value) -> bool:
        found = members(value)
        return all(
            isinstance(member, TupleValue)
            or (isinstance(member, GeneratorValue) and not member.is_async)
            or (
                isinstance(member, Instance)
                and member.cls.module.name == "builtins"
                and member.cls.fact.name in _COLLECTIONS
            )
            for member in found
        )

    def _holds_coroutines(self, value: Value) -> bool:
        if isinstance(value, TupleValue):
            items: tuple[Value, ...] = value.elements
        elif isinstance(value, GeneratorValue):
            items = (value.item,)
        elif isinstance(value, Instance) and self._is_collection(value):
            items = tuple(part for arg in value.cls.args for part in members(arg))
        else:
            return False
        return any(
            isinstance(item, AwaitableValue) and item.function is not None and item.function.fact.is_async
            for item in items
        )

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        call = self._call(site) if site is not None else None
        if site is None or call is None:
            return
        subject = self.context.source(node.func)
        number = self._wrong_argument(site, call)
        if number is not None and number < len(node.args):
            self._report_argument(node, node.args[number], subject)
        elif self._is_dropped(site):
            edits = insert_await(self.context, self.module.lines, node, self.context.parents)
            self.report(
                node,
                f"the future of `{subject}(...)` is dropped: nothing waits for it and its exceptions are lost; "
                "add `await`",
                fix=self.fix("Add `await`", edits, safety=Safety.UNSAFE) if edits else None,
            )

    def _report_argument(self, node: libcst.Call, argument: libcst.Arg, subject: str) -> None:
        inner = argument.value
        text = self.context.source(inner)
        if subject.rpartition(".")[2] == "wait":
            self.report(
                node,
                f"`{subject}` is given coroutines, which it refuses with TypeError since Python 3.11; "
                "make each a task with `asyncio.create_task`",
            )
            return
        span = self.context.outer_span(inner)
        bare = isinstance(inner, cst.GeneratorExp) and not inner.lpar
        edits = [Edit(Span(span.line, span.column, span.line, span.column), "*(" if bare else "*")]
        if bare:
            edits.append(Edit(Span(span.end_line, span.end_column, span.end_line, span.end_column), ")"))
        starred = f"*({text})" if isinstance(inner, cst.GeneratorExp) else f"*{text}"
        self.report(
            node,
            f"`{subject}` is given the collection `{text}`, not the awaitables in it: TypeError; "
            f"write `{starred}`",
            fix=self.fix("Unpack the argument with `*`", edits, safety=Safety.SAFE),
        )
