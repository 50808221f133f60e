"""The standard library's facts, read from a table that `scripts/generate_stdlib.py` makes from typeshed.

The table holds one record of facts for each module, which is right for the newest Python version that has
the module, and overlays for the versions in which something differs.  Each is compressed alone and read
when it is asked for, so that a run pays for the few modules that the code under check imports.

`awaitlint.index.table` describes the container.  Each of `Header.versions` places the index of one Python
version: msgpack, module name → `Entry`.  An entry places the module's facts and their overlay: msgpack,
`ModuleFacts` and `Overlay`.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

import msgspec

from awaitlint.index.facts import ModuleFacts, Scope
from awaitlint.index.table import Layout, Table

#: Raise its number whenever the layout changes.
LAYOUT = Layout(b"AWLSTD\r\n", 1, "standard library facts", "stdlib")
#: The table that comes with the package.
TABLE = Path(__file__).parent / "data" / "stdlib.bin"


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a module's facts and its overlay (length 0: none) stand, and whether the module is a package."""

    offset: int
    length: int
    overlay_offset: int
    overlay_length: int
    is_package: bool


class Overlay(msgspec.Struct, frozen=True, array_like=True):
    """What one Python version changes in a module's facts.

    The last three fields replace those of `ModuleFacts`.
    """

    #: index in `ModuleFacts.scopes` → the scope to be put there
    scopes: dict[int, Scope]
    #: index in `ModuleFacts.scopes` → name → the nodes that it is bound to; none where it is not bound
    bindings: dict[int, dict[str, tuple[int, ...]]]
    imports: tuple[str, ...]
    stars: tuple[tuple[str, int], ...]
    exports: tuple[str, ...] | None

    def apply(self, facts: ModuleFacts) -> None:
        """Change the facts in place.

        Raises:
            IndexError: The overlay belongs to other facts.
        """
        for number, scope in self.scopes.items():
            facts.scopes[number] = scope
        for number, names in self.bindings.items():
            bindings = facts.scopes[number].bindings
            bindings.update(names)
            for name, nodes in names.items():
                if not nodes:
                    del bindings[name]
        facts.imports, facts.stars, facts.exports = self.imports, self.stars, self.exports


class VersionEntry(msgspec.Struct, frozen=True, array_like=True):
    """Where the index of one Python version stands in the body."""

    version: tuple[int, int]
    offset: int
    length: int


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What the table was made from: the facts' schema, the name and version of typeshed's distribution."""

    schema: int
    source: str
    #: bytes in the body
    size: int
    #: ascending
    versions: tuple[VersionEntry, ...]


_INDEX = msgspec.msgpack.Decoder(dict[str, Entry])
_FACTS = msgspec.msgpack.Decoder(ModuleFacts)
_OVERLAY = msgspec.msgpack.Decoder(Overlay)


class TableFile(Table[Header]):
    """The standard library's table on disk.

    Raises:
        TableError: from the constructor and every method, when the file is not what it should be.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, LAYOUT, Header)

    def index(self, version: VersionEntry) -> dict[str, Entry]:
        """The modules of one Python version, by dotted name."""
        return self.decode(self.read(version.offset, version.length), _INDEX, "a damaged index")

    def facts(self, name: str, entry: Entry) -> ModuleFacts:
        """The facts of a module, which the caller owns."""
        damage = f"damaged facts for {name}"
        facts = self.decode(self.read(entry.offset, entry.length), _FACTS, damage)
        if entry.overlay_length:
            data = self.read(entry.overlay_offset, entry.overlay_length)
            try:
                self.decode(data, _OVERLAY, damage).apply(facts)
            except IndexError as error:
                raise self.error(f"has {damage}: {error}") from error
        return facts


class StandardLibrary:
    """The standard library of one Python version, as typeshed describes it.

    It also has what typeshed keeps beside the standard library: `_typeshed` and `typing_extensions`.  What
    exists on some platforms only is there, since the code under check may run on any.

    Args:
        version: Python version of the code under check; the nearest known one is taken.
        table: The file to read.

    Raises:
        TableError: The table cannot be used; also from the methods, where the damage shows later.
    """

    def __init__(self, version: tuple[int, int], table: Path = TABLE) -> None:
        self._file = TableFile(table)
        known = self._file.header.versions
        # the newest that is not newer, or else the oldest
        chosen = max((entry for entry in known if entry.version <= version), default=known[0], key=_version)
        self.version = chosen.version
        self._index = self._file.index(chosen)
        self._modules: dict[str, ModuleFacts] = {}

    def has(self, name: str) -> bool:
        """Whether there is a module of this dotted name."""
        return name in self._index

    def is_package(self, name: str) -> bool:
        entry = self._index.get(name)
        return entry is not None and entry.is_package

    def is_stub(self, name: str) -> bool:
        """Whether a module is known from a stub: all are."""
        return name in self._index

    def module(self, name: str) -> ModuleFacts | None:
        """The facts of a module by its dotted name, or None where the library has no such module.

        Facts are shared between callers and must not be changed.  Of what `lower` finds they leave out the
        sites, line and column numbers (0), the bindings within functions, and the value of ``__all__``
        (`exports` has it).  `scopes` may have definitions of other versions, which nothing refers to.
        """
        facts = self._modules.get(name)
        if facts is None:
            entry = self._index.get(name)
            if entry is None:
                return None
            facts = self._modules[name] = self._file.facts(name, entry)
        return facts

    @cached_property
    def top_level(self) -> frozenset[str]:
        """Names of the modules and packages that stand in no package."""
        return frozenset(name for name in self._index if "." not in name)


def _version(entry: VersionEntry) -> tuple[int, int]:
    return entry.version


@lru_cache
def standard_library(version: tuple[int, int]) -> StandardLibrary:
    """The standard library of a Python version; one instance per version and process."""
    return StandardLibrary(version)
