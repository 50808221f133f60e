"""A run: targets in, findings out."""

from __future__ import annotations

import gc
import itertools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from awaitlint.engine.checked import Checked
from awaitlint.engine.options import Options
from awaitlint.engine.roots import one_for_each_root
from awaitlint.files.discover import display_name
from awaitlint.files.source import SourceStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.session import Session
    from awaitlint.engine.verdicts.verdicts import Verdicts
    from awaitlint.engine.workers.harvest import Harvest
    from awaitlint.files.discover import Target
    from awaitlint.model import Diagnostic

_T = TypeVar("_T")
#: fewer files are not worth a look at how large they are
_FEW = 2


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found: the findings in order, and the rules that crashed, each in one line."""

    diagnostics: tuple[Diagnostic, ...]
    files: int
    internal_errors: tuple[str, ...] = ()
    #: all findings, those too of which another with the same root cause is shown
    places: tuple[Diagnostic, ...] = field(default=(), repr=False, compare=False)
    #: what the run learned; it lives as long as the result, so that nothing is freed before it need be
    session: Session | None = field(default=None, repr=False, compare=False)
    #: the texts that the findings speak of: the files may have changed since they were checked
    texts: SourceStore = field(default_factory=SourceStore, repr=False, compare=False)
    #: processes that checked files, and what went wrong with them without changing what is found
    processes: int = field(default=1, compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)


def run(
    targets: Sequence[Target],
    settings_for: Callable[[Path], Settings],
    store: SourceStore,
    *,
    options: Options | None = None,
    progress: Callable[[int, int], None] | None = None,
    session: Session | None = None,
) -> Result:
    """Check files.

    Args:
        targets: The files.
        settings_for: The settings that govern a file.
        store: Answers what is in a file.
        options: How to run.
        progress: Called with (files done, files in all).
        session: What an earlier run of the same files learned; the buffers in the store may be others.
    """
    work = _Work(settings_for, store, options or Options(), targets, session)
    found: list[Diagnostic] = []
    # facts make many small objects and no garbage: collecting would only cost
    collecting = gc.isenabled()
    gc.disable()
    try:
        work.share_out(progress)
        for done, target in enumerate(targets):
            if progress is not None and work.processes == 1:
                progress(done, len(targets))
            found.extend(work.check(target))
    finally:
        work.finish()
        if collecting:
            gc.enable()
    if progress is not None:
        progress(len(targets), len(targets))
    found.sort(key=lambda finding: finding.sort_key)
    return Result(
        tuple(one_for_each_root(found)),
        len(targets),
        tuple(work.errors),
        tuple(found),
        work.session,
        work.texts(),
        work.processes,
        tuple(work.elsewhere.warnings) if work.elsewhere is not None else (),
    )


class _Work:
    """The checks of a run: what an earlier run has found is taken over as long as it holds."""

    def __init__(
        self,
        settings_for: Callable[[Path], Settings],
        store: SourceStore,
        options: Options,
        targets: Sequence[Target],
        session: Session | None,
    ) -> None:
        self.session = session
        self._settings_for = settings_for
        self._store = store
        self._options = options
        self._targets = targets
        self._displays: dict[Path, str] | None = None
        self._verdicts: Verdicts | None = None
        self._last: tuple[str, Settings] | None = None
        #: what is known of files before they are checked one by one
        self._known: dict[str, Checked] = {}
        #: whether that is all that earlier runs have found
        self._has_asked = False
        #: the number of processes that check files, and what came from those that are not this one
        self.processes = 1
        self.elsewhere: Harvest | None = None
        #: rules that crashed
        self.errors: list[str] = []
        if session is not None:
            session.internal_errors.clear()
            session.refresh(store.overlays)
            session.displays.update(self._named())
        elif options.cache and options.sieve and not store.overlays:
            from awaitlint.engine.verdicts.verdicts import Verdicts  # noqa: PLC0415  not for every run

            self._verdicts = Verdicts(
                options, self._display_of, self._session, getattr(settings_for, "marked", None)
            )

    def share_out(self, progress: Callable[[int, int], None] | None) -> None:
        """Have other processes check files, where there is enough to do for them."""
        if self._options.jobs == 1 or (self.session is not None and self.session.has_read(self._targets)):
            return
        unknown, others = [], []
        for target in self._targets:
            known = self._verdicts.recall(target, self._settings_of(target)) if self._verdicts else None
            if known is None:
                unknown.append(target)
            else:
                self._known[target.file] = known
                others.append(target)
        self._has_asked = True
        if len(unknown) < _FEW:
            return
        from awaitlint.engine.workers.processors import processes_for  # noqa: PLC0415  where it is wanted

        self.processes = processes_for(unknown, self._options.jobs)
        if self.processes == 1:
            return
        from awaitlint.engine.workers.pool import check_in_processes  # noqa: PLC0415  where it is worth it

        done = itertools.count(len(others) + 1)
        self.elsewhere = check_in_processes(
            [(target, self._settings_of(target)) for target in unknown],
            others,
            self._options,
            self._store.overlays,
            self.processes,
            keeps=self._verdicts is not None,
            progress=lambda: progress(next(done), len(self._targets)) if progress is not None else None,
        )
        for file, outcome in self.elsewhere.outcomes.items():
            self._known[file] = Checked(outcome.found, outcome.hidden, outcome.codes)

    def check(self, target: Target) -> tuple[Diagnostic, ...]:
        """What is reported of one file."""
        known = self._known.get(target.file)
        if known is None and self._verdicts is None:
            return self._noting(self._session().check, target)
        settings = self._settings_of(target)
        if known is not None:
            outcome = self.elsewhere.outcomes.get(target.file) if self.elsewhere is not None else None
            self.errors += outcome.errors if outcome is not None else ()
        elif self._verdicts is not None and not self._has_asked:
            known = self._verdicts.recall(target, settings)
        if known is not None and (settings.baseline is None or not self._options.has_baseline):
            return known.found
        if known is None:
            known = self._noting(self._checked, target)
        return self._session().shown(target, known)

    def _checked(self, target: Target) -> Checked:
        """The outcome of the check of a file, which is kept for later runs."""
        session = self._session()
        assert self._verdicts is not None
        with self._verdicts.watching(target, self._settings_of(target), session) as keep:
            checked = session.checked(target)
            keep(checked)
        return checked

    def _noting(self, check: Callable[[Target], _T], target: Target) -> _T:
        """Check a file, and note which rules crash."""
        crashed = self._session().internal_errors
        before = len(crashed)
        found = check(target)
        self.errors += crashed[before:]
        return found

    def _settings_of(self, target: Target) -> Settings:
        """The settings of a file, which all files of its directory share."""
        directory = os.path.dirname(target.file)
        if self._last is None or directory != self._last[0]:
            self._last = directory, self._settings_for(target.path)
        return self._last[1]

    def texts(self) -> SourceStore:
        """The texts that findings speak of, as far as they are known."""
        read = self.session.texts() if self.session is not None else self._store
        return SourceStore({**(self.elsewhere.texts if self.elsewhere is not None else {}), **read.overlays})

    def finish(self) -> None:
        """Write to the cache what is to be kept."""
        if self.session is not None:
            self.session.flush()
        if self._verdicts is not None:
            self._verdicts.save(self.session, self.elsewhere.learned if self.elsewhere is not None else ())

    def _session(self) -> Session:
        if self.session is None:
            from awaitlint.engine.session import Session  # noqa: PLC0415  not where everything is known

            self.session = Session(self._settings_for, self._store, self._options)
            self.session.displays.update(self._named())
        return self.session

    def _named(self) -> dict[Path, str]:
        if self._displays is None:
            self._displays = {target.path: target.display for target in self._targets}
        return self._displays

    def _display_of(self, path: Path) -> str:
        return self._named().get(path) or display_name(os.fspath(path), os.getcwd())


__all__ = ["Options", "Result", "run"]
