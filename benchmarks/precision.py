"""How much of what awaitlint reports in released packages is right: docs/precision.md.

python -m benchmarks.precision           run awaitlint, join the findings with the judgements, write the page
python -m benchmarks.precision --todo    and list the findings that nobody has judged
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from awaitlint.rulekit.registry import all_rules
from awaitlint.rulekit.rule import Rule
from benchmarks import environments, judgements, releases
from benchmarks.judgements import Finding, Judged, JudgementError, Verdict
from benchmarks.processes import RunError
from benchmarks.recall import WORK
from benchmarks.releases import Release
from benchmarks.tools import AWAITLINT, Diagnostic, Job, ToolError, check

PAGE = Path(__file__).parents[1] / "docs" / "precision.md"

_INTRODUCTION = """\
# Precision

<!-- Made by `python -m benchmarks.precision`: edit benchmarks/judged/ and make it again. -->

What awaitlint reports by default in {packages} released packages, {lines:,} lines, and how much of it is
right. It ran without a cache and without the packages' dependencies, as in a pre-commit hook.

A finding is **right** where the line has the mistake that the message describes and its author would
want to know, **wrong** where it has not. It is **unsure** where the code alone does not tell, or where
the message is true and no harm is done, such as by a prompt in a command-line tool that has nothing else
to do, or by a test that waits on purpose. The share is that of the right ones among the right and the
wrong; the strict share is that among all that are judged. The judgements are in
[benchmarks/judged](../benchmarks/judged), a file for each rule with a note for each line.

```sh
make precision                       # downloads the wheels, pinned by their hashes, and reads them
make precision BENCH_ARGS=--todo     # lists the findings that are not judged
```

Released code has been run and tested: the mistakes that every call of a function shows, such as most
forgotten `await`s, are gone from it. Findings are rare here, which is the hardest case for a share.
"""


class Checked(msgspec.Struct, frozen=True):
    """What awaitlint said about a release."""

    lines: int
    diagnostics: tuple[Diagnostic, ...]


class Options(NamedTuple):
    """What was asked for on the command line."""

    releases: tuple[Release, ...]
    work: Path
    awaitlint: list[str]
    #: run nothing where there are results
    tables: bool


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--package", action="append", default=[], help="check this one only, write no page (can be repeated)")
    add("--todo", action="store_true", help="list the findings that are not judged")
    add("--tables", action="store_true", help="run nothing where there are results of an earlier run")
    add("--work", type=Path, default=WORK, help="where the packages and the results are kept")
    add("--awaitlint", default="", help="the command that starts awaitlint (default: this Python's)")
    add("--page", type=Path, default=PAGE, help="the page to write")
    given = parser.parse_args(arguments)
    listed = releases.load()
    chosen = tuple(each for each in listed if not given.package or any(map(each.is_called, given.package)))
    command = shlex.split(given.awaitlint) or [sys.executable, "-m", "awaitlint"]
    options = Options(chosen, given.work.absolute(), command, given.tables)
    try:
        said = judgements.load()
        results = [(release, checked(release, options)) for release in options.releases]
    except (JudgementError, RunError, ToolError) as error:
        print(error, file=sys.stderr)
        return 1
    judged = judgements.join(findings(results), said, options.releases)
    if given.todo:
        print(*todo(judged), sep="\n")
    if not given.package:
        given.page.write_text("\n".join(page(results, judged)), encoding="utf-8")
    return 0


def checked(release: Release, options: Options) -> Checked:
    """What awaitlint says about a release, by default and without a cache.

    Raises:
        RunError, ToolError: it failed.
    """
    kept = options.work / "precision" / f"{release.name}.json"
    if options.tables and kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=Checked)
    sources = releases.fetch(release, options.work)
    job = Job(".", environments.empty(options.work), dependencies=False)
    result = check(AWAITLINT, options.awaitlint, sources.directory, job)
    found = Checked(sources.lines, result.diagnostics)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode(found))
    print(f"{release.name}: {len(found.diagnostics)} findings, {result.cost.cpu:.1f} CPU s", file=sys.stderr)
    return found


def findings(results: Iterable[tuple[Release, Checked]]) -> Iterator[Finding]:
    """The findings of the rules; that a file cannot be parsed is none."""
    rules = default_rules()
    for release, found in results:
        for each in found.diagnostics:
            if each.code in rules:
                yield Finding(release, rules[each.code].name, each)


def default_rules() -> dict[str, type[Rule]]:
    """By code, the rules that are about the linted code and on by default."""
    return {rule.code: rule for rule in all_rules() if rule.default and rule.code < "AWL9"}


def todo(judged: Judged) -> Iterator[str]:
    """The findings that nobody has judged, by rule, and the judgements whose finding is gone."""
    open_ = sorted(
        (each.rule, each.release.distribution, each.release.version, each.diagnostic)
        for each, judgement in judged.findings
        if judgement is None
    )
    for rule, group in groupby(open_, lambda each: each[0]):
        yield f"# {rule}"
        for _, distribution, version, found in group:
            yield f"{distribution}\t{version}\t{found.file}\t{found.line}\t{found.message}"
    for gone in judged.stale:
        yield f"# gone: {gone.rule} {gone.package} {gone.path}:{gone.line} ({gone.verdict})"


def page(results: Sequence[tuple[Release, Checked]], judged: Judged) -> Iterator[str]:
    """docs/precision.md, in parts."""
    lines = sum(found.lines for _, found in results)
    yield _INTRODUCTION.format(packages=len(results), lines=lines)
    yield "## By rule\n"
    yield "| rule | findings | judged | right | wrong | unsure | share | strict |"
    yield f"|---|{'---:|' * 7}"
    total: Counter[str] = Counter()
    for code, rule in sorted(default_rules().items()):
        counts = Counter(_counts(judged, rule.name))
        total += counts
        yield _row(f"{code} {rule.name}", counts)
    yield _row("all", total)
    yield "\nA rule that is not judged yet, or finds nothing here, has no share.\n"
    yield "## By package\n"
    yield "| package | version | field | lines | findings | right | wrong |"
    yield f"|---|---|---|{'---:|' * 4}"
    for release, found in results:
        said = [judgement for each, judgement in judged.findings if each.release == release]
        verdicts = Counter(each.verdict for each in said if each is not None)
        yield (
            f"| {release.distribution} | {release.version} | {release.field} | {found.lines:,}"
            f" | {len(said)} | {verdicts[Verdict.RIGHT]} | {verdicts[Verdict.WRONG]} |"
        )
    yield "\n## What is wrong\n"
    wrong = [
        f"- {said.rule}: {each.release.name} `{said.path}:{said.line}`: {said.note}"
        for each, said in judged.findings
        if said is not None and said.verdict is Verdict.WRONG
    ]
    yield "\n".join([*(sorted(wrong) or ["Nothing that is judged."]), ""])


def _counts(judged: Judged, rule: str) -> Iterator[str]:
    for each, judgement in judged.findings:
        if each.rule == rule:
            yield "findings"
            if judgement is not None:
                yield "judged"
                yield judgement.verdict


def _row(label: str, counts: Counter[str]) -> str:
    right, wrong = counts[Verdict.RIGHT], counts[Verdict.WRONG]
    numbers = [counts["findings"], counts["judged"], right, wrong, counts[Verdict.UNSURE]]
    shares = [_share(right, right + wrong), _share(right, counts["judged"])]
    return f"| {label} | {' | '.join(map(str, [*numbers, *shares]))} |"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "-"


if __name__ == "__main__":
    sys.exit(main())
