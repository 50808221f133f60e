# ruff: noqa: PLC0415 -- packaging is for projects that name the distribution
"""What a project's files say about one distribution: lock files and declarations, read as data.

Every reader takes a file's text and the pattern of the distribution's name and returns `Said`.  A file
that is not what its name promises says nothing: another tool reports that.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from awaitlint.index.requirements_versions import Mention, exactly, linked, pep440, poetry, tagged
from awaitlint.model import Span

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(.*)", re.DOTALL)
_INCLUDE = re.compile(r"(?:-([rc])\s*|--(requirement|constraint)(?:\s+|\s*=\s*))(\S.*)")
_EDITABLE = re.compile(r"^(?:-e\s*|--editable(?:\s+|\s*=\s*))")
_LOCKED_PACKAGE = re.compile(r"^\[\[packages?\]\][ \t]*(?:#.*)?\r?$", re.MULTILINE)
#: A file that names the distribution more often is looked at no further: it is not a real one.
MOST_MENTIONS = 50
#: Sections of a Pipfile and keys of its lock that hold no packages.
_PIPENV_OTHER = {"source", "requires", "scripts", "pipenv", "_meta"}


@dataclass(slots=True)
class Said:
    """What one file says: requirements, bounds on them, what replaces them, and other files to read."""

    mentions: list[Mention] = field(default_factory=list)
    constraints: list[Mention] = field(default_factory=list)
    overrides: list[Mention] = field(default_factory=list)
    #: (path as written, whether it is a constraints file)
    includes: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text, and the distribution that it is asked about."""

    path: Path
    text: str
    distribution: str

    @property
    def pattern(self) -> str:
        """A regular expression for the distribution's name in any of its spellings (PEP 503)."""
        return name_pattern(self.distribution)

    def is_name(self, text: object) -> bool:
        return isinstance(text, str) and normalise(text) == self.distribution

    def mention(
        self,
        spelling: str,
        alternatives: tuple[str, ...] | None,
        *needles: str,
        pinned: bool = False,
        is_key: bool = False,
    ) -> Mention:
        """A mention on the line that `locate` finds for the needles, where the name may have to be a key."""
        return Mention(self.path, self.locate(*needles, is_key=is_key), spelling, alternatives, pinned)

    def locate(self, *needles: str, is_key: bool = False) -> Span:
        """The best line for a mention, since parsed TOML, JSON and INI data know no lines.

        The first one outside comments that has the name and all needles; of those that lack a needle the
        first one that has the name, and the key of a table rather than a value.
        """
        name = re.compile(rf"(?<![\w.-]){self.pattern}(?![\w-])", re.IGNORECASE)
        key = re.compile(
            rf"""\s*["']?{self.pattern}["']?\s*[=:.]|\s*\[[^\]]*{self.pattern}["']?\]""", re.IGNORECASE
        )
        ranked: list[tuple[bool, bool, Span]] = []
        for number, line in _lines_that_name(self.text, self.pattern):
            match = name.search(line) or (key.match(line) if is_key else None)
            if match is None:
                continue
            missing = any(needle not in line for needle in needles)
            start, end = match.span()
            if needles and not missing:
                start = line.index(needles[0])
                end = start + len(needles[0])
            ranked.append((is_key and not key.match(line), missing, Span(number, start, number, end)))
        return min(ranked, default=(False, False, Span(1, 0, 1, 0)))[2]


@lru_cache(maxsize=8)
def _lines_that_name(text: str, pattern: str) -> tuple[tuple[int, str], ...]:
    """The first lines outside comments that hold the name, and their numbers."""
    name = re.compile(pattern, re.IGNORECASE)
    numbered = enumerate(text.splitlines(), 1)
    found = (item for item in numbered if name.search(item[1]) and not item[1].lstrip().startswith("#"))
    return tuple(islice(found, 10 * MOST_MENTIONS))


def normalise(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_pattern(distribution: str) -> str:
    """A regular expression that finds the normalised name in any spelling; use it ignoring case."""
    return r"[-_.]+".join(map(re.escape, distribution.split("-")))


def lock(document: Document) -> Said:
    """``uv.lock``, ``poetry.lock``, ``pdm.lock``, ``pylock.toml``: a table of packages each.

    Only the tables of this distribution are parsed: reading a large lock file whole takes a second.
    """
    said = Said()
    starts = [match.start() for match in _LOCKED_PACKAGE.finditer(document.text)]
    named = re.compile(rf"""^name\s*=\s*["']{document.pattern}["']""", re.MULTILINE | re.IGNORECASE)
    for start, end in zip(starts, [*starts[1:], len(document.text)], strict=True):
        if len(said.mentions) == MOST_MENTIONS:
            break
        match = named.search(document.text, start, end)
        data = _toml(document.text[start:end]) if match else {}
        packages = data.get("package", data.get("packages"))
        if not match or not isinstance(packages, list) or not isinstance(packages[0], dict):
            continue
        package = packages[0]
        if not document.is_name(package.get("name")):
            continue
        version = package.get("version")
        if not isinstance(version, str):
            version = _told(package.get("vcs")) or _told(package.get("archive"))
        line = document.text.count("\n", 0, match.start()) + 1
        span = Span(line, 0, line, match.end() - match.start())
        alternatives = exactly(version) if version else None
        said.mentions.append(Mention(document.path, span, version or "", alternatives, pinned=True))
    return said


def pipfile_lock(document: Document) -> Said:
    """``Pipfile.lock``: JSON, a table of packages for each category."""
    try:
        data = json.loads(document.text)
    except (ValueError, RecursionError):
        return Said()
    said = Said()
    for name, value in _pipenv_packages(document, data):
        version = value.get("version") if isinstance(value, dict) else None
        if isinstance(version, str):
            exact = version.removeprefix("==")
            said.mentions.append(document.mention(exact, exactly(exact), f'"{name}"', pinned=True))
        else:
            said.mentions.append(_table(document, name, value))
    return said


def pipfile(document: Document) -> Said:
    """``Pipfile``: TOML, a table of packages for each category."""
    packages = _pipenv_packages(document, _toml(document.text))
    return Said([_table(document, name, value) for name, value in packages])


def pyproject(document: Document) -> Said:
    """``pyproject.toml``: the standard tables and those of Poetry, uv and PDM."""
    data = _toml(document.text)
    project, tool = _dict(data.get("project")), _dict(data.get("tool"))
    tool_poetry, uv, pdm = (_dict(tool.get(name)) for name in ("poetry", "uv", "pdm"))
    said = Said()
    for table in (project, tool_poetry):  # the project is the distribution itself
        if document.is_name(table.get("name")) and isinstance(version := table.get("version"), str):
            said.overrides.append(document.mention(version, exactly(version), "name", pinned=True))

    lists = [project.get("dependencies"), uv.get("dev-dependencies")]
    for groups in (
        project.get("optional-dependencies"),
        data.get("dependency-groups"),
        pdm.get("dev-dependencies"),
    ):
        lists += _dict(groups).values()
    said.mentions += _requirements(document, lists)
    said.constraints += _requirements(document, [uv.get("constraint-dependencies")])
    said.overrides += _requirements(document, [uv.get("override-dependencies")])

    groups = [tool_poetry, *_dict(tool_poetry.get("group")).values()]
    tables = [_dict(group).get(key) for group in groups for key in ("dependencies", "dev-dependencies")]
    for name, value in (item for table in tables for item in _dict(table).items()):
        if document.is_name(name):
            entries = [
                _table(document, name, entry)
                for entry in (value[:MOST_MENTIONS] if isinstance(value, list) else [value])
            ]
            # Beside [project], Poetry's table adds a source or extras and need not repeat the version.
            said.mentions += [entry for entry in entries if entry.spelling != "*" or not said.mentions]
    for name, value in _dict(_dict(pdm.get("resolution")).get("overrides")).items():
        if document.is_name(name):
            said.overrides.append(_table(document, name, value))
    for name, value in _dict(uv.get("sources")).items():
        if document.is_name(name):
            sources = value[:MOST_MENTIONS] if isinstance(value, list) else [value]
            said.overrides += [
                _table(document, name, source)
                for source in sources
                if isinstance(source, dict) and "index" not in source
            ]
    return said


def setup_cfg(document: Document) -> Said:
    """``setup.cfg``: setuptools' declarative requirements."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(document.text)
    except configparser.Error:
        return Said()
    values = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        values += [value for _, value in parser.items("options.extras_require")]
    lines = [
        [line for line in re.split(r"[\n;]\s*(?=[A-Za-z])|\n", value) if line.strip()] for value in values
    ]
    return Said(_requirements(document, lines))


def requirements_txt(document: Document) -> Said:
    """A pip requirements or constraints file."""
    said = Said()
    lines = document.text.splitlines()
    for number, line in _logical_lines(lines):
        if len(said.mentions) == MOST_MENTIONS:
            break
        if include := _INCLUDE.match(line):
            said.includes.append((include[3].strip("'\" "), (include[1] or include[2])[0] == "c"))
            continue
        text = re.split(r"\s--?[a-z]", _EDITABLE.sub("", line, count=1), maxsplit=1)[0].strip()
        if not text or text.startswith("-"):
            continue
        found = _requirement(document, text)
        if found is not None:
            column = max(lines[number - 1].find(text.split()[0]), 0)
            said.mentions.append(replace(found, span=Span(number, column, number, column + len(text))))
    return said


def _logical_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """A requirements file's lines, with continued ones joined and comments left out, and their numbers."""
    pending, first = "", 0
    for number, line in enumerate([*lines, ""], 1):
        first = first or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            pending += line[:-1] + " "
            continue
        logical = re.sub(r"(^|\s)#.*", "", pending + line).strip()
        if logical:
            yield first, logical
        pending, first = "", 0


def _requirements(document: Document, lists: list[Any]) -> list[Mention]:
    texts = [text for values in lists if isinstance(values, list) for text in values if isinstance(text, str)]
    found = (_requirement(document, text) for text in dict.fromkeys(texts))
    return list(islice((mention for mention in found if mention is not None), MOST_MENTIONS))


def _requirement(document: Document, text: str) -> Mention | None:
    """A PEP 508 requirement, or one of the links that pip takes in its place; None for other names."""
    match = _REQUIREMENT.match(text)
    needle = text.strip().splitlines()[0] if text.strip() else ""
    if re.match(r"(?:[\w+.-]+:|\.{0,2}/)", text):
        egg = re.search(r"[#&]egg=([\w.-]+)", text)
        file_name = text.partition("#")[0].rstrip("/").rpartition("/")[2]
        name = egg[1] if egg else re.split(r"[-@]", file_name, maxsplit=1)[0]
        if not document.is_name(name):
            return None
        return _link(document, text, needle)
    if match is None or not document.is_name(match[1]):
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):  # a marker may have thousands of parentheses
        return document.mention("", None, needle)
    if requirement.url is not None:
        return _link(document, requirement.url, needle)
    specifiers = list(requirement.specifier)
    if len(specifiers) == 1 and specifiers[0].operator == "==" and not specifiers[0].version.endswith("*"):
        version = specifiers[0].version
        return document.mention(version, exactly(version), needle, pinned=True)
    spelling = match[2].split(";")[0].strip()
    spelling = re.sub(r"\[[^\]]*\]|[()\s]", "", spelling)
    return document.mention(spelling, pep440(str(requirement.specifier)), needle)


def _link(document: Document, url: str, needle: str) -> Mention:
    version = linked(url)
    return document.mention(version or "", exactly(version) if version else None, needle, pinned=True)


def _table(document: Document, name: str, value: object) -> Mention:
    """An entry ``name = value`` of a Poetry, Pipenv, PDM or uv table."""
    if isinstance(value, dict) and value.keys() & {"git", "url", "path", "file", "workspace", "ref", "vcs"}:
        version = _told(value)
        alternatives = exactly(version) if version else None
        return document.mention(version or "", alternatives, name, pinned=True, is_key=True)
    constraint = value.get("version", "*") if isinstance(value, dict) else value
    if not isinstance(constraint, str):
        return document.mention("", None, name, is_key=True)
    alternatives = poetry(constraint)
    exact = re.fullmatch(r"\s*(?:=?=\s*)?v?([0-9][^\s,|*]*)\s*", constraint)
    spelling = exact[1] if alternatives and exact else constraint.strip()
    return document.mention(spelling, alternatives, name, constraint, pinned=exact is not None, is_key=True)


def _told(source: object) -> str | None:
    """The version that the table of a VCS or archive source tells."""
    for key in ("tag", "ref", "rev", "requested-revision"):
        if isinstance(source, dict) and isinstance(value := source.get(key), str) and tagged(value):
            return tagged(value)
    for key in ("url", "file", "path"):
        if isinstance(source, dict) and isinstance(value := source.get(key), str) and linked(value):
            return linked(value)
    return None


def _pipenv_packages(document: Document, data: object) -> Iterator[tuple[str, Any]]:
    for category, packages in _dict(data).items():
        if category not in _PIPENV_OTHER:
            yield from ((name, value) for name, value in _dict(packages).items() if document.is_name(name))


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


Reader = Callable[[Document], Said]
