"""Bytes by key on disk: what the cache is kept in.

Entries lie in *packs*, files that are written whole, put in their place in one step and never changed:

    payloads, one after the other
    index     one record for each entry, sorted by key: key, offset, length, last use, checksum
    footer    checksum of the index, its offset, the number of records, magic

Every flush writes one pack, and takes in the packs that are not much larger than what is new, so that a
directory holds a handful of packs and every entry is rewritten a few times at most, however often a few
files change.  Two processes that flush at once write two packs; what they have in common is merged later.
Nothing is locked, and a process whose pack was merged away by another keeps reading the one it has open.

Why not one file for each entry: 6,000 entries (10 KB each, 60 MB) took 1.3 s to write, 0.17 s to read and
18 % more room; here it is 0.38 s and 0.15 s, and no size limit or archive has to walk through thousands of
files.  To read 30 of them takes a millisecond either way.  Why not memory maps: reading a page of a file
that somebody has cut short kills the process, where a plain read only comes back with less.

Nothing read here is trusted: sizes are bounded before anything is allocated, checksums cover the index and
every payload (with its key, so that no entry can pass for another), links and special files are not opened.
Checksums tell damage, not malice: who asks must validate what a payload says.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import sys
import time
import weakref
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.engine.directory import SAFE_OPEN, is_directory, prepare_directory
from awaitlint.files.digests import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

#: bytes in a key
KEY_SIZE = 16
#: bytes in the largest payload that is kept
LARGEST = 64 << 20
#: key, offset, length, last use (seconds since 1970), checksum
_RECORD = struct.Struct("<16sQII16s")
_FOOTER = struct.Struct("<16sQI8s")
_MAGIC = b"AWLPACK\n"
#: where the payload of an entry is to be had from; None: it waits to be written
_Place = tuple["_Pack", "_Record"] | None
#: entries and packs that are read; the limits and the merging keep their numbers far below
_MOST_ENTRIES, _MOST_PACKS = 1 << 18, 64
_PACK_NAME = re.compile(r"([0-9a-f]{32})-[0-9a-f]{32}\.pack")
_HOUR, _DAY = 3600, 86_400
#: seconds after which a use is written down anew, and after which another version's pack is given up
_RESTAMP, _ABANDONED = 7 * _DAY, 30 * _DAY
#: what waits to be written, in bytes and in seconds; a process may be ended without notice
_MOST_PENDING, _LONGEST_PENDING = 16 << 20, 1.0

if sys.platform == "win32":

    def _read_at(descriptor: int, length: int, offset: int) -> bytes:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, length)

else:

    def _read_at(descriptor: int, length: int, offset: int) -> bytes:
        # leaves no position behind, which forked processes would share
        return os.pread(descriptor, length, offset)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a directory may hold: bytes and entries."""

    size: int = 512 << 20
    entries: int = 50_000


class _Record(NamedTuple):
    key: bytes
    offset: int
    length: int
    used: int
    check: bytes


class _Found(NamedTuple):
    """A file whose name is that of a pack."""

    path: Path
    size: int
    modified: float


class _Pack:
    """One pack of at most `room` entries, open for reading.

    Raises:
        OSError: It cannot be read.
        ValueError: It is none, or damaged, or too large.
    """

    def __init__(self, path: Path, room: int) -> None:
        self.path = path
        descriptor = os.open(path, os.O_RDONLY | SAFE_OPEN)
        self._close = weakref.finalize(self, os.close, descriptor)
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a file")
        self.size = status.st_size
        footer = _read_at(descriptor, _FOOTER.size, max(0, self.size - _FOOTER.size))
        if len(footer) != _FOOTER.size:
            raise ValueError("truncated")
        check, self._end, self.count, magic = _FOOTER.unpack(footer)
        length = self.count * _RECORD.size
        if magic != _MAGIC or self.count > room or self._end + length + _FOOTER.size != self.size:
            raise ValueError("not a pack")
        self._index = _read_at(descriptor, length, self._end)
        if digest(self._index) != check:
            raise ValueError("damaged index")

    def close(self) -> None:
        self._close()

    def _key(self, position: int) -> bytes:
        start = position * _RECORD.size
        return self._index[start : start + KEY_SIZE]

    def find(self, key: bytes) -> _Record | None:
        position = bisect_left(range(self.count), key, key=self._key)
        if position == self.count or self._key(position) != key:
            return None
        return _Record(*_RECORD.unpack_from(self._index, position * _RECORD.size))

    def records(self) -> Iterator[_Record]:
        return map(_Record._make, _RECORD.iter_unpack(self._index))

    def read(self, record: _Record, largest: int = LARGEST) -> bytes | None:
        """An entry's payload, or None where it is too large or damaged."""
        if record.length > min(largest, LARGEST) or record.offset + record.length > self._end:
            return None
        payload = _read_at(self._descriptor, record.length, record.offset)
        return payload if digest(payload, key=record.key) == record.check else None


class PackDirectory:
    """Bytes by key, in the packs of a directory; it comes to be when something is first written.

    No method raises because of what is on the disk or because the disk cannot be written: there is less in
    the cache then.  Nothing is read or written where the directory is a link.

    Args:
        directory: Where the packs are; its parent exists.
        version: 16 bytes: packs of other versions are neither read nor merged, only given up in the end.
        limits: Beyond them, what was not used for longest is dropped.
    """

    def __init__(self, directory: Path, version: bytes, limits: Limits | None = None) -> None:
        self._directory = directory
        self._version = version.hex()
        self._limits = limits or Limits()
        self._packs: list[_Pack] | None = None
        self._pending: dict[bytes, bytes] = {}
        self._pending_size = 0
        self._pending_since = 0.0
        self._used: set[bytes] = set()
        self._rejected: set[bytes] = set()
        #: names of packs that the next flush is to write anew
        self._stale: set[str] = set()
        self._is_writable = True

    # ------------------------------------------------------------------ reading
    def candidates(self, key: bytes, largest: int) -> Iterator[bytes]:
        """The undamaged payloads of a key, of at most `largest` bytes; who finds one wrong calls `reject`."""
        pending = self._pending.get(key)
        if pending is not None:
            yield pending
        if self._packs is None:
            self._packs = self._load()
        for pack in self._packs:
            record = pack.find(key)
            if record is None:
                continue
            try:
                payload = pack.read(record, largest)
            except OSError:
                payload = None
            if payload is None:
                self._stale.add(pack.path.name)
                continue
            self._used.add(key)
            if record.used + _RESTAMP < time.time():
                self._stale.add(pack.path.name)
            yield payload

    def reject(self, key: bytes) -> None:
        """What was found for a key is wrong: forget it with the next flush."""
        self._rejected.add(key)
        self._pending_size -= len(self._pending.pop(key, b""))
        self._stale.update(pack.path.name for pack in self._packs or () if pack.find(key) is not None)

    def _load(self) -> list[_Pack]:
        """The packs of this version, the smallest, which are the newest, first."""
        packs: list[_Pack] = []
        for _ in range(3):
            packs, room, vanished = [], _MOST_ENTRIES, False
            for found in self._scan()[0]:
                try:
                    packs.append(_Pack(found.path, room))
                    room -= packs[-1].count
                except FileNotFoundError:  # another process has just merged it into a new one
                    vanished = True
                except (OSError, ValueError):
                    continue
            if not vanished:
                break
        return packs

    def _scan(self) -> tuple[list[_Found], list[_Found]]:
        """The packs of this version, the smallest first, and those of others, the oldest first."""
        own: list[_Found] = []
        others: list[_Found] = []
        with contextlib.suppress(OSError):
            if is_directory(self._directory):
                with os.scandir(self._directory) as entries:
                    for entry in entries:
                        name = _PACK_NAME.fullmatch(entry.name)
                        if name is not None and entry.is_file(follow_symlinks=False):
                            status = entry.stat(follow_symlinks=False)
                            found = _Found(Path(entry.path), status.st_size, status.st_mtime)
                            (own if name[1] == self._version else others).append(found)
        own.sort(key=lambda each: (each.size, each.path))
        others.sort(key=lambda each: (each.modified, each.path))
        return own[:_MOST_PACKS], others

    # ------------------------------------------------------------------ writing
    def put(self, key: bytes, payload: bytes) -> None:
        """Keep a payload; it is on the disk after `flush`, or before where much or long has been waiting."""
        if not self._is_writable or len(payload) > LARGEST:
            return
        if not self._pending:
            self._pending_since = time.monotonic()
        self._rejected.discard(key)
        self._pending_size += len(payload) - len(self._pending.get(key, b""))
        self._pending[key] = payload
        if self._pending_size > _MOST_PENDING or time.monotonic() > self._pending_since + _LONGEST_PENDING:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting; where the disk cannot be written, drop it and keep nothing more."""
        if not self._is_writable or not (self._pending or self._stale):
            return
        self._packs = None  # closed: some systems remove no open file
        try:
            self._write()
        except OSError:
            self._is_writable = False
        self._pending.clear()
        self._pending_size = 0
        self._stale.clear()

    def _write(self) -> None:
        prepare_directory(self._directory)
        now = int(time.time())
        own, others = self._scan()
        self._sweep(now, others, sum(each.size for each in own))
        packs: list[_Pack] = []
        broken: list[Path] = []
        for found in own:
            try:
                packs.append(_Pack(found.path, _MOST_ENTRIES))
            except ValueError:
                broken.append(found.path)
            except OSError:
                continue
        size = self._pending_size + sum(pack.size for pack in packs)
        entries = len(self._pending) + sum(pack.count for pack in packs)
        is_crowded = size > self._limits.size or entries > self._limits.entries
        merged: list[_Pack] = []
        size = self._pending_size
        for pack in packs:
            if is_crowded or pack.path.name in self._stale or pack.size <= 2 * size:
                merged.append(pack)
                size += pack.size
        new = self._write_pack(self._newest(merged, now, is_crowded=is_crowded), now)
        for pack in merged:
            pack.close()
        for path in (*broken, *(pack.path for pack in merged)):
            if path != new:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _newest(self, packs: list[_Pack], now: int, *, is_crowded: bool) -> dict[bytes, _Place]:
        """Where every entry of the new pack is to be had from, None being what waits; the last used first."""
        found: dict[bytes, tuple[_Pack, _Record]] = {}
        for pack in packs:
            for record in pack.records():
                if record.key in self._pending or record.key in self._rejected:
                    continue
                used = now if record.key in self._used else min(record.used, now)
                other = found.get(record.key)
                if other is None or other[1].used < used:
                    found[record.key] = (pack, record._replace(used=used))
        ordered: dict[bytes, _Place] = dict.fromkeys(self._pending)
        by_use = sorted(found.items(), key=lambda item: (-item[1][1].used, item[1][1].offset))
        ordered.update(by_use)
        if is_crowded:
            # to three quarters, so that not every flush has to drop something
            size, most = 0, self._limits.entries * 3 // 4
            for position, (key, place) in enumerate(list(ordered.items())):
                size += len(self._pending[key]) if place is None else place[1].length
                if position >= most or size > self._limits.size * 3 // 4:
                    del ordered[key]
        return ordered

    def _write_pack(self, entries: dict[bytes, _Place], now: int) -> Path | None:
        """Write one pack and answer where it is; None where there is nothing to write."""
        records: list[bytes] = []
        offset = 0
        temporary = self._directory / f"{self._version}-{os.urandom(8).hex()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE_OPEN
        try:
            with os.fdopen(os.open(temporary, flags, 0o666), "wb", buffering=1 << 20) as file:
                for key, place in entries.items():
                    payload = self._pending[key] if place is None else place[0].read(place[1])
                    if payload is None:
                        continue
                    used = now if place is None else place[1].used
                    file.write(payload)
                    records.append(_RECORD.pack(key, offset, len(payload), used, digest(payload, key=key)))
                    offset += len(payload)
                index = b"".join(sorted(records))
                file.write(index)
                file.write(_FOOTER.pack(digest(index), offset, len(records), _MAGIC))
            if not records:
                temporary.unlink()
                return None
            path = self._directory / f"{self._version}-{digest(index).hex()}.pack"
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        return path

    def _sweep(self, now: int, others: list[_Found], size: int) -> None:
        """Give up what other versions and ended processes have left."""
        size += self._pending_size + sum(each.size for each in others)
        for found in others:
            if found.modified + _ABANDONED < now or size > self._limits.size:
                with contextlib.suppress(OSError):
                    found.path.unlink()
                    size -= found.size
        for path in self._directory.glob("*.tmp"):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime + _HOUR < now:
                    path.unlink()
