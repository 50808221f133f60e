"""Where Python would look for packages in an environment: site-packages, and what its files add to them.

Nothing is executed.  Of a ``.pth`` file the lines that are paths count, and lines that are code do not; where
such a line installs setuptools' finder of an editable installation, the finder's file is parsed for the
literals that say where the packages are.
"""

from __future__ import annotations

import ast
import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitlint.files.inputs import note_file
from awaitlint.files.source import read_regular, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from awaitlint.files.listings import Listings

#: bytes of a file that is read here: the largest finders of editable installations have some ten thousand
_LARGEST = 1 << 20
#: paths that files may add; beyond them, files add nothing
_MOST_PATHS = 1000
_FINDER = re.compile(r"import (__editable___\w+_finder)\s*;")
_DIST_INFO = re.compile(r"(?P<name>[^-]+)(?:-[^-]+)?\.dist-info")
_SEPARATORS = re.compile(r"[-_.]+")


@dataclass(slots=True)
class SearchPath:
    """Where to look, in this order: `directories`, then `mapping`.

    `mapping` gives dotted names of packages and modules with the path of the directory or of the file less
    its suffix, `namespaces` the dotted names of namespace packages with the directories of their portions.
    """

    directories: list[str] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    namespaces: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: files that were read for it, each with what `signature` said before
    files: dict[str, tuple[int, int] | None] = field(default_factory=dict)


def search_path(sites: Sequence[str], listings: Listings) -> SearchPath:
    """The path that the `site` module makes of site-packages directories, and of editable installations."""
    path = SearchPath()
    seen: set[str] = set()
    for site in sites:
        names = sorted(listings.entries(site))
        links = [name for name in names if name.endswith(".egg-link")]
        _add(path, site, seen)
        for name in names:
            if name.endswith(".pth") and not name.startswith("."):
                for line in _lines(os.path.join(site, name), path):
                    _add_line(path, site, line, seen)
        for name in links:
            first = next(_lines(os.path.join(site, name), path), "")
            if os.path.isabs(first):
                _add(path, first, seen)
    return path


def _add(path: SearchPath, directory: str, seen: set[str]) -> None:
    directory = os.path.abspath(directory)
    key = os.path.normcase(directory)
    if key not in seen and len(path.directories) < _MOST_PATHS and os.path.isdir(directory):
        seen.add(key)
        path.directories.append(directory)


def _add_line(path: SearchPath, site: str, line: str, seen: set[str]) -> None:
    """What a line of a ``.pth`` file adds."""
    if line.startswith(("import ", "import\t")):
        match = _FINDER.match(line)
        if match is not None:
            _read_finder(os.path.join(site, f"{match[1]}.py"), path)
    elif line and not line.startswith("#") and "\0" not in line:
        _add(path, os.path.join(site, line), seen)


def _read_finder(file: str, path: SearchPath) -> None:
    """Take over the literals of a module that setuptools has generated for an editable installation."""
    try:
        tree = ast.parse(_read(file, path))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict() as value):
                pass
            case _:
                continue
        if name in ("MAPPING", "NAMESPACES"):
            _take(name, value, path)


def _take(name: str, value: ast.expr, path: SearchPath) -> None:
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return
    for key, where in literal.items() if isinstance(literal, dict) else ():
        if not isinstance(key, str) or len(path.mapping) + len(path.namespaces) >= _MOST_PATHS:
            continue
        if name == "MAPPING" and _is_path(where):
            path.mapping.setdefault(key, where)
        elif name == "NAMESPACES" and isinstance(where, list) and all(_is_path(each) for each in where):
            path.namespaces.setdefault(key, tuple(where))


def _is_path(value: object) -> bool:
    return isinstance(value, str) and os.path.isabs(value) and "\0" not in value


def editable_projects(sites: Sequence[str], listings: Listings) -> list[tuple[str, frozenset[str]]]:
    """Directories of editable installations, and the top-level packages that each may be there for.

    They are what ``direct_url.json`` tells, for build backends whose finders are not understood.  It names
    the project's directory only, so that the packages are those that are called like the distribution, or
    that ``top_level.txt`` lists.
    """
    found = []
    for site in sites:
        for name, is_directory in listings.entries(site).items():
            match = _DIST_INFO.fullmatch(name) if is_directory else None
            if match is not None:
                info = os.path.join(site, name)
                directory = _editable(os.path.join(info, "direct_url.json"))
                if directory is not None:
                    tops = _read(os.path.join(info, "top_level.txt")).split()
                    found.append((directory, frozenset((_SEPARATORS.sub("_", match["name"]), *tops))))
    return found


def _editable(file: str) -> str | None:
    """The directory that a ``direct_url.json`` names (PEP 610), if the installation is editable."""
    note_file(file)
    if not os.path.exists(file):
        return None
    try:
        data = json.loads(_read(file))
    except (ValueError, RecursionError):
        return None
    info = data.get("dir_info") if isinstance(data, dict) else None
    url = data.get("url") if isinstance(info, dict) and info.get("editable") is True else None
    if not isinstance(url, str) or not url.startswith("file:"):
        return None
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415  few environments need it

    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return None
    if os.name == "nt":
        path = path.lstrip("/")
    return os.path.normpath(path) if _is_path(path) else None


def _lines(file: str, path: SearchPath) -> Iterator[str]:
    return (line.rstrip() for line in split_lines(_read(file, path)))


def _read(file: str, path: SearchPath | None = None) -> str:
    """The text of a small file, which is noted in `path`; "" where there is none."""
    if path is not None:
        path.files[file] = signature(file)
    note_file(file)
    try:
        if os.stat(file).st_size > _LARGEST:
            return ""
        return read_regular(file).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return ""


def signature(file: str) -> tuple[int, int] | None:
    """What tells a file from its earlier states: time of change in nanoseconds, and size; None: no file."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_size)
