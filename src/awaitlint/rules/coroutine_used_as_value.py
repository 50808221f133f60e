"""
## What it does

Reports a coroutine that is used as if it were the result: compared, added, subscripted, its attribute taken,
called, iterated, unpacked, entered with `with` or `async with`, put into an f-string, or given to a function
that can only want the result, such as `print`, `str`, `len`, `json.dumps` or a logger. The coroutine may be a
call or a local name that is bound to nothing else. This includes the precedence slip `await fetch()["key"]`,
which subscripts the coroutine and awaits the item.

## Why is this bad?

The operation fails at run time (`TypeError: 'coroutine' object is not subscriptable`,
`AttributeError: 'coroutine' object has no attribute 'id'`), or it quietly works on the coroutine object, as
in a comparison or a log line.

## Example

```py
async def fetch() -> dict[str, int]:
    return {"id": 1}

async def main() -> None:
    user = fetch()
    print(user["id"])  # error: [coroutine-used-as-value]
    print(f"got {fetch()}")  # error: [coroutine-used-as-value]
    one = await fetch()["id"]  # error: [coroutine-used-as-value]
```

## Use instead

```py
async def fetch() -> dict[str, int]:
    return {"id": 1}

async def main() -> None:
    user = await fetch()
    print(user["id"])
    print(f"got {await fetch()}")
    one = (await fetch())["id"]
```

## Fix safety

The fix adds `await` where the coroutine is created, with parentheses where they are needed. It is unsafe,
because the code then does what it did not do before.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import (
    AwaitableValue,
    ClassValue,
    FunctionValue,
    OverloadedValue,
    members,
)
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import AwaitableValue, Value

_WHAT = {
    Use.COMPARED: "compared",
    Use.OPERAND: "used with an operator",
    Use.SUBSCRIPTED: "subscripted",
    Use.CALLED: "called",
    Use.ITERATED: "iterated",
    Use.ASYNC_ITERATED: "iterated with `async for`",
    Use.UNPACKED: "unpacked",
    Use.FORMATTED: "put into a string",
    Use.WITH: "entered with `with`",
    Use.ASYNC_WITH: "entered with `async with`",
}
#: what a coroutine object really has
_OWN_ATTRIBUTES = frozenset({"close", "send", "throw", "__await__", "__name__", "__qualname__", "__class__"})
#: functions that can only want a result, by qualified name
_CONSUMERS = frozenset(
    {
        f"builtins.{name}"
        for name in ("print", "str", "repr", "ascii", "format", "len", "int", "float", "bytes")
    }
    | {
        f"builtins.{name}"
        for name in ("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max")
    }
    | {f"builtins.{name}" for name in ("any", "all", "enumerate", "reversed", "iter", "next", "abs", "round")}
    | {
        "json.dumps",
        "json.dump",
        "pprint.pprint",
        "pprint.pformat",
        "builtins.str.format",
        "builtins.str.join",
    }
    | {f"logging.{name}" for name in ("debug", "info", "warning", "error", "critical", "exception", "log")}
    | {
        f"logging.{cls}.{name}"
        for cls in ("Logger", "LoggerAdapter")
        for name in ("debug", "info", "warning", "warn", "error", "critical", "fatal", "exception", "log")
    }
)
#: the last names of those
_CONSUMER_NAMES = frozenset(name.rpartition(".")[2] for name in _CONSUMERS)


class CoroutineUsedAsValue(CoroutineRule):
    code = "AWL104"
    name = "coroutine-used-as-value"
    summary = "a coroutine used as if it were its result"
    uses = frozenset({*_WHAT, Use.ATTRIBUTE, Use.ARGUMENT})

    def suspect(self, site: f.Site) -> bool:
        nodes = self.module.facts.nodes
        if site.use is Use.ATTRIBUTE:
            attribute = nodes[site.other] if site.other >= 0 else None
            if isinstance(attribute, f.Attr) and (
                attribute.name in _OWN_ATTRIBUTES or attribute.name.startswith("cr_")
            ):
                return False
        if site.use is Use.ARGUMENT and not self.called_by_name(site.other, _CONSUMER_NAMES):
            return False
        value = self.module.coroutine(site)
        if value is None or value.kind != "Coroutine":
            return False
        if (
            site.use is Use.ASYNC_ITERATED
            and value.function is not None
            and self.module.infer.is_hook(value.function)
        ):
            # what subclasses put in its place may well be an async generator
            return False
        # objects that are more than a coroutine may well have the attribute
        if not any(isinstance(member, AwaitableValue) for member in members(self.module.value(site))):
            return False
        return site.use is not Use.ARGUMENT or self._consumer(site) is not None

    def _consumer(self, site: f.Site) -> str | None:
        """The function that the coroutine is given to, where it can only want the result."""
        call = self.module.facts.nodes[site.other]
        if not isinstance(call, f.Call):
            return None
        func = self.module.infer.value(self.module.module, call.func)
        name = _qualname(func)
        return name.rpartition(".")[2] if name in _CONSUMERS else None

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        what = self._what(site)
        if what is None:
            return None
        subject = self.subject(node, site)
        return f"`{subject}` is a coroutine, not its result, and is {what}; {self.advice(site)}"

    def _what(self, site: f.Site) -> str | None:
        """What is done with the coroutine, in words; None where that is fair after all."""
        if site.use is Use.ARGUMENT:
            return f"given to `{self._consumer(site)}`"
        if site.use is Use.ATTRIBUTE:
            attribute = self.module.facts.nodes[site.other] if site.other >= 0 else None
            if isinstance(attribute, f.Attr):
                return f"asked for its attribute `{attribute.name}`"
            return "given an attribute"
        if site.use is Use.COMPARED and not self.is_call(site):
            if self._is_identity() or self.is_handled(site):
                return None
        elif site.use is Use.ITERATED and self._is_delegated(site):
            return None
        return _WHAT[site.use]

    def _is_delegated(self, site: f.Site) -> bool:
        """``yield from`` in a generator that a decorator may make a coroutine, as `types.coroutine` does."""
        parent = self.context.parents[-1] if self.context.parents else None
        return isinstance(parent, cst.From) and bool(self.module.scope_of(site).decorators)

    def _is_identity(self) -> bool:
        """Whether the comparison asks if it is one particular object, as opposed to None."""
        parent = next((p for p in reversed(self.context.parents) if isinstance(p, cst.Comparison)), None)
        return parent is not None and all(
            isinstance(target.operator, (cst.Is, cst.IsNot)) and not _is_none(target.comparator)
            for target in parent.comparisons
        )


def _is_none(node: libcst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _qualname(value: Value) -> str:
    if isinstance(value, OverloadedValue):
        value = value.functions[0]
    return value.qualname if isinstance(value, (FunctionValue, ClassValue)) else ""
