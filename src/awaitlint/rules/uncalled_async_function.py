"""
## What it does

Reports an async function that is given where the coroutine is needed that calling it makes: to
`asyncio.run`, `create_task`, `ensure_future`, `gather`, `wait_for`, `shield`, `run_until_complete`,
`run_coroutine_threadsafe`, a `TaskGroup`, and to any parameter that is declared to be a coroutine or
awaitable and nothing else. And the reverse: a coroutine that is given where trio or anyio needs the
function, which they call themselves: `nursery.start_soon(f())`, `trio.run(f())`, `anyio.run(f())`.

The function may be a bound method, a `functools.partial`, a lambda, an async generator function, or a plain
function that certainly returns a coroutine. A parameter of the project's own functions counts where the body
awaits it, or hands it to something that does.

## Why is this bad?

It fails at run time: `ValueError: a coroutine was expected, got <function main>`; `TypeError: An
asyncio.Future, a coroutine or an awaitable is required`. Trio and anyio refuse a coroutine in the same way:
`TypeError: Trio was expecting an async function, but instead it got a coroutine object`.

## Example

```py
import asyncio

async def main() -> None: ...

asyncio.run(main)  # error: [uncalled-async-function]
```

With trio:

```py
import trio

async def child(number: int) -> None: ...

async def main() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(child(1))  # error: [uncalled-async-function]

trio.run(main())  # error: [uncalled-async-function]
```

## Use instead

```py
import asyncio

async def main() -> None: ...

asyncio.run(main())
```

With trio:

```py
import trio

async def child(number: int) -> None: ...

async def main() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(child, 1)

trio.run(main)
```

## Fix safety

The fix calls a function that can do without arguments; for trio and anyio it hands on the function and its
positional arguments. It is unsafe, because the code then does what it did not do before.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.modules import Origin
from awaitlint.infer.bodies import TAKERS, last_name
from awaitlint.infer.values import (
    NONE,
    AwaitableValue,
    FunctionValue,
    GeneratorValue,
    Instance,
    NoneValue,
    TypeVarValue,
    function_of,
    members,
)
from awaitlint.model import Edit, Span
from awaitlint.rulekit.arguments import arguments, items
from awaitlint.rulekit.callables import (
    coroutine_of,
    is_async_generator,
    is_starter,
    needs_no_arguments,
    qualname,
)
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.infer.slots import Slot
    from awaitlint.infer.values import Value
    from awaitlint.model import Fix

#: functions of asyncio that take a collection of awaitables first
_OF_COLLECTIONS = frozenset({"asyncio.tasks.wait", "asyncio.tasks.as_completed"})
_COLLECTION_NAMES = frozenset({"wait", "as_completed"})
#: functions of asyncio that take awaitables one by one
_KNOWN = TAKERS | _COLLECTION_NAMES | {"Task"}

#: nodes by which code calls a function that has a name
_NAMED = frozenset({f.Attr, f.Name, f.Free, f.Import})
#: nodes that may stand for a function
_FUNCTIONS = (f.Name, f.Free, f.Attr, f.Func, f.Import, f.Lambda, f.Param, f.Narrow, f.Phi, f.Declared)


class UncalledAsyncFunction(CoroutineRule):
    code = "AWL108"
    name = "uncalled-async-function"
    summary = "an async function where a coroutine is needed, or the reverse for trio and anyio"

    def suspicious(self) -> Iterator[int]:
        for site, call in self.module.calls.all:
            if (call.args or call.keywords) and self._uncalled(site):
                yield site.line
        for site in self.module.by_use.get(Use.ARGUMENT, ()):
            if self._is_reversed(site):
                yield site.line

    # ------------------------------------------------------------------ a function for a coroutine
    def _uncalled(self, site: f.Site) -> list[int]:
        """Of the call at a site, the nodes that are functions where coroutines are needed."""
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        if not isinstance(call, f.Call):
            return []
        func = nodes[call.func]
        known = type(func) in _NAMED and last_name(func) in _KNOWN
        may_be = self._may_be_function if known else self._is_near
        found = [node for node in call.args if may_be(node)]
        found += [node for _, node in call.keywords if may_be(node)]
        if (not found and not known) or self.module.call_site(site.node) is not site:
            return []
        found = [node for node in found if self._needs_coroutine(site.node, node)]
        if known:
            found += self._uncalled_items(call)
        return [] if found and self.module.is_safe(site) else found

    def _may_be_function(self, node: int) -> bool:
        """Whether an argument of something that takes awaitables may be a function."""
        nodes = self.module.facts.nodes
        fact = nodes[node]
        # what these give for a function is called that function, by their type variables
        return isinstance(fact, _FUNCTIONS) or (
            isinstance(fact, f.Call) and last_name(nodes[fact.func]) not in _KNOWN
        )

    def _is_near(self, node: int) -> bool:
        """Whether an argument of any other call may be an async function of this package: cheap."""
        fact = self.module.facts.nodes[node]
        kind = type(fact)
        if kind is f.Name:
            return fact.name in self._names  # type: ignore[union-attr]
        if kind is f.Attr or kind is f.Free:
            return fact.name in self._async_names  # type: ignore[union-attr]
        return (kind is f.Func or kind is f.Import) and self._is_async_or_imported(node)

    def _is_async_or_imported(self, node: int) -> bool:
        facts = self.module.facts
        fact = facts.nodes[node]
        if isinstance(fact, f.Func):
            return facts.scopes[fact.scope].is_async
        own = self.module.module.name.partition(".")[0]
        return isinstance(fact, f.Import) and (fact.level > 0 or fact.module.partition(".")[0] == own)

    @cached_property
    def _names(self) -> frozenset[str]:
        """The module's names for async functions, and for what comes from its own package."""
        bindings = self.module.facts.scopes[0].bindings
        return frozenset(
            name for name, bound in bindings.items() if any(map(self._is_async_or_imported, bound))
        )

    @cached_property
    def _async_names(self) -> frozenset[str]:
        return frozenset(scope.name for scope in self.module.facts.scopes if scope.is_async)

    def _value(self, node: int) -> Value:
        return self.module.infer.value(self.module.module, node)

    def _is_function(self, node: int) -> bool:
        value = self._value(node)
        return is_async_generator(value) or coroutine_of(self.module, value) is not None

    def _needs_coroutine(self, call: int, argument: int) -> bool:
        """Whether an argument is a function that makes coroutines, and what takes it wants one of them."""
        if not self._is_function(argument):
            return False
        slots = self.module.infer.slots(self.module.module, call, argument)
        return bool(slots) and all(map(self._wants_coroutine, slots))

    def _wants_coroutine(self, slot: Slot) -> bool:
        declared = [
            part
            for member in members(slot.declared or NONE)
            for part in members(member.bound or member if isinstance(member, TypeVarValue) else member)
        ]
        if not any(self.module.infer.is_awaitable(member) for member in declared):
            return False
        if not all(self._excludes_functions(member) for member in declared):
            return False
        owner = slot.owner
        if not isinstance(owner, FunctionValue) or slot.number < 0:
            return True
        if owner.module.origin is not Origin.PROJECT:
            return True
        # annotations of callbacks are sometimes those of what they return
        nodes, infer = owner.module.facts.nodes, self.module.infer
        called = any(
            isinstance(node := nodes[use.user], f.Call) and node.func == use.used
            for use in infer.uses_of(owner, slot.number)
        )
        return not called and infer.is_looked_at(owner, slot.number)

    def _excludes_functions(self, declared: Value) -> bool:
        """Whether no function is what a parameter is declared to be."""
        if isinstance(declared, (AwaitableValue, NoneValue, GeneratorValue)):
            return True
        if not isinstance(declared, Instance):
            return False
        return declared.cls.qualname == "typing.Generator" or bool(self.module.infer.is_awaitable(declared))

    def _uncalled_items(self, call: f.Call) -> list[int]:
        """The functions among the items of a collection of awaitables that is written out."""
        nodes = self.module.facts.nodes
        given = [node.value for node in map(nodes.__getitem__, call.args) if isinstance(node, f.Starred)]
        if given and qualname(self._value(call.func)) != "asyncio.tasks.gather":
            return []
        if not given and call.args and last_name(nodes[call.func]) in _COLLECTION_NAMES:
            given = [call.args[0]] if qualname(self._value(call.func)) in _OF_COLLECTIONS else []
        items: list[int] = []
        for node in map(nodes.__getitem__, given):
            if isinstance(node, f.Display):
                items += node.elements
            elif isinstance(node, f.Comp) and node.kind != "dict":
                items.append(node.element)
        return [item for item in items if self._is_function(item)]

    # ------------------------------------------------------------------ a coroutine for a function
    def _is_reversed(self, site: f.Site) -> bool:
        """Whether a site is a coroutine where trio or anyio needs the function."""
        call = self.module.facts.nodes[site.other] if site.use is Use.ARGUMENT and site.other >= 0 else None
        if not isinstance(call, f.Call) or not call.args or call.args[0] != site.node:
            return False
        return is_starter(self.module, call) and self.awaitable(site) is not None

    # ------------------------------------------------------------------ reports
    def visit_Call(self, node: libcst.Call) -> None:
        self._look_reversed(node)
        site = self.context.site(node)
        uncalled = self._uncalled(site) if site is not None else []
        if uncalled and not self.context.expects_error():
            assert site is not None
            call = self.module.facts.nodes[site.node]
            assert isinstance(call, f.Call)
            for argument, index in arguments(node, call):
                for each, inner in ((argument, index), *items(self.module.facts.nodes, argument, index)):
                    if inner in uncalled:
                        self._report(node, each, inner, cause=("argument", site.node, inner))

    def visit_Name(self, node: libcst.Name) -> None:
        self._look_reversed(node)

    def _report(
        self, node: libcst.Call, argument: libcst.BaseExpression, index: int, *, cause: object
    ) -> None:
        if self.context.is_probed(argument):
            return
        value = self._value(index)
        function = function_of(members(value)[0])
        text, taker = self.context.source(argument), self.context.source(node.func)
        is_async = function is not None and function.fact.is_async
        what = "an async function" if is_async and isinstance(value, FunctionValue) else "a function"
        simple = isinstance(argument, (cst.Name, cst.Attribute))
        fits = simple and all(map(needs_no_arguments, members(value)))
        advice = f"call it: `{text}{'()' if fits else '(...)'}`" if simple else "call it"
        if is_async_generator(value):
            what, advice, fits = "an async generator function", "take the `yield` out, and call it", False
        fix = None
        if fits:
            whole = self.context.outer_span(argument)
            end = Span(whole.end_line, whole.end_column, whole.end_line, whole.end_column)
            fix = self.fix("Call it", [Edit(end, "()")])
        related = []
        if function is not None and is_async:
            related = [self.module.definition(function, f"`{function.fact.name}` is `async def`")]
        self.report(
            argument,
            f"`{text}` is {what}, not the coroutine that `{taker}` needs: it fails at run time; {advice}",
            related=related,
            fix=fix,
            cause=cause,
        )

    def _look_reversed(self, node: libcst.Call | libcst.Name) -> None:
        site = self.context.site(node)
        if site is None or not self._is_reversed(site) or self.context.expects_error():
            return
        value = self.awaitable(site)
        call = self.context.parents[-2] if len(self.context.parents) > 1 else None
        if value is None or not isinstance(call, cst.Call):
            return
        taker, subject = self.context.source(call.func), self.subject(node, site)
        self.report(
            node,
            f"`{subject}` is a coroutine, but `{taker}` calls the function itself and fails here; "
            "give it the function, and its arguments behind it",
            related=self.evidence(site, value),
            fix=self._uncall(node),
            cause=self.cause(site),
        )

    def _uncall(self, node: libcst.Call | libcst.Name) -> Fix | None:
        """Hand on the function and its arguments: ``start_soon(f, x)``."""
        if not isinstance(node, cst.Call) or node.lpar:
            return None
        if not isinstance(node.func, (cst.Name, cst.Attribute)):
            return None
        if any(argument.keyword is not None or argument.star for argument in node.args):
            # functions of trio and anyio hand on positional arguments only
            return None
        func, whole = self.context.outer_span(node.func), self.context.span(node)
        places = [self.context.outer_span(argument.value) for argument in node.args]
        if not places:
            rest = Span(func.end_line, func.end_column, whole.end_line, whole.end_column)
            return self.fix("Give the function", [Edit(rest, "")])
        begin, end = places[0], places[-1]
        before = Span(func.end_line, func.end_column, begin.line, begin.column)
        after = Span(end.end_line, end.end_column, whole.end_line, whole.end_column)
        return self.fix("Give the function and its arguments", [Edit(before, ", "), Edit(after, "")])
