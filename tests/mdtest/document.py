"""From a Markdown document to cases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The laws that a case may be exempted from, see tests/test_laws.py.
LAWS = frozenset({"strip-async", "noqa", "fix", "order", "sieve", "flake8"})

_HEADING = re.compile(r"(#{1,6}) +(.+?) *#*\s*$")
_FENCE = re.compile(r"(`{3,})(\S*)(?: +(\S+))?\s*$")
_PATH = re.compile(r"`([^`]+)`:\s*$")
_OPTION = re.compile(r"<!--\s*(?P<key>[a-z-]+)\s*(?::\s*(?P<value>.*?))?\s*-->\s*$")
_DEFAULT_PATHS = {"py": "main.py", "pyi": "main.pyi", "toml": "pyproject.toml"}


class MarkdownError(Exception):
    """A document that is not a suite; the message begins with the document's name and the line."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a case; `line` is the document's line on which its text begins, counted from 1."""

    path: str
    text: str
    line: int

    @property
    def is_python(self) -> bool:
        return self.path.endswith((".py", ".pyi"))


@dataclass(frozen=True, slots=True)
class Case:
    """One section with code."""

    #: the document's name, such as ``rules/unawaited-coroutine``
    suite: str
    #: its headings, joined
    name: str
    #: what a person opens: the document's path
    document: str
    line: int
    files: tuple[Source, ...]
    #: whole texts after ``--fix`` and after ``--fix --unsafe-fixes``
    fixed: tuple[Source, ...] = ()
    unsafe_fixed: tuple[Source, ...] = ()
    #: the oldest Python that compiles the case, where that is newer than the oldest supported one
    syntax: tuple[int, int] | None = None
    compiles: bool = True
    #: rules to run, instead of the default ones
    select: tuple[str, ...] = ()
    #: law -> the reason why it does not hold here
    exempt: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def id(self) -> str:
        return f"{self.suite}: {self.name}"

    @property
    def python_files(self) -> tuple[Source, ...]:
        return tuple(each for each in self.files if each.is_python)


@dataclass(slots=True)
class _Fence:
    info: str
    role: str
    path: str | None
    text: str
    #: of the opening fence
    line: int


@dataclass(slots=True)
class _Section:
    level: int
    titles: tuple[str, ...]
    line: int
    options: dict[str, str]
    exempt: dict[str, str]
    fences: list[_Fence] = field(default_factory=list)
    has_children: bool = False


def parse(text: str, *, suite: str, document: str) -> list[Case]:
    """The cases of a document, in its order.

    Args:
        text: The Markdown.
        suite: The document's short name; it is part of the cases' ids.
        document: Its path, for messages.

    Raises:
        MarkdownError: The document is not well formed.
    """
    sections = _Parser(text, document).sections()
    cases: list[Case] = []
    names: dict[str, int] = {}
    for section in sections:
        if not section.fences:
            continue
        if section.has_children:
            raise _error(
                document, section.line, "a section with code has sections below it; move one of them"
            )
        case = _case(section, suite, document)
        if case.name in names:
            raise _error(document, section.line, f"line {names[case.name]} has the same heading: {case.name}")
        names[case.name] = section.line
        cases.append(case)
    return cases


def _error(document: str, line: int, message: str) -> MarkdownError:
    return MarkdownError(f"{document}:{line}: {message}")


class _Parser:
    def __init__(self, text: str, document: str) -> None:
        self.document = document
        self.lines = text.split("\n")
        #: open sections, outermost first; the first one is the document before its first heading
        self.stack = [_Section(0, (), 1, {}, {})]

    def sections(self) -> Iterator[_Section]:
        found = [self.stack[0]]
        position = 0
        name: str | None = None
        while position < len(self.lines):
            line = self.lines[position]
            number = position + 1
            position += 1
            if fence := _FENCE.match(line):
                end = self._end_of_fence(position, fence[1])
                text = "".join(f"{each}\n" for each in self.lines[position:end])
                self.stack[-1].fences.append(_Fence(fence[2], fence[3] or "", name, text, number))
                position = end + 1
                name = None
            elif heading := _HEADING.match(line):
                found.append(self._open(len(heading[1]), heading[2], number))
                name = None
            elif option := _OPTION.match(line):
                self._option(option["key"], option["value"] or "", number)
            elif path := _PATH.match(line):
                name = path[1]
            elif line.strip():
                name = None
        return iter(found)

    def _end_of_fence(self, start: int, ticks: str) -> int:
        for position in range(start, len(self.lines)):
            if self.lines[position].rstrip() == ticks:
                return position
        raise _error(self.document, start, "this fence has no end")

    def _open(self, level: int, title: str, number: int) -> _Section:
        while self.stack[-1].level >= level:
            self.stack.pop()
        parent = self.stack[-1]
        if parent.level:
            parent.has_children = True
        # the title of the document is the suite's own name
        titles = (*parent.titles, title) if parent.level > 1 else (title,)
        section = _Section(level, titles, number, dict(parent.options), dict(parent.exempt))
        self.stack.append(section)
        return section

    def _option(self, key: str, value: str, number: int) -> None:
        section = self.stack[-1]
        if key == "law-exempt":
            law, _, reason = value.partition(",")
            if law not in LAWS or not reason.strip():
                raise _error(
                    self.document, number, f"write law-exempt: one of {', '.join(sorted(LAWS))}, reason"
                )
            section.exempt[law] = reason.strip()
        elif key in {"syntax", "select"} and value:
            section.options[key] = value
        elif key == "no-compile" and not value:
            section.options[key] = ""
        else:
            raise _error(self.document, number, f"no such option: {key}: {value}")


def _case(section: _Section, suite: str, document: str) -> Case:
    files: dict[str, Source] = {}
    outcomes: dict[str, dict[str, Source]] = {"fixed": {}, "unsafe-fixed": {}}
    for fence in section.fences:
        if fence.role in outcomes:
            first = next((path for path in files if path.endswith(".py")), "main.py")
            path, into = fence.path or first, outcomes[fence.role]
            if path not in files:
                raise _error(document, fence.line, f"the case has no file {path}")
        elif fence.role:
            raise _error(document, fence.line, f"no such kind of code: {fence.info} {fence.role}")
        elif fence.path is None and fence.info not in _DEFAULT_PATHS:
            raise _error(
                document, fence.line, f"a fence with `{fence.info}` needs a path on the line before it"
            )
        else:
            path, into = fence.path or _DEFAULT_PATHS[fence.info], files
        if path in into:
            raise _error(document, fence.line, f"the case has {path} twice; name the files")
        if path.startswith("/") or ".." in path.split("/"):
            raise _error(document, fence.line, f"{path} leaves the case's directory")
        into[path] = Source(path, fence.text, fence.line + 1)
    options = section.options
    return Case(
        suite=suite,
        name=" / ".join(section.titles) or "whole document",
        document=document,
        line=section.line,
        files=tuple(files.values()),
        fixed=tuple(outcomes["fixed"].values()),
        unsafe_fixed=tuple(outcomes["unsafe-fixed"].values()),
        syntax=_version(options["syntax"], document, section.line) if "syntax" in options else None,
        compiles="no-compile" not in options,
        select=tuple(part.strip() for part in options.get("select", "").split(",") if part.strip()),
        exempt=MappingProxyType(section.exempt),
    )


def _version(text: str, document: str, line: int) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise _error(document, line, f"syntax: 3.12 is a version, {text} is not")
    return int(major), int(minor)
