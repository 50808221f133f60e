"""``--update-baseline``: what is found now is known from then on."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from awaitlint.cli.output import write_lines
from awaitlint.cli.running import CLEAN, FAILED, Run, context, exit_code, progress, shown
from awaitlint.engine.options import BaselineUse
from awaitlint.files.discover import UsageError

if TYPE_CHECKING:
    from awaitlint.config.settings import Settings


def update_baseline(run: Run, settings: Settings) -> int:
    """Check the files and write their baselines anew; `settings` are those of the current directory."""
    from awaitlint.engine.run import run as run_engine  # noqa: PLC0415  only for this option
    from awaitlint.engine.session import Session  # noqa: PLC0415
    from awaitlint.report.formats import TEXT_FORMATS, render  # noqa: PLC0415

    if settings.baseline is None and all(
        run.settings_for(target.path).baseline is None for target in run.targets
    ):
        raise UsageError(
            "--update-baseline needs a baseline: name it with --baseline, or in the configuration"
        )
    options = replace(run.options, baseline=BaselineUse.RECORD)
    session = Session(run.settings_for, run.store, options)
    # entries of files that are gone go even where there is no file to check
    session.baselines.of(settings)
    bar = progress(run)
    try:
        result = run_engine(
            run.targets, run.settings_for, run.store, options=options, progress=bar, session=session
        )
    finally:
        bar.clear()
    if run.output_format not in TEXT_FORMATS:
        write_lines(render(run.output_format, (), context(run, result)))
    for update in session.baselines.update():
        if not run.quiet:
            findings = "1 finding" if update.findings == 1 else f"{update.findings} findings"
            change = f"{update.added} added, {update.removed} removed"
            write_lines([f"Wrote {shown(update.path)}: {findings} ({change})."], sys.stderr)
    return FAILED if exit_code(run, result) == FAILED else CLEAN
