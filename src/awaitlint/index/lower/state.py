"""The state of a scope while it is being lowered."""

from __future__ import annotations

import ast
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

from awaitlint.index.facts import Func, ScopeKind
from awaitlint.index.lower.uses import SCOPE_FUNCTION, SCOPE_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from awaitlint.index.facts import Node

#: local name -> the node that it stands for at this point
Env = dict[str, int]


class LoopState:
    """Where ``break`` and ``continue`` of a loop leave their environments."""

    __slots__ = ("breaks", "continues")

    def __init__(self) -> None:
        self.breaks: list[Env] = []
        self.continues: list[Env] = []


class ScopeState:
    """What lowering knows about the scope it is in; the finished part becomes a `Scope`."""

    __slots__ = (
        "all_read",
        "attributes",
        "awaits",
        "bindings",
        "captured",
        "env",
        "globals",
        "hidden",
        "index",
        "is_async",
        "is_function",
        "is_generator",
        "kind",
        "loaded",
        "locals",
        "log",
        "loops",
        "nonlocals",
        "outside",
        "parent",
        "pending",
        "returned",
        "type_params",
        "unstable",
        "yielded",
    )

    def __init__(
        self, kind: ScopeKind, index: int, parent: ScopeState | None, *, is_async: bool = False
    ) -> None:
        self.kind = kind
        self.index = index
        self.parent = parent
        self.is_async = is_async
        self.is_function = kind is SCOPE_FUNCTION or kind is SCOPE_LAMBDA
        self.is_generator = False
        #: how many places that wait for something have been lowered
        self.awaits = 0
        #: None where control cannot reach
        self.env: Env | None = {}
        self.locals: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        #: names of a comprehension that is being lowered: nested lambdas see them, nobody else does
        self.hidden: set[str] = set()
        #: names that nested functions bind anew: the order of the text does not tell what they stand for
        self.unstable: set[str] = set()
        #: names of the scope's type parameters (PEP 695)
        self.type_params: tuple[str, ...] = ()
        self.bindings: dict[str, list[int]] = {}
        self.attributes: dict[str, list[int]] = {}
        #: of the module: what functions bind with ``global``
        self.outside: dict[str, list[int]] = {}
        self.returned: list[int] = []
        self.yielded: list[int] = []
        self.loops: list[LoopState] = []
        #: every binding in order, for the environments of exception handlers
        self.log: list[tuple[str, int]] = []
        #: nodes that some load of a local name can reach
        self.loaded: set[int] = set()
        #: local names that nested scopes read
        self.captured: set[str] = set()
        #: sites that become NEVER_READ if nothing loads them: (site's position in the list, name, node)
        self.pending: list[tuple[int, str, int]] = []
        #: ``locals()`` or the like: every name counts as read
        self.all_read = False


#: statements whose blocks belong to the scope they stand in
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
#: statements that bind no name but in a ``:=``
_BINDS_NOTHING = frozenset({ast.Expr, ast.Return, ast.Raise, ast.Pass, ast.Assert, ast.Break, ast.Continue})
_BLOCKS_OF: dict[type, tuple[str, ...]] = {
    ast.If: ("body", "orelse"),
    ast.For: ("body", "orelse"),
    ast.AsyncFor: ("body", "orelse"),
    ast.While: ("body", "orelse"),
    ast.With: ("body",),
    ast.AsyncWith: ("body",),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.TryStar: ("body", "handlers", "orelse", "finalbody"),
    ast.ExceptHandler: ("body",),
    ast.Match: ("cases",),
    ast.match_case: ("body",),
}


def target_names(target: ast.expr) -> Iterable[str]:
    """The names that an assignment target binds."""
    if type(target) is ast.Name:
        return (target.id,)
    return _names_in(target)


def _names_in(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _names_in(element)
    elif isinstance(target, ast.Starred):
        yield from _names_in(target.value)


def _pattern_names(pattern: ast.AST) -> Iterator[str]:
    for node in ast.walk(pattern):
        if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest


class Assigned:
    """The names that a piece of code binds in its own scope."""

    __slots__ = ("globals", "names", "nonlocals", "walrus")

    def __init__(self, walrus: Sequence[int]) -> None:
        self.names: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        #: the lines of the module with a ``:=``: only statements that hold one are searched for its target
        self.walrus = walrus

    def block(self, statements: Iterable[ast.AST]) -> Assigned:
        names, walrus = self.names, self.walrus
        # the frequent kinds come first
        for node in statements:
            kind = type(node)
            if kind is ast.Assign:
                for target in node.targets:  # type: ignore[attr-defined]
                    if type(target) is ast.Name:
                        names.add(target.id)
                    elif type(target) is not ast.Attribute and type(target) is not ast.Subscript:
                        names.update(target_names(target))
            elif kind is ast.FunctionDef or kind is ast.AsyncFunctionDef or kind is ast.ClassDef:
                names.add(node.name)  # type: ignore[attr-defined]
                continue
            elif kind in _BLOCKS_OF:
                self._compound(node)
            elif kind not in _BINDS_NOTHING:
                self._simple(node)
            if walrus and self._holds_walrus(node):
                self._walruses(node)
        return self

    def _simple(self, node: ast.AST) -> None:
        names = self.names
        kind = type(node)
        if kind is ast.AnnAssign or kind is ast.AugAssign:
            names.update(target_names(node.target))  # type: ignore[attr-defined]
        elif kind is ast.Import or kind is ast.ImportFrom:
            for alias in node.names:  # type: ignore[attr-defined]
                names.add(alias.asname or alias.name.partition(".")[0])
        elif kind is ast.Global:
            self.globals.update(node.names)  # type: ignore[attr-defined]
        elif kind is ast.Nonlocal:
            self.nonlocals.update(node.names)  # type: ignore[attr-defined]
        elif kind is ast.Delete:
            for target in node.targets:  # type: ignore[attr-defined]
                names.update(target_names(target))
        elif hasattr(ast, "TypeAlias") and isinstance(node, ast.TypeAlias):
            names.update(target_names(node.name))

    def _compound(self, node: Any) -> None:
        kind = type(node)
        if kind is ast.If:
            self.block(node.body)
            if node.orelse:
                self.block(node.orelse)
            return
        if kind is ast.For or kind is ast.AsyncFor:
            self.names.update(target_names(node.target))
        elif kind is ast.With or kind is ast.AsyncWith:
            for item in node.items:
                if item.optional_vars is not None:
                    self.names.update(target_names(item.optional_vars))
        elif kind is ast.ExceptHandler:
            if node.name:
                self.names.add(node.name)
        elif kind is ast.match_case:
            self.names.update(_pattern_names(node.pattern))
        for block in _BLOCKS_OF[kind]:
            statements = getattr(node, block)
            if statements:
                self.block(statements)

    def _holds_walrus(self, node: ast.AST) -> bool:
        first = getattr(node, "lineno", 0)
        at = bisect_left(self.walrus, first)
        # a ``case`` has no place of its own
        return not first or (at < len(self.walrus) and self.walrus[at] <= getattr(node, "end_lineno", 0))

    def _walruses(self, node: ast.AST) -> None:
        """Search the statement's own expressions, not its blocks: those come by themselves."""
        for name, value in ast.iter_fields(node):
            if name in _BLOCKS:
                continue
            for child in value if isinstance(value, list) else (value,):
                if not isinstance(child, ast.AST):
                    continue
                for inner in ast.walk(child):
                    if isinstance(inner, ast.NamedExpr):
                        self.names.update(target_names(inner.target))


#: numbers below this are the same objects in all facts: a million of them would take 32 MB
SHARED: Final = 16384
NUMBERS: Final = tuple(range(SHARED))
#: the tuples of one small number: most names are bound once
SINGLES: Final = 4096
SINGLE: Final = tuple([(number,) for number in NUMBERS[:SINGLES]])


def shared(number: int) -> int:
    """The object that facts have for a number."""
    return NUMBERS[number] if 0 <= number < SHARED else number


def references(nodes: list[int]) -> tuple[int, ...]:
    """Nodes as facts have them; one object for a frequent tuple."""
    if len(nodes) == 1 and 0 <= (node := nodes[0]) < SINGLES:
        return SINGLE[node]
    return tuple(nodes)


def freeze(lists: dict[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {
        name: SINGLE[node] if len(nodes) == 1 and 0 <= (node := nodes[0]) < SINGLES else tuple(nodes)
        for name, nodes in lists.items()
    }


def namespace(state: ScopeState, nodes: list[Node]) -> dict[str, tuple[int, ...]]:
    """What the names of a module or class stand for once its body has run.

    A name that is a function at the end keeps the functions it was before, so that overloads are seen;
    what functions bind with ``global`` comes after.
    """
    found: dict[str, tuple[int, ...]] = {}
    env = state.env
    for name, bound in state.bindings.items():
        last = bound[-1] if env is None else env.get(name, -1)
        if last < 0:
            continue
        if len(bound) > 1 and isinstance(nodes[last], Func):
            found[name] = tuple(node for node in bound if isinstance(nodes[node], Func))
        else:
            found[name] = SINGLE[last] if last < SINGLES else (last,)
    for name, outside in state.outside.items():
        found[name] = (*found.get(name, ()), *outside)
    return found


def is_stub_body(body: list[ast.stmt]) -> bool:
    """Whether a body says nothing: a docstring, ``...``, ``pass``, ``raise NotImplementedError``."""
    for statement in body:
        if isinstance(statement, ast.Pass):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
            if isinstance(raised, ast.Name) and raised.id == "NotImplementedError":
                continue
        return False
    return True
