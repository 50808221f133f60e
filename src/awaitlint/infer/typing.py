"""Annotations: types written in the code, type variables and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.classes import Classes
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.linearisation import is_same
from awaitlint.infer.values import (
    NONE,
    AwaitableValue,
    CallableValue,
    ClassValue,
    Context,
    ContextManagerValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    NoneValue,
    OverloadedValue,
    SpecialForm,
    TupleValue,
    TypeForm,
    TypeVarValue,
    UnionValue,
    Unknown,
    Value,
    members,
    union,
    without_none,
)

if TYPE_CHECKING:
    from awaitlint.index.modules import Module

_SELF = TypeVarValue("typing", "Self")
#: special forms whose single argument says what the type is
_WRAPPERS = frozenset({"Final", "ClassVar", "Required", "NotRequired", "ReadOnly"})
#: generic classes that mean an awaitable, by qualified name: (kind, which argument is the result)
_AWAITABLES = {
    "typing.Awaitable": ("Awaitable", 0),
    "typing.Coroutine": ("Coroutine", 2),
    "types.CoroutineType": ("Coroutine", 2),
}

_ITERABLES = frozenset(
    {"Iterable", "Iterator", "Generator", "AsyncIterable", "AsyncIterator", "AsyncGenerator"}
    | {"Collection", "Container", "Sequence", "Reversible", "tuple"}
    | {"SupportsNext", "SupportsAnext", "SupportsLenAndGetItem"}
)

Mapping = dict[TypeVarValue, Value]


def _unbound(variable: TypeVarValue) -> Unknown:
    return Unknown(f"the type variable `{variable.name}` is not known")


class Typing(Classes):
    """What inference knows of annotations."""

    def annotation(self, module: Module, node: int, context: Context = ()) -> Value:
        """What an annotation's values are instances of."""
        fact = module.facts.nodes[node] if node >= 0 else None
        if isinstance(fact, f.Const) and isinstance(fact.value, str) and fact.value.isidentifier():
            # a forward reference in an alias: Union["Bot", "Client"]
            return self.as_instance(self._name(module, f.Name(fact.value), context))
        return self.as_instance(self.value(module, node, context))

    def is_type(self, value: Value) -> bool:
        """Whether a value is something that ``|`` and ``[]`` make types of."""
        return isinstance(value, (ClassValue, TypeForm, SpecialForm, TypeVarValue))

    def as_instance(self, value: Value) -> Value:
        """What the instances of a type are."""
        if isinstance(value, ClassValue):
            return self.class_instance(value)
        if isinstance(value, TypeForm):
            return value.instance
        if isinstance(value, (NoneValue, TypeVarValue)):
            return value
        if isinstance(value, UnionValue):
            return union([self.as_instance(member) for member in value.members])
        if isinstance(value, External):
            return External(f"{value.path}()")
        if isinstance(value, SpecialForm) and value.name == "Self":
            return _SELF
        if isinstance(value, SpecialForm) and value.name == "Callable":
            return CallableValue(Unknown("`Callable` does not say what it returns"))
        if isinstance(value, SpecialForm) and value.name == "LiteralString":
            return self.instance_of("str")
        if isinstance(value, SpecialForm):
            return Unknown(f"`{value.name}` says nothing")
        return Unknown(getattr(value, "reason", "") or "the annotation is not understood")

    def class_instance(self, cls: ClassValue) -> Value:
        """An instance of a class, as the value that stands for it."""
        if cls.module.is_stdlib:
            name = cls.qualname
            awaitable = _AWAITABLES.get(name)
            if awaitable is not None:
                kind, position = awaitable
                if len(cls.args) > position:
                    return AwaitableValue(kind, cls.args[position])
                return AwaitableValue(kind, Unknown(f"`{kind}` does not say what awaiting it gives"))
            if name == "builtins.object":
                return Unknown("`object` says nothing")
            if name == "builtins.type" and cls.args:
                return self._class_of(cls)
            if name in ("types.NoneType", "_typeshed.Incomplete"):
                return NONE if name == "types.NoneType" else Unknown("`Incomplete` says nothing")
        return Instance(cls)

    def _class_of(self, cls: ClassValue) -> Value:
        """What an instance of ``type[X]`` is."""
        found = [member.cls if isinstance(member, Instance) else None for member in members(cls.args[0])]
        known = [member for member in found if member is not None]
        return union(list(known)) if len(known) == len(found) else Instance(cls)

    def subscripted_type(self, module: Module, value: Value, index: int, context: Context) -> Value:
        """``value[index]`` where the value is a type."""
        fact = module.facts.nodes[index]
        elements = fact.elements if isinstance(fact, f.Display) and fact.kind == "tuple" else (index,)
        seen: dict[TypeVarValue, None] = {}
        if isinstance(value, SpecialForm):
            return self._special(module, value.name, elements, context)
        if isinstance(value, ClassValue):
            args = tuple(self._type_argument(module, element, context) for element in elements)
            if value.qualname == "builtins.tuple":
                if len(elements) == 2 and module.facts.nodes[elements[1]] == f.Plain("ellipsis"):
                    return ClassValue(value.module, value.scope, args[:1])
                return TypeForm(TupleValue(args))
            if value.args:
                # an alias of a generic class
                for arg in value.args:
                    self._collect_type_vars(arg, seen)
                return self._substituted_class(value, dict(zip(seen, args, strict=False)))
            return ClassValue(value.module, value.scope, args)
        if isinstance(value, TypeForm):
            # a generic alias: its type variables are taken in order of appearance
            self._collect_type_vars(value.instance, seen)
            args = tuple(self._type_argument(module, element, context) for element in elements)
            return TypeForm(self.substitute(value.instance, dict(zip(seen, args, strict=False))))
        return Unknown(getattr(value, "reason", "") or "what is subscripted is no type")

    def _type_argument(self, module: Module, node: int, context: Context) -> Value:
        fact = module.facts.nodes[node]
        if isinstance(fact, f.Display):
            return Unknown("parameters are no type of their own")
        return self.annotation(module, node, context)

    def _special(self, module: Module, name: str, elements: tuple[int, ...], context: Context) -> Value:
        if name == "Optional":
            return TypeForm(union([self.annotation(module, elements[0], context), NONE]))
        if name == "Union":
            return TypeForm(union([self.annotation(module, element, context) for element in elements]))
        if name == "Annotated" or name in _WRAPPERS:
            return TypeForm(self.annotation(module, elements[0], context))
        if name == "Callable":
            result = (
                self.annotation(module, elements[1], context)
                if len(elements) == 2
                else Unknown("`Callable` does not say what it returns")
            )
            wanted = module.facts.nodes[elements[0]]
            types = wanted.elements if isinstance(wanted, f.Display) else ()
            params = tuple(self.annotation(module, element, context) for element in types)
            return TypeForm(CallableValue(result, None, params))
        if name == "Literal":
            return TypeForm(union([self.value(module, element) for element in elements]))
        if name in ("Generic", "Protocol"):
            return TypeForm(SpecialForm(name))
        if name in ("TypeGuard", "TypeIs"):
            return TypeForm(self.instance_of("bool"))
        return Unknown(f"`{name}[...]` is not understood")

    # ------------------------------------------------------------------ type variables
    def substitute(self, value: Value, mapping: Mapping, receiver: Value | None = None) -> Value:
        """A value with type variables replaced; ``Self`` is the receiver."""
        if not mapping and receiver is None:
            return value
        if isinstance(value, TypeVarValue):
            if value == _SELF:
                owner = receiver
                return self.as_instance(owner) if isinstance(owner, ClassValue) else owner or value
            return mapping.get(value, value)
        if isinstance(value, Instance):
            if not value.cls.args:
                return value
            args = tuple(self.substitute(arg, mapping, receiver) for arg in value.cls.args)
            if args == value.cls.args:
                return value
            return self.class_instance(ClassValue(value.cls.module, value.cls.scope, args))
        if isinstance(value, ClassValue):
            args = tuple(self.substitute(arg, mapping, receiver) for arg in value.args)
            return value if args == value.args else ClassValue(value.module, value.scope, args)
        if isinstance(value, UnionValue):
            return union([self.substitute(member, mapping, receiver) for member in value.members])
        if isinstance(value, AwaitableValue) and value.result is not None:
            return AwaitableValue(
                value.kind, self.substitute(value.result, mapping, receiver), value.function
            )
        if isinstance(value, CallableValue):
            params = tuple(self.substitute(param, mapping, receiver) for param in value.params)
            return CallableValue(self.substitute(value.result, mapping, receiver), value.origin, params)
        if isinstance(value, GeneratorValue):
            return GeneratorValue(value.is_async, self.substitute(value.item, mapping, receiver))
        if isinstance(value, TupleValue):
            return TupleValue(
                tuple(self.substitute(element, mapping, receiver) for element in value.elements)
            )
        return value

    def erase(self, value: Value) -> Value:
        """A value whose remaining type variables are unknown (or their bound)."""
        if isinstance(value, TypeVarValue):
            return value.bound or _unbound(value)
        seen: dict[TypeVarValue, None] = {}
        self._collect_type_vars(value, seen)
        if not seen:
            return value
        return self.substitute(value, {each: each.bound or _unbound(each) for each in seen})

    def has_type_vars(self, value: Value) -> bool:
        """Whether a value mentions a type variable or ``Self``."""
        if isinstance(value, TypeVarValue):
            return True
        if isinstance(value, Instance) and not value.cls.args:
            return False
        seen: dict[TypeVarValue, None] = {}
        self._collect_type_vars(value, seen)
        return bool(seen) or self._mentions_self(value)

    def _mentions_self(self, value: Value) -> bool:
        if value == _SELF:
            return True
        if isinstance(value, UnionValue):
            return any(self._mentions_self(member) for member in value.members)
        if isinstance(value, Instance):
            return any(self._mentions_self(arg) for arg in value.cls.args)
        if isinstance(value, AwaitableValue):
            return value.result is not None and self._mentions_self(value.result)
        return False

    def unify(self, pattern: Value, actual: Value, mapping: Mapping, depth: int = 0) -> None:
        """Learn from an argument what the type variables of its parameter's annotation stand for."""
        if depth > 6 or isinstance(actual, Unknown):
            return
        if isinstance(pattern, TypeVarValue):
            if pattern not in mapping:
                mapping[pattern] = actual
        elif isinstance(pattern, UnionValue):
            self._unify_union(pattern, actual, mapping, depth)
        elif isinstance(pattern, AwaitableValue):
            if pattern.result is not None and self.is_awaitable(actual):
                self.unify(pattern.result, self.awaited(actual), mapping, depth + 1)
        elif isinstance(pattern, CallableValue):
            if isinstance(actual, (FunctionValue, OverloadedValue, CallableValue, ClassValue)):
                self.unify(pattern.result, self.call(actual, Arguments()), mapping, depth + 1)
        elif isinstance(pattern, Instance) and pattern.cls.args:
            self._unify_instance(pattern.cls, actual, mapping, depth)

    def _unify_union(self, pattern: UnionValue, actual: Value, mapping: Mapping, depth: int) -> None:
        actual = without_none(actual)
        plain = [member for member in pattern.members if isinstance(member, TypeVarValue)]
        structured = [member for member in pattern.members if not isinstance(member, TypeVarValue)]
        before = len(mapping)
        for member in structured:
            self.unify(member, actual, mapping, depth + 1)
        if len(mapping) == before:
            for member in plain:
                self.unify(member, actual, mapping, depth + 1)

    def _unify_instance(self, cls: ClassValue, actual: Value, mapping: Mapping, depth: int) -> None:
        name = cls.qualname
        if isinstance(actual, ClassValue):
            if name == "builtins.type":
                self.unify(cls.args[0], self.class_instance(actual), mapping, depth + 1)
        elif isinstance(actual, ContextManagerValue):
            if cls.module.is_stdlib and cls.fact.name.endswith("ContextManager"):
                self.unify(cls.args[0], actual.item, mapping, depth + 1)
        elif isinstance(actual, (GeneratorValue, TupleValue)):
            if cls.module.is_stdlib and cls.fact.name in _ITERABLES:
                item = actual.item if isinstance(actual, GeneratorValue) else union(list(actual.elements))
                self.unify(cls.args[0], item, mapping, depth + 1)
        elif isinstance(actual, UnionValue):
            for member in members(without_none(actual)):
                self._unify_instance(cls, member, mapping, depth + 1)
        elif isinstance(actual, Instance):
            for entry in self.mro(actual.cls):
                if entry is not None and is_same(cls, entry):
                    for one, other in zip(cls.args, entry.args, strict=False):
                        self.unify(one, other, mapping, depth + 1)
                    return
            if cls.module.name == "typing" and name.endswith(("Iterable", "Iterator")):
                self.unify(cls.args[0], self.element(actual, is_async="Async" in name), mapping, depth + 1)
            elif cls.module.is_stdlib and self.is_protocol(cls):
                self._unify_protocol(cls, actual, mapping, depth)

    def _unify_protocol(self, cls: ClassValue, actual: Instance, mapping: Mapping, depth: int) -> None:
        """Learn from what the methods of an object give that a protocol asks for."""
        own: Mapping = {}
        for name, nodes in cls.fact.bindings.items():
            method = self.value(cls.module, nodes[-1])
            if not isinstance(method, FunctionValue) or method.fact.returns < 0:
                continue
            given = (
                self._item(actual, 0, None)
                if name == "__getitem__"
                else self.call(self.attribute(actual, name), Arguments())
            )
            self.unify(self.annotation(cls.module, method.fact.returns), given, own, depth + 1)
        for param, arg in zip(self.type_params(cls.module, cls.scope), cls.args, strict=False):
            if param in own:
                self.unify(arg, own[param], mapping, depth + 1)

    def is_awaitable(self, value: Value) -> bool | None:
        raise NotImplementedError

    def is_protocol(self, cls: ClassValue) -> bool:
        raise NotImplementedError
