"""Objects whose classes stand in no source: boto3 makes them from data while the program runs.

`data/factories.tsv` has a row for each kind of object: the factory (as in `awaitlint.index.rows`), the
argument that chooses the kind and its value (``*``: any), the path from the result to the object, what
blocks, and the source.  A path is of names of attributes and calls: ``Table`` is
``boto3.resource("dynamodb").Table("users")``.  What blocks is a list of methods, or, after ``!``, a list of
those that do not: every other one sends a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from awaitlint.index.rows import DATA, DataError, check_members, members_of, table

FACTORIES = DATA / "factories.tsv"
COLUMNS = ("owner", "members", "public", "argument", "value", "path", "methods", "instead", "source")
#: the value that stands for any
ANY_VALUE = "*"


@dataclass(frozen=True, slots=True)
class Factory:
    """A kind of object that a factory makes."""

    #: qualified name of the factory
    name: str
    #: spellings in code, as in `BlockingCall`
    public: tuple[str, ...]
    #: parameter that chooses the kind, and its number from 0, less ``self``
    parameter: str
    position: int
    #: the literal it has, or `ANY_VALUE`
    value: str
    #: attributes and calls from the result to the object
    path: tuple[str, ...]
    #: the object's methods that block; where `others` holds, those that do not
    methods: frozenset[str]
    others: bool
    #: qualified name of what to use in async code
    instead: str
    source: str

    def blocks(self, method: str) -> bool:
        """Whether a method of the object waits for the network."""
        return (method in self.methods) is not self.others


def read(path: Path = FACTORIES) -> tuple[Factory, ...]:
    """The rows of a file.

    Raises:
        DataError: The file cannot be read or a row is malformed; it names the line.
    """
    found: list[Factory] = []
    for number, fields in table(path, COLUMNS):
        try:
            found += _factories(fields)
        except ValueError as error:
            raise DataError(f"{path.name}:{number}: {error}") from error
    return tuple(found)


def _factories(fields: list[str]) -> list[Factory]:
    check_members(fields)
    which = members_of(fields)
    argument, value, way, methods, instead, source = fields[3:]
    parameter, at, position = argument.partition("@")
    if not parameter.isidentifier() or not at:
        raise ValueError(f"`{argument}` is not an argument")
    listed = methods.removeprefix("!").split(" ")
    if not all(name.isidentifier() for name in [*way.split(), *listed]):
        raise ValueError(f"`{way}` or `{methods}` are not names")
    return [
        Factory(
            name=f"{which.owner}.{member}",
            public=which.spellings(member),
            parameter=parameter,
            position=int(position),
            value=value,
            path=tuple(way.split()),
            methods=frozenset(listed),
            others=methods.startswith("!"),
            instead=instead,
            source=source,
        )
        for member in which.members
    ]


@cache
def factories() -> tuple[Factory, ...]:
    """The factories that come with awaitlint, read once.

    Raises:
        DataError: The file is damaged.
    """
    return read()
