"""Where a project's dependencies are installed: found by names in directories and by ``pyvenv.cfg``.

The first of these counts:

1. what the option `python` names: an interpreter, or the directory of an environment;
2. ``.venv``, ``venv`` or ``env`` (with a ``pyvenv.cfg``, or conda's ``conda-meta``) beside the project, or
   beside one of the directories around it up to the root of the repository;
3. the environment that is active in the shell: ``VIRTUAL_ENV``, then ``CONDA_PREFIX``.

The environment that awaitlint itself runs in is none of these, so ``pipx run awaitlint`` says nothing about a
project.  It counts where it is the active one, though: who activates an environment that awaitlint is
installed in, beside the project's dependencies, means that environment.  pre-commit activates a hook's
environment, too.  That holds awaitlint's own few dependencies, which do no harm, and what
``additional_dependencies`` lists, which is there to be read.  Conda's ``base`` does not count, since conda
activates it in every shell.

No interpreter is run.  What it would search is known from the layouts that there are: POSIX, Windows, conda,
Debian's ``dist-packages``.  A user's own site-packages (``pip install --user``) are left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from awaitlint.files.roots import repository_root
from awaitlint.files.source import read_regular

#: conventional names beside a project
NAMES = (".venv", "venv", "env")
#: what an environment's directory holds, and no other
MARKERS = ("pyvenv.cfg", "conda-meta")
_PYTHON = re.compile(r"(?:python|pypy|graalpy)(3\.\d+)t?")
_EXECUTABLE = re.compile(r"(?:python|pypy|graalpy)(3\.\d+)t?(?:\.exe)?", re.IGNORECASE)
_EXECUTABLE_DIRECTORIES = frozenset({"bin", "scripts"})
#: of a file such as pyvenv.cfg; real ones have some hundred bytes
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Location:
    """An environment: where it is, and where its packages are.

    `prefix` is its directory, `sites` are its site-packages directories in the order in which Python
    searches them, and `reason` says for people how it was found.
    """

    prefix: str
    sites: tuple[str, ...]
    reason: str


class UnusableError(ValueError):
    """A path that was given for an environment and is none; the message is a phrase for the user."""


def environment_of(root: Path, python: Path | None, environ: Mapping[str, str]) -> Location | None:
    """The environment of the project at `root`, by the option `python` where that is given; None: none.

    `environ` are the environment variables that count: those of the process, or none.
    """
    if python is None:
        return find_environment(root, environ)
    try:
        return named_environment(os.fspath(python))
    except UnusableError:  # it was there when the option was read
        return None


def named_environment(path: str) -> Location:
    """The environment that a user names by an interpreter or a directory (absolute path).

    Raises:
        UnusableError: There is none.
    """
    if not os.path.lexists(path):
        raise UnusableError("no such file or directory")
    for prefix, executable in _named(path):
        sites = site_directories(prefix, executable)
        if sites:
            return Location(prefix, sites, "option python")
    what = "in this directory" if os.path.isdir(path) else "that belongs to this file"
    raise UnusableError(f"there is no Python environment {what}: no site-packages were found")


def find_environment(root: Path, environ: Mapping[str, str]) -> Location | None:
    """The environment of the project at `root` (absolute path), where nothing was configured.

    What looks like an environment and has no site-packages is passed over.
    """
    for directory in _around(root):
        for name in NAMES:
            prefix = os.path.join(directory, name)
            if _is_marked(prefix) and (sites := site_directories(prefix)):
                return Location(prefix, sites, "found beside the project")
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = environ.get(variable, "")
        if not os.path.isabs(prefix) or (variable == "CONDA_PREFIX" and _is_base(environ)):
            continue
        prefix = os.path.normpath(prefix)
        sites = site_directories(prefix)
        if sites:
            return Location(prefix, sites, variable)
    return None


def _is_base(environ: Mapping[str, str]) -> bool:
    return environ.get("CONDA_DEFAULT_ENV") in ("base", "root")


def _around(root: Path) -> Iterator[str]:
    """The project's directory, and those around it in its repository."""
    yield os.fspath(root)
    repository = repository_root(root)
    if repository is not None:
        for directory in root.parents:
            if not directory.is_relative_to(repository):
                break
            yield os.fspath(directory)


def _is_marked(prefix: str) -> bool:
    return any(os.path.exists(os.path.join(prefix, marker)) for marker in MARKERS)


def _named(path: str) -> Iterator[tuple[str, str]]:
    """The prefixes that a path may stand for, each with its interpreter where the path names one."""
    if os.path.isdir(path):
        yield path, ""
        return
    real = os.path.realpath(path)
    own = _prefix_of(path)
    # An environment's interpreter is a link to another one.  Any other link leads to its own interpreter:
    # ~/.local/bin/python3.12 does not belong to ~/.local.
    prefixes = (own, _prefix_of(real)) if _is_marked(own) else (_prefix_of(real), own)
    for prefix in prefixes:
        yield prefix, real


def _prefix_of(executable: str) -> str:
    directory = os.path.dirname(executable)
    if os.path.basename(directory).lower() in _EXECUTABLE_DIRECTORIES:
        return os.path.dirname(directory)
    return directory  # Windows


def site_directories(prefix: str, executable: str = "") -> tuple[str, ...]:
    """The site-packages directories that the interpreter of an environment searches, if there are any.

    `executable` is the interpreter, links resolved, where it is known.
    """
    config = _configuration(os.path.join(prefix, "pyvenv.cfg"))
    version = _version(config.get("version_info") or config.get("version") or "")
    version = version or _version_of(executable) or _version_of_interpreter_in(prefix)
    found = list(_candidates(prefix, version))
    home = config.get("home", "")
    if config.get("include-system-site-packages", "").lower() == "true" and os.path.isabs(home):
        found += _candidates(_prefix_of(os.path.join(home, "python")), version)
    return tuple(_once(path for path in found if os.path.isdir(path)))


def _candidates(prefix: str, version: str) -> Iterator[str]:
    """Where packages may be below a prefix, in Python's order."""
    for lib in ("lib", "lib64"):
        path = os.path.join(prefix, lib)
        for directory in _python_directories(path, version) or _python_directories(path, ""):
            yield os.path.join(directory, "site-packages")
    if not os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):  # as Debian has it, outside environments
        for parts in (("local", "lib"), ("lib",)):
            lib = os.path.join(prefix, *parts)
            if parts == ("lib",):
                yield os.path.join(lib, "python3", "dist-packages")
            for directory in _python_directories(lib, version):
                yield os.path.join(directory, "dist-packages")
    yield os.path.join(prefix, "Lib", "site-packages")


def _python_directories(lib: str, version: str) -> list[str]:
    """``lib/python3.12`` and its like: those of a version; where it is "", of the newest with packages."""
    try:
        names = os.listdir(lib)
    except (OSError, ValueError):
        return []
    matches = [match for name in names if (match := _PYTHON.fullmatch(name)) is not None]
    if version:
        return sorted(os.path.join(lib, match[0]) for match in matches if match[1] == version)
    newest = sorted(matches, key=lambda match: (int(match[1].partition(".")[2]), match[0]), reverse=True)
    for match in newest:
        path = os.path.join(lib, match[0])
        if any(os.path.isdir(os.path.join(path, name)) for name in ("site-packages", "dist-packages")):
            return [path]
    return []


def _version(text: str) -> str:
    match = re.match(r"3\.\d+", text)
    return match[0] if match is not None else ""


def _version_of(executable: str) -> str:
    match = _EXECUTABLE.fullmatch(os.path.basename(executable))
    return match[1] if match is not None else ""


def _version_of_interpreter_in(prefix: str) -> str:
    """What ``bin/python3`` of a prefix leads to; "" where its name does not tell."""
    for name in ("python3", "python"):
        path = os.path.join(prefix, "bin", name)
        if os.path.exists(path):
            return _version_of(os.path.realpath(path))
    return ""


def _configuration(path: str) -> dict[str, str]:
    """The entries of a ``pyvenv.cfg``, their keys in lower case; none where it cannot be read."""
    try:
        if os.stat(path).st_size > _LARGEST:
            return {}
        text = read_regular(path).decode("utf-8", "replace")
    except (OSError, ValueError):
        return {}
    entries = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in entries}


def _once(paths: Iterable[str]) -> Iterator[str]:
    """Each directory once, whatever links lead to it: ``lib64`` is one, and ``lib`` may be ``Lib``."""
    seen: set[str] = set()
    for path in paths:
        real = os.path.normcase(os.path.realpath(path))
        if real not in seen:
            seen.add(real)
            yield path
