"""
## What it does

Reports `async def` on a special method that Python calls without awaiting it, such as `__init__`, `__exit__`,
`__len__`, `__eq__`, `__setattr__` or `__await__`, and `__post_init__` of a dataclass. Python awaits
`__aenter__`, `__aexit__` and `__anext__` only, and these must not contain `yield`.

Special methods whose result goes to the code that used the operator may give a coroutine (`await things[key]`
is fine): `__call__`, `__getattr__`, `__getitem__`, `__get__`, `__new__`, arithmetic.
They are left alone, as is a method that the module itself calls by name and awaits, and `__init__` in a class
whose `__new__` or metaclass may do so.

## Why is this bad?

The body does not run, or the coroutine is taken for the result. `__init__`, `__len__`, `__bool__`, `__str__`,
`__iter__` and the like fail with `TypeError`; a comparison and `in` are always true; an assignment, a
deletion and a finalizer do nothing at all. The coroutine that `__exit__` gives is true, so that every
exception in the block is swallowed.

## Example

```py
class Account:
    async def __init__(self, number: int) -> None:  # error: [async-dunder]
        self.number = number

    async def __exit__(self, *details: object) -> None: ...  # error: [async-dunder]

    async def __eq__(self, other: object) -> bool:  # error: [async-dunder]
        return isinstance(other, Account)

    async def __setitem__(self, key: str, value: str) -> None: ...  # error: [async-dunder]

    async def __aiter__(self) -> "Account":  # error: [async-dunder]
        return self
```

## Use instead

```py
class Account:
    def __init__(self, number: int) -> None:
        self.number = number

    @classmethod
    async def open(cls, number: int) -> "Account":
        return cls(number)

    async def __aexit__(self, *details: object) -> None: ...

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Account)

    async def set(self, key: str, value: str) -> None: ...

    def __aiter__(self) -> "Account":
        return self
```
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.reached import reached
from awaitlint.infer.values import ClassValue, FunctionValue
from awaitlint.rulekit.definitions import Definitions, function
from awaitlint.rulekit.dunders import AWAITED, POST_INIT, consequence
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

#: metaclasses that call `__init__` as `type` does
_PLAIN_METACLASSES = frozenset({"abc.ABCMeta", "builtins.type", "enum.EnumMeta", "enum.EnumType"})


class AsyncDunder(Rule):
    code = "AWL502"
    name = "async-dunder"
    summary = "`async def` on a special method that Python does not await"

    @cached_property
    def _definitions(self) -> Definitions:
        return Definitions(self.module)

    def suspicious(self) -> Iterator[int]:
        facts = self.module.facts
        for index, scope in enumerate(facts.scopes):
            is_own = scope.is_async and scope.name.startswith("__") and self._consequence(index)
            if is_own or (scope.kind is f.ScopeKind.CLASS and any(self._assigned(index))):
                yield scope.line

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        if node.asynchronous is None or not node.name.value.startswith("__"):
            return
        what = self._consequence(self._definitions.scope(self.context, node))
        if what:
            self.report(node.name, f"`{node.name.value}` is `async def`: {what}")

    def visit_Assign(self, node: libcst.Assign) -> None:
        names = [each.target for each in node.targets if isinstance(each.target, cst.Name)]
        if not any(name.value.startswith("__") for name in names):
            return
        scope = self.context.scope
        if scope.kind is not f.ScopeKind.CLASS:
            return
        owner = next(i for i, each in enumerate(self.module.facts.scopes) if each is scope)
        found = dict(self._assigned(owner))
        for name in names:
            given = found.get(name.value)
            if given is None:
                continue
            what = consequence(name.value, is_generator=given.fact.is_generator)
            related = [self.module.definition(given, f"`{given.fact.name}` is `async def`")]
            subject = self.context.source(node.value)
            self.report(name, f"`{name.value}` is `{subject}`, an `async def`: {what}", related=related)

    def _assigned(self, owner: int) -> Iterator[tuple[str, FunctionValue]]:
        """Special methods of a class that are async functions by assignment: ``__exit__ = close``."""
        facts, infer = self.module.facts, self.module.infer
        for name, bound in facts.scopes[owner].bindings.items():
            if not name.startswith("__") or len(bound) != 1:
                continue
            node = facts.nodes[bound[0]]
            if isinstance(node, f.Func) and facts.scopes[node.scope].name == name:
                continue
            if not consequence(name, is_generator=False) or name in self._called_by_hand:
                continue
            found = function(infer.value(self.module.module, bound[0]))
            if found is None or not found.fact.is_async or found.receiver is not None:
                continue
            if consequence(name, is_generator=found.fact.is_generator) and self._is_used(name, owner):
                yield name, found

    def _consequence(self, index: int) -> str:
        """What goes wrong because a function is asynchronous; empty where nothing certainly does."""
        facts = self.module.facts
        if index < 0:
            return ""
        scope = facts.scopes[index]
        if not scope.is_async or facts.scopes[scope.parent].kind is not f.ScopeKind.CLASS:
            return ""
        if scope.name == "__aiter__" and scope.is_stub:
            # what subclasses put in its place may well be an async generator
            return ""
        found = consequence(scope.name, is_generator=scope.is_generator)
        if not found or scope.name in self._called_by_hand or not self._definitions.is_plain(index):
            return ""
        return found if self._is_used(scope.name, scope.parent) else ""

    def _is_used(self, name: str, owner: int) -> bool:
        """Whether nobody but Python calls a special method of a class, and Python does."""
        if name == "__init__":
            return self._is_constructed(ClassValue(self.module.module, owner))
        if name in POST_INIT:
            return self._has_decorator(owner, POST_INIT[name])
        return True

    def _is_constructed(self, cls: ClassValue) -> bool:
        """Whether calling a class calls its `__init__` for sure, and gives an instance."""
        infer = self.module.infer
        for entry in infer.mro(cls):
            if entry is None:
                return False
            for each in entry.fact.bindings.get("__new__", ()):
                made = function(infer.value(entry.module, each))
                if made is None or made.fact.is_async or not entry.module.is_stdlib:
                    return False
            for keyword, given in entry.fact.keywords:
                if keyword != "metaclass":
                    continue
                metaclass = infer.value(entry.module, given)
                if not isinstance(metaclass, ClassValue) or metaclass.qualname not in _PLAIN_METACLASSES:
                    return False
            if entry.fact.decorators and not entry.module.is_stdlib:
                # it may make another class of it
                return False
        return True

    def _has_decorator(self, owner: int, names: frozenset[str]) -> bool:
        module, infer = self.module.module, self.module.infer
        for decorator in self.module.facts.scopes[owner].decorators:
            node = self.module.facts.nodes[decorator]
            func = node.func if isinstance(node, f.Call) else decorator
            value = function(infer.value(module, func))
            if value is not None and value.qualname in names:
                return True
            if reached(infer.project, module, func) in names:
                return True
        return False

    @cached_property
    def _called_by_hand(self) -> frozenset[str]:
        """Special methods that the module calls by name to do with them what Python does not.

        ``await super().__init__()``, or ``return self.__anext__()``, which there is an async generator.
        """
        nodes = self.module.facts.nodes
        found = set()
        for site in self.module.facts.sites:
            call = nodes[site.node]
            func = nodes[call.func] if isinstance(call, f.Call) else None
            if not isinstance(func, f.Attr) or not func.name.startswith("__"):
                continue
            if (site.use is f.Use.AWAITED) is not (func.name in AWAITED):
                found.add(func.name)
        return frozenset(found)
