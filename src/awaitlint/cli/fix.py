"""``--fix``, ``--diff`` and ``--add-noqa``: runs that change files, or show how they would."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from awaitlint.cli.output import error, write_bytes, write_lines
from awaitlint.cli.running import CLEAN, FAILED, FINDINGS, Run, context, exit_code, report
from awaitlint.files.discover import UsageError
from awaitlint.files.source import SourceError, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.engine.fix import FixResult
    from awaitlint.engine.fixes import FixError
    from awaitlint.engine.noqa import NoqaResult
    from awaitlint.engine.run import Result
    from awaitlint.files.discover import Target


def fix(run: Run) -> int:
    """Apply fixes and report what remains, or show what they would change."""
    from awaitlint.engine.fix import fix_files  # noqa: PLC0415  only where something is to be fixed

    # Standard input is fixed on standard output, and a diff changes nothing.
    write = not run.diff and run.stdin is None
    outcome = fix_files(
        run.targets, run.settings_for, run.store, unsafe=run.unsafe, write=write, options=run.options
    )
    _name_unwritten(run, outcome.errors, "the fixed file")
    if run.diff:
        code = _show_fixes(run, outcome)
    elif run.stdin is None:
        report(run, outcome.result, context(run, outcome.result), fixed=outcome.applied)
        code = exit_code(run, outcome.result)
    else:
        write_bytes(_fixed_stdin(run.stdin, outcome))
        shown = context(run, outcome.result)
        report(run, outcome.result, shown, fixed=outcome.applied, to_stderr=True)
        code = exit_code(run, outcome.result)
    return FAILED if outcome.errors else code


def add_noqa(run: Run) -> int:
    """Add a comment for every finding, or show where; report what a comment cannot silence."""
    from awaitlint.engine.noqa import add_noqa as add  # noqa: PLC0415  only for this option
    from awaitlint.report.summary import noqa_summary  # noqa: PLC0415

    outcome: NoqaResult = add(
        run.targets, run.settings_for, run.store, write=not run.diff, options=run.options
    )
    _name_unwritten(run, outcome.errors, "the comments")
    if run.diff:
        _diff(run, outcome.result, outcome.changed)
    elif outcome.result.diagnostics:
        report(run, outcome.result, context(run, outcome.result))
    if not run.quiet:
        write_lines([noqa_summary(outcome.lines, outcome.silenced, only_shown=run.diff)], sys.stderr)
    code = exit_code(run, outcome.result)
    if run.diff and code != FAILED:
        code = FINDINGS if outcome.changed and not run.exit_zero else CLEAN
    return FAILED if outcome.errors else code


def _name_unwritten(run: Run, errors: Sequence[FixError], what: str) -> None:
    displays = {target.path: target.display for target in run.targets}
    for problem in errors:
        error(f"{displays[problem.path]}: cannot write {what}: {problem.reason}")


def _fixed_stdin(data: bytes, outcome: FixResult) -> bytes:
    from awaitlint.engine.fixes import encode  # noqa: PLC0415  only where something was fixed

    for _, _, after in outcome.changed:
        try:
            before = decode(data)
            return encode(after, before.encoding, bom=before.bom)
        except (SourceError, UnicodeError) as problem:
            raise UsageError(f"standard input cannot be fixed: {problem}") from problem
    return data


def _show_fixes(run: Run, outcome: FixResult) -> int:
    from awaitlint.report.summary import diff_summary  # noqa: PLC0415  only for --diff

    _diff(run, outcome.result, outcome.changed)
    if not run.quiet:
        hidden = 0 if run.unsafe else sum(each.fix is not None for each in outcome.result.diagnostics)
        write_lines([diff_summary(outcome.applied, hidden)], sys.stderr)
    if outcome.result.internal_errors:
        return exit_code(run, outcome.result)
    return FINDINGS if outcome.changed and not run.exit_zero else CLEAN


def _diff(run: Run, result: Result, changed: Sequence[tuple[Target, str, str]]) -> None:
    from awaitlint.report.diff import unified_diff  # noqa: PLC0415  only for --diff

    style = context(run, result).style
    for target, before, after in changed:
        source = decode(result.texts.read(target.path))
        bom = "\ufeff" if source.bom else ""
        lines = unified_diff(target.display, bom + before, bom + after, style)
        # in the file's own encoding, or the diff would not fit the file
        write_bytes("".join(f"{line}\n" for line in lines).encode(source.encoding, "backslashreplace"))
