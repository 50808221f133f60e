"""Fixing files: check, apply, check again, until nothing more can be applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitlint.engine.fixes import FixError, applicable, apply_fixes
from awaitlint.engine.rewriting import PASSES, Rewriting
from awaitlint.engine.run import Result, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.run import Options
    from awaitlint.files.discover import Target
    from awaitlint.files.source import SourceStore
    from awaitlint.model import Diagnostic


@dataclass
class FixResult:
    """What fixing did.

    `result` describes the texts as they are afterwards; `changed` has each changed file with its text before
    and after; `applied` counts the findings that were fixed, `errors` are files that could not be written.
    """

    result: Result
    changed: list[tuple[Target, str, str]] = field(default_factory=list)
    applied: int = 0
    errors: list[FixError] = field(default_factory=list)


def fix_files(
    targets: Sequence[Target],
    settings_for: Callable[[Path], Settings],
    store: SourceStore,
    *,
    unsafe: bool,
    write: bool,
    options: Options | None = None,
) -> FixResult:
    """Apply the fixes of the findings in the targets.

    Args:
        targets: The files.
        settings_for: The settings that govern a file.
        store: Answers what is in a file.
        unsafe: Apply unsafe fixes too.
        write: Write the fixed files; without it only the answer tells what would change.
        options: How to run.
    """
    result = run(targets, settings_for, store, options=options)
    rewriting = Rewriting()
    by_display = {target.display: target for target in targets}
    for _ in range(PASSES):
        if not _pass(result, by_display, rewriting, unsafe=unsafe):
            break
        again = rewriting.store(store)
        result = run(targets, settings_for, again, options=options, session=result.session)
    outcome = FixResult(result, errors=rewriting.errors)
    for file in rewriting.finish(write=write):
        outcome.changed.append((file.target, file.decoded.text, file.text))
        outcome.applied += file.applied
    if outcome.errors:
        # what was to be fixed there is still to be told
        outcome.result = run(targets, settings_for, store, options=options)
    return outcome


def _pass(result: Result, targets: dict[str, Target], rewriting: Rewriting, *, unsafe: bool) -> bool:
    """Apply what can be applied at once to every file; whether anything was."""
    by_file: dict[str, list[Diagnostic]] = {}
    for finding in result.diagnostics:
        if applicable(finding.fix, unsafe=unsafe):
            by_file.setdefault(finding.path, []).append(finding)
    progress = False
    for display, findings in by_file.items():
        file = rewriting.file(targets[display], result.texts)
        if file is None:
            continue
        fixed = apply_fixes(file.text, findings, unsafe=unsafe)
        if fixed.applied and rewriting.change(file, fixed.text, len(fixed.applied)):
            progress = True
    return progress
