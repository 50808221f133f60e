"""Which steps block by themselves: calls that the catalogue or the configuration names."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.infer.callgraph import Kind, Step
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    OverloadedValue,
    Value,
)
from awaitlint.model import Severity
from awaitlint.rulekit.blocking import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.config.settings import Settings
    from awaitlint.infer.engine import Inference
    from awaitlint.rulekit.blocking import BlockingCall

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

    def is_over(self, tests: tuple[str, ...], called: frozenset[str]) -> bool:
        """Whether tests on the way, or other calls of the function, leave nothing to wait for."""
        if not self.name.endswith((".result", ".exception")):
            return False
        return any(".done()" in test for test in tests) or not called.isdisjoint(_WAITERS)


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
        if step.kind not in (Kind.CALL, Kind.HAND):
            return None
        if self._calls:
            own = self._configured(step.value)
            if own is not None:
                return own
        if step.function is not None:
            return None
        value = step.value
        found = self._memo.get(value, _MISSING)
        if isinstance(found, _Missing):
            found = self._memo[value] = self._known(value)
        if found is None or self._matches(self._safe, value):
            return None
        call = func.module.facts.nodes[step.node]
        if (
            step.kind is Kind.CALL
            and isinstance(call, f.Call)
            and self._returns_at_once(func, call, value, found)
        ):
            return None
        severity = self._severity(found.kind, found.severity)
        return None if severity is None else Leaf(found.name, found.kind, severity, found.instead)

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

    def _severity(self, kind: str, severity: Severity) -> Severity | None:
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
        known = catalogue()
        return next((known[name] for name in _names(self.infer, value) if name in known), None)

    def _returns_at_once(self, func: FunctionValue, call: f.Call, value: Value, known: BlockingCall) -> bool:
        """Whether the arguments of a call say that it does not wait."""
        return False


class _Missing:
    pass


_MISSING = _Missing()


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
