"""Colours: ANSI sequences where the output is a terminal, nothing elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

_RESET = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text, or leaves it as it is where `enabled` is false."""

    enabled: bool = False

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str] | None = None) -> Style:
        """What a stream gets: ``NO_COLOR`` switches colours off, ``FORCE_COLOR`` on, else a terminal does."""
        variables = os.environ if environ is None else environ
        if variables.get("NO_COLOR"):
            return cls()
        if variables.get("FORCE_COLOR", "0") not in ("", "0"):
            return cls(enabled=True)
        try:
            return cls(enabled=stream.isatty() and variables.get("TERM") != "dumb")
        except ValueError:  # the stream is closed
            return cls()

    def _paint(self, text: str, codes: str) -> str:
        return f"\x1b[{codes}m{text}{_RESET}" if self.enabled and text else text

    def bold(self, text: str) -> str:
        """Messages."""
        return self._paint(text, "1")

    def code(self, text: str) -> str:
        """Codes of rules, and what underlines a finding."""
        return self._paint(text, "1;91")

    def frame(self, text: str) -> str:
        """Line numbers and rules around source text."""
        return self._paint(text, "1;94")

    def accent(self, text: str) -> str:
        """The mark of a fix, and what introduces help."""
        return self._paint(text, "1;96")

    def note(self, text: str) -> str:
        """What introduces a note, and what underlines its place."""
        return self._paint(text, "1;93")

    def punctuation(self, text: str) -> str:
        """Colons between parts of a place."""
        return self._paint(text, "36")

    def underlined(self, text: str) -> str:
        """Headings."""
        return self._paint(text, "4")

    def removed(self, text: str) -> str:
        """Lines that a diff takes out."""
        return self._paint(text, "31")

    def added(self, text: str) -> str:
        """Lines that a diff puts in."""
        return self._paint(text, "32")
