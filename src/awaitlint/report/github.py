"""``github``: workflow commands, which GitHub Actions shows as annotations of the changed lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from awaitlint.model import Diagnostic, Severity
from awaitlint.report.context import ReportContext

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """Lines such as ``::error title=awaitlint (AWL101),file=…,line=3,…::app/db.py:3:5: AWL101 …``."""
    for each in diagnostics:
        properties = {
            "title": f"awaitlint ({each.code})",
            "file": context.sources.absolute(each.path),
            "line": str(each.span.line),
            "col": str(each.span.column + 1),
            "endLine": str(each.span.end_line),
            "endColumn": str(each.span.end_column + 1),
        }
        written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        yield f"::{_LEVELS[each.severity]} {written}::{_data(_message(each))}"


def _message(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    lines = [f"{diagnostic.path}:{span.line}:{span.column + 1}: {diagnostic.code} {diagnostic.message}"]
    for related in diagnostic.related:
        place = related.path if related.span is None else f"{related.path}:{related.span.line}"
        lines.append(f"  note: {related.message} ({place})")
    if diagnostic.fix is not None:
        lines.append(f"  help: {diagnostic.fix.message}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
