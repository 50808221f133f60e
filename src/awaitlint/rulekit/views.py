"""Classes whose methods are web handlers, by the classes that they inherit from."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from awaitlint.infer.values import ClassValue, External, FunctionValue, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.facts import Scope
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

VIEW_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
#: methods of such classes through which a class calls its handlers; one of its own may await what they return
_DISPATCHERS = frozenset({"dispatch", "dispatch_request", "_iter", "as_view", "__await__", "__call__"})
_VIEWS = r"""
      (?P<Django>django\.views(?:\.generic(?:\.\w+)*)?\.\w*View)
    | (?P<Starlette>starlette\.endpoints\.HTTPEndpoint)
    | (?P<aiohttp>aiohttp\.(?:web|web_urldispatcher)\.View)
    | (?P<Flask>flask\.views\.MethodView)
    | (?P<Quart>quart\.views\.MethodView)
    | (?P<Sanic>sanic\.views\.HTTPMethodView)
    """
#: classes of the project that are passed on the way to a base
_MOST_BASES = 50


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_VIEWS, re.VERBOSE)


class ViewClasses:
    """Which methods of a module's classes a framework calls."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module

    def framework(self, method: Scope) -> str | None:
        """The framework that calls a method of a class (its display name), or None.

        A class with a way of its own to call its handlers may await what they return, and so may a
        decorator; neither counts.
        """
        if method.name not in VIEW_METHODS or method.decorators:
            return None
        for base in self._bases(ClassValue(self._module.module, method.parent)):
            match = _pattern().fullmatch(reached(base))
            if match is not None:
                # where the other methods of a view of Django are asynchronous, this one's result is awaited
                awaited = match["Django"] is not None and method.name == "options"
                return None if awaited else match.lastgroup
            if isinstance(base, ClassValue) and not _DISPATCHERS.isdisjoint(base.fact.bindings):
                return None
        return None

    def inherited(self, cls: ClassValue, name: str) -> str:
        """The qualified name of a method that a class of the project inherits from elsewhere, or ""."""
        for base in self._bases(cls):
            if isinstance(base, External):
                return f"{reached(base)}.{name}"
            if not isinstance(base, ClassValue) or name in base.fact.bindings:
                return ""
        return ""

    def _bases(self, cls: ClassValue) -> Iterator[Value]:
        """A class and what it inherits from, nearest first; what is no class of the project ends a branch."""
        todo: list[Value] = [cls]
        seen: set[Value] = set()
        while todo and len(seen) < _MOST_BASES:
            current = todo.pop(0)
            if current in seen:
                continue
            seen.add(current)
            yield current
            if isinstance(current, ClassValue):
                values = [self._module.infer.value(current.module, base) for base in current.fact.bases]
                todo[:0] = values


def reached(value: Value) -> str:
    """How a function or class of a package was reached, or its qualified name; "" for anything else."""
    if isinstance(value, External):
        return value.path.replace("()", "")
    if isinstance(value, (FunctionValue, ClassValue)):
        return value.qualname
    return value.cls.qualname if isinstance(value, Instance) else ""
