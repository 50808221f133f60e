"""
## What it does

Reports `return`, and `break` or `continue` of a loop around it, in the body of a task group or nursery
where tasks have been started, code follows, and nothing in the body cancels them. A `return` at the very
end of the body is fine, unless it awaits one of several tasks (`await tasks[0]`, or the first that is done);
so are the `break` and `continue` of a loop inside of it.

## Why is this bad?

The statement looks as if the function went on at once, but a task group is left only when all of its tasks
have ended: the others go on, and where one never ends the function never returns. If one of them fails, the
returned value is lost, for the group raises in its place.

## Example

```py
import asyncio

async def first_answer(urls: list[str]) -> bytes:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch(url)) for url in urls]
        for task in asyncio.as_completed(tasks):
            if answer := await task:
                return answer  # error: [control-flow-in-task-group]
    return b""

async def fetch(url: str) -> bytes:
    return b""
```

## Use instead

```py
import asyncio

async def first_answer(urls: list[str]) -> bytes:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch(url)) for url in urls]
        for task in asyncio.as_completed(tasks):
            if answer := await task:
                for other in tasks:
                    other.cancel()
                return answer
    return b""

async def fetch(url: str) -> bytes:
    return b""
```

With trio and anyio, cancel `nursery.cancel_scope` or `group.cancel_scope`.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.rulekit.cancel_scopes import Kind
from awaitlint.rulekit.leaving import leavings
from awaitlint.rulekit.scoped import ScopedRule
from awaitlint.rulekit.suites import may_leave
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.index.facts import Site
    from awaitlint.rulekit.cancel_scopes import CancelScope
    from awaitlint.rulekit.leaving import Leaving
    from awaitlint.rulekit.scoped import Entry

#: methods that start a task in a group
_STARTERS = frozenset({"create_task", "start", "start_soon", "soonify"})
_KEYWORDS = {"Return": "return", "Break": "break", "Continue": "continue"}


class ControlFlowInTaskGroup(ScopedRule):
    code = "AWL404"
    name = "control-flow-in-task-group"
    summary = "`return`, `break` or `continue` out of a task group whose tasks run on"
    kinds = frozenset({Kind.GROUP})

    def may_report(self, entry: Entry) -> bool:
        return self.scope_of(entry).is_async

    def suspect(self, site: Site) -> bool:
        if not super().suspect(site):
            return False
        return not self.is_plain(site) or may_leave(self.module.lines, site.line, site.end_line + 1)

    def visit_With(self, node: libcst.With) -> None:
        if node.asynchronous is None:
            return
        for item, entry in self.entries(node):
            opened = self.opened(entry) if self.may_report(entry) else None
            group = item.asname.name if item.asname is not None else item.item
            if opened is None or not isinstance(group, (cst.Name, cst.Attribute)):
                continue
            several = self._several(node, self.context.source(group))
            early = [
                each
                for each in leavings(node.body)
                if not each.at_end or (several and _waits_for_one(each.node, several))
            ]
            if early and not self._cancels(node):
                self._report(node, self.context.source(group), early, opened)

    def _report(self, node: libcst.With, group: str, early: list[Leaving], opened: CancelScope) -> None:
        starts = list(self._starts(node, group))
        for leaving in early:
            if not any(self._runs_on(start, leaving, node) for start in starts):
                continue
            keyword = _KEYWORDS[type(leaving.node).__name__]
            cancel = "them" if opened.library == "asyncio" else f"`{group}.cancel_scope`"
            self.report(
                leaving.node,
                f"`{keyword}` leaves the {opened.noun} `{group}` only when all of its tasks have ended;"
                f" cancel {cancel} first if they are not needed any more",
            )

    @staticmethod
    def _cancels(node: libcst.With) -> bool:
        return any(
            isinstance(each, cst.Call)
            and isinstance(each.func, cst.Attribute)
            and each.func.attr.value in ("cancel", "_abort")
            for each in own_nodes([node.body])
        )

    def _starts(self, node: libcst.With, group: str) -> Iterator[tuple[libcst.Call, str]]:
        """The calls that start a task, and the name that the task gets, if it does."""
        names: dict[libcst.CSTNode, str] = {}
        for each in own_nodes([node.body]):
            if isinstance(each, cst.Assign) and isinstance(each.targets[0].target, cst.Name):
                names[each.value] = each.targets[0].target.value
            if (
                isinstance(each, cst.Call)
                and isinstance(each.func, cst.Attribute)
                and each.func.attr.value in _STARTERS
                and self.context.source(each.func.value) == group
            ):
                yield each, names.get(each, "")

    def _several(self, node: libcst.With, group: str) -> frozenset[str]:
        """The names that are bound to a list of tasks of the group."""
        starts = {start for start, _ in self._starts(node, group)}
        return frozenset(
            each.targets[0].target.value
            for each in own_nodes([node.body])
            if isinstance(each, cst.Assign) and isinstance(each.targets[0].target, cst.Name)
            if not starts.isdisjoint(_elements(each.value))
        )

    def _runs_on(self, start: tuple[libcst.Call, str], leaving: Leaving, node: libcst.With) -> bool:
        """Whether a task may have been started, and not been awaited, when the body is left."""
        call, name = start
        begun, left = self._at(call), self._at(leaving.node)
        if leaving.loop is not None and any(each is call for each in own_nodes([leaving.loop])):
            return True
        if begun > left:
            return False
        return not name or not any(
            isinstance(each, cst.Await)
            and begun < self._at(each) < left
            and any(isinstance(part, cst.Name) and part.value == name for part in own_nodes([each]))
            for each in own_nodes([node.body])
        )

    def _at(self, node: libcst.CSTNode) -> tuple[int, int]:
        span = self.context.span(node)
        return span.line, span.column


def _elements(value: libcst.BaseExpression) -> list[libcst.BaseExpression]:
    """The elements of a list that may hold several things."""
    if isinstance(value, (cst.ListComp, cst.SetComp)):
        return [value.elt]
    if isinstance(value, (cst.List, cst.Tuple, cst.Set)) and len(value.elements) > 1:
        return [element.value for element in value.elements]
    return []


def _waits_for_one(leaving: libcst.CSTNode, several: frozenset[str]) -> bool:
    """Whether a `return` awaits one of several tasks: by its number, or the first of them that is done."""
    return any(
        isinstance(each, cst.Await) and _is_one(each.expression, several) for each in own_nodes([leaving])
    )


def _is_one(awaited: libcst.BaseExpression, several: frozenset[str]) -> bool:
    if isinstance(awaited, cst.Subscript):
        of, index = awaited.value, awaited.slice[0].slice
        return isinstance(of, cst.Name) and of.value in several and isinstance(index, cst.Index)
    if not isinstance(awaited, cst.Call):
        return False
    parts = list(own_nodes([awaited]))
    names = {each.value for each in parts if isinstance(each, cst.Name)}
    first = {"next", "as_completed"} <= names or "FIRST_COMPLETED" in names
    return first and not names.isdisjoint(several)
