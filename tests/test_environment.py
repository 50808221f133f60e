"""The project's environment: where it is found, and what a run makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from venvs import CONFIG, POSIX, venv, write

from awaitlint.config.errors import ConfigError
from awaitlint.config.load import SettingsCache, load_settings
from awaitlint.engine.directory import DIRECTORY
from awaitlint.engine.options import Options
from awaitlint.engine.run import run
from awaitlint.engine.session import Session
from awaitlint.files.discover import Target, discover
from awaitlint.files.environments import UnusableError, find_environment, named_environment
from awaitlint.files.source import SourceStore
from awaitlint.index.environment import InstalledPackages
from awaitlint.index.lower import lower
from awaitlint.index.modules import Origin
from awaitlint.index.project import Project
from awaitlint.index.stdlib import standard_library
from awaitlint.infer.engine import Inference
from awaitlint.syntax.parse import parse

# -- where the environment is


@pytest.mark.parametrize(
    ("layout", "files"),
    [
        (["lib/python3.12/site-packages"], []),
        (["Lib/site-packages"], ["Scripts/python.exe"]),
        (["lib/pypy3.10/site-packages"], []),
        (["lib/python3.13t/site-packages"], []),
        (["lib/python3.12/site-packages", "lib64/python3.12/site-packages"], []),
    ],
)
def test_the_layouts_of_environments(tmp_path, layout, files):
    for site in layout:
        venv(tmp_path / ".venv", site=site, config="home = /usr/bin\n")
    write(tmp_path / ".venv", dict.fromkeys(files, ""))
    found = find_environment(tmp_path, {})
    assert found is not None
    assert found.sites == tuple(str(tmp_path / ".venv" / site) for site in layout)
    assert named_environment(str(tmp_path / ".venv")).sites == found.sites


def test_one_directory_counts_once_whatever_leads_to_it(tmp_path):
    prefix = venv(tmp_path / ".venv")
    (prefix / "lib64").symlink_to("lib")
    (prefix / "Lib").symlink_to("lib/python3.12")
    found = find_environment(tmp_path, {})
    assert found is not None
    assert found.sites == (str(prefix / POSIX),)


def test_the_version_chooses_between_directories(tmp_path):
    for minor in (9, 11, 12):
        venv(tmp_path / ".venv", site=f"lib/python3.{minor}/site-packages", config="version_info = 3.11.2\n")
    found = find_environment(tmp_path, {})
    assert found is not None
    assert found.sites == (str(tmp_path / ".venv/lib/python3.11/site-packages"),)
    (tmp_path / ".venv/pyvenv.cfg").write_text("")
    found = find_environment(tmp_path, {})
    assert found is not None
    assert found.sites == (str(tmp_path / ".venv/lib/python3.12/site-packages"),)


def test_the_first_place_that_has_one_counts(tmp_path):
    (tmp_path / "repo/.git").mkdir(parents=True)
    root = write(tmp_path / "repo/services/api", {"pyproject.toml": ""})
    environ = {"VIRTUAL_ENV": str(venv(tmp_path / "active")), "CONDA_PREFIX": str(tmp_path / "conda")}
    write(tmp_path / "conda", {f"{POSIX}/six.py": ""})
    places = [root / ".venv", root / "venv", root / "env", tmp_path / "repo/.venv", tmp_path / "repo/env"]
    for place in (*places, tmp_path / ".venv"):
        venv(place)
    for place in (*places, tmp_path / "active"):
        found = find_environment(root, environ)
        assert found is not None
        assert found.prefix == str(place)
        (place / "pyvenv.cfg").unlink()
        (place / POSIX).rename(place / "moved")
    found = find_environment(root, environ)
    assert found is not None
    assert (found.prefix, found.reason) == (str(tmp_path / "conda"), "CONDA_PREFIX")
    assert find_environment(root, {**environ, "CONDA_DEFAULT_ENV": "base"}) is None
    assert find_environment(root, {}) is None


def test_without_a_repository_only_the_project_s_own_directory_counts(tmp_path):
    venv(tmp_path / ".venv")
    root = write(tmp_path / "project", {"pyproject.toml": ""})
    assert find_environment(root, {}) is None


@pytest.mark.parametrize("broken", ["file", "dangling", "empty", "no packages", "unmarked", "pipe"])
def test_what_only_looks_like_an_environment_is_passed_over(tmp_path, broken):
    place = tmp_path / ".venv"
    if broken == "file":
        place.write_text("elsewhere")
    elif broken == "dangling":
        place.symlink_to("gone")
    elif broken == "empty":
        place.mkdir()
    elif broken == "no packages":
        write(place, {"pyvenv.cfg": CONFIG, "lib/python3.12/os.py": ""})
    elif broken == "unmarked":
        (place / POSIX).mkdir(parents=True)
    else:
        place.mkdir()
        os.mkfifo(place / "pyvenv.cfg")
    venv(tmp_path / "venv")
    found = find_environment(tmp_path, {"VIRTUAL_ENV": "relative", "CONDA_PREFIX": ""})
    assert found is not None
    assert found.prefix == str(tmp_path / "venv")


def test_conda_s_environment_beside_the_project(tmp_path):
    write(tmp_path / "env", {"conda-meta/history": "", f"{POSIX}/six.py": ""})
    found = find_environment(tmp_path, {})
    assert found is not None
    assert found.sites == (str(tmp_path / "env" / POSIX),)


def test_an_environment_may_see_the_system_s_packages(tmp_path):
    system = tmp_path / "usr"
    dist = ["local/lib/python3.12/dist-packages", "lib/python3/dist-packages"]
    for directory in (*dist, "lib/python3.11/dist-packages", "bin"):
        (system / directory).mkdir(parents=True)
    config = f"home = {system}/bin\ninclude-system-site-packages = {{}}\nversion = 3.12.3\n"
    prefix = venv(tmp_path / ".venv", config=config.format("true"))
    assert named_environment(str(prefix)).sites == (
        str(prefix / POSIX),
        *(str(system / directory) for directory in dist),
    )
    (prefix / "pyvenv.cfg").write_text(config.format("false"))
    assert named_environment(str(prefix)).sites == (str(prefix / POSIX),)


def test_an_interpreter_names_its_environment(tmp_path):
    system = write(tmp_path / "usr", {"bin/python3.11": "", "lib/python3/dist-packages/six.py": ""})
    (system / "lib/python3.12/dist-packages").mkdir(parents=True)
    (system / "lib/python3.11/dist-packages").mkdir(parents=True)
    (system / "bin/python3").symlink_to("python3.11")
    assert named_environment(str(system / "bin/python3")).sites == (
        str(system / "lib/python3/dist-packages"),
        str(system / "lib/python3.11/dist-packages"),
    )
    prefix = venv(tmp_path / ".venv")
    (prefix / "bin").mkdir()
    (prefix / "bin/python").symlink_to(system / "bin/python3")
    assert named_environment(str(prefix / "bin/python")).sites == (str(prefix / POSIX),)
    # a link from elsewhere leads to the interpreter's own packages
    user = tmp_path / "home/.local"
    (user / "bin").mkdir(parents=True)
    (user / POSIX).mkdir(parents=True)
    (user / "bin/python3").symlink_to(system / "bin/python3")
    assert named_environment(str(user / "bin/python3")).prefix == str(system)
    windows = write(tmp_path / "Python312", {"python.exe": "", "Lib/site-packages/six.py": ""})
    assert named_environment(str(windows / "python.exe")).sites == (str(windows / "Lib/site-packages"),)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nowhere", "no such file or directory"),
        ("empty", "there is no Python environment in this directory: no site-packages were found"),
        (
            "bin/python",
            "there is no Python environment that belongs to this file: no site-packages were found",
        ),
    ],
)
def test_what_is_named_and_is_none_is_an_error(tmp_path, path, problem):
    (tmp_path / "empty").mkdir()
    write(tmp_path, {"bin/python": ""})
    with pytest.raises(UnusableError) as caught:
        named_environment(str(tmp_path / path))
    assert str(caught.value) == problem


# -- what a run makes of it

CLIENT = """\
import asyncio


class Client:
    async def get(self, url: str) -> "Response":
        await asyncio.sleep(0)
        return Response()

    def close(self) -> None:
        self.closed = True


class Response:
    text: str = ""
"""
MAIN = """\
from web import Client


async def main(client: Client) -> None:
    client.get("x")
    client.close()
    await client.close()
"""
FOUND = [("main.py", 5, "AWL101"), ("main.py", 7, "AWL105")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose dependency is installed, and is not the only thing there."""
    root = write(tmp_path / "project", {"pyproject.toml": "[project]\nname = 'x'\n", "main.py": MAIN})
    files = {"web/__init__.py": "from web._client import *\n", "web/_client.py": CLIENT}
    venv(root / ".venv", {**files, "web/broken.py": "def", "web/unread.py": "x = 1\n"})
    return root


def check(root: Path, *paths: str, cache: bool = False, isolated: bool = False, **overrides: object):
    """What a run finds: (file, line, code) of each, and the files that were read."""
    settings_for = SettingsCache(overrides=overrides)
    targets = discover([root / path for path in paths or (".",)], settings_for, cwd=root)
    result = run(targets, settings_for, SourceStore(), options=Options(cache=cache, isolated=isolated))
    assert not result.internal_errors
    # where all is known from the cache, there is no session
    lowered = result.session._lowered if result.session is not None else ()
    read = {path.relative_to(root).as_posix() for path in lowered if root in path.parents}
    return [(each.path, each.span.line, each.code) for each in result.diagnostics], read


def test_calls_into_what_is_installed_resolve(project):
    found, read = check(project)
    assert found == FOUND
    site = f".venv/{POSIX}/web"
    assert read == {"main.py", f"{site}/__init__.py", f"{site}/_client.py"}
    shutil.rmtree(project / ".venv")
    assert check(project) == ([], {"main.py"})


def test_the_active_environment_counts_unless_isolated(project, tmp_path, monkeypatch):
    (project / ".venv").rename(tmp_path / "active")
    assert check(project)[0] == []
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    assert check(project)[0] == FOUND
    assert check(project, isolated=True)[0] == []
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path / "active"))
    assert check(project)[0] == FOUND


def test_findings_name_places_in_installed_files_and_are_never_about_them(project):
    write(project, {f".venv/{POSIX}/web/bad.py": "async def f(): f()\n", "env/pyvenv.cfg": ""})
    write(project, {"env/bad.py": "async def f(): f()\n", "deep/x/conda-meta/history": ""})
    write(project, {"deep/x/lib/bad.py": "async def f(): f()\n"})
    settings_for = SettingsCache(overrides={"exclude": ["nothing"]})
    targets = discover([project], settings_for, cwd=project)
    assert [target.display for target in targets] == ["main.py"]
    first = run(targets, settings_for, SourceStore()).diagnostics[0]
    (place,) = first.related
    assert place.path.endswith(f".venv/{POSIX}/web/_client.py")
    assert place.span is not None
    assert place.span.line == 5
    # unless they are asked for by name
    assert check(project, f".venv/{POSIX}/web/bad.py")[0] == [(f".venv/{POSIX}/web/bad.py", 1, "AWL101")]


class Bundled:
    """Knowledge that comes with awaitlint, in which `Client.get` is no coroutine function."""

    def __init__(self, *names: str) -> None:
        self.names = names
        data = CLIENT.replace("async def", "def").replace("await ", "").encode()
        self.facts = lower(parse(data), data)

    def has(self, name: str) -> bool:
        return name in self.names

    def is_package(self, name: str) -> bool:
        return True

    def is_stub(self, name: str) -> bool:
        return False

    def module(self, name: str):
        return self.facts if name in self.names else None


def linked(root: Path, environment: InstalledPackages | None, bundled: Bundled):
    store = SourceStore()

    def load(path: Path):
        data = store.read(path)
        return lower(parse(data), data)

    stdlib = standard_library((3, 12))
    return Project(root, (), store, stdlib, load, packages=bundled, environment=environment)


def test_what_is_installed_wins_over_what_is_bundled(project):
    bundled = Bundled("web", "other")
    location = find_environment(project, {})
    assert location is not None
    for environment, origin, is_async in (
        (InstalledPackages(location), Origin.ENVIRONMENT, True),
        (None, Origin.BUNDLED, False),
    ):
        one = linked(project, environment, bundled)
        main = one.module_at(project / "main.py")
        assert main is not None
        web = one.resolve(main, "web", 0)
        assert web is not None
        assert web.origin is origin
        infer = Inference(one)
        client = infer.module_attribute(web, "Client")
        assert infer.attribute(client, "get").fact.is_async is is_async
        other = one.resolve(main, "other", 0)
        assert other is not None
        assert other.origin is Origin.BUNDLED
        # a module that the installed version does not have is not taken from another version
        assert one.resolve(main, "web.gone", 0) is None


def test_a_compiled_package_is_unknown_and_not_replaced(project):
    shutil.rmtree(project / ".venv" / POSIX / "web")
    (project / ".venv" / POSIX / "web.abi3.so").touch()
    location = find_environment(project, {})
    assert location is not None
    one = linked(project, InstalledPackages(location), Bundled("web"))
    main = one.module_at(project / "main.py")
    assert main is not None
    assert one.resolve(main, "web", 0) is None


def test_the_project_s_own_files_stay_its_own_however_they_are_reached(project):
    site = project / ".venv" / POSIX
    write(project, {"src/app/__init__.py": "", "src/app/db.py": "", "tests/test.py": "from app import db\n"})
    write(site, {"app.pth": f"{project}/src\n", "plugin.py": "from app import db\n"})
    outside = write(
        project.parent / "other", {"sibling/__init__.py": "from . import part\n", "sibling/part.py": ""}
    )
    write(site, {"sibling.pth": f"{outside}\n"})
    location = find_environment(project, {})
    assert location is not None
    for first in ("plugin", "own"):
        one = linked(project, InstalledPackages(location), Bundled())
        main = one.module_at(project / "main.py")
        assert main is not None
        plugin = one.resolve(main, "plugin", 0)
        assert plugin is not None
        assert plugin.origin is Origin.ENVIRONMENT
        if first == "own":
            assert one.module_at(project / "src/app/db.py") is not None
        db = one.resolve(plugin, "app.db", 0)
        assert db is not None
        assert db is one.module_at(project / "src/app/db.py")
        assert (db.name, db.origin) == ("app.db", Origin.PROJECT)
        sibling = one.resolve(main, "sibling", 0)
        assert sibling is not None
        assert (sibling.name, sibling.origin) == ("sibling", Origin.ENVIRONMENT)
        part = one.resolve(sibling, "part", 1)
        assert part is not None
        assert part.name == "sibling.part"


def test_the_order_of_files_changes_nothing(project):
    site = f".venv/{POSIX}/web"
    write(
        project,
        {f"{site}/_client.py": CLIENT + "\n\nasync def use(client: Client) -> None:\n    client.get('x')\n"},
    )
    files = ["main.py", f"{site}/_client.py", f"{site}/__init__.py"]
    found = check(project, *files)[0]
    assert [each[0] for each in found] == [f"{site}/_client.py", "main.py", "main.py"]
    for order in (files[::-1], files[1:] + files[:1]):
        assert check(project, *order)[0] == found


def test_a_directory_of_the_project_goes_before_a_namespace_that_is_installed(project):
    write(project, {"tests/helpers.py": "async def wait() -> None: ...\n"})
    write(project / ".venv" / POSIX, {"tests/other.py": ""})
    write(project, {"main.py": "from tests import helpers\n\nasync def f():\n    helpers.wait()\n"})
    assert check(project)[0] == [("main.py", 4, "AWL101")]
    write(project / ".venv" / POSIX, {"tests/__init__.py": ""})
    assert check(project)[0] == []


FRAMEWORK = """\
from typing import Any, Callable


class APIRouter:
    def get(self, path: str) -> Callable[[Any], Any]:
        return lambda function: function

    def add_api_route(self, path: str, endpoint: Callable[..., Any]) -> None: ...


class JSONResponse:
    def __init__(self, content: Any) -> None: ...
"""
HANDLERS = """\
import fastapi
from app import router
from fastapi import APIRouter
from fastapi.responses import JSONResponse

own: APIRouter = fastapi.APIRouter()


async def load() -> dict[str, str]:
    return {}


@router.get("/a")
async def a():
    return load()


def outer(made: APIRouter):
    mine = APIRouter()

    @mine.get("/b")
    async def b():
        return JSONResponse(load())


async def c():
    return load()


async def d():
    return load()


own.add_api_route("/c", c)
print(d)
"""


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_handler_is_one_whether_its_framework_is_installed_or_not(tmp_path, is_installed):
    app = "from fastapi import APIRouter\nrouter = APIRouter()\n"
    write(tmp_path, {"pyproject.toml": "", "main.py": HANDLERS, "app.py": app})
    if is_installed:
        inside = {"__init__.py": "from fastapi.routing import *\n", "routing.py": FRAMEWORK}
        inside["responses.py"] = "from fastapi.routing import JSONResponse as JSONResponse\n"
        venv(tmp_path / ".venv", {f"fastapi/{name}": text for name, text in inside.items()})
    found, read = check(tmp_path, select=["AWL802"])
    assert found == [("main.py", line, "AWL802") for line in (15, 23, 27)]
    assert len(read) == (5 if is_installed else 2)


# -- the option


def test_the_option_names_the_environment(project, tmp_path, monkeypatch):
    (project / ".venv").rename(tmp_path / "elsewhere")
    python = write(tmp_path / "elsewhere/bin", {"python": ""}) / "python"
    assert check(project)[0] == []
    assert check(project, python=str(python))[0] == FOUND
    assert check(project, python=str(tmp_path / "elsewhere"))[0] == FOUND
    with (project / "pyproject.toml").open("a") as file:
        file.write("[tool.awaitlint]\npython = '../elsewhere'\n")
    assert check(project)[0] == FOUND
    assert load_settings(project / "main.py").python == tmp_path / "elsewhere"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(project, overrides={"python": "~/elsewhere"}).python == tmp_path / "elsewhere"


def test_an_option_that_names_nothing_usable_is_an_error(project, monkeypatch):
    monkeypatch.chdir(project)
    problem = "no such file or directory"
    with pytest.raises(ConfigError) as caught:
        SettingsCache(overrides={"python": "gone"})
    assert str(caught.value) == f"--python gone: {problem}"
    write(project, {"awaitlint.toml": 'python = "gone"\n'})
    with pytest.raises(ConfigError) as caught:
        load_settings(project)
    assert str(caught.value) == f'awaitlint.toml: python = "gone": {problem}'
    # the command line goes before the configuration
    assert load_settings(project, overrides={"python": ".venv"}).python == project / ".venv"
    assert load_settings(project, isolated=True).python is None
    for value in ("3", '""', '"a\\u0000"'):
        write(project, {"awaitlint.toml": f"python = {value}\n"})
        with pytest.raises(ConfigError, match="expected a path"):
            load_settings(project)


# -- the cache


def test_facts_of_installed_files_are_kept_in_the_project_s_cache(project, monkeypatch):
    client = project / ".venv" / POSIX / "web/_client.py"
    client.write_text(CLIENT + "# padding\n" * 200)
    parsed = []
    original = parse
    monkeypatch.setattr(
        "awaitlint.engine.session.parse", lambda data: parsed.append(len(data)) or original(data)
    )
    size = client.stat().st_size
    assert check(project, cache=True)[0] == FOUND
    assert (project / DIRECTORY).is_dir()
    assert size in parsed
    parsed.clear()
    assert check(project, cache=True)[0] == FOUND
    assert size not in parsed
    # by content: what is changed in place is read again, whatever its time and RECORD say
    status = client.stat()
    write(client.parents[1], {"web-1.0.dist-info/RECORD": "web/_client.py,sha256=x,1\n"})
    client.write_text(
        client.read_text().replace("async def get", "def    get   ").replace("await ", "0 and ")
    )
    os.utime(client, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert check(project, cache=True)[0] == [("main.py", 7, "AWL105")]
    shutil.rmtree(project / DIRECTORY)
    parsed.clear()
    check(project, cache=False)
    assert parsed
    assert not (project / DIRECTORY).exists()


def test_an_environment_elsewhere_keeps_nothing_beside_itself(project, tmp_path, monkeypatch):
    elsewhere = write(tmp_path / "envs", {"pyproject.toml": ""}) / "one"
    (project / ".venv").rename(elsewhere)
    (elsewhere / POSIX / "web/_client.py").write_text(CLIENT + "# padding\n" * 200)
    monkeypatch.setenv("VIRTUAL_ENV", str(elsewhere))
    assert check(project, cache=True)[0] == FOUND
    assert (project / DIRECTORY).is_dir()
    assert not (tmp_path / "envs" / DIRECTORY).exists()
    parsed = []
    monkeypatch.setattr("awaitlint.engine.session.parse", lambda data: parsed.append(data) or parse(data))
    assert check(project, cache=True)[0] == FOUND
    assert not any(b"padding" in data for data in parsed)


def test_a_repository_s_projects_share_what_is_known_of_its_environment(tmp_path):
    repository = write(tmp_path / "repo", {".git/HEAD": ""})
    venv(repository / ".venv", {"web.py": CLIENT + "# padding\n" * 200})
    for name in ("one", "two"):
        write(repository / name, {"pyproject.toml": "", "main.py": MAIN})
    found, _ = check(repository, cache=True)
    assert found == [(f"{name}/main.py", line, code) for name in ("one", "two") for _, line, code in FOUND]
    assert (repository / DIRECTORY).is_dir()
    assert not list((repository / "one").rglob("*.pack"))


# -- a process that lives long


def test_changes_are_noticed(project, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("awaitlint.engine.session.time.monotonic", lambda: now[0])
    session = Session(SettingsCache(), SourceStore(), Options(cache=False))
    target = Target(project / "main.py", "main.py")

    def found():
        now[0] += 1000
        session.refresh()
        return [(each.path, each.span.line, each.code) for each in session.check(target)]

    site = project / ".venv" / POSIX
    assert found() == FOUND
    (site / "web/_client.py").write_text(CLIENT.replace("async def", "def").replace("await ", ""))
    assert found() == [FOUND[1]]
    shutil.rmtree(site / "web")
    assert found() == []
    write(site, {"web.py": CLIENT})
    assert found() == FOUND
    (project / ".venv").rename(project.parent / "away")
    assert found() == []
    venv(project / "venv", {"web.py": CLIENT})
    assert found() == FOUND
    (site.parent).mkdir(parents=True)
    write(project.parent / "sources", {"web.py": CLIENT.replace("async def", "def").replace("await ", "")})
    venv(project / ".venv", {"own.pth": ""})
    assert found() == []
    (site / "own.pth").write_text(f"{project.parent}/sources\n")
    assert found() == [FOUND[1]]


# -- the command line and flake8


def awaitlint(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "awaitlint", "check", *arguments],
        cwd=cwd,
        env={**os.environ, **environ},
        check=False,
        capture_output=True,
        text=True,
    )


def flake8(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flake8", "--select=AWL", *arguments],
        cwd=cwd,
        env={**os.environ, **environ},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_command_line_and_flake8_agree(project, tmp_path):
    lines = ["main.py:5:5: AWL101", "main.py:7:5: AWL105"]

    def agree(expected, first=(), second=(), **environ):
        outputs = (
            awaitlint("--output-format=concise", "-q", *first, cwd=project, **environ),
            flake8("main.py", *second, cwd=project, **environ),
        )
        for output in outputs:
            assert [" ".join(line.split()[:2]) for line in output.stdout.splitlines()] == expected

    agree(lines)
    (project / ".venv").rename(tmp_path / "elsewhere")
    agree([])
    option = str(tmp_path / "elsewhere")
    agree(lines, ["--python", option], [f"--awl-python={option}"])
    agree(lines, VIRTUAL_ENV=option)
    agree([], ["--isolated"], ["--awl-isolated"], VIRTUAL_ENV=option)
    (project / ".flake8").write_text("[flake8]\nawl-python = ../elsewhere\n")
    agree(lines, ["--python", "../elsewhere"])


def test_what_cannot_be_used_ends_the_run(project):
    done = awaitlint("--python", "gone", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --python gone: no such file or directory\n"
    done = flake8("--awl-python=gone", "main.py", cwd=project)
    assert done.returncode == 1
    assert "awl-python = gone: no such file or directory" in done.stdout + done.stderr


def test_verbose_tells_the_environment(project, tmp_path):
    def told(*arguments: str, **environ: str) -> list[str]:
        output = awaitlint("-v", "-q", *arguments, cwd=project, **environ).stderr
        return [line for line in output.splitlines() if line.startswith("environment: ")]

    place = project / ".venv"
    assert told() == [f"environment: {place} (found beside the project)"]
    assert told("--python", ".venv") == [f"environment: {place} (option python)"]
    place.rename(tmp_path / "active")
    assert told(VIRTUAL_ENV=str(tmp_path / "active")) == [f"environment: {tmp_path / 'active'} (VIRTUAL_ENV)"]
    assert told("--isolated", VIRTUAL_ENV=str(tmp_path / "active")) == ["environment: none"]


@pytest.mark.slow
def test_a_real_environment(tmp_path):
    """The packages that these tests run with, through the interpreter that runs them."""
    main = """\
import click
import libcst
import pytest
from packaging.version import Version


async def main(text: str) -> None:
    await click.get_app_dir("x")
    await Version(text)
    await pytest.approx(1)
    await libcst.nothing_that_exists
"""
    write(tmp_path, {"pyproject.toml": "", "main.py": main})
    done = awaitlint("--python", sys.executable, "--output-format=json", "main.py", cwd=tmp_path)
    assert done.stderr == ""
    found = {each["location"]["row"]: each["code"] for each in json.loads(done.stdout)}
    assert found == {8: "AWL105", 9: "AWL105", 10: "AWL105"}
    again = awaitlint("--python", sys.executable, "--output-format=json", "main.py", cwd=tmp_path)
    assert again.stdout == done.stdout
