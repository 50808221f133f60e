"""The benchmarks' own logic, on packages of a few lines."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import sys
import textwrap
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from benchmarks import cold, packages, recall, tables, tools
from benchmarks.callees import Callee, Callees
from benchmarks.fixing import Repair, changed_lines, repair, same_statement
from benchmarks.mutation import Mutant, Mutation, MutationError, choose, delete_awaits, describe, mutate
from benchmarks.packages import Package
from benchmarks.processes import Cost, RunError, run
from benchmarks.results import Result, Store
from benchmarks.scoring import score, union
from benchmarks.sites import Shape, sites
from benchmarks.sources import Module, Sources, read_module, read_package
from benchmarks.tools import AWAITLINT, PEERS, Diagnostic

APP = """\
import asyncio
from asyncio import sleep as nap

import httpx

from .store import Store, load


class Service:
    def __init__(self, store: Store, client: httpx.AsyncClient, callback) -> None:
        self.store = store
        self.client = client
        self.callback = callback
        self.other: "Store | None" = None

    async def own(self) -> int:
        return 1

    async def calls(self, parameter, task) -> None:
        await self.own()
        await local()
        await load()
        await self.store.get()
        await self.other.get()
        await self.client.get("")
        await nap(1)
        await asyncio.get_running_loop().run_in_executor(None, print)
        await self.callback()
        await parameter.run()
        await task


async def local() -> None: ...
"""

STORE = """\
class Store:
    async def get(self) -> int:
        return 1


async def load() -> Store:
    return Store()
"""

#: what some tools print
MYPY_NOTE = """\
{"file": "app/a.py", "line": 3, "code": "c", "message": "m", "severity": "error"}
{"file": "app/a.py", "line": 3, "code": null, "message": "n", "severity": "note"}
"""
PYRIGHT = [
    {
        "file": "{root}/app/a.py",
        "severity": severity,
        "message": "m",
        "rule": "c",
        "range": {"start": {"line": 2, "character": 0}},
    }
    for severity in ("error", "warning")
]
GITLAB = [
    {
        "check_name": "c",
        "description": "m",
        "location": {"path": "app/a.py", "positions": {"begin": {"line": 3, "column": 1}}},
    }
]
#: how `write_package` is mutated
MUTATE = {"version": "1.0", "subset": "dev", "name": "the-app", "seed": 1, "count": 200}


def parsed(text: str | bytes, file: str = "app/main.py") -> Module:
    source = textwrap.dedent(text).encode() if isinstance(text, str) else text
    module = read_module(file, source)
    assert module is not None
    return module


def awaits(tree: ast.AST) -> list[ast.Await]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Await)]


def mutants_of(*modules: Module) -> list[Mutant]:
    sources = Sources("app", modules, ())
    callees = Callees(sources)
    return sorted(
        (describe(site, callees) for module in modules for site in sites(module)), key=lambda m: m.line
    )


def write_package(root: Path, **files: str) -> Path:
    package = root / "app"
    package.mkdir(parents=True)
    for name, text in {"__init__": "", **files}.items():
        (package / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return package


class TestMutation:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            (b"async def f():\n    await  g()\n", b"async def f():\n    g()\n"),
            (b"async def f():\r\n\tx = await\tg()\r\n", b"async def f():\r\n\tx = g()\r\n"),
            (
                "\ufeffasync def f(): await g('é'), await h()".encode(),
                "\ufeffasync def f(): g('é'), h()".encode(),
            ),
            (
                'async def f():\n    return "é", (await  # why\n        g())'.encode(),
                'async def f():\n    return "é", (# why\n        g())'.encode(),
            ),
            (b"async def f():\n    await (await g())\n", b"async def f():\n    (g())\n"),
            (b"async def f():\n    return not await\\\n g()\n", b"async def f():\n    return not \\\n g()\n"),
        ],
    )
    def test_deletes_the_keyword_and_the_blanks_after_it(self, source: bytes, expected: bytes) -> None:
        module = parsed(source)
        assert delete_awaits(module, awaits(module.tree)) == expected

    def test_removes_one_await(self) -> None:
        module = parsed("async def f():\n    a = await g(await h())\n    return await a\n")
        for node in awaits(module.tree):
            result = delete_awaits(module, [node])
            assert len(awaits(ast.parse(result))) == 2
            assert result.count(b"\n") == module.source.count(b"\n")

    def test_text_of_an_expression_is_not_changed(self) -> None:
        module = parsed('async def f():\n    return f"{await g()=}"\n')
        with pytest.raises(MutationError, match=r"app/main\.py"):
            delete_awaits(module, awaits(module.tree))

    def test_one_place_per_outermost_function(self) -> None:
        module = parsed(
            """
            async def one():
                await a()
                async def inner():
                    await b()
                    await c()

            async def two():
                await d()

            async def three():
                return f"{await e()}"
            """
        )
        sources = Sources("app", (module,), ())
        for seed in range(5):
            total, chosen = choose(sources, seed, 10)
            assert total == 4
            assert sorted(site.functions[-1].name for site in chosen) == ["one", "two"]
        assert len(choose(sources, 1, 1)[1]) == 1
        taken = {ast.unparse(choose(sources, seed, 1)[1][0].node) for seed in range(40)}
        assert taken == {"await a()", "await b()", "await c()", "await d()"}

    def test_trees(self, tmp_path: Path) -> None:
        package = write_package(tmp_path / "source", main=APP, store=STORE)
        (package / "data.bin").write_bytes(b"\0")
        (package / "broken.py").write_text("def", encoding="utf-8")
        one, two = (mutate(package, tmp_path / name, **MUTATE) for name in ("one", "two"))
        assert one == two
        assert one.unreadable == ("app/broken.py",)
        assert (one.files, one.sites, len(one.mutants)) == (3, 11, 1)
        assert mutate(package, tmp_path / "two", **MUTATE | {"seed": 2}).fingerprint != one.fingerprint
        (mutant,) = one.mutants
        clean, mutated = (tmp_path / "one" / kind for kind in ("clean", "mutated"))
        for path in package.iterdir():
            assert (clean / "app" / path.name).read_bytes() == path.read_bytes()
        assert (mutated / "app" / "data.bin").exists()
        before, after = ((tree / mutant.file).read_text().splitlines() for tree in (clean, mutated))
        changed = [
            number for number, pair in enumerate(zip(before, after, strict=True), 1) if len(set(pair)) > 1
        ]
        assert changed == [mutant.line]
        assert after[mutant.line - 1].strip() == mutant.source.replace("await ", "")

    def test_unreadable_files(self) -> None:
        assert read_module("app/main.py", b"def") is None
        assert read_module("app/main.py", b"x = 1\0") is None
        assert read_module("app/main.py", "# coding: latin-1\nx = 'é'".encode("latin-1")) is None


class TestSites:
    @pytest.mark.parametrize(
        ("line", "shape", "detail"),
        [
            ("await g()", "S1", "statement"),
            ("await g() if x else None", "S1", "statement"),
            ("x = await g()", "S2", "Name"),
            ("x: int = await g()", "S2", "Name"),
            ("x.y = await g()", "S2", "Attribute"),
            ("x[0] = await g()", "S2", "Subscript"),
            ("print(y := await g())", "S2", "NamedExpr"),
            ("return x or y if x else await g()", "S3", "return"),
            ("a, b = await g()", "S4", "unpacked"),
            ("if await g(): pass", "S4", "test"),
            ("x = not await g()", "S4", "test"),
            ("x = [y for y in z if await g()]", "S4", "test"),
            ("x = [await g() for y in z]", "S4", "comprehension"),
            ("x = await g() or y", "S4", "test"),
            ("x = -(await g())", "S4", "operator"),
            ("x += await g()", "S4", "operator"),
            ("x = (await g()).y", "S4", "attribute"),
            ("x = (await g())[0]", "S4", "subscript"),
            ("x = (await g())()", "S4", "called"),
            ("print(await g())", "S4", "argument"),
            ("print(end=await g())", "S4", "argument"),
            ("with await g(): pass", "S4", "with"),
            ("for y in await g(): pass", "S4", "iteration"),
            ("assert x == await g()", "S4", "compare"),
            ("x = lambda: 1, await g()", "S4", "collection"),
            ("yield await g()", "S4", "yield"),
            ("raise await g()", "S4", "raise"),
            ("await task", "S5", "statement"),
            ("x = await task", "S5", "Name"),
        ],
    )
    def test_shapes(self, line: str, shape: str, detail: str) -> None:
        (mutant,) = mutants_of(parsed(f"async def f(x, z, task):\n    {line}\n"))
        assert (mutant.shape, mutant.detail) == (shape, detail)
        assert (mutant.callee is Callee.NONE) == (shape == Shape.NO_CALL)

    def test_sync_code_has_no_places(self) -> None:
        module = parsed("async def f():\n    def g():\n        await h()\nclass C:\n    await h()\n")
        assert list(sites(module)) == []

    def test_lines_of_a_statement(self) -> None:
        module = parsed(
            """\
            async def f():
                if (
                    a
                    and await g()
                ):
                    pass
                with a as b, await g(
                    1,
                ):
                    pass
                match await g(
                ):
                    case _:
                        pass
                print(
                    await g(),
                    1,
                )
            """
        )
        assert [sorted(mutant.hits) for mutant in mutants_of(module)] == [
            [2, 3, 4],
            [7, 8, 9],
            [11, 12],
            [15, 16, 17, 18],
        ]

    def test_lines_that_read_the_target(self) -> None:
        module = parsed(
            """\
            async def f(self):
                self.x = x = await g()
                self.y = await h()
                if self.x:
                    print(self.y)
                other.y = 1
                return lambda: self.y
            """
        )
        assert [sorted(mutant.hits) for mutant in mutants_of(module)] == [[2, 4], [3, 5, 7]]


class TestCallees:
    def test_labels(self) -> None:
        mutants = mutants_of(parsed(APP), parsed(STORE, "app/store.py"))
        assert [(mutant.source, mutant.callee) for mutant in mutants] == [
            ("await self.own()", Callee.SELF),
            ("await local()", Callee.LOCAL),
            ("await load()", Callee.PROJECT_FUNCTION),
            ("await self.store.get()", Callee.PROJECT_INSTANCE),
            ("await self.other.get()", Callee.PROJECT_INSTANCE),
            ('await self.client.get("")', Callee.THIRD_PARTY),
            ("await nap(1)", Callee.STDLIB),
            ("await asyncio.get_running_loop().run_in_executor(None, print)", Callee.STDLIB),
            ("await self.callback()", Callee.DYNAMIC),
            ("await parameter.run()", Callee.DYNAMIC),
            ("await task", Callee.NONE),
        ]
        assert mutants[2].definition == "app/store.py:6 async def load"
        assert mutants[5].definition == "httpx.AsyncClient.get"

    @pytest.mark.parametrize(
        ("line", "callee"),
        [
            ("await Child().get()", Callee.PROJECT_INSTANCE),
            ("await Child().own()", Callee.LOCAL),
            ("await Child.make().own()", Callee.LOCAL),
            ("await Child().fetched.get()", Callee.PROJECT_INSTANCE),
            ("await (await load()).get()", Callee.PROJECT_INSTANCE),
            ("await alias()", Callee.PROJECT_FUNCTION),
            ("async with opened() as store: await store.get()", Callee.PROJECT_INSTANCE),
            ("async with Store() as store: await store.get()", Callee.PROJECT_INSTANCE),
            ("if store := Store(): await store.get()", Callee.PROJECT_INSTANCE),
            ("await cast('Store', untyped).get()", Callee.PROJECT_INSTANCE),
            ("await (untyped or Store()).get()", Callee.DYNAMIC),
            ("await (None or Store()).get()", Callee.PROJECT_INSTANCE),
            ("await bounded.get()", Callee.PROJECT_INSTANCE),
            ("await Caller()()", Callee.LOCAL),
            ("await anext(untyped)", Callee.STDLIB),
            ("await getattr(untyped, 'x')()", Callee.DYNAMIC),
            ("await package.store.load()", Callee.PROJECT_FUNCTION),
            ("await loop.get()", Callee.DYNAMIC),
        ],
    )
    def test_inference(self, line: str, callee: Callee) -> None:
        module = parsed(
            f"""\
            import app as package
            from contextlib import asynccontextmanager
            from typing import AsyncIterator, Self, TypeVar, cast
            from .store import Store, load

            T = TypeVar("T", bound=Store)
            alias = load
            loop = loop

            class Child(Store):
                async def own(self): ...
                @classmethod
                def make(cls) -> Self: ...
                @property
                def fetched(self) -> Store: ...

            class Caller:
                async def __call__(self): ...

            @asynccontextmanager
            async def opened() -> AsyncIterator[Store]: ...

            async def f(untyped, bounded: T):
                {line}
            """
        )
        store, package = parsed(STORE, "app/store.py"), parsed("", "app/__init__.py")
        found = mutants_of(module, store, package)
        assert callee in [mutant.callee for mutant in found]
        assert len(found) == line.count("await ")

    def test_super(self) -> None:
        module = parsed(
            "class Base:\n    async def f(self): ...\n"
            "class Child(Base):\n    async def f(self):\n        await super().f()\n"
        )
        (mutant,) = mutants_of(module)
        assert (mutant.callee, mutant.definition) == (Callee.SELF, "app/main.py:2 async def f")

    def test_called_self(self) -> None:
        module = parsed(
            "class C:\n    async def __call__(self): ...\n"
            "    async def f(self, other: 'C'):\n        await self()\n        await other()\n"
        )
        assert [mutant.callee for mutant in mutants_of(module)] == [Callee.SELF, Callee.LOCAL]


class TestScoring:
    @pytest.fixture
    def mutants(self) -> list[Mutant]:
        text = "async def f():\n    x = await g()\n    return x\nasync def h():\n    await g()\n    pass\n"
        return mutants_of(parsed(text))

    @staticmethod
    def at(line: int, code: str = "AWL101", message: str = "m") -> Diagnostic:
        return Diagnostic("app/main.py", line, code, message)

    def test_found(self, mutants: list[Mutant]) -> None:
        result = score(mutants, [], [self.at(3), self.at(6), self.at(9)], AWAITLINT)
        one, two = result.outcomes
        assert (one.found, one.near, one.named) == ((self.at(3),), False, True)
        assert (two.found, two.near, two.named) == ((), True, False)
        assert result.elsewhere == (self.at(9),)

    def test_what_the_clean_tree_has_is_not_new(self, mutants: list[Mutant]) -> None:
        assert not score(mutants, [self.at(2)], [self.at(2)], AWAITLINT).outcomes[0].found
        assert score(mutants, [self.at(2)], [self.at(2)] * 2, AWAITLINT).outcomes[0].found
        assert score(mutants, [self.at(2, "X")], [self.at(2)], AWAITLINT).outcomes[0].found

    def test_named(self, mutants: list[Mutant]) -> None:
        said = [self.at(2, "arg-type", "bad type"), self.at(5, "attr", "Coroutine has no attribute")]
        one, two = score(mutants, [], said, PEERS["mypy"]).outcomes
        assert one.found
        assert not one.named
        assert two.named

    def test_union(self, mutants: list[Mutant]) -> None:
        scores = [score(mutants, [], said, AWAITLINT) for said in ([self.at(2)], [self.at(6)], [])]
        one, two = union(scores).outcomes
        assert (bool(one.found), one.near) == (True, False)
        assert (bool(two.found), two.near) == (False, True)


class TestFixing:
    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("x = await g()", "x = (await g())", True),
            ("x = await g(1, 2)", "x = await g(\n    1, 2)", True),
            ("x = (await g())['k']", "x = await g()['k']", False),
            ("x = await g()", "x = g()", False),
            ("x = 'a'", 'x = "a"', False),
            ("if await g(): pass", "if (await g()): return", True),
            ("if await g(): pass", "while await g(): pass", False),
            ("match await g():\n        case 1: pass", "match (await g()):\n        case 2: pass", True),
        ],
    )
    def test_same_statement(self, one: str, other: str, same: bool) -> None:
        modules = [parsed(f"async def f():\n    {text}\n") for text in (one, other)]
        statements = [module.tree.body[0].body[0] for module in modules]
        assert same_statement(statements[0], modules[0], statements[1], modules[1]) is same

    @pytest.mark.parametrize(
        ("fixed", "expected"),
        [
            ("(await g()).x", Repair.RESTORED),
            ("g().x", Repair.UNTOUCHED),
            ("await g().x", Repair.CHANGED),
        ],
    )
    def test_repair_is_found_below_an_added_import(self, fixed: str, expected: Repair) -> None:
        text = (
            "class C:\n    async def f(self):\n        try:\n            return {}\n        except E: pass\n"
        )
        clean, mutated = parsed(text.format("(await g()).x")), parsed(text.format("(g()).x"))
        (mutant,) = mutants_of(clean)
        assert repair(mutant, clean, mutated, parsed("import a\n" + text.format(fixed))) is expected

    def test_repair_where_the_statement_is_gone(self) -> None:
        clean, mutated = parsed("async def f():\n    await g()\n"), parsed("async def f():\n    g()\n")
        (mutant,) = mutants_of(clean)
        assert repair(mutant, clean, mutated, parsed("x = 1\n")) is Repair.CHANGED

    def test_changed_lines(self) -> None:
        assert list(changed_lines(b"a\nb\nc\n", b"A\nB\nc\n", {2})) == [(1, "A")]
        assert list(changed_lines(b"a\nb\n", b"import x\na\nB\n", {2})) == [(1, "import x")]
        assert list(changed_lines(b"a\nb\nc\n", b"a\nc\n", {1})) == [(2, "(deleted)")]


class TestTools:
    @pytest.mark.parametrize(
        ("tool", "output"),
        [
            ("mypy", '{"file": "app/a.py", "line": 3, "code": "c", "message": "m", "severity": "error"}\n\n'),
            ("mypy", MYPY_NOTE),
            ("basedpyright", json.dumps({"generalDiagnostics": PYRIGHT})),
            ("ty", json.dumps(GITLAB)),
            ("pyrefly", '{"errors": [{"path": "app/a.py", "line": 3, "name": "c", "description": "m"}]}'),
            (
                "ruff",
                '[{"filename": "{root}/app/a.py", "location": {"row": 3}, "code": "c", "message": "m"}]',
            ),
        ],
    )
    def test_output_is_read(self, tool: str, output: str, tmp_path: Path) -> None:
        (tmp_path / "out").write_text(output.replace("{root}", str(tmp_path)), encoding="utf-8")
        job = tools.Job("app", tmp_path, dependencies=False)
        configured = [f"test -f {name}" for name in PEERS[tool].files(job)]
        command = ["sh", "-c", " && ".join([*configured, "cat out"])]
        checked = tools.check(PEERS[tool], command, tmp_path, job)
        assert checked.diagnostics == (Diagnostic("app/a.py", 3, "c", "m"),)
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    @pytest.mark.parametrize("script", ["exit 2", "echo nonsense", "kill -9 $$"])
    def test_failures_are_told(self, script: str, tmp_path: Path) -> None:
        job = tools.Job("app", tmp_path, dependencies=False)
        with pytest.raises(tools.ToolError, match="ruff"):
            tools.check(PEERS["ruff"], ["sh", "-c", script], tmp_path, job)

    def test_dependencies_are_handed_on(self, tmp_path: Path) -> None:
        for tool in (AWAITLINT, *PEERS.values()):
            alone, installed = (tool.arguments(tools.Job("app", tmp_path, each)) for each in (False, True))
            if tool is AWAITLINT:
                assert [*alone[:-3], "--python", str(tmp_path), *alone[-3:]] == installed
            else:
                assert alone == installed


class TestPackages:
    def test_list(self) -> None:
        listed = packages.load()
        counts = Counter(package.subset for package in listed)
        assert counts["dev"] == 8
        assert counts["heldout"] >= 8
        assert len({package.distribution for package in listed}) == len(listed)

    def test_choice(self) -> None:
        listed = packages.load()
        assert packages.choose(listed, "all") == listed
        assert {package.subset for package in packages.choose(listed, "dev")} == {"dev"}
        assert [package.module for package in packages.choose(listed, "dev", ["discord.py"])] == ["discord"]
        with pytest.raises(ValueError, match="no package nothing"):
            packages.choose(listed, "dev", ["nothing"])

    def test_requirement(self) -> None:
        package = Package("a-b", "1.0", "a_b", "dev", ("x", "y"))
        assert package.requirement() == "a-b==1.0"
        assert package.requirement(extras=True) == "a-b[x,y]==1.0"

    def test_peers_are_pinned(self) -> None:
        text = (packages.PACKAGES.parent / "peers.txt").read_text(encoding="utf-8")
        assert set(PEERS) <= set(re.findall(r"^([\w-]+)==[\d.]+$", text, re.MULTILINE))

    def test_wheel_is_unpacked(self, tmp_path: Path) -> None:
        package = Package("a-b", "1.0", "a_b", "dev")
        directory = tmp_path / "wheels" / "a-b-1.0"
        directory.mkdir(parents=True)
        with zipfile.ZipFile(directory / "a_b-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("a_b/__init__.py", "x = 1\n")
        for _ in range(2):
            assert (packages.fetch(package, tmp_path) / "__init__.py").read_text() == "x = 1\n"


MAIN = """\
from .store import load, Store

async def found() -> None:
    await load()

async def subscripted() -> str:
    return (await load())["key"]

async def missed(callback) -> None:
    await callback()

async def mistaken() -> None:
    load()
"""
ONLY = Package("the-app", "1.0", "app", "dev")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of one small package."""
    return write_package(tmp_path_factory.mktemp("source"), main=MAIN, store=STORE, broken="def")


@contextlib.contextmanager
def listed(source: Path) -> Iterator[None]:
    """Puts that package in the place of all others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packages, "load", lambda: (ONLY,))
        patch.setattr(packages, "fetch", lambda *_: source)
        yield


@pytest.fixture
def _only(source: Path) -> Iterator[None]:
    with listed(source):
        yield


def tables_of(*arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert recall.main(arguments) == 0
    return output.getvalue()


@pytest.fixture(scope="module")
def work(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work directory in which awaitlint was measured; what was printed is in `printed`."""
    directory = tmp_path_factory.mktemp("work")
    (directory / "lists").mkdir()
    lists = ["--missed", str(directory / "missed.txt"), "--unrepaired", str(directory / "lists")]
    with listed(source):
        (directory / "printed").write_text(tables_of("--work", str(directory), *lists), encoding="utf-8")
    return directory


@pytest.fixture
def mutation(work: Path) -> Mutation:
    mutation = Store(work / "results").mutation(ONLY)
    assert mutation is not None
    return mutation


@pytest.fixture
def result(work: Path, mutation: Mutation) -> Result:
    result = Store(work / "results").result(ONLY, "awaitlint", mutation, dependencies=False)
    assert result is not None
    return result


@pytest.mark.usefixtures("_only")
@pytest.mark.xdist_group("benchmarks")
class TestRecall:
    def test_tables(self, work: Path) -> None:
        printed = (work / "printed").read_text(encoding="utf-8")
        assert "| awaitlint | 50% (1/2) | - | - | 100% (1/1) | - | 67% (2/3) | 67% (2/3) | 2 | 0 |" in printed
        assert "| awaitlint | - | - | 100% (2/2) | - | - | - | 0% (0/1) | - |" in printed
        assert "| AWL101 | 1 |" in printed
        assert "| all | 2 | 2 | 0 | 0 | 100% |" in printed
        assert "0 files no longer parse, 0 change in a second run, 1 other lines changed" in printed
        assert re.search(r"^the-app: app/main\.py:13: AWL101 `load\(\)`", printed, re.MULTILINE)
        assert "\nthe-app: app/main.py:13: await load()\n" in printed
        assert tables_of("--work", str(work), "--tables") == printed

    def test_lists(self, work: Path) -> None:
        assert (work / "missed.txt").read_text() == "app/main.py:10 S1 dynamic | await callback()\n"
        assert (work / "lists" / "the-app.txt").read_text() == ""

    def test_trees(self, work: Path) -> None:
        tree = work / "trees" / "the-app-1.0"
        clean, mutated, fixed = (
            (tree / kind / "app" / "main.py").read_text() for kind in ("clean", "mutated", "fixed")
        )
        assert clean == MAIN
        assert mutated == MAIN.replace("await ", "")
        assert fixed.count("await load()") == 3
        assert "    callback()\n" in fixed

    def test_failure_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert recall.main(["--work", str(tmp_path), "--awaitlint", "false"]) == 1
        assert "the-app: false --version exited with 1" in capsys.readouterr().err

    def test_results_of_other_mutants_are_not_used(
        self, source: Path, work: Path, mutation: Mutation, tmp_path: Path
    ) -> None:
        store = Store(work / "results")
        assert store.result(ONLY, "awaitlint", mutation, dependencies=True) is None
        other = mutate(source, tmp_path, **MUTATE | {"count": 1})
        assert store.result(ONLY, "awaitlint", other, dependencies=False) is None

    def test_type_checkers_together(self, mutation: Mutation, result: Result) -> None:
        said = {
            "mypy": result.mutated,
            "basedpyright": result.clean,
            "ty": result.clean,
            "pyrefly": result.clean,
        }
        peers = [msgspec.structs.replace(result, tool=name, mutated=each) for name, each in said.items()]
        by_tool = tables.outcomes_by_tool([(mutation, peers)])
        assert [sum(bool(each.found) for each in by_tool[name]["the-app"]) for name in by_tool] == [
            2,
            0,
            0,
            0,
            2,
        ]
        assert tables.TOGETHER not in tables.outcomes_by_tool([(mutation, peers[:3])])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--package", "nothing"], "no package nothing"),
            (["--peer", "ty"], "--peer needs --peers"),
            (["--peer", "ty", "--peers", "nowhere"], "not installed"),
        ],
    )
    def test_usage(self, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            recall.main(arguments)
        assert message in capsys.readouterr().err


@pytest.mark.xdist_group("benchmarks")
class TestCold:
    def test_medians_and_ratios(self, tmp_path: Path) -> None:
        commands = cold.own_commands(tmp_path)
        seconds = {cold.PYTHON: 1, cold.ONE_LINE: 2, cold.PARSED: 5, cold.PARSED_OFF: 3, cold.AWAITLINT: 10}
        rounds = [
            {name: Cost(cpu=cpu * factor, wall=cpu / 2, peak=7) for name, cpu in seconds.items()}
            for factor in (1, 2, 30)
        ]
        rows = cold.report(commands, rounds, 4000, "title").splitlines()[2:]
        assert rows[0].startswith("| command | CPU s | wall s | lines per CPU s | peak MiB | x ast.parse |")
        assert "| Python, nothing to do | 2.000 | 0.500 | - | 7 | - | - |" in rows
        assert "| ast.parse | 10.00 | 2.50 | 400 | 7 | 1.00 | 2.00 |" in rows
        assert "| awaitlint | 20.00 | 5.00 | 200 | 7 | 2.00 | 4.00 |" in rows

    @pytest.mark.usefixtures("_only")
    def test_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        binaries = tmp_path / "peers" / "bin"
        binaries.mkdir(parents=True)
        (binaries / "ty").write_text("#!/bin/sh\nexit 1\n")
        (binaries / "ty").chmod(0o755)
        arguments = ["--work", str(tmp_path / "work"), "--rounds", "1", "--peers", str(tmp_path / "peers")]
        assert cold.main(arguments) == 0
        output = capsys.readouterr().out
        assert "4 files, 20 lines" in output
        assert "| x ty |" in output
        assert [line.split(" | ")[0] for line in output.splitlines() if line.startswith("| ")][1:] == [
            "| Python, nothing to do",
            "| awaitlint, one line",
            "| ast.parse",
            "| ast.parse, collector off",
            "| awaitlint",
            "| ty",
        ]

    def test_failure_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="it exited with 3: why"):
            cold.one_round([cold.Command("it", ["sh", "-c", "echo why >&2; exit 3"])], tmp_path, 0)


def test_read_package_names_modules(tmp_path: Path) -> None:
    package = write_package(tmp_path, main="x = 1\n")
    assert [(module.name, module.is_package) for module in read_package(package).modules] == [
        ("app", True),
        ("app.main", False),
    ]


class TestProcesses:
    def test_cost_of_the_whole_tree(self, tmp_path: Path) -> None:
        spin = "import time\nwhile time.process_time() < 0.2: pass"
        nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}]); sys.exit(3)"
        finished = run([sys.executable, "-c", nested], tmp_path)
        assert finished.exit_code == 3
        assert finished.cost.cpu >= 0.2

    def test_peak_is_the_commands_own(self, tmp_path: Path) -> None:
        held = b"x" * (64 << 20)
        small, large = (
            run([sys.executable, "-I", "-S", "-c", f"b'x' * ({size} << 20)"], tmp_path).cost.peak
            for size in (0, 50)
        )
        assert len(held) > small * (1 << 20)
        assert large - small > 40

    def test_output(self, tmp_path: Path) -> None:
        finished = run(["sh", "-c", "pwd; echo no >&2; kill -9 $$"], tmp_path)
        assert (finished.exit_code, finished.output, finished.errors) == (-9, f"{tmp_path}\n", "no\n")

    def test_failures(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match="nothing-of-that-name could not be started"):
            run(["nothing-of-that-name"], tmp_path)
        with pytest.raises(RunError, match="sleep took more than"):
            run(["sleep", "60"], tmp_path, timeout=0.2)
