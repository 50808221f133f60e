"""What fixes would change, as a unified diff."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from awaitlint.report.style import Style

_LINES = re.compile(r"[^\n]*\n|[^\n]+$")


def unified_diff(name: str, before: str, after: str, style: Style) -> Iterator[str]:
    """The lines of a diff, without their ends, and an empty line after them.

    ``git apply`` and ``patch -p1`` read it.
    """
    old, new = _LINES.findall(before), _LINES.findall(after)
    relative = not Path(name).is_absolute() and name != "-"
    names = (f"a/{name}", f"b/{name}") if relative else (name, name)
    for line in difflib.unified_diff(old, new, *names):
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
