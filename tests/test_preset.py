"""The presets: which rules are on, and whether what is merely likely is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_in import CommandLine, write

from awaitlint.config.load import SettingsCache
from awaitlint.engine.check import check_file
from awaitlint.engine.session import Session
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.index.facts import Use
from awaitlint.model import Confidence
from awaitlint.rulekit.coroutines import CoroutineRule
from awaitlint.rulekit.registry import Key, all_rules

#: a likely mistake on line 8, a certain one on line 9
TEXT = """\
import asyncio
from broker import notify

async def main():
    await notify("a")
    await notify("b")
    await notify("c")
    notify("d")
    asyncio.sleep(1)
"""


@pytest.fixture
def cli(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    write("main.py", TEXT)
    return CommandLine(monkeypatch, capsysbinary)


def found(cli, *arguments: str) -> list[str]:
    """``line code`` of each finding."""
    outcome = cli("check", "-q", "--no-cache", "--output-format", "concise", *arguments)
    assert outcome.err == ""
    return [f"{line.split(':')[1]} {line.split(' ')[1]}" for line in outcome.out.splitlines()]


def test_likely_findings_are_silent_by_default(cli):
    assert found(cli) == ["9 AWL101"]
    assert found(cli, "--preset", "default") == ["9 AWL101"]


def test_pedantic_reports_them(cli):
    assert found(cli, "--preset", "pedantic") == ["8 AWL112", "9 AWL101"]
    assert found(cli, "--preset", "pedantic", "--ignore", "AWL112") == ["9 AWL101"]
    assert found(cli, "--preset", "pedantic", "--select", "AWL1") == ["8 AWL112", "9 AWL101"]


def test_so_does_the_name_or_the_code_of_the_rule_and_nothing_shorter(cli):
    assert found(cli, "--extend-select", "AWL112") == ["8 AWL112", "9 AWL101"]
    assert found(cli, "--select", "inconsistent-await") == ["8 AWL112"]
    assert found(cli, "--select", "AWL1") == ["9 AWL101"]
    assert found(cli, "--select", "ALL") == ["9 AWL101"]


def test_a_preset_can_be_configured(cli):
    write("awaitlint.toml", 'preset = "pedantic"\n')
    assert found(cli) == ["8 AWL112", "9 AWL101"]
    assert found(cli, "--preset", "default") == ["9 AWL101"]
    assert found(cli, "--isolated") == ["9 AWL101"]


def test_an_unknown_preset_is_refused_in_one_line(cli):
    outcome = cli("check", "--preset", "strict")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "'strict' is not one of 'default', 'pedantic'" in outcome.err


def test_a_rule_that_guesses_is_off_by_default():
    guessing = [rule for rule in all_rules() if rule.confidence is Confidence.LIKELY]
    assert "AWL112" in [rule.code for rule in guessing]
    assert not any(rule.default for rule in guessing)


class _Guess(CoroutineRule):
    """A rule that is sure of some findings and not of others; both have one cause."""

    code = "AWL101"
    name = "unawaited-coroutine"
    uses = frozenset({Use.DISCARDED})

    def suspect(self, site):
        return True

    def visit_Call(self, node):
        for confidence in (Confidence.LIKELY, Confidence.CERTAIN):
            self.report(node, f"this is {confidence.value}", confidence=confidence, cause="one")


def test_a_likely_finding_does_not_hide_a_certain_one_of_the_same_cause(cli, monkeypatch):
    monkeypatch.setattr("awaitlint.engine.check.all_rules", lambda: (_Guess,))
    keys = (Key(_Guess.code, _Guess.name, _Guess.default),)
    monkeypatch.setattr("awaitlint.engine.check.rule_keys", lambda: keys)
    write("main.py", "f()\n")
    target = Target(Path("main.py").absolute(), "main.py")

    def messages(**overrides):
        session = Session(SettingsCache(overrides=overrides), SourceStore())
        return [each.message for each in check_file(session, target).found]

    assert messages() == ["this is certain"]
    assert messages(preset="pedantic") == ["this is certain"]
    monkeypatch.setattr(_Guess, "confidence", Confidence.LIKELY)
    assert messages() == []
