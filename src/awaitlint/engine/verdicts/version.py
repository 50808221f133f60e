"""What findings are made with: everything of awaitlint, and the Python that runs it."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import awaitlint
from awaitlint.files.digests import digest


@cache
def version() -> bytes:
    """16 bytes that stand for all that findings are made with but the sources and the options."""
    made_with: list[object] = [sys.implementation.name, sys.version_info[:3], _own_files(), _libcst()]
    return digest(repr(made_with).encode())


def _own_files() -> object:
    """What the installer wrote down about awaitlint's files, or else what is in them."""
    package = Path(awaitlint.__file__).parent
    record = package.parent / f"awaitlint-{awaitlint.__version__}.dist-info" / "RECORD"
    try:
        lines = record.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    # without the bytecode, which is written down without a digest
    own = sorted(line for line in lines if line.startswith("awaitlint/") and "sha256=" in line)
    return own or sorted(_contents(os.fspath(package)))


def _contents(directory: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    with os.scandir(directory) as scan:
        for entry in scan:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    found += _contents(entry.path)
            elif not entry.name.endswith((".md", ".pyc")):
                content = Path(entry.path).read_bytes()
                found.append(
                    (os.path.relpath(entry.path, os.path.dirname(awaitlint.__file__)), digest(content))
                )
    return found


def _libcst() -> bytes:
    """The version of libcst, without importing it: it parses what is suspected."""
    spec = find_spec("libcst")
    if spec is None or spec.origin is None:
        return b""
    try:
        return digest(Path(spec.origin).with_name("_version.py").read_bytes())
    except OSError:
        return b""
