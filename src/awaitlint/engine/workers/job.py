"""What processes that check files tell each other: typed data, and nothing that could run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from awaitlint.config.settings import Settings
from awaitlint.engine.options import Options
from awaitlint.engine.verdicts.exchange import Share
from awaitlint.files.discover import Target
from awaitlint.model import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Sequence

#: what is asked for: to lower the files of a chunk, to let the others read what was lowered, to check the
#: files of a chunk, to tell what was learned, to end
LOWER, FLUSH, CHECK, REPORT, END = range(5)


class Job(msgspec.Struct, array_like=True):
    """All that a worker has to know.

    Paths are bytes, since a file may have a name that is no text.
    """

    options: Options
    settings: list[Settings]
    #: path, name, and the number of the settings
    targets: list[tuple[bytes, bytes, int]]
    #: the path and name of all other files of the run
    others: list[tuple[bytes, bytes]]
    #: numbers of targets
    chunks: list[list[int]]
    overlays: list[tuple[bytes, bytes]]
    #: where facts are kept that have no place on disk otherwise; removed with all that is in it
    spare: bytes
    #: whether findings are kept for a later run
    keeps: bool

    def target(self, number: int) -> Target:
        file, display, _ = self.targets[number]
        return Target(os.fsdecode(file), os.fsdecode(display))

    def settings_of(self, number: int) -> Settings:
        return self.settings[self.targets[number][2]]


class Request(msgspec.Struct, array_like=True):
    """What a worker is to do."""

    kind: int
    chunk: int = -1


class Outcome(msgspec.Struct, array_like=True):
    """What came out of the check of a file: see `awaitlint.engine.checked.Checked`."""

    target: int
    found: tuple[Diagnostic, ...] = ()
    hidden: tuple[Diagnostic, ...] = ()
    codes: frozenset[str] = frozenset()
    #: rules that crashed
    errors: tuple[str, ...] = ()
    #: the text in which something was found
    data: bytes | None = None


def job(
    targets: Sequence[tuple[Target, Settings]],
    others: Sequence[Target],
    chunks: list[list[int]],
    options: Options,
    overlays: dict[Path, bytes],
    spare: str,
    *,
    keeps: bool,
) -> Job:
    """The job of checking some targets; see the fields of `Job`."""
    numbers: dict[int, int] = {}
    settings: list[Settings] = []
    for _, each in targets:
        if id(each) not in numbers:
            numbers[id(each)] = len(settings)
            settings.append(each)
    return Job(
        options,
        settings,
        [(*_named(target), numbers[id(each)]) for target, each in targets],
        [_named(target) for target in others],
        chunks,
        [(os.fsencode(path), data) for path, data in overlays.items()],
        os.fsencode(spare),
        keeps,
    )


def _named(target: Target) -> tuple[bytes, bytes]:
    return os.fsencode(target.file), os.fsencode(target.display)


def _from_path(value: object) -> object:
    if isinstance(value, Path):
        return os.fsencode(value)
    raise NotImplementedError(type(value))


def _to_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise NotImplementedError(kind)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_from_path)
_JOB = msgspec.msgpack.Decoder(Job, dec_hook=_to_path)
_REQUEST = msgspec.msgpack.Decoder(Request)
_OUTCOMES = msgspec.msgpack.Decoder(list[Outcome])
_SHARES = msgspec.msgpack.Decoder(list[Share])
#: what encoding or decoding raises
UNFIT = (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError)


def encode(value: object) -> bytes:
    """Raises one of `UNFIT` where there is a text that is none, for example."""
    return _ENCODER.encode(value)


def decode_job(data: bytes) -> Job:
    return _JOB.decode(data)


def decode_request(data: bytes) -> Request:
    return _REQUEST.decode(data)


def decode_outcomes(data: bytes) -> list[Outcome]:
    return _OUTCOMES.decode(data)


def decode_shares(data: bytes) -> list[Share]:
    return _SHARES.decode(data)
