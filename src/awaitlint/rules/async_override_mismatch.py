"""
## What it does

Reports a plain method that overrides an `async def`, and an `async def` that overrides a plain method; the
same of methods that give async generators and plain ones.

It is silent where it is not certain what either of them gives: a plain method that returns an awaitable, a
base that is not known, a method without annotation that raises `NotImplementedError`. It is also silent
where the code knows of the difference: the names of the classes or modules tell it (`AsyncStore` and
`Store`), one of the two modules looks whether a call of the method has given an awaitable, or a comment on
the `def` tells mypy, pyright or pylint that the method does not fit its base.

## Why is this bad?

Code that was written for the base calls the method in the base's way. It awaits what is no awaitable
(`TypeError`), or it makes a coroutine and drops it, so that the override never runs.

## Example

<!-- select: async-override-mismatch -->

```py
class Store:
    async def save(self, key: str) -> None: ...

    def close(self) -> None: ...

class FileStore(Store):
    def save(self, key: str) -> None:  # error: [async-override-mismatch]
        print(key)

    async def close(self) -> None:  # error: [async-override-mismatch]
        print("closed")
```

## Use instead

```py
class Store:
    async def save(self, key: str) -> None: ...

    async def close(self) -> None: ...

class FileStore(Store):
    async def save(self, key: str) -> None:
        print(key)

    async def close(self) -> None:
        print("closed")
```
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awaitlint.index.facts import ScopeKind
from awaitlint.model import Severity
from awaitlint.rulekit.dunders import consequence
from awaitlint.rulekit.overrides import Kind, Overrides
from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.overrides import Overridden

#: what is said to another tool about an override
_KNOWN = re.compile(r"#.*(?:ignore\b.*(?i:override)|type:\s*ignore\s*(?:#|$)|invalid-overridden-method)")
#: what whoever uses a method in the way of its base gets: (kind, kind of the base)
_RESULTS = {
    (Kind.PLAIN, Kind.ASYNC): "whoever awaits it gets TypeError",
    (Kind.PLAIN, Kind.STREAM): "whoever goes through it with `async for` gets TypeError",
    (Kind.ASYNC, Kind.PLAIN): "whoever calls it without `await` gets a coroutine that never runs",
    (Kind.STREAM, Kind.PLAIN): "whoever calls it in the base's way gets an async generator that never runs",
}
_WORDS = {Kind.PLAIN: "a plain method", Kind.ASYNC: "`async def`", Kind.STREAM: "an async generator"}


class AsyncOverrideMismatch(Rule):
    code = "AWL505"
    name = "async-override-mismatch"
    summary = "a plain method that overrides an `async def`, or the reverse"
    default = False
    severity = Severity.WARNING

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._overrides = Overrides(module)

    def suspicious(self) -> Iterator[int]:
        for index, scope in enumerate(self.module.facts.scopes):
            if scope.kind is ScopeKind.FUNCTION and self._mismatch(index) is not None:
                yield scope.line

    def _mismatch(self, scope: int) -> Overridden | None:
        """What a method overrides and differs from."""
        name = self.module.facts.scopes[scope].name
        if name.startswith("__") and (not name.endswith("__") or consequence(name, is_generator=False)):
            return None
        found = self._overrides.of(scope)
        if found is None or (found.kind, found.base_kind) not in _RESULTS:
            return None
        owner = self._overrides.definitions.owner(scope)
        return None if owner is None or self._overrides.is_known(owner, found) else found

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        scope = self._overrides.definitions.scope(self.context, node)
        found = self._mismatch(scope) if scope >= 0 else None
        if found is None:
            return
        line = self.context.span(node.name).line
        header = self.module.lines[line - 1 : max(line, self.context.span(node.body).line - 1)]
        if any(map(_KNOWN.search, header)):
            return
        base = f"{found.owner.fact.name}.{found.base.fact.name}"
        words = _WORDS[found.base_kind]
        self.report(
            node.name,
            f"`{node.name.value}` is {_WORDS[found.kind]}, but overrides `{base}`, which is {words}: "
            f"{_RESULTS[found.kind, found.base_kind]}; make the two agree",
            related=[self.module.definition(found.base, f"`{base}` is {words}")],
        )
