"""Lowering of control flow: which bindings reach which place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import (
    Caught,
    Enter,
    Iter,
    Narrow,
    Phi,
)
from awaitlint.index.lower.state import Assigned, Env, LoopState
from awaitlint.index.lower.static import is_for_checkers, static_test
from awaitlint.index.lower.uses import (
    ASYNC_ITERATED,
    ASYNC_WITH,
    FORMATTED,
    ITERATED,
    MARK_ASYNC_FOR,
    MARK_ASYNC_WITH,
    MARK_FOR,
    MARK_HANDLER,
    MARK_LOOP,
    MARK_WITH,
    RETURNED,
    TESTED,
    WITH,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
from awaitlint.index.lower.bindings import BindingLowerer


class FlowLowerer(BindingLowerer):
    """Branches, loops, exceptions; the environment is None where control cannot reach."""

    walrus: Sequence[int]
    version: tuple[int, int] | None
    _statements: dict[type, Callable[[Any], None]]
    #: the last ``return value`` of the async function that is being lowered
    _return_value: ast.Return | None

    # ------------------------------------------------------------------ blocks and flow
    def block(self, statements: Sequence[ast.stmt]) -> None:
        table, state = self._statements, self.state
        for statement in statements:
            if state.env is None and not self.quiet:
                self._unreachable(statement)
                continue
            handler = table.get(type(statement))
            if handler is not None:
                handler(statement)

    def _unreachable(self, statement: ast.stmt) -> None:
        """Code after ``return`` counts for ``yield`` and bindings only."""
        self.quiet = True
        handler = self._statements.get(type(statement))
        if handler is not None:
            handler(statement)
        self.quiet = False
        self.state.env = None

    def merge(self, first: Env | None, second: Env | None) -> Env | None:
        """The environment after two paths join."""
        if first is None or first is second:
            return second
        if second is None:
            return first
        merged: Env = {}
        for name, node in first.items():
            other = second.get(name, -1)
            if other == node:
                merged[name] = node
            elif other >= 0:
                merged[name] = self.phi(node, other)
            elif not self._is_passing(name, node):
                merged[name] = node
        for name, node in second.items():
            if name not in first and not self._is_passing(name, node):
                merged[name] = node
        return merged

    def _is_passing(self, name: str, node: int) -> bool:
        """Whether a name is only narrowed here, not bound: the narrowing ends where the paths join."""
        return isinstance(self.nodes[node], Narrow) and name not in self.state.locals

    def _assigned(self, statements: Sequence[ast.AST]) -> set[str]:
        return Assigned(self.walrus).block(statements).names

    def _return(self, node: ast.Return) -> None:
        state, value = self.state, node.value
        if value is None:
            state.returned.append(1)
        else:
            state.returned.append(self._table[type(value)](value, RETURNED, -1))
            if state.is_async:
                # `return value` in an async generator; only its visitor can tell cheaply
                self._return_value = node
        state.env = None

    def _raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.expr(part)
        self.state.env = None

    def _assert(self, node: ast.Assert) -> None:
        self.expr(node.test, TESTED)
        if node.msg is not None:
            self.expr(node.msg, FORMATTED)
        self.narrow(self.narrowings(node.test)[0])

    def _break(self, _node: ast.Break) -> None:
        self._leave("breaks")

    def _continue(self, _node: ast.Continue) -> None:
        self._leave("continues")

    def _leave(self, where: str) -> None:
        state = self.state
        if state.loops and state.env is not None:
            getattr(state.loops[-1], where).append(state.env)
        state.env = None

    def _if(self, node: ast.If) -> None:
        state = self.state
        static = static_test(node.test, self.version)
        self.expr(node.test, TESTED)
        if static is not None and (self.version is not None or is_for_checkers(node.test)):
            self._static_if(node, static)
            return
        positive, negative = self.narrowings(node.test)
        before = state.env
        self.narrow(positive)
        if state.env is before and before is not None:
            state.env = dict(before)
        if static is False:
            state.env = None
        self.block(node.body)
        after, exports = state.env, self.exports
        state.env = before
        self.narrow(negative)
        if static is True:
            state.env = None
        if node.orelse:
            if state.env is before and before is not None:
                state.env = dict(before)
            self.block(node.orelse)
        state.env = self.merge(after, state.env)
        if exports is not None and self.exports is not None and exports is not self.exports:
            # each branch has an ``__all__`` of its own
            self.exports = list(dict.fromkeys((*exports, *self.exports)))

    def _static_if(self, node: ast.If, static: bool) -> None:
        """A branch for type checkers, or for other versions of Python in a stub."""
        taken, other = (node.body, node.orelse) if static else (node.orelse, node.body)
        quiet, self.quiet = self.quiet, True
        if self.version is None:
            # the branch that runs is bound first, so that the typed branch wins where both bind a name
            env = self.state.env
            self.quiet = quiet
            self.block(other)
            self.quiet = True
            self.state.env = self.merge(env, self.state.env)
        self.block(taken)
        self.quiet = quiet

    # ------------------------------------------------------------------ loops
    def _enter_loop(self, assigned: set[str]) -> tuple[dict[str, int], dict[str, int]]:
        """Give every name that the loop's body binds a `Phi` to be completed at the loop's end."""
        state = self.state
        before = state.env or {}
        env = dict(before)
        phis = {}
        for name in sorted(assigned):
            if name in state.globals or name in state.nonlocals:
                continue
            phi = self.reserve()
            self.hot.add(phi)
            phis[name] = env[name] = phi
        state.env = env
        state.loops.append(LoopState())
        return phis, dict(before)

    def _leave_loop(
        self,
        phis: dict[str, int],
        before: Env,
        orelse: list[ast.stmt],
        *,
        endless: bool = False,
        ended: Sequence[tuple[str, int]] = (),
    ) -> None:
        """Complete the loop's `Phi` nodes and go on after it; `ended` is what its test says once it fails."""
        state = self.state
        loop = state.loops.pop()
        backs = [env for env in (state.env, *loop.continues) if env is not None]
        head = dict(before)
        for name, phi in phis.items():
            options: dict[int, None] = {}
            if name in before:
                options[before[name]] = None
            for env in backs:
                node = env.get(name, phi)
                if node != phi:
                    options[node] = None
            self.nodes[phi] = Phi(tuple(options))
            if options:
                head[name] = phi
        state.env = None if endless else head
        self.narrow(list(ended))
        if orelse:
            self.block(orelse)
        for env in loop.breaks:
            state.env = self.merge(state.env, env)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        is_async = isinstance(node, ast.AsyncFor)
        state = self.state
        if is_async:
            state.awaits += 1
            if not state.is_async:
                self.out_of_place(node)
        iterable = self.expr(node.iter, ASYNC_ITERATED if is_async else ITERATED)
        phis, before = self._enter_loop(self._assigned([node]))
        self.assign_target(node.target, self.add(Iter(iterable, is_async)))
        awaits = state.awaits
        self.block(node.body)
        if state.awaits > awaits or type(node.iter) is not ast.Call:
            kind = MARK_ASYNC_FOR if is_async else MARK_FOR
            self.mark(kind, node.lineno, iterable, awaits=state.awaits > awaits)
        self._leave_loop(phis, before, node.orelse)

    def _while(self, node: ast.While) -> None:
        phis, before = self._enter_loop(self._assigned([node]))
        awaits = self.state.awaits
        test = self.expr(node.test, TESTED)
        positive, negative = self.narrowings(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.narrow(positive)
        self.block(node.body)
        if self.state.is_async:
            self.mark(MARK_LOOP, node.lineno, test, awaits=self.state.awaits > awaits)
        ended = [(name, value) for name, value in negative if name not in phis]
        self._leave_loop(phis, before, node.orelse, endless=endless, ended=ended)

    # ------------------------------------------------------------------ with, try, match
    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        state = self.state
        is_async = isinstance(node, ast.AsyncWith)
        if is_async and not state.is_async:
            self.out_of_place(node)
        use = ASYNC_WITH if is_async else WITH
        plain = []
        for item in node.items:
            value = self.expr(item.context_expr, use)
            if type(item.context_expr) is not ast.Call:
                plain.append(value)
            if item.optional_vars is not None:
                self.assign_target(item.optional_vars, self.add(Enter(value, is_async)))
        before, mark = state.env, len(state.log)
        awaits = state.awaits
        self.block(node.body)
        kind = MARK_ASYNC_WITH if is_async else MARK_WITH
        for value in plain:
            self.mark(kind, node.lineno, value, awaits=state.awaits > awaits)
        if is_async:
            state.awaits += 1
        if state.env is None and before is not None:
            # the context manager may swallow an exception that ended the body
            state.env = self._after_any(before, mark)

    def _after_any(self, before: Env, mark: int) -> Env:
        """The environment after a block that may have stopped anywhere."""
        env = dict(before)
        for name, node in self.state.log[mark:]:
            env[name] = self.phi(env[name], node) if name in env else node
        return env

    def _try(self, node: Any) -> None:
        state = self.state
        before, mark = state.env, len(state.log)
        if before is not None:
            state.env = dict(before)
        awaits = state.awaits
        self.block(node.body)
        awaited = state.is_async and state.awaits > awaits
        raised = None if before is None else self._after_any(before, mark)
        if node.orelse:
            self.block(node.orelse)
        after = state.env
        for handler in node.handlers:
            state.env = None if raised is None else dict(raised)
            caught = -1
            if handler.type is not None:
                caught = self.expr(handler.type)
                if handler.name:
                    self.bind(handler.name, self.add(Caught(caught)))
            if awaited:
                self.mark(MARK_HANDLER, handler.lineno, caught, awaits=True)
            self.block(handler.body)
            if handler.name and state.env is not None:
                state.env.pop(handler.name, None)
            after = self.merge(after, state.env)
        state.env = after
        if node.finalbody:
            if before is not None:
                # the body of `finally` runs after any part of the statement
                state.env = self.merge(after, self._after_any(before, mark))
            else:
                state.env = after
            final_mark = len(state.log)
            self.block(node.finalbody)
            if state.env is not None:
                if after is None:
                    state.env = None
                else:
                    env = dict(after)
                    for name, bound in state.log[final_mark:]:
                        env[name] = bound if name not in env else state.env.get(name, bound)
                    state.env = env

    def _match(self, node: ast.Match) -> None:
        state = self.state
        subject = self.expr(node.subject)
        name = node.subject.id if isinstance(node.subject, ast.Name) else None
        before, after = state.env, None
        exhaustive = False
        for case in node.cases:
            state.env = None if before is None else dict(before)
            self._pattern(case.pattern, subject, name)
            if case.guard is not None:
                self.expr(case.guard, TESTED)
                self.narrow(self.narrowings(case.guard)[0])
            elif isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None:
                exhaustive = True
            self.block(case.body)
            after = self.merge(after, state.env)
        state.env = after if exhaustive else self.merge(after, before)

    def _pattern(self, pattern: ast.pattern, subject: int, name: str | None) -> None:
        """Bind what a pattern captures; a class pattern narrows its subject."""
        if isinstance(pattern, ast.MatchClass):
            narrowed = self.add(Narrow(subject, "isinstance", self.expr(pattern.cls), positive=True))
            if name is not None and self.state.env is not None and name in self.state.env:
                self.state.env[name] = narrowed
            for inner in (*pattern.patterns, *pattern.kwd_patterns):
                self._pattern(inner, 0, None)
        elif isinstance(pattern, ast.MatchAs):
            value = subject
            if pattern.pattern is not None:
                self._pattern(pattern.pattern, subject, name)
                if isinstance(pattern.pattern, ast.MatchClass):
                    against = self.expr(pattern.pattern.cls)
                    value = self.add(Narrow(subject, "isinstance", against, positive=True))
                else:
                    value = 0
            if pattern.name:
                self.bind(pattern.name, value)
        elif isinstance(pattern, (ast.MatchOr, ast.MatchSequence)):
            for option in pattern.patterns:
                self._pattern(option, 0, None)
        elif isinstance(pattern, ast.MatchMapping):
            for option in pattern.patterns:
                self._pattern(option, 0, None)
            if pattern.rest:
                self.bind(pattern.rest, 0)
        elif isinstance(pattern, ast.MatchStar) and pattern.name:
            self.bind(pattern.name, self.plain("list"))
