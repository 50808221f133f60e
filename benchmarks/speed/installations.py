"""The environments that things are run in: awaitlint and flake8 as a user has them, and the other tools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import environments

PROJECT = Path(__file__).resolve().parents[2]
PEERS = PROJECT / "benchmarks" / "peers.txt"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def flake8(work: Path) -> Path:
    """An environment with flake8 and nothing else.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    return environments.with_requirements(REQUIREMENTS, work)


def awaitlint(work: Path, name: str = "awaitlint", wheel: Path | None = None) -> Path:
    """An environment with flake8 and awaitlint, which is installed anew: from a wheel, or from these sources.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    directory = work / "environments" / f"speed-{name}"
    python = directory / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", str(python)]
    what = str(wheel or PROJECT)
    subprocess.run([*pip, "install", "--requirement", str(REQUIREMENTS), what], check=True)
    # of a version that is installed already, the sources may be others
    subprocess.run([*pip, "install", "--force-reinstall", "--no-deps", what], check=True)
    return directory


def peers(work: Path) -> Path:
    """An environment with the tools that awaitlint is compared with.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    return environments.with_requirements(PEERS, work)


def executable(environment: Path, name: str) -> Path | None:
    """A tool of an environment, if it is installed there."""
    path = environment / "bin" / name
    return path if path.exists() else None
