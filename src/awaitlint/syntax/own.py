"""The nodes that run when a piece of code runs: not those in the bodies of functions that it defines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from awaitlint.syntax.cst import cst
from awaitlint.syntax.walk import child_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import libcst


def own_nodes(roots: Iterable[libcst.CSTNode]) -> Iterator[libcst.CSTNode]:
    """The roots and all that is below them, in the order of the text.

    Of a function or lambda that is defined there, decorators and defaults belong to it, the body does not.
    """
    todo: list[Any] = list(roots)
    todo.reverse()
    while todo:
        node = todo.pop()
        yield node
        defines = isinstance(node, (cst.FunctionDef, cst.Lambda))
        children: list[Any] = []
        kind: type[libcst.CSTNode] = node.__class__
        for field in child_fields(kind):
            value = getattr(node, field)
            if defines and field == "body":
                continue
            if isinstance(value, (tuple, list)):
                children.extend(value)
            elif isinstance(value, cst.CSTNode):
                children.append(value)
        children.reverse()
        todo.extend(children)


def awaits(roots: Iterable[libcst.CSTNode], *, or_yields: bool = False) -> bool:
    """Whether code may wait (or yield), be it in an ``async for`` or ``async with`` or a comprehension."""
    return any(is_await(node) or (or_yields and isinstance(node, cst.Yield)) for node in own_nodes(roots))


def is_await(node: libcst.CSTNode) -> bool:
    """Whether a node is ``await``, ``async for`` (also of a comprehension) or ``async with``."""
    if isinstance(node, cst.Await):
        return True
    return isinstance(node, (cst.For, cst.With, cst.CompFor)) and node.asynchronous is not None
