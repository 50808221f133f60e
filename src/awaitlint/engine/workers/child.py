"""A process that checks files for another one."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.engine.cache import FactsCache
from awaitlint.engine.session import Session
from awaitlint.engine.verdicts.exchange import Share, share
from awaitlint.engine.verdicts.verdicts import Verdicts
from awaitlint.engine.workers import job as jobs
from awaitlint.engine.workers.job import Job, Outcome
from awaitlint.engine.workers.start import Pipes, become_worker
from awaitlint.files.source import SourceStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.engine.checked import Checked
    from awaitlint.files.discover import Target


def main() -> None:
    """What a process does that was started for the purpose: its job is the first message."""
    reader, writer = os.dup(0), os.dup(1)
    become_worker()
    pipes = Pipes(os.fdopen(reader, "rb"), os.fdopen(writer, "wb"))
    code = 1
    try:
        first = pipes.receive()
        if first is not None:
            serve(pipes, jobs.decode_job(first))
            code = 0
    finally:
        os._exit(code)


def prepare() -> None:
    """Load what every worker needs, before copies of this process are made: they have it for nothing then."""
    from awaitlint.engine import visit  # noqa: F401, PLC0415  not where this process checks nothing
    from awaitlint.rulekit import chains  # noqa: F401, PLC0415
    from awaitlint.rulekit.registry import all_rules  # noqa: PLC0415
    from awaitlint.syntax.cst import cst  # noqa: PLC0415

    all_rules()
    # that there is nothing to suspect in so much code is unlikely
    _ = cst.Module


def serve(pipes: Pipes, job: Job) -> None:
    """Do what is asked for, until the parent says that it was all, or has gone."""
    gc.disable()
    worker = _Worker(job)
    try:
        while (message := pipes.receive()) is not None:
            request = jobs.decode_request(message)
            if request.kind == jobs.END:
                return
            pipes.send(worker.answer(request.kind, request.chunk))
    except OSError:  # nobody reads the answer
        pass
    # nobody else is left to tidy up
    shutil.rmtree(os.fsdecode(job.spare), ignore_errors=True)


class _Worker:
    """What a worker knows.

    Args:
        job: What it is there for.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        targets = [job.target(number) for number in range(len(job.targets))]
        self._targets = targets
        self._settings = {target.path: job.settings_of(number) for number, target in enumerate(targets)}
        overlays = {Path(os.fsdecode(path)): data for path, data in job.overlays}
        self._session = Session(self._settings.__getitem__, SourceStore(overlays), job.options)
        self._session.spare = FactsCache(Path(os.fsdecode(job.spare)))
        displays = self._session.displays
        displays.update({Path(os.fsdecode(path)): os.fsdecode(name) for path, name in job.others})
        displays.update({target.path: target.display for target in targets})
        self._verdicts = (
            Verdicts(job.options, self._session.display_of, lambda: self._session) if job.keeps else None
        )

    def answer(self, kind: int, chunk: int) -> bytes:
        if kind == jobs.LOWER:
            for number in self._job.chunks[chunk]:
                self._lower(self._targets[number])
            return b""
        if kind == jobs.FLUSH:
            self._session.flush()
            return b""
        if kind == jobs.CHECK:
            return _encoded(list(self._outcomes(self._job.chunks[chunk])))
        self._session.flush()
        return _encoded(list(self._shares()))

    def _lower(self, target: Target) -> None:
        try:
            self._session.lowered(target.path)
        except Exception:  # noqa: BLE001  it comes again when the file is checked
            return

    def _outcomes(self, numbers: list[int]) -> Iterator[Outcome]:
        """What comes out of the checks; the parent checks a file itself of which nothing is said."""
        for number in numbers:
            try:
                outcome = self._outcome(number)
            except Exception:  # noqa: BLE001, S112  the parent is to meet with the same, and to tell
                continue
            if outcome is not None and _is_fit(outcome):
                yield outcome

    def _outcome(self, number: int) -> Outcome | None:
        session, target = self._session, self._targets[number]
        lowered = session.lowered(target.path)
        if lowered.problem is not None:
            return None  # it may be that the stack did not suffice, of which the parent has another one
        before = len(session.internal_errors)
        session.was_too_deep = False
        checked, too_deep = self._check(number, target)
        if too_deep:
            return None
        data = lowered.data if checked.found else None
        errors = tuple(session.internal_errors[before:])
        return Outcome(number, checked.found, checked.hidden, checked.codes, errors, data)

    def _check(self, number: int, target: Target) -> tuple[Checked, bool]:
        session = self._session
        if self._verdicts is None:
            return session.checked(target), session.was_too_deep
        settings = self._job.settings_of(number)
        with self._verdicts.watching(target, settings, session) as keep:
            checked = session.checked(target)
            too_deep = session.was_too_deep
            keep(checked)
        return checked, too_deep

    def _shares(self) -> Iterator[Share]:
        if self._verdicts is None:
            return
        numbers = {target: number for number, target in enumerate(self._targets)}
        for target, learned in self._verdicts.learned(self._session):
            yield share(numbers[target], learned)


def _encoded(answer: list[Outcome] | list[Share]) -> bytes:
    try:
        return jobs.encode(answer)
    except jobs.UNFIT:
        return jobs.encode([])


def _is_fit(outcome: Outcome) -> bool:
    """Whether an outcome can be told: texts may hold what is none."""
    if not outcome.found and not outcome.hidden and not outcome.errors:
        return True
    try:
        jobs.encode(outcome)
    except jobs.UNFIT:
        return False
    return True
