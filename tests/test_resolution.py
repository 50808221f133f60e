"""``--statistics``: how many calls were resolved, where they lead, and why the others are unknown."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from stand_in import CommandLine, write
from venvs import venv

from awaitlint.config.load import SettingsCache
from awaitlint.engine.options import Options
from awaitlint.engine.resolution import Reason, Resolution, Tally, resolution
from awaitlint.engine.session import Session
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.report.resolution import render
from awaitlint.report.style import Style


@pytest.fixture
def cli(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, capsysbinary)


def counted(**files: str) -> Resolution:
    """What becomes of the calls in files of the current directory, by the names of their modules."""
    targets = [Target(write(f"{name}.py", text).absolute(), f"{name}.py") for name, text in files.items()]
    session = Session(SettingsCache(), SourceStore(), Options(cache=False))
    return resolution(session, targets)


def test_where_calls_lead(cli):
    venv(Path(".venv"), {"broker.py": "def send(): ...\n"})
    found = counted(
        main="""\
import asyncio
import httpx
import nowhere
from typing import Awaitable, Callable
from broker import send
from jobs import Job, run

class Caller:
    def __call__(self): ...

async def main(callback: Callable[[], Awaitable[None]], caller: Caller):
    run()
    Job()
    Job().stop()
    callback()
    caller()
    len("")
    asyncio.sleep(1)
    send()
    httpx.AsyncClient()
    nowhere.go()
    (lambda: run())()

def sync(anything):
    anything()
    anything.x()
    print(anything.y())
""",
        jobs="async def run(): ...\n\nclass Job:\n    @staticmethod\n    def stop(): ...\n",
    )
    # `Job().stop()` are two calls, and a lambda in an async function is no async code
    assert found.in_async == Tally(project=7, stdlib=2, packages=2, unknown=1)
    assert found.calls == Tally(project=8, stdlib=3, packages=2, unknown=4)
    assert (found.calls.known, found.calls.total) == (13, 17)
    assert found.reasons == (
        Reason("the parameter … has no annotation", 3, ("anything",)),
        Reason("the code of … is not at hand", 1, ("nowhere",)),
    )


def test_each_call_counts_once_and_only_where_it_can_run(cli):
    found = counted(
        main="""\
from typing import TYPE_CHECKING

async def work(): ...

async def main():
    task = work()
    print(task)
    return task

if TYPE_CHECKING:
    work()

def late():
    return
    work()
""",
    )
    assert found.calls.total == 2


def test_one_of_several_functions_that_is_unknown_is_enough(cli):
    found = counted(
        main="""\
def first(): ...

def main(flag, other):
    (first if flag else other)()
    (first if flag else len)()
    (first if flag else None)()
""",
    )
    assert found.calls == Tally(project=2, unknown=1)


def test_five_reasons_and_three_names(cli):
    text = "".join(
        f"from gone{number} import f{number}\n" + f"f{number}()\n" * (9 - number) for number in range(6)
    )
    found = counted(
        main=text,
        other="""\
def f(a, b):
    a()
    b()
    undefined()
    [1][f]()
    (a + b)()
    f.nope()
    {}[a]()
""",
    )
    assert len(found.reasons) == 5
    first = found.reasons[0]
    assert first == Reason("the code of … is not at hand", 39, ("gone0", "gone1", "gone2"))
    assert [each.count for each in found.reasons] == sorted(
        (each.count for each in found.reasons), reverse=True
    )


def test_files_that_cannot_be_read_have_no_calls(cli):
    assert counted(main="print(1\n") == Resolution(Tally(), Tally(), ())


def test_the_table():
    found = Resolution(
        Tally(project=1200, stdlib=34, packages=6, unknown=60),
        Tally(project=10),
        (Reason("the code of … is not at hand", 50, ("httpx", "redis")), Reason("it is so", 8, ())),
    )
    assert (
        "\n".join(render(found, Style()))
        == """\
How calls were resolved
                               all  in async functions
calls               1,300                  10
resolved            1,240 (95.4 %)         10 ( 100 %)
  to the project    1,200 (92.3 %)         10 ( 100 %)
  to Python itself     34 ( 2.6 %)          0 ( 0.0 %)
  to packages           6 ( 0.5 %)          0 ( 0.0 %)
unknown                60 ( 4.6 %)          0 ( 0.0 %)

Why functions are unknown
50  the code of … is not at hand: httpx, redis
 8  it is so"""
    )
    nothing = list(render(Resolution(Tally(), Tally(), ()), Style()))
    assert nothing[-1] == "unknown             0                   0"


def test_the_command_line_shows_it_after_the_rules(cli):
    write("main.py", "async def work(): ...\n\nasync def main(x):\n    work()\n    x()\n")
    shown = cli("check", "--statistics", "--no-cache")
    assert (shown.code, shown.err) == (1, "")
    assert (
        shown.out
        == """\
1\tAWL101\tunawaited-coroutine

How calls were resolved
                           all  in async functions
calls               2                   2
resolved            1 (50.0 %)          1 (50.0 %)
  to the project    1 (50.0 %)          1 (50.0 %)
  to Python itself  0 ( 0.0 %)          0 ( 0.0 %)
  to packages       0 ( 0.0 %)          0 ( 0.0 %)
unknown             1 (50.0 %)          1 (50.0 %)

Why functions are unknown
1  the parameter … has no annotation: x

Found 1 error.
No safe fixes available (1 hidden fix can be enabled with --unsafe-fixes).
"""
    )


def test_nobody_pays_who_does_not_ask(cli, monkeypatch):
    write("main.py", "async def work(): ...\n\nasync def main():\n    work()\n")

    def fail(*arguments):
        raise AssertionError("the calls were counted")

    monkeypatch.setattr("awaitlint.engine.resolution.resolution", fail)
    sys.modules.pop("awaitlint.report.resolution", None)
    assert "AWL101" in cli("check", "--output-format", "concise").out
    assert cli("check", "--statistics", "-q").out == "1\tAWL101\tunawaited-coroutine\n"
    (record,) = json.loads(cli("check", "--statistics", "--output-format", "json").out)
    assert record == {"code": "AWL101", "name": "unawaited-coroutine", "count": 1, "fixable_count": 0}
    assert "awaitlint.report.resolution" not in sys.modules


def test_after_fixing_and_for_standard_input(cli):
    write("main.py", "async def work(): ...\n\nasync def main():\n    work()\n")
    fixed = cli("check", "--statistics", "--fix", "--unsafe-fixes", "--no-cache")
    assert "How calls were resolved" in fixed.out
    piped = cli("check", "--statistics", "-", stdin=b"print(1)\n")
    assert "calls               1" in piped.out
