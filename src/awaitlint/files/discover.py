"""Finding the files to check."""

# ruff: noqa: PTH109, PTH112, PTH114, PTH118
# A walk looks at many entries, and strings are much cheaper than paths.

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from awaitlint.files.environments import MARKERS as ENVIRONMENT_MARKERS
from awaitlint.files.globs import Globs, globs
from awaitlint.files.ignorefiles import IgnoreChain

#: Suffixes of the files that a walk picks up; a file given by name is checked whatever it is called.
SUFFIXES = (".py", ".pyi")

#: Names that no walk enters, unless the option `exclude` replaces them.
DEFAULT_EXCLUDE = (
    ".awaitlint_cache",
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


class UsageError(Exception):
    """What the user asked for cannot be done, such as checking a path that does not exist."""


class DiscoverySettings(Protocol):
    """The options that decide which files are found; `awaitlint.config.settings.Settings` has them."""

    @property
    def root(self) -> Path:
        """The directory that patterns are relative to."""

    @property
    def exclude(self) -> tuple[str, ...]:
        """Globs of what a walk leaves out."""

    @property
    def extend_exclude(self) -> tuple[str, ...]:
        """More of them."""

    @property
    def force_exclude(self) -> bool:
        """Whether the globs also hold for what is given by name."""

    @property
    def respect_gitignore(self) -> bool:
        """Whether a walk leaves out what git ignores."""


class Target:
    """A file to check: its absolute path, and the name that the user sees.

    A run over a project in which nothing has changed looks at nothing but names: so `file` is a string, and
    a `Path` is made of it when it is asked for.
    """

    __slots__ = ("_path", "display", "file")

    def __init__(self, path: Path | str, display: str) -> None:
        self.file = os.fspath(path)
        self.display = display
        self._path = None if isinstance(path, str) else path

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        if self._path is None:
            self._path = Path(self.file)
        return self._path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and (self.file, self.display) == (other.file, other.display)

    def __hash__(self) -> int:
        return hash((self.file, self.display))

    def __repr__(self) -> str:
        return f"Target({self.file!r}, {self.display!r})"


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    #: the path without symbolic links: what tells one file from another
    identity: str
    is_link: bool


def discover(
    paths: Iterable[str | os.PathLike[str]],
    settings_for: Callable[[Path], DiscoverySettings],
    *,
    cwd: Path | None = None,
    on_error: Callable[[str, str], None] | None = None,
    saw: Callable[[str, AbstractSet[str]], None] | None = None,
) -> list[Target]:
    """The files that the paths stand for, each once, in the order given; directories in sorted order.

    `settings_for` gives the settings that govern a path.  A directory that cannot be read is passed to
    `on_error` as its display name and a reason, and the walk goes on; `saw` is told the names in the others.
    Raises `UsageError` for a path that does not exist.
    """
    base = os.fspath(cwd) if cwd is not None else os.getcwd()
    walk = _Walk(settings_for, base, on_error, saw)
    found: list[_Found] = []
    for given in paths:
        path = os.path.normpath(os.path.join(base, given))
        if not os.fspath(given):
            raise UsageError("a path is empty")  # an unset variable, and not the current directory
        if os.path.isdir(path):
            if not walk.forced_out(path):
                found.extend(walk.directory(path))
        elif (reason := _missing(path)) is not None:
            raise UsageError(f"{reason}: {os.fspath(given)}")
        elif not walk.forced_out(path):
            found.append(_Found(path, os.path.realpath(path), os.path.islink(path)))
    return [Target(each.path, display_name(each.path, base)) for each in _once(found)]


def _missing(path: str) -> str | None:
    """Why nothing can be found at a path, None where there is something, were it a broken link."""
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:
        known = isinstance(error, OSError) and not isinstance(error, (FileNotFoundError, NotADirectoryError))
        reason = error.strerror if isinstance(error, OSError) and known else None
        return (reason or "no such file or directory").lower()
    return None


def stdin_target(
    name: str | None, settings_for: Callable[[Path], DiscoverySettings], *, cwd: Path | None = None
) -> Target | None:
    """The target that stands for standard input, or None where its name is excluded and exclusion forced.

    `name` is the file that the text belongs to; the file need not exist.
    """
    base = os.fspath(cwd) if cwd is not None else os.getcwd()
    if name is None:
        return Target(Path(base, "-"), "-")
    path = os.path.normpath(os.path.join(base, name))
    if not name or os.path.isdir(path):
        raise UsageError(f"the name of standard input is a directory: {name}" if name else "a path is empty")
    if _Walk(settings_for, base).forced_out(path):
        return None
    return Target(Path(path), display_name(path, base))


def display_name(path: str, base: str) -> str:
    """The path as the user sees it: relative to the current directory where it lies in it."""
    return path.removeprefix(base.rstrip(os.sep) + os.sep)


class _Walk:
    def __init__(
        self,
        settings_for: Callable[[Path], DiscoverySettings],
        base: str,
        on_error: Callable[[str, str], None] | None = None,
        saw: Callable[[str, AbstractSet[str]], None] | None = None,
    ) -> None:
        self.settings_for = settings_for
        self.base = base
        self.on_error = on_error
        self.saw = saw

    def forced_out(self, path: str) -> bool:
        """Whether a path that was given by name is to be left out all the same."""
        settings = self.settings_for(Path(path, "_") if os.path.isdir(path) else Path(path))
        return settings.force_exclude and _excludes(settings).match(path)

    def directory(self, path: str) -> Iterator[_Found]:
        """The files below a directory, less those of virtual environments in it.

        Links to directories are not followed, so there are no loops.
        """
        ignored: IgnoreChain | None = None
        stack: list[tuple[str, str, IgnoreChain | None]] = [(path, os.path.realpath(path), ignored)]
        while stack:
            current, identity, chain = stack.pop()
            try:
                with os.scandir(current) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError as error:
                if self.on_error is not None:
                    reason = (error.strerror or str(error)).lower()
                    self.on_error(display_name(current, self.base), reason)
                continue
            names = {entry.name for entry in entries}
            if self.saw is not None:
                self.saw(current, names)
            if not entries or (current != path and not names.isdisjoint(ENVIRONMENT_MARKERS)):
                continue
            settings = self.settings_for(Path(entries[0].path))
            excludes = _excludes(settings)
            chain = self._chain(current, chain, names, settings)
            below: list[tuple[str, str, IgnoreChain | None]] = []
            for entry in entries:
                is_dir = entry.is_dir(follow_symlinks=False)
                if not is_dir and not entry.name.endswith(SUFFIXES):
                    continue
                if excludes.match_entry(entry.path):
                    continue
                if settings.respect_gitignore and chain.ignores(entry.path, is_dir=is_dir):
                    continue
                inner = os.path.join(identity, entry.name)
                if is_dir:
                    below.append((entry.path, inner, chain))
                elif _is_file(entry):
                    is_link = entry.is_symlink()
                    yield _Found(entry.path, os.path.realpath(inner) if is_link else inner, is_link)
            stack.extend(reversed(below))

    @staticmethod
    def _chain(
        directory: str, chain: IgnoreChain | None, names: set[str], settings: DiscoverySettings
    ) -> IgnoreChain:
        if not settings.respect_gitignore:
            return chain or IgnoreChain()
        if chain is None:
            return IgnoreChain.at(directory)
        if ".git" in names or (chain.in_repository and ".gitignore" in names):
            return chain.enter(directory, is_repository=".git" in names)
        return chain


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _excludes(settings: DiscoverySettings) -> Globs:
    return globs((*settings.exclude, *settings.extend_exclude), os.fspath(settings.root))


def _once(found: list[_Found]) -> Iterator[_Found]:
    """Each file once: under its own name where that was found too, else under the first link's."""
    owners: dict[str, _Found] = {}
    for each in found:
        owner = owners.get(each.identity)
        if owner is None or (owner.is_link and not each.is_link):
            owners[each.identity] = each
    emitted: set[str] = set()
    for each in found:
        if owners[each.identity] == each and each.identity not in emitted:
            emitted.add(each.identity)
            yield each
