"""Baselines: what is known is not reported, wherever it moves, until there is more of it."""

from __future__ import annotations

import ast
import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from flake8.exceptions import ExecutionError
from real_cli import Done, RealCommandLine

from awaitlint.config.errors import ConfigError
from awaitlint.config.settings import Settings
from awaitlint.engine.baseline import Entry, dump, load, normalised
from awaitlint.engine.known import Baselines
from awaitlint.engine.options import BaselineUse
from awaitlint.flake8_plugin import Plugin, _checker

HEAD = "import asyncio, time\n\n\nasync def f(*a): ...\n\n\n"
TWO = HEAD + "async def main():\n    f(1)\n    time.sleep(2)\n"


class Project:
    """A directory with a baseline, and the command line in it."""

    def __init__(self, root: Path, command: RealCommandLine) -> None:
        self.root = root
        self.baseline = root / "known.json"
        self.command = command
        (root / ".git").mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: str, cwd: str = ".") -> Done:
        return self.command(self.root / cwd, *arguments)

    def update(self, *arguments: str) -> str:
        done = self.run("--baseline", "known.json", "--update-baseline", *arguments)
        assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
        return done.stderr

    def check(self, *arguments: str) -> list[tuple[str, int, str]]:
        """(file, line, code) of what is reported beside the baseline."""
        done = self.run("--baseline", "known.json", "--output-format", "json", *arguments)
        assert done.returncode in (0, 1), done.stderr
        found = json.loads(done.stdout)
        assert done.returncode == bool(found)
        root = os.fspath(self.root) + os.sep
        return [(e["filename"].removeprefix(root), e["location"]["row"], e["code"]) for e in found]

    def content(self) -> dict:
        return json.loads(self.baseline.read_text())["files"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch, capsysbinary) -> Project:
    return Project(tmp_path, RealCommandLine(monkeypatch, capsysbinary))


def test_what_is_known_is_not_reported(project):
    project.write("app/a.py", TWO)
    assert project.update() == "Wrote known.json: 2 findings (2 added, 0 removed).\n"
    assert project.baseline.read_text() == (
        "{\n"
        '  "version": 1,\n'
        '  "files": {\n'
        '    "app/a.py": [\n'
        '      {"rule": "AWL101", "scope": "main", "source": "f(1)", "count": 1},\n'
        '      {"rule": "AWL301", "scope": "main", "source": "time.sleep(2)", "count": 1}\n'
        "    ]\n"
        "  }\n"
        "}\n"
    )
    done = project.run("--baseline", "known.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No new errors!\n2 errors are known from the baseline.\n"
    assert project.run("--baseline", "known.json", "-q").stdout == ""
    sarif = json.loads(project.run("--baseline", "known.json", "--output-format", "sarif").stdout)
    assert sarif["runs"][0]["results"] == []
    assert project.run().returncode == 1


def test_code_may_move_and_be_formatted_anew(project):
    project.write("a.py", TWO + "\nclass C:\n    async def g(self):\n        print(f('x', 1))\n")
    project.update()
    moved = (
        "import asyncio, time\n# more\n\n"
        "class C:\n    def before(self): ...\n    async def g(self):\n        if self:\n"
        '            print(  f(\n                "x",  # why\n                1,\n            ))\n'
        "async def main():\n    time.sleep( 2 )\n    x = 1\n    f(1)\n\n" + HEAD
    )
    project.write("a.py", moved)
    assert project.check() == []
    assert project.run("--baseline", "known.json").stderr == ""


def test_another_function_or_text_is_something_else(project):
    project.write("a.py", TWO)
    project.update()
    project.write("a.py", TWO.replace("main", "other"))
    assert project.check() == [("a.py", 8, "AWL101"), ("a.py", 9, "AWL301")]
    project.write("a.py", TWO.replace("f(1)", "f(2)"))
    assert project.check() == [("a.py", 8, "AWL101")]
    project.write("b.py", TWO)
    assert project.check("b.py") == [("b.py", 8, "AWL101"), ("b.py", 9, "AWL301")]


def test_like_findings_are_counted(project):
    project.write("a.py", HEAD + "async def main():\n    f()\n    f()\n")
    project.update()
    assert project.content()["a.py"] == [{"rule": "AWL101", "scope": "main", "source": "f()", "count": 2}]
    project.write("a.py", HEAD + "async def main():\n    f()\n    f()\n    f()\n")
    assert project.check() == [("a.py", 10, "AWL101")]
    project.write("a.py", HEAD + "async def main():\n    f()\n")
    assert project.check() == []


def test_what_is_gone_is_told_and_removed(project):
    project.write("a.py", TWO)
    project.write("b.py", TWO)
    project.update()
    project.write("a.py", TWO.replace("    f(1)\n", ""))
    (project.root / "b.py").unlink()
    done = project.run("--baseline", "known.json")
    note = "note: nothing answers to 3 entries of known.json any more; --update-baseline removes such\n"
    assert (done.returncode, done.stderr) == (0, note)
    assert project.run("--baseline", "known.json", "-q").stderr == ""
    assert project.update() == "Wrote known.json: 1 finding (0 added, 3 removed).\n"
    assert list(project.content()) == ["a.py"]
    assert project.run("--baseline", "known.json").stderr == ""


def test_what_was_not_checked_is_kept(project):
    project.write("a.py", TWO)
    project.write("b.py", TWO)
    project.update()
    before = project.baseline.read_bytes()
    # other files
    assert project.update("a.py") == "Wrote known.json: 4 findings (0 added, 0 removed).\n"
    # other rules
    project.update("--select", "AWL1")
    project.update("--ignore", "AWL301")
    project.update("--per-file-ignores", "a.py:ALL")
    # findings that are too mild
    assert project.baseline.read_bytes() == before
    for arguments in (("a.py",), ("--select", "AWL1"), ("--per-file-ignores", "a.py:ALL")):
        done = project.run("--baseline", "known.json", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
    # a file that cannot be parsed
    project.write("a.py", TWO + "def\n")
    assert project.check() == [("a.py", 10, "AWL901")]
    assert project.update() == "Wrote known.json: 5 findings (1 added, 0 removed).\n"
    project.write("a.py", TWO)
    assert project.update() == "Wrote known.json: 4 findings (0 added, 1 removed).\n"
    assert project.baseline.read_bytes() == before


def test_what_is_found_and_too_mild_is_kept(project):
    project.write("a.py", "async def main():\n    print(open('x'))\n")
    project.update("--min-severity", "info")
    assert [each["rule"] for each in project.content()["a.py"]] == ["AWL305"]
    before = project.baseline.read_bytes()
    project.update()
    assert project.baseline.read_bytes() == before
    assert project.run("--baseline", "known.json").stderr == ""


def test_what_a_comment_silences_is_not_known(project):
    project.write("a.py", TWO)
    project.update()
    project.write("a.py", TWO.replace("f(1)", "f(1)  # noqa: AWL101"))
    assert "1 entry of known.json" in project.run("--baseline", "known.json").stderr
    assert project.update() == "Wrote known.json: 1 finding (0 added, 1 removed).\n"


def test_places_with_one_root_cause_are_known_one_by_one(project):
    """A new way to what is known to block is reported, and says nothing of the others."""
    project.write("helper.py", "import time\n\n\ndef helper():\n    time.sleep(1)\n")
    call = "from helper import helper\n\n\nasync def main():\n    helper()\n"
    project.write("b.py", call)
    project.write("c.py", call)
    project.update()
    assert list(project.content()) == ["b.py", "c.py"]
    assert project.check() == []
    project.write("a.py", call)
    assert project.check() == [("a.py", 5, "AWL308")]
    (project.root / "b.py").unlink()
    (project.root / "a.py").unlink()
    assert project.check() == []


def test_fixes_leave_alone_what_is_known(project):
    project.write("a.py", TWO)
    project.update()
    project.write("a.py", TWO + "    time.sleep(3)\n")
    project.run("--baseline", "known.json", "--fix")
    assert (project.root / "a.py").read_text() == TWO + "    await asyncio.sleep(3)\n"
    done = project.run("--baseline", "known.json", "--add-noqa")
    assert done.stderr == "No noqa comments to add.\n"


def test_the_configuration_names_it(project):
    project.write("sub/awaitlint.toml", 'baseline = "known/first.json"\nfix = true\n')
    project.write("sub/pkg/a.py", TWO)
    missing = project.run("sub")
    assert missing.returncode == 2
    path = str(Path("sub", "known", "first.json"))
    assert missing.stderr == f"error: {path}: there is no such baseline; --update-baseline writes it\n"
    # nothing is created beside it
    unwritten = project.run("--update-baseline", "sub")
    assert unwritten.returncode == 2
    assert unwritten.stderr == f"error: {path}: cannot write the baseline: no such file or directory\n"
    (project.root / "sub/known").mkdir()
    done = project.run("--update-baseline", "sub")
    assert (done.returncode, done.stderr) == (0, f"Wrote {path}: 2 findings (2 added, 0 removed).\n")
    assert (project.root / "sub/pkg/a.py").read_text() == TWO
    assert list(json.loads((project.root / path).read_text())["files"]) == ["../pkg/a.py"]
    assert project.run("sub").returncode == 0
    assert project.run("a.py", cwd="sub/pkg").returncode == 0
    assert project.run("--no-fix", "--no-baseline", "sub").returncode == 1
    assert project.run("--no-fix", "--isolated", "sub").returncode == 1
    project.write("empty.json", '{"version": 1, "files": {}}')
    assert project.run("--no-fix", "--baseline", "empty.json", "sub").returncode == 1


def test_explain_says_that_it_is_known(project):
    project.write("a.py", TWO)
    project.update()
    shown = project.run("--baseline", "known.json", "--explain", "a.py:8").stdout
    assert "AWL101 unawaited-coroutine would report it, but it is known from the baseline" in shown


def test_an_update_reports_nothing_to_machines_either(project):
    project.write("a.py", TWO)
    done = project.run("--baseline", "known.json", "--update-baseline", "--output-format", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert project.run("--baseline", "known.json", "--update-baseline", "-q").stderr == ""


# -- errors


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "expecting value (at line 1)"),
        (b"{\n<<<<<<< ours\n", "expecting property name enclosed in double quotes (at line 2)"),
        (b"\xff{}", "not UTF-8"),
        (b"[]", "there is no version"),
        (b'{"files": {}}', "there is no version"),
        (b'{"version": 1}', "`files` is no table"),
        (b'{"version": 1, "files": []}', "`files` is no table"),
        (b'{"version": 1, "files": {"a.py": 1}}', "no list of findings for a.py"),
        (b'{"version": 1, "files": {"a.py": [1]}}', "not a finding, in a.py: 1"),
        (
            b'{"version": 1, "files": {"a.py": [{"rule": "A", "scope": "", "source": "", "count": 0}]}}',
            'not a finding, in a.py: {"rule": "A", "scope": "", "source": "", "count": 0}',
        ),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_baseline_is_an_error(project, text, reason):
    project.write("a.py", TWO)
    project.baseline.write_bytes(text)
    for arguments in ((), ("--update-baseline",), ("--fix",), ("--add-noqa",)):
        done = project.run("--baseline", "known.json", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"error: known.json: not a baseline: {reason}\n"
    assert project.baseline.read_bytes() == text
    assert (project.root / "a.py").read_text() == TWO


def test_a_baseline_of_another_version_is_an_error(project):
    project.write("a.py", TWO)
    project.write("known.json", '{"version": 2, "files": {}}')
    done = project.run("--baseline", "known.json")
    assert done.stderr == "error: known.json: not a baseline that this awaitlint reads: its version is 2\n"


def test_a_missing_baseline_is_an_error_even_without_files(project):
    (project.root / "empty").mkdir()
    done = project.run("--baseline", "known.json", "empty", "-q")
    reason = "known.json: there is no such baseline; --update-baseline writes it"
    assert (done.returncode, done.stderr) == (2, f"error: {reason}\n")
    (project.root / "known.json").mkdir()
    done = project.run("--baseline", "known.json", "empty", "-q")
    assert done.stderr == "error: known.json: cannot read the baseline: is a directory\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--update-baseline needs a baseline: name it with --baseline, or in the configuration"),
        (("-",), "--update-baseline changes files, and standard input is none"),
        (("--diff",), "--update-baseline and --diff exclude each other"),
        (("--fix",), "--update-baseline and --fix exclude each other"),
        (("--no-baseline",), "--update-baseline and --no-baseline exclude each other"),
    ],
)
def test_what_does_not_go_together(project, arguments, reason):
    project.write("a.py", TWO)
    done = project.run("--update-baseline", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {reason}\n")
    done = project.run("--baseline", "x", "--no-baseline")
    assert done.stderr == "error: --baseline and --no-baseline exclude each other\n"


# -- the format


def test_a_baseline_is_read_as_it_was_written(tmp_path):
    files = {
        "b.py": Counter({Entry("AWL301", "é", "f('\"\\n')"): 2, Entry("AWL101", "", "x"): 1}),
        "a/\udcff.py": Counter({Entry("AWL101", "C.m", "\ud800"): 1}),
        "empty.py": Counter({Entry("AWL101", "", "y"): 0}),
    }
    path = tmp_path / "b.json"
    path.write_text(dump(files), encoding="utf-8")
    loaded = load(path).files
    assert dump(loaded) == path.read_text(encoding="utf-8")
    assert loaded == {name: files[name] for name in ("b.py", "a/\udcff.py")}
    assert list(loaded) == sorted(loaded)
    assert dump({}) == '{\n  "version": 1,\n  "files": {}\n}\n'
    assert "é" in dump(files)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("f(\n  a,\n  b = 1,  # why\n)", "f(a, b=1)"),
        ("await  self.close( )", "await self.close()"),
        ("g(\"x\", 'y')", "g('x', 'y')"),
        ('f"""a\n  b"""', 'f"""a\n  b"""'),
        ("'it\"s'", "'it\"s'"),
        ("'\\''", "'\\''"),
        ("x if a else\\\n  (b)", "x if a else(b)"),
        ("'a' 'b'", "'a' 'b'"),
        ("rb'x'", "rb'x'"),
        ("'#' # not", "'#'"),
        ("", ""),
    ],
)
def test_normalised_source(written, expected):
    assert normalised(written) == expected
    assert normalised(expected) == expected


def test_long_sources_are_told_apart(project):
    items = ", ".join(f"'{number:03}'" for number in range(100))
    project.write("a.py", HEAD + f"async def main():\n    f({items})\n    f({items}, 1)\n")
    project.update()
    sources = [each["source"] for each in project.content()["a.py"]]
    assert len(set(sources)) == 2
    assert all(len(each) < 160 for each in sources)


def test_the_same_whatever_the_order_of_the_files(project):
    for name in ("b/x.py", "a.py", "b.py"):
        project.write(name, TWO)
    project.update("b.py", "a.py", "b")
    first = project.baseline.read_bytes()
    project.baseline.unlink()
    project.update("b/x.py")
    project.update("a.py", "b.py")
    assert project.baseline.read_bytes() == first


def test_it_is_not_written_where_nothing_changes(project):
    project.write("a.py", TWO)
    project.update()
    status = project.baseline.stat()
    project.update()
    assert (project.baseline.stat().st_ino, project.baseline.stat().st_mtime_ns) == (
        status.st_ino,
        status.st_mtime_ns,
    )
    assert [each.name for each in project.root.iterdir() if each.suffix == ".tmp"] == []


@pytest.mark.skipif(os.name == "nt", reason="no such permissions there")
def test_permissions_and_links_stay(project):
    project.write("a.py", TWO)
    project.write("elsewhere.json", '{"version": 1, "files": {}}')
    (project.root / "elsewhere.json").chmod(0o640)
    project.baseline.symlink_to("elsewhere.json")
    project.update()
    assert project.baseline.is_symlink()
    assert (project.root / "elsewhere.json").stat().st_mode & 0o777 == 0o640
    assert project.check() == []
    project.baseline.unlink()
    umask = os.umask(0o022)
    try:
        project.update()
    finally:
        os.umask(umask)
    assert project.baseline.stat().st_mode & 0o777 == 0o644


# -- flake8


def plugin(root: Path, text: str) -> list[str]:
    made = Plugin(ast.parse(text), os.fspath(root / "a.py"), text.splitlines(keepends=True))
    return [message[:6] for _, _, message, _ in made.run()]


def test_flake8_leaves_out_what_is_known(project):
    _checker.cache_clear()
    project.write("awaitlint.toml", 'baseline = "known.json"\n')
    project.write("a.py", TWO)
    with pytest.raises(ExecutionError, match="there is no such baseline"):
        plugin(project.root, TWO)
    project.update()
    assert plugin(project.root, TWO) == []
    assert plugin(project.root, TWO.replace("f(1)", "f(3)")) == ["AWL101"]
    # a baseline that changes is read again
    time.sleep(0.01)
    project.write("known.json", '{"version": 1, "files": {}}')
    assert plugin(project.root, TWO) == ["AWL101", "AWL301"]


def test_a_baseline_that_counts_for_nothing_is_not_read(tmp_path):
    settings = Settings(root=tmp_path, baseline=tmp_path / "missing.json")
    assert Baselines(BaselineUse.IGNORE).of(settings) is None
    with pytest.raises(ConfigError):
        Baselines(BaselineUse.APPLY).of(settings)
    recorded = Baselines(BaselineUse.RECORD).of(settings)
    assert recorded is not None
    assert recorded.files == {}
