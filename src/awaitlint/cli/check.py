"""``awaitlint check``: find the files, run the engine, report."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awaitlint.cli.arguments import overrides, shared_options
from awaitlint.cli.output import (
    Progress,
    error,
    read_stdin,
    terminal_width,
    warning,
    write_bytes,
    write_lines,
)
from awaitlint.cli.version import version_line
from awaitlint.config.load import SettingsCache
from awaitlint.files.discover import Target, UsageError, discover, stdin_target
from awaitlint.files.environments import environment_of
from awaitlint.files.roots import project_root
from awaitlint.files.source import SourceError, SourceStore, decode

if TYPE_CHECKING:
    from awaitlint.config.settings import Settings
    from awaitlint.engine.fix import FixResult
    from awaitlint.engine.run import Options, Result
    from awaitlint.report.context import ReportContext

_CLEAN, _FINDINGS, _FAILED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Run:
    """What the options ask for, once the configuration has been heard."""

    targets: Sequence[Target]
    #: the bytes of standard input, where it is what is checked
    stdin: bytes | None
    store: SourceStore
    settings_for: SettingsCache
    options: Options
    output_format: str
    fix: bool
    unsafe: bool
    diff: bool
    statistics: bool
    exit_zero: bool
    quiet: bool
    verbose: bool
    #: whether something could not be checked, before the engine has begun
    incomplete: bool


@click.command(short_help="Check files and directories.")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@shared_options
@click.option("--diff", is_flag=True, help="Show what the fixes would change, and change nothing.")
@click.option(
    "--statistics",
    is_flag=True,
    help="Show how many findings each rule has and how many calls were resolved, not the findings.",
)
@click.option(
    "--explain",
    metavar="FILE:LINE[:COL]",
    help="Show how the calls that begin there were resolved, or where they became unknown and why.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even where there are findings.")
@click.option("--stdin-filename", metavar="PATH", help="The file that the text on standard input belongs to.")
@click.option("--config", metavar="PATH", help="The configuration file to use for every file.")
@click.option("--isolated", is_flag=True, help="Read no configuration file, ignore the active environment.")
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option("--no-sieve", is_flag=True, hidden=True)
@click.option("-q", "--quiet", is_flag=True, help="Write findings only.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is done and how long it takes.")
def check(paths: tuple[str, ...], **given: Any) -> int:
    """Check files and directories (the current one by default; - is standard input)."""
    from awaitlint.engine.run import Options  # noqa: PLC0415  `awaitlint --help` does without the engine

    started = time.perf_counter()
    if given["isolated"] and given["config"] is not None:
        raise click.UsageError("--config and --isolated exclude each other")
    config = Path(given["config"]) if given["config"] is not None else None
    cwd = _cwd()
    settings_for = SettingsCache(
        config=config, isolated=given["isolated"], overrides=overrides(given), rule_names=_rule_names
    )
    options = Options(sieve=not given["no_sieve"], cache=not given["no_cache"], isolated=given["isolated"])
    if given["explain"] is not None:
        from awaitlint.cli.explain import explain_place  # noqa: PLC0415  only for this option

        return explain_place(given, paths, settings_for, options, cwd)
    settings = settings_for.in_directory(cwd)
    unreadable: list[str] = []
    stdin: bytes | None = None
    if "-" in paths or given["stdin_filename"] is not None:
        if set(paths) - {"-"}:
            raise click.UsageError("standard input cannot be checked together with other paths")
        target = stdin_target(given["stdin_filename"], settings_for, cwd=cwd)
        stdin = read_stdin()
        targets = [target] if target is not None else []
        store = SourceStore({each.path: stdin for each in targets})
    else:
        targets = discover(
            paths or (".",),
            settings_for,
            cwd=cwd,
            on_error=lambda name, reason: unreadable.append(f"cannot read the directory {name}: {reason}"),
        )
        store = SourceStore()
    run = _Run(
        targets=targets,
        stdin=stdin,
        store=store,
        settings_for=settings_for,
        options=options,
        output_format=settings.output_format,
        fix=settings.fix,
        unsafe=settings.unsafe_fixes,
        diff=given["diff"],
        statistics=given["statistics"],
        exit_zero=given["exit_zero"],
        quiet=given["quiet"],
        verbose=given["verbose"],
        incomplete=bool(unreadable),
    )
    if run.verbose:
        _say_what_is_checked(run, time.perf_counter() - started)
    if not targets and stdin is None and not run.quiet:
        warning("no Python files found under the given paths")
    code = _fix(run) if run.fix or run.diff else _check(run)
    for problem in unreadable:
        error(problem)
    if run.verbose:
        write_lines([f"done after {time.perf_counter() - started:.3f} s"], sys.stderr)
    return _FAILED if unreadable else code


def _check(run: _Run) -> int:
    from awaitlint.engine.run import run as run_engine  # noqa: PLC0415  imported by the caller already

    progress = _progress(run)
    try:
        result = run_engine(run.targets, run.settings_for, run.store, options=run.options, progress=progress)
    finally:
        progress.clear()
    _report(run, result, _context(run, result))
    return _code(run, result)


def _fix(run: _Run) -> int:
    from awaitlint.engine.fix import fix_files  # noqa: PLC0415  only where something is to be fixed

    # Standard input is fixed on standard output, and a diff changes nothing.
    write = not run.diff and run.stdin is None
    outcome = fix_files(
        run.targets, run.settings_for, run.store, unsafe=run.unsafe, write=write, options=run.options
    )
    displays = {target.path: target.display for target in run.targets}
    for problem in outcome.errors:
        error(f"{displays[problem.path]}: cannot write the fixed file: {problem.reason}")
    if run.diff:
        code = _diff(run, outcome)
    elif run.stdin is None:
        _report(run, outcome.result, _context(run, outcome.result), fixed=outcome.applied)
        code = _code(run, outcome.result)
    else:
        write_bytes(_fixed_stdin(run.stdin, outcome))
        context = _context(run, outcome.result)
        _report(run, outcome.result, context, fixed=outcome.applied, to_stderr=True)
        code = _code(run, outcome.result)
    return _FAILED if outcome.errors else code


def _fixed_stdin(data: bytes, outcome: FixResult) -> bytes:
    from awaitlint.engine.fixes import encode  # noqa: PLC0415  only where something was fixed

    for _, _, after in outcome.changed:
        try:
            before = decode(data)
            return encode(after, before.encoding, bom=before.bom)
        except (SourceError, UnicodeError) as problem:
            raise UsageError(f"standard input cannot be fixed: {problem}") from problem
    return data


def _diff(run: _Run, outcome: FixResult) -> int:
    from awaitlint.report.diff import unified_diff  # noqa: PLC0415  only for --diff
    from awaitlint.report.summary import diff_summary  # noqa: PLC0415

    context = _context(run, outcome.result)
    texts = outcome.result.texts
    for target, before, after in outcome.changed:
        source = decode(texts.read(target.path))
        bom = "\ufeff" if source.bom else ""
        lines = unified_diff(target.display, bom + before, bom + after, context.style)
        # in the file's own encoding, or the diff would not fit the file
        write_bytes("".join(f"{line}\n" for line in lines).encode(source.encoding, "backslashreplace"))
    if not run.quiet:
        hidden = 0 if run.unsafe else sum(each.fix is not None for each in outcome.result.diagnostics)
        write_lines([diff_summary(outcome.applied, hidden)], sys.stderr)
    if outcome.result.internal_errors:
        return _code(run, outcome.result)
    return _FINDINGS if outcome.changed and not run.exit_zero else _CLEAN


def _report(
    run: _Run,
    result: Result,
    context: ReportContext,
    *,
    fixed: int = 0,
    to_stderr: bool = False,
) -> None:
    from awaitlint.report.formats import TEXT_FORMATS, render  # noqa: PLC0415  after the engine, which may fail
    from awaitlint.report.summary import statistics, summary  # noqa: PLC0415

    diagnostics = result.diagnostics
    stream = sys.stderr if to_stderr else sys.stdout
    for_people = run.output_format in TEXT_FORMATS
    if run.statistics:
        write_lines(statistics(diagnostics, context, as_json=not for_people), stream)
        if for_people and not run.quiet and result.session is not None:
            from awaitlint.engine.resolution import resolution  # noqa: PLC0415  only for --statistics
            from awaitlint.report.resolution import render as resolved  # noqa: PLC0415

            if diagnostics:
                write_lines([""], stream)
            write_lines([*resolved(resolution(result.session, run.targets), context.style), ""], stream)
    else:
        write_lines(render(run.output_format, diagnostics, context), stream)
    if for_people and not run.quiet:
        failed = run.incomplete or bool(result.internal_errors)
        write_lines(summary(diagnostics, context, fixed=fixed, failed=failed), stream)


def _context(run: _Run, result: Result) -> ReportContext:
    from awaitlint.report.context import ReportContext, Sources  # noqa: PLC0415  as above
    from awaitlint.report.style import Style  # noqa: PLC0415

    sources, style = Sources(result.texts, run.targets), Style.of(sys.stdout)
    return ReportContext(sources, style, unsafe=run.unsafe, columns=terminal_width(sys.stdout))


def _code(run: _Run, result: Result) -> int:
    for problem in result.internal_errors:
        error(problem)
    if result.internal_errors:
        return _FAILED
    return _FINDINGS if result.diagnostics and not run.exit_zero else _CLEAN


def _progress(run: _Run) -> Progress:
    return Progress(sys.stderr, enabled=not run.quiet and sys.stderr.isatty())


def _cwd() -> Path:
    try:
        return Path.cwd()
    except OSError as problem:
        raise UsageError("the current directory does not exist any more") from problem


def _rule_names() -> Iterable[tuple[str, str]]:
    from awaitlint.rulekit.registry import all_rules  # noqa: PLC0415  only a configuration that names rules

    return [(rule.code, rule.name) for rule in all_rules()]


def _environments(run: _Run) -> list[str]:
    """A line for each environment that the files' projects are seen with."""
    environ = {} if run.options.isolated else os.environ
    marked: dict[str, bool] = {}
    directories = {target.path.parent: target.path for target in run.targets}
    projects = {
        (project_root(path, marked=marked), run.settings_for(path).python) for path in directories.values()
    }
    lines = set()
    for root, python in projects:
        location = environment_of(root, python, environ)
        found = f"{location.prefix} ({location.reason})" if location is not None else "none"
        lines.add(f"environment: {found}")
    return sorted(lines)


def _say_what_is_checked(run: _Run, seconds: float) -> None:
    counts: Counter[Settings] = Counter(run.settings_for(target.path) for target in run.targets)
    version = ".".join(str(part) for part in sys.version_info[:3])
    lines = [f"{version_line()}, Python {version}"]
    for settings, number in counts.items():
        config = settings.config_path or "none"
        lines.append(f"configuration: {config}, root: {settings.root}, files: {number}")
    lines.extend(_environments(run))
    files = "1 file" if len(run.targets) == 1 else f"{len(run.targets)} files"
    lines.append(f"found {files} in {seconds:.3f} s")
    write_lines(lines, sys.stderr)
