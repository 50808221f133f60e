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
There is none where `observe` is an attribute (`@langfuse.observe`), where the project admits both versions,
where it has to upgrade first, or where other imports of the file speak for another version.

## Options

`langfuse-target`: `"auto"` (the default) reads the version from the project's files, `"2"` and `"3+"` set it,
and `"always"` reports the import even where it is right.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.model import Edit, Fix, Related, Safety, Severity, Span
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.reaching import Binding, Flow, dotted, wraps_in_sync

if TYPE_CHECKING:
    from pathlib import Path

    import libcst as cst

    from awaitlint.index.requirements import Admission
else:
    from awaitlint.syntax.cst import cst

TOP = "langfuse.observe"
OLD = "langfuse.decorators.observe"
#: Other imports that only one generation has: dotted name, spelling for messages.
EVIDENCE_2 = {
    "langfuse.decorators.langfuse_context": "langfuse_context",
    "langfuse.callback": "langfuse.callback",
}
EVIDENCE_3 = {"langfuse.get_client": "get_client", "langfuse.langchain": "langfuse.langchain"}


class Row(enum.Enum):
    """What a project admits, as far as `observe` is concerned."""

    UNKNOWN = enum.auto()
    BEFORE_2_21 = enum.auto()
    ONLY_2 = enum.auto()
    BOTH = enum.auto()
    ONLY_3 = enum.auto()


@dataclass(frozen=True, slots=True)
class Target:
    """The version to judge by: its row, its name for messages, the place that says so, and ``always``."""

    row: Row
    version: str = ""
    related: tuple[Related, ...] = ()
    always: bool = False


class Finding(NamedTuple):
    """A report: where, what, how bad, which functions and fallback it concerns, and its fix."""

    node: cst.CSTNode
    message: str
    severity: Severity
    functions: tuple[cst.FunctionDef, ...]
    fallback: cst.CSTNode | None
    fix: Fix | None


def find(
    module: cst.Module, target: Target, span: Callable[[cst.CSTNode], Span], lines: Sequence[str]
) -> Iterator[Finding]:
    """The reports about a module, in source order.

    `span` tells a node's place in the file, whose lines (without their ends) are `lines`.
    """
    flow = Flow(module, "langfuse")
    groups: dict[Binding, tuple[list[cst.FunctionDef], list[cst.CSTNode]]] = {}
    for (function, _), bindings in flow.uses.items():
        top = [binding for binding in bindings if binding.origin == TOP]
        old = [binding for binding in bindings if binding.origin == OLD]
        fallbacks = [
            binding.node for binding in bindings if not binding.origin and wraps_in_sync(binding.node)
        ]
        if not any(binding.guarded and not binding.attribute for binding in (*top, *old)):
            fallbacks = []
        if not (top or old) or (top and old and not fallbacks):
            continue
        for binding in _reported(top or old, span, first=bool(old or fallbacks)):
            functions, shims = groups.setdefault(binding, ([], []))
            functions += [function] if function not in functions else []
            shims += fallbacks
    for binding, (functions, shims) in sorted(groups.items(), key=lambda item: span(item[0].node)):
        judged = _judge(binding, target, shims, flow.imported)
        if judged is not None:
            severity, message, safety = judged
            fix = _fix(binding, safety, span, lines, module.default_newline) if safety else None
            yield Finding(
                binding.node,
                message,
                severity,
                tuple(sorted(functions, key=span)),
                min(shims, key=span, default=None),
                fix,
            )


def _reported(
    bindings: Iterable[Binding], span: Callable[[cst.CSTNode], Span], *, first: bool
) -> Sequence[Binding]:
    """Each of the imports that one use may stand for, or the one import that its dotted name goes through."""

    def rank(binding: Binding) -> tuple[bool, int, Span]:
        assert isinstance(binding.node, cst.ImportAlias)
        module = dotted(binding.node.name)
        return not binding.origin.startswith(f"{module}."), -len(module), span(binding.node)

    found = sorted(bindings, key=rank)
    return found[:1] if first or isinstance(found[0].statement, cst.Import) else found


def _judge(
    binding: Binding, target: Target, shims: Sequence[cst.CSTNode], imported: Iterable[str]
) -> tuple[Severity, str, Safety | None] | None:
    """How bad a binding of `observe` is for the target, what to say, and how safe its fix is, if any."""
    row, version = target.row, target.version
    speaks_2, speaks_3 = _evidence(EVIDENCE_2, imported), _evidence(EVIDENCE_3, imported)
    if speaks_2 and speaks_3:  # a file for both generations speaks for neither
        speaks_2 = speaks_3 = ""
    spelling, error = _spelling(binding)
    movable = not binding.attribute and isinstance(binding.statement, cst.ImportFrom)
    if binding.guarded and not binding.attribute:
        error, safe = "falls to its `except` branch", Safety.UNSAFE
    else:
        error, safe = f"raises {error}", Safety.SAFE
    require_3 = f"`{speaks_3}`, which this file also imports, needs langfuse 3: require `langfuse>=3`"
    require_2 = (
        f"`{speaks_2}`, which this file also imports, is gone in langfuse 3:"
        " import `observe` from `langfuse.decorators`"
    )

    if binding.origin == OLD:
        if row is not Row.ONLY_3:
            return None
        alone = movable and _names(binding) == {"observe"}
        message = (
            f"`{spelling}` {error}: {version} has no `langfuse.decorators`; import `observe` from `langfuse`"
        )
        severity, safety = Severity.ERROR, safe if alone else None
        where = f"on {version}"
    elif row in {Row.ONLY_2, Row.BEFORE_2_21}:
        severity, where = Severity.ERROR, f"on {version}"
        if row is Row.ONLY_2:
            message = f"`{spelling}` {error}: {version} has no top-level `observe`; "
            message += require_3 if speaks_3 else "import it from `langfuse.decorators`"
        else:
            message = f"`{spelling}` {error}: {version} has no `observe`, which came with 2.21; "
            message += require_3 if speaks_3 else "require `langfuse>=3`"
        safety = safe if row is Row.ONLY_2 and movable and not speaks_3 else None
    elif row is Row.BOTH:
        severity, safety, where = Severity.WARNING, None, f"on langfuse 2.x, which {version} also admits,"
        message = f"`{spelling}` {error} {where.rstrip(',')}; "
        message += require_2 if speaks_2 else "require `langfuse>=3`"
    elif row is Row.UNKNOWN:
        severity, where = Severity.WARNING, "on langfuse 2.x"
        safety = Safety.UNSAFE if movable and not (speaks_2 or speaks_3) else None
        message = f"`{spelling}` {error} on langfuse 2.x and is right only for 3 and later; "
        otherwise = "on 2.x import it from `langfuse.decorators`, and pin langfuse or set `langfuse-target`"
        message += (speaks_2 and require_2) or (speaks_3 and require_3) or otherwise
    else:
        severity, safety, where = Severity.INFO, None, "where langfuse 3 is not installed"
        message = f"`{spelling}` is right for {version} and is reported because `langfuse-target` is `always`"
        if not target.always and not shims:
            return None
    if shims:
        severity = Severity.WARNING if severity is Severity.INFO else severity
        message = (
            f"{where} `{spelling}` fails and its fallback wraps `async def` functions in a sync function,"
            " so that a coroutine reaches callers which do not await it; return the function itself there"
        )
    return severity, message, safety


def _evidence(known: dict[str, str], imported: Iterable[str]) -> str:
    found = [known[name] for name in known for whole in imported if f"{whole}.".startswith(f"{name}.")]
    return found[0] if found else ""


def _spelling(binding: Binding) -> tuple[str, str]:
    """The user's spelling of what fails on the other generation, and the exception that it raises there."""
    statement, alias = binding.statement, binding.node
    assert isinstance(alias, cst.ImportAlias)
    renamed = f" as {alias.evaluated_alias}" if alias.asname else ""
    if isinstance(statement, cst.ImportFrom) and statement.module is not None:
        text = f"from {dotted(statement.module)} import {dotted(alias.name)}{renamed}"
        if not (binding.attribute and binding.origin == TOP):
            return text, "ImportError" if dotted(statement.module) == "langfuse" else "ModuleNotFoundError"
    elif f"{dotted(alias.name)}.".startswith("langfuse.decorators."):
        return f"import {dotted(alias.name)}{renamed}", "ModuleNotFoundError"
    return binding.attribute, "AttributeError"


def _names(binding: Binding) -> set[str]:
    assert isinstance(binding.statement, cst.ImportFrom)
    names = binding.statement.names
    return set() if isinstance(names, cst.ImportStar) else {alias.evaluated_name for alias in names}


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
    if _names(binding) == {"observe"}:
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

    def suspicious(self) -> Iterable[int]:
        """A line at module level, since the import and what it decorates may be anywhere in the file."""
        facts = self.module.facts
        if "langfuse" not in facts.packages:
            return ()
        if not any(scope.is_async and scope.decorators for scope in facts.scopes):
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

        folder, settings = self.module.path.parent, self.module.settings
        target = target_for(
            settings.langfuse_target,
            lambda: admitted("langfuse", folder, project_root(folder), settings.python),
            self.module.display_of,
        )
        span, display = self.context.span, self.module.display
        for finding in find(node, target, span, self.module.lines):
            related = [
                Related(
                    display, span(function.name), f"`observe` decorates `async def {function.name.value}`"
                )
                for function in finding.functions
            ]
            if finding.fallback is not None:
                place = (
                    finding.fallback.name
                    if isinstance(finding.fallback, cst.FunctionDef)
                    else finding.fallback
                )
                related.append(Related(display, span(place), "the fallback wraps it in a sync function"))
            self.report(
                finding.node,
                finding.message,
                related=(*related, *target.related),
                fix=finding.fix,
                severity=finding.severity,
            )


def target_for(option: str, admission: Callable[[], Admission], shown: Callable[[Path], str]) -> Target:
    """What the option says, or else the project; `shown` names a file for messages."""
    if option in {"2", "3+"}:
        row = Row.ONLY_2 if option == "2" else Row.ONLY_3
        return Target(row, f"langfuse {'2.x' if option == '2' else '3 and later'} (`langfuse-target`)")
    found = admission()
    always = option == "always"
    before, two, three = (found.admits(*series) for series in (("0", "2.21"), ("2.21", "3"), ("3", None)))
    if not found.known or not (before or two or three):
        named = [
            Related(shown(place.path), place.span, "no version is told here") for place in found.mentions
        ]
        return Target(Row.UNKNOWN, related=tuple(named), always=always)
    row = (Row.BOTH if before or two else Row.ONLY_3) if three else (Row.ONLY_2 if two else Row.BEFORE_2_21)
    mention = found.evidence("0", "3") or found.mentions[0]
    version = mention.describe("langfuse")
    place = shown(mention.path)
    related = (Related(place, mention.span, f"the project takes {version}"),)
    return Target(row, f"{version} ({mention.path.name})", related, always)
