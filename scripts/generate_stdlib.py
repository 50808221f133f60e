"""Writes src/awaitlint/index/data/stdlib.bin from typeshed's stubs; with --check, only compares.

typeshed comes with the typeshed-client distribution.  The output depends on that distribution's version
and on awaitlint's own lowering, and on nothing else: not on the Python that runs this, not on the platform.
(The bytes of a zlib stream may differ between builds of zlib, so --check compares what the streams hold.)
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import NamedTuple

import msgspec
from table_tools import Body, Copier, table
from typeshed_client.finder import find_typeshed, get_typeshed_versions

from awaitlint.index import facts as f
from awaitlint.index.lower import lower
from awaitlint.index.stdlib import LAYOUT, TABLE, Entry, Header, Overlay, TableFile, VersionEntry
from awaitlint.index.table import TableError

Version = tuple[int, int]

#: how many differences --check names
SHOWN = 20


class Stub(NamedTuple):
    """A module in one Python version: its facts, and what this version changes in them ("" for nothing)."""

    facts: bytes
    overlay: bytes
    is_package: bool


#: what the generated file says: version → module name → stub
Library = dict[Version, dict[str, Stub]]


class Merger:
    """Puts a stub's facts for several Python versions into one record, without what nobody asks of a stub.

    A scope is the same in two versions if it stands at the same place.  Versions have to come newest first;
    what differs in an older one goes into an `Overlay`.
    """

    def __init__(self) -> None:
        self._copier = Copier()
        self._scopes: list[f.Scope] = []
        self._numbers: dict[tuple[int, int, str], int] = {}
        self._first: f.ModuleFacts | None = None

    def add(self, module: f.ModuleFacts) -> Overlay | None:
        """Add the facts for one version; the result is what it changes in `merged`."""
        scope_map = {
            index: self._numbers.setdefault((scope.line, scope.column, scope.name), len(self._numbers))
            for index, scope in enumerate(module.scopes)
        }
        if len(set(scope_map.values())) < len(module.scopes):
            raise ValueError("two scopes stand at the same place")
        self._copier.begin(module.nodes, scope_map)
        scopes, bindings = self._changes(module, scope_map)
        if self._first is None:
            self._first = module
            return None
        names = (module.imports, module.stars, module.exports)
        if not (scopes or bindings) and names == (
            self._first.imports,
            self._first.stars,
            self._first.exports,
        ):
            return None
        return Overlay(scopes, bindings, *names)

    def merged(self) -> f.ModuleFacts:
        """The facts of the newest version, and what the others need beside them."""
        assert self._first is not None
        return f.ModuleFacts(
            nodes=self._copier.nodes,
            scopes=self._scopes,
            sites=[],
            imports=self._first.imports,
            stars=self._first.stars,
            exports=self._first.exports,
        )

    def _changes(
        self, module: f.ModuleFacts, scope_map: dict[int, int]
    ) -> tuple[dict[int, f.Scope], dict[int, dict[str, tuple[int, ...]]]]:
        """`Overlay.scopes` and `Overlay.bindings` of a version; scopes that are new are taken in."""
        parents = {scope.parent for scope in module.scopes}
        scopes, bindings = {}, {}
        for index, scope in enumerate(module.scopes):
            # the parameters are all that a stub's function binds, and `params` has them
            is_leaf_stub = index not in parents and scope.is_stub and scope.kind is f.ScopeKind.FUNCTION
            copy = self._copier.scope(scope, bindings={} if is_leaf_stub else scope.bindings)
            number = scope_map[index]
            if number == len(self._scopes):
                self._scopes.append(copy)
                continue
            known = self._scopes[number]
            if msgspec.structs.replace(copy, bindings=known.bindings) != known:
                scopes[number] = copy
            elif copy.bindings != known.bindings:
                changed = {
                    name: nodes for name, nodes in copy.bindings.items() if known.bindings.get(name) != nodes
                }
                bindings[number] = changed | {
                    name: () for name in known.bindings if name not in copy.bindings
                }
        return scopes, bindings


def supported_versions(sources: Iterable[bytes]) -> list[Version]:
    """The Python versions that the stubs tell apart, ascending.

    Stubs test for each version but the oldest one that typeshed supports.
    """
    tested = {
        int(minor)
        for source in sources
        for minor in re.findall(rb"sys\.version_info *[<>]=? *\(3, (\d+)", source)
    }
    return [(3, minor) for minor in range(min(tested) - 1, max(tested) + 1)]


def module_name(stub: Path, root: Path) -> str:
    parts = stub.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_available(module: str, version: Version, root: Path) -> bool:
    """Whether typeshed's VERSIONS has the module, and every package that it is in, in this version."""
    lifetimes = get_typeshed_versions(root)
    parts = module.split(".")
    if parts[0] not in lifetimes:
        return False
    for end in range(1, len(parts) + 1):
        lifetime = lifetimes.get(".".join(parts[:end]))
        if lifetime is not None and (
            version < lifetime.min or (lifetime.max is not None and version > lifetime.max)
        ):
            return False
    return True


def lower_library(only: Callable[[str], bool] = lambda _: True) -> Library:
    """The facts of typeshed's standard library, of the modules whose names `only` accepts."""
    root = find_typeshed()
    stubs = sorted((module_name(path, root), path) for path in root.rglob("*.pyi"))
    sources = {name: path.read_bytes() for name, path in stubs}
    versions = supported_versions(sources.values())
    library: Library = {version: {} for version in versions}
    for name, path in stubs:
        if not only(name):
            continue
        tree = ast.parse(sources[name], filename=str(path))
        merger = Merger()
        overlays: dict[Version, Overlay | None] = {}
        for version in reversed(versions):
            if is_available(name, version, root):
                # a stub that never asks for the version is the same in all
                same = bool(overlays) and b"version_info" not in sources[name]
                overlays[version] = None if same else merger.add(_lowered(tree, sources[name], version))
        facts = msgspec.msgpack.encode(merger.merged()) if overlays else b""
        for version, overlay in overlays.items():
            data = b"" if overlay is None else msgspec.msgpack.encode(overlay)
            library[version][name] = Stub(facts, data, path.name == "__init__.pyi")
    return library


def _lowered(tree: ast.Module, data: bytes, version: tuple[int, int]) -> f.ModuleFacts:
    """The facts of a stub, less what only bodies need: it would make one version's facts unlike another's."""
    facts = lower(tree, data, version=version)
    for scope in facts.scopes:
        scope.first_node = scope.end_node = 0
    return facts


def pack(library: Library, source: str) -> bytes:
    """The table's bytes, in the layout that `awaitlint.index.stdlib` describes."""
    body = Body()
    versions = []
    for version, stubs in sorted(library.items()):
        index = {
            name: Entry(*body.add(stub.facts), *body.add(stub.overlay), stub.is_package)
            for name, stub in sorted(stubs.items())
        }
        versions.append(VersionEntry(version, *body.add(msgspec.msgpack.encode(index))))
    return table(LAYOUT, Header(f.SCHEMA, source, len(body.data), tuple(versions)), body)


def unpack(path: Path) -> tuple[Library, str]:
    """What a table holds, and what it was made from.

    Raises:
        TableError: It cannot be read.
    """
    file = TableFile(path)
    library: Library = {}
    for version in file.header.versions:
        index = file.index(version)
        library[version.version] = {
            name: Stub(
                file.read(entry.offset, entry.length),
                file.read(entry.overlay_offset, entry.overlay_length) if entry.overlay_length else b"",
                entry.is_package,
            )
            for name, entry in index.items()
        }
    return library, file.header.source


def differences(have: Library, want: Library) -> list[str]:
    """What `have` must change to become `want`, a phrase for each Python version or module."""
    found = [f"Python {a}.{b} is missing" for a, b in sorted(want.keys() - have.keys())]
    found += [f"Python {a}.{b} is not supported" for a, b in sorted(have.keys() - want.keys())]
    for version in sorted(have.keys() & want.keys()):
        old, new = have[version], want[version]
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                what = "is missing" if name not in old else "is not there" if name not in new else "differs"
                found.append(f"Python {version[0]}.{version[1]}: module {name} {what}")
    return found


def check(want: Library, source: str) -> list[str]:
    """What is wrong with the table on disk."""
    try:
        have, made_from = unpack(TABLE)
    except TableError as error:
        return [str(error)]
    found = [] if made_from == source else [f"it was made from {made_from}, and {source} is installed"]
    return found + differences(have, want)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: generate_stdlib.py [--check]", file=sys.stderr)
        return 2
    source = f"typeshed-client {distribution_version('typeshed-client')}"
    library = lower_library()
    if arguments:
        problems = check(library, source)
        if problems:
            print(f"{TABLE.name} is out of date; run `make stdlib`", file=sys.stderr)
        for problem in problems[:SHOWN]:
            print(f"  {problem}", file=sys.stderr)
        if len(problems) > SHOWN:
            print(f"  and {len(problems) - SHOWN} more", file=sys.stderr)
        return bool(problems)
    data = pack(library, source)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    if not TABLE.exists() or TABLE.read_bytes() != data:
        TABLE.write_bytes(data)
        print(f"wrote {TABLE}: {len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
