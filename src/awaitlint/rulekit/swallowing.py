"""Whether a handler that catches a cancellation has a good reason to keep it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import is_await, own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import libcst

#: functions whose awaitable may have been cancelled by somebody, whoever waits for it
_WAITERS = frozenset({"as_completed", "gather", "shield", "wait", "wait_for"})
#: context managers around a wait that wait for nothing themselves
_LIMITS = frozenset({"fail_after", "move_on_after", "timeout", "timeout_at"})
_LOGGING = frozenset(
    {"critical", "debug", "error", "exception", "info", "log", "print", "print_exc", "warn", "warning"}
)
_CLEANING = re.compile(
    r"a?(?:close|exit)|abort|cancel|clean(?:up)?|destroy|detach|disconnect|dispose|drain|finali[sz]e|flush|"
    r"join|kill|release|reset|rollback|shutdown|stop|tear(?:down)?|terminate|unlink|unsubscribe|aclose\w*|wait_closed"
)
#: calls by which code hands on a cancellation, or ends the process
_TELLING = re.compile(
    r"uncancel|cancelling|cancel\w*|exc_info|set_exception|throw|fail\w*|raise\w*|_?exit|abort|exit\w*|stop"
)


def name_of(node: libcst.BaseExpression) -> str:
    """The last name of a dotted one; that of what is called, of a call."""
    if isinstance(node, cst.Call):
        return name_of(node.func)
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def is_cleaning(name: str) -> bool:
    """Whether a function is named as one that cleans up."""
    return any(_CLEANING.fullmatch(part) for part in [name, *name.strip("_").lower().split("_")])


def calls(roots: Iterable[libcst.CSTNode]) -> Iterator[str]:
    """The last names of the functions that code calls."""
    for node in own_nodes(roots):
        if isinstance(node, cst.Call):
            yield name_of(node.func)


def waits_for_others(statement: libcst.Try) -> bool:
    """Whether all that a ``try`` waits for are tasks or futures, which may have been cancelled themselves."""
    return all(_is_for_others(node) for node in own_nodes([statement.body]) if is_await(node))


def _is_for_others(node: libcst.CSTNode) -> bool:
    if isinstance(node, cst.Await):
        return _is_other(node.expression)
    if isinstance(node, cst.With):
        return all(name_of(item.item) in _LIMITS for item in node.items)
    return isinstance(node, (cst.For, cst.CompFor)) and name_of(node.iter) in _WAITERS


def _is_other(node: libcst.BaseExpression) -> bool:
    if not isinstance(node, cst.Call):
        return isinstance(node, (cst.Name, cst.Attribute, cst.Subscript))
    return name_of(node) in _WAITERS and all(
        _is_other(argument.value) or not isinstance(argument.value, cst.Call)
        for argument in node.args
        if argument.keyword is None
    )


def cleans_up(function: libcst.FunctionDef, statement: libcst.Try, parents: Sequence[libcst.CSTNode]) -> bool:
    """Whether a ``try`` is there to clean up, where one failure must not keep the rest from being done."""
    if is_cleaning(function.name.value):
        return True
    if any(isinstance(parent, (cst.Finally, cst.ExceptHandler)) for parent in parents):
        return True
    waited = [
        node.expression
        for node in own_nodes([statement.body])
        if isinstance(node, cst.Await) and isinstance(node.expression, cst.Call)
    ]
    return bool(waited) and all(is_cleaning(name_of(each)) for each in waited)


def is_told(handler: libcst.ExceptHandler) -> bool:
    """Whether a handler raises, keeps the exception, hands it to somebody, or ends the process."""
    name = (
        handler.name.name.value
        if handler.name is not None and isinstance(handler.name.name, cst.Name)
        else ""
    )
    logged: set[libcst.CSTNode] = set()
    for node in own_nodes([handler.body]):
        if isinstance(node, cst.Raise):
            return True
        if isinstance(node, cst.Call):
            called = name_of(node.func)
            if called in _LOGGING:
                logged.update(own_nodes([node]))
            elif _TELLING.fullmatch(called.strip("_")):
                return True
        if isinstance(node, cst.Name) and node.value == name and node not in logged:
            return True
    return False


def decides(handler: libcst.ExceptHandler) -> bool:
    """Whether a handler does more than to wait, to log, and to go on: it looks at things, or notes some."""
    return any(
        isinstance(
            node, (cst.If, cst.IfExp, cst.Match, cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Try, cst.With)
        )
        for node in own_nodes([handler.body])
    )


def notes(handler: libcst.ExceptHandler) -> set[str]:
    """The last names of what a handler assigns to."""
    return {
        name_of(target.target)
        for node in own_nodes([handler.body])
        if isinstance(node, cst.Assign)
        for target in node.targets
    }


def was_cancelled(function: libcst.FunctionDef, handler: libcst.ExceptHandler) -> bool:
    """Whether a function cancels something before a handler, or asks how often it was cancelled itself."""
    before = True
    for node in own_nodes([function.body]):
        if node is handler:
            before = False
        if isinstance(node, cst.Call):
            called = name_of(node.func)
            if called in ("cancelling", "uncancel") or (before and called.startswith(("cancel", "_cancel"))):
                return True
    return False
