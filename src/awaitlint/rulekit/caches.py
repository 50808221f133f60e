"""Decorators that keep what a function returned, and know nothing of coroutines.

Others do, and are not here: `async_lru.alru_cache`, `aiocache.cached`, asyncstdlib's, and `cached_property`
of the package of that name, which keeps a future.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.reached import reached
from awaitlint.infer.bodies import last_name
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.values import FunctionValue
from awaitlint.rulekit.definitions import qualname

if TYPE_CHECKING:
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

#: the name by which code reaches each -> whether it is used as ``@name(...)`` (None: both ways)
CACHES: dict[str, bool | None] = {
    "functools.lru_cache": None,
    "functools.cache": False,
    "functools.cached_property": False,
    "boltons.cacheutils.cached": True,
    "boltons.cacheutils.cachedmethod": True,
    "boltons.cacheutils.cachedproperty": False,
    "cachetools.cached": True,
    "cachetools.cachedmethod": True,
    **{
        f"cachetools.func.{name}_cache": None
        for name in ("fifo", "lfu", "lru", "mru", "rr", "ttl")  # mru: before 6.0
    },
    "django.utils.functional.cached_property": False,
    "methodtools.lru_cache": True,
    "more_itertools.cached_property": False,
    "propcache.api.cached_property": False,
    "propcache.api.under_cached_property": False,
    "propcache.cached_property": False,
    "propcache.under_cached_property": False,
    "pyramid.decorator.reify": False,
    "toolz.functoolz.memoize": None,
    "toolz.memoize": None,
    "werkzeug.utils.cached_property": False,
}
#: the last names of those
_LAST_NAMES = frozenset(name.rpartition(".")[2] for name in CACHES)
_PACKAGES = frozenset(name.partition(".")[0] for name in CACHES)


class Caches:
    """The caches that one module uses."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module

    @cached_property
    def _names(self) -> frozenset[str]:
        """The names by which the module may speak of one."""
        facts = self._module.facts
        found = set(_LAST_NAMES)
        for name, bound in facts.scopes[0].bindings.items():
            for index in bound:
                node = facts.nodes[index]
                if isinstance(node, f.Call):
                    # cached = lru_cache(maxsize=None)
                    node = facts.nodes[node.func]
                if isinstance(node, (f.Import, f.Attr, f.Name)) and node.name in _LAST_NAMES:
                    found.add(name)
        return frozenset(found)

    @cached_property
    def are_there(self) -> bool:
        """Whether the module can reach any cache: cheap, and never too narrow."""
        facts = self._module.facts
        if facts.stars or not _PACKAGES.isdisjoint(facts.packages):
            return True
        # one that another module of the project passes on
        return any(
            isinstance(facts.nodes[index], f.Import) and last_name(facts.nodes[index]) in _LAST_NAMES
            for bound in facts.scopes[0].bindings.values()
            for index in bound
        )

    def name(self, decorator: int) -> str:
        """The name of the cache that a decorator is, with or without arguments; "" where it is none."""
        nodes = self._module.facts.nodes
        node = nodes[decorator]
        if not self.are_there:
            return ""
        if isinstance(node, f.Name) and node.name in self._names:
            bound = self._module.facts.scopes[0].bindings.get(node.name, ())
            if len(bound) == 1 and isinstance(nodes[bound[0]], f.Call):
                node = nodes[bound[0]]
        if isinstance(node, f.Call):
            name = self._named(node.func)
            return name if CACHES.get(name, False) is not False else ""
        name = self._named(decorator)
        return name if CACHES.get(name, True) is not True else ""

    def _named(self, node: int) -> str:
        module, infer = self._module.module, self._module.infer
        if last_name(module.facts.nodes[node]) not in self._names:
            return ""
        name = qualname(infer.value(module, node))
        return name if name in CACHES else reached(infer.project, module, node)


class Cached(NamedTuple):
    """What a function gives that is kept, and the function that makes it."""

    is_generator: bool
    function: FunctionValue


def once_only(module: ModuleContext, value: Value) -> Cached | None:
    """What calling a value certainly gives, where that can be awaited, or iterated, only once."""
    if not isinstance(value, FunctionValue):
        return None
    if value.fact.is_async:
        return Cached(value.fact.is_generator, value)
    if value.fact.is_generator:
        return None
    infer = module.infer
    made = infer.coroutine(infer.call(value, Arguments()))
    if made is None or made.function is None or not made.function.fact.is_async:
        return None
    return Cached(made.function.fact.is_generator, made.function)
