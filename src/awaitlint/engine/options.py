"""How a run goes about its work."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class BaselineUse(enum.Enum):
    """What baselines are there for."""

    #: what is in them is not reported
    APPLY = "apply"
    #: everything is reported, and put into them afterwards
    RECORD = "record"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Options:
    """How to run.

    `sieve` off makes the visitors walk every function, `cache` off neither reads nor writes the cache on
    disk, which `cache_dir` puts into a directory of the user's choice: none of them changes what is found.
    `isolated` makes the environment that is active in the shell count for nothing.  `judge_noqa` off leaves
    it to somebody else which ``# noqa`` is needed; `noqa` off makes it silence nothing.  `baseline` says what
    the baselines are there for, which the settings name.
    """

    sieve: bool = True
    cache: bool = True
    cache_dir: Path | None = None
    isolated: bool = False
    judge_noqa: bool = True
    noqa: bool = True
    baseline: BaselineUse = BaselineUse.APPLY

    @property
    def has_baseline(self) -> bool:
        """Whether the baselines that settings name are used at all."""
        return self.baseline is not BaselineUse.IGNORE
