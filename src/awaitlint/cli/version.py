"""Which awaitlint this is."""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES

import awaitlint


def version_line() -> str:
    """The version, and whether it is a compiled build, which finds the same in less time."""
    compiled = " (compiled)" if is_compiled("awaitlint.infer.engine") else ""
    return f"awaitlint {awaitlint.__version__}{compiled}"


def is_compiled(module: str) -> bool:
    """Whether a module of awaitlint, given by its dotted name, would be imported from machine code."""
    stem = os.path.join("", *module.split(".")[1:])  # noqa: PTH118  pathlib takes longer than all the rest
    return any(
        os.path.exists(f"{os.path.join(directory, stem)}{suffix}")  # noqa: PTH110, PTH118
        for directory in awaitlint.__path__
        for suffix in EXTENSION_SUFFIXES
    )
