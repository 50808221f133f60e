"""Writes src/awaitlint/index/data/packages.bin from released distributions; with --check, only compares.

`packages.toml` names the distributions and their versions.  Their wheels are fetched with pip into a
directory of downloads (--downloads), unpacked in memory, and never installed or run.  The output depends on
those files and on awaitlint's own lowering, and on nothing else.  (The bytes of a zlib stream may differ
between builds of zlib, so --check compares what the streams hold.)
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import packing
from distributions import Spec, archive, download, installed_files, load_specs, modules, wheel_files
from packing import Library, Packed
from slimming import slim

from awaitlint.index import facts as f
from awaitlint.index.lower import lower
from awaitlint.index.packages import TABLE
from awaitlint.index.table import TableError
from awaitlint.syntax.parse import SyntaxProblem, parse

#: The Python version for which tests of ``sys.version_info`` in stubs are decided.
STUBS_FOR = (3, 13)
#: how many differences --check names
SHOWN = 20
#: frames that the copying of deeply nested expressions may take
_RECURSION_LIMIT = 50_000


class Lowered(NamedTuple):
    """A distribution's modules as the table holds them, and what was left out."""

    spec: Spec
    modules: dict[str, Packed]
    #: bytes of the sources
    source: int
    #: modules that cannot be read
    broken: list[str]


def lower_distribution(spec: Spec, files: Iterable[tuple[str, bytes]]) -> Lowered:
    """The slimmed facts of a distribution's modules."""
    sys.setrecursionlimit(_RECURSION_LIMIT)
    sources = modules(files, spec)
    facts: dict[str, f.ModuleFacts] = {}
    broken = []
    for name, source in sorted(sources.items()):
        try:
            tree = parse(source.data)
            facts[name] = lower(tree, source.data, version=STUBS_FOR if source.is_stub else None)
        except (SyntaxProblem, RecursionError):
            broken.append(name)
    packages = {name for name in facts if sources[name].is_package}
    packed = {
        name: Packed(packing.encode(slimmed), sources[name].is_package, sources[name].is_stub)
        for name, slimmed in slim(facts, packages, spec.drop, spec.keep).items()
    }
    return Lowered(spec, packed, sum(len(source.data) for source in sources.values()), broken)


def _from_wheel(work: tuple[Spec, Path]) -> Lowered:
    spec, directory = work
    path = archive(spec, directory)
    if path is None:
        raise LookupError(f"{spec.name} {spec.version} has not been downloaded to {directory}")
    return lower_distribution(spec, wheel_files(path))


def lower_downloads(specs: Iterable[Spec], directory: Path) -> list[Lowered]:
    """The same for wheels in a directory of downloads, in as many processes as there are processors."""
    work = [(spec, directory) for spec in specs]
    with multiprocessing.Pool() as pool:
        return pool.map(_from_wheel, work, chunksize=1)


def lower_installed(specs: Iterable[Spec]) -> list[Lowered]:
    """The same for distributions that this Python has installed."""
    return [lower_distribution(spec, installed_files(spec)) for spec in specs]


def combine(distributions: Iterable[Lowered]) -> Library:
    """All modules in one: a distribution of stubs lies over the one that it is about.

    Packages without ``__init__`` are there too, as modules that hold nothing.

    Raises:
        ValueError: Two distributions have the same module.
    """
    library: Library = {}
    owners: dict[str, Lowered] = {}
    for lowered in sorted(distributions, key=_is_overlay):
        for name, packed in lowered.modules.items():
            other = owners.get(name)
            if other is not None and not _is_overlay(lowered) and packed != other.modules[name]:
                raise ValueError(f"{name} is in {other.spec.name} and in {lowered.spec.name}")
            owners[name] = lowered
            library.setdefault(name.partition(".")[0], {})[name] = packed
    for found in library.values():
        for name in list(found):
            parts = name.split(".")
            for end in range(1, len(parts)):
                found.setdefault(".".join(parts[:end]), _namespace())
    return library


def _is_overlay(lowered: Lowered) -> bool:
    """Whether a distribution is nothing but stubs for another one."""
    return all(packed.is_stub for packed in lowered.modules.values())


def _namespace() -> Packed:
    root = f.Scope(kind=f.ScopeKind.MODULE, name="", qualname="", parent=-1)
    empty = f.ModuleFacts(nodes=[], scopes=[root], sites=[])
    return Packed(packing.encode(empty), is_package=True, is_stub=False)


def differences(have: Library, want: Library) -> list[str]:
    """What `have` must change to become `want`, a phrase for each module."""
    old, new = ({n: m for found in library.values() for n, m in found.items()} for library in (have, want))
    found = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            what = "is missing" if name not in old else "is not there" if name not in new else "differs"
            found.append(f"module {name} {what}")
    return found


def check(want: Library, specs: dict[str, Spec], *, everything: bool) -> list[str]:
    """What is wrong with the table on disk."""
    try:
        have, made_from = packing.unpack(TABLE)
    except TableError as error:
        return [str(error)]
    versions = {name: spec.version for name, spec in specs.items()}
    if everything:
        found = [f"{name} is missing" for name in sorted(versions.keys() - made_from.keys())]
        found += [f"{name} is not asked for" for name in sorted(made_from.keys() - versions.keys())]
    else:
        have = {package: modules for package, modules in have.items() if package in want}
        found = []
    found += [
        f"{name} is {made_from[name]}, and {version} is asked for"
        for name, version in sorted(versions.items())
        if made_from.get(name, version) != version
    ]
    return found + differences(have, want)


def print_sizes(distributions: Iterable[Lowered]) -> None:
    """A table of what each distribution takes, the largest first."""
    rows = []
    for lowered in distributions:
        data = b"".join(packed.data for _, packed in sorted(lowered.modules.items()))
        pieces = (data[at : at + packing.CHUNK] for at in range(0, len(data), packing.CHUNK))
        rows.append((sum(len(zlib.compress(piece, 9)) for piece in pieces), len(data), lowered))
    print(f"{'distribution':28} {'modules':>7} {'source':>12} {'facts':>11} {'packed':>10}")
    for packed, size, lowered in sorted(rows, key=lambda row: (-row[0], row[2].spec.name)):
        print(
            f"{lowered.spec.name:28} {len(lowered.modules):7} {lowered.source:12,} {size:11,} {packed:10,}"
            + (f"  unreadable: {', '.join(lowered.broken)}" if lowered.broken else "")
        )
    print(
        f"{f'{len(rows)} distributions':28} {sum(len(row[2].modules) for row in rows):7} "
        f"{sum(row[2].source for row in rows):12,} {sum(row[1] for row in rows):11,} "
        f"{sum(row[0] for row in rows):10,}"
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Write or check the table of third-party packages.")
    parser.add_argument("--check", action="store_true", help="compare with the table, write nothing")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="check these distributions only")
    parser.add_argument("--installed", action="store_true", help="read installed files instead of wheels")
    parser.add_argument("--downloads", type=Path, default=Path("build/packages"), metavar="DIRECTORY")
    options = parser.parse_args(arguments)
    if options.only and not options.check:
        parser.error("--only goes with --check: the table holds everything or nothing")
    specs = load_specs()
    if options.only:
        if unknown := sorted(set(options.only) - specs.keys()):
            parser.error(f"packages.toml has no {', '.join(unknown)}")
        specs = {name: specs[name] for name in options.only}
    try:
        if options.installed:
            distributions = lower_installed(specs.values())
        else:
            download(list(specs.values()), options.downloads)
            distributions = lower_downloads(specs.values(), options.downloads)
    except (LookupError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    library = combine(distributions)
    if options.check:
        problems = check(library, specs, everything=not options.only)
        if problems:
            print(f"{TABLE.name} is out of date; run `make packages`", file=sys.stderr)
        for problem in problems[:SHOWN]:
            print(f"  {problem}", file=sys.stderr)
        if len(problems) > SHOWN:
            print(f"  and {len(problems) - SHOWN} more", file=sys.stderr)
        return bool(problems)
    print_sizes(distributions)
    data = packing.pack(library, {name: spec.version for name, spec in specs.items()})
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    if not TABLE.exists() or TABLE.read_bytes() != data:
        TABLE.write_bytes(data)
        print(f"wrote {TABLE}: {len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
