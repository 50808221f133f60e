"""Reading source files, and unsaved buffers in their place.

Everything that looks at a source file asks a `SourceStore`, so an editor's unsaved text, standard input and
a test's made-up project are seen by every part of a run alike.
"""

# ruff: noqa: PTH110, PTH112
# Os.path answers False where a directory may not be looked into, pathlib raises.

from __future__ import annotations

import codecs
import os
import re
import stat
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE_END = re.compile(r"\r\n|\r|\n")
_FIRST_LINES = re.compile(rb"(?:[^\r\n]*(?:\r\n|\r|\n)?){0,2}")
#: byte order marks of encodings that Python does not read, longer ones first
BOMS_OF_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class SourceError(Exception):
    """A source file that cannot be read or decoded.

    `path` is None where only the data is known, as in `decode`; `reason` is a phrase for the user, lower
    case, without a final period; `line` is the line it happened on, 1 where there is none.
    """

    def __init__(self, path: Path | None, reason: str, *, line: int = 1) -> None:
        super().__init__(f"{path}: {reason}" if path is not None else reason)
        self.path = path
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A source file as text: its newlines are those of the file, its byte order mark is dropped.

    `encoding` is the codec's name, never ``utf-8-sig``: `bom` tells whether the file began with a UTF-8
    byte order mark.
    """

    text: str
    encoding: str
    bom: bool


class SourceStore:
    """Source files by absolute path; an overlay (unsaved buffer) stands in for the file on disk.

    `overlays` may be changed while the store is in use.
    """

    def __init__(self, overlays: Mapping[Path, bytes] | None = None) -> None:
        self.overlays: dict[Path, bytes] = dict(overlays or {})

    def read(self, path: Path) -> bytes:
        """The file's bytes; raises `SourceError` where it cannot be read."""
        overlay = self.overlays.get(path)
        if overlay is not None:
            return overlay
        try:
            return read_regular(path)
        except OSError as error:
            raise SourceError(path, (error.strerror or str(error)).lower()) from error
        except ValueError as error:  # a NUL character in the name
            raise SourceError(path, str(error)) from error

    def exists(self, path: Path) -> bool:
        """Whether there is a file, a directory or an overlay."""
        return path in self.overlays or os.path.exists(path) or self._holds_overlay(path)

    def is_dir(self, path: Path) -> bool:
        """Whether there is a directory; one that holds an overlay counts."""
        return os.path.isdir(path) or self._holds_overlay(path)

    def _holds_overlay(self, directory: Path) -> bool:
        return any(directory in path.parents for path in self.overlays)


def read_regular(path: Path | str) -> bytes:
    """The bytes of a regular file; raises `OSError` for anything else.

    A project may hold links to whatever there is: reading a pipe or a terminal would wait for its other end,
    and reading ``/dev/zero`` would not end at all.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("not a regular file")
        return file.read()


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def decode(data: bytes, path: Path | None = None) -> DecodedText:
    """Decode as Python would: byte order mark, then PEP 263 cookie, else UTF-8.  Raises `SourceError`.

    `path` only goes into the error.
    """
    bom = data.startswith(codecs.BOM_UTF8)
    body = data[len(codecs.BOM_UTF8) :] if bom else data
    if not bom:
        for mark, name in BOMS_OF_OTHER_ENCODINGS:
            if data.startswith(mark):
                raise SourceError(path, f"the file is {name}, which Python does not accept as source")
    encoding = _encoding(data, path)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(body[: error.start].decode("latin-1"))) + 1
        raise SourceError(path, f"byte {error.start} is not valid {encoding}", line=line) from error
    except (LookupError, ValueError) as error:
        raise SourceError(path, f"cannot decode the file as {encoding}: {error}") from error
    return DecodedText(text, encoding, bom)


def _encoding(data: bytes, path: Path | None) -> str:
    match = _FIRST_LINES.match(data)
    head = match[0] if match is not None else b""
    if b"coding" not in head:
        return "utf-8"
    lines = iter(head.splitlines(keepends=True))
    try:
        encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
    except SyntaxError as error:
        raise SourceError(path, str(error.msg)) from error
    return "utf-8" if encoding == "utf-8-sig" else encoding


def split_lines(text: str) -> list[str]:
    r"""The lines of a source text without their ends, as Python counts lines.

    Only ``\n``, ``\r\n`` and ``\r`` end a line: `str.splitlines` would also split at form feeds and at
    Unicode's separators, which may stand inside a string literal.
    """
    return _LINE_END.split(text) if "\r" in text else text.split("\n")
