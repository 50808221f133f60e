"""What runs when a piece of a function's body does, and where it lets other tasks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst
from awaitlint.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst


def evaluated(*roots: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    """Nodes and all below them that are evaluated with them, in the order of the text.

    The bodies of nested functions and lambdas run at other times, and so does a generator expression, but for
    the iterable that it begins with.  Annotations do not count.
    """
    todo = list(reversed(roots))
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(_parts(node)))


def _parts(node: libcst.CSTNode) -> Sequence[libcst.CSTNode]:
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


def is_suspension(node: libcst.CSTNode) -> bool:
    """Whether a node is one that waits, so that other tasks run: `await` and the async statements."""
    if isinstance(node, (cst.For, cst.With, cst.CompFor)):
        return node.asynchronous is not None
    return isinstance(node, cst.Await)


def suspension(*roots: libcst.CSTNode) -> libcst.CSTNode | None:
    """The first node that waits, of those that are evaluated with the roots."""
    return next(filter(is_suspension, evaluated(*roots)), None)


def innermost_function(parents: Sequence[libcst.CSTNode]) -> libcst.FunctionDef | None:
    """The function whose body a node with these ancestors (outermost first) belongs to."""
    for parent in reversed(parents):
        if isinstance(parent, cst.FunctionDef):
            return parent
        if isinstance(parent, (cst.Lambda, cst.ClassDef)):
            return None
    return None


def spelling(node: libcst.CSTNode) -> str:
    """The code of a chain of names, attributes and items with plain indices; empty for anything else.

    Two expressions with the same spelling mean the same thing as long as nothing is bound anew.
    """
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        owner = spelling(node.value)
        return f"{owner}.{node.attr.value}" if owner else ""
    if isinstance(node, (cst.SimpleString, cst.Integer)):
        return node.value
    if isinstance(node, cst.Tuple):
        parts = [spelling(element.value) for element in node.elements]
        return f"({', '.join(parts)})" if all(parts) else ""
    if (
        isinstance(node, cst.Subscript)
        and len(node.slice) == 1
        and isinstance(node.slice[0].slice, cst.Index)
    ):
        owner, index = spelling(node.value), spelling(node.slice[0].slice.value)
        return f"{owner}[{index}]" if owner and index else ""
    return ""


def chains(node: libcst.CSTNode) -> set[str]:
    """The spellings of the chains that stand below a node, each as long as it goes."""
    written = spelling(node)
    if written and not isinstance(node, (cst.SimpleString, cst.Integer)):
        return {written}
    return {each for child in children(node) for each in chains(child)}


def root(node: libcst.CSTNode) -> libcst.Name | None:
    """The name that a chain of attributes and items begins with."""
    while isinstance(node, (cst.Attribute, cst.Subscript)):
        node = node.value
    return node if isinstance(node, cst.Name) else None


def names(*roots: libcst.CSTNode) -> set[str]:
    """All names that stand anywhere below nodes, in nested functions as well; no attributes, no keywords."""
    found: set[str] = set()
    todo = list(roots)
    while todo:
        node = todo.pop()
        if isinstance(node, cst.Name):
            found.add(node.value)
        elif isinstance(node, (cst.Attribute, cst.Arg)):
            todo.append(node.value)
        else:
            todo.extend(children(node))
    return found
