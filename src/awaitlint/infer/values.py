"""What an expression can evaluate to, as far as inference tells it apart.

*Unknown* is an honest answer: whatever asks must then stay silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.index.facts import Scope
    from awaitlint.index.project import Module


class Value:
    """Base of the values; all are immutable and comparable."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Unknown(Value):
    """Not known, and why; all unknowns are equal."""

    reason: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class NoneValue(Value):
    """None."""


@dataclass(frozen=True, slots=True)
class ModuleValue(Value):
    module: Module


@dataclass(frozen=True, slots=True)
class External(Value):
    """Something of a package whose code is not at hand.

    `path` is how it was reached: ``fastapi.FastAPI`` the class (or function), ``fastapi.FastAPI()`` the
    result of calling it, ``fastapi.FastAPI().get`` an attribute of that.
    """

    path: str


#: values of parameters that are known in a particular call: ((module, scope, index), value)
Context = tuple[tuple["tuple[Module, int, int]", Value], ...]


@dataclass(frozen=True, slots=True)
class ClassValue(Value):
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


@dataclass(frozen=True, slots=True)
class Instance(Value):
    """An instance of a class (or of an unknown subclass of it)."""

    cls: ClassValue


@dataclass(frozen=True, slots=True)
class FunctionValue(Value):
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


@dataclass(frozen=True, slots=True)
class OverloadedValue(Value):
    """A function with ``@overload`` declarations."""

    functions: tuple[FunctionValue, ...]


@dataclass(frozen=True, slots=True)
class CallableValue(Value):
    """Something that can be called, with a known result: ``Callable[..., T]``, a partial.

    `origin` is the function that is called in the end, where it is known.
    """

    result: Value
    origin: FunctionValue | None = None


@dataclass(frozen=True, slots=True)
class PropertyValue(Value):
    getter: Value


@dataclass(frozen=True, slots=True)
class StaticMethodValue(Value):
    function: Value


@dataclass(frozen=True, slots=True)
class ClassMethodValue(Value):
    function: Value


@dataclass(frozen=True, slots=True)
class AwaitableValue(Value):
    """A coroutine or another awaitable that does nothing until it is awaited.

    `kind` is ``Coroutine`` or ``Awaitable``; `result` is what awaiting gives, or None where it is to be
    computed from `function`, whose call made this value.
    """

    kind: str
    result: Value | None
    function: FunctionValue | None = None


@dataclass(frozen=True, slots=True)
class GeneratorValue(Value):
    is_async: bool
    item: Value


@dataclass(frozen=True, slots=True)
class ContextManagerValue(Value):
    """The result of calling a ``@contextmanager`` or ``@asynccontextmanager`` function."""

    is_async: bool
    item: Value


@dataclass(frozen=True, slots=True)
class TupleValue(Value):
    """A tuple of known length."""

    elements: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class SuperValue(Value):
    """``super()`` inside class `cls`, for `receiver`."""

    cls: ClassValue
    receiver: Value


@dataclass(frozen=True, slots=True)
class TypeVarValue(Value):
    """A type variable; `bound` is what its values are known to be instances of."""

    module: str
    name: str
    bound: Value | None = None


@dataclass(frozen=True, slots=True)
class SpecialForm(Value):
    """``typing.Optional`` and its kin."""

    name: str


@dataclass(frozen=True, slots=True)
class TypeForm(Value):
    """A type that is not a class, such as ``Optional[X]``; `instance` is what its instances are."""

    instance: Value


@dataclass(frozen=True, slots=True)
class UnionValue(Value):
    """One of several values, in order of appearance; never nested, never of one member."""

    members: tuple[Value, ...]


UNKNOWN = Unknown()
NONE = NoneValue()


def union(values: Sequence[Value]) -> Value:
    """The union of values: flat, without repetition; of nothing, unknown."""
    flat: dict[Value, None] = {}
    for value in values:
        if isinstance(value, UnionValue):
            flat.update(dict.fromkeys(value.members))
        else:
            flat[value] = None
    if not flat:
        return UNKNOWN
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
