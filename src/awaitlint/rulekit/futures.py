"""Functions of asyncio that give a future which wants to be awaited, though it works by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.values import AwaitableValue, FunctionValue, Instance, OverloadedValue, members

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
