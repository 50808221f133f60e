"""Released wheels, pinned by their hashes, and how their sources get here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.packages import download, unpack

RELEASES = Path(__file__).with_name("precision.toml")

#: the wheels of one platform, so that everyone reads the same files
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64")


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A released package."""

    distribution: str
    version: str
    #: the import packages that are read
    modules: tuple[str, ...]
    #: what it is used for
    field: str
    #: of the wheel
    sha256: str

    @property
    def name(self) -> str:
        """Names the package's directory, for instance `httpx-0.28.1`."""
        return f"{self.distribution}-{self.version}"

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.distribution}=={self.version} --hash=sha256:{self.sha256}"

    def is_called(self, name: str) -> bool:
        """Whether a package's name, however it is written, is that of the distribution or of a module."""
        return normalized(name) in {normalized(each) for each in (self.distribution, *self.modules)}


class Sources(NamedTuple):
    """The unpacked files of a release."""

    #: holds the import packages
    directory: Path
    #: of its Python files
    lines: int


class _Listing(msgspec.Struct, forbid_unknown_fields=True):
    package: tuple[Release, ...]


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def load(path: Path = RELEASES) -> tuple[Release, ...]:
    """The releases of a list, in its order.

    Raises:
        msgspec.ValidationError: the list has a field too many, too few, or of the wrong type.
    """
    return msgspec.toml.decode(path.read_bytes(), type=_Listing).package


def fetch(release: Release, work: Path) -> Sources:
    """The sources of a release, whose wheel is downloaded and unpacked if need be.

    Raises:
        subprocess.CalledProcessError: pip failed, for instance because the wheel has another hash.
    """
    directory = work / "releases" / release.name
    if not directory.exists():
        wheel = _download(release, work / "wheels" / release.name)
        unpack(wheel, directory, release.modules)
    lines = sum(path.read_bytes().count(b"\n") for path in directory.rglob("*.py") if path.is_file())
    return Sources(directory, lines)


def _download(release: Release, directory: Path) -> Path:
    """The wheel of a release."""
    directory.mkdir(parents=True, exist_ok=True)
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{release.requirement}\n", encoding="utf-8")
    target = ["--python-version", "3.13", "--implementation", "cp"]
    for platform in _PLATFORMS:
        target += ["--platform", platform]
    return download(directory, "--require-hashes", *target, "--requirement", str(requirements))
