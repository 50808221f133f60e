"""The table of the standard library: what it holds, how it is read, and how it fails."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import msgspec
import pytest

from awaitlint.index import facts as f
from awaitlint.index import stdlib
from awaitlint.index.stdlib import TABLE, StandardLibrary, TableFile, standard_library
from awaitlint.index.table import PREAMBLE, TableError

VERSIONS = [(3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15)]
LARGEST = 1_500_000

Found = tuple[f.ModuleFacts, tuple[f.Node, ...]]


# ---------------------------------------------------------------------- following names by hand
def member(library: StandardLibrary, module: str, name: str) -> Found | None:
    """What a name of a module is bound to, through re-exports and ``import *``."""
    facts = library.module(module)
    if facts is None:
        return None
    bound = facts.scopes[0].bindings.get(name)
    if bound is not None:
        nodes = tuple(facts.nodes[index] for index in bound)
        if isinstance(nodes[0], f.Import):
            target = absolute(library, module, nodes[0].module, nodes[0].level)
            return member(library, target, nodes[0].name)
        return facts, nodes
    for source, level in reversed(facts.stars):
        target = absolute(library, module, source, level)
        starred = library.module(target)
        assert starred is not None, target
        public = not name.startswith("_") if starred.exports is None else name in starred.exports
        if public and (found := member(library, target, name)) is not None:
            return found
    return None


def absolute(library: StandardLibrary, module: str, source: str, level: int) -> str:
    if not level:
        return source
    parts = module.split(".")
    base = parts[: len(parts) - level + library.is_package(module)]
    return ".".join([*base, source] if source else base)


def find(version: tuple[int, int], name: str) -> Found | None:
    """What a dotted name stands for: a member of a module, or of a class in one."""
    library = standard_library(version)
    parts = name.split(".")
    split = max(end for end in range(1, len(parts)) if library.has(".".join(parts[:end])))
    found = member(library, ".".join(parts[:split]), parts[split])
    for part in parts[split + 1 :]:
        assert found is not None, name
        facts, (node, *_) = found
        assert isinstance(node, f.Class), name
        bound = facts.scopes[node.scope].bindings.get(part)
        found = None if bound is None else (facts, tuple(facts.nodes[index] for index in bound))
    return found


def functions(version: tuple[int, int], name: str) -> list[f.Scope]:
    """The overloads of a function."""
    found = find(version, name)
    assert found is not None, name
    facts, nodes = found
    assert all(isinstance(node, f.Func) for node in nodes), nodes
    return [facts.scopes[node.scope] for node in nodes if isinstance(node, f.Func)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "name",
    [
        "asyncio.sleep",
        "asyncio.wait_for",
        "asyncio.create_subprocess_exec",
        "asyncio.open_connection",
        "asyncio.StreamReader.read",
        "asyncio.Queue.get",
        "asyncio.Event.wait",
        "asyncio.BaseEventLoop.sock_recv",
        "asyncio.subprocess.Process.wait",
        "contextlib.AsyncExitStack.aclose",
        "unittest.IsolatedAsyncioTestCase.asyncSetUp",
    ],
)
def test_coroutine_functions(version: tuple[int, int], name: str) -> None:
    assert all(scope.is_async for scope in functions(version, name))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "overloaded"),
    [
        ("builtins.len", False),
        ("builtins.dict.get", True),
        ("builtins.sum", True),
        ("time.sleep", False),
        ("json.dumps", False),
        ("asyncio.run", False),
        ("asyncio.create_task", False),
        ("asyncio.gather", True),
        ("asyncio.Future.cancel", False),
        ("contextlib.asynccontextmanager", True),
        ("os.path.join", True),
        ("concurrent.futures.Executor.submit", False),
    ],
)
def test_plain_functions(version: tuple[int, int], name: str, overloaded: bool) -> None:
    scopes = functions(version, name)
    assert (len(scopes) > 1) is overloaded
    assert not any(scope.is_async for scope in scopes)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["asyncio.Task", "asyncio.Future", "asyncio.Lock", "unittest.TestCase"])
def test_classes(version: tuple[int, int], name: str) -> None:
    found = find(version, name)
    assert found is not None
    assert isinstance(found[1][0], f.Class)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("asyncio.TaskGroup", (3, 11), (3, 15)),
        ("asyncio.timeout", (3, 11), (3, 15)),
        ("asyncio.Runner", (3, 11), (3, 15)),
        ("asyncio.QueueShutDown", (3, 13), (3, 15)),
        ("asyncio.capture_call_graph", (3, 14), (3, 15)),
        ("asyncio.coroutine", (3, 10), (3, 10)),
        ("asyncio.AbstractChildWatcher", (3, 10), (3, 13)),
        ("inspect.getargspec", (3, 10), (3, 10)),
        ("builtins.ExceptionGroup", (3, 11), (3, 15)),
        ("typing.override", (3, 12), (3, 15)),
    ],
)
def test_names_that_not_every_version_has(name: str, first: tuple[int, int], last: tuple[int, int]) -> None:
    assert [version for version in VERSIONS if find(version, name) is not None] == [
        version for version in VERSIONS if first <= version <= last
    ]


def test_modules_that_not_every_version_has() -> None:
    having = {
        name: [version for version in VERSIONS if standard_library(version).has(name)]
        for name in ("asyncio", "asyncio.taskgroups", "distutils", "distutils.core", "tomllib", "telnetlib")
    }
    assert having == {
        "asyncio": VERSIONS,
        "asyncio.taskgroups": VERSIONS[1:],
        "distutils": VERSIONS[:2],
        "distutils.core": VERSIONS[:2],
        "tomllib": VERSIONS[1:],
        "telnetlib": VERSIONS[:3],
    }


@pytest.mark.parametrize(
    "name",
    [
        "asyncio.ProactorEventLoop",
        "asyncio.SelectorEventLoop",
        "asyncio.open_unix_connection",
        "os.fork",
        "os.startfile",
        "msvcrt.getch",
        "signal.pause",
    ],
)
def test_names_of_every_platform(name: str) -> None:
    assert find((3, 12), name) is not None


def test_exports_of_every_platform() -> None:
    facts = standard_library((3, 12)).module("asyncio")
    assert facts is not None
    assert {"sleep", "ProactorEventLoop", "ThreadedChildWatcher"} <= set(facts.exports or ())


# ---------------------------------------------------------------------- the interface
@pytest.mark.parametrize(
    ("asked", "taken"),
    [((2, 7), (3, 10)), ((3, 9), (3, 10)), ((3, 12), (3, 12)), ((3, 99), (3, 15)), ((4, 0), (3, 15))],
)
def test_nearest_version(asked: tuple[int, int], taken: tuple[int, int]) -> None:
    assert standard_library(asked).version == taken


def test_packages_and_top_level() -> None:
    library = standard_library((3, 12))
    assert library.is_package("asyncio")
    assert not library.is_package("asyncio.tasks")
    assert not library.is_package("os.path")
    assert not library.is_package("no_such_module")
    assert not library.has("no_such_module")
    assert library.module("no_such_module") is None
    assert {"asyncio", "builtins", "os", "_typeshed", "typing_extensions"} <= library.top_level
    assert "asyncio.tasks" not in library.top_level
    # stubs have no part of the tests and of IDLE
    missing = {name for name in sys.stdlib_module_names if not name.startswith("_")} - standard_library(
        sys.version_info[:2]
    ).top_level
    assert missing <= {"idlelib", "test", "turtledemo", "nturl2path", "sre_constants", "sre_parse"}


def test_one_instance_per_version() -> None:
    assert standard_library((3, 12)) is standard_library((3, 12))
    assert standard_library((3, 12)) is not standard_library((3, 13))


def test_reads_only_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[tuple[int, int]] = []
    read = TableFile.read

    def counted(self: TableFile, offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return read(self, offset, length)

    monkeypatch.setattr(TableFile, "read", counted)
    library = StandardLibrary((3, 10))
    assert len(reads) == 1
    index = library._index
    entry = index["asyncio.tasks"]
    assert entry.overlay_length
    first = library.module("asyncio.tasks")
    assert library.module("asyncio.tasks") is first
    assert reads[1:] == [(entry.offset, entry.length), (entry.overlay_offset, entry.overlay_length)]
    assert library.module("asyncio.threads") is not None
    assert (index["asyncio.threads"].offset, index["asyncio.threads"].length) == reads[3]
    library.has("os")
    library.is_package("os")
    assert library.module("none") is None
    assert len(reads) == 4


def test_versions_do_not_share_what_an_overlay_changes() -> None:
    old, new = StandardLibrary((3, 10)), StandardLibrary((3, 15))
    for library in (old, new, old):
        facts = library.module("asyncio.tasks")
        assert facts is not None
        assert ("create_eager_task_factory" in facts.scopes[0].bindings) is (library is new)


def test_size() -> None:
    assert TABLE.stat().st_size < LARGEST


# ---------------------------------------------------------------------- damage
def header_of(data: bytes) -> tuple[stdlib.Header, bytes]:
    _, _, length, _ = PREAMBLE.unpack_from(data)
    end = PREAMBLE.size + length
    return msgspec.msgpack.decode(data[PREAMBLE.size : end], type=stdlib.Header), data[end:]


def table_of(header: stdlib.Header, body: bytes) -> bytes:
    data = msgspec.msgpack.encode(header)
    return (
        PREAMBLE.pack(stdlib.LAYOUT.magic, stdlib.LAYOUT.container, len(data), zlib.crc32(data)) + data + body
    )


def damaged(how: str) -> bytes:
    data = TABLE.read_bytes()
    header, body = header_of(data)
    if how == "empty":
        return b""
    if how == "magic":
        return b"GIF89a\r\n" + data[8:]
    if how == "newlines":
        return data.replace(b"\r\n", b"\n")
    if how == "container":
        return data[:8] + struct.pack("<I", stdlib.LAYOUT.container + 1) + data[12:]
    if how == "schema":
        return table_of(msgspec.structs.replace(header, schema=f.SCHEMA + 1), body)
    if how == "header":
        return data[: PREAMBLE.size + 2] + b"\xff" + data[PREAMBLE.size + 3 :]
    if how == "truncated":
        return data[:-1]
    assert how == "truncated in the header"
    return data[: PREAMBLE.size + 5]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("empty", "is not a table of standard library facts"),
        ("magic", "is not a table of standard library facts"),
        ("newlines", "is not a table of standard library facts"),
        ("container", f"has layout {stdlib.LAYOUT.container + 1}"),
        ("schema", f"holds facts of schema {f.SCHEMA + 1}, and this awaitlint has schema {f.SCHEMA}"),
        ("header", "has a damaged header"),
        ("truncated", "bytes instead of"),
        ("truncated in the header", "has a damaged header"),
    ],
)
def test_damaged_table(tmp_path: Path, how: str, message: str) -> None:
    path = tmp_path / "table.bin"
    path.write_bytes(damaged(how))
    with pytest.raises(TableError) as caught:
        StandardLibrary((3, 12), path)
    assert str(caught.value).startswith(f"internal error: {path} ")
    assert message in str(caught.value)


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read: No such file or directory"):
        StandardLibrary((3, 12), tmp_path / "table.bin")


def test_header_of_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "table.bin"
    data = msgspec.msgpack.encode({"schema": 1})
    path.write_bytes(
        PREAMBLE.pack(stdlib.LAYOUT.magic, stdlib.LAYOUT.container, len(data), zlib.crc32(data)) + data
    )
    with pytest.raises(TableError, match="has a damaged header: Expected"):
        StandardLibrary((3, 12), path)


def test_damaged_module(tmp_path: Path) -> None:
    header, body = header_of(TABLE.read_bytes())
    entry = TableFile(TABLE).index(header.versions[-1])["json"]
    middle = entry.offset + entry.length // 2
    path = tmp_path / "table.bin"
    path.write_bytes(table_of(header, body[:middle] + b"\0\xff\0\xff" + body[middle + 4 :]))
    library = StandardLibrary((3, 15), path)
    assert library.module("time") is not None
    with pytest.raises(TableError, match=r"is damaged at byte \d+"):
        library.module("json")


@pytest.mark.parametrize("part", ["index", "facts", "overlay"])
def test_streams_of_another_shape(tmp_path: Path, part: str) -> None:
    """A stream that decompresses and does not hold what it should."""
    header, body = header_of(TABLE.read_bytes())
    newest = header.versions[-1]
    stream = zlib.compress(msgspec.msgpack.encode([1, 2]))
    place = (len(body), len(stream))
    body += stream
    if part == "index":
        entry = stdlib.VersionEntry(newest.version, *place)
    else:
        json = TableFile(TABLE).index(newest)["json"]
        changed = (*place, 0, 0) if part == "facts" else (json.offset, json.length, *place)
        index = zlib.compress(msgspec.msgpack.encode({"json": stdlib.Entry(*changed, is_package=True)}))
        entry = stdlib.VersionEntry(newest.version, len(body), len(index))
        body += index
    path = tmp_path / "table.bin"
    path.write_bytes(table_of(msgspec.structs.replace(header, size=len(body), versions=(entry,)), body))
    message = "has a damaged index" if part == "index" else "has damaged facts for json"
    with pytest.raises(TableError, match=message):
        StandardLibrary((3, 15), path).module("json")
