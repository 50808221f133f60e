"""``full``: each finding with its source lines, the places that explain it, and what would mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from awaitlint.model import Diagnostic, Safety, Span
from awaitlint.report.context import ReportContext
from awaitlint.report.excerpt import excerpt
from awaitlint.report.plain import one_line

#: lines shown before and after a finding; the places that explain it stand alone
_AROUND = 2


def render(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """A block of lines for each finding, with an empty line after it."""
    style = context.style
    for each in diagnostics:
        gutter = _gutter(each, context)
        yield f"{style.code(each.code)} {context.mark(each)}{style.bold(one_line(each.message))}"
        yield from _place(each.path, each.span, context, gutter=gutter, around=_AROUND, paint=style.code)
        for related in each.related:
            yield f"{style.note('note')}{style.bold(f': {one_line(related.message)}')}"
            yield from _place(related.path, related.span, context, gutter=gutter, around=0, paint=style.note)
        if each.fix is not None:
            unsafe = " (unsafe fix)" if each.fix.safety is Safety.UNSAFE else ""
            yield f"{style.accent('help')}{style.bold(f': {one_line(each.fix.message)}{unsafe}')}"
        yield ""


def _gutter(diagnostic: Diagnostic, context: ReportContext) -> int:
    """The columns that the line numbers of all its excerpts need."""
    lines = context.sources.lines(diagnostic.path) or ()
    last = diagnostic.span.end_line
    numbers = [max(last, min(last + _AROUND, len(lines)))]
    numbers += [each.span.end_line for each in diagnostic.related if each.span is not None]
    return len(str(max(numbers)))


def _place(
    path: str,
    span: Span | None,
    context: ReportContext,
    *,
    gutter: int,
    around: int,
    paint: Callable[[str], str],
) -> Iterator[str]:
    arrow = context.style.frame(f"{' ' * gutter}-->")
    if span is None:
        yield f"{arrow} {one_line(path)}"
        return
    yield f"{arrow} {one_line(path)}:{span.line}:{span.column + 1}"
    lines = context.sources.lines(path)
    if lines is not None:
        columns = context.columns
        style = context.style
        yield from excerpt(lines, span, style, gutter=gutter, context=around, paint=paint, columns=columns)
