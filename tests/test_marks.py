"""What lowering records of loops, handlers and ``with`` statements, for the rules that look at them."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from awaitlint.index.facts import Attr, Call, Free, Name, Unknown
from awaitlint.index.lower import lower
from awaitlint.index.marks import MarkKind


def marks(text: str) -> list[tuple[str, int, bool]]:
    """(kind, line, awaits) of each mark, in the order of the lines."""
    source = dedent(text).strip("\n")
    facts = lower(ast.parse(source), source.encode())
    return sorted(
        ((mark.kind.name, mark.line, mark.awaits) for mark in facts.marks), key=lambda mark: mark[1]
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("try:\n    await f()\nexcept ValueError:\n    pass", [("HANDLER", 4, True)]),
        (
            "try:\n    await f()\nexcept A:\n    pass\nexcept:\n    pass",
            [("HANDLER", 4, True), ("HANDLER", 6, True)],
        ),
        ("try:\n    async with a(): pass\nexcept A:\n    pass", [("HANDLER", 4, True)]),
        ("try:\n    async for i in a(): pass\nexcept A:\n    pass", [("HANDLER", 4, True)]),
        ("try:\n    [i async for i in a()]\nexcept A:\n    pass", [("HANDLER", 4, True)]),
        ("try:\n    f()\nexcept A:\n    await f()", []),
        ("try:\n    async def g(): await f()\nexcept A:\n    pass", []),
        ("while True:\n    await f()", [("LOOP", 2, True)]),
        ("while await f():\n    pass", [("LOOP", 2, True)]),
        ("while a:\n    f()", [("LOOP", 2, False)]),
        ("for i in a():\n    await f(i)", [("FOR", 2, True)]),
        ("for i in a():\n    f(i)", []),
        ("for i in a:\n    f(i)", [("FOR", 2, False)]),
        ("async for i in a:\n    pass", [("ASYNC_FOR", 2, False)]),
        ("with a:\n    await f()", [("WITH", 2, True)]),
        ("with a, b(), c.d:\n    pass", [("WITH", 2, False), ("WITH", 2, False)]),
        ("with a():\n    await f()", []),
        ("async with a:\n    pass", [("ASYNC_WITH", 2, False)]),
        ("async with a:\n    async with b: pass", [("ASYNC_WITH", 2, True), ("ASYNC_WITH", 3, False)]),
        ("a.b += await f()", [("AUGMENTED", 2, True)]),
        ("a[0] += 1 + await f()", [("AUGMENTED", 2, True)]),
        ("global n\nn += await f()", [("AUGMENTED", 3, True)]),
        ("n = 0\nn += await f()", []),
        ("a.b += f()", []),
    ],
)
def test_async_code(body: str, expected: list[tuple[str, int, bool]]) -> None:
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    assert marks(f"async def function():\n{indented}") == expected


def test_sync_code_has_no_handlers_and_loops() -> None:
    text = """
        def function():
            while True:
                with a:
                    pass
            try:
                f()
            except E:
                pass
            self.n += 1
    """
    assert marks(text) == [("WITH", 3, False)]


def test_code_for_type_checkers_has_none() -> None:
    text = """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            for i in a:
                pass
    """
    assert marks(text) == []


def test_the_node_is_what_the_docstring_says() -> None:
    text = dedent(
        """
        async def function():
            try:
                await f()
            except ValueError:
                pass
            except:
                pass
            for i in items.all:
                pass
            with lock:
                pass
            self.n += await f()
        """
    )
    facts = lower(ast.parse(text), text.encode())
    nodes = {(mark.kind, mark.line): mark.node for mark in facts.marks}
    assert facts.nodes[nodes[MarkKind.HANDLER, 5]] == Name("ValueError")
    assert nodes[MarkKind.HANDLER, 7] == -1
    iterable = facts.nodes[nodes[MarkKind.FOR, 9]]
    assert isinstance(iterable, Attr)
    assert iterable.name == "all"
    assert isinstance(facts.nodes[nodes[MarkKind.WITH, 11]], (Name, Free))
    assert not isinstance(facts.nodes[nodes[MarkKind.AUGMENTED, 13]], (Unknown, Call))
    assert facts.scopes[facts.marks[0].scope].name == "function"
