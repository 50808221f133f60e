"""Checking files in several processes: the same output as with one, whatever becomes of them."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import awaitlint
from awaitlint.cli.main import run as run_cli
from awaitlint.config.load import SettingsCache
from awaitlint.engine import session as session_module
from awaitlint.engine.directory import DIRECTORY
from awaitlint.engine.options import AUTO, BaselineUse, Options
from awaitlint.engine.run import Result, run
from awaitlint.engine.verdicts.exchange import learned_of, share, together
from awaitlint.engine.verdicts.learning import Learned
from awaitlint.engine.verdicts.records import FACTS, UNSETTLED, Node, Signature
from awaitlint.engine.workers import child, pool, processors, start
from awaitlint.engine.workers import job as jobs
from awaitlint.engine.workers.processors import processes_for
from awaitlint.files.discover import Target, discover
from awaitlint.files.source import SourceStore
from awaitlint.rulekit.registry import all_rules
from benchmarks.comparison.marks import read as marked_lines
from tests.venvs import write

CHATBOT = Path(__file__).parents[1] / "examples" / "chatbot"
FORKS = sys.platform == "linux"

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.skipif(not processors.can_start(), reason="no processes can be started"),
]
needs_fork = pytest.mark.skipif(not FORKS, reason="workers are new processes here, where nothing is patched")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marked lines and the example service, without caches."""
    root = tmp_path_factory.mktemp("trees")
    marked_lines().write(root / "lines")
    write(root / "lines", {"pyproject.toml": "[project]\nname = 'x'\nrequires-python = '>=3.11'\n"})
    shutil.copytree(CHATBOT, root / "bot", ignore=shutil.ignore_patterns(DIRECTORY))
    return root


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch) -> Path:
    """The directory of temporary files, which is empty afterwards."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    for module in (pool, processors):
        # whoever runs the tests may have threads, which know nothing of this
        monkeypatch.setattr(module, "can_fork", lambda: FORKS)
    monkeypatch.setenv("TMPDIR", os.fspath(directory))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield directory
    assert list(directory.iterdir()) == []


def environment(**more: str) -> dict[str, str]:
    """That of a process which has the directory of temporary files, too."""
    return {**os.environ, "PYTHONPATH": os.fspath(Path(awaitlint.__file__).parents[1]), **more}


def checked(root: Path, jobs: int = 2, **options) -> Result:
    options = {"cache": False, "isolated": True, **options}
    settings_for = SettingsCache(isolated=options["isolated"])
    targets = discover([root], settings_for, cwd=root)
    return run(targets, settings_for, SourceStore(), options=Options(jobs=jobs, **options))


def found_in(result: Result) -> str:
    """The name of a file with findings, which can be parsed."""
    return next(Path(each.path).name for each in result.diagnostics if each.code != "AWL901")


def said(root: Path, capsysbinary, monkeypatch, *arguments: str) -> tuple[int, bytes]:
    monkeypatch.chdir(root)
    code = run_cli(["check", *arguments])
    return code, capsysbinary.readouterr().out


# -- the same output
@pytest.mark.parametrize("tree", ["lines", "bot"])
def test_output_is_the_same_with_any_number_of_workers(trees, tree, capsysbinary, monkeypatch):
    root = trees / tree
    cache = trees / f"cache-{tree}"
    cached = ("--cache-dir", os.fspath(cache))

    def output(name: str, *arguments: str) -> tuple[int, bytes]:
        shown = ("--output-format", name, "--preset", "pedantic", *arguments)
        return said(root, capsysbinary, monkeypatch, *shown)

    concise, json = output("concise", "--no-cache", "-j1"), output("json", "--no-cache", "-j1")
    assert concise[0] == 1
    assert output("concise", "--no-cache", "-j2") == concise
    assert output("json", "--no-cache", "--jobs=3") == json
    assert output("json", *cached, "-j2") == json
    assert output("concise", *cached, "-j3") == concise
    assert output("json", *cached, "-jauto") == json
    # the facts are known, and what was found is not
    for path in cache.glob("*.seen"):
        path.unlink()
    assert output("concise", *cached, "-j2") == concise


def test_new_processes_find_the_same_as_copies(trees, monkeypatch):
    expected = checked(trees / "bot", 1)
    for module in (pool, processors):
        monkeypatch.setattr(module, "can_fork", lambda: False)
    found = checked(trees / "bot", 2)
    assert found == expected
    assert found.places == expected.places
    assert (found.processes, found.warnings) == (2, ())


def test_texts_are_those_that_were_checked(trees):
    result = checked(trees / "bot", 2)
    paths = {trees / "bot" / finding.path for finding in result.diagnostics}
    assert paths
    assert paths <= set(result.texts.overlays)
    assert all(result.texts.overlays[path] == path.read_bytes() for path in paths)


def test_unsaved_buffers_and_odd_names(tmp_path):
    source = "import asyncio\n\n\nasync def f():\n    asyncio.sleep(1)\n"
    write(tmp_path / "p", {f"m{number}.py": source for number in range(4)})
    odd = os.fsencode(tmp_path / "p") + b"/caf\xe9.py"
    with contextlib.suppress(OSError):  # there are file systems that know texts only
        Path(os.fsdecode(odd)).write_text(source)
    settings_for = SettingsCache(isolated=True)
    targets = discover([tmp_path / "p"], settings_for, cwd=tmp_path)
    store = SourceStore({tmp_path / "p" / "m1.py": b"x = 1\n"})
    both = [
        run(targets, settings_for, store, options=Options(cache=False, isolated=True, jobs=number))
        for number in (1, 3)
    ]
    assert both[0] == both[1]
    assert len(both[0].diagnostics) == len(targets) - 1


def test_what_is_nested_too_deeply_is_told_alike(tmp_path):
    deep = "async def f(): ...\n\n\nasync def g():\n    x = f" + "()" * 300 + "\n"
    write(tmp_path, {"a.py": deep, "b.py": "import a\n\n\nasync def h():\n    a.f()\n", "c.py": "x = 1\n"})
    expected = checked(tmp_path, 1)
    assert len(expected.diagnostics) > 1
    for number in (2, 3):
        assert checked(tmp_path, number) == expected


# -- what a run does besides
def test_fixes_and_comments_are_the_same(trees, tmp_path, capsysbinary, monkeypatch):
    for action in (["--fix", "--unsafe-fixes"], ["--add-noqa"], ["--statistics"]):
        outcomes = []
        for number in ("1", "2"):
            root = tmp_path / "copies" / "bot"
            shutil.copytree(trees / "bot", root)
            outcome = said(root, capsysbinary, monkeypatch, "--no-cache", "-j", number, *action)
            texts = {os.fspath(path): path.read_bytes() for path in root.rglob("*.py")}
            outcomes.append((outcome, texts))
            shutil.rmtree(root)
        assert outcomes[0] == outcomes[1]


def test_baselines_are_the_same(trees, tmp_path, capsysbinary, monkeypatch):
    written = []
    for number in ("1", "2"):
        root = tmp_path / f"bot{number}"
        shutil.copytree(trees / "bot", root)
        with_baseline = ("--baseline", "known.json", "-j", number)
        assert said(root, capsysbinary, monkeypatch, "--update-baseline", *with_baseline)[0] == 0
        written.append((root / "known.json").read_bytes())
        code, _ = said(root, capsysbinary, monkeypatch, *with_baseline)
        assert code == 0
        source = root / "src" / "added.py"
        source.write_text("import asyncio\n\n\nasync def f():\n    asyncio.sleep(1)\n")
        code, out = said(root, capsysbinary, monkeypatch, *with_baseline, "--output-format", "concise")
        assert (code, out.count(b"added.py")) == (1, 1)
    assert written[0] == written[1]
    assert BaselineUse.APPLY is Options().baseline


def test_progress_counts_every_file_once(trees):
    settings_for = SettingsCache(isolated=True)
    targets = discover([trees / "bot"], settings_for, cwd=trees)
    calls: list[tuple[int, int]] = []
    options = Options(cache=False, isolated=True, jobs=2)
    run(targets, settings_for, SourceStore(), options=options, progress=lambda *call: calls.append(call))
    assert calls == [(number, len(targets)) for number in [*range(1, len(targets) + 1), len(targets)]]


# -- findings are kept as by one process
def test_a_second_run_checks_nothing(trees, tmp_path, monkeypatch):
    root = tmp_path / "lines"
    shutil.copytree(trees / "lines", root)
    long_ago = time.time() - 60
    for path in [root, *root.rglob("*")]:
        os.utime(path, (long_ago, long_ago))
    first = checked(root, 3, cache=True)

    def check(*_: object, **__: object) -> None:
        raise AssertionError("a file was checked")

    monkeypatch.setattr(session_module, "check_file", check)
    for number in (1, 2, AUTO):
        again = checked(root, number, cache=True)
        assert again == first
        assert (again.session, again.processes) == (None, 1)


def test_any_history_gives_what_one_process_gives(trees, tmp_path):
    root = tmp_path / "lines"
    shutil.copytree(trees / "lines", root)
    chance = random.Random(7)
    for step in range(4):
        for path in chance.sample(sorted(root.rglob("*.py")), 3):
            kind = chance.randrange(4)
            if kind == 0 and path.name != "__init__.py":
                path.unlink()
            elif kind == 1:
                path.with_name(f"added_{chance.randrange(5)}.py").write_text(path.read_text())
            else:
                before, after = ("await ", "") if kind == 2 else ("    def ", "    async def ")
                path.write_text(path.read_text().replace(before, after, 1))
        expected = checked(root, 1)
        assert checked(root, 2, cache=True) == expected
        assert checked(root, step % 3, cache=True) == expected


def test_what_two_processes_saw_differently_is_not_believed():
    signature = Signature(1, 1, 1, 1)
    node = Node("a.py", FACTS, b"1", signature)
    one = Learned({"a.py": (node, {("b", 0): "b.py"})}, {".": (5, b"x")}, {("c", ""): b"y"}, {})
    assert learned_of(share(0, one)) == one
    assert together([one, one]) == one
    more = one._replace(nodes={"a.py": (node, {("c", 0): ""})}, findings={("a.py", b"o"): b""})
    assert together([one, more]) == more._replace(nodes={"a.py": (node, {("b", 0): "b.py", ("c", 0): ""})})

    other = Node("a.py", FACTS, b"2", signature)
    for second in (
        {"nodes": {"a.py": (other, {})}},
        {"nodes": {"a.py": (node, {("b", 0): ""})}},
        {"directories": {".": (6, b"z")}},
        {"inputs": {("c", ""): b"z"}},
    ):
        merged = together([one, one._replace(**second)])
        seen = [merged.nodes["a.py"][0].digest, merged.directories["."][1], merged.inputs["c", ""]]
        changed = [each for each, before in zip(seen, (b"1", b"x", b"y"), strict=True) if each != before]
        assert len(changed) == 1
        assert changed[0] not in (b"2", b"z")
    read = Node("a.py", FACTS, b"1", signature, text_matters=True)
    assert together([one, one._replace(nodes={"a.py": (read, {("b", 0): "b.py"})})]).nodes["a.py"][0] == read
    touched = Node("a.py", FACTS, b"1", UNSETTLED)
    assert together([one, one._replace(nodes={"a.py": (touched, {})})]).nodes["a.py"][0] == touched


# -- workers in trouble
def _patched(monkeypatch, name: str, action) -> None:
    """Let workers do something else where a file of this name is about to be checked or lowered."""
    parent = os.getpid()
    for method in ("lowered", "checked"):
        original = getattr(session_module.Session, method)

        def call(session, given, original=original, method=method):
            if os.getpid() != parent and Path(getattr(given, "path", given)).name == name:
                action(method)
            return original(session, given)

        monkeypatch.setattr(session_module.Session, method, call)


@needs_fork
@pytest.mark.parametrize("when", ["lowered", "checked"])
def test_a_worker_that_dies_loses_nothing(trees, monkeypatch, capsys, when):
    root = trees / "bot"
    expected = checked(root, 1)
    victim = found_in(expected)

    def die(method: str) -> None:
        if method == when:
            os.kill(os.getpid(), signal.SIGKILL)

    _patched(monkeypatch, victim, die)
    result = checked(root, 2)
    assert result == expected
    assert len(result.warnings) == 1
    assert "signal 9" in result.warnings[0]
    monkeypatch.chdir(root)
    assert run_cli(["check", "--no-cache", "-j2", "--verbose", "--exit-zero"]) == 0
    assert capsys.readouterr().err.count("warning: a worker process was ended by signal 9") == 1
    assert run_cli(["check", "--no-cache", "-j2", "--exit-zero"]) == 0
    assert capsys.readouterr().err == ""


@needs_fork
def test_all_workers_may_die(trees, monkeypatch):
    monkeypatch.setattr(child._Worker, "answer", lambda *_: os._exit(3))
    result = checked(trees / "bot", 2)
    assert result == checked(trees / "bot", 1)
    assert len(result.warnings) == 2
    assert "ended with code 3" in result.warnings[0]


@needs_fork
def test_what_a_worker_cannot_do_is_done_here(trees, monkeypatch):
    expected = checked(trees / "bot", 1)

    def fail(_: str) -> None:
        raise MemoryError

    _patched(monkeypatch, found_in(expected), fail)
    result = checked(trees / "bot", 2)
    assert (result, result.warnings) == (expected, ())


@needs_fork
def test_no_process_can_be_started(trees, monkeypatch):
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    expected = checked(trees / "bot", 1)
    monkeypatch.setattr(os, "fork", fork)
    result = checked(trees / "bot", 2)
    assert result == expected
    assert "Resource temporarily unavailable" in result.warnings[0]


@needs_fork
def test_rules_that_crash_are_named_once(trees, monkeypatch):
    def crash(*_: object) -> bool:
        raise ValueError("a bug")

    for rule in all_rules()[:3]:
        monkeypatch.setattr(rule, "suspect", crash)
    expected = checked(trees / "bot", 1)
    assert expected.internal_errors
    assert checked(trees / "bot", 2).internal_errors == expected.internal_errors
    assert checked(trees / "bot", 3) == expected


SLOW = """\
import pathlib, time
from awaitlint.__main__ import console
from awaitlint.engine.workers import child

def answer(self, *_):
    import os
    pathlib.Path(f"{os.environ['MARKS']}/{os.getpid()}").touch()
    while True:
        time.sleep(0.01)
    return b""

child._Worker.answer = answer
console()
"""


@needs_fork
@pytest.mark.parametrize("everybody", [True, False])
def test_an_interrupt_ends_all(trees, tmp_path, shared, everybody):
    marks = tmp_path / "marks"
    marks.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, "check", "-j2", "--no-cache"],
        cwd=trees / "bot",
        env=environment(MARKS=os.fspath(marks)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while len(list(marks.iterdir())) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if everybody:  # as a terminal does it
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")
    for mark in marks.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(mark.name), 0)


@needs_fork
def test_workers_end_with_their_parent(trees, tmp_path, shared):
    marks = tmp_path / "marks"
    marks.mkdir()
    ends = SLOW.replace("while True:", "for _ in range(100):")
    process = subprocess.Popen(
        [sys.executable, "-c", ends, "check", "-j2", "--no-cache"],
        cwd=trees / "bot",
        env=environment(MARKS=os.fspath(marks)),
    )
    deadline = time.monotonic() + 30
    while len(list(marks.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(list(shared.iterdir())) == 1
    process.kill()
    process.wait()
    while list(shared.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_workers_import_nothing_from_the_linted_project(trees, tmp_path):
    root = tmp_path / "evil"
    shutil.copytree(trees / "bot", root)
    for name in ("struct", "msgspec", "awaitlint", "click", "libcst", "signal", "sitecustomize"):
        (root / f"{name}.py").write_text("import os\n\nos._exit(77)\n")
    script = tmp_path / "script.py"
    script.write_text(
        "from awaitlint.engine.workers import pool, processors\n"
        "for module in (pool, processors):\n"
        "    module.can_fork = lambda: False\n"
        "from awaitlint.__main__ import console\n"
        "console()\n"
    )
    command = [sys.executable, os.fspath(script), "check", "-j2", "--no-cache", "--exit-zero", "-v"]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "checked in 2 processes" in done.stderr
    assert "warning" not in done.stderr


# -- how many
@pytest.mark.parametrize("value", ["0", "-1", "two", "", "1.5", "00"])
def test_bad_numbers_are_refused(value, capsys):
    assert run_cli(["check", f"--jobs={value}"]) == 2
    assert capsys.readouterr().err == f"error: --jobs: expected a number from 1 or auto: {value}\n".replace(
        ": \n", ":\n"
    )


def test_small_runs_need_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(processors, "processors", lambda: 4)
    write(tmp_path, {"small.py": "x = 1\n", **{f"m{n}.py": "x = 1\n" * 200_000 for n in range(8)}})
    targets = [Target(path, path.name) for path in sorted(tmp_path.iterdir())]
    assert processes_for([targets[-1], Target(tmp_path / "none.py", "none.py")], AUTO) in (1, 2)
    assert processes_for([Target(tmp_path / "small.py", "small.py")] * 50, AUTO) == 1
    assert processes_for(targets, AUTO) == 4
    assert processes_for(targets, 3) == 3
    assert processes_for(targets[:2], 64) == 2
    assert processes_for(targets, 1) == 1
    assert 1 <= processors.processors() <= (os.cpu_count() or 1) or processors.processors() == 4


def test_chunks_keep_neighbours_together():
    files = [f"/p/{name}" for name in ("b/2.py", "a/1.py", "a/2.py", "b/1.py", "a/big.py")]
    sizes = [10, 10, 10, 10, 100]
    chunks = pool.chunks_of(files, sizes, 7)
    assert [[files[number] for number in chunk] for chunk in chunks] == [
        ["/p/a/1.py", "/p/a/2.py"],
        ["/p/a/big.py"],
        ["/p/b/1.py", "/p/b/2.py"],
    ]


def test_a_worker_answers_what_it_is_asked(trees, tmp_path):
    """What workers do in processes of their own, in this one."""
    root = tmp_path / "bot"
    shutil.copytree(trees / "bot", root)
    settings_for = SettingsCache(isolated=True)
    targets = [(target, settings_for(target.path)) for target in discover([root], settings_for, cwd=root)]
    spare = tmp_path / "spare"
    spare.mkdir()
    everything = [list(range(len(targets)))]
    told = jobs.job(targets, [], everything, Options(isolated=True), {}, os.fspath(spare), keeps=True)
    worker = child._Worker(told)
    assert [worker.answer(kind, chunk) for kind, chunk in ((jobs.LOWER, 0), (jobs.FLUSH, -1))] == [b"", b""]
    outcomes = jobs.decode_outcomes(worker.answer(jobs.CHECK, 0))
    found = sorted((each for outcome in outcomes for each in outcome.found), key=lambda each: each.sort_key)
    answered = [told.target(outcome.target).path.name for outcome in outcomes]
    # a file that cannot be parsed is left to the parent
    assert sorted([*answered, "export.py"]) == sorted(target.path.name for target, _ in targets)
    assert tuple(found) == tuple(each for each in checked(root, 1).places if each.code != "AWL901")
    (learned,) = jobs.decode_shares(worker.answer(jobs.REPORT, -1))
    assert {"src/chatbot/main.py", "src/chatbot/llm.py"} <= {name for name, _, _ in learned.findings}

    requests = [jobs.Request(jobs.LOWER, 0), jobs.Request(jobs.END)]
    for number in (2, 1):  # the parent says that it was all, or is gone
        said = b"".join(
            len(message).to_bytes(8, "little") + message for message in map(jobs.encode, requests[:number])
        )
        heard = io.BytesIO()
        try:
            child.serve(start.Pipes(io.BytesIO(said), heard), told)
        finally:
            gc.enable()
        assert heard.getvalue() == bytes(8)
        assert spare.exists() == (number == 2)


def test_jobs_are_told_as_they_are(tmp_path):
    settings = SettingsCache(isolated=True).in_directory(tmp_path)
    target = Target(tmp_path / "a.py", "a.py")
    told = jobs.job([(target, settings)], [], [[0]], Options(cache_dir=tmp_path), {}, "/x", keeps=True)
    known = jobs.decode_job(jobs.encode(told))
    assert known == told
    assert (known.target(0), known.settings_of(0)) == (target, settings)
