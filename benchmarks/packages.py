"""The pinned packages, and how their sources get here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

import msgspec

PACKAGES = Path(__file__).with_name("packages.toml")

Subset = Literal["dev", "heldout"]


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A released package."""

    distribution: str
    version: str
    #: the import package that is read
    module: str
    subset: Subset
    #: optional requirements that its dependencies are installed with
    extras: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        """Names the package's files and directories, for instance `httpx-0.28.1`."""
        return f"{self.distribution}-{self.version}"

    def requirement(self, *, extras: bool = False) -> str:
        """What pip is asked for."""
        wanted = f"[{','.join(self.extras)}]" if extras and self.extras else ""
        return f"{self.distribution}{wanted}=={self.version}"


class _Listing(msgspec.Struct, forbid_unknown_fields=True):
    package: tuple[Package, ...]


def load(path: Path = PACKAGES) -> tuple[Package, ...]:
    """The packages of a list, in its order.

    Raises:
        msgspec.ValidationError: the list has a field too many, too few, or of the wrong type.
    """
    return msgspec.toml.decode(path.read_bytes(), type=_Listing).package


def choose(packages: Iterable[Package], subset: str, names: Iterable[str] = ()) -> tuple[Package, ...]:
    """The packages that were asked for: those named, or else those of a subset (`all` is both).

    Raises:
        ValueError: no package has such a name.
    """
    known = {package.distribution: package for package in packages}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"no package {', '.join(unknown)} in {PACKAGES.name}; it has {', '.join(known)}")
    if wanted:
        return tuple(known[name] for name in wanted)
    return tuple(package for package in known.values() if subset in ("all", package.subset))


def fetch(package: Package, work: Path) -> Path:
    """The directory of the package's import package; the wheel is downloaded and unpacked if need be.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    sources = work / "sources" / package.release
    if not sources.exists():
        unpack(download(work / "wheels" / package.release, package.requirement()), sources)
    return sources / package.module


def download(directory: Path, *arguments: str) -> Path:
    """The wheel in a directory, which is downloaded if there is none.

    Args:
        directory: Where the one wheel is, or will be.
        arguments: What `pip download` is given.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    if not list(directory.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
        options = ["--no-deps", "--only-binary", ":all:", "--dest", str(directory)]
        subprocess.run([*pip, *options, *arguments], check=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def unpack(wheel: Path, directory: Path, top: Collection[str] = ()) -> None:
    """Put what a wheel holds into a new directory: all, or what is below some top-level names."""
    unpacked = directory.with_name(f"{directory.name}.part")
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(
            unpacked, [name for name in archive.namelist() if not top or name.split("/")[0] in top]
        )
    unpacked.rename(directory)
