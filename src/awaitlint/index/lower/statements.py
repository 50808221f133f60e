"""Lowering of a module's statements: functions, classes, and the table of all the others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import (
    Class,
    Func,
    Misplaced,
    Param,
    ParamFact,
    Scope,
    ScopeKind,
    TypeParam,
)
from awaitlint.index.lower.state import Assigned, Env, ScopeState, is_stub_body, references, shared
from awaitlint.index.lower.uses import DECORATOR, SCOPE_CLASS, SCOPE_FUNCTION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
from awaitlint.index.lower.flow import FlowLowerer

#: parameters of which only the name is known, such as ``self``: one object for each name
_BARE: dict[str, ParamFact] = {}
_MOST_BARE = 4096


def _bare(name: str) -> ParamFact:
    found = _BARE.get(name)
    if found is None:
        if len(_BARE) >= _MOST_BARE:
            _BARE.clear()
        found = _BARE[name] = ParamFact(name, "normal", -1, -1)
    return found


class StatementLowerer(FlowLowerer):
    """Lowers one module.

    `version` decides ``sys.version_info`` tests as a stub file means them; without it both branches count.
    Both branches of ``sys.platform`` tests always count: the code may run on any platform.
    """

    def __init__(self, *, walrus: Sequence[int] = (), version: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.walrus = walrus
        self.version = version
        self._return_value = None
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

    def finish(self) -> None:
        """Let go of the bound methods: what holds itself is not freed before garbage is collected."""
        self._statements.clear()
        self._table.clear()

    def _params(self, args: ast.arguments) -> list[ParamFact]:
        if not (args.defaults or args.posonlyargs or args.vararg or args.kwonlyargs or args.kwarg):
            return [
                _bare(arg.arg)
                if arg.annotation is None
                else ParamFact(arg.arg, "normal", self.annotation(arg.annotation), -1)
                for arg in args.args
            ]
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
        if default is None and arg.annotation is None and kind == "normal":
            return _bare(arg.arg)
        value = -1 if default is None else self.expr(default)
        return ParamFact(arg.arg, kind, self.annotation(arg.annotation), value)

    def open_scope(
        self, kind: ScopeKind, name: str, node: Any, args: ast.arguments | None, *, is_async: bool = False
    ) -> tuple[int, tuple[ParamFact, ...]]:
        parent = self.state
        record = self.scopes[parent.index]
        index = shared(len(self.scopes))
        decorated = getattr(node, "decorator_list", None)
        first = decorated[0].lineno if decorated else node.lineno
        self.scopes.append(
            Scope(
                kind=kind,
                name=name,
                qualname=f"{record.qualname}.{name}" if record.qualname else name,
                parent=parent.index,
                line=shared(node.lineno),
                first_line=shared(first),
                end_line=shared(node.end_lineno or node.lineno),
                column=node.col_offset,
                is_async=is_async,
                first_node=shared(len(self.nodes)),
            )
        )
        state = ScopeState(kind, index, parent, is_async=is_async)
        declared = getattr(node, "type_params", None)
        type_params = tuple([parameter.name for parameter in declared]) if declared else ()
        state.type_params = self.scopes[index].type_params = type_params
        if type_params and kind is not SCOPE_CLASS:
            # annotations of a generic function see its type parameters
            parent.type_params, outer = (*parent.type_params, *type_params), parent.type_params
        else:
            outer = parent.type_params
        params = tuple(self._params(args)) if args is not None else ()
        parent.type_params = outer
        self.state = state
        env: Env = {}
        if params:
            nodes, first = self.nodes, len(self.nodes)
            for at, parameter in enumerate(params):
                name = parameter.name
                nodes.append(Param(index, at))
                number = shared(first + at)
                env[name] = number
                state.bindings[name] = [number]
            state.locals.update(env)
        for parameter_name in type_params:
            env[parameter_name] = self.add(TypeParam(index, parameter_name))
        state.env = env
        return index, params

    def _decorators(self, decorators: list[ast.expr]) -> tuple[int, ...]:
        return references([self.expr(each, DECORATOR) for each in decorators]) if decorators else ()

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = self._decorators(node.decorator_list)
        is_async = isinstance(node, ast.AsyncFunctionDef)
        index, params = self.open_scope(SCOPE_FUNCTION, node.name, node, node.args, is_async=is_async)
        returns = self.annotation(node.returns)
        state = self.state
        assigned = Assigned(self.walrus).block(node.body)
        state.locals |= assigned.names
        if assigned.globals or assigned.nonlocals:
            state.globals, state.nonlocals = assigned.globals, assigned.nonlocals
            state.locals -= (assigned.globals | assigned.nonlocals) - {param.name for param in params}
        quiet, self.quiet = self.quiet, self.quiet or self.state.env is None
        outer, self._return_value = self._return_value, None
        self.block(node.body)
        self.quiet = quiet
        if is_async and state.is_generator:
            self._refuse_return(index)
        self._return_value = outer
        scope = self.close_scope(index)
        scope.decorators, scope.params, scope.returns = decorators, params, returns
        scope.falls_through = state.env is not None
        scope.is_stub = is_stub_body(node.body)
        self.bind(node.name, self.add(Func(index)))

    def _refuse_return(self, scope: int) -> None:
        """Note the ``return value`` of an async generator, which it must not have."""
        returned = self._return_value
        if returned is not None:
            self.misplaced.append(Misplaced(scope, returned.lineno, returned.col_offset))

    def _class(self, node: ast.ClassDef) -> None:
        decorators = self._decorators(node.decorator_list)
        index, _ = self.open_scope(SCOPE_CLASS, node.name, node, None)
        outer, inner = self.state.parent, self.state
        assert outer is not None
        # bases are evaluated outside the class, but see its type parameters
        if not inner.type_params:
            self.state = outer
        bases = references([self.annotation(base) for base in node.bases])
        keywords = tuple([(k.arg or "**", self.expr(k.value)) for k in node.keywords])
        self.state = inner
        self.block(node.body)
        scope = self.close_scope(index)
        scope.decorators, scope.bases, scope.keywords = decorators, bases, keywords
        self.bind(node.name, self.add(Class(index)))
