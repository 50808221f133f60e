"""What runs when a piece of a function's body does, and where it lets other tasks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import evaluated, is_await
from awaitlint.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Sequence

    import libcst


def suspension(*roots: libcst.CSTNode) -> libcst.CSTNode | None:
    """The first node that waits, of those that are evaluated with the roots."""
    return next(filter(is_await, evaluated(*roots)), None)


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
