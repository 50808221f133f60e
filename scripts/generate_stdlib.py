"""Writes src/awaitlint/index/data/stdlib.bin from typeshed's stubs; with --check, only compares.

typeshed comes with the typeshed-client distribution.  The output depends on that distribution's version
and on awaitlint's own lowering, and on nothing else: not on the Python that runs this, not on the platform.
(The bytes of a zlib stream may differ between builds of zlib, so --check compares what the streams hold.)
"""

from __future__ import annotations

import ast
import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from typeshed_client.finder import find_typeshed, get_typeshed_versions

from awaitlint.index import facts as f
from awaitlint.index.lower import lower
from awaitlint.index.stdlib import (
    CONTAINER,
    MAGIC,
    PREAMBLE,
    TABLE,
    Entry,
    Header,
    Overlay,
    TableError,
    TableFile,
    VersionEntry,
)

Version = tuple[int, int]

#: the fields of each kind of node that name other nodes; -1 stands for none
REFERENCES: dict[type[f.Node], tuple[str, ...]] = {
    **dict.fromkeys((f.Unknown, f.Const, f.Plain, f.Name, f.Import), ()),
    **dict.fromkeys((f.Free, f.Lambda, f.Func, f.Class, f.Param, f.Super, f.TypeParam), ()),
    **dict.fromkeys((f.Attr, f.Await, f.Yielded, f.Iter, f.Enter, f.Unpack, f.Starred), ("value",)),
    f.Phi: ("options",),
    f.Call: ("func", "args", "keywords"),
    f.Index: ("value", "index"),
    f.BinOp: ("left", "right"),
    f.Display: ("elements",),
    f.DictDisplay: ("keys", "values"),
    f.Comp: ("key", "element"),
    f.Caught: ("types",),
    f.Narrow: ("value", "against"),
    f.Declared: ("annotation", "value"),
}
#: nodes whose `scope` is an index of `ModuleFacts.scopes`
SCOPED = (f.Free, f.Lambda, f.Func, f.Class, f.Param, f.Super, f.TypeParam)
#: nodes that every module has in front: Unknown, None, True, False
FIXED = 4
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

    Nodes that nothing refers to are dropped, and equal nodes become one: an annotation that occurs fifty
    times is resolved once.  Calls stay apart, since what two equal calls return need not be the same thing
    (``T = TypeVar("T")``).  A scope is the same in two versions if it stands at the same place.  Versions
    have to come newest first; what differs in an older one goes into an `Overlay`.
    """

    def __init__(self) -> None:
        self._nodes: list[f.Node] = []
        self._scopes: list[f.Scope] = []
        self._numbers: dict[tuple[int, int, str], int] = {}
        self._shared: dict[bytes, int] = {}
        self._first: f.ModuleFacts | None = None
        # of the version that is being added
        self._module: f.ModuleFacts
        self._renumbered: dict[int, int] = {}
        self._calls: Counter[bytes] = Counter()
        self._scope_map: list[int] = []

    def add(self, module: f.ModuleFacts) -> Overlay | None:
        """Add the facts for one version; the result is what it changes in `merged`."""
        if not self._nodes:
            self._nodes = list(module.nodes[:FIXED])
        if self._nodes[:FIXED] != module.nodes[:FIXED]:
            raise ValueError(f"facts begin with {module.nodes[:FIXED]}")
        self._module = module
        self._renumbered = {index: index for index in range(-1, FIXED)}
        self._calls.clear()
        self._scope_map = [
            self._numbers.setdefault((scope.line, scope.column, scope.name), len(self._numbers))
            for scope in module.scopes
        ]
        if len(set(self._scope_map)) < len(module.scopes):
            raise ValueError("two scopes stand at the same place")
        scopes, bindings = self._changes(module)
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
            nodes=self._nodes,
            scopes=self._scopes,
            sites=[],
            imports=self._first.imports,
            stars=self._first.stars,
            exports=self._first.exports,
        )

    def _changes(
        self, module: f.ModuleFacts
    ) -> tuple[dict[int, f.Scope], dict[int, dict[str, tuple[int, ...]]]]:
        """`Overlay.scopes` and `Overlay.bindings` of a version; scopes that are new are taken in."""
        parents = {scope.parent for scope in module.scopes}
        scopes, bindings = {}, {}
        for index, scope in enumerate(module.scopes):
            copy = self._scope(scope, leaf=index not in parents)
            number = self._scope_map[index]
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

    def _scope(self, scope: f.Scope, *, leaf: bool) -> f.Scope:
        number = self._number
        # the parameters are all that a stub's function binds, and `params` has them
        is_leaf_stub = leaf and scope.is_stub and scope.kind is f.ScopeKind.FUNCTION
        return msgspec.structs.replace(
            scope,
            parent=scope.parent if scope.parent < 0 else self._scope_map[scope.parent],
            line=0,
            first_line=0,
            end_line=0,
            column=0,
            decorators=tuple(map(number, scope.decorators)),
            params=tuple(
                f.ParamFact(p.name, p.kind, number(p.annotation), number(p.default)) for p in scope.params
            ),
            returns=number(scope.returns),
            returned=tuple(map(number, scope.returned)),
            yielded=tuple(map(number, scope.yielded)),
            bases=tuple(map(number, scope.bases)),
            keywords=tuple((name, number(value)) for name, value in scope.keywords),
            bindings={} if is_leaf_stub else self._names(scope.bindings),
            attributes=self._names(scope.attributes),
        )

    def _names(self, names: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        return {
            name: (self._share(f.Plain("list")),) if name == "__all__" else tuple(map(self._number, nodes))
            for name, nodes in names.items()
        }

    def _number(self, index: int) -> int:
        """The new number of a node; its parts get theirs first."""
        done = self._renumbered.get(index)
        if done is None:
            node = self._module.nodes[index]
            changed = {field: self._mapped(getattr(node, field)) for field in REFERENCES[type(node)]}
            if isinstance(node, SCOPED):
                changed["scope"] = self._scope_map[node.scope]
            done = self._share(msgspec.structs.replace(node, **changed) if changed else node)
            self._renumbered[index] = done
        return done

    def _mapped(self, value: Any) -> Any:
        """A field that names nodes: an index, several, or pairs of keyword and index."""
        if isinstance(value, int):
            return self._number(value)
        return tuple(
            self._number(item) if isinstance(item, int) else (item[0], self._number(item[1]))
            for item in value
        )

    def _share(self, node: f.Node) -> int:
        # equality alone would take Const(1) for Const(True)
        key = msgspec.msgpack.encode(node)
        if isinstance(node, f.Call):
            # the n-th of equal calls in one version is the n-th of them in another
            self._calls[key] += 1
            key += self._calls[key].to_bytes(2, "little")
        known = self._shared.get(key)
        if known is None:
            known = self._shared[key] = len(self._nodes)
            self._nodes.append(node)
        return known


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
                overlays[version] = None if same else merger.add(lower(tree, sources[name], version=version))
        facts = msgspec.msgpack.encode(merger.merged()) if overlays else b""
        for version, overlay in overlays.items():
            data = b"" if overlay is None else msgspec.msgpack.encode(overlay)
            library[version][name] = Stub(facts, data, path.name == "__init__.pyi")
    return library


class Body:
    """The compressed streams of the table; equal ones are stored once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._places: dict[bytes, tuple[int, int]] = {}

    def add(self, content: bytes) -> tuple[int, int]:
        """Offset and length of the content's stream; length 0 for no content."""
        if not content:
            return (0, 0)
        if content not in self._places:
            stream = zlib.compress(content, 9)
            self._places[content] = (len(self.data), len(stream))
            self.data += stream
        return self._places[content]


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
    header = msgspec.msgpack.encode(Header(f.SCHEMA, source, len(body.data), tuple(versions)))
    return PREAMBLE.pack(MAGIC, CONTAINER, len(header), zlib.crc32(header)) + header + bytes(body.data)


def unpack(path: Path) -> tuple[Library, str]:
    """What a table holds, and what it was made from.

    Raises:
        TableError: It cannot be read.
    """
    table = TableFile(path)
    library: Library = {}
    for version in table.header.versions:
        index = table.index(version)
        library[version.version] = {
            name: Stub(
                table.read(entry.offset, entry.length),
                table.read(entry.overlay_offset, entry.overlay_length) if entry.overlay_length else b"",
                entry.is_package,
            )
            for name, entry in index.items()
        }
    return library, table.header.source


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
