"""What names mean within one distribution, as far as slimming its facts has to know.

Nothing is looked up outside of the distribution, so that a distribution's facts do not depend on what else
is bundled.  What is not known is answered so that more is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.stdlib import standard_library

STDLIB = standard_library((3, 13))
DEPTH = 12


def is_stdlib(module: str) -> bool:
    """Whether a dotted name is one of the standard library."""
    return STDLIB.has(module.partition(".")[0])


class Place(NamedTuple):
    """A node of a module."""

    module: str
    node: int


class Linked:
    """The modules of a distribution by dotted name, and which of them are packages."""

    def __init__(self, modules: dict[str, f.ModuleFacts], packages: set[str]) -> None:
        self.modules = modules
        self.packages = packages

    # ------------------------------------------------------------------ modules and names
    def absolute(self, module: str, source: str, level: int) -> str:
        """The dotted name of an imported module."""
        if not level:
            return source
        parts = module.split(".")
        kept = parts[: len(parts) - level + (module in self.packages)]
        return ".".join([*kept, source] if source else kept)

    def is_own(self, module: str) -> bool:
        """Whether a module belongs to the distribution, bundled or not."""
        parts = module.split(".")
        return any(".".join(parts[:end]) in self.modules for end in range(1, len(parts) + 1))

    def bound(self, module: str, name: str) -> tuple[int, ...] | None:
        facts = self.modules.get(module)
        return None if facts is None else facts.scopes[0].bindings.get(name)

    def starred(self, module: str) -> Iterator[str]:
        """The modules of the distribution that a module takes all names from, the last first."""
        for source, level in reversed(self.modules[module].stars):
            target = self.absolute(module, source, level)
            if target in self.modules and target != module:
                yield target

    def exported(self, module: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """The names that ``from module import *`` binds."""
        facts = self.modules[module]
        if facts.exports is not None:
            return set(facts.exports)
        names = {name for name in facts.scopes[0].bindings if not name.startswith("_")}
        for target in self.starred(module):
            if target not in seen:
                names |= self.exported(target, seen | {module})
        return names

    def definition(self, module: str, name: str, depth: int = 0) -> tuple[str, tuple[int, ...]] | None:
        """The module that binds a name which another one has, and the nodes; imports are followed."""
        nodes = self.bound(module, name)
        if depth > DEPTH:
            return None
        if nodes is None:
            for target in self.starred(module) if module in self.modules else ():
                if name in self.exported(target) and (found := self.definition(target, name, depth + 1)):
                    return found
            return None
        node = self.modules[module].nodes[nodes[0]]
        if len(nodes) == 1 and isinstance(node, f.Import) and node.name:
            target = self.absolute(module, node.module, node.level)
            if target in self.modules:
                return self.definition(target, node.name, depth + 1)
        return module, nodes

    def imported_module(self, place: Place) -> str | None:
        """The dotted name of the module, of this distribution or another, that a node surely stands for."""
        module, index = place
        facts = self.modules[module]
        node = facts.nodes[index]
        if isinstance(node, f.Name):
            nodes = facts.scopes[0].bindings.get(node.name, ())
            if len(nodes) != 1 or isinstance(facts.nodes[nodes[0]], f.Name):
                return None
            return self.imported_module(Place(module, nodes[0]))
        if isinstance(node, f.Import):
            target = self.absolute(module, node.module, node.level)
            if not node.name:
                return target
            inner = f"{target}.{node.name}"
            is_module = inner in self.modules or (STDLIB.has(inner) and target not in self.modules)
            return inner if is_module and self.bound(target, node.name) is None else None
        if isinstance(node, f.Attr):
            outer = self.imported_module(Place(module, node.value))
            inner = f"{outer}.{node.name}"
            if outer is not None and (inner in self.modules or (STDLIB.has(inner) and outer != "typing")):
                return inner
        return None

    def outside(self, place: Place) -> tuple[str, str] | None:
        """(module, name) of a thing that is imported from elsewhere.

        That is another distribution, the standard library, or a module of this one that is not bundled.
        """
        module, index = place
        node = self.modules[module].nodes[index]
        if isinstance(node, f.Name):
            found = self.definition(module, node.name)
            if found is None or len(found[1]) != 1 or found == (module, (index,)):
                return None
            node = self.modules[found[0]].nodes[found[1][0]]
            return self.outside(Place(found[0], found[1][0])) if isinstance(node, f.Import) else None
        if isinstance(node, f.Import) and node.name:
            target = self.absolute(module, node.module, node.level)
            if target not in self.modules:
                return target, node.name
            found = self.definition(target, node.name)
            if found is not None and len(found[1]) == 1 and found != (module, (index,)):
                inner = self.modules[found[0]].nodes[found[1][0]]
                return self.outside(Place(found[0], found[1][0])) if isinstance(inner, f.Import) else None
        if isinstance(node, f.Attr):
            owner = self.imported_module(Place(module, node.value))
            if owner is not None and owner not in self.modules:
                return owner, node.name
        return None

    def cls(self, place: Place, depth: int = 0) -> tuple[str, int] | None:
        """(module, scope) of the class of this distribution that a node names, or None."""
        module, index = place
        facts = self.modules[module]
        node = facts.nodes[index]
        if depth > DEPTH:
            return None
        if isinstance(node, f.Class):
            return module, node.scope
        found = None
        if isinstance(node, f.Index):
            return self.cls(Place(module, node.value), depth + 1)
        if isinstance(node, f.Name):
            found = self.definition(module, node.name)
        elif isinstance(node, f.Import) and node.name:
            found = self.definition(self.absolute(module, node.module, node.level), node.name)
        elif isinstance(node, f.Attr):
            owner = self.imported_module(Place(module, node.value))
            found = self.definition(owner, node.name) if owner is not None else None
        if found is None or len(found[1]) != 1 or found == (module, (index,)):
            return None
        return self.cls(Place(found[0], found[1][0]), depth + 1)

    def bases(self, module: str, scope: int) -> list[tuple[str, int] | tuple[str, str] | None]:
        """The bases of a class: classes of the distribution, (module, name) of others, None where unknown."""
        facts = self.modules[module]
        found: list[tuple[str, int] | tuple[str, str] | None] = []
        for base in facts.scopes[scope].bases:
            node = facts.nodes[base]
            place = Place(module, node.value if isinstance(node, f.Index) else base)
            named = facts.nodes[place.node]
            if isinstance(named, f.Name) and self.definition(module, named.name) is None:
                found.append(("builtins", named.name))
            else:
                found.append(self.cls(place) or self.outside(place))
        return found

    def ancestors(self, module: str, scope: int) -> list[tuple[str, int] | tuple[str, str] | None]:
        """The bases, their bases, and so on."""
        found: list[tuple[str, int] | tuple[str, str] | None] = []
        todo = self.bases(module, scope)
        while todo:
            base = todo.pop(0)
            if base not in found:
                found.append(base)
                if base is not None and isinstance(base[1], int):
                    todo += self.bases(base[0], base[1])
        return found
