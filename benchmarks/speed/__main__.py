"""What awaitlint costs, beside parsing the same files and beside other tools; writes docs/benchmarks.md.

python -m benchmarks.speed --quick
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import environments, releases
from benchmarks.comparison import peers as comparison_peers
from benchmarks.processes import run
from benchmarks.recall import WORK
from benchmarks.speed import commands, data, edits, installations, measure, page, trees
from benchmarks.speed.commands import AWAITLINT, COMPILED
from benchmarks.tools import ToolError

PAGE = installations.PROJECT / "docs" / "benchmarks.md"
PLOT = PAGE.with_suffix(".svg")
#: a released module of about 2,000 lines, and the tree that has it
_FILE, _FILE_TREE = "httpx/_client.py", "10k"
_QUICK, _WARM = ("10k", "100k"), "1M"
#: what takes milliseconds is run more often
_OFTEN = 4


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.page:
        try:
            results = _measure(given)
        except (subprocess.CalledProcessError, ToolError, measure.FailedError) as error:
            print(error, file=sys.stderr)
            return 1
        data.save(results, given.results)
    write(data.load(given.results), given.output)
    return 0


def write(results: data.Results, output: Path) -> None:
    """Write the page, and the plot beside it."""
    output.write_text(page.page(results), encoding="utf-8")
    output.with_suffix(".svg").write_text(page.plot(results), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--quick",
        action="store_true",
        help=f"the trees {' and '.join(_QUICK)} only, one round",
    )
    add("--page", action="store_true", help="run nothing: make the page and the plot of the results")
    add("--rounds", type=int, default=5, help="how often everything is run (default: 5)")
    add("--slow", type=float, default=60, help="what takes more seconds is run once (default: 60)")
    add("--longest", type=float, default=600, help="what would take more seconds is not run (default: 600)")
    add("--tree", action="append", default=[], choices=trees.BY_NAME, help="check this one (can be repeated)")
    add(
        "--warm",
        choices=("none", *edits.MODULES),
        help=f"the tree that is checked with caches (default: {_WARM})",
    )
    add("--wheel", type=Path, help="a wheel of awaitlint, such as a compiled one, which is measured as well")
    add("--peers", type=Path, help="a virtual environment with the other tools (default: one that is made)")
    add("--no-peers", action="store_true", help="run no other tools")
    add("--work", type=Path, default=WORK, help="where packages, trees and environments are kept")
    add("--results", type=Path, default=data.RESULTS, help="where the numbers are kept")
    add("--output", type=Path, default=PAGE, help="the page; the plot goes beside it")
    return parser


def _measure(given: argparse.Namespace) -> data.Results:
    """Run everything.

    Raises:
        subprocess.CalledProcessError: something could not be installed or downloaded.
        ToolError, FailedError: something that is run often does not run at all.
    """
    work = given.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    limits = measure.Limits(given.rounds, given.slow, given.longest)
    names = given.tree or [tree.name for tree in trees.TREES]
    if given.quick:
        limits, names = measure.Limits(1, 60, 60), given.tree or list(_QUICK)
    where = _environments(given, work)
    known = releases.load()
    line = trees.one_line(work / "speed" / "one")
    found = [trees.assemble(trees.BY_NAME[name], known, work, work / "speed" / name) for name in names]
    # cheap and sensitive: first, and several rounds even where the rest has one
    often = limits._replace(rounds=limits.rounds * _OFTEN)
    start_up = measure.repeated(commands.start_up(where), trees.ONE_LINE, line.directory, often)
    one_file, lines = _one_file(where, known, work, often)
    results = data.Results(
        date=data.today(),
        machine=data.machine(),
        rounds=limits.rounds,
        slow=limits.slow,
        longest=limits.longest,
        versions=_versions(where, work),
        trees=tuple(_size(tree) for tree in (line, *found)),
        cold=measure.cold([line, *found], lambda tree: commands.cold(where, tree), limits),
        one_file=one_file,
        one_file_lines=lines,
        start_up=start_up,
    )
    # an hour's worth: kept, whatever becomes of the rest
    data.save(results, work / "speed" / "cold.json")
    warm = given.warm or ("none" if given.quick or given.tree else _WARM)
    if warm == "none":
        return results
    tree = trees.assemble(trees.BY_NAME[warm], known, work, work / "speed" / "warm")
    caches = work / "speed" / "caches"
    found_warm = measure.warm(tree, commands.warm(where, caches), edits.edits(*edits.MODULES[warm]), limits)
    return msgspec.structs.replace(results, warm=found_warm, warm_tree=_size(tree))


def _environments(given: argparse.Namespace, work: Path) -> commands.Environments:
    own = {AWAITLINT: installations.awaitlint(work)}
    if given.wheel is not None:
        own[COMPILED] = installations.awaitlint(work, "wheel", given.wheel.absolute())
    peers = given.peers.absolute() if given.peers else None
    if peers is None and not given.no_peers:
        peers = installations.peers(work)
    return commands.Environments(own, installations.flake8(work), peers, environments.empty(work))


def _one_file(
    where: commands.Environments, known: Sequence[releases.Release], work: Path, limits: measure.Limits
) -> tuple[data.Measurements, int]:
    """flake8 on one file, and the lines of that."""
    tree = trees.assemble(trees.BY_NAME[_FILE_TREE], known, work, work / "speed" / "file")
    text = tree.directory / _FILE
    of_file = commands.one_file(where, _FILE)
    measured = measure.repeated(of_file, _FILE, tree.directory, limits, stdin=text)
    return measured, text.read_bytes().count(b"\n")


def _versions(where: commands.Environments, work: Path) -> dict[str, str]:
    """The versions of all that is run."""
    said = run([str(where.own[AWAITLINT] / "bin" / "awaitlint"), "version"], work).output.split()
    found = {AWAITLINT: said[1], "flake8": comparison_peers.version(where.flake8, "flake8")}
    for name, script in commands.PEERS.items():
        if where.peers is not None and installations.executable(where.peers, script):
            found[name] = comparison_peers.version(where.peers, name)
    return found


def _size(tree: trees.Assembled) -> data.TreeSize:
    return data.TreeSize(tree.name, tree.files, tree.lines, tree.releases)


if __name__ == "__main__":
    sys.exit(main())
