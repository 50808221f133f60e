"""A run: targets in, findings out."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitlint.engine.options import Options
from awaitlint.engine.roots import one_for_each_root
from awaitlint.files.source import SourceStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.session import Session
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
    if session is None:
        from awaitlint.engine.session import Session  # noqa: PLC0415  all that a run which checks files needs

        session = Session(settings_for, store, options)
    else:
        session.internal_errors.clear()
        session.refresh(store.overlays)
    session.displays.update((target.path, target.display) for target in targets)
    found: list[Diagnostic] = []
    # facts make many small objects and no garbage: collecting would only cost
    collecting = gc.isenabled()
    gc.disable()
    try:
        for done, target in enumerate(targets):
            if progress is not None:
                progress(done, len(targets))
            found.extend(session.check(target))
    finally:
        session.flush()
        if collecting:
            gc.enable()
    if progress is not None:
        progress(len(targets), len(targets))
    found.sort(key=lambda finding: finding.sort_key)
    return Result(
        tuple(one_for_each_root(found)),
        len(targets),
        tuple(session.internal_errors),
        tuple(found),
        session,
        session.texts(),
    )


__all__ = ["Options", "Result", "run"]
