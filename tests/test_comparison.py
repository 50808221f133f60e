"""The marked lines of the comparison: awaitlint is held to them, and the page to what the tools say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from awaitlint.rulekit.registry import all_rules
from benchmarks.comparison import __main__ as comparison
from benchmarks.comparison import peers, said
from benchmarks.comparison.marks import Kind, Mark, MarkError, read
from benchmarks.comparison.matters import BY_RULE, MATTERS
from benchmarks.comparison.said import Said
from benchmarks.comparison.scoring import Tally, awaitlint_names, peer_names, score
from benchmarks.tools import Diagnostic

#: these rules are about files and comments, not about lines of code
LINTER = {"AWL900", "AWL901"}
#: bugs that a rule is known to miss
MISSED = {
    # plain methods whose own source has nothing that may wait: those of caches that are dicts look the same
    ("assistant/chat.py", 12),
    ("assistant/chat.py", 13),
}


@pytest.fixture(scope="module")
def marked():
    return read()


@pytest.fixture(scope="module")
def tree(marked, tmp_path_factory) -> Path:
    tree = tmp_path_factory.mktemp("comparison") / "tree"
    marked.write(tree)
    return tree


@pytest.fixture(scope="module")
def diagnostics(tree) -> tuple[Diagnostic, ...]:
    return comparison.awaitlint_says(tree)


@pytest.fixture(scope="module")
def rules():
    return {rule.code: rule for rule in all_rules()}


def test_every_rule_has_bugs_and_look_alikes(marked, rules):
    counts = Counter((mark.rule, mark.kind) for mark in marked.marks)
    assert {rule for rule, _ in counts} == set(BY_RULE)
    assert [key for key, count in counts.items() if count < 2] == []
    known = {(code, rule.name) for code, rule in rules.items() if code not in LINTER}
    assert known <= {(matter.code, matter.rule) for matter in MATTERS}


def test_awaitlint_finds_the_bugs_by_their_rules_and_flags_no_look_alike(marked, diagnostics, rules):
    result = score(marked, diagnostics, awaitlint_names, tool="awaitlint")
    missed = {(mark.file, mark.line) for mark in result.missed if BY_RULE[mark.rule].code in rules}
    assert missed == MISSED
    assert result.flagged == ()


def test_awaitlint_reports_no_other_line_by_default(marked, diagnostics, rules):
    lines = {(mark.file, line) for mark in marked.marks if mark.kind is Kind.BUG for line in mark.lines}
    others = [each for each in diagnostics if (each.file, each.line) not in lines]
    assert [each for each in others if rules[each.code].default] == []


def test_the_page_is_what_the_tools_say(marked, tree):
    assert comparison.PAGE.read_text(encoding="utf-8") == comparison.make_page(marked, tree)


@pytest.mark.parametrize("tool", [tool.name for tool in peers.tools(())])
def test_the_other_tools_were_asked_about_these_lines(marked, tool):
    conditions = (False, True) if tool in peers.WITH_DEPENDENCIES else (False,)
    for dependencies in conditions:
        kept = said.load(tool, dependencies=dependencies)
        assert kept is not None, "make comparison BENCH_ARGS='--peers DIR --with-dependencies'"
        assert kept.fingerprint == marked.fingerprint


def test_the_versions_are_those_of_the_list():
    listed = (comparison.REQUIREMENTS.parents[1] / "peers.txt").read_text().split()
    names = {"hydroid": "hydroid-cli"}
    for tool in peers.tools(()):
        kept = said.load(tool.name, dependencies=False)
        assert kept is not None
        assert f"{names.get(tool.name, tool.name)}=={kept.version}" in listed


# How the documents are read.


def documents(tmp_path, text: str):
    (tmp_path / "lines.md").write_text(f"# Lines\n\n`app/main.py`:\n\n```py\n{text}```\n")
    return read(tmp_path)


def test_marks_are_cut_off(tmp_path):
    marked = documents(
        tmp_path, "import a  # fine: blocking-sleep\n# bug: is no mark here\nb()  # bug: x y\n"
    )
    assert marked.files == {"app/main.py": "import a\n# bug: is no mark here\nb()  # bug: x y\n"}
    assert marked.marks == (Mark(Kind.FINE, "blocking-sleep", "app/main.py", 1, frozenset({1})),)


def test_a_mark_is_about_the_statement_or_its_header(tmp_path):
    text = """\
@decorator  # bug: a
async def f(
    x,
):
    y = g(
        x,  # bug: b
    )
    try:
        pass
    except E:  # bug: c
        pass
    if x:
        return y  # bug: d
    while (  # fine: e
        y
    ):
        pass
"""
    marks = documents(tmp_path, text).marks
    assert [(mark.rule, sorted(mark.lines)) for mark in marks] == [
        ("a", [1, 2, 3, 4]),
        ("b", [5, 6, 7]),
        ("c", [10]),
        ("d", [13]),
        ("e", [14, 15, 16]),
    ]


def test_also_is_another_place_of_the_bug_above(tmp_path):
    (mark,) = documents(tmp_path, "if a:  # bug: x\n    a = b  # also: x\n").marks
    assert (mark.line, mark.lines) == (1, {1, 2})


@pytest.mark.parametrize(
    "text",
    [
        "a()  # also: x\n",
        "a()  # fine: x\nb()  # also: x\n",
        "a()  # bug: y\nb()  # also: x\n",
        "a(  # bug: x\nb)  # bug: x\n",
        "a()\n  # bug: x\n",
    ],
)
def test_marks_that_cannot_be(tmp_path, text):
    with pytest.raises(MarkError):
        documents(tmp_path, text)


def test_a_file_is_in_one_place(tmp_path):
    (tmp_path / "other.md").write_text("`app/main.py`:\n\n```py\n```\n")
    with pytest.raises(MarkError):
        documents(tmp_path, "a()\n")


def test_the_fingerprint_changes_with_code_and_places(tmp_path):
    prints = {
        documents(tmp_path, text).fingerprint
        for text in ("a()\nb()\n", "a()\nc()\n", "a()  # bug: x\nb()\n", "a()\nb()  # bug: x\n")
    }
    assert len(prints) == 4


# What counts.


def test_the_score(tmp_path):
    calls = {"a": "bug", "b": "bug", "c": "fine", "d": "bug"}
    text = "".join(f"{name}()  # {kind}: blocking-sleep\n" for name, kind in calls.items())
    marked = documents(tmp_path, text)
    rows = [(1, "CH001", "blocks the event loop"), (2, "X1", "a line too long"), (3, "X2", "stops the loop")]
    result = score(marked, [Diagnostic("app/main.py", *row) for row in rows], peer_names, tool="t")
    assert result.tallies[Kind.BUG, "blocking-sleep"] == Tally(1, 1, 3)
    assert result.sum(Kind.FINE, ["blocking-sleep", "another"]) == Tally(1, 0, 1)
    assert [mark.line for mark in result.missed] == [2, 4]
    assert [mark.line for mark in result.flagged] == [3]


def test_awaitlint_has_to_report_the_right_rule(tmp_path):
    marked = documents(tmp_path, "a()  # bug: blocking-sleep\nb()  # fine: blocking-sleep\n")
    wrong = [Diagnostic("app/main.py", line, "AWL302", "m") for line in (1, 2)]
    result = score(marked, wrong, awaitlint_names, tool="awaitlint")
    assert [mark.line for mark in (*result.missed, *result.flagged)] == [1, 2]


@pytest.mark.parametrize(
    ("rule", "code", "message", "named"),
    [
        (
            "unawaited-coroutine",
            "unused-coroutine",
            'Value of type "Coroutine[Any, Any, int]" must be used',
            True,
        ),
        ("unawaited-coroutine", "W0106", "expression-not-assigned: assigned to nothing", False),
        ("unawaited-coroutine", "reportUnknownMemberType", 'Type of "f" is "CoroutineType"', False),
        ("uncalled-async-function", "reportUnusedCallResult", 'of type "Task[None]" is not used', False),
        ("uncalled-async-function", "arg-type", 'incompatible type "Callable[[], Coroutine[…]]"', True),
        ("dangling-task", "RUF006", "Store a reference to the return value", True),
        ("needless-async", "ASYNC910", "exit from async function with no checkpoint", False),
    ],
)
def test_what_names_the_matter(rule, code, message, named):
    assert BY_RULE[rule].is_named(Diagnostic("a.py", 1, code, message)) == named


def test_what_is_kept(marked, tmp_path):
    mark = marked.marks[0]
    twice = [Diagnostic(mark.file, mark.line, "c", "a\tlong " + "message" * 100)] * 2
    found = said.on_marks([*twice, Diagnostic(mark.file, 0, "c", "m")], marked)
    assert len(found) == 1
    said.save(Said("tool", "1.0", True, "print", found), tmp_path)
    kept = said.load("tool", dependencies=True, directory=tmp_path)
    assert kept == Said(
        "tool",
        "1.0",
        True,
        "print",
        (Diagnostic(mark.file, mark.line, "c", f"a long {'message' * 100}"[:200]),),
    )
    assert said.load("tool", dependencies=False, directory=tmp_path) is None


SINK = {"qualname": "time.sleep", "category": "sleep", "advice": "do not"}
PLACE = {"path": "a.py", "line": 3}
PYLINT = [{**PLACE, "message-id": "W1", "symbol": "s", "message": "m"}]
CODEHOUND = [{**PLACE, "code": "CH001", "message": "m"}]
HYDROID = {"diagnostics": [{"location": PLACE, "sink": SINK}]}
PYRIGHT = [
    {"file": "a.py", "severity": severity, "message": "m", "rule": "r", "range": {"start": {"line": 2}}}
    for severity in ("warning", "information")
]


@pytest.mark.parametrize(
    ("tool", "output", "row"),
    [
        ("flake8-async", "a.py:3:5: ASYNC300 not saved\n", ("a.py", 3, "ASYNC300", "not saved")),
        ("pylint", json.dumps(PYLINT), ("a.py", 3, "W1", "s: m")),
        ("codehound", json.dumps(CODEHOUND), ("a.py", 3, "CH001", "m")),
        ("hydroid", json.dumps(HYDROID), ("a.py", 3, "sleep", "time.sleep blocks: do not")),
        ("basedpyright", json.dumps({"generalDiagnostics": PYRIGHT}), ("a.py", 3, "r", "m")),
    ],
)
def test_what_the_tools_print(tool, output, row):
    (reader,) = [each.rows for each in peers.tools(()) if each.name == tool]
    assert list(reader(output)) == [row]
