"""How a project configures pytest, read from its files: nothing is imported or run."""

from __future__ import annotations

import configparser
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.files.inputs import note_file, note_names
from awaitlint.index.requirements import admitted, project_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: plugins beside pytest-asyncio that run tests without a mark of its own
_OTHER_PLUGINS = (
    *("pytest-aiohttp", "pytest-trio", "pytest-tornasync", "pytest-twisted", "alt-pytest-asyncio"),
    *("pytest-asyncio-cooperative", "pytest-sanic", "pytest-curio", "pytest-homeassistant-custom-component"),
)
#: options that say which functions are tests
_NAMING = frozenset({"python_files", "python_classes", "python_functions"})
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Strict:
    """That pytest-asyncio runs marked tests only; `is_configured` tells this from its being the default."""

    is_configured: bool


#: by file: its state when it was read, and what it said
_read: dict[Path, tuple[tuple[int, int], Mapping[str, str] | None]] = {}


def strict_mode(folder: Path, python: Path | None) -> Strict | None:
    """Whether tests in a folder run under pytest-asyncio's strict mode for certain, and none but it."""
    root = project_root(folder)
    found = [settings for directory in _upwards(folder, root) for settings in _settings_in(directory)]
    if len(found) > 1:
        # which one counts depends on how pytest is called
        return None
    settings = found[0] if found else {}
    options = settings.get("addopts", "")
    if "asyncio" in options or "anyio" in options or "-p" in options.split():
        return None
    if "anyio_mode" in settings or "trio_mode" in settings or not _NAMING.isdisjoint(settings):
        return None
    if any(_takes(name, folder, root, python) for name in _OTHER_PLUGINS):
        return None
    mode = settings.get("asyncio_mode")
    if mode is not None:
        return Strict(is_configured=True) if mode.strip() == "strict" else None
    version = admitted("pytest-asyncio", folder, root, python)
    # the default since 0.19
    if not (version.known or version.mentions) or (version.known and version.admits("0", "0.19")):
        return None
    return Strict(is_configured=False)


def conftests(folder: Path) -> Iterator[Path]:
    """The `conftest.py` files that count for a folder."""
    for directory in _upwards(folder, project_root(folder)):
        path = directory / "conftest.py"
        note_names(directory, path.name)
        if path.is_file():
            yield path


def _takes(name: str, folder: Path, root: Path, python: Path | None) -> bool:
    found = admitted(name, folder, root, python)
    return found.known or bool(found.mentions)


def _upwards(folder: Path, root: Path) -> Iterator[Path]:
    yield folder
    for parent in folder.parents if folder != root else ():
        yield parent
        if parent == root:
            return


def _settings_in(directory: Path) -> Iterator[Mapping[str, str]]:
    """What configures pytest in a directory."""
    for name in ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml"):
        found = _settings_of(directory / name)
        if found is not None:
            yield found
            return
    for name in ("tox.ini", "setup.cfg"):
        found = _settings_of(directory / name)
        if found is not None:
            yield found
            return


def _settings_of(path: Path) -> Mapping[str, str] | None:
    """The options of a file; None where it does not configure pytest, or cannot be read."""
    note_file(path)
    try:
        status = path.stat()
        state = (status.st_mtime_ns, status.st_size)
        known = _read.get(path)
        if known is not None and known[0] == state:
            return known[1]
        text = path.read_text(encoding="utf-8") if status.st_size <= _LARGEST else ""
    except (OSError, ValueError):
        return None
    found = _toml(path.name, text) if path.suffix == ".toml" else _ini(path.name, text)
    if len(_read) > 4096:
        _read.clear()
    _read[path] = (state, found)
    return found


def _toml(name: str, text: str) -> Mapping[str, str] | None:
    if name == "pyproject.toml" and "pytest" not in text:
        return None
    try:
        table: object = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    keys = ("tool", "pytest") if name == "pyproject.toml" else ("pytest",)
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    if isinstance(table, dict) and isinstance(table.get("ini_options"), dict):
        table = table["ini_options"]
    if not isinstance(table, dict):
        return None
    return {
        key: " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in table.items()
    }


def _ini(name: str, text: str) -> Mapping[str, str] | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    section = "tool:pytest" if name == "setup.cfg" else "pytest"
    if not parser.has_section(section):
        return {} if name.endswith("pytest.ini") else None
    return dict(parser.items(section))
