"""The flake8 plugin gives what the command line gives, in every way that flake8 can run it."""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from awaitlint.flake8_plugin import Plugin

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "examples" / "chatbot"
SUITES = sorted((ROOT / "tests" / "fixtures" / "rules").glob("*.md"))
FORMAT = "%(path)s|%(row)d|%(col)d|%(code)s|%(text)s"

Finding = tuple[str, int, int, str, str]

DB = """\
async def get_user(key: str) -> dict[str, str]:
    return {"id": key}


async def touch(key: str) -> None:
    pass
"""
VIEWS = """\
import app.db
from app.db import get_user


async def show(key: str) -> str:
    user = get_user(key)
    app.db.touch(key)
    return user["id"]
"""


def is_installed() -> bool:
    points = importlib.metadata.entry_points(group="flake8.extension", name="AWL")
    return any(point.value == "awaitlint.flake8_plugin:Plugin" for point in points)


installed = pytest.mark.skipif(
    not is_installed(), reason="flake8 finds the plugin where awaitlint is installed"
)


def run(*command: str, cwd: Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False)
    return subprocess.CompletedProcess(
        command, result.returncode, result.stdout.decode(), result.stderr.decode()
    )


def flake8(
    *arguments: str, cwd: Path, stdin: bytes | None = None, driver: Path | None = None
) -> list[Finding]:
    """What flake8 reports, without the codes of its other plugins but for E9."""
    start = [str(driver)] if driver else ["-m", "flake8"]
    result = run(
        sys.executable, *start, "--select=AWL,E9", f"--format={FORMAT}", *arguments, cwd=cwd, stdin=stdin
    )
    assert result.returncode in (0, 1), result.stdout + result.stderr
    assert not result.stderr
    findings = []
    for line in result.stdout.splitlines():
        path, row, column, code, text = line.split("|", 4)
        findings.append((str(cwd / path), int(row), int(column), code, text))
    return sorted(findings)


def command_line(*arguments: str, cwd: Path, stdin: bytes | None = None) -> list[Finding]:
    result = run(
        sys.executable, "-m", "awaitlint", "check", "--output-format=json", *arguments, cwd=cwd, stdin=stdin
    )
    assert result.returncode in (0, 1), result.stdout + result.stderr
    return sorted(
        (
            found["filename"],
            found["location"]["row"],
            found["location"]["column"],
            found["code"],
            found["message"],
        )
        for found in json.loads(result.stdout)
    )


def parses(path: str) -> bool:
    try:
        ast.parse(Path(path).read_bytes())
    except SyntaxError:
        return False
    return True


def of_parsed_files(findings: list[Finding]) -> list[Finding]:
    """Without the files that this Python cannot parse, for which flake8 runs no plugin."""
    return [finding for finding in findings if parses(finding[0])]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\nrequires-python = ">=3.11"\n')
    package = tmp_path / "src" / "app"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "db.py").write_text(DB)
    (package / "views.py").write_text(VIEWS)
    return tmp_path


def codes(findings: list[Finding]) -> list[tuple[int, str]]:
    return [(row, code) for _, row, _, code, _ in findings]


EXPECTED = [(7, "AWL101"), (8, "AWL104")]


@installed
class TestParity:
    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_demo(self, jobs: str) -> None:
        found = flake8("-j", jobs, str(DEMO), cwd=ROOT)
        expected = of_parsed_files(command_line(str(DEMO), cwd=ROOT))
        assert of_parsed_files(found) == expected
        assert len({path for path, *_ in expected}) > 5
        assert [code for path, _, _, code, _ in found if path.endswith("export.py")] == ["E999"]

    def test_demo_from_elsewhere(self, tmp_path: Path) -> None:
        """A file's imports are found from its own project, not from the working directory."""
        path = str(DEMO / "src" / "chatbot" / "webhooks.py")
        found = flake8(path, cwd=tmp_path)
        assert found == flake8(path, cwd=ROOT)
        assert found == command_line(path, cwd=tmp_path)
        assert "AWL802" in {code for *_, code, _ in found}

    @pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.stem)
    def test_suite(self, suite: Path, tmp_path: Path) -> None:
        snippets = re.findall(
            r"^```py\n(.*?)^```$", suite.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
        assert snippets
        for number, snippet in enumerate(snippets):
            (tmp_path / f"snippet_{number}.py").write_text(snippet, encoding="utf-8")
        expected = of_parsed_files(command_line(".", cwd=tmp_path))
        assert of_parsed_files(flake8(".", cwd=tmp_path)) == expected

    def test_odd_bytes(self, tmp_path: Path) -> None:
        """Flake8 reads as Latin-1 what Python refuses to decode, and runs its plugins."""
        body = b"import time\nasync def wait():\n    time.sleep(1)\n"
        contents = {
            "bytes": b"x = '\xe9'\n" + body,
            "cookie_after_mark": b"\xef\xbb\xbf# coding: latin-1\n" + body,
            "two_marks": b"\xef\xbb\xbf\xef\xbb\xbf" + body,
            "cr": body.replace(b"\n", b"\r"),
            "form_feed": body.replace(b"    ", b"\x0c    "),
            "separators": b"x = '\xe2\x80\xa8 \x1c'\n" + body,
            "undefined": b"# coding: undefined\n" + body,
            "unknown": b"# coding: nonsense\n" + body,
            "idna": b"# coding: idna\n" + body,
        }
        for name, data in contents.items():
            (tmp_path / f"{name}.py").write_bytes(data)
        expected = command_line(".", cwd=tmp_path)
        found = flake8(".", cwd=tmp_path)
        assert [each[:4] for each in found] == [each[:4] for each in expected]
        assert len({path for path, *_ in found}) == len(contents)

    def test_spawned_workers(self, tmp_path: Path) -> None:
        driver = tmp_path / "driver.py"
        driver.write_text(
            "import multiprocessing\n"
            "from flake8.main.cli import main\n"
            "if __name__ == '__main__':\n"
            "    multiprocessing.set_start_method('spawn')\n"
            "    raise SystemExit(main())\n"
        )
        assert flake8("-j", "2", str(DEMO), cwd=ROOT, driver=driver) == flake8("-j", "1", str(DEMO), cwd=ROOT)


@installed
class TestBuffers:
    def test_saved_text(self, project: Path) -> None:
        found = flake8("--stdin-display-name=src/app/views.py", "-", cwd=project, stdin=VIEWS.encode())
        assert found == flake8("src/app/views.py", cwd=project)
        assert codes(found) == EXPECTED

    def test_unsaved_text(self, project: Path) -> None:
        buffer = VIEWS.replace("user = get_user(key)", "user = await get_user(key)").encode()
        arguments = ("src/app/views.py", "-")
        found = flake8(f"--stdin-display-name={arguments[0]}", "-", cwd=project, stdin=buffer)
        assert codes(found) == [(7, "AWL101")]
        assert found == command_line(f"--stdin-filename={arguments[0]}", "-", cwd=project, stdin=buffer)

    def test_file_that_is_not_there_yet(self, project: Path) -> None:
        found = flake8("--stdin-display-name=src/app/new.py", "-", cwd=project, stdin=VIEWS.encode())
        assert codes(found) == EXPECTED
        assert not (project / "src" / "app" / "new.py").exists()

    def test_buffer_without_a_name(self, project: Path) -> None:
        source = b"import time\nasync def wait():\n    time.sleep(1)\n"
        assert codes(flake8("-", cwd=project, stdin=source)) == [(3, "AWL301")]

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig"])
    def test_encodings(self, project: Path, encoding: str) -> None:
        cookie = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else "# plain\n"
        source = f"{cookie}import time\nasync def wait():\n    'é'; time.sleep(1)\n"
        (project / "encoded.py").write_bytes(source.encode(encoding))
        found = flake8("encoded.py", cwd=project)
        assert [(row, column) for _, row, column, _, _ in found] == [(4, 10)]
        buffer = source.replace("é", "éé").encode(encoding)
        unsaved = flake8("--stdin-display-name=encoded.py", "-", cwd=project, stdin=buffer)
        assert [(row, column) for _, row, column, _, _ in unsaved] == [(4, 11)]

    def test_carriage_returns(self, project: Path) -> None:
        (project / "src" / "app" / "views.py").write_bytes(VIEWS.replace("\n", "\r\n").encode())
        assert codes(flake8("src/app/views.py", cwd=project)) == EXPECTED


@installed
class TestSyntax:
    def test_what_parses_but_does_not_compile_is_reported(self, project: Path) -> None:
        (project / "sync.py").write_text("import asyncio\n\ndef f():\n    await asyncio.sleep(1)\n")
        assert codes(flake8("sync.py", cwd=project)) == [(4, "AWL501")]

    def test_what_does_not_parse_is_left_to_flake8(self, project: Path) -> None:
        (project / "broken.py").write_text("def f(:\n")
        assert {code for *_, code, _ in flake8("broken.py", cwd=project)} <= {"E999", "E902"}


@installed
class TestConfiguration:
    def test_flake8_selects(self, project: Path) -> None:
        path = "src/app/views.py"
        assert codes(flake8("--ignore=AWL101", path, cwd=project)) == [(8, "AWL104")]
        assert flake8("--per-file-ignores=src/*:AWL1", path, cwd=project) == []
        (project / path).write_text(VIEWS.replace("touch(key)", "touch(key)  # noqa: AWL101"))
        assert codes(flake8(path, cwd=project)) == [(8, "AWL104")]

    def test_noqa_is_flake8s(self, project: Path) -> None:
        path = "src/app/views.py"
        for comment in ("# noqa", "# noqa: AWL1", "# noqa: AWL101,AWL104"):
            lines = [f"{line}  {comment}" if line.strip() else line for line in VIEWS.splitlines()]
            (project / path).write_text("\n".join(lines) + "\n")
            assert flake8(path, cwd=project) == []
            assert codes(flake8("--disable-noqa", path, cwd=project)) == EXPECTED
        (project / path).write_text("# flake8: noqa\n" + VIEWS)
        assert flake8(path, cwd=project) == []
        found = codes(flake8("--disable-noqa", path, cwd=project))
        assert found == [(line + 1, code) for line, code in EXPECTED]

    def test_noqa_in_another_file(self, project: Path) -> None:
        (project / "work.py").write_text("import time\n\ndef work():\n    time.sleep(1)  # noqa: AWL301\n")
        (project / "main.py").write_text("from work import work\n\nasync def main():\n    work()\n")
        assert flake8("main.py", cwd=project) == []
        assert codes(flake8("--disable-noqa", "main.py", cwd=project)) == [(4, "AWL308")]

    def test_comments_of_its_own_stay(self, project: Path) -> None:
        path = "src/app/views.py"
        (project / path).write_text(VIEWS.replace("touch(key)", "touch(key)  # awaitlint: ignore[AWL101]"))
        assert codes(flake8("--disable-noqa", path, cwd=project)) == [(8, "AWL104")]

    def test_table_in_pyproject(self, project: Path) -> None:
        with (project / "pyproject.toml").open("a") as file:
            file.write('[tool.awaitlint]\nknown-safe-calls = ["app.db.touch"]\n')
        assert codes(flake8("src/app/views.py", cwd=project)) == [(8, "AWL104")]
        assert codes(flake8("--awl-isolated", "src/app/views.py", cwd=project)) == EXPECTED

    def test_flake8_configuration_goes_first(self, project: Path) -> None:
        with (project / "pyproject.toml").open("a") as file:
            file.write('[tool.awaitlint]\nknown-safe-calls = ["app.db.get_user"]\n')
        assert codes(flake8("src/app/views.py", cwd=project)) == [(7, "AWL101")]
        (project / ".flake8").write_text("[flake8]\nawl-known-safe-calls = app.db.touch, other.*\n")
        assert codes(flake8("src/app/views.py", cwd=project)) == [(8, "AWL104")]

    def test_configuration_file_is_relative_to_that_of_flake8(self, project: Path, tmp_path: Path) -> None:
        (project / "settings").mkdir()
        (project / "settings" / "lint.toml").write_text('known-safe-calls = ["app.db.*"]\n')
        (project / ".flake8").write_text("[flake8]\nawl-config = ./settings/lint.toml\n")
        assert flake8("src/app/views.py", cwd=project) == []

    def test_langfuse_target(self, project: Path) -> None:
        (project / "trace.py").write_text("from langfuse import observe\n\n@observe()\nasync def f(): ...\n")
        assert codes(flake8("trace.py", cwd=project)) == [(1, "AWL801")]
        assert flake8("--awl-langfuse-target=3+", "trace.py", cwd=project) == []

    def test_source_roots(self, project: Path) -> None:
        shutil.move(project / "src" / "app" / "db.py", project / "elsewhere.py")
        (project / "vendored" / "parts").mkdir(parents=True)
        shutil.move(project / "elsewhere.py", project / "vendored" / "parts" / "storage.py")
        views = project / "src" / "app" / "views.py"
        views.write_text("import storage\n\nasync def f():\n    storage.touch('x')\n")
        assert flake8("src/app/views.py", cwd=project) == []
        assert codes(flake8("--awl-src=vendored/parts", "src/app/views.py", cwd=project)) == [(4, "AWL101")]

    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_wrong_option(self, project: Path, jobs: str) -> None:
        (project / ".flake8").write_text("[flake8]\nawl-langfuse-target = 4\n")
        result = run(sys.executable, "-m", "flake8", "-j", jobs, "src", cwd=project)
        assert result.returncode == 1
        assert 'awl-langfuse-target = 4: expected one of "auto"' in result.stdout + result.stderr
        assert "Traceback" not in result.stderr

    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_wrong_configuration(self, project: Path, jobs: str) -> None:
        with (project / "pyproject.toml").open("a") as file:
            file.write('[tool.awaitlint]\nselct = ["AWL101"]\n')
        result = run(sys.executable, "-m", "flake8", "-j", jobs, "src", cwd=project)
        assert result.returncode == 1
        assert "pyproject.toml: selct" in result.stdout + result.stderr
        assert "did you mean `select`?" in result.stdout + result.stderr
        assert "Traceback" not in result.stderr


def let_time_pass(seconds: float = 0.6) -> None:
    """Files are looked at again after half a second, configurations after one."""
    time.sleep(seconds)


class TestLongLivedProcess:
    @pytest.fixture(autouse=True)
    def options(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Plugin, "choices", Plugin.choices)
        Plugin.parse_options(
            argparse.Namespace(
                awl_config=None,
                awl_isolated=False,
                awl_known_safe_calls=[],
                awl_langfuse_target=None,
                awl_python=None,
                awl_src=[],
                awl_target_version=None,
            )
        )

    def check(self, path: Path, text: str | None = None) -> list[tuple[int, str]]:
        text = path.read_text() if text is None else text
        plugin = Plugin(ast.parse(text), str(path), text.splitlines(keepends=True))
        return [(line, message.split()[0]) for line, _, message, _ in plugin.run()]

    def test_imported_file_changes(self, project: Path) -> None:
        views, db = project / "src" / "app" / "views.py", project / "src" / "app" / "db.py"
        assert self.check(views) == EXPECTED
        db.write_text(DB.replace("async def touch", "def touch"))
        let_time_pass()
        assert self.check(views) == [(8, "AWL104")]
        db.write_text(DB)
        let_time_pass()
        assert self.check(views) == EXPECTED

    def test_imported_file_appears(self, project: Path) -> None:
        views, db = project / "src" / "app" / "views.py", project / "src" / "app" / "db.py"
        db.unlink()
        assert self.check(views) == []
        # a directory's time has the grain of the kernel's clock
        let_time_pass()
        db.write_text(DB)
        let_time_pass()
        assert self.check(views) == EXPECTED

    def test_checked_file_changes(self, project: Path) -> None:
        views = project / "src" / "app" / "views.py"
        assert self.check(views) == EXPECTED
        views.write_text(VIEWS.replace("app.db.touch", "await app.db.touch"))
        assert self.check(views) == [(8, "AWL104")]

    def test_buffer_changes_and_is_forgotten(self, project: Path) -> None:
        views, db = project / "src" / "app" / "views.py", project / "src" / "app" / "db.py"
        assert self.check(views, VIEWS.replace("app.db.touch", "await app.db.touch")) == [(8, "AWL104")]
        assert self.check(db, DB.replace("async def touch", "def touch")) == []
        assert self.check(views) == EXPECTED

    def test_configuration_changes(self, project: Path) -> None:
        views, config = project / "src" / "app" / "views.py", project / "pyproject.toml"
        assert self.check(views) == EXPECTED
        let_time_pass(1.1)
        config.write_text(config.read_text() + '[tool.awaitlint]\nknown-safe-calls = ["app.db.*"]\n')
        assert self.check(views) == []
