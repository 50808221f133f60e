"""Lowering once more, to learn where in the text the nodes of facts come from.

Facts leave out the places of most expressions, as only people ask for them.  Lowering needs the text alone,
so the same text gives the same nodes again.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import Caught, Use
from awaitlint.index.lower import lower
from awaitlint.index.lower.statements import StatementLowerer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from awaitlint.index.facts import ModuleFacts, ParamFact, ScopeKind


class Recorder(StatementLowerer):
    """A lowerer that remembers what it made of which piece of the tree."""

    #: of the lowered module
    facts: ModuleFacts

    def __init__(self, *, walrus: Sequence[int] = (), version: tuple[int, int] | None = None) -> None:
        super().__init__(walrus=walrus, version=version)
        #: expression → (node, scope it stands in); none for those inside a string
        self.expressions: dict[ast.expr, tuple[int, int]] = {}
        #: node → the first expression that it was made for, but for plain names
        self.origins: dict[int, ast.expr] = {}
        #: node → a name that stands for it somewhere
        self.names: dict[int, ast.Name] = {}
        #: (name, node) → scope → line on which the name is bound to the node there
        self.bindings: dict[tuple[str, int], dict[int, int]] = {}
        #: (attribute, node) → line on which some object's attribute is set to the node
        self.attributes: dict[tuple[str, int], int] = {}
        #: scope → its definition
        self.definitions: dict[int, Any] = {}
        #: scope → its ``return`` statements, in the order of `Scope.returned`
        self.returns: dict[int, list[ast.Return]] = {}
        self._line = 0
        #: line of the expression that was lowered last
        self._last = 0
        self._in_string = False
        self._statements = {kind: self._noting(handler) for kind, handler in self._statements.items()}
        self._table = {kind: self._recording(handler) for kind, handler in self._table.items()}

    def _noting(self, handler: Callable[[Any], None]) -> Callable[[Any], None]:
        def note(statement: ast.stmt) -> None:
            outer, self._line = self._line, statement.lineno
            handler(statement)
            self._line = outer

        return note

    def _recording(self, handler: Callable[[Any, Use, int], int]) -> Callable[[Any, Use, int], int]:
        def record(node: ast.expr, use: Use, other: int) -> int:
            found = handler(node, use, other)
            self._last = node.lineno
            if not self._in_string:
                self._note(node, found)
            return found

        return record

    def _note(self, node: ast.expr, found: int) -> None:
        self.expressions.setdefault(node, (found, self.state.index))
        if isinstance(node, ast.Name):
            self.names.setdefault(found, node)
        else:
            self.origins.setdefault(found, node)

    def quoted(self, text: str) -> int:
        # the places in a string's expression are not places in the file
        outer, self._in_string = self._in_string, True
        found = super().quoted(text)
        self._in_string = outer
        return found

    def annotation(self, node: ast.expr | None) -> int:
        found = super().annotation(node)
        if node is not None and not self._in_string:
            self._note(node, found)
        return found

    def bind(self, name: str, node: int) -> None:
        # a handler is no statement of its own
        line = self._last if isinstance(self.nodes[node], Caught) else self._line
        self.bindings.setdefault((name, node), {}).setdefault(self.state.index, line)
        super().bind(name, node)

    def assign_target(self, target: ast.expr, value: int, site: int = -1) -> None:
        outer, self._line = self._line, target.lineno
        super().assign_target(target, value, site)
        self._line = outer

    def _assign_attribute(self, target: ast.Attribute, value: int) -> int:
        self.attributes.setdefault((target.attr, value), target.lineno)
        return super()._assign_attribute(target, value)

    def _return(self, node: ast.Return) -> None:
        self.returns.setdefault(self.state.index, []).append(node)
        super()._return(node)

    def open_scope(
        self, kind: ScopeKind, name: str, node: Any, args: ast.arguments | None, *, is_async: bool = False
    ) -> tuple[int, tuple[ParamFact, ...]]:
        opened = super().open_scope(kind, name, node, args, is_async=is_async)
        self.definitions[opened[0]] = node
        return opened


def record(tree: ast.Module, data: bytes) -> Recorder:
    """Lower a module and tell what became of its tree.

    Raises:
        RecursionError: The tree is nested too deeply.
    """
    made: list[Recorder] = []

    def make(*, walrus: Sequence[int], version: tuple[int, int] | None) -> Recorder:
        made.append(Recorder(walrus=walrus, version=version))
        return made[-1]

    facts = lower(tree, data, make=make)
    recorder = made[-1]
    recorder.facts = facts
    return recorder
