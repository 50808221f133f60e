"""Cancel scopes, timeouts and task groups of the async libraries, however code gets hold of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin
from awaitlint.index.reached import reached
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    ContextManagerValue,
    External,
    FunctionValue,
    Instance,
    OverloadedValue,
    Unknown,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awaitlint.index.modules import Module
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.values import Value


class Kind(enum.Enum):
    TIMEOUT = "timeout"
    #: cancelled by whoever holds it; a deadline is an option
    CANCEL = "cancel scope"
    #: a task group or nursery
    GROUP = "task group"


@dataclass(frozen=True, slots=True)
class CancelScope:
    """What opens a scope; `name` is the public one, such as ``anyio.move_on_after``."""

    name: str
    kind: Kind
    #: entered with ``async with``
    is_async: bool

    @property
    def library(self) -> str:
        return self.name.partition(".")[0]

    @property
    def noun(self) -> str:
        """What the library calls it."""
        return "nursery" if self.name == "trio.open_nursery" else self.kind.value


def _scopes(kind: Kind, names: str, *, is_async: bool) -> Iterable[tuple[str, CancelScope]]:
    """Scopes by each of their names: ``public=where.it.is.defined=...``."""
    for row in names.split():
        public, *others = row.split("=")
        scope = CancelScope(public, kind, is_async)
        yield public, scope
        for other in others:
            yield other, scope


#: by the names that they are reached and defined by, and those of the classes of what is made
_KNOWN = dict(
    (
        *_scopes(
            Kind.TIMEOUT,
            "asyncio.timeout=asyncio.timeouts.timeout=asyncio.timeouts.Timeout"
            " asyncio.timeout_at=asyncio.timeouts.timeout_at"
            " async_timeout.timeout=async_timeout.Timeout async_timeout.timeout_at",
            is_async=True,
        ),
        *_scopes(
            Kind.TIMEOUT,
            "anyio.fail_after=anyio._core._tasks.fail_after"
            " anyio.move_on_after=anyio._core._tasks.move_on_after"
            " anyio.fail_at=anyio._core._tasks.fail_at anyio.move_on_at=anyio._core._tasks.move_on_at"
            " trio.fail_after=trio._timeouts.fail_after trio.fail_at=trio._timeouts.fail_at"
            " trio.move_on_after=trio._timeouts.move_on_after trio.move_on_at=trio._timeouts.move_on_at",
            is_async=False,
        ),
        *_scopes(
            Kind.CANCEL,
            "anyio.CancelScope=anyio._core._tasks.CancelScope=anyio.abc.CancelScope"
            " trio.CancelScope=trio._core._run.CancelScope",
            is_async=False,
        ),
        *_scopes(
            Kind.GROUP,
            "asyncio.TaskGroup=asyncio.taskgroups.TaskGroup"
            " anyio.create_task_group=anyio._core._tasks.create_task_group"
            "=anyio.abc.TaskGroup=anyio.abc._tasks.TaskGroup"
            " trio.open_nursery=trio._core._run.open_nursery=trio._core._run.NurseryManager"
            " aiotools.TaskGroup=aiotools.taskgroup.base.TaskGroup"
            " asyncer.create_task_group=asyncer._main.create_task_group=asyncer._main.TaskGroup",
            is_async=True,
        ),
    )
)
#: the last names of what makes them
SCOPE_NAMES = frozenset(name.rpartition(".")[2] for name in _KNOWN)
#: stands in for a scope where there is none to be
_NULL = frozenset({"contextlib.nullcontext"})
#: helpers of the project that are followed, one behind the other
_DEEPEST = 3


class CancelScopes:
    """The scopes that a module's expressions stand for."""

    def __init__(self, module: Module, infer: Inference) -> None:
        self._module = module
        self._infer = infer
        self._known: dict[int, CancelScope | None] = {}

    def at(self, node: int) -> CancelScope | None:
        """What opened the scope that an expression gives; None where that is not known.

        Of several, by the path taken, the first; all of them are scopes then, or `contextlib.nullcontext`.
        """
        if node not in self._known:
            self._known[node] = None  # what a loop makes of itself
            self._known[node] = self._at(self._module, node, 0)
        return self._known[node]

    def _at(self, module: Module, node: int, depth: int) -> CancelScope | None:
        nodes = module.facts.nodes
        if isinstance(nodes[node], f.Call):
            return self._made(module, node, depth)
        found: CancelScope | None = None
        seen, todo = {node}, [node]
        while todo:
            index = todo.pop()
            fact = nodes[index]
            parts: tuple[int, ...] = ()
            if isinstance(fact, f.Phi):
                parts = fact.options
            elif isinstance(fact, (f.Narrow, f.Declared)) and fact.value >= 0:
                parts = (fact.value,)
            else:
                made = self._made(module, index, depth)
                if made is None and not self._is_null(module, index):
                    return None
                found = made or found
            for part in reversed(parts):
                if part not in seen:
                    seen.add(part)
                    todo.append(part)
        return found

    def _is_null(self, module: Module, node: int) -> bool:
        fact = module.facts.nodes[node]
        func = self._infer.value(module, fact.func) if isinstance(fact, f.Call) else None
        return isinstance(func, ClassValue) and func.qualname in _NULL

    def _made(self, module: Module, node: int, depth: int) -> CancelScope | None:
        """What made a value that is no local variable."""
        fact = module.facts.nodes[node]
        if not isinstance(fact, f.Call):
            # a helper that returns what it has been given, or has had for long, opens nothing
            may_be = not depth and isinstance(fact, (f.Attr, f.Name, f.Free, f.Param, f.Enter))
            return self._of_value(self._infer.value(module, node)) if may_be else None
        known = _KNOWN.get(reached(self._infer.project, module, fact.func))
        if known is not None:
            return known
        func = self._infer.value(module, fact.func)
        return self._of_value(func) or self._of_helper(func, depth)

    def _of_value(self, value: Value) -> CancelScope | None:
        """The scope that a function or class makes, or that an instance is."""
        found: CancelScope | None = None
        for member in members(value):
            if isinstance(member, Unknown):
                # trio's classes are bound once more where the type checkers do not look
                continue
            scope = self._of_one(member)
            if scope is None or (found is not None and scope.is_async != found.is_async):
                return None
            found = found or scope
        return found

    def _of_one(self, value: Value) -> CancelScope | None:
        if isinstance(value, External):
            return _KNOWN.get(value.path.replace("()", ""))
        if isinstance(value, CallableValue) and value.origin is not None:
            value = value.origin
        if isinstance(value, OverloadedValue):
            value = value.functions[0]
        if isinstance(value, FunctionValue):
            return _KNOWN.get(value.qualname)
        cls = value.cls if isinstance(value, Instance) else value
        if not isinstance(cls, ClassValue):
            return None
        for base in self._infer.mro(cls):
            if base is not None and base.qualname in _KNOWN:
                return _KNOWN[base.qualname]
        return None

    def _of_helper(self, func: Value, depth: int) -> CancelScope | None:
        """The scope that a plain function of the project returns, whatever way it takes."""
        if (
            depth >= _DEEPEST
            or not isinstance(func, FunctionValue)
            or func.module.origin is not Origin.PROJECT
        ):
            return None
        fact = func.fact
        if fact.is_async or fact.is_generator or fact.decorators or fact.falls_through or not fact.returned:
            return None
        found = [self._at(func.module, node, depth + 1) for node in fact.returned]
        return found[0] if None not in found else None

    def refuses(self, node: int, *, is_async: bool) -> bool:
        """Whether ``async with`` (or ``with``, as `is_async` says) certainly cannot enter a scope."""
        scope = self.at(node)
        if scope is None or scope.is_async == is_async:
            return False
        method = "__aenter__" if is_async else "__enter__"
        told = [each for each in members(self._infer.value(self._module, node)) if not is_untold(each)]
        if not told:
            # old releases of async_timeout were entered either way
            return scope.library != "async_timeout"
        return all(self._lacks(member, method) for member in told)

    def _lacks(self, value: Value, method: str) -> bool:
        if isinstance(value, ContextManagerValue):
            return method == ("__enter__" if value.is_async else "__aenter__")
        if not isinstance(value, Instance):
            return False
        found = self._infer.attribute(value, method)
        return isinstance(found, Unknown) and found.absent


def is_untold(value: Value) -> bool:
    """Whether inference has no more than the name of something."""
    return isinstance(value, (Unknown, External))
