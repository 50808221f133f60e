"""What awaitlint and other tools find on lines that are marked as bugs or as look-alikes.

python -m benchmarks.comparison                                 awaitlint again, the others as they were
python -m benchmarks.comparison --peers DIR --with-dependencies the other tools again, too
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import environments
from benchmarks.comparison import peers, said
from benchmarks.comparison.marks import Marked, read
from benchmarks.comparison.page import page
from benchmarks.comparison.said import Said
from benchmarks.comparison.scoring import Score, awaitlint_names, peer_names, score
from benchmarks.processes import RunError
from benchmarks.tools import AWAITLINT, Diagnostic, Job, Tool, ToolError, check

WORK = Path(__file__).parents[1] / ".work" / "comparison"
PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--peers", type=Path, help="run the other tools, which are installed in this environment")
    add("--peer", action="append", default=[], help="run this one only (can be repeated)")
    add("--with-dependencies", action="store_true", help="run them with what the lines import, as well")
    add("--work", type=Path, default=WORK, help="where the tree and the environments are kept")
    add("--page", type=Path, default=PAGE, help="the page to write")
    add("--check", action="store_true", help="write nothing: is the page up to date?")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        # not below this project, whose configuration would be that of the tree
        return _main(given, Path(directory) / "tree")


def _main(given: argparse.Namespace, tree: Path) -> int:
    marked, work = read(), given.work.absolute()
    marked.write(tree)
    try:
        if given.peers is not None:
            alone = Job(".", environments.empty(work), dependencies=False)
            ask(marked, tree, given.peers.absolute(), alone, given.peer)
            if given.with_dependencies:
                directory = environments.with_requirements(REQUIREMENTS, work)
                job = Job(".", directory, dependencies=True)
                ask(marked, tree, given.peers.absolute(), job, given.peer)
        text = make_page(marked, tree)
    except (RunError, ToolError) as error:
        print(error, file=sys.stderr)
        return 1
    if given.check:
        return int(given.page.read_text(encoding="utf-8") != text)
    given.page.write_text(text, encoding="utf-8")
    return 0


def ask(marked: Marked, tree: Path, directory: Path, job: Job, names: Iterable[str] = ()) -> None:
    """Run the tools that are installed in a directory, and keep what they say.

    Raises:
        RunError, ToolError: one failed.
    """
    wanted = set(names)
    for tool in peers.tools([name for name in marked.files if name.endswith(".py")]):
        if (wanted and tool.name not in wanted) or (
            job.dependencies and tool.name not in peers.WITH_DEPENDENCIES
        ):
            continue
        checked = check(tool, [str(directory / "bin" / tool.name)], tree, job)
        found = said.on_marks(checked.diagnostics, marked)
        version = peers.version(directory, tool.name)
        said.save(Said(tool.name, version, job.dependencies, marked.fingerprint, found))
        print(f"{tool.name}: {len(found)} diagnostics on marked lines", file=sys.stderr)


def awaitlint_says(tree: Path) -> tuple[Diagnostic, ...]:
    """What this awaitlint says about the tree with all its rules, whose configuration it reads.

    Raises:
        RunError, ToolError: it failed.
    """
    options = ["check", "--preset", "pedantic", "--no-cache", "--exit-zero", "--no-respect-gitignore"]
    tool = Tool("awaitlint", lambda _: [*options, "--output-format", "json", "."], AWAITLINT.rows, "")
    job = Job(".", tree, dependencies=False)
    return check(tool, [sys.executable, "-m", "awaitlint"], tree, job).diagnostics


def make_page(marked: Marked, tree: Path) -> str:
    """The page, of what awaitlint says now and the other tools said when they were asked.

    Raises:
        RunError, ToolError: awaitlint failed.
    """
    from awaitlint.rulekit.registry import all_rules  # noqa: PLC0415

    return page(marked, scores(marked, tree), frozenset(rule.code for rule in all_rules()))


def scores(marked: Marked, tree: Path) -> list[Score]:
    """The score of awaitlint, and those of the tools that have been asked."""
    found = [score(marked, awaitlint_says(tree), awaitlint_names, tool="awaitlint")]
    for dependencies in (False, True):
        for tool in peers.tools(()):
            each = said.load(tool.name, dependencies=dependencies)
            if each is not None:
                found.append(
                    score(
                        marked,
                        each.diagnostics,
                        peer_names,
                        tool=each.tool,
                        version=each.version,
                        dependencies=dependencies,
                    )
                )
    return found


if __name__ == "__main__":
    sys.exit(main())
