"""Fixing files: check, apply, check again, until nothing more can be applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitlint.engine.fixes import FixError, applicable, apply_fixes, encode, write_fixed
from awaitlint.engine.run import Result, run
from awaitlint.files.source import SourceError, SourceStore, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.run import Options
    from awaitlint.files.discover import Target
    from awaitlint.files.source import DecodedText
    from awaitlint.model import Diagnostic

#: passes after which fixes that keep making room for others are left for the next run
_PASSES = 10


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


@dataclass
class _File:
    target: Target
    data: bytes
    decoded: DecodedText
    text: str
    applied: int = 0


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
    files: dict[str, _File] = {}
    by_display = {target.display: target for target in targets}
    for _ in range(_PASSES):
        if not _pass(result, by_display, files, unsafe=unsafe):
            break
        overlays = {**store.overlays, **{f.target.path: _encoded(f) for f in files.values()}}
        again = SourceStore(overlays)
        result = run(targets, settings_for, again, options=options, session=result.session)
    outcome = FixResult(result)
    for file in files.values():
        if file.text == file.decoded.text:
            continue
        if write:
            try:
                write_fixed(
                    file.target.path, file.data, file.text, file.decoded.encoding, bom=file.decoded.bom
                )
            except FixError as error:
                outcome.errors.append(error)
                continue
        outcome.changed.append((file.target, file.decoded.text, file.text))
        outcome.applied += file.applied
    if outcome.errors:
        # what was to be fixed there is still to be told
        outcome.result = run(targets, settings_for, store, options=options)
    return outcome


def _pass(result: Result, targets: dict[str, Target], files: dict[str, _File], *, unsafe: bool) -> bool:
    """Apply what can be applied at once to every file; whether anything was."""
    by_file: dict[str, list[Diagnostic]] = {}
    for finding in result.diagnostics:
        if applicable(finding.fix, unsafe=unsafe):
            by_file.setdefault(finding.path, []).append(finding)
    progress = False
    texts = result.texts
    for display, findings in by_file.items():
        file = files.get(display) or _open(targets[display], texts)
        if file is None:
            continue
        fixed = apply_fixes(file.text, findings, unsafe=unsafe)
        if not fixed.applied or fixed.text == file.text or not _encodable(fixed.text, file.decoded):
            continue
        file.text = fixed.text
        file.applied += len(fixed.applied)
        files[display] = file
        progress = True
    return progress


def _open(target: Target, texts: SourceStore) -> _File | None:
    """The text that was checked; None where it could not be written back as it is.

    Some encodings have several ways to write a character (UTF-7), or write a newline as something else
    (``unicode_escape``): a fix would change lines that it does not speak of.
    """
    try:
        data = texts.read(target.path)
        decoded = decode(data)
        if encode(decoded.text, decoded.encoding, bom=decoded.bom) != data:
            return None
    except (SourceError, UnicodeError):
        return None
    return _File(target, data, decoded, decoded.text)


def _encodable(text: str, decoded: DecodedText) -> bool:
    try:
        encode(text, decoded.encoding, bom=decoded.bom)
    except UnicodeError:
        return False
    return True


def _encoded(file: _File) -> bytes:
    return encode(file.text, file.decoded.encoding, bom=file.decoded.bom)
