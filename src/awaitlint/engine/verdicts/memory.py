"""What earlier runs over one project found, as far as it still holds.

A finding depends on a module's own text and on what was looked up in others.  Which modules that are is
known from the lookups that inference made: `Module.uses`.  A module is *stale* when its text has changed,
when one of its lookups leads elsewhere now, or when a module that it looked something up in is stale.  What
was found in the others holds.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from msgspec import structs

from awaitlint.engine.verdicts.records import (
    NAMESPACE,
    NOWHERE,
    UNSETTLED,
    Node,
    Signature,
    decode_links,
    load,
)
from awaitlint.files.inputs import look
from awaitlint.files.listings import look_again
from awaitlint.files.source import read_regular
from awaitlint.index.levels import SUBMODULE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from awaitlint.engine.verdicts.names import Names
    from awaitlint.engine.verdicts.records import Links, Record

    #: the nodes, of those that were not read anew, of which a lookup leads elsewhere now
    Replay = Callable[[Record, Links, set[int]], set[int]]
    SaysTheSame = Callable[[Node], bool]

#: nanoseconds within which a file may change and look as it did before: file systems tell times coarsely
SETTLED_AFTER = 2_000_000_000
#: files with another text that are compared with what they said before
_MOST_COMPARED = 64


class Memory:
    """The record of one project, and what of it still holds.

    Args:
        file: Where the record lies.
        names: How it names files.
        replay: Tells which lookups lead elsewhere once files have come or gone.
        says_the_same: Tells whether a file that has changed says the same in other places.
    """

    def __init__(self, file: Path, names: Names, replay: Replay, says_the_same: SaysTheSame) -> None:
        self.file = file
        self.names = names
        self._replay = replay
        self._says_the_same = says_the_same
        self.record: Record | None = None
        #: of nodes whose own text or lookups have changed
        self.changed: set[int] = set()
        #: of those, nodes that say the same as before, in other places of their text
        self.moved: set[int] = set()
        #: what has changed, and all that depends on what says something else
        self.stale: set[int] = set()
        #: what depends on something that has moved: findings may name the places
        self.wary: set[int] = set()
        #: whether what is known about files and directories, though true, is worth writing down anew
        self.is_outdated = False
        self._seen: Signature | None = None
        self._links: Links | None = None
        self._numbers: dict[str, int] | None = None
        self._clean: dict[int, frozenset[int]] = {}
        self._findings: dict[tuple[int, int], bytes] = {}

    def ask(self, path: str, options: bytes) -> bytes | None:
        """What was found in a file under some options, b"" for nothing; None where it is not known."""
        if self._numbers is None:
            self._load()
        assert self._numbers is not None
        record = self.record
        node = self._numbers.get(path)
        if record is None or node is None or node in self.stale or options not in record.options:
            return None
        each = record.options.index(options)
        clean = self._clean.get(each)
        if clean is None:
            clean = self._clean[each] = frozenset(record.clean[each])
        if node in clean:
            return b""
        return None if node in self.wary else self._findings.get((node, each))

    @property
    def links(self) -> Links:
        """What was looked up on behalf of each node of the record."""
        if self._links is None:
            self._links = (decode_links(self.record) if self.record is not None else None) or []
        return self._links

    def newest(self) -> Memory:
        """The memory of what lies on disk now, where another process may have written it meanwhile."""
        if self._numbers is not None and signature_of(os.fspath(self.file)) == self._seen:
            return self
        again = Memory(self.file, self.names, self._replay, self._says_the_same)
        again._load()
        return again

    def still_true(self) -> Record:
        """The record without what does not hold any more; there is one."""
        record = self.record
        assert record is not None
        if self.stale:
            record.clean = [[each for each in clean if each not in self.stale] for clean in record.clean]
            gone = self.stale | self.wary
            record.findings = [each for each in record.findings if each[0] not in gone]
        return record

    def _load(self) -> None:
        self._seen = signature_of(os.fspath(self.file))
        record = load(self.file)
        self._numbers = {}
        if record is None or not self._holds(record):
            return
        moved = self._look_at_directories(record)
        self.record = record
        touched = self.changed = self._look_at_files(record)
        if (self.changed or moved) and len(self.links) != len(record.nodes):
            self.record = None
            return
        if moved:
            self.changed = touched | self._replay(record, self.links, touched)
        if self.changed:
            # of few files it is worth knowing
            self._spread(touched if len(touched) <= _MOST_COMPARED else set())
        path = self.names.path
        self._numbers = {path(node.key): number for number, node in enumerate(record.nodes)}
        self._findings = {(node, each): found for node, each, found in record.findings}

    def _spread(self, touched: set[int]) -> None:
        """Find out what the changes concern; `touched` are files with another text."""
        assert self.record is not None
        nodes = self.record.nodes
        self.moved = {number for number in touched if self._says_the_same(nodes[number])}
        self.stale = reached_from(self.changed - self.moved, self.links) | self.moved
        self.wary = reached_from(self.moved, self.links) - self.stale if self.moved else set()

    def _holds(self, record: Record) -> bool:
        """Whether everything that was looked at besides modules is as it was."""
        return all(
            look(key if patterns == "$" else self.names.path(key), patterns) == seen
            for key, patterns, seen in record.inputs
        )

    def _look_at_directories(self, record: Record) -> bool:
        """Whether files may have come or gone where modules were looked up; the record tells it anew."""
        moved = False
        for number, (key, modified, known) in enumerate(record.directories):
            now, seen = look_again(self.names.path(key), modified, known)
            if now != modified or seen != known:
                record.directories[number] = (key, now, seen)
                self.is_outdated = True
                moved |= seen != known
        return moved

    def _look_at_files(self, record: Record) -> set[int]:
        """The nodes whose file has another content, or is gone; the record tells how the others look."""
        changed = set()
        oldest = time.time_ns() - SETTLED_AFTER
        for number, node in enumerate(record.nodes):
            if node.state >= NAMESPACE:
                continue
            path = self.names.path(node.key)
            signature = signature_of(path)
            if signature == node.signature and signature is not None:
                continue
            from awaitlint.engine.cache import key_of  # noqa: PLC0415  only for what may have changed

            try:
                same = signature is not None and key_of(read_regular(path)) == node.digest
            except (OSError, ValueError):
                same = False
            if not same or signature is None:
                changed.add(number)
            elif max(signature.modified, signature.changed) < oldest:
                record.nodes[number] = structs.replace(node, signature=signature)
                self.is_outdated = True
        return changed


def signature_of(path: str) -> Signature | None:
    """How a file looks now; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return Signature(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def settled(signature: Signature, began: int) -> Signature:
    """A signature that can be relied on by who read the file after `began` (nanoseconds since 1970)."""
    latest = max(signature.modified, signature.changed)
    return signature if latest < began - SETTLED_AFTER else UNSETTLED


def reached_from(changed: Iterable[int], links: Links) -> set[int]:
    """The nodes that depend on some, and these themselves."""
    users: dict[int, list[int]] = {}
    for number, uses in enumerate(links):
        for _, level, target in uses:
            # that there is a submodule says nothing of what is in it
            if target != NOWHERE and level != SUBMODULE:
                users.setdefault(target, []).append(number)
    reached = set(changed)
    queue = list(reached)
    while queue:
        for user in users.get(queue.pop(), ()):
            if user not in reached:
                reached.add(user)
                queue.append(user)
    return reached
