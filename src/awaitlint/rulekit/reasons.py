"""Root causes of blocking, the ways to them, and what has to hold on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.syntax.guards import Condition

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
    from awaitlint.infer.callgraph import Kind, Step
    from awaitlint.infer.values import FunctionValue
    from awaitlint.rulekit.leaves import Leaf


class Root(NamedTuple):
    """A root cause: what blocks, by kind and package, and the function that calls it."""

    what: str
    module: str
    function: str


class Hop(NamedTuple):
    """One step of a chain: a place in a function of the project, and what runs there.

    `line` counts from 1, `column` from 0 in UTF-8 bytes.
    """

    module: Module
    function: str
    kind: Kind
    callee: str
    line: int
    column: int
    end_line: int
    end_column: int


class Reason(NamedTuple):
    """That a function reaches a root cause: in how many steps, by which, and what must hold for it.

    `next` is the function that the step leads to, None where the step is the blocking call itself.
    """

    root: Root
    leaf: Leaf
    distance: int
    step: Step
    next: FunctionValue | None
    conditions: frozenset[Condition] = frozenset()


def satisfies(node: f.Node, condition: Condition) -> bool:
    """Whether a constant lets a condition hold; what is no constant may be anything."""
    if not isinstance(node, f.Const):
        # nobody passes what is computed where None is meant
        return condition.test != "none" or not condition.holds
    if condition.test == "none":
        return (node.value is None) == condition.holds
    if condition.test.startswith("=="):
        return (condition.test == f"== {node.value!r}") == condition.holds
    return bool(node.value) == condition.holds
