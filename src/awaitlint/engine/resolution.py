"""How many calls of a run lead to functions that inference knows, and why the others do not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin
from awaitlint.infer.insight import why_unknown
from awaitlint.infer.values import (
    CallableValue,
    ClassMethodValue,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    OverloadedValue,
    StaticMethodValue,
    TypeVarValue,
    Unknown,
    Value,
    members,
    without_none,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from awaitlint.engine.session import Session
    from awaitlint.files.discover import Target
    from awaitlint.index.modules import Module

#: what tells one reason from another of its kind
_NAME = re.compile(r"`([^`]*)`")
#: reasons that are told
_MOST = 5
#: names that are told for a reason
_EXAMPLES = 3
_SILENT = "inference does not say"


@dataclass(slots=True)
class Tally:
    """Numbers of calls, by where the called function comes from."""

    project: int = 0
    stdlib: int = 0
    packages: int = 0
    unknown: int = 0

    @property
    def known(self) -> int:
        return self.project + self.stdlib + self.packages

    @property
    def total(self) -> int:
        return self.known + self.unknown

    def add(self, origin: Origin | None) -> None:
        """Count a call; None stands for a function that is not known."""
        if origin is Origin.PROJECT:
            self.project += 1
        elif origin is Origin.STDLIB:
            self.stdlib += 1
        elif origin is None:
            self.unknown += 1
        else:
            self.packages += 1


@dataclass(frozen=True, slots=True)
class Reason:
    """Why functions are unknown, with the names in it left out, and the most frequent of these."""

    text: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of the calls of some files: of all, and of those in async functions."""

    calls: Tally
    in_async: Tally
    reasons: tuple[Reason, ...]


def resolution(session: Session, targets: Iterable[Target]) -> Resolution:
    """Count the calls in the files that a session has checked; a file that cannot be read has none."""
    calls, in_async = Tally(), Tally()
    reasons: Counter[str] = Counter()
    names: dict[str, Counter[str]] = {}
    for target in targets:
        linked = session.linked(target.path, session.settings_for(target.path))
        module = linked.project.module_at(target.path)
        for site, func in _calls(module) if module is not None else ():
            assert module is not None
            value = linked.infer.value(module, func)
            origin = origin_of(value)
            calls.add(origin)
            if module.facts.scopes[site.scope].is_async:
                in_async.add(origin)
            if origin is None:
                reason = _reason(value)
                kind = _NAME.sub("…", reason)
                reasons[kind] += 1
                names.setdefault(kind, Counter()).update(_NAME.findall(reason)[:1])
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:_MOST]
    return Resolution(
        calls, in_async, tuple(Reason(kind, count, _examples(names[kind])) for kind, count in ordered)
    )


def _examples(names: Counter[str]) -> tuple[str, ...]:
    ordered = sorted(names.items(), key=lambda item: (-item[1], item[0]))
    return tuple(name for name, _ in ordered[:_EXAMPLES])


def _calls(module: Module) -> Iterator[tuple[f.Site, int]]:
    """(site, called node) of every call of a module that can run; uses of names bound to one are none."""
    nodes = module.facts.nodes
    seen: set[int] = set()
    for site in module.facts.sites:
        node = nodes[site.node]
        if isinstance(node, f.Call) and site.node not in seen:
            seen.add(site.node)
            yield site, node.func


def _reason(value: Value) -> str:
    for member in members(without_none(value)):
        if isinstance(member, (Unknown, External)):
            return why_unknown(member) or _SILENT
    return _SILENT


def origin_of(value: Value) -> Origin | None:
    """Where a called function comes from: the first of several; None where one of them is not known.

    What only an annotation describes, such as a parameter that is a ``Callable``, counts as the project's.
    """
    found = [_origin(member) for member in members(without_none(value))]
    return None if None in found else found[0]


def _origin(value: Value) -> Origin | None:
    if isinstance(value, OverloadedValue):
        value = value.functions[0]
    elif isinstance(value, (StaticMethodValue, ClassMethodValue)):
        return _origin(value.function)
    elif isinstance(value, CallableValue):
        if value.origin is None:
            return Origin.PROJECT
        value = value.origin
    elif isinstance(value, Instance):
        value = value.cls
    if isinstance(value, (FunctionValue, ClassValue)):
        return value.module.origin
    return None if isinstance(value, (Unknown, External, TypeVarValue)) else Origin.STDLIB
