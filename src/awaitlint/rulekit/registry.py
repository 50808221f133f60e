"""The rules there are: every module of `awaitlint.rules` is one."""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = "awaitlint.rules"


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule, by code.

    Raises:
        ValueError: Two rules have the same code or name.
    """
    package = importlib.import_module(_PACKAGE)
    found = sorted(
        (rule for module in pkgutil.iter_modules(package.__path__) for rule in _rules_of(module.name)),
        key=lambda rule: rule.code,
    )
    for first, second in itertools.pairwise(found):
        if first.code == second.code:
            raise ValueError(f"{first.__module__} and {second.__module__} both have the code {first.code}")
    return tuple(found)


def _rules_of(module_name: str) -> Iterator[type[Rule]]:
    module = importlib.import_module(f"{_PACKAGE}.{module_name}")
    for value in vars(module).values():
        own = isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
        if own and "code" in vars(value):
            yield value


def documentation(rule: type[Rule]) -> str:
    """The rule's page, Markdown: its module's docstring, read from the source so that ``-OO`` keeps it."""
    module = importlib.import_module(rule.__module__)
    source = Path(str(module.__file__)).with_suffix(".py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""
