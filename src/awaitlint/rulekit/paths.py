"""Whether a local name that was just bound is used on every path: a walk over the statements behind it.

What is asked is whether a path that ends as usual may leave the value unused.  Exceptions are no such paths,
loops are taken to run, and chains of ``elif`` and ``case`` to name everything there is.  Where paths cannot
be told apart (conditions that may depend on each other, uses elsewhere than behind the binding), all is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import libcst as cst
else:
    from awaitlint.syntax.cst import cst

#: functions that may read a name that they do not spell
_READ_ALL = frozenset({"locals", "vars", "eval", "exec"})
#: what runs at another time than where it stands
_DEFERRED = frozenset({"FunctionDef", "ClassDef", "Lambda", "GeneratorExp"})


class Leak(NamedTuple):
    """The end of a path on which a value was not used, and what happens there."""

    node: cst.CSTNode
    what: str


def leak(parents: Sequence[cst.CSTNode], may_end: Callable[[cst.BaseExpression], bool]) -> Leak | None:
    """The first path on which the name that is assigned to is not used; None where there is none, or unsure.

    Args:
        parents: The ancestors of the assigned expression, outermost first.
        may_end: Whether a call, as a statement that ends a block, may be one that never returns.
    """
    binding = _binding(parents)
    if binding is None:
        return None
    paths = _Paths(binding.name, may_end)
    try:
        falls = paths.block(binding.rest)
    except _UnsureError:
        return None
    if falls and paths.condition is not None:
        paths.leaks.append(Leak(paths.condition, "it is not used where this does not hold"))
    return paths.leaks[0] if paths.used and paths.leaks else None


# -------------------------------------------------------------------------------- names
def _names(node: cst.CSTNode, name: str) -> Iterator[cst.Name]:
    """Where a name is spelled in a tree, but for attributes, keywords, and targets of plain assignments."""
    if isinstance(node, cst.Name):
        if node.value == name:
            yield node
        return
    children: Sequence[cst.CSTNode] = node.children
    if isinstance(node, (cst.Attribute, cst.Arg)):
        children = [node.value]
    elif isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name):
        return
    elif isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Name):
        children = [] if node.value is None else [node.value]
    for child in children:
        yield from _names(child, name)


def _mentions(node: cst.CSTNode, name: str) -> bool:
    return next(_names(node, name), None) is not None


def _binds(statement: cst.CSTNode, name: str) -> bool:
    """Whether a statement is an assignment to the name."""
    if isinstance(statement, cst.Assign):
        targets = [each.target for each in statement.targets]
    elif isinstance(statement, cst.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    else:
        return False
    return any(isinstance(target, cst.Name) and target.value == name for target in targets)


def _walk(node: cst.CSTNode, *, into_functions: bool) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        if into_functions or type(child).__name__ not in _DEFERRED:
            yield from _walk(child, into_functions=into_functions)


# -------------------------------------------------------------------------------- the binding
class _Binding(NamedTuple):
    """A name, and the statements that run after it was bound, whatever holds."""

    name: str
    rest: list[cst.BaseStatement]


def _binding(parents: Sequence[cst.CSTNode]) -> _Binding | None:
    """What an assignment binds, where it is one of a plain name in a function and is read behind it only."""
    if len(parents) < 2:
        return None
    *outer, line, statement = parents
    if not isinstance(line, cst.SimpleStatementLine) or line.body[-1] is not statement:
        return None
    name = _assigned(statement)
    if name is None:
        return None
    rest: list[cst.BaseStatement] = []
    #: what the walk over the statements behind the binding sees, or may leave out
    seen: list[cst.CSTNode] = [line]
    child: cst.CSTNode = line
    goes_on = True
    for parent in reversed(outer):
        if isinstance(parent, cst.FunctionDef):
            inside = {each for part in seen for each in _names(part, name)}
            everywhere = set(_names(parent.body, name))
            return None if _is_hidden(parent, name) or everywhere - inside else _Binding(name, rest)
        if isinstance(parent, (cst.ClassDef, cst.Lambda, cst.Module)):
            return None
        if goes_on and isinstance(parent, cst.IndentedBlock):
            index = next(number for number, each in enumerate(parent.body) if each is child)
            rest += parent.body[index + 1 :]
            seen += parent.body[index + 1 :]
        elif goes_on:
            goes_on = _passes(parent, child, name, rest, seen)
        child = parent
    return None


def _assigned(statement: cst.CSTNode) -> str | None:
    target = None
    if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        target = statement.targets[0].target
    elif isinstance(statement, cst.AnnAssign):
        target = statement.target
    return target.value if isinstance(target, cst.Name) else None


def _passes(
    parent: cst.CSTNode,
    child: cst.CSTNode,
    name: str,
    rest: list[cst.BaseStatement],
    seen: list[cst.CSTNode],
) -> bool:
    """Whether what stands behind a statement always runs after a block of it; adds others of its blocks."""
    if isinstance(parent, cst.With):
        return True
    if not isinstance(parent, (cst.Try, cst.TryStar)) or child is not parent.body:
        return False
    if any(_mentions(handler, name) for handler in parent.handlers):
        return False
    for part in (parent.orelse, parent.finalbody):
        if part is not None and isinstance(part.body, cst.IndentedBlock):
            rest += part.body.body
            seen.append(part)
    return True


def _is_hidden(function: cst.FunctionDef, name: str) -> bool:
    """Whether other functions see the name, or code reads names that it does not spell."""
    for node in _walk(function.body, into_functions=True):
        if type(node).__name__ in _DEFERRED and _mentions(node, name):
            return True
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _READ_ALL:
            return True
    return False


# -------------------------------------------------------------------------------- the paths
class _UnsureError(Exception):
    """The paths cannot be told apart."""


class _Paths:
    """Follows the paths on which a name was not used yet; an answer of True is that such a path goes on."""

    def __init__(self, name: str, may_end: Callable[[cst.BaseExpression], bool]) -> None:
        self._name = name
        self._may_end = may_end
        self.leaks: list[Leak] = []
        #: whether the name is used on some path
        self.used = False
        #: the last condition under which it is
        self.condition: cst.CSTNode | None = None

    def _uses(self, *nodes: cst.CSTNode | None) -> bool:
        found = any(node is not None and _mentions(node, self._name) for node in nodes)
        self.used = self.used or found
        return found

    def block(self, statements: Sequence[cst.BaseStatement]) -> bool:
        """Follow some statements."""
        under: cst.CSTNode | None = None
        for statement in statements:
            if isinstance(statement, cst.SimpleStatementLine):
                if not self._simple(statement.body, is_last=statement is statements[-1]):
                    return False
                continue
            leaks = len(self.leaks)
            uses = self._uses(statement)
            falls = self._compound(statement)
            if under is not None and (len(self.leaks) > leaks or (uses and falls)):
                # two conditions, of which one may be the other's reverse
                raise _UnsureError
            if not falls:
                return False
            if uses:
                under = statement.test if isinstance(statement, cst.If) else statement
        self.condition = under or self.condition
        return True

    def _suite(self, suite: cst.BaseSuite) -> bool:
        if isinstance(suite, cst.IndentedBlock):
            return self.block(suite.body)
        assert isinstance(suite, cst.SimpleStatementSuite)
        return self._simple(suite.body, is_last=True)

    def _simple(self, parts: Sequence[cst.BaseSmallStatement], *, is_last: bool) -> bool:
        for part in parts:
            if isinstance(part, cst.Del) and isinstance(part.target, cst.Name) and self._uses(part):
                self.leaks.append(Leak(part, "it is deleted here"))
                return False
            if self._uses(part) or isinstance(part, cst.Raise):
                return False
            if _binds(part, self._name):
                self.leaks.append(Leak(part, "the name is bound anew here"))
                return False
            if isinstance(part, cst.Return):
                self.leaks.append(Leak(part, "this path returns without it"))
                return False
            if isinstance(part, (cst.Break, cst.Continue)):
                raise _UnsureError
            if (
                isinstance(part, cst.Assert)
                and isinstance(part.test, cst.Name)
                and part.test.value == "False"
            ):
                return False
            if is_last and part is parts[-1] and isinstance(part, cst.Expr) and self._may_end(part.value):
                return False
        return True

    def _compound(self, statement: cst.BaseStatement) -> bool:
        if isinstance(statement, cst.If):
            return self._if(statement)
        if isinstance(statement, (cst.While, cst.For)):
            return self._loop(statement)
        if isinstance(statement, cst.With):
            return not self._uses(*statement.items) and self._suite(statement.body)
        if isinstance(statement, (cst.Try, cst.TryStar)):
            return self._try(statement)
        if isinstance(statement, cst.Match):
            tests = [each for case in statement.cases for each in (case.pattern, case.guard)]
            if self._uses(statement.subject, *tests):
                return False
            falls = [self._suite(case.body) for case in statement.cases]
            return any(falls)
        return not self._uses(statement)

    def _if(self, statement: cst.If) -> bool:
        suites = [statement.body]
        tests = [statement.test]
        last = statement.orelse
        while isinstance(last, cst.If):
            tests.append(last.test)
            suites.append(last.body)
            last = last.orelse
        if self._uses(*tests):
            return False
        if last is not None:
            suites.append(last.body)
        falls = [self._suite(suite) for suite in suites]
        # the rest of several conditions is taken to be impossible
        return any(falls) or (last is None and len(tests) == 1)

    def _loop(self, statement: cst.While | cst.For) -> bool:
        if self._uses(statement):
            return False
        nodes = list(_walk(statement.body, into_functions=False))
        for node in nodes:
            if _binds(node, self._name):
                raise _UnsureError
            if isinstance(node, cst.Return):
                self.leaks.append(Leak(node, "this path returns without it"))
        if isinstance(statement, cst.While) and isinstance(statement.test, (cst.Name, cst.Integer)):
            endless = statement.test.value in ("True", "1")
            return not endless or any(isinstance(node, cst.Break) for node in nodes)
        return True

    def _try(self, statement: cst.Try | cst.TryStar) -> bool:
        if self._uses(statement.finalbody, *statement.handlers):
            raise _UnsureError
        falls = self._suite(statement.body)
        if falls and statement.orelse is not None:
            falls = self._suite(statement.orelse.body)
        return falls and (statement.finalbody is None or self._suite(statement.finalbody.body))
