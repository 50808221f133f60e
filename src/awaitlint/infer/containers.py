"""Containers that begin empty: what the code puts into them says what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin
from awaitlint.infer.bodies import Bodies, last_name
from awaitlint.infer.values import NEVER, NONE, Instance, Unknown, Value, members, union, without_none

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awaitlint.index.modules import Module

#: methods that put something in -> the position of the argument that is put in
_FILLING = {"append": 0, "add": 0, "appendleft": 0, "insert": 1, "setdefault": 1}
#: methods that put in what nothing here says
_SPOILING = frozenset({"extend", "extendleft", "update", "__setitem__"})
#: functions that give the items of their first argument
_HANDING_ON = frozenset({"reversed", "list", "tuple", "sorted", "set", "iter"})
#: functions that put nothing into an argument
_READING = _HANDING_ON | {
    "len",
    "isinstance",
    "enumerate",
    "zip",
    "any",
    "all",
    "bool",
    "print",
    "repr",
    "str",
}
#: calls that make an empty container, where they have no argument
_EMPTY = frozenset({"list", "dict", "set", "deque", "OrderedDict"})
#: nodes that load a container by its name
_BY_NAME = (f.Attr, f.Free, f.Name)


class _Table(NamedTuple):
    """What is asked of a module's nodes: by attribute, by captured name, and what is stored as an item."""

    attributes: dict[str, list[int]]
    names: dict[f.Node, list[int]]
    #: container -> values
    items: dict[int, list[int]]


class Containers(Bodies):
    """What inference knows of containers that are filled by the code that made them.

    Only local names and attributes with an underscore count: others are filled by anybody.
    """

    def filled(self, module: Module, node: int, found: Value) -> Value:
        """What an item of a container is, where `found` leaves that open: instances of known classes."""
        known = without_none(found)
        if module.origin is not Origin.PROJECT or not (known == NEVER or isinstance(known, Unknown)):
            return found
        node = self._unwrapped(module, node)
        fact = module.facts.nodes[node]
        if not (isinstance(fact, _BY_NAME) or self._is_empty(module, node)):
            return found
        if isinstance(fact, f.Attr) and not fact.name.startswith("_"):
            return found
        made, _ = self.guarded(("filled", module, node), self._filled, module, node)
        if all(
            isinstance(member, Instance) and self.is_awaitable(member) is False for member in members(made)
        ):
            return made if known is found else union([made, NONE])
        return found

    @staticmethod
    def _unwrapped(module: Module, node: int) -> int:
        """The container whose items a node has: that of ``reversed(jobs)`` is ``jobs``."""
        nodes = module.facts.nodes
        fact = nodes[node]
        while isinstance(fact, f.Narrow) or (
            isinstance(fact, f.Call) and len(fact.args) == 1 and last_name(nodes[fact.func]) in _HANDING_ON
        ):
            node = fact.value if isinstance(fact, f.Narrow) else fact.args[0]
            fact = nodes[node]
        return node

    def _filled(self, module: Module, node: int) -> Value:
        return union([self.value(source, value) for source, value in self.put_in(module, node)])

    def put_in(self, module: Module, node: int) -> list[tuple[Module, int]]:
        """What is put into a container that begins empty; nothing where that is not all clear."""
        node = self._unwrapped(module, node)
        fact = module.facts.nodes[node]
        if isinstance(fact, f.Attr):
            return self._put_in_attribute(module, fact)
        if isinstance(fact, (f.Free, f.Name)):
            scope = module.facts.scopes[fact.scope if isinstance(fact, f.Free) else 0]
            bound = scope.bindings.get(fact.name, ())
            node = bound[0] if len(bound) == 1 else -1
        if node < 0 or not self._is_empty(module, node):
            return []
        aliases = [node]
        for index, scope in enumerate(module.facts.scopes):
            aliases += (
                alias
                for name, bound in scope.bindings.items()
                if bound == (node,)
                for alias in self._table(module).names.get(f.Free(index, name) if index else f.Name(name), ())
            )
        return self._put_in(module, aliases)

    def _put_in_attribute(self, module: Module, node: f.Attr) -> list[tuple[Module, int]]:
        owner = without_none(self.value(module, node.value))
        found: list[tuple[Module, int]] = []
        for entry in self.mro(owner.cls) if isinstance(owner, Instance) else ():
            if entry is None or node.name not in entry.fact.attributes:
                continue
            source = entry.module
            if source.origin is not Origin.PROJECT or node.name in source.facts.patched:
                return []
            if not all(self._is_empty(source, made) for made in entry.fact.attributes[node.name]):
                return []
            put = self._put_in(source, self._table(source).attributes.get(node.name, []))
            if not put:
                return []
            found += put
        return found

    def _is_empty(self, module: Module, node: int) -> bool:
        fact = module.facts.nodes[node]
        if isinstance(fact, f.Display):
            return not fact.elements and fact.kind != "tuple"
        if isinstance(fact, f.DictDisplay):
            return not fact.keys
        return (
            isinstance(fact, f.Call)
            and not fact.args
            and not fact.keywords
            and last_name(module.facts.nodes[fact.func]) in _EMPTY
        )

    def _put_in(self, module: Module, aliases: Iterable[int]) -> list[tuple[Module, int]]:
        """What is put into a container that these nodes stand for; nothing if others may fill it."""
        nodes, users, items = module.facts.nodes, self.users(module), self._table(module).items
        todo, seen, put = list(aliases), set[int](), list[int]()
        while todo:
            alias = todo.pop()
            if alias in seen:
                continue
            seen.add(alias)
            put += items.get(alias, ())
            for user in users.get(alias, ()):
                fact = nodes[user]
                if isinstance(fact, f.Narrow):
                    todo.append(user)
                elif isinstance(fact, f.Attr):
                    calls = [call for each in users.get(user, ()) if isinstance(call := nodes[each], f.Call)]
                    position = _FILLING.get(fact.name, -1)
                    if fact.name in _SPOILING and calls:
                        return []
                    put += (call.args[position] for call in calls if 0 <= position < len(call.args))
                elif isinstance(fact, f.Call):
                    if fact.func == alias or last_name(nodes[fact.func]) not in _READING:
                        return []
                elif isinstance(fact, (f.Display, f.DictDisplay, f.Yielded)):
                    return []
        return [(module, node) for node in sorted(set(put))]

    def _table(self, module: Module) -> _Table:
        found = self._tables.get(module)
        if found is None:
            found = self._tables[module] = _Table({}, {}, {})
            nodes = module.facts.nodes
            for index, node in enumerate(nodes):
                kind = type(node)
                if kind is f.Attr:
                    found.attributes.setdefault(node.name, []).append(index)  # type: ignore[union-attr]
                elif kind is f.Free or kind is f.Name:
                    found.names.setdefault(node, []).append(index)
            for site in module.facts.sites:
                target = nodes[site.other] if site.use is f.Use.STORED and site.other >= 0 else None
                if isinstance(target, f.Index):
                    found.items.setdefault(target.value, []).append(site.node)
        return found

    _tables: dict[Module, _Table]
