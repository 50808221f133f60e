"""Lowering of expressions: each becomes a node, and each use that may matter becomes a site."""

from __future__ import annotations

import ast
import re
import sys
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from awaitlint.index.facts import (
    Attr,
    Await,
    BinOp,
    Call,
    Const,
    Declared,
    DictDisplay,
    Display,
    Free,
    Index,
    Lambda,
    Name,
    Narrow,
    Param,
    ParamFact,
    Phi,
    ScopeKind,
    Starred,
    Super,
    Use,
    Yielded,
)
from awaitlint.index.lower.state import NUMBERS, SHARED, SINGLE, SINGLES
from awaitlint.index.lower.uses import (
    ARGUMENT,
    ATTRIBUTE,
    AWAITED,
    BOUND,
    CALLED,
    COMPARED,
    DISCARDED,
    ELEMENT,
    FORMATTED,
    ITERATED,
    OPERAND,
    OTHER,
    RETURNED,
    SCOPE_LAMBDA,
    SUBSCRIPTED,
    TESTED,
    YIELDED,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
from awaitlint.index.lower.comprehensions import Comprehensions

#: a longer string is only known to be a string
_KEPT_STRING = 80
#: a larger number is only known to be one
_MOST_BITS = 63
# mypyc knows no literal of a lone surrogate
_SURROGATE = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")
#: these read every local name
_READ_ALL = frozenset({"locals", "vars", "exec", "eval", "dir"})

#: uses under which a value that turns out to be a coroutine is lost or mistaken for its result
_FLOWS = frozenset({OTHER, BOUND})

#: those that a later Python may have
_UNKNOWN_KINDS = tuple(ast.expr.__subclasses__())

_MAY_BE_NONE = (Attr, Call, Await, Name, Free, Phi, Param, Declared, Index)


def _terminal_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class ExpressionLowerer(Comprehensions):
    """Lowers expressions of one module; `StatementLowerer` adds the statements."""

    def __init__(self) -> None:
        super().__init__()
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
        for kind in _UNKNOWN_KINDS:
            self._table.setdefault(kind, self._nothing)

    # ------------------------------------------------------------------ expressions
    def expr(self, node: ast.expr, use: Use = OTHER, other: int = -1) -> int:
        """Lower an expression whose value is used in that way; `other` is the node that uses it."""
        return self._table[type(node)](node, use, other)

    def _nothing(self, _node: ast.expr, _use: Use, _other: int) -> int:
        return 0

    def _name(self, node: ast.Name, use: Use, other: int) -> int:
        state = self.state
        env = state.env
        if state.is_function and env is not None and not state.unstable and node.id in env:
            found = env[node.id]
            state.loaded.add(found)
        else:
            found = self.load(node.id)
        if found in self.hot and use not in _FLOWS and use is not AWAITED:
            self.site(use, found, node, other)
        elif node.id in _READ_ALL and use is CALLED:
            self.state.all_read = True
        return found

    def _constant(self, node: ast.Constant, _use: Use, _other: int) -> int:
        value = node.value
        if isinstance(value, str):
            if self.typing:
                return self.quoted(value)
            # msgpack is UTF-8, which has no lone surrogates
            if len(value) > _KEPT_STRING or not (value.isascii() or _SURROGATE.search(value) is None):
                return self.plain("str")
            # the keys of dictionaries and the like are the same in many files
            value = sys.intern(value)
        elif isinstance(value, int):
            # not by comparison, which mypyc's code does not survive where the recursion limit is met
            if value.bit_length() > _MOST_BITS:
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
        nodes, owner = self.nodes, node.value
        index = len(nodes)
        nodes.append(nodes[0])
        if index < SHARED:
            index = NUMBERS[index]
        value = self._table[type(owner)](owner, ATTRIBUTE, index)
        nodes[index] = Attr(value, node.attr)
        return index

    def _call(self, node: ast.Call, use: Use, other: int) -> int:
        func = node.func
        if type(func) is ast.Name and func.id == "super" and not node.args and not node.keywords:
            scope = self._method_class()
            if scope >= 0:
                return self.add(Super(scope))
        nodes, table = self.nodes, self._table
        index = len(nodes)
        nodes.append(nodes[0])
        if index < SHARED:
            index = NUMBERS[index]
        called = table[type(func)](func, CALLED, index)
        given = node.args
        if not given:
            args: tuple[int, ...] = ()
        elif len(given) == 1:
            arg = given[0]
            only = table[type(arg)](arg, ARGUMENT, index)
            args = SINGLE[only] if only < SINGLES else (only,)
        else:
            args = tuple([table[type(arg)](arg, ARGUMENT, index) for arg in given])
        name = func.attr if type(func) is ast.Attribute else func.id if type(func) is ast.Name else ""
        if args and name == "cast":
            args = (self.annotation(node.args[0]), *args[1:])
        keywords = (
            tuple(
                [
                    (
                        keyword.arg or "**",
                        self.annotation(keyword.value)
                        if keyword.arg == "bound" and name == "TypeVar"
                        else table[type(keyword.value)](keyword.value, ARGUMENT, index),
                    )
                    for keyword in node.keywords
                ]
            )
            if node.keywords
            else ()
        )
        nodes[index] = Call(called, args, keywords)
        self.hot.add(index)
        self.site(use, index, node, other)
        return index

    def _await(self, node: ast.Await, _use: Use, _other: int) -> int:
        if not self.state.is_async or self.typing:
            self.out_of_place(node)
        self.state.awaits += 1
        index, awaited = self.reserve(), node.value
        value = self._table[type(awaited)](awaited, AWAITED, index)
        if type(node.value) is not ast.Call:
            self.site(AWAITED, value, node.value, index)
        self.nodes[index] = Await(value)
        return index

    def quoted(self, text: str) -> int:
        """Lower an expression that stands in a string."""
        if text.isidentifier() and not iskeyword(text):
            return self.load(text)
        try:
            node = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return 0
        return self.expr(node)

    def _subscript(self, node: ast.Subscript, _use: Use, _other: int) -> int:
        index = self.reserve()
        value = self.expr(node.value, SUBSCRIPTED, index)
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
        value = self.expr(left, OPERAND)
        formats = isinstance(left, ast.JoinedStr) or (
            isinstance(left, ast.Constant) and type(left.value) is str
        )
        for part in reversed(chain):
            if formats and isinstance(part.op, ast.Mod):
                right = self._formatted_values(part.right)
            else:
                right = self.expr(part.right, OPERAND)
            value = self.add(BinOp(type(part.op).__name__, value, right))
        return value

    def _formatted_values(self, node: ast.expr) -> int:
        """What ``%`` puts into a string."""
        if isinstance(node, ast.Tuple):
            return self.add(Display("tuple", tuple([self.expr(element, FORMATTED) for element in node.elts])))
        return self.expr(node, FORMATTED)

    def _boolop(self, node: ast.BoolOp, use: Use, other: int) -> int:
        env = self.state.env
        is_and = isinstance(node.op, ast.And)
        result = -1
        for value in node.values[:-1]:
            found = self.expr(value, TESTED)
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

    def _compare(self, node: ast.Compare, _use: Use, _other: int) -> int:
        table, left = self._table, node.left
        table[type(left)](left, COMPARED, -1)
        for value in node.comparators:
            table[type(value)](value, COMPARED, -1)
        return self.plain("bool")

    def _unaryop(self, node: ast.UnaryOp, _use: Use, _other: int) -> int:
        if isinstance(node.op, ast.Not):
            self.expr(node.operand, TESTED)
            return self.plain("bool")
        operand = node.operand
        if (
            isinstance(node.op, ast.USub)
            and isinstance(operand, ast.Constant)
            and type(operand.value) in (int, float)
        ):
            number = operand.value
            assert isinstance(number, (int, float))
            return self._constant(ast.Constant(-number), OTHER, -1)
        value = self.expr(operand, OPERAND)
        return self.add(BinOp(type(node.op).__name__, value, value))

    def _ifexp(self, node: ast.IfExp, use: Use, other: int) -> int:
        self.expr(node.test, TESTED)
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
        self.expr(node.value, FORMATTED)
        if node.format_spec is not None:
            self.expr(node.format_spec)
        return 0

    def _walrus(self, node: ast.NamedExpr, use: Use, other: int) -> int:
        before = len(self.sites)
        binds = use in _FLOWS or use is DISCARDED
        value = self.expr(node.value, self.binding_use if binds else use, other)
        bound = len(self.sites) - 1 if binds and len(self.sites) > before and value in self.hot else -1
        self.bind_local(node.target.id, value, bound)
        if use is not DISCARDED:
            self.state.loaded.add(value)
        return value

    def _yield(self, node: ast.Yield, _use: Use, _other: int) -> int:
        self.state.is_generator = True
        value = self.expr(node.value, YIELDED) if node.value is not None else 1
        self.state.yielded.append(value)
        return self.add(Yielded(value, is_from=False))

    def _yield_from(self, node: ast.YieldFrom, _use: Use, _other: int) -> int:
        if self.state.is_async:
            self.out_of_place(node)
        self.state.is_generator = True
        value = self.expr(node.value, ITERATED)
        return self.add(Yielded(value, is_from=True))

    def _elements(self, kind: str, elements: Sequence[ast.expr], use: Use) -> int:
        inner = DISCARDED if use is DISCARDED else ELEMENT
        index, table = self.reserve(), self._table
        found = tuple([table[type(element)](element, inner, index) for element in elements])
        self.nodes[index] = Display(kind, found)
        return index

    def _tuple(self, node: ast.Tuple, use: Use, _other: int) -> int:
        return self._elements("tuple", node.elts, use)

    def _list(self, node: ast.List, use: Use, _other: int) -> int:
        return self._elements("list", node.elts, use)

    def _set(self, node: ast.Set, use: Use, _other: int) -> int:
        return self._elements("set", node.elts, use)

    def _dict(self, node: ast.Dict, _use: Use, _other: int) -> int:
        index = self.reserve()
        table = self._table
        keys = [-1 if key is None else table[type(key)](key, ELEMENT, index) for key in node.keys]
        values = [table[type(value)](value, ELEMENT, index) for value in node.values]
        self.nodes[index] = DictDisplay(tuple(keys), tuple(values))
        return index

    def _starred(self, node: ast.Starred, _use: Use, _other: int) -> int:
        return self.add(Starred(self.expr(node.value, ITERATED)))

    # ------------------------------------------------------------------ functions
    def _lambda(self, node: ast.Lambda, _use: Use, _other: int) -> int:
        index, params = self.open_scope(SCOPE_LAMBDA, "<lambda>", node, node.args)
        state = self.state
        state.locals.update(param.name for param in params)
        body = self.expr(node.body, RETURNED)
        state.returned.append(body)
        self.close_scope(index).params = params
        return self.add(Lambda(index))

    def open_scope(
        self, kind: ScopeKind, name: str, node: Any, args: ast.arguments | None, *, is_async: bool = False
    ) -> tuple[int, tuple[ParamFact, ...]]:
        """Begin a nested scope; defaults and annotations are lowered in the scope around it."""
        raise NotImplementedError
