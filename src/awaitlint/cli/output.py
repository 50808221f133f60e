"""Writing to the terminal: lines that survive a closed pipe, messages, and a progress bar."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # telling the version does without importing `typing`
if TYPE_CHECKING:
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
            raise OutputError(reason(problem)) from problem


def say(line: str) -> int:
    """Write one line to standard output, and answer the exit code that becomes of that."""
    prepare_streams()
    try:
        write_lines([line])
    except OutputError as problem:
        error(str(problem))
        return 2
    return 0


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
        raise OutputError(reason(problem)) from problem


def read_stdin() -> bytes:
    """All of standard input; raises `UsageError` where there is none."""
    from awaitlint.files.discover import UsageError  # noqa: PLC0415  telling the version does without

    try:
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return sys.stdin.buffer.read()
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise UsageError(f"cannot read the standard input: {reason}") from problem


def terminal_width(stream: TextIO) -> int | None:
    """The columns of the terminal that a stream writes to; None where it is none, or does not tell."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):  # no terminal, no file, or closed
        return None


def reason(problem: OSError) -> str:
    """Why an output could not be written, for the user."""
    return f"cannot write the output: {(problem.strerror or str(problem)).lower()}"


def _discard_rest(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def error(message: str) -> None:
    """One line on standard error that says why the run failed."""
    _say_aside("error", message)


def note(message: str) -> None:
    """One line on standard error that is worth knowing."""
    _say_aside("note", message)


def warning(message: str) -> None:
    """One line on standard error about something that did not stop the run."""
    _say_aside("warning", message)


def _say_aside(kind: str, message: str) -> None:
    from awaitlint.report.plain import one_line  # noqa: PLC0415  telling the version does without

    write_lines([f"{kind}: {one_line(' '.join(message.split()))}"], sys.stderr)


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
