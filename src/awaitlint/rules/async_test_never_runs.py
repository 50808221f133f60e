"""
## What it does

Reports

- an `async def` test of a `unittest.TestCase`: a class with a base that awaits tests, such as
  `IsolatedAsyncioTestCase`, Django's test cases or those of a library that is not known, is not reported;
- an `async def` test without a mark in a project that runs pytest-asyncio in strict mode. The configuration
  has to say so, or the project requires pytest-asyncio, does not configure its mode, and another test of the
  same module has the mark. A project with hooks in `conftest.py`, with other plugins that run async tests or
  with marks of its own is not reported;
- a mark for async tests (`asyncio`, `anyio`, `trio`) on a test that is no `async def`, or on a fixture.

## Why is this bad?

unittest calls the test, gets a coroutine and takes that for success: the test passes, also with
`assert False`. pytest skips the test, or since 8.4 fails it. A mark that has no effect says something untrue;
since pytest 9 one on a fixture is an error.

## Example

```py
import unittest

class UserTest(unittest.TestCase):
    async def test_name(self) -> None:  # error: [async-test-never-runs]
        self.assertEqual(1, 2)
```

## Use instead

```py
import unittest

class UserTest(unittest.IsolatedAsyncioTestCase):
    async def test_name(self) -> None:
        self.assertEqual(1, 2)
```

## Fix safety

The fixes derive the class from `IsolatedAsyncioTestCase`, add the mark, or remove one that has no effect.
They are unsafe: a test that runs for the first time may fail.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index.facts import ScopeKind
from awaitlint.infer.values import ClassValue
from awaitlint.model import Edit, Safety, Severity, Span
from awaitlint.rulekit.async_tests import TEST_CASE, AsyncTests, Unrun
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.imports import add_from_import, add_import

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.model import Fix

_HEADER = re.compile(r"\s*class\s+\w+\s*\([^()]*\)\s*:")
_BASE = re.compile(r"(?<![\w.])((?:\w+\.)?)TestCase\b")


class AsyncTestNeverRuns(Rule):
    code = "AWL702"
    name = "async-test-never-runs"
    summary = "an async test that nobody awaits, or a mark for one that has no effect"
    fixes = (Safety.UNSAFE,)

    @cached_property
    def _tests(self) -> AsyncTests:
        return AsyncTests(self.module)

    @cached_property
    def _found(self) -> dict[tuple[int, str], int]:
        """The functions of which something is to be said, by line and name."""
        packages = self.module.facts.packages
        tests = self._tests
        return {
            (scope.line, scope.name): number
            for number, scope in enumerate(self.module.facts.scopes)
            if scope.kind is ScopeKind.FUNCTION
            and (
                tests.unrun(number) is not None
                or ("pytest" in packages and scope.decorators and tests.idle_mark(number) is not None)
            )
        }

    def suspicious(self) -> Iterator[int]:
        for line, _ in self._found:
            yield line

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        name = node.name.value
        number = self._found.get((self.context.span(node.name).line, name))
        if number is None:
            return
        unrun = self._tests.unrun(number)
        if unrun is Unrun.TEST_CASE:
            self.report(
                node.name,
                f"`{name}` is `async def`, and `unittest.TestCase` does not await it: the test passes without"
                " running; derive the class from `unittest.IsolatedAsyncioTestCase`",
                fix=self._fix_base(number),
            )
        elif unrun is Unrun.UNMARKED:
            self.report(
                node.name,
                f"`{name}` is `async def` without a mark, and pytest-asyncio is in strict mode: the body"
                " never runs; add `@pytest.mark.asyncio`",
                fix=self._fix_mark(number),
            )
        idle = self._tests.idle_mark(number)
        if idle is not None:
            self._report_mark(node, node.decorators[idle[0]], number, on_fixture=idle[1])

    def _report_mark(
        self, node: libcst.FunctionDef, decorator: libcst.Decorator, number: int, *, on_fixture: bool
    ) -> None:
        mark, name = self.context.source(decorator.decorator), node.name.value
        if on_fixture:
            more = " and use `pytest_asyncio.fixture`" if self.module.facts.scopes[number].is_async else ""
            message = (
                f"`{mark}` has no effect on the fixture `{name}`, and pytest 9 refuses it; remove it{more}"
            )
        else:
            message = f"`{mark}` has no effect on `{name}`, which is no `async def`; remove it"
        span = self.context.span(decorator)
        whole = Span(span.line, 0, span.end_line + 1, 0)
        alone = not self.module.lines[span.line - 1][: span.column].strip()
        fix = self.fix("Remove the mark", [Edit(whole, "")]) if alone else None
        self.report(decorator.decorator, message, fix=fix, severity=Severity.WARNING)

    def _fix_base(self, number: int) -> Fix | None:
        """Derive the test's class from the one that awaits tests."""
        scopes = self.module.facts.scopes
        cls = scopes[scopes[number].parent]
        line = self.module.lines[cls.line - 1]
        values = [self.module.infer.value(self.module.module, base) for base in cls.bases]
        direct = [each for each in values if isinstance(each, ClassValue) and each.qualname == TEST_CASE]
        header = _HEADER.match(line)
        bases = list(_BASE.finditer(line, 0, header.end())) if header else []
        if len(direct) != 1 or len(bases) != 1:
            return None
        place = Span(cls.line, bases[0].end() - len("TestCase"), cls.line, bases[0].end())
        edits = [Edit(place, "IsolatedAsyncioTestCase")]
        if not bases[0][1]:
            added = add_from_import(self.module.text, "unittest", "IsolatedAsyncioTestCase")
            edits += [added] if added is not None else []
        return self.fix("Derive the class from `IsolatedAsyncioTestCase`", edits)

    def _fix_mark(self, number: int) -> Fix:
        scope = self.module.facts.scopes[number]
        found = re.search(r"\r\n?|\n", self.module.text)
        newline = found.group() if found is not None else "\n"
        text = self.module.lines[scope.first_line - 1]
        indent = text[: len(text) - len(text.lstrip())]
        place = Span(scope.first_line, len(indent), scope.first_line, len(indent))
        added = add_import(self.module.text, "import pytest")
        # first, for both may go to the same place
        edits = [added] if added is not None else []
        edits.append(Edit(place, f"@pytest.mark.asyncio{newline}{indent}"))
        return self.fix("Add `@pytest.mark.asyncio`", edits)
