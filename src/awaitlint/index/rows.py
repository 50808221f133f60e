"""Data files of names: tab-separated values, one heading, and a row for what members of an owner share.

The first three columns of each are ``owner``, ``members`` and ``public``; `awaitlint.index.blocking` says
what they mean.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

DATA = Path(__file__).parent / "data"
#: the member that stands for all that a class inherits
ANY = "*"

T = TypeVar("T")


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


def check_members(fields: list[str]) -> None:
    """Check the first three columns of a row, roughly: this is done for every row.

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


def members_of(fields: list[str]) -> Members:
    """The first three columns of a row."""
    owner, members, public = fields[:3]
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


class Named(Mapping[str, T]):
    """The entries of a data file by qualified name.

    Raises:
        DataError: The file cannot be read or a row is malformed; it names the line.
    """

    columns: ClassVar[tuple[str, ...]]

    def __init__(self, path: Path) -> None:
        #: name -> the fields of its row
        self._rows: dict[str, list[str]] = {}
        self._made: dict[str, T] = {}
        self._spelled: dict[str, str] | None = None
        rows, size = self._rows, 0
        for number, fields in table(path, self.columns):
            try:
                check_members(fields)
                self._check(fields)
            except ValueError as error:
                raise DataError(f"{path.name}:{number}: {error}") from error
            owner, members = fields[0], fields[1].split(" ")
            for member in members:
                rows[f"{owner}.{member}"] = fields
            size += len(members)
            if len(rows) < size:
                raise DataError(f"{path.name}:{number}: a name of `{owner}` is there already")

    @abstractmethod
    def _check(self, fields: list[str]) -> None:
        """Check all but the first three columns of a row.

        Raises:
            ValueError: It is malformed.
        """

    @abstractmethod
    def _make(self, name: str, public: tuple[str, ...], fields: list[str]) -> T:
        """The entry for a name, whose row has these fields behind the first three."""

    def __getitem__(self, name: str) -> T:
        made = self._made.get(name)
        if made is None:
            fields = self._rows[name]
            public = members_of(fields).spellings(name.rpartition(".")[2])
            made = self._made[name] = self._make(name, public, fields[3:])
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def spelled(self, path: str) -> T | None:
        """The entry for what code spells so: ``requests.get``, ``redis.from_url.get``.

        Args:
            path: How it was reached from an import, less the parentheses of calls (`reached` gives that);
                qualified names will do as well.
        """
        if path in self._rows:
            return self[path]
        if self._spelled is None:
            self._spelled = {}
            for fields in {id(fields): fields for fields in self._rows.values()}.values():
                which = members_of(fields)
                for member in which.members if which.public else ():
                    name = f"{which.owner}.{member}"
                    self._spelled.update(dict.fromkeys(which.spellings(member), name))
        found = self._spelled.get(path)
        return self[found] if found is not None else None

    def method(self, classes: Iterable[str], name: str) -> T | None:
        """The entry for a method, None where there is none.

        Args:
            classes: Qualified names of the receiver's class and its bases in the order of resolution, up to
                and with the one that has the method in its body.
            name: The method's name as the receiver has it.
        """
        for owner in classes:
            found = f"{owner}.{name}"
            if found in self._rows:
                return self[found]
            if f"{owner}.{ANY}" in self._rows:
                return None
        return None
