"""Tables of results, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from benchmarks.callees import Callee
from benchmarks.fixing import Repair
from benchmarks.mutation import Mutation
from benchmarks.results import Result
from benchmarks.scoring import Outcome, union
from benchmarks.sites import Shape
from benchmarks.tools import AWAITLINT, PEERS, TYPE_CHECKERS

Results = Sequence[tuple[Mutation, Sequence[Result]]]
#: a tool's outcomes for each package
ByPackage = dict[str, tuple[Outcome, ...]]

TOGETHER = "the type checkers together"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A titled Markdown table; the first column is text, the others numbers."""
    lines = [f"### {title}", "", f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([*lines, ""])


def cell(outcomes: Iterable[Outcome]) -> str:
    """The share of mutants found."""
    chosen = list(outcomes)
    found = sum(bool(each.found) for each in chosen)
    return f"{100 * found / len(chosen):.0f}% ({found}/{len(chosen)})" if chosen else "-"


def outcomes_by_tool(results: Results) -> dict[str, ByPackage]:
    """Every tool's outcomes, and those of the type checkers together where all of them ran."""
    scores = {
        (result.tool, mutation.package): result.score(mutation)
        for mutation, group in results
        for result in group
        if not result.error
    }
    packages = [mutation.package for mutation, _ in results]
    found: dict[str, ByPackage] = {
        tool: {name: scores[tool, name].outcomes for name in packages if (tool, name) in scores}
        for tool in (AWAITLINT.name, *PEERS)
    }
    found[TOGETHER] = {
        name: union(scores[tool, name] for tool in TYPE_CHECKERS).outcomes
        for name in packages
        if all((tool, name) in scores for tool in TYPE_CHECKERS)
    }
    return {tool: by_package for tool, by_package in found.items() if by_package}


def report(results: Results, title: str) -> Iterator[str]:
    """All tables about one set of packages."""
    tools = outcomes_by_tool(results)
    pooled = {tool: [each for group in groups.values() for each in group] for tool, groups in tools.items()}
    yield table(
        f"Found, by shape ({title})",
        [
            "tool",
            *(f"{shape} {shape.name.lower().replace('_', ' ')}" for shape in Shape),
            "S1-S4",
            "all",
            "named",
            "near",
        ],
        [
            [
                _label(tool, len(tools[tool]), len(results)),
                *(cell(each for each in outcomes if each.mutant.shape == shape) for shape in Shape),
                cell(each for each in outcomes if each.mutant.shape != Shape.NO_CALL),
                cell(outcomes),
                sum(each.named for each in outcomes),
                sum(each.near for each in outcomes),
            ]
            for tool, outcomes in pooled.items()
        ],
    )
    yield table(
        f"Found, by callee ({title})",
        ["tool", *Callee],
        [
            [tool, *(cell(each for each in outcomes if each.mutant.callee == callee) for callee in Callee)]
            for tool, outcomes in pooled.items()
        ],
    )
    yield table(
        f"Found of S1-S4, by package ({title})",
        ["tool", *(mutation.package for mutation, _ in results), "mean"],
        [[tool, *_percentages(groups, results)] for tool, groups in tools.items()],
    )
    if AWAITLINT.name in pooled:
        yield from _awaitlint_tables(pooled[AWAITLINT.name], title)
    yield _repairs(results, title)
    yield _costs(results, title)


def _label(tool: str, done: int, wanted: int) -> str:
    return tool if done == wanted else f"{tool} ({done} of {wanted} packages)"


def _percentages(groups: ByPackage, results: Results) -> list[str]:
    shares = []
    for mutation, _ in results:
        outcomes = [each for each in groups.get(mutation.package, ()) if each.mutant.shape != Shape.NO_CALL]
        shares.append(100 * fmean(bool(each.found) for each in outcomes) if outcomes else None)
    known = [share for share in shares if share is not None]
    return [
        *("-" if share is None else f"{share:.0f}" for share in shares),
        f"{fmean(known):.0f}" if known else "-",
    ]


def _awaitlint_tables(outcomes: Sequence[Outcome], title: str) -> Iterator[str]:
    yield table(
        f"awaitlint: shape and callee ({title})",
        ["shape", *Callee],
        [
            [
                shape,
                *(
                    cell(e for e in outcomes if (e.mutant.shape, e.mutant.callee) == (shape, callee))
                    for callee in Callee
                ),
            ]
            for shape in Shape
        ],
    )
    codes = Counter(code for each in outcomes for code in {diagnostic.code for diagnostic in each.found})
    yield table(
        f"awaitlint: what the found ones are reported as ({title}; one may have several)",
        ["rule", "mutants"],
        sorted(codes.items()),
    )


def _repairs(results: Results, title: str) -> str:
    """What became of the mutants that awaitlint found, by shape, and what else its fixes did."""
    repairs: Counter[tuple[Shape, Repair]] = Counter()
    found: Counter[Shape] = Counter()
    broken = unstable = elsewhere = 0
    for mutation, group in results:
        for result in group:
            if result.fixed is not None:
                for outcome, repair in zip(
                    result.score(mutation).outcomes, result.fixed.repairs, strict=True
                ):
                    if outcome.found:
                        found[outcome.mutant.shape] += 1
                        repairs[outcome.mutant.shape, repair] += 1
                broken += len(result.fixed.broken)
                unstable += len(result.fixed.unstable)
                elsewhere += len(result.fixed.elsewhere)
    rows = [
        [shape, found[shape], *(repairs[shape, repair] for repair in Repair), _share(repairs, found, [shape])]
        for shape in Shape
    ]
    totals = [sum(repairs[shape, repair] for shape in Shape) for repair in Repair]
    rows.append(["all", found.total(), *totals, _share(repairs, found, list(Shape))])
    head = ["shape", "found", *Repair, "restored of found"]
    extra = (
        f"{broken} files no longer parse, {unstable} change in a second run, {elsewhere} other lines changed"
    )
    return table(f"awaitlint --fix --unsafe-fixes ({title}; {extra})", head, rows)


def _share(repairs: Counter[tuple[Shape, Repair]], found: Counter[Shape], shapes: list[Shape]) -> str:
    total = sum(found[shape] for shape in shapes)
    return f"{100 * sum(repairs[shape, Repair.RESTORED] for shape in shapes) / total:.0f}%" if total else "-"


def _costs(results: Results, title: str) -> str:
    rows = []
    for name in (AWAITLINT.name, *PEERS):
        cpu = wall = lines = 0.0
        peaks, clean, named, elsewhere, failed = [0.0], 0, 0, 0, 0
        ran = [(mutation, result) for mutation, group in results for result in group if result.tool == name]
        for mutation, result in ran:
            if result.clean is None:
                failed += 1
                continue
            tool = AWAITLINT if name == AWAITLINT.name else PEERS[name]
            cpu, wall, lines = (
                cpu + result.clean.cost.cpu,
                wall + result.clean.cost.wall,
                lines + mutation.lines,
            )
            peaks.append(result.clean.cost.peak)
            clean += len(result.clean.diagnostics)
            named += sum(tool.names(each) for each in result.clean.diagnostics)
            elsewhere += len(result.score(mutation).elsewhere)
        if ran:
            speed = f"{lines / cpu / 1000:.0f}" if cpu else "-"
            numbers = [f"{cpu:.1f}", f"{wall:.1f}", speed, f"{max(peaks):.0f}"]
            rows.append([name, len(ran), *numbers, clean, named, elsewhere, failed])
    head = ["tool", "packages", "CPU s", "wall s", "1000 lines per CPU s", "peak MiB"]
    noise = ["diagnostics", "about await", "new elsewhere", "failed"]
    return table(f"Cost and noise, clean trees ({title})", [*head, *noise], rows)


def clean_findings(results: Results) -> Iterator[str]:
    """The findings of awaitlint in the unmutated packages: each is a bug there, or a false alarm."""
    for mutation, group in results:
        for result in group:
            if result.tool == AWAITLINT.name and result.clean:
                for each in result.clean.diagnostics:
                    yield f"{mutation.package}: {each.file}:{each.line}: {each.code} {each.message}"


def other_changes(results: Results) -> Iterator[str]:
    """Lines that awaitlint's fixes changed outside of the mutated statements, as they became."""
    for mutation, group in results:
        for result in group:
            if result.fixed is not None:
                yield from (f"{mutation.package}: {line}" for line in result.fixed.elsewhere)
