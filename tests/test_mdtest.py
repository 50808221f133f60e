"""The harness itself: what it reads, what it refuses, and that a wrong suite fails."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from mdtest import (
    Case,
    Expected,
    MarkdownError,
    Project,
    expectations,
    mismatches,
    parse,
    with_noqa,
    without_async,
    without_expectations,
)

from awaitlint.model import Diagnostic, Span

if TYPE_CHECKING:
    from pathlib import Path


def read(text: str) -> list[Case]:
    return parse(textwrap.dedent(text), suite="rules/some", document="some.md")


def only(text: str) -> Case:
    (case,) = read(text)
    return case


def diagnostic(
    line: int, column: int = 0, *, path: str = "main.py", name: str = "blocking-sleep"
) -> Diagnostic:
    return Diagnostic(path, Span(line, column, line, column + 1), "AWL301", name, "`sleep` blocks")


class TestDocuments:
    def test_headings_name_cases(self) -> None:
        cases = read(
            """\
            # Title

            ## Group

            ### First

            ```py
            a
            ```

            ### Second

            ```py
            b
            ```

            ## Alone

            ```py
            c
            ```
            """
        )
        assert [case.name for case in cases] == ["Group / First", "Group / Second", "Alone"]
        assert [case.files[0].text for case in cases] == ["a\n", "b\n", "c\n"]
        assert cases[0].id == "rules/some: Group / First"
        assert [case.line for case in cases] == [5, 11, 17]
        assert [case.files[0].line for case in cases] == [8, 14, 20]

    def test_title_is_the_name_where_it_is_the_only_one(self) -> None:
        assert only("# Title\n```py\n```\n").name == "Title"

    def test_files(self) -> None:
        case = only(
            """\
            # Case

            `app/db.py`:

            ```py
            db
            ```

            ```py
            main
            ```

            ```toml
            config
            ```

            ```pyi
            stub
            ```

            `requirements.txt`:
            ```text
            langfuse
            ```

            `app/db.py`:

            ```py fixed
            fixed
            ```

            ```py unsafe-fixed
            unsafe
            ```
            """
        )
        assert [(file.path, file.text) for file in case.files] == [
            ("app/db.py", "db\n"),
            ("main.py", "main\n"),
            ("pyproject.toml", "config\n"),
            ("main.pyi", "stub\n"),
            ("requirements.txt", "langfuse\n"),
        ]
        assert [file.path for file in case.python_files] == ["app/db.py", "main.py", "main.pyi"]
        assert [(file.path, file.text) for file in case.fixed] == [("app/db.py", "fixed\n")]
        assert [(file.path, file.text) for file in case.unsafe_fixed] == [("app/db.py", "unsafe\n")]

    def test_a_path_speaks_of_the_next_fence_only(self) -> None:
        case = only("# Case\n`a.py`:\n```py\n```\nprose\n```py\n```\n")
        assert [file.path for file in case.files] == ["a.py", "main.py"]
        case = only("# Case\n`a.py`:\nprose\n```py\n```\n")
        assert [file.path for file in case.files] == ["main.py"]

    def test_longer_fences_hold_shorter_ones(self) -> None:
        assert only("# Case\n````py\n'''\n```\n'''\n````\n").files[0].text == "'''\n```\n'''\n"

    def test_options_hold_for_the_sections_below(self) -> None:
        first, second, third = read(
            """\
            # Title
            <!-- select: AWL101, blocking-sleep -->
            ## Group
            <!-- syntax: 3.12 -->
            <!-- law-exempt: strip-async, it has, a reason -->
            ### First
            <!-- no-compile -->
            ```py
            ```
            ### Second
            ```py
            ```
            ## Other
            ```py
            ```
            """
        )
        assert (first.select, first.syntax, first.compiles) == (("AWL101", "blocking-sleep"), (3, 12), False)
        assert dict(first.exempt) == {"strip-async": "it has, a reason"}
        assert (second.syntax, second.compiles) == ((3, 12), True)
        assert (third.select, third.syntax, dict(third.exempt)) == (("AWL101", "blocking-sleep"), None, {})

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("# A\n```py\n", "some.md:2: this fence has no end"),
            ("# A\n```py\n```\n```py\n```\n", "some.md:4: the case has main.py twice"),
            ("# A\n```text\n```\n", "some.md:2: a fence with `text` needs a path"),
            ("# A\n```py wrong\n```\n", "some.md:2: no such kind of code: py wrong"),
            ("# A\n```py\n```\n`b.py`:\n```py fixed\n```\n", "some.md:5: the case has no file b.py"),
            ("# A\n`../b.py`:\n```py\n```\n", "some.md:3: ../b.py leaves"),
            ("# A\n## B\n```py\n```\n### C\n", "some.md:2: a section with code has sections below it"),
            ("# A\n## B\n```py\n```\n## B\n```py\n```\n", "some.md:5: line 2 has the same heading: B"),
            ("# A\n<!-- nonsense -->\n", "some.md:2: no such option: nonsense"),
            ("# A\n<!-- law-exempt: noqa -->\n", "some.md:2: write law-exempt"),
            ("# A\n<!-- law-exempt: gravity, no -->\n", "some.md:2: write law-exempt"),
            ("# A\n<!-- syntax: new -->\n```py\n```\n", "some.md:1: syntax: 3.12 is a version, new is not"),
        ],
    )
    def test_refuses(self, text: str, problem: str) -> None:
        with pytest.raises(MarkdownError) as caught:
            read(text)
        assert str(caught.value).startswith(problem)


class TestExpectations:
    def test_forms(self) -> None:
        source = textwrap.dedent(
            """\
            a()  # error: [one]
            b()  # error: [one] [two]
            c()  # error: [one] "a \\"part\\"" [two] "more"
            d()  # error: 12 [one] "text"
            reveal(e)  # revealed: dict[str, int] | None
            f()  # noqa: E501  # error: [AWL101]
            """
        )
        errors, revealed = expectations(source)
        assert errors == [
            Expected(1, "one"),
            Expected(2, "one"),
            Expected(2, "two"),
            Expected(3, "one", 'a "part"'),
            Expected(3, "two", "more"),
            Expected(4, "one", "text", 12),
            Expected(6, "AWL101"),
        ]
        assert revealed == [(5, "dict[str, int] | None")]

    def test_on_a_line_of_its_own(self) -> None:
        source = "# error: [one]\n\n# a comment\n    # error: [two]\nf()  # error: [three]\n"
        assert expectations(source)[0] == [Expected(5, "one"), Expected(5, "two"), Expected(5, "three")]

    @pytest.mark.parametrize("comment", ["", "one", "[one", "[one] and more", "x [one]", "[one] 'text'"])
    def test_refuses(self, comment: str) -> None:
        with pytest.raises(ValueError, match="line 1: write # error"):
            expectations(f"f()  # error: {comment}\n")

    def test_refuses_one_that_speaks_of_nothing(self) -> None:
        with pytest.raises(ValueError, match="no code follows"):
            expectations("f()\n# error: [one]\n")

    def test_are_taken_away(self) -> None:
        source = "# error: [one]\na()  # kept  # error: [two]\nreveal(b)  # revealed: int\n\n# c\nd()  \n"
        assert without_expectations(source) == "a()  # kept\nreveal(b)\n\n# c\nd()  \n"


class TestMismatches:
    CASE = "# Case\n```py\nfirst()  # error: [blocking-sleep]\nsecond()\n```\n"

    def test_none(self) -> None:
        assert mismatches(only(self.CASE), [diagnostic(1)]) == []

    def test_missed(self) -> None:
        assert mismatches(only(self.CASE), []) == [
            "missed      [blocking-sleep]",
            "     main.py:1 (some.md:3):  first()",
        ]

    def test_unexpected(self) -> None:
        assert mismatches(only(self.CASE), [diagnostic(1), diagnostic(2, 4)]) == [
            "unexpected  5 [blocking-sleep] `sleep` blocks",
            "     main.py:2 (some.md:4):  second()",
        ]

    def test_counts(self) -> None:
        assert len(mismatches(only(self.CASE), [diagnostic(1), diagnostic(1, 8)])) == 2
        twice = only(self.CASE.replace("[blocking-sleep]", "[blocking-sleep] [blocking-sleep]"))
        assert len(mismatches(twice, [diagnostic(1)])) == 2
        assert mismatches(twice, [diagnostic(1), diagnostic(1, 8)]) == []

    @pytest.mark.parametrize("wrong", ["[other]", '[blocking-sleep] "other"', "2 [blocking-sleep]"])
    def test_name_message_and_column_count(self, wrong: str) -> None:
        case = only(self.CASE.replace("[blocking-sleep]", wrong))
        assert len(mismatches(case, [diagnostic(1)])) == 4

    def test_the_most_exact_expectation_chooses_first(self) -> None:
        case = only(self.CASE.replace("[blocking-sleep]", "[blocking-sleep] 5 [blocking-sleep]"))
        assert mismatches(case, [diagnostic(1, 4), diagnostic(1, 9)]) == []

    def test_findings_in_other_files(self) -> None:
        assert mismatches(only(self.CASE), [diagnostic(1), diagnostic(1, path="other.py")]) == [
            "unexpected  other.py: 1 [blocking-sleep] `sleep` blocks"
        ]


class TestRewriting:
    def test_without_async(self) -> None:
        source = textwrap.dedent(
            """\
            import asyncio

            async  def main(x: "Awaitable[int]") -> None:
                async with a as b, (await c):
                    return await(d) + (await
                        asyncio.sleep(1)) + f"{await e} await"
                x = [await f async for f in g]  # await nothing
                awaiting = "await this"
            """
        )
        found = without_async(source)
        assert "async def" not in found
        assert 'def main(x: "Awaitable_[int]") -> None:' in found
        assert "    with a as b, (c):" in found
        assert "return (d) + (\n" in found
        assert "            asyncio_.sleep(1)" in found
        assert 'f"{e} ' in found
        assert "[f for f in g]  # await nothing" in found
        assert 'awaiting = "await this"' in found

    def test_with_noqa(self) -> None:
        source = textwrap.dedent(
            '''\
            f(  # error: [one]
                """text
            more""",

                1 + \\
                2,
            )  # a comment
            '''
        )
        assert with_noqa(source) == textwrap.dedent(
            '''\
            f(  # noqa
                """text
            more""",  # noqa

                1 + \\
                2,  # noqa
            )  # a comment  # noqa
            '''
        )


class TestProjects:
    """A wrong suite fails: the harness sees what the engine reports."""

    CODE = "# Case\n```py\nimport time\n\n\nasync def main():\n    time.sleep(1){}\n```\n"

    def test_right(self, tmp_path: Path) -> None:
        case = only(self.CODE.format("  # error: 5 [blocking-sleep]"))
        assert Project(case, tmp_path).differences() == []

    def test_wrong(self, tmp_path: Path) -> None:
        (what, where) = Project(only(self.CODE.format("")), tmp_path).differences()
        assert what.startswith("unexpected  5 [blocking-sleep]")
        assert where == "     main.py:5 (some.md:7):  time.sleep(1)"

    def test_selection(self, tmp_path: Path) -> None:
        case = only(self.CODE.format("").replace("# Case", "# Case\n<!-- select: AWL101 -->"))
        assert Project(case, tmp_path).differences() == []

    def test_fixes(self, tmp_path: Path) -> None:
        project = Project(only(self.CODE.format("  # error: [blocking-sleep]")), tmp_path)
        assert [each.name for each in project.fix(unsafe=False)] == ["blocking-sleep"]
        assert "await asyncio.sleep(1)" in project.read("main.py")
        assert project.diagnostics() == ()

    def test_reveal(self, tmp_path: Path) -> None:
        project = Project(only("# Case\n```py\nreveal(1)\n```\n"), tmp_path)
        assert project.revealed() == {"main.py": [(1, "int")]}
