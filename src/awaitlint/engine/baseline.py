"""Baselines: findings that are known already, and are not reported until there are more of them.

A finding is known again by its file, its rule, the function or class that it stands in, and its source text,
never by its line: code may move within a file, and be formatted anew.  Of several like findings in one
function as many are known as the baseline counts.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.config.errors import ConfigError
from awaitlint.files.source import read_regular
from awaitlint.index.facts import ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from awaitlint.index.facts import ModuleFacts
    from awaitlint.model import Diagnostic, Span

#: raised when the format changes
VERSION = 1
#: characters of a source text that are kept of a long one
_LONGEST, _KEPT = 160, 120
#: the parts of a source text: a string, a comment, blanks, a word, anything else
_PIECE = re.compile(
    r"(?P<string>\"{3}.*?\"{3}|'{3}.*?'{3}|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<comment>#[^\n]*)|(?P<blank>(?:\s|\\\n)+)|(?P<word>\w+)|(?P<sign>.)",
    re.DOTALL,
)
#: a string that may as well have the other quotes
_PLAIN = re.compile(r"(?P<quote>['\"])[^'\"\\\n]*(?P=quote)")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Entry(NamedTuple):
    """What a finding is known by, in its file."""

    rule: str
    #: the qualified name of the function or class around it, empty for the module
    scope: str
    source: str


#: by file, relative to the baseline, with slashes: how many findings of a kind are known
Files = dict[str, Counter[Entry]]


@dataclass
class Baseline:
    """A baseline file and what is in it."""

    path: Path
    files: Files = field(default_factory=dict)

    def name_of(self, path: Path) -> str:
        """How the baseline calls a file."""
        try:
            name = os.path.relpath(path, self.path.parent)
        except ValueError:  # another drive
            name = os.fspath(path)
        return name.replace(os.sep, "/")

    def is_there(self, name: str) -> bool:
        """Whether there is a file that the baseline calls so."""
        return (self.path.parent / name).is_file()


def load(path: Path, *, may_be_missing: bool = False) -> Baseline:
    """Read a baseline; raises `ConfigError` where there is none, or it is broken."""
    try:
        data = read_regular(path)
    except FileNotFoundError:
        if may_be_missing:
            return Baseline(path)
        raise ConfigError(path, "there is no such baseline; --update-baseline writes it") from None
    except (OSError, ValueError) as error:
        reason = ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()
        raise ConfigError(path, f"cannot read the baseline: {reason}") from error
    try:
        content = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(path, "not a baseline: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigError(path, f"not a baseline: {_lower(error.msg)} (at line {error.lineno})") from error
    except RecursionError as error:
        raise ConfigError(path, "not a baseline: nested too deeply") from error
    return Baseline(path, _files(path, content))


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _files(path: Path, content: object) -> Files:
    version = content.get("version") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(version, int):
        raise ConfigError(path, "not a baseline: there is no version")
    if version != VERSION:
        raise ConfigError(path, f"not a baseline that this awaitlint reads: its version is {version}")
    files: Files = {}
    listed = content.get("files")
    if not isinstance(listed, dict):
        raise ConfigError(path, "not a baseline: `files` is no table")
    for name, entries in listed.items():
        if not isinstance(entries, list):
            raise ConfigError(path, f"not a baseline: no list of findings for {name}")
        counts = files.setdefault(name, Counter())
        for entry in entries:
            known, count = _entry(entry)
            if known is None:
                raise ConfigError(path, f"not a baseline: not a finding, in {name}: {json.dumps(entry)}")
            counts[known] += count
    return files


def _entry(value: object) -> tuple[Entry | None, int]:
    if not isinstance(value, dict) or value.keys() != {"rule", "scope", "source", "count"}:
        return None, 0
    parts, count = (value["rule"], value["scope"], value["source"]), value["count"]
    if type(count) is not int or count < 1 or not all(isinstance(part, str) for part in parts):
        return None, 0
    return Entry(*parts), count


def dump(files: Mapping[str, Counter[Entry]]) -> str:
    """A baseline's text: sorted, and a line for each entry, so that changes are easy to read and to merge."""
    lines = []
    for name in sorted(files):
        entries = [
            {**entry._asdict(), "count": files[name][entry]}
            for entry in sorted(files[name])
            if files[name][entry] > 0
        ]
        if entries:
            inner = ",\n".join(f"      {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
            lines.append(f"    {json.dumps(name, ensure_ascii=False)}: [\n{inner}\n    ]")
    body = "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"
    text = f'{{\n  "version": {VERSION},\n  "files": {body}\n}}\n'
    # names of files may hold bytes that are no text
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


# -------------------------------------------------------------------------------- findings
def entries_of(
    findings: Iterable[Diagnostic], facts: ModuleFacts | None, lines: Sequence[str]
) -> list[Entry]:
    """What each of a file's findings is known by."""
    return [Entry(each.code, _scope(facts, each.span.line), _source(lines, each.span)) for each in findings]


def _scope(facts: ModuleFacts | None, line: int) -> str:
    name = ""
    for scope in facts.scopes if facts is not None else ():
        # a scope stands before those inside of it
        if scope.kind in (ScopeKind.CLASS, ScopeKind.FUNCTION) and scope.first_line <= line <= scope.end_line:
            name = scope.qualname
    return name


def _source(lines: Sequence[str], span: Span) -> str:
    """The source text of a place, whatever its layout; the line of a place without extent."""
    rows = list(lines[span.line - 1 : span.end_line])
    if rows:
        rows[-1] = rows[-1][: span.end_column]
        rows[0] = rows[0][span.column :]
    text = normalised("\n".join(rows))
    if not text and span.line <= len(lines):
        text = normalised(lines[span.line - 1])
    if len(text) > _LONGEST:
        import hashlib  # noqa: PLC0415  it loads OpenSSL

        digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
        text = f"{text[:_KEPT]}... {digest[:12]}"
    return text


def normalised(text: str) -> str:
    """A piece of source on one line: without comments, and without what a formatter would change.

    Blanks count where they divide words, commas where no bracket follows, quotes where it matters which they
    are.
    """
    pieces: list[str] = []
    blank = False
    for match in _PIECE.finditer(text):
        piece, kind = match[0], match.lastgroup
        if kind in ("comment", "blank"):
            blank = True
            continue
        before = pieces[-1][-1] if pieces else ""
        if kind == "sign":
            if piece in ")]}" and before == ",":
                pieces.pop()
        else:
            if kind == "string" and _PLAIN.fullmatch(piece):
                piece = f"'{piece[1:-1]}'"
            # what stands right before a string may be its prefix
            divided = blank or kind == "word"
            if before == "," or (divided and (before.isalnum() or before in ("_", "'", '"'))):
                pieces.append(" ")
        pieces.append(piece)
        blank = False
    return "".join(pieces)
