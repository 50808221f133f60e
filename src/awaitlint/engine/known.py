"""What a run does with baselines: leaves out what is known, notices what is gone, writes them anew."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.config.errors import ConfigError
from awaitlint.engine.baseline import Baseline, Entry, dump, entries_of, load
from awaitlint.engine.options import BaselineUse
from awaitlint.engine.writing import write_file
from awaitlint.rulekit.registry import rule_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.baseline import Files
    from awaitlint.engine.checked import Checked
    from awaitlint.index.facts import ModuleFacts
    from awaitlint.model import Diagnostic


class _Outcome(NamedTuple):
    """The findings of one file by what they are known by, and what was not reported for it."""

    baseline: Path
    name: str
    found: Counter[Entry]
    #: found, but too mild or too unsure to be reported
    hidden: Counter[Entry]
    #: the rules that were checked
    codes: frozenset[str]
    known: int


class Update(NamedTuple):
    """A baseline that was written: how many findings it has, how many were added and how many removed."""

    path: Path
    findings: int
    added: int
    removed: int


class Baselines:
    """The baselines of a session; each is read once, and again when it has changed.

    Args:
        use: What they are there for.
    """

    def __init__(self, use: BaselineUse) -> None:
        self._use = use
        self._loaded: dict[Path, tuple[tuple[int, int] | None, Baseline]] = {}
        self._outcomes: dict[Path, _Outcome] = {}

    def of(self, settings: Settings) -> Baseline | None:
        """The baseline of the files with these settings; raises `ConfigError` where it cannot be read."""
        path = settings.baseline
        if path is None or self._use is BaselineUse.IGNORE:
            return None
        signature = _signature(path)
        known = self._loaded.get(path)
        if known is None or known[0] != signature:
            found = load(path, may_be_missing=self._use is BaselineUse.RECORD)
            known = self._loaded[path] = (signature, found)
        return known[1]

    def unknown(
        self,
        path: Path,
        checked: Checked,
        baseline: Baseline,
        facts: ModuleFacts | None,
        lines: Sequence[str],
    ) -> tuple[Diagnostic, ...]:
        """The findings of a file that its baseline does not have; of like ones, the first are known."""
        name = baseline.name_of(path)
        entries = entries_of(checked.found, facts, lines)
        hidden = Counter(entries_of(checked.hidden, facts, lines))
        left = Counter(baseline.files.get(name)) if self._use is BaselineUse.APPLY else Counter[Entry]()
        kept = []
        for finding, entry in zip(checked.found, entries, strict=True):
            if left[entry] > 0:
                left[entry] -= 1
            else:
                kept.append(finding)
        known = len(entries) - len(kept)
        self._outcomes[path] = _Outcome(baseline.path, name, Counter(entries), hidden, checked.codes, known)
        return tuple(kept)

    @property
    def known(self) -> int:
        """How many findings were left out."""
        return sum(outcome.known for outcome in self._outcomes.values())

    def stale(self) -> Iterator[tuple[Path, int]]:
        """The baselines with entries that no finding answers to any more, and how many these are."""
        for _, baseline in self._loaded.values():
            kept = self._less_gone(baseline)
            gone = sum(
                count - kept.get(name, Counter[Entry]())[entry]
                for name, counts in baseline.files.items()
                for entry, count in counts.items()
            )
            if gone:
                yield baseline.path, gone

    def update(self) -> Iterator[Update]:
        """Write the baselines anew; raises `ConfigError` where one cannot be written."""
        for _, baseline in self._loaded.values():
            files = self._less_gone(baseline)
            for outcome in self._of(baseline):
                counts = files.setdefault(outcome.name, Counter())
                for entry, count in outcome.found.items():
                    counts[entry] = max(counts[entry], count)
            before, after = _total(baseline.files), _total(files)
            try:
                write_file(baseline.path, dump(files).encode("utf-8"))
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise ConfigError(baseline.path, f"cannot write the baseline: {reason}") from error
            yield Update(baseline.path, after.total(), (after - before).total(), (before - after).total())

    def _less_gone(self, baseline: Baseline) -> Files:
        """What a baseline still has good reason to hold.

        That is what was found again, what may be there still for all that is known (in a file that was not
        checked, by a rule that was not), and what would be found again under other options.
        """
        outcomes = {outcome.name: outcome for outcome in self._of(baseline)}
        rules = {key.code for key in rule_keys()}
        files: Files = {}
        for name, counts in baseline.files.items():
            outcome = outcomes.get(name)
            if outcome is None:
                files[name] = Counter(counts) if baseline.is_there(name) else Counter()
                continue
            files[name] = Counter(
                {
                    entry: count
                    if entry.rule in rules and entry.rule not in outcome.codes
                    else min(count, outcome.found[entry] + outcome.hidden[entry])
                    for entry, count in counts.items()
                }
            )
        return files

    def _of(self, baseline: Baseline) -> list[_Outcome]:
        return [outcome for outcome in self._outcomes.values() if outcome.baseline == baseline.path]


def _total(files: Files) -> Counter[tuple[str, Entry]]:
    return Counter(
        {(name, entry): count for name, counts in files.items() for entry, count in counts.items() if count}
    )


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  asked for every file
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size
