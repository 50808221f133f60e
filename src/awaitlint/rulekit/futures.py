"""Functions of asyncio that give a future which wants to be awaited, though it works by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.values import (
    AwaitableValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    UnionValue,
    Unknown,
    members,
)

if TYPE_CHECKING:
    from awaitlint.index.facts import Site
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

#: by qualified name; ``wait`` gives a coroutine and is here for its argument
_MAKERS = {
    "asyncio.tasks.gather": "gather",
    "asyncio.tasks.shield": "shield",
    "asyncio.tasks.wait": "wait",
    "asyncio.events.AbstractEventLoop.run_in_executor": "run_in_executor",
    "asyncio.base_events.BaseEventLoop.run_in_executor": "run_in_executor",
}
#: the last names of those that give a future
FUTURES = frozenset({"gather", "shield", "run_in_executor"})
#: nodes that may stand for what a call gives
_MADE = frozenset({f.Call, f.Phi, f.Narrow, f.Declared})
#: uses for which no future is fit
_MISUSES = frozenset(
    {f.Use.ATTRIBUTE, f.Use.CALLED, f.Use.ITERATED, f.Use.OPERAND, f.Use.SUBSCRIPTED, f.Use.UNPACKED}
)
#: what futures and tasks have (https://docs.python.org/3/library/asyncio-future.html)
OF_FUTURES = frozenset(
    {"add_done_callback", "cancel", "cancelled", "cancelling", "done", "exception", "get_context", "get_coro"}
    | {"get_loop", "get_name", "get_stack", "print_stack", "remove_done_callback", "result", "running"}
    | {"set_exception", "set_name", "set_result", "uncancel"}
)


def future_maker(module: ModuleContext, node: int) -> str | None:
    """The last name of the function that a call calls, where it is one of these."""
    call = module.facts.nodes[node]
    if not isinstance(call, f.Call):
        return None
    return _MAKERS.get(_qualname(module.infer.value(module.module, call.func)))


def _qualname(func: Value) -> str:
    """The qualified name of a function, of which there may be several with the same."""
    names = set()
    for member in members(func):
        function = member.functions[0] if isinstance(member, OverloadedValue) else member
        names.add(function.qualname if isinstance(function, FunctionValue) else "")
    return names.pop() if len(names) == 1 else ""


def future(module: ModuleContext, site: Site, makers: frozenset[str] = FUTURES) -> AwaitableValue | None:
    """The future that a site's expression certainly is, where one of the functions made it, else None."""
    nodes = module.facts.nodes
    calls = (site.node,) if isinstance(nodes[site.node], f.Call) else module.flow.origins(site.node)
    for node in calls:
        call = nodes[node]
        named = isinstance(call, f.Call) and getattr(nodes[call.func], "name", "") in makers
        if named and future_maker(module, node) in makers:
            break
    else:
        return None
    value = module.value(site)
    made = [
        member
        for member in members(value)
        if isinstance(member, Instance) and module.infer.has_base(member.cls, "_asyncio.Future")
    ]
    if not made:
        return None
    partial = len(made) < len(members(value))
    if partial and (not module.scope_of(site).is_async or module.flow.is_handled(node)):
        # on some path only: async code that does not look has no use for it
        return None
    return AwaitableValue("Future", module.infer.awaited(made[0]))


def misused_future(module: ModuleContext, site: Site) -> AwaitableValue | None:
    """The future that any function gave, where its result must be meant: nothing else can be used so."""
    if site.use not in _MISUSES:
        return None
    facts, infer = module.facts, module.infer
    nodes = facts.nodes
    if type(nodes[site.node]) not in _MADE or not facts.scopes[site.scope].is_async:
        return None
    taken = nodes[site.other] if site.use is f.Use.ATTRIBUTE and site.other >= 0 else None
    if site.use is f.Use.ATTRIBUTE and (not isinstance(taken, f.Attr) or taken.name in OF_FUTURES):
        return None
    calls = (site.node,) if isinstance(nodes[site.node], f.Call) else module.flow.origins(site.node)
    if not calls or not all(_gives_future(module, call) for call in calls):
        return None
    value = module.value(site)
    for member in members(value):
        if not isinstance(member, Instance) or not member.cls.module.is_stdlib:
            # a class of its own may have what it is asked for
            return None
        if not infer.has_base(member.cls, "_asyncio.Future"):
            return None
    result = infer.awaited(value)
    if isinstance(taken, f.Attr) and not has_attribute(module, result, taken.name):
        return None
    return AwaitableValue("Future", result)


def has_attribute(module: ModuleContext, value: Value, name: str) -> bool:
    """Whether what is known of a value has an attribute."""
    return all(
        isinstance(member, Instance) and not isinstance(module.infer.attribute(member, name), Unknown)
        for member in members(value)
    )


def _gives_future(module: ModuleContext, node: int) -> bool:
    """Whether the functions that a call calls are declared to return a future; cheaper than its value."""
    call, infer = module.facts.nodes[node], module.infer
    if not isinstance(call, f.Call):
        return False
    func = infer.value(module.module, call.func)
    if isinstance(func, FunctionValue):
        return infer.gives_future(func)
    return isinstance(func, (OverloadedValue, UnionValue)) and all(
        isinstance(function, FunctionValue) and infer.gives_future(function)
        for member in members(func)
        for function in (member.functions if isinstance(member, OverloadedValue) else (member,))
    )
