"""How records name files: so that they mean the same in another checkout, and on another machine."""

from __future__ import annotations

import os

#: what the names of files in the environment begin with, and those of modules that awaitlint brings along
_ENVIRONMENT, _BUNDLED = "<env>/", "<bundled>/"


class Names:
    """Names of a project's files: relative to its root, and to its environment where that lies elsewhere.

    Args:
        root: The project's root directory.
        prefix: The directory of its environment; "" where it has none.
    """

    def __init__(self, root: str, prefix: str = "") -> None:
        self._root = os.path.join(root, "")
        self._prefix = os.path.join(prefix, "") if prefix and not prefix.startswith(self._root) else ""

    def key(self, path: str) -> str:
        """The name of an absolute path."""
        if path.startswith(self._root):
            key = path[len(self._root) :]
        elif self._prefix and path.startswith(self._prefix):
            key = _ENVIRONMENT + path[len(self._prefix) :]
        else:
            try:
                key = os.path.relpath(path, self._root)
            except ValueError:  # on another drive
                key = path
        return key if os.sep == "/" else key.replace(os.sep, "/")

    def path(self, key: str) -> str:
        """The absolute path that a name stands for."""
        if key.startswith(_ENVIRONMENT):
            return self._prefix + key[len(_ENVIRONMENT) :]
        if key.startswith("..") or os.path.isabs(key):
            return os.path.normpath(os.path.join(self._root, key))
        return self._root + (key if os.sep == "/" else key.replace("/", os.sep))

    @staticmethod
    def bundled(name: str) -> str:
        """The name of a module that awaitlint brings along."""
        return _BUNDLED + name

    @staticmethod
    def module_of(key: str) -> str:
        """The dotted name of such a module."""
        return key.removeprefix(_BUNDLED)
