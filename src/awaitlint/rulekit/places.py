"""Places that a coroutine is put into: which of them cannot take one, in words.

A place is a parameter, an attribute, an item, a declared name, a container, a ``yield``, a cast, or
`isinstance`.  What it expects comes from annotations, from what bodies do with their parameters, and from a
list of functions that can only want a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import TAKERS, last_name
from awaitlint.infer.consumers import CONSUMER_NAMES, TEXT, consumer, wants
from awaitlint.infer.describe import describe
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    FunctionValue,
    Instance,
    NoneValue,
    OverloadedValue,
    Unknown,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.infer.expectations import Slot
    from awaitlint.infer.values import AwaitableValue, Value
    from awaitlint.rulekit.context import ModuleContext

#: uses that put a value into a place
PLACES = frozenset({Use.ARGUMENT, Use.STORED, Use.BOUND, Use.YIELDED, Use.ELEMENT})
#: a longer description of a type is left out
_LONGEST = 60
_CASTS = frozenset({"typing.cast", "typing_extensions.cast"})
#: methods that put their argument into a container, and the containers
_ADDING = frozenset({"append", "appendleft", "add"})
_CONTAINERS = frozenset({"builtins.list", "builtins.set", "collections.deque"})
_USED_ITEMS = "put into a container whose items are used as results"


class Refusal(NamedTuple):
    """Why a place cannot take a coroutine.

    `words` are a participle for the message; `wants` is what the place is for, in place of a ``result``: a
    ``function``, where what the coroutine results in is none, or a ``task``.
    """

    words: str
    wants: Literal["result", "function", "task"] = "result"


class Places:
    """The places of one module."""

    def __init__(self, module: ModuleContext) -> None:
        self._context = module
        self._module = module.module
        self._infer = module.infer
        self._nodes = module.facts.nodes

    def may_refuse(self, site: f.Site) -> bool:
        """Whether a site of one of the uses in `PLACES` is worth a look: cheaper than to ask what is there.

        A plain function that hands a coroutine on may serve two worlds; `print` and its kin want the result.
        """
        scope = self._context.scope_of(site)
        if site.use is Use.ARGUMENT:
            return scope.is_async or self._may_be_consumer(site.other)
        return scope.is_async and (scope.returns >= 0 if site.use is Use.YIELDED else site.other >= 0)

    def refusal(self, site: f.Site, value: AwaitableValue) -> Refusal | None:
        """What a coroutine or future meets at a site of one of the uses in `PLACES`.

        None where the place may take it, or where that is not known.
        """
        if not self.may_refuse(site):
            return None
        if site.use is Use.ARGUMENT:
            return self._argument(site, value)
        if value.kind == "Future":
            return None
        if site.use is Use.YIELDED:
            return self._yielded(site)
        return self._element(site) if site.use is Use.ELEMENT else self._target(site, value)

    def _declared(self, words: str, declared: Value, value: AwaitableValue) -> Refusal:
        """The refusal of a place that is declared to be something else."""
        wanted = [member for member in members(declared) if not isinstance(member, NoneValue)]
        if any(isinstance(m, Instance) and self._infer.has_base(m.cls, "_asyncio.Future") for m in wanted):
            return Refusal(words, "task")
        result = self._infer.awaited(value)
        is_function = isinstance(result, (CallableValue, ClassValue, FunctionValue, OverloadedValue))
        if wanted and all(isinstance(member, CallableValue) for member in wanted) and not is_function:
            return Refusal(words, "function")
        return Refusal(words)

    # ------------------------------------------------------------------ arguments
    def _argument(self, site: f.Site, value: AwaitableValue) -> Refusal | None:
        call = self._nodes[site.other]
        if not isinstance(call, f.Call):
            return None
        if ("**", site.node) in call.keywords:
            return Refusal("unpacked with `**`")
        known = self._consumer(site)
        if known is not None:
            # a future makes a fine text
            fair = value.kind == "Future" and known in TEXT
            return None if fair else Refusal(f"given to `{known.rpartition('.')[2]}`")
        if not self._context.scope_of(site).is_async:
            return None
        name = self._qualname(call.func) if len(call.args) == 2 else ""
        if name in _CASTS and site.node == call.args[1]:
            return self._cast(value, call)
        if name == "builtins.isinstance" and site.node == call.args[0]:
            return self._test(site, call)
        slots = self._infer.slots(self._module, site.other, site.node)
        container = self._filled(call)
        if not slots or not all(self._infer.slot_refuses(slot) for slot in slots):
            demands = container >= 0 and self._infer.items_refuse(self._module, container, site.node)
            return Refusal(_USED_ITEMS) if demands else None
        if container >= 0 and self._infer.are_items_run(self._module, container, site.node):
            return None
        if value.kind == "Future" and not all(self._refuses_future(slot) for slot in slots):
            return None
        return self._given(slots[0], value, call)

    def is_foreign(self, site: f.Site, value: Instance) -> bool:
        """Whether an argument is of a class that has nothing to do with what the parameter is declared."""
        slots = self._infer.slots(self._module, site.other, site.node)
        if any(slot.declared is None for slot in slots):
            return False
        wanted = [member for slot in slots if slot.declared is not None for member in members(slot.declared)]
        return bool(wanted) and all(
            isinstance(member, Instance)
            and not self._infer.is_protocol(member.cls)
            and not self._infer.is_subclass(value.cls, member.cls)
            and not self._infer.is_subclass(member.cls, value.cls)
            for member in wanted
        )

    def _filled(self, call: f.Call) -> int:
        """The container that a method puts its argument into; -1 where a call does something else."""
        func = self._nodes[call.func]
        if len(call.args) != 1 or not isinstance(func, f.Attr) or func.name not in _ADDING:
            return -1
        value = self._infer.value(self._module, func.value)
        return func.value if isinstance(value, Instance) and value.cls.qualname in _CONTAINERS else -1

    def _given(self, slot: Slot, value: AwaitableValue, call: f.Call) -> Refusal:
        if isinstance(slot.owner, CallableValue):
            assert slot.declared is not None
            func = self._nodes[call.func]
            name = last_name(func)
            if isinstance(func, f.Param):
                name = self._module.facts.scopes[func.scope].params[func.index].name
            called = f"`{name}`, which" if name else "a callable that"
            words = f"given to {called} takes {self._words(slot.declared)}"
            return self._declared(words, slot.declared, value)
        kind = "field" if slot.number < 0 else "parameter"
        owner = slot.owner.fact.name
        if owner in ("__init__", "__new__", "__call__") and isinstance(slot.owner, FunctionValue):
            owner = slot.owner.module.facts.scopes[slot.owner.fact.parent].name
        text = f"given to the {kind} `{slot.name}` of `{owner}`"
        if slot.declared is None or isinstance(slot.declared, Unknown):
            return Refusal(f"{text}, which uses it as its result")
        return self._declared(f"{text}, which is {self._words(slot.declared)}", slot.declared, value)

    def _refuses_future(self, slot: Slot) -> bool:
        """Whether no future is what a slot is declared to be; what bodies do says less of it."""
        found = members(slot.declared) if slot.declared is not None else ()
        return bool(found) and not any(
            isinstance(member, Unknown) or self._infer.is_awaitable(member) for member in found
        )

    def _consumer(self, site: f.Site) -> str | None:
        """The qualified name of the function that a value is given to, where it can only want the result."""
        call = self._nodes[site.other]
        if not isinstance(call, f.Call) or not self._may_be_consumer(site.other):
            return None
        name = consumer(self._infer.value(self._module, call.func))
        position = call.args.index(site.node) if site.node in call.args else -1
        return name if name and wants(name, position) else None

    def _may_be_consumer(self, call: int) -> bool:
        """Whether a call may be one of a function that can only want the result: by its name."""
        node = self._nodes[call]
        func = self._nodes[node.func] if isinstance(node, f.Call) else None
        return func is not None and (not isinstance(func, (f.Attr, f.Name)) or func.name in CONSUMER_NAMES)

    def _qualname(self, node: int) -> str:
        value = self._infer.value(self._module, node)
        if isinstance(value, OverloadedValue):
            value = value.functions[0]
        return value.qualname if isinstance(value, (FunctionValue, ClassValue)) else ""

    def _cast(self, value: AwaitableValue, call: f.Call) -> Refusal | None:
        if value.kind != "Coroutine":
            # who casts may know better than an annotation
            return None
        declared = self._infer.annotation(self._module, call.args[0])
        return Refusal(f"cast to {self._words(declared)}") if self._infer.refuses(declared) else None

    def _test(self, site: f.Site, call: f.Call) -> Refusal | None:
        certain = self._infer.coroutine(self._context.value(site)) is not None
        if not certain or self._infer.may_be_instance(self._module, call.args[1]):
            return None
        flow = self._context.flow
        if any(flow.is_handled(node) for node in flow.origins(site.node)):
            return None
        return Refusal("given to `isinstance`, which is false for it")

    # ------------------------------------------------------------------ names, attributes, items
    def _target(self, site: f.Site, value: AwaitableValue) -> Refusal | None:
        target = self._nodes[site.other]
        if isinstance(target, f.Declared):
            declared = self._infer.annotation(self._module, target.annotation)
            if not self._infer.refuses(declared):
                return None
            if site.use is Use.BOUND and self._context.flow.is_handled(site.node):
                return None
            return self._declared(f"bound to a name declared {self._words(declared)}", declared, value)
        found = self._infer.target_refuses(self._module, site.other)
        if found is not None:
            if isinstance(target, f.Attr) and self._infer.is_attribute_awaited(self._module, site.other):
                return None
            place = f"the attribute `{target.name}`" if isinstance(target, f.Attr) else "an item"
            return self._declared(f"stored in {place}, which is {self._words(found)}", found, value)
        if isinstance(target, f.Attr) and self._infer.attribute_refuses(self._module, site.other):
            return Refusal(f"stored in the attribute `{target.name}`, which is used as its result")
        return None

    # ------------------------------------------------------------------ yields
    def _yielded(self, site: f.Site) -> Refusal | None:
        scope = self._context.scope_of(site)
        declared = self._infer.yields(self._module, scope)
        # an async generator has no reason to yield what its type variable stands for un-awaited
        refused = self._infer.refuses_or_any(declared)
        return Refusal(f"yielded where {self._words(declared)} is declared") if refused else None

    # ------------------------------------------------------------------ containers
    def _element(self, site: f.Site) -> Refusal | None:
        """What an element of a display or comprehension meets where that is returned, given or declared."""
        container = self._nodes[site.other]
        if isinstance(container, f.DictDisplay) and (-1, site.node) in zip(
            container.keys, container.values, strict=True
        ):
            return Refusal("unpacked with `**`")
        for declared, returned in self._container_types(site):
            if declared and all(
                self._infer.container_refuses(each, container, site.node, returned=returned)
                for each in declared
            ):
                return Refusal(f"put into a container that is declared {self._words(declared[0])}")
        if not isinstance(container, f.DictDisplay) and self._infer.items_refuse(
            self._module, site.other, site.node
        ):
            return Refusal(_USED_ITEMS)
        return None

    def _container_types(self, site: f.Site) -> Iterator[tuple[list[Value], bool]]:
        """What the container of an element is declared to be, for each place that it goes to.

        The second value tells whether that is the result of the function.

        A place is declared several times where one of several functions is called.
        """
        infer, scope = self._infer, self._context.scope_of(site)
        returned = site.other in scope.returned and scope.returns >= 0 and not scope.is_generator
        if returned:
            yield [infer.annotation(self._module, scope.returns)], True
        for user in infer.users(self._module).get(site.other, ()):
            node = self._nodes[user]
            if isinstance(node, f.Declared):
                yield [infer.annotation(self._module, node.annotation)], False
            elif isinstance(node, f.Call) and last_name(self._nodes[node.func]) not in TAKERS:
                slots = infer.slots(self._module, user, site.other)
                declared = [slot.declared for slot in slots if slot.declared is not None]
                if len(declared) == len(slots):
                    yield declared, False

    def _words(self, value: Value) -> str:
        words = describe(self._infer, value)
        return f"`{words}`" if len(words) <= _LONGEST else "something else"
