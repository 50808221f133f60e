"""What the tools said about the marked lines, kept so that the page can be made without the tools."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.comparison.marks import Marked
from benchmarks.tools import Diagnostic

SAID = Path(__file__).with_name("said")

#: messages are cut to so many characters
_LENGTH = 200


class Said(NamedTuple):
    """A tool's diagnostics on the marked lines."""

    tool: str
    version: str
    #: was everything installed that the lines import?
    dependencies: bool
    #: that of the marked lines at the time
    fingerprint: str
    diagnostics: tuple[Diagnostic, ...]


def on_marks(diagnostics: Iterable[Diagnostic], marked: Marked) -> tuple[Diagnostic, ...]:
    """The diagnostics that are about marked lines, once each."""
    places = {(mark.file, line) for mark in marked.marks for line in mark.lines}
    found = {each for each in diagnostics if (each.file, each.line) in places}
    return tuple(sorted(found))


def save(said: Said, directory: Path = SAID) -> None:
    lines = [f"# {said.version} {said.fingerprint}"]
    for each in said.diagnostics:
        message = " ".join(each.message.split())[:_LENGTH]
        lines.append(f"{each.file}\t{each.line}\t{each.code}\t{message}")
    directory.mkdir(exist_ok=True)
    text = "".join(f"{line}\n" for line in lines)
    (directory / _name(said.tool, dependencies=said.dependencies)).write_text(text, encoding="utf-8")


def load(tool: str, *, dependencies: bool, directory: Path = SAID) -> Said | None:
    """What a tool said, unless it was never asked."""
    path = directory / _name(tool, dependencies=dependencies)
    if not path.exists():
        return None
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    _, version, fingerprint = head.split(" ")
    diagnostics = []
    for row in rows:
        file, line, code, message = row.split("\t")
        diagnostics.append(Diagnostic(file, int(line), code, message))
    return Said(tool, version, dependencies, fingerprint, tuple(diagnostics))


def _name(tool: str, *, dependencies: bool) -> str:
    return f"{tool}{'-with-dependencies' if dependencies else ''}.tsv"
