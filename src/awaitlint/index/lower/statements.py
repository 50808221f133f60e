"""Lowering of statements: bindings, control flow, functions and classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import (
    BinOp,
    Caught,
    Class,
    Declared,
    Enter,
    Func,
    Import,
    Iter,
    Misplaced,
    Narrow,
    Param,
    ParamFact,
    Phi,
    Scope,
    ScopeKind,
    TypeParam,
    Unpack,
    Use,
)
from awaitlint.index.lower.expressions import ExpressionLowerer
from awaitlint.index.lower.state import Assigned, Env, LoopState, ScopeState, is_stub_body

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TEST_NAMES = frozenset({"TYPE_CHECKING", "MYPY"})


class StatementLowerer(ExpressionLowerer):
    """Lowers one module.

    `version` decides ``sys.version_info`` tests as a stub file means them; without it both branches count.
    Both branches of ``sys.platform`` tests always count: the code may run on any platform.
    """

    def __init__(self, *, walrus: bool, version: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.walrus = walrus
        self.version = version
        self.imports: list[str] = []
        #: attributes that are assigned from outside of their class
        self.patched: set[str] = set()
        self.stars: list[tuple[str, int]] = []
        self.exports: list[str] | None = None
        #: the last ``return value`` of the async function that is being lowered
        self._return_value: ast.Return | None = None
        self._statements: dict[type, Callable[[Any], None]] = {
            ast.Expr: self._expr_statement,
            ast.Assign: self._assign,
            ast.AnnAssign: self._ann_assign,
            ast.AugAssign: self._aug_assign,
            ast.Return: self._return,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.Raise: self._raise,
            ast.Assert: self._assert,
            ast.Delete: self._delete,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Match: self._match,
            ast.Break: self._break,
            ast.Continue: self._continue,
        }
        if hasattr(ast, "TypeAlias"):
            self._statements[ast.TypeAlias] = self._type_alias

    # ------------------------------------------------------------------ blocks and flow
    def block(self, statements: Sequence[ast.stmt]) -> None:
        table = self._statements
        for statement in statements:
            if self.state.env is None and not self.quiet:
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
        return Assigned(walrus=self.walrus).block(statements).names

    def _expr_statement(self, node: ast.Expr) -> None:
        if type(node.value) is not ast.Constant:
            self.expr(node.value, Use.DISCARDED)
            self._extend_exports(node.value)

    def _return(self, node: ast.Return) -> None:
        self.state.returned.append(1 if node.value is None else self.expr(node.value, Use.RETURNED))
        if node.value is not None and self.state.is_async:
            # `return value` in an async generator; only its visitor can tell cheaply
            self._return_value = node
        self.state.env = None

    def _raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.expr(part)
        self.state.env = None

    def _assert(self, node: ast.Assert) -> None:
        self.expr(node.test, Use.TESTED)
        if node.msg is not None:
            self.expr(node.msg, Use.FORMATTED)
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

    def _static_test(self, test: ast.expr) -> bool | None:
        """The value of a test that type checkers decide too, or None."""
        name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
        if name in _TEST_NAMES:
            return True
        if isinstance(test, ast.Constant):
            return bool(test.value)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._static_test(test.operand)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            parts = [self._static_test(value) for value in test.values]
            if isinstance(test.op, ast.And):
                return False if False in parts else None if None in parts else True
            return True if True in parts else None if None in parts else False
        if self.version is None:
            return None
        return self._static_compare(test, self.version)

    @staticmethod
    def _static_compare(test: ast.expr, version: tuple[int, int]) -> bool | None:
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return None
        try:
            right = ast.literal_eval(test.comparators[0])
        except ValueError:
            return None
        op, left = test.ops[0], ast.unparse(test.left)
        if left == "sys.version_info" and isinstance(right, tuple):
            have = version[: len(right)]
            results: dict[type[ast.cmpop], bool] = {
                ast.GtE: have >= right,
                ast.Lt: have < right,
                ast.Gt: have > right,
                ast.LtE: have <= right,
                ast.Eq: have == right,
            }
            return results.get(type(op))
        return None

    @staticmethod
    def _is_for_checkers(test: ast.expr) -> bool:
        """Whether a test asks whether a type checker is reading."""
        if isinstance(test, ast.UnaryOp):
            test = test.operand
        name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
        return name in _TEST_NAMES

    def _if(self, node: ast.If) -> None:
        state = self.state
        static = self._static_test(node.test)
        self.expr(node.test, Use.TESTED)
        if static is not None and (self.version is not None or self._is_for_checkers(node.test)):
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
        if is_async and not self.state.is_async:
            self.out_of_place(node)
        iterable = self.expr(node.iter, Use.ASYNC_ITERATED if is_async else Use.ITERATED)
        phis, before = self._enter_loop(self._assigned([node]))
        self.assign_target(node.target, self.add(Iter(iterable, is_async)))
        self.block(node.body)
        self._leave_loop(phis, before, node.orelse)

    def _while(self, node: ast.While) -> None:
        phis, before = self._enter_loop(self._assigned([node]))
        self.expr(node.test, Use.TESTED)
        positive, negative = self.narrowings(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.narrow(positive)
        self.block(node.body)
        ended = [(name, value) for name, value in negative if name not in phis]
        self._leave_loop(phis, before, node.orelse, endless=endless, ended=ended)

    # ------------------------------------------------------------------ with, try, match
    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        state = self.state
        is_async = isinstance(node, ast.AsyncWith)
        if is_async and not state.is_async:
            self.out_of_place(node)
        use = Use.ASYNC_WITH if is_async else Use.WITH
        for item in node.items:
            value = self.expr(item.context_expr, use)
            if item.optional_vars is not None:
                self.assign_target(item.optional_vars, self.add(Enter(value, is_async)))
        before, mark = state.env, len(state.log)
        self.block(node.body)
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
        self.block(node.body)
        raised = None if before is None else self._after_any(before, mark)
        if node.orelse:
            self.block(node.orelse)
        after = state.env
        for handler in node.handlers:
            state.env = None if raised is None else dict(raised)
            if handler.type is not None:
                caught = self.expr(handler.type)
                if handler.name:
                    self.bind(handler.name, self.add(Caught(caught)))
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
                self.expr(case.guard, Use.TESTED)
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
        elif isinstance(pattern, ast.MatchOr) or isinstance(pattern, ast.MatchSequence):
            for option in pattern.patterns:
                self._pattern(option, 0, None)
        elif isinstance(pattern, ast.MatchMapping):
            for option in pattern.patterns:
                self._pattern(option, 0, None)
            if pattern.rest:
                self.bind(pattern.rest, 0)
        elif isinstance(pattern, ast.MatchStar) and pattern.name:
            self.bind(pattern.name, self.plain("list"))

    # ------------------------------------------------------------------ assignments
    def _assign(self, node: ast.Assign) -> None:
        targets = node.targets
        first = targets[0]
        if len(targets) == 1:
            if type(first) is ast.Name:
                before = len(self.sites)
                value = self.expr(node.value, self.binding_use)
                position = len(self.sites) - 1 if len(self.sites) > before and value in self.hot else -1
                self.bind_local(first.id, value, position)
                if first.id == "__all__" and self.state is self.module_state:
                    self.exports = self._literal_names(node.value)
                return
            if (
                isinstance(first, (ast.Tuple, ast.List))
                and isinstance(node.value, (ast.Tuple, ast.List))
                and len(first.elts) == len(node.value.elts)
                and not any(isinstance(e, ast.Starred) for e in (*first.elts, *node.value.elts))
            ):
                self._assign_pairwise(first.elts, node.value.elts)
                return
        elif all(type(target) is ast.Name for target in targets):
            before = len(self.sites)
            value = self.expr(node.value, self.binding_use)
            position = len(self.sites) - 1 if len(self.sites) > before and value in self.hot else -1
            for target in targets:
                self.bind_local(target.id, value, position)  # type: ignore[attr-defined]
            return
        use = Use.UNPACKED if isinstance(first, (ast.Tuple, ast.List)) else Use.STORED
        value = self.expr(node.value, use)
        for target in targets:
            self.assign_target(target, value)

    def _assign_pairwise(self, targets: list[ast.expr], values: list[ast.expr]) -> None:
        """``a, b = x, y``: all values are evaluated before anything is bound."""
        found = []
        for target, element in zip(targets, values, strict=True):
            before = len(self.sites)
            value = self.expr(element, self.binding_use if isinstance(target, ast.Name) else Use.STORED)
            found.append(
                (value, len(self.sites) - 1 if len(self.sites) > before and value in self.hot else -1)
            )
        for target, (value, position) in zip(targets, found, strict=True):
            if isinstance(target, ast.Name):
                self.bind_local(target.id, value, position)
            else:
                self.assign_target(target, value)

    def assign_target(self, target: ast.expr, value: int) -> None:
        """Bind whatever a target names to a node."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(target, value)
        elif isinstance(target, ast.Subscript):
            self.expr(target.value, Use.SUBSCRIPTED)
            self.expr(target.slice)
        elif isinstance(target, ast.Starred):
            self.assign_target(target.value, self.plain("list"))
        elif isinstance(target, (ast.Tuple, ast.List)):
            count = len(target.elts)
            star = next((i for i, e in enumerate(target.elts) if isinstance(e, ast.Starred)), count)
            for position, element in enumerate(target.elts):
                at = position if position <= star else position - count
                self.assign_target(element, self.add(Unpack(value, at)))

    def _assign_attribute(self, target: ast.Attribute, value: int) -> None:
        owner = self.expr(target.value, Use.ATTRIBUTE)
        found = self.nodes[owner]
        if isinstance(found, Narrow):
            found = self.nodes[self._base(owner)]
        scope, index = -1, -1
        if isinstance(found, Param):
            scope, index = found.scope, found.index
        elif isinstance(target.value, ast.Name):
            scope, index = self._captured_param(target.value.id)
        state: ScopeState | None = self.state if index == 0 else None
        while state is not None and state.index != self.scopes[scope].parent:
            state = state.parent
        if state is not None and state.kind is ScopeKind.CLASS:
            state.attributes.setdefault(target.attr, []).append(value)
        else:
            self.patched.add(target.attr)

    def _captured_param(self, name: str) -> tuple[int, int]:
        """(scope, index) of an enclosing function's parameter, as a closure over ``self`` reads it."""
        state = self.state.parent
        while state is not None:
            if state.is_function and name in state.locals:
                bound = state.bindings.get(name)
                node = self.nodes[bound[0]] if bound else None
                return (node.scope, node.index) if isinstance(node, Param) else (-1, -1)
            state = state.parent
        return -1, -1

    def _ann_assign(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        target = node.target
        value = position = -1
        if node.value is not None:
            before = len(self.sites)
            value = self.expr(node.value, self.binding_use if isinstance(target, ast.Name) else Use.STORED)
            if len(self.sites) > before and value in self.hot:
                position = len(self.sites) - 1
        declared = self.add(Declared(annotation, value))
        if value in self.hot:
            self.hot.add(declared)
        if not isinstance(target, ast.Name):
            self.assign_target(target, declared)
        elif value < 0 and self.state.is_function:
            # a bare declaration binds nothing
            self.state.bindings.setdefault(target.id, []).append(declared)
        else:
            self.bind_local(target.id, declared, position)

    def _aug_assign(self, node: ast.AugAssign) -> None:
        target = node.target
        value = self.expr(node.value, Use.OPERAND)
        if isinstance(target, ast.Name):
            if target.id == "__all__" and self.state is self.module_state and self.exports is not None:
                self.exports.extend(self._literal_names(node.value) or ())
            old = self.load(target.id)
            if old in self.hot:
                self.site(Use.OPERAND, old, target)
            self.bind(target.id, self.add(BinOp(type(node.op).__name__, old, value)))
        else:
            self.assign_target(target, 0)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                if self.state.env is not None:
                    self.state.env.pop(target.id, None)
            else:
                self.assign_target(target, 0)

    def _type_alias(self, node: Any) -> None:
        self.bind(node.name.id, self.annotation(node.value))

    @staticmethod
    def _literal_names(value: ast.expr) -> list[str] | None:
        if isinstance(value, (ast.List, ast.Tuple)):
            return [e.value for e in value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        return None

    def _extend_exports(self, call: ast.expr) -> None:
        """``__all__.extend([...])`` and ``__all__.append("x")``."""
        if self.exports is None or not isinstance(call, ast.Call) or not call.args:
            return
        func = call.func
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id == "__all__"
        ):
            argument = call.args[0]
            if func.attr == "extend":
                self.exports.extend(self._literal_names(argument) or ())
            elif (
                func.attr == "append"
                and isinstance(argument, ast.Constant)
                and isinstance(argument.value, str)
            ):
                self.exports.append(argument.value)

    # ------------------------------------------------------------------ imports
    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imports.append(alias.name)
            if alias.asname:
                self.bind(alias.asname, self.add(Import(alias.name, 0, "")))
            else:
                top = alias.name.partition(".")[0]
                self.bind(top, self.add(Import(top, 0, "")))

    def _import_from(self, node: ast.ImportFrom) -> None:
        module, level = node.module or "", node.level
        for alias in node.names:
            if alias.name == "*":
                self.stars.append((module, level))
                self._shadow_definitions()
            else:
                self.bind(alias.asname or alias.name, self.add(Import(module, level, alias.name)))

    def _shadow_definitions(self) -> None:
        """A star import may replace the functions and classes that stand above it."""
        state = self.state
        for name, node in list((state.env or {}).items()):
            if isinstance(self.nodes[node], (Func, Class)):
                self.bind(name, self.phi(node, 0))

    # ------------------------------------------------------------------ definitions
    def annotation(self, node: ast.expr | None) -> int:
        """Lower an annotation, a quoted one too; nothing in it is reported."""
        if node is None:
            return -1
        before = self.quiet, self.typing
        self.quiet = self.typing = True
        found = self.expr(node)
        self.quiet, self.typing = before
        return found

    def _params(self, args: ast.arguments, scope: int) -> list[ParamFact]:
        positional = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
        defaults += args.defaults
        found = []
        for position, (arg, default) in enumerate(zip(positional, defaults, strict=True)):
            kind = "posonly" if position < len(args.posonlyargs) else "normal"
            found.append(self._param(arg, kind, default))
        if args.vararg:
            found.append(self._param(args.vararg, "vararg", None))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            found.append(self._param(arg, "kwonly", default))
        if args.kwarg:
            found.append(self._param(args.kwarg, "kwarg", None))
        return found

    def _param(self, arg: ast.arg, kind: str, default: ast.expr | None) -> ParamFact:
        value = -1 if default is None else self.expr(default)
        return ParamFact(arg.arg, kind, self.annotation(arg.annotation), value)

    def open_scope(
        self, kind: ScopeKind, name: str, node: Any, args: ast.arguments | None, *, is_async: bool = False
    ) -> tuple[int, tuple[ParamFact, ...]]:
        parent = self.state
        record = self.scopes[parent.index]
        index = len(self.scopes)
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        self.scopes.append(
            Scope(
                kind=kind,
                name=name,
                qualname=f"{record.qualname}.{name}" if record.qualname else name,
                parent=parent.index,
                line=node.lineno,
                first_line=first,
                end_line=node.end_lineno or node.lineno,
                column=node.col_offset,
                is_async=is_async,
            )
        )
        state = ScopeState(kind, index, parent, is_async=is_async)
        type_params = tuple(parameter.name for parameter in getattr(node, "type_params", ()))
        state.type_params = self.scopes[index].type_params = type_params
        if type_params and kind is not ScopeKind.CLASS:
            # annotations of a generic function see its type parameters
            parent.type_params, outer = (*parent.type_params, *type_params), parent.type_params
        else:
            outer = parent.type_params
        params = tuple(self._params(args, index)) if args is not None else ()
        parent.type_params = outer
        self.state = state
        for position, parameter in enumerate(params):
            value = self.add(Param(index, position))
            self.bind(parameter.name, value)
            state.locals.add(parameter.name)
        if state.env is not None:
            for parameter_name in type_params:
                state.env[parameter_name] = self.add(TypeParam(index, parameter_name))
        return index, params

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = tuple(self.expr(d, Use.DECORATOR) for d in node.decorator_list)
        is_async = isinstance(node, ast.AsyncFunctionDef)
        index, params = self.open_scope(ScopeKind.FUNCTION, node.name, node, node.args, is_async=is_async)
        returns = self.annotation(node.returns)
        state = self.state
        assigned = Assigned(walrus=self.walrus).block(node.body)
        state.globals, state.nonlocals = assigned.globals, assigned.nonlocals
        state.locals |= assigned.names - assigned.globals - assigned.nonlocals
        quiet, self.quiet = self.quiet, self.quiet or self.state.env is None
        outer, self._return_value = self._return_value, None
        self.block(node.body)
        self.quiet = quiet
        if is_async and state.is_generator and self._return_value is not None:
            returned = self._return_value
            self.misplaced.append(Misplaced(index, returned.lineno, returned.col_offset))
        self._return_value = outer
        self.close_scope(
            index,
            decorators=decorators,
            params=params,
            returns=returns,
            falls_through=state.env is not None,
            is_stub=is_stub_body(node.body),
        )
        self.bind(node.name, self.add(Func(index)))

    def _class(self, node: ast.ClassDef) -> None:
        decorators = tuple(self.expr(d, Use.DECORATOR) for d in node.decorator_list)
        index, _ = self.open_scope(ScopeKind.CLASS, node.name, node, None)
        outer, inner = self.state.parent, self.state
        assert outer is not None
        # bases are evaluated outside the class, but see its type parameters
        if not inner.type_params:
            self.state = outer
        bases = tuple(self.annotation(base) for base in node.bases)
        keywords = tuple((k.arg or "**", self.expr(k.value)) for k in node.keywords)
        self.state = inner
        self.block(node.body)
        self.close_scope(index, decorators=decorators, bases=bases, keywords=keywords)
        self.bind(node.name, self.add(Class(index)))
