"""Lines of source text with a place in them underlined."""

from __future__ import annotations

import pytest

from awaitlint.model import Span
from awaitlint.report.excerpt import _cells, excerpt
from awaitlint.report.style import Style


def lines_of(text: str, span: Span, gutter: int = 1) -> str:
    return "\n".join(excerpt(text.split("\n"), span, Style(), gutter=gutter))


def test_tabs_and_wide_and_combining_characters_keep_the_carets_in_place():
    text = "\tx = 'e\u0301日\U0001f600'; f()"
    at = text.index("f()")
    out = lines_of(text, Span(1, at, 1, at + 3)).split("\n")
    assert out[1] == "1 |     x = 'e\u0301日\U0001f600'; f()"
    # e with its accent takes one column, the two that follow take two each
    assert out[2] == "  |" + " " * (1 + 4 + len("x = '") + 1 + 2 + 2 + len("'; ")) + "^^^"


def test_several_lines_are_joined_by_a_bar():
    assert (
        lines_of("a\nx = f(\n    1,\n)\nb", Span(2, 4, 4, 1))
        == """\
  |
1 |   a
2 |   x = f(
  |  _____^
3 | |     1,
4 | | )
  | |_^
5 |   b
  |"""
    )
    assert (
        lines_of("  with a:\n    b", Span(1, 2, 2, 5))
        == """\
  |
1 | /   with a:
2 | |     b
  | |_____^
  |"""
    )


def test_a_place_that_ends_where_a_line_begins_does_not_show_that_line_as_its_own():
    assert lines_of("f()\ng()", Span(1, 0, 2, 0)) == "  |\n1 | f()\n  | ^^^\n2 | g()\n  |"


def test_the_middle_of_a_long_place_is_left_out():
    text = "\n".join(f"line{number}" for number in range(1, 21))
    assert (
        lines_of(text, Span(3, 0, 18, 3), gutter=2)
        == """\
   |
 1 |   line1
 2 |   line2
 3 | / line3
 4 | | line4
 5 | | line5
 6 | | line6
... |
16 | | line16
17 | | line17
18 | | line18
   | |___^
19 |   line19
20 |   line20
   |"""
    )


def test_blank_lines_at_the_ends_are_left_out():
    assert lines_of("\n\nf()\n\n\n", Span(3, 0, 3, 1)) == "  |\n3 | f()\n  | ^\n  |"


def test_an_empty_place_gets_one_caret_and_one_outside_the_text_nothing():
    assert lines_of("f()", Span(1, 3, 1, 3)) == "  |\n1 | f()\n  |    ^\n  |"
    assert lines_of("", Span(1, 0, 1, 0)) == ""
    assert lines_of("f()", Span(7, 0, 7, 1)) == ""


def test_a_long_line_is_cut_around_the_place():
    text = "a" * 300 + " f() " + "b" * 300
    out = lines_of(text, Span(1, 301, 1, 304)).split("\n")
    assert max(len(line) for line in out) <= 150
    at = out[2].index("^^^")
    assert out[1][at : at + 3] == "f()"
    assert out[1].startswith("1 | ...aaa")
    assert out[1].endswith("bbb...")
    start = lines_of(text, Span(1, 2, 1, 4)).split("\n")
    assert start[1].startswith("1 | aaaa")
    assert start[1].endswith("aaa...")
    assert start[2] == "  |   ^^"
    everything = lines_of(text, Span(1, 0, 1, 605)).split("\n")
    assert len(everything[2]) == len(everything[1])


@pytest.mark.parametrize("columns", [None, 10, 50, 80, 200])
def test_a_terminal_is_wide_enough(columns: int | None) -> None:
    lines = ["x = 1", f"y = '{'日' * 50}'; f({'a' * 60}); '{'b' * 90}'", "z = 2"]
    span = Span(2, 58, 2, 61)
    shown = excerpt(lines, span, Style(), gutter=2, columns=columns)
    widest = 140 if columns is None else max(40, min(140, columns - 5))
    assert all(len(_cells(line)) <= widest + 5 for line in shown)
    caret = shown[3].index("^")
    assert shown[3].count("^") == 3
    assert "".join(_cells(shown[2])[caret : caret + 3]) == lines[1][58:61]


def test_a_place_of_several_lines_on_a_narrow_terminal() -> None:
    lines = ["f(", "x" * 300, ")" + "." + "y" * 300]
    shown = excerpt(lines, Span(1, 0, 3, 250), Style(), gutter=1, columns=60)
    assert max(map(len, shown)) <= 60
    assert shown[4].startswith("  | |___")
