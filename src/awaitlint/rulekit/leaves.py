"""Which steps block by themselves: calls that the catalogue or the configuration names."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.blocking import BlockingCall, On, State, catalogue
from awaitlint.index.blocking import Kind as Waits
from awaitlint.index.blocking import Severity as Holds
from awaitlint.index.factories import factories
from awaitlint.index.facts import Use
from awaitlint.index.modules import Origin
from awaitlint.index.reached import reached
from awaitlint.infer.callgraph import Kind, goes_through
from awaitlint.infer.known import MADE
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    ModuleValue,
    OverloadedValue,
    UnionValue,
    Unknown,
    Value,
    members,
    without_none,
)
from awaitlint.model import Severity
from awaitlint.rulekit.conditions import holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.config.settings import Settings
    from awaitlint.index.modules import Module
    from awaitlint.infer.callgraph import Step
    from awaitlint.infer.engine import Inference

_THREAD = "asyncio.to_thread"
#: how bad a call is, by how long it can hold the loop
_SEVERITIES = {
    Holds.ALWAYS: Severity.ERROR,
    Holds.RAISES: Severity.ERROR,
    Holds.HEAVY: Severity.WARNING,
    Holds.BRIEF: Severity.INFO,
}
#: states in which most calls find what they are called on: it has to be shown that they block
_SILENT = frozenset({State.FREE, State.READY, State.LOADED, State.LOCAL, State.CACHED, State.SUCCEEDS})
#: methods by which a socket is told not to block
_UNBLOCKERS = frozenset({"setblocking", "settimeout", "set_blocking"})
#: queues that may have a bound
_QUEUES = frozenset({"Queue", "LifoQueue", "PriorityQueue"})
#: calls that await what a pool was given
_AWAITING = frozenset({"run_in_executor", "wrap_future"})
#: methods of futures
_RESULTS = (".result", ".exception")
#: calls that tell whether a process or thread has ended
_LOOKS = frozenset({"poll", "is_alive"})
#: calls that tell whether a queue is empty
_COUNTS = frozenset({"empty", "qsize"})
#: functions after which the results of futures are there
_WAITERS = frozenset({"as_completed", "wait", "wrap_future", "gather"})


class Leaf(NamedTuple):
    """A call that blocks.

    `name` is the qualified name by which it is known, `kind` what it waits for, `instead` what to use in
    async code ("" where there is nothing but a thread), `advice` the configuration's words.
    """

    name: str
    kind: str
    severity: Severity
    instead: str = ""
    advice: str = ""

    def may_be_over(self) -> bool:
        """Whether `is_over` can hold of anything."""
        return self.name.endswith((*_RESULTS, ".wait", ".join", "Queue.get")) or "stdin" in self.name

    def is_over(self, tests: tuple[str, ...], called: frozenset[str]) -> bool:
        """Whether tests on the way, or calls that stand before it, leave nothing to wait for."""
        if self.name.endswith(_RESULTS):
            return any(
                ".done()" in test and not test.startswith("not ") for test in tests
            ) or not called.isdisjoint(_WAITERS)
        if self.name.endswith("Queue.get"):
            return not called.isdisjoint(_COUNTS)
        if "stdin" in self.name:
            return "select" in called
        return self.name.endswith((".wait", ".join")) and not called.isdisjoint(_LOOKS)


class Leaves:
    """Tells the calls that block.

    Args:
        infer: Inference over the project.
        settings: The options; those that begin with ``blocking`` count.
    """

    def __init__(self, infer: Inference, settings: Settings) -> None:
        self.infer = infer
        self._calls = settings.blocking_calls
        self._safe = (*settings.blocking_safe, *settings.known_safe_calls)
        self._handoffs = settings.blocking_handoffs
        self._levels = dict(settings.blocking_levels)
        self._memo: dict[Value, BlockingCall | None] = {}

    def leaf(self, func: FunctionValue, step: Step) -> Leaf | None:
        """The blocking call that a step is; None where it is none, or not known to be one."""
        if step.kind is Kind.READ:
            return None
        if self._calls:
            own = self._configured(step.value)
            if own is not None:
                return own
        if step.function is not None:
            return None
        value = step.value
        if isinstance(value, (External, Unknown)) or (
            isinstance(value, CallableValue) and value.origin is None
        ):
            found = self._reached(func.module, step, value)
        elif value in self._memo:
            found = self._memo[value]
        else:
            found = self._memo[value] = self._known(value)
        if found is None:
            found = self._of_stream(func, step)
        if found is None or self._is_safe_call(value, found) or not self._waits(func, step, found):
            return None
        severity = _SEVERITIES.get(found.severity)
        if found.state is State.SMALL:
            severity = Severity.INFO
        severity = self._severity(str(found.kind), severity)
        if severity is None:
            return None
        instead = "" if found.instead == _THREAD else found.replacement
        return Leaf(found.spelling, str(found.kind), severity, instead)

    def _is_safe_call(self, value: Value, known: BlockingCall) -> bool:
        """Whether the configuration says that a call of the catalogue does not block, by any of its names."""
        if not self._safe:
            return False
        names = (*_names(self.infer, value), known.name, *known.public)
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in self._safe)

    def _of_stream(self, func: FunctionValue, step: Step) -> BlockingCall | None:
        """The entry for a method of an object that a module holds: ``sys.stdin.readline``."""
        nodes = func.module.facts.nodes
        call = nodes[step.node]
        method = nodes[call.func] if isinstance(call, f.Call) else None
        holder = nodes[method.value] if isinstance(method, f.Attr) else None
        if not isinstance(method, f.Attr) or not isinstance(holder, f.Attr):
            return None
        owner = self.infer.value(func.module, holder.value, func.context)
        if not isinstance(owner, ModuleValue) or owner.module.origin is Origin.PROJECT:
            return None
        return catalogue().get(f"{owner.module.name}.{holder.name}.{method.name}")

    def is_safe(self, func: FunctionValue) -> bool:
        """Whether the configuration says that a function of the project does not block its caller."""
        if not self._safe and not self._handoffs:
            return False
        if self._matches((*self._safe, *self._handoffs), func):
            return True
        return any(
            self._matches(self._handoffs, self.infer.value(func.module, decorator))
            for decorator in func.fact.decorators
        )

    # ------------------------------------------------------------------ the configuration
    def _configured(self, value: Value) -> Leaf | None:
        for name in _names(self.infer, value):
            for pattern, advice in self._calls:
                if fnmatch.fnmatchcase(name, pattern):
                    severity = self._severity("user", Severity.ERROR)
                    return None if severity is None else Leaf(name, "user", severity, "", advice)
        return None

    def _severity(self, kind: str, severity: Severity | None) -> Severity | None:
        level = self._levels.get(kind)
        if level is None:
            return severity
        return None if level == "off" else Severity(level)

    def _matches(self, patterns: tuple[str, ...], value: Value) -> bool:
        if not patterns:
            return False
        return any(
            fnmatch.fnmatchcase(name, pattern) for name in _names(self.infer, value) for pattern in patterns
        )

    # ------------------------------------------------------------------ the catalogue
    def _known(self, value: Value) -> BlockingCall | None:
        """The entry for what inference knows is called."""
        known = catalogue()
        if isinstance(value, UnionValue):
            # whichever it is, it blocks
            each = [self._known(member) for member in members(without_none(value))]
            return each[0] if None not in each else None
        if isinstance(value, ClassValue):
            return known.get(value.qualname)
        if not isinstance(value, FunctionValue) or value.fact.is_async:
            return None
        receiver = value.receiver
        cls = receiver.cls if isinstance(receiver, Instance) else receiver
        if isinstance(cls, ClassValue):
            return known.method(self._classes(cls, value), value.fact.name)
        return known.get(value.qualname)

    def _classes(self, cls: ClassValue, method: FunctionValue) -> list[str]:
        """The qualified names of a class and its bases, up to the one that has the method in its body."""
        names: list[str] = []
        for entry in self.infer.mro(cls):
            if entry is None:
                break
            if entry.module.origin is not Origin.PROJECT:
                names.append(entry.qualname)
            if entry.module is method.module and entry.scope == method.fact.parent:
                break
        return names

    def _reached(self, module: Module, step: Step, value: Value) -> BlockingCall | None:
        """The entry for what is only known by the way in which code gets to it."""
        known = catalogue()
        if isinstance(value, External):
            made = self._made(value)
            if made is not None:
                return made
            return known.spelled(value.path.replace("()", ""))
        call = module.facts.nodes[step.node]
        if not isinstance(call, f.Call) or step.kind is not Kind.CALL:
            return None
        path = reached(self.infer.project, module, call.func)
        return known.spelled(path) if path else None

    def _made(self, value: External) -> BlockingCall | None:
        """The entry for a method of an object whose class a factory makes from data."""
        start, dot, rest = value.path.partition(f"{MADE})")
        if not dot:
            return None
        name, _, kind = start.partition("(")
        way = rest.replace("()", "").strip(".").split(".")
        for factory in factories():
            if name not in (factory.name, *factory.public) or factory.value not in (kind, "*"):
                continue
            if tuple(way[:-1]) == factory.path and factory.blocks(way[-1]):
                return BlockingCall(
                    f"{name}.{'.'.join(way)}",
                    (),
                    Waits.NETWORK,
                    Holds.ALWAYS,
                    (),
                    None,
                    On.CALL,
                    factory.instead,
                    None,
                    None,
                    factory.source,
                )
        return None

    # ------------------------------------------------------------------ does this call wait?
    def _waits(self, func: FunctionValue, step: Step, known: BlockingCall) -> bool:
        """Whether a call of the catalogue blocks, by its arguments, its use and the state of its object."""
        module = func.module
        call = module.facts.nodes[step.node]
        if known.kind is Waits.LOCK or known.severity is Holds.NEVER:
            return False
        if known.state is State.IN_MEMORY and self._is_in_memory(func):
            return False
        if step.site is not None and step.site.use is Use.AWAITED:
            # whoever wrote that knows better
            return False
        if known.state in _SILENT:
            return False
        if step.kind is Kind.CALL and isinstance(call, f.Call):
            if any(holds(module, call, known.name, condition) for condition in known.unless):
                return False
            if known.on is not On.CALL and not self._is_used(func, step, known.on):
                return False
        if known.state is State.DONE and known.name.endswith(_RESULTS):
            if _is_derived(step.value):
                # a future of somebody's own is made to hold what is there
                return False
            if step.site is not None and step.site.use is Use.DISCARDED and not self._is_fresh(module, call):
                # nobody drops a result but to have the exception of what has ended
                return False
        if known.state is State.NON_BLOCKING:
            return not any(
                isinstance(node, f.Attr) and node.name in _UNBLOCKERS for node in module.facts.nodes
            )
        if known.state is State.ROOM:
            return self._are_bounded(module)
        if known.state is State.IDLE and known.kind is Waits.WAIT:
            return step.kind is not Kind.ENTER or self._is_left_working(func)
        return True

    def _is_in_memory(self, func: FunctionValue) -> bool:
        """Whether all databases of SQLite to which a function, or else its module, connects are in memory."""
        nodes = func.module.facts.nodes
        connects = [
            (index, nodes[node.args[0]])
            for index, node in enumerate(nodes)
            if isinstance(node, f.Call)
            and node.args
            and getattr(nodes[node.func], "name", "") == "connect"
            and any(name.endswith("sqlite3.connect") for name in self._qualnames(func.module, node.func))
        ]
        own = [name for index, name in connects if func.fact.first_node <= index < func.fact.end_node]
        names = own or [name for _, name in connects]
        return bool(names) and all(isinstance(name, f.Const) and name.value == ":memory:" for name in names)

    def _qualnames(self, module: Module, node: int) -> Iterator[str]:
        return _names(self.infer, self.infer.value(module, node))

    @staticmethod
    def _is_fresh(module: Module, call: f.Node) -> bool:
        """Whether a method is called on what another call has just given: ``pool.submit(f).result()``."""
        method = module.facts.nodes[call.func] if isinstance(call, f.Call) else None
        return isinstance(method, f.Attr) and isinstance(module.facts.nodes[method.value], f.Call)

    def _is_used(self, func: FunctionValue, step: Step, on: On) -> bool:
        """Whether what a call gives is entered, or iterated."""
        wanted = Use.WITH if on is On.ENTER else Use.ITERATED
        for site in func.module.facts.sites:
            if site.node != step.node:
                continue
            if site.use is wanted:
                return True
            if on is On.ITERATE and site.use is Use.ARGUMENT and goes_through(self.infer, func, site.other):
                return True
        return False

    def _are_bounded(self, module: Module) -> bool:
        """Whether every queue that a module makes has a bound."""
        found = False
        for site in module.facts.sites:
            call = module.facts.nodes[site.node]
            if (
                not isinstance(call, f.Call)
                or getattr(module.facts.nodes[call.func], "name", "") not in _QUEUES
            ):
                continue
            sizes = [*call.args, *(value for name, value in call.keywords if name == "maxsize")]
            if not sizes:
                return False
            size = module.facts.nodes[sizes[0]]
            if isinstance(size, f.Const) and (not isinstance(size.value, int) or size.value <= 0):
                return False
            found = True
        return found

    def _is_left_working(self, func: FunctionValue) -> bool:
        """Whether a pool's work is submitted and not awaited in a function."""
        nodes = func.module.facts.nodes
        names = {
            getattr(nodes[node.func], "name", "")
            for node in nodes[func.fact.first_node : func.fact.end_node]
            if isinstance(node, f.Call)
        }
        return "submit" in names and names.isdisjoint(_AWAITING)


def _is_derived(value: Value) -> bool:
    """Whether a method is called on an object of another class than the one that defines it."""
    if not isinstance(value, FunctionValue) or not isinstance(value.receiver, Instance):
        return False
    cls = value.receiver.cls
    return cls.module is not value.module or cls.scope != value.fact.parent


def _names(infer: Inference, value: Value) -> Iterator[str]:
    """The qualified names of what is called: where it is defined, and in the classes that inherit it."""
    if isinstance(value, CallableValue) and value.origin is not None:
        value = value.origin
    if isinstance(value, OverloadedValue):
        value = value.functions[0]
    if isinstance(value, External):
        yield value.path.replace("()", "")
    elif isinstance(value, ClassValue):
        yield value.qualname
    elif isinstance(value, FunctionValue):
        if value.fact.is_async:
            return
        yield value.qualname
        receiver = value.receiver
        cls = receiver.cls if isinstance(receiver, Instance) else receiver
        if isinstance(cls, ClassValue):
            for entry in infer.mro(cls):
                if entry is None:
                    break
                yield f"{entry.qualname}.{value.fact.name}"
