"""Virtual environments that the tools may look into; nothing in them is run by the benchmarks themselves."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.packages import Package


def empty(work: Path) -> Path:
    """An environment in which nothing is installed."""
    return _create(work / "environments" / "empty")


def with_dependencies(package: Package, work: Path) -> Path:
    """An environment with what a package requires, and not the package itself.

    Raises:
        subprocess.CalledProcessError: pip failed, for instance because a requirement has no wheel.
    """
    directory = work / "environments" / package.release
    done = directory / "installed"
    if not done.exists():
        shutil.rmtree(directory, ignore_errors=True)
        _create(directory)
        wanted = package.requirement(extras=True)
        _pip(directory, "install", "--only-binary", ":all:", wanted)
        _pip(directory, "uninstall", "--yes", package.distribution)
        done.touch()
    return directory


def with_requirements(requirements: Path, work: Path) -> Path:
    """An environment with what a file of pinned requirements lists, from wheels.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    text = requirements.read_text(encoding="utf-8")
    directory = work / "environments" / f"requirements-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    done = directory / "installed"
    if not done.exists():
        shutil.rmtree(directory, ignore_errors=True)
        _create(directory)
        _pip(directory, "install", "--only-binary", ":all:", "--requirement", str(requirements))
        done.touch()
    return directory


def _create(directory: Path) -> Path:
    if not (directory / "pyvenv.cfg").exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    return directory


def _pip(environment: Path, *arguments: str) -> None:
    target = ["--disable-pip-version-check", "--quiet", "--python", str(environment / "bin" / "python")]
    subprocess.run([sys.executable, "-m", "pip", *target, *arguments], check=True)
