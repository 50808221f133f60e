"""``grouped``: the findings of each file under its name."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from awaitlint.model import Diagnostic
from awaitlint.report.context import ReportContext
from awaitlint.report.plain import one_line


def render(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """A heading for each file, its findings with their places aligned, and an empty line."""
    style = context.style
    for path, group in itertools.groupby(diagnostics, key=lambda each: each.path):
        found = list(group)
        rows = max(len(str(each.span.line)) for each in found)
        columns = max(len(str(each.span.column + 1)) for each in found)
        yield f"{style.underlined(one_line(path))}:"
        for each in found:
            row, column = str(each.span.line).rjust(rows), str(each.span.column + 1)
            padding = " " * (columns - len(column))
            yield (
                f"  {row}{style.punctuation(':')}{column}{padding} "
                f"{style.code(each.code)} {context.mark(each)}{one_line(each.message)}"
            )
        yield ""
