"""Lowering of comprehensions and generator expressions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitlint.index.facts import (
    Comp,
    Iter,
    Narrow,
    Unpack,
    Use,
)
from awaitlint.index.lower.uses import ASYNC_ITERATED, DISCARDED, ELEMENT, ITERATED, TESTED

if TYPE_CHECKING:
    pass
from awaitlint.index.lower.narrowing import Narrowing


def _terminal_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class Comprehensions(Narrowing):
    """Comprehensions bind their targets for themselves only."""

    # ------------------------------------------------------------------ comprehensions
    def _comprehension(
        self,
        kind: str,
        key: ast.expr | None,
        element: ast.expr,
        generators: list[ast.comprehension],
        use: Use,
    ) -> int:
        state = self.state
        env = state.env
        if env is not None:
            state.env = dict(env)
        hidden, state.hidden = state.hidden, set(state.hidden)
        is_async = False
        bound: set[str] = set()
        for generator in generators:
            iterable = self.expr(generator.iter, ASYNC_ITERATED if generator.is_async else ITERATED)
            is_async |= bool(generator.is_async)
            item = self.add(Iter(iterable, bool(generator.is_async)))
            self._bind_comprehension_target(generator.target, item, bound)
            for condition in generator.ifs:
                self.expr(condition, TESTED)
                self.narrow(self.narrowings(condition)[0])
        if is_async:
            state.awaits += 1
            if not state.is_async:
                self.out_of_place(element)
        index = self.reserve()
        key_node = -1 if key is None else self.expr(key, ELEMENT, index)
        inner_use = DISCARDED if use is DISCARDED and kind in ("list", "set") else ELEMENT
        value = self.expr(element, inner_use, index)
        state.hidden = hidden
        inner, state.env = state.env, env
        if inner is not None and env is not None:
            # a walrus in a comprehension binds outside it
            for name, node in inner.items():
                if name not in bound and not isinstance(self.nodes[node], Narrow):
                    env[name] = node
        self.nodes[index] = Comp(kind, key_node, value, is_async)
        return index

    def _bind_comprehension_target(self, target: ast.expr, item: int, bound: set[str]) -> None:
        if isinstance(target, ast.Name):
            bound.add(target.id)
            self.state.hidden.add(target.id)
            if self.state.env is not None:
                self.state.env[target.id] = item
        elif isinstance(target, (ast.Tuple, ast.List)):
            for position, element in enumerate(target.elts):
                self._bind_comprehension_target(element, self.add(Unpack(item, position)), bound)
        elif isinstance(target, ast.Starred):
            self._bind_comprehension_target(target.value, 0, bound)

    def _list_comp(self, node: ast.ListComp, use: Use, _other: int) -> int:
        return self._comprehension("list", None, node.elt, node.generators, use)

    def _set_comp(self, node: ast.SetComp, use: Use, _other: int) -> int:
        return self._comprehension("set", None, node.elt, node.generators, use)

    def _generator(self, node: ast.GeneratorExp, use: Use, _other: int) -> int:
        return self._comprehension("generator", None, node.elt, node.generators, use)

    def _dict_comp(self, node: ast.DictComp, use: Use, _other: int) -> int:
        return self._comprehension("dict", node.key, node.value, node.generators, use)
