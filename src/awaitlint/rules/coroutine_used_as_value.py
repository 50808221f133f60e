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
from awaitlint.infer.describe import describe
from awaitlint.infer.expectations import COROUTINE_ATTRIBUTES, Slot
from awaitlint.infer.values import (
    AwaitableValue,
    ClassValue,
    FunctionValue,
    OverloadedValue,
    TypeVarValue,
    Unknown,
    members,
)
from awaitlint.rulekit.coroutines import CoroutineRule, noun
from awaitlint.rulekit.futures import future
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import AwaitableValue, Value

#: a longer description of a type is left out
_LONGEST = 60
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
#: uses that no awaitable object is fit for, whatever its class
_CERTAIN = frozenset(
    {Use.CALLED, Use.ITERATED, Use.OPERAND, Use.SUBSCRIPTED, Use.UNPACKED}
    | {Use.ARGUMENT, Use.STORED, Use.BOUND, Use.YIELDED, Use.ELEMENT}
)
#: uses that are fair unless the place cannot take a coroutine
_GIVEN = frozenset({Use.ARGUMENT, Use.STORED, Use.BOUND, Use.YIELDED, Use.ELEMENT})
_CASTS = frozenset({"typing.cast", "typing_extensions.cast"})
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
    uses = frozenset({*_WHAT, Use.ATTRIBUTE, *_GIVEN})

    def suspect(self, site: f.Site) -> bool:
        nodes = self.module.facts.nodes
        if site.use is Use.ATTRIBUTE:
            attribute = nodes[site.other] if site.other >= 0 else None
            if isinstance(attribute, f.Attr) and (
                attribute.name in COROUTINE_ATTRIBUTES
                or attribute.name == "__class__"
                or attribute.name.startswith("cr_")
            ):
                return False
        if site.use in _GIVEN and not self._is_async_place(site):
            return False
        value = self.awaitable(site)
        if value is None or (value.kind != "Coroutine" and site.use not in _CERTAIN):
            return False
        if value.kind == "Future":
            return site.use not in _GIVEN or (site.use is Use.ARGUMENT and self._refused(site) is not None)
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
        return site.use not in _GIVEN or self._refused(site) is not None

    def _is_async_place(self, site: f.Site) -> bool:
        """Whether what is given there is worth a look.

        A plain function that hands a coroutine on may serve two worlds; print and its kin want the result.
        """
        scope = self.module.scope_of(site)
        if site.use is Use.ARGUMENT:
            return scope.is_async or self.called_by_name(site.other, _CONSUMER_NAMES)
        if site.use is Use.YIELDED:
            return scope.is_async and scope.returns >= 0
        return scope.is_async and site.other >= 0

    def awaitable(self, site: f.Site) -> AwaitableValue | None:
        found = self.module.coroutine(site)
        return found or (future(self.module, site) if site.use in _CERTAIN or site.use is Use.BOUND else None)

    def _refused(self, site: f.Site) -> str | None:
        """What a coroutine that is given to something meets there, in words; None where that is fair."""
        infer, module = self.module.infer, self.module.module
        if site.use is Use.ARGUMENT:
            consumer = self._consumer(site)
            return f"given to `{consumer}`" if consumer is not None else self._refused_argument(site)
        if site.use in (Use.STORED, Use.BOUND):
            return self._refused_target(site)
        scope = self.module.scope_of(site)
        declared = infer.annotation(module, scope.returns)
        if site.use is Use.ELEMENT:
            return self._refused_element(site)
        declared = infer.element(declared, is_async=scope.is_async)
        if scope.is_async and isinstance(declared, TypeVarValue) and declared.bound is None:
            return "yielded by an async generator"
        return f"yielded where {self._words(declared)} is declared" if infer.refuses(declared) else None

    def _refused_element(self, site: f.Site) -> str | None:
        """What an element of a display meets where the display is returned or given to a function."""
        infer, nodes = self.module.infer, self.module.facts.nodes
        scope, container = self.module.scope_of(site), nodes[site.other]
        if site.other in scope.returned and scope.returns >= 0 and not scope.is_generator:
            declared = infer.annotation(self.module.module, scope.returns)
            if infer.container_refuses(declared, container, site.node):
                return f"put into a container that is declared {self._words(declared)}"
        return None

    def _refused_argument(self, site: f.Site) -> str | None:
        infer = self.module.infer
        call = self.module.facts.nodes[site.other]
        if isinstance(call, f.Call) and len(call.args) == 2:
            name = _qualname(infer.value(self.module.module, call.func))
            if name in _CASTS and site.node == call.args[1]:
                declared = infer.annotation(self.module.module, call.args[0])
                value = self.awaitable(site)
                if value is None or value.kind != "Coroutine" or not self.module.scope_of(site).is_async:
                    # who casts may know better than an annotation, and a plain function may serve two worlds
                    return None
                return f"cast to {self._words(declared)}" if infer.refuses(declared) else None
            if name == "builtins.isinstance" and site.node == call.args[0]:
                return self._refused_test(site, call)
        slots = infer.slots(self.module.module, site.other, site.node)
        if not slots or not all(infer.slot_refuses(slot) for slot in slots):
            return None
        value = self.awaitable(site)
        if value is None or (value.kind == "Future" and any(self._takes_future(slot) for slot in slots)):
            return None
        slot = slots[0]
        kind = "field" if slot.number < 0 else "parameter"
        text = f"given to the {kind} `{slot.name}` of `{slot.owner.fact.name}`"
        if isinstance(slot.owner, FunctionValue) and slot.owner.fact.name == "__init__":
            owner = slot.owner.module.facts.scopes[slot.owner.fact.parent].name
            text = f"given to the {kind} `{slot.name}` of `{owner}`"
        if slot.declared is None or isinstance(slot.declared, Unknown):
            return f"{text}, which uses it as its result"
        return f"{text}, which is {self._words(slot.declared)}"

    def _takes_future(self, slot: Slot) -> bool:
        found = members(slot.declared) if slot.declared is not None else ()
        return any(self.module.infer.is_awaitable(member) for member in found)

    def _refused_test(self, site: f.Site, call: f.Call) -> str | None:
        module = self.module.module
        certain = self.module.infer.coroutine(self.module.value(site)) is not None
        if not certain or self.module.infer.may_be_instance(module, call.args[1]):
            return None
        if any(self.module.flow.is_handled(node) for node in self.module.flow.origins(site.node)):
            return None
        return "given to `isinstance`, which is false for it"

    def _refused_target(self, site: f.Site) -> str | None:
        infer, module = self.module.infer, self.module.module
        target = self.module.facts.nodes[site.other]
        if isinstance(target, f.Declared):
            declared = infer.annotation(module, target.annotation)
            return f"bound to a name declared {self._words(declared)}" if infer.refuses(declared) else None
        found = infer.target_refuses(module, site.other)
        if found is None:
            if isinstance(target, f.Attr) and infer.attribute_refuses(module, site.other):
                return f"stored in the attribute `{target.name}`, which is used as its result"
            return None
        place = f"the attribute `{target.name}`" if isinstance(target, f.Attr) else "an item"
        return f"stored in {place}, which is {self._words(found)}"

    def _words(self, value: Value) -> str:
        words = describe(self.module.infer, value)
        return f"`{words}`" if len(words) <= _LONGEST else "something else"

    def _consumer(self, site: f.Site) -> str | None:
        """The known function that the coroutine is given to, where it can only want the result."""
        if not self.called_by_name(site.other, _CONSUMER_NAMES):
            return None
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
        value = self.awaitable(site)
        kind = "coroutine" if value is None else noun(value)
        return f"`{subject}` is a {kind}, not its result, and is {what}; {self.advice(site)}"

    def _what(self, site: f.Site) -> str | None:
        """What is done with the coroutine, in words; None where that is fair after all."""
        if site.use in _GIVEN:
            return self._refused(site)
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
