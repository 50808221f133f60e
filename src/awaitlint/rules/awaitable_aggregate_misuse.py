"""
## What it does

Reports misuse of the functions of asyncio that await several things, or hand work to others:

- `gather` that is given a collection (a list, a tuple, a set, a comprehension, `map(...)`, the values of a
  dict) instead of several awaitables;
- `asyncio.wait` that is given coroutines;
- `gather`, `shield` or `run_in_executor` whose future is dropped in async code.

A dropped `asyncio.wait(...)`, `wait_for(...)` or `to_thread(...)` is a coroutine that never runs, and belongs
to AWL101.

## Why is this bad?

`asyncio.gather([first(), second()])` raises `TypeError: unhashable type: 'list'` (or `an asyncio.Future, a
coroutine or an awaitable is required`), and `asyncio.wait` refuses coroutines since Python 3.11. A future
that is dropped works on, but nobody waits for it, and its exceptions are lost: `gather(...)` on a line of its
own was meant to be awaited.

## Example

```py
import asyncio

async def fetch(url: str) -> bytes:
    return b""

async def main(urls: list[str], tasks: dict[str, asyncio.Task[bytes]], path: str) -> None:
    await asyncio.gather([fetch(url) for url in urls])  # error: [awaitable-aggregate-misuse]
    await asyncio.gather(map(fetch, urls))  # error: [awaitable-aggregate-misuse]
    await asyncio.gather(tasks.values())  # error: [awaitable-aggregate-misuse]
    await asyncio.wait([fetch(url) for url in urls])  # error: [awaitable-aggregate-misuse]
    asyncio.gather(fetch("a"), fetch("b"))  # error: [awaitable-aggregate-misuse]
    asyncio.shield(tasks["a"])  # error: [awaitable-aggregate-misuse]
    asyncio.get_running_loop().run_in_executor(None, open, path)  # error: [awaitable-aggregate-misuse]
```

## Use instead

```py
import asyncio

async def fetch(url: str) -> bytes:
    return b""

async def main(urls: list[str], tasks: dict[str, asyncio.Task[bytes]], path: str) -> None:
    await asyncio.gather(*[fetch(url) for url in urls])
    await asyncio.gather(*map(fetch, urls))
    await asyncio.gather(*tasks.values())
    await asyncio.wait([asyncio.create_task(fetch(url)) for url in urls])
    await asyncio.gather(fetch("a"), fetch("b"))
    await asyncio.shield(tasks["a"])
    await asyncio.get_running_loop().run_in_executor(None, open, path)
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
from awaitlint.index.special import TYPING_MODULES
from awaitlint.infer.values import AwaitableValue, GeneratorValue, Instance, TupleValue, members
from awaitlint.model import Edit, Safety, Span
from awaitlint.rulekit.futures import FUTURES, future_maker
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.edits import insert_await

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import Value

#: classes of the standard library whose instances are collections or iterators, and no awaitables
_COLLECTIONS = frozenset(
    {f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "map", "filter", "zip")}
    | {"_collections_abc.dict_values", "collections.deque", "typing.ValuesView"}
)
#: annotations of collections: what they stand for might be an awaitable as well, but not with such items
_ABSTRACT = frozenset(
    {"Iterable", "Iterator", "Collection", "Sequence", "MutableSequence", "AbstractSet", "MutableSet"}
)


class AwaitableAggregateMisuse(Rule):
    code = "AWL109"
    name = "awaitable-aggregate-misuse"
    summary = "`gather` of a list, `asyncio.wait` of coroutines, or a future of `gather` that is dropped"
    fixes = (Safety.SAFE, Safety.UNSAFE)
    uses = frozenset(Use)
    callees = frozenset({"gather", "wait", "shield", "run_in_executor"})

    def may_suspect(self, site: f.Site) -> bool:
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        func = nodes[call.func] if isinstance(call, f.Call) else None
        # methods go by the names that they were defined by, functions by any
        return func is not None and (not isinstance(func, f.Attr) or func.name in self.callees)

    def suspect(self, site: f.Site) -> bool:
        call = self._call(site)
        return call is not None and (self._is_dropped(site) or bool(self._wrong_arguments(site, call)))

    def _call(self, site: f.Site) -> f.Call | None:
        """The call at a site, where it may be one of the functions."""
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, f.Call) or not self.may_suspect(site) or self.module.is_safe(site):
            return None
        return call

    def _is_dropped(self, site: f.Site) -> bool:
        if site.use is not Use.DISCARDED or not self.module.scope_of(site).is_async:
            return False
        return future_maker(self.module, site.node) in FUTURES

    def _wrong_arguments(self, site: f.Site, call: f.Call) -> list[int]:
        """The numbers of the arguments that the function cannot take."""
        function = future_maker(self.module, site.node)
        if function == "gather":
            return [at for at, node in enumerate(call.args) if self._is_collection(self._value(node))]
        if function == "wait" and call.args and self._holds_coroutines(self._value(call.args[0])):
            return [0]
        return []

    def _value(self, node: int) -> Value:
        return self.module.infer.value(self.module.module, node)

    def _is_collection(self, value: Value) -> bool:
        return all(self._is_one_collection(member) for member in members(value))

    def _is_one_collection(self, value: Value) -> bool:
        if isinstance(value, GeneratorValue):
            return not value.is_async
        if not isinstance(value, Instance):
            return isinstance(value, TupleValue)
        cls = value.cls
        if cls.module.name in TYPING_MODULES and cls.fact.name in _ABSTRACT:
            return bool(cls.args) and all(self.module.infer.is_awaitable(arg) is True for arg in cls.args)
        return cls.qualname in _COLLECTIONS

    def _holds_coroutines(self, value: Value) -> bool:
        if isinstance(value, TupleValue):
            items: tuple[Value, ...] = value.elements
        elif isinstance(value, GeneratorValue):
            items = (value.item,)
        elif isinstance(value, Instance) and self._is_one_collection(value):
            items = value.cls.args
        else:
            return False
        return any(
            isinstance(item, AwaitableValue) and item.function is not None and item.function.fact.is_async
            for each in items
            for item in members(each)
        )

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        call = self._call(site) if site is not None else None
        if site is None or call is None or self.context.expects_error():
            return
        subject = self.context.source(node.func)
        wrong = [node.args[number].value for number in self._wrong_arguments(site, call)]
        if wrong and future_maker(self.module, site.node) == "wait":
            self.report(
                node,
                f"`{subject}` is given coroutines, which it refuses with TypeError since Python 3.11; "
                "make each a task with `asyncio.create_task`",
            )
        elif wrong:
            self._report_collections(node, wrong, subject)
        if self._is_dropped(site):
            edits = insert_await(self.context, self.module.lines, node, self.context.parents)
            self.report(
                node,
                f"the future of `{subject}(...)` is dropped: nothing waits for it and its exceptions are "
                "lost; add `await`",
                fix=self.fix("Add `await`", edits, safety=Safety.UNSAFE) if edits else None,
                cause=("dropped", site.node),
            )

    def _report_collections(
        self, node: libcst.Call, collections: list[libcst.BaseExpression], subject: str
    ) -> None:
        edits: list[Edit] = []
        for inner in collections:
            span = self.context.outer_span(inner)
            # the grammar takes no walrus after a star, and a generator expression only with parentheses
            bare = isinstance(inner, (cst.GeneratorExp, cst.NamedExpr)) and not inner.lpar
            edits.append(Edit(Span(span.line, span.column, span.line, span.column), "*(" if bare else "*"))
            if bare:
                edits.append(Edit(Span(span.end_line, span.end_column, span.end_line, span.end_column), ")"))
        first = collections[0]
        text = self.context.source(first)
        starred = f"*({text})" if isinstance(first, (cst.GeneratorExp, cst.NamedExpr)) else f"*{text}"
        self.report(
            node,
            f"`{subject}` is given the collection `{text}`, not the awaitables in it: TypeError; "
            f"write `{starred}`",
            fix=self.fix("Unpack the argument with `*`", edits, safety=Safety.SAFE),
        )
