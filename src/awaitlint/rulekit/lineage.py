"""What a class inherits from, as far as it is known, classes of packages that are not at hand included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.index.modules import Origin
from awaitlint.infer.values import ClassValue, External, SpecialForm, TypeForm

if TYPE_CHECKING:
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.values import Value

#: classes that are passed on the way
_MOST = 60
#: metaclasses that leave methods what they are
_PLAIN_METACLASSES = frozenset({"abc.ABCMeta", "builtins.type"})


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A class or one that it inherits from.

    `cls` is None where it is not at hand, and `name` is empty where nothing is known of it.
    """

    name: str
    cls: ClassValue | None


_UNKNOWN = Ancestor("", None)


def lineage(infer: Inference, cls: ClassValue) -> list[Ancestor]:
    """A class and what it inherits from, each class before its bases; `object` is left out.

    A base about which nothing is known is an ancestor without a name, and so is what a metaclass, a class
    decorator or a starred base may do.
    """
    found: list[Ancestor] = []
    todo: list[Value] = [cls]
    seen: set[tuple[object, int]] = set()
    while todo:
        value = todo.pop(0)
        if isinstance(value, ClassValue):
            key = (value.module, value.scope)
            if key in seen or value.qualname == "builtins.object":
                continue
            seen.add(key)
            found.append(Ancestor(value.qualname, value))
            if len(found) > _MOST:
                return [*found, _UNKNOWN]
            if value.module.origin is Origin.PROJECT and _is_changed(infer, value):
                found.append(_UNKNOWN)
            todo[:0] = [infer.value(value.module, base) for base in value.fact.bases]
        elif isinstance(value, External):
            found.append(Ancestor(value.path.replace("()", ""), None))
        elif not _is_generic(value):
            found.append(_UNKNOWN)
    return found


def descends(ancestors: list[Ancestor], names: re.Pattern[str], through: frozenset[str]) -> str:
    """The first ancestor whose name the pattern matches in full; "" where there is none.

    There is none, either, where a class before it is not at hand or has one of the methods `through` in its
    own body: those decide what becomes of the other methods.
    """
    for ancestor in ancestors:
        if names.fullmatch(ancestor.name):
            return ancestor.name
        if ancestor.cls is None or not through.isdisjoint(ancestor.cls.fact.bindings):
            return ""
    return ""


def _is_changed(infer: Inference, cls: ClassValue) -> bool:
    """Whether a metaclass may have changed the class."""
    for keyword, node in cls.fact.keywords:
        if keyword == "metaclass":
            value = infer.value(cls.module, node)
            return not isinstance(value, ClassValue) or value.qualname not in _PLAIN_METACLASSES
    return False


def _is_generic(value: Value) -> bool:
    """Whether a base is ``Generic[T]`` or the like."""
    if isinstance(value, TypeForm):
        value = value.instance
    return isinstance(value, SpecialForm)
