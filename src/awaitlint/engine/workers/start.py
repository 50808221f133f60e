"""Starting processes that talk with this one over pipes.

Where it is safe, a worker is a copy of this process, which has imported everything already.  Elsewhere it is
a new Python, which is told where to import from: the current directory may be that of the linted project, so
it must not be searched.  Nobody's ``__main__`` is run a second time.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

import awaitlint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LENGTH = struct.Struct("<Q")
#: seconds that a worker gets for going by itself
_PATIENCE = 2.0
#: seconds between two looks at whether it has gone
_LOOK_AGAIN = 0.002
_BOOT = """\
import sys
sys.path[:] = sys.argv[1:]
from awaitlint.engine.workers.child import main
main()
"""


class Pipes:
    """Messages to and from a process: bytes, each with its length in front.

    Args:
        reader: What comes in.
        writer: What goes out.
    """

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: bytes) -> None:
        """Raises `OSError` where nobody reads any more."""
        self._writer.write(_LENGTH.pack(len(message)) + message)
        self._writer.flush()

    def receive(self) -> bytes | None:
        """The next message; None where nobody writes any more."""
        head = self._reader.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        message = self._reader.read(length)
        return message if len(message) == length else None

    def close(self) -> None:
        for file in (self._writer, self._reader):
            try:
                file.close()
            except OSError:  # what was still to be written is of no use
                continue


class Process:
    """A worker: its pipes, and the ways to end it."""

    def __init__(self, pipes: Pipes, pid: int, started: subprocess.Popen[bytes] | None) -> None:
        self.pipes = pipes
        self._pid = pid
        self._started = started
        self._status: int | None = None

    def fate(self) -> str:
        """How it ended, in words, once its pipes are closed at its end."""
        status = self.wait()
        return f"was ended by signal {-status}" if status < 0 else f"ended with code {status}"

    def terminate(self) -> None:
        """Ask it to end at once."""
        if self._status is None:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        if self._status is None:
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _signal(self, number: int) -> None:
        try:
            if self._started is not None:
                self._started.send_signal(number)
            else:
                os.kill(self._pid, number)
        except OSError:  # it has ended by itself
            return

    def wait(self) -> int:
        """Wait for its end: the exit code, or less than 0 for a signal."""
        if self._status is None:
            if self._started is not None:
                try:
                    self._status = self._started.wait(_PATIENCE)
                except subprocess.TimeoutExpired:
                    self._started.kill()
                    self._status = self._started.wait()
            else:
                self._status = self._reap()
        return self._status

    def _reap(self) -> int:
        deadline = time.monotonic() + _PATIENCE
        try:
            while True:
                pid, status = os.waitpid(self._pid, os.WNOHANG)
                if pid:
                    return os.waitstatus_to_exitcode(status)
                if time.monotonic() > deadline:
                    self._signal(signal.SIGKILL)
                time.sleep(_LOOK_AGAIN)
        except ChildProcessError:  # somebody else has waited for it
            return 0


def start(number: int, serve: Callable[[Pipes], None], *, fork: bool) -> list[Process]:
    """Start workers.  Raises `OSError` where not one can be started.

    Args:
        number: How many.
        serve: What a worker that is a copy of this process does; a new one awaits its first message.
        fork: Whether they are copies.
    """
    started: list[Process] = []
    try:
        for _ in range(number):
            started.append(_forked(serve, started) if fork else _spawned())
    except OSError:
        if not started:
            raise
    return started


def _forked(serve: Callable[[Pipes], None], others: Sequence[Process]) -> Process:
    (read_there, write_here), (read_here, write_there) = ends = _pipe(), _pipe()
    # an interrupt must not let the copy go on with what the parent was about to do
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        pid = os.fork()
        if pid:
            os.close(read_there)
            os.close(write_there)
            return Process(_pipes(read_here, write_here), pid, None)
        _serve_and_exit(serve, (read_there, write_there), (read_here, write_here), others, before)
    except OSError:  # there are too many processes
        for end in (*ends[0], *ends[1]):
            os.close(end)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve_and_exit(
    serve: Callable[[Pipes], None],
    own: tuple[int, int],
    parents: tuple[int, int],
    others: Sequence[Process],
    mask: set[int | signal.Signals],
) -> NoReturn:
    code = 1
    try:
        for descriptor in parents:
            os.close(descriptor)
        for other in others:  # or these would not notice that the parent has gone
            other.pipes.close()
        become_worker()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        serve(_pipes(*own))
        code = 0
    finally:
        # whatever happened: what the parent has left to do must not be done twice
        os._exit(code)


def _pipe() -> tuple[int, int]:
    """A pipe, whose ends do not pass for standard streams where some of these are closed."""
    import fcntl  # noqa: PLC0415  where processes can be copied

    ends = os.pipe()
    above = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends]
    for end in ends:
        os.close(end)
    return above[0], above[1]


def _spawned() -> Process:
    flags = ["-I"] if sys.flags.isolated else ["-E", "-P"] if sys.flags.ignore_environment else ["-P"]
    started = subprocess.Popen(  # noqa: S603  this very Python
        [sys.executable, *flags, "-c", _BOOT, *_search_path()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert started.stdin is not None
    assert started.stdout is not None
    return Process(Pipes(started.stdout, started.stdin), started.pid, started)


def _search_path() -> list[str]:
    """Where this process imports from, without the current directory, unless awaitlint itself lies there."""
    own = os.path.realpath(Path(awaitlint.__file__).parent.parent)
    here = os.path.realpath(Path.cwd())
    entries = [os.path.realpath(entry) if entry in ("", ".") else entry for entry in sys.path]
    return [entry for entry in entries if os.path.realpath(entry) != here or here == own]


def _pipes(reader: int, writer: int) -> Pipes:
    return Pipes(os.fdopen(reader, "rb"), os.fdopen(writer, "wb"))


class Ended(BaseException):
    """The process was asked to end."""


def become_worker() -> None:
    """Leave the terminal and the standard streams to the parent, which tells when to end."""
    # the parent may run an event loop that wants to know of its own signals only
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _end(*_: object) -> None:
    raise Ended
