"""``awaitlint check --explain``: how an answer came about, in the words that a user reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from mdtest import Case, Project, parametrize
from stand_in import CommandLine, Outcome, write
from venvs import POSIX, venv

from awaitlint.engine.explain import ExplainError, Explanation, explain
from awaitlint.engine.options import Options
from awaitlint.engine.session import Session
from awaitlint.engine.trace_lookup import DEEPEST
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.report.explanation import render
from awaitlint.report.style import Style

#: rules that speak of a call, an awaited operand or a name bound to a call
_OF_VALUES = ("AWL1", "AWL301", "AWL802")


@pytest.fixture
def cli(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, capsysbinary)


def explained(cli, place: str, *arguments: str) -> str:
    outcome = cli("check", "--no-cache", *arguments, "--explain", place)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def lines(cli, text: str, place: str, *arguments: str) -> list[str]:
    """The lines about a place of a file with this text, less their indentation."""
    write("main.py", text)
    return [line.strip() for line in explained(cli, place, *arguments).splitlines()]


# -- whole outputs


@pytest.fixture
def service(cli):
    write(
        "app/db.py",
        """\
from app.pool import Pool

class Store:
    def __init__(self, pool: Pool):
        self.pool = pool

    async def save(self, text: str) -> bool:
        return await self.pool.run(text)

    async def load(self):
        return self.pool

store = Store(Pool())
""",
    )
    write("app/pool.py", "class Pool:\n    async def run(self, text):\n        return text != ''\n")
    write("app/__init__.py", "from .db import store\n\n__all__ = ['store']\n")
    write(
        "main.py",
        """\
from app import store

async def main(request):
    store.save("a")
    await store.load()
    request.answer(await store.save("b"))
""",
    )
    return cli


def test_a_method_of_an_object_two_imports_away(service):
    assert (
        explained(service, "main.py:4")
        == """\
main.py:4:5 `store.save("a")`: Coroutine[bool]
  function `store.save`: bound method Store.save
    receiver `store`: Store
      imported on line 1 from `app`, app/__init__.py: Store
        imported on line 1 from `.db`, app/db.py: Store
          bound on line 13 to `Store(Pool())`: Store
            function `Store`: type[Store]
              class `Store`, app/db.py:3
    method of class `Store`, app/db.py:3
  `async def save`, app/db.py:7
    return annotation `bool`: bool
  its value is dropped: AWL101 unawaited-coroutine reports it
"""
    )


def test_what_a_body_returns_where_there_is_no_annotation(service):
    assert (
        explained(service, "app/db.py:8")
        == """\
app/db.py:8:22 `self.pool.run(text)`: Coroutine[bool]
  function `self.pool.run`: bound method Pool.run
    receiver `self.pool`: Pool
      receiver `self`: Store
        an instance of class `Store`, app/db.py:3: Store
      attribute of class `Store`, app/db.py:3
        set on line 5 to `pool`: Pool
          parameter `pool` of `__init__`, annotated `Pool`, app/db.py:4: Pool
            `Pool`: Pool
              imported on line 1 from `app.pool`, app/pool.py: type[Pool]
                class `Pool`, app/pool.py:1
    method of class `Pool`, app/pool.py:1
  `async def run`, app/pool.py:2
    returns on line 3 `text != ''`: bool
  it is awaited: as it should be
"""
    )


def test_several_calls_on_a_line_and_where_it_becomes_unknown(service):
    unknown = "unknown: the parameter `request` has no annotation"
    assert (
        explained(service, "main.py:6")
        == f"""\
main.py:6:5 `request.answer(await store.save("b"))`: {unknown}
  function `request.answer`: unknown
    receiver `request`: unknown
      parameter `request` of `main`, without annotation, main.py:3: {unknown}
  its value is dropped: no rule speaks of what is unknown

main.py:6:26 `store.save("b")`: Coroutine[bool]
  function `store.save`: bound method Store.save
    receiver `store`: Store
      imported on line 1 from `app`, app/__init__.py: Store
        imported on line 1 from `.db`, app/db.py: Store
          bound on line 13 to `Store(Pool())`: Store
            function `Store`: type[Store]
              class `Store`, app/db.py:3
    method of class `Store`, app/db.py:3
  `async def save`, app/db.py:7
    return annotation `bool`: bool
  it is awaited: as it should be
"""
    )


# -- where names lead


def test_the_standard_library(cli):
    found = lines(cli, "import asyncio\n\nasync def main():\n    asyncio.sleep(1)\n", "main.py:4")
    assert "`asyncio`, imported on line 1, standard library: module asyncio" in found
    assert "`from .tasks import *`, standard library" in found
    assert "`async def sleep`, standard library" in [
        line.partition("overloads ")[2] or line for line in found
    ]


def test_bundled_packages_are_named_with_their_version(cli):
    text = "import httpx\n\nasync def main():\n    client = httpx.AsyncClient()\n    client.get('/')\n"
    found = lines(cli, text, "main.py:5")
    assert found[0] == "main.py:5:5 `client.get('/')`: Coroutine[Response]"
    place = "bundled knowledge of httpx "
    assert any(line.startswith(f"`async def get`, {place}") and line[-1].isdigit() for line in found)
    assert any(line.startswith(f"`httpx`, imported on line 1, {place}") for line in found)


def test_installed_packages_are_named_by_their_files(cli):
    venv(Path(".venv"), {"broker/__init__.py": "class Client:\n    async def send(self) -> int: ...\n"})
    text = "from broker import Client\n\nasync def main(client: Client):\n    client.send()\n"
    found = lines(cli, text, "main.py:4")
    assert found[0] == "main.py:4:5 `client.send()`: Coroutine[int]"
    assert f"`async def send`, installed .venv/{POSIX}/broker/__init__.py:2" in found
    assert (
        f"imported on line 1 from `broker`, installed .venv/{POSIX}/broker/__init__.py: type[Client]" in found
    )


def test_packages_that_are_not_at_hand(cli):
    found = lines(cli, "import nowhere\n\nasync def main():\n    nowhere.run()\n", "main.py:4")
    assert found[0] == "main.py:4:5 `nowhere.run()`: unknown: the code of `nowhere` is not at hand"
    assert (
        "`nowhere`, imported on line 1, neither in the project, nor installed, nor bundled: "
        "unknown: the code of `nowhere` is not at hand"
    ) in found
    assert sum("not at hand" in line for line in found) == 2


def test_modules_that_do_not_exist(cli):
    found = lines(cli, "from .nowhere import run\n\nasync def main():\n    run()\n", "main.py:4")
    assert (
        "imported on line 1 from `.nowhere`, no such module: unknown: there is no module `.nowhere`" in found
    )


def test_star_imports(cli):
    write("jobs.py", "async def run(): ...\n")
    text = "from jobs import *\n\nasync def main():\n    run()\n    stop()\n"
    assert lines(cli, text, "main.py:4")[2:4] == [
        "`from jobs import *`, jobs.py",
        "`async def run`, jobs.py:1",
    ]
    text = f"from far_away import *\n{text}"
    found = lines(cli, text, "main.py:6")
    assert "`from far_away import *`, not at hand: it may bind anything" in found
    assert found[0].endswith("unknown: a star import of `far_away`, which is not at hand, may bind `stop`")


def test_modules_as_attributes(cli):
    write("app/__init__.py", "")
    write("app/jobs.py", "async def run(): ...\n")
    found = lines(cli, "import app.jobs\n\nasync def main():\n    app.jobs.run()\n", "main.py:4")
    assert "module `app.jobs`, app/jobs.py" in found
    assert "`async def run`, app/jobs.py:1" in found


def test_the_cut(cli):
    count = DEEPEST + 3
    write(f"m{count}.py", "async def run(): ...\n")
    for number in range(count):
        write(f"m{number}.py", f"from m{number + 1} import run\n")
    found = lines(cli, "from m0 import run\n\nasync def main():\n    run()\n", "main.py:4")
    assert found[0] == "main.py:4:5 `run()`: Coroutine[None]"
    cut = [line for line in found if line.endswith("(and so on)")]
    assert [line.partition(":")[0] for line in cut] == [
        f"imported on line 1 from `m{DEEPEST - 2}`, m{DEEPEST - 2}.py"
    ]


# -- what local names are bound to

LOCALS = """\
import contextlib

class Job:
    async def run(self) -> int: ...
    def __enter__(self) -> "Job": ...
    async def __aenter__(self) -> "Job": ...

def find(name) -> Job | None: ...

async def main(flag, jobs: list[Job], pairs: list[tuple[int, Job]]):
    if flag:
        job = Job()
    else:
        job = find('a')
    if job is not None:
        job.run()
    for each in jobs:
        each.run()
    for number, (other) in pairs:
        other.run()
    with Job() as entered:
        entered.run()
    async with Job() as entered_async:
        entered_async.run()
    if (found := find('b')):
        found.run()
    declared: Job = unknown()
    declared.run()
    [item.run() for item in jobs]
    try:
        raise KeyError
    except KeyError as error:
        error.run()
    def inner():
        return declared.run()
    (lambda: flag.run())()
    swapped, _ = jobs[0], 1
    swapped.run()
    del swapped
    swapped.run()
    anything = 1 if flag else job
    anything.run()
    if isinstance(flag, Job):
        flag.run()
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (16, ["where it is not None: Job", "bound on line 12 to `Job()`: Job"]),
        (16, ["bound on line 14 to `find('a')`: Job | None"]),
        (18, ["bound on line 17 to each element of `jobs`: Job"]),
        (20, ["bound on line 19 to element 1 of each element of `pairs`: Job"]),
        (22, ["bound on line 21 to what `with` gives for `Job()`: Job"]),
        (24, ["bound on line 23 to what `async with` gives for `Job()`: Job"]),
        (26, ["where it is true: Job", "bound on line 25 to `find('b')`: Job | None"]),
        (28, ["declared on line 27 as `Job`: Job", "and bound to `unknown()`: unknown"]),
        (29, ["bound to each element of `jobs`: Job"]),
        (33, ["bound on line 32 to an exception of `KeyError`: KeyError"]),
        (35, ["declared on line 27 as `Job`: Job"]),
        (38, ["bound on line 37 to `jobs[0]`: Job", "`jobs`: list[Job]"]),
        (40, ["nothing that is known binds `swapped` here"]),
        (42, ["bound on line 41 to `1 if flag else job`: Job | None | int", "or `1`: int"]),
        (
            44,
            [
                "where it is an instance of `Job`: Job",
                (
                    "parameter `flag` of `main`, without annotation, main.py:10: "
                    "unknown: the parameter `flag` has no annotation"
                ),
            ],
        ),
    ],
)
def test_bindings(cli, line, expected):
    found = lines(cli, LOCALS, f"main.py:{line}")
    for each in expected:
        assert each in found, "\n".join(found)


def test_globals_that_functions_change(cli):
    text = (
        "class Job:\n    async def run(self): ...\n\njob = None\n\n"
        "def start():\n    global job\n    job = Job()\n\nasync def main():\n    job.run()\n"
    )
    found = lines(cli, text, "main.py:11")
    assert "bound on line 4 to `None`: None" in found
    assert "bound on line 8 to `Job()`: Job" in found


# -- attributes, decorators, overloads


def test_attributes_of_base_classes_and_their_assignments(cli):
    write("base.py", "from jobs import Job\n\nclass Base:\n    def setup(self):\n        self.job = Job()\n")
    write("jobs.py", "class Job:\n    async def run(self) -> None: ...\n")
    text = "from base import Base\n\nclass Own(Base):\n    async def main(self):\n        self.job.run()\n"
    found = lines(cli, text, "main.py:5")
    assert found[0] == "main.py:5:9 `self.job.run()`: Coroutine[None]"
    assert "attribute of class `Base`, base.py:3" in found
    assert "set on line 5 to `Job()`: Job" in found


def test_a_base_that_is_not_known(cli):
    text = (
        "from nowhere import Base\n\nclass Mid(Base): ...\n\nclass Own(Mid):\n"
        "    async def main(self):\n        self.run()\n"
    )
    found = lines(cli, text, "main.py:7")
    assert found[0] == "main.py:7:9 `self.run()`: unknown: a base of `Own` is not known"
    assert any(line.startswith("base of class `Mid` `Base`: unknown") for line in found)
    assert any(line.startswith("imported on line 1 from `nowhere`, neither in the project") for line in found)


def test_a_base_that_is_no_class(cli):
    text = (
        "import typing\n\nBase = typing.NewType('Base', int)\n\nclass Own(Base):\n    x: int\n\nOwn().y()\n"
    )
    found = lines(cli, text, "main.py:8")
    assert found[0] == "main.py:8:1 `Own().y()`: unknown: a base of `Own` is not known"
    assert any(line.startswith("base of class `Own` `Base`: ") for line in found)
    assert "bound on line 3 to `typing.NewType('Base', int)`: unknown" in "\n".join(found)


def test_super_and_classes_as_receivers(cli):
    text = """\
class Base:
    async def run(self): ...
    @classmethod
    async def make(cls) -> None: ...
    @staticmethod
    async def find() -> None: ...

class Own(Base):
    async def run(self):
        super().run()
        Own.make()
        Own.find()
"""
    assert "method of class `Base`, main.py:1" in lines(cli, text, "main.py:10")
    for line, name in ((11, "make"), (12, "find")):
        found = lines(cli, text, f"main.py:{line}")
        assert "method of class `Base`, main.py:1" in found
        assert found[0] == f"main.py:{line}:9 `Own.{name}()`: Coroutine[None]"


def test_properties(cli):
    text = """\
class Job:
    @property
    def again(self) -> "Job": ...
    async def run(self): ...

async def main(job: Job):
    job.again.run()
"""
    found = lines(cli, text, "main.py:7")
    assert found[found.index("property of class `Job`, main.py:1") :][:4] == [
        "property of class `Job`, main.py:1",
        "`def again`, main.py:3",
        "decorator `@property`: property",
        'return annotation `"Job"`: Job',
    ]


def test_containers_that_begin_empty(cli):
    text = """\
class Server:
    async def close(self) -> None: ...

class Pool:
    def __init__(self):
        self._servers = {}

    def add(self, key):
        self._servers[key] = Server()

    async def stop(self, key):
        self._servers[key].close()
        self._servers.pop(key).close()
        for server in self._servers.values():
            server.close()
        for name, server in self._servers.items():
            server.close()
            name.close()
"""
    for line in (12, 13, 15, 17):
        assert "put into it: `Server()`: Server" in lines(cli, text, f"main.py:{line}")
    assert not any(each.startswith("put into it") for each in lines(cli, text, "main.py:18"))


def test_getattr_answers(cli):
    text = """\
class Config:
    async def close(self) -> None: ...

class Composed:
    config: Config

    def __getattr__(self, name):
        return getattr(self.config, name)

async def main(composed: Composed):
    composed.close()
    composed.missing()
"""
    told = "`__getattr__` of class `Composed` answers, main.py:4"
    found = lines(cli, text, "main.py:11")
    assert told in found
    assert "`composed.close()`: Coroutine[None]" in found[0]
    assert told in lines(cli, text, "main.py:12")


def test_decorators(cli):
    write("tools.py", "def logged(function):\n    return function\n\ndef counted(function):\n    return 1\n")
    text = """\
from contextlib import asynccontextmanager
from nowhere import retry
from tools import counted, logged

@logged
async def first(): ...

@retry(3)
@logged
async def second(): ...

@counted
async def third(): ...

@asynccontextmanager
async def fourth():
    yield 1

async def main():
    first()
    second()
    third()
    fourth()
"""
    assert "decorator `@logged`, which leaves it what it is" in lines(cli, text, "main.py:20")
    found = lines(cli, text, "main.py:21")
    assert found[0] == "main.py:21:5 `second()`: unknown: the decorator `nowhere.retry()` is not known"
    assert "decorator `@logged`, which leaves it what it is" in found
    assert "decorator `@retry(3)`: unknown: the decorator `nowhere.retry()` is not known" in found
    assert "decorator `@counted`: int" in lines(cli, text, "main.py:22")
    assert "decorator `@asynccontextmanager`: Callable[AsyncContextManager[int]]" in lines(
        cli, text, "main.py:23"
    )


def test_methods_with_unknown_decorators_show_them(cli):
    text = """\
from nowhere import retry

class Job:
    @retry
    async def run(self): ...

async def main(job: Job):
    job.run()
"""
    found = lines(cli, text, "main.py:8")
    assert "decorator `@retry`: unknown: the decorator `nowhere.retry` is not known" in found


def test_overloads_and_arguments(cli):
    text = """\
from typing import Awaitable, Literal, TypeVar, overload

T = TypeVar("T")

@overload
def get(key: str) -> str: ...
@overload
def get(key: int) -> Awaitable[int]: ...
def get(key): ...

def same(value: T) -> T: ...

async def main(anything):
    get(1)
    same(get(2))
    same(anything)
"""
    found = lines(cli, text, "main.py:14")
    assert "`def get`, 2 overloads, main.py" in found
    assert "of 2 overloads `def get`, main.py:8" in found
    assert "argument `1`: int" in found
    assert "argument `get(2)`: Awaitable[int]" in lines(cli, text, "main.py:15")
    unsure = lines(cli, text, "main.py:16")
    assert "argument `anything`: unknown" in unsure


def test_what_is_known_by_its_name(cli):
    text = "from typing import cast\n\nasync def main(job):\n    cast('int', job)\n"
    found = lines(cli, text, "main.py:4")
    assert "it is known by its name: what it gives is made of its arguments" in found
    assert not any("overload" in line and "one of" in line for line in found)


def test_partials_callables_and_objects_that_can_be_called(cli):
    text = """\
from functools import partial
from typing import Awaitable, Callable

async def run(number: int) -> int: ...

class Caller:
    async def __call__(self) -> str: ...

async def main(callback: Callable[[], Awaitable[int]], caller: Caller):
    partial(run, 1)()
    callback()
    caller()
    (lambda: run(1))()
"""
    assert "`async def run`, main.py:4" in lines(cli, text, "main.py:10:5")
    assert any(
        line.startswith("parameter `callback` of `main`, annotated `Callable[[], Awaitable[int]]`")
        for line in lines(cli, text, "main.py:11")
    )
    assert "`async def __call__`, main.py:7" in lines(cli, text, "main.py:12")
    assert "returns `run(1)`: Coroutine[int]" in lines(cli, text, "main.py:13:5")


def test_arguments_that_a_body_hands_on(cli):
    text = """\
async def run(): ...

def call(function):
    return function()

async def main():
    call(run)
"""
    found = lines(cli, text, "main.py:7")
    assert found[0] == "main.py:7:5 `call(run)`: Coroutine[None]"
    assert "parameter `function` of `call`, as it is called here, main.py:3: def main.run" in found


def test_functions_that_return_in_several_ways(cli):
    text = """\
def pick(flag):
    if flag:
        return 1
    elif flag is None:
        return

def items():
    yield 1

class Hook:
    def empty(self): ...

def main(hook: Hook):
    pick(1)
    items()
    hook.empty()
"""
    found = lines(cli, text, "main.py:14")
    assert found[0] == "main.py:14:5 `pick(1)`: int | None"
    assert "returns on line 3 `1`: int" in found
    assert "returns None at its end" in found
    assert "it yields: calling it makes a generator" in lines(cli, text, "main.py:15")
    assert "it has no return annotation, and its body does nothing" in lines(cli, text, "main.py:16")


def test_what_depends_on_itself_comes_to_an_end(cli):
    text = "def even(n):\n    return odd(n)\n\ndef odd(n):\n    return even(n)\n\nx = even(1)\n"
    found = lines(cli, text, "main.py:7")
    assert found[0].startswith("main.py:7:5 `even(1)`: unknown")
    assert any(line.endswith("(see above)") for line in found)
    names = "def f():\n    global a, b\n    a = b\n    b = a\n\nf()\na()\n"
    assert lines(cli, names, "main.py:7")[0].startswith("main.py:7:1 `a()`: unknown")


def test_nothing_is_shown_twice(cli):
    text = (
        "class Job:\n    async def run(self): ...\nasync def main(job: Job):\n    await job.run(), job.run()"
    )
    found = lines(cli, text, "main.py:4")
    assert found.count("class `Job`, main.py:1") == 1
    assert "receiver `job`: Job (see above)" in found
    assert found.count("`async def run`, main.py:2") == 1


# -- what becomes of it

OUTCOMES = """\
import asyncio
from typing import TYPE_CHECKING
from broker import notify

async def work() -> int: ...
def plain() -> int: ...

class Base:
    def close(self): ...
class Own(Base):
    async def close(self): ...
class Job:
    async def run(self): ...
class Sync(Job):
    def run(self): ...

async def main(job: Job, other, flag):
    await work()
    work()
    work()  # noqa: AWL101
    plain()
    other()
    saving = work()
    later = work()
    await later
    job.run()
    asyncio.create_task(work())
    other(work())
    other([work()])
    other.x = work()
    if TYPE_CHECKING:
        work()
    maybe = work() if flag else plain()
    maybe.x
    await notify("a")
    await notify("b")
    await notify("c")
    notify("d")
    return work()

def sync():
    return work()

def generator():
    yield work()

async def twice():
    late = work()
    print(late)
    print(late)
    bound = work()
    other(bound)

def on_some_path(flag):
    maybe = work() if flag else plain()
    maybe.x

def in_group(group: asyncio.TaskGroup):
    group.create_task(work())
"""


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("18", "it is awaited: as it should be"),
        ("19", "its value is dropped: AWL101 unawaited-coroutine reports it"),
        ("20", "its value is dropped: AWL101 unawaited-coroutine would report it, but a comment silences it"),
        ("21", "its value is dropped: it is no coroutine"),
        ("22", "its value is dropped: no rule speaks of what is unknown"),
        ("23", "its value is bound to a name that nothing reads: AWL102 coroutine-never-used reports it"),
        ("24", "its value is bound to a local name: the name is used on line 25: it is awaited"),
        (
            "26",
            "its value is dropped: a subclass overrides the function with one of the other kind",
        ),
        ("27:5", "its value is dropped: AWL201 dangling-task reports it"),
        ("59:5", "its value is dropped: it works by itself, awaited or not"),
        ("27:25", "its value is passed to a function: the function may await it"),
        ("28:11", "its value is passed to a function: the function may await it"),
        ("29", "its value is put into a collection: whoever takes it out may await it"),
        (
            "30",
            "its value is stored in an attribute, an item or a global name: whoever reads it may await it",
        ),
        ("32", "it cannot run, or only type checkers read it"),
        ("34:5", "an attribute of its value is taken: AWL104 coroutine-used-as-value reports it"),
        ("56:5", "an attribute of its value is taken: it is a coroutine on some paths only"),
        (
            "38",
            ("its value is dropped: AWL112 inconsistent-await would report it, but is not selected"),
        ),
        ("39", "its value is returned: AWL111 async-returns-coroutine reports it"),
        ("42", "its value is returned: whoever gets it may await it"),
        ("45", "its value is yielded: whoever gets it may await it"),
        ("48", "its value is bound to a local name: AWL104 coroutine-used-as-value reports it on line 49"),
        (
            "50:11",
            "its value is passed to a function: AWL104 coroutine-used-as-value reports it once, on line 49",
        ),
        ("51", "its value is bound to a local name: the name is used on line 52: passed to a function"),
    ],
)
def test_outcomes(cli, place, expected):
    found = lines(cli, OUTCOMES, f"main.py:{place}")
    assert expected in found, "\n".join(found)


def test_outcomes_depend_on_the_configuration(cli):
    text = "async def work(): ...\n\nasync def main():\n    work()\n"
    write("awaitlint.toml", 'known-safe-calls = ["main.work"]\n')
    assert lines(cli, text, "main.py:4")[-1] == "its value is dropped: `known-safe-calls` covers it"
    reports = "AWL101 unawaited-coroutine reports it"
    assert lines(cli, text, "main.py:4", "--isolated")[-1] == f"its value is dropped: {reports}"
    silent = "its value is dropped: AWL101 unawaited-coroutine would report it, but is not selected"
    write("awaitlint.toml", 'per-file-ignores = { "main.py" = ["AWL1"] }\n')
    assert lines(cli, text, "main.py:4")[-1] == silent
    write("awaitlint.toml", 'select = ["AWL3"]\n')
    assert lines(cli, text, "main.py:4")[-1] == silent


def test_likely_findings_need_the_preset(cli):
    likely = "AWL112 inconsistent-await would report it under the preset `pedantic`: it is not certain"
    assert lines(cli, OUTCOMES, "main.py:38", "--select", "ALL")[-1] == f"its value is dropped: {likely}"
    reports = "AWL112 inconsistent-await reports it"
    found = lines(cli, OUTCOMES, "main.py:38", "--preset", "pedantic")
    assert found[-1] == f"its value is dropped: {reports}"


def test_stubs_are_not_reported(cli):
    write("main.pyi", "async def work(): ...\nwork()\n")
    found = explained(cli, "main.pyi:2").splitlines()
    assert found[-1] == "  its value is dropped: stub files are not reported"


def test_code_that_looks_first(cli):
    text = """\
import inspect
import pytest

async def work(): ...

async def main():
    if inspect.iscoroutinefunction(work):
        work()
    with pytest.raises(ValueError):
        work()
"""
    reason = "the code around it looks whether it is awaitable, or expects it to fail"
    for line in (8, 10):
        assert lines(cli, text, f"main.py:{line}")[-1] == f"its value is dropped: {reason}"


# -- places

PLACES = """\
async def first(x=None): ...
async def main():
    é = await first(first())
    await (
        first(
            1
        )
    )
    task = first
    await task

"""


def headings(cli, place: str) -> list[str]:
    write("main.py", PLACES)
    return [
        line.partition(": ")[0]
        for line in explained(cli, place).splitlines()
        if line and not line.startswith(" ")
    ]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("3", ["main.py:3:15 `first(first())`", "main.py:3:21 `first()`"]),
        ("3:15", ["main.py:3:15 `first(first())`"]),
        ("3:21", ["main.py:3:21 `first()`"]),
        ("3:23", ["main.py:3:21 `first()`"]),
        ("3:9", ["main.py:3:15 `first(first())`"]),
        ("3:5", ["main.py:3:15 `first(first())`"]),
        ("4", ["main.py:5:9 `first( 1 )`"]),
        ("4:5", ["main.py:5:9 `first( 1 )`"]),
        ("6", ["main.py:5:9 `first( 1 )`"]),
        ("10", ["main.py:10:11 `task`"]),
    ],
)
def test_what_a_place_means(cli, place, expected):
    assert headings(cli, f"main.py:{place}") == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nope.py:1",), "no such file: nope.py"),
        (("main.py:0",), "main.py has no line 0: it has 11 lines"),
        (("main.py:12",), "main.py has no line 12: it has 11 lines"),
        (("main.py:10:17",), "line 10 of main.py has 14 columns"),
        (("main.py:10:0",), "line 10 of main.py has 14 columns"),
        (("main.py:9",), "main.py: nothing is called or awaited on line 9"),
        (("main.py:9:9",), "main.py: nothing is called or awaited at column 9 of line 9"),
        (("main.py:11:1",), "main.py: nothing is called or awaited at column 1 of line 11"),
        (("main.py",), "--explain main.py: expected FILE:LINE or FILE:LINE:COLUMN"),
        (("main.py:x",), "--explain main.py:x: expected FILE:LINE or FILE:LINE:COLUMN"),
        ((":1",), "--explain :1: expected FILE:LINE or FILE:LINE:COLUMN"),
        (("sub:1",), "sub is a directory: name a file of it"),
        (("broken.py:1",), "broken.py: cannot parse the file: expected ':' (line 1, column 8)"),
        (
            ("latin.py:1",),
            (
                "latin.py: cannot parse the file: 'utf-8' codec can't decode byte 0xe9; save the file as"
                " UTF-8 or name its encoding in the first line (line 1, column 1)"
            ),
        ),
        (("empty.py:1",), "empty.py has no line 1: it has 0 lines"),
        (("main.py:3", "main.py"), "--explain names the file: leave out the other paths"),
        (("main.py:3", "--fix"), "--explain and --fix exclude each other"),
        (("main.py:3", "--diff"), "--explain and --diff exclude each other"),
        (("main.py:3", "--statistics"), "--explain and --statistics exclude each other"),
        (("main.py:3", "--select", "AWL9999"), "--select AWL9999: no such rule"),
    ],
)
def test_what_cannot_be_explained_gets_one_line(cli, arguments, message):
    write("main.py", PLACES)
    write("sub/x.py", "")
    write("broken.py", "if True\n    pass\n")
    write("empty.py", "")
    Path("latin.py").write_bytes(b"\xe9\n")
    assert cli("check", "--explain", *arguments) == Outcome(2, "", f"error: {message}\n")


# -- standard input, configuration, colours


def test_standard_input(cli):
    write("jobs.py", "async def run(): ...\n")
    text = b"from jobs import run\nasync def main():\n    run()\n"
    piped = cli("check", "--explain", "-:3", stdin=text)
    assert (piped.code, piped.err) == (0, "")
    assert piped.out.startswith("-:3:5 `run()`: Coroutine[None]\n")
    named = cli("check", "--stdin-filename", "app.py", "-", "--explain", "app.py:3", stdin=text)
    assert named.out.startswith("app.py:3:5 `run()`: Coroutine[None]\n")
    assert "`async def run`, jobs.py:1" in named.out
    dashed = cli("check", "--stdin-filename", "app.py", "--explain", "-:3", stdin=text)
    assert dashed.out == named.out
    assert not Path("app.py").exists()


def test_the_buffer_of_another_file_counts(cli):
    write("main.py", "from jobs import run\nasync def main():\n    run()\n")
    write("jobs.py", "def run(): return 1\n")
    unsaved = cli(
        "check", "--stdin-filename", "jobs.py", "--explain", "main.py:3", stdin=b"async def run(): ...\n"
    )
    assert unsaved.out.startswith("main.py:3:5 `run()`: Coroutine[None]\n")
    assert explained(cli, "main.py:3").startswith("main.py:3:5 `run()`: int\n")


def test_source_roots_are_heeded_and_findings_do_not_matter(cli):
    write("lib/jobs.py", "async def run(): ...\n")
    write("app/main.py", "from jobs import run\nasync def main():\n    run()\n")
    write("awaitlint.toml", 'src = ["lib"]\noutput-format = "json"\nfix = true\n')
    before = Path("app/main.py").read_bytes()
    assert "imported on line 1 from `jobs`, lib/jobs.py: def jobs.run" in explained(cli, "app/main.py:3")
    assert Path("app/main.py").read_bytes() == before


def test_other_encodings_and_wide_characters(cli):
    text = "# coding: latin-1\nasync def é(): ...\nasync def main():\n    ü = 'ß'; é()\n"
    Path("main.py").write_bytes(text.encode("latin-1"))
    assert explained(cli, "main.py:4:14").startswith("main.py:4:14 `é()`: Coroutine[None]\n")


def test_colours(cli, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    write("main.py", "async def main(x):\n    main(1)\n    x()\n")
    found = explained(cli, "main.py:2")
    assert "\x1b[1;91mAWL101\x1b[0m unawaited-coroutine reports it" in found
    assert "\x1b[1;94mmain.py:2:5\x1b[0m \x1b[1m`main(1)`\x1b[0m: \x1b[1;96mCoroutine[None]\x1b[0m" in found
    assert "\x1b[1;93munknown: the parameter `x` has no annotation\x1b[0m" in explained(cli, "main.py:3")


def test_nothing_steers_the_terminal(cli):
    write("main.py", 'async def main(x):\n    x("\x1b[31m")\n')
    assert "\x1b" not in explained(cli, "main.py:2")


def test_a_crashed_rule_is_told(cli, monkeypatch):
    def crash(self, site):
        raise KeyError("x")

    monkeypatch.setattr("awaitlint.rules.unawaited_coroutine.UnawaitedCoroutine.suspect", crash)
    write("main.py", "async def main():\n    main()\n")
    outcome = cli("check", "--explain", "main.py:2")
    assert outcome.code == 2
    assert outcome.out.startswith("main.py:2:5 `main()`")
    assert outcome.err == "error: main.py: the rule unawaited-coroutine (AWL101) failed: KeyError: 'x'\n"


def test_facts_from_the_cache_give_the_same(cli):
    write("main.py", LOCALS)
    first = cli("check", "--explain", "main.py:16").out
    assert Path(".awaitlint_cache").is_dir()
    assert cli("check", "--explain", "main.py:16").out == first == explained(cli, "main.py:16")


# -- every suite


def session_of(project: Project) -> Session:
    return Session(project.settings, SourceStore(), Options(cache=False))


@parametrize(lambda case: case.suite.startswith(("rules/", "notes", "docs/")))
def test_what_is_reported_is_explained(case: Case, tmp_path: Path) -> None:
    """Where a rule about values reports something, the explanation of that place says so."""
    project = Project(case, tmp_path)
    session = session_of(project)
    for finding in project.diagnostics():
        if not finding.code.startswith(_OF_VALUES):
            continue
        target = Target(project.root / finding.path, finding.path)
        found = explain(session, target, finding.span.line, finding.span.column + 1)
        told = {
            report.code for each in found for report in each.outcome.reports if report.does == "reports it"
        }
        assert finding.code in told, finding


@parametrize(lambda case: case.suite.startswith("infer/"))
def test_every_line_can_be_explained(case: Case, tmp_path: Path) -> None:
    """What `reveal` shows of a call is what the explanation of that call begins with."""
    project = Project(case, tmp_path)
    session, revealed = session_of(project), project.revealed()
    for source in case.python_files:
        descriptions = dict(revealed[source.path])
        target = Target(project.root / source.path, source.path)
        for number, line in enumerate(source.text.splitlines(), 1):
            found = explained_or_none(session, target, number)
            for each in found:
                if f"reveal({each.text})" in line and not descriptions[number].startswith("Unknown"):
                    assert each.verdict.partition(" (unknown")[0] == descriptions[number]
            written = list(render(found, Style()))
            assert all(line.rstrip() == line for line in written)
            assert all(len(line) - len(line.lstrip()) <= 2 * (DEEPEST + 1) for line in written)


def explained_or_none(session: Session, target: Target, line: int) -> list[Explanation]:
    """The explanations of a line, none where nothing is called there."""
    try:
        return explain(session, target, line)
    except ExplainError as problem:
        message = str(problem)
    assert "nothing is called or awaited" in message
    return []
