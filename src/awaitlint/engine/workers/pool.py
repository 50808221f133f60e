"""Handing out files to processes, and collecting what they find.

First each lowers a share of the files and leaves the facts on disk, where the others find what their own
files import: no module is lowered twice.  Then they check chunks of files, each its own ones first, and then
what others have not got round to.  A file of which nothing comes back, whatever the reason, is left to the
caller.
"""

from __future__ import annotations

import queue
import shutil
import tempfile
import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from awaitlint.engine.verdicts.exchange import learned_of
from awaitlint.engine.workers import job as jobs
from awaitlint.engine.workers.harvest import Harvest
from awaitlint.engine.workers.job import Request
from awaitlint.engine.workers.processors import can_fork, size_of
from awaitlint.engine.workers.start import start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.options import Options
    from awaitlint.engine.workers.job import Job
    from awaitlint.engine.workers.start import Process
    from awaitlint.files.discover import Target

#: chunks that each worker gets: with fewer, one ends long before the other
_CHUNKS = 8
#: what a file costs besides its text, in bytes of text
_EACH = 256
#: seconds after which an interrupt is noticed on systems that do not wake up for it
_INTERVAL = 0.5


def check_in_processes(
    targets: Sequence[tuple[Target, Settings]],
    others: Sequence[Target],
    options: Options,
    overlays: dict[Path, bytes],
    number: int,
    *,
    keeps: bool,
    progress: Callable[[], None] | None = None,
) -> Harvest:
    """Check files in processes of their own; nothing that happens to these makes it fail.

    Args:
        targets: The files and the settings that govern them.
        others: The other files of the run.
        options: How to run.
        overlays: Unsaved buffers.
        number: How many processes.
        keeps: Whether to learn what a later run can take over.
        progress: Called once for each file that is done.
    """
    harvest = Harvest()
    try:
        spare = tempfile.mkdtemp(prefix="awaitlint-")
    except OSError as problem:
        harvest.warnings.append(f"no directory for what workers share: {problem.strerror}")
        return harvest
    try:
        sizes = [size_of(target.file) + _EACH for target, _ in targets]
        chunks = chunks_of([target.file for target, _ in targets], sizes, number * _CHUNKS)
        job = jobs.job(targets, others, chunks, replace(options, jobs=1), overlays, spare, keeps=keeps)
        pool = _Pool(job, targets, sizes, harvest, progress)
        try:
            pool.work(number)
        finally:
            pool.end()
    finally:
        shutil.rmtree(spare, ignore_errors=True)
    return harvest


def chunks_of(files: Sequence[str], sizes: Sequence[int], number: int) -> list[list[int]]:
    """About so many chunks of files, neighbours together, which import each other; a large file is one."""
    most = sum(sizes) / number
    chunks: list[list[int]] = []
    size = most
    for each in sorted(range(len(files)), key=lambda each: files[each]):
        if size + sizes[each] > most:
            chunks.append([])
            size = 0
        chunks[-1].append(each)
        size += sizes[each]
    return chunks


class _Plan:
    """Chunks that are to be done, each meant for one of the workers.

    Args:
        sizes: The bytes of each chunk.
        meant: The worker that each chunk is for.
        number: How many workers there are.
    """

    def __init__(self, sizes: Sequence[int], meant: dict[int, int], number: int) -> None:
        self._sizes = sizes
        self._queues: list[deque[int]] = [deque() for _ in range(number)]
        # the largest first, or the last one keeps everybody waiting
        for chunk in sorted(meant, key=lambda chunk: (-sizes[chunk], chunk)):
            self._queues[meant[chunk]].append(chunk)

    def next(self, worker: int) -> int | None:
        """What a worker does next: what is its own, and then what another has most of."""
        own = self._queues[worker]
        if own:
            return own.popleft()
        richest = max(self._queues, key=lambda chunks: sum(self._sizes[chunk] for chunk in chunks))
        return richest.pop() if richest else None


class _Pool:
    """Workers, and what they are doing.

    Args:
        job: What they are there for.
        targets: The files, and the settings that govern them.
        sizes: The bytes of each.
        harvest: Where what they find goes.
        progress: Called once for each file that is done.
    """

    def __init__(
        self,
        job: Job,
        targets: Sequence[tuple[Target, Settings]],
        sizes: Sequence[int],
        harvest: Harvest,
        progress: Callable[[], None] | None,
    ) -> None:
        self._job = job
        self._targets = targets
        self._sizes = [sum(sizes[number] for number in chunk) for chunk in job.chunks]
        self._harvest = harvest
        self._progress = progress
        self._workers: dict[int, Process] = {}
        self._gone: list[Process] = []
        self._readers: list[threading.Thread] = []
        self._answers: queue.SimpleQueue[tuple[int, bytes | None]] = queue.SimpleQueue()
        self._busy: dict[int, Request] = {}
        #: chunks that a worker has ended over
        self._fatal: set[int] = set()
        self._is_done = False

    def work(self, number: int) -> None:
        """Have everything done by so many workers."""
        try:
            self._start(number)
        except (OSError, *jobs.UNFIT) as problem:
            self._harvest.warnings.append(f"no worker process could be started: {problem}")
            return
        lowered = self._round(jobs.LOWER, self._shares_of(number), number)
        self._each(jobs.FLUSH)
        meant = {chunk: lowered.get(chunk, 0) for chunk in range(len(self._job.chunks))}
        self._round(jobs.CHECK, meant, number)
        self._each(jobs.REPORT)
        self._is_done = True

    def _start(self, number: int) -> None:
        from awaitlint.engine.workers.child import prepare, serve  # noqa: PLC0415  everything that copies shall have

        fork = can_fork()
        if fork:
            prepare()
        first = jobs.encode(self._job)
        started = start(number, lambda pipes: serve(pipes, jobs.decode_job(first)), fork=fork)
        self._workers = dict(enumerate(started))
        for worker, process in self._workers.items():
            reader = threading.Thread(target=self._listen, args=(worker, process), daemon=True)
            self._readers.append(reader)
            reader.start()
        if not fork:
            for worker in list(self._workers):
                self._send(worker, first)

    def _listen(self, worker: int, process: Process) -> None:
        answer: bytes | None = b""
        while answer is not None:
            try:
                answer = process.pipes.receive()
            except (OSError, ValueError, MemoryError):
                answer = None
            self._answers.put((worker, answer))

    def _shares_of(self, number: int) -> dict[int, int]:
        """A stretch of the chunks for each worker."""
        meant, before, total = {}, 0, sum(self._sizes)
        for chunk, size in enumerate(self._sizes):
            meant[chunk] = min(number - 1, (2 * before + size) * number // (2 * total))
            before += size
        return meant

    # ------------------------------------------------------------------ rounds
    def _round(self, kind: int, meant: dict[int, int], number: int) -> dict[int, int]:
        """Have chunks done; answers which worker has done which."""
        plan = _Plan(self._sizes, {c: w for c, w in meant.items() if c not in self._fatal}, number)
        done: dict[int, int] = {}
        for worker in list(self._workers):
            self._hand_out(plan, kind, worker)
        while self._busy:
            worker, request, answer = self._next()
            if answer is not None:
                done[request.chunk] = worker
                if kind == jobs.CHECK:
                    self._take(answer, request.chunk)
                self._hand_out(plan, kind, worker)
        return done

    def _each(self, kind: int) -> None:
        for worker in list(self._workers):
            self._ask(worker, Request(kind))
        while self._busy:
            _, _, answer = self._next()
            if answer is not None and kind == jobs.REPORT:
                for share in jobs.decode_shares(answer):
                    self._harvest.learned.append((*self._targets[share.target], learned_of(share)))

    def _take(self, answer: bytes, chunk: int) -> None:
        for outcome in jobs.decode_outcomes(answer):
            self._harvest.outcomes[self._targets[outcome.target][0].file] = outcome
        for _ in self._job.chunks[chunk]:
            if self._progress is not None:
                self._progress()

    def _hand_out(self, plan: _Plan, kind: int, worker: int) -> None:
        if worker in self._workers:
            chunk = plan.next(worker)
            if chunk is not None:
                self._ask(worker, Request(kind, chunk))

    def _ask(self, worker: int, request: Request) -> None:
        self._busy[worker] = request
        self._send(worker, jobs.encode(request))

    def _send(self, worker: int, message: bytes) -> None:
        try:
            self._workers[worker].pipes.send(message)
        except OSError:  # it has ended, and the reader will say so
            return

    def _next(self) -> tuple[int, Request, bytes | None]:
        """The next answer, what was asked for, and by whom; None in its place where a worker has ended."""
        while True:
            try:
                worker, answer = self._answers.get(timeout=_INTERVAL)
            except queue.Empty:
                continue
            if answer is None:
                process = self._workers.pop(worker)
                self._gone.append(process)
                self._harvest.warnings.append(
                    f"a worker process {process.fate()}; its files are checked in the main process"
                )
            request = self._busy.pop(worker, None)
            if answer is None and request is not None and request.chunk >= 0:
                self._fatal.add(request.chunk)
            if request is not None:
                return worker, request, answer

    def end(self) -> None:
        """End the workers: those that have not done their work yet are not waited for."""
        for worker, process in self._workers.items():
            if self._is_done:
                self._send(worker, jobs.encode(Request(jobs.END)))
            else:
                process.terminate()
        for process in (*self._workers.values(), *self._gone):
            process.wait()
        for reader in self._readers:
            reader.join()
        for process in (*self._workers.values(), *self._gone):
            process.pipes.close()
