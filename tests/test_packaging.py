"""What a user meets first: the distributions, the Makefile, the demo, and documents that must stay true."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import awaitlint
from awaitlint.config.load import load_settings
from awaitlint.rulekit.registry import all_rules

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

#: the mistakes in examples/chatbot that these rules are about
DEMO_RULES = "AWL101,AWL102,AWL103,AWL104,AWL105,AWL301,AWL501,AWL801,AWL802,AWL901"
DEMO_FINDINGS = """\
scripts/export.py:11 AWL901
src/chatbot/backfill.py:11 AWL501
src/chatbot/backfill.py:12 AWL501
src/chatbot/llm.py:24 AWL101
src/chatbot/main.py:30 AWL103
src/chatbot/services/conversations.py:18 AWL105
src/chatbot/services/conversations.py:20 AWL104
src/chatbot/services/conversations.py:24 AWL102
src/chatbot/services/users.py:26 AWL103
src/chatbot/services/users.py:28 AWL104
src/chatbot/storage.py:33 AWL105
src/chatbot/storage.py:39 AWL101
src/chatbot/tasks.py:32 AWL301
src/chatbot/tasks.py:37 AWL101
src/chatbot/tasks.py:37 AWL101
src/chatbot/webhooks.py:8 AWL801
src/chatbot/webhooks.py:20 AWL105
src/chatbot/webhooks.py:23 AWL101
src/chatbot/webhooks.py:32 AWL802
src/chatbot/webhooks.py:39 AWL104
"""


def run(*command: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "FORCE_COLOR"}}
    return subprocess.run(
        command, cwd=cwd, env=inherited | variables, check=False, capture_output=True, text=True
    )


def fences(language: str) -> list[str]:
    """The README's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    result = run(sys.executable, "-m", "hatchling", "build", "-d", str(directory))
    assert result.returncode == 0, result.stdout + result.stderr
    return directory


@pytest.mark.slow
@pytest.mark.xdist_group("distributions")
class TestDistributions:
    def test_wheel_holds_the_package_and_its_data(self, distributions: Path) -> None:
        (wheel,) = distributions.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
        package = ROOT / "src" / "awaitlint"
        expected = {
            path.relative_to(package.parent).as_posix()
            for path in package.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        info = f"awaitlint-{awaitlint.__version__}.dist-info"
        assert {name for name in names if not name.startswith(info)} == expected
        assert "awaitlint/py.typed" in names
        assert f"{info}/licenses/LICENSE" in names

    def test_entry_points(self, distributions: Path) -> None:
        (wheel,) = distributions.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
            points = ConfigParser(delimiters="=")
            points.read_string(archive.read(name).decode())
        assert dict(points["console_scripts"]) == {"awaitlint": "awaitlint.__main__:console"}
        assert {key.upper(): value for key, value in points["flake8.extension"].items()} == {
            "AWL": "awaitlint.flake8_plugin:Plugin"
        }

    def test_source_distribution_can_be_tested(self, distributions: Path) -> None:
        (sdist,) = distributions.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        for name in (
            "README.md",
            "LICENSE",
            "Makefile",
            "tests/test_packaging.py",
            "examples/chatbot/pyproject.toml",
        ):
            assert name in names

    def test_installed_wheel_runs_without_the_checkout(self, distributions: Path, tmp_path: Path) -> None:
        (wheel,) = distributions.glob("*.whl")
        site = tmp_path / "site"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        (tmp_path / "wait.py").write_text("import time\n\nasync def wait():\n    time.sleep(1)\n")
        result = run(
            sys.executable,
            "-m",
            "awaitlint",
            "check",
            "--output-format=concise",
            "wait.py",
            cwd=tmp_path,
            PYTHONPATH=str(site),
        )
        assert result.returncode == 1, result.stderr
        assert result.stdout.startswith("wait.py:4:5: AWL301")


class TestMakefile:
    def test_lists_its_recipes(self) -> None:
        result = run("make")
        assert result.returncode == 0
        for recipe in ("demo", "test", "check", "lint"):
            assert re.search(rf"^  {recipe} +\w", result.stdout, re.MULTILINE)

    def test_says_what_is_wrong_without_a_usable_python(self, tmp_path: Path) -> None:
        old = tmp_path / "python3"
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
        result = run("make", "demo", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
        assert result.returncode == 2
        assert "Python 3.11 or newer" in result.stderr
        assert not (tmp_path / "venv").exists()

    def test_continuous_integration_runs_the_same_recipes(self) -> None:
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
        job = workflow["jobs"]["check"]
        assert any(step.get("run", "").startswith("make check") for step in job["steps"])
        versions = {
            f"Programming Language :: Python :: {version}" for version in job["strategy"]["matrix"]["python"]
        }
        assert versions == {
            name for name in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", name)
        }
        assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


class TestDemo:
    def test_findings(self) -> None:
        result = run(
            *(sys.executable, "-m", "awaitlint", "check", "--output-format=concise"),
            *("--select", DEMO_RULES, "examples/chatbot"),
        )
        assert result.returncode == 1, result.stderr
        found = re.findall(r"^examples/chatbot/(\S+?:\d+):\d+: (AWL\d+)", result.stdout, re.MULTILINE)
        assert "".join(f"{place} {code}\n" for place, code in found) == DEMO_FINDINGS


class TestDocuments:
    @pytest.mark.parametrize(
        "transcript", [block for block in fences("console") if block.startswith("$ awaitlint")]
    )
    def test_readme_shows_what_the_tool_prints(self, transcript: str) -> None:
        command, _, expected = transcript.partition("\n")
        result = run(sys.executable, "-m", *command.removeprefix("$ ").split(), NO_COLOR="1")
        assert not result.stderr
        assert result.stdout == expected

    def test_readme_has_a_transcript(self) -> None:
        assert any(block.startswith("$ awaitlint check") for block in fences("console"))

    @pytest.mark.parametrize("block", [block for block in fences("toml") if "[tool.awaitlint" in block])
    def test_readme_configuration_is_valid(self, block: str, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
        (tmp_path / ".venv" / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
        settings = load_settings(tmp_path)
        assert settings.config_path == tmp_path / "pyproject.toml"

    def test_readme_hooks_exist(self) -> None:
        offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
        (sample,) = [yaml.safe_load(block) for block in fences("yaml") if "repos:" in block]
        (repository,) = sample["repos"]
        assert repository["repo"] == PROJECT["project"]["urls"]["Source"]
        assert repository["rev"] == f"v{awaitlint.__version__}"
        assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in offered}

    def test_readme_links_lead_somewhere(self) -> None:
        links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
        assert links
        assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []

    def test_generated_documents_are_up_to_date(self) -> None:
        script = load_script("rule_table")
        assert script.outdated(script.generated()) == []

    def test_outdated_documents_are_noticed(self) -> None:
        script = load_script("rule_table")
        files = script.generated()
        page = script.PAGES / f"{all_rules()[0].name}.md"
        files[page] += "more\n"
        assert script.outdated(files) == [page]
        del files[page]
        assert script.outdated(files) == [page]

    def test_changelog_names_every_rule(self) -> None:
        changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        named = re.findall(r"^- new rule: (AWL\d{3}) `([a-z-]+)`$", changelog, re.MULTILINE)
        assert sorted(named) == [(rule.code, rule.name) for rule in all_rules()]


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
