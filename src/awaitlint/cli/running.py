"""What all runs of the engine from the command line have in common: what was asked for, and the report."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.cli.output import Progress, error, note, terminal_width, write_lines
from awaitlint.files.discover import UsageError

if TYPE_CHECKING:
    from awaitlint.config.load import SettingsCache
    from awaitlint.engine.run import Options, Result
    from awaitlint.files.discover import Target
    from awaitlint.files.source import SourceStore
    from awaitlint.report.context import ReportContext

CLEAN, FINDINGS, FAILED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Run:
    """What the options ask for, once the configuration has been heard."""

    targets: Sequence[Target]
    #: the bytes of standard input, where it is what is checked
    stdin: bytes | None
    store: SourceStore
    settings_for: SettingsCache
    options: Options
    output_format: str
    unsafe: bool
    diff: bool
    statistics: bool
    exit_zero: bool
    quiet: bool
    verbose: bool
    #: whether something could not be checked, before the engine has begun
    incomplete: bool


def check(run: Run) -> int:
    """Check the files and report what is found."""
    from awaitlint.engine.run import run as run_engine  # noqa: PLC0415  imported by the caller already

    bar = progress(run)
    try:
        result = run_engine(run.targets, run.settings_for, run.store, options=run.options, progress=bar)
    finally:
        bar.clear()
    report(run, result, context(run, result))
    return exit_code(run, result)


def report(
    run: Run, result: Result, context: ReportContext, *, fixed: int = 0, to_stderr: bool = False
) -> None:
    """Write the findings, or how many there are, and for people a summary."""
    from awaitlint.report.formats import TEXT_FORMATS, render  # noqa: PLC0415  after the engine, which may fail
    from awaitlint.report.summary import statistics, summary  # noqa: PLC0415

    diagnostics = result.diagnostics
    stream = sys.stderr if to_stderr else sys.stdout
    for_people = run.output_format in TEXT_FORMATS
    if run.statistics:
        write_lines(statistics(diagnostics, context, as_json=not for_people), stream)
        if for_people and not run.quiet:
            from awaitlint.engine.resolution import resolution  # noqa: PLC0415  only for --statistics
            from awaitlint.engine.session import Session  # noqa: PLC0415
            from awaitlint.report.resolution import render as resolved  # noqa: PLC0415

            session = result.session or Session(run.settings_for, run.store, run.options)
            if diagnostics:
                write_lines([""], stream)
            write_lines([*resolved(resolution(session, run.targets), context.style), ""], stream)
    else:
        write_lines(render(run.output_format, diagnostics, context), stream)
    if run.quiet:
        return
    baselines = result.session.baselines if result.session is not None else None
    if for_people:
        failed = run.incomplete or bool(result.internal_errors)
        known = baselines.known if baselines is not None else 0
        write_lines(summary(diagnostics, context, fixed=fixed, failed=failed, known=known), stream)
    for path, number in baselines.stale() if baselines is not None else ():
        entries = "1 entry" if number == 1 else f"{number} entries"
        note(f"nothing answers to {entries} of {shown(path)} any more; --update-baseline removes such")


def context(run: Run, result: Result) -> ReportContext:
    """What reporters need to know beside the findings."""
    from awaitlint.report.context import ReportContext, Sources  # noqa: PLC0415  as above
    from awaitlint.report.style import Style  # noqa: PLC0415

    sources, style = Sources(result.texts, run.targets), Style.of(sys.stdout)
    return ReportContext(sources, style, unsafe=run.unsafe, columns=terminal_width(sys.stdout))


def exit_code(run: Run, result: Result) -> int:
    """The exit code for what was found; names the rules that failed."""
    for problem in result.internal_errors:
        error(problem)
    if result.internal_errors:
        return FAILED
    return FINDINGS if result.diagnostics and not run.exit_zero else CLEAN


def progress(run: Run) -> Progress:
    """The bar for runs that take long, on a terminal."""
    return Progress(sys.stderr, enabled=not run.quiet and sys.stderr.isatty())


def current_directory() -> Path:
    """The directory that paths are relative to; raises `UsageError` where it was removed."""
    try:
        return Path.cwd()
    except OSError as problem:
        raise UsageError("the current directory does not exist any more") from problem


def rule_names() -> Iterable[tuple[str, str]]:
    """The codes and names of all rules."""
    from awaitlint.rulekit.registry import rule_keys  # noqa: PLC0415  only a configuration that names rules

    return [(key.code, key.name) for key in rule_keys()]


def shown(path: Path) -> str:
    """A file as the user would name it: relative to the current directory, where it is below."""
    return os.fspath(path).removeprefix(os.getcwd() + os.sep)  # noqa: PTH109
