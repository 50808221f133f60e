"""The output formats, compared as a whole."""

from __future__ import annotations

import io
import json
import random
import re
from pathlib import Path

import pytest

from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.model import Confidence, Diagnostic, Edit, Fix, Related, Safety, Severity, Span
from awaitlint.report.context import ReportContext, Sources
from awaitlint.report.diff import unified_diff
from awaitlint.report.formats import FORMATS, render
from awaitlint.report.style import Style
from awaitlint.report.summary import diff_summary, statistics, summary

ROOT = Path("/project")
TEXT = """\
import time

async def fetch():
    pass


async def main():
    fetch()
    time.sleep(1)
    message = "naïve 日本語"; fetch()
"""

DISCARDED = Diagnostic(
    "app/main.py",
    Span(8, 4, 8, 11),
    "AWL101",
    "unawaited-coroutine",
    "coroutine `fetch()` is never awaited: nothing runs",
    related=(
        Related("app/main.py", Span(3, 10, 3, 15), "`fetch` is `async def`"),
        Related("<stdlib asyncio>", None, "and so on"),
    ),
    fix=Fix("Add `await`", (Edit(Span(8, 4, 8, 4), "await "),), Safety.UNSAFE),
)
SLEEP = Diagnostic(
    "app/main.py",
    Span(9, 4, 9, 17),
    "AWL301",
    "blocking-sleep",
    "`time.sleep` blocks the event loop",
    severity=Severity.WARNING,
    confidence=Confidence.LIKELY,
    fix=Fix("Use `asyncio.sleep`", (Edit(Span(9, 4, 9, 14), "await asyncio.sleep"),), Safety.SAFE),
)
WIDE = Diagnostic("app/main.py", Span(10, 27, 10, 34), "AWL101", "unawaited-coroutine", "again")
UNREADABLE = Diagnostic("gone.py", Span(1, 0, 1, 0), "AWL901", "syntax-error", "cannot read the file")
ALL = [DISCARDED, SLEEP, WIDE, UNREADABLE]


def context(text: str = TEXT, *, colour=False, unsafe=False) -> ReportContext:
    path = ROOT / "app/main.py"
    sources = Sources(SourceStore({path: text.encode()}), [Target(path, "app/main.py")], cwd=ROOT)
    return ReportContext(sources, Style(enabled=colour), unsafe=unsafe)


def rendered(name: str, diagnostics=ALL, **options) -> str:
    return "".join(f"{line}\n" for line in render(name, diagnostics, context(**options)))


def test_concise():
    assert rendered("concise") == (
        "app/main.py:8:5: AWL101 coroutine `fetch()` is never awaited: nothing runs\n"
        "app/main.py:9:5: AWL301 [*] `time.sleep` blocks the event loop\n"
        "app/main.py:10:28: AWL101 again\n"
        "gone.py:1:1: AWL901 cannot read the file\n"
    )
    assert "AWL101 [*] coroutine" in rendered("concise", unsafe=True)


def test_full():
    assert (
        rendered("full")
        == """\
AWL101 coroutine `fetch()` is never awaited: nothing runs
  --> app/main.py:8:5
   |
 7 | async def main():
 8 |     fetch()
   |     ^^^^^^^
 9 |     time.sleep(1)
10 |     message = "naïve 日本語"; fetch()
   |
note: `fetch` is `async def`
  --> app/main.py:3:11
   |
 3 | async def fetch():
   |           ^^^^^
   |
note: and so on
  --> <stdlib asyncio>
help: Add `await` (unsafe fix)

AWL301 [*] `time.sleep` blocks the event loop
  --> app/main.py:9:5
   |
 7 | async def main():
 8 |     fetch()
 9 |     time.sleep(1)
   |     ^^^^^^^^^^^^^
10 |     message = "naïve 日本語"; fetch()
   |
help: Use `asyncio.sleep`

AWL101 again
  --> app/main.py:10:28
   |
 8 |     fetch()
 9 |     time.sleep(1)
10 |     message = "naïve 日本語"; fetch()
   |                               ^^^^^^^
   |

AWL901 cannot read the file
 --> gone.py:1:1

"""
    )


def test_grouped():
    assert rendered("grouped") == (
        "app/main.py:\n"
        "   8:5  AWL101 coroutine `fetch()` is never awaited: nothing runs\n"
        "   9:5  AWL301 [*] `time.sleep` blocks the event loop\n"
        "  10:28 AWL101 again\n"
        "\n"
        "gone.py:\n"
        "  1:1 AWL901 cannot read the file\n"
        "\n"
    )


DOCS = "https://github.com/awaitlint/awaitlint/blob/main/docs/rules"
RECORD = {
    "code": "AWL101",
    "confidence": "certain",
    "end_location": {"column": 12, "row": 8},
    "filename": "/project/app/main.py",
    "fix": {
        "applicability": "unsafe",
        "edits": [
            {
                "content": "await ",
                "end_location": {"column": 5, "row": 8},
                "location": {"column": 5, "row": 8},
            }
        ],
        "message": "Add `await`",
    },
    "location": {"column": 5, "row": 8},
    "message": "coroutine `fetch()` is never awaited: nothing runs",
    "name": "unawaited-coroutine",
    "noqa_row": 8,
    "related": [
        {
            "end_location": {"column": 16, "row": 3},
            "filename": "/project/app/main.py",
            "location": {"column": 11, "row": 3},
            "message": "`fetch` is `async def`",
        },
        {"end_location": None, "filename": "<stdlib asyncio>", "location": None, "message": "and so on"},
    ],
    "severity": "error",
    "url": f"{DOCS}/unawaited-coroutine.md",
}


def test_json():
    records = json.loads(rendered("json"))
    assert records[0] == RECORD
    assert [each["noqa_row"] for each in records] == [8, 9, 10, None]
    assert [each["severity"] for each in records] == ["error", "warning", "error", "error"]
    assert records[1]["confidence"] == "likely"
    assert records[1]["fix"]["applicability"] == "safe"
    assert records[2]["fix"] is None
    assert records[3]["filename"] == "/project/gone.py"
    assert rendered("json", []) == "[]\n"


def test_json_lines():
    lines = rendered("json-lines").splitlines()
    assert [json.loads(line) for line in lines] == json.loads(rendered("json"))
    assert rendered("json-lines", []) == ""


def test_the_noqa_of_a_multi_line_string_stands_at_its_end():
    text = 'f("""\n{x}\n""")\n'
    found = Diagnostic("app/main.py", Span(2, 1, 2, 2), "AWL101", "unawaited-coroutine", "m")
    assert json.loads(rendered("json", [found], text=text))[0]["noqa_row"] == 3


def test_github():
    assert rendered("github", ALL[:2]) == (
        "::error title=awaitlint (AWL101),file=/project/app/main.py,line=8,col=5,endLine=8,endColumn=12"
        "::app/main.py:8:5: AWL101 coroutine `fetch()` is never awaited: nothing runs"
        "%0A  note: `fetch` is `async def` (app/main.py:3)%0A  note: and so on (<stdlib asyncio>)"
        "%0A  help: Add `await`\n"
        "::warning title=awaitlint (AWL301),file=/project/app/main.py,line=9,col=5,endLine=9,endColumn=18"
        "::app/main.py:9:5: AWL301 `time.sleep` blocks the event loop%0A  help: Use `asyncio.sleep`\n"
    )


def test_github_escapes_what_would_end_a_command():
    found = Diagnostic("a,b:c%.py", Span(1, 0, 1, 1), "AWL101", "unawaited-coroutine", "100%\r\n::stop")
    (line,) = render("github", [found], context())
    assert "\n" not in line
    assert "file=/project/a%2Cb%3Ac%25.py," in line
    assert line.endswith("::a,b:c%25.py:1:1: AWL101 100%25%0D%0A::stop")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_stands_no_findings(name):
    text = rendered(name, [])
    if name == "sarif":
        (run,) = json.loads(text)["runs"]
        assert run["results"] == []
    else:
        assert text in ("", "[]\n")


@pytest.mark.parametrize("name", ["concise", "full", "grouped", "github"])
def test_text_of_the_checked_code_cannot_steer_the_terminal(name):
    text = "x = '\x1b[31m\u202e'  # \x07\n"
    found = Diagnostic(
        "app/main.py", Span(1, 0, 1, 1), "AWL101", "unawaited-coroutine", "`\u202e`\nnext",
        related=(Related("app/main.py", Span(1, 0, 1, 1), "so\tso\x07"),),
    )  # fmt: skip
    out = rendered(name, [found], text=text)
    if name != "github":
        assert not any(char in out for char in "\x1b\x07\u202e")
    if name in ("concise", "github"):
        assert out.count("\n") == 1


# -- colours


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "0"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_when_colours_are_used(stream, environ, expected):
    assert Style.of(stream, environ).enabled is expected


def test_colours_change_nothing_but_colours():
    for name in ("concise", "full", "grouped"):
        coloured = rendered(name, colour=True)
        assert "\x1b[1;91mAWL101\x1b[0m" in coloured
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == rendered(name)
    assert rendered("json", colour=True) == rendered("json")


# -- summary


@pytest.mark.parametrize(
    ("diagnostics", "options", "expected"),
    [
        ([], {}, ["All checks passed!"]),
        ([WIDE], {}, ["Found 1 error."]),
        (
            ALL,
            {},
            [
                "Found 4 errors.",
                "[*] 1 fixable with the --fix option (1 hidden fix can be enabled with --unsafe-fixes).",
            ],
        ),
        (ALL, {"unsafe": True}, ["Found 4 errors.", "[*] 2 fixable with the --fix option."]),
        (
            [DISCARDED, DISCARDED],
            {},
            [
                "Found 2 errors.",
                "No safe fixes available (2 hidden fixes can be enabled with --unsafe-fixes).",
            ],
        ),
        ([WIDE], {"fixed": 2}, ["Found 3 errors (2 fixed, 1 remaining)."]),
        ([], {"fixed": 1}, ["Found 1 error (1 fixed, 0 remaining)."]),
    ],
)
def test_summary(diagnostics, options, expected):
    fixed = options.pop("fixed", 0)
    assert list(summary(diagnostics, context(**options), fixed=fixed)) == expected


def test_summary_of_a_diff():
    assert diff_summary(2, 0) == "Would fix 2 errors."
    assert diff_summary(1, 1) == "Would fix 1 error (1 hidden fix can be enabled with --unsafe-fixes)."
    assert diff_summary(0, 0) == "No errors would be fixed."


def test_statistics():
    assert list(statistics(ALL, context(), as_json=False)) == [
        "2\tAWL101\t[ ] unawaited-coroutine",
        "1\tAWL301\t[*] blocking-sleep",
        "1\tAWL901\t[ ] syntax-error",
    ]
    assert list(statistics([WIDE] * 10, context(), as_json=False)) == ["10\tAWL101\tunawaited-coroutine"]
    assert list(statistics([], context(), as_json=False)) == []
    (text,) = statistics([SLEEP], context(), as_json=True)
    assert json.loads(text) == [{"code": "AWL301", "name": "blocking-sleep", "count": 1, "fixable_count": 1}]


def test_diff():
    assert list(unified_diff("a.py", "x\r\nold\nend", "x\r\nnew\nend", Style())) == [
        "--- a/a.py",
        "+++ b/a.py",
        "@@ -1,3 +1,3 @@",
        " x\r",
        "-old",
        "+new",
        " end",
        "\\ No newline at end of file",
        "",
    ]
    coloured = list(unified_diff("a.py", "old\n", "new\n", Style(enabled=True)))
    assert "\x1b[31m-old\x1b[0m" in coloured


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("a b/\u00e9\u65e5.py", "{}/a b/\u00e9\u65e5.py\t"),
        ("new\nline.py", '"{}/new\\nline.py"'),
        ('quo"te\\.py', '"{}/quo\\"te\\\\.py"'),
        ("\u00e9\x1b[1m.py", '"{}/\\303\\251\\033[1m.py"'),
        ("byte\udcff.py", '"{}/byte\\377.py"'),
    ],
)
def test_names_in_a_diff_are_quoted_as_git_does(name: str, quoted: str) -> None:
    lines = list(unified_diff(name, "a\n", "b\n", Style()))
    assert lines[:2] == [f"--- {quoted.format('a')}", f"+++ {quoted.format('b')}"]


def patched(before: str, lines: list[str]) -> str:
    """What a diff makes of a text, by its line numbers; the lines it speaks of have to be there."""
    old = before.split("\n")
    new: list[str] = []
    at = 0
    numbers = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
    for line in lines[2:-1]:
        match = numbers.fullmatch(line)
        if match is not None:
            first = int(match[1]) - (match[2] != "0")
            new += old[at:first]
            at = first
            assert len(new) == int(match[3]) - (match[4] != "0")
            continue
        if line[0] in " -":
            assert old[at] == line[1:]
            at += 1
        if line[0] in " +":
            new.append(line[1:])
    return "\n".join(new + old[at:])


@pytest.mark.parametrize("seed", range(60))
def test_a_diff_makes_the_one_text_into_the_other(seed: int) -> None:
    chance = random.Random(seed)
    before = [f"{chance.choice('abcd')}" for _ in range(chance.randrange(60))]
    after = list(before)
    for _ in range(chance.randrange(1, 12)):
        at = chance.randrange(len(after) + 1)
        after[at : at + chance.randrange(3)] = [chance.choice("abxyz")] * chance.randrange(3)
    texts = ["".join(f"{line}\n" for line in lines) for lines in (before, after)]
    lines = list(unified_diff("a.py", *texts, Style()))
    assert (lines == [""]) == (texts[0] == texts[1])
    if lines != [""]:
        assert lines[:2] == ["--- a/a.py", "+++ b/a.py"]
        assert patched(texts[0], lines) == texts[1]


def test_a_diff_of_many_like_lines_leaves_out_what_is_alike() -> None:
    before = "import time\n" + "if x:\n    f()\n" * 3000
    after = "import asyncio\n" + before.replace("f()", "await f()", 1)
    lines = list(unified_diff("a.py", before, after, Style()))
    assert lines[2:] == [
        *("@@ -1,6 +1,7 @@", "+import asyncio", " import time", " if x:", "-    f()", "+    await f()"),
        *(" if x:", "     f()", " if x:", ""),
    ]
