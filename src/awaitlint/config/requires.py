"""The oldest Python that a project's own files ask for, read as data.

`pyproject.toml` says so as ``requires-python``, or in Poetry's table; ``setup.cfg`` and ``setup.py`` as
``python_requires``, which counts where it is a text, or a name of the module for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

#: in the order in which they count where a directory has both
SETUP_NAMES = ("setup.cfg", "setup.py")

_KEY = "python_requires"
#: bytes of a file at most
_LARGEST = 1 << 20

_CLAUSE = re.compile(r"\s*(?:>=|>|~=|===?)\s*(\d+)(?:\.(\d+))?(?:\.[\w.*]+)?\s*")
_POETRY_CLAUSE = re.compile(r"\s*(?:>=|>|\^|~=?|==?)?\s*(\d+)(?:\.(\d+))?(?:\.[\w.*]+)?\s*")

Version = tuple[int, int]


class Required(NamedTuple):
    """The oldest Python, to the minor version, and what says so: a file, and the key in it."""

    version: Version
    path: Path
    key: str


def in_pyproject(path: Path, table: Mapping[str, object]) -> Required | None:
    """The lowest version that a ``pyproject.toml`` admits."""
    found = _lowest(_at(table, "project", "requires-python"), _CLAUSE)
    if found is not None:
        return Required(found, path, "requires-python")
    found = _lowest(_at(table, "tool", "poetry", "dependencies", "python"), _POETRY_CLAUSE)
    return None if found is None else Required(found, path, "tool.poetry.dependencies.python")


def in_setup(path: Path) -> Required | None:
    """The lowest version that a ``setup.cfg`` or ``setup.py`` admits."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST)
    except OSError:
        return None
    if _KEY.encode() not in data:
        return None
    text = data.decode("utf-8", errors="replace")
    found = _lowest(_in_setup_cfg(text) if path.name == SETUP_NAMES[0] else _in_setup_py(text), _CLAUSE)
    return None if found is None else Required(found, path, _KEY)


def _in_setup_cfg(text: str) -> str | None:
    import configparser  # noqa: PLC0415  few projects have such a file

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return parser.get("options", _KEY, fallback=None)


def _in_setup_py(text: str) -> object:
    import ast  # noqa: PLC0415  few projects have such a file

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bound: dict[str, list[ast.expr]] = {}
    given: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    bound.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.Call):
            func = node.func
            if getattr(func, "id", getattr(func, "attr", "")) == "setup":
                given += (each.value for each in node.keywords if each.arg == _KEY)
    if len(given) != 1:
        return None
    value = given[0]
    if isinstance(value, ast.Name):
        values = bound.get(value.id, [])
        if len(values) != 1:
            return None
        (value,) = values
    return value.value if isinstance(value, ast.Constant) else None


def _at(table: object, *keys: str) -> object:
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table


def _lowest(specifier: object, clause: re.Pattern[str]) -> Version | None:
    if not isinstance(specifier, str):
        return None
    bounds = [
        (int(match[1]), int(match[2] or 0))
        for each in specifier.split(",")
        if (match := clause.fullmatch(each)) is not None
    ]
    return max(bounds, default=None)
