"""What comes back from processes that check files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaitlint.config.settings import Settings
    from awaitlint.engine.verdicts.learning import Learned
    from awaitlint.engine.workers.job import Outcome
    from awaitlint.files.discover import Target


@dataclass
class Harvest:
    """What came back."""

    #: by the path of the file
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    #: what a later run can take over, with a file of the project that it is about
    learned: list[tuple[Target, Settings, Learned]] = field(default_factory=list)
    #: what went wrong with workers, for who wants to know
    warnings: list[str] = field(default_factory=list)

    @property
    def texts(self) -> dict[Path, bytes]:
        """The texts in which something was found."""
        return {
            Path(file): outcome.data for file, outcome in self.outcomes.items() if outcome.data is not None
        }
