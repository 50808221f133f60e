"""``--explain``: how the expressions at a place of a file were resolved, and what the rules say of them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.engine.check import inspect
from awaitlint.engine.outcome import Outcome, outcome
from awaitlint.engine.trace import Tracer
from awaitlint.engine.tracing import At, Step, Texts
from awaitlint.files.source import SourceError
from awaitlint.index import facts as f
from awaitlint.infer.insight import is_known, verdict
from awaitlint.model import Span
from awaitlint.rulekit.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from awaitlint.engine.session import Session
    from awaitlint.engine.tracing import Text
    from awaitlint.files.discover import Target
    from awaitlint.model import Diagnostic
    from awaitlint.rulekit.context import ModuleContext


class ExplainError(Exception):
    """A place that cannot be explained; the message is one line."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One expression: where it stands, what it evaluates to, how that is known, what the rules say of it."""

    path: str
    span: Span
    #: the expression as it is written, on one line
    text: str
    verdict: str
    is_known: bool
    steps: tuple[Step, ...]
    outcome: Outcome
    #: why there are no steps though it depends on some
    remark: str = ""


class _Found(NamedTuple):
    """An expression of the file, and the site that facts have there: none where nothing is reported."""

    expr: ast.expr
    node: int
    scope: int
    site: f.Site | None


def explain(session: Session, target: Target, line: int, column: int | None = None) -> list[Explanation]:
    """Explain what is called or awaited on a line, or at a column of it.

    Args:
        session: Answers what is in the files.
        target: The file.
        line: Counts from 1.
        column: Counts from 1, in characters; None for everything that begins on the line.

    Raises:
        ExplainError: The file cannot be read or parsed, there is no such place, or nothing is called there.
    """
    session.displays[target.path] = target.display
    settings = session.settings_for(target.path)
    lowered = session.lowered(target.path)
    if lowered.problem is not None:
        raise ExplainError(f"{target.display}: {_problem(lowered.problem)}")
    context = inspect(session, target, settings, all_rules())
    linked = session.linked(target.path, settings)
    texts = Texts(session, linked.project)
    text = texts.of(context.module) if context is not None else None
    if context is None or text is None:
        raise ExplainError(f"{target.display}: the cache has other facts than the file; try --no-cache")
    chosen = _choose(context, text, line, column)
    tracer = Tracer(texts, linked.infer)
    known = session.known(target)
    return [_explained(context, tracer, each, known) for each in chosen]


def _problem(problem: Exception) -> str:
    line, column = getattr(problem, "line", 0), getattr(problem, "column", 0)
    if isinstance(problem, SourceError):
        return f"cannot read the file: {problem.reason}"
    return f"cannot parse the file: {getattr(problem, 'message', problem)} (line {line}, column {column + 1})"


def _explained(
    context: ModuleContext, tracer: Tracer, found: _Found, known: Collection[Diagnostic]
) -> Explanation:
    at = At(context.module, found.node, found.expr, found.scope)
    value = context.infer.value(context.module, found.node)
    step = tracer.step(at, 0)
    return Explanation(
        path=context.display,
        span=_span(context, found.expr),
        text=tracer.texts.spelled(at),
        verdict=verdict(context.infer, value),
        is_known=is_known(context.infer, value),
        steps=step.parts,
        outcome=outcome(context, found.site, _span(context, found.expr), known),
        remark=step.remark,
    )


# -------------------------------------------------------------------------------- places
def _choose(context: ModuleContext, text: Text, line: int, column: int | None) -> Sequence[_Found]:
    lines = context.lines
    last = len(lines) - (not lines[-1])
    if not 1 <= line <= last:
        raise ExplainError(f"{context.display} has no line {line}: it has {_count(last, 'line')}")
    found = _expressions(context, text)
    awaited = {each.value: each for each in text.recorder.expressions if isinstance(each, ast.Await)}
    if column is None:
        chosen = [each for each in found if each.expr.lineno == line and _is_worth(context, each)]
        chosen = chosen or [
            each for each in found if each.expr in awaited and awaited[each.expr].lineno == line
        ]
    else:
        width = len(lines[line - 1])
        if not 1 <= column <= width + 1:
            raise ExplainError(f"line {line} of {context.display} has {_count(width, 'column')}")
        place = (line, column - 1)
        chosen = [each for each in found if _start(context, each.expr) == place]
        chosen = chosen or [
            each for each in found if each.expr in awaited and _start(context, awaited[each.expr]) == place
        ]
    chosen = chosen or _innermost(context, found, line, None if column is None else column - 1)
    if not chosen:
        where = f"on line {line}" if column is None else f"at column {column} of line {line}"
        raise ExplainError(f"{context.display}: nothing is called or awaited {where}")
    return chosen


def _expressions(context: ModuleContext, text: Text) -> list[_Found]:
    """Calls, awaited operands, and names that stand for calls; in the order of the text, longest first."""
    sites = {(s.line, s.column, s.end_line, s.end_column): s for s in context.facts.sites}
    found = []
    for expr, (node, scope) in text.recorder.expressions.items():
        place = (expr.lineno, expr.col_offset, expr.end_lineno or 0, expr.end_col_offset or 0)
        site = sites.get(place)
        if site is not None or isinstance(expr, ast.Call):
            found.append(_Found(expr, node if site is None else site.node, scope, site))
    return sorted(found, key=lambda each: _order(each.expr))


def _order(expr: ast.expr) -> tuple[int, int, int, int]:
    return (expr.lineno, expr.col_offset, -(expr.end_lineno or 0), -(expr.end_col_offset or 0))


def _is_worth(context: ModuleContext, found: _Found) -> bool:
    """Whether an expression is explained without being asked for by its column: of names, coroutines only."""
    if isinstance(found.expr, ast.Call) or (found.site is not None and found.site.use is f.Use.AWAITED):
        return True
    return context.infer.coroutine(context.infer.value(context.module, found.node)) is not None


def _innermost(context: ModuleContext, found: list[_Found], line: int, column: int | None) -> list[_Found]:
    """The shortest expression around a place, or else the first one after it on the line."""
    around = []
    for each in found:
        span = _span(context, each.expr)
        first, last = (span.line, span.column), (span.end_line, span.end_column)
        if column is None:
            if span.line <= line <= span.end_line:
                around.append(each)
        elif first <= (line, column) < last:
            around.append(each)
    if around:
        return [max(around, key=lambda each: (*_start(context, each.expr), _order(each.expr)[2:]))]
    later = [each for each in found if column is not None and _start(context, each.expr) > (line, column)]
    return [each for each in later if each.expr.lineno == line][:1]


def _span(context: ModuleContext, expr: ast.expr) -> Span:
    end_line = expr.end_lineno or expr.lineno
    return Span(
        expr.lineno,
        context.columns.to_characters(expr.lineno, expr.col_offset),
        end_line,
        context.columns.to_characters(end_line, expr.end_col_offset or 0),
    )


def _start(context: ModuleContext, expr: ast.expr) -> tuple[int, int]:
    return expr.lineno, context.columns.to_characters(expr.lineno, expr.col_offset)


def _count(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"
