"""Methods and what they override: whether each is asynchronous, as far as that is certain."""

from __future__ import annotations

import enum
import functools
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.lower.narrowing import PROBES
from awaitlint.infer.bodies import last_name
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.values import (
    AwaitableValue,
    ClassValue,
    FunctionValue,
    GeneratorValue,
    Instance,
    NoneValue,
    TupleValue,
    members,
)
from awaitlint.rulekit.definitions import Definitions, function

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext


class Kind(enum.Enum):
    """What calling a method gives."""

    PLAIN = "plain"
    #: a coroutine
    ASYNC = "async"
    #: an async generator
    STREAM = "stream"


class Overridden(NamedTuple):
    """A method of a class and the one of a base that it takes the place of."""

    kind: Kind
    base: FunctionValue
    base_kind: Kind
    owner: ClassValue


class Overrides:
    """What the methods of one module override."""

    def __init__(self, module: ModuleContext) -> None:
        self._infer = module.infer
        self._module = module
        self.definitions = Definitions(module)
        self._kinds: dict[FunctionValue, Kind | None] = {}

    def of(self, scope: int) -> Overridden | None:
        """What a method overrides, where it is certain what both are."""
        fact = self._module.facts.scopes[scope]
        cls = self.definitions.owner(scope)
        if cls is None or fact.kind is not f.ScopeKind.FUNCTION or not cls.fact.bases:
            return None
        found = self.base(cls, fact.name)
        if found is None or not self.definitions.is_plain(scope):
            return None
        base, owner = found
        base_kind = self.kind(base)
        kind = None if base_kind is None else self.kind(FunctionValue(cls.module, scope, Instance(cls)))
        if base_kind is None or kind is None:
            return None
        return Overridden(kind, base, base_kind, owner)

    def is_known(self, cls: ClassValue, found: Overridden) -> bool:
        """Whether the code knows of the difference: by the names of the classes or modules, or it looks."""
        owner = found.owner
        if found.kind is Kind.PLAIN:
            mine, base = _flavour(cls.fact.qualname), _flavour(owner.fact.qualname)
            known = mine is not base and (mine is Kind.PLAIN or base is Kind.ASYNC)
        else:
            known = _flavour(cls.qualname) is Kind.ASYNC and _flavour(owner.qualname) is not Kind.ASYNC
        if known:
            return True
        name = found.base.fact.name
        modules = (found.base.module, self._module.module)
        return any(name in _probed(module) for module in modules if module.path is not None)

    def base(self, cls: ClassValue, name: str) -> tuple[FunctionValue, ClassValue] | None:
        """The method that a class would inherit, and its class; None where that is not known."""
        for entry in self._infer.mro(cls)[1:]:
            if entry is None or name in entry.fact.attributes:
                return None
            bound = entry.fact.bindings.get(name)
            if bound is None:
                continue
            found = self._infer.bound_functions(entry.module, bound)
            if found is None or (len(bound) > 1 and isinstance(found, FunctionValue)):
                return None
            made = function(found)
            if made is None or made.fact.parent != entry.scope or made.module is not entry.module:
                return None
            return FunctionValue(made.module, made.scope, Instance(cls)), entry
        return None

    def kind(self, method: FunctionValue) -> Kind | None:
        """What calling a method certainly gives; None where that is not known, or where it only raises."""
        if method not in self._kinds:
            self._kinds[method] = self._kind(method)
        return self._kinds[method]

    def _kind(self, method: FunctionValue) -> Kind | None:
        fact = method.fact
        if fact.is_async and fact.is_generator:
            return Kind.STREAM
        if not fact.is_async and fact.returns < 0 and self._says_nothing(method):
            return None
        made = members(self._infer.call(method, Arguments()))
        if fact.is_async:
            # an abstract one may stand for a generator
            return Kind.ASYNC if all(isinstance(each, AwaitableValue) for each in made) else None
        if not self._infer.is_hook(method) and self._infer.body_may_be_awaitable(method):
            return None
        return Kind.PLAIN if all(map(self._is_plain, made)) else None

    def _says_nothing(self, method: FunctionValue) -> bool:
        """Whether a body tells nothing of what is returned: there is none, or it only raises."""
        fact = method.fact
        if method.module.path is None or method.module.is_stub:
            return True
        return not (fact.falls_through or fact.returned or fact.is_generator)

    def _is_plain(self, value: Value) -> bool:
        """Whether a value certainly is nothing to await, and nothing to go through with ``async for``."""
        if isinstance(value, GeneratorValue):
            return not value.is_async
        if isinstance(value, (NoneValue, TupleValue)):
            return True
        if self._infer.is_awaitable(value) is not False:
            return False
        return not isinstance(value, Instance) or all(
            entry is not None and "__aiter__" not in entry.fact.bindings
            for entry in self._infer.mro(value.cls)
        )


def _flavour(qualname: str) -> Kind | None:
    """Which form a class says that it is, by its name or that of its module: ``AsyncClient``, ``SyncClient``.

    The last of the names that say anything counts.
    """
    for name in reversed(qualname.lower().split(".")):
        if "async" in name or name.startswith("aio"):
            return Kind.ASYNC
        if "sync" in name:
            return Kind.PLAIN
    return None


@functools.lru_cache(maxsize=64)
def _probed(module: Module) -> frozenset[str]:
    """The names of functions of which a module looks whether a call has given an awaitable."""
    nodes = module.facts.nodes
    found = set()
    for node in nodes:
        if isinstance(node, f.Call) and node.args and last_name(nodes[node.func]) in PROBES:
            asked = node.args[0]
        elif isinstance(node, f.Narrow) and node.test in ("awaitable", "async function"):
            asked = node.value
        else:
            continue
        todo, seen = [asked], set()
        while todo:
            index = todo.pop()
            fact = nodes[index]
            if index in seen:
                continue
            seen.add(index)
            if isinstance(fact, f.Phi):
                todo += fact.options
            elif isinstance(fact, (f.Narrow, f.Declared)) and fact.value >= 0:
                todo.append(fact.value)
            elif isinstance(fact, f.Call):
                found.add(last_name(nodes[fact.func]))
            elif isinstance(fact, f.Attr):
                found.add(fact.name)
    return frozenset(found)
