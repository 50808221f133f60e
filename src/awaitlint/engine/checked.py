"""What there is to say of one file."""

from __future__ import annotations

from typing import NamedTuple

from awaitlint.model import Diagnostic


class Checked(NamedTuple):
    """What there is to say of one file.

    `found` are the findings in order, selected by its settings, less the suppressed; `hidden` others that are
    too mild or too unsure to be reported, `codes` those of the rules that were checked to the end: both where
    they were asked for.
    """

    found: tuple[Diagnostic, ...] = ()
    hidden: tuple[Diagnostic, ...] = ()
    codes: frozenset[str] = frozenset()
