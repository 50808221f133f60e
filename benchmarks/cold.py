"""What a run without a cache costs, beside parsing the same files and beside other tools.

python -m benchmarks.cold --set dev
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import environments, packages
from benchmarks.processes import Cost, run
from benchmarks.recall import WORK
from benchmarks.tables import table

#: Parses every file below the first argument; the second says whether garbage is collected meanwhile.
PARSE = """
import ast, gc, pathlib, sys, warnings
warnings.simplefilter("ignore")
if sys.argv[2] == "off":
    gc.disable()
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.py")):
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        pass
"""

PYTHON, ONE_LINE, AWAITLINT = "Python, nothing to do", "awaitlint, one line", "awaitlint"
PARSED, PARSED_OFF = "ast.parse", "ast.parse, collector off"


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is measured in every round."""

    name: str
    arguments: Sequence[str]
    #: the command whose cost is its start-up, which ratios leave out
    start: str = ""
    #: does it look at all the files?
    whole: bool = True


Rounds = Sequence[Mapping[str, Cost]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--set", default="dev", choices=("dev", "heldout", "all"), help="the packages to check, all at once")
    add("--package", action="append", default=[], help="check this one (can be repeated)")
    add("--rounds", type=int, default=5, help="how often everything is run (default: 5)")
    add("--work", type=Path, default=WORK, help="where packages and trees are kept")
    add("--peers", type=Path, help="a virtual environment; those of its tools that are there are run, too")
    given = parser.parse_args(arguments)
    try:
        chosen = packages.choose(packages.load(), given.set, given.package)
    except ValueError as error:
        parser.error(str(error))
    work = given.work.absolute()
    tree = gather(chosen, work)
    binaries = given.peers.absolute() / "bin" if given.peers else None
    commands = [*own_commands(work), *peer_commands(binaries, environments.empty(work))]
    rounds = [one_round(commands, tree, number) for number in range(given.rounds)]
    files = list(tree.rglob("*.py"))
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    names = ", ".join(package.release for package in chosen)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(
        report(commands, rounds, lines, f"{len(files)} files, {lines} lines, {python}, {given.rounds} rounds")
    )
    print(f"Packages: {names}")
    return 0


def gather(chosen: Sequence[packages.Package], work: Path) -> Path:
    """A directory with the sources of all packages, and with nothing to configure a tool."""
    tree = work / "cold"
    shutil.rmtree(tree, ignore_errors=True)
    for package in chosen:
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "*.so")
        shutil.copytree(packages.fetch(package, work), tree / package.module, ignore=ignore)
    (tree / "pyproject.toml").touch()
    (work / "one").mkdir(exist_ok=True)
    (work / "one" / "pyproject.toml").touch()
    (work / "one" / "one.py").write_text("x = 1\n", encoding="utf-8")
    return tree


def own_commands(work: Path) -> list[Command]:
    """awaitlint, and what it is compared with: this Python, starting and parsing."""
    check = [sys.executable, "-m", "awaitlint", "check", "--isolated", "--no-cache", "--quiet", "--exit-zero"]
    check += ["--no-respect-gitignore", "--exclude", "__pycache__"]
    return [
        Command(PYTHON, [sys.executable, "-c", "pass"], whole=False),
        Command(ONE_LINE, [*check, str(work / "one" / "one.py")], whole=False),
        Command(PARSED, [sys.executable, "-c", PARSE, ".", "on"], start=PYTHON),
        Command(PARSED_OFF, [sys.executable, "-c", PARSE, ".", "off"], start=PYTHON),
        Command(AWAITLINT, [*check, "."], start=ONE_LINE),
    ]


def peer_commands(binaries: Path | None, environment: Path) -> list[Command]:
    """Other tools, as far as they are installed."""
    if binaries is None:
        return []
    python = str(environment / "bin" / "python")
    pyrefly = ["check", "--preset", "default", "--summary=none", "--progress-bar", "no", "--search-path", "."]
    mypy = ["--config-file=", "--cache-dir=/dev/null", "--explicit-package-bases"]
    known = {
        "ruff": ["check", "--isolated", "--no-cache", "--exit-zero", "--quiet", "--select", "ASYNC"],
        "ty": ["check", "--exit-zero", "--no-progress", "--quiet", "--python", str(environment)],
        "pyrefly": [*pyrefly, "--python-interpreter-path", python],
        "mypy": [*mypy, "--ignore-missing-imports", "--python-executable", python],
    }
    return [
        Command(name, [str(binaries / name), *arguments, "."])
        for name, arguments in known.items()
        if (binaries / name).exists()
    ]


def one_round(commands: Sequence[Command], tree: Path, number: int) -> dict[str, Cost]:
    """The cost of each command, run once; in every other round in reverse order.

    Raises:
        RuntimeError: a command failed.
    """
    costs = {}
    for command in commands if number % 2 == 0 else reversed(commands):
        finished = run(command.arguments, tree)
        if finished.exit_code not in (0, 1):
            raise RuntimeError(f"{command.name} exited with {finished.exit_code}: {finished.errors[-500:]}")
        costs[command.name] = finished.cost
        print(f"round {number + 1}: {command.name}: {finished.cost.cpu:.2f} CPU s", file=sys.stderr)
    return costs


def report(commands: Sequence[Command], rounds: Rounds, lines: int, title: str) -> str:
    """The table: medians over the rounds; a ratio is the median of the rounds' ratios."""
    baselines = [command for command in commands if command.name in (PARSED, PARSED_OFF, "ty")]
    head = [
        "command",
        "CPU s",
        "wall s",
        "lines per CPU s",
        "peak MiB",
        *(f"x {each.name}" for each in baselines),
    ]
    return table(title, head, [_row(command, baselines, rounds, lines) for command in commands])


def _row(command: Command, baselines: Sequence[Command], rounds: Rounds, lines: int) -> list[str]:
    costs = [each[command.name] for each in rounds]
    cpu, wall = median(cost.cpu for cost in costs), median(cost.wall for cost in costs)
    peak = f"{median(cost.peak for cost in costs):.0f}"
    if not command.whole:
        return [command.name, f"{cpu:.3f}", f"{wall:.3f}", "-", peak, *("-" for _ in baselines)]
    ratios = [median(_net(command, each) / _net(baseline, each) for each in rounds) for baseline in baselines]
    speed = f"{lines / cpu:,.0f}"
    return [command.name, f"{cpu:.2f}", f"{wall:.2f}", speed, peak, *(f"{ratio:.2f}" for ratio in ratios)]


def _net(command: Command, costs: Mapping[str, Cost]) -> float:
    """CPU seconds of a command, less its start-up; never nothing, so that one can divide by it."""
    return max(costs[command.name].cpu - (costs[command.start].cpu if command.start else 0), 0.0001)


if __name__ == "__main__":
    sys.exit(main())
