"""What the iterations of a loop have to do with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.rulekit.locks import is_guard
from awaitlint.rulekit.running import names, root, spelling
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import evaluated
from awaitlint.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Sequence

    import libcst

#: methods by which a container takes a result
_FILLING = frozenset({"append", "add", "extend", "update", "setdefault", "insert"})


@dataclass(frozen=True, slots=True)
class Iteration:
    """One iteration: the names that are its own, the containers that it fills, the awaited parts it keeps."""

    own: frozenset[str]
    filled: frozenset[str]
    kept: frozenset[libcst.CSTNode]

    def is_collected(self, node: libcst.CSTNode) -> bool:
        """Whether the result of an awaited call ends up in a container."""
        return node in self.kept

    @classmethod
    def of_loop(cls, node: libcst.For) -> Iteration | None:
        """What an iteration of a loop does; None where it may have to do with another one."""
        body = list(evaluated(node.body))
        if any(_leaves(part) for part in body):
            return None
        own = frozenset(names(node.target))
        stores = _Stores(own)
        if not all(stores.take(part) for part in body):
            return None
        if not stores.filled or _is_carried(node.body, stores.assigned - own):
            return None
        if stores.filled & names(node.iter) or not stores.filled.isdisjoint(stores.own):
            return None
        kept = frozenset(part for part in body if isinstance(part, cst.Await) and stores.keeps(part, body))
        return cls(frozenset(stores.own), frozenset(stores.filled), kept)


def _leaves(node: libcst.CSTNode) -> bool:
    """Whether a node ends the loop, waits on purpose, or makes the order of iterations matter."""
    if isinstance(node, (cst.Break, cst.Return, cst.Raise, cst.Yield, cst.While, cst.AugAssign, cst.Del)):
        return True
    if isinstance(node, (cst.For, cst.CompFor)) and node.asynchronous is not None:
        return True
    if isinstance(node, cst.With):
        return node.asynchronous is not None or any(map(is_guard, node.items))
    if isinstance(node, (cst.Try, cst.TryStar)):
        # what failed may be tried again, or the failure stop the loop
        return True
    return isinstance(node, cst.Name) and node.value == "sleep"


class _Stores:
    """What a loop's body assigns."""

    def __init__(self, own: frozenset[str]) -> None:
        #: names that belong to the iteration: the loop's targets, and what is made of them
        self.own: set[str] = set(own)
        self.assigned: set[str] = set(own)
        self.filled: set[str] = set()
        #: expressions that are put into containers
        self._put: list[libcst.BaseExpression] = []
        #: name → what is assigned to it
        self._values: dict[str, libcst.BaseExpression] = {}

    def take(self, node: libcst.CSTNode) -> bool:
        """Look at a node, in the order of the text; false where it may reach another iteration."""
        if isinstance(node, cst.Assign):
            return all(self._assign(target.target, node.value) for target in node.targets)
        if isinstance(node, cst.AnnAssign):
            return node.value is None or self._assign(node.target, node.value)
        if isinstance(node, cst.For):
            self.own |= names(node.target)
            self.assigned |= names(node.target)
        elif isinstance(node, cst.NamedExpr):
            return self._assign(node.target, node.value)
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            self._fill(node, node.func)
        return True

    def _assign(self, target: libcst.BaseExpression, value: libcst.BaseExpression) -> bool:
        if isinstance(target, cst.Name):
            self.assigned.add(target.value)
            self._values[target.value] = value
            if not names(value).isdisjoint(self.own):
                self.own.add(target.value)
            return True
        if isinstance(target, (cst.Tuple, cst.List)):
            return all(self._assign(element.value, value) for element in target.elements)
        owner = root(target)
        if owner is None:
            return False
        if owner.value in self.own:
            self._put.append(value)
            return True
        if isinstance(target, cst.Subscript) and not names(*target.slice).isdisjoint(self.own):
            self.filled.add(owner.value if owner is target.value else spelling(target.value))
            self._put.append(value)
            return True
        return False

    def _fill(self, call: libcst.Call, func: libcst.Attribute) -> None:
        written = spelling(func.value)
        if func.attr.value in _FILLING and written:
            self.filled.add(written)
            self._put.extend(argument.value for argument in call.args)

    def keeps(self, node: libcst.Await, body: Sequence[libcst.CSTNode]) -> bool:
        """Whether what an `await` gives is put into a container, directly or by a name."""
        if any(node in set(evaluated(value)) for value in self._put):
            return True
        bound = {name for name, value in self._values.items() if node in set(evaluated(value))}
        # names that are made of it in turn
        for part in body:
            if isinstance(part, cst.Assign) and not names(part.value).isdisjoint(bound):
                bound |= {name for target in part.targets for name in names(target.target)}
        return any(not names(value).isdisjoint(bound) for value in self._put)


def _is_carried(body: libcst.BaseSuite, assigned: set[str]) -> bool:
    """Whether a name is read before a body assigns it: its value is then that of an earlier iteration."""
    seen: set[str] = set()
    todo = list(reversed(children(body)))
    while todo:
        node = todo.pop()
        if isinstance(node, cst.Assign):
            # the value comes before its targets
            todo.extend(reversed(node.targets))
            todo.append(node.value)
        elif isinstance(node, cst.AssignTarget) and isinstance(node.target, (cst.Name, cst.Tuple, cst.List)):
            seen |= names(node.target)
        elif isinstance(node, cst.For):
            seen |= names(node.target)
            todo.extend((node.body, node.iter))
        elif isinstance(node, (cst.Attribute, cst.Arg)):
            todo.append(node.value)
        elif isinstance(node, cst.Name):
            if node.value in assigned and node.value not in seen:
                return True
        else:
            todo.extend(reversed(children(node)))
    return False
