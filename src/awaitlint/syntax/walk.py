"""One walk over a libcst tree for any number of visitors.

`module.visit` of libcst builds the tree anew while it visits it, which costs more than parsing.  The walker
here reads the children's fields once per node class, calls the visitors' ``visit_X`` and ``leave_X`` methods
directly (X is the name of the node's class) and keeps the ancestors of the visited node.  It visits the nodes
in the order in which libcst does.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    Hook = Callable[[libcst.CSTNode], object]

#: Fields that hold whitespace, comments and newlines and nothing else.
_TRIVIA_FIELDS = frozenset(
    {
        "comment",
        "empty_lines",
        "first_line",
        "footer",
        "header",
        "indent",
        "last_line",
        "leading_lines",
        "lines_after_decorators",
        "newline",
        "trailing_whitespace",
        "leading_whitespace",
    }
)

#: The node classes that those fields hold; a visitor for one of them makes the walker go there.
_TRIVIA_CLASSES = (
    "Comment",
    "EmptyLine",
    "Newline",
    "ParenthesizedWhitespace",
    "SimpleWhitespace",
    "TrailingWhitespace",
)


@functools.cache
def child_fields(kind: type[libcst.CSTNode]) -> tuple[str, ...]:
    """The names of the fields of a node class that hold child nodes, in the order of the source.

    libcst spells that order only in each class's ``_visit_and_replace_children``, as the names that it passes
    to ``visit_required(self, "name", …)`` and its kin: these are the string constants of the method.
    """
    names = {field.name for field in dataclasses.fields(kind)}
    constants = kind._visit_and_replace_children.__code__.co_consts
    return tuple(dict.fromkeys(name for name in constants if isinstance(name, str) and name in names))


def _is_trivia(field: str) -> bool:
    return field.startswith("whitespace_") or field in _TRIVIA_FIELDS


@functools.cache
def _telling_fields(kind: type[libcst.CSTNode]) -> tuple[str, ...]:
    return tuple(field for field in child_fields(kind) if not _is_trivia(field))


def children(node: libcst.CSTNode) -> list[libcst.CSTNode]:
    """The children of a node in the order of the source, but for whitespace and comments."""
    found: list[libcst.CSTNode] = []
    for field in _telling_fields(type(node)):
        value = getattr(node, field)
        if isinstance(value, (tuple, list)):
            found.extend(value)
        elif isinstance(value, cst.CSTNode):
            found.append(value)
    return found


class Walker:
    """A walk with a fixed set of visitors; it may be used for any number of trees, one after another.

    `on_enter` is called with each node before the visitors' ``visit_X``, `on_leave` after their ``leave_X``.
    `parents` is the list that holds the ancestors of the visited node, outermost first, during every one of
    these calls; the caller may supply the list.  What a visitor returns is ignored: each one sees every node.
    Whitespace and comments are left out unless `trivia` is set or a visitor has a method for them.
    """

    def __init__(
        self,
        handlers: Iterable[object],
        on_enter: Hook | None = None,
        on_leave: Hook | None = None,
        *,
        parents: list[libcst.CSTNode] | None = None,
        trivia: bool = False,
    ) -> None:
        self.parents: list[libcst.CSTNode] = [] if parents is None else parents
        self._handlers = tuple(handlers)
        self._on_enter = on_enter
        self._on_leave = on_leave
        self._trivia = trivia or any(
            hasattr(handler, f"{verb}_{name}")
            for handler in self._handlers
            for name in _TRIVIA_CLASSES
            for verb in ("visit", "leave")
        )
        self._plans: dict[type, tuple[tuple[str, ...], tuple[Hook, ...], tuple[Hook, ...]]] = {}

    def _plan(self, kind: type[libcst.CSTNode]) -> tuple[tuple[str, ...], tuple[Hook, ...], tuple[Hook, ...]]:
        """Which fields to follow and whom to call for a class of nodes."""
        fields = child_fields(kind)
        if not self._trivia:
            fields = tuple(field for field in fields if not _is_trivia(field))
        enter = self._methods("visit_" + kind.__name__)
        leave = self._methods("leave_" + kind.__name__)
        if self._on_enter is not None:
            enter = (self._on_enter, *enter)
        if self._on_leave is not None:
            leave = (*leave, self._on_leave)
        plan = (fields, enter, leave)
        self._plans[kind] = plan
        return plan

    def _methods(self, name: str) -> tuple[Hook, ...]:
        return tuple(getattr(handler, name) for handler in self._handlers if hasattr(handler, name))

    def walk(self, node: libcst.CSTNode) -> None:
        """Visit a node and all that is below it."""
        plans = self._plans
        parents = self.parents
        absent = cst.MaybeSentinel
        # A node is followed on the stack by its children and then by None, which stands for leaving it.
        todo: list[Any] = [node]
        leaving: list[tuple[Hook, ...]] = []
        depth = len(parents)
        try:
            while todo:
                current = todo.pop()
                if current is None:
                    left = parents.pop()
                    for call in leaving.pop():
                        call(left)
                    continue
                kind = current.__class__
                plan = plans.get(kind)
                fields, enter, leave = self._plan(kind) if plan is None else plan
                for call in enter:
                    call(current)
                if not fields:
                    for call in leave:
                        call(current)
                    continue
                children: list[Any] = []
                for field in fields:
                    value = getattr(current, field)
                    if value is None or value.__class__ is absent:
                        continue
                    if isinstance(value, (tuple, list)):
                        children.extend(value)
                    else:
                        children.append(value)
                if children:
                    parents.append(current)
                    leaving.append(leave)
                    todo.append(None)
                    children.reverse()
                    todo.extend(children)
                else:
                    for call in leave:
                        call(current)
        finally:
            del parents[depth:]


def walk(
    node: libcst.CSTNode,
    handlers: Iterable[object],
    on_enter: Hook | None = None,
    on_leave: Hook | None = None,
    *,
    parents: list[libcst.CSTNode] | None = None,
    trivia: bool = False,
) -> None:
    """Walk one tree once; see `Walker`."""
    Walker(handlers, on_enter, on_leave, parents=parents, trivia=trivia).walk(node)


def ancestors(node: libcst.CSTNode, root: libcst.CSTNode) -> Sequence[libcst.CSTNode]:
    """The ancestors of a node in a tree, outermost first; empty where the node is the root or not in it."""
    found: list[libcst.CSTNode] = []
    parents: list[libcst.CSTNode] = []

    def look(current: libcst.CSTNode) -> None:
        if current is node:
            found.extend(parents)

    Walker((), look, parents=parents, trivia=True).walk(root)
    return found
