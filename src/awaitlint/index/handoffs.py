"""What becomes of functions that are given away: who calls them, and in which thread.

`data/handoffs.tsv` has a row for each owner and its members that do the same, see `awaitlint.index.rows`; a
name is that of a function, of a class (its construction) or of a method.  The columns behind the first
three are the role, the slots, a note for people, and the source as in `awaitlint.index.blocking`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.rows import DATA, Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HANDOFFS = DATA / "handoffs.tsv"
COLUMNS = ("owner", "members", "public", "role", "slots", "note", "source")


class Role(StrEnum):
    """What is done with the function."""

    #: it runs in another thread, process or greenlet, where it may block; the loop goes on
    OFFLOAD = "offload"
    #: the same for a plain function; an ``async def`` runs on the loop
    OFFLOAD_IF_SYNC = "offload-if-sync"
    #: it runs later on the loop, in the thread that the loop runs in
    SCHEDULE = "schedule"
    #: it runs before the call returns, or where the result is iterated: in this thread
    INLINE = "inline"
    #: nothing yet: the result is another callable, which calls it
    BIND = "bind"
    #: a framework runs a plain function on the loop, as it would an ``async def``
    LOOP = "loop"


class Taker(StrEnum):
    """How the function is given."""

    #: as an argument
    ARGUMENT = "argument"
    #: by decorating it, with or without a call
    DECORATED = "@"
    #: as the method of a subclass: ``run`` of a thread
    METHOD = "."


@dataclass(frozen=True, slots=True)
class Slot:
    """One way to give a function: ``func@0``, ``key`` (keyword-only), ``@``, ``.run``."""

    taker: Taker
    #: of the parameter or method; empty for `Taker.DECORATED`
    name: str
    #: number of the positional argument, from 0, less ``self``; -1 where there is none
    position: int = -1


@dataclass(frozen=True, slots=True)
class HandOff:
    """A callable that takes a function."""

    name: str
    #: spellings in code, as in `BlockingCall`
    public: tuple[str, ...]
    role: Role
    slots: tuple[Slot, ...]
    note: str
    source: str


def given(call: f.Call, slots: Iterable[Slot], nodes: Sequence[f.Node]) -> Iterator[int]:
    """The nodes that a call puts into slots for a function; what follows ``*args`` may be any argument."""
    for slot in slots:
        if slot.taker is not Taker.ARGUMENT:
            continue
        node = next((value for name, value in call.keywords if name == slot.name), -1)
        if node < 0 <= slot.position < len(call.args) and not any(
            isinstance(nodes[each], f.Starred) for each in call.args[: slot.position + 1]
        ):
            node = call.args[slot.position]
        if node >= 0:
            yield node


_ROLES = {role.value: role for role in Role}


def slots(text: str) -> tuple[Slot, ...]:
    """What ``func@0 @`` says.

    Raises:
        ValueError: It is not well-formed.
    """
    return tuple(_slot(part) for part in text.split(" "))


def _slot(text: str) -> Slot:
    if text == Taker.DECORATED:
        return Slot(Taker.DECORATED, "")
    taker = Taker.METHOD if text[:1] == Taker.METHOD else Taker.ARGUMENT
    name, at, position = text.removeprefix(Taker.METHOD).partition("@")
    if not name.isidentifier() or (at and (taker is Taker.METHOD or not position.isdecimal())):
        raise ValueError(f"`{text}` is not a slot")
    return Slot(taker, name, int(position) if at else -1)


class HandOffs(Named[HandOff]):
    """Hand-offs by qualified name.

    Raises:
        DataError: The file cannot be read or a row is malformed; it names the line.
    """

    columns = COLUMNS

    def __init__(self, path: Path = HANDOFFS) -> None:
        super().__init__(path)

    def _check(self, fields: list[str]) -> None:
        role, slots_ = fields[3:5]
        if role not in _ROLES:
            raise ValueError(f"the role `{role}` is unknown")
        slots(slots_)

    def _make(self, name: str, public: tuple[str, ...], fields: list[str]) -> HandOff:
        role, slots_, note, source = fields
        return HandOff(name, public, _ROLES[role], slots(slots_), note, source)


@cache
def handoffs() -> HandOffs:
    """The hand-offs that come with awaitlint, read once.

    Raises:
        DataError: The file is damaged.
    """
    return HandOffs()
