"""What a check has looked at besides modules: files that say what a project requires, names in directories.

Who keeps findings for later has to know all that they depend on.  Modules are known to the linked project;
everything else that answers a question is noted here before it is looked at, so that what is read is never
older than what was noted.  Notes go to whoever takes them in the current context (`noting`), or to nobody.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

from awaitlint.files.digests import digest
from awaitlint.files.source import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

#: what is said of a file or directory that is not there
MISSING = b""
#: in the place of patterns: what was looked at is an environment variable
_VARIABLE = "$"


class Notes:
    """What was looked at, and what was seen there.

    `seen` has for each file, as (path, ""), the digest of its content, for each directory, as (path,
    patterns), the digest of the names in it that match one of the patterns, and for each environment
    variable, as (name, "$"), the digest of its value.  Where `everything` is true, no list can tell what an
    answer depends on.
    """

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], bytes] = {}
        self.everything = False


_notes: ContextVar[Notes | None] = ContextVar("notes", default=None)


@contextmanager
def noting(notes: Notes) -> Iterator[None]:
    """Take the notes of what is done meanwhile."""
    token = _notes.set(notes)
    try:
        yield
    finally:
        _notes.reset(token)


def note_file(path: str | os.PathLike[str]) -> None:
    """Note that a file's content, or that there is none, decides something."""
    _note(os.fspath(path), "")


def note_names(directory: str | os.PathLike[str], *patterns: str) -> None:
    """Note that the names in a directory decide something which match one of the patterns (`fnmatch`)."""
    _note(os.fspath(directory), "\n".join(patterns))


def note_variable(name: str) -> None:
    """Note that the value of an environment variable, or that there is none, decides something."""
    _note(name, _VARIABLE)


def note_everything() -> None:
    """Note that an answer depends on more than can be listed."""
    notes = _notes.get()
    if notes is not None:
        notes.everything = True


def _note(path: str, patterns: str) -> None:
    notes = _notes.get()
    if notes is not None and (path, patterns) not in notes.seen:
        notes.seen[path, patterns] = look(path, patterns)


def look(path: str, patterns: str) -> bytes:
    """What is to be seen in a place now: see `Notes`; `MISSING` where there is nothing."""
    if patterns == _VARIABLE:
        value = os.environ.get(path)
        return MISSING if value is None else digest(value.encode("utf-8", "surrogateescape"))
    try:
        if not patterns:
            return digest(read_regular(path))
        matches = _matcher(patterns).match
        names = sorted(name for name in os.listdir(path) if matches(name))  # noqa: PTH208  names are enough
    except (OSError, ValueError):
        return MISSING
    return digest("\n".join(names).encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=256)
def _matcher(patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns.split("\n"))))
