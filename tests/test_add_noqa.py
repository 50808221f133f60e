"""``--add-noqa``: every finding gets a comment that silences it, and the code stays what it was."""

from __future__ import annotations

import ast
import functools
import sys
from pathlib import Path

import pytest
from mdtest import suite_cases, without_expectations
from real_cli import RealCommandLine

from awaitlint.config.load import SettingsCache
from awaitlint.engine import noqa as noqa_module
from awaitlint.engine.noqa import NoqaResult, add_noqa, with_noqa
from awaitlint.engine.options import Options
from awaitlint.engine.run import run
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore, decode

HEAD = "import asyncio, time\nasync def f(*a): ...\nasync def main():\n"
OPTIONS = Options(cache=False)


def target(root: Path, data: bytes | str, name: str = "a.py") -> Target:
    (root / ".git").mkdir(exist_ok=True)
    path = root / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return Target(path, name)


def settings(**overrides: object) -> SettingsCache:
    return SettingsCache(overrides=overrides)


def codes(*targets: Target, **overrides: object) -> list[str]:
    result = run(targets, settings(**overrides), SourceStore(), options=OPTIONS)
    assert not result.internal_errors
    return [each.code for each in result.diagnostics]


def add(*targets: Target, write: bool = True, **overrides: object) -> NoqaResult:
    return add_noqa(targets, settings(**overrides), SourceStore(), write=write, options=OPTIONS)


def added(root: Path, body: str, **overrides: object) -> str:
    """The body after comments were added to it; the code is the same and nothing is reported any more."""
    file = target(root, HEAD + body)
    before = codes(file, **overrides)
    assert before
    outcome = add(file, **overrides)
    assert outcome.silenced == len(before)
    assert codes(file, **overrides) == []
    text = decode(file.path.read_bytes()).text
    assert ast.dump(ast.parse(text), include_attributes=True) == ast.dump(
        ast.parse(HEAD + body), include_attributes=True
    )
    assert add(file, **overrides).changed == []
    return text.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    f()\n", "    f()  # noqa: AWL101\n"),
        ("    f()", "    f()  # noqa: AWL101"),
        ("    f() \t\n", "    f()  # noqa: AWL101\n"),
        ("    f()  # why\n", "    f()  # why  # noqa: AWL101\n"),
        ("    f()  # type: ignore\n", "    f()  # type: ignore  # noqa: AWL101\n"),
        ("    f(); time.sleep(1)\n", "    f(); time.sleep(1)  # noqa: AWL101, AWL301\n"),
        ("    f(); f()\n", "    f(); f()  # noqa: AWL101\n"),
        # comments that are there already
        ("    f()  # noqa: E501\n", "    f()  # noqa: E501, AWL101\n"),
        ("    f()  # noqa:E501,W291\n", "    f()  # noqa:E501,W291,AWL101\n"),
        ("    f()  # noqa: E501 it is long\n", "    f()  # noqa: E501, AWL101 it is long\n"),
        ("    f()  # NOQA: AWL301  # and more\n", "    f()  # NOQA: AWL301, AWL101  # and more\n"),
        (
            "    f(); time.sleep(1)  # noqa: AWL101\n",
            "    f(); time.sleep(1)  # noqa: AWL101, AWL301\n",
        ),
        (
            "    f()  # awaitlint: ignore[AWL301]\n",
            "    f()  # awaitlint: ignore[AWL301]  # noqa: AWL101\n",
        ),
        ("    f()  # type: ignore[misc]\n", "    f()  # type: ignore[misc]  # noqa: AWL101\n"),
        # statements of several lines
        ("    f(\n        1,\n    )\n", "    f(  # noqa: AWL101\n        1,\n    )\n"),
        (
            "    print(\n        1,\n        f() + 1,\n    )\n",
            "    print(\n        1,\n        f() + 1,  # noqa: AWL104\n    )\n",
        ),
        (
            "    x = 1 + \\\n        f() + \\\n        2\n",
            "    x = 1 + \\\n        f() + \\\n        2  # noqa: AWL104\n",
        ),
        (
            "    if f() \\\n            and x():\n        pass\n",
            "    if f() \\\n            and x():  # noqa: AWL103\n        pass\n",
        ),
        # strings of several lines
        ('    f("""\n    # noqa\n    """)\n', '    f("""\n    # noqa\n    """)  # noqa: AWL101\n'),
        (
            '    f("""\n    """,\n      2)\n',
            '    f("""\n    """,  # noqa: AWL101\n      2)\n',
        ),
        ("    x = '''\n    ''' + f()\n", "    x = '''\n    ''' + f()  # noqa: AWL104\n"),
        (
            '    x = f"""\n    {f()}\n    {f()}\n    """\n',
            '    x = f"""\n    {f()}\n    {f()}\n    """  # noqa: AWL104\n',
        ),
        ("    x = 'a\\\n    b' + f()\n", "    x = 'a\\\n    b' + f()  # noqa: AWL104\n"),
        # blocks and decorators
        ("    while f(): pass\n", "    while f(): pass  # noqa: AWL103\n"),
        ("\x0c    f()\n", "\x0c    f()  # noqa: AWL101\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_comments_are_put_where_they_count(tmp_path, body, expected, newline):
    def changed(text: str) -> str:
        return text.replace("\n", newline)

    file = target(tmp_path, changed(HEAD + body))
    outcome = add(file)
    assert outcome.errors == []
    assert file.path.read_bytes().decode() == changed(HEAD + expected)
    assert codes(file) == []
    assert added(tmp_path, body) == expected


@pytest.mark.skipif(sys.version_info < (3, 12), reason="one token before")
def test_no_comment_is_put_into_a_string_that_holds_code(tmp_path):
    """Python 3.12 would allow it, older ones would not."""
    body = '    x = f"""{\n        f()\n    }"""\n    y = f"{\n        f()\n    }"\n'
    assert added(tmp_path, body) == body.replace('}"""', '}"""  # noqa: AWL104').replace(
        '}"\n', '}"  # noqa: AWL104\n'
    )


@pytest.mark.parametrize("cookie", ["latin-1", "shift_jis", "utf-8", "koi8-r"])
def test_the_encoding_stays(tmp_path, cookie):
    text = f"# coding: {cookie}\r\n{HEAD}    f()  # {{}}\r\n    x = '\xa7'"
    data = text.format("\xa7").encode(cookie, "backslashreplace")
    file = target(tmp_path, data)
    add(file)
    assert file.path.read_bytes() == text.format("\xa7  # noqa: AWL101").encode(cookie, "backslashreplace")


def test_a_byte_order_mark_stays(tmp_path):
    file = target(tmp_path, b"\xef\xbb\xbf" + HEAD.encode() + b"    f()\n")
    add(file)
    assert file.path.read_bytes() == b"\xef\xbb\xbf" + HEAD.encode() + b"    f()  # noqa: AWL101\n"


def test_what_cannot_be_written_back_is_left_alone_and_reported(tmp_path):
    data = f"# coding: utf-7\n{HEAD}    f()\nx = '+AGE-'".encode()
    file = target(tmp_path, data)
    outcome = add(file)
    assert [each.code for each in outcome.result.diagnostics] == ["AWL101"]
    assert (outcome.changed, outcome.lines, outcome.silenced) == ([], 0, 0)
    assert file.path.read_bytes() == data


def test_a_file_that_cannot_be_parsed_gets_no_comment(tmp_path):
    broken, fine = target(tmp_path, "def f(:\n"), target(tmp_path, HEAD + "    f()\n", "b.py")
    outcome = add(broken, fine)
    assert [each.code for each in outcome.result.diagnostics] == ["AWL901"]
    assert [each[0] for each in outcome.changed] == [fine]
    assert broken.path.read_text() == "def f(:\n"


def test_a_comment_that_is_not_needed_gets_no_other(tmp_path):
    body = "    f()\n    pass  # noqa: AWL301\n"
    file = target(tmp_path, HEAD + body)
    outcome = add(file, **{"extend-select": ["AWL900"]})
    assert [each.code for each in outcome.result.diagnostics] == ["AWL900"]
    assert file.path.read_text() == HEAD + body.replace("f()", "f()  # noqa: AWL101")


def test_what_stands_for_others_is_silenced_with_all_of_them(tmp_path):
    """Of findings with one root cause one is shown, and another where that is silenced."""
    helper = target(tmp_path, "import time\ndef helper():\n    time.sleep(1)\n", "helper.py")
    calls = "from helper import helper\nasync def main():\n    helper()\n"
    files = [helper, *(target(tmp_path, calls, f"calls{number}.py") for number in range(12))]
    assert len(codes(*files)) == 1
    outcome = add(*files)
    assert codes(*files) == []
    assert outcome.lines == 12 == outcome.silenced
    assert files[1].path.read_text() == calls.replace("helper()", "helper()  # noqa: AWL308")
    assert helper.path.read_text().count("noqa") == 0


def test_only_what_is_selected(tmp_path):
    assert (
        added(tmp_path, "    f(); time.sleep(1)\n", select=["AWL3"])
        == "    f(); time.sleep(1)  # noqa: AWL301\n"
    )


def test_nothing_is_written_where_only_the_difference_is_wanted(tmp_path):
    file = target(tmp_path, HEAD + "    f()\n")
    outcome = add(file, write=False)
    assert outcome.changed == [(file, HEAD + "    f()\n", HEAD + "    f()  # noqa: AWL101\n")]
    assert file.path.read_text() == HEAD + "    f()\n"


def test_a_file_that_changes_meanwhile_keeps_the_change(tmp_path, monkeypatch):
    file = target(tmp_path, HEAD + "    f()\n")

    def meddled(*args, **options):
        result = run(*args, **options)
        file.path.write_text("pass\n")
        return result

    monkeypatch.setattr(noqa_module, "run", meddled)
    outcome = add(file)
    assert [each.reason for each in outcome.errors] == ["it was changed while it was checked"]
    assert file.path.read_text() == "pass\n"
    assert (outcome.lines, outcome.silenced, outcome.changed) == (0, 0, [])


def test_codes_that_are_named_already_are_not_named_again():
    assert with_noqa("f()  # noqa: AWL101\n", {1: ["AWL101", "AWL301"]}) == "f()  # noqa: AWL101, AWL301\n"


def test_every_fixture_can_be_silenced(tmp_path):
    """Whatever the suites of the rules hold: the tree stays, and a second run is silent."""
    count = 0
    for number, case in enumerate(suite_cases()):
        if not case.suite.startswith("rules/") or case.syntax is not None or not case.compiles:
            continue
        root = tmp_path / str(number)
        root.mkdir()
        files = []
        for source in case.files:
            path = root / source.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(without_expectations(source.text) if source.is_python else source.text)
            if source.is_python:
                files.append(Target(path, source.path))
        (root / ".git").mkdir()
        texts = {file: file.path.read_text() for file in files}
        outcome = add(*files)
        assert not outcome.errors
        if not outcome.changed:
            continue
        count += 1
        assert set(codes(*files)) <= {"AWL901"}, case.id
        for file, text in texts.items():
            assert ast.dump(ast.parse(file.path.read_text())) == ast.dump(ast.parse(text)), case.id
    assert count > 200


# -- the command line


@pytest.fixture
def command(tmp_path, monkeypatch, capsysbinary):
    return functools.partial(RealCommandLine(monkeypatch, capsysbinary), tmp_path)


def test_on_the_command_line(tmp_path, command):
    body = "    f(); time.sleep(1)\n    f()\n"
    file = target(tmp_path, HEAD + body)
    shown = command("--add-noqa", "--diff")
    assert (shown.returncode, file.path.read_text()) == (1, HEAD + body)
    assert "+    f()  # noqa: AWL101\n" in shown.stdout
    assert shown.stderr == "Would add noqa comments to 2 lines for 3 errors.\n"
    done = command("--add-noqa")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Added noqa comments to 2 lines for 3 errors.\n"
    again = command("--add-noqa")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "No noqa comments to add.\n")
    assert command().returncode == 0
    assert command("--add-noqa", "--diff", "-q").stderr == ""


def test_what_is_left_is_reported(tmp_path, command):
    target(tmp_path, "def f(:\n", "broken.py")
    target(tmp_path, HEAD + "    f()\n")
    done = command("--add-noqa", "--output-format", "concise")
    assert (done.returncode, done.stdout.splitlines()[0][:13]) == (1, "broken.py:1:7")
    assert done.stderr == "Added noqa comments to 1 line for 1 error.\n"
    assert command("--add-noqa", "--exit-zero").returncode == 0


def test_a_configured_fix_is_not_applied(tmp_path, command):
    (tmp_path / "awaitlint.toml").write_text("fix = true\nunsafe-fixes = true\n")
    file = target(tmp_path, HEAD + "    f()\n")
    assert command("--add-noqa").returncode == 0
    assert file.path.read_text() == HEAD + "    f()  # noqa: AWL101\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("-",), "--add-noqa changes files, and standard input is none"),
        (("--stdin-filename", "a.py"), "--add-noqa changes files, and standard input is none"),
        (("--fix",), "--add-noqa and --fix exclude each other"),
        (("--statistics",), "--add-noqa and --statistics exclude each other"),
        (("--explain", "a.py:1"), "--add-noqa and --explain exclude each other"),
        (
            ("--baseline", "x.json", "--update-baseline"),
            "--add-noqa and --update-baseline exclude each other",
        ),
    ],
)
def test_what_does_not_go_together(tmp_path, command, arguments, reason):
    file = target(tmp_path, HEAD + "    f()\n")
    done = command("--add-noqa", *arguments, stdin="")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {reason}\n")
    assert file.path.read_text() == HEAD + "    f()\n"
