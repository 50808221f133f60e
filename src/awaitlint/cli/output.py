"""Writing to the terminal: lines that survive a closed pipe, messages, and a progress bar."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import TextIO

_BAR = 30
#: seconds before a progress bar is worth showing, and between two drawings of it
_DELAY, _INTERVAL = 1.0, 0.1


class OutputError(Exception):
    """Standard output that cannot be written, such as a file on a disk that is full."""


def prepare_streams() -> None:
    """Let both streams write any text: what their encoding lacks is shown as an escape sequence.

    A stream that was closed by whoever started the process goes nowhere.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  for good
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def write_lines(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Write lines, to standard output unless told otherwise; a reader that has left ends the writing."""
    target = sys.stdout if stream is None else stream
    try:
        target.writelines(f"{line}\n" for line in lines)
        target.flush()
    except BrokenPipeError:
        _discard_rest(target)
    except OSError as problem:
        _discard_rest(target)
        if target is not sys.stderr:
            raise OutputError(_reason(problem)) from problem


def write_bytes(data: bytes) -> None:
    """Write a file's bytes to standard output as they are."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _discard_rest(sys.stdout)
    except OSError as problem:
        _discard_rest(sys.stdout)
        raise OutputError(_reason(problem)) from problem


def _reason(problem: OSError) -> str:
    return f"cannot write the output: {(problem.strerror or str(problem)).lower()}"


def _discard_rest(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def error(message: str) -> None:
    """One line on standard error that says why the run failed."""
    write_lines([f"error: {' '.join(message.split())}"], sys.stderr)


def warning(message: str) -> None:
    """One line on standard error about something that did not stop the run."""
    write_lines([f"warning: {' '.join(message.split())}"], sys.stderr)


class Progress:
    """A bar on a terminal's standard error, for runs that take longer than a second.

    Called with the number of files that are done and of all there are; `clear` takes the bar away again.
    """

    def __init__(self, stream: TextIO, *, enabled: bool) -> None:
        self._stream = stream
        self._enabled = enabled
        self._next = time.monotonic() + _DELAY
        self._drawn = 0

    def __call__(self, done: int, total: int) -> None:
        if not self._enabled:
            return
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        filled = _BAR * done // total if total else _BAR
        text = f"Checking [{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total}"
        self._stream.write(f"\r{text.ljust(self._drawn)}")
        self._stream.flush()
        self._drawn = len(text)

    def clear(self) -> None:
        """Leave the line as it was before."""
        if self._drawn:
            self._stream.write(f"\r{' ' * self._drawn}\r")
            self._stream.flush()
            self._drawn = 0
