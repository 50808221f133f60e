"""The standard library's facts, read from a table that `scripts/generate_stdlib.py` makes from typeshed.

The table holds one record of facts for each module, which is right for the newest Python version that has
the module, and overlays for the versions in which something differs.  Each is compressed alone and read
when it is asked for, so that a run pays for the few modules that the code under check imports.

Layout (integers are little-endian)::

    8 bytes   MAGIC
    u32       CONTAINER, the version of this layout
    u32       length of the header
    u32       CRC-32 of the header
    header    msgpack, `Header`
    body      `Header.size` bytes of zlib streams; offsets count from its first byte

Each of `Header.versions` places the index of one Python version: msgpack, module name → `Entry`.  An entry
places the module's facts and their overlay: msgpack, `ModuleFacts` and `Overlay`.
"""

from __future__ import annotations

import struct
import zlib
from functools import cached_property, lru_cache
from pathlib import Path

import msgspec

from awaitlint.index.facts import SCHEMA, ModuleFacts, Scope

MAGIC = b"AWLSTD\r\n"
#: Raise this whenever the layout changes.
CONTAINER = 1
PREAMBLE = struct.Struct("<8sIII")
#: The table that comes with the package.
TABLE = Path(__file__).parent / "data" / "stdlib.bin"


class TableError(Exception):
    """The table is missing, damaged or made for another awaitlint: a fault of the installation."""


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


_FACTS = msgspec.msgpack.Decoder(ModuleFacts)
_OVERLAY = msgspec.msgpack.Decoder(Overlay)


class TableFile:
    """A table on disk.  The file is open only while something is read from it.

    Raises:
        TableError: from the constructor and every method, when the file is not what it should be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                preamble = file.read(PREAMBLE.size)
                if len(preamble) < PREAMBLE.size or not preamble.startswith(MAGIC):
                    raise self.error("is not a table of standard library facts")
                _, container, length, checksum = PREAMBLE.unpack(preamble)
                if container != CONTAINER:
                    raise self.error(f"has layout {container}, and this awaitlint reads layout {CONTAINER}")
                data = file.read(length)
                actual = file.seek(0, 2)
        except OSError as error:
            raise self.error(f"cannot be read: {error.strerror or error}") from error
        if zlib.crc32(data) != checksum:
            raise self.error("has a damaged header")
        try:
            self.header = msgspec.msgpack.decode(data, type=Header)
        except msgspec.MsgspecError as error:
            raise self.error(f"has a damaged header: {error}") from error
        self._body = PREAMBLE.size + length
        if self.header.schema != SCHEMA:
            raise self.error(
                f"holds facts of schema {self.header.schema}, and this awaitlint has schema {SCHEMA}"
            )
        if actual != self._body + self.header.size:
            raise self.error(f"has {actual} bytes instead of {self._body + self.header.size}")

    def error(self, problem: str) -> TableError:
        return TableError(
            f"internal error: {self.path} {problem}; reinstall awaitlint (in a checkout: make stdlib)"
        )

    def read(self, offset: int, length: int) -> bytes:
        """The decompressed stream at an offset of the body."""
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self._body + offset)
                return zlib.decompress(file.read(length))
        except OSError as error:
            raise self.error(f"cannot be read: {error.strerror or error}") from error
        except zlib.error as error:
            raise self.error(f"is damaged at byte {self._body + offset}: {error}") from error

    def index(self, version: VersionEntry) -> dict[str, Entry]:
        """The modules of one Python version, by dotted name."""
        data = self.read(version.offset, version.length)
        try:
            return msgspec.msgpack.decode(data, type=dict[str, Entry])
        except msgspec.MsgspecError as error:
            raise self.error(f"has a damaged index: {error}") from error

    def facts(self, name: str, entry: Entry) -> ModuleFacts:
        """The facts of a module, which the caller owns."""
        try:
            facts = _FACTS.decode(self.read(entry.offset, entry.length))
            if entry.overlay_length:
                overlay = _OVERLAY.decode(self.read(entry.overlay_offset, entry.overlay_length))
                overlay.apply(facts)
        except (msgspec.MsgspecError, IndexError) as error:
            raise self.error(f"has damaged facts for {name}: {error}") from error
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
