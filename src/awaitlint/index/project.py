"""The linked project: which file a module name means, from where it is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.index.facts import ModuleFacts, Scope, ScopeKind
from awaitlint.index.special import TYPING_MODULES, name_special_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from awaitlint.files.source import SourceStore
    from awaitlint.index.stdlib import StandardLibrary

#: directories that hold no sources of the project
_SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env", "__pycache__"})
#: conventional source roots below a project's root
_CONVENTIONAL = ("src", "lib", "python", "backend", "server", "source")
#: how deep below the root a monorepo's members are looked for
_MEMBER_DEPTH = 3
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


class Module:
    """A module: its facts and where they come from.  Compared by identity."""

    __slots__ = ("directory", "facts", "is_package", "is_stub", "memo", "name", "path")

    def __init__(
        self, name: str, path: Path | None, facts: ModuleFacts, *, is_package: bool, is_stub: bool
    ) -> None:
        #: dotted name, for messages and for known names
        self.name = name
        #: None for a module of the standard library
        self.path = path
        self.facts = facts
        self.is_package = is_package
        #: known from a stub (a ``.pyi`` file or the standard-library table): bodies say nothing
        self.is_stub = is_stub
        #: the directory that relative imports start from; None for the standard library
        self.directory: str | None = None if path is None else str(path.parent)
        #: node -> inferred value; belongs to inference
        self.memo: dict[int, object] = {}

    def __repr__(self) -> str:
        return f"Module({self.name})"

    @property
    def is_stdlib(self) -> bool:
        return self.path is None


def _modified(directory: str) -> int:
    """When entries of a directory last came or went, in nanoseconds; 0 where there is no such directory."""
    try:
        return os.stat(directory).st_mtime_ns
    except (OSError, ValueError):
        return 0


def empty_facts() -> ModuleFacts:
    """The facts of a namespace package."""
    return ModuleFacts(
        nodes=[], scopes=[Scope(kind=ScopeKind.MODULE, name="", qualname="", parent=-1)], sites=[]
    )


class Project:
    """The modules that can be reached from a project's files.

    Args:
        root: The project's root directory.
        extra_roots: Further source roots from configuration, absolute.
        store: Answers what exists.
        stdlib: The standard library of the target version.
        load: The facts of a file, or None where it cannot be read or parsed.
    """

    def __init__(
        self,
        root: Path,
        extra_roots: Sequence[Path],
        store: SourceStore,
        stdlib: StandardLibrary,
        load: Callable[[Path], ModuleFacts | None],
    ) -> None:
        self.root = root
        self.store = store
        self.stdlib = stdlib
        self._load = load
        self._extra_roots = [str(path) for path in extra_roots]
        self._modules: dict[str, Module | None] = {}
        self._stdlib_modules: dict[str, Module | None] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._roots: dict[str, tuple[str, ...]] = {}
        self._absolute: dict[tuple[tuple[str, ...], str], Module | None] = {}
        self._listings: dict[str, dict[str, bool]] = {}
        #: directory in which something was looked up -> when it last changed
        self._directories: dict[str, int] = {}
        self._members: list[str] | None = None

    # ------------------------------------------------------------------ modules by path
    def module_at(self, path: Path) -> Module | None:
        """The module of a file, or None where it cannot be read or parsed."""
        key = str(path)
        if key in self._modules:
            return self._modules[key]
        facts = self._load(path)
        module = None
        if facts is not None:
            module = Module(
                self._name_of(key),
                path,
                facts,
                is_package=path.stem == "__init__",
                is_stub=path.suffix == ".pyi",
            )
        self._modules[key] = module
        return module

    def _name_of(self, path: str) -> str:
        parts = [os.path.splitext(os.path.basename(path))[0]]
        directory = os.path.dirname(path)
        while (
            self._is_file(os.path.join(directory, "__init__.py")) and os.path.dirname(directory) != directory
        ):
            parts.append(os.path.basename(directory))
            directory = os.path.dirname(directory)
        if parts[0] == "__init__":
            parts = parts[1:] or parts
        return ".".join(reversed(parts))

    def _namespace(self, directory: str, name: str) -> Module:
        key = directory + os.sep
        module = self._modules.get(key)
        if module is None:
            path = Path(directory) / "__init__.py"
            module = self._modules[key] = Module(name, path, empty_facts(), is_package=True, is_stub=False)
        return module

    # ------------------------------------------------------------------ imports
    def resolve(self, importer: Module, name: str, level: int) -> Module | None:
        """The module that ``import name`` or ``from ..name import`` means in `importer`, or None."""
        if importer.is_stdlib:
            return self._from_stdlib(importer, name, level)
        assert importer.directory is not None
        if level:
            directory = importer.directory
            for _ in range(level - 1):
                directory = os.path.dirname(directory)
            if not name:
                return self._directory_module(directory)
            return self._find([directory], name)
        top = name.partition(".")[0]
        if self.stdlib.has(top):
            return self.stdlib_module(name)
        return self._find(self.roots(importer.directory), name, importer)

    def submodule(self, package: Module, name: str) -> Module | None:
        """The module ``package.name``, where there is such a file."""
        if not package.is_package:
            return None
        if package.is_stdlib:
            return self.stdlib_module(f"{package.name}.{name}")
        assert package.directory is not None
        return self._find([package.directory], name)

    def stdlib_module(self, name: str) -> Module | None:
        if name in self._stdlib_modules:
            return self._stdlib_modules[name]
        facts = self.stdlib.module(name)
        module = None
        if facts is not None:
            if name in TYPING_MODULES:
                facts = name_special_forms(facts)
            module = Module(name, None, facts, is_package=self.stdlib.is_package(name), is_stub=True)
        self._stdlib_modules[name] = module
        return module

    def _from_stdlib(self, importer: Module, name: str, level: int) -> Module | None:
        if level:
            parts = importer.name.split(".")
            keep = len(parts) - level + (1 if importer.is_package else 0)
            name = ".".join(filter(None, [*parts[:keep], name]))
        return self.stdlib_module(name)

    # ------------------------------------------------------------------ files
    def _find(self, roots: Sequence[str], name: str, importer: Module | None = None) -> Module | None:
        key = (tuple(roots), name)
        if key in self._absolute:
            return self._absolute[key]
        found: Module | None = None
        for root in roots:
            path = self._locate(root, name)
            if path is None or (importer is not None and str(importer.path) == path):
                continue
            found = (
                self._namespace(path, name)
                if not path.endswith((".py", ".pyi"))
                else self.module_at(Path(path))
            )
            if found is not None:
                break
        if importer is None or found is None or found is not importer:
            self._absolute[key] = found
        return found

    def _directory_module(self, directory: str) -> Module | None:
        for init in ("__init__.py", "__init__.pyi"):
            path = os.path.join(directory, init)
            if self._is_file(path):
                return self.module_at(Path(path))
        return self._namespace(directory, os.path.basename(directory))

    def _locate(self, root: str, name: str) -> str | None:
        """The file (or namespace directory) of a dotted name below a root."""
        directory = root
        *packages, last = name.split(".")
        if not all(part.isidentifier() for part in (*packages, last)):
            return None
        for package in packages:
            directory = os.path.join(directory, package)
            if not self._is_directory(directory):
                return None
        base = os.path.join(directory, last)
        if self._is_directory(base):
            for init in ("__init__.py", "__init__.pyi"):
                path = os.path.join(base, init)
                if self._is_file(path):
                    return path
        for suffix in (".py", ".pyi"):
            if self._is_file(base + suffix):
                return base + suffix
        if self._is_directory(base) and self._holds_python(base):
            return base
        return None

    def _is_file(self, path: str) -> bool:
        directory, _, name = path.rpartition(os.sep)
        return self._entries(directory).get(name) is False or (
            bool(self.store.overlays) and self.store.exists(Path(path)) and not self.store.is_dir(Path(path))
        )

    def _is_directory(self, path: str) -> bool:
        directory, _, name = path.rpartition(os.sep)
        return self._entries(directory).get(name) is True or (
            bool(self.store.overlays) and self.store.is_dir(Path(path))
        )

    def _entries(self, directory: str) -> dict[str, bool]:
        """The names in a directory, and whether each is a directory; read once."""
        found = self._listings.get(directory)
        if found is None:
            self._directories[directory] = _modified(directory)
            try:
                with os.scandir(directory or os.sep) as entries:
                    found = {entry.name: entry.is_dir() for entry in entries}
            except OSError:
                found = {}
            self._listings[directory] = found
        return found

    def has_moved(self) -> bool:
        """Whether files may have come or gone where names were looked up."""
        return any(_modified(directory) != known for directory, known in self._directories.items())

    def _holds_python(self, directory: str) -> bool:
        """Whether a directory without ``__init__`` can be a namespace package of the project."""
        return any(
            name.endswith((".py", ".pyi")) or (is_directory and name not in _SKIPPED)
            for name, is_directory in self._entries(directory).items()
        )

    # ------------------------------------------------------------------ source roots
    def roots(self, directory: str) -> tuple[str, ...]:
        """The source roots that absolute imports of a file in `directory` are looked up in, in order."""
        found = self._roots.get(directory)
        if found is None:
            found = self._roots[directory] = tuple(dict.fromkeys(self._candidate_roots(directory)))
        return found

    def _candidate_roots(self, directory: str) -> Iterator[str]:
        root = str(self.root)
        while (
            self._is_file(os.path.join(directory, "__init__.py")) and os.path.dirname(directory) != directory
        ):
            directory = os.path.dirname(directory)
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
            level = [str(self.root)]
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
            for name, is_directory in self._entries(directory).items()
            if is_directory
            and name not in _SKIPPED
            and not name.startswith(".")
            and not os.path.islink(path := os.path.join(directory, name))
            and "pyvenv.cfg" not in self._entries(path)
        )
