"""What places expect: whether a parameter, an attribute or a declared type can take a coroutine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.lower.narrowing import PROBES
from awaitlint.index.special import TYPING_MODULES
from awaitlint.infer.parameters import Parameters
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
    without_none,
)

if TYPE_CHECKING:
    from awaitlint.index.project import Module

#: what every coroutine has besides the attributes of `object`
COROUTINE_ATTRIBUTES = frozenset({"close", "send", "throw", "__await__", "__name__", "__qualname__"})
#: what every object has
_OBJECT_ATTRIBUTES = frozenset(dir(object))
#: classes of `typing` that a coroutine is no instance of
_REFUSING_TYPING = frozenset(
    {
        "AbstractSet",
        "AsyncIterable",
        "AsyncIterator",
        "Collection",
        "Container",
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
        "SupportsFloat",
        "SupportsIndex",
        "SupportsInt",
        "ValuesView",
    }
)
#: functions that know what to do with a coroutine, whatever else their caller does with it
_TAKERS = PROBES | {
    "create_task",
    "ensure_future",
    "gather",
    "run",
    "run_coroutine_threadsafe",
    "run_until_complete",
    "shield",
    "start_soon",
    "wait",
    "wait_for",
}
#: how far a parameter is followed from function to function
_DEPTH = 3


class Slot(NamedTuple):
    """A parameter that an argument goes to, or a field that a class makes a parameter of.

    `declared` is what its annotation says, None where there is none; `number` is the parameter's number in
    `function`, -1 for a field.
    """

    name: str
    declared: Value | None
    owner: FunctionValue | ClassValue
    number: int


class Expectations(Parameters):
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
            (NoneValue, CallableValue, TupleValue, ModuleValue, ClassValue, GeneratorValue)
            + (ContextManagerValue, FunctionValue),
        )

    def _refuses_instance(self, cls: ClassValue) -> bool:
        if cls.module.is_stdlib and cls.module.name in TYPING_MODULES:
            return cls.fact.name in _REFUSING_TYPING
        if self.is_metaclass(cls):
            return False
        if not self.is_protocol(cls):
            return True
        mro = self.mro(cls)
        if None in mro:
            return False
        wanted = {name for entry in mro if entry is not None for name in entry.fact.bindings}
        return bool(wanted - COROUTINE_ATTRIBUTES - _OBJECT_ATTRIBUTES - {"__slots__", "__hash__"})

    # ------------------------------------------------------------------ arguments
    def slots(self, module: Module, call: int, argument: int) -> list[Slot]:
        """The parameters that an argument of a call may go to; empty where one of them is not known.

        There are several where the function has overloads or is one of several.
        """
        node = module.facts.nodes[call]
        if not isinstance(node, f.Call):
            return []
        position, keyword = self._place(module, node, argument)
        if position < 0 and not keyword:
            return []
        return self._slots_of(self.value(module, node.func), position, keyword)

    @staticmethod
    def _place(module: Module, call: f.Call, argument: int) -> tuple[int, str]:
        for position, node in enumerate(call.args):
            if isinstance(module.facts.nodes[node], f.Starred):
                break
            if node == argument:
                return position, ""
        return -1, next(
            (keyword for keyword, node in call.keywords if node == argument and keyword != "**"), ""
        )

    def _slots_of(self, func: Value, position: int, keyword: str) -> list[Slot]:
        if isinstance(func, OverloadedValue):
            return self._all_slots(list(func.functions), position, keyword)
        if isinstance(func, UnionValue):
            return self._all_slots(list(func.members), position, keyword)
        if isinstance(func, ClassValue):
            return self._constructor_slots(func, position, keyword)
        if isinstance(func, FunctionValue):
            found = self._slot(func, position, keyword)
            return [found] if found is not None else []
        return []

    def _all_slots(self, functions: list[Value], position: int, keyword: str) -> list[Slot]:
        found: list[Slot] = []
        for function in functions:
            slots = self._slots_of(function, position, keyword)
            if not slots:
                return []
            found += slots
        return found

    def _constructor_slots(self, cls: ClassValue, position: int, keyword: str) -> list[Slot]:
        if self.is_metaclass(cls) or self.is_enum(cls):
            return []
        for entry in self.mro(cls):
            if entry is None:
                return []
            new = entry.fact.bindings.get("__new__")
            if new is not None:
                made = self.bound_functions(entry.module, new) if entry.module.is_stdlib else None
                return self._slots_of(self.bind(made, cls), position, keyword) if made is not None else []
            if "__init__" in entry.fact.bindings:
                init = self.instance_attribute(Instance(cls), "__init__")
                return self._slots_of(init, position, keyword)
            declared = entry.fact.bindings.get(keyword) if keyword else None
            if declared is not None and isinstance(entry.module.facts.nodes[declared[0]], f.Declared):
                field = self.value(entry.module, declared[0])
                return [Slot(keyword, field, cls, -1)]
        return []

    def _slot(self, func: FunctionValue, position: int, keyword: str) -> Slot | None:
        params = func.fact.params
        index = -1
        if keyword:
            index = next(
                (i for i, p in enumerate(params) if p.name == keyword and p.kind in ("normal", "kwonly")), -1
            )
        else:
            bound = func.receiver is not None and bool(params) and params[0].kind in ("posonly", "normal")
            index = position + bound
            if index >= len(params) or params[index].kind not in ("posonly", "normal"):
                index = next((i for i, p in enumerate(params[:index]) if p.kind == "vararg"), -1)
        if index < 0:
            return None
        param = params[index]
        declared = None
        if param.annotation >= 0:
            declared = self.annotation(func.module, param.annotation, func.context)
        return Slot(param.name, declared, func, index)

    def slot_refuses(self, slot: Slot, depth: int = 0) -> bool:
        """Whether a coroutine in a parameter can only be a mistake: by its annotation, or by what is done with it."""
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

    def may_take(self, slot: Slot) -> bool:
        """Whether a function may await or run what it gets in a parameter."""
        takes = members(slot.declared) if slot.declared is not None else ()
        if any(isinstance(member, AwaitableValue) for member in takes):
            return True
        owner = slot.owner
        if isinstance(owner, FunctionValue) and slot.number >= 0:
            return self.is_looked_at(owner, slot.number)
        return False

    # ------------------------------------------------------------------ what bodies do with parameters
    def _users(self, module: Module) -> dict[int, list[int]]:
        """For each node of a module, the nodes that use it."""
        found = self._user_tables.get(module)
        if found is None:
            found = self._user_tables[module] = {}
            for index, node in enumerate(module.facts.nodes):
                for part in _parts(node):
                    found.setdefault(part, []).append(index)
        return found

    def _uses_of(self, func: FunctionValue, index: int) -> list[tuple[int, int]]:
        """(user, used) for every use of a parameter, also after it was narrowed."""
        module, key = func.module, (func.module, func.scope, index)
        known = self._param_uses.get(key)
        if known is not None:
            return known
        nodes, users = module.facts.nodes, self._users(module)
        name = func.fact.params[index].name
        bound = func.fact.bindings.get(name, ())
        todo = [node for node in bound if nodes[node] == f.Param(func.scope, index)]
        todo += [n for n in users if nodes[n] == f.Free(func.scope, name)] if len(bound) == 1 else []
        seen, found = set(todo), list[tuple[int, int]]()
        while todo:
            used = todo.pop()
            for user in users.get(used, ()):
                found.append((user, used))
                if isinstance(nodes[user], (f.Narrow, f.Declared)) and user not in seen:
                    seen.add(user)
                    todo.append(user)
        self._param_uses[key] = found
        return found

    def is_looked_at(self, func: FunctionValue, index: int) -> bool:
        """Whether a function's body looks whether a parameter is a coroutine, or awaits it."""
        return any(self._looks_at(func.module, user, used) for user, used in self._uses_of(func, index))

    def _looks_at(self, module: Module, user: int, used: int) -> bool:
        """Whether a node that uses another awaits it, or can tell that it is a coroutine."""
        nodes = module.facts.nodes
        node = nodes[user]
        if isinstance(node, (f.Await, f.Yielded)):
            return True
        if isinstance(node, f.Narrow):
            return self._tells_coroutines(module, node)
        if not isinstance(node, f.Call) or node.func == used:
            return False
        name = _last_name(nodes[node.func])
        if name == "isinstance" and len(node.args) == 2:
            return self.may_be_instance(module, node.args[1])
        return name in _TAKERS

    def _cannot(self, module: Module, user: int, used: int) -> bool:
        """Whether a node does with another what cannot be done with a coroutine."""
        node = module.facts.nodes[user]
        if isinstance(node, f.Attr):
            return not (
                node.name in COROUTINE_ATTRIBUTES
                or node.name in _OBJECT_ATTRIBUTES
                or node.name.startswith("cr_")
            )
        if isinstance(node, (f.Index, f.Iter, f.Enter, f.Unpack)):
            return node.value == used
        return isinstance(node, f.Call) and node.func == used

    def _tells_coroutines(self, module: Module, node: f.Narrow) -> bool:
        """Whether a test may tell a coroutine from other values."""
        if node.test != "isinstance":
            return node.test in ("awaitable", "async function")
        return self.may_be_instance(module, node.against)

    def may_be_instance(self, module: Module, against: int) -> bool:
        """Whether a coroutine may be an instance of what the second argument of `isinstance` names."""
        classes = self._classes_of(self.value(module, against))
        return classes is None or not all(self.refuses(self.as_instance(cls)) for cls in classes)

    def _body_refuses(self, func: FunctionValue, index: int, depth: int) -> bool:
        """Whether a body does with a parameter what cannot be done with a coroutine."""
        nodes = func.module.facts.nodes
        kind = func.fact.params[index].kind
        if kind in ("vararg", "kwarg") or len(func.fact.bindings.get(func.fact.params[index].name, ())) != 1:
            return False
        for user, used in self._uses_of(func, index):
            if self._cannot(func.module, user, used):
                return True
            if isinstance(nodes[user], f.Call) and depth < _DEPTH:
                slots = self.slots(func.module, user, used)
                if slots and all(self.slot_refuses(slot, depth + 1) for slot in slots):
                    return True
        return False

    # ------------------------------------------------------------------ attributes and items
    def target_refuses(self, module: Module, target: int) -> Value | None:
        """What an attribute or item is declared to be, where that cannot be a coroutine; else None."""
        node = module.facts.nodes[target]
        declared: Value | None = None
        if isinstance(node, f.Attr):
            declared = self._declared_attribute(self.value(module, node.value), node.name)
        elif isinstance(node, f.Index):
            container = self.value(module, node.value)
            if isinstance(container, Instance) and container.cls.args:
                setter = self.attribute(container, "__setitem__")
                if isinstance(setter, FunctionValue) and len(setter.fact.params) > 2:
                    declared = self._parameter_of_receiver(setter, 2)
        return declared if declared is not None and self.refuses(declared) else None

    def attribute_refuses(self, module: Module, target: int) -> bool:
        """Whether a module uses an attribute of an object only as something that is no coroutine."""
        nodes = module.facts.nodes
        node = nodes[target]
        owner = self.value(module, node.value) if isinstance(node, f.Attr) else None
        if not isinstance(node, f.Attr) or not isinstance(owner, Instance):
            return False
        refused = False
        for index, other in enumerate(nodes):
            if index == target or not isinstance(other, f.Attr) or other.name != node.name:
                continue
            value = self.value(module, other.value)
            if isinstance(value, Instance) and not (
                self.is_subclass(value.cls, owner.cls) or self.is_subclass(owner.cls, value.cls)
            ):
                continue
            for user in self._users(module).get(index, ()):
                if self._looks_at(module, user, index):
                    return False
                refused |= isinstance(value, Instance) and self._cannot(module, user, index)
        return refused

    def container_refuses(self, declared: Value, container: f.Node, element: int) -> bool:
        """Whether what is declared to be in a container cannot be a coroutine."""
        found = members(without_none(declared))
        return all(self._item_refused(member, container, element) for member in found)

    def _item_refused(self, declared: Value, container: f.Node, element: int) -> bool:
        if isinstance(declared, TupleValue) and isinstance(container, f.Display):
            position = container.elements.index(element) if element in container.elements else -1
            return 0 <= position < len(declared.elements) and self.refuses(declared.elements[position])
        if not isinstance(declared, Instance) or not declared.cls.args:
            return False
        is_dict = isinstance(container, f.DictDisplay) or (
            isinstance(container, f.Comp) and container.kind == "dict"
        )
        if not is_dict:
            return self.refuses(self.element(declared, is_async=False))
        return len(declared.cls.args) == 2 and self.refuses(declared.cls.args[1])

    def _parameter_of_receiver(self, func: FunctionValue, index: int) -> Value | None:
        """What a method's parameter is, with the type arguments of its receiver."""
        receiver = func.receiver
        annotation = func.fact.params[index].annotation
        if annotation < 0 or not isinstance(receiver, Instance):
            return None
        for entry in self.mro(receiver.cls):
            if entry is not None and entry.module is func.module and entry.scope == func.fact.parent:
                return self.substitute(
                    self.annotation(func.module, annotation), self.class_mapping(entry), receiver
                )
        return None

    def _declared_attribute(self, owner: Value, name: str) -> Value | None:
        """What the class of an instance declares an attribute to be, by an annotation."""
        if not isinstance(owner, Instance):
            return None
        for entry in self.mro(owner.cls):
            if entry is None:
                return None
            fact = entry.fact
            nodes = entry.module.facts.nodes
            for node in (*fact.bindings.get(name, ()), *fact.attributes.get(name, ())):
                found = nodes[node]
                if isinstance(found, f.Declared):
                    declared = self.annotation(entry.module, found.annotation)
                    return self.substitute(declared, self.class_mapping(entry)) if entry.args else declared
            if name in fact.bindings:
                return None
        return None

    if TYPE_CHECKING:
        _user_tables: dict[Module, dict[int, list[int]]]
        _param_uses: dict[tuple[Module, int, int], list[tuple[int, int]]]


def _parts(node: f.Node) -> tuple[int, ...]:
    """The nodes that a node is made of, where what it does with them tells something about them."""
    if isinstance(node, (f.Attr, f.Await, f.Yielded, f.Iter, f.Enter, f.Unpack, f.Narrow, f.Declared)):
        return (node.value,)
    if isinstance(node, f.Index):
        return (node.value, node.index)
    if isinstance(node, f.Call):
        return (node.func, *node.args, *(value for _, value in node.keywords))
    return ()


def _last_name(node: f.Node) -> str:
    return node.name if isinstance(node, (f.Attr, f.Name, f.Free, f.Import)) else ""


__all__ = ["COROUTINE_ATTRIBUTES", "Expectations", "Slot"]
