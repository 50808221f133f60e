"""How many processes a run is worth."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from awaitlint.engine.options import AUTO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.files.discover import Target

#: processes at most, whatever is asked for, and where the number is left open: each infers anew what it needs
#: of the others' files, so that 2 take 1.13 times as much time together as one does, and 8 take 1.55 times
MOST, MOST_AT_A_GUESS = 64, 8
#: bytes of sources that must be there for each process: to start one costs as much as to check a few files,
#: where it is a copy of this one, and some tens of thousands of lines where it has to import everything
_FOR_A_COPY, _FOR_A_NEW_ONE = 800_000, 2_000_000


def processes_for(targets: Sequence[Target], jobs: int) -> int:
    """How many processes shall check files: 1 stands for the one that asks.

    Args:
        targets: The files.
        jobs: How many there may be, or `AUTO`.
    """
    most = jobs if jobs != AUTO else min(processors(), MOST_AT_A_GUESS)
    wanted = min(most, len(targets), MOST)
    if wanted < 2 or not can_start():
        return 1
    if jobs != AUTO:
        return wanted
    least = _FOR_A_COPY if can_fork() else _FOR_A_NEW_ONE
    return max(1, min(wanted, sum(size_of(target.file) for target in targets) // least))


def size_of(file: str) -> int:
    """The bytes of a file, 0 where there is none."""
    try:
        return os.stat(file).st_size  # noqa: PTH116  many names
    except (OSError, ValueError):
        return 0


def can_start() -> bool:
    """Whether there is a way to start a process."""
    return can_fork() or bool(sys.executable and not getattr(sys, "frozen", False))


def can_fork() -> bool:
    """Whether a copy of this process is one that works: with another thread, some lock might never open."""
    if sys.platform != "linux":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  names are enough
    except OSError:
        return False


def processors() -> int:
    """How many processors this process may use."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    return max(1, min(len(os.sched_getaffinity(0)), _granted()))


def _granted() -> int:
    """How many processors' time the container is granted, as Linux tells it; many where there is no limit."""
    try:
        try:
            quota, period = _numbers("/sys/fs/cgroup/cpu.max")
        except FileNotFoundError:  # of the first version
            directory = "/sys/fs/cgroup/cpu"
            quota, period = _numbers(f"{directory}/cpu.cfs_quota_us", f"{directory}/cpu.cfs_period_us")
        return -(-quota // period) if quota > 0 else MOST
    except (OSError, ValueError, ZeroDivisionError):  # no such system, or "max"
        return MOST


def _numbers(*files: str) -> tuple[int, int]:
    texts = []
    for each in files:
        with open(each, encoding="ascii") as file:  # noqa: PTH123  pathlib is large
            texts += file.read(64).split()
    first, second = map(int, texts)
    return first, second
