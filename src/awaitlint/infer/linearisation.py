"""The order in which a class and its bases are looked through."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from awaitlint.infer.core import Core
from awaitlint.infer.evaluator import UNCUT
from awaitlint.infer.values import ClassValue, SpecialForm, TupleValue, TypeForm, TypeVarValue, Value

if TYPE_CHECKING:
    from awaitlint.index.modules import Module

#: an entry of a method resolution order: a class, or None for one that is not known
Mro = tuple["ClassValue | None", ...]


class Linearisation(Core):
    """What inference knows of the bases of classes."""

    def bases(self, cls: ClassValue) -> list[ClassValue | None]:
        """The direct bases, None for one that is not known; `object` is left out."""
        found: list[ClassValue | None] = []
        for node in cls.fact.bases:
            value = self.value(cls.module, node)
            if isinstance(value, ClassValue):
                if value.qualname != "builtins.object":
                    found.append(value)
            elif self._is_generic_base(value):
                continue
            elif isinstance(value, TypeForm) and isinstance(value.instance, TupleValue):
                cls_tuple = self.builtin("tuple")
                found.append(cls_tuple if isinstance(cls_tuple, ClassValue) else None)
            else:
                found.append(None)
        return found

    def _is_generic_base(self, value: Value) -> bool:
        if isinstance(value, SpecialForm):
            return value.name in ("Generic", "Protocol")
        return isinstance(value, TypeForm) and isinstance(value.instance, SpecialForm)

    def mro(self, cls: ClassValue) -> Mro:
        """The C3 linearisation, type arguments carried along, without `object`.

        A base that is not known stands as None: what comes after it may be overridden by it.  A class that
        is among its own bases, or has such a base, has no base that is known.
        """
        found = self._mros.get(cls)
        if found is not None:
            return found
        outer, self._cut = self._cut, UNCUT
        try:
            made = self._made(cls)
        except RecursionError:
            self._cut = outer
            raise
        if self._cut == UNCUT or not self._depth:
            # what was computed while a cycle was cut further out is not remembered
            self._mros.update(made)
        self._cut = min(self._cut, outer)
        return made.get(cls, (cls, None))

    def _made(self, cls: ClassValue) -> dict[ClassValue, Mro]:
        """The orders of a class and its bases, the bases first: inheritance may be deeper than the stack."""
        made: dict[ClassValue, Mro] = {}
        todo = [cls]
        #: the classes between `cls` and the one that is looked at -> their bases
        path: dict[tuple[Module, int], list[ClassValue | None]] = {}
        circular = self._circular
        while todo:
            current = todo[-1]
            key = (current.module, current.scope)
            parents = path.get(key)
            if parents is None:
                if current in made or current in self._mros or ("mro", current) in self._in_progress:
                    todo.pop()
                    continue
                parents = path[key] = self._parents(current)
                places = {(base.module, base.scope) for base in parents if base is not None}
                if not places.isdisjoint(path):
                    circular.update(path)
                missing = [
                    base
                    for base in parents
                    if base is not None and (base.module, base.scope) not in path and base not in made
                ]
                if missing:
                    todo += missing
                    continue
            del path[key]
            todo.pop()
            if any(base is not None and (base.module, base.scope) in circular for base in parents):
                circular.add(key)
            orders = [None if base is None else self._known(base, made) for base in parents]
            made[current] = (current, None) if key in circular else _linearised(current, parents, orders)
        return made

    def _known(self, cls: ClassValue, made: dict[ClassValue, Mro]) -> Mro:
        return made.get(cls) or self._mros.get(cls) or (cls, None)

    def _parents(self, cls: ClassValue) -> list[ClassValue | None]:
        """The direct bases, with the type arguments that those of the class make of theirs."""
        key = ("mro", cls)
        self._in_progress[key] = self._depth
        try:
            mapping = self.class_mapping(cls)
            return [
                base if base is None or not base.args else self._substituted_class(base, mapping)
                for base in self.bases(cls)
            ]
        finally:
            del self._in_progress[key]

    def _substituted_class(self, cls: ClassValue, mapping: dict[TypeVarValue, Value]) -> ClassValue:
        return ClassValue(cls.module, cls.scope, tuple(self.substitute(arg, mapping) for arg in cls.args))

    _mros: dict[ClassValue, Mro]
    #: classes that are among their own bases, and those that derive from them
    _circular: set[tuple[Module, int]]

    def class_mapping(self, cls: ClassValue) -> dict[TypeVarValue, Value]:
        raise NotImplementedError

    def substitute(
        self, value: Value, mapping: dict[TypeVarValue, Value], receiver: Value | None = None
    ) -> Value:
        raise NotImplementedError


def is_same(first: ClassValue, second: ClassValue | None) -> bool:
    """Whether two classes are the same but for their type arguments."""
    return second is not None and first.module is second.module and first.scope == second.scope


def _linearised(cls: ClassValue, bases: list[ClassValue | None], orders: list[Mro | None]) -> Mro:
    """The C3 merge of the orders of the bases and of their list."""
    if len(orders) == 1 and orders[0] is not None:
        return (cls, *orders[0])
    # backwards, to take from the end
    sequences = [[None] if order is None else list(reversed(order)) for order in orders]
    sequences.append(bases[::-1])
    sequences = [sequence for sequence in sequences if sequence]
    #: how often a class stands behind the head of a sequence
    behind: Counter[tuple[Module, int]] = Counter()
    for sequence in sequences:
        behind.update((each.module, each.scope) for each in sequence[:-1] if each is not None)
    result: list[ClassValue | None] = [cls]
    while sequences:
        for sequence in sequences:
            head = sequence[-1]
            if head is None or not behind[head.module, head.scope]:
                break
        else:
            # no consistent order: Python would refuse the class
            return (*result, None)
        result.append(head)
        for sequence in sequences:
            first = sequence[-1]
            if first is head or (head is not None and is_same(head, first)):
                sequence.pop()
                if sequence and (then := sequence[-1]) is not None:
                    behind[then.module, then.scope] -= 1
        sequences = [sequence for sequence in sequences if sequence]
    return tuple(result)
