"""The command line: what is written where, and the exit codes.

The engine is the one of `stand_in`, so that outputs can be compared as a whole; `test_cli_real` runs the real
thing.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from stand_in import CommandLine, Outcome, install, write

from awaitlint.cli.arguments import SHARED
from awaitlint.cli.output import Progress
from awaitlint.cli.version import version_line
from awaitlint.config.options import BY_KEY
from awaitlint.engine.fixes import FixError
from awaitlint.engine.options import Options


@pytest.fixture
def engine(monkeypatch):
    return install(monkeypatch)


@pytest.fixture
def cli(engine, tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, capsysbinary)


# -- findings


def test_a_clean_project(cli):
    write("a.py", "pass\n")
    assert cli("check") == Outcome(0, "All checks passed!\n", "")


def test_findings(cli):
    write("app/a.py", "x = 1\nsleep(1)\n")
    write("app/b.py", "fetch()\n")
    assert cli("check", "app") == Outcome(
        1,
        """\
AWL301 [*] `sleep()` is not awaited
 --> app/a.py:2:1
  |
1 | x = 1
2 | sleep(1)
  | ^^^^^^^
  |
help: Await it

AWL101 `fetch()` is not awaited
 --> app/b.py:1:1
  |
1 | fetch()
  | ^^^^^^^
  |
help: Add `await` (unsafe fix)

Found 2 errors.
[*] 1 fixable with the --fix option (1 hidden fix can be enabled with --unsafe-fixes).
""",
        "",
    )


def test_quiet_statistics_and_exit_zero(cli):
    write("a.py", "sleep(1)\nsleep(2)\nfetch()\n")
    concise = ("check", "--output-format", "concise")
    assert cli(*concise, "-q").out.count("\n") == 3
    assert cli("check", "--statistics", "-q") == Outcome(
        1, "2\tAWL301\t[*] blocking-sleep\n1\tAWL101\t[ ] unawaited-coroutine\n", ""
    )
    assert json.loads(cli("check", "--statistics", "--output-format", "json").out)[0]["count"] == 2
    assert cli("check", "--exit-zero").code == 0
    assert cli("check", "--exit-zero", "--select", "AWL9").code == 2


def test_machines_get_no_summary(cli):
    write("a.py", "sleep(1)\n")
    outcome = cli("check", "--output-format", "json")
    (record,) = json.loads(outcome.out)
    assert record["filename"] == str(Path("a.py").absolute())
    assert (outcome.code, outcome.err) == (1, "")
    assert cli("check", "--output-format", "github").out.count("\n") == 1


def test_options_go_on_top_of_the_configuration(cli):
    write("awaitlint.toml", 'output-format = "concise"\nselect = ["AWL3"]\nunsafe-fixes = true\n')
    write("a.py", "sleep(1)\nfetch()\n")
    line = "a.py:{}:1: {} [*] `{}()` is not awaited\n"
    sleep, fetch = line.format(1, "AWL301", "sleep"), line.format(2, "AWL101", "fetch")
    assert cli("check", "-q").out == sleep
    assert cli("check", "-q", "--select", "AWL1,AWL3").out == sleep + fetch
    assert cli("check", "-q", "--extend-select", "unawaited-coroutine").out == sleep + fetch
    assert cli("check", "-q", "--ignore", "AWL301").out == ""
    assert cli("check", "-q", "--no-unsafe-fixes", "--select", "AWL1").out == fetch.replace(" [*]", "")
    assert cli("check", "-q", "--per-file-ignores", "b.py:AWL3,a.py:AWL1,AWL3").out == ""
    assert cli("check", "-q", "--extend-exclude", "a.py", "--extend-exclude", "b.py").out == ""
    assert cli("check", "-q", "--isolated").out.startswith("AWL301 [*] `sleep()`")
    write("other.toml", 'output-format = "concise"\nignore = ["AWL3"]\n')
    assert cli("check", "-q", "--config", "other.toml").out == fetch.replace(" [*]", "")


def test_nothing_to_check_is_worth_a_warning(cli):
    Path("empty").mkdir()
    assert cli("check", "empty") == Outcome(
        0, "All checks passed!\n", "warning: no Python files found under the given paths\n"
    )
    assert cli("check", "empty", "-q") == Outcome(0, "", "")


def test_switches_reach_the_engine(cli, engine):
    write("a.py", "")
    cli("check")
    cli("check", "--no-sieve", "--no-cache")
    cli("check", "--isolated")
    assert [options for _, options in engine.calls] == [
        Options(),
        Options(sieve=False, cache=False),
        Options(isolated=True),
    ]
    assert "--no-sieve" not in cli("check", "--help").out


def test_verbose_tells_the_configuration_and_the_times(cli):
    config = write("awaitlint.toml", "").absolute()
    write("a.py", "")
    lines = cli("check", "-v").err.splitlines()
    assert lines[0] == f"{version_line()}, Python {sys.version.split()[0]}"
    assert lines[1] == f"configuration: {config}, root: {config.parent}, files: 1"
    assert lines[2] == "environment: none"
    assert re.fullmatch(r"found 1 file in \d+\.\d{3} s", lines[3])
    assert re.fullmatch(r"done after \d+\.\d{3} s", lines[4])


# -- fixing


def test_fix_writes_the_file_and_reports_what_remains(cli):
    path = write("a.py", "sleep(1)\r\nfetch()\r\n")
    outcome = cli("check", "--fix", "--output-format", "concise")
    assert path.read_bytes() == b"await sleep(1)\r\nfetch()\r\n"
    assert outcome == Outcome(
        1,
        "a.py:2:1: AWL101 `fetch()` is not awaited\n"
        "Found 2 errors (1 fixed, 1 remaining).\n"
        "No safe fixes available (1 hidden fix can be enabled with --unsafe-fixes).\n",
        "",
    )
    assert cli("check", "--fix", "--unsafe-fixes").out == "Found 1 error (1 fixed, 0 remaining).\n"
    assert path.read_bytes() == b"await sleep(1)\r\nawait fetch()\r\n"
    assert cli("check", "--fix") == Outcome(0, "All checks passed!\n", "")


def test_diff_changes_nothing(cli):
    path = write("a.py", "sleep(1)\nfetch()\n")
    assert cli("check", "--diff") == Outcome(
        1,
        "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-sleep(1)\n+await sleep(1)\n fetch()\n\n",
        "Would fix 1 error (1 hidden fix can be enabled with --unsafe-fixes).\n",
    )
    assert cli("check", "--diff", "--fix", "--unsafe-fixes", "-q").out.count("+await") == 2
    assert path.read_text() == "sleep(1)\nfetch()\n"
    assert cli("check", "--diff", "--select", "AWL1").code == 0
    assert cli("check", "--diff", "--exit-zero").code == 0


def test_a_file_that_cannot_be_written_fails_the_run(cli, engine):
    write("a.py", "fetch()\n")
    engine.fix_errors = [FixError(Path("a.py").absolute(), "no space left on device")]
    outcome = cli("check", "--fix", "-q", "--output-format", "concise")
    assert outcome == Outcome(
        2,
        "a.py:1:1: AWL101 `fetch()` is not awaited\n",
        "error: a.py: cannot write the fixed file: no space left on device\n",
    )


# -- standard input


def test_standard_input(cli):
    text = b"x\nsleep(1)\n"
    assert cli("check", "-", "--output-format", "concise", "-q", stdin=text) == Outcome(
        1, "-:2:1: AWL301 [*] `sleep()` is not awaited\n", ""
    )
    named = cli("check", "--stdin-filename", "pkg/a.py", "-", "-q", stdin=text)
    assert named.out.splitlines()[1:5] == [" --> pkg/a.py:2:1", "  |", "1 | x", "2 | sleep(1)"]


def test_standard_input_has_the_settings_of_its_file(cli):
    write("pkg/awaitlint.toml", 'ignore = ["ALL"]\n')
    arguments = ("check", "-q", "--stdin-filename")
    assert cli(*arguments, "pkg/a.py", stdin=b"sleep(1)\n").code == 0
    assert cli(*arguments, "a.py", stdin=b"sleep(1)\n").code == 1
    assert cli(*arguments, "build/a.py", "--force-exclude", stdin=b"sleep(1)\n") == Outcome(0, "", "")


def test_standard_input_is_fixed_on_standard_output(cli):
    text = "# coding: latin-1\r\nsleep('é')\r\nfetch()\r\n".encode("latin-1")
    done = cli("check", "--fix", "-", stdin=text)
    assert done.code == 1
    assert done.out.encode(errors="surrogateescape") == text.replace(b"sleep", b"await sleep")
    assert "Found 2 errors (1 fixed, 1 remaining)." in done.err
    assert "3 | fetch()" in done.err
    unchanged = cli("check", "--fix", "-q", "-", stdin=b"pass")
    assert unchanged == Outcome(0, "pass", "")
    excluded = cli(
        "check", "--fix", "-q", "--force-exclude", "--stdin-filename=build/a.py", stdin=b"sleep(1)"
    )
    assert excluded == Outcome(0, "sleep(1)", "")


def test_standard_input_as_a_diff(cli):
    outcome = cli("check", "--diff", "--stdin-filename", "a.py", "-", stdin=b"sleep(1)")
    assert outcome.code == 1
    assert outcome.out.splitlines()[2:] == [
        "@@ -1 +1 @@", "-sleep(1)", "\\ No newline at end of file",
        "+await sleep(1)", "\\ No newline at end of file", "",
    ]  # fmt: skip
    assert not Path("a.py").exists()


# -- other commands


def test_rule(cli):
    first = "# AWL101 unawaited-coroutine\n\nNobody awaits. On by default; fixes: unsafe.\n\n"
    page = first + "# unawaited-coroutine\n\nnobody awaits\n"
    assert cli("rule", "AWL101") == Outcome(0, page, "")
    for spelled in ("awl101", "101", "unawaited-coroutine", "Unawaited_Coroutine", "AWL1"):
        assert cli("rule", spelled).out == page
    second = "# AWL301 blocking-sleep\n\nIt sleeps. On by default; fixes: safe.\n\n"
    assert cli("rule", "--all").out == f"{page}\n{second}# blocking-sleep\n\nit sleeps\n"
    listing = "AWL101  unawaited-coroutine  nobody awaits\nAWL301  blocking-sleep       it sleeps\n"
    assert cli("rule") == cli("rule", "AWL") == Outcome(0, listing, "")
    record = json.loads(cli("rule", "AWL301", "--output-format", "json").out)
    assert record == {
        "code": "AWL301",
        "name": "blocking-sleep",
        "summary": "it sleeps",
        "default": True,
        "severity": "error",
        "confidence": "certain",
        "fixes": ["safe"],
        "url": "https://github.com/awaitlint/awaitlint/blob/main/docs/rules/blocking-sleep.md",
        "explanation": "# blocking-sleep\n\nit sleeps\n",
    }
    every = json.loads(cli("rule", "--all", "--output-format", "json").out)
    assert [each["code"] for each in every] == ["AWL101", "AWL301"]


def test_version_and_help(cli):
    line = f"{version_line()}\n"
    assert cli("version") == cli("--version") == Outcome(0, line, "")
    assert cli("-h").out == cli("--help").out
    assert cli("check", "-h").code == 0
    alone = cli()
    assert (alone.code, alone.out, alone.err) == (2, "", cli("-h").out)


def test_shared_options_are_options_of_the_configuration_and_have_help(cli):
    shown = " ".join(cli("check", "--help").out.split())
    for key in SHARED:
        assert f"--{key} " in shown
        assert key in BY_KEY


# -- progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_progress_bar_waits_a_second_and_does_not_flicker(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = Terminal()
    progress = Progress(stream, enabled=True)
    progress(0, 10)
    now[0] = 0.9
    progress(1, 10)
    progress.clear()
    assert stream.getvalue() == ""
    now[0] = 1.5
    progress(5, 10)
    now[0] = 1.55
    progress(6, 10)
    bar = f"Checking [{'#' * 15}{'.' * 15}] 5/10"
    assert stream.getvalue() == f"\r{bar}"
    progress.clear()
    assert stream.getvalue() == f"\r{bar}\r{' ' * len(bar)}\r"


def test_no_progress_bar_elsewhere_than_on_a_terminal(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = Progress(stream, enabled=stream.isatty())
    now[0] = 5.0
    progress(5, 10)
    assert stream.getvalue() == ""
