"""Suites in Markdown: code, with its expected findings beside it.  The format: tests/fixtures/README.md."""

from mdtest.collect import FIXTURES, all_cases, documentation_cases, parametrize, suite_cases
from mdtest.document import Case, MarkdownError, Source, parse
from mdtest.expect import Expected, expectations, mismatches, without_expectations
from mdtest.rewrite import with_noqa, without_async
from mdtest.running import Project

__all__ = [
    "FIXTURES",
    "Case",
    "Expected",
    "MarkdownError",
    "Project",
    "Source",
    "all_cases",
    "documentation_cases",
    "expectations",
    "mismatches",
    "parametrize",
    "parse",
    "suite_cases",
    "with_noqa",
    "without_async",
    "without_expectations",
]
