"""``sarif``: one SARIF 2.1.0 document, which code scanning services and editors read.

The places that explain a finding are its related locations; where they are the hops of a chain of calls they
are a code flow as well.  (The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from awaitlint import __version__
from awaitlint.model import Diagnostic, Fix, Related, Severity, Span
from awaitlint.report.context import ReportContext, rule_url
from awaitlint.rulekit.registry import all_rules

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(diagnostics: Iterable[Diagnostic], context: ReportContext) -> Iterator[str]:
    """One indented JSON document."""
    found = list(diagnostics)
    codes = sorted({each.code for each in found})
    driver = {
        "name": "awaitlint",
        "informationUri": "https://github.com/awaitlint/awaitlint",
        "version": __version__,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.code), context) for each in found],
    }
    yield json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, sort_keys=True)


def _rule(code: str) -> dict[str, object]:
    rule = next(each for each in all_rules() if each.code == code)
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary.replace("`", "")},
        "helpUri": rule_url(rule.name),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Diagnostic, rule: int, context: ReportContext) -> dict[str, object]:
    place = Related(finding.path, finding.span, finding.message)
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [_location(place, context, with_message=False)],
    }
    if finding.related:
        result["relatedLocations"] = [_location(each, context) for each in finding.related]
    if finding.root is not None:
        hops = finding.related[: finding.root.hops]
        steps = [{"location": _location(each, context)} for each in hops]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix, finding.path, context)]
    return result


def _location(place: Related, context: ReportContext, *, with_message: bool = True) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": _artifact(place.path, context)}
    if place.span is not None:
        physical["region"] = _region(place.span)
    found: dict[str, object] = {"physicalLocation": physical}
    if with_message:
        found["message"] = {"text": place.message}
    return found


def _artifact(display: str, context: ReportContext) -> dict[str, object]:
    """Relative to where the run began, as code scanning wants it; a file elsewhere by its URI."""
    path = context.sources.path(display)
    if path is None or display == "-":
        return {"uri": display.strip("<>").replace(" ", "/")}
    if Path(display).is_absolute() or display.startswith(".."):
        return {"uri": path.as_uri()}
    return {"uri": Path(display).as_posix(), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, object]:
    return {
        "startLine": span.line,
        "startColumn": span.column + 1,
        "endLine": span.end_line,
        "endColumn": span.end_column + 1,
    }


def _fix(fix: Fix, display: str, context: ReportContext) -> dict[str, object]:
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
        for edit in fix.edits
    ]
    change = {"artifactLocation": _artifact(display, context), "replacements": replacements}
    return {"description": {"text": fix.message}, "artifactChanges": [change]}
