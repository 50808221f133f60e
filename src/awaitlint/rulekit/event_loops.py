"""Where `asyncio.get_event_loop` is called, and what is certain of the event loop there."""

from __future__ import annotations

import enum
import re
from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.values import FunctionValue

if TYPE_CHECKING:
    from awaitlint.index.facts import Site
    from awaitlint.rulekit.context import ModuleContext

_GETTERS = frozenset({"_asyncio.get_event_loop", "asyncio.events.get_event_loop"})
_RUNNERS = frozenset({"run_until_complete", "run_forever"})
#: what tells a loop that runs, so that the code may be run without one
_ASKS = frozenset({"is_running"})
#: what sets an event loop, so that there is one
_SETS = re.compile(r"\b(?:set_event_loop|set_event_loop_policy|nest_asyncio)\b")


class Place(enum.Enum):
    """What is certain where it is called."""

    #: the event loop is running
    ASYNC = enum.auto()
    #: no event loop is running: the code is run by an import, or runs the loop itself
    OUTSIDE = enum.auto()


class EventLoops:
    """The calls of `asyncio.get_event_loop` in one module."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self._facts = module.facts

    def may_be(self, site: Site) -> bool:
        """Whether a site may be such a call, of which something is certain; cheap."""
        nodes = self._facts.nodes
        call = nodes[site.node]
        func = nodes[call.func] if isinstance(call, f.Call) else None
        if func is None or (isinstance(func, f.Attr) and func.name != "get_event_loop"):
            return False
        return self._module.call_site(site.node) is site

    def place(self, site: Site) -> Place | None:
        """What is certain where a site calls it; None where nothing is, and for other sites."""
        call = self._facts.nodes[site.node]
        if not self.may_be(site) or not isinstance(call, f.Call):
            return None
        scope = self._facts.scopes[site.scope]
        is_async = scope.is_async and scope.kind is f.ScopeKind.FUNCTION
        if not is_async and not (site.scope in self._outside or self._is_run(site)):
            return None
        func = self._module.infer.value(self._module.module, call.func)
        if not isinstance(func, FunctionValue) or func.qualname not in _GETTERS:
            return None
        if is_async:
            return None if self._uses(site, _ASKS) else Place.ASYNC
        return None if _SETS.search(self._module.text) else Place.OUTSIDE

    @cached_property
    def _outside(self) -> frozenset[int]:
        """The scopes whose code an import runs."""
        found = {0}
        for number, scope in enumerate(self._facts.scopes):
            if scope.kind is f.ScopeKind.CLASS and scope.parent in found:
                found.add(number)
        return frozenset(found)

    def _is_run(self, site: Site) -> bool:
        """Whether the function itself runs the loop that a call gives, so that none is running."""
        is_function = self._facts.scopes[site.scope].kind is f.ScopeKind.FUNCTION
        return is_function and self._uses(site, _RUNNERS)

    def _uses(self, site: Site, methods: frozenset[str]) -> bool:
        """Whether the same function calls one of the methods of the loop that a call gives."""
        nodes = self._facts.nodes
        for other in self._facts.sites:
            call = nodes[other.node] if other.scope == site.scope else None
            func = nodes[call.func] if isinstance(call, f.Call) else None
            if isinstance(func, f.Attr) and func.name in methods and func.value == site.node:
                return True
        return False
