# ruff: noqa: PLC0415 -- packaging is for projects that name the distribution
"""Which versions of a distribution a project admits, by what its files say.

Lock files come first, then declarations, then what is installed in the project's own virtual
environment; within each, the folder nearest to the code that is asked about.  Nothing is imported or
run: ``setup.py`` is not looked at, and an installed version is the name of a ``.dist-info`` folder.
The environment that the linter runs in is never asked.
"""

from __future__ import annotations

import codecs
import enum
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from awaitlint.files.environments import environment_of, site_directories
from awaitlint.files.inputs import note_file, note_names, note_variable
from awaitlint.index import requirements_files as files
from awaitlint.index.requirements_versions import Mention, exactly, joined

#: Files that are larger are not read; the largest lock files of public projects have a few megabytes.
LARGEST_FILE = 32 * 1024 * 1024
#: At most so many files are followed from one requirements file.
MOST_INCLUDES = 50

_LOCKS: tuple[tuple[str, files.Reader], ...] = (
    ("uv.lock", files.lock),
    ("poetry.lock", files.lock),
    ("pdm.lock", files.lock),
    ("pylock.toml", files.lock),
    ("pylock.*.toml", files.lock),
    ("Pipfile.lock", files.pipfile_lock),
)
_DECLARATIONS: tuple[tuple[str, files.Reader], ...] = (
    ("pyproject.toml", files.pyproject),
    ("setup.cfg", files.setup_cfg),
    ("Pipfile", files.pipfile),
    # What pip installs from comes before what it was compiled from.
    ("requirements.txt", files.requirements_txt),
    ("requirements*.txt", files.requirements_txt),
    ("requirements/*.txt", files.requirements_txt),
    ("requirements*.in", files.requirements_txt),
    ("requirements/*.in", files.requirements_txt),
    ("constraints*.txt", files.requirements_txt),
)
_REPOSITORY = (".git", ".hg", ".svn", ".jj", ".sl")


class Origin(enum.Enum):
    """What kind of source an `Admission` comes from."""

    LOCK = "lock"
    DECLARATION = "declaration"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Admission:
    """Which versions of a distribution a project admits.

    `mentions` are the places in the deciding file that say so; a version is admitted when one of them
    admits it.  Where nothing tells a version (`known` is false) they are the places that name the
    distribution without one, if any.
    """

    distribution: str
    origin: Origin | None
    mentions: tuple[Mention, ...]

    @property
    def known(self) -> bool:
        return self.origin is not None

    def evidence(self, low: str, high: str | None) -> Mention | None:
        """The first place that admits a version in [`low`, `high`); None where none does."""
        return next((mention for mention in self.mentions if mention.admits(low, high)), None)

    def admits(self, low: str, high: str | None) -> bool:
        """Whether a version in [`low`, `high`) is admitted; true of every range where nothing is known."""
        return not self.known or self.evidence(low, high) is not None


def admitted(distribution: str, start: Path, stop: Path | None, python: Path | None = None) -> Admission:
    """Which versions of a distribution the project admits that the folder `start` belongs to.

    `stop` is the last folder to look into, usually the repository's root; None goes up to the file
    system's.  `python` is the environment that was configured, if any.  A file that cannot be read, decoded
    or parsed counts as absent.
    """
    name = files.normalise(distribution)
    folders = _folders(start, stop)
    unversioned: list[Mention] = []
    for index, folder in enumerate(folders):
        locked = _first(_LOCKS, folder, name, folders[-1], unversioned)
        if not locked:
            continue
        # A lock file farther up than a declaration that it contradicts belongs to another project.
        for nearer in folders[:index]:
            declared = _first(_DECLARATIONS, nearer, name, folders[-1], unversioned)
            if declared and not _agree(declared, locked):
                return Admission(name, Origin.DECLARATION, declared)
            if declared:
                break
        return Admission(name, Origin.LOCK, locked)
    for folder in folders:
        declared = _first(_DECLARATIONS, folder, name, folders[-1], unversioned)
        if declared:
            return Admission(name, Origin.DECLARATION, declared)
    for environment in _environments(folders, python):
        installed = _installed(environment, name)
        if installed:
            return Admission(name, Origin.ENVIRONMENT, installed)
    return Admission(name, None, tuple(dict.fromkeys(unversioned)))


def project_root(start: Path) -> Path:
    """The last folder to ask about code in the folder `start`.

    The root of the repository that holds it; outside a repository, the nearest folder at or above it
    with a file that says what a project requires; `start` itself where there is neither.
    """
    folders = _folders(start, None)
    for folder in folders:
        note_names(folder, *_REPOSITORY)
        if any((folder / name).exists() for name in _REPOSITORY):
            return folder
    patterns = [pattern for pattern, _ in (*_LOCKS, *_DECLARATIONS)] + ["setup.py"]
    for folder in folders:
        names = _names(folder, *patterns)
        if any(fnmatchcase(name, pattern) for name in names for pattern in patterns):
            return folder
    return folders[0]


def _folders(start: Path, stop: Path | None) -> list[Path]:
    """`start` and the folders above it, up to and with `stop`."""
    first = Path(os.path.abspath(start))  # noqa: PTH100 -- resolves `..`, keeps symbolic links
    folders = [first, *first.parents]
    if stop is None:
        return folders
    last = Path(os.path.abspath(stop))  # noqa: PTH100
    return folders[: folders.index(last) + 1] if last in folders else folders[:1]


def _first(
    kinds: Sequence[tuple[str, files.Reader]],
    folder: Path,
    name: str,
    root: Path,
    unversioned: list[Mention],
) -> tuple[Mention, ...]:
    """What the first file of the folder says that tells a version; empty where none does."""
    listings: dict[str, list[str]] = {}
    for pattern, reader in kinds:
        inner, _, last = pattern.rpartition("/")
        if inner not in listings:
            listings[inner] = _names(folder / inner, *(each.rpartition("/")[2] for each, _ in kinds))
        for entry in listings[inner]:
            if not fnmatchcase(entry, last):
                continue
            said = _say(folder / inner / entry, reader, name, root)
            found = said.overrides or joined(said.mentions, said.constraints) or tuple(said.constraints)
            known = tuple(mention for mention in found if mention.alternatives is not None)
            if known:
                return known
            unversioned += found
    return ()


def _say(path: Path, reader: files.Reader, name: str, root: Path) -> files.Said:
    """What a file says together with those it includes, each read once."""
    total = files.Said()
    queue, seen = [(path, False)], {path}
    while queue:
        current, is_constraint = queue.pop(0)
        said = _read(current, reader, name)
        (total.constraints if is_constraint else total.mentions).extend(said.mentions)
        total.constraints += said.constraints
        total.overrides += said.overrides
        for written, constrains in said.includes:
            target = Path(os.path.normpath(current.parent / written))
            if target.is_relative_to(root) and target not in seen and len(seen) <= MOST_INCLUDES:
                seen.add(target)
                queue.append((target, constrains or is_constraint))
    return total


#: By file, reader and name: the file's state when it was read, and what it said.
_said: dict[tuple[Path, files.Reader, str], tuple[tuple[int, ...], files.Said]] = {}


def _read(path: Path, reader: files.Reader, name: str) -> files.Said:
    """What the file says now; asked again only once it has changed."""
    note_file(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
            return files.Said()
        state = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        cached = _said.get((path, reader, name))
        if cached is not None and cached[0] == state:
            return cached[1]
        data = path.read_bytes()
    except (OSError, ValueError):  # ValueError: a null byte in an included path
        return files.Said()
    text = _decode(data, strict=reader is not files.requirements_txt)
    wanted = files.name_pattern(name)
    if reader is files.requirements_txt:
        wanted += r"|^\s*-(?:[rc]|-requirement|-constraint)"
    relevant = text is not None and re.search(wanted, text, re.IGNORECASE | re.MULTILINE)
    said = reader(files.Document(path, text, name)) if text is not None and relevant else files.Said()
    if len(_said) > 4096:
        _said.clear()
    _said[path, reader, name] = (state, said)
    return said


def _decode(data: bytes, *, strict: bool) -> str | None:
    """The text, also where PowerShell wrote it as UTF-16; None where it is no text."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding, errors="strict" if strict else "replace")
    except UnicodeError:
        return None


def _agree(declared: Sequence[Mention], locked: Sequence[Mention]) -> bool:
    from packaging.specifiers import SpecifierSet

    versions = [text.removeprefix("==") for lock in locked for text in lock.alternatives or ()]
    sets = [SpecifierSet(text) for mention in declared for text in mention.alternatives or ()]
    return any(wanted.contains(version, prereleases=True) for wanted in sets for version in versions)


def _environments(folders: Sequence[Path], python: Path | None) -> Iterator[tuple[str, ...]]:
    """The site-packages of the project's virtual environments.

    They are those with the usual names, and the active one if it is inside, unless one was configured.
    """
    if python is not None:
        location = environment_of(folders[0], python, {})
        yield location.sites if location is not None else ()
        return
    for folder in folders:
        yield _sites(folder / ".venv")
        yield _sites(folder / "venv")
    note_variable("VIRTUAL_ENV")
    active = os.environ.get("VIRTUAL_ENV")
    if active:
        path = Path(os.path.abspath(active))  # noqa: PTH100
        if path.is_relative_to(folders[-1]) and path.resolve() != Path(sys.prefix).resolve():
            yield _sites(path)


def _sites(prefix: Path) -> tuple[str, ...]:
    note_file(prefix / "pyvenv.cfg")
    for inner in ("lib", "lib64", "Lib"):
        note_names(prefix / inner, "python*", "pypy*", "graalpy*", "site-packages")
    return site_directories(os.fspath(prefix))


def _installed(sites: Sequence[str], name: str) -> tuple[Mention, ...]:
    """The versions of a distribution in an environment's site-packages, by the names of its metadata."""
    found = []
    dist_info = re.compile(rf"{files.name_pattern(name)}-([^-]+)\.dist-info", re.IGNORECASE)
    for folder in map(Path, sites):
        for entry in _names(folder, "*.dist-info"):
            match = dist_info.fullmatch(entry)
            alternatives = exactly(match[1]) if match else None
            if match and alternatives:
                found.append(Mention(folder / entry, None, match[1], alternatives, pinned=True))
    return tuple(found)


def _names(folder: Path, *patterns: str) -> list[str]:
    """The names in a folder; those that do not match one of the patterns decide nothing."""
    note_names(folder, *patterns)
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 -- names are all that is needed
    except (OSError, ValueError):
        return []
