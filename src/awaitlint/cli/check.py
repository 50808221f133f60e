"""``awaitlint check``: find the files, run the engine, report."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awaitlint.cli.arguments import overrides, shared_options
from awaitlint.cli.output import error, read_stdin, warning, write_lines
from awaitlint.cli.running import FAILED, Run, current_directory, rule_names
from awaitlint.cli.running import check as check_files
from awaitlint.cli.version import version_line
from awaitlint.config.load import SettingsCache
from awaitlint.engine.options import AUTO, BaselineUse, Options
from awaitlint.files.discover import discover, stdin_target
from awaitlint.files.environments import environment_of
from awaitlint.files.roots import project_root
from awaitlint.files.shards import Shard
from awaitlint.files.source import SourceStore

if TYPE_CHECKING:
    from awaitlint.config.settings import Settings

#: options that say what becomes of the findings, of which there can be one
_PURPOSES = ("add_noqa", "update_baseline", "statistics", "explain", "fix")
#: those that change what a run without them would find the next time
_WRITERS = ("add_noqa", "update_baseline")


@click.command(short_help="Check files and directories.")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@shared_options()
@click.option("--no-baseline", is_flag=True, help="Report what the baseline has as well.")
@click.option(
    "--update-baseline", is_flag=True, help="Put what is found into the baseline, and report nothing."
)
@click.option("--add-noqa", is_flag=True, help="Add a # noqa comment for everything that is found.")
@click.option("--diff", is_flag=True, help="Show what --fix or --add-noqa would change, and change nothing.")
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
@click.option(
    "--cache-dir",
    metavar="DIRECTORY",
    envvar="AWAITLINT_CACHE_DIR",
    help="Keep the cache there, and not in the project.",
)
@click.option(
    "-j",
    "--jobs",
    metavar="N",
    default="auto",
    help="Check files in N processes; auto, the default, is as many as there is work and processors for.",
)
@click.option("--shard", metavar="I/N", help="Check the I-th of N parts of the files only.")
@click.option("--no-sieve", is_flag=True, hidden=True)
@click.option("-q", "--quiet", is_flag=True, help="Write findings only.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is done and how long it takes.")
def check(paths: tuple[str, ...], **given: Any) -> int:
    """Check files and directories (the current one by default; - is standard input)."""
    started = time.perf_counter()
    if given["isolated"] and given["config"] is not None:
        raise click.UsageError("--config and --isolated exclude each other")
    _check_purpose(given, paths)
    config = Path(given["config"]) if given["config"] is not None else None
    cwd = current_directory()
    settings_for = SettingsCache(
        config=config, isolated=given["isolated"], overrides=overrides(given), rule_names=rule_names
    )
    shard = _shard(given["shard"])
    options = Options(
        sieve=not given["no_sieve"],
        cache=not given["no_cache"],
        cache_dir=_cache_dir(given["cache_dir"]),
        isolated=given["isolated"],
        jobs=_jobs(given["jobs"]),
    )
    if given["statistics"]:
        # the calls of all files are counted afterwards, with what this process has inferred
        options = replace(options, jobs=1)
    if given["no_baseline"]:
        options = replace(options, baseline=BaselineUse.IGNORE)
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
            saw=settings_for.saw,
            on_error=lambda name, reason: unreadable.append(f"cannot read the directory {name}: {reason}"),
        )
        targets = targets if shard is None else shard.take(targets)
        store = SourceStore()
    run = Run(
        targets=targets,
        stdin=stdin,
        store=store,
        settings_for=settings_for,
        options=options,
        output_format=settings.output_format,
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
    code = _perform(run, given, settings)
    for problem in unreadable:
        error(problem)
    if run.verbose:
        write_lines([f"done after {time.perf_counter() - started:.3f} s"], sys.stderr)
    return FAILED if unreadable else code


def _perform(run: Run, given: dict[str, Any], settings: Settings) -> int:
    """Do what the options ask for, and answer the exit code."""
    if given["update_baseline"]:
        from awaitlint.cli.baseline import update_baseline  # noqa: PLC0415  only for this option

        return update_baseline(run, settings)
    if settings.baseline is not None and not given["no_baseline"] and not run.targets:
        from awaitlint.engine.baseline import load  # noqa: PLC0415  only where there is one

        # no file asks for it, and still it may be a mistake
        load(settings.baseline)
    if given["add_noqa"]:
        from awaitlint.cli.fix import add_noqa  # noqa: PLC0415

        return add_noqa(run)
    if settings.fix or run.diff:
        from awaitlint.cli.fix import fix  # noqa: PLC0415

        return fix(run)
    return check_files(run)


def _shard(given: str | None) -> Shard | None:
    """The part that an option names.  Raises `click.UsageError`."""
    if given is None:
        return None
    try:
        return Shard.parse(given)
    except ValueError:
        raise click.UsageError(f"--shard: expected I/N with I from 1 to N, such as 2/5: {given}") from None


def _jobs(given: str) -> int:
    """The number of processes that an option names.  Raises `click.UsageError`."""
    if given == "auto":
        return AUTO
    if not (given.isascii() and given.isdigit() and given.strip("0")):
        raise click.UsageError(f"--jobs: expected a number from 1 or auto: {given}")
    return int(given[:9])


def _cache_dir(given: str | None) -> Path | None:
    """The directory that an option names, links resolved.  Raises `click.UsageError` for another file."""
    if not given:
        return None
    path = Path(os.path.realpath(given))
    if path.exists() and not path.is_dir():
        raise click.UsageError(f"--cache-dir: not a directory: {given}")
    return path


def _check_purpose(given: dict[str, Any], paths: tuple[str, ...]) -> None:
    """Refuse options that do not go together.  Raises `click.UsageError`."""

    def spelled(name: str) -> str:
        return f"--{name.replace('_', '-')}"

    for writer in _WRITERS:
        if not given[writer]:
            continue
        if "-" in paths or given["stdin_filename"] is not None:
            raise click.UsageError(f"{spelled(writer)} changes files, and standard input is none")
        others = (*_PURPOSES, "no_baseline", *(("diff",) if writer == "update_baseline" else ()))
        for other in others:
            if other != writer and given[other]:
                raise click.UsageError(f"{spelled(writer)} and {spelled(other)} exclude each other")
    if given["baseline"] is not None and given["no_baseline"]:
        raise click.UsageError("--baseline and --no-baseline exclude each other")


def _environments(run: Run) -> list[str]:
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


def _say_what_is_checked(run: Run, seconds: float) -> None:
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
