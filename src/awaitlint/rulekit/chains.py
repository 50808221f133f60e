"""Why a function blocks: the blocking calls that its body reaches through other plain functions.

A *root cause* is a blocking call together with the last function on the way to it.  For every function the
root causes that it reaches are worked out once, each with the shortest way; cycles of calls are no matter,
as a way through a cycle is never the shortest.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.facts import ScopeKind, Use
from awaitlint.index.recent import Recent
from awaitlint.infer.callgraph import CallGraph, Kind, Step
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.values import FunctionValue
from awaitlint.rulekit.reasons import Hop, Reason, Root, satisfies
from awaitlint.syntax.guards import Condition, FunctionGuards, Guards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from awaitlint.index.modules import Module
    from awaitlint.infer.engine import Inference
    from awaitlint.rulekit.leaves import Leaf, Leaves
    from awaitlint.rulekit.texts import Texts

#: root causes that are kept of one function: the nearest
_MOST = 24
#: hops of the longest way
_LONGEST = 30
#: functions whose syntax trees are kept at least
_MOST_TREES = 32


class _Function(NamedTuple):
    """A function as the graph has it."""

    own: tuple[tuple[Step, Leaf], ...]
    calls: tuple[tuple[Step, FunctionValue], ...]


_EMPTY = _Function((), ())
#: of all functions that do not block
_NO_REASONS: dict[Root, Reason] = {}


class Chains:
    """The reasons of functions.

    Args:
        infer: Inference over the project.
        leaves: Tells which calls block by themselves.
        texts: The texts of the modules.
        silenced: Whether a comment on a line of a module says that what blocks there is meant.
    """

    def __init__(
        self, infer: Inference, leaves: Leaves, texts: Texts, silenced: Callable[[Module, int], bool]
    ) -> None:
        self.infer = infer
        self.leaves = leaves
        self.texts = texts
        self.graph = CallGraph(infer)
        self._silenced = silenced
        self._functions: dict[FunctionValue, _Function] = {}
        self._reasons: dict[FunctionValue, dict[Root, Reason]] = {}
        self._reached: dict[FunctionValue, Sequence[tuple[Step, Reason]]] = {}
        self._ways: dict[tuple[Module, int, int, int], Guards] = {}
        self._guards: Recent[tuple[Module, int], FunctionGuards] = Recent(_MOST_TREES)
        self._places: dict[Module, dict[int, tuple[int, int, int, int]]] = {}

    def rest(self) -> None:
        """Give up what takes room and is quickly made again: the next questions are of another project."""
        self.graph.rest()
        self.texts.rest()
        self._guards.clear()

    # ------------------------------------------------------------------ what rules ask
    def direct(self, func: FunctionValue) -> Iterator[tuple[Step, Leaf]]:
        """The calls in a function's own body that block by themselves."""
        yield from self._function(func).own

    def reached(self, func: FunctionValue) -> Sequence[tuple[Step, Reason]]:
        """The root causes that a function reaches through others, each by the shortest way."""
        known = self._reached.get(func)
        if known is None:
            known = self._reached[func] = self._reach(func)
        return known

    def _reach(self, func: FunctionValue) -> Sequence[tuple[Step, Reason]]:
        found: dict[Root, tuple[Step, Reason]] = {}
        for step, callee in self._function(func).calls:
            for reason in self.reasons(callee).values():
                known = found.get(reason.root)
                if known is not None and known[1].distance <= reason.distance:
                    continue
                if self._passes(func, step, callee, reason.conditions) is not None:
                    found[reason.root] = (step, reason)
        return tuple(found.values())

    def reasons(self, func: FunctionValue) -> dict[Root, Reason]:
        """Why a function blocks, by root cause; empty where it does not, as far as is known."""
        if func not in self._reasons:
            self._solve(func)
        return self._reasons[func]

    def chain(self, func: FunctionValue, step: Step, reason: Reason) -> list[Hop]:
        """The hops from a step in a function down to the blocking call."""
        hops = [self.hop(func, step, reason.leaf)]
        at: FunctionValue | None = step.function
        while at is not None and len(hops) <= _LONGEST:
            onward = self.reasons(at).get(reason.root)
            if onward is None:
                break
            hops.append(self.hop(at, onward.step, onward.leaf))
            at = onward.next
        return hops

    def is_conditional(self, reason: Reason, func: FunctionValue | None) -> bool:
        """Whether a test decides, in a plain function on the way, if the blocking call is reached.

        Args:
            reason: What is reached.
            func: The first plain function of the way.
        """
        for _ in range(_LONGEST):
            onward = self.reasons(func).get(reason.root) if func is not None else None
            if func is None or onward is None:
                return False
            line, column, *_ = self.place(func, onward.step)
            if self.guards(func, line, column).tests:
                return True
            func = onward.next
        return True

    def silences(self, module: Module, line: int | None) -> bool:
        """Whether a comment on a line of a module, or for all of it (None), keeps something from callers.

        It does where a plain function has a call on that line that blocks or leads to one that does, and
        where such a function begins there.  Whether async code gets there is another question, which depends
        on the files that are looked at.
        """
        for scope, fact in enumerate(module.facts.scopes):
            if fact.is_async or fact.kind is ScopeKind.MODULE:
                continue
            if line is not None and not fact.first_line <= line <= fact.end_line:
                continue
            func = FunctionValue(module, scope)
            for step in self.graph.steps(func):
                at = self.place(func, step)[0]
                # what another comment silences at the call itself needs none at the ``def``
                if line not in (None, at) and (line != fact.line or self._silenced(module, at)):
                    continue
                leaf = self.leaves.leaf(func, step)
                if leaf is not None or (step.function is not None and self.reasons(step.function)):
                    return True
        return False

    # ------------------------------------------------------------------ the graph
    def _function(self, func: FunctionValue) -> _Function:
        found = self._functions.get(func)
        if found is None:
            own: list[tuple[Step, Leaf]] = []
            calls: list[tuple[Step, FunctionValue]] = []
            for step in self.graph.steps(func):
                leaf = self.leaves.leaf(func, step)
                if leaf is not None:
                    if not self._is_harmless(func, step, leaf):
                        own.append((step, leaf))
                elif step.function is not None and not _is_awaited(step):
                    calls.append((step, step.function))
            # most functions have neither
            found = _Function(tuple(own), tuple(calls)) if own or calls else _EMPTY
            self._functions[func] = found
        return found

    def _is_harmless(self, func: FunctionValue, step: Step, leaf: Leaf) -> bool:
        """Whether the way to a blocking call, or a comment, says that it does not matter."""
        line, column, *_ = self.place(func, step)
        # in async code it is the finding that a comment silences
        if not func.fact.is_async and self._silenced(func.module, line):
            return True
        guards = self.guards(func, line, column)
        if guards.outside_loop or (leaf.kind == "reentry" and self._asks_for_loop(func)):
            return True
        if not leaf.may_be_over():
            return False
        called = frozenset[str]()
        nodes = func.module.facts.nodes
        call = nodes[step.node]
        method = nodes[call.func] if isinstance(call, f.Call) else None
        known = self._guards_of(func)
        if known is not None and isinstance(method, f.Attr) and not isinstance(nodes[method.value], f.Call):
            # what was made just now is not what others have waited for
            called = known.called_before(line)
        return leaf.is_over(guards.tests, called)

    def _asks_for_loop(self, func: FunctionValue) -> bool:
        """Whether a plain function finds out whether an event loop is running."""
        known = None if func.fact.is_async else self._guards_of(func)
        return known is not None and known.asks_for_loop

    def _solve(self, func: FunctionValue) -> None:
        """Work out the reasons of a function and of all that it reaches."""
        callers: dict[FunctionValue, list[tuple[FunctionValue, Step]]] = {}
        queue: list[tuple[int, Root, int, int, FunctionValue, Reason]] = []
        order: dict[FunctionValue, int] = {func: 0}
        todo = [func]
        while todo:
            at = todo.pop()
            for step, callee in self._function(at).calls:
                callers.setdefault(callee, []).append((at, step))
                if callee in order:
                    continue
                order[callee] = len(order)
                known = self._reasons.get(callee)
                if known is None:
                    todo.append(callee)
                else:
                    for reason in known.values():
                        heapq.heappush(
                            queue, (reason.distance, reason.root, order[callee], len(queue), callee, reason)
                        )
        solved = {each: dict[Root, Reason]() for each in order if each not in self._reasons}
        for at in solved:
            own_leaves = self._function(at).own
            if own_leaves and self._is_cut(at):
                continue
            for step, leaf in own_leaves:
                # a connection that is made, used and closed is one thing
                root = Root(f"{leaf.kind} {leaf.name.partition('.')[0]}", at.module.name, at.fact.qualname)
                line, column, *_ = self.place(at, step)
                conditions = self.guards(at, line, column).conditions
                reason = Reason(root, leaf, 0, step, None, conditions)
                heapq.heappush(queue, (0, root, order[at], len(queue), at, reason))
        count = len(queue)
        while queue:
            distance, root, _, _, at, reason = heapq.heappop(queue)
            own = solved.get(at)
            if own is not None:
                if root in own or len(own) >= _MOST:
                    continue
                own[root] = reason
            if distance >= _LONGEST:
                continue
            for caller, step in callers.get(at, ()):
                held = solved.get(caller)
                if held is None or root in held or self._is_cut(caller):
                    continue
                needed = self._passes(caller, step, at, reason.conditions)
                if needed is None or (reason.leaf.kind == "reentry" and self._asks_for_loop(caller)):
                    continue
                onward = Reason(root, reason.leaf, distance + 1, step, at, needed)
                count += 1
                heapq.heappush(queue, (distance + 1, root, order[caller], count, caller, onward))
        self._reasons.update((at, own or _NO_REASONS) for at, own in solved.items())

    def _is_cut(self, func: FunctionValue) -> bool:
        """Whether a comment at a function's ``def``, or the configuration, says that it does not block."""
        fact = func.fact
        if self._silenced(func.module, fact.line):
            return True
        return self.leaves.is_safe(func)

    # ------------------------------------------------------------------ the way to a call
    def _passes(
        self, func: FunctionValue, step: Step, callee: FunctionValue, conditions: frozenset[Condition]
    ) -> frozenset[Condition] | None:
        """What must hold in a function so that a call in it blocks; None where the call does not block."""
        line, column, *_ = self.place(func, step)
        if not func.fact.is_async and self._silenced(func.module, line):
            return None
        guards = self.guards(func, line, column)
        if guards.outside_loop:
            return None
        found = set(guards.conditions)
        for condition in conditions:
            outcome = self._holds(func, step, callee, condition)
            if outcome is False:
                return None
            if isinstance(outcome, Condition):
                found.add(outcome)
        return frozenset(found) if len(found) > len(guards.conditions) else guards.conditions

    def _holds(
        self, func: FunctionValue, step: Step, callee: FunctionValue, condition: Condition
    ) -> bool | Condition:
        """Whether a call lets a condition on a parameter hold; a condition where its own function decides."""
        params = callee.fact.params
        position = next((i for i, param in enumerate(params) if param.name == condition.parameter), -1)
        if position < 0 or step.site is None or step.kind is Kind.HAND:
            return True
        call = func.module.facts.nodes[step.node]
        assert isinstance(call, f.Call)
        method = callee.module.facts.scopes[callee.fact.parent].kind is ScopeKind.CLASS
        bound = FunctionValue(callee.module, callee.scope, step.value if method else None, callee.context)
        given = dict(self.infer._matched(bound, Arguments(func.module, call, func.context)))
        lazy = given.get(position)
        if lazy is None:
            spread = any(name == "**" for name, _ in call.keywords) or any(
                isinstance(func.module.facts.nodes[arg], f.Starred) for arg in call.args
            )
            default = params[position].default
            if spread or default < 0:
                return True
            return satisfies(callee.module.facts.nodes[default], condition)
        node = func.module.facts.nodes[lazy._node]
        if isinstance(node, f.Param) and node.scope == func.scope:
            own = func.fact.params[node.index]
            return Condition(own.name, condition.test, condition.holds)
        return satisfies(node, condition)

    def block(self, func: FunctionValue, line: int) -> tuple[int, int] | None:
        """The first and the last line of the body of the ``with`` on a line of a function."""
        known = self._guards_of(func)
        return None if known is None else known.block(line)

    def guards(self, func: FunctionValue, line: int, column: int) -> Guards:
        """The guards of a place in a function."""
        place = (func.module, func.scope, line, column)
        found = self._ways.get(place)
        if found is None:
            found = self._ways[place] = self._way(func, line, column)
        return found

    def _way(self, func: FunctionValue, line: int, column: int) -> Guards:
        known = self._guards_of(func)
        if func.module in self.texts.lost:
            # there may have been a test
            return Guards(outside_loop=True)
        return Guards() if known is None else known.at(line, column)

    def _guards_of(self, func: FunctionValue) -> FunctionGuards | None:
        fact = func.fact
        if fact.kind is not ScopeKind.FUNCTION:
            return None
        key = (func.module, func.scope)
        known = self._guards.get(key)
        if known is None:
            lines = self.texts.lines(func.module)
            known = FunctionGuards(lines, fact.first_line, fact.line, fact.column, fact.end_line)
            self._guards.put(key, known)
        return known

    # ------------------------------------------------------------------ places and texts
    def place(self, func: FunctionValue, step: Step) -> tuple[int, int, int, int]:
        """Line, column, last line and last column of a step in a function, columns in UTF-8 bytes."""
        site = step.site
        if site is not None:
            return (site.line, site.column, site.end_line, site.end_column)
        known, node = self._guards_of(func), func.module.facts.nodes[step.node]
        found = known.attribute(node.name) if known is not None and isinstance(node, f.Attr) else None
        return found or self._attribute_places(func.module).get(step.node, (1, 0, 1, 0))

    def _attribute_places(self, module: Module) -> dict[int, tuple[int, int, int, int]]:
        """Where the attributes of a module stand, which facts leave out: it is lowered once more."""
        found = self._places.get(module)
        if found is None:
            found = self._places[module] = {}
            from awaitlint.index.lower.recorded import record  # noqa: PLC0415  rarely needed
            from awaitlint.syntax.parse import SyntaxProblem, parse  # noqa: PLC0415

            data = self.texts.data(module)
            try:
                recorded = record(parse(data), data)
            except (SyntaxProblem, RecursionError):
                return found
            for node, expression in recorded.origins.items():
                found[node] = (
                    expression.lineno,
                    expression.col_offset,
                    expression.end_lineno or expression.lineno,
                    expression.end_col_offset or 0,
                )
        return found

    def hop(self, func: FunctionValue, step: Step, leaf: Leaf) -> Hop:
        """A step as a hop of a chain that ends at a blocking call."""
        callee = leaf.name if step.function is None else step.function.fact.qualname
        return Hop(func.module, func.fact.qualname or "<module>", step.kind, callee, *self.place(func, step))


def _is_awaited(step: Step) -> bool:
    """Whether a call of a plain function is awaited that serves both worlds: here it does not block.

    A function with one way out, which calls nothing there, blocks in either world.
    """
    called = step.function
    if called is None or step.kind is not Kind.CALL or step.site is None or step.site.use is not Use.AWAITED:
        return False
    fact = called.fact
    if len(fact.returned) != 1 or fact.falls_through:
        return True
    return isinstance(called.module.facts.nodes[fact.returned[0]], f.Call)
