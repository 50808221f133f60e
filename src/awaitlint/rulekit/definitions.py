"""The functions that a module defines: where they stand, what their decorators are given."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.values import (
    ClassMethodValue,
    ClassValue,
    External,
    FunctionValue,
    OverloadedValue,
    StaticMethodValue,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext, NodeContext


class Definitions:
    """The functions of one module, by the numbers of their scopes."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module

    @cached_property
    def _starts(self) -> dict[tuple[int, int], int]:
        return {
            (scope.line, scope.column): index
            for index, scope in enumerate(self._module.facts.scopes)
            if scope.kind is not f.ScopeKind.MODULE
        }

    def scope(self, context: NodeContext, node: libcst.FunctionDef | libcst.ClassDef) -> int:
        """The scope of a definition that is visited; -1 where facts have none."""
        span = context.span(node)
        return self._starts.get((span.line, self._module.columns.to_bytes(span.line, span.column)), -1)

    def owner(self, scope: int) -> ClassValue | None:
        """The class that a function is a method of."""
        parent = self._module.facts.scopes[scope].parent
        if self._module.facts.scopes[parent].kind is not f.ScopeKind.CLASS:
            return None
        return ClassValue(self._module.module, parent)

    def value(self, scope: int) -> Value:
        """What the ``def`` of a scope binds, decorators applied."""
        facts = self._module.facts
        fact = facts.scopes[scope]
        for node in facts.scopes[fact.parent].bindings.get(fact.name, ()):
            if facts.nodes[node] == f.Func(scope):
                return self._module.infer.value(self._module.module, node)
        return Unknown("the function is not bound where it is defined")

    def is_plain(self, scope: int) -> bool:
        """Whether the decorators of a function leave it what it is, but for `staticmethod` and its like."""
        return function(self.value(scope)) == FunctionValue(self._module.module, scope)

    def decorations(self, scope: int) -> Iterator[tuple[int, Value]]:
        """Each decorator of a function with what it is given, the innermost first."""
        module = self._module.module
        value: Value = FunctionValue(module, scope)
        for decorator in reversed(self._module.facts.scopes[scope].decorators):
            yield decorator, value
            value = self._module.infer.decorated(module, decorator, value, ())


def function(value: Value) -> FunctionValue | None:
    """The function that a value is, or that `staticmethod` or `classmethod` was given."""
    if isinstance(value, (StaticMethodValue, ClassMethodValue)):
        value = value.function
    if isinstance(value, OverloadedValue):
        value = value.functions[0]
    return value if isinstance(value, FunctionValue) else None


def qualname(value: Value) -> str:
    """The qualified name of a function or class, or the path of what is not at hand; else ""."""
    found = function(value)
    if found is not None:
        return found.qualname
    if isinstance(value, ClassValue):
        return value.qualname
    return value.path.replace("()", "") if isinstance(value, External) else ""
