"""Edits that run awaited calls at the same time which stand one after the other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.model import Edit, Span
from awaitlint.rulekit.hoist import free_name, indentation, text_of
from awaitlint.rulekit.libraries import is_shadowed
from awaitlint.rulekit.running import innermost_function
from awaitlint.syntax.cst import cst
from awaitlint.syntax.imports import add_import

if TYPE_CHECKING:
    from collections.abc import Sequence

    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.independent import Awaited
    from awaitlint.rulekit.rule import Rule

#: a longer line is broken
_LONGEST = 88
#: the first version of Python that has `asyncio.TaskGroup`
_TASK_GROUP = (3, 11)


class Step(NamedTuple):
    """A statement ``name = await f(...)``; `names` are those that it binds."""

    statement: libcst.Assign | libcst.AnnAssign
    target: libcst.BaseExpression
    names: frozenset[str]
    value: libcst.Await
    call: Awaited


def run_together(rule: Rule, run: Sequence[Step], bound: str) -> Fix | None:
    """Run the statements' calls with a task group or `gather`; `bound` is the name of asyncio.

    None where a comment would be lost, or the statements share their lines with others.
    """
    start = rule.context.span(run[0].statement)
    indent = indentation(rule.module, start)
    if indent is None or is_shadowed(rule.module, bound) or not _is_bare(rule, run):
        return None
    text, what = _task_group(rule, run, bound, indent), f"{bound}.TaskGroup"
    if text is None:
        text, what = _gather(rule, run, bound, indent), f"{bound}.gather"
    if text is None:
        return None
    end = rule.context.span(run[-1].statement)
    edits = [Edit(Span(start.line, start.column, end.end_line, end.end_column), text)]
    added = add_import(rule.module.text, "import asyncio") if bound == "asyncio" else None
    if added is not None:
        edits.append(added)
    return rule.fix(f"Run them at the same time with `{what}`", edits)


def _is_bare(rule: Rule, run: Sequence[Step]) -> bool:
    """Whether nothing but white space stands between the statements, so that no comment is lost."""
    spans = [rule.context.span(step.statement) for step in run]
    gaps = [
        Span(before.end_line, before.end_column, after.line, after.column)
        for before, after in itertools.pairwise(spans)
    ]
    return not any(text_of(rule.module, gap).strip() for gap in gaps)


def _gather(rule: Rule, run: Sequence[Step], bound: str, indent: str) -> str | None:
    if any(isinstance(step.statement, cst.AnnAssign) for step in run):
        return None
    targets = ", ".join(_target(rule, step) for step in run)
    calls = [_call(rule, step) for step in run]
    line = f"{targets} = await {bound}.gather({', '.join(calls)})"
    if len(indent) + len(line) <= _LONGEST and not any("\n" in call for call in calls):
        return line
    inner = "".join(f"{indent}    {call},\n" for call in calls)
    return f"{targets} = await {bound}.gather(\n{inner}{indent})"


def _task_group(rule: Rule, run: Sequence[Step], bound: str, indent: str) -> str | None:
    """The statements with a task group, where there may be one."""
    if rule.module.settings.target_version < _TASK_GROUP or _expects_exceptions(rule):
        return None
    if not all(_is_coroutine(rule, step) for step in run):
        return None
    group = free_name(rule, "group")
    tasks = [free_name(rule, f"{min(step.names)}_task") for step in run]
    if group is None or len({*tasks, None}) != len(run) + 1:
        return None
    lines = [f"async with {bound}.TaskGroup() as {group}:"]
    for task, step in zip(tasks, run, strict=True):
        lines.append(f"    {task} = {group}.create_task({_call(rule, step)})")
    for task, step in zip(tasks, run, strict=True):
        span, value = rule.context.span(step.statement), rule.context.outer_span(step.value)
        before = text_of(rule.module, Span(span.line, span.column, value.line, value.column))
        lines.append(f"{before}{task}.result()")
    return f"\n{indent}".join(lines)


def _expects_exceptions(rule: Rule) -> bool:
    """Whether a `try` stands around the visited node."""
    parents = rule.context.parents
    function = innermost_function(parents)
    inside = parents[parents.index(function) :] if function is not None else parents
    return any(isinstance(parent, (cst.Try, cst.TryStar)) for parent in inside)


def _is_coroutine(rule: Rule, step: Step) -> bool:
    site = rule.context.site(step.value.expression)
    made = rule.module.infer.coroutine(rule.module.value(site)) if site is not None else None
    return made is not None and made.kind == "Coroutine"


def _target(rule: Rule, step: Step) -> str:
    text = text_of(rule.module, rule.context.outer_span(step.target))
    bare = isinstance(step.target, cst.Tuple) and not step.target.lpar
    return f"({text})" if bare else text


def _call(rule: Rule, step: Step) -> str:
    return text_of(rule.module, rule.context.span(step.value.expression))
