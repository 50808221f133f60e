"""What statements bind: loops, ``with``, unpacking, exceptions, declarations, narrowing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.values import (
    NEVER,
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
    SpecialForm,
    TupleValue,
    TypeForm,
    UnionValue,
    Unknown,
    Value,
    members,
    union,
    without_none,
)

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.names import Names

_CAUGHT = Unknown("the class of the exception is not known")
_FOUND_ASYNC = Unknown("nothing says what the `async def` function returns")


class Statements(Names):
    """Evaluates what statements bind."""

    # ------------------------------------------------------------------ statements
    def _iter(self, module: Module, node: f.Iter, context: Context) -> Value:
        value = self.value(module, node.value, context)
        found = union(
            [self.element(member, is_async=node.is_async) for member in members(without_none(value))]
        )
        if node.is_async or not (found is NEVER or isinstance(found, Unknown)):
            return found
        return self.filled(module, self.viewed(module, node.value, "values"), found)

    @staticmethod
    def viewed(module: Module, node: int, view: str) -> int:
        """The dict of which a node is a view, such as ``jobs.values()``; of any other node, itself."""
        fact = module.facts.nodes[node]
        func = module.facts.nodes[fact.func] if isinstance(fact, f.Call) and not fact.args else None
        return func.value if isinstance(func, f.Attr) and func.name == view else node

    def element(self, value: Value, *, is_async: bool) -> Value:
        """What iterating a value gives."""
        if isinstance(value, GeneratorValue):
            return value.item if value.is_async == is_async else Unknown("iterated in the wrong way")
        if isinstance(value, TupleValue):
            return union(list(value.elements)) if value.elements else NEVER
        if not isinstance(value, Instance):
            return Unknown(getattr(value, "reason", "") or "what is iterated is not known")
        cls = value.cls
        if (
            not is_async
            and cls.module.name == "builtins"
            and cls.fact.name in ("list", "set", "frozenset", "dict", "tuple")
        ):
            return cls.args[0] if cls.args else Unknown(f"nothing says what the `{cls.fact.name}` holds")
        iterator = self.call(self.attribute(value, "__aiter__" if is_async else "__iter__"), Arguments())
        if isinstance(iterator, GeneratorValue):
            return iterator.item
        item = self.call(self.attribute(iterator, "__anext__" if is_async else "__next__"), Arguments())
        return self.awaited(item) if is_async else item

    def _enter(self, module: Module, node: f.Enter, context: Context) -> Value:
        value = self.value(module, node.value, context)
        return union(
            [self._entered(member, is_async=node.is_async) for member in members(without_none(value))]
        )

    def _entered(self, value: Value, *, is_async: bool) -> Value:
        if isinstance(value, ContextManagerValue):
            return value.item if value.is_async == is_async else Unknown("entered in the wrong way")
        if isinstance(value, External):
            # most context managers of most libraries give themselves
            return Unknown(f"the code of `{value.path.partition('.')[0]}` is not at hand")
        entered = self.call(self.attribute(value, "__aenter__" if is_async else "__enter__"), Arguments())
        return self.awaited(entered) if is_async else entered

    def _unpack(self, module: Module, node: f.Unpack, context: Context) -> Value:
        value = self.value(module, node.value, context)
        found = []
        for member in members(without_none(value)):
            if isinstance(member, TupleValue):
                inside = -len(member.elements) <= node.index < len(member.elements)
                found.append(member.elements[node.index] if inside else Unknown("there is no such element"))
            else:
                found.append(self.element(member, is_async=False))
        inner = module.facts.nodes[node.value]
        if node.index == 1 and isinstance(inner, f.Iter):
            viewed = self.viewed(module, inner.value, "items")
            if viewed != inner.value:
                return self.filled(module, viewed, union(found))
        return union(found)

    def _caught(self, module: Module, node: f.Caught, context: Context) -> Value:
        value = self.value(module, node.types, context)
        classes = value.elements if isinstance(value, TupleValue) else members(value)
        return union([self.as_instance(cls) if isinstance(cls, ClassValue) else _CAUGHT for cls in classes])

    def _declared(self, module: Module, node: f.Declared, context: Context) -> Value:
        form = self.value(module, node.annotation, context)
        if isinstance(form, SpecialForm) and form.name in ("Final", "ClassVar", "TypeAlias"):
            return self.value(module, node.value, context)
        declared = self.as_instance(form)
        if node.value < 0:
            return declared
        if isinstance(declared, Unknown):
            return self.value(module, node.value, context)
        value = self.value(module, node.value, context)
        if isinstance(value, AwaitableValue):
            # what was assigned is the truth, whatever was declared
            return value
        if isinstance(value, Instance) and isinstance(declared, (Instance, UnionValue)):
            narrowed = [
                m for m in members(declared) if isinstance(m, Instance) and self.is_subclass(value.cls, m.cls)
            ]
            if narrowed and not value.cls.module.is_stdlib:
                return value
        return declared

    def _narrow(self, module: Module, node: f.Narrow, context: Context) -> Value:
        if node.test == "awaitable":
            value = self.value(module, node.value, context) if node.positive else NONE
            if self.coroutine(value) is not None:
                return AwaitableValue("Awaitable", self.awaited(value))
            return Unknown("the code looks whether it is awaitable")
        if node.test == "async function":
            return self._async_function(module, node, context)
        value = self.value(module, node.value, context)
        if node.test in ("none", "truthy"):
            if node.test == "none" and node.positive:
                return NONE if not isinstance(value, AwaitableValue) else value
            if node.test == "none" or node.positive:
                return without_none(value)
            return value
        classes = self._classes_of(self.value(module, node.against, context))
        if not node.positive:
            if isinstance(value, AwaitableValue):
                if classes is not None and all(self.refuses(self.as_instance(cls)) for cls in classes):
                    return value
                return Unknown("the code looks whether it is a coroutine")
            if classes is None or not isinstance(value, UnionValue):
                return value
            rest = [m for m in value.members if not self._is_one_of(m, classes)]
            return union(rest) if rest else Unknown("`isinstance` leaves nothing")
        if classes is None:
            return Unknown("a class that `isinstance` names is not known")
        kept = [m for m in members(value) if self._is_one_of(m, classes)]
        if kept:
            return union(
                [
                    AwaitableValue("Awaitable", self.awaited(m)) if isinstance(m, AwaitableValue) else m
                    for m in kept
                ]
            )
        return union([self.as_instance(cls) for cls in classes])

    def _async_function(self, module: Module, node: f.Narrow, context: Context) -> Value:
        """A function that the code found to be ``async def``, or not to be."""
        if not node.positive:
            return Unknown("the code looks whether it is awaitable")
        value = self.value(module, node.value, context)
        if isinstance(value, FunctionValue) and value.fact.is_async:
            return value
        if isinstance(value, CallableValue) and isinstance(value.result, AwaitableValue):
            return CallableValue(
                AwaitableValue("Coroutine", value.result.result, value.result.function), value.origin
            )
        return CallableValue(AwaitableValue("Coroutine", _FOUND_ASYNC))

    def _classes_of(self, value: Value) -> list[ClassValue] | None:
        """The classes that an ``isinstance`` test names, or None where not all are known."""
        found: list[ClassValue] = []
        for member in value.elements if isinstance(value, TupleValue) else members(value):
            if isinstance(member, ClassValue):
                found.append(member)
            elif isinstance(member, TypeForm):
                for instance in members(member.instance):
                    if not isinstance(instance, Instance):
                        return None
                    found.append(instance.cls)
            else:
                return None
        return found

    def _is_one_of(self, value: Value, classes: list[ClassValue]) -> bool:
        """Whether a value certainly is an instance of one of some classes."""
        if isinstance(value, AwaitableValue):
            names = {cls.qualname for cls in classes}
            return "typing.Awaitable" in names or (value.kind == "Coroutine" and "typing.Coroutine" in names)
        return isinstance(value, Instance) and self._any_base(value.cls, classes)

    def _any_base(self, cls: ClassValue, bases: list[ClassValue]) -> bool:
        return any(self.is_subclass(cls, base) for base in bases)
