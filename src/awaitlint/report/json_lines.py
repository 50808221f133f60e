"""``json-lines``: an object for each finding, each on its own line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from awaitlint.model import Diagnostic
from awaitlint.report.context import ReportContext
from awaitlint.report.records import records


def render(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """One JSON document on each line."""
    for record in records(diagnostics, context):
        yield json.dumps(record, sort_keys=True, separators=(",", ":"))
