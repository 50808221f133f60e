"""
## What it does

Reports awaited calls that follow each other and have nothing to do with each other: neither uses a result of
the other, or an object such as a session or connection that serves one task at a time. Only calls count that
bring something by their name (`get_user`, `fetch`, `load`, `search` …) and whose results are bound to local
variables. Tests are left alone.

That two calls are independent is likely, not certain: the second may rely on what the first changed. The
findings are shown only under the preset `pedantic`, or where the rule is selected by its own name.

## Why is this bad?

The second call begins when the first has ended. The function takes the sum of all times, where it could take
the longest of them.

## Example

<!-- select: sequential-awaits -->

```py
import asyncio

async def get_user(user_id: int) -> str:
    await asyncio.sleep(0.1)
    return "Ada"

async def get_posts(user_id: int) -> list[str]:
    await asyncio.sleep(0.1)
    return []

async def fetch_user_data(user_id: int) -> dict[str, object]:
    user = await get_user(user_id)  # error: [sequential-awaits]
    posts = await get_posts(user_id)
    return {"user": user, "posts": posts}
```

## Use instead

```py
import asyncio

async def get_user(user_id: int) -> str:
    await asyncio.sleep(0.1)
    return "Ada"

async def get_posts(user_id: int) -> list[str]:
    await asyncio.sleep(0.1)
    return []

async def fetch_user_data(user_id: int) -> dict[str, object]:
    user, posts = await asyncio.gather(get_user(user_id), get_posts(user_id))
    return {"user": user, "posts": posts}
```

## Fix safety

The fix writes an `asyncio.TaskGroup` where the target version has one (3.11), all calls certainly give
coroutines and no `try` around them waits for their exceptions, which a group would wrap; else
`asyncio.gather`. It is unsafe, because the calls then run at the same time. There is none for trio and anyio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index.facts import Use
from awaitlint.model import Confidence, Related, Safety, Severity
from awaitlint.rulekit.independent import are_apart, awaited_call, in_session, is_test
from awaitlint.rulekit.libraries import library
from awaitlint.rulekit.locks import is_guarded
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.running import names
from awaitlint.rulekit.together import Step, run_together
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.index.facts import Site


class SequentialAwaits(Rule):
    code = "AWL607"
    name = "sequential-awaits"
    summary = "awaited calls one after the other that could run at the same time"
    default = False
    severity = Severity.WARNING
    confidence = Confidence.LIKELY
    fixes = (Safety.UNSAFE,)
    uses = frozenset({Use.AWAITED})

    def suspect(self, site: Site) -> bool:
        return self.module.scope_of(site).is_async

    def visit_IndentedBlock(self, node: libcst.IndentedBlock) -> None:
        if not self.context.scope.is_async:
            return
        for run in self._runs(node):
            if is_test(self) or is_guarded(self) or in_session(self):
                return
            self._report(run)

    # ------------------------------------------------------------------ what follows each other
    def _runs(self, block: libcst.IndentedBlock) -> Iterator[list[Step]]:
        """The longest sequences of two and more independent statements of a block."""
        run: list[Step] = []
        for statement in block.body:
            step = self._step(statement)
            if step is not None and run and all(self._may_join(step, each) for each in run):
                run.append(step)
                continue
            if len(run) > 1:
                yield run
            run = [step] if step is not None else []
        if len(run) > 1:
            yield run

    def _step(self, statement: libcst.BaseStatement) -> Step | None:
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            return None
        small = statement.body[0]
        if isinstance(small, cst.Assign) and len(small.targets) == 1:
            target = small.targets[0].target
        elif isinstance(small, cst.AnnAssign):
            target = small.target
        else:
            return None
        call = awaited_call(self, small.value)
        bound = _bound(target)
        if call is None or not call.reads or bound is None or not isinstance(small.value, cst.Await):
            return None
        if any(name not in self.context.scope.bindings for name in bound):
            # a global, or a variable of an enclosing function: what is called may read it
            return None
        return Step(small, target, bound, small.value, call)

    def _may_join(self, step: Step, earlier: Step) -> bool:
        """Whether a statement neither needs an earlier one nor binds the same names."""
        if not step.names.isdisjoint(earlier.names) or not names(step.value).isdisjoint(earlier.names):
            return False
        return names(earlier.value).isdisjoint(step.names) and are_apart(self, earlier.call, step.call)

    # ------------------------------------------------------------------ report
    def _report(self, run: list[Step]) -> None:
        found, bound = library(self.module)
        subjects = [f"`{self._subject(step)}`" for step in run]
        together = {
            "asyncio": f"`{bound}.gather`",
            "anyio": "a task group",
            "trio": "a nursery",
        }[found]
        first, *others = run
        self.report(
            first.value,
            f"{', '.join(subjects[:-1])} and {subjects[-1]} seem to have nothing to do with each other, but "
            f"run one after the other; run them at the same time, with {together}",
            related=[
                Related(self.module.display, self.context.span(step.value), "this could run with it")
                for step in others
            ],
            fix=run_together(self, run, bound) if found == "asyncio" else None,
        )

    def _subject(self, step: Step) -> str:
        call = step.value.expression
        return self.context.source(call.func) if isinstance(call, cst.Call) else self.context.source(call)


def _bound(target: libcst.BaseExpression) -> frozenset[str] | None:
    """The local names that a target binds; None where it is something else."""
    if isinstance(target, cst.Name):
        return frozenset({target.value})
    if isinstance(target, (cst.Tuple, cst.List)):
        parts = [_bound(element.value) for element in target.elements]
        if all(part is not None for part in parts):
            return frozenset(name for part in parts for name in part or ())
    return None
