"""``json``: an array with an object for each finding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from awaitlint.model import Diagnostic
from awaitlint.report.context import ReportContext
from awaitlint.report.records import records


def render(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """One indented JSON document."""
    yield json.dumps(list(records(diagnostics, context)), indent=2, sort_keys=True)
