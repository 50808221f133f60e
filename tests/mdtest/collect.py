"""Where cases come from: the fixtures, and the documentation of every rule."""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from awaitlint.rulekit.registry import all_rules, documentation
from mdtest.document import Case, parse

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"

#: Sections of a rule's page whose code is executed.
_EXECUTED = re.compile(r"^## (Example|Use instead)$", re.MULTILINE)


@functools.cache
def suite_cases() -> tuple[Case, ...]:
    """The cases of every suite in tests/fixtures."""
    cases: list[Case] = []
    for path in sorted(FIXTURES.rglob("*.md")):
        if path.name == "README.md":
            continue
        suite = path.relative_to(FIXTURES).with_suffix("").as_posix()
        document = path.relative_to(FIXTURES.parent.parent).as_posix()
        cases += parse(path.read_text(encoding="utf-8"), suite=suite, document=document)
    return tuple(cases)


@functools.cache
def documentation_cases() -> tuple[Case, ...]:
    """The example of every rule, and what its page says to write instead."""
    cases: list[Case] = []
    for rule in all_rules():
        page = documentation(rule)
        document = f"src/awaitlint/rules/{rule.name.replace('-', '_')}.py"
        cases += [
            case
            for case in parse(_executed(page), suite=f"docs/{rule.name}", document=document)
            if case.python_files
        ]
    return tuple(cases)


def _executed(page: str) -> str:
    """The page with its other sections blanked out, and each further variant a section; lines kept."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    return "".join(_variants(part) if _EXECUTED.match(part) else "\n" * part.count("\n") for part in parts)


def _variants(section: str) -> str:
    title = section.partition("\n")[0]
    numbers = itertools.count(1)

    def head(match: re.Match[str]) -> str:
        number = next(numbers)
        return match[0] if number == 1 else f"{title} ({number})\n```py\n"

    return re.sub(r"^\n```py\n", head, section, flags=re.MULTILINE)


def all_cases() -> tuple[Case, ...]:
    return (*suite_cases(), *documentation_cases())


def parametrize(where: Callable[[Case], Any] = lambda _: True) -> pytest.MarkDecorator:
    """Runs a test once for each case for which `where` holds; the ids are suites and headings."""
    cases = [case for case in all_cases() if where(case)]
    return pytest.mark.parametrize("case", cases, ids=[case.id for case in cases])
