"""The directory of a cache: made when something is first written, and as little trusted as what is in it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from awaitlint.files.roots import PROJECT_MARKERS

#: the directory in a project's root
DIRECTORY = ".awaitlint_cache"
_INSTALLED = frozenset({"site-packages", "dist-packages"})
#: different bits each, where the system has them: follow no link, wait for no pipe
SAFE_OPEN = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This directory is a cache of awaitlint and can be deleted at any time.
# For information about cache directory tags, see https://bford.info/cachedir/
"""
#: of everything else in a cache
_SUFFIXES = frozenset({".pack", ".seen", ".tmp"})
_FILES = ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG))


def cache_directory(root: Path, given: Path | None = None) -> Path | None:
    """The directory of the cache of the project at `root`, an absolute path; `given` is the user's choice.

    None where the directory is no project (linting a loose file must leave nothing behind) or belongs to an
    installed distribution.
    """
    if given is not None:
        return given
    if not _INSTALLED.isdisjoint(root.parts) or not any((root / name).exists() for name in PROJECT_MARKERS):
        return None
    return root / DIRECTORY


def is_directory(path: Path) -> bool:
    """Whether there is a directory, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def prepare_directory(directory: Path) -> None:
    """Make a cache's directory where there is none.  Raises `OSError`."""
    with contextlib.suppress(FileExistsError):
        directory.mkdir(parents=True)
    if not is_directory(directory):
        raise NotADirectoryError(directory)
    for name, text in _FILES:
        with (
            contextlib.suppress(FileExistsError),
            (directory / name).open("x", encoding="utf-8") as file,
        ):
            file.write(text)


def is_cache(directory: Path) -> bool:
    """Whether a directory is a cache of awaitlint, by the tag that it was given."""
    return read_whole(directory / "CACHEDIR.TAG", 4096) == _TAG.encode()


def remove_cache(directory: Path) -> bool:
    """Remove what awaitlint has written to a cache; whether nothing else was in it.  Raises `OSError`."""
    for path in directory.iterdir():
        if path.suffix in _SUFFIXES or path.name in dict(_FILES):
            path.unlink()
    try:
        directory.rmdir()
    except OSError:
        return False
    return True


def read_whole(path: Path, largest: int) -> bytes | None:
    """The bytes of a regular file in a cache; None where there is none of at most `largest` bytes."""
    if not is_directory(path.parent):
        return None
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | SAFE_OPEN), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
                return None
            data = file.read(largest + 1)
    except OSError:
        return None
    return data if len(data) <= largest else None
