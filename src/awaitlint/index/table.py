"""The container of the tables that come with awaitlint: a checked header and a body of compressed streams.

Layout (integers are little-endian)::

    8 bytes   magic, which tells the kinds of tables apart
    u32       version of the table's layout
    u32       length of the header
    u32       CRC-32 of the header
    header    msgpack
    body      as many bytes as the header says, of zlib streams; offsets count from its first byte

A stream is checked by zlib's own checksum, and what it holds by msgspec's typed decoding: damage is an
error that names the file, never a wrong answer.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from awaitlint.index.facts import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

PREAMBLE = struct.Struct("<8sIII")

Content = TypeVar("Content")


class TableError(Exception):
    """A table is missing, damaged or made for another awaitlint: a fault of the installation."""


class AnyHeader(Protocol):
    """What every table's header says."""

    @property
    def schema(self) -> int:
        """The schema of the facts."""

    @property
    def size(self) -> int:
        """Bytes in the body."""


Header = TypeVar("Header", bound=AnyHeader)


class Layout(NamedTuple):
    """A kind of table.

    `container` is raised whenever the layout changes; `contents` says in words what the table holds, and
    `recipe` is the make recipe that writes it again.
    """

    magic: bytes
    container: int
    contents: str
    recipe: str


class Table(Generic[Header]):
    """A table on disk.  The file is open only while something is read from it.

    Raises:
        TableError: from the constructor and every method, when the file is not what it should be.
    """

    def __init__(self, path: Path, layout: Layout, header: type[Header]) -> None:
        self.path = path
        self._recipe = layout.recipe
        try:
            with path.open("rb") as file:
                preamble = file.read(PREAMBLE.size)
                if len(preamble) < PREAMBLE.size or not preamble.startswith(layout.magic):
                    raise self.error(f"is not a table of {layout.contents}")
                _, container, length, checksum = PREAMBLE.unpack(preamble)
                if container != layout.container:
                    raise self.error(
                        f"has layout {container}, and this awaitlint reads layout {layout.container}"
                    )
                data = file.read(length)
                actual = file.seek(0, 2)
        except OSError as error:
            raise self.error(f"cannot be read: {error.strerror or error}") from error
        if zlib.crc32(data) != checksum:
            raise self.error("has a damaged header")
        try:
            self.header = msgspec.msgpack.decode(data, type=header)
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
            f"internal error: {self.path} {problem}; reinstall awaitlint (in a checkout: make {self._recipe})"
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

    def decode(self, data: bytes, decoder: msgspec.msgpack.Decoder[Content], what: str) -> Content:
        """What a stream or a part of one holds; `what` says in words what that is."""
        try:
            return decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise self.error(f"has {what}: {error}") from error
