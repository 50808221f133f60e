"""Tracing names: through scopes, imports, modules and classes, to what they are bound to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitlint.engine.tracing import At, Step
from awaitlint.index import facts as f
from awaitlint.index.special import SPECIAL_FORMS, TYPING_ALIASES, TYPING_MODULES
from awaitlint.infer.insight import is_known, verdict
from awaitlint.infer.values import (
    ClassValue,
    Instance,
    ModuleValue,
    NoneValue,
    OverloadedValue,
    PropertyValue,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from awaitlint.engine.tracing import Texts
    from awaitlint.index.modules import Module
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.linearisation import Mro
    from awaitlint.infer.values import FunctionValue, Value

#: levels that are shown
DEEPEST = 12
#: bindings of one name that are shown
_MOST = 4


class Lookup:
    """Follows names; the cases of expressions are added by the class that builds on it."""

    def __init__(self, texts: Texts, infer: Inference) -> None:
        self.texts = texts
        self.infer = infer
        #: what has been shown with its parts
        self._shown: set[Hashable] = set()
        #: names that are being followed
        self._followed: set[tuple[Module, str]] = set()

    # ------------------------------------------------------------------ steps
    def step(
        self, at: At, depth: int, words: str = "", *, text: str = "", value: Value | None = None
    ) -> Step:
        """An expression with its value (or another one that is made of it), and its parts."""
        found = self.infer.value(at.module, at.node, at.context) if value is None else value
        text = text or f"{words} `{self.texts.spelled(at)}`".strip()
        # a name and what it is bound to may be one node
        name = at.expr.id if isinstance(at.expr, ast.Name) else ""
        key = ("value", at.module, at.node, at.context, name)
        return self.listed(text, "", key, depth, lambda deeper: self._expression(at, deeper), value=found)

    def made(
        self,
        text: str,
        at: At,
        depth: int,
        parts: Callable[[int], Iterator[Step]] | None,
        place: str = "",
        *,
        value: Value | None = None,
    ) -> Step:
        """A step in words, with the value of an expression, or another one."""
        value = self.infer.value(at.module, at.node, at.context) if value is None else value
        if parts is None:
            return Step(text, place, verdict(self.infer, value), is_known(self.infer, value))
        key = (text, at.module, at.node, at.context)
        return self.listed(text, place, key, depth, parts, value=value)

    def listed(
        self,
        text: str,
        place: str,
        key: Hashable,
        depth: int,
        parts: Callable[[int], Iterator[Step]],
        *,
        value: Value | None = None,
    ) -> Step:
        """A step whose parts are shown once: the first time, and not too deep."""
        words, known = "", True
        if value is not None:
            words, known = verdict(self.infer, value), is_known(self.infer, value)
        remark = ""
        found: tuple[Step, ...] = ()
        if key in self._shown:
            remark = "see above"
        elif depth >= DEEPEST:
            remark = "and so on"
        else:
            self._shown.add(key)
            found = tuple(parts(depth + 1))
            if not found:
                self._shown.discard(key)
        if words.startswith("unknown: ") and _says(found, words):
            # the reason stands where it belongs
            words = "unknown"
        return Step(text, place, words, known, found, remark)

    def show(self, key: Hashable) -> None:
        """Remember that something was shown."""
        self._shown.add(key)

    def is_shown(self, key: Hashable) -> bool:
        return key in self._shown

    # ------------------------------------------------------------------ names
    def name(self, at: At, name: str, depth: int) -> Iterator[Step]:
        """What a name is bound to where it stands."""
        module = at.module
        fact = module.facts.nodes[at.node]
        if isinstance(fact, f.Name):
            yield from self._global(module, fact.name, depth)
        elif isinstance(fact, f.Free):
            for node in module.facts.scopes[fact.scope].bindings.get(fact.name, ())[:_MOST]:
                # a function that reads the name that it is bound to anew
                if node != at.node and not isinstance(module.facts.nodes[node], f.Free):
                    yield from self.bound(At(module, node, None, fact.scope, at.context), fact.name, depth)
        else:
            yield from self.bound(at._replace(expr=None), name, depth)

    def _global(self, module: Module, name: str, depth: int) -> Iterator[Step]:
        key = (module, name)
        if key in self._followed:
            return
        self._followed.add(key)
        found = list(self.in_module(ModuleValue(module), name, depth))
        self._followed.discard(key)
        yield from found
        builtins = self.infer.project.stdlib_module("builtins")
        if not found and builtins is not None and name in builtins.facts.scopes[0].bindings:
            yield Step(f"`{name}` of the builtins")

    def unseen(self, name: str, at: At) -> Step:
        """A local name that is bound by something that facts do not describe."""
        what = f"nothing that is known binds `{name}` here" if name else "facts say nothing of it"
        value = self.infer.value(at.module, at.node, at.context)
        return Step(what, "", "", is_known(self.infer, value))

    def imported(self, at: At, fact: f.Import, line: int, depth: int) -> Step:
        """An import, and what it leads to."""
        target = self.infer.project.resolve(at.module, fact.module, fact.level)
        source = "." * fact.level + fact.module
        on = f" on line {line}" if line else ""
        text = f"imported{on} from `{source}`" if fact.name else f"`{source}`, imported{on}"
        if target is None:
            missing = "no such module" if fact.level else "neither in the project, nor installed, nor bundled"
            return self.made(text, at, depth, None, missing)
        place = self.texts.whereabouts(target)
        if not fact.name:
            return self.made(text, at, depth, None, place)
        return self.made(
            text, at, depth, lambda deeper: self.in_module(ModuleValue(target), fact.name, deeper), place
        )

    def in_module(self, owner: Value, name: str, depth: int) -> Iterator[Step]:
        """What a name of a module is bound to."""
        if not isinstance(owner, ModuleValue):
            return
        module = owner.module
        if module.is_stdlib and module.name in TYPING_MODULES and name in (*SPECIAL_FORMS, *TYPING_ALIASES):
            return
        nodes = module.facts.scopes[0].bindings.get(name, ())
        found = self.infer.module_attribute(module, name) if len(nodes) > 1 else None
        if isinstance(found, OverloadedValue):
            yield Step(f"`def {name}`, {len(found.functions)} overloads", self.texts.whereabouts(module))
            return
        for node in nodes[-_MOST:]:
            yield from self.bound(At(module, node), name, depth)
        if nodes:
            return
        for source, level in reversed(module.facts.stars):
            target = self.infer.project.resolve(module, source, level)
            text = f"`from {'.' * level}{source} import *`"
            if target is None:
                yield Step(text, "not at hand: it may bind anything", "", is_known=False)
                return
            if not isinstance(self.infer.module_attribute(target, name), Unknown):
                inner = ModuleValue(target)
                key = ("star", target, name)
                yield self.listed(
                    text,
                    self.texts.whereabouts(target),
                    key,
                    depth,
                    lambda deeper, inner=inner: self.in_module(inner, name, deeper),  # type: ignore[misc]
                )
                return
        submodule = self.infer.project.submodule(module, name)
        if submodule is not None:
            yield Step(f"module `{submodule.name}`", self.texts.whereabouts(submodule))

    # ------------------------------------------------------------------ classes
    def in_classes(self, mro: Mro, receiver: Value, name: str, depth: int) -> Iterator[Step]:
        """Which class of several has an attribute, and what it is bound to there."""
        for entry in mro:
            if entry is None:
                yield from self._unknown_bases(receiver, depth)
                return
            bound = entry.fact.bindings.get(name, ())
            assigned = entry.fact.attributes.get(name, ()) if isinstance(receiver, Instance) else ()
            if not bound and not assigned:
                continue
            yield self._attribute(entry, name, bound, assigned, depth)
            nodes = (*bound, *assigned)
            if not all(isinstance(self.infer.value(entry.module, node), NoneValue) for node in nodes):
                return
        answering = [entry for entry in mro if entry is not None and "__getattr__" in entry.fact.bindings]
        if answering and isinstance(receiver, Instance):
            cls = answering[0]
            place = self.texts.whereabouts(cls.module, cls.fact.line)
            yield Step(f"`__getattr__` of class `{cls.fact.name}` answers", place)

    def _attribute(
        self, cls: ClassValue, name: str, bound: tuple[int, ...], assigned: tuple[int, ...], depth: int
    ) -> Step:
        module, nodes = cls.module, cls.module.facts.nodes
        is_method = any(isinstance(nodes[node], f.Func) for node in bound)
        is_property = any(isinstance(self.infer.value(module, node), PropertyValue) for node in bound)
        kind = "property" if is_property else "method" if is_method else "attribute"

        def parts(deeper: int) -> Iterator[Step]:
            for node in bound[-_MOST:]:
                value = self.infer.value(module, node)
                if is_property or not isinstance(nodes[node], f.Func) or not is_known(self.infer, value):
                    yield from self.bound(At(module, node, None, cls.scope), name, deeper)
            for node in assigned[:_MOST]:
                yield self._assignment(module, name, node, deeper)

        place = self.texts.whereabouts(module, cls.fact.line)
        key = ("attribute", module, cls.scope, name)
        return self.listed(f"{kind} of class `{cls.fact.name}`", place, key, depth, parts)

    def _assignment(self, module: Module, name: str, node: int, depth: int) -> Step:
        """What a method assigns to an attribute of its ``self``."""
        text = self.texts.of(module)
        line = text.recorder.attributes.get((name, node), 0) if text is not None else 0
        fact = module.facts.nodes[node]
        words = f"set on line {line} to" if line else "set to"
        if isinstance(fact, f.Declared):
            origin = self.texts.at(module, fact.annotation)
            words = words.replace("set", "declared").replace(" to", " as")
            return self.step(origin, depth, words, value=self.infer.value(module, node))
        return self.step(self.texts.at(module, node), depth, words)

    def _unknown_bases(self, receiver: Value, depth: int) -> Iterator[Step]:
        cls = receiver.cls if isinstance(receiver, Instance) else receiver
        todo, seen = [cls] if isinstance(cls, ClassValue) else [], set()
        while todo:
            cls = todo.pop()
            if (cls.module, cls.scope) in seen:
                continue
            seen.add((cls.module, cls.scope))
            known = []
            for number, node in enumerate(cls.fact.bases):
                value = self.infer.value(cls.module, node)
                if isinstance(value, ClassValue):
                    if None in self.infer.mro(value):
                        known.append(value)
                elif not self.infer._is_generic_base(value):
                    at = self.texts.part(cls.module, cls.scope, "bases", number, node)
                    yield self.step(at, depth, f"base of class `{cls.fact.name}`")
            todo += reversed(known)

    # ------------------------------------------------------------------ given by the class that builds on it
    if TYPE_CHECKING:

        def _expression(self, at: At, depth: int) -> Iterator[Step]: ...
        def bound(self, at: At, name: str, depth: int) -> Iterator[Step]: ...
        def definition(self, func: FunctionValue, depth: int) -> Step: ...


def _says(steps: tuple[Step, ...], verdict: str) -> bool:
    """Whether a verdict stands somewhere in the steps."""
    return any(step.verdict == verdict or _says(step.parts, verdict) for step in steps)
