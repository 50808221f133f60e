"""Under which conditions a place in a function runs: the tests, handlers and early exits on the way to it.

Facts do not keep control flow.  Few places matter so much that it has to be known, and for those the
function's own lines are parsed once more.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

#: calls whose success says that an event loop runs in this thread, and which fail where none does
_LOOP_PROBES = frozenset({"get_running_loop", "current_async_library", "current_task", "current_trio_token"})
#: words in the name of a function or flag that tells whether code is asynchronous
_TELLING_WORDS = ("async", "running_loop", "event_loop", "is_running", "in_loop", "coroutine", "greenlet")
#: words of the statements and expressions that make something run on one path only
_BRANCHING = re.compile(r"\b(?:if|elif|while|try|and|or)\b")
_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class Condition(NamedTuple):
    """What has to hold of a parameter: `test` is ``truthy`` or ``none``, and `holds` tells whether."""

    parameter: str
    test: str
    holds: bool


class Guards(NamedTuple):
    """The way to a place.

    `outside_loop` says that no event loop can be running in the thread that gets there; `conditions` are
    what must hold of the function's own parameters; `tests` are the texts of the tests that hold.
    """

    outside_loop: bool = False
    conditions: frozenset[Condition] = frozenset()
    tests: tuple[str, ...] = ()


class FunctionGuards:
    """The guards of the places in one function.

    Args:
        lines: The lines of the file, without their ends.
        first_line: The function's first line, decorators included.
        line: The line of its ``def``.
        column: The column of it, in UTF-8 bytes.
        end_line: Its last line.
    """

    def __init__(self, lines: Sequence[str], first_line: int, line: int, column: int, end_line: int) -> None:
        self._text = "\n".join(lines[first_line - 1 : end_line])
        self._place = (line, column)
        #: what is added to a line of the tree to have that of the file
        self._offset = first_line - 1
        if self._text[:1] in (" ", "\t", "\f"):
            self._text = "class _:\n" + self._text
            self._offset -= 1

    def at(self, line: int, column: int) -> Guards:
        """The guards of the place at a line and column (in UTF-8 bytes) of the file."""
        if not self._branches or self._function is None:
            return Guards()
        way = _Way(self)
        way.walk(self._function.body, line - self._offset, column)
        return Guards(way.outside_loop, frozenset(way.conditions), tuple(way.tests))

    def called_before(self, line: int) -> frozenset[str]:
        """The last names of the functions that are called above a line of the file, or in it."""
        last = line - self._offset
        return frozenset(_last_name(node.func) for node in self._names.calls if node.lineno <= last)

    def attribute(self, name: str) -> tuple[int, int, int, int] | None:
        """Where the attribute of this name stands, if the function has one: as `Site` has places."""
        found = [node for node in self._names.attributes if node.attr == name]
        if len(found) != 1:
            return None
        node = found[0]
        return (
            node.lineno + self._offset,
            node.col_offset,
            (node.end_lineno or node.lineno) + self._offset,
            node.end_col_offset or 0,
        )

    @cached_property
    def _branches(self) -> bool:
        """Whether the text has a word without which nothing depends on anything."""
        return _BRANCHING.search(self._text) is not None

    @cached_property
    def _function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        try:
            body = ast.parse(self._text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        node = body[0] if body else None
        if isinstance(node, ast.ClassDef) and self._text.startswith("class _:\n"):
            node = node.body[0]
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
        return node if (node.lineno + self._offset, node.col_offset) == self._place else None

    @cached_property
    def _names(self) -> _Names:
        return _Names(self._function)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The parameters that the function does not bind anew."""
        assert self._function is not None
        args = self._function.args
        names = {arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
        return frozenset(names - self._names.bound)

    @property
    def loops(self) -> frozenset[str]:
        """Names that are bound to the running loop, or to None where there is none."""
        return frozenset(self._names.loops)


class _Names:
    """What a function's tree holds, nested functions included, gathered in one walk."""

    def __init__(self, root: ast.AST | None) -> None:
        self.bound: set[str] = set()
        self.loops: set[str] = set()
        self.calls: list[ast.Call] = []
        #: that are read
        self.attributes: list[ast.Attribute] = []
        todo: list[ast.AST] = [] if root is None else [root]
        # `ast.walk` takes three times as long
        while todo:
            node = todo.pop()
            kind = type(node)
            if kind is ast.Name:
                if type(node.ctx) is ast.Store:  # type: ignore[attr-defined]
                    self.bound.add(node.id)  # type: ignore[attr-defined]
                continue
            if kind is ast.Constant:
                continue
            if isinstance(node, ast.Call):
                self.calls.append(node)
            elif isinstance(node, ast.Attribute):
                if type(node.ctx) is ast.Load:
                    self.attributes.append(node)
            elif isinstance(node, ast.Assign) and _is_probe(node.value):
                self.loops.update(target.id for target in node.targets if isinstance(target, ast.Name))
            for name in node._fields:
                value = getattr(node, name, None)
                if isinstance(value, list):
                    # of a dict's keys and of defaults some are missing, and some lists are of names
                    todo.extend([each for each in value if isinstance(each, ast.AST)])
                elif isinstance(value, ast.AST):
                    todo.append(value)


class _Way:
    """The walk to one place, which gathers what must hold on the way."""

    def __init__(self, function: FunctionGuards) -> None:
        self.outside_loop = False
        self.conditions: set[Condition] = set()
        self.tests: list[str] = []
        self._function = function

    def walk(self, block: Sequence[ast.stmt], line: int, column: int) -> None:
        """Go to the statement of a block that holds the place."""
        for statement in block:
            if _holds(statement, line, column):
                self._into(statement, line, column)
                return
            if isinstance(statement, ast.If) and _leaves(statement.body) and not statement.orelse:
                self._assume(statement.test, holds=False)
            elif (
                isinstance(statement, ast.Try)
                and _probes(statement.body)
                and _leaves(statement.orelse or statement.body)
            ):
                # where a loop is running, the code after it is not reached
                self.outside_loop = True

    def _into(self, statement: ast.stmt, line: int, column: int) -> None:
        if isinstance(statement, (ast.If, ast.While)):
            if _among(statement.body, line, column):
                self._assume(statement.test, holds=True)
            elif _among(statement.orelse, line, column):
                self._assume(statement.test, holds=False)
        elif isinstance(statement, ast.Try):
            for handler in statement.handlers:
                if _holds(handler, line, column) and _probes(statement.body):
                    self.outside_loop = True
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return
        self._expressions(statement, line, column)
        for block in _blocks(statement):
            if _among(block, line, column):
                self.walk(block, line, column)

    def _expressions(self, statement: ast.AST, line: int, column: int) -> None:
        """The tests inside of the statement's own expressions: ``a if t else b``, ``t and f()``."""
        for node in ast.iter_child_nodes(statement):
            if isinstance(node, ast.stmt) or not _holds(node, line, column):
                continue
            if isinstance(node, ast.IfExp):
                if _holds(node.body, line, column):
                    self._assume(node.test, holds=True)
                elif _holds(node.orelse, line, column):
                    self._assume(node.test, holds=False)
            elif isinstance(node, ast.BoolOp):
                for operand in node.values:
                    if _holds(operand, line, column):
                        break
                    self._assume(operand, holds=isinstance(node.op, ast.And))
            if not isinstance(node, (ast.excepthandler, ast.match_case)):
                self._expressions(node, line, column)

    def _assume(self, test: ast.expr, *, holds: bool) -> None:
        """Take a test to hold, or not to."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self._assume(test.operand, holds=not holds)
            return
        if isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.And) == holds:
                for operand in test.values:
                    self._assume(operand, holds=holds)
            elif any(self._tells_loop(operand) for operand in test.values) and not holds:
                self.outside_loop = True
            return
        if self._tells_loop(test):
            self.outside_loop |= not holds
        if holds:
            self.tests.append(ast.unparse(test))
        self._parameter(test, holds=holds)

    def _tells_loop(self, test: ast.expr) -> bool:
        """Whether a test that holds says that an event loop is running."""
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.IsNot):
            return self._tells_loop(test.left)
        if isinstance(test, ast.Name):
            return test.id in self._function.loops
        if isinstance(test, ast.Call):
            name = _last_name(test.func)
            return name in _LOOP_PROBES or any(word in name.lower() for word in _TELLING_WORDS)
        return False

    def _parameter(self, test: ast.expr, *, holds: bool) -> None:
        if isinstance(test, ast.Name) and test.id in self._function.parameters:
            self.conditions.add(Condition(test.id, "truthy", holds))
            return
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name)):
            return
        operator, (other,) = test.ops[0], test.comparators
        if test.left.id in self._function.parameters and isinstance(other, ast.Constant):
            if not isinstance(operator, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
                return
            same = isinstance(operator, (ast.Is, ast.Eq)) == holds
            if other.value is None:
                self.conditions.add(Condition(test.left.id, "none", same))
            elif isinstance(other.value, bool):
                self.conditions.add(Condition(test.left.id, "truthy", other.value == same))


def _is_probe(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _last_name(value.func) in _LOOP_PROBES


def _probes(block: Sequence[ast.stmt]) -> bool:
    """Whether a block fails where no event loop is running."""
    simple = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)
    values = [statement.value for statement in block if isinstance(statement, simple)]
    return any(
        _is_probe(node)
        for value in values
        if value is not None
        for node in ast.walk(value)
        if isinstance(node, ast.Call)
    )


def _leaves(block: Sequence[ast.stmt]) -> bool:
    """Whether control never comes to the end of a block."""
    if not block:
        return False
    last = block[-1]
    if isinstance(last, ast.If):
        return _leaves(last.body) and _leaves(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return _leaves(last.body)
    return isinstance(last, _EXITS)


def _blocks(statement: ast.AST) -> Iterator[Sequence[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block
    for name in ("handlers", "cases"):
        for part in getattr(statement, name, ()):
            yield part.body


def _among(block: Sequence[ast.stmt], line: int, column: int) -> bool:
    return any(_holds(statement, line, column) for statement in block)


def _holds(node: ast.AST, line: int, column: int) -> bool:
    if isinstance(node, ast.match_case):
        return _among(node.body, line, column)
    first = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
    last = (getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0))
    return first <= (line, column) < last


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
