"""A run: targets in, findings out."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    from awaitlint.files.discover import Target
    from awaitlint.model import Diagnostic


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
        for done, target in enumerate(targets):
            if progress is not None:
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
        tuple(work.session.internal_errors) if work.session is not None else (),
        tuple(found),
        work.session,
        work.session.texts() if work.session is not None else SourceStore(store.overlays),
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
        if session is not None:
            session.internal_errors.clear()
            session.refresh(store.overlays)
            session.displays.update(self._named())
        elif options.cache and options.sieve and not store.overlays:
            from awaitlint.engine.verdicts.verdicts import Verdicts  # noqa: PLC0415  not for every run

            self._verdicts = Verdicts(
                options, self._display_of, self._session, getattr(settings_for, "marked", None)
            )

    def check(self, target: Target) -> tuple[Diagnostic, ...]:
        """What is reported of one file."""
        if self._verdicts is None:
            return self._session().check(target)
        settings = self._settings_of(target)
        known = self._verdicts.recall(target, settings)
        if known is not None and (settings.baseline is None or not self._options.has_baseline):
            return known.found
        session = self._session()
        if known is None:
            with self._verdicts.watching(target, settings, session) as keep:
                known = session.checked(target)
                keep(known)
        return session.shown(target, known)

    def _settings_of(self, target: Target) -> Settings:
        """The settings of a file, which all files of its directory share."""
        directory = os.path.dirname(target.file)
        if self._last is None or directory != self._last[0]:
            self._last = directory, self._settings_for(target.path)
        return self._last[1]

    def finish(self) -> None:
        """Write to the cache what is to be kept."""
        if self.session is not None:
            self.session.flush()
        if self._verdicts is not None:
            self._verdicts.save(self.session)

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
