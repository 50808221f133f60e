"""Parts of a list of files that several machines can check, one each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.files.discover import Target


class Shard(NamedTuple):
    """One of several parts; `number` counts from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that ``I/N`` names; raises `ValueError` for anything else."""
        number, slash, of = text.partition("/")
        if not slash or not (number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
            raise ValueError(text)
        shard = cls(int(number), int(of))
        if not 1 <= shard.number <= shard.of:
            raise ValueError(text)
        return shard

    def take(self, targets: Sequence[Target]) -> list[Target]:
        """The files of this part: in the order of their names, from the first to the last of a stretch.

        Each file is in one part, and the parts have about the same number of bytes.  Neighbours stay
        together, since they import each other.
        """
        ordered = sorted(targets, key=lambda target: target.file)
        sizes = [_size(target.file) for target in ordered]
        total = sum(sizes)
        taken, before = set(), 0
        for target, size in zip(ordered, sizes, strict=True):
            # the part that the middle of the file falls into
            if (2 * before + size) * self.of // (2 * total) == self.number - 1:
                taken.add(target.file)
            before += size
        return [target for target in targets if target.file in taken]


def _size(file: str) -> int:
    """The bytes of a file, and some for its being one; the same on every machine."""
    try:
        return os.stat(file).st_size + 256  # noqa: PTH116  many names
    except (OSError, ValueError):
        return 256
