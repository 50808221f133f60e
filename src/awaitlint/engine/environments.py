"""The environments of the projects of a session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.files.environments import Location, environment_of
from awaitlint.index.environment import InstalledPackages

if TYPE_CHECKING:
    from collections.abc import Mapping


class Environments:
    """What is installed for each project; projects with one environment share what is known about it.

    Args:
        environ: The environment variables that count.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._located: dict[tuple[Path, Path | None], Location | None] = {}
        self._packages: dict[Location, InstalledPackages] = {}
        self._keepers: dict[Location, Path] = {}

    def of(self, root: Path, python: Path | None) -> InstalledPackages | None:
        """What is installed for the project at `root`."""
        key = (root, python)
        if key not in self._located:
            self._located[key] = environment_of(root, python, self._environ)
        location = self._located[key]
        if location is None:
            return None
        packages = self._packages.get(location)
        if packages is None:
            packages = self._packages[location] = InstalledPackages(location)
            around = Path(location.prefix).parent
            self._keepers[location] = around if root.is_relative_to(around) else root
        return packages

    def keeper(self, path: Path) -> Path | None:
        """The root of the project whose cache keeps the facts of an installed file; None for other files.

        It is the project that the environment lies in, or else the one that first asked for it.
        """
        name = os.fspath(path)
        for location, packages in self._packages.items():
            if packages.holds(name):
                return self._keepers[location]
        return None

    def forget_changed(self) -> bool:
        """Whether an environment has come, gone or changed; it is read anew then."""
        changed = any(
            environment_of(root, python, self._environ) != known
            for (root, python), known in self._located.items()
        ) or any(packages.has_changed() for packages in self._packages.values())
        if changed:
            self._located.clear()
            self._packages.clear()
            self._keepers.clear()
        return changed
