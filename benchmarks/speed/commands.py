"""The command lines of the tools; none reads a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.cold import PARSE
from benchmarks.speed.installations import executable

PARSED, PARSED_OFF = "ast.parse", "ast.parse, collector off"
AWAITLINT, COMPILED = "awaitlint", "awaitlint, compiled"
FLAKE8, PLUGIN = "flake8", "flake8 with awaitlint"
PYTHON, VERSION, HELP, ONE = "python -c pass", "awaitlint version", "awaitlint --help", "awaitlint check"

#: the tools that awaitlint is compared with, and the executables that run them
PEERS = {
    "ruff": "ruff",
    "ty": "ty",
    "pyrefly": "pyrefly",
    "mypy": "mypy",
    "hydroid": "hydroid",
    "flake8-async": "flake8-async",
}


class Command(NamedTuple):
    """A command that is run in a tree."""

    name: str
    arguments: Sequence[str]


class Environments(NamedTuple):
    """Where the commands are installed."""

    #: awaitlint by its name, with flake8
    own: Mapping[str, Path]
    flake8: Path
    #: the other tools, if they are run
    peers: Path | None
    #: one in which nothing is installed, that tools look into
    empty: Path

    @property
    def python(self) -> str:
        """The Python that awaitlint runs on."""
        return str(self.own[AWAITLINT] / "bin" / "python")


def own(environment: Path, *options: str) -> list[str]:
    """The check of awaitlint, of the tree that it is run in."""
    check = ["check", "--isolated", "--quiet", "--exit-zero", *options]
    # the trees may be somewhere that git ignores
    return [str(environment / "bin" / "awaitlint"), *check, "--no-respect-gitignore", "."]


def cold(where: Environments, tree: Path) -> list[Command]:
    """What checks a whole tree without a cache, in the order of the page."""
    files = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*.py"))
    return [
        Command(PARSED, [where.python, "-c", PARSE, ".", "on"]),
        Command(PARSED_OFF, [where.python, "-c", PARSE, ".", "off"]),
        *(Command(name, own(environment, "--no-cache")) for name, environment in where.own.items()),
        *_peers(where, {**_COLD, "flake8-async": ["--enable=ASYNC", *files]}),
    ]


def warm(where: Environments, caches: Path) -> list[Command]:
    """What checks a whole tree with a cache: in the tree, unless a tool can be told where."""
    with_cache = {
        "ruff": [*_RUFF, f"--cache-dir={caches / 'ruff'}", "."],
        "mypy": [*_MYPY, _EMPTY_PYTHON, f"--cache-dir={caches / 'mypy'}", "."],
        "hydroid": ["--python", _EMPTY, "."],
    }
    return [
        *(Command(name, own(environment)) for name, environment in where.own.items()),
        *_peers(where, with_cache),
    ]


def start_up(where: Environments) -> list[Command]:
    """What has next to nothing to do."""
    script = str(where.own[AWAITLINT] / "bin" / "awaitlint")
    return [
        Command(PYTHON, [where.python, "-c", "pass"]),
        Command(VERSION, [script, "version"]),
        Command(HELP, [script, "--help"]),
        Command(ONE, own(where.own[AWAITLINT], "--no-cache")),
    ]


def one_file(where: Environments, name: str) -> list[Command]:
    """What an editor runs for a file of that name, whose text comes from standard input."""
    options = ["--isolated", "--exit-zero", "--stdin-display-name", name, "-"]
    return [
        Command(FLAKE8, [str(where.flake8 / "bin" / "flake8"), *options]),
        *(
            Command(name.replace(AWAITLINT, PLUGIN, 1), [str(environment / "bin" / "flake8"), *options])
            for name, environment in where.own.items()
        ),
    ]


_RUFF = ("check", "--isolated", "--exit-zero", "--quiet", "--select", "ASYNC")
_MYPY = ("--config-file=", "--explicit-package-bases", "--ignore-missing-imports", "--python-executable")
_PYREFLY = ("check", "--preset", "default", "--summary=none", "--progress-bar", "no", "--search-path", ".")
_EMPTY, _EMPTY_PYTHON = "{empty}", "{empty}/bin/python"
_COLD = {
    "ruff": [*_RUFF, "--no-cache", "."],
    "ty": ["check", "--exit-zero", "--no-progress", "--quiet", "--python", _EMPTY, "."],
    "pyrefly": [*_PYREFLY, "--python-interpreter-path", _EMPTY_PYTHON, "."],
    "mypy": [*_MYPY, _EMPTY_PYTHON, "--cache-dir=/dev/null", "."],
    "hydroid": ["--python", _EMPTY, "--no-cache", "."],
}


def _peers(where: Environments, known: Mapping[str, Sequence[str]]) -> list[Command]:
    """The commands of the tools that are installed."""
    found = []
    for name, arguments in known.items():
        path = executable(where.peers, PEERS[name]) if where.peers is not None else None
        if path is not None:
            empty = str(where.empty)
            found.append(Command(name, [str(path), *(each.replace(_EMPTY, empty) for each in arguments)]))
    return found
