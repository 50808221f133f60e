"""Facts of a distribution without what nobody can ask of them.

`Simplified` takes away what cannot change an answer, `Reached` finds what can be got at from the public
names, and `slim` copies that.  A private member of a class that nothing reads is left out of all classes
alike, so that no base answers in its place.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from reaching import Reached
from simplifying import Simplified
from table_tools import Copier

from awaitlint.index import facts as f


def slim(
    modules: dict[str, f.ModuleFacts],
    packages: set[str],
    drop: tuple[str, ...] = (),
    keep: tuple[str, ...] = (),
) -> dict[str, f.ModuleFacts]:
    """The facts of a distribution's modules without what nobody can ask of them.

    Args:
        modules: By dotted name.
        packages: Which of them are packages.
        drop: Patterns of names that modules are not to have.
        keep: Patterns of names that are kept though they are merely data.
    """
    for facts in modules.values() if drop else ():
        bindings = facts.scopes[0].bindings
        for name in list(bindings):
            if any(fnmatchcase(name, pattern) for pattern in drop):
                del bindings[name]
    reached = Reached(Simplified(modules, packages), keep)
    found = {name: _copy(reached, name) for name in reached.modules}
    kept = {
        name: facts
        for name, facts in found.items()
        if name in packages or name in reached.whole or facts.scopes[0].bindings or facts.stars
    }
    for name, facts in kept.items():
        targets = [(star, reached.linked.absolute(name, *star)) for star in facts.stars]
        # of a module that is not kept, no name is missed
        facts.stars = tuple(
            star for star, target in targets if target in kept or not reached.linked.is_own(target)
        )
    return kept


def _copy(reached: Reached, module: str) -> f.ModuleFacts:
    facts, copier = reached.modules[module], Copier()
    kept = sorted(reached.scopes[module])
    copier.begin(facts.nodes, {old: new for new, old in enumerate(kept)})
    names = reached.names[module]
    scopes = []
    for index in kept:
        scope = facts.scopes[index]
        if scope.kind is f.ScopeKind.MODULE:
            bindings = {name: nodes for name, nodes in scope.bindings.items() if name in names}
        elif scope.kind is f.ScopeKind.CLASS:
            bindings = _members(reached, module, index, scope.bindings)
        else:
            local = reached.local[module]
            bindings = {name: nodes for name, nodes in scope.bindings.items() if (index, name) in local}
        attributes = _members(reached, module, index, scope.attributes)
        scopes.append(copier.scope(scope, bindings=bindings, attributes=attributes))
    attributes = {node.name for node in copier.nodes if isinstance(node, f.Attr)}
    exports = facts.exports
    kept_exports = tuple(
        name for name in exports or () if name in names or f"{module}.{name}" in reached.modules
    )
    return f.ModuleFacts(
        nodes=copier.nodes,
        scopes=scopes,
        sites=[],
        stars=facts.stars,
        exports=None if exports is None else exports if facts.stars else kept_exports,
        patched={name: () for name in facts.patched if name in attributes},
    )


def _members(
    reached: Reached, module: str, scope: int, names: dict[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    return {name: nodes for name, nodes in names.items() if reached.keeps(module, scope, name)}
