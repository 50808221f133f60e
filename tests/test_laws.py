"""Laws that hold for every snippet of the suites, whatever it is about.

A case is exempt from one by ``<!-- law-exempt: <law>, <reason> -->``.
"""

from __future__ import annotations

import ast
import tokenize
from typing import TYPE_CHECKING

import pytest
from mdtest import Project, expectations, parametrize, with_noqa, without_async
from pyflakes.checker import Checker
from pyflakes.messages import UndefinedName

from awaitlint.engine.fixes import applicable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mdtest import Case

    from awaitlint.model import Diagnostic

#: A file that cannot be read has no comments that could silence the finding.
SYNTAX_ERROR = "AWL901"


def under(law: str, where: Callable[[Case], bool] = lambda _: True) -> pytest.MarkDecorator:
    """The cases for which `where` holds, and which are not exempt."""
    return parametrize(lambda case: law not in case.exempt and where(case))


def has_findings(case: Case) -> bool:
    return any(expectations(source.text)[0] for source in case.python_files)


def has_several_files(case: Case) -> bool:
    return len(case.python_files) > 1


def has_no_selection(case: Case) -> bool:
    """flake8 selects for itself."""
    return not case.select


def show(found: tuple[Diagnostic, ...] | list[Diagnostic]) -> list[str]:
    return [f"{d.path}:{d.span.line}:{d.span.column} [{d.name}] {d.message}" for d in found]


def each_text(rewriting: Callable[[str], str]) -> Callable[[str], str]:
    """The rewriting, which leaves a text alone that cannot be read as tokens."""

    def change(text: str) -> str:
        try:
            return rewriting(text)
        except (tokenize.TokenError, SyntaxError):
            return text

    return change


def undefined_names(text: str) -> set[str]:
    """The names that nothing binds, such as a module that a fix uses and does not import."""
    found = Checker(ast.parse(text)).messages
    return {each.message_args[0] for each in found if isinstance(each, UndefinedName)}


@under("strip-async")
def test_synchronous_code_is_silent(case: Case, tmp_path: Path) -> None:
    """Where nothing is async, no rule about coroutines or a blocked loop has anything to say."""
    project = Project(case, tmp_path)
    project.rewrite(each_text(without_async))
    found = [each for each in project.diagnostics() if each.code[3] in "138"]
    assert show(found) == []


@under("noqa", has_findings)
def test_noqa_silences(case: Case, tmp_path: Path) -> None:
    project = Project(case, tmp_path)
    project.rewrite(each_text(with_noqa))
    found = [each for each in project.diagnostics() if each.code != SYNTAX_ERROR]
    assert show(found) == []


@under("order", has_several_files)
def test_order_of_files_does_not_matter(case: Case, tmp_path: Path) -> None:
    project = Project(case, tmp_path)
    assert show(project.diagnostics(backwards=True)) == show(project.diagnostics())


@under("sieve")
def test_sieve_drops_nothing(case: Case, tmp_path: Path) -> None:
    """Looking only at suspects finds what looking at everything finds."""
    project = Project(case, tmp_path)
    assert project.diagnostics(sieve=True) == project.diagnostics(sieve=False)


@under("fix", has_findings)
@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
def test_fixes(case: Case, unsafe: bool, tmp_path: Path) -> None:
    """Applied fixes leave code that compiles, take their findings away, bring no new ones, and are final."""
    project = Project(case, tmp_path)
    before = project.diagnostics()
    applied = project.fix(unsafe=unsafe)
    after = project.diagnostics()
    assert {each.name for each in after} <= {each.name for each in before}, show(after)
    assert show([each for each in after if applicable(each.fix, unsafe=unsafe)]) == []
    if not applied:
        assert after == before
        return
    assert len(after) < len(before), show(after)
    texts = {source.path: project.read(source.path) for source in case.python_files}
    assert project.fix(unsafe=unsafe) == []
    assert texts == {source.path: project.read(source.path) for source in case.python_files}
    if case.compiles and case.syntax is None:
        for path, text in texts.items():
            compile(
                text, path, "exec", dont_inherit=True, flags=ast.PyCF_ONLY_AST if path.endswith("i") else 0
            )


@under("flake8", has_no_selection)
def test_flake8_agrees(case: Case, tmp_path: Path) -> None:
    project = Project(case, tmp_path)
    found = project.diagnostics()
    for source in case.python_files:
        own = [each for each in found if each.path == source.path]
        try:
            from_plugin = project.flake8(source.path)
        except SyntaxError:
            # flake8 runs no plugin then
            continue
        assert from_plugin == [(d.span.line, d.span.column, f"{d.code} {d.message}") for d in own]
