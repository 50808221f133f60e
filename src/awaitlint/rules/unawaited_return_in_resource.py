"""
## What it does

Reports a coroutine that is returned un-awaited from inside of a block that has something to do after it:

- in an `async def`, from a `try` (or its `except` or `else`) that catches exceptions or cleans up in its
  `finally`, or from a `with` or `async with`;
- in a plain `def`, from a `with`.

Silent where AWL111 would be silent about an `async def` (the annotation or the callers say that it gives a
coroutine, and so on), unless the coroutine uses what the `with` has entered; in a plain `def`, where the
`with` is about the call alone (`suppress`, `nullcontext`, `catch_warnings`, `pytest.raises`, a lock of
threads).

An `async def` that returns a coroutine elsewhere is AWL111, a web handler that does is AWL802; a `return` is
reported by one of them only.

## Why is this bad?

The coroutine runs when somebody awaits it, and the block has ended by then: the session is closed, the lock
is released, the transaction committed, the span finished; `except` never sees an exception of the coroutine,
and `finally` has cleaned up before it begins.

## Example

```py
import asyncio

class Session:
    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    async def get(self, key: str) -> bytes:
        return b""

async def load(key: str):
    async with Session() as session:
        return session.get(key)  # error: [unawaited-return-in-resource]

async def load_or_none(session: Session, key: str):
    try:
        return session.get(key)  # error: [unawaited-return-in-resource]
    except KeyError:
        return None
```

## Use instead

```py
class Session:
    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    async def get(self, key: str) -> bytes:
        return b""

async def load(key: str):
    async with Session() as session:
        return await session.get(key)

async def load_or_none(session: Session, key: str):
    try:
        return await session.get(key)
    except KeyError:
        return None
```

## Fix safety

The fix adds `await` in an `async def`. It is unsafe, because a caller may already await twice.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.marks import MarkKind
from awaitlint.infer.values import ClassValue, Instance, members
from awaitlint.rulekit.coroutines import noun
from awaitlint.rulekit.returned import ReturnedRule
from awaitlint.rulekit.views import reached
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.rulekit.returned import Block

#: context managers of plain code that are about making the coroutine, not about what it does when it runs
_OF_THE_CALL = frozenset(
    {
        "_thread.lock",
        "_thread.LockType",
        "_thread.RLock",
        "contextlib.nullcontext",
        "contextlib.suppress",
        "multiprocessing.synchronize.Lock",
        "pytest.raises",
        "pytest.warns",
        "threading.Condition",
        "threading.Lock",
        "threading.RLock",
        "threading._RLock",
        "warnings.catch_warnings",
    }
)


class UnawaitedReturnInResource(ReturnedRule):
    code = "AWL110"
    name = "unawaited-return-in-resource"
    summary = "a coroutine returned un-awaited from a `try` or `with` that ends before it runs"

    def suspect(self, site: f.Site) -> bool:
        scope = self.module.scope_of(site)
        if scope.kind is not f.ScopeKind.FUNCTION or scope.is_generator:
            return False
        if scope.is_async and super().suspect(site):
            return True
        if not any(line <= site.line for line in self._withs.get(site.scope, ())):
            return False
        return self.awaitable(site) is not None and (not scope.is_async or self._uses_entered(site))

    @cached_property
    def _withs(self) -> dict[int, list[int]]:
        """Of each scope, the lines of what its `with` statements enter."""
        found: dict[int, list[int]] = {}
        for site in self.module.facts.sites:
            if site.use in (Use.WITH, Use.ASYNC_WITH):
                found.setdefault(site.scope, []).append(site.line)
        for mark in self.module.facts.marks:
            if mark.kind in (MarkKind.WITH, MarkKind.ASYNC_WITH):
                found.setdefault(mark.scope, []).append(mark.line)
        return found

    def _uses_entered(self, site: f.Site) -> bool:
        """Whether the coroutine was made with something that a `with` has entered."""
        nodes = self.module.facts.nodes
        todo = [self.bound_to(site.node)]
        seen: set[int] = set()
        while todo:
            index = todo.pop()
            if index in seen:
                continue
            seen.add(index)
            node = nodes[index]
            if isinstance(node, f.Enter):
                return True
            if isinstance(node, f.Call):
                todo += [node.func, *node.args, *(value for _, value in node.keywords)]
            elif isinstance(node, (f.Attr, f.Narrow, f.Starred, f.Index)):
                todo.append(node.value)
        return False

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        block, scope, value = self.ended_block(node), self.module.scope_of(site), self.awaitable(site)
        if block is None or value is None:
            return None
        if not scope.is_async:
            if block.keyword == "try" or self._is_of_the_call(block):
                return None
            advice = f"make `{scope.name}` an `async def` that awaits it"
        else:
            advice = self.advice(site)
            if self.is_fair(node, site) or (block.keyword == "try" and not super().suspect(site)):
                return None
        subject, consequence = self.subject(node, site), _consequence(block, noun(value))
        return f"`{subject}` is returned un-awaited: {consequence}; {advice}"

    def _is_of_the_call(self, block: Block) -> bool:
        """Whether what a `with` enters has nothing to do with what the coroutine will do."""
        return isinstance(block.node, cst.With) and all(
            self._is_about_making(item.item) for item in block.node.items
        )

    def _is_about_making(self, manager: libcst.BaseExpression) -> bool:
        site = self.context.site(manager)
        node = site.node if site is not None else self._marked(manager)
        if node < 0:
            return False
        names = set()
        for member in members(self.module.infer.value(self.module.module, node)):
            cls = member.cls if isinstance(member, Instance) else member
            names |= (
                {entry.qualname for entry in self.module.infer.mro(cls) if entry is not None}
                if isinstance(cls, ClassValue)
                else {reached(cls)}
            )
        return not names.isdisjoint(_OF_THE_CALL)

    def _marked(self, manager: libcst.BaseExpression) -> int:
        """The node of a context manager that is no call; -1 where it is not known."""
        line = self.context.span(manager).line
        marks = self.module.facts.marks
        found = [mark.node for mark in marks if mark.kind is MarkKind.WITH and mark.line == line]
        return found[0] if len(found) == 1 else -1


def _consequence(block: Block, what: str) -> str:
    if block.catches:
        return f"the `try` is left before the {what} runs, so its `except` sees none of its exceptions"
    if block.keyword == "try":
        return f"`finally` runs before the {what} does"
    return f"the `{block.keyword}` block ends before the {what} runs"
