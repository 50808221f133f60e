"""The catalogue of blocking callables: what stops the event loop, for how long, and what to use instead.

`data/blocking.tsv` has a row for each owner (a module or class) and what its members have in common.  The
columns are those of `COLUMNS`; a row's name is its owner, a dot, and a member.

- **owner** and **members** (separated by spaces).  An owner is named as our index knows it: the module that
  defines a function, or a class.  A class need not define the method itself: ``redis.client.Redis.get`` is
  inherited, from a base that the asynchronous client inherits as well.  An entry counts for subclasses, up
  to the first class that has the method in its own body; `Catalogue.method` looks that
up.  The name of a
  class stands for its construction.  The member ``*`` (severity ``never``) says of a class that what it
  inherits does not block, such as the commands that a pipeline queues.
- **public**: how code spells the owner, less the parentheses of calls: ``redis.from_url`` for what that
  returns.  A spelling that begins with ``=`` is that of the member itself.
- **kind**, **severity**, **unless**, **state**, **on**: see `Kind`, `Severity`, `Condition`, `State`, `On`.
- **instead**: the qualified name of what to use in async code, ``.name`` for another method of the same
  object (it returns an awaitable or, for what is iterated, an async iterator), or ``await`` where the
  coroutine itself is to be awaited.  ``asyncio.to_thread`` stands where there is no async replacement.
- **python**: the versions of Python that define the name there: ``3.13-``, ``-3.12``; empty: all.
- **source**: the page of Python's documentation (``library/socket``), or distribution, version, file and
  line (``requests-2.34.2:requests/sessions.py:394``).  Empty: known from the package's documentation.

The file is read when it is first asked for; it is one text, and the objects are made for the names that are
looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

from awaitlint.index.rows import DATA, Named

BLOCKING = DATA / "blocking.tsv"
#: columns of `BLOCKING`
COLUMNS = (
    *("owner", "members", "public", "kind", "severity", "unless", "state", "on", "instead", "python"),
    "source",
)
#: a condition; compiled where it is used
_CONDITION = r"([A-Za-z_]\w*)(?:@(\d+))?([=~+-])(.*)"
_WORDS = {"None": None, "True": True, "False": False}


class Kind(StrEnum):
    """What a call waits for, or works at."""

    NETWORK = "network"
    DATABASE = "database"
    PROCESS = "process"
    FILE = "file"
    #: another thread or process, a person at the keyboard, descriptors, signals
    WAIT = "wait"
    #: a lock that another thread or process may hold; never to be reported for being taken
    LOCK = "lock"
    CPU = "cpu"
    SLEEP = "sleep"
    #: starts an event loop, or waits for the one that is running
    REENTRY = "reentry"


class Severity(StrEnum):
    """How long a call can hold the loop, when it does."""

    #: until something else happens that this process cannot hasten: milliseconds, or for ever
    ALWAYS = "always"
    #: work on the spot that grows with the input or is slow by design: 10 ms to minutes
    HEAVY = "heavy"
    #: one or few system calls on the spot: microseconds, a few milliseconds on a slow disk
    BRIEF = "brief"
    #: not at all: it fails, or the work never ends, where a loop is running in the thread
    RAISES = "raises"
    #: not at all; for `rows.ANY` member of a class whose bases block
    NEVER = "never"


class State(StrEnum):
    """A state, which the call does not show, in which it does not block after all (or hardly)."""

    #: the future, process or thread has finished, as after ``done()``, ``poll()`` or a wait
    DONE = "done"
    #: the socket, descriptor or port does not block, as after ``setblocking(False)`` or ``settimeout(0)``
    NON_BLOCKING = "non-blocking"
    #: nobody holds the lock
    FREE = "free"
    #: the queue or pipe has room
    ROOM = "room"
    #: there is something to read
    READY = "ready"
    #: the data has been read already, as in a response that is not streamed or a query set's cache
    LOADED = "loaded"
    #: there is little data
    SMALL = "small"
    #: the database lives in this process's memory
    IN_MEMORY = "in-memory"
    #: the work is done in this process, such as by a chain without a model
    LOCAL = "local"
    #: nothing is under way: no transaction, no work in the pool
    IDLE = "idle"
    #: the answer is in a cache
    CACHED = "cached"
    #: the first attempt succeeds
    SUCCEEDS = "succeeds"


class On(StrEnum):
    """When it blocks."""

    CALL = ""
    #: when the result is entered by ``with``
    ENTER = "enter"
    #: when the result is iterated
    ITERATE = "iterate"


class Check(StrEnum):
    """What a condition asks of an argument."""

    #: it is a constant, one of `Condition.values`
    EQUALS = "="
    #: it is, or combines by ``|``, a flag of one of these names: ``os.WNOHANG``
    FLAG = "~"
    #: there is one
    GIVEN = "+"
    #: there is none
    ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Condition:
    """An argument with which a call does not block: ``block@0=False``, ``options@1~WNOHANG``, ``host@0-``.

    Several values are separated by commas: ``mode@0~P_NOWAIT,P_DETACH``.
    """

    parameter: str
    #: number of the positional argument, from 0, less ``self``; -1 for a parameter that is keyword-only
    position: int
    check: Check
    #: constants, or names of flags
    values: tuple[str | int | bool | None, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockingCall:
    """One callable of the catalogue."""

    #: qualified name of the function, of the class, or of a method and the class it is called on
    name: str
    #: spellings in code, less the parentheses of calls, the most usual first; empty where it is `name`
    public: tuple[str, ...]
    kind: Kind
    severity: Severity
    #: it does not block where one of these holds
    unless: tuple[Condition, ...]
    state: State | None
    on: On
    #: see the module's docstring; empty for `Severity.NEVER`
    instead: str
    #: first and last Python version that define the name; None: no bound
    since: tuple[int, int] | None
    until: tuple[int, int] | None
    source: str

    @property
    def is_conditional(self) -> bool:
        """Whether it depends on a state that the call does not show."""
        return self.state is not None

    @property
    def spelling(self) -> str:
        """The name to call it by in messages."""
        return self.public[0] if self.public else self.name

    @property
    def replacement(self) -> str:
        """`instead`, spelled out where it is a method of the same object."""
        if not self.instead.startswith("."):
            return self.instead
        return self.spelling.rpartition(".")[0] + self.instead


E = TypeVar("E", bound=StrEnum)


def _values(enum: type[E]) -> dict[str, E]:
    return {member.value: member for member in enum}


_KINDS, _SEVERITIES, _ONS = _values(Kind), _values(Severity), _values(On)
_STATES: dict[str, State | None] = {"": None, **_values(State)}

Version = tuple[int, int] | None


class Catalogue(Named[BlockingCall]):
    """Blocking calls by qualified name, see the module's docstring.

    Raises:
        DataError: The file cannot be read or a row is malformed; it names the line.
    """

    columns = COLUMNS

    def __init__(self, path: Path = BLOCKING) -> None:
        self._unless: dict[str, tuple[Condition, ...]] = {"": ()}
        self._versions: dict[str, tuple[Version, Version]] = {"": (None, None)}
        super().__init__(path)

    def _check(self, fields: list[str]) -> None:
        _, _, _, kind, severity, unless, state, on, instead, python, _ = fields
        if kind not in _KINDS or severity not in _SEVERITIES or state not in _STATES or on not in _ONS:
            raise ValueError(f"`{kind}`, `{severity}`, `{state}` or `{on}` is unknown")
        if unless not in self._unless:
            self._unless[unless] = conditions(unless)
        if python not in self._versions:
            self._versions[python] = versions(python)
        if bool(instead) is (severity == Severity.NEVER):
            raise ValueError("what blocks has something to use instead, and nothing else has")
        if instead and not instead.replace(".", "_").isidentifier():
            raise ValueError(f"`{instead}` is not a name to use instead")

    def _make(self, name: str, public: tuple[str, ...], fields: list[str]) -> BlockingCall:
        kind, severity, unless, state, on, instead, python, source = fields
        return BlockingCall(
            name,
            public,
            _KINDS[kind],
            _SEVERITIES[severity],
            self._unless[unless],
            _STATES[state],
            _ONS[on],
            instead,
            *self._versions[python],
            source,
        )


def versions(text: str) -> tuple[Version, Version]:
    """The first and last version that ``3.11-3.13``, ``3.11-`` or ``-3.13`` means.

    Raises:
        ValueError: It is not a range of versions.
    """
    match = re.fullmatch(r"(?:3\.(\d+))?-(?:3\.(\d+))?", text)
    if match is None:
        raise ValueError(f"`{text}` is not a range of Python versions")
    first, last = ((3, int(minor)) if minor else None for minor in match.groups())
    return first, last


def conditions(text: str) -> tuple[Condition, ...]:
    """What ``block@0=False; timeout@1=0`` says.

    Raises:
        ValueError: It is not well-formed.
    """
    return tuple(_condition(part) for part in text.split("; "))


def _condition(text: str) -> Condition:
    match = re.fullmatch(_CONDITION, text)
    if match is None:
        raise ValueError(f"`{text}` is not a condition")
    parameter, position, test, values = match.groups()
    found = Check(test)
    if bool(values) is not (found in (Check.EQUALS, Check.FLAG)):
        raise ValueError(f"`{text}` has a value too many or too few")
    parts = values.split(",") if values else []
    return Condition(
        parameter,
        int(position) if position else -1,
        found,
        tuple(parts) if found is Check.FLAG else tuple(_constant(part) for part in parts),
    )


def _constant(text: str) -> str | int | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        return text[1:-1]
    return int(text)


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with awaitlint, read once.

    Raises:
        DataError: The file is damaged.
    """
    return Catalogue()
