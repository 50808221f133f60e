"""Code that somebody is in the middle of writing: the suites' snippets, with tokens and lines gone or moved.

Nothing crashes on them, and what holds for every snippet (see `test_laws`) holds for them.
"""

from __future__ import annotations

import ast
import io
import random
import re
from typing import TYPE_CHECKING

import pytest
from mdtest import suite_cases

from awaitlint.config.load import SettingsCache
from awaitlint.engine.fix import fix_files
from awaitlint.engine.options import Options
from awaitlint.engine.run import run
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.flake8_plugin import Plugin
from awaitlint.report.context import ReportContext, Sources
from awaitlint.report.formats import FORMATS, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from awaitlint.engine.run import Result
    from awaitlint.model import Diagnostic

SNIPPETS = [
    source.text
    for case in suite_cases()
    if len(case.python_files) == 1 and case.suite.startswith("rules/")
    for source in case.python_files
]
INSERTIONS = (
    *("await ", "async ", "yield ", "lambda: ", "not ", "*", "(", ")", "[", "]", ":", ",", "=", ":= ", "@"),
    *(" # noqa\n", "\n", "\f", "\\\n", "\t", "é", "\N{PILE OF POO}", '"', "'''", 'f"{', "}", "%", ";", "0"),
)

Mutation = "Callable[[str, random.Random], str]"


def tokens(text: str) -> list[str]:
    """The text in pieces: words, runs of spaces, and single characters."""
    return re.findall(r"\w+|[ \t]+|\n|.", text, re.DOTALL)


def at_token(change: Callable[[list[str], int, random.Random], Sequence[str]]) -> Mutation:
    """A mutation that puts others in the place of one token."""

    def mutate(text: str, chance: random.Random) -> str:
        parts = tokens(text) or [""]
        index = chance.randrange(len(parts))
        return "".join([*parts[:index], *change(parts, index, chance), *parts[index + 1 :]])

    return mutate


def at_line(change: Callable[[list[str], int, random.Random], Sequence[str]]) -> Mutation:
    """A mutation that puts others in the place of one line."""

    def mutate(text: str, chance: random.Random) -> str:
        lines = text.splitlines(keepends=True) or [""]
        index = chance.randrange(len(lines))
        return "".join([*lines[:index], *change(lines, index, chance), *lines[index + 1 :]])

    return mutate


MUTATIONS: tuple[Mutation, ...] = (
    at_token(lambda parts, index, chance: ()),
    at_token(lambda parts, index, chance: (parts[index], parts[index])),
    at_token(lambda parts, index, chance: (chance.choice(parts),)),
    at_token(lambda parts, index, chance: (chance.choice(INSERTIONS), parts[index])),
    at_line(lambda lines, index, chance: ()),
    at_line(lambda lines, index, chance: (lines[index], lines[index])),
    at_line(lambda lines, index, chance: (lines[index], chance.choice(lines))),
    at_line(lambda lines, index, chance: ("    " + lines[index],)),
    at_line(lambda lines, index, chance: (lines[index].removeprefix("    "),)),
    at_line(lambda lines, index, chance: (lines[index].rstrip("\n"),)),
)


def mutated(seed: int) -> str:
    """A snippet with one to four mutations, in one of the ways that lines can end."""
    chance = random.Random(seed)
    text = chance.choice(SNIPPETS)
    for _ in range(chance.randint(1, 4)):
        text = chance.choice(MUTATIONS)(text, chance)
    newline = chance.choice(("\n", "\n", "\n", "\r\n", "\r"))
    return text.replace("\n", newline)


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def compiles(text: str) -> bool:
    try:
        compile(text, "a.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


class Snippet:
    """A text as the only file of a project."""

    def __init__(self, text: str, directory: Path) -> None:
        (directory / "pyproject.toml").touch()
        self.path = directory / "a.py"
        self.target = Target(self.path, "a.py")
        self.settings = SettingsCache(isolated=True)
        self.write(text)

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8", newline="")
        self.text = text

    def check(self, *, sieve: bool = True) -> Result:
        options = Options(cache=False, sieve=sieve)
        result = run([self.target], self.settings, SourceStore(), options=options)
        assert result.internal_errors == ()
        return result

    def fixed(self) -> str:
        """The text that all fixes leave behind."""
        outcome = fix_files(
            [self.target],
            self.settings,
            SourceStore(),
            unsafe=True,
            write=False,
            options=Options(cache=False),
        )
        assert outcome.errors == []
        assert outcome.result.internal_errors == ()
        return outcome.changed[0][2] if outcome.changed else self.text


def shown(found: Sequence[Diagnostic]) -> list[tuple[int, int, str]]:
    return [(each.span.line, each.span.column, f"{each.code} {each.message}") for each in found]


@pytest.mark.parametrize("seed", range(120))
def test_unfinished_code(seed: int, tmp_path: Path) -> None:
    snippet = Snippet(mutated(seed), tmp_path)
    result = snippet.check()
    found = result.diagnostics
    without_sieve = snippet.check(sieve=False).diagnostics
    # the whole text may have something that libcst cannot read where nothing is suspected
    assert found == without_sieve or any(each.code == "AWL901" for each in without_sieve)
    for name in FORMATS:
        assert list(render(name, found, ReportContext(Sources(result.texts, [snippet.target])))) or not found
    if any(each.code == "AWL901" for each in found):
        assert len(found) == 1
        assert snippet.fixed() == snippet.text
        return
    plugin = Plugin(ast.parse(""), str(snippet.path), io.StringIO(snippet.text, newline=None).readlines())
    if parses(snippet.text):  # else flake8 runs no plugin
        assert [(line, column, text) for line, column, text, _ in plugin.run()] == shown(found)
    after = snippet.fixed()
    assert parses(after) or not parses(snippet.text)
    assert compiles(after) or not compiles(snippet.text)
    snippet.write(after)
    assert snippet.fixed() == after


def test_mutations_reach_both_kinds_of_code() -> None:
    texts = [mutated(seed) for seed in range(120)]
    readable = sum(parses(text) for text in texts)
    assert 30 < readable < 110
    assert len({text for text in texts if "\r" in text}) > 20
