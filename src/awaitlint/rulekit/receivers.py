"""Which calls, of a module or of all modules, call the same thing, as far as the text alone tells."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin
from awaitlint.index.reached import follow
from awaitlint.infer.bodies import last_name
from awaitlint.rulekit.mentions import modules_with, project_mentions

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from awaitlint.index.facts import Site
    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project
    from awaitlint.rulekit.context import ModuleContext

#: how long a chain of attributes and calls is followed
_LONGEST = 20


class Receivers:
    """Calls by the path that leads to their function, where inference cannot say what the function is.

    A path begins at a global name, an import, the class of ``self``, a parameter (by name and annotation),
    or else at one binding of one local name, which is followed to what it was bound to: equal names of locals
    that have nothing to do with each other are not alike.  Arguments of calls on the way do not count.
    """

    def __init__(self, module: ModuleContext) -> None:
        self._facts = module.facts
        self._paths: dict[int, Hashable] = {}
        self._by_path: dict[Hashable, list[Site]] | None = None
        self._module = module

    def alike(self, call: int) -> list[Site]:
        """The sites of all calls of what a call calls, in the order of the text, its own among them."""
        if self._by_path is None:
            self._by_path = {}
            for site in self._facts.sites:
                node = self._facts.nodes[site.node]
                if isinstance(node, f.Call) and self._module.call_site(site.node) is site:
                    self._by_path.setdefault(self.path(node.func), []).append(site)
        node = self._facts.nodes[call]
        return self._by_path.get(self.path(node.func), []) if isinstance(node, f.Call) else []

    def path(self, node: int, depth: int = 0) -> Hashable:
        """What two expressions have in common that mean the same object."""
        known = self._paths.get(node)
        if known is None:
            known = ("node", node) if depth > _LONGEST else self._path(node, depth + 1)
            self._paths[node] = known
        return known

    def _path(self, node: int, depth: int) -> Hashable:
        fact = self._facts.nodes[node]
        if isinstance(fact, (f.Name, f.Import, f.Super, f.Const, f.Plain)):
            return fact
        if isinstance(fact, f.Attr):
            return (self.path(fact.value, depth), fact.name)
        if isinstance(fact, (f.Await, f.Enter, f.Iter)):
            return (type(fact), self.path(fact.value, depth))
        if isinstance(fact, f.Call):
            return ("call", self.path(fact.func, depth))
        if isinstance(fact, (f.Unpack, f.Index)):
            index = fact.index if isinstance(fact, f.Unpack) else self.path(fact.index, depth)
            return (type(fact), self.path(fact.value, depth), index)
        if isinstance(fact, f.Narrow):
            value = self.path(fact.value, depth)
            # `isinstance` tells one class from another; other tests say nothing of it
            told = fact.test == "isinstance"
            return (value, self.path(fact.against, depth), fact.positive) if told else value
        if isinstance(fact, f.Declared):
            return ("declared", self.path(fact.annotation, depth))
        if isinstance(fact, f.BinOp):
            return (fact.op, self.path(fact.left, depth), self.path(fact.right, depth))
        if isinstance(fact, f.Display):
            return (fact.kind, tuple(self.path(element, depth) for element in fact.elements))
        if isinstance(fact, f.Param):
            return self._parameter(fact, depth)
        if isinstance(fact, f.Free):
            bound = self._facts.scopes[fact.scope].bindings.get(fact.name, ())
            return self.path(bound[0], depth) if len(bound) == 1 else ("free", fact.scope, fact.name)
        return ("node", node)

    def _parameter(self, fact: f.Param, depth: int) -> Hashable:
        scopes = self._facts.scopes
        scope = scopes[fact.scope]
        if fact.index == 0 and scopes[scope.parent].kind is f.ScopeKind.CLASS:
            return ("self", scope.parent)
        param = scope.params[fact.index]
        return (
            "parameter",
            param.name,
            self.path(param.annotation, depth) if param.annotation >= 0 else None,
        )


class Place(NamedTuple):
    """A call in a module of the project."""

    module: Module
    site: Site


def same_everywhere(project: Project, module: Module, func: int, *, awaited: int) -> tuple[Place, ...]:
    """The calls in all modules of a project of what a node stands for, where other modules can name it.

    That is an import from outside of the project, or what one of its modules binds once and for all, with the
    attributes and calls on the way.  Empty for anything else, such as what a parameter or ``self`` has, and
    where the project awaits fewer calls of functions with that name than `awaited`.
    """
    shared = _shared(project, module, func)
    name = last_name(module.facts.nodes[func])
    if shared is None or project_mentions(project).awaited[name] < awaited:
        return ()
    modules = modules_with(project, name)
    return _calls(modules, project, name).get(shared, ())


def _shared(project: Project, module: Module, func: int) -> Hashable | None:
    """What the ways to one function have in common, in whichever module they begin."""
    trail = follow(project, module, func)
    fact = trail.module.facts.nodes[trail.node]
    if isinstance(fact, f.Import):
        target = project.resolve(trail.module, fact.module, fact.level)
        if fact.level or (target is not None and target.origin is Origin.PROJECT):
            return None
        path = (fact.module, fact.name, *reversed(trail.names))
        return ".".join(filter(None, path)), len(trail.calls)
    bindings = trail.module.facts.scopes[0].bindings
    if (trail.node,) not in bindings.values():
        return None
    return trail.module, trail.node, tuple(trail.names), len(trail.calls)


@functools.lru_cache(maxsize=64)
def _calls(modules: tuple[Module, ...], project: Project, name: str) -> Mapping[Hashable, tuple[Place, ...]]:
    """The calls of functions with this last name in modules of a project, by what they call."""
    found: dict[Hashable, list[Place]] = {}
    for module in modules:
        nodes = module.facts.nodes
        seen: set[int] = set()
        for site in module.facts.sites:
            call = nodes[site.node]
            if site.node in seen or not isinstance(call, f.Call) or last_name(nodes[call.func]) != name:
                continue
            seen.add(site.node)
            shared = _shared(project, module, call.func)
            if shared is not None:
                found.setdefault(shared, []).append(Place(module, site))
    return {shared: tuple(places) for shared, places in found.items()}
