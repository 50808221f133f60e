"""What places expect: whether a parameter, an attribute or a declared type can take a coroutine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.special import TYPING_MODULES
from awaitlint.infer.bodies import COROUTINE_ATTRIBUTES, OBJECT_ATTRIBUTES, TAKERS
from awaitlint.infer.consumers import consumer, wants
from awaitlint.infer.items import Items
from awaitlint.infer.slots import Slot
from awaitlint.infer.values import (
    AwaitableValue,
    CallableValue,
    ClassValue,
    ContextManagerValue,
    FunctionValue,
    GeneratorValue,
    Instance,
    ModuleValue,
    NoneValue,
    OverloadedValue,
    TupleValue,
    TypeVarValue,
    UnionValue,
    Value,
    members,
    union,
    without_none,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from awaitlint.index.modules import Module

#: classes of `typing` that a coroutine is no instance of
_REFUSING_TYPING = frozenset(
    {
        "AbstractSet",
        "AsyncContextManager",
        "AsyncGenerator",
        "AsyncIterable",
        "AsyncIterator",
        "BinaryIO",
        "Buffer",
        "ByteString",
        "Collection",
        "Container",
        "ContextManager",
        "IO",
        "ItemsView",
        "Iterable",
        "Iterator",
        "KeysView",
        "Mapping",
        "MutableMapping",
        "MutableSequence",
        "MutableSet",
        "Reversible",
        "Sequence",
        "Sized",
        "SupportsAbs",
        "SupportsBytes",
        "SupportsComplex",
        "SupportsFloat",
        "SupportsIndex",
        "SupportsInt",
        "SupportsRound",
        "TextIO",
        "ValuesView",
    }
)
#: annotations of generators, whose first argument is what is yielded
_YIELDING = frozenset(
    {"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"}
)
#: what a class may bind a name to so that setting the attribute stores the value
_PLAIN = (f.Const, f.Plain, f.Declared, f.Display, f.DictDisplay)
#: how far a parameter is followed from function to function
_DEPTH = 3


class Expectations(Items):
    """What inference knows of places that a value can go to."""

    def refuses(self, declared: Value, depth: int = 0) -> bool:
        """Whether a coroutine certainly is not what an annotation says."""
        if isinstance(declared, Instance):
            return self._refuses_instance(declared.cls)
        if isinstance(declared, UnionValue):
            return all(self.refuses(member, depth) for member in declared.members)
        if isinstance(declared, TypeVarValue):
            return declared.bound is not None and depth < _DEPTH and self.refuses(declared.bound, depth + 1)
        return isinstance(
            declared,
            (
                CallableValue,
                ClassValue,
                ContextManagerValue,
                FunctionValue,
                GeneratorValue,
                ModuleValue,
                NoneValue,
                TupleValue,
            ),
        )

    def _refuses_instance(self, cls: ClassValue) -> bool:
        if cls.module.is_stdlib and cls.module.name in TYPING_MODULES:
            return cls.fact.name in _REFUSING_TYPING
        if self.is_metaclass(cls):
            return False
        mro = self.mro(cls)
        if any(entry is not None and "__subclasshook__" in entry.fact.bindings for entry in mro):
            return False
        if not self.is_protocol(cls):
            return True
        if None in mro:
            return False
        wanted = {name for entry in mro if entry is not None for name in entry.fact.bindings}
        return bool(wanted - COROUTINE_ATTRIBUTES - OBJECT_ATTRIBUTES - {"__slots__", "__hash__"})

    # ------------------------------------------------------------------ parameters
    def slot_refuses(self, slot: Slot, depth: int = 0) -> bool:
        """Whether a coroutine in a slot is a mistake: by its annotation, or by what is done with it."""
        owner = slot.owner
        if isinstance(owner, FunctionValue) and slot.number >= 0:
            if self.is_looked_at(owner, slot.number):
                return False
            if slot.declared is not None and self.refuses(slot.declared):
                return True
            takes = members(slot.declared) if slot.declared is not None else ()
            if any(isinstance(member, (AwaitableValue, Instance)) for member in takes):
                return False
            return not owner.fact.is_stub and self._body_refuses(owner, slot.number, depth)
        return slot.declared is not None and self.refuses(slot.declared)

    def welcomes(self, slot: Slot) -> bool:
        """Whether a slot is there for coroutines: its annotation says so, or the body awaits what it gets."""
        takes = members(slot.declared) if slot.declared is not None else ()
        if any(isinstance(member, AwaitableValue) for member in takes):
            return True
        return (
            isinstance(slot.owner, FunctionValue)
            and slot.number >= 0
            and self.is_looked_at(slot.owner, slot.number)
        )

    def may_take(self, slot: Slot) -> bool:
        """Whether a function may await, run or keep what it gets in a slot."""
        owner = slot.owner
        if not isinstance(owner, CallableValue) and owner.fact.name in TAKERS:
            return True
        if isinstance(owner, FunctionValue) and slot.number >= 0:
            name = consumer(owner)
            if name and wants(name, slot.number - (owner.receiver is not None)):
                return False
        if isinstance(owner, FunctionValue) and owner.module.is_stdlib:
            annotation = self.value(owner.module, owner.fact.params[slot.number].annotation)
            if isinstance(annotation, ClassValue) and annotation.qualname == "builtins.object":
                # any value is welcome, because nobody looks at what it is
                return False
        return not self.slot_refuses(slot)

    def _body_refuses(self, func: FunctionValue, index: int, depth: int) -> bool:
        """Whether a body does with a parameter what cannot be done with a coroutine."""
        nodes = func.module.facts.nodes
        param = func.fact.params[index]
        if param.kind in ("vararg", "kwarg"):
            return False
        if len(func.fact.bindings.get(param.name, ())) != 1:
            inner = f.Free(func.scope, param.name)
            if any(nodes[node] == inner for node in self.users(func.module)):
                # what a function inside of it sees may be what the name was bound to anew
                return False
        for user, used, reached in self.uses_of(func, index):
            if not reached:
                continue
            if self.cannot(func.module, user, used):
                return True
            if isinstance(nodes[user], f.Call) and depth < _DEPTH:
                slots = self.slots(func.module, user, used)
                if slots and all(self.slot_refuses(slot, depth + 1) for slot in slots):
                    return True
        return False

    # ------------------------------------------------------------------ yields
    def yields(self, module: Module, scope: f.Scope) -> Value:
        """What a generator's annotation says that it yields; a type variable is kept."""
        written = self.annotation(module, scope.returns)
        return union([self._yielded_of(member, is_async=scope.is_async) for member in members(written)])

    def _yielded_of(self, declared: Value, *, is_async: bool) -> Value:
        if isinstance(declared, Instance) and declared.cls.module.is_stdlib:
            args = declared.cls.args
            if args and declared.cls.fact.name in _YIELDING:
                return args[0]
        return self.element(declared, is_async=is_async)

    # ------------------------------------------------------------------ attributes and items
    def target_refuses(self, module: Module, target: int) -> Value | None:
        """What an attribute or item is declared to be, where that cannot be a coroutine; else None."""
        node = module.facts.nodes[target]
        declared: Value | None = None
        if isinstance(node, f.Attr):
            owner = self.value(module, node.value)
            if isinstance(owner, Instance) and self._is_plain_attribute(owner.cls, node.name):
                declared = self.declared_attribute(owner, node.name)
                if declared is not None and self._is_self(module, node.value):
                    # what a type variable of the class stands for is no concern of the class
                    return declared if self.refuses_or_any(declared) else None
        elif isinstance(node, f.Index) and self.is_written(module, node.value):
            container, key = self.value(module, node.value), module.facts.nodes[node.index]
            if isinstance(key, f.Const) and isinstance(key.value, str):
                declared = self.field(container, key.value)
            declared = declared or self._declared_item(container)
        return declared if declared is not None and self.refuses(declared) else None

    def refuses_or_any(self, declared: Value) -> bool:
        """Whether a place that is declared so is for no coroutine: of another type, or of a type variable.

        A type variable that the caller chooses is for results where the code itself is asynchronous.
        """
        return all(
            (isinstance(member, TypeVarValue) and member.bound is None) or self.refuses(member)
            for member in members(declared)
        )

    def _is_self(self, module: Module, node: int) -> bool:
        """Whether a node is the object of the method that it stands in."""
        fact = module.facts.nodes[node]
        if not isinstance(fact, f.Param) or fact.index != 0:
            return False
        parent = module.facts.scopes[fact.scope].parent
        return module.facts.scopes[parent].kind is f.ScopeKind.CLASS

    def _declared_item(self, container: Value) -> Value | None:
        """What a container with written type arguments lets be stored in it."""
        if not isinstance(container, Instance) or not container.cls.args:
            return None
        setter = self.attribute(container, "__setitem__")
        functions = setter.functions if isinstance(setter, OverloadedValue) else (setter,)
        found = [
            self.parameter_of_receiver(function, 2)
            for function in functions
            if isinstance(function, FunctionValue) and len(function.fact.params) > 2
        ]
        # of a list, the item and what a slice may be set to
        return found[0] if found and all(each is not None and self.refuses(each) for each in found) else None

    def attribute_refuses(self, module: Module, target: int) -> bool:
        """Whether a module uses an attribute of an object only as something that is no coroutine."""
        node = module.facts.nodes[target]
        owner = self.value(module, node.value) if isinstance(node, f.Attr) else None
        if not isinstance(node, f.Attr) or not isinstance(owner, Instance):
            return False
        if not self._is_plain_attribute(owner.cls, node.name):
            return False
        refused = False
        handed_out = {index for scope in module.facts.scopes for index in scope.returned}
        for index, is_known in self._loads(module, target):
            if index in handed_out:
                return False
            for user in self.users(module).get(index, ()):
                if self.looks_at(module, user, index) or self._is_kept(module, user, index):
                    return False
                refused |= is_known and self.cannot(module, user, index)
        return refused

    def is_attribute_awaited(self, module: Module, target: int) -> bool:
        """Whether a module awaits an attribute that it sets, or looks whether it is a coroutine."""
        return any(
            self.looks_at(module, user, index)
            for index, _ in self._loads(module, target)
            for user in self.users(module).get(index, ())
        )

    def _loads(self, module: Module, target: int) -> Iterator[tuple[int, bool]]:
        """(node, whether the class is known) of what may load the attribute that a target sets."""
        nodes = module.facts.nodes
        node = nodes[target]
        owner = self.value(module, node.value) if isinstance(node, f.Attr) else None
        if not isinstance(node, f.Attr):
            return
        for index, other in enumerate(nodes):
            if index == target or not isinstance(other, f.Attr) or other.name != node.name:
                continue
            value = self.erase(self.value(module, other.value))
            is_known = isinstance(value, Instance) and isinstance(owner, Instance)
            if is_known and not self._are_related(value, owner):
                continue
            yield index, is_known

    def _are_related(self, one: Value, other: Value | None) -> bool:
        """Whether of two instances the class of one is a subclass of the other's."""
        return (
            isinstance(one, Instance)
            and isinstance(other, Instance)
            and (self.is_subclass(one.cls, other.cls) or self.is_subclass(other.cls, one.cls))
        )

    def _is_plain_attribute(self, cls: ClassValue, name: str) -> bool:
        """Whether setting an attribute only stores the value: no property, descriptor, `__setattr__`."""
        for entry in self.mro(cls):
            if entry is None or entry.qualname == "builtins.object":
                continue
            if "__setattr__" in entry.fact.bindings:
                return False
            for node in entry.fact.bindings.get(name, ()):
                if not isinstance(entry.module.facts.nodes[node], _PLAIN):
                    return False
                value = self.value(entry.module, node)
                if isinstance(value, Instance) and self._sets(value.cls):
                    return False
        return True

    def _is_kept(self, module: Module, user: int, used: int) -> bool:
        """Whether a node gives another to something that may await it."""
        if not self.keeps(module, user, used):
            return False
        slots = self.slots(module, user, used)
        return not slots or any(self.may_take(slot) for slot in slots)

    def container_refuses(
        self, declared: Value, container: f.Node, element: int, *, returned: bool = False
    ) -> bool:
        """Whether what is declared to be in a container cannot be a coroutine.

        What async code returns, it has awaited: there a type variable stands for results.
        """
        refuses = self.refuses_or_any if returned else self.refuses
        found = members(without_none(declared))
        return all(self._item_refused(member, container, element, refuses) for member in found)

    def _item_refused(
        self, declared: Value, container: f.Node, element: int, refuses: Callable[[Value], bool]
    ) -> bool:
        if isinstance(declared, TupleValue) and isinstance(container, f.Display):
            elements = declared.elements
            if len(elements) != len(container.elements) or element not in container.elements:
                return False
            return refuses(elements[container.elements.index(element)])
        if not isinstance(declared, Instance) or not declared.cls.args:
            return False
        if isinstance(container, f.DictDisplay):
            is_key: bool | None = element in container.keys
        elif isinstance(container, f.Comp) and container.kind == "dict":
            is_key = element == container.key
        else:
            return refuses(self.element(declared, is_async=False))
        args = declared.cls.args
        return len(args) == 2 and refuses(args[0 if is_key else 1])

    def _sets(self, cls: ClassValue) -> bool:
        """Whether instances of a class are descriptors that decide what setting them does."""
        return any(entry is not None and "__set__" in entry.fact.bindings for entry in self.mro(cls))


__all__ = ["COROUTINE_ATTRIBUTES", "Expectations", "Slot"]
