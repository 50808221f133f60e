"""
## What it does

Reports what the language allows only inside an `async def`, wherever it stands outside of one: `await`,
`async for`, `async with` and async comprehensions in a sync function, a lambda, a class body, a default
value, a decorator, a type alias or at module level. It also reports the two constructs that an `async def`
does not allow: `yield from`, and `return` with a value in an async generator.

Every occurrence is reported, where Python itself stops at the first.

Generator expressions are left alone: they may be asynchronous anywhere. A class body, a lambda and the body
of a nested `def` are not part of the `async def` around them; defaults, decorators and the first iterable of
a comprehension are.

## Why is this bad?

The file does not compile: importing it raises `SyntaxError`, for instance ``'await' outside async function``.

## Example

<!-- no-compile -->

```py
import asyncio


def load_user(user_id: int) -> str:
    await asyncio.sleep(0.1)  # error: [await-outside-async]
    return str(user_id)
```

## Use instead

```py
import asyncio


async def load_user(user_id: int) -> str:
    await asyncio.sleep(0.1)
    return str(user_id)


def main() -> None:
    print(asyncio.run(load_user(1)))
```

## Fix safety

The fix turns the sync function into an `async def`. It is unsafe, since every caller then gets a coroutine
and has to await it. There is no fix for generators, properties and other descriptors, and special methods:
their callers do not await.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from awaitlint.index.facts import Import
from awaitlint.index.facts import ScopeKind as FactsScope
from awaitlint.model import Fix, Safety
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.edits import make_async
from awaitlint.syntax.misplaced import Enclosing, Misplacement, judge
from awaitlint.syntax.scopes import ScopeKind, is_generator

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Scope

#: Decorators whose functions are called by something that does not await the result.
_SYNC_ONLY = frozenset(
    {
        "cache",
        "cached_property",
        "classproperty",
        "contextmanager",
        "deleter",
        "getter",
        "hybrid_property",
        "lru_cache",
        "overload",
        "property",
        "setter",
        "singledispatch",
        "validator",
    }
)


class AwaitOutsideAsync(Rule):
    """See the module's docstring."""

    code = "AWL501"
    name = "await-outside-async"
    summary = "`await`, `async for` or `async with` outside an `async def`, or `yield from` inside one"
    fixes: ClassVar[tuple[Safety, ...]] = (Safety.UNSAFE,)

    def suspicious(self) -> Iterable[int]:
        facts = self.module.facts
        yield from (place.line for place in facts.misplaced)
        for scope in facts.scopes:
            # the header of a generic definition is no part of the async function around it
            if scope.type_params and facts.scopes[scope.parent].is_async:
                yield scope.first_line

    def visit_Await(self, node: libcst.Await) -> None:
        self._look(node)

    def visit_For(self, node: libcst.For) -> None:
        self._look(node)

    def visit_With(self, node: libcst.With) -> None:
        self._look(node)

    def visit_CompFor(self, node: libcst.CompFor) -> None:
        self._look(node)

    def visit_Yield(self, node: libcst.Yield) -> None:
        self._look(node)

    def visit_Return(self, node: libcst.Return) -> None:
        self._look(node)

    def _look(self, node: libcst.CSTNode) -> None:
        misplaced = judge(
            node,
            self.context.parents,
            enclosing=_enclosing(self.context.scope),
            text_annotations=self._text_annotations,
        )
        if misplaced is not None:
            advice = _advice(misplaced, self._runner)
            message = f"`{misplaced.construct}` {misplaced.where}: SyntaxError; {advice}"
            self.report(misplaced.node, message, fix=self._make_async(misplaced))

    @cached_property
    def _text_annotations(self) -> bool:
        return any(
            isinstance(node, Import) and node.module == "__future__" and node.name == "annotations"
            for node in self.module.facts.nodes
        )

    @cached_property
    def _runner(self) -> str:
        """How the async library that the module imports runs a coroutine function."""
        nodes = self.module.facts.nodes
        imported = {node.module.partition(".")[0] for node in nodes if isinstance(node, Import)}
        for library in ("asyncio", "trio", "anyio"):
            if library in imported:
                return f"`{library}.run`"
        return "`asyncio.run`"

    def _make_async(self, misplaced: Misplacement) -> Fix | None:
        function = misplaced.function
        if function is None or misplaced.construct in {"yield from", "return"} or not _may_be_async(function):
            return None
        return self.fix(f"Make `{function.name.value}` async", make_async(self.context, function))


def _enclosing(scope: Scope) -> Enclosing:
    """The scope of facts in which the walked tree stands."""
    kinds = {
        FactsScope.MODULE: ScopeKind.MODULE,
        FactsScope.CLASS: ScopeKind.CLASS,
        FactsScope.FUNCTION: ScopeKind.FUNCTION,
        FactsScope.LAMBDA: ScopeKind.LAMBDA,
    }
    return Enclosing(kinds[scope.kind], scope.name, scope.is_async)


def _advice(misplaced: Misplacement, runner: str) -> str:
    """What to do instead."""
    if misplaced.construct == "yield from":
        return "write `async for` with a `yield` in it"
    if misplaced.construct == "return":
        return "yield the value, or return without one"
    if misplaced.where == "in an annotation":
        return "an annotation cannot await"
    if misplaced.kind is ScopeKind.FUNCTION:
        return f"make it `async def` or call it through {runner}"
    if misplaced.kind is ScopeKind.LAMBDA:
        return "a lambda cannot be async, define an `async def` for it"
    if misplaced.kind in {ScopeKind.MODULE, ScopeKind.CLASS}:
        return f"move it into an `async def` and start that with {runner}"
    return "await the value in a statement before it"


def _may_be_async(function: libcst.FunctionDef) -> bool:
    """Whether whoever calls a function could await it."""
    name = function.name.value
    if (name.startswith("__") and name.endswith("__")) or is_generator(function):
        return False
    return all(_decorator_name(item.decorator) not in _SYNC_ONLY for item in function.decorators)


def _decorator_name(node: libcst.BaseExpression) -> str:
    """The last part of a decorator's name, without its arguments."""
    if isinstance(node, cst.Call):
        node = node.func
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
