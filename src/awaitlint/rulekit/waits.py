"""The tasks that ``asyncio.wait`` is given: which of them a function has started, and what it does then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.infer.bodies import last_name
from awaitlint.rulekit.tasks import bound_names, is_cared_for, starter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.rulekit.context import ModuleContext

_TASKS = frozenset({"create_task", "ensure_future"})
#: what is told of a task while it may still be running, or of one that is done
_PEEKS = frozenset(
    {"cancelled", "cancelling", "done", "exception", "get_coro", "get_name", "remove_done_callback", "result"}
    | {"set_name"}
)
#: methods of containers that put a task into them, and functions that do nothing to what is in them
_FILLING = frozenset({"add", "append", "appendleft"})
_HARMLESS = frozenset({"bool", "len", "print"})
_COPIES = frozenset({"list", "set", "tuple", "frozenset", "iter"})


class _Task(NamedTuple):
    """A task that the function starts: whether it ends unseen, and whether nothing else can refer to it."""

    is_alone: bool
    is_nameless: bool


def left_alone(module: ModuleContext, site: f.Site) -> bool:
    """Whether tasks that a call of ``asyncio.wait`` is given were started here, and nobody else has them.

    That is: the function has started some of them, and neither awaits, cancels nor keeps one of these; or
    has started some for the list only, without a name.
    """
    call = module.facts.nodes[site.node]
    assert isinstance(call, f.Call)
    given = call.args[0] if call.args else dict(call.keywords).get("fs", -1)
    found = list(_tasks(module, given, site.node)) if given >= 0 else []
    if not found or not (any(task.is_nameless for task in found) or all(task.is_alone for task in found)):
        return False
    return not _ends_loop(module, site)


def _tasks(module: ModuleContext, container: int, user: int) -> Iterator[_Task]:
    """The tasks in a container that are started here, where nothing but `user` has to do with that."""
    nodes = module.facts.nodes
    fact = nodes[container]
    if isinstance(fact, f.Call):
        if last_name(nodes[fact.func]) in _COPIES and len(fact.args) == 1:
            yield from _tasks(module, fact.args[0], container)
        return
    if isinstance(fact, (f.Declared, f.Narrow)) and fact.value >= 0:
        yield from _tasks(module, fact.value, user)
        return
    if not isinstance(fact, (f.Display, f.Comp)):
        return
    added = filling(module, container, user)
    if added is None:
        yield _Task(is_alone=False, is_nameless=False)
        return
    if isinstance(fact, f.Comp):
        if starter(module, fact.element) in _TASKS:
            yield _Task(is_alone=True, is_nameless=True)
        return
    for element in fact.elements:
        inner = nodes[element]
        if isinstance(inner, f.Starred):
            yield from _tasks(module, inner.value, element)
        else:
            yield from _started(module, element, container)
    for use in added:
        call = nodes[use]
        if isinstance(call, f.Call) and len(call.args) == 1:
            yield from _started(module, call.args[0], use)


def _started(module: ModuleContext, node: int, user: int) -> Iterator[_Task]:
    for call in module.flow.origins(node):
        if starter(module, call) in _TASKS:
            alone = not is_cared_for(module, call, peeks=_PEEKS, less=user)
            yield _Task(alone, is_nameless=alone and not bound_names(module, call))


def _ends_loop(module: ModuleContext, site: f.Site) -> bool:
    """Whether the function is given to ``asyncio.run`` and ends after a wait: that cancels what is left."""
    facts = module.facts
    after = (site.end_line, site.end_column)
    if any(
        other.scope == site.scope and _suspends(other) and (other.line, other.column) > after
        for other in facts.sites
    ):
        return False
    for other in facts.sites:
        if other.use is not f.Use.ARGUMENT or not isinstance(facts.nodes[other.node], f.Call):
            continue
        user = facts.nodes[other.other]
        if isinstance(user, f.Call) and last_name(facts.nodes[user.func]).rpartition("_")[2] == "run":
            called = module.called(other)
            if called is not None and called.module is module.module and called.scope == site.scope:
                return True
    return False


def _suspends(site: f.Site) -> bool:
    return site.use in (f.Use.AWAITED, f.Use.ASYNC_ITERATED, f.Use.ASYNC_WITH)


def filling(module: ModuleContext, container: int, user: int) -> list[int] | None:
    """The calls that put something into a container; None where more is done to it than to give it away."""
    nodes, users = module.facts.nodes, module.infer.users(module.module)
    todo, seen, found = [container], {container}, list[int]()
    while todo:
        for use in users.get(todo.pop(), ()):
            fact = nodes[use]
            if use == user or use in seen:
                continue
            seen.add(use)
            if isinstance(fact, (f.Phi, f.Declared, f.Narrow)):
                todo.append(use)
            elif isinstance(fact, f.Attr) and fact.name in _FILLING:
                found += [call for call in users.get(use, ()) if isinstance(nodes[call], f.Call)]
            elif not (isinstance(fact, f.Call) and last_name(nodes[fact.func]) in _HARMLESS):
                return None
    if _is_closed_over(module, seen):
        return None
    return found


def _is_closed_over(module: ModuleContext, bound: set[int]) -> bool:
    facts = module.facts
    return any(
        isinstance(node, f.Free)
        and not bound.isdisjoint(facts.scopes[node.scope].bindings.get(node.name, ()))
        for node in facts.nodes
    )
