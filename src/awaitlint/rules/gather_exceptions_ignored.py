"""
## What it does

Reports `await asyncio.gather(..., return_exceptions=True)` as a statement, or bound to a name that stands
nowhere else in the function, where it is given calls of async functions that do some work and do not catch
their exceptions; also where `asyncio.wait_for` or `shield` stands around it.

Clean-up is not reported: what stands in a `finally` or `except` block, in a function that cancels something
or is named `close`, `stop` and the like, and calls of functions with such names; nor what sends the same to
many, nor a test. A comment above that mentions `return_exceptions` says that it is meant.

## Why is this bad?

With `return_exceptions=True`, an exception is one of the results. Where nobody looks at the results, the code
goes on as if all had gone well, and nothing is logged.

## Example

```py
import asyncio

async def invite(user: str) -> None:
    raise LookupError(user)

async def main(users: list[str]) -> None:
    await asyncio.gather(  # error: [gather-exceptions-ignored]
        *[invite(user) for user in users], return_exceptions=True
    )
```

## Use instead

```py
import asyncio

async def invite(user: str) -> None:
    raise LookupError(user)

async def main(users: list[str]) -> None:
    results = await asyncio.gather(*[invite(user) for user in users], return_exceptions=True)
    for user, result in zip(users, results):
        if isinstance(result, BaseException):
            print(f"{user} was not invited: {result}")
```

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import last_name
from awaitlint.model import Severity
from awaitlint.rulekit.futures import future_maker
from awaitlint.rulekit.gathered import cancels, is_farewell, works
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.walk import children

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site

#: what gives what a future gives
_WRAPPERS = frozenset({"shield", "wait_for"})
#: lines above the statement that a comment about it may stand in
_ABOVE = 6


class GatherExceptionsIgnored(Rule):
    code = "AWL203"
    name = "gather-exceptions-ignored"
    summary = "`gather` that returns exceptions which nothing looks at"
    severity = Severity.WARNING
    uses = frozenset({Use.AWAITED, Use.ARGUMENT})
    callees = frozenset({"gather"})

    def may_suspect(self, site: Site) -> bool:
        call = self.module.facts.nodes[site.node]
        return isinstance(call, f.Call) and any(name == "return_exceptions" for name, _ in call.keywords)

    def suspect(self, site: Site) -> bool:
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        if not isinstance(call, f.Call) or ("return_exceptions", True) not in [
            (name, getattr(nodes[node], "value", None)) for name, node in call.keywords
        ]:
            return False
        if site.use is Use.ARGUMENT and not self._is_wrapped(site):
            return False
        if self.module.call_site(site.node) is not site or future_maker(self.module, site.node) != "gather":
            return False
        if self._is_clean_up(site) or self.module.is_safe(site):
            return False
        return bool(works(self.module, site.node))

    def _is_wrapped(self, site: Site) -> bool:
        """Whether a future is the first argument of something that hands on what it gives."""
        outer = self.module.facts.nodes[site.other] if site.other >= 0 else None
        return (
            isinstance(outer, f.Call)
            and outer.args[:1] == (site.node,)
            and last_name(self.module.facts.nodes[outer.func]) in _WRAPPERS
        )

    def _is_clean_up(self, site: Site) -> bool:
        name = self.module.scope_of(site).name
        return name.startswith("test") or is_farewell(name) or cancels(self.module, site.scope)

    def visit_Await(self, node: libcst.Await) -> None:
        call = node.expression
        site = self.context.site(call) if isinstance(call, cst.Call) else None
        if site is None or not isinstance(call, cst.Call) or site.use is not Use.AWAITED:
            return
        if not self.may_suspect(site) and call.args and isinstance(call.args[0].value, cst.Call):
            call = call.args[0].value
            site = self.context.site(call)
            if site is None or site.use is not Use.ARGUMENT:
                return
        if not self.may_suspect(site) or not self._is_dropped() or not self.suspect(site):
            return
        if self.context.expects_error() or self._is_meant(site):
            return
        function = works(self.module, site.node)[0]
        self.report(
            call,
            f"`{self.context.source(call.func)}` returns the exceptions, and nothing looks at them: where"
            f" `{function.fact.name}` fails, this goes on as if it had not; look at the results, or leave"
            " `return_exceptions` out",
            related=[
                self.module.definition(function, f"`{function.fact.name}` does not catch its exceptions")
            ],
        )

    def _is_dropped(self) -> bool:
        """Whether nothing gets the results of the visited ``await``, and no clean-up goes on around it."""
        parents = self.context.parents
        if any(isinstance(parent, (cst.ExceptHandler, cst.Finally)) for parent in parents):
            return False
        parent = parents[-1]
        if isinstance(parent, cst.Assign):
            targets = [target.target for target in parent.targets]
            names = [target.value for target in targets if isinstance(target, cst.Name)]
            return len(names) == len(targets) and all(map(self._is_never_read, names))
        return isinstance(parent, cst.Expr)

    def _is_never_read(self, name: str) -> bool:
        """Whether a name of the function stands nowhere else in it."""
        functions = [parent for parent in self.context.parents if isinstance(parent, cst.FunctionDef)]
        if not functions or name == "_":
            return name == "_"
        todo: list[libcst.CSTNode] = [functions[-1]]
        times = 0
        while todo:
            each = todo.pop()
            times += isinstance(each, cst.Name) and each.value == name
            todo += children(each)
        return times == 1

    def _is_meant(self, site: Site) -> bool:
        """Whether a comment near by speaks of `return_exceptions`."""
        lines = self.module.lines[max(0, site.line - 1 - _ABOVE) : site.end_line]
        return any("return_exceptions" in line.partition("#")[2] for line in lines)
