"""The linked project: which file a module name means, from where it is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from awaitlint.files.listings import Listings
from awaitlint.files.roots import package_root
from awaitlint.index.levels import FILE, SUBMODULE
from awaitlint.index.modules import Module, Origin, new_namespace
from awaitlint.index.source_roots import SKIPPED, SourceRoots
from awaitlint.index.special import TYPING_MODULES, name_special_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from awaitlint.files.inputs import Notes
    from awaitlint.files.source import SourceStore
    from awaitlint.index.facts import ModuleFacts


class Library(Protocol):
    """Modules whose facts come with awaitlint: the standard library, or packages."""

    def has(self, name: str) -> bool:
        """Whether there is a module of this dotted name."""

    def is_package(self, name: str) -> bool: ...

    def is_stub(self, name: str) -> bool:
        """Whether a module is known from a stub: bodies say nothing."""

    def module(self, name: str) -> ModuleFacts | None:
        """The facts of a module, shared between callers."""


class Environment(Protocol):
    """The distributions that are installed for a project, read as files."""

    @property
    def listings(self) -> Listings:
        """The directories in which names were looked up."""

    @property
    def notes(self) -> Notes:
        """What was looked at besides."""

    def has(self, name: str) -> bool:
        """Whether a top-level package or module of this name is installed."""

    def locate(self, name: str) -> str | None:
        """The file of a module by its dotted name: ``.py``, ``.pyi`` or, for a namespace, a directory."""

    def name_of(self, path: str) -> str | None:
        """The dotted name of a file that lies in the environment itself; None for any other file."""


def _is_module_path(directory: str, top: str) -> bool:
    """Whether the directories below `top` can be the names of packages."""
    return all(part.isidentifier() for part in directory[len(top) :].split(os.sep) if part)


def _says_nothing(module: Module) -> bool:
    return module.is_package and module.is_empty


class Project:
    """The modules that can be reached from a project's files.

    Args:
        root: The project's root directory.
        extra_roots: Further source roots from configuration, absolute.
        store: Answers what exists.
        stdlib: The standard library of the target version.
        load: The facts of a file, or None where it cannot be read or parsed.
        packages: What comes with awaitlint about third-party packages.
        knows: Whether that holds for the versions of a top-level package that the project admits.
        environment: What is installed for the project; it goes before `packages`.
    """

    def __init__(
        self,
        root: Path,
        extra_roots: Sequence[Path],
        store: SourceStore,
        stdlib: Library,
        load: Callable[[Path], ModuleFacts | None],
        *,
        packages: Library | None = None,
        environment: Environment | None = None,
        knows: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.root = root
        self.store = store
        self.stdlib = stdlib
        self.packages = packages
        self.environment = environment
        self._knows = knows
        self._load = load
        self._extra_roots = [str(path) for path in extra_roots]
        self._modules: dict[str, Module | None] = {}
        #: modules whose facts come with awaitlint, and those that are installed
        self._library_modules: dict[tuple[Origin, str], Module | None] = {}
        self._installed: dict[str, Module | None] = {}
        #: installed files that were meant by somebody, and cannot be read or parsed
        self.unreadable_installed: set[str] = set()
        #: what a name means below some roots, and the files that were passed over since they cannot be read
        self._absolute: dict[tuple[tuple[str, ...], str], tuple[Module | None, tuple[str, ...]]] = {}
        #: the directories in which names were looked up
        self.listings = Listings()
        self._own = tuple(os.path.join(each, "") for each in (str(root), *self._extra_roots))
        self._roots = SourceRoots(root, self._extra_roots, self.listings, self._is_file, self._is_directory)

    # ------------------------------------------------------------------ modules by path
    def module_at(self, path: Path) -> Module | None:
        """The module of a file, or None where it cannot be read or parsed."""
        return self.module_of(str(path))

    def module_of(self, key: str, name: str = "") -> Module | None:
        """The module of a file; `name` is what it was imported by, where it was found as installed."""
        if key in self._modules:
            return self._modules[key]
        path = Path(key)
        facts = self._load(path)
        module = None
        if facts is not None:
            name, origin = self._identity(key, name)
            module = Module(
                name,
                path,
                facts,
                is_package=path.stem == "__init__",
                is_stub=path.suffix == ".pyi",
                origin=origin,
            )
        self._modules[key] = module
        return module

    def _identity(self, path: str, name: str) -> tuple[str, Origin]:
        """The dotted name of a file and where it comes from, whoever asks for it first.

        What is installed in place, such as the project itself, is the project's.
        """
        installed = self.environment.name_of(path) if self.environment is not None else None
        if installed is not None:
            return installed, Origin.ENVIRONMENT
        if name and not path.startswith(self._own):
            return name, Origin.ENVIRONMENT
        return self._name_of(path), Origin.PROJECT

    def _name_of(self, path: str) -> str:
        parts = [os.path.splitext(os.path.basename(path))[0]]
        directory = os.path.dirname(path)
        top = package_root(directory, self._is_file)
        if not self._is_file(os.path.join(directory, "__init__.py")) and not _is_module_path(directory, top):
            top = directory
        while directory != top:
            parts.append(os.path.basename(directory))
            directory = os.path.dirname(directory)
        if parts[0] == "__init__":
            parts = parts[1:] or parts
        return ".".join(reversed(parts))

    def forget_bodies(self, path: Path) -> None:
        """Forget what was inferred inside of a file's functions, where somebody asked for the file."""
        module = self._modules.get(str(path))
        if module is not None:
            module.forget_bodies()

    def modules(self) -> Iterator[Module]:
        """The modules that were asked for, in no order."""
        seen = set()
        for known in (self._modules, self._library_modules, self._installed):
            for module in known.values():
                if module is not None and module not in seen:
                    seen.add(module)
                    yield module

    def all_listings(self) -> Iterator[Listings]:
        """The directories in which names were looked up, in the project and in its environment."""
        yield self.listings
        if self.environment is not None:
            yield self.environment.listings

    def bundled(self, name: str) -> Module | None:
        """What awaitlint knows about a module of a third-party package."""
        return self._library_module(name, Origin.BUNDLED)

    def namespace_at(self, directory: str) -> Module:
        """The namespace package that a directory is."""
        return self._namespace(directory, os.path.basename(directory))

    def _namespace(self, directory: str, name: str) -> Module:
        key = directory + os.sep
        module = self._modules.get(key)
        if module is None:
            module = self._modules[key] = new_namespace(directory, name, Origin.PROJECT)
        return module

    # ------------------------------------------------------------------ imports
    def resolve(self, importer: Module, name: str, level: int) -> Module | None:
        """The module that ``import name`` or ``from ..name import`` means in `importer`, or None."""
        key = (name, level)
        if key not in importer.uses:
            importer.uses[key] = self._resolve(importer, name, level)
        return importer.uses[key]

    def _resolve(self, importer: Module, name: str, level: int) -> Module | None:
        if importer.origin is not Origin.PROJECT:
            return self._from_library(importer, name, level)
        assert importer.directory is not None
        if level:
            directory = importer.directory
            for _ in range(level - 1):
                directory = os.path.dirname(directory)
            if not name:
                return self._directory_module(directory, importer)
            return self._find([directory], name, importer, itself=True)
        if self.stdlib.has(name.partition(".")[0]):
            return self.stdlib_module(name)
        found = self._find(self._roots.of(importer.directory), name, importer)
        if found is None or _says_nothing(found):
            # a regular package goes before a namespace package, wherever it is
            installed = self.installed(name)
            return found if installed is None or (found and _says_nothing(installed)) else installed
        return found

    def submodule(self, package: Module, name: str) -> Module | None:
        """The module ``package.name``, where there is such a file."""
        if not package.is_package:
            return None
        key = (name, SUBMODULE)
        if key not in package.uses:
            package.uses[key] = self._submodule(package, name)
        return package.uses[key]

    def _submodule(self, package: Module, name: str) -> Module | None:
        if package.origin is not Origin.PROJECT:
            return self._absolute_in(package, f"{package.name}.{name}")
        assert package.directory is not None
        return self._find([package.directory], name, package, itself=True)

    def file_for(self, module: Module, path: Path) -> Module | None:
        """The module of a file that matters to `module` although that does not import it, or None."""
        key = (os.path.relpath(path, module.directory), FILE)
        if key not in module.uses:
            found = module.uses[key] = self.module_at(path) if self._is_file(str(path)) else None
            if found is None and self._is_file(str(path)):
                module.unreadable.add(str(path))
        return module.uses[key]

    def stdlib_module(self, name: str) -> Module | None:
        """The module of the standard library, by its dotted name."""
        return self._library_module(name, Origin.STDLIB)

    def installed(self, name: str) -> Module | None:
        """The module of a third-party package: as installed for the project, else as awaitlint knows it."""
        if name in self._installed:
            return self._installed[name]
        module = None
        if self.environment is not None and self.environment.has(name.partition(".")[0]):
            path = self.environment.locate(name)
            if path is not None and path.endswith((".py", ".pyi")):
                module = self.module_of(path, name)
                if module is None:
                    self.unreadable_installed.add(path)
            elif path is not None:
                module = new_namespace(path, name, Origin.ENVIRONMENT)
        elif self.packages is not None and self._knows(name.partition(".")[0]):
            module = self._library_module(name, Origin.BUNDLED)
        self._installed[name] = module
        return module

    def _library_module(self, name: str, origin: Origin) -> Module | None:
        key = (origin, name)
        if key in self._library_modules:
            return self._library_modules[key]
        library = self.stdlib if origin is Origin.STDLIB else self.packages
        facts = library.module(name) if library is not None else None
        module = None
        if library is not None and facts is not None:
            if origin is Origin.STDLIB and name in TYPING_MODULES:
                facts = name_special_forms(facts)
            module = Module(
                name,
                None,
                facts,
                is_package=library.is_package(name),
                is_stub=library.is_stub(name),
                origin=origin,
            )
        self._library_modules[key] = module
        return module

    def _from_library(self, importer: Module, name: str, level: int) -> Module | None:
        if level:
            parts = importer.name.split(".")
            keep = len(parts) - level + (1 if importer.is_package else 0)
            return self._absolute_in(importer, ".".join(filter(None, [*parts[:keep], name])))
        if importer.is_stdlib or self.stdlib.has(name.partition(".")[0]):
            return self.stdlib_module(name)
        return self.installed(name)

    def _absolute_in(self, neighbour: Module, name: str) -> Module | None:
        """A module of the package that another one outside the project belongs to."""
        return self.stdlib_module(name) if neighbour.is_stdlib else self.installed(name)

    # ------------------------------------------------------------------ files
    def _find(
        self, roots: Sequence[str], name: str, importer: Module, *, itself: bool = False
    ) -> Module | None:
        """The module of a dotted name below the first root that has it; `importer` only if `itself`."""
        key = (tuple(roots), name)
        if key in self._absolute:
            known, passed = self._absolute[key]
            if itself or known is not importer:
                importer.unreadable.update(passed)
                return known
        found: Module | None = None
        unreadable: list[str] = []
        passed_over = False
        for root in roots:
            path = self._locate(root, name)
            if path is None:
                continue
            if not itself and str(importer.path) == path:
                # true of this importer only: others do mean it
                passed_over = True
                continue
            found = (
                self._namespace(path, name)
                if not path.endswith((".py", ".pyi"))
                else self.module_at(Path(path))
            )
            if found is not None:
                break
            unreadable.append(path)
        if not passed_over:
            self._absolute[key] = found, tuple(unreadable)
        importer.unreadable.update(unreadable)
        return found

    def _directory_module(self, directory: str, importer: Module) -> Module | None:
        for init in ("__init__.py", "__init__.pyi"):
            path = os.path.join(directory, init)
            if self._is_file(path):
                found = self.module_at(Path(path))
                if found is None:
                    importer.unreadable.add(path)
                return found
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
        return self.listings.is_file(path) or (
            bool(self.store.overlays) and self.store.exists(Path(path)) and not self.store.is_dir(Path(path))
        )

    def _is_directory(self, path: str) -> bool:
        return self.listings.is_directory(path) or (
            bool(self.store.overlays) and self.store.is_dir(Path(path))
        )

    def has_moved(self) -> bool:
        """Whether files of the project may have come or gone where names were looked up."""
        return self.listings.have_changed()

    def _holds_python(self, directory: str) -> bool:
        """Whether a directory without ``__init__`` can be a namespace package of the project."""
        return any(
            name.endswith((".py", ".pyi")) or (is_directory and name not in SKIPPED)
            for name, is_directory in self.listings.entries(directory).items()
        )
