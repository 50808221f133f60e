"""``awaitlint clean``: remove what runs have kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from awaitlint.cli.output import error, note, write_lines
from awaitlint.engine.directory import DIRECTORY, is_cache, remove_cache
from awaitlint.files.discover import UsageError


@click.command(short_help="Remove the caches of earlier runs.")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option(
    "--cache-dir",
    metavar="DIRECTORY",
    envvar="AWAITLINT_CACHE_DIR",
    help="Remove this cache as well, wherever it is.",
)
@click.option("-q", "--quiet", is_flag=True, help="Do not name what is removed.")
def clean(paths: tuple[str, ...], cache_dir: str | None, quiet: bool) -> int:
    """Remove the caches in the given directories (the current one by default) and below.

    Nothing is removed but what awaitlint has written.
    """
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112  any string may come
            raise UsageError(f"no such directory: {path}")
    found = [each for path in paths or (".",) for each in _caches(path)]
    if cache_dir:
        given = Path(cache_dir)
        if is_cache(given):
            found.append(given)
        elif given.exists():
            raise UsageError(f"not a cache of awaitlint: {cache_dir}")
    code = 0
    for directory in found:
        try:
            is_gone = remove_cache(directory)
        except OSError as problem:
            error(f"cannot remove {directory}: {(problem.strerror or str(problem)).lower()}")
            code = 2
            continue
        if not is_gone:
            note(f"{directory} holds files that awaitlint has not written; they are left there")
        if not quiet:
            write_lines([f"Removed {directory}"], sys.stderr)
    if not found and not quiet:
        write_lines(["No caches found."], sys.stderr)
    return code


def _caches(path: str) -> list[Path]:
    """The caches in a directory and below it, which a link need not lead to."""
    found = []
    for directory, names, _ in os.walk(path):
        here = Path(directory)
        if here.name == DIRECTORY and is_cache(here):
            found.append(here)
            names.clear()
        elif DIRECTORY in names and is_cache(here / DIRECTORY):
            found.append(here / DIRECTORY)
        names[:] = sorted(name for name in names if name not in (DIRECTORY, ".git", ".hg"))
    return found
