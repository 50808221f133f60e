"""The command line when something is wrong: one line on standard error, and exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stand_in import CommandLine, Outcome, install, write


@pytest.fixture
def engine(monkeypatch):
    return install(monkeypatch)


@pytest.fixture
def cli(engine, tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, capsysbinary)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nope.py"), "no such file or directory: nope.py"),
        (("check", "-", "a.py"), "standard input cannot be checked together with other paths"),
        (("check", "--select", "AWL109"), "--select AWL109: no such rule; did you mean `AWL101`?"),
        (
            ("check", "--ignore", "blocking-slep"),
            "--ignore blocking-slep: no such rule; did you mean `blocking-sleep`?",
        ),
        (
            ("check", "--per-file-ignores", "AWL1"),
            "--per-file-ignores AWL1: expected GLOB:RULE, such as tests/*:AWL101",
        ),
        (
            ("check", "--per-file-ignores", "a.py:"),
            "--per-file-ignores a.py:: expected GLOB:RULE, such as tests/*:AWL101",
        ),
        (
            ("check", "--per-file-ignores", "a.py:AWL7"),
            "--per-file-ignores AWL7: no such rule",
        ),
        (("check", "--exclude", "a[b"), "--exclude a[b: not a glob: `[` is never closed"),
        (
            ("check", "--target-version", "2.7"),
            '--target-version 2.7: expected a Python version such as "3.12", 3.7 or later',
        ),
        (
            ("check", "--config", "nope.toml"),
            "nope.toml: cannot read the configuration: no such file or directory",
        ),
        (("check", "--config", "a.toml", "--isolated"), "--config and --isolated exclude each other"),
        (("rule", "AWL109"), "AWL109: no such rule; did you mean `AWL101`?"),
        (
            ("rule", "unawaited-corotine"),
            "unawaited-corotine: no such rule; did you mean `unawaited-coroutine`?",
        ),
        (("rule", "qqqqqq"), "qqqqqq: no such rule; `awaitlint rule` lists them"),
        (("rule", "AWL101", "--all"), "name a rule, or say --all"),
        (("check", ""), "a path is empty"),
        (("check", "-", "--stdin-filename", ""), "a path is empty"),
        (("check", "-", "--stdin-filename", "."), "the name of standard input is a directory: ."),
        (("check", "--select", ","), "--select : names no rule, and stands in place of the default ones"),
        (("check", "\x1b[31mx\ny\u202e.py"), "no such file or directory: \ufffd[31mx y\ufffd.py"),
        (("check", "--frobnicate"), "no such option '--frobnicate'"),
        (
            ("pyproject.toml",),
            "no such command: pyproject.toml; did you mean `awaitlint check pyproject.toml`?",
        ),
        (("-",), "no such command: -; did you mean `awaitlint check -`?"),
    ],
)
def test_a_wrong_call_gets_one_line(cli, arguments, message):
    assert cli(*arguments, stdin=b"") == Outcome(2, "", f"error: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "--selct", "AWL1"), ("--selct", "--select")),
        (("check", "--output-format", "xml"), ("--output-format", "xml", "json-lines")),
        (("chek",), ("chek",)),
        (("check", "--select"), ("--select",)),
    ],
)
def test_what_click_refuses_gets_one_line_too(cli, arguments, words):
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert all(word in outcome.err for word in words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["AWL1"]', 'selct = ["AWL1"]: unknown option; did you mean `select`?'),
        ("select = [\n", "not valid TOML: Invalid value (at end of document)"),
    ],
)
def test_a_wrong_configuration_fails_the_run(cli, text, message):
    write("awaitlint.toml", text)
    write("a.py", "")
    assert cli("check") == Outcome(2, "", f"error: awaitlint.toml: {message}\n")


def test_a_wrong_configuration_further_down_fails_the_run_too(cli):
    write("sub/awaitlint.toml", "fx = 1")
    write("sub/a.py", "")
    path = Path("sub", "awaitlint.toml")
    assert cli("check") == Outcome(2, "", f"error: {path}: fx = 1: unknown option; did you mean `fix`?\n")


def test_an_unreadable_file_is_a_finding_and_the_others_are_checked(cli):
    write("b.py", "sleep(1)\n")
    Path("a.py").write_bytes(b"x = '\xff'\n")
    assert cli("check", "-q", "--output-format", "concise") == Outcome(
        1,
        "a.py:1:1: AWL901 byte 5 is not valid utf-8\nb.py:1:1: AWL301 [*] `sleep()` is not awaited\n",
        "",
    )


def test_an_unreadable_directory_fails_the_run_after_the_findings(cli, monkeypatch):
    write("a/x.py", "sleep(1)\n")
    write("b/y.py", "")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert cli("check", "-q", "--output-format", "concise") == Outcome(
        2,
        "a/x.py:1:1: AWL301 [*] `sleep()` is not awaited\n",
        "error: cannot read the directory b: permission denied\n",
    )


def test_a_crashed_rule_loses_no_finding(cli, engine):
    write("a.py", "sleep(1)\n")
    engine.internal_errors = ("AWL101 crashed on a.py: KeyError: 'x'",)
    assert cli("check", "-q", "--output-format", "concise") == Outcome(
        2,
        "a.py:1:1: AWL301 [*] `sleep()` is not awaited\n",
        "error: AWL101 crashed on a.py: KeyError: 'x'\n",
    )
    assert cli("check", "--exit-zero").code == 2
    write("a.py", "")
    assert cli("check").out == ""


def test_an_internal_error_shows_its_traceback_only_when_asked(cli, engine):
    write("a.py", "")
    engine.crash = KeyError("x")
    line = "error: internal error: KeyError: 'x' (run again with --verbose for the traceback)\n"
    assert cli("check") == Outcome(2, "", line)
    shown = cli("check", "-v").err
    assert "Traceback (most recent call last)" in shown
    assert shown.endswith(line)


def test_an_interrupt_ends_quietly(cli, engine):
    write("a.py", "")
    engine.crash = KeyboardInterrupt()
    outcome = cli("check")
    assert (outcome.code, outcome.out, outcome.err.strip()) == (130, "", "")


def test_a_path_that_may_not_be_looked_at(cli, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "lstat", refuse)
    assert cli("check", "a/b.py") == Outcome(2, "", "error: permission denied: a/b.py\n")
