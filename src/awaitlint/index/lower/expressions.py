"""Lowering of expressions: each becomes a node, and each use that may matter becomes a site."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import (
    Attr,
    Await,
    BinOp,
    Call,
    Comp,
    Const,
    Declared,
    DictDisplay,
    Display,
    Free,
    Func,
    Index,
    Iter,
    Lambda,
    Misplaced,
    Name,
    Narrow,
    Node,
    Param,
    ParamFact,
    Phi,
    Plain,
    Scope,
    ScopeKind,
    Site,
    Starred,
    Super,
    TypeParam,
    Unknown,
    Unpack,
    Use,
    Yielded,
)
from awaitlint.index.lower.state import ScopeState, freeze, namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: a longer string is only known to be a string
_KEPT_STRING = 80
_SURROGATE = re.compile("[\ud800-\udfff]")
#: these read every local name
_READ_ALL = frozenset({"locals", "vars", "exec", "eval", "dir"})
#: probes after which the code knows whether it holds an awaitable
PROBES = frozenset(
    {
        "isawaitable",
        "iscoroutine",
        "iscoroutinefunction",
        "isasyncgen",
        "isasyncgenfunction",
        "isfuture",
        "is_async_callable",
        "is_coroutine_function",
        "is_coroutine_callable",
    }
)
#: uses under which a value that turns out to be a coroutine is lost or mistaken for its result
_FLOWS = frozenset({Use.OTHER, Use.BOUND})

_MAY_BE_NONE = (Attr, Call, Await, Name, Free, Phi, Param, Declared, Index)

#: (names narrowed where the test holds, names narrowed where it does not)
Narrowings = tuple[list[tuple[str, int]], list[tuple[str, int]]]


def _terminal_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class ExpressionLowerer:
    """Lowers expressions of one module; `StatementLowerer` adds the statements."""

    def __init__(self) -> None:
        self.nodes: list[Node] = [Unknown(), Const(None), Const(True), Const(False)]
        self.scopes: list[Scope] = []
        self.sites: list[Site] = []
        self.misplaced: list[Misplaced] = []
        self.state = ScopeState(ScopeKind.MODULE, 0, None)
        self.module_state = self.state
        #: inside ``if TYPE_CHECKING:`` or code that cannot be reached: nothing there is reported
        self.quiet = False
        #: inside an annotation: a string there is an expression
        self.typing = False
        self._consts: dict[tuple[type, Any], int] = {(type(None), None): 1, (bool, True): 2, (bool, False): 3}
        self._names: dict[str, int] = {}
        self._phis: dict[tuple[int, int], int] = {}
        #: nodes that may be a coroutine's first holder: calls, and what merges or narrows them
        self.hot: set[int] = set()
        self._table: dict[type, Callable[[Any, Use, int], int]] = {
            ast.Name: self._name,
            ast.Constant: self._constant,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.Await: self._await,
            ast.Subscript: self._subscript,
            ast.BinOp: self._binop,
            ast.BoolOp: self._boolop,
            ast.Compare: self._compare,
            ast.UnaryOp: self._unaryop,
            ast.IfExp: self._ifexp,
            ast.Lambda: self._lambda,
            ast.ListComp: self._list_comp,
            ast.SetComp: self._set_comp,
            ast.GeneratorExp: self._generator,
            ast.DictComp: self._dict_comp,
            ast.JoinedStr: self._fstring,
            ast.FormattedValue: self._formatted,
            ast.NamedExpr: self._walrus,
            ast.Yield: self._yield,
            ast.YieldFrom: self._yield_from,
            ast.Tuple: self._tuple,
            ast.List: self._list,
            ast.Set: self._set,
            ast.Dict: self._dict,
            ast.Starred: self._starred,
            ast.Slice: self._slice,
        }
        for name, handler in (("TemplateStr", self._template), ("Interpolation", self._formatted)):
            if hasattr(ast, name):
                self._table[getattr(ast, name)] = handler

    # ------------------------------------------------------------------ tables
    def add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def reserve(self) -> int:
        """A place for a node whose parts are lowered first."""
        self.nodes.append(self.nodes[0])
        return len(self.nodes) - 1

    def plain(self, type_name: str) -> int:
        key = (Plain, type_name)
        node = self._consts.get(key)
        if node is None:
            node = self._consts[key] = self.add(Plain(type_name))
        return node

    def site(self, use: Use, node: int, at: ast.expr, other: int = -1) -> None:
        if not self.quiet:
            self.sites.append(
                Site(
                    use,
                    node,
                    self.state.index,
                    at.lineno,
                    at.col_offset,
                    at.end_lineno or at.lineno,
                    at.end_col_offset or at.col_offset,
                    other,
                )
            )

    def phi(self, first: int, second: int) -> int:
        """The node for "one or the other", without narrowings that cancel out."""
        if first == second:
            return first
        base = self._base(first)
        if base == self._base(second):
            return base
        key = (first, second) if first < second else (second, first)
        node = self._phis.get(key)
        if node is None:
            node = self._phis[key] = self.add(Phi(key))
            if first in self.hot or second in self.hot:
                self.hot.add(node)
        return node

    def _base(self, node: int) -> int:
        while isinstance(found := self.nodes[node], Narrow):
            node = found.value
        return node

    # ------------------------------------------------------------------ names
    def load(self, name: str) -> int:
        """The node that a name stands for here."""
        state = self.state
        env = state.env
        if env is not None and name in env:
            node = env[name]
            if state.is_function:
                state.loaded.add(node)
            if (
                state is self.module_state
                and isinstance(self.nodes[node], Func)
                and len(state.bindings[name]) > 1
            ):
                # by name, so that overloads are seen
                return self.add(Name(name))
            if state.unstable and name in state.unstable:
                return self.add(Free(state.index, name) if state.is_function else Name(name))
            return node
        if name in state.locals and state.is_function:
            return 0
        outer = state.parent
        while outer is not None:
            if outer.is_function and name in outer.locals:
                outer.captured.add(name)
                return self._captured(outer, name)
            if name in outer.hidden:
                return 0
            if name in outer.type_params:
                return self.add(TypeParam(outer.index, name))
            outer = outer.parent
        node = self._names.get(name, -1)
        if node < 0:
            node = self._names[name] = self.add(Name(name))
        return node

    def _captured(self, outer: ScopeState, name: str) -> int:
        """A name of an enclosing function; one that is bound once is still narrowed as it was at the ``def``."""
        if outer.env is not None and len(outer.bindings.get(name, ())) == 1:
            node = outer.env.get(name, -1)
            if node >= 0 and isinstance(self.nodes[node], Narrow):
                return node
        free = self.add(Free(outer.index, name))
        if any(bound in self.hot for bound in outer.bindings.get(name, ())):
            self.hot.add(free)
        return free

    def bind(self, name: str, node: int) -> None:
        """Bind a name of the current scope (or the one that ``global``/``nonlocal`` name)."""
        state = self.state
        if name in state.globals:
            self.module_state.unstable.add(name)
            self.module_state.outside.setdefault(name, []).append(node)
            return
        if name in state.nonlocals:
            outer = state.parent
            while outer is not None:
                if outer.is_function and name in outer.locals:
                    outer.captured.add(name)
                    outer.unstable.add(name)
                    outer.bindings.setdefault(name, []).append(node)
                    return
                outer = outer.parent
            return
        state.bindings.setdefault(name, []).append(node)
        if state.env is not None:
            state.env[name] = node
        state.log.append((name, node))

    def bind_local(self, name: str, node: int, site: int = -1) -> None:
        """Bind, and remember the site of the bound call so that it can become NEVER_READ."""
        self.bind(name, node)
        state = self.state
        if site >= 0 and state.is_function and name not in state.globals and name not in state.nonlocals:
            state.pending.append((site, name, node))

    @property
    def binding_use(self) -> Use:
        return Use.BOUND if self.state.is_function else Use.STORED

    # ------------------------------------------------------------------ expressions
    def expr(self, node: ast.expr, use: Use = Use.OTHER, other: int = -1) -> int:
        """Lower an expression whose value is used in that way; `other` is the node that uses it."""
        handler = self._table.get(type(node))
        return handler(node, use, other) if handler is not None else 0

    def _name(self, node: ast.Name, use: Use, other: int) -> int:
        found = self.load(node.id)
        if found in self.hot and use not in _FLOWS and use is not Use.AWAITED:
            self.site(use, found, node, other)
        elif node.id in _READ_ALL and use is Use.CALLED:
            self.state.all_read = True
        return found

    def _constant(self, node: ast.Constant, _use: Use, _other: int) -> int:
        value = node.value
        if isinstance(value, str):
            if self.typing:
                return self.quoted(value)
            # msgpack is UTF-8, which has no lone surrogates
            if len(value) > _KEPT_STRING or _SURROGATE.search(value):
                return self.plain("str")
        elif isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                return self.plain("int")
        elif value is not None and not isinstance(value, float):
            return self.plain(type(value).__name__)
        kind = type(value)
        key = (kind, value)
        found = self._consts.get(key)
        if found is None:
            found = self._consts[key] = self.add(Const(value))
        return found

    def _attribute(self, node: ast.Attribute, _use: Use, _other: int) -> int:
        index = self.reserve()
        value = self.expr(node.value, Use.ATTRIBUTE, index)
        self.nodes[index] = Attr(value, node.attr)
        return index

    def _call(self, node: ast.Call, use: Use, other: int) -> int:
        func = node.func
        if type(func) is ast.Name and func.id == "super" and not node.args and not node.keywords:
            scope = self._method_class()
            if scope >= 0:
                return self.add(Super(scope))
        index = self.reserve()
        called = self.expr(func, Use.CALLED, index)
        expr = self.expr
        args = tuple([expr(arg, Use.ARGUMENT, index) for arg in node.args]) if node.args else ()
        keywords = (
            tuple(
                [(keyword.arg or "**", expr(keyword.value, Use.ARGUMENT, index)) for keyword in node.keywords]
            )
            if node.keywords
            else ()
        )
        self.nodes[index] = Call(called, args, keywords)
        self.hot.add(index)
        self.site(use, index, node, other)
        return index

    def _method_class(self) -> int:
        """The class of the method that is being lowered (also from functions nested in it), or -1."""
        state: ScopeState | None = self.state
        while state is not None and state.parent is not None:
            if state.is_function and state.parent.kind is ScopeKind.CLASS:
                return state.parent.index
            state = state.parent
        return -1

    def _await(self, node: ast.Await, _use: Use, _other: int) -> int:
        if not self.state.is_async or self.typing:
            self.out_of_place(node)
        index = self.reserve()
        value = self.expr(node.value, Use.AWAITED, index)
        if type(node.value) is not ast.Call:
            self.site(Use.AWAITED, value, node.value, index)
        self.nodes[index] = Await(value)
        return index

    def out_of_place(self, node: ast.AST) -> None:
        self.misplaced.append(Misplaced(self.state.index, node.lineno, node.col_offset))  # type: ignore[attr-defined]

    def quoted(self, text: str) -> int:
        """Lower an expression that stands in a string."""
        try:
            node = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return 0
        return self.expr(node)

    def _subscript(self, node: ast.Subscript, _use: Use, _other: int) -> int:
        index = self.reserve()
        value = self.expr(node.value, Use.SUBSCRIPTED, index)
        inner = node.slice
        if self.typing and (form := _terminal_name(node.value)) in ("Literal", "Annotated"):
            # strings in these are data, but for the type that `Annotated` begins with
            first = []
            if form == "Annotated" and isinstance(inner, ast.Tuple) and inner.elts:
                first = [self.expr(inner.elts[0])]
            self.typing = False
            rest = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            elements = first + [self.expr(element) for element in rest[len(first) :]]
            self.typing = True
            self.nodes[index] = Index(value, self.add(Display("tuple", tuple(elements))))
        else:
            self.nodes[index] = Index(value, self.expr(inner))
        return index

    def _slice(self, node: ast.Slice, _use: Use, _other: int) -> int:
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                self.expr(part)
        return self.plain("slice")

    def _binop(self, node: ast.BinOp, _use: Use, _other: int) -> int:
        # long sums nest to the left: go down without recursion
        chain = [node]
        while isinstance(left := chain[-1].left, ast.BinOp):
            chain.append(left)
        left = chain[-1].left
        value = self.expr(left, Use.OPERAND)
        formats = isinstance(left, ast.JoinedStr) or (
            isinstance(left, ast.Constant) and type(left.value) is str
        )
        for part in reversed(chain):
            if formats and isinstance(part.op, ast.Mod):
                right = self._formatted_values(part.right)
            else:
                right = self.expr(part.right, Use.OPERAND)
            value = self.add(BinOp(type(part.op).__name__, value, right))
        return value

    def _formatted_values(self, node: ast.expr) -> int:
        """What ``%`` puts into a string."""
        if isinstance(node, ast.Tuple):
            return self.add(
                Display("tuple", tuple([self.expr(element, Use.FORMATTED) for element in node.elts]))
            )
        return self.expr(node, Use.FORMATTED)

    def _boolop(self, node: ast.BoolOp, use: Use, other: int) -> int:
        env = self.state.env
        is_and = isinstance(node.op, ast.And)
        result = -1
        for value in node.values[:-1]:
            found = self.expr(value, Use.TESTED)
            if not is_and and isinstance(self.nodes[found], _MAY_BE_NONE):
                # `x or y` is x only where x is true
                narrowed = self.add(Narrow(found, "truthy", -1, positive=True))
                if found in self.hot:
                    self.hot.add(narrowed)
                found = narrowed
            result = found if result < 0 else self.phi(result, found)
            positive, negative = self.narrowings(value)
            self.narrow(positive if is_and else negative)
        last = self.expr(node.values[-1], use, other)
        self._restore(env)
        return self.phi(result, last)

    def _restore(self, env: dict[str, int] | None) -> None:
        """Undo narrowings, keeping what a walrus bound in between."""
        state = self.state
        if state.env is env or state.env is None or env is None:
            return
        for name, node in state.env.items():
            if not isinstance(self.nodes[node], Narrow):
                env[name] = node
        state.env = env

    def _compare(self, node: ast.Compare, _use: Use, _other: int) -> int:
        self.expr(node.left, Use.COMPARED)
        for value in node.comparators:
            self.expr(value, Use.COMPARED)
        return self.plain("bool")

    def _unaryop(self, node: ast.UnaryOp, _use: Use, _other: int) -> int:
        if isinstance(node.op, ast.Not):
            self.expr(node.operand, Use.TESTED)
            return self.plain("bool")
        operand = node.operand
        if (
            isinstance(node.op, ast.USub)
            and isinstance(operand, ast.Constant)
            and type(operand.value) in (int, float)
        ):
            number = operand.value
            assert isinstance(number, (int, float))
            return self._constant(ast.Constant(-number), Use.OTHER, -1)
        value = self.expr(operand, Use.OPERAND)
        return self.add(BinOp(type(node.op).__name__, value, value))

    def _ifexp(self, node: ast.IfExp, use: Use, other: int) -> int:
        self.expr(node.test, Use.TESTED)
        positive, negative = self.narrowings(node.test)
        env = self.state.env
        self.narrow(positive)
        body = self.expr(node.body, use, other)
        self._restore(env)
        self.narrow(negative)
        orelse = self.expr(node.orelse, use, other)
        self._restore(env)
        return self.phi(body, orelse)

    def _fstring(self, node: ast.JoinedStr, _use: Use, _other: int) -> int:
        for value in node.values:
            if type(value) is not ast.Constant:
                self.expr(value)
        return self.plain("str")

    def _template(self, node: Any, _use: Use, _other: int) -> int:
        for value in node.values:
            self.expr(value)
        return 0

    def _formatted(self, node: Any, _use: Use, _other: int) -> int:
        self.expr(node.value, Use.FORMATTED)
        if node.format_spec is not None:
            self.expr(node.format_spec)
        return 0

    def _walrus(self, node: ast.NamedExpr, use: Use, other: int) -> int:
        before = len(self.sites)
        binds = use in _FLOWS or use is Use.DISCARDED
        value = self.expr(node.value, self.binding_use if binds else use, other)
        bound = len(self.sites) - 1 if binds and len(self.sites) > before and value in self.hot else -1
        self.bind_local(node.target.id, value, bound)
        if use is not Use.DISCARDED:
            self.state.loaded.add(value)
        return value

    def _yield(self, node: ast.Yield, _use: Use, _other: int) -> int:
        self.state.is_generator = True
        value = self.expr(node.value, Use.YIELDED) if node.value is not None else 1
        self.state.yielded.append(value)
        return self.add(Yielded(value, is_from=False))

    def _yield_from(self, node: ast.YieldFrom, _use: Use, _other: int) -> int:
        if self.state.is_async:
            self.out_of_place(node)
        self.state.is_generator = True
        value = self.expr(node.value, Use.ITERATED)
        return self.add(Yielded(value, is_from=True))

    def _elements(self, kind: str, elements: Sequence[ast.expr], use: Use) -> int:
        inner = Use.DISCARDED if use is Use.DISCARDED else Use.ELEMENT
        index = self.reserve()
        expr = self.expr
        self.nodes[index] = Display(kind, tuple([expr(element, inner, index) for element in elements]))
        return index

    def _tuple(self, node: ast.Tuple, use: Use, _other: int) -> int:
        return self._elements("tuple", node.elts, use)

    def _list(self, node: ast.List, use: Use, _other: int) -> int:
        return self._elements("list", node.elts, use)

    def _set(self, node: ast.Set, use: Use, _other: int) -> int:
        return self._elements("set", node.elts, use)

    def _dict(self, node: ast.Dict, _use: Use, _other: int) -> int:
        index = self.reserve()
        keys = [-1 if key is None else self.expr(key, Use.ELEMENT, index) for key in node.keys]
        values = [self.expr(value, Use.ELEMENT, index) for value in node.values]
        self.nodes[index] = DictDisplay(tuple(keys), tuple(values))
        return index

    def _starred(self, node: ast.Starred, _use: Use, _other: int) -> int:
        return self.add(Starred(self.expr(node.value, Use.ITERATED)))

    # ------------------------------------------------------------------ comprehensions
    def _comprehension(
        self,
        kind: str,
        key: ast.expr | None,
        element: ast.expr,
        generators: list[ast.comprehension],
        use: Use,
    ) -> int:
        state = self.state
        env = state.env
        if env is not None:
            state.env = dict(env)
        hidden, state.hidden = state.hidden, set(state.hidden)
        is_async = False
        bound: set[str] = set()
        for generator in generators:
            iterable = self.expr(generator.iter, Use.ASYNC_ITERATED if generator.is_async else Use.ITERATED)
            is_async |= bool(generator.is_async)
            item = self.add(Iter(iterable, bool(generator.is_async)))
            self._bind_comprehension_target(generator.target, item, bound)
            for condition in generator.ifs:
                self.expr(condition, Use.TESTED)
                self.narrow(self.narrowings(condition)[0])
        if is_async and not state.is_async:
            self.out_of_place(element)
        index = self.reserve()
        key_node = -1 if key is None else self.expr(key, Use.ELEMENT, index)
        inner_use = Use.DISCARDED if use is Use.DISCARDED and kind in ("list", "set") else Use.ELEMENT
        value = self.expr(element, inner_use, index)
        state.hidden = hidden
        inner, state.env = state.env, env
        if inner is not None and env is not None:
            # a walrus in a comprehension binds outside it
            for name, node in inner.items():
                if name not in bound and not isinstance(self.nodes[node], Narrow):
                    env[name] = node
        self.nodes[index] = Comp(kind, key_node, value, is_async)
        return index

    def _bind_comprehension_target(self, target: ast.expr, item: int, bound: set[str]) -> None:
        if isinstance(target, ast.Name):
            bound.add(target.id)
            self.state.hidden.add(target.id)
            if self.state.env is not None:
                self.state.env[target.id] = item
        elif isinstance(target, (ast.Tuple, ast.List)):
            for position, element in enumerate(target.elts):
                self._bind_comprehension_target(element, self.add(Unpack(item, position)), bound)
        elif isinstance(target, ast.Starred):
            self._bind_comprehension_target(target.value, 0, bound)

    def _list_comp(self, node: ast.ListComp, use: Use, _other: int) -> int:
        return self._comprehension("list", None, node.elt, node.generators, use)

    def _set_comp(self, node: ast.SetComp, use: Use, _other: int) -> int:
        return self._comprehension("set", None, node.elt, node.generators, use)

    def _generator(self, node: ast.GeneratorExp, use: Use, _other: int) -> int:
        return self._comprehension("generator", None, node.elt, node.generators, use)

    def _dict_comp(self, node: ast.DictComp, use: Use, _other: int) -> int:
        return self._comprehension("dict", node.key, node.value, node.generators, use)

    # ------------------------------------------------------------------ functions
    def _lambda(self, node: ast.Lambda, _use: Use, _other: int) -> int:
        index, params = self.open_scope(ScopeKind.LAMBDA, "<lambda>", node, node.args)
        state = self.state
        state.locals.update(param.name for param in params)
        body = self.expr(node.body, Use.RETURNED)
        state.returned.append(body)
        self.close_scope(index, params=params)
        return self.add(Lambda(index))

    def open_scope(
        self, kind: ScopeKind, name: str, node: Any, args: ast.arguments | None, *, is_async: bool = False
    ) -> tuple[int, tuple[ParamFact, ...]]:
        """Begin a nested scope; defaults and annotations are lowered in the scope around it."""
        raise NotImplementedError

    def close_scope(self, index: int, **fields: Any) -> None:
        """End the current scope: give its record what was gathered, and go back to the one around it."""
        state = self.state
        self._mark_never_read(state)
        scope = self.scopes[index]
        for field, value in fields.items():
            setattr(scope, field, value)
        scope.bindings = freeze(state.bindings) if state.is_function else namespace(state, self.nodes)
        scope.attributes = freeze(state.attributes)
        scope.returned = tuple(state.returned)
        scope.yielded = tuple(state.yielded)
        scope.is_generator = state.is_generator
        if state.parent is not None:
            self.state = state.parent

    def _mark_never_read(self, state: ScopeState) -> None:
        if not state.pending or state.all_read:
            return
        loaded, todo = state.loaded, list(state.loaded)
        while todo:
            node = self.nodes[todo.pop()]
            if isinstance(node, Phi):
                reached: tuple[int, ...] = node.options
            elif isinstance(node, (Narrow, Declared, Unpack)):
                reached = (node.value,)
            else:
                continue
            for option in reached:
                if option not in loaded:
                    loaded.add(option)
                    todo.append(option)
        names: dict[int, set[str]] = {}
        for position, name, _ in state.pending:
            names.setdefault(position, set()).add(name)
        for position, _, node_index in state.pending:
            if node_index not in loaded and not names[position] & state.captured:
                site = self.sites[position]
                self.sites[position] = Site(
                    Use.NEVER_READ,
                    site.node,
                    site.scope,
                    site.line,
                    site.column,
                    site.end_line,
                    site.end_column,
                )

    # ------------------------------------------------------------------ narrowing
    def narrow(self, narrowings: list[tuple[str, int]]) -> None:
        """Go on with the narrowed names; the environment is copied, so that the caller can restore it."""
        if narrowings and self.state.env is not None:
            self.state.env = {**self.state.env, **dict(narrowings)}

    def _narrowed(self, name: str, test: str, against: int) -> Narrowings:
        env = self.state.env
        if env is None:
            return [], []
        if name in env:
            value = env[name]
        elif self.state.is_function and name not in self.state.locals:
            value = self.load(name)
        else:
            return [], []
        both = []
        for positive in (True, False):
            node = self.add(Narrow(value, test, against, positive))
            if value in self.hot:
                self.hot.add(node)
            both.append([(name, node)])
        return both[0], both[1]

    def narrowings(self, test: ast.expr) -> Narrowings:
        """What a test says of local names, where it holds and where it does not."""
        if isinstance(test, ast.Name):
            return self._narrowed(test.id, "truthy", -1)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            positive, negative = self.narrowings(test.operand)
            return negative, positive
        if isinstance(test, ast.BoolOp):
            parts = [self.narrowings(value) for value in test.values]
            if isinstance(test.op, ast.And):
                return [pair for part in parts for pair in part[0]], []
            return [], [pair for part in parts for pair in part[1]]
        if isinstance(test, ast.NamedExpr):
            return self._narrowed(test.target.id, "truthy", -1)
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self._compared(test)
        if isinstance(test, ast.Call) and test.args and isinstance(subject := test.args[0], ast.Name):
            called = _terminal_name(test.func)
            if called == "isinstance" and len(test.args) == 2:
                self.quiet, quiet = True, self.quiet
                against = self.expr(test.args[1])
                self.quiet = quiet
                return self._narrowed(subject.id, "isinstance", against)
            if called in PROBES or (called == "hasattr" and "__await__" in ast.dump(test)):
                return self._narrowed(subject.id, "awaitable", -1)
        return [], []

    def _compared(self, test: ast.Compare) -> Narrowings:
        left, right, op = test.left, test.comparators[0], test.ops[0]
        if isinstance(left, ast.NamedExpr):
            left = left.target
        if isinstance(left, ast.Name) and isinstance(right, ast.Constant) and right.value is None:
            positive, negative = self._narrowed(left.id, "none", -1)
            if isinstance(op, (ast.Is, ast.Eq)):
                return positive, negative
            if isinstance(op, (ast.IsNot, ast.NotEq)):
                return negative, positive
        return [], []
