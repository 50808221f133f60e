"""What code demands of the items of a container: whether it does with them what no coroutine can bear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.bodies import TAKERS, last_name
from awaitlint.infer.slots import Slots
from awaitlint.infer.values import ClassValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.modules import Module


class Items(Slots):
    """Follows the items of containers."""

    def items_refuse(self, module: Module, container: int, item: int) -> bool:
        """Whether code takes what it put into a container for something that is no coroutine.

        Not if it awaits the items, looks at one, hands all of them to somebody who runs them, or lets an
        inner function see them.
        """
        refused = False
        for taken in self._items(module, container, item):
            if taken < 0 or self._is_captured(module, taken):
                return False
            for use in self.uses_from(module, [taken]):
                if self.looks_at(module, use.user, use.used):
                    return False
                refused |= use.reached and self.cannot(module, use.user, use.used)
        return refused

    def are_items_run(self, module: Module, container: int, item: int) -> bool:
        """Whether code awaits what it takes out of a container, or gives all of it to `gather`."""
        return any(
            taken < 0
            or any(self.looks_at(module, use.user, use.used) for use in self.uses_from(module, [taken]))
            for taken in self._items(module, container, item)
        )

    def _items(self, module: Module, container: int, item: int) -> Iterator[int]:
        """The nodes of what is taken out of a container by ``for``, by its number, through `enumerate`.

        -1 stands for all of them, where they are given to a function that may run them.
        """
        nodes, users = module.facts.nodes, self.users(module)
        todo, seen = [container], {container}
        while todo:
            used = todo.pop()
            for user in users.get(used, ()):
                node = nodes[user]
                if isinstance(node, (f.Declared, f.Phi, f.Narrow)) and user not in seen:
                    seen.add(user)
                    todo.append(user)
                elif isinstance(node, f.Starred):
                    yield -1
                elif isinstance(node, f.Call):
                    if node.args[:1] == (used,) and self._is_enumerate(module, node):
                        yield from self._enumerated(module, user)
                    elif node.func != used and last_name(nodes[node.func]) in TAKERS:
                        yield -1
                elif isinstance(node, f.Iter):
                    yield user if not node.is_async else -1
                elif isinstance(node, f.Index) and _is_at(nodes, node, container, item):
                    yield user

    def _enumerated(self, module: Module, call: int) -> Iterator[int]:
        nodes, users = module.facts.nodes, self.users(module)
        for pair in users.get(call, ()):
            if isinstance(nodes[pair], f.Iter):
                for part in users.get(pair, ()):
                    unpacked = nodes[part]
                    if isinstance(unpacked, f.Unpack) and unpacked.index == 1:
                        yield part

    def _is_enumerate(self, module: Module, call: f.Call) -> bool:
        func = self.value(module, call.func)
        return isinstance(func, ClassValue) and func.qualname == "builtins.enumerate"

    def _is_captured(self, module: Module, item: int) -> bool:
        """Whether a function inside of the one that takes an item may use it."""
        nodes = module.facts.nodes
        for index, scope in enumerate(module.facts.scopes):
            for name, bound in scope.bindings.items():
                if item in bound and any(nodes[node] == f.Free(index, name) for node in self.users(module)):
                    return True
        return False


def _is_at(nodes: list[f.Node], index: f.Index, container: int, item: int) -> bool:
    """Whether an index is the number of an item of a display, or any number for a comprehension."""
    number = nodes[index.index]
    if not isinstance(number, f.Const) or type(number.value) is not int:
        return False
    made = nodes[container]
    if not isinstance(made, f.Display):
        return isinstance(made, f.Comp)
    count = len(made.elements)
    is_plain = not any(isinstance(nodes[element], f.Starred) for element in made.elements)
    return is_plain and -count <= number.value < count and made.elements[number.value] == item
