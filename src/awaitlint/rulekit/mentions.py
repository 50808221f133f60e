"""Where the sources of a project mention a name, by their text alone.

Every source file below the project's root is read, whichever files are checked, so that the answer is the
same for one file as for all.  This is the one module that reads files for what they say, not since they are
imported: what a rule learns from `project_mentions` or `modules_with` depends on all of them, which both note
each time they are asked.  Only rules that are off by default ask.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitlint.files.discover import DEFAULT_EXCLUDE, discover
from awaitlint.files.inputs import note_everything
from awaitlint.files.source import SourceError, decode

if TYPE_CHECKING:
    from pathlib import Path

    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project

_TEXTS = re.compile(
    r'"""(?:\\.|(?!""").)*"""|\'\'\'(?:\\.|(?!\'\'\').)*\'\'\''
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|\#[^\n]*',
    re.DOTALL,
)
_LISTED = re.compile(r"__all__\s*(?::[^=\n]*)?\+?=\s*[\[(][^\])]*[\])]")
_IMPORTS = re.compile(r"^[ \t]*(?:from\s+[\w.]+\s+)?import\s+(?:\([^)]*\)|(?:\\\n|[^\n])*)", re.MULTILINE)
#: patterns that begin with plain letters are searched for much faster
_DEFINED_ASYNC = re.compile(r"async(?<!\wasync)\s+def\s+(\w+)")
_DEFINED = re.compile(r"def(?<!\wdef)\s+(\w+)")
_CALLED = re.compile(r"(\bawait\b[\s(]*(?:[\w.]|\([^()]*\)|\[[^\[\]]*\])*?)?(?<!\w)([A-Za-z_]\w*)\s*\(")
#: a text that may become a name: ``f"step_{name}"``, ``"visit_" + kind``
_PREFIX = re.compile(r"""[fF]["']([A-Za-z]\w*_)\{[^{}]*\}["']|["']([A-Za-z]\w*_)["']\s*\+""")
#: a name that is neither called nor bound by what follows
_VALUE = re.compile(r"(?<!\w)[A-Za-z_]\w*(?!\w|\s*\(|\s*=(?!=))")


@dataclass(slots=True)
class Mentions:
    """How often names are defined and called in the files that were read, and which are used as values."""

    defined: Counter[str] = field(default_factory=Counter)
    defined_async: Counter[str] = field(default_factory=Counter)
    awaited: Counter[str] = field(default_factory=Counter)
    #: called without ``await`` just before the call
    called: set[str] = field(default_factory=set)
    #: neither called nor defined where they stand; also the texts that could be a name
    values: set[str] = field(default_factory=set)
    #: with what names may begin that are put together
    prefixes: set[str] = field(default_factory=set)

    def is_value(self, name: str) -> bool:
        """Whether a name may be used as a value."""
        return name in self.values or name.startswith(tuple(self.prefixes))

    def read(self, text: str) -> None:
        """Take in the text of a file."""
        for made in _PREFIX.findall(text):
            self.prefixes.add(made[0] or made[1])
        text = _TEXTS.sub(_name_in, _LISTED.sub("", text))
        text = _IMPORTS.sub("", text)
        made_async = _DEFINED_ASYNC.findall(text)
        text = _DEFINED_ASYNC.sub(" ", text)
        self.defined_async.update(made_async)
        self.defined.update(made_async)
        self.defined.update(_DEFINED.findall(text))
        text = _DEFINED.sub(" ", text)
        for awaited, name in _CALLED.findall(text):
            if awaited:
                self.awaited[name] += 1
            else:
                self.called.add(name)
        self.values.update(_VALUE.findall(text))


def _name_in(match: re.Match[str]) -> str:
    """What is left of a string or comment: the name that a string is."""
    text = match[0].strip("\"'")
    return f" {text} " if text.isidentifier() else " 0 "


def mentions(text: str) -> Mentions:
    """The mentions in one file."""
    found = Mentions()
    found.read(text)
    return found


def project_mentions(project: Project) -> Mentions:
    """The mentions in all source files below a project's root."""
    note_everything()
    return _project_mentions(project)


@functools.lru_cache(maxsize=2)
def _project_mentions(project: Project) -> Mentions:
    found = Mentions()
    for path in _files(project):
        try:
            found.read(decode(project.store.read(path)).text)
        except SourceError:
            continue
    return found


def modules_with(project: Project, name: str) -> tuple[Module, ...]:
    """The modules below a project's root in whose files a name stands, be it as part of another."""
    note_everything()
    return _modules_with(project, name)


@functools.lru_cache(maxsize=64)
def _modules_with(project: Project, name: str) -> tuple[Module, ...]:
    word, found = name.encode(), []
    for path in _files(project):
        try:
            holds = word in project.store.read(path)
        except SourceError:
            continue
        module = project.module_at(path) if holds else None
        if module is not None:
            found.append(module)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Everything:
    """The options by which the files are found, which are nobody's."""

    root: Path
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = False


@functools.lru_cache(maxsize=2)
def _files(project: Project) -> tuple[Path, ...]:
    settings = _Everything(project.root)
    targets = discover([project.root], lambda _: settings, cwd=project.root, on_error=lambda *_: None)
    return tuple(target.path for target in targets)
