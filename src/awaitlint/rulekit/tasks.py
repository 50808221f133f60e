"""Calls that start a task on an asyncio loop, and who is given a function to call on one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.handoffs import Role, given, handoffs
from awaitlint.index.marks import MarkKind
from awaitlint.index.reached import reached
from awaitlint.infer import callgraph
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import (
    External,
    FunctionValue,
    OverloadedValue,
    Unknown,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.handoffs import HandOff
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

#: what starts a task, by qualified name
_STARTERS = {
    "asyncio.tasks.create_task": "create_task",
    "asyncio.tasks.ensure_future": "ensure_future",
    "asyncio.tasks.run_coroutine_threadsafe": "run_coroutine_threadsafe",
    "asyncio.events.AbstractEventLoop.create_task": "create_task",
    "asyncio.base_events.BaseEventLoop.create_task": "create_task",
}
STARTERS = frozenset(_STARTERS.values())
#: names of attributes, variables and parameters that hold an asyncio loop, less underscores in front
_LOOPS = frozenset(
    {"loop", "aio_loop", "async_loop", "asyncio_loop", "event_loop", "main_loop", "running_loop"}
)
#: functions that give one
_LOOP_GETTERS = frozenset({"get_event_loop", "get_loop", "get_running_loop", "new_event_loop"})
#: methods of a loop that call a function later, in its own thread, and drop the result
_SCHEDULING = frozenset(
    {"add_reader", "add_signal_handler", "add_writer", "call_at", "call_later", "call_soon"}
    | {"call_soon_threadsafe"}
)
#: steps through names from a load to what is bound there
_MOST_STEPS = 20
_BROAD = frozenset({"Exception", "BaseException"})


def functions_of(value: Value, *, unknown: bool = False) -> Iterator[str]:
    """The qualified names of the functions that a value may be; an empty one for what is no function.

    With `unknown`, nothing for what is not known.
    """
    for member in members(value):
        function = member.functions[0] if isinstance(member, OverloadedValue) else member
        if isinstance(function, FunctionValue):
            yield function.qualname
        elif not (unknown and is_unknown(member)):
            yield ""


def starter_named(module: ModuleContext, func: int) -> str | None:
    """The last name of the function that a node stands for, where it starts a task."""
    node = module.facts.nodes[func]
    if isinstance(node, f.Attr) and node.name not in STARTERS:
        return None
    value = module.infer.value(module.module, func)
    if isinstance(node, f.Attr) and node.name == "create_task" and is_unknown(value):
        return "create_task" if is_loop_named(module, node.value) else None
    # of `loop or asyncio.get_running_loop()` one half is known
    known = {_STARTERS.get(name) for name in functions_of(value, unknown=isinstance(node, f.Attr))}
    return min(filter(None, known)) if known and None not in known else None


def starter(module: ModuleContext, node: int) -> str | None:
    """The last name of the function by which a call starts a task: ``create_task``."""
    call = module.facts.nodes[node]
    return starter_named(module, call.func) if isinstance(call, f.Call) else None


def is_unknown(value: Value) -> bool:
    """Whether nothing is known of an attribute, not even that it is not there."""
    return isinstance(value, External) or (isinstance(value, Unknown) and not value.absent)


def is_loop_named(module: ModuleContext, node: int) -> bool:
    """Whether the name of an expression says that it is an asyncio loop: ``self._loop``, ``get_loop()``."""
    nodes = module.facts.nodes
    for _ in range(_MOST_STEPS):
        fact = nodes[node]
        if isinstance(fact, (f.Attr, f.Name, f.Free)):
            return fact.name.lstrip("_") in _LOOPS
        if isinstance(fact, f.Param):
            return module.facts.scopes[fact.scope].params[fact.index].name.lstrip("_") in _LOOPS
        if isinstance(fact, f.Call):
            if last_name(nodes[fact.func]) in _LOOP_GETTERS:
                return True
            return any(name.lstrip("_") in _LOOPS for name in bound_names(module, node))
        if isinstance(fact, (f.Narrow, f.Declared)) and fact.value >= 0:
            node = fact.value
        elif isinstance(fact, f.Phi):
            return all(is_loop_named(module, each) for each in fact.options if each != node)
        else:
            return False
    return False


def bound_names(module: ModuleContext, node: int) -> list[str]:
    """The local names that a node is bound to, also where their type is declared."""
    nodes = module.facts.nodes
    same = {node}
    for user in module.infer.users(module.module).get(node, ()):
        if isinstance(nodes[user], f.Declared):
            same.add(user)
    return [
        name
        for scope in module.facts.scopes
        for name, bound in scope.bindings.items()
        if not same.isdisjoint(bound)
    ]


# ------------------------------------------------------------------------------ hand-offs
def hand_off(module: ModuleContext, node: int) -> HandOff | None:
    """What is known of the function that a call calls, where it is one that takes others."""
    call = module.facts.nodes[node]
    if not isinstance(call, f.Call):
        return None
    value = module.infer.value(module.module, call.func)
    if isinstance(value, External):
        path = reached(module.infer.project, module.module, call.func)
        return handoffs().spelled(path) if path else None
    if isinstance(value, OverloadedValue):
        value = value.functions[0]
    return callgraph.hand_off(module.infer, value)


def scheduled(module: ModuleContext, node: int) -> list[int]:
    """The functions that a call has the loop call later, which drops what they return."""
    call = module.facts.nodes[node]
    func = module.facts.nodes[call.func] if isinstance(call, f.Call) else None
    if not isinstance(call, f.Call) or not isinstance(func, f.Attr):
        return []
    known = hand_off(module, node)
    if known is not None:
        return list(given(call, known.slots, module.facts.nodes)) if known.role is Role.SCHEDULE else []
    if not is_unknown(module.infer.value(module.module, call.func)):
        return []
    if func.name in _SCHEDULING and is_loop_named(module, func.value):
        return list(call.args[:2])
    # whatever future this is, it drops what the function returns
    return list(call.args[:1]) if func.name == "add_done_callback" else []


def handles_errors(function: FunctionValue) -> bool:
    """Whether an async function awaits in a ``try`` that catches every exception."""
    facts = function.module.facts
    return any(
        mark.kind is MarkKind.HANDLER and mark.scope == function.scope and _is_broad(facts, mark.node)
        for mark in facts.marks
    )


def _is_broad(facts: f.ModuleFacts, node: int) -> bool:
    if node < 0:
        return True
    caught = facts.nodes[node]
    if isinstance(caught, f.Display):
        return any(_is_broad(facts, element) for element in caught.elements)
    return last_name(caught) in _BROAD


# ------------------------------------------------------------------------------ what becomes of tasks
#: uses of a task that neither wait for it nor hand it to somebody who may
_GLANCES = frozenset(
    {f.Use.BOUND, f.Use.NEVER_READ, f.Use.TESTED, f.Use.COMPARED, f.Use.FORMATTED, f.Use.DISCARDED}
)
#: attributes of a task that do not
_PEEKS = frozenset(
    {"cancel", "cancelled", "cancelling", "done", "get_coro", "get_name", "remove_done_callback", "set_name"}
    | {"uncancel"}
)


def is_cared_for(module: ModuleContext, call: int, *, peeks: frozenset[str] = _PEEKS, less: int = -1) -> bool:
    """Whether a function waits for a task that a call in it starts, looks at its end, or gives it away.

    `peeks` are the attributes that do not count, and `less` is a node whose use of the task does not, such
    as a call of ``asyncio.wait`` or the list that this is given.
    """
    facts, flow = module.facts, module.flow
    for site in facts.sites:
        if site.use in _GLANCES or call not in flow.origins(site.node):
            continue
        if site.use is f.Use.ATTRIBUTE:
            taken = facts.nodes[site.other]
            if isinstance(taken, f.Attr) and taken.name in peeks:
                continue
        if less < 0 or site.other != less:
            return True
    # a function inside may do anything
    return any(
        isinstance(node, f.Free)
        and any(call in flow.origins(bound) for bound in facts.scopes[node.scope].bindings.get(node.name, ()))
        for node in facts.nodes
    )
