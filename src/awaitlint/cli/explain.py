"""``awaitlint check --explain``: how the expressions at one place were resolved."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awaitlint.cli.output import error, read_stdin, write_lines
from awaitlint.files.discover import Target, UsageError, display_name, stdin_target
from awaitlint.files.source import SourceStore

if TYPE_CHECKING:
    from awaitlint.config.load import SettingsCache
    from awaitlint.engine.options import Options

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?:?", re.DOTALL)
#: what a run does with findings, of which there are none here
_EXCLUDED = ("fix", "diff", "statistics")


def explain_place(
    given: dict[str, Any], paths: Sequence[str], settings_for: SettingsCache, options: Options, cwd: Path
) -> int:
    """Write the explanation of the place that the options name, and answer the exit code.

    Raises:
        UsageError: There is no such place, or nothing to explain.
        click.UsageError: The options do not go together.
    """
    from awaitlint.engine.explain import ExplainError, explain  # noqa: PLC0415  only for this option
    from awaitlint.engine.session import Session  # noqa: PLC0415
    from awaitlint.report.explanation import render  # noqa: PLC0415
    from awaitlint.report.style import Style  # noqa: PLC0415

    place = _PLACE.fullmatch(given["explain"])
    if place is None:
        raise click.UsageError(f"--explain {given['explain']}: expected FILE:LINE or FILE:LINE:COLUMN")
    for option in _EXCLUDED:
        if given[option]:
            raise click.UsageError(f"--explain and --{option} exclude each other")
    target, store = _target(place["file"], given["stdin_filename"], paths, settings_for, cwd)
    session = Session(settings_for, store, options)
    column = int(place["column"]) if place["column"] else None
    try:
        explanations = explain(session, target, int(place["line"]), column)
    except ExplainError as problem:
        raise UsageError(str(problem)) from problem
    finally:
        session.flush()
    write_lines(render(explanations, Style.of(sys.stdout)))
    for failure in session.internal_errors:
        error(failure)
    return 2 if session.internal_errors else 0


def _target(
    name: str, stdin_name: str | None, paths: Sequence[str], settings_for: SettingsCache, cwd: Path
) -> tuple[Target, SourceStore]:
    """The file that is asked about, and where its text and that of others is."""
    if set(paths) - {"-"}:
        raise click.UsageError("--explain names the file: leave out the other paths")
    path = os.path.normpath(cwd / name)
    target = Target(Path(path), display_name(path, os.fspath(cwd)))
    overlays: dict[Path, bytes] = {}
    if "-" in (*paths, name) or stdin_name is not None:
        piped = stdin_target(stdin_name, settings_for, cwd=cwd)
        text = read_stdin()
        if name == "-":
            # a file that is excluded is explained all the same
            target = piped or Target(Path(os.path.normpath(cwd / (stdin_name or "-"))), stdin_name or "-")
            overlays[target.path] = text
        elif piped is not None:
            overlays[piped.path] = text
    store = SourceStore(overlays)
    if not store.exists(target.path):
        raise UsageError(f"no such file: {name}")
    if store.is_dir(target.path):
        raise UsageError(f"{name} is a directory: name a file of it")
    return target, store
