"""The coroutines that ``gather`` is given, and whether somebody means to hear of their exceptions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import AwaitableValue, FunctionValue
from awaitlint.rulekit.tasks import STARTERS, handles_errors, is_cared_for, starter
from awaitlint.rulekit.waits import filling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.rulekit.context import ModuleContext

#: words in the names of functions that put an end to something, or tell many who may be gone already:
#: one that fails is no reason to leave the others, and there is nothing to be done about it
_FAREWELLS = frozenset(
    {"abort", "aclose", "aexit", "broadcast", "cancel", "clean", "cleanup"}
    | {"clear", "close", "delete", "detach", "disconnect", "dispose", "drain"}
    | {"emit", "end", "exit", "expire", "finalize", "finish", "flush"}
    | {"hangup", "join", "kill", "leave", "notify", "ping", "publish"}
    | {"purge", "quit", "release", "remove", "reset", "send", "shutdown"}
    | {"stop", "teardown", "terminate", "unload", "unregister", "unsubscribe", "wait"}
)
_WORDS = re.compile(r"[a-z]+|[A-Z][a-z]*")
#: how far calls are followed to see whether they catch what goes wrong
_DEPTH = 3
_MAP = f.Name("map")
#: stands for something of which nothing is known
_UNKNOWN = -1


def is_farewell(name: str) -> bool:
    """Whether the name of a function says that it cleans up, or sends something to whoever is there."""
    return any(word.lower() in _FAREWELLS for word in _WORDS.findall(name))


def works(module: ModuleContext, node: int) -> list[FunctionValue]:
    """The functions whose exceptions are lost where nobody looks at what a call of ``gather`` gives.

    Empty where that is not known of everything that it is given.
    """
    call = module.facts.nodes[node]
    assert isinstance(call, f.Call)
    found: list[FunctionValue] = []
    for argument in call.args:
        for given in _given(module, argument, node):
            function = _function(module, given)
            if function is None:
                return []
            if not is_farewell(function.fact.name) and not _catches(module, function):
                found.append(function)
    return found


def _given(module: ModuleContext, node: int, user: int) -> Iterator[int]:
    """The calls that make what an argument of ``gather`` stands for."""
    fact = module.facts.nodes[node]
    if isinstance(fact, f.Starred):
        yield from _items(module, fact.value, node)
        return
    if isinstance(fact, f.Call):
        if starter(module, node) in STARTERS:
            # a task with a name may be looked at by it
            seen = is_cared_for(module, node, less=user)
            yield fact.args[0] if fact.args and not seen else _UNKNOWN
        else:
            yield node
        return
    yield _UNKNOWN


def _items(module: ModuleContext, container: int, user: int) -> Iterator[int]:
    nodes = module.facts.nodes
    fact = nodes[container]
    if isinstance(fact, (f.Declared, f.Narrow)) and fact.value >= 0:
        yield from _items(module, fact.value, user)
        return
    if isinstance(fact, f.Call) and nodes[fact.func] == _MAP and len(fact.args) > 1:
        yield fact.args[0]
        return
    added = filling(module, container, user) if isinstance(fact, (f.Display, f.Comp)) else None
    if added is None:
        yield _UNKNOWN
    elif isinstance(fact, f.Comp):
        yield from _given(module, fact.element, container)
    elif isinstance(fact, f.Display):
        for element in fact.elements:
            yield from _given(module, element, container)
        for use in added:
            call = nodes[use]
            yield from _given(module, call.args[0], use) if isinstance(call, f.Call) and call.args else ()


def _function(module: ModuleContext, node: int) -> FunctionValue | None:
    """The async function that a call calls, as it was written: nothing around it catches anything.

    Or the function that a node is, where `map` calls it.
    """
    if node == _UNKNOWN:
        return None
    value = module.infer.value(module.module, node)
    function = value.function if isinstance(value, AwaitableValue) else value
    if not isinstance(function, FunctionValue):
        return None
    return function if function.fact.is_async else None


def _catches(module: ModuleContext, function: FunctionValue, depth: int = 0) -> bool:
    """Whether an async function, or all that it awaits, catches what goes wrong; or nobody knows."""
    fact = function.fact
    if fact.decorators or function.module.is_stub or fact.is_stub or handles_errors(function):
        return True
    if depth >= _DEPTH:
        return False
    facts = function.module.facts
    awaited = [
        module.infer.value(function.module, call.func, function.context)
        for site in facts.sites
        if site.scope == function.scope and site.use is f.Use.AWAITED
        if isinstance(call := facts.nodes[site.node], f.Call)
    ]
    return bool(awaited) and all(
        isinstance(each, FunctionValue) and (is_farewell(each.fact.name) or _catches(module, each, depth + 1))
        for each in awaited
    )


def cancels(module: ModuleContext, scope: int) -> bool:
    """Whether a function calls ``cancel``, or something of such a name: what follows is clean-up."""
    facts = module.facts
    for site in facts.sites:
        call = facts.nodes[site.node]
        if site.scope == scope and isinstance(call, f.Call) and "cancel" in last_name(facts.nodes[call.func]):
            return True
    return False
