"""Fixing whole files: which text the fixes belong to, and which files are left as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaitlint.config.load import SettingsCache
from awaitlint.engine import fix as fix_module
from awaitlint.engine.fix import FixResult, fix_files
from awaitlint.engine.options import Options
from awaitlint.engine.run import run
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore

SLEEPS = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
AWAITS = "import asyncio\nimport time\n\n\nasync def main():\n    await asyncio.sleep(1)\n"


def fix(path: Path, *, write: bool = True) -> FixResult:
    return fix_files(
        [Target(path, path.name)],
        SettingsCache(isolated=True),
        SourceStore(),
        unsafe=True,
        write=write,
        options=Options(cache=False),
    )


def test_a_file_that_changes_after_its_check_keeps_the_change(tmp_path: Path, monkeypatch) -> None:
    """The fix fits both texts, but it was made for the first."""
    path = tmp_path / "a.py"
    path.write_text(SLEEPS)
    other = SLEEPS.replace("import time", "import tame")
    runs = []

    def meddled(*args, **options):
        result = run(*args, **options)
        if not runs:
            path.write_text(other)
        runs.append(result)
        return result

    monkeypatch.setattr(fix_module, "run", meddled)
    outcome = fix(path)
    assert path.read_text() == other
    assert [each.reason for each in outcome.errors] == ["it was changed while it was checked"]
    assert outcome.result.diagnostics == ()
    assert (outcome.applied, outcome.changed) == (0, [])
    # what was found is shown in the text that it was found in
    assert [each.code for each in runs[0].diagnostics] == ["AWL301"]
    assert runs[0].texts.read(path) == SLEEPS.encode()


@pytest.mark.parametrize(
    ("cookie", "line"),
    [
        ("utf-7", b"x = '+AGE-'"),
        ("unicode_escape", b"x = 'a'"),
        ("idna", b"x = 'a'"),
        ("iso-2022-jp", b"x = '\x1b$B\x1b(B'"),
    ],
)
def test_what_cannot_be_written_back_as_it_is_is_left_alone(tmp_path: Path, cookie: str, line: bytes) -> None:
    path = tmp_path / "a.py"
    data = f"# coding: {cookie}\n{SLEEPS}".encode() + line + b"\n"
    path.write_bytes(data)
    outcome = fix(path)
    assert [each.code for each in outcome.result.diagnostics] == ["AWL301"]
    assert (outcome.changed, outcome.errors) == ([], [])
    assert path.read_bytes() == data


@pytest.mark.parametrize("cookie", ["latin-1", "shift_jis", "gb18030", "utf-8", "cp1252", "koi8-r"])
def test_what_can_be_written_back_is_fixed(tmp_path: Path, cookie: str) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(f"# coding: {cookie}\n{SLEEPS}x = '\xa7'".encode(cookie, "backslashreplace"))
    assert fix(path).applied == 1
    expected = f"# coding: {cookie}\n{AWAITS}x = '\xa7'".encode(cookie, "backslashreplace")
    assert path.read_bytes() == expected
