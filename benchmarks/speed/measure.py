"""Runs commands in rounds, and notes what each cost."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import Cost, RunError, run
from benchmarks.speed.commands import Command
from benchmarks.speed.data import Measured, Measurements
from benchmarks.speed.edits import Edit, applied
from benchmarks.speed.trees import Assembled

NOTHING = "nothing changed"
_DEVNULL = Path(os.devnull)


class Limits(NamedTuple):
    """How much time there is."""

    #: how often everything is run
    rounds: int
    #: seconds of wall time: what takes longer is run once
    slow: float
    #: seconds of wall time that a command may take; what would take longer is not run
    longest: float


class FailedError(Exception):
    """A command did not do what it should."""


def measure(command: Command, directory: Path, limits: Limits, stdin: Path = _DEVNULL) -> Cost:
    """The cost of a command, run once.

    Raises:
        FailedError: it failed, or took too long.
    """
    try:
        finished = run(command.arguments, directory, timeout=limits.longest, stdin=stdin)
    except RunError as error:
        raise FailedError(f"it took more than {limits.longest:.0f} s") from error
    if finished.exit_code not in (0, 1):
        raise FailedError(f"it exited with {finished.exit_code}")
    return finished.cost


class Rounds:
    """Rounds of commands, forth and back, and what each cost so far."""

    def __init__(self, commands: Sequence[Command], subject: str, limits: Limits) -> None:
        self._commands = commands
        self._subject = subject
        self._limits = limits
        self._costs: dict[str, list[Cost]] = {command.name: [] for command in commands}
        self._notes: dict[str, str] = {}

    def leave_out(self, name: str, reason: str) -> None:
        """Do not run a command, and note why."""
        self._notes[name] = reason

    def run(self, directory: Path, stdin: Path = _DEVNULL) -> None:
        """Run all rounds."""
        for number in range(self._limits.rounds):
            for command in self._commands if number % 2 == 0 else reversed(self._commands):
                self.step(command, lambda each: measure(each, directory, self._limits, stdin))

    def step(self, command: Command, cost_of: Callable[[Command], Cost]) -> None:
        """Run one command once more, unless there is a reason not to."""
        name = command.name
        if name in self._notes:
            return
        try:
            cost = cost_of(command)
        except FailedError as failed:
            self._notes[name] = str(failed)
            self._costs[name].clear()
            print(f"{self._subject}: {name}: {failed}", file=sys.stderr)
            return
        self._costs[name].append(cost)
        if cost.wall > self._limits.slow and self._limits.rounds > 1:
            self._notes[name] = "1 round" if len(self._costs[name]) == 1 else "fewer rounds"
        print(f"{self._subject}: {name}: {cost.cpu:.2f} CPU s, {cost.wall:.2f} s", file=sys.stderr)

    @property
    def measured(self) -> list[Measured]:
        """The costs of each command."""
        return [
            Measured(name, self._subject, tuple(costs), self._notes.get(name, ""))
            for name, costs in self._costs.items()
        ]


def cold(
    trees: Iterable[Assembled], commands: Callable[[Path], Sequence[Command]], limits: Limits
) -> Measurements:
    """What it costs to check trees, the smaller ones first; what would take too long is left out."""
    done: list[Measured] = []
    before: dict[str, tuple[int, Measured]] = {}
    for tree in trees:
        of_tree = commands(tree.directory)
        rounds = Rounds(of_tree, tree.name, limits)
        for command in of_tree:
            lines, last = before.get(command.name, (0, None))
            if last is not None and (reason := _too_long(last, tree.lines / lines, limits)):
                rounds.leave_out(command.name, reason)
        rounds.run(tree.directory)
        done += rounds.measured
        for each in rounds.measured:
            # a line says nothing of what more lines cost
            if tree.lines > 1:
                before[each.name] = (tree.lines, each)
    return Measurements(tuple(done))


def _too_long(last: Measured, factor: float, limits: Limits) -> str:
    """Why a command is not run on a tree that is so many times larger; empty if it is."""
    if not last.costs:
        return last.note
    return f"would take more than {limits.longest:.0f} s" if last.wall * factor > limits.longest else ""


def warm(tree: Assembled, commands: Sequence[Command], edits: Sequence[Edit], limits: Limits) -> Measurements:
    """What it costs to check a tree again: as it is, and after each edit, which is undone every time."""
    subjects = {edit.name: Rounds(commands, edit.name, limits) for edit in edits}
    unchanged = Rounds(commands, NOTHING, limits)
    everything = [unchanged, *subjects.values()]

    def once(command: Command) -> Cost:
        return measure(command, tree.directory, limits)

    def edited(command: Command, edit: Edit) -> Cost:
        try:
            with applied(edit, tree.directory):
                return once(command)
        finally:
            once(command)  # learns what the file was before

    for command in commands:
        try:
            once(command)
            once(command)  # what the first run wrote may make it write again
        except FailedError as failed:
            for rounds in everything:
                rounds.leave_out(command.name, str(failed))
    for number in range(limits.rounds):
        for command in commands if number % 2 == 0 else reversed(commands):
            unchanged.step(command, once)
            for edit in edits:
                subjects[edit.name].step(command, lambda each, edit=edit: edited(each, edit))  # type: ignore[misc]
    return Measurements(tuple(each for rounds in everything for each in rounds.measured))


def repeated(
    commands: Sequence[Command], subject: str, directory: Path, limits: Limits, stdin: Path = _DEVNULL
) -> Measurements:
    """What commands cost that are run in one place, after a run that is not counted."""
    for command in commands:
        measure(command, directory, limits, stdin)
    rounds = Rounds(commands, subject, limits)
    rounds.run(directory, stdin)
    return Measurements(tuple(rounds.measured))
