"""Async constructs that stand where Python's compiler does not allow them.

Python's parser accepts ``await`` and its kin anywhere, and the compiler then refuses the first that is out of
place.  The rules here are the compiler's own, the same from Python 3.11 on: where a later version refuses
more (an ``await`` in an annotation, from 3.14 on), only what all refuse counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst
from awaitlint.syntax.scopes import Evaluation, Placement, ScopeKind, is_generator, placement
from awaitlint.syntax.walk import Walker

if TYPE_CHECKING:
    import libcst


@dataclass(frozen=True, slots=True)
class Enclosing:
    """What surrounds a tree that is only a part of a module."""

    kind: ScopeKind = ScopeKind.MODULE
    name: str = ""
    is_async: bool = False


MODULE = Enclosing()


@dataclass(frozen=True, slots=True)
class Misplacement:
    """A construct that stands where Python does not allow it.

    `node` is what is flagged: the expression or statement, or the keyword ``async`` of a loop, a ``with`` or
    a comprehension.  `construct` is its spelling.  `where` says where it stands; `kind` is the scope's kind,
    and `function` its definition, where it is a function of the tree.
    """

    node: libcst.CSTNode
    construct: str
    kind: ScopeKind
    where: str
    function: libcst.FunctionDef | None = None


def judge(
    node: libcst.CSTNode,
    parents: Sequence[libcst.CSTNode],
    *,
    enclosing: Enclosing = MODULE,
    text_annotations: bool = False,
) -> Misplacement | None:
    """Decide about one Await, For, With, CompFor, Yield or Return; None where it is allowed.

    `parents` are its ancestors, outermost first; `enclosing` is what is around the outermost of them.
    `text_annotations` says whether the module has ``from __future__ import annotations``.
    """
    flagged: libcst.CSTNode | None = node
    if isinstance(node, (cst.For, cst.With, cst.CompFor)):
        flagged = node.asynchronous
    elif isinstance(node, cst.Yield):
        flagged = node if isinstance(node.value, cst.From) else None
    elif isinstance(node, cst.Return):
        flagged = None if node.value is None else node
    if flagged is None:
        return None
    place = placement(
        node,
        parents,
        text_annotations=text_annotations,
        in_function=enclosing.kind is ScopeKind.FUNCTION,
    )
    outside = place.kind is ScopeKind.OUTSIDE
    kind = enclosing.kind if outside else place.kind
    is_async = enclosing.is_async if outside else place.is_async
    function = place.scope if isinstance(place.scope, cst.FunctionDef) else None
    if isinstance(node, (cst.Yield, cst.Return)):
        return _judge_result(node, place, kind, enclosing, is_async=is_async)
    construct = _construct(node)
    if place.evaluation is Evaluation.NEVER:
        return None
    if place.evaluation is Evaluation.AS_TEXT:
        # comprehensions and lambdas in it are never compiled
        if place.comprehensions or place.kind is ScopeKind.LAMBDA:
            return None
        return Misplacement(flagged, construct, kind, "in an annotation")
    if is_async or place.in_generator_expression:
        return None
    return Misplacement(flagged, construct, kind, _where(kind, place, enclosing), function)


def _judge_result(
    node: libcst.Yield | libcst.Return,
    place: Placement,
    kind: ScopeKind,
    enclosing: Enclosing,
    *,
    is_async: bool,
) -> Misplacement | None:
    """Decide about a ``yield from``, or a ``return`` with a value."""
    if not is_async or place.evaluation is not Evaluation.NOW or place.comprehensions:
        return None
    function = place.scope if isinstance(place.scope, cst.FunctionDef) else None
    name = enclosing.name if function is None else function.name.value
    if isinstance(node, cst.Yield):
        return Misplacement(node, "yield from", kind, f"in the async function `{name}`", function)
    if function is None or not is_generator(function):
        return None
    return Misplacement(node, "return", kind, f"with a value in the async generator `{name}`", function)


def _construct(node: libcst.CSTNode) -> str:
    if isinstance(node, cst.Await):
        return "await"
    return "async with" if isinstance(node, cst.With) else "async for"


def _where(kind: ScopeKind, place: Placement, enclosing: Enclosing) -> str:
    """The place of a construct, as the message says it."""
    name = enclosing.name
    if isinstance(place.scope, (cst.FunctionDef, cst.ClassDef)):
        name = place.scope.name.value
    if kind is ScopeKind.FUNCTION:
        return f"in the sync function `{name}`"
    return f"in the body of class `{name}`" if kind is ScopeKind.CLASS else kind.value


class _Finder:
    """Judges all nodes of a module."""

    def __init__(self, *, text_annotations: bool) -> None:
        self.parents: list[libcst.CSTNode] = []
        self.found: list[Misplacement] = []
        self.text_annotations = text_annotations

    def look(self, node: libcst.CSTNode) -> None:
        if isinstance(node, (cst.Await, cst.For, cst.With, cst.CompFor, cst.Yield, cst.Return)):
            misplaced = judge(node, self.parents, text_annotations=self.text_annotations)
            if misplaced is not None:
                self.found.append(misplaced)


def find_misplaced(module: libcst.Module) -> list[Misplacement]:
    """Every misplaced construct of a module, in the order of the source."""
    text_annotations = any(
        isinstance(statement, cst.ImportFrom)
        and isinstance(statement.module, cst.Name)
        and statement.module.value == "__future__"
        and not isinstance(statement.names, cst.ImportStar)
        and any(alias.evaluated_name == "annotations" for alias in statement.names)
        for line in module.body
        if isinstance(line, cst.SimpleStatementLine)
        for statement in line.body
    )
    finder = _Finder(text_annotations=text_annotations)
    Walker((), finder.look, parents=finder.parents).walk(module)
    return finder.found
