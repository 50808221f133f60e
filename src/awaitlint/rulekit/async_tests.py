"""Which async tests of a module never run, and which marks for them have no effect."""

from __future__ import annotations

import enum
import re
from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.reached import reached
from awaitlint.infer.values import ClassValue, FunctionValue
from awaitlint.rulekit.lineage import lineage
from awaitlint.rulekit.plain_callers import RUNNERS
from awaitlint.rulekit.pytest_settings import conftests, strict_mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from awaitlint.index.modules import Module
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.lineage import Ancestor

TEST_CASE = "unittest.case.TestCase"
_ISOLATED = "unittest.async_case.IsolatedAsyncioTestCase"
_FILES = re.compile(r"test_.*\.py|.*_test\.py")
_ASYNC_MARK = re.compile(r"pytest\.mark\.(?:asyncio|anyio|trio)")
_FIXTURES = frozenset({"pytest.fixture", "pytest_asyncio.fixture", "pytest.yield_fixture"})
#: marks that do not make a test run
_PLAIN_MARK = re.compile(
    r"pytest\.mark\.(?:parametrize|skip|skipif|xfail|usefixtures|filterwarnings|timeout|slow|integration|unit"
    r"|e2e|flaky|django_db)"
)
#: decorators of classes that leave their methods what they are
_CLASS_DECORATOR = re.compile(r"pytest\.mark\.\w+|unittest\.skip\w*")
#: what a `conftest.py` may have without a say in how tests run
_HARMLESS_HOOKS = frozenset(
    {"pytest_addoption", "pytest_report_header", "pytest_sessionstart", "pytest_sessionfinish"}
)
_SPEAKS_OF_MODES = re.compile(rb"asyncio_mode|anyio_backend|anyio_mode|pytest_plugins|add_marker")


class Unrun(enum.Enum):
    """What is wrong with a function."""

    #: an async test of a `unittest.TestCase`, which does not await it
    TEST_CASE = enum.auto()
    #: an async test without a mark, under pytest-asyncio's strict mode
    UNMARKED = enum.auto()


class AsyncTests:
    """The tests of one module."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self._facts = module.facts
        self._infer = module.infer

    # ------------------------------------------------------------------ tests that do not run
    def unrun(self, scope: int) -> Unrun | None:
        """Why an async test never runs; None for other functions."""
        fact = self._facts.scopes[scope]
        if not fact.is_async or fact.kind is not f.ScopeKind.FUNCTION or not fact.name.startswith("test"):
            return None
        if any(self._facts.scopes[each].kind is not f.ScopeKind.CLASS for each in self._around(scope)):
            return None
        parent = self._facts.scopes[fact.parent]
        bound = [self._facts.nodes[each] for each in parent.bindings.get(fact.name, ())]
        if bound != [f.Func(scope)] or fact.name in self._facts.patched:
            return None
        if parent.bases:
            return Unrun.TEST_CASE if self._is_plain_case(scope) else None
        return Unrun.UNMARKED if self._is_unmarked(scope) else None

    def _around(self, scope: int) -> Iterator[int]:
        """The scopes around a function, the module aside."""
        parent = self._facts.scopes[scope].parent
        while parent > 0:
            yield parent
            parent = self._facts.scopes[parent].parent

    def _is_plain_case(self, scope: int) -> bool:
        """Whether a method is an async test of a test case that awaits none."""
        fact = self._facts.scopes[scope]
        ancestors = lineage(self._infer, ClassValue(self._module.module, fact.parent))
        if not any(each.name == TEST_CASE for each in ancestors):
            return False
        if not all(self._leaves_tests(each) for each in ancestors):
            return False
        required = [
            each for each in fact.params[1:] if each.default < 0 and each.kind in ("posonly", "normal")
        ]
        return (not required or bool(fact.decorators)) and self._stays_async(scope)

    def _leaves_tests(self, ancestor: Ancestor) -> bool:
        """Whether a class does nothing about how its tests are run."""
        cls = ancestor.cls
        if cls is None or ancestor.name == _ISOLATED:
            return False
        if ancestor.name == TEST_CASE:
            return True
        if not RUNNERS.isdisjoint(cls.fact.bindings):
            return False
        return all(
            _CLASS_DECORATOR.fullmatch(self._path(decorator, cls.module)) for decorator in cls.fact.decorators
        )

    def _stays_async(self, scope: int) -> bool:
        """Whether a function is an async function under its decorators."""
        module = self._module.module
        found = FunctionValue(module, scope)
        for decorator in reversed(self._facts.scopes[scope].decorators):
            if self._is_patch(decorator):
                continue
            made = self._infer.decorated(module, decorator, found, ())
            if not isinstance(made, FunctionValue):
                return False
            found = made
        return found.fact.is_async

    # ------------------------------------------------------------------ pytest
    def _path(self, decorator: int, module: Module | None = None) -> str:
        return reached(self._infer.project, module or self._module.module, decorator, stdlib=True)

    def _is_unmarked(self, scope: int) -> bool:
        fact = self._facts.scopes[scope]
        if not _FILES.fullmatch(self._module.path.name) or self._has_mark(self._facts.scopes[0]):
            return False
        for number in (scope, *self._around(scope)):
            outer = self._facts.scopes[number]
            if outer.kind is f.ScopeKind.CLASS and (
                not outer.name.startswith("Test") or "__init__" in outer.bindings or self._has_mark(outer)
            ):
                return False
            if not all(self._is_harmless(decorator) for decorator in outer.decorators):
                return False
        if any(param.name in ("anyio_backend", "event_loop", "nursery") for param in fact.params):
            return False
        strict = self._strict
        return strict is not None and (strict or self._marks_others)

    def _has_mark(self, scope: f.Scope) -> bool:
        return "pytestmark" in scope.bindings

    def _is_harmless(self, decorator: int) -> bool:
        """Whether a decorator is a mark that makes no test run."""
        node = self._facts.nodes[decorator]
        if isinstance(node, f.Call) and any(keyword == "marks" for keyword, _ in node.keywords):
            return False
        return _PLAIN_MARK.fullmatch(self._path(decorator)) is not None or self._is_patch(decorator)

    def _is_patch(self, decorator: int) -> bool:
        """Whether a decorator is one of `unittest.mock`, which await what they decorate."""
        return self._path(decorator).startswith("unittest.mock.patch")

    @cached_property
    def _strict(self) -> bool | None:
        """Whether strict mode is configured; False where it is the default, None where it is not certain."""
        folder = self._module.path.parent
        if "anyio_backend" in self._module.text or "marks=" in self._module.text:
            return None
        found = strict_mode(folder, self._module.settings.python)
        if found is None or not all(self._is_harmless_conftest(path) for path in conftests(folder)):
            return None
        return found.is_configured

    def _is_harmless_conftest(self, path: Path) -> bool:
        module = self._infer.project.file_for(self._module.module, path)
        if module is None or module.facts.stars:
            return False
        module.text_matters = True
        names = module.facts.scopes[0].bindings
        hooks = {name for name in names if name.startswith("pytest_")} - _HARMLESS_HOOKS
        try:
            data = path.read_bytes()
        except OSError:
            return False
        return not hooks and _SPEAKS_OF_MODES.search(data) is None

    @cached_property
    def _marks_others(self) -> bool:
        """Whether another async test of the module has the mark of pytest-asyncio."""
        return any(
            scope.is_async
            and scope.name.startswith("test")
            and any(self._path(each) == "pytest.mark.asyncio" for each in scope.decorators)
            for scope in self._facts.scopes
        )

    # ------------------------------------------------------------------ marks without effect
    def idle_mark(self, scope: int) -> tuple[int, bool] | None:
        """The number of a decorator that is an async mark without effect, and whether on a fixture."""
        fact = self._facts.scopes[scope]
        if fact.kind is not f.ScopeKind.FUNCTION or not fact.decorators:
            return None
        paths = [self._path(decorator) for decorator in fact.decorators]
        mark = next((number for number, path in enumerate(paths) if _ASYNC_MARK.fullmatch(path)), -1)
        if mark < 0:
            return None
        if any(path in _FIXTURES for path in paths):
            return mark, True
        if fact.is_async or fact.is_generator or not fact.name.startswith("test") or fact.returned:
            return None
        return (mark, False) if all(path.startswith("pytest.mark.") for path in paths) else None
