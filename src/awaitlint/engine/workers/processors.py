"""How many processes a run is worth."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from awaitlint.engine.options import AUTO
from awaitlint.engine.workers.start import can_fork, can_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.files.discover import Target

#: processes at most, whatever is asked for
MOST = 64
#: bytes of sources that must be there for each process: to start one costs as much as to check a few files,
#: where it is a copy of this one, and some tens of thousands of lines where it has to import everything
_FOR_A_COPY, _FOR_A_NEW_ONE = 400_000, 2_000_000


def processes_for(targets: Sequence[Target], jobs: int) -> int:
    """How many processes shall check files: 1 stands for the one that asks.

    Args:
        targets: The files.
        jobs: How many there may be, or `AUTO`.
    """
    wanted = min(jobs if jobs != AUTO else processors(), len(targets), MOST)
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


def processors() -> int:
    """How many processors this process may use."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    return max(1, min(len(os.sched_getaffinity(0)), _granted()))


def _granted() -> int:
    """How many processors' time the container is granted, as Linux tells it; many where there is no limit."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:  # noqa: PTH123  no need for pathlib
            quota, period = file.read(64).split()
        return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # another kind of limit, or "max"
        return MOST
