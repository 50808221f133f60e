"""The packages that are installed for a project: which file a dotted name means, by Python's rules.

Names are looked up as PEP 561 orders them: stub packages (``redis-stubs``) wherever they are installed, and
then each directory of the search path, where a ``.pyi`` file goes before the ``.py`` beside it.  A stub
package answers for all modules of its package, unless its ``py.typed`` says ``partial`` or the package is a
namespace.  A package goes before a module of the same name, and a compiled module before later directories:
nothing is known about it then.  Directories without ``__init__`` are portions of one namespace package.

Directories are listed when a name is looked up in them; no file is opened but those that say where to look.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.files.inputs import Notes, note_file, noting
from awaitlint.files.listings import Listings
from awaitlint.files.source import read_regular
from awaitlint.index.search_path import SearchPath, editable_projects, search_path, signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from awaitlint.files.environments import Location

#: a directory with more entries is looked at by nobody
_MOST_ENTRIES = 100_000
#: names with more parts mean nothing; they are looked up by recursion
_MOST_PARTS = 100
_STUBS = "-stubs"
_COMPILED = (".so", ".pyd", ".pyc")
_INIT = ("__init__.pyi", "__init__.py")


class _Found(NamedTuple):
    """What a dotted name means: its file, and where its submodules are.

    A namespace package has directories and no file, as has a package whose ``__init__`` is compiled, which
    differs in that it `is_regular`.  A compiled module has neither.
    """

    file: str | None
    directories: tuple[str, ...] = ()
    is_regular: bool = True


class InstalledPackages:
    """The packages of an environment; satisfies `awaitlint.index.project.Environment`.

    Neither what is in the directories nor what is missing from them makes a method fail.

    Args:
        location: Where they are.
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        self.listings = Listings(_MOST_ENTRIES)
        #: what was looked at besides: it holds for all projects that share the environment
        self.notes = Notes()
        self._found: dict[str, _Found | None] = {}
        self._stubs: dict[str, _Found | None] = {}
        self._compiled: dict[str, frozenset[str]] = {}
        self._sites = tuple(os.path.join(site, "") for site in location.sites)

    def has(self, name: str) -> bool:
        """Whether a top-level package or module of this name is installed."""
        return self._runtime(name) is not None or self._stub(name) is not None

    def locate(self, name: str) -> str | None:
        """The file of a module by its dotted name: ``.py``, ``.pyi`` or, for a namespace, a directory.

        None where there is no such module, or a compiled one without a stub.
        """
        parts = name.split(".")
        if len(parts) > _MOST_PARTS or not all(part.isidentifier() for part in parts):
            return None
        stub = self._stub(name)
        if stub is not None and stub.file is not None:
            return stub.file
        if stub is None and self._is_complete(name):
            return None
        found = self._runtime(name) or stub
        if found is None:
            return None
        if found.file is None and found.directories and not found.is_regular:
            return found.directories[0]
        return found.file

    def holds(self, path: str) -> bool:
        """Whether a file lies in the environment itself, and not where something is installed in place."""
        return path.startswith(self._sites)

    def name_of(self, path: str) -> str | None:
        """The dotted name of a file that lies in the environment itself; None for any other file."""
        if not self.holds(path):
            return None
        prefix = next(each for each in self._prefixes if path.startswith(each))
        parts = path[len(prefix) :].split(os.sep)
        parts[-1] = parts[-1].partition(".")[0]
        if parts[-1] == "__init__" and len(parts) > 1:
            del parts[-1]
        parts[0] = parts[0].removesuffix(_STUBS)
        return ".".join(parts)

    def has_changed(self) -> bool:
        """Whether packages may have come or gone where names were looked up."""
        return self.listings.have_changed() or any(
            signature(file) != known for file, known in self._path.files.items()
        )

    # ------------------------------------------------------------------ stub packages
    def _stub(self, name: str) -> _Found | None:
        """What a stub package has for a name."""
        if name not in self._stubs:
            parent, _, last = name.rpartition(".")
            if parent:
                package = self._stub(parent)
                found = self._in(package.directories, last) if package is not None else None
            else:
                found = self._in(self._path.directories, name, _STUBS)
            self._stubs[name] = found
        return self._stubs[name]

    def _is_complete(self, name: str) -> bool:
        """Whether a stub package says that it has all the modules that there are, `name` excepted."""
        parts = name.split(".")[:-1]
        for count in range(1, len(parts) + 1):
            package = self._stub(".".join(parts[:count]))
            if package is None:
                return False
            if package.is_regular:
                return not any(self._is_partial(directory) for directory in package.directories)
            if any(self._is_partial(directory) for directory in package.directories):
                return False
        return False

    def _is_partial(self, directory: str) -> bool:
        marker = os.path.join(directory, "py.typed")
        if not self.listings.is_file(marker):
            return False
        with noting(self.notes):
            note_file(marker)
        try:
            return b"partial" in read_regular(marker)[:1024].split()
        except OSError:
            return False

    # ------------------------------------------------------------------ packages
    def _runtime(self, name: str) -> _Found | None:
        """What Python would import."""
        if name not in self._found:
            parent, _, last = name.rpartition(".")
            if parent:
                package = self._runtime(parent)
                found = self._in(package.directories, last) if package is not None else None
            else:
                found = self._in(self._path.directories, name)
            if found is None or (not found.is_regular and name in self._path.mapping):
                found = self._editable(name) or found
            self._found[name] = found
        return self._found[name]

    def _editable(self, name: str) -> _Found | None:
        """A package or module of an editable installation that is in no directory of the path."""
        mapped = self._path.mapping.get(name)
        if mapped is not None:
            directory, _, last = mapped.rpartition(os.sep)
            return self._in((directory,), last)
        portions = self._path.namespaces.get(name)
        if portions is not None or any(key.startswith(f"{name}.") for key in self._path.mapping):
            return _Found(None, portions or (), is_regular=False)
        for directory, names in self._editable_projects if "." not in name else ():
            if name in names:
                found = self._in((os.path.join(directory, "src"), directory), name)
                if found is not None and found.is_regular:
                    return found
        return None

    def _in(self, directories: Iterable[str], name: str, suffix: str = "") -> _Found | None:
        """The package or module of a name below the first of the directories that has it."""
        portions: list[str] = []
        for directory in directories:
            entries = self.listings.entries(directory)
            if entries.get(name + suffix) is True:
                package = os.path.join(directory, name + suffix)
                inside = self.listings.entries(package)
                for init in _INIT:
                    if inside.get(init) is False:
                        return _Found(os.path.join(package, init), (package,))
                if "__init__" in self._compiled_in(package):
                    return _Found(None, (package,))
                if self._holds_modules(package):
                    portions.append(package)
            if suffix:
                continue
            for ending in (".pyi", ".py"):
                if entries.get(name + ending) is False:
                    return _Found(os.path.join(directory, name + ending))
            if name in self._compiled_in(directory):
                return _Found(None)
        return _Found(None, tuple(portions), is_regular=False) if portions else None

    def _compiled_in(self, directory: str) -> frozenset[str]:
        """Names of the modules in a directory of which there is machine code or byte code."""
        known = self._compiled.get(directory)
        if known is None:
            known = self._compiled[directory] = frozenset(
                name.partition(".")[0]
                for name, is_directory in self.listings.entries(directory).items()
                if name.endswith(_COMPILED) and not is_directory
            )
        return known

    def _holds_modules(self, directory: str) -> bool:
        """Whether a directory without ``__init__`` is more than what an uninstalled package left behind."""
        return any(
            name.isidentifier() and name != "__pycache__"
            if is_directory
            else name.endswith((".py", ".pyi", *_COMPILED))
            for name, is_directory in self.listings.entries(directory).items()
        )

    @cached_property
    def _path(self) -> SearchPath:
        with noting(self.notes):
            return search_path(self.location.sites, self.listings)

    @cached_property
    def _prefixes(self) -> Sequence[str]:
        """The directories of the path that lie in the environment, the innermost first."""
        found = [os.path.join(directory, "") for directory in self._path.directories]
        return sorted({*self._sites, *filter(self.holds, found)}, key=len, reverse=True)

    @cached_property
    def _editable_projects(self) -> Sequence[tuple[str, frozenset[str]]]:
        with noting(self.notes):
            return editable_projects(self.location.sites, self.listings)
