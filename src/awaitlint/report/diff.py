"""What fixes would change, as a unified diff."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from awaitlint.report.style import Style

#: what a name cannot have outside of quotes, and the bytes that are escaped within
_SPECIAL = re.compile(r'[\x00-\x1f"\\\x7f-\x9f\ud800-\udfff]')
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f-\xff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LINES = re.compile(r"[^\n]*\n|[^\n]+$")


def unified_diff(name: str, before: str, after: str, style: Style) -> Iterator[str]:
    """The lines of a diff, without their ends, and an empty line after them.

    ``git apply`` and ``patch -p1`` read it.
    """
    old, new = _LINES.findall(before), _LINES.findall(after)
    relative = not Path(name).is_absolute() and name != "-"
    left, right = (f"a/{name}", f"b/{name}") if relative else (name, name)
    for line in difflib.unified_diff(old, new, _quoted(left), _quoted(right)):
        text = line.removesuffix("\n")
        if line.startswith("+"):
            yield style.added(text)
        elif line.startswith("-"):
            yield style.removed(text)
        else:
            yield text
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"
    yield ""


def _quoted(name: str) -> str:
    """A name as git writes it: in quotes, by its bytes, where it would not survive on the line."""
    if not _SPECIAL.search(name):
        return name
    return f'"{_ESCAPED.sub(_escape, os.fsencode(name).decode("latin-1"))}"'


def _escape(byte: re.Match[str]) -> str:
    return _ESCAPES.get(byte[0]) or f"\\{ord(byte[0]):03o}"
