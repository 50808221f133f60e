"""
## What it does

Reports a test whether something is missing, such as `if self.x is None:`, which is followed by an `await`
and then by the assignment: `self.x = await make()`. The test may be `is None`, `not`, `not in`,
`.get(...) is None` or `not hasattr(...)`, or its opposite with a `return` (`if key in cache: return
cache[key]`). What is tested is an attribute, an item or a global that other tasks can see.

Silent is code that holds a lock, tests once more after the `await`, or assigns before it.

## Why is this bad?

Between the test and the assignment other tasks run. Each of them finds the thing missing, too, and does the
work again: two connections are opened, of which one is lost; the expensive call is made once for each request
that arrives while the first is under way.

## Example

<!-- select: check-then-act -->

```py
import asyncio

class Client:
    connection: object | None = None

    async def connect(self) -> object:
        await asyncio.sleep(0.1)
        return object()

    async def get(self) -> object:
        if self.connection is None:  # error: [check-then-act]
            self.connection = await self.connect()
        return self.connection
```

## Use instead

```py
import asyncio

class Client:
    connection: object | None = None

    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    async def connect(self) -> object:
        await asyncio.sleep(0.1)
        return object()

    async def get(self) -> object:
        async with self.lock:
            if self.connection is None:
                self.connection = await self.connect()
        return self.connection
```

A task that is stored before anything is awaited, and which every caller awaits, does as well:
`self.task = asyncio.create_task(self.connect())`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awaitlint.index.facts import Use
from awaitlint.model import Related, Severity
from awaitlint.rulekit.libraries import library
from awaitlint.rulekit.locks import is_guard, is_guarded
from awaitlint.rulekit.missing import found_missing
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.running import chains, innermost_function, names, spelling, suspension
from awaitlint.rulekit.spelled import is_shared
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import is_await
from awaitlint.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst

    from awaitlint.index.facts import Site

#: functions that only one task calls at a time, by their names: before others have the object, or in turn
_ONCE = frozenset({"__aenter__", "__aexit__", "__anext__", "asend", "asyncSetUp", "asyncTearDown", "main"})
#: names of flags that say whether something was made ready
_READY = re.compile(
    r"init|ready|start|connect|load|set_?up|regist|open|boot|migrat|subscri|warm|prepar|configur",
    re.IGNORECASE,
)


class CheckThenAct(Rule):
    code = "AWL604"
    name = "check-then-act"
    summary = "a test whether something is missing, an await, and then the assignment, without a lock"
    default = False
    severity = Severity.WARNING
    uses = frozenset({Use.AWAITED})

    def suspect(self, site: Site) -> bool:
        return self.module.scope_of(site).is_async

    def visit_If(self, node: libcst.If) -> None:
        if not self.context.scope.is_async:
            return
        for target in found_missing(node.test, missing=True):
            self._check(node.test, target, [node.body], node.test)
        present = found_missing(node.test, missing=False)
        if present and node.orelse is None and _leaves(node.body):
            following = self._following(node)
            for target in present:
                self._check(node.test, target, following, node.test)

    def visit_Assign(self, node: libcst.Assign) -> None:
        """`self.x = self.x or await make()`, and the same with `if` and `else`."""
        if not self.context.scope.is_async or len(node.targets) != 1:
            return
        value, target = node.value, node.targets[0].target
        written = spelling(target)
        if isinstance(value, cst.BooleanOperation) and isinstance(value.operator, cst.Or):
            missing, made = written and spelling(value.left) == written, value.right
        elif isinstance(value, cst.IfExp):
            missing, made = written in _spellings(found_missing(value.test, missing=True)), value.body
            if not missing and written in _spellings(found_missing(value.test, missing=False)):
                missing, made = True, value.orelse
        else:
            return
        waits = suspension(made)
        if missing and waits is not None:
            self._report(value, target, waits)

    def _following(self, node: libcst.If) -> Sequence[libcst.CSTNode]:
        """The statements behind a statement, in its own block."""
        block = children(self.context.parents[-1])
        return block[block.index(node) + 1 :] if node in block else ()

    def _check(
        self,
        node: libcst.BaseExpression,
        target: libcst.BaseExpression,
        body: Sequence[libcst.CSTNode],
        test: libcst.BaseExpression,
    ) -> None:
        """Report a test of a target where the code below awaits, and then assigns the target."""
        flags = chains(test)
        waits = _awaited_before(target, flags, body)
        if waits is not None:
            self._report(node, target, waits)

    def _report(
        self, node: libcst.BaseExpression, target: libcst.BaseExpression, waits: libcst.CSTNode
    ) -> None:
        function = innermost_function(self.context.parents)
        if function is None or function.name.value in _ONCE or not self._is_shared(target):
            return
        site = self._site(waits)
        if is_guarded(self) or (site is not None and self.module.is_safe(site)):
            return
        bound = library(self.module)[1]
        words = f"`{self.context.source(waits)}`" if isinstance(waits, cst.Await) else "this code"
        place = Related(self.module.display, self.context.span(waits), "here other tasks run")
        self.report(
            node,
            f"while {words} waits, other tasks find `{spelling(target)}` as it was and do the same work "
            f"again; hold a lock (`{bound}.Lock`) around the test and the assignment",
            related=(place,),
        )

    def _is_shared(self, target: libcst.BaseExpression) -> bool:
        return is_shared(self.module, self.context.scope, target, given=False)

    def _site(self, waits: libcst.CSTNode) -> Site | None:
        called = waits.expression if isinstance(waits, cst.Await) else None
        return self.context.site(called) if isinstance(called, cst.Call) else None


def _spellings(targets: Sequence[libcst.BaseExpression]) -> set[str]:
    return {spelling(target) for target in targets}


def _leaves(body: libcst.BaseSuite) -> bool:
    """Whether a block ends with `return`, `continue` or `break`; a `raise` forbids what comes then."""
    last = body.body[-1] if body.body else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, (cst.Return, cst.Continue, cst.Break))


def _awaited_before(
    target: libcst.BaseExpression, flags: set[str], body: Sequence[libcst.CSTNode]
) -> libcst.CSTNode | None:
    """Where code waits before it assigns a target; None where it looks at the target again in between.

    `flags` are all that the test in front of it looks at: one that is assigned first keeps others out.
    """
    written = spelling(target)
    waits: libcst.CSTNode | None = None
    #: names that are bound to what an `await` gave
    results: set[str] = set()
    for part in _in_order(body):
        if isinstance(part, cst.With) and any(map(is_guard, part.items)):
            return None
        if isinstance(part, (cst.Assign, cst.AnnAssign, cst.AugAssign)) and part.value is not None:
            assigned = _assigned(part)
            if written in assigned:
                return _first_wait(target, part.value, waits, results)
            if waits is None and not assigned.isdisjoint(flags):
                return None
            if suspension(part.value) is not None or not names(part.value).isdisjoint(results):
                results |= assigned
        elif isinstance(part, cst.With) and waits is None and is_await(part):
            results |= {each for item in part.items if item.asname for each in names(item.asname.name)}
            waits = part
        elif is_await(part):
            waits = waits or part
        elif waits is not None and written in _looked_at(part):
            return None
    return None


def _looked_at(node: libcst.CSTNode) -> set[str]:
    """What a node looks at: itself, or what it tests."""
    if isinstance(node, cst.BooleanOperation):
        return _spellings(found_missing(node.left, missing=False))
    if isinstance(node, (cst.If, cst.IfExp)):
        return _spellings([*found_missing(node.test, missing=True), *found_missing(node.test, missing=False)])
    return {spelling(node)}


def _first_wait(
    target: libcst.BaseExpression,
    value: libcst.BaseExpression,
    waits: libcst.CSTNode | None,
    results: set[str],
) -> libcst.CSTNode | None:
    """Where code has waited before it assigns what it has made, None for anything else.

    It makes what the `await` gave, an item of a cache, or the flag that says so.
    """
    if waits is None:
        return suspension(value)
    if spelling(target) in chains(value) | _looked_at(value):
        return None
    made = suspension(value) is not None or not names(value).isdisjoint(results)
    if isinstance(value, cst.Name) and value.value == "True":
        made = _READY.search(spelling(target).rpartition(".")[2]) is not None
    return waits if made or isinstance(target, cst.Subscript) else None


def _in_order(body: Sequence[libcst.CSTNode]) -> Iterator[libcst.CSTNode]:
    """What is evaluated, less the targets of assignments, which are no look at what they name."""
    todo = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, cst.Assign):
            todo.append(node.value)
        elif isinstance(node, cst.AnnAssign):
            todo.extend([node.value] if node.value is not None else [])
        elif isinstance(node, (cst.FunctionDef, cst.Lambda, cst.ClassDef, cst.GeneratorExp)):
            continue
        else:
            todo.extend(reversed(children(node)))


def _assigned(node: libcst.Assign | libcst.AnnAssign | libcst.AugAssign) -> set[str]:
    targets = [each.target for each in node.targets] if isinstance(node, cst.Assign) else [node.target]
    found: set[str] = set()
    for target in targets:
        if isinstance(target, (cst.Tuple, cst.List)):
            found.update(spelling(element.value) for element in target.elements)
        else:
            found.add(spelling(target))
    return found - {""}
