"""What a reporter knows besides the findings: the sources, the paths, and how to write."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from awaitlint.engine.fixes import applicable
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceError, SourceStore, decode, split_lines
from awaitlint.model import Diagnostic
from awaitlint.report.style import Style

_DOCS = "https://github.com/awaitlint/awaitlint/blob/main/docs/rules"


class Sources:
    """The lines of the files that findings speak of, by the name that the run has for them."""

    def __init__(
        self, store: SourceStore, targets: Iterable[Target] = (), *, cwd: Path | None = None
    ) -> None:
        self._store = store
        self._paths = {target.display: target.path for target in targets}
        self._cwd = cwd if cwd is not None else Path.cwd()
        self._lines: dict[str, list[str] | None] = {}

    def path(self, display: str) -> Path | None:
        """The absolute path; None for a name in angle brackets, which is no file of the run."""
        if display.startswith("<"):
            return None
        return self._paths.get(display) or Path(os.path.normpath(self._cwd / display))

    def absolute(self, display: str) -> str:
        """The absolute path as text, or the name itself where it is no file's."""
        path = self.path(display)
        return display if path is None or display == "-" else os.fspath(path)

    def lines(self, display: str) -> list[str] | None:
        """The lines without their ends, or None where there is no text to show."""
        if display not in self._lines:
            self._lines[display] = self._read(display)
        return self._lines[display]

    def _read(self, display: str) -> list[str] | None:
        path = self.path(display)
        if path is None:
            return None
        try:
            return split_lines(decode(self._store.read(path)).text)
        except SourceError:
            return None


@dataclass(frozen=True, slots=True)
class ReportContext:
    """How findings are to be shown.

    `unsafe` says whether unsafe fixes count as available; `columns` is the width of the terminal, None where
    the output goes elsewhere.
    """

    sources: Sources
    style: Style = field(default_factory=Style)
    unsafe: bool = False
    columns: int | None = None

    def fixable(self, diagnostic: Diagnostic) -> bool:
        """Whether ``--fix`` would mend the finding as things stand."""
        return applicable(diagnostic.fix, unsafe=self.unsafe)

    def mark(self, diagnostic: Diagnostic) -> str:
        """The mark of a finding that can be mended, with a space after it, or nothing."""
        return f"[{self.style.accent('*')}] " if self.fixable(diagnostic) else ""


def rule_url(name: str) -> str:
    """The page that explains a rule."""
    return f"{_DOCS}/{name}.md"
