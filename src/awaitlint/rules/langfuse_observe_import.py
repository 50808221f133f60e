"""Langfuse's `observe` decorator is imported from where the project's version does not have it.

## What it does

Reports `from langfuse import observe` (or `import langfuse` with `@langfuse.observe`) where it decorates an
`async def` and the project does not prove that it runs on langfuse 3 or later. Where it does, the rule
reports the import that only langfuse 2 has, `from langfuse.decorators import observe`, instead.

## Why is this bad?

`observe` moved between the major versions of the SDK, and neither place works in both:

| langfuse | `from langfuse import observe` | `from langfuse.decorators import observe` |
|---|---|---|
| before 2.21 | ImportError | ImportError or ModuleNotFoundError |
| 2.21 to 2.60 | ImportError | works |
| 3.0 and later | works | ModuleNotFoundError |

The decorator itself keeps an `async def` what it is. The trouble begins where the failed import is caught and
a stand-in takes over, as in `try: from langfuse import observe` with `except ImportError: def observe(...)`.
If the stand-in wraps the function in a plain `def`, the framework no longer sees a coroutine function, calls
it as a sync one and gets a coroutine that nobody awaits: FastAPI's `'coroutine' object is not iterable`. Such
a stand-in is reported for every version, since it also takes over where langfuse is not installed.

The version is that of the lock file (`uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml`, `Pipfile.lock`), or
else what the project declares (`pyproject.toml`, `setup.cfg`, `Pipfile`, `requirements*.txt` and
`constraints*.txt`), or else what is installed in its virtual environment. It is looked for in the folder of
the file and then upwards to the root of the repository. An import in a `try` whose `except ImportError`
imports from the other place is right for both, and is not reported, nor is one under `TYPE_CHECKING`.

Where a module of the project passes `observe` on, as in `from app.tracing import observe`, that import is
reported in each module that decorates an `async def` with it, and leads to the import from langfuse. So what
is said of a file does not depend on which other files are checked.

## Example

```py
from langfuse import observe  # error: [langfuse-observe-import]


@observe(name="answer")
async def answer(question: str) -> str:
    return question.upper()
```

## Use instead

With langfuse 2:

```py
from langfuse.decorators import observe


@observe(name="answer")
async def answer(question: str) -> str:
    return question.upper()
```

With langfuse 3, keep the import and require `langfuse>=3`.

## Fix safety

The fix moves `observe` to an import of its own. It is safe where the project proves its version, so that the
import as it stands cannot work, and unsafe where the version is unknown or where a failing import is caught.
There is none where `observe` is an attribute (`@langfuse.observe`) or comes through another module, where the
project admits both versions, where it has to upgrade first, or where other imports of the file speak for
another version.

## Options

`langfuse-target`: `"auto"` (the default) reads the version from the project's files, `"2"` and `"3+"` set it,
and `"always"` reports the import even where it is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index.modules import Origin
from awaitlint.model import Edit, Fix, Related, Safety, Severity, Span
from awaitlint.rulekit.langfuse import TOP, Row, Standing, Target, imported_names, judge, target_for
from awaitlint.rulekit.reexports import Elsewhere, ReExports
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.reaching import Binding, Flow, dotted

if TYPE_CHECKING:
    import libcst as cst
else:
    from awaitlint.syntax.cst import cst

__all__ = ["Finding", "LangfuseObserveImport", "Row", "Target", "find", "target_for"]


class Finding(NamedTuple):
    """A report: where, what, how bad, which functions and fallback it concerns, its fix.

    `elsewhere` is the module that the import leads to, where that is another one.
    """

    node: cst.CSTNode
    message: str
    severity: Severity
    functions: tuple[cst.FunctionDef, ...]
    fallback: cst.CSTNode | None
    fix: Fix | None
    elsewhere: Elsewhere | None = None


def find(
    module: cst.Module,
    target: Target,
    span: Callable[[cst.CSTNode], Span],
    lines: Sequence[str],
    elsewhere: Callable[[str], Elsewhere | None] = lambda _: None,
) -> Iterator[Finding]:
    """The reports about a module, in source order.

    `span` tells a node's place in the file, whose lines (without their ends) are `lines`; `elsewhere` knows
    the modules of the project that names are imported from.
    """
    flow = Flow(module)
    groups: dict[Binding, tuple[list[cst.FunctionDef], list[cst.CSTNode]]] = {}
    led: dict[Binding, tuple[Elsewhere, list[cst.FunctionDef]]] = {}
    for (function, _), bindings in flow.uses.items():
        standing = Standing.of(bindings)
        for binding in _reported(standing.suspects, span, first=bool(standing.old or standing.fallbacks)):
            functions, shims = groups.setdefault(binding, ([], []))
            functions += [function] if function not in functions else []
            shims += standing.fallbacks
        for binding in bindings if not (standing.top or standing.old) else ():
            there = elsewhere(binding.origin) if binding.statement is not None else None
            if there is not None:
                functions = led.setdefault(binding, (there, []))[1]
                functions += [function] if function not in functions else []
    found: list[Finding] = []
    for binding, (functions, shims) in groups.items():
        judged = judge(binding, target, shims, flow.imported)
        if judged is not None:
            severity, message, safety = judged
            fix = _fix(binding, safety, span, lines, module.default_newline) if safety else None
            fallback = min(shims, key=span, default=None)
            found.append(Finding(binding.node, message, severity, tuple(functions), fallback, fix))
    for binding, (there, functions) in led.items():
        judged = judge(there.binding, target, there.fallbacks, there.imported)
        if judged is not None:
            message = f"through `{there.module.name}`, {judged[1]}"
            fallback = min(there.fallbacks, key=there.span, default=None)
            found.append(Finding(binding.node, message, judged[0], tuple(functions), fallback, None, there))
    for finding in sorted(found, key=lambda each: span(each.node)):
        yield finding._replace(functions=tuple(sorted(finding.functions, key=span)))


def _reported(
    bindings: Iterable[Binding], span: Callable[[cst.CSTNode], Span], *, first: bool
) -> Sequence[Binding]:
    """Each of the imports that one use may stand for, or the one import that its dotted name goes through."""

    def rank(binding: Binding) -> tuple[bool, int, Span]:
        assert isinstance(binding.node, cst.ImportAlias)
        module = dotted(binding.node.name)
        return not binding.origin.startswith(f"{module}."), -len(module), span(binding.node)

    found = sorted(bindings, key=rank)
    if not found:
        return found
    return found[:1] if first or isinstance(found[0].statement, cst.Import) else found


def _fix(
    binding: Binding, safety: Safety, span: Callable[[cst.CSTNode], Span], lines: Sequence[str], newline: str
) -> Fix | None:
    """Import the alias from the other module: in place where it is alone, else on a line of its own."""
    source, alias = binding.statement, binding.node
    assert isinstance(source, cst.ImportFrom)
    assert isinstance(alias, cst.ImportAlias)
    assert source.module is not None
    assert not isinstance(source.names, cst.ImportStar)
    other = "langfuse.decorators" if binding.origin == TOP else "langfuse"
    message = f"Import `observe` from `{other}`"
    if imported_names(binding) == {"observe"}:
        return Fix(message, (Edit(span(source.module), other),), safety)
    spans = [span(name) for name in source.names]
    index = list(source.names).index(alias)
    here, end = spans[index], span(source)
    text, comment = lines[here.line - 1], ""
    follows = re.match(r"\s*,", text[here.end_column :])
    after = here.end_column + (follows.end() if follows else 0)
    rest = re.fullmatch(r"\s*(#.*)?", text[after:])
    removed = Span(here.line, here.column, here.line, after)
    if source.lpar is not None and not text[: here.column].strip() and rest:
        removed = Span(here.line, 0, here.line + 1, 0)
        comment = f"  {rest[1]}" if rest[1] else ""
    elif index + 1 < len(spans) and (source.lpar is None or spans[index + 1].line == here.end_line):
        removed = replace(removed, end_line=spans[index + 1].line, end_column=spans[index + 1].column)
    elif index and (source.lpar is None or spans[index - 1].end_line == here.line):
        before = spans[index - 1]
        removed = Span(before.end_line, before.end_column, here.end_line, here.end_column)
    renamed = f" as {alias.evaluated_alias}" if alias.asname else ""
    moved = f"from {other} import {alias.evaluated_name}{renamed}"
    indent = lines[end.line - 1][: end.column]
    if isinstance(binding.line, cst.SimpleStatementLine) and len(binding.line.body) == 1:
        last = len(lines[end.end_line - 1])
        inserted = Edit(Span(end.end_line, last, end.end_line, last), f"{newline}{indent}{moved}{comment}")
    elif not comment:
        inserted = Edit(Span(end.end_line, end.end_column, end.end_line, end.end_column), f"; {moved}")
    else:
        return None
    return Fix(message, (Edit(removed, ""), inserted), safety)


class LangfuseObserveImport(Rule):
    code = "AWL801"
    name = "langfuse-observe-import"
    summary = "`observe` is imported from a place that the project's langfuse does not have"
    fixes = (Safety.SAFE, Safety.UNSAFE)

    @cached_property
    def _is_own(self) -> bool:
        """Whether `langfuse` is a module of the project itself."""
        if "langfuse" not in self.module.facts.packages:
            return False
        found = self.module.infer.project.resolve(self.module.module, "langfuse", 0)
        return found is not None and found.origin is Origin.PROJECT

    def suspicious(self) -> Iterable[int]:
        """A line at module level, since the import and what it decorates may be anywhere in the file."""
        facts = self.module.facts
        decorators = [each for scope in facts.scopes if scope.is_async for each in scope.decorators]
        if not decorators or self._is_own:
            return ()
        if "langfuse" not in facts.packages:
            reexports = ReExports(self.module)
            if not any(reexports.leads_to(each, "langfuse") for each in decorators):
                return ()
        taken = {
            n
            for scope in facts.scopes[1:]
            if not scope.parent
            for n in range(scope.first_line, scope.end_line + 1)
        }
        return (next((n for n in range(1, len(self.module.lines) + 1) if n not in taken), 0),)

    def visit_Module(self, node: cst.Module) -> None:
        from awaitlint.index.requirements import admitted, project_root  # noqa: PLC0415 -- few files need it

        if self._is_own:
            return
        folder = self.module.path.parent
        shown = self.module.display_of
        target = target_for(
            self.module.settings.langfuse_target,
            lambda: admitted("langfuse", folder, project_root(folder), self.module.settings.python),
            shown,
        )
        span, display = self.context.span, self.module.display
        elsewhere = ReExports(self.module).elsewhere
        for finding in find(node, target, span, self.module.lines, elsewhere):
            there = finding.elsewhere
            related = [
                Related(
                    display, span(function.name), f"`observe` decorates `async def {function.name.value}`"
                )
                for function in finding.functions
            ]
            place = (display, span) if there is None else (shown(there.path), there.span)
            if there is not None:
                related.append(Related(place[0], there.span(there.binding.node), "langfuse is imported here"))
            if finding.fallback is not None:
                named = finding.fallback
                named = named.name if isinstance(named, cst.FunctionDef) else named
                related.append(Related(place[0], place[1](named), "the fallback wraps it in a sync function"))
            self.report(
                finding.node,
                finding.message,
                related=(*related, *target.related),
                fix=finding.fix,
                severity=finding.severity,
            )
