"""The arguments of a call in the tree, and the nodes of the facts that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst

Pair = tuple["libcst.BaseExpression", int]


def arguments(node: libcst.Call, call: f.Call) -> list[Pair]:
    """The arguments of a call, each with its node in the facts; those with ``*`` have a `Starred` there."""
    positional = [each.value for each in node.args if each.keyword is None and each.star != "**"]
    named = [each.value for each in node.args if each.keyword is not None or each.star == "**"]
    return [
        *zip(positional, call.args, strict=True),
        *zip(named, (value for _, value in call.keywords), strict=True),
    ]


def items(nodes: Sequence[f.Node], argument: libcst.BaseExpression, index: int) -> Iterator[Pair]:
    """What is in a collection that is written out, with or without a ``*`` before it."""
    given = nodes[index]
    given = nodes[given.value] if isinstance(given, f.Starred) else given
    if isinstance(given, f.Display) and isinstance(argument, (cst.List, cst.Tuple, cst.Set)):
        for element, inner in zip(argument.elements, given.elements, strict=True):
            yield element.value, inner
    elif isinstance(given, f.Comp) and isinstance(argument, (cst.ListComp, cst.GeneratorExp, cst.SetComp)):
        yield argument.elt, given.element
