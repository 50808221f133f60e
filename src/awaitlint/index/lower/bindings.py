"""Lowering of the statements that bind names: assignments and imports."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import (
    Attr,
    BinOp,
    Class,
    Declared,
    Func,
    Import,
    Index,
    Narrow,
    Param,
    Site,
    Unpack,
)
from awaitlint.index.lower.expressions import ExpressionLowerer
from awaitlint.index.lower.state import ScopeState
from awaitlint.index.lower.uses import (
    ATTRIBUTE,
    BOUND,
    DISCARDED,
    MARK_AUGMENTED,
    OPERAND,
    SCOPE_CLASS,
    STORED,
    SUBSCRIPTED,
    UNPACKED,
)

if TYPE_CHECKING:
    pass


class BindingLowerer(ExpressionLowerer):
    """Assignments, imports, and the names that a module exports."""

    def __init__(self) -> None:
        super().__init__()
        self.imports: list[str] = []
        self.packages: set[str] = set()
        #: attributes that are assigned from outside of their class
        self.patched: dict[str, list[tuple[int, int]]] = {}
        self.stars: list[tuple[str, int]] = []
        self.exports: list[str] | None = None

    # ------------------------------------------------------------------ assignments
    def _assign(self, node: ast.Assign) -> None:
        targets = node.targets
        first = targets[0]
        if len(targets) == 1:
            if type(first) is ast.Name:
                before, assigned = len(self.sites), node.value
                use = BOUND if self.state.is_function else STORED
                value = self._table[type(assigned)](assigned, use, -1)
                self.bind_local(first.id, value, self._last_site(before, value))
                if first.id == "__all__" and self.state is self.module_state:
                    self.exports = self._literal_names(node.value)
                return
            if (
                isinstance(first, (ast.Tuple, ast.List))
                and isinstance(node.value, (ast.Tuple, ast.List))
                and len(first.elts) == len(node.value.elts)
                and not any(isinstance(e, ast.Starred) for e in (*first.elts, *node.value.elts))
            ):
                self._assign_pairwise(first.elts, node.value.elts)
                return
        elif all(type(target) is ast.Name for target in targets):
            before = len(self.sites)
            value = self.expr(node.value, self.binding_use)
            position = self._last_site(before, value)
            for target in targets:
                self.bind_local(target.id, value, position)  # type: ignore[attr-defined]
            return
        use = UNPACKED if isinstance(first, (ast.Tuple, ast.List)) else STORED
        before = len(self.sites)
        value = self.expr(node.value, use)
        position = self._last_site(before, value)
        for target in targets:
            self.assign_target(target, value, position)

    def _last_site(self, before: int, value: int) -> int:
        """The site of a value that was just lowered and may hold a coroutine, or -1."""
        return len(self.sites) - 1 if len(self.sites) > before and value in self.hot else -1

    def _assign_pairwise(self, targets: list[ast.expr], values: list[ast.expr]) -> None:
        """``a, b = x, y``: all values are evaluated before anything is bound."""
        found = []
        for target, element in zip(targets, values, strict=True):
            before = len(self.sites)
            value = self.expr(element, self.binding_use if isinstance(target, ast.Name) else STORED)
            found.append((value, self._last_site(before, value)))
        for target, (value, position) in zip(targets, found, strict=True):
            if isinstance(target, ast.Name):
                self.bind_local(target.id, value, position)
            else:
                self.assign_target(target, value, position)

    def assign_target(self, target: ast.expr, value: int, site: int = -1) -> None:
        """Bind whatever a target names to a node; `site` is the value's, so that it can name the target."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, ast.Attribute):
            owner = self._assign_attribute(target, value)
            if site >= 0:
                self._name_target(site, self.add(Attr(owner, target.attr)))
        elif isinstance(target, ast.Subscript):
            container = self.expr(target.value, SUBSCRIPTED)
            index = self.expr(target.slice)
            if site >= 0:
                self._name_target(site, self.add(Index(container, index)))
        elif isinstance(target, ast.Starred):
            self.assign_target(target.value, self.plain("list"))
        elif isinstance(target, (ast.Tuple, ast.List)):
            count = len(target.elts)
            star = next((i for i, e in enumerate(target.elts) if isinstance(e, ast.Starred)), count)
            for position, element in enumerate(target.elts):
                at = position if position <= star else position - count
                self.assign_target(element, self.add(Unpack(value, at)))

    def _name_target(self, position: int, target: int) -> None:
        """Say at a site what its value is bound to."""
        if position >= 0:
            found = self.sites[position]
            self.sites[position] = Site(
                found.use,
                found.node,
                found.scope,
                found.line,
                found.column,
                found.end_line,
                found.end_column,
                target,
            )

    def _assign_attribute(self, target: ast.Attribute, value: int) -> int:
        """Bind an attribute; the result is the node of its owner."""
        owner = self.expr(target.value, ATTRIBUTE)
        found = self.nodes[owner]
        if isinstance(found, Narrow):
            found = self.nodes[self._base(owner)]
        scope, index = -1, -1
        if isinstance(found, Param):
            scope, index = found.scope, found.index
        elif isinstance(target.value, ast.Name):
            scope, index = self._captured_param(target.value.id)
        state: ScopeState | None = self.state if index == 0 else None
        while state is not None and state.index != self.scopes[scope].parent:
            state = state.parent
        if state is not None and state.kind is SCOPE_CLASS:
            state.attributes.setdefault(target.attr, []).append(value)
        else:
            self.patched.setdefault(target.attr, []).append((owner, value))
        return owner

    def _captured_param(self, name: str) -> tuple[int, int]:
        """(scope, index) of an enclosing function's parameter, as a closure over ``self`` reads it."""
        state = self.state.parent
        while state is not None:
            if state.is_function and name in state.locals:
                bound = state.bindings.get(name)
                node = self.nodes[bound[0]] if bound else None
                return (node.scope, node.index) if isinstance(node, Param) else (-1, -1)
            state = state.parent
        return -1, -1

    def _ann_assign(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        target = node.target
        value = position = -1
        if node.value is not None:
            before = len(self.sites)
            value = self.expr(node.value, self.binding_use if isinstance(target, ast.Name) else STORED)
            position = self._last_site(before, value)
        declared = self.add(Declared(annotation, value))
        if value in self.hot:
            self.hot.add(declared)
        if not isinstance(target, ast.Name):
            self.assign_target(target, declared, position)
        elif value < 0 and self.state.is_function:
            # a bare declaration binds nothing
            self.state.bindings.setdefault(target.id, []).append(declared)
        else:
            self._name_target(position, declared)
            self.bind_local(target.id, declared, position)

    def _aug_assign(self, node: ast.AugAssign) -> None:
        target, state = node.target, self.state
        awaits = state.awaits
        value = self.expr(node.value, OPERAND)
        if (
            state.awaits > awaits
            and state.is_async
            and (type(target) is not ast.Name or target.id in state.globals or target.id in state.nonlocals)
        ):
            self.mark(MARK_AUGMENTED, node.lineno, value, awaits=True)
        if isinstance(target, ast.Name):
            if target.id == "__all__" and self.state is self.module_state and self.exports is not None:
                self.exports.extend(self._literal_names(node.value) or ())
            old = self.load(target.id)
            if old in self.hot:
                self.site(OPERAND, old, target)
            self.bind(target.id, self.add(BinOp(type(node.op).__name__, old, value)))
        else:
            self.assign_target(target, 0)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                if self.state.env is not None:
                    self.state.env.pop(target.id, None)
            else:
                self.assign_target(target, 0)

    def _type_alias(self, node: Any) -> None:
        self.bind(node.name.id, self.annotation(node.value))

    @staticmethod
    def _literal_names(value: ast.expr) -> list[str] | None:
        if isinstance(value, (ast.List, ast.Tuple)):
            return [e.value for e in value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        return None

    def _extend_exports(self, call: ast.expr) -> None:
        """``__all__.extend([...])`` and ``__all__.append("x")``."""
        if self.exports is None or not isinstance(call, ast.Call) or not call.args:
            return
        func = call.func
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id == "__all__"
        ):
            argument = call.args[0]
            if func.attr == "extend":
                self.exports.extend(self._literal_names(argument) or ())
            elif (
                func.attr == "append"
                and isinstance(argument, ast.Constant)
                and isinstance(argument.value, str)
            ):
                self.exports.append(argument.value)

    def _expr_statement(self, node: ast.Expr) -> None:
        value = node.value
        if type(value) is not ast.Constant:
            self._table[type(value)](value, DISCARDED, -1)
            if self.exports is not None:
                self._extend_exports(value)

    # ------------------------------------------------------------------ imports
    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imports.append(alias.name)
            self.packages.add(alias.name.partition(".")[0])
            if alias.asname:
                self.bind(alias.asname, self.add(Import(alias.name, 0, "")))
            else:
                top = alias.name.partition(".")[0]
                self.bind(top, self.add(Import(top, 0, "")))

    def _import_from(self, node: ast.ImportFrom) -> None:
        module, level = node.module or "", node.level
        if not level:
            self.packages.add(module.partition(".")[0])
        for alias in node.names:
            if alias.name == "*":
                self.stars.append((module, level))
                self._shadow_definitions()
            else:
                self.bind(alias.asname or alias.name, self.add(Import(module, level, alias.name)))

    def _shadow_definitions(self) -> None:
        """A star import may replace the functions and classes that stand above it."""
        state = self.state
        for name, node in list((state.env or {}).items()):
            if isinstance(self.nodes[node], (Func, Class)):
                self.bind(name, self.phi(node, 0))

    # ------------------------------------------------------------------ definitions
    def annotation(self, node: ast.expr | None) -> int:
        """Lower an annotation, a quoted one too; nothing in it is reported."""
        if node is None:
            return -1
        if type(node) is ast.Name:
            return self.load(node.id)
        before = self.quiet, self.typing
        self.quiet = self.typing = True
        found = self.expr(node)
        self.quiet, self.typing = before
        return found
