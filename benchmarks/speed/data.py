"""What was measured, as it is kept; and the numbers that come of it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.processes import Cost

RESULTS = Path(__file__).with_name("results.json")
#: what is divided by is never less
_LEAST = 0.0001


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it was measured; no names of hosts or people."""

    processor: str
    cores: int
    #: GiB
    memory: int
    system: str
    python: str


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a command cost in each round."""

    #: a tool, or what it does
    name: str
    #: a tree, or an edit of one
    subject: str
    costs: tuple[Cost, ...] = ()
    #: why there are no costs, or fewer than asked for
    note: str = ""

    @property
    def cpu(self) -> float:
        """Seconds, of user and system."""
        return median(cost.cpu for cost in self.costs)

    @property
    def wall(self) -> float:
        """Seconds."""
        return median(cost.wall for cost in self.costs)

    @property
    def peak(self) -> float:
        """MiB of the largest process."""
        return median(cost.peak for cost in self.costs)


class Measurements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that was measured in one way."""

    measured: tuple[Measured, ...] = ()

    def get(self, name: str, subject: str) -> Measured | None:
        """What was measured of a command, if it ran to its end."""
        found = self.find(name, subject)
        return found if found is not None and found.costs else None

    def find(self, name: str, subject: str) -> Measured | None:
        """What there is to say of a command, even where it did not run."""
        return next((each for each in self.measured if (each.name, each.subject) == (name, subject)), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The commands, in order."""
        return tuple(dict.fromkeys(each.name for each in self.measured))


class TreeSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tree that was checked."""

    name: str
    files: int
    lines: int
    releases: tuple[str, ...]


class Results(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is known of one run of the benchmark."""

    date: str
    machine: Machine
    rounds: int
    #: seconds: a command that took longer ran once, and one that would take longest not at all
    slow: float
    longest: float
    #: of the tools
    versions: dict[str, str]
    trees: tuple[TreeSize, ...]
    #: by tree
    cold: Measurements
    #: by edit
    warm: Measurements = Measurements()
    warm_tree: TreeSize | None = None
    one_file: Measurements = Measurements()
    one_file_lines: int = 0
    start_up: Measurements = Measurements()


def load(path: Path = RESULTS) -> Results:
    """The results that are kept.

    Raises:
        msgspec.ValidationError: they are of another form.
    """
    return msgspec.json.decode(path.read_bytes(), type=Results)


def save(results: Results, path: Path = RESULTS) -> None:
    """Keep results, in a form that can be compared."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def ratio(one: Measured, other: Measured) -> float:
    """How many times the CPU seconds of the other: the median of the rounds that both ran in."""
    return _median_ratio(((a.cpu, b.cpu) for a, b in zip(one.costs, other.costs, strict=False)))


def net_ratio(one: Measured, start: Measured, other: Measured, other_start: Measured) -> float:
    """The same, of CPU seconds less those of starting."""
    return _median_ratio(
        (a.cpu - start.cpu, b.cpu - other_start.cpu) for a, b in zip(one.costs, other.costs, strict=False)
    )


def _median_ratio(pairs: Iterable[tuple[float, float]]) -> float:
    return median(max(one, _LEAST) / max(other, _LEAST) for one, other in pairs)


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def machine() -> Machine:
    """What this machine is."""
    return Machine(
        processor=_processor(Path("/proc/cpuinfo")),
        cores=os.cpu_count() or 1,
        memory=_memory(),
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {'.'.join(map(str, sys.version_info[:3]))}",
    )


def _processor(info: Path) -> str:
    """The model of the processor."""
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _memory() -> int:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30))
    except (AttributeError, ValueError, OSError):  # not on this system
        return 0
