"""Which awaitlint this is."""

from __future__ import annotations

import importlib.util
from importlib.machinery import EXTENSION_SUFFIXES

from awaitlint import __version__


def version_line() -> str:
    """The version, and whether it is a compiled build, which finds the same in less time."""
    compiled = " (compiled)" if is_compiled("awaitlint.infer.engine") else ""
    return f"awaitlint {__version__}{compiled}"


def is_compiled(module: str) -> bool:
    """Whether a module, given by its dotted name, would be imported from machine code."""
    spec = importlib.util.find_spec(module)
    return spec is not None and (spec.origin or "").endswith(tuple(EXTENSION_SUFFIXES))
