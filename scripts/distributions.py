"""The sources of distributions: which are bundled, their archives, and the modules in them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

SPECS = Path(__file__).parent / "packages.toml"
#: For which Python and platform wheels are chosen, so that every machine reads the same files.
PYTHON = "3.13"
_PLATFORMS = tuple(f"manylinux{tag}_x86_64" for tag in ("1", "2014", *(f"_2_{n}" for n in range(5, 41))))
#: directories and modules that no user of a package imports
_SKIPPED = frozenset(
    {"__main__", "_testing", "_vendor", "_vendored", "benchmark", "benchmarks", "conftest", "docs"}
    | {"example", "examples", "locale", "locales", "migrations", "test", "tests", "vendor", "vendored"}
)


class Spec(NamedTuple):
    """A distribution that is bundled.

    `include` and `exclude` are patterns of dotted module names; without `include` all modules count, and
    what stands below an excluded module is excluded too.  `drop` are patterns of names that modules are not
    to have, `keep` of records (otherwise left out where no function returns one) that other distributions
    return.
    """

    name: str
    version: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    def wants(self, module: str) -> bool:
        parts = module.split(".")
        if not _SKIPPED.isdisjoint(parts):
            return False
        above = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
        if any(fnmatchcase(name, pattern) for name in above for pattern in self.exclude):
            return False
        return not self.include or any(fnmatchcase(module, pattern) for pattern in self.include)


class Source(NamedTuple):
    """A module's text."""

    data: bytes
    is_stub: bool
    is_package: bool


def load_specs(path: Path = SPECS) -> dict[str, Spec]:
    """The distributions of a specification, by name."""
    found = {}
    for name, value in tomllib.loads(path.read_text(encoding="utf-8"))["packages"].items():
        fields = {"version": value} if isinstance(value, str) else value
        if unknown := fields.keys() - set(Spec._fields[1:]):
            raise ValueError(f"{path}: {name} has unknown keys: {', '.join(sorted(unknown))}")
        patterns = (tuple(fields.get(key, ())) for key in Spec._fields[2:])
        found[name] = Spec(name, fields["version"], *patterns)
    return found


def _normalised(name: str) -> str:
    return name.replace("-", "_").replace(".", "_").lower()


def archive(spec: Spec, directory: Path) -> Path | None:
    """The wheel of a distribution in a directory of downloads, or None."""
    prefix = (_normalised(spec.name), spec.version)
    for path in sorted(directory.glob("*.whl")):
        name, version, *_ = path.name.split("-")
        if (_normalised(name), version) == prefix:
            return path
    return None


def download(specs: Sequence[Spec], directory: Path) -> None:
    """Fetch the wheels that are not there yet.

    Source archives are never asked for: pip runs their build scripts to learn their names.

    Raises:
        CalledProcessError: pip failed; it has said why.
    """
    directory.mkdir(parents=True, exist_ok=True)
    missing = [f"{spec.name}=={spec.version}" for spec in specs if archive(spec, directory) is None]
    if missing:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--disable-pip-version-check", "--python-version", PYTHON, "--implementation", "cp"]
        command += [f"--abi={abi}" for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none")]
        command += [f"--platform={platform}" for platform in _PLATFORMS]
        subprocess.run([*command, "--dest", str(directory), *missing], check=True)


def wheel_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of a wheel, by the path at which they are installed."""
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if not name.endswith((".py", ".pyi")):
                continue
            parts = name.split("/")
            if parts[0].endswith(".data"):
                if parts[1] not in ("purelib", "platlib"):
                    continue
                parts = parts[2:]
            yield "/".join(parts), wheel.read(name)


def installed_files(spec: Spec) -> Iterator[tuple[str, bytes]]:
    """The same for a distribution that this Python has installed.

    Raises:
        LookupError: It has not, or another version.
    """
    try:
        found = distribution(spec.name)
    except PackageNotFoundError as error:
        raise LookupError(f"{spec.name} is not installed") from error
    if found.version != spec.version:
        raise LookupError(f"{spec.name} {found.version} is installed, not {spec.version}")
    for path in found.files or ():
        if path.suffix in (".py", ".pyi") and ".." not in path.parts:
            yield path.as_posix(), Path(str(path.locate())).read_bytes()


def modules(files: Iterable[tuple[str, bytes]], spec: Spec) -> dict[str, Source]:
    """The modules that a distribution is to be known by; where there is a stub, it goes before the source."""
    found: dict[str, Source] = {}
    for path, data in files:
        parts = path.removesuffix("i").removesuffix(".py").split("/")
        parts[0] = parts[0].removesuffix("-stubs")
        is_package = parts[-1] == "__init__"
        if is_package:
            parts.pop()
        name = ".".join(parts)
        if not all(part.isidentifier() for part in parts) or not spec.wants(name):
            continue
        source = Source(data, path.endswith(".pyi"), is_package)
        known = found.get(name)
        # a package goes before a module of its name, a stub before a source
        if known is None or (source.is_package, source.is_stub) > (known.is_package, known.is_stub):
            found[name] = source
    return found
