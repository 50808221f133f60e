"""What can be got at from the public names of a distribution's modules."""

from __future__ import annotations

from fnmatch import fnmatchcase

from linking import DEPTH, Linked, Place, is_stdlib
from simplifying import Simplified
from table_tools import REFERENCES, SCOPED

from awaitlint.index import facts as f

#: special methods that say nothing which `object` does not say
DULL = frozenset(
    {"__all__", "__author__", "__copy__", "__deepcopy__", "__del__", "__delattr__", "__dir__", "__doc__"}
    | {"__eq__", "__format__", "__ge__", "__getstate__", "__gt__", "__hash__", "__init_subclass__", "__le__"}
    | {"__lt__", "__match_args__", "__module__", "__ne__", "__qualname__", "__reduce__", "__reduce_ex__"}
    | {"__repr__", "__repr_args__", "__rich_repr__", "__setattr__", "__setstate__", "__sizeof__"}
    | {"__slots__", "__str__", "__version__", "__weakref__"}
)


def _is_private(module: str) -> bool:
    return any(part.startswith("_") for part in module.split("."))


class Reached:
    """What can be got at from the public names of a distribution's modules."""

    def __init__(self, simplified: Simplified, keep: tuple[str, ...] = ()) -> None:
        modules, self._whole = simplified.modules, simplified.linked
        self.linked = Linked(modules, self._whole.packages)
        self.modules = modules
        self._keep = keep
        self.nodes: dict[str, set[int]] = {name: set() for name in modules}
        self.scopes: dict[str, set[int]] = {name: {0} for name in modules}
        self.names: dict[str, set[str]] = {name: set() for name in modules}
        #: (scope, name) of functions' local names that nested functions read
        self.local: dict[str, set[tuple[int, str]]] = {name: set() for name in modules}
        #: modules that are used as a whole
        self.whole: set[str] = set()
        #: names of attributes that something reads
        self.read: set[str] = set(self._whole.protocol_members() - DULL)
        #: private members of classes that nothing has read yet: name -> (module, nodes)
        self._waiting: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
        self._hiding: dict[tuple[str, int], bool] = {}
        self._todo: list[tuple[str, int]] = []
        for name in modules:
            if not _is_private(name):
                self._public(name)
        self._run()
        while self._overriders():
            self._run()

    def _public(self, module: str) -> None:
        """Mark the public names of a module that matter; what is merely data is there if it is named."""
        facts = self.modules[module]
        exports = facts.exports or ()
        for name, nodes in facts.scopes[0].bindings.items():
            is_public = name in exports or not (name.startswith("_") or self._is_foreign(module, nodes))
            is_kept = any(fnmatchcase(name, pattern) for pattern in self._keep)
            if is_public and (is_kept or any(self._matters(module, node) for node in nodes)):
                self._name(module, name)
        for target in self.linked.starred(module):
            for name in sorted(self.linked.exported(target)):
                found = self.linked.definition(target, name)
                if found is None or any(self._matters(found[0], node) for node in found[1]):
                    self._name(target, name)

    def _matters(self, module: str, index: int, depth: int = 0) -> bool:
        """Whether what a name of a module is bound to does something, or may."""
        if depth > DEPTH:
            return True
        node = self.modules[module].nodes[index]
        if isinstance(node, f.Class):
            return not self._whole.is_data_class(module, node.scope)
        if isinstance(node, f.Import):
            target = self.linked.absolute(module, node.module, node.level)
            found = self.linked.definition(target, node.name)
            if target not in self.modules:
                return not (is_stdlib(target) or self.linked.is_own(target))
            if not node.name or found is None:
                return True
            return found != (module, (index,)) and any(
                self._matters(found[0], each, depth + 1) for each in found[1]
            )
        if isinstance(node, f.Call):
            outside = self.linked.outside(Place(module, node.func))
            return outside is None or not is_stdlib(outside[0])
        if isinstance(node, f.Phi):
            return any(self._matters(module, option, depth + 1) for option in node.options)
        if isinstance(node, f.Declared):
            if node.value >= 0:
                return self._matters(module, node.value, depth + 1)
            place = Place(module, node.annotation)
            return self._whole.decides(place) and not self._whole.is_data(place)
        return isinstance(node, (f.Func, f.Lambda, f.Attr, f.Name))

    def _is_foreign(self, module: str, nodes: tuple[int, ...]) -> bool:
        """Whether a name is one that a module only imports for its own use."""
        facts = self.modules[module]
        node = facts.nodes[nodes[0]]
        if not isinstance(node, f.Import):
            return False
        if not node.level and is_stdlib(node.module):
            return True
        if module in self.linked.packages:
            return False
        source = self.linked.absolute(module, node.module, node.level)
        is_elsewhere = source in self.modules and not _is_private(source) and len(facts.scopes) > 1
        return facts.exports is not None or is_elsewhere

    # ------------------------------------------------------------------ marking
    def _name(self, module: str, name: str) -> None:
        if module not in self.modules or name in self.names[module]:
            return
        nodes = self.linked.bound(module, name)
        if nodes is not None:
            self.names[module].add(name)
            self._todo += [(module, node) for node in nodes]
        else:
            for target in self.linked.starred(module):
                if name in self.linked.exported(target):
                    self._name(target, name)

    def _run(self) -> None:
        while self._todo:
            module, index = self._todo.pop()
            if index >= 0 and index not in self.nodes[module]:
                self.nodes[module].add(index)
                self._node(module, index)

    def _node(self, module: str, index: int) -> None:
        node = self.modules[module].nodes[index]
        if isinstance(node, f.Name):
            self._name(module, node.name)
        elif isinstance(node, f.Import):
            self._imported(module, node)
        elif isinstance(node, f.Attr):
            self._read_attribute(node.name)
            owner = self.linked.imported_module(Place(module, node.value))
            if owner is not None:
                self._name(owner, node.name)
        elif isinstance(node, f.Call) and len(node.args) > 1:
            name = self.modules[module].nodes[node.args[1]]
            if isinstance(name, f.Const) and isinstance(name.value, str):
                self._read_attribute(name.value)
        elif isinstance(node, f.Free):
            self.local[module].add((node.scope, node.name))
            bound = self.modules[module].scopes[node.scope].bindings.get(node.name, ())
            self._todo += [(module, each) for each in bound]
        if isinstance(node, SCOPED):
            self._scope(module, node.scope)
        for field in REFERENCES[type(node)]:
            value = getattr(node, field)
            if isinstance(value, int):
                self._todo.append((module, value))
            else:
                self._todo += [(module, each if isinstance(each, int) else each[1]) for each in value]

    def _imported(self, module: str, node: f.Import) -> None:
        target = self.linked.absolute(module, node.module, node.level)
        if not node.name:
            self.whole.add(target)
        elif target in self.modules:
            self._name(target, node.name)
            if self.linked.bound(target, node.name) is None:
                self.whole.add(f"{target}.{node.name}")

    def _read_attribute(self, name: str) -> None:
        if name not in self.read:
            self.read.add(name)
            for module, nodes in self._waiting.pop(name, ()):
                self._todo += [(module, node) for node in nodes]

    def _scope(self, module: str, index: int) -> None:
        if index in self.scopes[module]:
            return
        self.scopes[module].add(index)
        scope = self.modules[module].scopes[index]
        if scope.parent > 0:
            self._scope(module, scope.parent)
        found = [*scope.decorators, *scope.bases, *scope.returned, *scope.yielded, scope.returns]
        found += [value for _, value in scope.keywords]
        for param in scope.params:
            found += [param.annotation, param.default]
        if scope.kind is f.ScopeKind.CLASS:
            hides = self._may_hide(module, index)
            for names in (scope.bindings, scope.attributes):
                for name, nodes in names.items():
                    if self.wants(name) or (hides and name not in DULL):
                        found += nodes
                    else:
                        self._waiting.setdefault(name, []).append((module, nodes))
        self._todo += [(module, node) for node in found]

    def wants(self, name: str) -> bool:
        """Whether a member of a class of this name is kept."""
        if name in self.read:
            return True
        if name.startswith("__") and name.endswith("__"):
            return name not in DULL
        return not name.startswith("_")

    def _may_hide(self, module: str, index: int) -> bool:
        """Whether a class has a base of another distribution, some private member of which is kept."""
        known = self._hiding.get((module, index))
        if known is None:
            known = self._hiding[module, index] = any(
                base is None or (isinstance(base[1], str) and not is_stdlib(base[0]))
                for base in self.linked.ancestors(module, index)
            )
        return known

    def keeps(self, module: str, scope: int, name: str) -> bool:
        """Whether a member of a class is kept."""
        return self.wants(name) or (name not in DULL and self._may_hide(module, scope))

    def _overriders(self) -> bool:
        """Mark private classes in which a method of a kept class is async and was not, or the reverse."""
        found = False
        for module, facts in self.modules.items():
            for index, scope in enumerate(facts.scopes):
                if scope.kind is not f.ScopeKind.CLASS or index in self.scopes[module]:
                    continue
                for base in self.linked.ancestors(module, index):
                    if (
                        base is not None
                        and base[0] == module
                        and base[1] in self.scopes[module]
                        and self._differ(facts, scope, facts.scopes[base[1]])
                    ):
                        self._scope(module, index)
                        found = True
                        break
        return found

    @staticmethod
    def _differ(facts: f.ModuleFacts, scope: f.Scope, base: f.Scope) -> bool:
        for name, nodes in scope.bindings.items():
            own = facts.nodes[nodes[-1]]
            other = facts.nodes[base.bindings[name][-1]] if name in base.bindings else None
            if (
                isinstance(own, f.Func)
                and isinstance(other, f.Func)
                and facts.scopes[own.scope].is_async != facts.scopes[other.scope].is_async
            ):
                return True
        return False
