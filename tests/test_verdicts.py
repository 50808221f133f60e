"""Findings that are kept from one run to the next: the same as without, whatever has changed meanwhile."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import awaitlint
from awaitlint.config.load import SettingsCache
from awaitlint.engine import session as session_module
from awaitlint.engine.directory import DIRECTORY
from awaitlint.engine.run import Options, run
from awaitlint.engine.verdicts import memory as memory_module
from awaitlint.engine.verdicts.names import Names
from awaitlint.engine.verdicts.shape import same_shape
from awaitlint.files.discover import discover
from awaitlint.files.inputs import Notes, look, note_everything, note_file, note_names, note_variable, noting
from awaitlint.files.source import SourceStore
from awaitlint.index.lower import lower
from awaitlint.syntax.parse import parse
from benchmarks.comparison.marks import read as marked_lines
from tests.venvs import POSIX, venv, write

CHATBOT = Path(__file__).parents[1] / "examples" / "chatbot"
PROJECT = {
    "pyproject.toml": "[project]\nname = 'app'\nrequires-python = '>=3.11'\n",
    "app/__init__.py": "",
    "app/db.py": "async def fetch(): ...\n\n\ndef plain(): ...\n",
    "app/service.py": "from app.db import fetch, plain\n\n\nasync def serve():\n    fetch()\n    plain()\n",
    "app/routes.py": "from app import service\n\n\nasync def route():\n    service.serve()\n",
    "app/other.py": "import asyncio\n\n\nasync def other():\n    asyncio.sleep(1)\n",
}


@pytest.fixture
def checked(monkeypatch) -> list[str]:
    """The names of the files that were really checked."""
    names: list[str] = []
    original = session_module.check_file

    def check(session, target, **options):
        names.append(target.path.name)
        return original(session, target, **options)

    monkeypatch.setattr(session_module, "check_file", check)
    return names


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", PROJECT)


@pytest.fixture(autouse=True)
def _settled(monkeypatch):
    """Files count as settled at once: what a test writes and reads takes no two seconds."""
    monkeypatch.setattr(memory_module, "SETTLED_AFTER", -(10**18))


def found(root: Path, *paths: str, cache: bool = True, cwd: Path | None = None, **overrides: object):
    """What a run finds, all of it."""
    settings_for = SettingsCache(overrides=overrides)
    with contextlib.chdir(cwd or root):
        targets = discover([root / path for path in paths or (".",)], settings_for)
        result = run(targets, settings_for, SourceStore(), options=Options(cache=cache))
    assert not result.internal_errors
    return result.places


def lines(diagnostics) -> list[tuple[str, int, str]]:
    return [(each.path, each.span.line, each.code) for each in diagnostics]


FOUND = [("app/other.py", 5, "AWL101"), ("app/routes.py", 5, "AWL101"), ("app/service.py", 5, "AWL101")]


# -- what is taken over, and what is not


def test_nothing_is_checked_twice(project, checked):
    first = found(project)
    assert lines(first) == FOUND
    assert checked == ["__init__.py", "db.py", "other.py", "routes.py", "service.py"]
    checked.clear()
    assert found(project) == first
    assert checked == []


def test_a_change_concerns_those_that_depend_on_it(project, checked):
    found(project)
    checked.clear()
    write(project, {"app/db.py": "def fetch(): ...\n\n\nasync def plain(): ...\n"})
    assert lines(found(project)) == [*FOUND[:2], ("app/service.py", 6, "AWL101")]
    assert checked == ["db.py", "routes.py", "service.py"]
    checked.clear()
    write(project, {"app/other.py": PROJECT["app/other.py"] + "    asyncio.sleep(2)\n"})
    assert ("app/other.py", 6, "AWL101") in lines(found(project))
    assert checked == ["other.py"]


PADDING = "# padding\n" * 120


def test_a_comment_concerns_findings_that_name_places(project, checked):
    write(project, {"app/db.py": PADDING + PROJECT["app/db.py"]})
    write(project, {"app/fine.py": "from app.db import fetch\n\n\nasync def fine():\n    await fetch()\n"})
    found(project)
    checked.clear()
    write(project, {"app/db.py": PADDING + "# more\n" + PROJECT["app/db.py"]})
    # `service` has a finding that names a line in `db`; `routes` has one, and depends on `service`
    assert found(project) == found(project, cache=False)
    assert checked[:3] == ["db.py", "routes.py", "service.py"]
    assert "fine.py" not in checked[:3]
    checked.clear()
    found(project)
    assert checked == []
    # on one line now, and so no place is where it was
    write(project, {"app/db.py": PADDING + PROJECT["app/db.py"].replace(": ...", ":\n    ...")})
    assert found(project) == found(project, cache=False)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("# more\n{}", True),
        ("{}\n\n", True),
        ("{}x = 1\n", False),
        ("import asyncio\n{}", False),
    ],
)
def test_shapes(text, same):
    source = 'import db\n\n\nasync def f(x):\n    """Say."""\n    db.g(x); db.h(x)\n    return [x]\n'
    before, after = (lower(parse(each.encode()), each.encode()) for each in (source, text.format(source)))
    assert same_shape(before, after) is same


def test_what_stood_on_one_line_has_another_shape_on_two():
    one, two = "def f():\n    g(); h()\n", "def f():\n    g()\n    h()\n"
    assert not same_shape(*(lower(parse(each.encode()), each.encode()) for each in (one, two)))


def test_part_of_a_project_is_checked_without_forgetting_the_rest(project, checked):
    found(project)
    write(project, {"app/db.py": "def fetch(): ...\n\n\nasync def plain(): ...\n"})
    checked.clear()
    assert lines(found(project, "app/service.py")) == [("app/service.py", 6, "AWL101")]
    assert checked == ["service.py"]
    checked.clear()
    # what depends on the change and was not asked about is still to be checked
    assert lines(found(project)) == [*FOUND[:2], ("app/service.py", 6, "AWL101")]
    assert checked == ["db.py", "routes.py"]


def test_a_change_that_is_taken_back(project, checked):
    first = found(project)
    write(project, {"app/db.py": "def fetch(): ...\n"})
    assert lines(found(project, "app/db.py")) == []
    write(project, {"app/db.py": PROJECT["app/db.py"]})
    assert found(project) == first


def test_the_same_size_and_time_hide_no_change(project):
    found(project)
    path = project / "app" / "db.py"
    status = path.stat()
    text = path.read_text()
    changed = text.replace("async def fetch", "def       fetch")
    assert len(changed) == len(text)
    path.write_text(changed)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ("app/service.py", 5, "AWL101") not in lines(found(project))


def test_a_file_that_just_changed_is_not_trusted_to_look_changed(project, monkeypatch):
    monkeypatch.setattr(memory_module, "SETTLED_AFTER", 10**18)
    found(project)
    path = project / "app" / "db.py"
    real = memory_module.signature_of
    frozen = real(str(path))
    monkeypatch.setattr(
        memory_module, "signature_of", lambda name: frozen if name == str(path) else real(name)
    )
    path.write_text("def fetch(): ...\n")
    assert lines(found(project)) == FOUND[:2]


@pytest.mark.parametrize(
    "change",
    [
        {"app/service/__init__.py": "async def serve(): ...\ndef extra(): ...\n"},
        {"app/db.pyi": "def fetch() -> int: ...\ndef plain() -> int: ...\n"},
        {"app/service.py": None},
        {"app/__init__.py": None},
        {"app/db/__init__.py": "def fetch(): ...\n"},
        {"app/asyncio.py": "def sleep(x): ...\n"},
        {
            "app/other.py": "import yaml\n\n\nasync def f():\n    yaml.g()\n",
            "yaml.py": "async def g(): ...\n",
        },
        {"app/db.py": "def broken(:\n"},
        {"app/db.py": b"\xff\xfe"},
        {"src/app/db.py": "def fetch(): ...\n"},
        {"app/pyproject.toml": ""},
    ],
    ids="+".join,
)
def test_files_come_and_go(project, change):
    write(project, {"uses.py": "from app import db, service\n\n\nasync def use():\n    service.serve()\n"})
    before = found(project)
    for name, text in change.items():
        path = project / name
        if text is None:
            path.unlink()
        elif isinstance(text, bytes):
            path.write_bytes(text)
        else:
            write(project, {name: text})
    assert found(project) == found(project, cache=False)
    assert found(project, "app/routes.py", "uses.py") == found(
        project, "app/routes.py", "uses.py", cache=False
    )
    for name in change:
        (project / name).unlink(missing_ok=True)
    write(project, {name: text for name, text in PROJECT.items() if name in change})
    for name in ("app/service", "app/db", "src/app", "src"):
        if (project / name).is_dir():
            shutil.rmtree(project / name)
    assert found(project) == found(project, cache=False) == before


def test_a_name_that_nobody_had(project, checked):
    write(project, {"app/late.py": "from app.missing import go\n\n\nasync def f():\n    go()\n"})
    assert lines(found(project)) == FOUND
    checked.clear()
    write(project, {"app/missing.py": "async def go(): ...\n"})
    assert ("app/late.py", 5, "AWL101") in lines(found(project))
    assert checked == ["late.py", "missing.py"]
    (project / "app/missing.py").unlink()
    assert lines(found(project)) == FOUND


def test_files_that_cannot_be_read(project, checked):
    write(project, {"app/broken.py": "def broken(:\n"})
    (project / "app/bytes.py").write_bytes(b"\xff\xfe")
    venv(project / ".venv", {"web.py": "def broken(:\n"})
    write(project, {"app/main.py": "import web\n\n\nasync def main():\n    web.get()\n"})
    first = found(project)
    assert ("app/broken.py", 1, "AWL901") in lines(first)
    checked.clear()
    assert found(project) == first
    assert checked == []
    write(project, {"app/broken.py": "def mended(): ...\n"})
    write(project / ".venv" / POSIX, {"web.py": "async def get(): ...\n"})
    assert found(project) == found(project, cache=False)
    assert ("app/main.py", 5, "AWL101") in lines(found(project))


def test_fixtures_of_a_conftest_that_comes_later(project):
    test = "async def test_it(client):\n    client.get()\n"
    write(project, {"tests/test_app.py": test})
    assert lines(found(project)) == FOUND
    conftest = """
    import pytest

    class Client:
        async def get(self): ...

    @pytest.fixture
    def client():
        return Client()
    """
    write(project, {"tests/conftest.py": textwrap.dedent(conftest)})
    assert lines(found(project)) == lines(found(project, cache=False))
    assert ("tests/test_app.py", 2, "AWL101") in lines(found(project))


def test_what_is_installed(project, tmp_path, monkeypatch):
    main = "import web\n\n\nasync def main():\n    web.get()\n"
    write(project, {"app/main.py": main})
    assert lines(found(project)) == FOUND
    venv(project / ".venv", {"web.py": "async def get(): ...\n"})
    both = [FOUND[0], ("app/main.py", 5, "AWL101"), *FOUND[1:]]
    both.sort()
    assert lines(found(project)) == both
    write(project / ".venv" / POSIX, {"web.py": "def get(): ...\n"})
    assert lines(found(project)) == FOUND
    sibling = write(tmp_path / "sibling", {"web.py": "async def get(): ...\n"})
    (project / ".venv" / POSIX / "web.py").unlink()
    assert lines(found(project)) == FOUND
    write(project / ".venv" / POSIX, {"sibling.pth": f"{sibling}\n"})
    assert lines(found(project)) == both
    write(sibling, {"web.py": "def get(): ...\n"})
    assert lines(found(project)) == FOUND
    write(sibling, {"web.py": "async def get(): ...\n"})
    assert lines(found(project)) == both
    write(project / ".venv" / POSIX, {"sibling.pth": "\n"})
    assert lines(found(project)) == FOUND


def test_requirements_that_change(project):
    code = "from langfuse import observe\n\n\n@observe()\nasync def handler(): ...\n"
    write(project, {"app/traced.py": code, "requirements.txt": "langfuse==3.0.0\n"})
    before = lines(found(project))
    write(project, {"requirements.txt": "langfuse==2.0.0\n"})
    after = found(project)
    assert after == found(project, cache=False)
    assert lines(after) != before


def test_settings_that_change(project, checked):
    found(project)
    assert found(project, ignore=["AWL101"]) == ()
    checked.clear()
    assert lines(found(project)) == FOUND
    assert found(project, ignore=["AWL101"]) == ()
    assert checked == []
    assert lines(found(project, **{"output-format": "json"})) == FOUND
    assert checked == []
    write(project, {"awaitlint.toml": "[per-file-ignores]\n'app/other.py' = ['AWL1']\n"})
    assert lines(found(project)) == FOUND[1:]


def test_findings_name_files_as_the_run_does(project, checked):
    blocking = "import time\n\n\ndef wait():\n    time.sleep(3)\n"
    write(project, {"app/slow.py": blocking})
    write(project, {"app/uses.py": "from app.slow import wait\n\n\nasync def use():\n    wait()\n"})
    for cwd in (project, project / "app", project.parent, project):
        assert found(project, cwd=cwd) == found(project, cwd=cwd, cache=False)
    checked.clear()
    found(project)
    assert checked == []


def test_a_baseline_is_heard_each_time(project):
    baseline = project / "known.json"
    settings_for = SettingsCache(overrides={"baseline": os.fspath(baseline)})
    baseline.write_text('{"version": 1, "files": {}}')
    targets = discover([project], settings_for, cwd=project)
    for _ in range(2):
        try:
            result = run(targets, settings_for, SourceStore(), options=Options())
        except Exception as error:  # noqa: BLE001  the format is not what this is about
            pytest.fail(str(error))
        assert lines(result.diagnostics) == FOUND


def test_another_checkout_on_another_machine(project, tmp_path, checked):
    first = found(project)
    elsewhere = tmp_path / "ci" / "project"
    shutil.copytree(project, elsewhere, copy_function=shutil.copy)
    checked.clear()
    assert found(elsewhere) == first
    assert checked == []


def test_rules_that_look_at_the_whole_project_are_asked_again(project):
    write(project, {"app/hooks.py": "class Base:\n    async def hook(self):\n        return 1\n"})
    pedantic = {"select": ["needless-async"]}
    first = found(project, **pedantic)
    write(project, {"app/more.py": "async def f(x):\n    register(x.hook)\n    await x.hook()\n"})
    assert found(project, **pedantic) == found(project, cache=False, **pedantic)
    assert first is not None


# -- a cache that is damaged, forged or out of reach


def records(project: Path) -> list[Path]:
    return sorted((project / DIRECTORY).glob("*.seen"))


@pytest.mark.parametrize(
    "damage", ["empty", "cut", "flipped", "other", "directory", "link", "unreadable links"]
)
def test_a_damaged_record_is_no_record(project, damage, monkeypatch):
    first = found(project)
    (path,) = records(project)
    data = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    elif damage == "other":
        path.write_bytes(b"x" * len(data))
    elif damage == "directory":
        path.unlink()
        path.mkdir()
    elif damage == "link":
        path.rename(project / "real")
        path.symlink_to(project / "real")
    else:
        monkeypatch.setattr(memory_module, "decode_links", lambda _: None)
        write(project, {"app/db.py": PROJECT["app/db.py"] + "\n"})
    assert found(project) == first
    assert found(project) == first


def test_forged_records_crash_nothing(project, monkeypatch):
    """Records that are whole, and say something else than they did."""
    first = found(project)
    (path,) = records(project)
    record = memory_module.load(path)
    assert record is not None
    from awaitlint.engine.verdicts import records as format_  # noqa: PLC0415

    links = memory_module.decode_links(record)
    assert links is not None
    far = format_.encode_links([[("x", 0, 10**6)] for _ in record.nodes])
    for forged in (
        {"links": far},
        {"links": format_.encode_links([])},
        {"links": b"\xc1"},
        {"nodes": []},
        {"clean": [[10**9]]},
        {"clean": [[-5]]},
        {"findings": [(0, 0, b"\x93\xff")]},
        {"findings": [(0, 7, b"")]},
        {"options": []},
        {"directories": [("../" * 50 + "\0", 1, b"")]},
        {"inputs": [("/dev/zero", "", b"")]},
        {"inputs": [("..", "[", b"")]},
    ):
        fields = {name: getattr(record, name) for name in record.__struct_fields__}
        format_.save(path, format_.Record(**{**fields, **forged}))
        assert lines(found(project)) == lines(first)
        write(project, {"app/db.py": PROJECT["app/db.py"] + "\n"})
        assert lines(found(project)) == lines(first)
        write(project, {"app/db.py": PROJECT["app/db.py"]})
        shutil.rmtree(project / DIRECTORY)
        found(project)


def test_a_disk_that_cannot_be_written(project, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("awaitlint.engine.verdicts.records.prepare_directory", full)
    assert lines(found(project)) == FOUND
    assert not records(project)
    assert not list((project / DIRECTORY).glob("*.tmp"))


def test_a_cache_that_is_a_file(project):
    (project / DIRECTORY).write_text("")
    assert lines(found(project)) == FOUND
    assert lines(found(project)) == FOUND


def test_two_processes_at_once(project):
    command = [
        sys.executable,
        "-m",
        "awaitlint",
        "check",
        os.fspath(project),
        "--output-format",
        "concise",
        "-q",
    ]
    environment = {**os.environ, "PYTHONPATH": os.fspath(Path(awaitlint.__file__).parents[1])}
    for text in ("async def plain(): ...\n", "", "def more(): ...\n"):
        write(project, {"app/db.py": PROJECT["app/db.py"] + text})
        processes = [
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        outputs = {process.communicate()[0] for process in processes}
        assert len(outputs) == 1
        assert found(project) == found(project, cache=False)


# -- what a check has looked at


def test_notes(tmp_path, monkeypatch):
    notes = Notes()
    path = tmp_path / "file"
    note_file(path)  # nobody listens
    with noting(notes):
        note_file(path)
        note_names(tmp_path, "*.txt", "exactly")
        note_variable("SOME_NAME")
    assert not notes.everything
    assert set(notes.seen.values()) == {b"", look(str(tmp_path), "*.txt")}
    before = {key: look(*key) for key in notes.seen}
    assert before == notes.seen
    path.write_text("x")
    (tmp_path / "other").write_text("")
    monkeypatch.setenv("SOME_NAME", "")
    now = {key for key in notes.seen if look(*key) != before[key]}
    assert now == {(str(path), ""), ("SOME_NAME", "$")}
    (tmp_path / "exactly").write_text("")
    assert look(str(tmp_path), "*.txt\nexactly") != before[str(tmp_path), "*.txt\nexactly"]
    with noting(notes):
        note_everything()
    assert notes.everything


def test_names_mean_the_same_elsewhere():
    here, there = Names("/home/me/app", "/opt/venv"), Names("/ci/build", "/usr/venv")
    for path, other in {
        "/home/me/app/src/x.py": "/ci/build/src/x.py",
        "/opt/venv/lib/x.py": "/usr/venv/lib/x.py",
        "/home/me/lib/x.py": "/ci/lib/x.py",
        "/home/me/app": "/ci/build",
    }.items():
        key = here.key(path)
        assert here.path(key).rstrip("/.") == path
        assert there.path(key).rstrip("/.") == other


AUDIT = """
import os, sys
opened = set()
def hook(event, arguments):
    names = arguments[:1] if event in ("open", "os.scandir", "os.listdir") else ()
    if names and isinstance(names[0], (str, os.PathLike)):
        opened.add(os.path.abspath(arguments[0]))
from awaitlint.config.load import SettingsCache
from awaitlint.engine.run import Options, run
from awaitlint.engine.verdicts.verdicts import Verdicts
from awaitlint.files.discover import discover
from awaitlint.files.source import SourceStore
import awaitlint.engine.session, awaitlint.engine.verdicts.learning
root = os.getcwd()
settings_for = SettingsCache(overrides={"select": ["ALL"]})
targets = discover([root], settings_for)
for target in targets: settings_for(target.path)
learned = {}
import awaitlint.engine.verdicts.records as records
records.save = lambda path, record: learned.update(record=record)
sys.addaudithook(hook)
run(targets, settings_for, SourceStore(), options=Options())
record = learned["record"]
told = [node.key for node in record.nodes]
told += [key for key, *_ in (*record.directories, *record.inputs)]
told = {os.path.normpath(os.path.join(root, each)) for each in told}
told |= {target.file for target in targets}
for path in sorted(opened):
    if path.startswith(root) and ".awaitlint_cache" not in path and path not in told:
        print(path)
"""


def test_everything_that_is_read_is_noted(tmp_path):
    """Whatever a check opens in the project is a module, or in the notes: else a change would go unseen."""
    root = tmp_path / "tree"
    marked_lines().write(root)
    (root / "pyproject.toml").unlink(missing_ok=True)
    write(root, {"pyproject.toml": "[project]\nname = 'x'\ndependencies = ['langfuse>=2', 'django']\n"})
    write(root, {"requirements.txt": "langfuse\n", "pytest.ini": "[pytest]\nasyncio_mode = strict\n"})
    traced = "from langfuse import observe\n\n\n@observe()\nasync def handler(): ...\n"
    write(root, {"traced.py": traced, "tests/conftest.py": "import pytest\n"})
    write(root, {"tests/test_it.py": "async def test_it(client): ...\n"})
    venv(root / ".venv", {"web/__init__.py": "", "web/py.typed": "", "x.pth": "import x\n"})
    environment = {**os.environ, "PYTHONPATH": os.fspath(Path(awaitlint.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", AUDIT], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    # directories are opened by who discovers files and environments, too
    unnoted = [line for line in done.stdout.splitlines() if Path(line).is_file()]
    assert unnoted == []


# -- whatever happens


def _edited(text: str, chance: random.Random) -> str:
    """A text with something changed that matters, or not."""
    kind = chance.randrange(7)
    patterns = {0: (r"\bawait ", ""), 1: (r"^( *)async def ", r"\1def "), 2: (r"^( *)def ", r"\1async def ")}
    patterns |= {3: (r"^(?:from|import) .*$", "pass"), 4: (r"def (\w+)", r"def \1_renamed")}
    if kind == 5:
        return "# moved\n" + text
    if kind == 6:
        return text + "\n# more\n"
    pattern, replacement = patterns[kind]
    places = list(re.finditer(pattern, text, re.MULTILINE))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + place.expand(replacement) + text[place.end() :]


@pytest.mark.parametrize("seed", range(3))
def test_any_history_gives_what_a_first_run_gives(tmp_path, seed):
    root = tmp_path / "tree"
    marked_lines().write(root)
    shutil.copytree(CHATBOT, root / "bot", ignore=shutil.ignore_patterns(DIRECTORY))
    write(root, {"pyproject.toml": "[project]\nname = 'x'\nrequires-python = '>=3.11'\n"})
    chance = random.Random(seed)
    found(root)
    for _ in range(8):
        files = sorted(root.rglob("*.py"))
        for path in chance.sample(files, 2):
            kind = chance.randrange(8)
            if kind == 0 and path.name != "__init__.py":
                path.unlink()
            elif kind == 1:
                path.with_name(f"added_{chance.randrange(5)}.py").write_text(path.read_text())
            else:
                path.write_text(_edited(path.read_text(), chance))
        some = [os.fspath(path) for path in chance.sample(sorted(root.rglob("*.py")), 3)]
        if chance.random() < 0.5:
            assert found(root, *some) == found(root, *some, cache=False)
        assert found(root) == found(root, cache=False)
        assert found(root) == found(root, cache=False)
