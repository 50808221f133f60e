"""Classes: method resolution order, attributes, descriptors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.special import TYPING_MODULES
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.linearisation import Linearisation, Mro, is_same
from awaitlint.infer.values import (
    CallableValue,
    ClassMethodValue,
    ClassValue,
    ContextManagerValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    ModuleValue,
    NoneValue,
    OverloadedValue,
    PropertyValue,
    StaticMethodValue,
    SuperValue,
    TupleValue,
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

_SENT = Unknown("what goes into a generator, and what it returns, is not known")


def _is_open(value: Value) -> bool:
    """Whether a value says nothing about what it is, or what calling it gives."""
    if isinstance(value, CallableValue):
        return isinstance(value.result, Unknown)
    return isinstance(value, Unknown)


class Classes(Linearisation):
    """What inference knows of classes."""

    # ------------------------------------------------------------------ bases
    def is_subclass(self, cls: ClassValue, base: ClassValue) -> bool:
        """Whether `cls` is known to derive from `base`."""
        return base.qualname == "builtins.object" or any(is_same(base, entry) for entry in self.mro(cls))

    def has_base(self, cls: ClassValue, qualname: str) -> bool:
        """Whether a class of that qualified name is in the method resolution order."""
        name = qualname.rpartition(".")[2]
        for entry in self.mro(cls):
            # most differ in their last name, which takes less to compare
            if entry is not None and entry.fact.name == name and entry.qualname == qualname:
                return True
        return False

    def is_metaclass(self, cls: ClassValue) -> bool:
        return self.has_base(cls, "builtins.type")

    # ------------------------------------------------------------------ type parameters
    def type_params(self, module: Module, scope: int) -> tuple[TypeVarValue, ...]:
        """The type parameters of a class, in order."""
        key = (module, scope)
        found = self._type_params.get(key)
        if found is None:
            fact = module.facts.scopes[scope]
            self._type_params[key] = ()
            if fact.type_params:
                found = tuple(TypeVarValue(f"{module.name}:{scope}", name) for name in fact.type_params)
            else:
                found = self._from_bases(module, fact)
            self._type_params[key] = found
        return found

    def _from_bases(self, module: Module, fact: f.Scope) -> tuple[TypeVarValue, ...]:
        seen: dict[TypeVarValue, None] = {}
        nodes = module.facts.nodes
        generic: list[int] = []
        others: list[int] = []
        for base in fact.bases:
            node = nodes[base]
            if isinstance(node, f.Index):
                index = nodes[node.index]
                elements = index.elements if isinstance(index, f.Display) else (node.index,)
                value = self.value(module, node.value)
                named = getattr(value, "name", "") in ("Generic", "Protocol")
                (generic if named else others).extend(elements)
        for element in generic or others:
            self._collect_type_vars(self.as_instance(self.value(module, element)), seen)
        return tuple(seen)

    def _collect_type_vars(self, value: Value, seen: dict[TypeVarValue, None]) -> None:
        if isinstance(value, TypeVarValue):
            if value.name != "Self":
                seen[value] = None
        elif isinstance(value, Instance):
            for arg in value.cls.args:
                self._collect_type_vars(arg, seen)
        elif isinstance(value, UnionValue):
            for member in value.members:
                self._collect_type_vars(member, seen)
        elif isinstance(value, TupleValue):
            for element in value.elements:
                self._collect_type_vars(element, seen)
        else:
            result = getattr(value, "result", None) or getattr(value, "item", None)
            if isinstance(result, Value):
                self._collect_type_vars(result, seen)

    def class_mapping(self, cls: ClassValue) -> dict[TypeVarValue, Value]:
        """What the type parameters of a class stand for, where its arguments are known."""
        if not cls.args:
            return {}
        params = self.type_params(cls.module, cls.scope)
        return dict(zip(params, cls.args, strict=False))

    # ------------------------------------------------------------------ attributes
    def attribute(self, value: Value, name: str) -> Value:
        """What ``value.name`` evaluates to."""
        if isinstance(value, Instance):
            return self.instance_attribute(value, name)
        if isinstance(value, ModuleValue):
            return self.module_attribute(value.module, name)
        if isinstance(value, External):
            return External(f"{value.path}.{name}")
        if isinstance(value, UnionValue):
            kept = without_none(value)
            found = [self.attribute(member, name) for member in members(kept)]
            # code that takes an attribute means those values that have it
            there = [each for each in found if not (isinstance(each, Unknown) and each.absent)]
            return union(there or found)
        if isinstance(value, ClassValue):
            return self.class_attribute(value, name)
        if isinstance(value, SuperValue):
            return self._super_attribute(value, name)
        if isinstance(value, PropertyValue) and name in ("setter", "deleter", "getter"):
            return CallableValue(value)
        if isinstance(value, TypeVarValue) and value.bound is not None:
            return self.attribute(value.bound, name)
        if isinstance(value, TupleValue):
            return self.attribute(self.instance_of("tuple", union(list(value.elements))), name)
        if isinstance(value, GeneratorValue):
            kind = "AsyncGenerator" if value.is_async else "Generator"
            return self.attribute(self.stdlib_instance("typing", kind, value.item, _SENT, _SENT), name)
        if isinstance(value, ContextManagerValue):
            kind = "AbstractAsyncContextManager" if value.is_async else "AbstractContextManager"
            return self.attribute(self.stdlib_instance("contextlib", kind, value.item), name)
        if isinstance(value, Unknown):
            return value
        return Unknown(f"the attribute `{name}` is not known")

    def instance_attribute(self, instance: Instance, name: str) -> Value:
        key = (instance, name)
        known = self._attributes.get(key)
        if known is not None:
            return known
        result, final = self.guarded(key, self._from_own_mro, instance, name)
        if final:
            self._attributes[key] = result
        return result

    def _from_own_mro(self, instance: Instance, name: str) -> Value:
        return self._from_mro(self.mro(instance.cls), instance, name)

    def _super_attribute(self, value: SuperValue, name: str) -> Value:
        owner = value.receiver.cls if isinstance(value.receiver, Instance) else value.cls
        mro = self.mro(owner)
        for position, entry in enumerate(mro):
            if entry is not None and is_same(value.cls, entry):
                return self._from_mro(mro[position + 1 :], value.receiver, name)
        return Unknown("the class of `super()` is no base of its receiver")

    def _from_mro(self, mro: Mro, receiver: Value, name: str) -> Value:
        owner = receiver.cls if isinstance(receiver, Instance) else None
        nothing: Value | None = None
        for entry in mro:
            if entry is None:
                return Unknown(f"a base of `{owner.fact.name if owner else 'the class'}` is not known")
            found = self._own_attribute(entry, name, receiver)
            if isinstance(found, NoneValue):
                # a placeholder: what it is replaced with is assigned elsewhere
                nothing = self._set_outside(entry, name)
            elif found is not None:
                return self.substitute(found, self.class_mapping(entry)) if entry.args else found
            if "__getattr__" in entry.fact.bindings or "__getattribute__" in entry.fact.bindings:
                nothing = nothing or self._delegated(entry, name)
        if nothing is not None:
            return nothing
        builtin_object = self.builtin("object")
        if isinstance(builtin_object, ClassValue):
            found = self._own_attribute(builtin_object, name, receiver)
            if found is not None:
                return found
        return Unknown(
            f"`{owner.fact.name if owner else 'the class'}` has no attribute `{name}`", absent=True
        )

    def _set_outside(self, cls: ClassValue, name: str) -> Value:
        """What a module assigns to an attribute that is None in a class: ``Database.client = Client()``."""
        unclear = Unknown(f"`{name}` is None in its class and set elsewhere")
        values = [self.value(cls.module, assigned) for assigned in cls.fact.attributes.get(name, ())]
        for owner, assigned in cls.module.facts.patched.get(name, ()):
            found = self.value(cls.module, owner)
            of = found.cls if isinstance(found, Instance) else found
            if isinstance(of, ClassValue) and self.is_subclass(of, cls):
                values.append(self.value(cls.module, assigned))
        known = [value for value in values if not isinstance(value, NoneValue)]
        return union(values) if known and all(isinstance(each, Instance) for each in known) else unclear

    def _delegated(self, cls: ClassValue, name: str) -> Value:
        """What a class's ``__getattr__`` gives: the attribute of another object, if that is all it does."""
        unclear = Unknown(f"`{cls.fact.name}.__getattr__` may answer")
        nodes, bound = cls.module.facts.nodes, cls.fact.bindings
        method = nodes[bound["__getattr__"][-1]] if "__getattr__" in bound else None
        if not isinstance(method, f.Func) or "__getattribute__" in bound:
            return unclear
        fact = cls.module.facts.scopes[method.scope]
        call = nodes[fact.returned[0]] if len(fact.returned) == 1 and not fact.falls_through else None
        if (
            not isinstance(call, f.Call)
            or len(call.args) != 2
            or nodes[call.args[1]] != f.Param(method.scope, 1)
        ):
            return unclear
        if fact.is_async or fact.decorators or nodes[call.func] != f.Name("getattr"):
            return unclear
        inner = nodes[call.args[0]]
        if isinstance(inner, f.Attr) and nodes[inner.value] == f.Param(method.scope, 0):
            other = self.instance_attribute(Instance(cls), inner.name)
        else:
            other = self.value(cls.module, call.args[0])
        found = self.attribute(other, name) if isinstance(other, Instance) and other.cls != cls else unclear
        return unclear if isinstance(found, Unknown) else found

    def _own_attribute(self, cls: ClassValue, name: str, receiver: Value) -> Value | None:
        """The attribute as this class itself defines it, bound to the receiver; None where it does not."""
        fact, module = cls.fact, cls.module
        nodes = fact.bindings.get(name, ())
        assigned = fact.attributes.get(name, ()) if isinstance(receiver, Instance) else ()
        if not nodes and not assigned:
            return None
        facts = module.facts.nodes
        declared = [n for n in (*nodes, *assigned) if isinstance(facts[n], f.Declared)]
        if declared and not any(isinstance(facts[n], f.Func) for n in nodes):
            # an annotation speaks for every assignment
            value = self._declared_once(module, declared[0], assigned)
            if not isinstance(value, (Unknown, NoneValue)):
                return value
        found = self.bound_functions(module, nodes)
        values = [found] if found is not None else [self.value(module, node) for node in nodes]
        own = [self.bind(value, receiver) for value in values]
        later = [self.value(module, node) for node in assigned]
        methods = any(isinstance(facts[node], f.Func) for node in nodes)
        return union(own + later if methods else self._settled(own + later))

    def _declared_once(self, module: Module, node: int, assigned: tuple[int, ...]) -> Value:
        """What a declared attribute is: what is assigned where it is declared, if nothing else ever is."""
        value = self.value(module, node)
        declared = module.facts.nodes[node]
        if not isinstance(declared, f.Declared) or declared.value < 0 or not isinstance(value, Instance):
            return value
        others = [without_none(self.value(module, other)) for other in assigned if other != node]
        if all(isinstance(other, NoneValue) or other == value for other in others):
            return value
        form = self.annotation(module, declared.annotation)
        return value if isinstance(form, Unknown) else form

    @staticmethod
    def _settled(values: list[Value]) -> list[Value]:
        """What is assigned to an attribute: the first assignment says what it is, as for type checkers."""
        real = [value for value in values if not isinstance(value, NoneValue)]
        if real and not _is_open(real[0]) and not isinstance(real[0], External):
            return [value for value in values if not _is_open(value)]
        return values

    def bound_functions(self, module: Module, nodes: tuple[int, ...]) -> Value | None:
        """The value of a name bound by several ``def``s in a row: overloads, else the last."""
        if not nodes or not all(isinstance(module.facts.nodes[node], f.Func) for node in nodes):
            return None
        if len(nodes) > 1:
            overloads = [node for node in nodes if self._is_overload(module, node)]
            functions: list[FunctionValue] = []
            for node in overloads:
                value = self.value(module, node)
                if isinstance(value, (StaticMethodValue, ClassMethodValue)):
                    value = value.function
                if isinstance(value, FunctionValue):
                    functions.append(value)
            if len(functions) > 1:
                return OverloadedValue(tuple(functions))
        return self.value(module, nodes[-1])

    def _is_overload(self, module: Module, node: int) -> bool:
        func = module.facts.nodes[node]
        assert isinstance(func, f.Func)
        for decorator in module.facts.scopes[func.scope].decorators:
            value = self.value(module, decorator)
            if isinstance(value, FunctionValue) and value.fact.name == "overload":
                return value.module.name in TYPING_MODULES
        return False

    def bind(self, value: Value, receiver: Value) -> Value:
        """A class attribute as it is seen through an instance or (for classmethods) through the class."""
        if isinstance(value, FunctionValue):
            if value.receiver is not None:
                return value
            if value.fact.name in ("__new__", "__init_subclass__", "__class_getitem__") and isinstance(
                receiver, Instance
            ):
                receiver = receiver.cls
            return FunctionValue(value.module, value.scope, receiver, value.context)
        if isinstance(value, OverloadedValue):
            bound = tuple(FunctionValue(v.module, v.scope, receiver, v.context) for v in value.functions)
            return OverloadedValue(bound)
        if isinstance(value, StaticMethodValue):
            return value.function
        if isinstance(value, ClassMethodValue):
            owner: Value = receiver.cls if isinstance(receiver, Instance) else receiver
            return self.bind(value.function, owner)
        if isinstance(value, PropertyValue):
            return self.call(self.bind(value.getter, receiver), Arguments())
        if isinstance(value, UnionValue):
            return union([self.bind(member, receiver) for member in value.members])
        if isinstance(value, Instance) and self.mro(value.cls)[-1] is not None:
            getter = self._descriptor(value)
            if getter is not None:
                return self.call(getter, Arguments(values=(receiver,)))
        return value

    def _descriptor(self, value: Instance) -> Value | None:
        for entry in self.mro(value.cls):
            if entry is not None and "__get__" in entry.fact.bindings:
                return self.instance_attribute(value, "__get__")
        return None

    def class_attribute(self, cls: ClassValue, name: str) -> Value:
        """What ``Class.name`` evaluates to: functions stay unbound, classmethods are bound."""
        for entry in self.mro(cls):
            if entry is None:
                return Unknown(f"a base of `{cls.fact.name}` is not known")
            nodes = entry.fact.bindings.get(name)
            if nodes is None:
                continue
            found = self.bound_functions(entry.module, nodes)
            value = found if found is not None else union([self.value(entry.module, node) for node in nodes])
            if isinstance(value, ClassMethodValue):
                return self.bind(value.function, cls)
            if isinstance(value, StaticMethodValue):
                return value.function
            if isinstance(value, PropertyValue):
                return Unknown("a property, through the class")
            if self.is_enum(cls) and not isinstance(value, (FunctionValue, OverloadedValue, ClassValue)):
                return Instance(cls)
            if isinstance(value, Instance) and self._descriptor(value) is not None:
                return Unknown("a descriptor, through the class")
            return self._set_outside(entry, name) if isinstance(value, NoneValue) else value
        manager = self._django_manager(cls) if name == "objects" else None
        return manager or Unknown(f"`{cls.fact.name}` has no attribute `{name}`")

    def _django_manager(self, cls: ClassValue) -> Value | None:
        """The manager that Django's metaclass gives every model; None for a class that is no model."""
        for entry in self.mro(cls):
            if entry is not None and entry.qualname == "django.db.models.base.Model":
                module = self.project.resolve(entry.module, "django.db.models.manager", 0)
                manager = self.module_attribute(module, "Manager") if module is not None else None
                return Instance(manager) if isinstance(manager, ClassValue) else None
        return None

    def is_enum(self, cls: ClassValue) -> bool:
        return self.has_base(cls, "enum.Enum")

    _type_params: dict[tuple[Module, int], tuple[TypeVarValue, ...]]
    _attributes: dict[tuple[Instance, str], Value]

    def substitute(
        self, value: Value, mapping: dict[TypeVarValue, Value], receiver: Value | None = None
    ) -> Value:
        raise NotImplementedError
