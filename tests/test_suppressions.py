"""Comments that silence findings."""

from __future__ import annotations

import pytest

from awaitlint.engine.suppressions import Comments, noqa_rows, suppress
from awaitlint.model import Diagnostic, Span


def found(line: int, column: int = 0, end: int | None = None, code="AWL101", name="unawaited-coroutine"):
    return Diagnostic("a.py", Span(line, column, end or line, column + 1), code, name, "message")


def silent(text: str, *diagnostics: Diagnostic) -> bool:
    outcome = suppress(text, diagnostics)
    assert len(outcome.kept) + len(outcome.silenced) == len(diagnostics)
    return not outcome.kept


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# noqa", True),
        ("#noqa", True),
        ("# NoQA", True),
        ("# noqa: AWL101", True),
        ("# noqa:awl101", True),
        ("# noqa: E501,AWL101", True),
        ("# noqa: E501, AWL101", True),
        ("# noqa: E501 AWL101", True),
        ("# noqa: AWL1", True),
        ("# noqa: AWL101 because it is fine", True),
        ("# noqa: AWL102", False),
        ("# noqa: E501", False),
        ("# noqa: AWL1011", False),
        ("# noqa: unawaited-coroutine", True),  # no code: flake8 takes it for a bare one
        ("# type: ignore  # noqa: AWL101", True),
        ("# awaitlint: ignore", True),
        ("#awaitlint:ignore", True),
        ("# awaitlint: ignore[unawaited-coroutine]", True),
        ("# awaitlint: ignore[blocking-sleep, AWL101]", True),
        ("# awaitlint: ignore[AWL1]", True),
        ("# awaitlint: ignore[blocking-sleep]", False),
        ("# awaitlint: ignore[]", False),
        ("# awaitlint: ignored", False),
        ("# awaitlint: ignore-file", False),  # not alone on its line
        ("# awaitlint: ignore-files", False),
        ("# flake8: noqa", False),  # not alone on its line
        ("# ruff: noqa", False),
        ("# ruff: noqa: AWL101", False),
        ("# nothing", False),
    ],
)
def test_on_the_line(comment, expected):
    assert silent(f"f()  {comment}\n", found(1)) is expected


@pytest.mark.parametrize("comment", ["# noqa", "# noqa: AWL101", "# awaitlint: ignore"])
def test_only_on_the_line(comment):
    assert not silent(f"{comment}\nf()\n{comment}\n", found(2))


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# flake8: noqa", True),
        ("# flake8: noqa: AWL101", True),
        ("# flake8: noqa: E501", False),
        ("# awaitlint: ignore-file", True),
        ("# awaitlint: ignore-file[unawaited-coroutine]", True),
        ("# awaitlint: ignore-file[AWL3]", False),
        ("# ruff: noqa", False),
        ("# noqa", False),
    ],
)
def test_for_the_file(comment, expected):
    assert silent(f"import a\nf()\n    {comment}\n", found(2)) is expected
    assert silent(f"{comment}\n\nf()\n", found(3)) is expected
    assert silent(f'"""\n{comment}\n"""\nf()\n', found(4)) is False


def test_a_comment_in_a_string_says_nothing():
    assert not silent('f("# noqa")\n', found(1))
    assert not silent('f("""\n# noqa\n""")\n', found(1, end=2))


STATEMENT = """\
before()
call(
    one(),
    two(),
    [
        3,
    ],
){}
after()
"""


@pytest.mark.parametrize(
    ("line", "expected"), [(1, False), (2, True), (3, True), (5, True), (8, True), (9, False)]
)
def test_the_last_line_of_the_statement_counts(line, expected):
    assert silent(STATEMENT.format("  # noqa"), found(line)) is expected


def test_the_first_line_of_the_statement_counts_but_none_in_between():
    text = "call(  # noqa\n    one(),\n    two(),\n)\n"
    assert silent(text, found(2), found(3))
    text = "call(\n    one(),  # noqa\n    two(),\n)\n"
    assert silent(text, found(2))
    assert not silent(text, found(3))
    assert not silent(text, found(1))


def test_the_last_line_of_the_finding_counts():
    text = "with a():\n    b()\n    c()  # noqa\n    d()\n"
    assert silent(text, found(1, end=3))
    assert not silent(text, found(1, end=4))


def test_the_end_of_a_string_counts_where_it_begins():
    text = 'f(\n  """\n  {x}\n  """,  # noqa\n  b,\n)\n'
    assert silent(text, found(2), found(3))
    assert not silent(text, found(5))
    assert silent("x = 1 + \\\n    f()  # noqa\n", found(1))


def test_comments_are_found_in_a_file_that_cannot_be_parsed():
    broken = "f()  # noqa\ndef g(:\n    h()  # noqa: AWL101\n'''\n# awaitlint: ignore-file[AWL3]\n"
    assert silent(broken, found(1))
    assert silent(broken, found(3))
    assert not silent(broken, found(2))
    assert silent(broken, found(2, code="AWL301"))
    assert silent("if x:\n    f()\n  g()  # noqa\n", found(3))
    assert silent("f()  # noqa\nx = '\0'\n", found(1))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_newlines(newline):
    text = newline.join(["f()", "g()  # noqa", "h()", ""])
    assert silent(text, found(2))
    assert not silent(text, found(1))
    assert not silent(text, found(3))


def test_form_feeds_do_not_shift_lines():
    assert silent("a()\n\x0cb()\nf()  # noqa\n", found(3))


def test_what_was_used_is_told_from_what_was_not():
    text = (
        "f()  # noqa: AWL101, AWL3\n"
        "g()  # awaitlint: ignore[blocking-sleep]\n"
        "h()  # noqa\n"
        "i()  # type: ignore  # noqa: E501\n"
    )
    outcome = suppress(text, [found(1), found(2), found(3)])
    assert [each.span.line for each in outcome.kept] == [2]
    assert [each.span.line for each in outcome.silenced] == [1, 3]
    assert [(each.span, each.selectors) for each in outcome.suppressions] == [
        (Span(1, 5, 1, 25), ("AWL101", "AWL3")),
        (Span(2, 5, 2, 40), ("blocking-sleep",)),
        (Span(3, 5, 3, 11), None),
        (Span(4, 21, 4, 33), ("E501",)),
    ]
    first, _, third, _ = outcome.suppressions
    assert outcome.used == {first: {"AWL101"}, third: frozenset()}
    assert Comments.of(text).found == outcome.suppressions


def test_every_comment_that_would_do_counts_as_used():
    text = "# awaitlint: ignore-file[AWL101]\ncall(  # noqa: AWL101\n    1\n)  # noqa: AWL1\n"
    outcome = suppress(text, [found(2)])
    assert {each.span.line: set(used) for each, used in outcome.used.items()} == {
        1: {"AWL101"},
        2: {"AWL101"},
        4: {"AWL1"},
    }


def test_nothing_is_tokenized_where_there_is_nothing_to_do(monkeypatch):
    def refuse(_):
        raise AssertionError

    monkeypatch.setattr("awaitlint.engine.suppressions._read", refuse)
    assert suppress("f()  # noqa\n", []).kept == ()
    assert suppress("f()\n", [found(1)]).kept == (found(1),)
    assert Comments.of("f()\n").found == ()


def test_rows_where_a_noqa_can_stand():
    text = 'a()\nf(\n  """\n  {x}\n  """,\n  b,\n)\nc() + \\\n  d()\n'
    assert noqa_rows(text, [found(line) for line in (1, 2, 3, 4, 6, 8)]) == [1, 2, 5, 5, 6, 9]
    assert noqa_rows("a()\nb()\n", [found(2)]) == [2]


@pytest.mark.parametrize(
    ("comment", "code", "silent"),
    [
        ("# type: ignore[unused-coroutine]", "AWL101", True),
        ("# type: ignore[arg-type, unused-coroutine]", "AWL101", True),
        ("# type: ignore[unused-awaitable]", "AWL101", True),
        ("# pyright: ignore[reportUnusedCoroutine]", "AWL101", True),
        ("# noqa: ASYNC251", "AWL301", True),
        ("# type: ignore[unused-coroutine]", "AWL102", False),
        ("# type: ignore[unused-ignore]", "AWL101", False),
        ("# type: ignore", "AWL101", False),
        ("# noqa: ASYNC251", "AWL101", False),
    ],
)
def test_comments_for_other_tools_about_the_same_thing_count(comment: str, code: str, silent: bool) -> None:
    finding = Diagnostic("a.py", Span(1, 0, 1, 3), code, "some-rule", "message")
    assert (suppress(f"f()  {comment}\n", [finding]).kept == ()) is silent
