"""Every case of tests/fixtures, and the examples in the rules' documentation, hold what they say."""

from __future__ import annotations

import ast
import difflib
import sys
import warnings
from typing import TYPE_CHECKING

import pytest
from mdtest import FIXTURES, Project, documentation_cases, expectations, parametrize, without_expectations

from awaitlint.rulekit.registry import all_rules

if TYPE_CHECKING:
    from pathlib import Path

    from mdtest import Case, Source


def fail(case: Case, what: str, lines: list[str]) -> None:
    pytest.fail("\n".join([f"{case.id} ({case.document}:{case.line}): {what}", *lines]), pytrace=False)


def compile_error(text: str, path: str) -> SyntaxError | None:
    """Why Python's compiler refuses a text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.endswith(".pyi"):
                ast.parse(text)
            else:
                compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    return None


@parametrize()
def test_findings(case: Case, tmp_path: Path) -> None:
    differences = Project(case, tmp_path).differences()
    if differences:
        fail(case, "findings differ", differences)


@parametrize()
def test_compiles(case: Case) -> None:
    """A snippet compiles, or says that it does not and does not."""
    if case.syntax is not None and sys.version_info < case.syntax:
        pytest.skip(f"syntax of Python {case.syntax[0]}.{case.syntax[1]}")
    errors = [
        f"{source.path}:{error.lineno}: {error.msg}"
        for source in case.python_files
        if (error := compile_error(source.text, source.path)) is not None
    ]
    if case.compiles and errors:
        fail(case, "does not compile", errors)
    if not case.compiles and not errors:
        fail(case, "compiles, though it says no-compile", [])


@parametrize(lambda case: any(expectations(s.text)[1] or "reveal(" in s.text for s in case.python_files))
def test_revealed(case: Case, tmp_path: Path) -> None:
    """What inference says of ``reveal(x)`` is what the comment says, and no call is without a comment."""
    found = Project(case, tmp_path).revealed()
    lines = []
    for source in case.python_files:
        expected = sorted(expectations(source.text)[1])
        if found[source.path] == expected:
            continue
        code = source.text.split("\n")
        for line in sorted({line for line, _ in (*found[source.path], *expected)}):
            want = [text for at, text in expected if at == line]
            got = [text for at, text in found[source.path] if at == line]
            if want != got:
                place = f"{source.path}:{line} ({case.document}:{source.line + line - 1})"
                lines.append(f"{place}:  {without_expectations(code[line - 1]).strip()}")
                lines.append(
                    f"     expected {', '.join(want) or 'nothing'}, got {', '.join(got) or 'nothing'}"
                )
    if lines:
        fail(case, "revealed differs", lines)


def check_fixed(case: Case, root: Path, expected: tuple[Source, ...], *, unsafe: bool) -> None:
    project = Project(case, root)
    project.fix(unsafe=unsafe)
    lines: list[str] = []
    for source in expected:
        found = without_expectations(project.read(source.path))
        lines += difflib.unified_diff(
            source.text.splitlines(),
            found.splitlines(),
            f"{source.path}, expected ({case.document}:{source.line})",
            "after the fix",
            lineterm="",
        )
    if lines:
        fail(case, "fixed text differs", lines)


@parametrize(lambda case: bool(case.fixed))
def test_fixed(case: Case, tmp_path: Path) -> None:
    """The text after ``--fix`` is the one of the ``fixed`` fence."""
    check_fixed(case, tmp_path, case.fixed, unsafe=False)


@parametrize(lambda case: bool(case.unsafe_fixed))
def test_unsafe_fixed(case: Case, tmp_path: Path) -> None:
    """The text after ``--fix --unsafe-fixes`` is the one of the ``unsafe-fixed`` fence."""
    check_fixed(case, tmp_path, case.unsafe_fixed, unsafe=True)


def test_every_rule_has_a_suite_and_an_example() -> None:
    suites = {path.stem for path in (FIXTURES / "rules").glob("*.md")}
    examples = {case.suite.removeprefix("docs/") for case in documentation_cases()}
    names = {rule.name for rule in all_rules()}
    assert suites == names
    assert examples == names


@parametrize(lambda case: case.suite.startswith("docs/") and case.name.startswith("Example"))
def test_example_shows_its_rule(case: Case) -> None:
    """The example of a rule's page is a mistake that the rule reports."""
    names = {each.name for source in case.python_files for each in expectations(source.text)[0]}
    assert case.suite.removeprefix("docs/") in names
