"""What is in directories, each read once when something in it is first asked for."""

from __future__ import annotations

import os
import time
from itertools import islice

from awaitlint.files.digests import digest

#: nanoseconds for which a directory may change and look as it did before: file systems tell times coarsely
_SETTLED_AFTER = 2_000_000_000
#: ends of the names of files that tell what can be imported from a directory
_TELLING = (
    *(".py", ".pyi", ".so", ".pyd", ".pyc", ".pth", ".egg-link"),
    *("py.typed", "pyvenv.cfg", "pyproject.toml", "setup.cfg"),
)


class Listings:
    """The names in directories, written as Python writes them: the case of letters counts everywhere.

    Args:
        most: A directory with more entries counts as empty; None sets no limit.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._known: dict[str, dict[str, bool]] = {}
        #: directory -> when it last changed, as seen before it was read
        self._modified: dict[str, int] = {}
        #: directories that had just changed when they were read
        self._unsettled: set[str] = set()

    def entries(self, directory: str) -> dict[str, bool]:
        """The names in a directory, and whether each is a directory; empty where there is none to read."""
        found = self._known.get(directory)
        if found is None:
            modified = self._modified[directory] = _modified(directory)
            if modified > time.time_ns() - _SETTLED_AFTER:
                self._unsettled.add(directory)
            found = self._known[directory] = self._read(directory or os.sep)
        return found

    def is_file(self, path: str) -> bool:
        directory, _, name = path.rpartition(os.sep)
        return self.entries(directory).get(name) is False

    def is_directory(self, path: str) -> bool:
        directory, _, name = path.rpartition(os.sep)
        return self.entries(directory).get(name) is True

    def seen(self) -> dict[str, tuple[int, bytes]]:
        """The directories that were read: when each last changed, in nanoseconds, and its `fingerprint`.

        The time is 0 where it says nothing: there is no directory, or it may have changed since.
        """
        return {
            directory: (0 if directory in self._unsettled else modified, fingerprint(self._known[directory]))
            for directory, modified in self._modified.items()
        }

    def have_changed(self) -> bool:
        """Whether entries may have come or gone in a directory that was asked about."""
        if any(_modified(directory) != known for directory, known in self._modified.items()):
            return True
        now = time.time_ns()
        for directory in sorted(self._unsettled):
            # what came after the reading may have the same time
            if self._read(directory or os.sep) != self._known[directory]:
                return True
            if self._modified[directory] <= now - _SETTLED_AFTER:
                self._unsettled.discard(directory)
        return False

    def _read(self, directory: str) -> dict[str, bool]:
        try:
            with os.scandir(directory) as scan:
                limit = None if self._most is None else self._most + 1
                found = {entry.name: _is_directory(entry) for entry in islice(scan, limit)}
        except (OSError, ValueError):
            return {}
        return found if self._most is None or len(found) <= self._most else {}


def fingerprint(entries: dict[str, bool]) -> bytes:
    """What tells one directory from another by the names that can matter to imports; b"" for no such name."""
    names = [
        name + "/" if is_directory else name
        for name, is_directory in entries.items()
        if (not name.startswith((".", "__pycache__")) if is_directory else name.endswith(_TELLING))
    ]
    return digest("\n".join(sorted(names)).encode("utf-8", "surrogateescape")) if names else b""


def look_again(directory: str, modified: int, known: bytes) -> tuple[int, bytes]:
    """The time at which a directory last changed, and its fingerprint, which was `known`; see `seen`."""
    if modified and _modified(directory) == modified:
        return modified, known
    listings = Listings()
    listings.entries(directory)
    return listings.seen()[directory]


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _modified(directory: str) -> int:
    """When entries of a directory last came or went, in nanoseconds; 0 where there is no such directory."""
    try:
        return os.stat(directory).st_mtime_ns  # noqa: PTH116  strings are cheaper than paths
    except (OSError, ValueError):
        return 0
