"""What tests say of local names: ``is None``, ``isinstance``, truth, and probes for awaitables."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitlint.index.facts import (
    Narrow,
)

if TYPE_CHECKING:
    pass
from awaitlint.index.lower.tables import Tables

#: probes after which the code knows whether it holds an awaitable
PROBES = frozenset(
    {
        "isawaitable",
        "iscoroutine",
        "iscoroutinefunction",
        "isasyncgen",
        "isasyncgenfunction",
        "isfuture",
        "is_async_callable",
        "is_coroutine_function",
        "is_coroutine_callable",
    }
)
#: those of them that say that calling it gives a coroutine
FUNCTION_PROBES = frozenset(
    {"iscoroutinefunction", "is_async_callable", "is_coroutine_function", "is_coroutine_callable"}
)


#: (names narrowed where the test holds, names narrowed where it does not)
Narrowings = tuple[list[tuple[str, int]], list[tuple[str, int]]]


def _terminal_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_text(node: ast.expr, text: str) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value == text


class Narrowing(Tables):
    """Narrows local names on the paths where a test holds or fails."""

    # ------------------------------------------------------------------ narrowing
    def narrow(self, narrowings: list[tuple[str, int]]) -> None:
        """Go on with the narrowed names; the environment is copied, so that the caller can restore it."""
        if narrowings and self.state.env is not None:
            self.state.env = {**self.state.env, **dict(narrowings)}

    def _narrowed(self, name: str, test: str, against: int) -> Narrowings:
        env = self.state.env
        if env is None:
            return [], []
        if name in env:
            value = env[name]
        elif self.state.is_function and name not in self.state.locals:
            value = self.load(name)
        else:
            return [], []
        both = []
        for positive in (True, False):
            node = self.add(Narrow(value, test, against, positive))
            if value in self.hot:
                self.hot.add(node)
            both.append([(name, node)])
        return both[0], both[1]

    def narrowings(self, test: ast.expr) -> Narrowings:
        """What a test says of local names, where it holds and where it does not."""
        if isinstance(test, ast.Name):
            return self._narrowed(test.id, "truthy", -1)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            positive, negative = self.narrowings(test.operand)
            return negative, positive
        if isinstance(test, ast.BoolOp):
            parts = [self.narrowings(value) for value in test.values]
            if isinstance(test.op, ast.And):
                return [pair for part in parts for pair in part[0]], []
            return [], [pair for part in parts for pair in part[1]]
        if isinstance(test, ast.NamedExpr):
            return self._narrowed(test.target.id, "truthy", -1)
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self._compared(test)
        if isinstance(test, ast.Call) and test.args and isinstance(subject := test.args[0], ast.Name):
            called = _terminal_name(test.func)
            if called == "isinstance" and len(test.args) == 2:
                self.quiet, quiet = True, self.quiet
                against = self.expr(test.args[1])
                self.quiet = quiet
                return self._narrowed(subject.id, "isinstance", against)
            if called in FUNCTION_PROBES:
                return self._narrowed(subject.id, "async function", -1)
            if called in PROBES or (called == "hasattr" and _is_text(test.args[-1], "__await__")):
                return self._narrowed(subject.id, "awaitable", -1)
        return [], []

    def _compared(self, test: ast.Compare) -> Narrowings:
        left, right, op = test.left, test.comparators[0], test.ops[0]
        if isinstance(left, ast.NamedExpr):
            left = left.target
        if isinstance(left, ast.Name) and isinstance(right, ast.Constant) and right.value is None:
            positive, negative = self._narrowed(left.id, "none", -1)
            if isinstance(op, (ast.Is, ast.Eq)):
                return positive, negative
            if isinstance(op, (ast.IsNot, ast.NotEq)):
                return negative, positive
        return [], []

    def _restore(self, env: dict[str, int] | None) -> None:
        """Undo narrowings, keeping what a walrus bound in between."""
        state = self.state
        if state.env is env or state.env is None or env is None:
            return
        for name, node in state.env.items():
            if not isinstance(self.nodes[node], Narrow):
                env[name] = node
        state.env = env
