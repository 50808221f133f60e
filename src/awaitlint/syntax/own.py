"""The nodes that run when a piece of code runs: not those in the bodies of functions that it defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst
from awaitlint.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import libcst


def own_nodes(roots: Iterable[libcst.CSTNode]) -> Iterator[libcst.CSTNode]:
    """The roots and all that is below them, in the order of the text.

    Of a function or lambda that is defined there, decorators and defaults belong to it, the body does not.
    """
    return _below(roots, _own_parts)


def evaluated(*roots: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    """Nodes and all below them that are evaluated with them, in the order of the text.

    The bodies of nested functions and lambdas run at other times, and so does a generator expression, but for
    the iterable that it begins with.  Annotations do not count.
    """
    return _below(roots, _evaluated_parts)


def _below(
    roots: Iterable[libcst.CSTNode], parts: Callable[[libcst.CSTNode], Sequence[libcst.CSTNode]]
) -> Iterator[libcst.CSTNode]:
    todo = list(roots)
    todo.reverse()
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(parts(node)))


def _own_parts(node: libcst.CSTNode) -> Sequence[libcst.CSTNode]:
    found = children(node)
    if isinstance(node, (cst.FunctionDef, cst.Lambda)):
        return [each for each in found if each is not node.body]
    return found


def _evaluated_parts(node: libcst.CSTNode) -> Sequence[libcst.CSTNode]:
    if isinstance(node, cst.FunctionDef):
        return [*node.decorators, *_defaults(node.params)]
    if isinstance(node, cst.Lambda):
        return _defaults(node.params)
    if isinstance(node, cst.GeneratorExp):
        return [node.for_in.iter]
    if isinstance(node, cst.Annotation):
        return []
    return children(node)


def _defaults(params: libcst.Parameters) -> list[libcst.CSTNode]:
    every = (*params.posonly_params, *params.params, *params.kwonly_params)
    return [param.default for param in every if param.default is not None]


def awaits(roots: Iterable[libcst.CSTNode], *, or_yields: bool = False) -> bool:
    """Whether code may wait (or yield), be it in an ``async for`` or ``async with`` or a comprehension."""
    return any(is_await(node) or (or_yields and isinstance(node, cst.Yield)) for node in own_nodes(roots))


def is_await(node: libcst.CSTNode) -> bool:
    """Whether a node is ``await``, ``async for`` (also of a comprehension) or ``async with``."""
    if isinstance(node, cst.Await):
        return True
    return isinstance(node, (cst.For, cst.With, cst.CompFor)) and node.asynchronous is not None
