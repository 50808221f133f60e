"""
## What it does

Reports what has come out of use in asyncio:

- `asyncio.get_event_loop()` in async code, where `asyncio.get_running_loop()` says what is meant; and where
  no event loop runs (at the level of a module, or in a plain function that then runs the loop): Python 3.12
  warns there, and 3.14 raises RuntimeError unless a loop was set;
- what is removed: `@asyncio.coroutine` (3.11), the parameter `loop` of locks, queues, `sleep`, `gather` and
  others (3.10), `asyncio.Task.all_tasks` and `current_task` (3.9), child watchers (3.14);
- what Python 3.14 deprecates: `asyncio.iscoroutinefunction` and event loop policies;
- `asyncio.TimeoutError`, which is the builtin `TimeoutError` since 3.11.

The replacement has to exist in the oldest Python that the code has to run on: `target-version`, or the lower
bound of `requires-python` or `python_requires`. `asyncio.TimeoutError` is reported only where one of them is
given. Code under a test of `sys.version_info` or `hasattr`, or in a `try` that handles `ImportError`,
`AttributeError` or `TypeError`, is not reported.

## Why is this bad?

What is removed fails, with `AttributeError`, `ImportError` or `TypeError`; what is deprecated warns now and
fails later. What is removed in every Python that the code has to run on is an error, the rest are warnings.

## Example

```py
import asyncio

async def elapsed(start: float) -> float:
    return asyncio.get_event_loop().time() - start  # error: [deprecated-asyncio-api]

def start() -> None:
    loop = asyncio.get_event_loop()  # error: [deprecated-asyncio-api]
    loop.run_until_complete(elapsed(0))

is_async = asyncio.iscoroutinefunction(start)  # error: [deprecated-asyncio-api]
```

## Use instead

```py
import asyncio
import inspect

async def elapsed(start: float) -> float:
    return asyncio.get_running_loop().time() - start

def start() -> None:
    asyncio.run(elapsed(0))

is_async = inspect.iscoroutinefunction(start)
```

## Fix safety

To ask for the running loop and to name `TimeoutError` is safe. To leave out `loop`, and to call
`asyncio.all_tasks`, is safe where no Python has the old form that the code has to run on, else unsafe.
`inspect.iscoroutinefunction` is unsafe: it does not know functions that are marked in the way of old
libraries. There is no fix for the others.

## Options

`target-version`: the oldest Python that the code has to run on.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index.reached import reached
from awaitlint.model import Safety, Severity
from awaitlint.rulekit.asyncio_age import APIS, LOOP_REMOVED, LOOP_TAKERS, Api, Spellings, name_in_asyncio
from awaitlint.rulekit.asyncio_fixes import AgeFixes
from awaitlint.rulekit.compatible import is_fallback, is_guarded
from awaitlint.rulekit.event_loops import EventLoops, Place
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.reaching import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.index.facts import Site


class DeprecatedAsyncioApi(Rule):
    code = "AWL701"
    name = "deprecated-asyncio-api"
    summary = "something in asyncio that is removed or deprecated"
    severity = Severity.WARNING
    fixes = (Safety.SAFE, Safety.UNSAFE)

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self.module)

    @cached_property
    def _loops(self) -> EventLoops:
        return EventLoops(self.module)

    @cached_property
    def _apis(self) -> dict[str, Api]:
        """What is to be reported, for the target version."""
        settings = self.module.settings
        return {
            name: api
            for name, api in APIS.items()
            if api.removed
            or (api.since <= settings.target_version and (name != "TimeoutError" or settings.target_is_known))
        }

    # ------------------------------------------------------------------ what is to be walked
    def suspicious(self) -> Iterator[int]:
        for site in self.module.facts.sites if self.module.mentions("get_event_loop") else ():
            if self._place(site) is not None:
                yield site.line
        if "asyncio" not in self.module.facts.packages:
            return
        if any(self.module.mentions(name.rpartition(".")[2]) for name in self._apis):
            yield from self._spellings.lines(self.module.text, self._apis)
        if not self.module.mentions("loop"):
            return
        for site, call in self.module.calls.all:
            if call.keywords and any(name == "loop" for name, _ in call.keywords):
                path = reached(self.module.infer.project, self.module.module, call.func, stdlib=True)
                if name_in_asyncio(path) in LOOP_TAKERS:
                    yield site.line

    def _place(self, site: Site) -> Place | None:
        """What is certain where a site calls `asyncio.get_event_loop`."""
        place = self._loops.place(site)
        return None if place is None or self.module.is_safe(site) else place

    # ------------------------------------------------------------------ what is reported
    def visit_Attribute(self, node: libcst.Attribute) -> None:
        name = self._spellings.name(dotted(node))
        if name in self._apis and not any(isinstance(each, cst.Annotation) for each in self.context.parents):
            self._report_api(node, name, self.context.source(node), "AttributeError")

    def visit_ImportFrom(self, node: libcst.ImportFrom) -> None:
        if node.relative or node.module is None or isinstance(node.names, cst.ImportStar):
            return
        for alias in node.names:
            name = name_in_asyncio(f"{dotted(node.module)}.{alias.evaluated_name}")
            if name in self._apis and "." not in name:
                self._report_api(alias, name, f"asyncio.{name}", "ImportError", node)

    def _report_api(
        self,
        node: libcst.CSTNode,
        name: str,
        subject: str,
        error: str,
        statement: libcst.ImportFrom | None = None,
    ) -> None:
        api, target = APIS[name], self.module.settings.target_version
        fixes = AgeFixes(self, self._spellings)
        if is_guarded(self.context, statement or node) or (name == "TimeoutError" and fixes.is_taken(name)):
            return
        if api.removed is not None:
            what = f"`{subject}` was removed in Python {_version(api.removed)}: {error}"
        elif name == "TimeoutError":
            what = f"`{subject}` is a deprecated alias of the builtin `TimeoutError` since Python 3.11"
        else:
            assert api.deprecated is not None
            assert api.until is not None
            since, until = _version(api.deprecated), _version(api.until)
            what = f"`{subject}` is deprecated since Python {since}, and {until} removes it"
        gone = api.removed is not None and api.removed <= target
        self.report(
            node,
            f"{what}; {api.advice}",
            fix=fixes.of_import(statement, name) if statement is not None else fixes.of_attribute(node, name),
            severity=Severity.ERROR if gone else None,
            # a policy that is made and set is one mistake
            cause=(api.advice, self.context.span(node).line),
        )

    def visit_Call(self, node: libcst.Call) -> None:
        self._visit_loop_parameter(node)
        site = self.context.site(node)
        place = self._place(site) if site is not None else None
        if place is None or self.context.expects_error():
            return
        subject = self.context.source(node.func)
        if place is Place.ASYNC:
            if (
                self.context.in_generator(node)
                or is_guarded(self.context, node, frozenset())
                or is_fallback(self.context, "RuntimeError")
            ):
                return
            self.report(
                node,
                f"`{subject}` in async code gives the running event loop; `asyncio.get_running_loop` says so",
                fix=AgeFixes(self, self._spellings).of_get_event_loop(node),
            )
        elif not is_guarded(self.context, node, frozenset({"RuntimeError"})):
            self.report(
                node,
                f"`{subject}` makes no event loop since Python 3.14: RuntimeError where none is set; use"
                " `asyncio.run(...)`, or make a loop with `asyncio.new_event_loop()`",
                severity=Severity.ERROR if self.module.settings.target_version >= (3, 14) else None,
            )

    def _visit_loop_parameter(self, node: libcst.Call) -> None:
        given = next(
            (each for each in node.args if each.keyword is not None and each.keyword.value == "loop"), None
        )
        if given is None or self._spellings.name(dotted(node.func)) not in LOOP_TAKERS:
            return
        if is_guarded(self.context, node) or self.context.expects_error():
            return
        gone = self.module.settings.target_version >= LOOP_REMOVED
        assert given.keyword is not None
        self.report(
            given.keyword,
            f"`{self.context.source(node.func)}` takes no `loop` since Python 3.10: TypeError; leave it out",
            fix=AgeFixes(self, self._spellings).of_loop(node, given),
            severity=Severity.ERROR if gone else None,
        )


def _version(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
