"""Regions: parts of a file, with the places that their nodes have in the file."""

from __future__ import annotations

import ast
import importlib.util
import tokenize

import libcst
import pytest

from awaitlint.files.source import split_lines
from awaitlint.model import Span
from awaitlint.syntax.parse import SyntaxProblem
from awaitlint.syntax.positions import Positions
from awaitlint.syntax.slices import Region, parse_region
from awaitlint.syntax.walk import walk


def first_lines(node: ast.AST) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]


def places(text: str, root: ast.AST) -> set[Span]:
    """Where Python's `ast` has calls and attributes, but for f-strings, which 3.11 misplaces."""
    lines = split_lines(text)
    inside = {id(n) for each in ast.walk(root) if isinstance(each, ast.JoinedStr) for n in ast.walk(each)}

    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode()[:offset].decode())

    return {
        Span(
            n.lineno,
            column(n.lineno, n.col_offset),
            n.end_lineno or 0,
            column(n.end_lineno or 0, n.end_col_offset or 0),
        )
        for n in ast.walk(root)
        if isinstance(n, (ast.Call, ast.Attribute, ast.Await)) and id(n) not in inside
    }


def region_places(region: Region) -> set[Span]:
    found: set[Span] = set()
    parents: list[libcst.CSTNode] = []

    def look(node: libcst.CSTNode) -> None:
        inside = any(isinstance(parent, libcst.FormattedString) for parent in parents)
        if isinstance(node, (libcst.Call, libcst.Attribute, libcst.Await)) and not inside:
            found.add(region.span(node))

    for root in region.roots:
        walk(root, [], look, parents=parents)
    return found


def check_functions(text: str) -> int:
    """Parse every function and class of a text alone; how many there were."""
    lines = split_lines(text)
    count = 0
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            region = parse_region(lines, first_lines(node), node.end_lineno or 0)
            assert len(region.roots) == 1
            assert region.parents == ()
            assert isinstance(region.roots[0], (libcst.FunctionDef, libcst.ClassDef))
            assert region.roots[0].name.value == node.name
            assert region_places(region) == places(text, node)
            count += 1
    return count


MIXED = '''\
"""Ein Modul: äöü"""
import a

if a.b():
    @a.deco("ü", key=a.c())
    # a comment
    async def first(x=a.d()):
        """doc
    less indented
"""
        text = """
no indentation at all
  {}""".format(await a.f("日本"), a.g())
        return text

    class C:

        # comment
        @property
        def p(self): return a.h(self.x).y;\x20

        def q(self): (
    self.r()
); self.s()
else:
\tdef tabbed():
\t\tif a.t():
\t\t\treturn a.u(
\ta.v,
)
\x0c
def last(): return (a.w)  (a . x)'''


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n  # comment"])
def test_every_function_of_a_mixed_text(newline: str, end: str) -> None:
    text = (MIXED + end).replace("\n", newline)
    assert check_functions(text) == 6


@pytest.mark.parametrize("module", ["asyncio.locks", "contextlib", "enum"])
def test_every_function_of_the_standard_library(module: str) -> None:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    with tokenize.open(spec.origin) as file:
        assert check_functions(file.read()) > 30


def test_the_whole_file() -> None:
    lines = split_lines(MIXED + "\n")
    region = parse_region(lines, 1, len(lines))
    assert region.roots == (region.module,)
    assert region_places(region) == places(MIXED, ast.parse(MIXED))


def test_statements_at_the_margin() -> None:
    lines = ["x = 1", "y = f(", "  2)", "z = 3"]
    region = parse_region(lines, 2, 3)
    assert region_places(region) == {Span(2, 4, 3, 4)}


def test_outer_span() -> None:
    lines = ["def f():", "    return ( (  # c", "      g(x)", "    ) ) + (y)"]
    region = parse_region(lines, 1, 4)
    found: list[tuple[Span, Span]] = []
    walk(
        region.roots[0],
        [],
        lambda node: (
            found.append((region.span(node), region.outer_span(node)))
            if isinstance(node, (libcst.Call, libcst.BinaryOperation)) or getattr(node, "value", "") == "y"
            else None
        ),
    )
    assert found == [
        (Span(2, 11, 4, 13), Span(2, 11, 4, 13)),
        (Span(3, 6, 3, 10), Span(2, 11, 4, 7)),
        (Span(4, 11, 4, 12), Span(4, 10, 4, 13)),
    ]


def test_span_of_keywords_and_clauses() -> None:
    lines = [
        "class C:",
        "  async def f(self):",
        "    async with a as b: pass",
        "    return [x async for x in y]",
    ]
    region = parse_region(lines, 2, 4)
    found: list[Span] = []
    walk(
        region.roots[0],
        [],
        lambda node: found.append(region.span(node)) if isinstance(node, libcst.Asynchronous) else None,
    )
    assert found == [Span(2, 2, 2, 7), Span(3, 4, 3, 9), Span(4, 14, 4, 19)]


def test_lines_that_are_no_statement_by_themselves() -> None:
    """Then the whole file is parsed, and what stands on the lines is cut out of it."""
    lines = [
        "class C:",
        "    if a:",
        "        pass",
        "    else:",
        "        def f(self):",
        "            g()",
        "",
    ]
    region = parse_region(lines, 4, 6)
    assert [type(root).__name__ for root in region.roots] == ["FunctionDef"]
    assert [type(parent).__name__ for parent in region.parents][:2] == ["Module", "ClassDef"]
    assert region_places(region) == {Span(6, 12, 6, 15)}


def test_a_file_that_libcst_cannot_read() -> None:
    with pytest.raises(SyntaxProblem):
        parse_region(["def f():", "    return 1 1"], 1, 2)


def test_what_libcst_forgets_does_not_move_places() -> None:
    """Libcst loses form feeds before statements and whitespace after a conversion."""
    lines = ["\x0cdef f(): return g(h) ", '\x0cdef k(): return f"{x!r  }" + g(h)']
    first = parse_region(lines, 1, 1)
    assert region_places(first) == {Span(1, 17, 1, 21)}
    assert first.span(first.roots[0]) == Span(1, 1, 1, 21)
    second = parse_region(lines, 2, 2)
    assert region_places(second) == {Span(2, 30, 2, 34)}
    assert second.positions.text.startswith("\x0cdef k")


@pytest.mark.parametrize(
    "body",
    [
        "    b()\n\f    c()\n    d.e()\n",
        "\f    b()\n    c()\n \f    d.e()\n",
        "    b()\n\n    \\\n    c()\n    d.e()\n",
    ],
)
def test_lines_of_a_block_that_are_indented_in_different_ways(body: str) -> None:
    assert check_functions(f"def a():\n{body}") == 1
    text = f"x = 1\ndef a():\n{body}y = z()\n"
    region = parse_region(split_lines(text), 1, text.count("\n"))
    assert region_places(region) == places(text, ast.parse(text))


def test_parentheses_after_a_form_feed() -> None:
    region = parse_region(["\x0c(a.b)"], 1, 1)
    found: list[tuple[Span, Span]] = []
    walk(
        region.module,
        [],
        lambda node: (
            found.append((region.span(node), region.outer_span(node)))
            if isinstance(node, libcst.Attribute)
            else None
        ),
    )
    assert found == [(Span(1, 2, 1, 5), Span(1, 1, 1, 6))]


def test_positions_against_libcst() -> None:
    """Libcst's own PositionProvider is the oracle for every node but whitespace."""
    module = libcst.parse_module(MIXED)
    wrapper = libcst.MetadataWrapper(module, unsafe_skip_copy=True)
    expected = wrapper.resolve(libcst.metadata.PositionProvider)
    positions = Positions(module)
    checked = 0

    def look(node: libcst.CSTNode) -> None:
        nonlocal checked
        place = expected[node]
        span = Span(place.start.line, place.start.column, place.end.line, place.end.column)
        assert positions.span(node) == span, type(node)
        checked += 1

    walk(module.body[2], [], look)
    assert checked > 120


def test_deep_nesting() -> None:
    lines = ["def f():", "    return " + " + ".join(["g()"] * 600)]
    region = parse_region(lines, 1, 2)
    found = region_places(region)
    assert len(found) == 600
    assert max(found) == Span(2, 11 + 599 * 6, 2, 14 + 599 * 6)
