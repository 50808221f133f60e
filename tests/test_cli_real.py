"""The command line with the real engine, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from awaitlint import __main__
from awaitlint.cli.version import version_line
from awaitlint.rulekit.registry import all_rules, rule_keys


def real(*arguments: str, cwd: Path, stdin: bytes | None = None, **environ: str):
    return subprocess.run(
        [sys.executable, "-m", "awaitlint", *arguments],
        cwd=cwd,
        check=False,
        capture_output=True,
        input=stdin,
        env={**os.environ, **environ},
        timeout=60,
    )


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "db.py").write_text("async def fetch():\n    return 1\n")
    (tmp_path / "main.py").write_text("from db import fetch\n\n\nasync def main():\n    fetch()\n")
    return tmp_path


def test_a_real_run(project):
    done = real("check", "--output-format", "concise", cwd=project)
    assert done.stderr == b""
    assert done.returncode == 1
    assert done.stdout.startswith(b"main.py:5:5: AWL101 ")
    assert done.stdout.splitlines()[1] == b"Found 1 error."
    assert real("check", "db.py", cwd=project).stdout == b"All checks passed!\n"
    coloured = real("check", cwd=project, FORCE_COLOR="1").stdout
    assert b"\x1b[1;91mAWL101\x1b[0m" in coloured


def test_a_real_fix(project):
    fixed = b"from db import fetch\n\n\nasync def main():\n    await fetch()\n"
    arguments = ("check", "--fix", "--unsafe-fixes", "-q")
    done = real(
        *arguments, "--stdin-filename", "main.py", "-", cwd=project, stdin=fixed.replace(b"await ", b"")
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, fixed, b"")
    diff = real(*arguments, "--diff", cwd=project)
    assert (diff.returncode, diff.stderr) == (1, b"")
    assert b"-    fetch()\n+    await fetch()\n" in diff.stdout
    assert b"await" not in (project / "main.py").read_bytes()
    done = real(*arguments, cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (project / "main.py").read_bytes() == fixed


def test_every_real_rule_has_a_page(project):
    done = real("rule", "--all", "--output-format", "json", cwd=project)
    rules = json.loads(done.stdout)
    assert "AWL101" in [each["code"] for each in rules]
    pages = real("rule", "--all", cwd=project)
    assert (pages.returncode, pages.stderr) == (0, b"")
    for each in rules:
        assert f"# {each['code']} {each['name']}\n".encode() in pages.stdout
        page = re.sub(r"<!--.*-->\n\n", "", each["explanation"]).strip()
        assert page.encode() in pages.stdout
        assert each["name"] in each["explanation"] or each["code"] in each["explanation"]


def test_the_version_is_told_without_click(project):
    code = (
        "import sys; before = set(sys.modules); from awaitlint.__main__ import main; main(['--version']); "
        "print(sorted({'click', 're', 'typing'} & set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{version_line()}\n[]\n"


def test_what_knows_its_findings_already_imports_neither_rules_nor_inference(project):
    (project / "awaitlint.toml").write_text('select = ["unawaited-coroutine", "AWL2"]\n')
    code = (
        "import sys; from awaitlint.cli.main import run; import awaitlint.engine.run as engine; "
        "engine.run = lambda targets, *_, **options: engine.Result((), len(targets)); code = run(['check']); "
        "layers = {'rules', 'infer', 'index', 'syntax'}; "
        "print(code, {each.split('.')[1] for each in sys.modules if each.startswith('awaitlint.')} & layers, "
        "sum(each.startswith('awaitlint.rules.') for each in sys.modules), 'msgspec' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 {'rules'} 0 False"


def test_the_keys_of_the_rules_are_what_the_rules_say():
    assert rule_keys() == tuple((rule.code, rule.name, rule.default) for rule in all_rules())


def test_a_clean_run_imports_neither_libcst_nor_pathspec(project):
    (project / "main.py").unlink()
    code = (
        "import sys; from awaitlint.__main__ import main; code = main(['check', '-q', '--no-cache']); "
        "print(code, sorted({'libcst', 'pathspec', 'flake8'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 []\n"


def test_a_reader_that_leaves_early_is_no_error(project):
    calls = "\n".join(["    fetch()"] * 1500)
    (project / "main.py").write_text(f"from db import fetch\nasync def main():\n{calls}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "awaitlint", "check", "--output-format", "concise"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"main.py:3:5: AWL101 ")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


def test_a_signal_ends_a_run_without_a_traceback(project):
    code = (
        "import os, signal, sys\nimport awaitlint.engine.run as engine\n"
        "def run(*args, **options):\n    os.kill(os.getpid(), signal.SIGINT)\n    signal.pause()\n"
        "engine.run = run\nfrom awaitlint.__main__ import main\nsys.exit(main(['check']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


def test_names_and_texts_that_the_terminal_cannot_show_are_escaped(project):
    (project / "h\u00e9llo.py").write_text("from db import fetch\nasync def main():\n    fetch()  # \u65e5\n")
    done = real("check", "h\u00e9llo.py", cwd=project, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 1
    assert b"h\\xe9llo.py" in done.stdout
    assert b"# \\u65e5" in done.stdout
    assert done.stderr == b""


def test_the_entry_point_takes_arguments(capsys):
    assert __main__.main(["version"]) == 0
    assert capsys.readouterr().out == f"{version_line()}\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")  # noqa: PTH110
@pytest.mark.parametrize("arguments", [["--version"], ["version"], ["--help"], ["check"], ["rule", "AWL101"]])
def test_a_full_disk_is_told_in_one_line(project, arguments):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "awaitlint", *arguments],
            cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.stderr == "error: cannot write the output: no space left on device\n"
    assert done.returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a POSIX shell")
@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        ("version >&-", 0, ""),
        ("--version >&- 2>&-", 0, ""),
        ("check - <&-", 2, "error: standard input is closed\n"),
        ("check main.py <&- >&-", 1, ""),
    ],
)
def test_closed_streams(project, call, code, message):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m awaitlint {call}', sys.executable],
        cwd=project, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, message)
