"""The walk over suspects: what it costs, and what it answers at a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst
import pytest

from awaitlint.config.load import SettingsCache
from awaitlint.engine import visit
from awaitlint.engine.options import Options
from awaitlint.engine.session import Session
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore, split_lines
from awaitlint.syntax.columns import Columns
from awaitlint.syntax.positions import Positions
from awaitlint.syntax.walk import Walker

if TYPE_CHECKING:
    from pathlib import Path

    from awaitlint.model import Diagnostic


def check(text: str, tmp_path: Path) -> tuple[Diagnostic, ...]:
    path = tmp_path / "a.py"
    session = Session(SettingsCache(isolated=True), SourceStore({path: text.encode()}), Options(cache=False))
    found = session.check(Target(path, "a.py"))
    assert session.internal_errors == []
    return found


def test_facts_are_indexed_once_for_all_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    class Counted(visit._Index):
        def __init__(self, context) -> None:
            made.append(context)
            super().__init__(context)

    monkeypatch.setattr(visit, "_Index", Counted)
    functions = "".join(f"async def g{n}():\n    f()\n" for n in range(5))
    assert len(check(f"async def f(): ...\n{functions}", tmp_path)) == 5
    assert len(made) == 1


class Counting(list):
    """The ancestors of a node; counts how often somebody goes through all of them."""

    rounds = 0

    def __iter__(self):
        Counting.rounds += 1
        return super().__iter__()


class Empty:
    lines: tuple[str, ...] = ()
    starts: dict[object, int] = {}  # noqa: RUF012
    around: dict[int, int] = {}  # noqa: RUF012


def test_answers_do_not_cost_more_where_nesting_is_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "rounds", 0)
    module = libcst.parse_module("x = a and b and c or (d if e else f(g for h in i)) and not j\n")
    walk = visit.Walk(Empty())
    walk.parents = Counting()
    walk.begin(Positions(module))
    generators = []

    class Visitor:
        def visit_Name(self, node: libcst.Name) -> None:
            assert not walk.is_probed(node)
            if walk.in_generator(node):
                generators.append(node.value)

    Walker((Visitor(),), walk.enter, walk.leave, parents=walk.parents).walk(module)
    assert generators == ["g", "h"]
    assert Counting.rounds == 0


@pytest.mark.parametrize("test", ["iscoroutine(b)", "a and iscoroutine(b)", "a and (c or iscoroutine(b))"])
@pytest.mark.parametrize("use", ["if {}: b", "while {}: b", "b if {} else a", "{} and b", "b or {}"])
def test_what_a_test_asks_about(use: str, test: str) -> None:
    source = use.format(test) + "\nb\n"
    module = libcst.parse_module(source)
    index = Empty()
    index.lines = split_lines(source)
    walk = visit.Walk(index)
    walk.begin(Positions(module))
    probed = []

    class Visitor:
        def visit_Name(self, node: libcst.Name) -> None:
            if node.value == "b":
                probed.append(walk.is_probed(node))

    Walker((Visitor(),), walk.enter, walk.leave, parents=walk.parents).walk(module)
    assert probed == [True, True, False]


LINE = "aé\u65e5\U0001f600" * 3000


@pytest.mark.parametrize("column", [0, 1, 2, 3, 4, 1023, 1024, 1025, 2048, 11998, 11999, 12000])
@pytest.mark.parametrize("text", [LINE, "x" * 12000, LINE[:1024] * 12])
def test_columns(text: str, column: int) -> None:
    columns = Columns(["", text])
    size = len(text[:column].encode())
    assert columns.to_bytes(2, column) == size
    assert columns.to_characters(2, size) == column


def test_a_column_within_a_character() -> None:
    assert [Columns(["é\u65e5x"]).to_characters(1, n) for n in range(7)] == [0, 0, 1, 1, 1, 2, 3]


def test_columns_of_lone_surrogates() -> None:
    columns = Columns(["\ud800x"])
    assert columns.to_bytes(1, 1) == 3
    assert columns.to_characters(1, 4) == 2


def test_regions_are_whole_functions() -> None:
    text = "@d\ndef a(): pass\nclass C:\n    def m(self):\n        def n(): pass\n    x = 1\ndef b(): pass\n"
    from awaitlint.index.lower import lower  # noqa: PLC0415
    from awaitlint.syntax.parse import parse  # noqa: PLC0415

    facts = lower(parse(text.encode()), text.encode())
    assert visit.regions(facts, [7, 5, 1, 2], 7) == [(1, 2), (4, 5), (7, 7)]
    assert visit.regions(facts, [2, 3], 7) == [(1, 7)]
    assert visit.regions(facts, [6], 7) == [(1, 7)]
    assert visit.regions(facts, [], 7) == []


def test_a_method_stands_in_its_class_however_much_is_walked(tmp_path: Path) -> None:
    text = "class A:\n    x = 1\n\n    def f(self) -> await int: ...\n\n\ndef g(x=await y): ...\n"
    path = tmp_path / "a.py"
    store = SourceStore({path: text.encode()})
    messages = []
    for sieve in (True, False):
        session = Session(SettingsCache(isolated=True), store, Options(cache=False, sieve=sieve))
        messages.append([each.message for each in session.check(Target(path, "a.py"))])
    assert messages[0] == messages[1]
    assert "in the body of class `A`" in messages[0][0]
    assert "at module level" in messages[0][1]
