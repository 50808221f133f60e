"""The output formats by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from awaitlint.model import Diagnostic
from awaitlint.report.context import ReportContext

#: The module of each format, imported when it is asked for.
FORMATS = {
    "concise": "concise",
    "full": "full",
    "grouped": "grouped",
    "json": "json_array",
    "json-lines": "json_lines",
    "github": "github",
    "sarif": "sarif",
}

#: The formats that people read, which a summary follows.
TEXT_FORMATS = frozenset({"concise", "full", "grouped"})


class _Reporter(Protocol):
    def render(self, diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]: ...


def render(name: str, diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """The lines, without their ends, that a format writes for the findings, which come sorted."""
    module = importlib.import_module(f"awaitlint.report.{FORMATS[name]}")
    return cast("_Reporter", module).render(diagnostics, context)
