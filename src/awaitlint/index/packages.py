"""What awaitlint knows of third-party packages, read from a table that `scripts/generate_packages.py` makes.

The table holds the facts of some hundreds of released distributions, so that a hook without any of them
installed still knows what ``httpx.AsyncClient().get(...)`` returns.  Modules of one top-level package stand
together in chunks of some ten kilobytes, which are read when one of their modules is asked for.

`awaitlint.index.table` describes the container.  `Header.packages` places the index of each top-level
package: msgpack, an array of `Chunk`.  A chunk is a run of modules, each as msgpack, `Record`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from awaitlint.index.facts import (
    Class,
    Const,
    Func,
    Import,
    ModuleFacts,
    Node,
    ParamFact,
    Scope,
    ScopeKind,
    Unknown,
)
from awaitlint.index.table import Layout, Table

#: Raise its number whenever the layout changes.
LAYOUT = Layout(b"AWLPKG\r\n", 1, "package facts", "packages")
#: The table that comes with awaitlint.
TABLE = Path(__file__).parent / "data" / "packages.bin"
#: Nodes that every module begins with.
FIRST_NODES: tuple[Node, ...] = (Unknown(), Const(None), Const(True), Const(False))
#: (owner, value) of a patched attribute, both unknown
_ANYTHING = ((0, 0),)
#: How many decompressed chunks are kept for the modules that are asked for next.
_RECENT = 16


class Entry(NamedTuple):
    """Where a module stands: in which chunk (offset and length in the body), and where in that."""

    chunk: tuple[int, int]
    offset: int
    length: int
    is_package: bool
    is_stub: bool


class Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run of modules; the tuples say something of each."""

    #: of the chunk's stream in the body
    offset: int
    length: int
    #: dotted names, less the name of the top-level package that they begin with
    names: tuple[str, ...]
    #: bytes of the decompressed chunk
    sizes: tuple[int, ...]
    #: `IS_PACKAGE`, `IS_STUB_FILE`
    flags: tuple[int, ...]


IS_PACKAGE = 1
#: from a ``.pyi`` file
IS_STUB_FILE = 2


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What the table was made from, and where its indexes stand."""

    schema: int
    #: bytes in the body
    size: int
    #: name of a distribution → its version
    distributions: dict[str, str]
    #: name of a top-level package → offset and length of its index in the body
    packages: dict[str, tuple[int, int]]


class Definition(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A `Scope` as the table holds it; trailing fields that say nothing are left out.

    `flags` are the scope's kind and the bits below.  What can be worked out is not stored: the qualified
    name, and the binding of a function or class to its own name in the scope around it.
    """

    flags: int
    name: str
    parent: int
    params: tuple[ParamFact, ...] = ()
    returns: int = -1
    returned: tuple[int, ...] = ()
    decorators: tuple[int, ...] = ()
    bases: tuple[int, ...] = ()
    bindings: dict[str, tuple[int, ...]] = {}
    attributes: dict[str, tuple[int, ...]] = {}
    yielded: tuple[int, ...] = ()
    keywords: tuple[tuple[str, int], ...] = ()
    type_params: tuple[str, ...] = ()


KIND = 3
IS_ASYNC = 4
IS_GENERATOR = 8
FALLS_THROUGH = 16
IS_STUB = 32
#: bound to its own name in the scope around it, by a node behind `Record.nodes`
IS_BOUND = 64


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A module's facts as the table holds them.

    Nodes are numbered in this order: those that every module begins with, `nodes`, one for each name of
    `imports`, one for each bound definition.
    """

    nodes: list[Node]
    scopes: tuple[Definition, ...]
    #: (module, level, names): names of the module that are imported as they are called there; without
    #: names, the import of the module itself
    imports: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    stars: tuple[tuple[str, int], ...] = ()
    #: None also where these are all public names
    exports: tuple[str, ...] | None = None
    #: names of attributes that are assigned from outside of their class; of what and what is not said
    patched: tuple[str, ...] = ()

    def facts(self) -> ModuleFacts:
        """The module's facts, which the caller owns.

        Raises:
            ValueError: A scope does not stand behind the one around it.
        """
        nodes = [*FIRST_NODES, *self.nodes]
        imported: dict[str, tuple[int, ...]] = {}
        for module, level, names in self.imports:
            for name in names or ("",):
                imported[name or module] = (len(nodes),)
                nodes.append(Import(module, level, name))
        scopes: list[Scope] = []
        for number, found in enumerate(self.scopes):
            flags, name, parent = found.flags, found.name, found.parent
            kind = ScopeKind(flags & KIND)
            qualname = name
            if number:
                if not 0 <= parent < number:
                    raise ValueError(f"scope {number} stands in scope {parent}")
                around = scopes[parent]
                if around.qualname:
                    qualname = f"{around.qualname}.{name}"
                if flags & IS_BOUND:
                    bindings = around.bindings
                    bindings[name] = (*bindings.get(name, ()), len(nodes))
                    nodes.append(Class(number) if kind is ScopeKind.CLASS else Func(number))
            scopes.append(
                Scope(
                    kind=kind,
                    name=name,
                    qualname=qualname,
                    parent=parent,
                    is_async=bool(flags & IS_ASYNC),
                    is_generator=bool(flags & IS_GENERATOR),
                    decorators=found.decorators,
                    params=found.params,
                    returns=found.returns,
                    returned=found.returned,
                    yielded=found.yielded,
                    falls_through=bool(flags & FALLS_THROUGH),
                    is_stub=bool(flags & IS_STUB),
                    bases=found.bases,
                    keywords=found.keywords,
                    bindings={**found.bindings, **imported} if not number else dict(found.bindings),
                    attributes=found.attributes,
                    type_params=found.type_params,
                )
            )
        return ModuleFacts(
            nodes=nodes,
            scopes=scopes,
            sites=[],
            stars=self.stars,
            exports=self.exports,
            patched=dict.fromkeys(self.patched, _ANYTHING),
        )


_INDEX = msgspec.msgpack.Decoder(tuple[Chunk, ...])
_RECORD = msgspec.msgpack.Decoder(Record)


class TableFile(Table[Header]):
    """The packages' table on disk.

    Raises:
        TableError: from the constructor and every method, when the file is not what it should be.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, LAYOUT, Header)
        #: offset and length of a chunk -> its decompressed bytes, the last that was read at the end
        self._recent: dict[tuple[int, int], bytes] = {}

    def chunks(self, package: str) -> tuple[Chunk, ...]:
        """The chunks of a top-level package of the header."""
        data = self.read(*self.header.packages[package])
        chunks = self.decode(data, _INDEX, f"a damaged index of {package}")
        if any(not len(chunk.names) == len(chunk.sizes) == len(chunk.flags) for chunk in chunks):
            raise self.error(f"has a damaged index of {package}: names and sizes do not match")
        return chunks

    def index(self, package: str) -> dict[str, Entry]:
        """The modules of a top-level package of the header, by dotted name."""
        found = {}
        for chunk in self.chunks(package):
            offset = 0
            for name, size, flags in zip(chunk.names, chunk.sizes, chunk.flags, strict=True):
                is_package, is_stub = bool(flags & IS_PACKAGE), bool(flags & IS_STUB_FILE)
                found[package + name] = Entry((chunk.offset, chunk.length), offset, size, is_package, is_stub)
                offset += size
        return found

    def data(self, entry: Entry) -> bytes:
        """A module of an index, as msgpack."""
        chunk = self._recent.get(entry.chunk)
        if chunk is None:
            chunk = self._recent[entry.chunk] = self.read(*entry.chunk)
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
        return chunk[entry.offset : entry.offset + entry.length]

    def facts(self, name: str, entry: Entry) -> ModuleFacts:
        """The facts of a module, which the caller owns."""
        try:
            return self.decode(self.data(entry), _RECORD, f"damaged facts for {name}").facts()
        except ValueError as error:
            raise self.error(f"has damaged facts for {name}: {error}") from error


class PackageLibrary:
    """The facts of third-party packages that come with awaitlint.

    Args:
        table: The file to read.

    Raises:
        TableError: The table cannot be used; also from the methods, where the damage shows later.
    """

    def __init__(self, table: Path = TABLE) -> None:
        self._file = TableFile(table)
        #: name of each distribution → the version that is known
        self.versions = self._file.header.distributions
        #: names of the top-level packages and modules
        self.top_level = frozenset(self._file.header.packages)
        self._indexes: dict[str, dict[str, Entry]] = {}
        self._modules: dict[str, ModuleFacts] = {}

    def _entry(self, name: str) -> Entry | None:
        package = name.partition(".")[0]
        index = self._indexes.get(package)
        if index is None:
            if package not in self.top_level:
                return None
            index = self._indexes[package] = self._file.index(package)
        return index.get(name)

    def has(self, name: str) -> bool:
        """Whether there is a module of this dotted name."""
        return self._entry(name) is not None

    def is_package(self, name: str) -> bool:
        entry = self._entry(name)
        return entry is not None and entry.is_package

    def is_stub(self, name: str) -> bool:
        """Whether a module is known from a ``.pyi`` file, whose bodies say nothing."""
        entry = self._entry(name)
        return entry is not None and entry.is_stub

    def module(self, name: str) -> ModuleFacts | None:
        """The facts of a module by its dotted name, or None where the table has no such module.

        Facts are shared between callers and must not be changed.  Of what `lower` finds they leave out the
        sites, misplaced constructs, line and column numbers (0), `imports`, `packages`, the value of
        ``__all__`` (`exports` has it), what no public name leads to, bodies of functions whose return
        annotation decides, default values but None, and what is merely data.  A string may stand as an
        instance of ``str``.
        """
        facts = self._modules.get(name)
        if facts is None:
            entry = self._entry(name)
            if entry is None:
                return None
            facts = self._modules[name] = self._file.facts(name, entry)
        return facts


@lru_cache
def package_library() -> PackageLibrary:
    """The bundled packages; one instance per process."""
    return PackageLibrary()
