# ruff: noqa: PLC0415 -- packaging is for projects that name the distribution
"""Which versions a requirement admits: PEP 440 specifiers, and Poetry's and Pipenv's own notations.

`packaging` is imported inside the functions: a project that never names the distribution does not pay
for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import Specifier
    from packaging.version import Version

#: One comparison of a Poetry constraint; the wildcard stays a part of the version.
_COMPARISON = re.compile(r"\s*(\^|~=|~|===|==|!=|>=|<=|>|<|=)?\s*v?([0-9][^\s,|]*|\*)\s*,?")
#: A tag that tells a version needs a dot, so that no abbreviated commit hash is taken for one.
_TAG = re.compile(r"(?:[A-Za-z][A-Za-z_-]*[-_/]|v)?(\d+(?:\.\d+)+[A-Za-z0-9.]*)")
#: characters of a constraint that are shown
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a project's files that says which version of a distribution it takes.

    `spelling` is the file's own notation (``>=2,<3``, ``^2.1``), the bare version where `pinned`, empty
    where any version is taken.  `alternatives` are PEP 440 specifier sets; a version is admitted when it
    satisfies one of them.  None means that the place names the distribution but not its version, as a
    link to a branch does.  `path` is the metadata folder, without a `span`, of what is installed.
    """

    path: Path
    span: Span | None
    spelling: str
    alternatives: tuple[str, ...] | None
    pinned: bool = False

    def admits(self, low: str, high: str | None) -> bool:
        """Whether some version in [`low`, `high`) is admitted; `high` None is no upper bound.

        Pre-releases belong to the series they lead to: 3.0b1 is in ["3", None), not below "3".
        """
        return self.alternatives is None or any(_intersects(text, low, high) for text in self.alternatives)

    def describe(self, distribution: str) -> str:
        """The requirement as one would say it: ``langfuse 2.60.10``, ``langfuse>=2``, ``langfuse ^2``."""
        spelling = self.spelling if len(self.spelling) <= _LONGEST else self.spelling[: _LONGEST - 1] + "…"
        gap = " " if self.pinned or not spelling.startswith(("<", ">", "=", "!", "~")) else ""
        return f"{distribution}{gap}{spelling}" if spelling else distribution


def pep440(text: str) -> tuple[str, ...] | None:
    """The specifier set as the only alternative; None where it is not valid."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return (str(SpecifierSet(text)),)
    except InvalidSpecifier:
        return None


def exactly(version: str) -> tuple[str, ...] | None:
    """The alternative that admits one version; None where it is no PEP 440 version."""
    from packaging.version import InvalidVersion, Version

    try:
        return (f"=={Version(version)}",)
    except InvalidVersion:
        return None


def poetry(constraint: str) -> tuple[str, ...] | None:
    """A Poetry (or Pipenv) constraint as PEP 440 alternatives; None where it is not understood.

    Caret and tilde mean what https://python-poetry.org/docs/dependency-specification/ says.
    """
    found: list[str] = []
    for text in re.split(r"\|\|?", constraint):
        parts: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            match = _COMPARISON.match(text, position)
            if match is None:
                return None
            part = _comparison(match[1] or "", match[2])
            if part is None:
                return None
            parts.append(part)
            position = match.end()
        alternatives = pep440(",".join(filter(None, parts))) if parts else None
        if alternatives is None:
            return None
        found += alternatives
    return tuple(found)


def tagged(reference: str) -> str | None:
    """The version that a VCS tag such as ``v3.1.0`` tells."""
    match = _TAG.fullmatch(reference.removeprefix("refs/tags/"))
    return match[1] if match and exactly(match[1]) else None


def linked(url: str) -> str | None:
    """The version that a direct link tells: by a wheel's or sdist's file name, or by a VCS tag."""
    link = url.split("#", 1)[0].split("?", 1)[0].rstrip("/")
    name = link.rsplit("/", 1)[-1]
    if name.endswith(".whl"):
        parts = name.split("-")
        version = parts[1] if len(parts) >= 5 else ""
        return version if exactly(version) else None
    for suffix in (".tar.gz", ".zip", ".tar.bz2"):
        if name.endswith(suffix):
            stem = name.removesuffix(suffix)
            return tagged(stem) or tagged(stem.rpartition("-")[2])
    return tagged(link.rpartition("@")[2]) if "@" in link else None


def joined(mentions: Iterable[Mention], constraints: Iterable[Mention]) -> tuple[Mention, ...]:
    """The mentions, narrowed by every constraint, which is the place to show where a mention says nothing."""
    narrowed = []
    bounds = [bound for bound in constraints if bound.alternatives is not None]
    for mention in mentions:
        result = mention
        for bound in bounds:
            if result.alternatives is None:
                break
            both = tuple(
                ",".join(filter(None, (ours, theirs)))
                for ours in result.alternatives
                for theirs in bound.alternatives or ()
            )
            place = result if result.spelling else bound
            spelling = result.spelling
            if spelling and bound.spelling and not result.pinned:
                spelling = f"{spelling},{'==' if bound.pinned else ''}{bound.spelling}"
            result = Mention(place.path, place.span, spelling or bound.spelling, both, place.pinned)
        narrowed.append(result)
    return tuple(narrowed)


def _comparison(operator: str, text: str) -> str | None:
    from packaging.version import InvalidVersion, Version

    if text == "*":
        return ""
    stem = text.removesuffix(".*")
    try:
        version = Version(stem)
    except InvalidVersion:
        return None
    release = version.release
    if operator == "^":
        place = next((index for index, part in enumerate(release) if part), len(release) - 1)
        return f">={version},<{_raised(release, place)}"
    if operator == "~":
        return f">={version},<{_raised(release, min(1, len(release) - 1))}"
    if operator in {"", "=", "=="}:
        return f"=={text}"
    if operator in {"!=", "===", "~="}:
        return f"{operator}{text}"
    return f"{operator}{version}"


def _raised(release: tuple[int, ...], place: int) -> str:
    """The release whose component at `place` is one higher, and which ends there."""
    return ".".join(map(str, (*release[:place], release[place] + 1)))


def _intersects(specifiers: str, low: str, high: str | None) -> bool:
    """Whether the set admits a version in [low, high).

    What a set admits is a union of intervals that begin at a version it names, so it is enough to try
    those versions, the ones just above them, and `low`.
    """
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    wanted = SpecifierSet(specifiers, prereleases=True)
    lower = Version(f"{low}.dev0")
    upper = Version(f"{high}.dev0") if high is not None else None
    points = {Version(low), lower}
    for specifier in wanted:
        points |= _beginnings(specifier)
    return any(
        lower <= point and (upper is None or point < upper) and wanted.contains(point) for point in points
    )


def _beginnings(specifier: Specifier) -> set[Version]:
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(specifier.version.removesuffix(".*"))
    except InvalidVersion:  # only `===` compares with arbitrary text
        return set()
    base = version.base_version
    points = {version, Version(base), Version(f"{base}.0.0.0.1")}
    if specifier.version.endswith(".*"):
        points.add(Version(f"{version.epoch}!{_raised(version.release, len(version.release) - 1)}"))
    return points
