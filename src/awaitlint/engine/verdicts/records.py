"""What is kept on disk about an earlier run: what was found, and all that it depends on.

Everything is typed data; whatever does not have these types, or names something that is not there, is no
record, and is left aside as if there were none.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from awaitlint.engine.directory import SAFE_OPEN, prepare_directory, read_whole
from awaitlint.files.digests import SIZE, digest

if TYPE_CHECKING:
    from pathlib import Path

#: states of a node: a file with facts, one without anything in it, one that cannot be read or parsed, a
#: directory that is a namespace package, a module that awaitlint brings along
FACTS, EMPTY, UNREADABLE, NAMESPACE, BUNDLED = range(5)
#: in the place of a target: what was looked up is not there
NOWHERE = -1
_MAGIC = b"AWLSEEN\n"
#: bytes of a record, real ones have 300 for each file
LARGEST = 64 << 20
#: files of records that are kept in one directory, for as many environments and sets of source roots
_MOST_FILES = 32
_SUFFIX = ".seen"
_DAY = 86_400


class Signature(NamedTuple):
    """What tells a file from its earlier states without reading it: times in nanoseconds, size, inode."""

    modified: int
    changed: int
    size: int
    inode: int


#: of a file that may change without looking changed, or was never read
UNSETTLED = Signature(0, 0, 0, 0)


class Node(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A module: its name (see `awaitlint.engine.verdicts.names`), and what it was when it was read.

    `digest` is also the key of its facts in the cache.
    """

    key: str
    state: int
    digest: bytes
    signature: Signature
    #: the dotted name by which an installed module was imported, "" for a module of the project
    name: str = ""
    #: whether somebody has looked at its text, and not at its facts only
    text_matters: bool = False


class Record(msgspec.Struct, array_like=True, gc=False):
    """An earlier run over a project, as it lies on disk.

    Nodes and sets of options are named by their numbers.  `findings` belong to (node, options); `clean` has
    for each set of options the nodes without any.  `links` holds what was looked up on behalf of each node,
    encoded apart, since a run in which nothing has changed need not know.
    """

    nodes: list[Node]
    #: directories in which names were looked up: path, time of the last change, fingerprint
    directories: list[tuple[str, int, bytes]]
    #: what else was looked at, see `awaitlint.files.inputs.Notes`
    inputs: list[tuple[str, str, bytes]]
    options: list[bytes]
    clean: list[list[int]]
    findings: list[tuple[int, int, bytes]]
    links: bytes


#: for each node: (name, level, the node that was found)
Links = list[list[tuple[str, int, int]]]

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Record)
_LINKS = msgspec.msgpack.Decoder(Links)


def encode_links(links: Links) -> bytes:
    return _ENCODER.encode(links)


def decode_links(record: Record) -> Links | None:
    """What was looked up on behalf of each node; None where that is damaged."""
    try:
        links = _LINKS.decode(record.links)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    count = len(record.nodes)
    if len(links) != count or any(not NOWHERE <= use[2] < count for uses in links for use in uses):
        return None
    return links


def load(path: Path) -> Record | None:
    """The record in a file; None where there is none that is whole."""
    data = read_whole(path, LARGEST)
    if data is None or data[: len(_MAGIC)] != _MAGIC:
        return None
    body = memoryview(data)[len(_MAGIC) + SIZE :]
    if digest(body) != data[len(_MAGIC) : len(_MAGIC) + SIZE]:
        return None
    try:
        record = _DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return record if _is_sound(record) else None


def _is_sound(record: Record) -> bool:
    count, options = len(record.nodes), len(record.options)
    return (
        len(record.clean) == options
        and all(not nodes or (min(nodes) >= 0 and max(nodes) < count) for nodes in record.clean)
        and all(0 <= node < count and 0 <= each < options for node, each, _ in record.findings)
        and all("\0" not in path for path, _, _ in (*record.directories, *record.inputs))
        and all("\0" not in node.key for node in record.nodes)
    )


def save(path: Path, record: Record) -> None:
    """Write a record, in one step; nothing happens where it is too large or the disk cannot be written."""
    try:
        body = _ENCODER.encode(record)
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError):  # a name that is no text
        return
    if len(body) > LARGEST:
        return
    temporary = path.parent / f"{os.urandom(16).hex()}.tmp"
    try:
        prepare_directory(path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE_OPEN
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.write(_MAGIC + digest(body) + body)
        temporary.replace(path)
        _sweep(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sweep(newest: Path) -> None:
    """Give up the records that were not written for longest."""
    found = []
    for path in newest.parent.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            found.append((path.lstat().st_mtime, path))
    found.sort(reverse=True)
    for number, (modified, path) in enumerate(found):
        if path != newest and (number >= _MOST_FILES or modified + 90 * _DAY < time.time()):
            with contextlib.suppress(OSError):
                path.unlink()


def file_of(directory: Path, version: bytes, circumstances: bytes) -> Path:
    """The file of the record that was made by a version of awaitlint under some circumstances."""
    return directory / f"{digest(version + circumstances).hex()}{_SUFFIX}"
