"""The rules there are: every module of `awaitlint.rules` is one."""

from __future__ import annotations

import importlib
import itertools
import os
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from awaitlint.rulekit.rule import Rule

_PACKAGE = "awaitlint.rules"
#: what the source of a rule's class says for itself
_CODE = re.compile(r'^    code = "([A-Z]+[0-9]+)"$', re.MULTILINE)
_NAME = re.compile(r'^    name = "([a-z0-9-]+)"$', re.MULTILINE)
_OFF = re.compile(r"^    default = False$", re.MULTILINE)


class Key(NamedTuple):
    """What a configuration has to know of a rule."""

    code: str
    name: str
    default: bool


@cache
def rule_keys() -> tuple[Key, ...]:
    """The key of every rule, by code: read from the sources, since importing the rules takes far longer."""
    try:
        found = sorted(_read_keys(importlib.import_module(_PACKAGE).__path__))
    except OSError:  # no files at all
        found = []
    return tuple(found or [Key(rule.code, rule.name, rule.default) for rule in all_rules()])


def _read_keys(directories: Iterable[str]) -> Iterator[Key]:
    for directory in directories:
        for entry in os.scandir(directory):
            if entry.name.endswith(".py"):
                with open(entry.path, encoding="utf-8") as file:  # noqa: PTH123  pathlib is large
                    yield from _keys_in(file.read())


def _keys_in(source: str) -> Iterator[Key]:
    for body in source.split("\nclass ")[1:]:
        code, name = _CODE.search(body), _NAME.search(body)
        if code and name:
            yield Key(code[1], name[1], _OFF.search(body) is None)


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule, by code.

    Raises:
        ValueError: Two rules have the same code or name.
    """
    import pkgutil  # noqa: PLC0415  not for those who ask for the keys

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
    from awaitlint.rulekit.rule import Rule  # noqa: PLC0415  as above

    module = importlib.import_module(f"{_PACKAGE}.{module_name}")
    for value in vars(module).values():
        own = isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
        if own and "code" in vars(value):
            yield value


def documentation(rule: type[Rule]) -> str:
    """The rule's page, Markdown: its module's docstring, read from the source so that ``-OO`` keeps it."""
    import ast  # noqa: PLC0415  as above
    from pathlib import Path  # noqa: PLC0415

    module = importlib.import_module(rule.__module__)
    source = Path(str(module.__file__)).with_suffix(".py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""
