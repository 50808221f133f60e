"""Whether a function reads a name again after a statement, as its text has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst

    from awaitlint.syntax.positions import Placed


def is_read_after(
    placed: Placed, parents: Sequence[libcst.CSTNode], statement: libcst.CSTNode, name: str
) -> bool:
    """Whether a name that a statement binds may be read later on.

    Args:
        placed: Knows where nodes stand.
        parents: The statement's ancestors, outermost first.
        statement: The statement.
        name: The name.

    Returns:
        Whether it is read further down in the function, anywhere in a loop around the statement, or in a
        function inside; also where there is no function around the statement.
    """
    inside = [at for at, parent in enumerate(parents) if isinstance(parent, (cst.FunctionDef, cst.Module))]
    if not inside or not isinstance(parents[inside[-1]], cst.FunctionDef):
        return True
    around = parents[inside[-1] :]
    loops = [parent for parent in around if isinstance(parent, (cst.For, cst.While))]
    if any(_reads(loop, name) for loop in loops[:1]):
        return True
    end = placed.span(statement)
    for read in _reads_in(around[0], name):
        place = placed.span(read)
        if (place.line, place.column) >= (end.end_line, end.end_column):
            return True
    return any(_reads(function, name) for function in _functions(around[0].body))  # type: ignore[attr-defined]


def _reads(node: libcst.CSTNode, name: str) -> bool:
    return next(_reads_in(node, name), None) is not None


def _reads_in(root: libcst.CSTNode, name: str) -> Iterator[libcst.Name]:
    """The names in a tree that are loaded, not bound."""
    todo: list[libcst.CSTNode] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, cst.Name):
            if node.value == name:
                yield node
        elif isinstance(node, cst.Attribute):
            todo.append(node.value)
        elif isinstance(node, cst.Arg):
            # the keyword is a name as well
            todo.append(node.value)
        elif isinstance(node, (cst.AssignTarget, cst.NamedExpr, cst.AnnAssign)):
            todo += _targets(node.target)
            if not isinstance(node, cst.AssignTarget) and node.value is not None:
                todo.append(node.value)
        elif isinstance(node, (cst.For, cst.CompFor)):
            todo += [*_targets(node.target), *(child for child in node.children if child is not node.target)]
        else:
            todo += node.children


def _targets(target: libcst.CSTNode) -> list[libcst.CSTNode]:
    """What a target reads: nothing where it is a name, or a tuple of names."""
    if isinstance(target, cst.Name):
        return []
    if isinstance(target, (cst.Tuple, cst.List)):
        return [read for element in target.elements for read in _targets(element.value)]
    return [target]


def _functions(root: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, (cst.FunctionDef, cst.Lambda)):
            yield node
        else:
            todo += node.children
