"""The measured results on disk, from which tables can be made again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from benchmarks.fixing import Fixed
from benchmarks.mutation import Mutation
from benchmarks.packages import Package
from benchmarks.scoring import Score, score
from benchmarks.tools import AWAITLINT, PEERS, Checked


class Result(msgspec.Struct, frozen=True):
    """What a tool said about a package's two trees, or why it did not."""

    package: str
    tool: str
    version: str
    dependencies: bool
    #: that of the mutation
    fingerprint: str
    clean: Checked | None
    mutated: Checked | None
    fixed: Fixed | None = None
    error: str = ""

    def score(self, mutation: Mutation) -> Score:
        """Which mutants were found; none where the tool failed."""
        tool = AWAITLINT if self.tool == AWAITLINT.name else PEERS[self.tool]
        clean = self.clean.diagnostics if self.clean else ()
        mutated = self.mutated.diagnostics if self.mutated else ()
        return score(mutation.mutants, clean, mutated, tool)


class Store:
    """A directory of results."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save_mutation(self, mutation: Mutation) -> None:
        self._write(f"{mutation.package}.mutants.json", mutation)

    def mutation(self, package: Package) -> Mutation | None:
        path = self.directory / f"{package.distribution}.mutants.json"
        return msgspec.json.decode(path.read_bytes(), type=Mutation) if path.exists() else None

    def save(self, result: Result) -> None:
        self._write(_name(result.package, result.tool, dependencies=result.dependencies), result)

    def result(self, package: Package, tool: str, mutation: Mutation, *, dependencies: bool) -> Result | None:
        """A tool's result for the given mutants, if there is one."""
        path = self.directory / _name(package.distribution, tool, dependencies=dependencies)
        if not path.exists():
            return None
        result = msgspec.json.decode(path.read_bytes(), type=Result)
        return result if result.fingerprint == mutation.fingerprint else None

    def results(
        self, packages: Iterable[Package], *, dependencies: bool
    ) -> list[tuple[Mutation, list[Result]]]:
        """For each package that was mutated, what every tool said."""
        found = []
        for package in packages:
            if mutation := self.mutation(package):
                tools = [AWAITLINT.name, *PEERS]
                each = [self.result(package, tool, mutation, dependencies=dependencies) for tool in tools]
                found.append((mutation, [result for result in each if result is not None]))
        return found

    def _write(self, name: str, value: object) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        text = msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1)
        (self.directory / name).write_bytes(text + b"\n")


def _name(package: str, tool: str, *, dependencies: bool) -> str:
    return f"{package}.{'dependencies' if dependencies else 'alone'}.{tool}.json"
