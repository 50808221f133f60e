"""Runs a command and says what it cost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

_LAUNCHER = Path(__file__).with_name("launcher.py")


class Cost(msgspec.Struct, frozen=True):
    """What a process used, together with the processes that it started and waited for."""

    #: seconds, user and system
    cpu: float
    #: seconds
    wall: float
    #: MiB; that of the largest process
    peak: float


class Finished(msgspec.Struct, frozen=True):
    """A command that ended."""

    exit_code: int
    cost: Cost
    output: str
    errors: str


class RunError(Exception):
    """A command could not be started, or took too long and was killed."""


def run(
    command: Sequence[str], directory: Path, *, timeout: float = 1800, stdin: Path = Path(os.devnull)
) -> Finished:
    """Run a command to its end, in a directory, for at most so many seconds; it is given a file to read.

    Raises:
        RunError: it could not be started, or had to be killed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report, output, errors = (Path(scratch) / name for name in ("report", "output", "errors"))
        with stdin.open("rb") as given, output.open("wb") as out, errors.open("wb") as err:
            launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCHER), str(report), *command],
                cwd=directory,
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                launcher.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(launcher.pid, signal.SIGKILL)
                launcher.wait()
                raise RunError(f"{command[0]} took more than {timeout} s") from None
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (output, errors)]
        if launcher.returncode:
            raise RunError(f"{command[0]} could not be started: {texts[1][-500:]}")
        code, cpu, wall, peak = report.read_text(encoding="ascii").split()
        cost = Cost(cpu=round(float(cpu), 4), wall=round(float(wall), 4), peak=round(float(peak), 1))
        return Finished(int(code), cost, *texts)
