"""How a run goes about its work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How to run; neither option changes what is found.

    `sieve` off makes the visitors walk every function, `cache` off keeps facts out of the cache on disk.
    """

    sieve: bool = True
    cache: bool = True
