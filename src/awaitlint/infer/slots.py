"""Slots: the parameter, or the field of a class, that an argument of a call goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    SpecialForm,
    TypeVarValue,
    UnionValue,
    Unknown,
    Value,
    members,
)
from awaitlint.infer.written import Written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.index.modules import Module

#: arguments of ``@dataclass`` and ``field`` that move fields, or take them out of the constructor
_MOVING = frozenset({"init", "kw_only"})
#: what an annotation of a dataclass names where it makes no field, or moves those after it
_NO_FIELD = frozenset({"ClassVar", "InitVar", "KW_ONLY"})


#: known decorators that leave an async function one, but take or give parameters, or choose another function
_MOVING_DECORATORS = frozenset(
    {"functools.singledispatch", "unittest.mock.patch", "unittest.mock._patcher", "hypothesis.given"}
)


class Slot(NamedTuple):
    """A parameter that an argument goes to, or a field that a class makes a parameter of.

    `declared` is what its annotation says, None where there is none; `number` is the parameter's number in
    `owner`, -1 for a field.  The parameters of a ``Callable[[X], Y]`` have no name and the number -1.
    """

    name: str
    declared: Value | None
    owner: FunctionValue | ClassValue | CallableValue
    number: int


class Slots(Written):
    """Finds the slots of arguments."""

    def slots(self, module: Module, call: int, argument: int) -> list[Slot]:
        """Where an argument of a call goes: a slot for each function that may be called.

        Empty where that is not known of every one of them.
        """
        node = module.facts.nodes[call]
        if not isinstance(node, f.Call):
            return []
        position, keyword = self._place(module, node, argument)
        if position < 0 and not keyword:
            return []
        found = self._slots_of(self.value(module, node.func), position, keyword)
        func = module.facts.nodes[node.func]
        if not isinstance(func, f.Attr):
            return found
        return [self._of_receiver(module, func.value, slot) for slot in found]

    def _of_receiver(self, module: Module, receiver: int, slot: Slot) -> Slot:
        """A slot of a method with what is written of the object's type arguments: ``Foo`` for a list[Foo].

        Many a list of coroutines is declared to be one of tasks, and runs none the worse for it.
        """
        owner = slot.owner
        if not isinstance(owner, FunctionValue) or slot.declared is None or slot.number < 0:
            return slot
        generic = isinstance(owner.receiver, Instance) and bool(owner.receiver.cls.args)
        if not generic or not self.has_type_vars(slot.declared) or not self.is_written(module, receiver):
            return slot
        declared = self.parameter_of_receiver(owner, slot.number)
        if declared is None or any(self.is_awaitable(member) for member in members(declared)):
            return slot
        return slot._replace(declared=declared)

    @staticmethod
    def _place(module: Module, call: f.Call, argument: int) -> tuple[int, str]:
        """The position or the keyword of an argument, which may be the arm of a conditional expression."""
        nodes = module.facts.nodes
        for position, node in enumerate(call.args):
            fact = nodes[node]
            if isinstance(fact, f.Starred):
                break
            if node == argument or (isinstance(fact, f.Phi) and argument in fact.options):
                return position, ""
        for keyword, node in call.keywords:
            fact = nodes[node]
            if node == argument or (isinstance(fact, f.Phi) and argument in fact.options):
                return -1, "" if keyword == "**" else keyword
        return -1, ""

    def _slots_of(self, func: Value, position: int, keyword: str) -> list[Slot]:
        if isinstance(func, OverloadedValue):
            # one that has no room for the argument is not the one that is called
            able = [each for each in func.functions if _parameter(each, position, keyword) >= 0]
            return self._all_slots(able, position, keyword)
        if isinstance(func, UnionValue):
            return self._all_slots(func.members, position, keyword)
        if isinstance(func, ClassValue):
            return self._constructor_slots(func, position, keyword)
        if isinstance(func, FunctionValue):
            return self._all_functions(func, position, keyword)
        if isinstance(func, Instance):
            called = self.attribute(func, "__call__")
            return [] if isinstance(called, Instance) else self._slots_of(called, position, keyword)
        if isinstance(func, CallableValue) and not keyword and position < len(func.params):
            return [Slot("", func.params[position], func, -1)]
        return []

    def _all_slots(self, functions: Sequence[Value], position: int, keyword: str) -> list[Slot]:
        found: list[Slot] = []
        for function in functions:
            slots = self._slots_of(function, position, keyword)
            if not slots:
                return []
            found += slots
        return found

    def _all_functions(self, func: FunctionValue, position: int, keyword: str) -> list[Slot]:
        """The slot of a function, and those of the methods that replace it in subclasses at hand."""
        found: list[Slot] = []
        for function in (func, *self._replacements(func)):
            slot = self._slot(function, position, keyword) if isinstance(function, FunctionValue) else None
            if slot is None:
                return []
            found.append(slot)
        return found

    def _replacements(self, func: FunctionValue) -> list[Value]:
        """What replaces a method in subclasses, where it is called on an instance; of its module only."""
        module, name = func.module, func.fact.name
        if module.is_stub or not isinstance(func.receiver, Instance):
            return []
        if module.facts.scopes[func.fact.parent].kind is not f.ScopeKind.CLASS or name == "__init__":
            return []
        defining = ClassValue(module, func.fact.parent)
        found: list[Value] = []
        for index, scope in enumerate(module.facts.scopes):
            if scope.kind is not f.ScopeKind.CLASS or name not in scope.bindings:
                continue
            cls = ClassValue(module, index)
            if cls != defining and self.is_subclass(cls, defining):
                found.append(self.bind(self.value(module, scope.bindings[name][-1]), func.receiver))
        return found

    def _slot(self, func: FunctionValue, position: int, keyword: str) -> Slot | None:
        params = func.fact.params
        if any(self._may_move(func.module, decorator) for decorator in func.fact.decorators):
            return None
        index = _parameter(func, position, keyword)
        if index < 0:
            return None
        param = params[index]
        declared = None
        if param.annotation >= 0:
            declared = self.annotation(func.module, param.annotation, func.context)
        return Slot(param.name, declared, func, index)

    # ------------------------------------------------------------------ decorators
    def _may_move(self, module: Module, decorator: int) -> bool:
        """Whether a decorator that leaves a function what it is may take or give parameters of its own.

        It is not one if it is annotated ``(F) -> F`` or ``(Callable[P, R]) -> Callable[P, R]``;
        ``Callable[..., R]`` and ``Callable[Concatenate[X, P], R]`` say nothing of the parameters that remain.
        """
        found = self.value(module, decorator)
        if isinstance(found, ClassValue):
            return False
        name = self._decorator_name(module, decorator, found, ())
        if name in _MOVING_DECORATORS:
            return True
        if isinstance(found, Instance):
            found = self.attribute(found, "__call__")
        if isinstance(found, OverloadedValue):
            found = found.functions[0]
        if isinstance(found, FunctionValue) and found.module.is_stdlib:
            return False
        if isinstance(found, FunctionValue):
            fact, first = found.fact, 1 if found.receiver is not None else 0
            if fact.returns < 0 or len(fact.params) <= first or fact.params[first].annotation < 0:
                # its body tells which function comes out
                return False
            taken = fact.params[first].annotation
            return not self._is_same_callable(found.module, taken, fact.returns)
        node = module.facts.nodes[decorator]
        if isinstance(found, CallableValue) and isinstance(node, f.Call):
            maker = self.value(module, node.func)
            returns = maker.fact.returns if isinstance(maker, FunctionValue) else -1
            if not isinstance(maker, FunctionValue) or returns < 0 or maker.module.is_stdlib:
                return False
            parts = self._callable_parts(maker.module, returns)
            inner = maker.module.facts.nodes[parts[0]] if parts is not None else None
            if parts is None or not isinstance(inner, f.Display) or len(inner.elements) != 1:
                return True
            return not self._is_same_callable(maker.module, inner.elements[0], parts[1])
        return False

    def _is_same_callable(self, module: Module, taken: int, given: int) -> bool:
        """Whether two annotations are one type variable, or callables whose parameters are one ParamSpec."""
        types = self.annotation(module, taken), self.annotation(module, given)
        if any(isinstance(each, TypeVarValue) for each in types):
            return types[0] == types[1]
        first, second = self._callable_parts(module, taken), self._callable_parts(module, given)
        if first is None or second is None:
            # what comes out is no callable that is described: its own value is exact
            return not any(isinstance(each, CallableValue) for each in types)
        params = self.value(module, first[0]), self.value(module, second[0])
        return isinstance(params[0], TypeVarValue) and params[0] == params[1]

    def _callable_parts(self, module: Module, annotation: int) -> tuple[int, int] | None:
        """The parameters and the result of an annotation ``Callable[parameters, result]``."""
        node = module.facts.nodes[annotation]
        if not isinstance(node, f.Index):
            return None
        form, index = self.value(module, node.value), module.facts.nodes[node.index]
        if not isinstance(form, SpecialForm) or form.name != "Callable" or not isinstance(index, f.Display):
            return None
        return (index.elements[0], index.elements[1]) if len(index.elements) == 2 else None

    # ------------------------------------------------------------------ constructors
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
            if "__init__" in entry.fact.bindings and entry.qualname != "typing.NamedTuple":
                init = self.instance_attribute(Instance(cls), "__init__")
                return self._slots_of(init, position, keyword)
            if not keyword and self._makes_constructor(entry):
                fields = self._fields(cls)
                return [self._field(cls, *fields[position])] if position < len(fields) else []
            declared = entry.fact.bindings.get(keyword, ()) if keyword else ()
            if declared and isinstance(entry.module.facts.nodes[declared[0]], f.Declared):
                return self._keyword_field(cls, entry, keyword, declared[0])
        return []

    def _keyword_field(self, cls: ClassValue, entry: ClassValue, name: str, node: int) -> list[Slot]:
        declared = entry.module.facts.nodes[node]
        assert isinstance(declared, f.Declared)
        default = entry.module.facts.nodes[declared.value] if declared.value >= 0 else None
        if isinstance(default, f.Call) and any(keyword == "converter" for keyword, _ in default.keywords):
            # what comes in is not what the field holds
            return []
        return [self._field(cls, entry, name, node)]

    def _field(self, cls: ClassValue, entry: ClassValue, name: str, node: int) -> Slot:
        field = entry.module.facts.nodes[node]
        assert isinstance(field, f.Declared)
        declared = self.annotation(entry.module, field.annotation)
        if isinstance(declared, Instance) and declared.cls.qualname == "dataclasses.InitVar":
            # given to the constructor, though it is no attribute
            args = declared.cls.args
            declared = args[0] if args else Unknown("`InitVar` does not say what it is")
        return Slot(name, declared, cls, -1)

    def _makes_constructor(self, entry: ClassValue) -> bool:
        """Whether a class is a dataclass or a NamedTuple, and the order of its fields that of the text."""
        nodes = entry.module.facts.nodes
        if any(base is not None and base.qualname == "typing.NamedTuple" for base in self.bases(entry)):
            return True
        if len(entry.fact.decorators) != 1:
            return False
        decorator = nodes[entry.fact.decorators[0]]
        if isinstance(decorator, f.Call):
            if any(keyword in _MOVING for keyword, _ in decorator.keywords):
                return False
            maker = self.value(entry.module, decorator.func)
        else:
            maker = self.value(entry.module, entry.fact.decorators[0])
        function = maker.functions[0] if isinstance(maker, OverloadedValue) else maker
        return isinstance(function, FunctionValue) and function.qualname == "dataclasses.dataclass"

    def _fields(self, cls: ClassValue) -> list[tuple[ClassValue, str, int]]:
        """(class, name, declaration) of the fields, as the constructor has them; empty if that is unclear."""
        found: dict[str, tuple[ClassValue, str, int]] = {}
        for entry in reversed(self.mro(cls)):
            if entry is None:
                return []
            if not self._makes_constructor(entry):
                continue
            nodes = entry.module.facts.nodes
            for name, bound in entry.fact.bindings.items():
                declared = nodes[bound[0]]
                if not isinstance(declared, f.Declared):
                    continue
                annotation = nodes[declared.annotation]
                if isinstance(annotation, f.Index):
                    annotation = nodes[annotation.value]
                default = nodes[declared.value] if declared.value >= 0 else None
                moved = isinstance(default, f.Call) and any(key in _MOVING for key, _ in default.keywords)
                if moved or last_name(annotation) in _NO_FIELD:
                    return []
                found[name] = (entry, name, bound[0])
        return list(found.values())


def _parameter(func: FunctionValue, position: int, keyword: str) -> int:
    """The number of the parameter that takes an argument of a call; -1 where none does."""
    params = func.fact.params
    if keyword:
        for index, param in enumerate(params):
            if param.name == keyword and param.kind in ("normal", "kwonly"):
                return index
        return next((i for i, p in enumerate(params) if p.kind == "kwarg"), -1)
    bound = func.receiver is not None and bool(params) and params[0].kind in ("posonly", "normal")
    index = position + bound
    if index < len(params) and params[index].kind in ("posonly", "normal"):
        return index
    return next((i for i, p in enumerate(params) if p.kind == "vararg"), -1)
