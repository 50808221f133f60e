"""``concise``: one line for each finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from awaitlint.model import Diagnostic
from awaitlint.report.context import ReportContext
from awaitlint.report.plain import one_line


def render(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """Lines such as ``app/db.py:3:5: AWL101 [*] message``."""
    style = context.style
    colon = style.punctuation(":")
    for each in diagnostics:
        place = colon.join(
            (style.bold(one_line(each.path)), str(each.span.line), str(each.span.column + 1), "")
        )
        yield f"{place} {style.code(each.code)} {context.mark(each)}{one_line(each.message)}"
