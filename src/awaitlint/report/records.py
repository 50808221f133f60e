"""Findings as plain data, in the shape that ruff's JSON has; what the JSON formats are made of."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from awaitlint.engine.suppressions import noqa_rows
from awaitlint.model import Diagnostic, Edit, Fix, Related, Span
from awaitlint.report.context import ReportContext, rule_url


def records(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[dict[str, object]]:
    """One record for each finding; rows and columns count from 1, columns in characters."""
    for path, group in itertools.groupby(diagnostics, key=lambda each: each.path):
        found = list(group)
        lines = context.sources.lines(path)
        rows = noqa_rows("\n".join(lines), found) if lines is not None else [None] * len(found)
        for each, row in zip(found, rows, strict=True):
            yield {
                "code": each.code,
                "confidence": each.confidence.value,
                **_places(each.span),
                "filename": context.sources.absolute(path),
                "fix": None if each.fix is None else _fix(each.fix),
                "message": each.message,
                "name": each.name,
                "noqa_row": row,
                "related": [_related(place, context) for place in each.related],
                "severity": each.severity.value,
                "url": rule_url(each.name),
            }


def _places(span: Span) -> dict[str, object]:
    return {
        "location": {"row": span.line, "column": span.column + 1},
        "end_location": {"row": span.end_line, "column": span.end_column + 1},
    }


def _fix(fix: Fix) -> dict[str, object]:
    return {
        "applicability": fix.safety.value,
        "edits": [_edit(edit) for edit in fix.edits],
        "message": fix.message,
    }


def _edit(edit: Edit) -> dict[str, object]:
    return {"content": edit.replacement, **_places(edit.span)}


def _related(place: Related, context: ReportContext) -> dict[str, object]:
    spans = {"location": None, "end_location": None} if place.span is None else _places(place.span)
    return {"filename": context.sources.absolute(place.path), **spans, "message": place.message}
