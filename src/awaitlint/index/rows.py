"""Data files of names: tab-separated values, one heading, and a row for what members of an owner share.

The first three columns of each are ``owner``, ``members`` and ``public``; `awaitlint.index.blocking` says
what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"
#: the member that stands for all that a class inherits
ANY = "*"


class DataError(ValueError):
    """A data file is not what it should be."""


class Members(NamedTuple):
    """What the first columns of every data file say: members of an owner, and how code spells them."""

    owner: str
    members: list[str]
    public: list[str]

    def spellings(self, member: str) -> tuple[str, ...]:
        """How code spells a member; nothing where it is as the qualified name."""
        return tuple(name[1:] if name[0] == "=" else f"{name}.{member}" for name in self.public)


def members_of(fields: list[str]) -> Members:
    """The first three columns of a row.

    Raises:
        ValueError: They hold something that is no name.
    """
    owner, members, public = fields[:3]
    if not owner.replace(".", "_").isidentifier():
        raise ValueError(f"the owner `{owner}` is not a dotted name")
    if members != ANY and not members.replace(" ", "_").isidentifier():
        raise ValueError(f"`{members}` are not names of members")
    if public and not public.replace(" ", "_").replace(".", "_").replace("=", "_").isidentifier():
        raise ValueError(f"`{public}` are not dotted names")
    return Members(owner, members.split(" "), public.split(" ") if public else [])


def table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file of tab-separated values below its heading, with their line numbers.

    Raises:
        DataError: It cannot be read, or has other columns.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name}: {error}") from error
    heading, *lines = text.split("\n")
    if heading.split("\t") != list(columns):
        raise DataError(f"{path.name}:1: the columns are not {', '.join(columns)}")
    if lines.pop() if lines else True:
        raise DataError(f"{path.name}: the last line has no end")
    for number, line in enumerate(lines, 2):
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise DataError(f"{path.name}:{number}: {len(fields)} columns instead of {len(columns)}")
        yield number, fields
