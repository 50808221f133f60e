"""The generator of the table of packages: a sample of it is made again, from what is installed."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path
from typing import Any

import generate_packages as generator
import packing
import pytest
from distributions import Spec, archive, installed_files, load_specs, modules, wheel_files
from table_tools import REFERENCES, SCOPED

from awaitlint.index import facts as f
from awaitlint.index.lower import lower
from awaitlint.index.packages import FIRST_NODES, TABLE, PackageLibrary, package_library

#: distributions of the ``test`` dependency group
SAMPLE = ("anyio", "httpx-sse", "types-aiofiles")


@pytest.fixture(scope="module")
def sample() -> dict[str, generator.Lowered]:
    specs = load_specs()
    return {each.spec.name: each for each in generator.lower_installed([specs[name] for name in SAMPLE])}


def test_table_is_up_to_date(sample: dict[str, generator.Lowered]) -> None:
    specs = load_specs()
    assert package_library().versions == {name: spec.version for name, spec in specs.items()}
    library = generator.combine(sample.values())
    assert sum(map(len, library.values())) > 40
    assert generator.check(library, {name: specs[name] for name in SAMPLE}, everything=False) == []


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert generator.main(["--check", "--installed", "--only", *SAMPLE]) == 0
    with pytest.raises(SystemExit):
        generator.main(["--only", "anyio"])
    assert "--only goes with --check" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        generator.main(["--check", "--only", "anyoi"])
    assert "packages.toml has no anyoi" in capsys.readouterr().err


def test_what_is_not_there_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "load_specs", lambda: {"anyio": Spec("anyio", "0.1")})
    assert generator.main(["--check", "--installed"]) == 2
    assert "is installed, not 0.1" in capsys.readouterr().err
    monkeypatch.setattr(generator, "load_specs", lambda: {"no-such-thing": Spec("no-such-thing", "1")})
    assert generator.main(["--check", "--installed"]) == 2
    assert "no-such-thing is not installed" in capsys.readouterr().err


def test_check_and_write(
    sample: dict[str, generator.Lowered],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = tmp_path / "data" / "packages.bin"
    specs = {name: spec for name, spec in load_specs().items() if name in SAMPLE}
    monkeypatch.setattr(generator, "TABLE", table)
    monkeypatch.setattr(generator, "load_specs", lambda: specs)
    monkeypatch.setattr(generator, "lower_installed", lambda _: list(sample.values()))
    assert generator.main(["--check", "--installed"]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert generator.main(["--installed"]) == 0
    assert "3 distributions" in capsys.readouterr().out
    assert generator.main(["--check", "--installed"]) == 0
    before = table.read_bytes()
    assert generator.main(["--installed"]) == 0
    assert table.read_bytes() == before
    assert PackageLibrary(table).module("anyio._core._tasks") is not None
    capsys.readouterr()

    library = {name: dict(found) for name, found in generator.combine(sample.values()).items()}
    del library["anyio"]["anyio.to_thread"]
    library["anyio"]["anyio.extra"] = library["anyio"]["anyio.from_thread"]
    library["anyio"]["anyio.abc"] = library["anyio"]["anyio.from_thread"]
    versions = {"anyio": "0.1", "httpx-sse": specs["httpx-sse"].version, "other": "1"}
    table.write_bytes(packing.pack(library, versions))
    assert generator.main(["--check", "--installed"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "packages.bin is out of date; run `make packages`",
        "  types-aiofiles is missing",
        "  other is not asked for",
        f"  anyio is 0.1, and {specs['anyio'].version} is asked for",
        "  module anyio.abc differs",
        "  module anyio.extra is not there",
        "  module anyio.to_thread is missing",
    ]


# ---------------------------------------------------------------------- sources
def test_wheels_are_read_where_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "some_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name in ("thing/__init__.py", "thing/fast.py", "thing/fast.pyi", "thing/tests/test_fast.py"):
            wheel.writestr(name, name)
        wheel.writestr("thing/data.json", "{}")
        wheel.writestr("some_thing-1.0.data/purelib/other.py", "other")
        wheel.writestr("some_thing-1.0.data/scripts/run.py", "run")
        wheel.writestr("deep/er/mod.py", "deep")
    spec = Spec("some-thing", "1.0")
    assert archive(spec, tmp_path) == path
    assert archive(Spec("some-thing", "1.1"), tmp_path) is None
    found = modules(wheel_files(path), spec)
    assert {name: (source.is_stub, source.is_package) for name, source in found.items()} == {
        "thing": (False, True),
        "thing.fast": (True, False),
        "other": (False, False),
        "deep.er.mod": (False, False),
    }
    assert found["thing.fast"].data == b"thing/fast.pyi"
    with pytest.raises(LookupError, match=r"some-thing 1\.1 has not been downloaded"):
        generator._from_wheel((Spec("some-thing", "1.1"), tmp_path))


def test_patterns() -> None:
    spec = Spec("x", "1", include=("a", "a.b", "a.c.*"), exclude=("a.c.old",))
    wanted = [
        name for name in ("a", "a.b", "a.b.x", "a.c", "a.c.x", "a.c.old", "a.c.old.x") if spec.wants(name)
    ]
    assert wanted == ["a", "a.b", "a.c.x"]
    assert not Spec("x", "1").wants("a._vendor.b")


def test_specifications(tmp_path: Path) -> None:
    path = tmp_path / "packages.toml"
    path.write_text('[packages]\na = "1"\nb = { version = "2", exclude = ["b.x"], drop = ["*Raw"] }\n')
    assert load_specs(path) == {
        "a": Spec("a", "1"),
        "b": Spec("b", "2", exclude=("b.x",), drop=("*Raw",)),
    }
    path.write_text('[packages]\na = { version = "1", exlcude = [] }\n')
    with pytest.raises(ValueError, match="a has unknown keys: exlcude"):
        load_specs(path)


def lowered(name: str, **modules: tuple[str, bool]) -> generator.Lowered:
    """A distribution of modules: name → (text, whether it is a stub)."""
    files = [
        (f"{module.replace('__', '/')}.py{'i' * stub}", text.encode())
        for module, (text, stub) in modules.items()
    ]
    return generator.lower_distribution(Spec(name, "1"), files)


def test_stubs_lie_over_their_package() -> None:
    package = lowered("thing", thing__one=("def f(): return 1", False), thing__two=("def g(): ...", False))
    stubs = lowered("types-thing", **{"thing-stubs__one": ("def f() -> int: ...", True)})
    for order in ([package, stubs], [stubs, package]):
        library = generator.combine(order)["thing"]
        assert {name: packed.is_stub for name, packed in library.items()} == {
            "thing": False,
            "thing.one": True,
            "thing.two": False,
        }
        assert library["thing"].is_package
    with pytest.raises(ValueError, match=r"thing\.one is in .* and in "):
        generator.combine([package, lowered("other", thing__one=("def h(): ...", False))])


def test_what_cannot_be_read_is_named() -> None:
    found = lowered("thing", thing__one=("def f(:", False), thing__two=("def g(): ...", False))
    assert found.broken == ["thing.one"]
    assert list(found.modules) == ["thing.two"]


# ---------------------------------------------------------------------- facts
def flat(value: Any) -> list[int]:
    """The nodes of a field: an index, several, or pairs of keyword and index."""
    if isinstance(value, int):
        return [value]
    return [item if isinstance(item, int) else item[1] for item in value]


@pytest.mark.parametrize("package", ["anyio", "google", "openai", "redis", "sqlalchemy", "telethon"])
def test_every_module_is_well_formed(package: str) -> None:
    """Everything that facts refer to is there."""
    library = PackageLibrary()
    assert library.has(package)
    broken = []
    for name in library._indexes[package]:
        facts = library.module(name)
        assert facts is not None
        nodes = range(-1, len(facts.nodes))
        if tuple(facts.nodes[:4]) != FIRST_NODES:
            broken.append(name)
        for node in facts.nodes:
            parts = [part for field in REFERENCES[type(node)] for part in flat(getattr(node, field))]
            if any(part not in nodes for part in parts):
                broken.append(f"{name}: {node}")
            if isinstance(node, SCOPED) and node.scope >= len(facts.scopes):
                broken.append(f"{name}: {node}")
            if isinstance(node, f.Param) and node.index >= len(facts.scopes[node.scope].params):
                broken.append(f"{name}: {node}")
        for scope in facts.scopes:
            parts = [scope.returns, *scope.returned, *scope.yielded, *scope.bases, *scope.decorators]
            parts += [value for _, value in scope.keywords]
            parts += [part for param in scope.params for part in (param.annotation, param.default)]
            parts += [
                part for names in (scope.bindings, scope.attributes) for part in sum(names.values(), ())
            ]
            if any(part not in nodes for part in parts):
                broken.append(f"{name}: {scope.qualname}")
    assert broken == []


def described(facts: f.ModuleFacts) -> list[Any]:
    """Facts in a form that does not depend on how nodes are numbered."""

    def tree(index: int, depth: int = 0) -> Any:
        if index < 0 or depth > 6:
            return None
        node = facts.nodes[index]
        own = {
            name: getattr(node, name) for name in node.__struct_fields__ if name not in REFERENCES[type(node)]
        }
        parts = [
            [tree(part, depth + 1) for part in flat(getattr(node, field))] for field in REFERENCES[type(node)]
        ]
        keywords = [keyword for keyword, _ in node.keywords] if isinstance(node, f.Call) else []
        return (type(node).__name__, own, keywords, parts)

    def trees(nodes: tuple[int, ...]) -> list[Any]:
        return [tree(index) for index in nodes]

    return [
        (
            scope.kind,
            scope.qualname,
            scope.parent,
            (scope.is_async, scope.is_generator, scope.falls_through, scope.is_stub, scope.type_params),
            [(p.name, p.kind, tree(p.annotation), tree(p.default)) for p in scope.params],
            tree(scope.returns),
            [trees(nodes) for nodes in (scope.returned, scope.yielded, scope.decorators, scope.bases)],
            [(name, tree(value)) for name, value in scope.keywords],
            {name: trees(nodes) for name, nodes in scope.bindings.items()},
            {name: trees(nodes) for name, nodes in scope.attributes.items()},
        )
        for scope in facts.scopes
    ]


TEXT = b"""
import os, os.path
import numpy as np
from collections.abc import Awaitable, Callable
from .client import Client as Client, Other as Renamed
from .all import *
__all__ = ["call", "Client"]
limit = len("x")
alias = call = None
class Base(Client, metaclass=type):
    kind: int = 1
    def get(self, key: str = "x", /, *args, timeout=None, **options) -> int: return self.found[key]
    def __init__(self): self.found = Client(limit, key=np.x)
    get_all = get
class _Hidden(Base):
    async def get(self):
        async for item in self.found:
            yield item
def call(x): return [lambda: x, (y for y in x)]
def call(x, y): return x(y)
async def other(): return await call(1)
sub = lambda z: z
x.attribute = 1
"""


def test_what_is_packed_is_what_is_read() -> None:
    facts = lower(ast.parse(TEXT), TEXT)
    record = packing.encode(facts)
    have = packing.p._RECORD.decode(record).facts()
    assert described(have) == described(facts)
    assert (have.stars, have.exports) == (facts.stars, facts.exports)
    assert have.patched == {"attribute": ((0, 0),)}
    assert packing.encode(have) == record


def test_exports_that_say_nothing_are_not_stored() -> None:
    text = b"__all__ = ['f', 'g']\ndef f(): ...\ndef g(): ...\ndef _h(): ...\n"
    facts = lower(ast.parse(text), text)
    del facts.scopes[0].bindings["__all__"]
    assert packing.p._RECORD.decode(packing.encode(facts)).facts().exports is None
    facts.exports = ("f",)
    assert packing.p._RECORD.decode(packing.encode(facts)).facts().exports == ("f",)


def test_specifications_are_those_of_the_sample() -> None:
    """What is installed for the tests is what the table was made from."""
    specs = load_specs()
    for name in SAMPLE:
        assert list(installed_files(specs[name]))
    assert TABLE.exists()
