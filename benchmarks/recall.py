"""The await-deletion benchmark: how many deleted `await` keywords awaitlint finds, and puts back.

python -m benchmarks.recall --set dev
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environments, packages, tables
from benchmarks.fixing import SELECT, Repair, apply_fixes
from benchmarks.mutation import Mutation, mutate
from benchmarks.packages import Package
from benchmarks.processes import RunError
from benchmarks.results import Result, Store
from benchmarks.tools import AWAITLINT, PEERS, Job, Tool, ToolError, check, version

WORK = Path(__file__).with_name(".work")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    packages: tuple[Package, ...]
    work: Path
    store: Store
    seed: int
    count: int
    awaitlint: list[str]
    peers: tuple[tuple[Tool, Path], ...]
    dependencies: bool
    fix: bool
    select: str
    again: bool

    def environment(self, package: Package) -> Path:
        """The virtual environment that the tools may look into."""
        if self.dependencies:
            return environments.with_dependencies(package, self.work)
        return environments.empty(self.work)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        options = _options(given)
    except ValueError as error:
        parser.error(str(error))
    if not given.tables:
        for package in options.packages:
            measure(package, options)
    results = options.store.results(options.packages, dependencies=options.dependencies)
    if given.missed is not None:
        write_lists(given.missed, results, _missed)
    if given.unrepaired is not None:
        write_lists(given.unrepaired, results, _unrepaired)
    condition = "with dependencies" if options.dependencies else "no dependencies"
    for subset in ("dev", "heldout"):
        if chosen := [each for each in results if each[0].subset == subset]:
            print(f"## {subset}\n")
            print("\n".join(tables.report(chosen, f"{subset}, {condition}")))
    print("## awaitlint's findings in the unmutated packages\n")
    print(*tables.clean_findings(results), sep="\n", end="\n\n")
    print("## Lines that its fixes changed outside of the mutated statements\n")
    print(*tables.other_changes(results), sep="\n")
    failed = [result for _, group in results for result in group if result.error]
    for result in failed:
        print(f"{result.package}: {result.error}", file=sys.stderr)
    return bool(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--set", default="all", choices=("dev", "heldout", "all"), help="the packages to measure")
    add("--package", action="append", default=[], help="measure this one (can be repeated)")
    add("--seed", type=int, default=1)
    add("--count", type=int, default=200, help="mutants per package, at most (default: 200)")
    add("--work", type=Path, default=WORK, help="where packages, trees and environments are kept")
    add("--results", type=Path, help="where the results are kept (default: results/ in the work directory)")
    add("--tables", action="store_true", help="run nothing: make the tables from the results")
    add("--missed", type=Path, help="write the missed mutants to this file, or below this directory")
    add("--unrepaired", type=Path, help="likewise those that were found and not restored by the fix")
    add("--awaitlint", default="", help="the command that starts awaitlint (default: this Python's)")
    add("--no-fix", action="store_true", help="leave out the fixes")
    add("--fix-select", default=SELECT, help=f"the rules whose fixes are applied (default: {SELECT})")
    add("--peer", action="append", default=[], choices=(*PEERS, "all"), help="run this tool, too")
    add("--peers", type=Path, help="the virtual environment that the peers are installed in")
    add("--again", action="store_true", help="run peers even where there are results of this version")
    add("--with-dependencies", action="store_true", help="install each package's dependencies for the tools")
    return parser


def _options(given: argparse.Namespace) -> Options:
    """The options, with their defaults.

    Raises:
        ValueError: they do not fit together.
    """
    names = [name for name in PEERS if name in given.peer or "all" in given.peer]
    if names and given.peers is None:
        raise ValueError("--peer needs --peers, the virtual environment with the tools of peers.txt")
    peers = [(PEERS[name], (given.peers / "bin" / name).absolute()) for name in names]
    if absent := [str(path) for _, path in peers if not path.exists()]:
        raise ValueError(f"not installed: {', '.join(absent)}")
    work = given.work.absolute()
    return Options(
        packages=packages.choose(packages.load(), given.set, given.package),
        work=work,
        store=Store(given.results or work / "results"),
        seed=given.seed,
        count=given.count,
        awaitlint=shlex.split(given.awaitlint) or [sys.executable, "-m", "awaitlint"],
        peers=tuple(peers),
        dependencies=given.with_dependencies,
        fix=not given.no_fix,
        select=given.fix_select,
        again=given.again,
    )


def measure(package: Package, options: Options) -> None:
    """Mutate a package, run the tools, and keep what they say."""
    tree = options.work / "trees" / package.release
    mutation = mutate(
        packages.fetch(package, options.work),
        tree,
        version=package.version,
        subset=package.subset,
        name=package.distribution,
        seed=options.seed,
        count=options.count,
    )
    options.store.save_mutation(mutation)
    job = Job(package.module, options.environment(package), options.dependencies)
    _tell(package, f"{mutation.lines} lines, {len(mutation.mutants)} of {mutation.sites} awaits deleted")
    result = run_tool(
        AWAITLINT, options.awaitlint, tree, job, mutation, fix=options.select if options.fix else ""
    )
    options.store.save(result)
    for tool, path in options.peers:
        known = options.store.result(package, tool.name, mutation, dependencies=options.dependencies)
        if known is None or known.error or options.again or known.version != version([str(path)], tree):
            options.store.save(run_tool(tool, [str(path)], tree, job, mutation))


def run_tool(
    tool: Tool, command: Sequence[str], tree: Path, job: Job, mutation: Mutation, *, fix: str = ""
) -> Result:
    """What a tool says about both trees; with `fix`, also what the fixes of these rules of awaitlint do."""
    clean = mutated = fixed = None
    named, error = "", ""
    try:
        named = version(command, tree)
        clean = check(tool, command, tree / "clean", job)
        mutated = check(tool, command, tree / "mutated", job)
        if fix:
            fixed = apply_fixes(command, tree, job, mutation.mutants, select=fix)
    except (RunError, ToolError) as failure:
        error = str(failure)
    result = Result(
        package=mutation.package,
        tool=tool.name,
        version=named,
        dependencies=job.dependencies,
        fingerprint=mutation.fingerprint,
        clean=clean,
        mutated=mutated,
        fixed=fixed,
        error=error,
    )
    found = sum(bool(outcome.found) for outcome in result.score(mutation).outcomes)
    cost = f"{clean.cost.cpu:.1f} CPU s" if clean else "failed"
    print(
        f"{mutation.package}: {tool.name} finds {found} of {len(mutation.mutants)}; {cost}", file=sys.stderr
    )
    return result


def _tell(package: Package, text: str) -> None:
    print(f"{package.distribution}: {text}", file=sys.stderr)


def _missed(mutation: Mutation, result: Result) -> Iterable[str]:
    for outcome in result.score(mutation).outcomes:
        if not outcome.found:
            mutant = outcome.mutant
            yield f"{mutant.file}:{mutant.line} {mutant.shape} {mutant.callee} | {mutant.source}"


def _unrepaired(mutation: Mutation, result: Result) -> Iterable[str]:
    repairs = result.fixed.repairs if result.fixed else ()
    for outcome, repair in zip(result.score(mutation).outcomes, repairs, strict=False):
        if outcome.found and repair is not Repair.RESTORED:
            mutant, codes = outcome.mutant, ",".join(sorted({each.code for each in outcome.found}))
            yield f"{mutant.file}:{mutant.line} {mutant.shape} {repair}, {codes} | {mutant.source}"


def write_lists(
    path: Path, results: tables.Results, lines_of: Callable[[Mutation, Result], Iterable[str]]
) -> None:
    """Write a list about awaitlint's results to a file, or one for each package to a directory."""
    texts = {
        mutation.package: "".join(f"{line}\n" for line in lines_of(mutation, result))
        for mutation, group in results
        for result in group
        if result.tool == AWAITLINT.name
    }
    if path.is_dir():
        for name, text in texts.items():
            (path / f"{name}.txt").write_text(text, encoding="utf-8")
    else:
        path.write_text("".join(texts.values()), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
