"""In which order the bases of a class are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.infer.core import Core
from awaitlint.infer.values import ClassValue, SpecialForm, TupleValue, TypeForm, TypeVarValue, Value

if TYPE_CHECKING:
    from awaitlint.index.project import Module

#: a method resolution order: classes, or None for one that is not known
Mro = tuple["ClassValue | None", ...]
#: classes in an order beyond which nobody looks; those of large frameworks have 40
_LONGEST = 200


class Orders(Core):
    """What inference knows of the bases of classes."""

    _mros: dict[ClassValue, Mro]

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

        A base that is not known stands as None: what comes after it may be overridden by it.  So does the
        rest of an order that is too long.
        """
        found = self._mros.get(cls)
        if found is None:
            found = self._linearised(cls)
        return found

    def _linearised(self, cls: ClassValue) -> Mro:
        """Linearise a class after its bases, without recursion: a file may hold a chain of thousands."""
        if ("mro", cls) in self._in_progress:
            return (cls, None)
        waiting: dict[ClassValue, list[ClassValue | None]] = {}
        #: those that wait, whatever their arguments: a class that derives from itself ends there
        path: set[tuple[Module, int]] = set()
        todo = [cls]
        try:
            while todo:
                each = todo[-1]
                if each in waiting:
                    order = self._linearise(each, waiting.pop(each))
                    self._mros[each] = order if len(order) <= _LONGEST else (*order[:_LONGEST], None)
                    path.discard((each.module, each.scope))
                    del self._in_progress["mro", each]
                elif each not in self._mros and ("mro", each) not in self._in_progress:
                    self._in_progress["mro", each] = self._depth
                    waiting[each] = []
                    path.add((each.module, each.scope))
                    waiting[each] = bases = self._substituted_bases(each)
                    todo.extend(
                        base for base in reversed(bases) if base and (base.module, base.scope) not in path
                    )
                    continue
                todo.pop()
        finally:
            for each in waiting:
                del self._in_progress["mro", each]
        return self._mros[cls]

    def _substituted_bases(self, cls: ClassValue) -> list[ClassValue | None]:
        mapping = self.class_mapping(cls)
        return [
            base if base is None or not base.args else self._substituted_class(base, mapping)
            for base in self.bases(cls)
        ]

    def _linearise(self, cls: ClassValue, bases: list[ClassValue | None]) -> Mro:
        """The C3 linearisation, where those of the bases are known (but of one that `cls` is a base of)."""
        mros: list[Mro] = [(None,) if base is None else self._mros.get(base, (base, None)) for base in bases]
        if len(mros) == 1:
            return (cls, *mros[0])
        sequences = [*(list(mro) for mro in mros), list(bases)]
        result: list[ClassValue | None] = [cls]
        sequences = [sequence for sequence in sequences if sequence]
        while sequences:
            for sequence in sequences:
                head = sequence[0]
                if head is None or not any(self._same(head, rest) for s in sequences for rest in s[1:]):
                    break
            else:
                # no consistent order: Python would refuse the class
                return (*result, None)
            result.append(head)
            for sequence in sequences:
                if (head is None and sequence[0] is None) or (
                    head is not None and self._same(head, sequence[0])
                ):
                    sequence.pop(0)
            sequences = [sequence for sequence in sequences if sequence]
        return tuple(result)

    @staticmethod
    def _same(first: ClassValue, second: ClassValue | None) -> bool:
        return second is not None and first.module is second.module and first.scope == second.scope

    def _substituted_class(self, cls: ClassValue, mapping: dict[TypeVarValue, Value]) -> ClassValue:
        return ClassValue(cls.module, cls.scope, tuple(self.substitute(arg, mapping) for arg in cls.args))

    def is_subclass(self, cls: ClassValue, base: ClassValue) -> bool:
        """Whether `cls` is known to derive from `base`."""
        return base.qualname == "builtins.object" or any(self._same(base, entry) for entry in self.mro(cls))

    def has_base(self, cls: ClassValue, qualname: str) -> bool:
        """Whether a class of that qualified name is in the method resolution order."""
        return any(entry is not None and entry.qualname == qualname for entry in self.mro(cls))

    def is_metaclass(self, cls: ClassValue) -> bool:
        return any(entry is not None and entry.qualname == "builtins.type" for entry in self.mro(cls))

    # ------------------------------------------------------------------ given by the other parts
    def class_mapping(self, cls: ClassValue) -> dict[TypeVarValue, Value]:
        raise NotImplementedError

    def substitute(
        self, value: Value, mapping: dict[TypeVarValue, Value], receiver: Value | None = None
    ) -> Value:
        raise NotImplementedError
