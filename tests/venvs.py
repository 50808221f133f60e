"""Made-up virtual environments."""

from __future__ import annotations

from pathlib import Path

POSIX = "lib/python3.12/site-packages"
CONFIG = "home = /usr/bin\nversion = 3.12.1\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def venv(
    prefix: Path, files: dict[str, str] | None = None, *, site: str = POSIX, config: str = CONFIG
) -> Path:
    """A virtual environment with these files in its site-packages."""
    write(prefix, {"pyvenv.cfg": config})
    (prefix / site).mkdir(parents=True, exist_ok=True)
    write(prefix / site, files or {})
    return prefix
