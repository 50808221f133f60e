"""Methods that a class has in two forms: a plain one, and one to be awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.marks import MarkKind
from awaitlint.index.modules import Origin
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.values import (
    AwaitableValue,
    ClassValue,
    FunctionValue,
    GeneratorValue,
    Instance,
    OverloadedValue,
    Unknown,
    Value,
    function_of,
    members,
    without_none,
)

if TYPE_CHECKING:
    from awaitlint.index.facts import ParamFact
    from awaitlint.rulekit.context import ModuleContext

#: what makes the name of the twin
_PATTERNS = ("a{}", "{}_async", "async_{}", "a_{}")

_ASYNCHRONOUS = frozenset({f.Use.AWAITED, f.Use.ASYNC_ITERATED, f.Use.ASYNC_WITH})
#: where the qualified names of methods begin that have twins and never wait
_AT_ONCE = ("anyio.streams.memory.", "httpx._models.Request.", "httpx2._models.Request.", "jinja2.")


class Twin(NamedTuple):
    """The asynchronous form of a method; `is_stream` says that it gives an async iterator, to go through."""

    name: str
    function: FunctionValue
    is_stream: bool


class Twins:
    """The twins of the methods that one module calls."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self._infer = module.infer

    def of(self, call: int) -> Twin | None:
        """The twin of the plain method that a call calls; None where there is none, or it is not known."""
        nodes, module = self._module.facts.nodes, self._module.module
        node = nodes[call]
        func = nodes[node.func] if isinstance(node, f.Call) else None
        if not isinstance(node, f.Call) or not isinstance(func, f.Attr) or func.name.startswith("_"):
            return None
        receiver = without_none(self._infer.value(module, func.value))
        if not isinstance(receiver, Instance):
            return None
        own = function_of(self._infer.attribute(receiver, func.name))
        if own is None or own.fact.is_async:
            return None
        for pattern in _PATTERNS:
            name = pattern.format(func.name)
            twin = self._infer.attribute(receiver, name)
            found = None if isinstance(twin, Unknown) else self._twin(name, twin)
            if found is not None:
                fits = self._takes(twin, node) and self._is_plain(own) and self._gains(found, own)
                return found if fits else None
        return None

    def _twin(self, name: str, value: Value) -> Twin | None:
        function = function_of(value)
        if function is None:
            return None
        made = self._infer.call(value, Arguments())
        if isinstance(made, AwaitableValue):
            return Twin(name, function, is_stream=False)
        if isinstance(made, GeneratorValue) and made.is_async:
            return Twin(name, function, is_stream=True)
        if isinstance(made, Instance) and any(
            entry is not None and "__aiter__" in entry.fact.bindings for entry in self._infer.mro(made.cls)
        ):
            return Twin(name, function, is_stream=True)
        return None

    def _gains(self, twin: Twin, own: FunctionValue) -> bool:
        """Whether there is something to gain by a twin, as far as the two can be read.

        The plain method may wait, and the twin awaits; it does not call the plain one itself.
        """
        method = twin.function
        if own.qualname.startswith(_AT_ONCE):
            return False
        if _is_at_hand(method) and method.fact.is_async and not twin.is_stream and not _awaits(method):
            return False
        return not _hands_on(method, own) and (not _is_at_hand(own) or self._may_wait(own))

    def _may_wait(self, method: FunctionValue) -> bool:
        """Whether a method calls anything that is not known, is in a package, or is for subclasses to say."""
        facts, infer = method.module.facts, self._infer
        if method.fact.is_stub:
            return True
        for site in facts.sites:
            call = facts.nodes[site.node]
            if site.scope != method.scope or not isinstance(call, f.Call):
                continue
            func = infer.value(method.module, call.func)
            called = function_of(func)
            if isinstance(func, ClassValue) and func.module.origin is not Origin.BUNDLED:
                continue
            if called is None or infer.is_hook(called):
                return True
            if not called.module.is_stdlib and called.module.origin is not Origin.PROJECT:
                return True
        return False

    def _is_plain(self, method: FunctionValue) -> bool:
        """Whether calling a method gives nothing to await, as far as is known."""
        made = self._infer.call(method, Arguments())
        return not any(
            isinstance(each, AwaitableValue)
            or (isinstance(each, GeneratorValue) and each.is_async)
            or self._infer.is_awaitable(each)
            for each in members(made)
        )

    def _takes(self, value: Value, call: f.Call) -> bool:
        """Whether a twin takes the arguments of a call."""
        functions = value.functions if isinstance(value, OverloadedValue) else (function_of(value),)
        nodes = self._module.facts.nodes
        if any(isinstance(nodes[argument], f.Starred) for argument in call.args):
            return False
        return any(function is not None and _accepts(function, call) for function in functions)


def _is_at_hand(method: FunctionValue) -> bool:
    """Whether the body of a method can be read."""
    return method.module.origin is Origin.PROJECT and not method.module.is_stub


def _awaits(method: FunctionValue) -> bool:
    """Whether a body awaits anything, or says nothing yet."""
    facts = method.module.facts
    if method.fact.is_stub or not (method.fact.falls_through or method.fact.returned):
        return True
    kinds = (MarkKind.ASYNC_WITH, MarkKind.ASYNC_FOR)
    return any(s.scope == method.scope and s.use in _ASYNCHRONOUS for s in facts.sites) or any(
        mark.scope == method.scope and mark.kind in kinds for mark in facts.marks
    )


def _hands_on(twin: FunctionValue, own: FunctionValue) -> bool:
    """Whether a twin calls the plain method itself, and not in a thread: it waits no less."""
    facts = twin.module.facts
    for site in facts.sites:
        call = facts.nodes[site.node]
        func = facts.nodes[call.func] if site.scope == twin.scope and isinstance(call, f.Call) else None
        if isinstance(func, f.Attr) and func.name == own.fact.name:
            return facts.nodes[func.value] == f.Param(twin.scope, 0)
    return False


def _accepts(function: FunctionValue, call: f.Call) -> bool:
    params = function.fact.params[1:] if function.receiver is not None else function.fact.params
    kinds = {param.kind for param in params}
    places = [param for param in params if param.kind in ("posonly", "normal")]
    if len(call.args) > len(places) and "vararg" not in kinds:
        return False
    given = {name for name, _ in call.keywords}
    if "**" in given:
        return False
    names = {param.name for param in params if param.kind in ("normal", "kwonly")}
    if not given <= names and "kwarg" not in kinds:
        return False
    rest = [*places[len(call.args) :], *(param for param in params if param.kind == "kwonly")]
    return all(_is_optional(param) or param.name in given for param in rest)


def _is_optional(param: ParamFact) -> bool:
    return param.default >= 0
