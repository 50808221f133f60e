"""Which scope evaluates a node: the language's rules about bodies, defaults, comprehensions, annotations.

The rules are CPython's, the same for Python 3.11 to 3.13: a default or a decorator is evaluated where the
definition stands; so is the iterable of a comprehension's first ``for``, while everything else of a
comprehension has a scope of its own; the headers of generic definitions, type aliases and type parameters
have lazily evaluated scopes (PEP 695); an annotation is kept as text under ``from __future__ import
annotations``, and that of a function's local variable is never evaluated.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awaitlint.syntax.cst import cst
from awaitlint.syntax.walk import Walker

if TYPE_CHECKING:
    import libcst


class ScopeKind(enum.Enum):
    """What kind of scope evaluates a node; the value says where that is."""

    #: outside of all the ancestors that were given
    OUTSIDE = "outside"
    MODULE = "at module level"
    CLASS = "in a class body"
    FUNCTION = "in a function"
    LAMBDA = "in a lambda"
    TYPE_ALIAS = "in a type alias"
    TYPE_PARAMETER = "in a type parameter"
    GENERIC_HEADER = "in the header of a generic definition"


class Evaluation(enum.Enum):
    """When an expression is evaluated."""

    NOW = enum.auto()
    #: never: it is in the annotation of a function's local variable
    NEVER = enum.auto()
    #: on demand, from its text: it is in an annotation, under ``from __future__ import annotations``
    AS_TEXT = enum.auto()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a node is evaluated.

    `scope` is the FunctionDef, ClassDef, Lambda or Module, or None for the other kinds; `comprehensions` are
    those in whose own scopes the node stands, up to `scope`, innermost first.
    """

    kind: ScopeKind
    scope: libcst.CSTNode | None
    comprehensions: tuple[libcst.CSTNode, ...]
    evaluation: Evaluation

    @property
    def in_generator_expression(self) -> bool:
        """Whether a generator expression stands between the node and its scope; it may always be async."""
        return any(isinstance(node, cst.GeneratorExp) for node in self.comprehensions)

    @property
    def is_async(self) -> bool:
        """Whether the scope is the body of an ``async def``."""
        return isinstance(self.scope, cst.FunctionDef) and self.scope.asynchronous is not None


def placement(
    node: libcst.CSTNode,
    parents: Sequence[libcst.CSTNode],
    *,
    text_annotations: bool = False,
    in_function: bool = False,
) -> Placement:
    """Where a node is evaluated that has the ancestors `parents`, outermost first.

    `text_annotations` says that the module has ``from __future__ import annotations``; `in_function`, that
    the outermost ancestor stands in the body of a function.
    """
    chain: list[Any] = [*parents, node]
    kind = ScopeKind.OUTSIDE
    scope: libcst.CSTNode | None = None
    comprehensions: list[libcst.CSTNode] = []
    evaluation = Evaluation.NOW
    annotated = False
    for index in range(len(chain) - 2, -1, -1):
        parent, child = chain[index], chain[index + 1]
        settled = kind is not ScopeKind.OUTSIDE
        if isinstance(parent, cst.BaseComp):
            grandchild = chain[index + 2] if index + 2 < len(chain) else None
            outermost_iterable = child is parent.for_in and grandchild is parent.for_in.iter
            if not settled and not outermost_iterable:
                comprehensions.append(parent)
        elif isinstance(parent, cst.Lambda):
            if not settled and child is parent.body:
                kind, scope = ScopeKind.LAMBDA, parent
        elif isinstance(parent, cst.Annotation):
            annotated = True
            if text_annotations:
                evaluation = Evaluation.AS_TEXT
            elif _is_local_variable(chain[:index], in_function):
                evaluation = Evaluation.NEVER
        elif isinstance(parent, (cst.FunctionDef, cst.ClassDef)):
            found = _definition(parent, child, annotated)
            annotated = False
            if found is not None and not settled:
                kind = found
                scope = parent if found in {ScopeKind.FUNCTION, ScopeKind.CLASS} else None
            if found is not None:
                break
        elif isinstance(parent, cst.TypeParameters):
            if not settled:
                kind = ScopeKind.TYPE_PARAMETER
            break
        elif isinstance(parent, cst.TypeAlias):
            if not settled:
                kind = ScopeKind.TYPE_ALIAS
            break
        elif isinstance(parent, cst.Module):
            if not settled:
                kind, scope = ScopeKind.MODULE, parent
            break
    return Placement(kind, scope, tuple(comprehensions), evaluation)


def _definition(parent: Any, child: libcst.CSTNode, annotated: bool) -> ScopeKind | None:
    """The scope in which a part of a definition is evaluated; None is the one around the definition."""
    is_function = isinstance(parent, cst.FunctionDef)
    if child is parent.body:
        return ScopeKind.FUNCTION if is_function else ScopeKind.CLASS
    if parent.type_parameters is None or isinstance(child, cst.Decorator):
        return None
    # the annotations of a generic function, and the bases of a generic class
    return ScopeKind.GENERIC_HEADER if annotated or not is_function else None


def _is_local_variable(parents: Sequence[libcst.CSTNode], in_function: bool) -> bool:
    """Whether an annotation with these ancestors is that of a variable in the body of a function."""
    if not parents or not isinstance(parents[-1], cst.AnnAssign):
        return False
    for parent in reversed(parents):
        if isinstance(parent, cst.FunctionDef):
            return True
        if isinstance(parent, (cst.ClassDef, cst.Module)):
            return False
    return in_function


class _Yields:
    """Looks for a ``yield`` of one function's own."""

    def __init__(self, function: libcst.FunctionDef) -> None:
        self.function = function
        self.parents: list[libcst.CSTNode] = []
        self.found = False

    def visit_Yield(self, node: libcst.Yield) -> None:
        self.found = self.found or placement(node, self.parents).scope is self.function


def is_generator(function: libcst.FunctionDef) -> bool:
    """Whether a function has a ``yield`` of its own, which makes it a generator or an async generator."""
    visitor = _Yields(function)
    Walker((visitor,), parents=visitor.parents).walk(function)
    return visitor.found
