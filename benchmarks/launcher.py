"""Runs a command, and writes to a file how it ended and what it cost.

    python -I -S launcher.py REPORT COMMAND...

A process of its own: what the kernel says about its children is about this one command, and the peak memory
of a child is never below that of the process that started it, so that process has to be small.
"""

from __future__ import annotations

import os
import resource
import sys
import time


def main(report: str, *command: str) -> int:
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status = os.waitpid(pid, 0)
    wall = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = os.waitstatus_to_exitcode(status)
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123 (pathlib is large)
        print(code, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, file=file)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
