"""The trees that are checked: released packages, put side by side."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import releases

#: a tree of one line: what it costs to check is what starting costs
ONE_LINE = "1 line"


class Tree(NamedTuple):
    """A tree of some size, and the distributions that it consists of."""

    name: str
    distributions: tuple[str, ...]


TREES = (
    Tree("10k", ("httpx", "aiosqlite")),
    Tree("30k", ("aiohttp", "aiosqlite")),
    Tree("100k", ("discord.py", "httpx")),
    Tree("200k", ("prefect",)),
    Tree(
        "360k",
        ("aiohttp", "discord.py", "faststream", "httpx", "langchain-core", "mcp", "redis", "starlette"),
    ),
    Tree("1M", ("homeassistant", "aiohttp")),
)
BY_NAME = {tree.name: tree for tree in TREES}


class Assembled(NamedTuple):
    """A tree on disk."""

    name: str
    directory: Path
    files: int
    lines: int
    releases: tuple[str, ...]


def chosen(tree: Tree, known: Iterable[releases.Release]) -> tuple[releases.Release, ...]:
    """The releases of a tree.

    Raises:
        KeyError: one is not pinned.
    """
    by_name = {release.distribution: release for release in known}
    return tuple(by_name[name] for name in tree.distributions)


def assemble(tree: Tree, known: Sequence[releases.Release], work: Path, target: Path) -> Assembled:
    """Put the Python files of a tree into a new directory; what is missing is downloaded.

    Raises:
        KeyError: a release is not pinned.
        subprocess.CalledProcessError: one could not be downloaded.
    """
    _make_empty(target)
    found = chosen(tree, known)
    for release in found:
        copy_sources(releases.fetch(release, work).directory, target)
    paths = [path for path in target.rglob("*.py") if path.is_file()]
    lines = sum(path.read_bytes().count(b"\n") for path in paths)
    return Assembled(tree.name, target, len(paths), lines, tuple(release.name for release in found))


def one_line(target: Path) -> Assembled:
    """A tree of a file with one line."""
    _make_empty(target)
    (target / "one.py").write_text("x = 1\n", encoding="utf-8")
    return Assembled(ONE_LINE, target, 1, 1, ())


def copy_sources(source: Path, target: Path) -> None:
    """Copy what is Python below a directory, and nothing else.

    Raises:
        FileExistsError: a file is in two releases.
    """
    for path in sorted([*source.rglob("*.py"), *source.rglob("*.pyi")]):
        if not path.is_file():
            continue
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if copy.exists():
            raise FileExistsError(copy)
        shutil.copyfile(path, copy)


def _make_empty(target: Path) -> None:
    """A directory with nothing that configures a tool, but a mark that says where the project begins."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / "pyproject.toml").touch()
