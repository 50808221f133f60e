"""Locks: which values are some, where code holds one, and which no other task can know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.marks import MarkKind
from awaitlint.infer.values import (
    ClassValue,
    FunctionValue,
    Instance,
    PropertyValue,
    Value,
    members,
    without_none,
)
from awaitlint.rulekit.running import innermost_function
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import evaluated
from awaitlint.syntax.walk import children

if TYPE_CHECKING:
    import libcst

    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.rule import Rule


@dataclass(frozen=True, slots=True)
class Lock:
    """A kind of lock: its public name, whether it blocks threads, whether its owner may take it again."""

    name: str
    is_sync: bool = True
    is_reentrant: bool = False


#: by the qualified names of their classes
_LOCKS = {
    # https://docs.python.org/3/library/threading.html: a Condition makes an RLock for itself
    "_thread.lock": Lock("threading.Lock"),
    "_thread.LockType": Lock("threading.Lock"),
    "_thread.RLock": Lock("threading.RLock", is_reentrant=True),
    "threading._RLock": Lock("threading.RLock", is_reentrant=True),
    "threading.Condition": Lock("threading.Condition", is_reentrant=True),
    "threading.Semaphore": Lock("threading.Semaphore"),
    "threading.BoundedSemaphore": Lock("threading.BoundedSemaphore"),
    # https://docs.python.org/3/library/multiprocessing.html: an RLock belongs to a process and a thread
    "multiprocessing.synchronize.Lock": Lock("multiprocessing.Lock"),
    "multiprocessing.synchronize.RLock": Lock("multiprocessing.RLock", is_reentrant=True),
    "multiprocessing.synchronize.Condition": Lock("multiprocessing.Condition", is_reentrant=True),
    "multiprocessing.synchronize.Semaphore": Lock("multiprocessing.Semaphore"),
    "multiprocessing.synchronize.BoundedSemaphore": Lock("multiprocessing.BoundedSemaphore"),
    "asyncio.locks.Lock": Lock("asyncio.Lock", is_sync=False),
    "asyncio.locks.Condition": Lock("asyncio.Condition", is_sync=False),
    "asyncio.locks.Semaphore": Lock("asyncio.Semaphore", is_sync=False),
    "asyncio.locks.BoundedSemaphore": Lock("asyncio.BoundedSemaphore", is_sync=False),
    "anyio._core._synchronization.Lock": Lock("anyio.Lock", is_sync=False),
    "anyio._core._synchronization.Condition": Lock("anyio.Condition", is_sync=False),
    "anyio._core._synchronization.Semaphore": Lock("anyio.Semaphore", is_sync=False),
    "anyio._core._synchronization.CapacityLimiter": Lock("anyio.CapacityLimiter", is_sync=False),
    "trio._sync.Lock": Lock("trio.Lock", is_sync=False),
    "trio._sync.StrictFIFOLock": Lock("trio.StrictFIFOLock", is_sync=False),
    "trio._sync.Condition": Lock("trio.Condition", is_sync=False),
    "trio._sync.Semaphore": Lock("trio.Semaphore", is_sync=False),
    "trio._sync.CapacityLimiter": Lock("trio.CapacityLimiter", is_sync=False),
}
#: names of what lets one task in at a time, whatever it is
_GUARDS = re.compile(
    r"lock|mutex|sem(?:aphore)?(?![a-z])|guard|limit|throttle|condition|(?<![a-z])cond(?![a-z])|once|exclusive"
    r"|critical|serial|synchron|atomic|transaction|single_?flight|thread_?safe",
    re.IGNORECASE,
)
#: what one does with a lock that is one's own; who asks whether it is locked looks at locks, as tests do
_METHODS = frozenset({"acquire", "release", "notify", "notify_all", "wait", "wait_for"})


def lock(value: Value) -> Lock | None:
    """The lock that a value is; None may be among what it can be, as ``with`` would fail on it."""
    found: Lock | None = None
    for member in members(without_none(value)):
        known = _LOCKS.get(member.cls.qualname) if isinstance(member, Instance) else None
        if known is None or (found is not None and found != known):
            return None
        found = known
    return found


def made_lock(module: ModuleContext, node: int) -> Lock | None:
    """The lock that a call makes: of its class, or of a function that makes one each time."""
    call = module.facts.nodes[node]
    if not isinstance(call, f.Call):
        return None
    func = module.infer.value(module.module, call.func)
    if isinstance(func, ClassValue):
        return _LOCKS.get(func.qualname)
    if not isinstance(func, FunctionValue):
        return None
    return lock(module.infer.value(module.module, node)) if func.module.is_stdlib else _made_by(module, func)


def rebuilt_lock(module: ModuleContext, node: int) -> Lock | None:
    """The lock that a property makes anew whenever it is asked for; None for other nodes."""
    fact, infer = module.facts.nodes[node], module.infer
    owner = infer.value(module.module, fact.value) if isinstance(fact, f.Attr) else None
    if not isinstance(fact, f.Attr) or not isinstance(owner, Instance):
        return None
    for entry in infer.mro(owner.cls):
        if entry is None:
            return None
        bound = entry.fact.bindings.get(fact.name, ())
        if bound:
            found = infer.value(entry.module, bound[-1])
            getter = found.getter if isinstance(found, PropertyValue) else None
            return _made_by(module, getter, "builtins.property") if type(getter) is FunctionValue else None
    return None


def _made_by(module: ModuleContext, function: FunctionValue, *decorators: str) -> Lock | None:
    """The lock that a function of the project makes and returns, if it does nothing else."""
    fact, infer = function.fact, module.infer
    if fact.is_async or fact.is_generator or fact.falls_through or len(fact.returned) != 1:
        return None
    wrapped = [infer.value(function.module, decorator) for decorator in fact.decorators]
    if [each.qualname for each in wrapped if isinstance(each, ClassValue)] != list(decorators):
        return None
    made = function.module.facts.nodes[fact.returned[0]]
    cls = infer.value(function.module, made.func) if isinstance(made, f.Call) else None
    is_plain = len(wrapped) == len(decorators) and isinstance(cls, ClassValue)
    return _LOCKS.get(cls.qualname) if is_plain and isinstance(cls, ClassValue) else None


def entered(rule: Rule, node: libcst.With) -> list[tuple[libcst.BaseExpression, int]]:
    """The context managers of a `with` statement and their nodes, 0 where facts do not have them."""
    module, context = rule.module, rule.context
    kind = MarkKind.WITH if node.asynchronous is None else MarkKind.ASYNC_WITH
    line, scope = context.span(node).line, context.scope
    scopes = module.facts.scopes
    plain = [
        mark.node
        for mark in module.facts.marks
        if mark.kind is kind and mark.line == line and scopes[mark.scope] is scope
    ]
    known = len(plain) == sum(not isinstance(item.item, cst.Call) for item in node.items)
    found: list[tuple[libcst.BaseExpression, int]] = []
    for item in node.items:
        if isinstance(item.item, cst.Call):
            site = context.site(item.item)
            found.append((item.item, site.node if site is not None else 0))
        else:
            found.append((item.item, plain.pop(0) if known else 0))
    return found


def managers(rule: Rule, node: libcst.With) -> list[Value]:
    """What the context managers of a `with` statement are, unknown where facts do not have them."""
    module = rule.module
    return [module.infer.value(module.module, found) for _, found in entered(rule, node)]


def is_guard(item: libcst.WithItem) -> bool:
    """Whether a context manager is named like one that lets one task in at a time."""
    return _is_named_like_guard(item.item)


def is_guarded(rule: Rule) -> bool:
    """Whether the visited node's function lets only one task at a time get there, as far as names tell.

    It stands in a `with` of a lock, or the function has taken one, or a decorator does.
    """
    parents = rule.context.parents
    function = innermost_function(parents)
    for parent in reversed(parents):
        if parent is function:
            break
        if isinstance(parent, cst.With) and any(map(is_guard, parent.items)):
            return True
    if function is None:
        return False
    if any(_is_named_like_guard(each.decorator) for each in function.decorators):
        return True
    return any(
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value == "acquire"
        and _is_named_like_guard(node.func.value)
        for node in evaluated(function.body)
    )


def _is_named_like_guard(expression: libcst.CSTNode) -> bool:
    return any(
        isinstance(node, cst.Name) and _GUARDS.search(node.value) is not None
        for node in evaluated(expression)
    )


def is_private(function: libcst.FunctionDef, name: str) -> bool:
    """Whether a lock in a local variable of a function is known to nobody else: no task can wait for it.

    All that the function does with it is to enter it or to call its methods; no nested function has it.
    """
    return not any(_escapes(part, name) for part in children(function.body))


def _escapes(node: libcst.CSTNode, name: str) -> bool:
    if isinstance(node, cst.Name):
        return node.value == name
    if isinstance(node, cst.WithItem) and _is_name(node.item, name):
        # `as` would give it another name
        return node.asname is not None
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        func = node.func
        if _is_name(func.value, name) and func.attr.value in _METHODS:
            return any(_escapes(argument, name) for argument in node.args)
    if isinstance(node, cst.Attribute):
        return _escapes(node.value, name)
    if isinstance(node, cst.Arg):
        return _escapes(node.value, name)
    if isinstance(node, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
        return any(_mentions(part, name) for part in children(node))
    if isinstance(node, cst.Assign) and any(_is_name(target.target, name) for target in node.targets):
        # with further targets, or bound to what another variable holds, it has several names
        return len(node.targets) > 1 or not isinstance(node.value, cst.Call) or _escapes(node.value, name)
    if isinstance(node, cst.AnnAssign) and _is_name(node.target, name):
        return node.value is not None and (not isinstance(node.value, cst.Call) or _escapes(node.value, name))
    return any(_escapes(part, name) for part in children(node))


def _mentions(node: libcst.CSTNode, name: str) -> bool:
    return _is_name(node, name) or any(_mentions(part, name) for part in children(node))


def _is_name(node: libcst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name
