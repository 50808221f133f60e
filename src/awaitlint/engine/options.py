"""How a run goes about its work."""

from __future__ import annotations

from dataclasses import dataclass

from awaitlint.engine.known import BaselineUse


@dataclass(frozen=True, slots=True)
class Options:
    """How to run.

    `sieve` off makes the visitors walk every function, `cache` off keeps facts out of the cache on disk:
    neither changes what is found.  `isolated` makes the environment that is active in the shell count for
    nothing.  `judge_noqa` off leaves it to somebody else which ``# noqa`` is needed; `noqa` off makes it
    silence nothing.  `baseline` says what the baselines are there for, which the settings name.
    """

    sieve: bool = True
    cache: bool = True
    isolated: bool = False
    judge_noqa: bool = True
    noqa: bool = True
    baseline: BaselineUse = BaselineUse.APPLY
