"""The directories that a project's imports are looked up in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from awaitlint.files.roots import package_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from awaitlint.files.listings import Listings

#: directories that hold no sources of the project
SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env", "__pycache__"})
#: conventional source roots below a project's root
_CONVENTIONAL = ("src", "lib", "python", "backend", "server", "source")
#: how deep below the root a monorepo's members are looked for
_MEMBER_DEPTH = 3
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


class SourceRoots:
    """The source roots of a project, found by the names in its directories.

    Args:
        root: The project's root directory.
        extra_roots: Further source roots from configuration, absolute.
        listings: What is in directories on the disk.
        is_file: Whether there is a file, on the disk or as an unsaved buffer.
        is_directory: Whether there is such a directory.
    """

    def __init__(
        self,
        root: Path,
        extra_roots: Sequence[str],
        listings: Listings,
        is_file: Callable[[str], bool],
        is_directory: Callable[[str], bool],
    ) -> None:
        self._root = str(root)
        self._extra_roots = extra_roots
        self._listings = listings
        self._is_file = is_file
        self._is_directory = is_directory
        self._known: dict[str, tuple[str, ...]] = {}
        self._members: list[str] | None = None

    def of(self, directory: str) -> tuple[str, ...]:
        """The source roots that absolute imports of a file in `directory` are looked up in, in order."""
        found = self._known.get(directory)
        if found is None:
            found = self._known[directory] = tuple(dict.fromkeys(self._candidate_roots(directory)))
        return found

    def _candidate_roots(self, directory: str) -> Iterator[str]:
        root = self._root
        if not self._is_file(os.path.join(directory, "__init__.py")):
            # a script may import what lies beside it
            yield directory
        directory = package_root(directory, self._is_file)
        yield directory
        yield from self._extra_roots
        inside = directory == root or directory.startswith(root + os.sep)
        while inside and directory != root:
            directory = os.path.dirname(directory)
            yield directory
        yield root
        for name in _CONVENTIONAL:
            if self._is_directory(os.path.join(root, name)):
                yield os.path.join(root, name)
        yield from self._member_roots()

    def _member_roots(self) -> list[str]:
        """Roots of a monorepo's members: directories with a project file of their own, and their ``src``."""
        if self._members is None:
            self._members = []
            level = [self._root]
            for _ in range(_MEMBER_DEPTH):
                level = [child for parent in level for child in self._subdirectories(parent)]
                for directory in level:
                    if any(self._is_file(os.path.join(directory, name)) for name in _PROJECT_FILES):
                        if self._is_directory(os.path.join(directory, "src")):
                            self._members.append(os.path.join(directory, "src"))
                        self._members.append(directory)
        return self._members

    def _subdirectories(self, directory: str) -> list[str]:
        return sorted(
            path
            for name, is_directory in self._listings.entries(directory).items()
            if is_directory
            and name not in SKIPPED
            and not name.startswith(".")
            and not os.path.islink(path := os.path.join(directory, name))
            and "pyvenv.cfg" not in self._listings.entries(path)
        )
