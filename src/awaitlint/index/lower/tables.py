"""The tables that lowering fills: nodes, sites, scopes, and what names stand for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import (
    Const,
    Declared,
    Free,
    Func,
    Misplaced,
    Name,
    Narrow,
    Node,
    Phi,
    Plain,
    Scope,
    Site,
    TypeParam,
    Unknown,
    Unpack,
    Use,
)
from awaitlint.index.lower.state import NUMBERS, SHARED, ScopeState, freeze, namespace, references, shared
from awaitlint.index.lower.uses import BOUND, NEVER_READ, OTHER, SCOPE_CLASS, SCOPE_MODULE, STORED
from awaitlint.index.marks import Mark, MarkKind

if TYPE_CHECKING:
    pass


def _terminal_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


#: of all scopes that have none; nobody changes what facts hold
_NO_ATTRIBUTES: dict[str, tuple[int, ...]] = {}


class Tables:
    """Nodes, sites and names of one module; the lowerers of expressions and statements build on it."""

    def __init__(self) -> None:
        self.nodes: list[Node] = [Unknown(), Const(None), Const(True), Const(False)]
        self.scopes: list[Scope] = []
        self.sites: list[Site] = []
        self.misplaced: list[Misplaced] = []
        self.marks: list[Mark] = []
        self.state = ScopeState(SCOPE_MODULE, 0, None)
        self.module_state = self.state
        #: inside ``if TYPE_CHECKING:`` or code that cannot be reached: nothing there is reported
        self.quiet = False
        #: inside an annotation: a string there is an expression
        self.typing = False
        self._consts: dict[tuple[type, Any], int] = {(type(None), None): 1, (bool, True): 2, (bool, False): 3}
        self._names: dict[str, int] = {}
        self._phis: dict[tuple[int, int], int] = {}
        #: nodes that may be a coroutine's first holder: calls, and what merges or narrows them
        self.hot: set[int] = set()

    # ------------------------------------------------------------------ tables
    def add(self, node: Node) -> int:
        nodes = self.nodes
        index = len(nodes)
        nodes.append(node)
        return NUMBERS[index] if index < SHARED else index

    def reserve(self) -> int:
        """A place for a node whose parts are lowered first."""
        nodes = self.nodes
        index = len(nodes)
        nodes.append(nodes[0])
        return NUMBERS[index] if index < SHARED else index

    def plain(self, type_name: str) -> int:
        key = (Plain, type_name)
        node = self._consts.get(key)
        if node is None:
            node = self._consts[key] = self.add(Plain(type_name))
        return node

    def site(self, use: Use, node: int, at: ast.expr, other: int = -1) -> None:
        if not self.quiet:
            line, end_line = at.lineno, at.end_lineno
            if line < SHARED:
                line = NUMBERS[line]
            if end_line is None or end_line == line:
                end_line = line
            elif end_line < SHARED:
                end_line = NUMBERS[end_line]
            end_column = at.end_col_offset or at.col_offset
            self.sites.append(
                Site(use, node, self.state.index, line, at.col_offset, end_line, end_column, other)
            )

    def mark(self, kind: MarkKind, line: int, node: int, *, awaits: bool) -> None:
        if not self.quiet:
            self.marks.append(Mark(kind, self.state.index, line, node, awaits))

    def phi(self, first: int, second: int) -> int:
        """The node for "one or the other", without narrowings that cancel out."""
        if first == second:
            return first
        base = self._base(first)
        if base == self._base(second):
            return base
        key = (first, second) if first < second else (second, first)
        node = self._phis.get(key)
        if node is None:
            node = self._phis[key] = self.add(Phi(key))
            if first in self.hot or second in self.hot:
                self.hot.add(node)
        return node

    def _base(self, node: int) -> int:
        while isinstance(found := self.nodes[node], Narrow):
            node = found.value
        return node

    # ------------------------------------------------------------------ names
    def load(self, name: str) -> int:
        """The node that a name stands for here."""
        state = self.state
        env = state.env
        if env is not None and name in env:
            node = env[name]
            if state.is_function:
                state.loaded.add(node)
            if (
                state is self.module_state
                and isinstance(self.nodes[node], Func)
                and len(state.bindings[name]) > 1
            ):
                # by name, so that overloads are seen
                return self.add(Name(name))
            if state.unstable and name in state.unstable:
                return self.add(Free(state.index, name) if state.is_function else Name(name))
            return node
        if name in state.locals and state.is_function:
            return 0
        outer = state.parent
        while outer is not None:
            if outer.is_function and name in outer.locals:
                outer.captured.add(name)
                return self._captured(outer, name)
            if name in outer.hidden:
                return 0
            if name in outer.type_params:
                return self.add(TypeParam(outer.index, name))
            outer = outer.parent
        node = self._names.get(name, -1)
        if node < 0:
            node = self._names[name] = self.add(Name(name))
        return node

    def _captured(self, outer: ScopeState, name: str) -> int:
        """A name of an enclosing function; bound once, it is still narrowed as it was at the ``def``."""
        if outer.env is not None and len(outer.bindings.get(name, ())) == 1:
            node = outer.env.get(name, -1)
            if node >= 0 and isinstance(self.nodes[node], Narrow):
                return node
        free = self.add(Free(outer.index, name))
        if any(bound in self.hot for bound in outer.bindings.get(name, ())):
            self.hot.add(free)
        return free

    def bind(self, name: str, node: int) -> None:
        """Bind a name of the current scope (or the one that ``global``/``nonlocal`` name)."""
        state = self.state
        if state.globals and name in state.globals:
            self.module_state.unstable.add(name)
            self.module_state.outside.setdefault(name, []).append(node)
            return
        if state.nonlocals and name in state.nonlocals:
            outer = state.parent
            while outer is not None:
                if outer.is_function and name in outer.locals:
                    outer.captured.add(name)
                    outer.unstable.add(name)
                    outer.bindings.setdefault(name, []).append(node)
                    return
                outer = outer.parent
            return
        bound = state.bindings.get(name)
        if bound is None:
            state.bindings[name] = [node]
        else:
            bound.append(node)
        if state.env is not None:
            state.env[name] = node
        state.log.append((name, node))

    def bind_local(self, name: str, node: int, site: int = -1) -> None:
        """Bind, and remember the site of the bound call so that it can become NEVER_READ."""
        self.bind(name, node)
        state = self.state
        if site >= 0 and state.is_function and name not in state.globals and name not in state.nonlocals:
            state.pending.append((site, name, node))

    @property
    def binding_use(self) -> Use:
        return BOUND if self.state.is_function else STORED

    def out_of_place(self, node: ast.AST) -> None:
        self.misplaced.append(Misplaced(self.state.index, node.lineno, node.col_offset))  # type: ignore[attr-defined]

    def _method_class(self) -> int:
        """The class of the method that is being lowered (also from functions nested in it), or -1."""
        state: ScopeState | None = self.state
        while state is not None and state.parent is not None:
            if state.is_function and state.parent.kind is SCOPE_CLASS:
                return state.parent.index
            state = state.parent
        return -1

    def close_scope(self, index: int) -> Scope:
        """End the current scope: give its record what was gathered, and go back to the one around it."""
        state = self.state
        self._mark_never_read(state)
        scope = self.scopes[index]
        scope.end_node = shared(len(self.nodes))
        scope.bindings = freeze(state.bindings) if state.is_function else namespace(state, self.nodes)
        scope.attributes = freeze(state.attributes) if state.attributes else _NO_ATTRIBUTES
        if state.returned:
            scope.returned = references(state.returned)
        if state.yielded:
            scope.yielded = references(state.yielded)
        scope.is_generator = state.is_generator
        if state.parent is not None:
            self.state = state.parent
        return scope

    def _mark_never_read(self, state: ScopeState) -> None:
        if not state.pending or state.all_read:
            return
        loaded, todo = state.loaded, list(state.loaded)
        while todo:
            node = self.nodes[todo.pop()]
            if isinstance(node, Phi):
                reached: tuple[int, ...] = node.options
            elif isinstance(node, (Narrow, Declared, Unpack)):
                reached = (node.value,)
            else:
                continue
            for option in reached:
                if option not in loaded:
                    loaded.add(option)
                    todo.append(option)
        names: dict[int, set[str]] = {}
        for position, name, _ in state.pending:
            names.setdefault(position, set()).add(name)
        for position, _, node_index in state.pending:
            if node_index not in loaded and not names[position] & state.captured:
                site = self.sites[position]
                self.sites[position] = Site(
                    NEVER_READ,
                    site.node,
                    site.scope,
                    site.line,
                    site.column,
                    site.end_line,
                    site.end_column,
                )

    # ------------------------------------------------------------------ given by the other parts
    def expr(self, node: ast.expr, use: Use = OTHER, other: int = -1) -> int:
        raise NotImplementedError

    def annotation(self, node: ast.expr | None) -> int:
        raise NotImplementedError
