"""Functions as values: which one a call calls, and whether calling a value gives a coroutine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.values import (
    CallableValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    Unknown,
    members,
)
from awaitlint.rulekit.views import reached

if TYPE_CHECKING:
    from awaitlint.infer.values import AwaitableValue, Value
    from awaitlint.rulekit.context import ModuleContext

_NO_ARGUMENTS = Arguments()
#: what starts a function of trio or anyio, which it calls itself; its first argument is the function
STARTERS = frozenset(
    {f"anyio.abc._tasks.TaskGroup.{name}" for name in ("start", "start_soon")}
    | {f"anyio.from_thread.BlockingPortal.{name}" for name in ("call", "start_task", "start_task_soon")}
    | {"anyio._core._eventloop.run", "anyio.from_thread.run"}
    | {f"trio._core._run.Nursery.{name}" for name in ("start", "start_soon")}
    | {"trio._core._run.run", "trio._core._run.start_guest_run"}
    | {"trio._core._generated_run.spawn_system_task", "trio._threads.from_thread_run"}
)
#: the names by which code calls them
STARTER_NAMES = frozenset(
    {"call", "run", "spawn_system_task", "start", "start_guest_run", "start_soon", "start_task"}
    | {"start_task_soon"}
)


def qualname(func: Value) -> str:
    """The qualified name of a function or class, or how it was reached; "" where it may be several.

    What is known of it on one path counts where nothing is on others: decorators of stubs are not followed.
    """
    names = set()
    for member in members(func):
        first = member.functions[0] if isinstance(member, OverloadedValue) else member
        if not isinstance(first, Unknown):
            names.add(reached(first) if not isinstance(first, Instance) else "")
    return names.pop() if len(names) == 1 else ""


def is_starter(module: ModuleContext, call: f.Call) -> bool:
    """Whether a call is one of a function in `STARTERS`."""
    func = module.facts.nodes[call.func]
    if isinstance(func, (f.Attr, f.Name)) and func.name not in STARTER_NAMES:
        return False
    return qualname(module.infer.value(module.module, call.func)) in STARTERS


def coroutine_of(module: ModuleContext, value: Value) -> AwaitableValue | None:
    """The coroutine that calling a value certainly gives; None for what is no function, or a class."""
    first: AwaitableValue | None = None
    for member in members(value):
        made = module.infer.coroutine(_result(module, member))
        if made is None:
            return None
        first = first or made
    return first


def _result(module: ModuleContext, value: Value) -> Value:
    functions = value.functions if isinstance(value, OverloadedValue) else (value,)
    if not all(isinstance(function, (FunctionValue, CallableValue)) for function in functions):
        return Unknown("it is no function")
    if not module.infer.may_make_coroutine(value):
        return Unknown("it gives no coroutine")
    return module.infer.call(value, _NO_ARGUMENTS)


def is_async_generator(value: Value) -> bool:
    """Whether a value is certainly an ``async def`` with a ``yield``."""
    return all(
        isinstance(member, FunctionValue) and member.fact.is_async and member.fact.is_generator
        for member in members(value)
    )


def needs_no_arguments(value: Value) -> bool:
    """Whether a function can be called without arguments, as far as its parameters say."""
    if not isinstance(value, FunctionValue) or value.fact.kind is not f.ScopeKind.FUNCTION:
        return False
    params = value.fact.params
    bound = value.receiver is not None and bool(params) and params[0].kind in ("posonly", "normal")
    return all(param.kind in ("vararg", "kwarg") or param.default >= 0 for param in params[int(bound) :])
