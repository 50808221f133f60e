"""Adding ``# noqa`` comments: every finding gets one, so that only new ones are reported from then on."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitlint.engine.rewriting import PASSES, Rewriting
from awaitlint.engine.run import Result, run
from awaitlint.engine.suppressions import Comments, suppress
from awaitlint.files.source import split_lines
from awaitlint.rules.syntax_error import SyntaxErrorRule
from awaitlint.rules.unused_suppression import UnusedSuppression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.fixes import FixError
    from awaitlint.engine.run import Options
    from awaitlint.files.discover import Target
    from awaitlint.files.source import SourceStore
    from awaitlint.model import Diagnostic

_LINE_END = re.compile(r"(\r\n|\r|\n)")
#: a comment is no answer to these: a file that cannot be read, and a comment that is in vain
_LEFT_OUT = frozenset({SyntaxErrorRule.code, UnusedSuppression.code})


@dataclass
class NoqaResult:
    """What adding comments did.

    `result` describes the texts as they are afterwards; `changed` has each changed file with its text before
    and after; `lines` counts the lines that got a comment or a longer one, `silenced` the findings that it
    was for, `errors` are files that could not be written.
    """

    result: Result
    changed: list[tuple[Target, str, str]] = field(default_factory=list)
    lines: int = 0
    silenced: int = 0
    errors: list[FixError] = field(default_factory=list)


def add_noqa(
    targets: Sequence[Target],
    settings_for: Callable[[Path], Settings],
    store: SourceStore,
    *,
    write: bool,
    options: Options | None = None,
) -> NoqaResult:
    """Add a comment for each finding in the targets.

    Each place that leads to a root cause gets one, since another is shown where one is silent.

    Args:
        targets: The files.
        settings_for: The settings that govern a file.
        store: Answers what is in a file.
        write: Write the files; without it only the answer tells what would change.
        options: How to run.
    """
    result = run(targets, settings_for, store, options=options)
    rewriting = Rewriting()
    lines: dict[str, set[int]] = {}
    by_display = {target.display: target for target in targets}
    for _ in range(PASSES):
        if not _pass(result, by_display, rewriting, lines):
            break
        again = rewriting.store(store)
        result = run(targets, settings_for, again, options=options, session=result.session)
    outcome = NoqaResult(result, errors=rewriting.errors)
    for file in rewriting.finish(write=write):
        outcome.changed.append((file.target, file.decoded.text, file.text))
        outcome.lines += len(lines[file.target.display])
        outcome.silenced += file.applied
    if outcome.errors:
        outcome.result = run(targets, settings_for, store, options=options)
    return outcome


def _pass(
    result: Result, targets: dict[str, Target], rewriting: Rewriting, lines: dict[str, set[int]]
) -> bool:
    """Silence what is found now; whether anything was."""
    by_file: dict[str, list[Diagnostic]] = {}
    for finding in result.places:
        if finding.code not in _LEFT_OUT:
            by_file.setdefault(finding.path, []).append(finding)
    progress = False
    for display, findings in by_file.items():
        file = rewriting.file(targets[display], result.texts)
        if file is None:
            continue
        rows = noqa_codes(file.text, findings)
        text = with_noqa(file.text, rows)
        if _is_as_meant(file.text, text, findings) and rewriting.change(file, text, len(findings)):
            lines.setdefault(display, set()).update(rows)
            progress = True
    return progress


def noqa_codes(text: str, findings: Sequence[Diagnostic]) -> dict[int, list[str]]:
    """The lines that need a comment, and the codes that it has to name."""
    joined = Comments.read(text).joined
    rows: dict[int, set[str]] = {}
    for finding in findings:
        line = finding.span.line
        rows.setdefault(joined.get(line, line), set()).add(finding.code)
    return {row: sorted(codes) for row, codes in sorted(rows.items())}


def with_noqa(text: str, rows: Mapping[int, Sequence[str]]) -> str:
    """The text with comments on some lines, or longer ones where they have some already."""
    pieces = _LINE_END.split(text)
    comments = Comments.read(text).on_line()
    for row, codes in rows.items():
        line = pieces[2 * row - 2]
        known = next(
            (
                each
                for each in comments.get(row, ())
                if each.selectors and not each.by_name and not each.foreign
            ),
            None,
        )
        if known is None:
            pieces[2 * row - 2] = f"{line.rstrip()}  # noqa: {', '.join(codes)}"
            continue
        start, end = known.listed, known.span.end_column
        assert known.selectors is not None
        more = [code for code in codes if code not in known.selectors]
        between = "," if re.search(r",\S", line[start:end]) else ", "
        pieces[2 * row - 2] = line[:end] + "".join(between + code for code in more) + line[end:]
    return "".join(pieces)


def _is_as_meant(before: str, after: str, findings: Sequence[Diagnostic]) -> bool:
    """Whether the findings are silent in the new text, and its code is that of the old one."""
    if suppress(after, findings).kept:
        return False
    code = _code(before)
    return code is not None and code == _code(after)


def _code(text: str) -> list[tuple[int, str, tuple[int, int]]] | None:
    """The tokens of a text but for its comments; None where it has none."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(split_lines(text))).readline):
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                found.append((token.type, "", (token.start[0], 0)))
            elif token.type not in (tokenize.COMMENT, tokenize.ENDMARKER):
                found.append((token.type, token.string, token.start))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    return found
