"""The facts of modules on disk: never wrong, never trusted, never in the way."""

from __future__ import annotations

import ast
import gc
import os
import random
import shutil
import subprocess
import sys
import typing
from pathlib import Path

import msgspec
import pytest

import awaitlint
from awaitlint.config.load import load_settings
from awaitlint.engine import cache as cache_module
from awaitlint.engine import session as session_module
from awaitlint.engine.cache import FactsCache, is_sound, project_cache, salt
from awaitlint.engine.directory import DIRECTORY
from awaitlint.engine.pack import PackDirectory
from awaitlint.engine.run import Options, run
from awaitlint.engine.session import Session
from awaitlint.files.digests import digest
from awaitlint.files.discover import discover
from awaitlint.files.source import SourceStore
from awaitlint.index import facts as f
from awaitlint.index.lower import lower
from awaitlint.index.marks import Mark, MarkKind

CHATBOT = Path(__file__).parents[1] / "examples" / "chatbot"
SOURCE = b'''
import asyncio
from .db import get_user as fetch, User
from collections import *

async def main(user: User, *rest, key=1, **more) -> "User":
    """Look it up."""
    async with fetch(user, *rest, name=key, **more) as connection, asyncio.timeout(3) as other:
        found = [await row async for row in connection.rows({"a": [1, 2.5], **more})]
        first, *others = found
        while first is not None and isinstance(first, User):
            first = first[0] + 1
    try:
        task = asyncio.create_task(fetch(user))
    except (ValueError, KeyError) as error:
        print(f"{error}", lambda x: (yield x))
        raise
    x: int = len(others)
    return x if task.done() else await task

class Service(User, metaclass=type):
    def __init__(self) -> None:
        super().__init__()
        self.users = {fetch(None) for _ in range(3)}
        def inner(): return self.users
        inner()
'''
SOURCE += b"# " + b"padding " * 60 + b"\n"


def facts_of(data=SOURCE):
    return lower(ast.parse(data), data)


def stored(directory, data, payload):
    """A cache in which a payload stands for a module, its checksums right."""
    entries = PackDirectory(directory, salt())
    entries.put(digest(data, person=salt()), payload)
    entries.flush()
    return FactsCache(directory)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / ".awaitlint_cache"


# ---------------------------------------------------------------------- content
def test_facts_come_back_as_they_were_put(directory):
    cache = FactsCache(directory)
    assert cache.get(SOURCE) is None
    cache.put(SOURCE, facts_of())
    assert cache.get(SOURCE) == facts_of()
    cache.flush()
    assert cache.get(SOURCE) == facts_of()
    again = FactsCache(directory)
    assert again.get(SOURCE) == facts_of()
    assert again.get(SOURCE) is not again.get(SOURCE)


def test_other_content_has_other_facts(directory):
    cache = FactsCache(directory)
    cache.put(SOURCE, facts_of())
    cache.flush()
    for changed in (SOURCE + b" ", SOURCE.replace(b"\n", b"\r\n"), SOURCE[:-1]):
        assert cache.get(changed) is None


def test_small_modules_are_not_kept(directory):
    small = b"x = 1\n"
    cache = FactsCache(directory)
    cache.put(small, facts_of(small))
    cache.flush()
    assert cache.get(small) is None
    assert not directory.exists()


@pytest.mark.parametrize("literal", [str(10**30), repr("\ud800")])
def test_facts_that_have_no_representation_are_not_kept(directory, literal):
    data = SOURCE + f"x = {literal}\n".encode()
    facts = facts_of(data)
    facts.nodes.append(f.Const(ast.literal_eval(literal)))
    cache = FactsCache(directory)
    cache.put(data, facts)
    cache.flush()
    assert cache.get(data) is None
    assert not directory.exists()


@pytest.mark.parametrize("what", ["schema", "release", "python", "code"])
def test_what_facts_are_made_with_is_in_the_key(directory, monkeypatch, tmp_path, what):
    cache = FactsCache(directory)
    cache.put(SOURCE, facts_of())
    cache.flush()
    before = salt()
    if what == "schema":
        monkeypatch.setattr(cache_module, "SCHEMA", f.SCHEMA + 1)
    elif what == "release":
        monkeypatch.setattr(awaitlint, "__version__", "0.0.1")
    elif what == "python":
        monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    else:
        copy = tmp_path / "awaitlint"
        shutil.copytree(Path(awaitlint.__file__).parent, copy)
        monkeypatch.setattr(awaitlint, "__file__", str(copy / "__init__.py"))
        salt.cache_clear()
        assert salt() == before
        with (copy / "index" / "lower" / "statements.py").open("a") as file:
            file.write("# changed\n")
    salt.cache_clear()
    try:
        assert salt() != before
        assert FactsCache(directory).get(SOURCE) is None
    finally:
        monkeypatch.undo()
        salt.cache_clear()
    assert FactsCache(directory).get(SOURCE) == facts_of()


def test_what_was_put_is_written_when_the_cache_is_dropped(directory):
    cache = FactsCache(directory)
    cache.put(SOURCE, facts_of())
    assert not directory.exists()
    del cache
    gc.collect()
    assert FactsCache(directory).get(SOURCE) == facts_of()


# ---------------------------------------------------------------------- damaged and forged records
def test_no_damaged_record_does_harm(directory):
    payload = msgspec.msgpack.encode(facts_of())
    random.seed(1)
    for position in range(0, len(payload), 50):
        flipped = bytearray(payload)
        flipped[position] ^= 1 << random.randrange(8)
        for damaged in (
            payload[:position],
            bytes(flipped),
            payload[:position] + b"\xc1" + payload[position:],
        ):
            found = stored(directory, SOURCE, damaged).get(SOURCE)
            assert found is None or is_sound(found, SOURCE)
            shutil.rmtree(directory)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc0",
        b"garbage" * 100,
        b"\x91" * 15_000,
        b"\x97\xdd\xff\xff\xff\xff\x91\x00",
        b"\x97\x91\x92\x05\xdd\xff\xff\xff\xff\x00",
        b"\x97\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        msgspec.msgpack.encode(["nodes", "scopes", "sites"]),
        msgspec.msgpack.encode([[], [], []]),
        msgspec.msgpack.encode([[[99, 1]], [], []]),
        msgspec.msgpack.encode(facts_of()) + b"\0",
    ],
)
def test_what_is_no_record_is_a_miss(directory, payload):
    cache = stored(directory, SOURCE, payload)
    assert cache.get(SOURCE) is None
    cache.put(SOURCE, facts_of())
    cache.flush()
    assert FactsCache(directory).get(SOURCE) == facts_of()


def test_a_record_too_large_for_its_module_is_a_miss(directory):
    facts = facts_of()
    facts.nodes.extend([f.Unknown()] * 20 * len(SOURCE))
    assert is_sound(facts, SOURCE)
    assert stored(directory, SOURCE, msgspec.msgpack.encode(facts)).get(SOURCE) is None
    cache = FactsCache(directory)
    cache.put(SOURCE, facts)
    assert cache.get(SOURCE) is None


def test_the_source_of_these_tests_has_facts_of_most_kinds():
    assert is_sound(facts_of(), SOURCE)
    assert len({type(node) for node in facts_of().nodes}) >= 25


NODE_KINDS = typing.get_args(f.Node)
#: fields that may hold any number
FREE = {(f.Const, "value"), (f.Unpack, "index")}


VALUES = {int: 0, bool: False, str: "x", tuple[int, ...]: (0,), tuple[tuple[str, int], ...]: (("k", 0),)}


def plain(kind):
    """A node of a kind in which every reference is to node, scope or parameter 0."""
    return kind(*(VALUES.get(hint) for hint in typing.get_type_hints(kind).values()))


def with_node(node):
    scope = f.Scope(
        kind=f.ScopeKind.MODULE, name="", qualname="", parent=-1, params=(f.ParamFact("a", "normal", -1, -1),)
    )
    return f.ModuleFacts(nodes=[f.Unknown(), node], scopes=[scope], sites=[])


@pytest.mark.parametrize("kind", NODE_KINDS, ids=lambda kind: kind.__name__)
def test_every_reference_of_every_node_is_checked(kind):
    node = plain(kind)
    assert is_sound(with_node(node), SOURCE)
    for field in msgspec.structs.fields(kind):
        if (kind, field.name) in FREE:
            continue
        value = getattr(node, field.name)
        for wrong in (-2, 10**9):
            if type(value) is int:
                forged = wrong
            elif isinstance(value, tuple):
                forged = (*value, (("k", wrong) if isinstance(value[0], tuple) else wrong))
            else:
                continue
            changed = msgspec.structs.replace(node, **{field.name: forged})
            assert not is_sound(with_node(changed), SOURCE), changed


def changed_scope(facts, **changes):
    facts.scopes[1] = msgspec.structs.replace(facts.scopes[1], **changes)


def changed_site(facts, **changes):
    facts.sites[0] = msgspec.structs.replace(facts.sites[0], **changes)


FORGED = {
    "no scope": lambda facts: facts.scopes.clear(),
    "module with a parent": lambda facts: setattr(facts.scopes[0], "parent", 0),
    "no module": lambda facts: setattr(facts.scopes[0], "kind", f.ScopeKind.CLASS),
    "star": lambda facts: setattr(facts, "stars", (("m", 10**9),)),
    "misplaced": lambda facts: setattr(facts, "misplaced", (f.Misplaced(0, 10**9, 0),)),
    "misplaced scope": lambda facts: setattr(facts, "misplaced", (f.Misplaced(10**9, 1, 0),)),
    "mark": lambda facts: setattr(facts, "marks", (Mark(MarkKind.FOR, 0, 10**9, 0, awaits=False),)),
    "mark scope": lambda facts: setattr(facts, "marks", (Mark(MarkKind.FOR, 10**9, 1, 0, awaits=False),)),
    "mark node": lambda facts: setattr(facts, "marks", (Mark(MarkKind.FOR, 0, 1, 10**9, awaits=False),)),
    **{
        f"scope {name} {wrong}": lambda facts, name=name, wrong=wrong: changed_scope(facts, **{name: wrong})
        for name in ("parent", "line", "first_line", "end_line", "column", "returns")
        for wrong in (-2, 10**9)
    },
    "parent after": lambda facts: changed_scope(facts, parent=1),
    "ends before it begins": lambda facts: changed_scope(facts, end_line=1),
    **{
        f"scope {name}": lambda facts, name=name: changed_scope(facts, **{name: (10**9,)})
        for name in ("decorators", "returned", "yielded", "bases")
    },
    **{
        f"scope {name}": lambda facts, name=name: changed_scope(facts, **{name: {"x": (0, -1)}})
        for name in ("bindings", "attributes")
    },
    "scope keywords": lambda facts: changed_scope(facts, keywords=(("k", 10**9),)),
    "annotation": lambda facts: changed_scope(facts, params=(f.ParamFact("a", "normal", 10**9, -1),) * 9),
    "default": lambda facts: changed_scope(facts, params=(f.ParamFact("a", "normal", -1, -2),) * 9),
    "too few parameters": lambda facts: changed_scope(facts, params=()),
    **{
        f"site {name} {wrong}": lambda facts, name=name, wrong=wrong: changed_site(facts, **{name: wrong})
        for name in ("node", "scope", "line", "column", "end_line", "end_column", "other")
        for wrong in (-2, 10**9)
    },
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_numbers_are_a_miss(directory, forge):
    facts = facts_of()
    forge(facts)
    cache = FactsCache(directory)
    cache.put(SOURCE, facts)
    cache.flush()
    assert not directory.exists()
    assert stored(directory, SOURCE, msgspec.msgpack.encode(facts)).get(SOURCE) is None


@pytest.mark.parametrize(
    ("nodes", "sound"),
    [
        ([f.Phi((1,)), f.Declared(0, 0)], False),
        ([f.Phi((1,)), f.Narrow(0, "truthy", -1, True)], False),
        ([f.Phi((1,)), f.Phi((0,)), f.Declared(0, 1)], False),
        ([f.Phi((1,)), f.Phi((0,))], True),  # what a name that is never bound leaves in nested loops
        ([f.Phi((1, 0)), f.Declared(0, 0)], True),
        ([f.Phi((2,)), f.Declared(0, 0), f.Unknown()], True),
    ],
)
def test_renamings_lead_somewhere(nodes, sound):
    facts = with_node(f.Unknown())
    facts.nodes = nodes
    assert is_sound(facts, SOURCE) is sound


# ---------------------------------------------------------------------- where a cache is
@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", "setup.cfg", "awaitlint.toml", ".git"])
def test_a_project_has_a_cache(tmp_path, marker):
    assert project_cache(tmp_path) is None
    (tmp_path / marker).touch()
    assert project_cache(tmp_path) is not None


def test_an_installed_distribution_has_none(tmp_path):
    root = tmp_path / "site-packages" / "numpy"
    root.mkdir(parents=True)
    (root / "setup.py").touch()
    assert project_cache(root) is None


# ---------------------------------------------------------------------- in a run
@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    shutil.copytree(CHATBOT, root, ignore=shutil.ignore_patterns(".awaitlint_cache"))
    return root


def check(root, *, cache=True, overlays=None):
    targets = list(discover([root], load_settings))
    result = run(targets, load_settings, SourceStore(overlays), options=Options(cache=cache))
    gc.collect()  # what the run is to keep is written when it is gone
    assert result.internal_errors == ()
    return result.diagnostics


def test_findings_are_the_same_without_cold_and_warm(project, monkeypatch):
    without = check(project, cache=False)
    assert without
    assert not (project / DIRECTORY).exists()
    assert check(project) == without
    assert (project / DIRECTORY).is_dir()
    lowered = []

    def remember(tree, data):
        lowered.append(data)
        return lower(tree, data)

    monkeypatch.setattr(session_module, "lower", remember)
    assert check(project) == without
    assert all(len(data) < cache_module._SMALLEST for data in lowered)
    assert check(project, cache=False) == without
    assert any(len(data) >= cache_module._SMALLEST for data in lowered)


def test_a_cache_full_of_lies_crashes_nothing(project):
    without = check(project, cache=False)
    check(project)
    for path in (project / DIRECTORY).glob("*.pack"):
        path.write_bytes(os.urandom(path.stat().st_size))
    assert check(project) == without
    assert check(project) == without


def test_a_loose_file_leaves_nothing_behind(project):
    for name in ("pyproject.toml", "awaitlint.toml"):
        (project / name).unlink(missing_ok=True)
    check(project)
    assert not list(project.rglob(DIRECTORY))


def test_unsaved_buffers_are_not_written(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    path = tmp_path / "app.py"
    path.write_bytes(SOURCE)
    check(tmp_path, overlays={path: SOURCE + b"# typing\n"})
    assert not (tmp_path / DIRECTORY).exists()


def test_unsaved_buffers_are_read_from_the_cache(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    path = tmp_path / "app.py"
    path.write_bytes(SOURCE)
    check(tmp_path)
    monkeypatch.setattr(session_module, "lower", None)
    session = Session(load_settings, SourceStore({path: SOURCE}))
    assert session.lowered(path).facts == facts_of()


def test_the_session_writes_when_it_is_told_to(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    path = tmp_path / "app.py"
    path.write_bytes(SOURCE)
    session = Session(load_settings, SourceStore())
    session.lowered(path)
    session.flush()
    assert FactsCache(tmp_path / DIRECTORY).get(SOURCE) == facts_of()


@pytest.mark.parametrize("options", [[], ["--no-cache"]])
def test_the_command_line_writes_unless_told_not_to(project, options):
    command = [sys.executable, "-m", "awaitlint", "check", os.fspath(project), *options]
    environment = {**os.environ, "PYTHONPATH": os.fspath(Path(awaitlint.__file__).parents[1])}
    outputs = []
    for _ in range(2):
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (process.returncode, process.stderr) == (1, "")
        outputs.append(process.stdout)
    assert outputs[0] == outputs[1]
    assert (project / DIRECTORY).exists() is (not options)
