"""docs/benchmarks.md, and the plot in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.speed.commands import AWAITLINT, COMPILED, FLAKE8, PARSED, PYTHON
from benchmarks.speed.data import Measured, Measurements, Results, TreeSize, net_ratio, ratio
from benchmarks.speed.plot import Series
from benchmarks.speed.plot import plot as draw
from benchmarks.speed.trees import ONE_LINE
from benchmarks.speed.words import seconds, slower, times, verdicts

_INTRODUCTION = """\
# Benchmarks

<!-- Made by `python -m benchmarks.speed --page` of benchmarks/speed/results.json: edit benchmarks/speed/. -->

What awaitlint costs, beside parsing the same files with `ast.parse` and beside other tools, measured in one
run on {date}: {processor}, {cores}, {memory} GiB, {system}, {python}.

The tools do different things: ruff looks at one file at a time, here for its ASYNC rules alone; mypy, ty
and pyrefly check all types; hydroid looks for blocking calls, flake8-async for mistakes within a file. The
numbers say what each costs, not what it finds; that is on [another page](comparison.md).

Versions: {versions}.

```sh
make bench                       # downloads the packages and the tools, and runs everything: hours
make bench BENCH_ARGS=--quick    # two trees, once
make bench BENCH_ARGS=--page     # makes this page again from the numbers that are kept
```

- The trees are released packages, pinned, with their Python files and nothing else; no dependencies are
  installed. `ast.parse` is a loop that reads and parses the files.
- awaitlint is installed from its sources; *compiled*, where it is listed, is the wheel with compiled modules.
- CPU seconds are user and system time of the whole process tree, wall seconds what one waits for, which are
  fewer where a tool uses several cores. Peak memory is that of the largest process.
- Everything ran {rounds}; what takes milliseconds, {often} times. The tables have medians,
  and a ratio is the median of the rounds' ratios.{limits}
- *Less starting* are CPU seconds less those that the same tool needs for a file of one line.
"""

_ALTERNATIVE = "CPU seconds by lines of Python, a line for each tool; the tables below have the numbers"
_TABLES: tuple[tuple[str, str, bool], ...] = (
    ("CPU seconds", "cpu", True),
    ("Wall seconds", "wall", True),
    ("Lines per CPU second", "speed", False),
    ("CPU seconds, as multiples of `ast.parse`", "parsed", False),
    ("The same, less starting", "net", False),
    ("CPU seconds of awaitlint, as multiples of the tool's", "own", False),
    ("Peak memory, MiB", "peak", True),
)


def page(results: Results) -> str:
    """The page."""
    return "\n".join(_parts(results))


def plot(results: Results) -> str:
    """The plot in the page.

    Raises:
        ValueError: nothing was measured.
    """
    trees = _trees(results)
    series = []
    for name in results.cold.names:
        points = [
            (tree.lines, each.cpu)
            for tree in trees
            if (each := results.cold.get(name, tree.name)) is not None
        ]
        series.append(Series(name, points))
    told = "; ".join(
        f"{each.name} {seconds(each.points[-1][1])} s for {each.points[-1][0]:,} lines"
        for each in series
        if each.points
    )
    return draw(
        series,
        main=AWAITLINT,
        title="CPU seconds without a cache, by lines of Python",
        description=f"Both axes are logarithmic. On the largest tree of each: {told}.",
    )


def _trees(results: Results) -> list[TreeSize]:
    return [tree for tree in results.trees if tree.name != ONE_LINE]


def _parts(results: Results) -> Iterator[str]:
    machine = results.machine
    rounds = "once" if results.rounds == 1 else f"{results.rounds} times, the tools in turn, forth and back"
    limits = f" What took more than {results.slow:.0f} s ran once (¹)." if results.rounds > 1 else ""
    limits += f" What would have taken more than {results.longest:.0f} s did not run (-)."
    yield _INTRODUCTION.format(
        date=results.date,
        processor=machine.processor,
        cores="1 core" if machine.cores == 1 else f"{machine.cores} cores",
        memory=machine.memory,
        system=machine.system,
        python=machine.python,
        versions=", ".join(f"{name} {version}" for name, version in results.versions.items()),
        rounds=rounds,
        often=max((len(each.costs) for each in results.start_up.measured), default=results.rounds),
        limits=limits,
    )
    yield "## Without a cache\n"
    yield f"![{_ALTERNATIVE}](benchmarks.svg)\n"
    yield from verdicts(results)
    yield ""
    trees = _trees(results)
    for title, kind, in_all in _TABLES:
        subjects = [tree for tree in results.trees if in_all or tree.name != ONE_LINE]
        yield from _cold_table(results, title, kind, subjects)
    yield from _notes(results.cold)
    yield from _warm(results)
    yield from _one_file(results)
    yield from _start_up(results)
    yield "## Where awaitlint is slower\n"
    yield f"{slower(results)}\n"
    yield "## The trees\n"
    yield from _table(
        ["tree", "files", "lines", "releases"],
        [[tree.name, f"{tree.files:,}", f"{tree.lines:,}", ", ".join(tree.releases)] for tree in trees],
        "|---|---:|---:|---|",
    )


def _cold_table(results: Results, title: str, kind: str, trees: Sequence[TreeSize]) -> Iterator[str]:
    yield f"### {title}\n"
    rows = []
    for name in results.cold.names:
        cells = [_cold_cell(results, kind, name, tree) for tree in trees]
        if kind == "own" and name in (AWAITLINT, COMPILED):
            continue
        rows.append([name, *cells])
    yield from _table(["", *(_head(tree) for tree in trees)], rows)


def _head(tree: TreeSize) -> str:
    return tree.name if tree.name == ONE_LINE else f"{tree.lines:,} lines"


def _cold_cell(results: Results, kind: str, name: str, tree: TreeSize) -> str:
    each = results.cold.get(name, tree.name)
    if each is None:
        return "-"
    parsed = results.cold.get(PARSED, tree.name)
    own = results.cold.get(AWAITLINT, tree.name)
    start, parsed_start = (results.cold.get(which, ONE_LINE) for which in (name, PARSED))
    text = "-"
    if kind == "cpu":
        text = seconds(each.cpu)
    elif kind == "wall":
        text = seconds(each.wall)
    elif kind == "speed":
        text = f"{tree.lines / each.cpu:,.0f}"
    elif kind == "peak":
        text = f"{each.peak:,.0f}"
    elif kind == "parsed" and parsed is not None:
        text = times(ratio(each, parsed))
    elif kind == "net" and parsed is not None and start is not None and parsed_start is not None:
        text = times(net_ratio(each, start, parsed, parsed_start))
    elif kind == "own" and own is not None:
        text = times(ratio(own, each))
    return f"{text}{_mark(each, results.rounds)}"


def _mark(each: Measured, rounds: int) -> str:
    return "¹" if len(each.costs) < rounds else ""


def _notes(measurements: Measurements) -> Iterator[str]:
    """What did not run, and why."""
    failed = [each for each in measurements.measured if each.note and not each.costs]
    if failed:
        yield "Not run, or not to the end:\n"
        yield from (f"- {each.name}, {each.subject}: {each.note}" for each in failed)
        yield ""


def _warm(results: Results) -> Iterator[str]:
    tree = results.warm_tree
    if tree is None:
        return
    yield "## With a cache\n"
    yield (
        f"A tree of {tree.files:,} files and {tree.lines:,} lines that was checked before. ty, pyrefly and "
        "flake8-async keep no cache.\n"
    )
    subjects = list(dict.fromkeys(each.subject for each in results.warm.measured))
    values: tuple[tuple[str, Callable[[Measured], str]], ...] = (
        ("CPU seconds", lambda each: seconds(each.cpu)),
        ("Wall seconds", lambda each: seconds(each.wall)),
        ("Peak memory, MiB", lambda each: f"{each.peak:,.0f}"),
    )
    for title, value in values:
        yield f"### {title} with a cache\n"
        rows = []
        for subject in subjects:
            found = [results.warm.get(name, subject) for name in results.warm.names]
            cells = ["-" if each is None else f"{value(each)}{_mark(each, results.rounds)}" for each in found]
            rows.append([subject, *cells])
        yield from _table(["", *results.warm.names], rows)
    yield from _notes(results.warm)


def _one_file(results: Results) -> Iterator[str]:
    subjects = list(dict.fromkeys(each.subject for each in results.one_file.measured))
    if not subjects:
        return
    yield "## One file in an editor\n"
    yield (
        f"`flake8 --stdin-display-name {subjects[0]} -` with a text of {results.one_file_lines:,} lines, in "
        "environments that differ by awaitlint alone; its cache knows the files around.\n"
    )
    alone = results.one_file.get(FLAKE8, subjects[0])
    rows = []
    for name in results.one_file.names:
        each = results.one_file.get(name, subjects[0])
        if each is not None:
            more = f"{each.wall - alone.wall:+.3f}" if alone is not None and name != FLAKE8 else ""
            rows.append([name, seconds(each.cpu), seconds(each.wall), more, f"{each.peak:,.0f}"])
    yield from _table(["", "CPU s", "wall s", "more wall s than alone", "peak MiB"], rows)


def _start_up(results: Results) -> Iterator[str]:
    if not results.start_up.measured:
        return
    yield "## Starting\n"
    yield "`awaitlint check` is of a file with one line, without a cache.\n"
    rows = []
    for name in results.start_up.names:
        each, python = results.start_up.get(name, ONE_LINE), results.start_up.get(PYTHON, ONE_LINE)
        if each is not None and python is not None:
            rows.append(
                [
                    f"`{name}`",
                    seconds(each.cpu),
                    seconds(each.wall),
                    times(ratio(each, python)),
                    f"{each.peak:,.0f}",
                ]
            )
    yield from _table(["", "CPU s", "wall s", "times Python", "peak MiB"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], rule: str = "") -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield rule or f"|---|{'---:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
