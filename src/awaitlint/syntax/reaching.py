"""Which bindings reach a decorator: what a name may stand for at a place, through branches and scopes.

Facts know the bindings of a module's names but neither their order nor the import statements behind them; a
rule that judges an import by what it decorates needs both.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst
else:
    from awaitlint.syntax.cst import cst


@dataclass(frozen=True, slots=True)
class Binding:
    """A thing that a name may stand for, and the node that bound it.

    `origin` is its dotted name where it is imported, with the leading dots of a relative import, else empty.
    `statement` and `line` are the import and the line that holds it; `guarded` says that the import's failure
    is caught there.
    """

    node: cst.CSTNode
    origin: str = ""
    statement: cst.Import | cst.ImportFrom | None = None
    line: cst.SimpleStatementLine | cst.SimpleStatementSuite | None = None
    guarded: bool = False
    attribute: str = ""


Bindings = frozenset[Binding]
State = dict[str, Bindings]


@dataclass(slots=True)
class Namespace:
    """A module, class or function while its statements are followed; a None state is unreachable."""

    parent: Namespace | None = None
    is_class: bool = False
    state: State | None = field(default_factory=dict)
    exits: list[State] = field(default_factory=list)
    tries: list[State] = field(default_factory=list)
    guards: int = 0
    outer: set[str] = field(default_factory=set)


class Flow:
    """Which bindings reach the decorators of a module's async functions.

    Statements are followed in order and branches are joined, so that a name which was bound again, or in
    a nearer scope, does not count.  The body of a function runs after the scope around it.
    """

    def __init__(self, module: cst.Module) -> None:
        #: what each decorator of an async function may be
        self.uses: dict[tuple[cst.FunctionDef, cst.Decorator], Bindings] = {}
        #: dotted names of everything that is imported, modules and members
        self.imported: list[str] = []
        #: what each name of the module may be when it has been run
        self.names: State = {}
        self._here = root = Namespace()
        self._queue: deque[tuple[Namespace, cst.BaseSuite | cst.Module]] = deque([(self._here, module)])
        while self._queue:
            self._here, body = self._queue.popleft()
            self._suite(body)
            self._here.state = _joined(self._here.state, *self._here.exits) or {}
        self.names = root.state or {}

    def _suite(self, body: cst.BaseSuite | cst.Module) -> None:
        if isinstance(body, cst.SimpleStatementSuite):
            self._statement(body)
        else:
            for statement in body.body:
                if self._here.state is not None:
                    self._statement(statement)

    def _branch(self, start: State | None, body: cst.CSTNode | None) -> State | None:
        self._here.state = dict(start) if start is not None else None
        if isinstance(body, (cst.Else, cst.Finally, cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase)):
            body = body.body
        if isinstance(body, cst.BaseSuite):
            self._suite(body)
        return self._here.state

    def _statement(self, node: cst.CSTNode) -> None:
        here, start = self._here, self._here.state
        if isinstance(node, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
            for small in node.body:
                if here.state is not None:
                    self._small(small, node)
        elif isinstance(node, cst.FunctionDef):
            for decorator in node.decorators if node.asynchronous is not None else ():
                key = node, decorator
                self.uses[key] = self.uses.get(key, frozenset()) | self._value(decorator.decorator)
            self._bind(node.name.value, frozenset({Binding(node)}))
            own = {name: frozenset({Binding(node.params)}) for name in parameters(node.params)}
            self._queue.append((Namespace(here, state=own), node.body))
        elif isinstance(node, cst.ClassDef):
            self._here = Namespace(here, is_class=True, guards=here.guards)
            self._suite(node.body)
            self._here = here
            self._bind(node.name.value, frozenset({Binding(node)}))
        elif isinstance(node, cst.If):
            here.state = self._if(node, start)
        elif isinstance(node, (cst.For, cst.While)):
            if isinstance(node, cst.For):
                self._assign(node.target)
            start = here.state
            here.state = _joined(
                start, self._branch(_joined(start, self._branch(start, node.body)), node.orelse)
            )
        elif isinstance(node, cst.With):
            guarded = any(_is_suppress(item.item) for item in node.items)
            for item in node.items:
                if item.asname is not None:
                    self._assign(item.asname.name)
            caught = dict(here.state or {})
            here.tries.append(caught)
            here.guards += guarded
            here.state = _joined(self._branch(here.state, node.body), caught if guarded else None)
            here.guards -= guarded
            here.tries.pop()
        elif isinstance(node, cst.Match):
            here.state = _joined(start, *(self._branch(start, case) for case in node.cases))
        elif isinstance(node, (cst.Try, cst.TryStar)):
            self._try(node)

    def _if(self, node: cst.If, start: State | None) -> State | None:
        """The state after a chain of conditions, of which `TYPE_CHECKING` is false when the code runs."""
        ends: list[State | None] = []
        branch: cst.If | cst.Else | None = node
        while isinstance(branch, cst.If):  # a loop, since generated code has chains of thousands
            typing = re.fullmatch(r"(not )?(?:\w+\.)?TYPE_CHECKING", dotted(branch.test))
            if not typing or typing[1]:
                ends.append(self._branch(start, branch.body))
            if typing and typing[1]:
                return _joined(*ends)
            branch = branch.orelse
        return _joined(*ends, self._branch(start, branch))

    def _try(self, node: cst.Try | cst.TryStar) -> None:
        here = self._here
        caught, left = dict(here.state or {}), dict(here.state or {})
        guarded = any(_catches_import_error(handler) for handler in node.handlers)
        here.tries += [left, caught]
        here.guards += guarded
        end = self._branch(here.state, node.body)
        here.guards -= guarded
        here.tries.pop()
        ends = [self._branch(end, node.orelse), *(self._branch(caught, handler) for handler in node.handlers)]
        here.tries.pop()
        here.state = _joined(*ends)
        if node.finalbody is not None:  # first as it runs when the block is left by an exception or a return
            self._branch(left, node.finalbody)
            here.state = self._branch(_joined(*ends), node.finalbody)

    def _small(
        self, node: cst.BaseSmallStatement, line: cst.SimpleStatementLine | cst.SimpleStatementSuite
    ) -> None:
        here = self._here
        if isinstance(node, (cst.Import, cst.ImportFrom)):
            self._import(node, line)
        elif isinstance(node, cst.Assign):
            for target in node.targets:
                self._assign(target.target, node.value)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            self._assign(node.target, node.value)
        elif isinstance(node, cst.AugAssign):
            self._assign(node.target)
        elif isinstance(node, cst.Del) and isinstance(node.target, cst.Name) and here.state is not None:
            here.state.pop(node.target.value, None)
        elif isinstance(node, (cst.Global, cst.Nonlocal)):
            here.outer |= {item.name.value for item in node.names}
        elif isinstance(node, (cst.Return, cst.Raise)):
            here.exits += [here.state] if here.state is not None else []
            here.state = None

    def _import(
        self, node: cst.Import | cst.ImportFrom, line: cst.SimpleStatementLine | cst.SimpleStatementSuite
    ) -> None:
        prefix = ""
        if isinstance(node, cst.ImportFrom):
            prefix = "." * len(node.relative) + (dotted(node.module) + "." if node.module else "")
        for alias in node.names if not isinstance(node.names, cst.ImportStar) else ():
            whole = prefix + dotted(alias.name)
            self.imported.append(whole)
            name = alias.evaluated_alias or (alias.evaluated_name if prefix else whole.partition(".")[0])
            origin = whole if prefix or alias.asname else name
            bindings = {Binding(alias, origin, node, line, self._here.guards > 0)}
            if name == whole.partition(".")[0] and not prefix:  # adds a submodule to the same package
                bindings |= {other for other in self._look_up(name) if other.origin == name}
            self._bind(name, frozenset(bindings))

    def _assign(self, target: cst.CSTNode, value: cst.BaseExpression | None = None) -> None:
        if isinstance(target, cst.Name):
            bindings = self._value(value) if value is not None else frozenset({Binding(target)})
            self._bind(target.value, bindings)
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                self._assign(element.value)

    def _bind(self, name: str, bindings: Bindings) -> None:
        here = self._here
        if name in here.outer:
            owner = here.parent
            while owner is not None and owner.parent is not None and name not in (owner.state or {}):
                owner = owner.parent
            if owner is not None and owner.state is not None:
                owner.state[name] = owner.state.get(name, frozenset()) | bindings
        elif here.state is not None:
            here.state[name] = bindings
            for caught in here.tries:
                caught[name] = caught.get(name, frozenset()) | bindings

    def _look_up(self, name: str) -> Bindings:
        space: Namespace | None = self._here
        while space is not None:
            if name in (space.state or {}) and (space is self._here or not space.is_class):
                return (space.state or {})[name]
            space = space.parent
        return frozenset()

    def _value(self, node: cst.BaseExpression) -> Bindings:
        """What an expression may be; the call of a decorator factory counts as the factory."""
        if isinstance(node, cst.Name):
            return self._look_up(node.value) or frozenset({Binding(node)})
        if isinstance(node, cst.Call):
            return self._value(node.func)
        if isinstance(node, cst.Attribute):
            spelling = dotted(node)
            return frozenset(
                replace(owner, origin=f"{owner.origin}.{node.attr.value}", attribute=spelling)
                for owner in self._value(node.value)
                if owner.origin
            ) or frozenset({Binding(node)})
        return frozenset({Binding(node)})


def wraps_in_sync(decorator: cst.CSTNode) -> bool:
    """Whether a decorator defined here puts a sync function, which forwards its arguments, around another.

    One that asks whether the function is a coroutine function is taken to know what it does.
    """
    probes = {"iscoroutinefunction", "isasyncgenfunction", "iscoroutine", "isawaitable"}
    if any(isinstance(node, cst.Name) and node.value in probes for node in nodes(decorator)):
        return False
    if isinstance(decorator, (cst.FunctionDef, cst.Lambda)):
        return _has_wrapper(decorator.body, parameters(decorator.params))
    return isinstance(decorator, cst.ClassDef) and _has_wrapper(decorator.body, set())


def _has_wrapper(node: cst.CSTNode, outer: set[str]) -> bool:
    """Whether a sync function in the node calls one of the `outer` parameters with its own ``*args``."""
    if isinstance(node, (cst.FunctionDef, cst.Lambda)):
        own = parameters(node.params)
        is_sync = isinstance(node, cst.Lambda) or node.asynchronous is None
        calls = (part for part in nodes(node.body) if isinstance(part, cst.Call)) if is_sync else ()
        if any(dotted(call.func) in outer - own and any(arg.star for arg in call.args) for call in calls):
            return True
        outer = outer | own
    return any(_has_wrapper(child, outer) for child in node.children)


def nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from nodes(child)


def parameters(params: cst.Parameters) -> set[str]:
    stars = [star for star in (params.star_arg, params.star_kwarg) if isinstance(star, cst.Param)]
    return {
        param.name.value for param in (*params.posonly_params, *params.params, *params.kwonly_params, *stars)
    }


def dotted(node: cst.CSTNode) -> str:
    """``a.b.c`` for a dotted name, ``not a.b`` for its negation; else empty."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        return f"not {dotted(node.expression)}"
    return node.value if isinstance(node, cst.Name) else ""


def _joined(*states: State | None) -> State | None:
    """What may hold where paths meet; None where none of them gets there."""
    reached = [state for state in states if state is not None]
    if not reached:
        return None
    names = {name for state in reached for name in state}
    return {name: frozenset().union(*(state.get(name, ()) for state in reached)) for name in names}


def _is_suppress(item: cst.BaseExpression) -> bool:
    return isinstance(item, cst.Call) and dotted(item.func).rpartition(".")[2] == "suppress"


def _catches_import_error(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a failed import is caught and not raised again."""
    errors = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    if handler.type is not None and not any(dotted(node) in errors for node in nodes(handler.type)):
        return False
    last = handler.body.body[-1] if handler.body.body else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return not isinstance(small, cst.Raise)
