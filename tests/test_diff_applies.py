"""What ``--diff`` prints can be applied with git and patch, and does what ``--fix`` does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINES = "import asyncio\nimport time\n\n\nasync def main():\n    x = 1\n    time.sleep(1)\n    y = 2\n"
FILES = {
    "a.py": LINES.encode(),
    "pkg/no newline.py": LINES.encode() + b"    time.sleep(2)",
    "pkg/crlf.py": LINES.replace("\n", "\r\n").encode(),
    "pkg/latin.py": f"# coding: latin-1\n{LINES}    z = '\xe9'\n    time.sleep(3)\n".encode("latin-1"),
    "pkg/mark.py": b"\xef\xbb\xbfimport time\n\n\nasync def main():\n    time.sleep(1)\n",
    "pkg/\u00e9.py": LINES.encode(),
    "pkg/clean.py": b"x = 1\n",
}


def run(*command: str, cwd: Path, stdin: bytes | None = None) -> bytes:
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    if command[0] in ("git", "patch"):
        assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def awaitlint(*arguments: str, cwd: Path) -> bytes:
    return run(sys.executable, "-m", "awaitlint", "check", "--isolated", "--no-cache", *arguments, cwd=cwd)


def make(root: Path) -> Path:
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    run("git", "init", "-q", cwd=root)
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in FILES}


TOOLS = [
    pytest.param(tool, marks=pytest.mark.skipif(shutil.which(tool[0]) is None, reason=f"no {tool[0]}"))
    for tool in (("git", "apply"), ("patch", "-p1", "--binary"))
]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("below", [".", "pkg"])
@pytest.mark.parametrize("what", ["--fix", "--add-noqa"])
def test_a_diff_does_what_a_fix_does(tmp_path, tool, below, what):
    fixed, patched = make(tmp_path / "fixed"), make(tmp_path / "patched")
    awaitlint(what, "--select", "AWL301", cwd=fixed / below)
    assert contents(fixed) != contents(patched)
    diff = awaitlint(
        *(() if what == "--fix" else (what,)), "--diff", "--select", "AWL301", cwd=patched / below
    )
    assert contents(patched) == FILES
    run(*tool, cwd=patched / below, stdin=diff)
    assert contents(patched) == contents(fixed)
