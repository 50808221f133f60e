"""The generator of the standard library's table: that the table is up to date, and true to typeshed."""

from __future__ import annotations

import ast
import importlib.util
from importlib.metadata import version as distribution_version
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest
from table_tools import REFERENCES, SCOPED

from awaitlint.index import facts as f
from awaitlint.index.lower import lower
from awaitlint.index.stdlib import TABLE, StandardLibrary, standard_library

pytest.importorskip("typeshed_client", reason="typeshed-client makes the table")

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "generate_stdlib.py"
INSTALLED = f"typeshed-client {distribution_version('typeshed-client')}"
VERSIONS = [(3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15)]
#: top-level names whose modules are generated again and compared
SAMPLE = frozenset({"builtins", "asyncio", "_asyncio", "typing", "contextlib", "json", "unittest", "types"})


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_stdlib", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sample(generator: ModuleType) -> Any:
    return generator.lower_library(lambda name: name.partition(".")[0] in SAMPLE)


def test_table_is_up_to_date(generator: ModuleType, sample: Any) -> None:
    library, source = generator.unpack(TABLE)
    assert source == INSTALLED
    assert list(library) == VERSIONS
    have = {
        version: {name: stub for name, stub in stubs.items() if name.partition(".")[0] in SAMPLE}
        for version, stubs in library.items()
    }
    assert sum(map(len, have.values())) > 200
    assert generator.differences(have, sample) == []


def test_check_and_write(
    generator: ModuleType,
    sample: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = tmp_path / "data" / "stdlib.bin"
    monkeypatch.setattr(generator, "TABLE", table)
    monkeypatch.setattr(generator, "lower_library", lambda: sample)
    assert generator.main(["--check"]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0
    before = table.read_bytes()
    assert generator.main([]) == 0
    assert table.read_bytes() == before
    capsys.readouterr()

    have = {version: dict(stubs) for version, stubs in sample.items()}
    del have[3, 10]
    del have[3, 11]["json"]
    have[3, 12]["extra"] = have[3, 12]["json"]
    have[3, 13]["json"] = have[3, 13]["asyncio"]
    table.write_bytes(generator.pack(have, "typeshed-client 0"))
    assert generator.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "stdlib.bin is out of date; run `make stdlib`",
        f"  it was made from typeshed-client 0, and {INSTALLED} is installed",
        "  Python 3.10 is missing",
        "  Python 3.11: module json is missing",
        "  Python 3.12: module extra is not there",
        "  Python 3.13: module json differs",
    ]
    assert generator.main(["--chekc"]) == 2


def test_references_know_every_node() -> None:
    """A field of a node that holds integers names nodes, or is one of those that are known not to."""
    kinds = get_args(f.Node)
    assert set(REFERENCES) == set(kinds)
    for kind in kinds:
        integers = {
            field.name
            for field in msgspec.structs.fields(kind)
            if field.type is int or (field.type is not str and int in get_args(field.type))
        } | {"keywords"} & set(kind.__struct_fields__)
        others = {"scope"} if kind in SCOPED else set()
        others |= {f.Param: {"index"}, f.Unpack: {"index"}, f.Import: {"level"}, f.Const: {"value"}}.get(
            kind, set()
        )
        assert integers == {*REFERENCES[kind], *others}, kind


class Comparison:
    """Walks two records of facts in step, from the module's scope, and fails where they differ."""

    def __init__(
        self, references: dict[type, tuple[str, ...]], have: f.ModuleFacts, want: f.ModuleFacts
    ) -> None:
        self.references = references
        self.have, self.want = have, want
        self.todo: list[tuple[str, int, int]] = [("scope", 0, 0)]
        self.done: set[tuple[str, int, int]] = set()

    def run(self) -> None:
        while self.todo:
            item = self.todo.pop()
            if item not in self.done:
                self.done.add(item)
                (self.scopes if item[0] == "scope" else self.nodes)(*item[1:])

    def same(self, have: Any, want: Any) -> None:
        """Indexes of nodes, alone or in tuples and pairs."""
        if isinstance(want, int):
            assert (have < 0) == (want < 0)
            if want >= 0:
                self.todo.append(("node", have, want))
        elif isinstance(want, str):
            assert have == want
        else:
            assert len(have) == len(want)
            for one, other in zip(have, want, strict=True):
                self.same(one, other)

    def nodes(self, have: int, want: int) -> None:
        one, other = self.have.nodes[have], self.want.nodes[want]
        assert type(one) is type(other)
        for name in other.__struct_fields__:
            value, expected = getattr(one, name), getattr(other, name)
            if name in self.references[type(other)]:
                self.same(value, expected)
            elif name == "scope":
                self.todo.append(("scope", value, expected))
            else:
                assert (type(value), value) == (type(expected), expected)

    def scopes(self, have: int, want: int) -> None:
        one, other = self.have.scopes[have], self.want.scopes[want]
        for name in (
            "kind",
            "name",
            "qualname",
            "is_async",
            "is_generator",
            "falls_through",
            "is_stub",
            "type_params",
        ):
            assert getattr(one, name) == getattr(other, name)
        for name in ("decorators", "returns", "returned", "yielded", "bases", "keywords"):
            self.same(getattr(one, name), getattr(other, name))
        assert one.bindings.keys() == (set() if other.kind is f.ScopeKind.FUNCTION else other.bindings.keys())
        for name in one.bindings.keys() - {"__all__"}:
            self.same(one.bindings[name], other.bindings[name])
        for param, expected in zip(one.params, other.params, strict=True):
            assert (param.name, param.kind) == (expected.name, expected.kind)
            self.same((param.annotation, param.default), (expected.annotation, expected.default))
        if other.parent >= 0:
            self.todo.append(("scope", one.parent, other.parent))


@pytest.mark.parametrize("version", [(3, 10), (3, 13), (3, 15)])
@pytest.mark.parametrize(
    "name",
    [
        "builtins",
        "typing",
        "asyncio",
        "asyncio.tasks",
        "asyncio.base_events",
        "contextlib",
        "functools",
        "socket",
    ],
)
def test_facts_are_those_of_the_stub(generator: ModuleType, name: str, version: tuple[int, int]) -> None:
    """The table's facts mean what a plain lowering of the stub for this version means."""
    stem = generator.find_typeshed().joinpath(*name.split("."))
    path = stem / "__init__.pyi" if stem.is_dir() else stem.with_suffix(".pyi")
    data = path.read_bytes()
    want = lower(ast.parse(data), data, version=version)
    have = standard_library(version).module(name)
    assert have is not None
    assert (have.imports, have.stars, have.exports) == (want.imports, want.stars, want.exports)
    assert have.sites == []
    comparison = Comparison(REFERENCES, have, want)
    comparison.run()
    assert len(comparison.done) > 10


def test_every_module_is_well_formed() -> None:
    """Everything that the facts of a whole version refer to is there."""
    library = StandardLibrary((3, 12))
    broken = []
    for name in library._index:
        facts = library.module(name)
        assert facts is not None
        nodes = range(len(facts.nodes))
        if facts.nodes[:4] != [f.Unknown(), f.Const(None), f.Const(True), f.Const(False)]:
            broken.append(name)
        for node in facts.nodes:
            for field in REFERENCES[type(node)]:
                value = getattr(node, field)
                flat = (
                    [value] if isinstance(value, int) else [v if isinstance(v, int) else v[1] for v in value]
                )
                if any(v != -1 and v not in nodes for v in flat):
                    broken.append(f"{name}: {node}")
            if isinstance(node, SCOPED) and node.scope >= len(facts.scopes):
                broken.append(f"{name}: {node}")
        broken += [
            f"{name}: {scope.qualname}"
            for scope in facts.scopes
            if any(index not in nodes for bound in scope.bindings.values() for index in bound)
        ]
    assert broken == []


def test_platform_tests_are_not_decided() -> None:
    """Versions are decided in a stub; platforms are not, and each may have an ``__all__`` of its own."""
    stub = b"""
import sys
if sys.platform == "win32":
    __all__ = ["shared", "windows"]
    if sys.version_info >= (3, 12):
        __all__ += ["new_windows"]
    def windows() -> None: ...
else:
    __all__ = ["shared", "unix"]
    def unix() -> None: ...
if sys.platform != "win32" and sys.version_info >= (3, 13):
    def newest() -> None: ...
"""
    old, new = (lower(ast.parse(stub), stub, version=version) for version in ((3, 11), (3, 13)))
    assert old.exports == ("shared", "windows", "unix")
    assert new.exports == ("shared", "windows", "new_windows", "unix")
    assert {"windows", "unix"} <= old.scopes[0].bindings.keys()
    assert "newest" in new.scopes[0].bindings
    assert "newest" not in old.scopes[0].bindings
