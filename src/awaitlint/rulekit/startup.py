"""Which functions of a module run when a program starts or ends, when nobody waits for the event loop yet."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.rulekit.context import ModuleContext

#: decorators of functions that run at the start or the end, by their last names
_DECORATORS = frozenset(
    {"on_event", "before_serving", "after_serving", "on_startup", "on_shutdown", "after_startup"}
    | {"before_server_start", "after_server_start", "before_server_stop", "after_server_stop", "listener"}
    | {"main_process_start", "main_process_stop", "after_shutdown"}
)
#: arguments and attributes that take such functions
_SLOTS = frozenset(
    {"lifespan", "on_startup", "on_shutdown", "on_cleanup", "cleanup_ctx", "startup", "shutdown"}
)
#: functions that run a program's main coroutine
_RUNNERS = frozenset({"run", "run_until_complete"})
#: names that say so
_NAMES = frozenset(
    {"lifespan", "startup", "shutdown", "on_startup", "on_shutdown", "setup_hook", "app_lifespan"}
)


class StartUp:
    """The functions of one module that run at the start or the end, by the text of the module."""

    def __init__(self, module: ModuleContext) -> None:
        self._facts = module.facts

    def has(self, scope: int) -> bool:
        """Whether a function is one of them."""
        fact = self._facts.scopes[scope]
        if fact.name in _NAMES or fact.name in self._named:
            return True
        return any(self._last_name(decorator) in _DECORATORS for decorator in fact.decorators)

    @cached_property
    def _named(self) -> frozenset[str]:
        """The names of functions that are run, or handed to something that runs them, at the start."""
        return frozenset(self._names())

    def _names(self) -> Iterator[str]:
        nodes = self._facts.nodes
        for site in self._facts.sites:
            call = nodes[site.node]
            if not isinstance(call, f.Call):
                continue
            for keyword, value in call.keywords:
                if keyword in _SLOTS:
                    yield from self._functions(value)
            func = nodes[call.func]
            if isinstance(func, f.Attr) and func.name == "append":
                owner = nodes[func.value]
                if isinstance(owner, f.Attr) and owner.name in _SLOTS:
                    yield from self._functions(*call.args)
            elif site.scope == 0 and self._last_name(call.func) in _RUNNERS:
                yield from self._functions(*call.args)

    def _functions(self, *nodes: int) -> Iterator[str]:
        for index in nodes:
            node = self._facts.nodes[index]
            if isinstance(node, f.Display):
                yield from self._functions(*node.elements)
            elif isinstance(node, f.Call):
                yield from self._functions(node.func)
            elif isinstance(node, (f.Name, f.Attr)):
                yield node.name
            elif isinstance(node, f.Func):
                yield self._facts.scopes[node.scope].name

    def _last_name(self, index: int) -> str:
        node = self._facts.nodes[index]
        if isinstance(node, f.Call):
            node = self._facts.nodes[node.func]
        return node.name if isinstance(node, (f.Attr, f.Name, f.Import, f.Free)) else ""
