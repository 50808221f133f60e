"""What runs when a function's body runs: the calls that it makes, and what makes calls without looking so.

A *step* is a place in a body where other code may run: a call, the construction of an object, a property
that is read, a context manager that is entered, a generator that is iterated, a function that is handed to
something that calls it at once.  A function that is merely passed as a value is not called, and what is not
known is no step.
"""

from __future__ import annotations

import enum
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.handoffs import Role, given, handoffs
from awaitlint.index.modules import Origin
from awaitlint.index.recent import Recent
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    ContextManagerValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    PropertyValue,
    UnionValue,
    Value,
    members,
    without_none,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.handoffs import HandOff
    from awaitlint.index.modules import Module
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.values import Context

#: builtin and library functions that go through an iterable at once
_CONSUMERS = frozenset(
    {
        *(f"builtins.{name}" for name in ("all", "any", "dict", "frozenset", "list", "max", "min", "next")),
        *(f"builtins.{name}" for name in ("set", "sorted", "sum", "tuple", "bytes", "bytearray")),
        "collections.deque",
        "functools.reduce",
        "builtins.str.join",
        "builtins.list.extend",
        "builtins.dict.update",
        "builtins.set.update",
    }
)
#: how many parameters of a call are known where its function's body is looked at, and how deep that goes
_MOST_BOUND = 4
#: modules whose sites are kept by scope at least
_MOST_TABLES = 16
#: functions whose steps are kept at least; who asks keeps what matters of them
_MOST_STEPS = 256
#: values that tell which code runs when a parameter is used
_TELLING = (FunctionValue, CallableValue, ClassValue, Instance)


class Kind(enum.Enum):
    """How code runs that is not in the body itself."""

    CALL = "calls"
    READ = "reads the property"
    ENTER = "enters"
    ITERATE = "iterates"
    HAND = "hands over"


class Step(NamedTuple):
    """A place in a body where other code may run.

    `value` is what is called there and `function` the project's function that runs, None where it is none
    of the project's; `node` is the call (or the attribute that is read), `site` the call's place in the
    text, None for an attribute, whose place facts leave out.
    """

    kind: Kind
    value: Value
    function: FunctionValue | None
    node: int
    site: f.Site | None


class _Table(NamedTuple):
    """The sites of a module by what is asked of them."""

    by_scope: dict[int, list[f.Site]]
    #: call node → the call's own site; the others with that node are uses of a name bound to it
    own: dict[int, f.Site]


class CallGraph:
    """The steps of functions."""

    def __init__(self, infer: Inference) -> None:
        self.infer = infer
        self._steps: Recent[FunctionValue, tuple[Step, ...]] = Recent(_MOST_STEPS)
        self._tables: Recent[Module, _Table] = Recent(_MOST_TABLES)
        self._getters: dict[tuple[Module, int, str], FunctionValue | None] = {}
        self._parameters: dict[tuple[Module, int, bool], tuple[int, ...]] = {}

    def rest(self) -> None:
        """Give up what takes room and is quickly made again."""
        self._tables.clear()

    # ------------------------------------------------------------------ what others ask
    def steps(self, func: FunctionValue) -> tuple[Step, ...]:
        """What a function's own body runs, in the order of the text; properties come last."""
        found = self._steps.get(func)
        if found is None:
            found = tuple(self._steps_of(func))
            self._steps.put(func, found)
        return found

    def table(self, module: Module) -> _Table:
        """The sites of a module, by scope and by node."""
        found = self._tables.get(module)
        if found is None:
            found = _Table({}, {})
            for site in module.facts.sites:
                found.by_scope.setdefault(site.scope, []).append(site)
                found.own.setdefault(site.node, site)
            self._tables.put(module, found)
        return found

    # ------------------------------------------------------------------ bodies
    def _steps_of(self, func: FunctionValue) -> Iterator[Step]:
        module = func.module
        if module.origin is not Origin.PROJECT:
            return
        table, nodes = self.table(module), module.facts.nodes
        for site in table.by_scope.get(func.scope, ()):
            call = nodes[site.node]
            if type(call) is f.Call:
                value = self.infer.value(module, call.func, func.context)
                own = table.own[site.node] is site
                for member in self._one_of(value):
                    if own:
                        yield from self._called(func, site, call, member)
                    if site.use in (Use.ITERATED, Use.UNPACKED, Use.WITH, Use.ARGUMENT, Use.YIELDED):
                        yield from self._used(func, site, call, member)
        yield from self._read(func)

    @staticmethod
    def _one_of(value: Value) -> tuple[Value, ...]:
        """The value, as a whole where it is one of several: nobody knows which of them runs."""
        if not isinstance(value, UnionValue):
            return (value,)
        found = members(without_none(value))
        return found if len(found) == 1 else (value,)

    def _called(self, func: FunctionValue, site: f.Site, call: f.Call, value: Value) -> Iterator[Step]:
        """What a call itself runs."""
        if isinstance(value, CallableValue) and isinstance(value.result, ContextManagerValue):
            return
        target = self._implementation(value)
        if isinstance(target, FunctionValue):
            fact = target.fact
            if not (fact.is_async or fact.is_generator):
                yield Step(Kind.CALL, target, self._run(func, call, target), site.node, site)
            yield from self._handed(func, site, call, target)
        elif isinstance(target, ClassValue):
            yield from self._made(func, site, call, target)
        elif isinstance(target, Instance):
            method = self._implementation(self.infer.attribute(target, "__call__"))
            if isinstance(method, FunctionValue) and not (method.fact.is_async or method.fact.is_generator):
                yield Step(Kind.CALL, method, self._run(func, call, method), site.node, site)
        else:
            yield Step(Kind.CALL, target, None, site.node, site)

    def _made(self, func: FunctionValue, site: f.Site, call: f.Call, cls: ClassValue) -> Iterator[Step]:
        """What the construction of an object runs."""
        if cls.module.origin is not Origin.PROJECT:
            yield Step(Kind.CALL, cls, None, site.node, site)
            yield from self._handed(func, site, call, cls)
            return
        instance = Instance(cls)
        ran = False
        for name in ("__new__", "__init__", "__post_init__"):
            method = self._implementation(self.infer.attribute(instance, name))
            if isinstance(method, FunctionValue) and not method.fact.is_async:
                if method.module.origin is Origin.PROJECT:
                    yield Step(Kind.CALL, method, self._run(func, call, method), site.node, site)
                elif name == "__init__" and not ran:
                    # a class of a package that the project's class derives from
                    yield Step(Kind.CALL, method, None, site.node, site)
                ran = True

    def _handed(self, func: FunctionValue, site: f.Site, call: f.Call, caller: Value) -> Iterator[Step]:
        """The functions that a call hands to something which calls them at once."""
        known = hand_off(self.infer, caller)
        if known is None or known.role not in (Role.INLINE, Role.SCHEDULE):
            return
        for node in given(call, known.slots, func.module.facts.nodes):
            value = self.infer.value(func.module, node, func.context)
            for member in self._one_of(value):
                target = self._implementation(member)
                if isinstance(target, FunctionValue) and not (
                    target.fact.is_async or target.fact.is_generator
                ):
                    yield Step(Kind.HAND, target, self._known(target), site.node, site)
                elif not isinstance(target, FunctionValue):
                    yield Step(Kind.HAND, target, None, site.node, site)

    def _used(self, func: FunctionValue, site: f.Site, call: f.Call, value: Value) -> Iterator[Step]:
        """What the use of a call's value runs: a generator that is iterated, a manager that is entered."""
        if site.use is Use.WITH:
            yield from self._entered(func, site, call, value)
            return
        target = self._implementation(value)
        if not isinstance(target, FunctionValue) or not target.fact.is_generator or target.fact.is_async:
            return
        if site.use is Use.ARGUMENT and not goes_through(self.infer, func, site.other):
            return
        if site.use is Use.YIELDED:
            # ``yield from`` goes through what it is given; a plain ``yield`` hands it on
            used = self.infer.users(func.module).get(site.node, ())
            nodes = func.module.facts.nodes
            if not any(isinstance(nodes[user], f.Yielded) and nodes[user].is_from for user in used):  # type: ignore[union-attr]
                return
        yield Step(Kind.ITERATE, target, self._run(func, call, target), site.node, site)

    def _entered(self, func: FunctionValue, site: f.Site, call: f.Call, value: Value) -> Iterator[Step]:
        if isinstance(value, CallableValue) and isinstance(value.result, ContextManagerValue):
            made = value.origin
            if made is not None and not value.result.is_async and made.module.origin is Origin.PROJECT:
                yield Step(Kind.ENTER, made, self._run(func, call, made), site.node, site)
            return
        entered = self.infer.value(func.module, site.node, func.context)
        for name in ("__enter__", "__exit__") if isinstance(entered, Instance) else ():
            method = self._implementation(self.infer.attribute(entered, name))
            if isinstance(method, FunctionValue) and not (method.fact.is_async or method.fact.is_generator):
                yield Step(Kind.ENTER, method, self._known(method), site.node, site)

    # ------------------------------------------------------------------ properties
    def _read(self, func: FunctionValue) -> Iterator[Step]:
        """The project's properties that a body reads."""
        module, fact = func.module, func.fact
        scopes, nodes = module.facts.scopes, module.facts.nodes
        called = {node.func for node in nodes[fact.first_node : fact.end_node] if type(node) is f.Call}
        stretches = []
        start = fact.first_node
        for at in range(func.scope + 1, len(scopes)):
            scope = scopes[at]
            if scope.first_node >= fact.end_node:
                break
            if start <= scope.first_node and scope.first_node < scope.end_node <= fact.end_node:
                # the code of a function that is defined inside runs when that one does
                stretches.append(range(start, scope.first_node))
                start = scope.end_node
        stretches.append(range(start, fact.end_node))
        for index in chain.from_iterable(stretches):
            node = nodes[index]
            if type(node) is not f.Attr or index in called:
                continue
            owner = without_none(self.infer.value(module, node.value, func.context))
            if isinstance(owner, Instance) and owner.cls.module.origin is Origin.PROJECT:
                getter = self._getter(owner.cls, node.name)
                if getter is not None:
                    yield Step(Kind.READ, getter, self._known(getter), index, None)

    def _getter(self, cls: ClassValue, name: str) -> FunctionValue | None:
        """The function behind a property of the project."""
        key = (cls.module, cls.scope, name)
        if key not in self._getters:
            self._getters[key] = self._property(cls, name)
        return self._getters[key]

    def _property(self, cls: ClassValue, name: str) -> FunctionValue | None:
        for entry in self.infer.mro(cls):
            if entry is None:
                return None
            bound = entry.fact.bindings.get(name)
            if bound is None:
                if name in entry.fact.attributes:
                    return None
                continue
            first = entry.module.facts.nodes[bound[0]]
            if entry.module.origin is not Origin.PROJECT or not isinstance(first, f.Func):
                return None
            value = self.infer.value(entry.module, bound[0])
            getter = value.getter if isinstance(value, PropertyValue) else None
            if not isinstance(getter, FunctionValue) or getter.fact.is_async or getter.fact.is_generator:
                return None
            receiver = Instance(ClassValue(cls.module, cls.scope))
            return FunctionValue(getter.module, getter.scope, receiver, getter.context)
        return None

    # ------------------------------------------------------------------ functions
    def _implementation(self, value: Value) -> Value:
        """What runs when a value is called: of overloads the function that follows them."""
        if isinstance(value, CallableValue) and value.origin is not None:
            return value.origin
        if not isinstance(value, OverloadedValue):
            return value
        first = value.functions[0]
        if first.module.is_stub:
            return first
        parent = first.module.facts.scopes[first.fact.parent]
        bound = parent.bindings.get(first.fact.name, ())
        last = first.module.facts.nodes[bound[-1]] if bound else None
        if not isinstance(last, f.Func):
            return first
        return FunctionValue(first.module, last.scope, first.receiver, first.context)

    def _known(self, target: FunctionValue) -> FunctionValue | None:
        """A function of the project that runs with no arguments that are known here."""
        if target.module.origin is not Origin.PROJECT:
            return None
        return FunctionValue(target.module, target.scope, None, self._own_context(target))

    def _run(self, func: FunctionValue, call: f.Call, target: FunctionValue) -> FunctionValue | None:
        """The function of the project that a call runs, with what the call says of its parameters."""
        if target.module.origin is not Origin.PROJECT:
            return None
        context = dict(self._own_context(target))
        used = self._used_parameters(target) if call.args or call.keywords else ()
        if used and len(context) < _MOST_BOUND:
            arguments = Arguments(func.module, call, func.context)
            for position, lazy in self.infer._matched(target, arguments):
                if position not in used:
                    continue
                value = without_none(lazy())
                if isinstance(value, _TELLING) and len(context) < _MOST_BOUND:
                    context[target.module, target.scope, position] = value
        return FunctionValue(target.module, target.scope, None, tuple(context.items()))

    def _used_parameters(self, target: FunctionValue) -> tuple[int, ...]:
        """The parameters of a function for which it matters what a call gives."""
        bound = target.receiver is not None
        key = (target.module, target.scope, bound)
        found = self._parameters.get(key)
        if found is None:
            found = self._parameters[key] = tuple(
                position
                for position, param in enumerate(target.fact.params)
                if param.kind in ("posonly", "normal", "kwonly")
                # that of a method is what it is bound to
                and (position or not bound or param.kind == "kwonly")
                and (param.annotation < 0 or self._is_open(target, param.annotation))
                and self._is_called_through(target, position)
            )
        return found

    def _is_open(self, target: FunctionValue, annotation: int) -> bool:
        """Whether an annotation leaves open which of several classes a parameter is of."""
        declared = without_none(self.infer.annotation(target.module, annotation, ()))
        return len(members(declared)) > 1

    def _own_context(self, target: FunctionValue) -> Context:
        """A function's context; where it is inherited, what it is bound to as well, for its own calls."""
        receiver, context = target.receiver, target.context
        fact = target.fact
        parent = target.module.facts.scopes[fact.parent]
        if (
            isinstance(receiver, Instance)
            and parent.kind is f.ScopeKind.CLASS
            and fact.params
            and fact.params[0].annotation < 0
            and (receiver.cls.module is not target.module or receiver.cls.scope != fact.parent)
        ):
            bare = Instance(ClassValue(receiver.cls.module, receiver.cls.scope))
            return (((target.module, target.scope, 0), bare), *context)
        return context

    def _is_called_through(self, target: FunctionValue, position: int) -> bool:
        """Whether a function calls a parameter, or takes attributes of it, or passes it on."""
        nodes = target.module.facts.nodes
        return any(
            isinstance(nodes[use.user], (f.Attr, f.Call)) for use in self.infer.uses_of(target, position)
        )


def goes_through(infer: Inference, func: FunctionValue, call: int) -> bool:
    """Whether a call in a function goes through the iterable that it is given, at once."""
    node = func.module.facts.nodes[call] if call >= 0 else None
    if not isinstance(node, f.Call):
        return False
    value = infer.value(func.module, node.func, func.context)
    if isinstance(value, OverloadedValue):
        value = value.functions[0]
    return getattr(value, "qualname", "") in _CONSUMERS


def hand_off(infer: Inference, value: Value) -> HandOff | None:
    """What is known of a function, class or method that takes functions, where it is one."""
    known = handoffs()
    name = getattr(value, "qualname", "")
    if name in known:
        return known[name]
    receiver = value.receiver if isinstance(value, FunctionValue) else None
    cls = receiver.cls if isinstance(receiver, Instance) else receiver
    if not isinstance(value, FunctionValue) or not isinstance(cls, ClassValue):
        return None
    if cls.module.origin is Origin.PROJECT and value.module.origin is Origin.PROJECT:
        return None
    classes = [entry.qualname for entry in infer.mro(cls) if entry is not None]
    return known.method(classes, value.fact.name)
