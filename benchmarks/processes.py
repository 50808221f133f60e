"""Runs a command and says what it cost."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Cost(msgspec.Struct, frozen=True):
    """What a process used, together with the processes that it started and waited for."""

    #: seconds, user and system
    cpu: float
    #: seconds
    wall: float
    #: MiB; that of the largest process, and never less than this process had when it started the command
    peak: float


class Finished(msgspec.Struct, frozen=True):
    """A command that ended."""

    exit_code: int
    cost: Cost
    output: str
    errors: str


def run(command: Sequence[str], directory: Path, *, timeout: float = 1800) -> Finished:
    """Run a command to its end, or for as many seconds as it may take, and kill it then."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        timer = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        # The resource usage of this one child; getrusage(RUSAGE_CHILDREN) adds up all of them, and its peak
        # memory is the largest so far.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        cost = Cost(
            cpu=round(usage.ru_utime + usage.ru_stime, 4),
            wall=round(wall, 4),
            peak=round(usage.ru_maxrss / 1024, 1),
        )
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
        return Finished(process.returncode, cost, *texts)
