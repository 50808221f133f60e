"""
## What it does

Reports `await` of a value that is provably not awaitable: the result of a plain function, a literal, a list
of coroutines, an async function that is not called, an async generator; also what was parsed from JSON, by
`json.loads` or by `response.json()` of a client that has read the response already.

## Why is this bad?

It fails at run time: `TypeError: object int can't be used in 'await' expression`. Dictionary, string and
number operations, `len`, `json.dumps` and the like are synchronous: they need no `await`.

## Example

```py
import json

async def main(messages: list[str]) -> None:
    count = await len(messages)  # error: [await-non-awaitable]
    text = await json.dumps({})  # error: [await-non-awaitable]
```

## Use instead

```py
import json

async def main(messages: list[str]) -> None:
    count = len(messages)
    text = json.dumps({})
```

To await several coroutines, use `await asyncio.gather(*coroutines)`.

## Fix safety

The fix removes `await`. It is unsafe: perhaps an asynchronous function was meant. There is no fix for a
function that is not called, nor for a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.describe import describe
from awaitlint.infer.values import (
    AwaitableValue,
    CallableValue,
    ClassValue,
    FunctionValue,
    GeneratorValue,
    Instance,
    NoneValue,
    OverloadedValue,
    TupleValue,
    Unknown,
    members,
)
from awaitlint.model import Safety
from awaitlint.rulekit.lookups import is_item_of_filled, is_plain_lookup, is_set_to_awaitable
from awaitlint.rulekit.parsed import is_parsed
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.edits import remove_await

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import Value
    from awaitlint.model import Related

#: a longer description is cut down to the class
_LONGEST = 60
_COLLECTIONS = ("list", "set", "tuple", "frozenset", "dict")


class AwaitNonAwaitable(Rule):
    code = "AWL105"
    name = "await-non-awaitable"
    summary = "`await` of a value that cannot be awaited"
    fixes = (Safety.UNSAFE,)
    uses = frozenset({Use.AWAITED})

    def suspect(self, site: f.Site) -> bool:
        value = self.module.value(site)
        if self.module.infer.is_awaitable(value) is False:
            found = not self._is_placeholder(site, value)
        else:
            found = is_plain_lookup(self.module, site, value) or is_parsed(self.module, site.node)
        return found and not self._is_excused(site)

    def _is_excused(self, site: f.Site) -> bool:
        call = self.module.facts.nodes[site.node]
        if is_item_of_filled(self.module, call) or is_set_to_awaitable(self.module, call):
            return True
        if isinstance(call, f.Call) and isinstance(self.module.value(site), NoneValue):
            func = self.module.infer.value(self.module.module, call.func)
            if isinstance(func, CallableValue) and func.origin is None:
                # ``Callable[..., None]`` says that nobody looks at what it returns
                return True
        called = self.module.called(site)
        if called is not None and self.module.infer.body_may_be_awaitable(called):
            return True
        return self.module.is_safe(site) or self.module.is_overridden(site)

    def _is_placeholder(self, site: f.Site, value: Value) -> bool:
        """Whether the value is only None where it is written, and may be set elsewhere."""
        return isinstance(value, NoneValue) and not isinstance(
            self.module.facts.nodes[site.node], (f.Call, f.Const)
        )

    def visit_Await(self, node: libcst.Await) -> None:
        site = self.context.site(node.expression)
        if site is None or site.use is not Use.AWAITED or not self.suspect(site):
            return
        if self.context.is_probed(node.expression) or self.context.expects_error():
            return
        value = self.module.value(site)
        subject = self.context.source(node.expression)
        if is_parsed(self.module, site.node):
            what, advice, removable = "data that was parsed", "remove `await`", True
        else:
            what, advice, removable = self._explain(value)
        edits = remove_await(self.context, node) if removable else None
        self.report(
            node,
            f"`{subject}` is {what}, which cannot be awaited: TypeError at run time; {advice}",
            related=self._evidence(site),
            fix=self.fix("Remove `await`", edits) if edits else None,
        )

    def _explain(self, value: Value) -> tuple[str, str, bool]:
        """(what the value is, what to do, whether removing `await` can be right)."""
        first = members(value)[0]
        if isinstance(first, (FunctionValue, OverloadedValue)):
            function = first.functions[0] if isinstance(first, OverloadedValue) else first
            kind = "an async function that is not called" if function.fact.is_async else "a function"
            return kind, "call it" if function.fact.is_async else "remove `await`", False
        if self._holds_coroutines(first):
            return "a collection of coroutines", "use `asyncio.gather(*...)`", False
        if isinstance(first, GeneratorValue):
            if first.is_async:
                return "an async generator", "iterate it with `async for`", False
            return "a generator", "remove `await`", True
        if isinstance(first, ClassValue):
            return "a class", "remove `await`", True
        if isinstance(first, NoneValue) and len(members(value)) == 1:
            return "None", "remove `await`", True
        if not isinstance(first, Instance) and any(isinstance(member, Unknown) for member in members(value)):
            return "an item of a dict, or None", "remove `await`", True
        words = describe(self.module.infer, first if isinstance(first, Instance) else value)
        if len(words) > _LONGEST and isinstance(first, Instance):
            words = first.cls.fact.name
        return f"of type `{words}`", "remove `await`", True

    def _holds_coroutines(self, value: Value) -> bool:
        if isinstance(value, GeneratorValue):
            return not value.is_async and isinstance(value.item, AwaitableValue)
        if isinstance(value, TupleValue):
            return any(isinstance(element, AwaitableValue) for element in value.elements)
        return (
            isinstance(value, Instance)
            and value.cls.module.name == "builtins"
            and value.cls.fact.name in _COLLECTIONS
            and any(isinstance(arg, AwaitableValue) for arg in value.cls.args)
        )

    def _evidence(self, site: f.Site) -> list[Related]:
        call = self.module.facts.nodes[site.node]
        if not isinstance(call, f.Call):
            return []
        func = self.module.infer.value(self.module.module, call.func)
        if isinstance(func, FunctionValue) and func.module.path is not None and not func.fact.is_async:
            return [self.module.definition(func, f"`{func.fact.name}` is not `async def`")]
        return []
