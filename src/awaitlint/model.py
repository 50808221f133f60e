"""The values that every layer shares: places in the text, findings and fixes.

Lines count from 1 and columns from 0, in characters (code points), as an editor and Python's own
``tokenize`` count them.  Reporters add one to a column where their format wants it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of text: from (line, column) up to, not including, (end_line, end_column)."""

    line: int
    column: int
    end_line: int
    end_column: int


class Severity(enum.Enum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Confidence(enum.Enum):
    """How sure a finding is: *certain* is resolved, *likely* is a heuristic and silent by default."""

    CERTAIN = "certain"
    LIKELY = "likely"


class Safety(enum.Enum):
    """Whether a fix keeps the meaning of a working program (*safe*) or has to be looked at (*unsafe*)."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of a span; an empty span inserts, an empty replacement deletes."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits to one file that mend a finding together; `message` is an imperative, such as "Add `await`"."""

    message: str
    edits: tuple[Edit, ...]
    safety: Safety


@dataclass(frozen=True, slots=True)
class Related:
    """A place that explains a finding, such as the definition of the coroutine function.

    `path` is the file's path as the run names it, or a name in angle brackets where the place is in no
    file of the run (``<stdlib asyncio>``); `span` is None where only the file is known.
    """

    path: str
    span: Span | None
    message: str


#: what is said of a place that leads to a root cause which is shown at another
OTHER_PLACE = "this gets there, too"


@dataclass(frozen=True, slots=True)
class Root:
    """What several findings have in common, of which only one is shown.

    `key` tells causes apart, in all files of a run; of the findings with one cause the worst is shown, and
    of these the one with the smallest `distance`.  The first `hops` places that explain the finding are the
    way from it to the cause; behind them stand those that it stands for besides its own.
    """

    key: str
    distance: int
    hops: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding in one file."""

    path: str
    span: Span
    code: str
    name: str
    message: str
    severity: Severity = Severity.ERROR
    confidence: Confidence = Confidence.CERTAIN
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    root: Root | None = None

    @property
    def sort_key(self) -> tuple[str, Span, str, str]:
        """Order of the output: by file, place, code and message."""
        return (self.path, self.span, self.code, self.message)
