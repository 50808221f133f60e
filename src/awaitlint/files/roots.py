"""Where a project begins: found by looking at names in directories, nothing is read."""

# ruff: noqa: PTH110, PTH112, PTH118, PTH120
# Os.path answers False where a directory may not be looked into, pathlib raises.

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

PROJECT_MARKERS = (
    "pyproject.toml",
    "awaitlint.toml",
    ".awaitlint.toml",
    "setup.py",
    "setup.cfg",
    ".git",
    ".hg",
)
_REPOSITORY_MARKERS = (".git", ".hg", ".jj")


def project_root(path: Path, *, marked: dict[str, bool] | None = None) -> Path:
    """The project that a file or directory (absolute path) belongs to.

    It is the nearest directory at or above it with a project file or a repository; failing that, the
    directory that holds the outermost package around it; failing that, the file's own directory.  Who asks
    often passes `marked`, which remembers what was seen in each directory.
    """
    directory = path if os.path.isdir(path) else path.parent
    nearest = _nearest(directory, PROJECT_MARKERS, {} if marked is None else marked)
    if nearest is not None:
        return nearest
    return Path(package_root(os.fspath(directory), os.path.exists))


def package_root(directory: str, exists: Callable[[str], bool]) -> str:
    """The directory that holds the outermost package around a directory; itself, where that is in none.

    A directory without ``__init__`` inside of a package, as ``discord/ext`` is, belongs to it.
    """
    while True:
        parent = os.path.dirname(directory)
        if parent == directory:
            return directory
        own = exists(os.path.join(directory, "__init__.py"))
        if not own and not exists(os.path.join(parent, "__init__.py")):
            return directory
        directory = parent


def repository_root(path: Path) -> Path | None:
    """The root of the version-controlled tree that a file or directory (absolute path) lies in."""
    return _nearest(path if os.path.isdir(path) else path.parent, _REPOSITORY_MARKERS, {})


def _nearest(directory: Path, markers: tuple[str, ...], marked: dict[str, bool]) -> Path | None:
    name = os.fspath(directory)
    while True:
        found = marked.get(name)
        if found is None:
            found = marked[name] = any(
                os.path.exists(os.path.join(name, each)) for each in _named(name, markers)
            )
        if found:
            return Path(name)
        parent = os.path.dirname(name)
        if parent == name:
            return None
        name = parent


def _named(directory: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some names that may be in a directory: to list one takes less time than to ask seven times."""
    try:
        entries = frozenset(os.listdir(directory))  # noqa: PTH208
    except OSError:  # one may be let into a directory and not be let see what is in it
        return names
    return tuple(name for name in names if name in entries)
