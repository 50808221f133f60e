"""The hooks, run as pre-commit runs them: in an environment of their own, on the files that are staged."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
IDENTITY = ("-c", "user.name=tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")

DB = """\
async def get_user(key: str) -> dict[str, str]:
    return {"id": key}
"""
VIEWS = """\
from app.db import get_user


async def show(key: str) -> None:
    get_user(key)
"""
POLL = """\
import time


async def poll() -> None:
    time.sleep(1)
"""


def clean_environment() -> dict[str, str]:
    """The environment without what git exports to its hooks, should the tests run in one."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT"))}


def git(*arguments: str, cwd: Path) -> str:
    command = ["git", *IDENTITY, *arguments]
    return subprocess.run(
        command, cwd=cwd, env=clean_environment(), check=True, capture_output=True, text=True
    ).stdout.strip()


def commit_all(repository: Path) -> str:
    """Makes a repository of the directory, or another commit in it; the commit's name."""
    git("init", "--quiet", cwd=repository)
    git("add", "--all", cwd=repository)
    git("commit", "--quiet", "--message=all", cwd=repository)
    return git("rev-parse", "HEAD", cwd=repository)


@dataclass
class Project:
    root: Path
    home: Path

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)
        git("add", path, cwd=self.root)

    def run(self, hook: str) -> tuple[int, str]:
        """Exit code and output of the hook for the files that are staged."""
        result = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--color=never", hook],
            cwd=self.root,
            env=clean_environment() | {"PRE_COMMIT_HOME": str(self.home)},
            check=False,
            capture_output=True,
            text=True,
        )
        return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Path]:
    """This repository as it is now, its commit, and the directory where pre-commit installs it once."""
    repository = tmp_path_factory.mktemp("hooks") / "awaitlint"
    left_out = shutil.ignore_patterns(".git", ".venv", "venv", "__pycache__", ".*_cache", "build", "dist")
    shutil.copytree(ROOT, repository, ignore=left_out)
    return repository, commit_all(repository), tmp_path_factory.mktemp("home")


@pytest.fixture
def project(hooks: tuple[Path, str, Path], tmp_path: Path) -> Project:
    """A project whose `app/db.py` is committed, so that no hook is given that file."""
    repository, commit, home = hooks
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {repository}\n  rev: {commit}\n  hooks:\n  - id: awaitlint\n  - id: awaitlint-fix\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\n\n[tool.awaitlint]\nextend-exclude = ["generated"]\n'
    )
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("")
    (tmp_path / "app" / "db.py").write_text(DB)
    (tmp_path / "generated").mkdir()
    commit_all(tmp_path)
    return Project(tmp_path, home)


@pytest.mark.slow
@pytest.mark.xdist_group("pre-commit")
class TestHooks:
    def test_callee_is_not_staged(self, project: Project) -> None:
        project.write("app/views.py", VIEWS)
        code, output = project.run("awaitlint")
        assert code == 1, output
        assert "AWL101" in output
        assert "app/views.py:5:5" in output
        assert "app/db.py:1" in output

    def test_try_repo(self, project: Project, hooks: tuple[Path, str, Path]) -> None:
        """As somebody does who wants to see what the hook says before it is in the configuration."""
        repository, commit, home = hooks
        project.write("app/views.py", VIEWS)
        result = subprocess.run(
            [
                *(sys.executable, "-m", "pre_commit", "try-repo", "--color=never"),
                *("--ref", commit, str(repository), "awaitlint"),
            ],
            cwd=project.root,
            env=clean_environment() | {"PRE_COMMIT_HOME": str(home)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 1, result.stdout + result.stderr
        assert "app/views.py:5:5" in result.stdout
        assert "app/db.py:1" in result.stdout

    def test_awaited(self, project: Project) -> None:
        project.write("app/views.py", VIEWS.replace("get_user(key)\n", "await get_user(key)\n"))
        code, output = project.run("awaitlint")
        assert code == 0, output
        assert "Passed" in output

    def test_excluded_file_is_left_alone(self, project: Project) -> None:
        project.write("generated/views.py", VIEWS)
        code, output = project.run("awaitlint")
        assert code == 0, output

    def test_fix(self, project: Project) -> None:
        project.write("app/poll.py", POLL)
        code, output = project.run("awaitlint-fix")
        assert code == 1, output
        assert "files were modified by this hook" in output
        assert "await asyncio.sleep(1)" in (project.root / "app" / "poll.py").read_text()
        git("add", "app/poll.py", cwd=project.root)
        code, output = project.run("awaitlint-fix")
        assert code == 0, output
