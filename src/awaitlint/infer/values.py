"""What an expression can evaluate to, as far as inference tells it apart.

*Unknown* is an honest answer: whatever asks must then stay silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.index.facts import Scope
    from awaitlint.index.modules import Module


class Value(msgspec.Struct, frozen=True):
    """Base of the values; all are immutable and comparable."""


class Unknown(Value, frozen=True, eq=False):
    """Not known, and why; all unknowns are equal.

    `absent` says that it is an attribute which the value certainly does not have.
    """

    reason: str
    absent: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and not isinstance(other, CycleValue)

    def __hash__(self) -> int:
        return 0


class CycleValue(Unknown, frozen=True, eq=False):
    """What is being computed already: whatever the rest says that it is."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CycleValue)

    def __hash__(self) -> int:
        return 1


class NoneValue(Value, frozen=True):
    """None."""


class NeverValue(Value, frozen=True):
    """What an empty list holds: no value at all; in a union with others it counts for nothing."""


class ModuleValue(Value, frozen=True):
    module: Module


class External(Value, frozen=True):
    """Something of a package whose code is not at hand.

    `path` is how it was reached: ``fastapi.FastAPI`` the class (or function), ``fastapi.FastAPI()`` the
    result of calling it, ``fastapi.FastAPI().get`` an attribute of that.
    """

    path: str


#: values of parameters that are known in a particular call: ((module, scope, index), value)
Context = tuple[tuple["tuple[Module, int, int]", Value], ...]


class ClassValue(Value, frozen=True):
    """A class object; `args` are its type arguments, empty where none are known."""

    module: Module
    scope: int
    args: tuple[Value, ...] = ()

    @property
    def fact(self) -> Scope:
        return self.module.facts.scopes[self.scope]

    @property
    def qualname(self) -> str:
        return f"{self.module.name}.{self.fact.qualname}"


class Instance(Value, frozen=True):
    """An instance of a class (or of an unknown subclass of it)."""

    cls: ClassValue


class FunctionValue(Value, frozen=True):
    """A function as its ``def`` made it; `receiver` is what it is bound to."""

    module: Module
    scope: int
    receiver: Value | None = None
    context: Context = ()

    @property
    def fact(self) -> Scope:
        return self.module.facts.scopes[self.scope]

    @property
    def qualname(self) -> str:
        return f"{self.module.name}.{self.fact.qualname}"


class OverloadedValue(Value, frozen=True):
    """A function with ``@overload`` declarations."""

    functions: tuple[FunctionValue, ...]


class CallableValue(Value, frozen=True):
    """Something that can be called, with a known result: ``Callable[..., T]``, a partial.

    `origin` is the function that is called in the end, where it is known; `params` are the positional
    parameters' types, where they are written out.
    """

    result: Value
    origin: FunctionValue | None = None
    params: tuple[Value, ...] = ()


class PropertyValue(Value, frozen=True):
    getter: Value


class StaticMethodValue(Value, frozen=True):
    function: Value


class ClassMethodValue(Value, frozen=True):
    function: Value


class AwaitableValue(Value, frozen=True):
    """A coroutine or another awaitable that does nothing until it is awaited.

    `kind` is ``Coroutine`` or ``Awaitable``; `result` is what awaiting gives, or None where it is to be
    computed from `function`, whose call made this value.
    """

    kind: str
    result: Value | None
    function: FunctionValue | None = None


class GeneratorValue(Value, frozen=True):
    is_async: bool
    item: Value


class ContextManagerValue(Value, frozen=True):
    """The result of calling a ``@contextmanager`` or ``@asynccontextmanager`` function."""

    is_async: bool
    item: Value


class TupleValue(Value, frozen=True):
    """A tuple of known length."""

    elements: tuple[Value, ...]


class SuperValue(Value, frozen=True):
    """``super()`` inside class `cls`, for `receiver`."""

    cls: ClassValue
    receiver: Value


class TypeVarValue(Value, frozen=True):
    """A type variable; `bound` is what its values are known to be instances of."""

    module: str
    name: str
    bound: Value | None = None


class SpecialForm(Value, frozen=True):
    """``typing.Optional`` and its kin."""

    name: str


class TypeForm(Value, frozen=True):
    """A type that is not a class, such as ``Optional[X]``; `instance` is what its instances are."""

    instance: Value


class UnionValue(Value, frozen=True):
    """One of several values, in order of appearance; never nested, never of one member."""

    members: tuple[Value, ...]


NONE = NoneValue()
NEVER = NeverValue()


def union(values: Sequence[Value]) -> Value:
    """The union of values: flat, without repetition; of nothing, unknown."""
    if len(values) == 1:
        return values[0]
    flat: dict[Value, None] = {}
    for value in values:
        if isinstance(value, UnionValue):
            flat.update(dict.fromkeys(value.members))
        else:
            flat[value] = None
    if len(flat) > 1:
        flat.pop(NEVER, None)
    if not flat:
        return Unknown("there is no value")
    if len(flat) == 1:
        return next(iter(flat))
    return UnionValue(tuple(flat))


def members(value: Value) -> tuple[Value, ...]:
    """The members of a union; of anything else, the value alone."""
    return value.members if isinstance(value, UnionValue) else (value,)


def without_none(value: Value) -> Value:
    """A union less None; None alone stays None."""
    if not isinstance(value, UnionValue):
        return value
    return union([member for member in value.members if not isinstance(member, NoneValue)])


#: parts of a type beyond which nobody asks
_LARGEST = 200
#: so many that they need not be counted
_FEW = 50
#: values that have no parts
_BARE = frozenset({Unknown, NoneValue, FunctionValue, ModuleValue, External})


def _is_bare(value: Value) -> bool:
    """Whether a value has no parts."""
    kind = type(value)
    return kind in _BARE or (kind is Instance and not value.cls.args)  # type: ignore[attr-defined]


def is_small(value: Value) -> bool:
    """Whether a type has few parts; looking stops where there are many."""
    if isinstance(value, Instance) and not value.cls.args:
        return True
    if isinstance(value, UnionValue) and len(value.members) < _FEW and all(map(_is_bare, value.members)):
        return True
    todo: list[Value] = [value]
    seen = 0
    while todo:
        seen += 1
        if seen > _LARGEST:
            return False
        part = todo.pop()
        if isinstance(part, Instance):
            todo.extend(part.cls.args)
        elif isinstance(part, ClassValue):
            todo.extend(part.args)
        elif isinstance(part, TupleValue):
            todo.extend(part.elements)
        elif isinstance(part, UnionValue):
            todo.extend(part.members)
        elif isinstance(part, (AwaitableValue, CallableValue)) and part.result is not None:
            todo.append(part.result)
            todo.extend(part.params if isinstance(part, CallableValue) else ())
        elif isinstance(part, (GeneratorValue, ContextManagerValue)):
            todo.append(part.item)
    return True


def function_of(value: Value) -> FunctionValue | None:
    """The function that a value is, or that it calls in the end; of overloads the first."""
    if isinstance(value, CallableValue):
        return value.origin
    if isinstance(value, OverloadedValue):
        return value.functions[0]
    return value if isinstance(value, FunctionValue) else None
