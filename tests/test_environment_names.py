"""Installed packages: what a name means, what the files beside them add, and that nothing of it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from venvs import write

from awaitlint.files.environments import Location
from awaitlint.files.listings import Listings
from awaitlint.index.environment import InstalledPackages
from awaitlint.index.search_path import search_path


def packages(*sites: Path) -> InstalledPackages:
    return InstalledPackages(Location("", tuple(map(str, sites)), ""))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site-packages"
    site.mkdir()
    return site


def located(site: Path, name: str) -> str | None:
    """Where a module is, relative to a directory."""
    path = packages(site).locate(name)
    return None if path is None else Path(path).relative_to(site).as_posix()


# -- what a name means


def test_modules_and_packages(site):
    write(
        site,
        {
            "six.py": "",
            "httpx/__init__.py": "",
            "httpx/_client.py": "",
            "httpx/_models.py": "",
            "httpx/_models.pyi": "",
            "both/__init__.py": "",
            "both.py": "",
            "typed/__init__.pyi": "",
            "typed/__init__.py": "",
        },
    )
    assert located(site, "six") == "six.py"
    assert located(site, "httpx") == "httpx/__init__.py"
    assert located(site, "httpx._client") == "httpx/_client.py"
    assert located(site, "httpx._models") == "httpx/_models.pyi"
    assert located(site, "both") == "both/__init__.py"
    assert located(site, "typed") == "typed/__init__.pyi"
    assert located(site, "httpx.gone") is None
    assert located(site, "six.moves") is None
    assert located(site, "gone") is None
    installed = packages(site)
    assert installed.has("six")
    assert installed.has("httpx")
    assert not installed.has("gone")


def test_the_case_of_letters_counts(site):
    write(site, {"Mixed/__init__.py": "", "Mixed/Part.py": ""})
    assert located(site, "Mixed.Part") == "Mixed/Part.py"
    assert located(site, "mixed.Part") is None
    assert located(site, "Mixed.part") is None
    assert not packages(site).has("MIXED")


@pytest.mark.parametrize("name", ["", ".", "..secret", "a/b", "a..b", "a.", "six\0", ".".join(["a"] * 5000)])
def test_names_that_are_none(site, tmp_path, name):
    write(site, {"six.py": "", "a/__init__.py": "", "a/b.py": ""})
    write(tmp_path, {"secret.py": ""})
    (site / "a/a").symlink_to(site / "a")
    assert packages(site).locate(name) is None


def test_links_may_lead_in_circles(site):
    write(site, {"loop/__init__.py": "", "loop/module.py": "", "fine.py": ""})
    (site / "loop/loop").symlink_to(site / "loop")
    (site / "itself").symlink_to("itself")
    assert located(site, "loop.loop.loop.module") == "loop/loop/loop/module.py"
    assert located(site, "itself") is None
    assert located(site, "fine") == "fine.py"


def test_compiled_modules_are_unknown_unless_there_is_a_stub(tmp_path, site):
    write(
        site,
        {
            "fast.cpython-312-x86_64-linux-gnu.so": "",
            "known.abi3.so": "",
            "known.pyi": "",
            "sourced.cp312-win_amd64.pyd": "",
            "sourced.py": "",
            "bytes.pyc": "",
            "package/__init__.cpython-312-darwin.so": "",
            "package/pure.py": "",
            "package/speed.pyd": "",
        },
    )
    later = write(tmp_path / "later", {"fast.py": "", "bytes.py": "", "package/__init__.py": ""})
    installed = packages(site, later)
    assert [installed.locate(name) for name in ("fast", "bytes", "package", "package.speed")] == [None] * 4
    assert installed.has("fast")
    assert installed.has("package")
    assert installed.locate("known") == str(site / "known.pyi")
    assert installed.locate("sourced") == str(site / "sourced.py")
    assert installed.locate("package.pure") == str(site / "package/pure.py")


def test_portions_of_a_namespace_are_one_package(tmp_path, site):
    write(site, {"google/cloud/storage/__init__.py": "", "left/__pycache__/x.pyc": "", "data/x.json": ""})
    other = write(tmp_path / "other", {"google/cloud/run.py": "", "google/auth/__init__.py": ""})
    installed = packages(site, other)
    assert installed.locate("google") == str(site / "google")
    assert installed.locate("google.cloud") == str(site / "google/cloud")
    assert installed.locate("google.cloud.storage") == str(site / "google/cloud/storage/__init__.py")
    assert installed.locate("google.cloud.run") == str(other / "google/cloud/run.py")
    assert installed.locate("google.auth") == str(other / "google/auth/__init__.py")
    assert installed.locate("google.cloud.gone") is None
    # what an uninstalled package leaves behind, and data, are no packages
    assert not installed.has("left")
    assert not installed.has("data")
    # a regular package goes before a namespace, wherever it is
    write(other, {"left/__init__.py": ""})
    assert packages(site, other).locate("left") == str(other / "left/__init__.py")


def test_stub_packages_go_first(tmp_path, site):
    write(
        site,
        {
            "redis/__init__.py": "",
            "redis/client.py": "",
            "redis/extra.py": "",
            "partly/__init__.py": "",
            "partly/extra.py": "",
        },
    )
    other = write(
        tmp_path / "other",
        {
            "redis-stubs/__init__.pyi": "",
            "redis-stubs/client.pyi": "",
            "redis-stubs/py.typed": "",
            "partly-stubs/__init__.pyi": "",
            "partly-stubs/py.typed": "partial\n",
            "only-stubs/__init__.pyi": "",
        },
    )
    installed = packages(site, other)
    assert installed.locate("redis") == str(other / "redis-stubs/__init__.pyi")
    assert installed.locate("redis.client") == str(other / "redis-stubs/client.pyi")
    assert installed.locate("redis.extra") is None
    assert installed.locate("partly") == str(other / "partly-stubs/__init__.pyi")
    assert installed.locate("partly.extra") == str(site / "partly/extra.py")
    assert installed.has("only")
    assert installed.locate("only") == str(other / "only-stubs/__init__.pyi")


def test_stubs_of_a_namespace_leave_its_other_packages_alone(site):
    write(
        site,
        {
            "google-stubs/protobuf/__init__.pyi": "",
            "google/protobuf/__init__.py": "",
            "google/protobuf/internal.py": "",
            "google/auth/__init__.py": "",
            "alone-stubs/part/__init__.pyi": "",
        },
    )
    assert located(site, "google.protobuf") == "google-stubs/protobuf/__init__.pyi"
    assert located(site, "google.protobuf.internal") is None
    assert located(site, "google.auth") == "google/auth/__init__.py"
    assert located(site, "google") == "google"
    assert located(site, "alone") == "alone-stubs"
    (site / "google-stubs/protobuf/py.typed").write_text("partial")
    assert located(site, "google.protobuf.internal") == "google/protobuf/internal.py"


def test_files_of_the_environment_know_their_names(site):
    write(site, {"paths.pth": "./old.egg\n", "old.egg/old/__init__.py": "", "a-stubs/b.pyi": ""})
    installed = packages(site)
    assert installed.name_of(str(site / "six.py")) == "six"
    assert installed.name_of(str(site / "google/cloud/run/__init__.py")) == "google.cloud.run"
    assert installed.name_of(str(site / "a-stubs/b.pyi")) == "a.b"
    assert installed.name_of(str(site / "old.egg/old/part.py")) == "old.part"
    assert installed.name_of(str(site.parent / "main.py")) is None
    assert installed.name_of(f"{site}-not/six.py") is None


# -- what files in site-packages add


def test_lines_of_pth_files_are_paths(tmp_path, site):
    project = write(tmp_path / "project", {"src/app/__init__.py": "", "lib/tool.py": ""})
    write(site, {"inner/deep.py": "", "first.py": ""})
    write(project / "src", {"first.py": ""})
    lines = ["\ufeff# a comment", "", f"{project}/src\r", "inner", "nowhere", "/\0", f"{project}/lib/tool.py"]
    (site / "own.pth").write_text("\n".join([*lines, f"{project}/lib   "]))
    (site / ".hidden.pth").write_text(f"{tmp_path}\n")
    write(tmp_path, {"outside.py": ""})
    installed = packages(site)
    assert installed.locate("app") == str(project / "src/app/__init__.py")
    assert installed.locate("tool") == str(project / "lib/tool.py")
    assert installed.locate("deep") == str(site / "inner/deep.py")
    assert installed.locate("first") == str(site / "first.py")
    assert installed.locate("outside") is None
    assert installed.name_of(str(project / "src/app/__init__.py")) is None


def test_an_egg_link_leads_to_its_project(tmp_path, site):
    project = write(tmp_path / "project", {"app/__init__.py": ""})
    (site / "app.egg-link").write_text(f"{project}\n../")
    assert packages(site).locate("app") == str(project / "app/__init__.py")


FINDER = """\
from __future__ import annotations
import sys

MAPPING: dict[str, str] = {mapping!r}
NAMESPACES: dict[str, list[str]] = {namespaces!r}
PATH_PLACEHOLDER = "x"

open({canary!r}, "w").close()

def install():
    sys.meta_path.append(1)
"""


def test_the_finder_of_an_editable_installation_is_read_and_not_run(tmp_path, site):
    project = write(
        tmp_path / "project",
        {
            "src/app/__init__.py": "",
            "src/app/views.py": "",
            "tools/single.py": "",
            "plugin/__init__.py": "",
            "spaces/part.py": "",
        },
    )
    mapping = {
        "app": f"{project}/src/app",
        "single": f"{project}/tools/single",
        "company.plugin": f"{project}/plugin",
        "relative": "src/app",
        "gone": f"{project}/gone",
    }
    canary = tmp_path / "ran"
    text = FINDER.format(mapping=mapping, namespaces={"spaces": [f"{project}/spaces"]}, canary=str(canary))
    name = "__editable___app_1_0_finder"
    write(site, {"__editable__.app-1.0.pth": f"import {name}; {name}.install()", f"{name}.py": text})
    installed = packages(site)
    assert installed.locate("app") == str(project / "src/app/__init__.py")
    assert installed.locate("app.views") == str(project / "src/app/views.py")
    assert installed.locate("single") == str(project / "tools/single.py")
    assert installed.has("company")
    assert installed.locate("company.plugin") == str(project / "plugin/__init__.py")
    assert installed.locate("spaces.part") == str(project / "spaces/part.py")
    assert installed.locate("relative") is None
    assert installed.locate("gone") is None
    assert not canary.exists()


@pytest.mark.parametrize(
    "text",
    [
        "MAPPING = __import__('os').listdir('/')",
        "MAPPING = {'a': open('/etc/passwd').read(), 1: 2, 'b': 3}",
        "MAPPING = {'a': '/x'",
        "MAPPING: dict = {'a': ['/x'], None: '/x'}\nNAMESPACES = {'b': '/x', 'c': [1]}",
        "MAPPING = " + "[" * 500 + "]" * 500,
        "MAPPING = [1, 2]",
        "\0",
    ],
)
def test_a_broken_finder_adds_nothing(site, text):
    write(
        site,
        {
            "e.pth": "import __editable___app_finder; __editable___app_finder.install()\n",
            "__editable___app_finder.py": text,
        },
    )
    path = search_path([str(site)], Listings())
    assert path.directories == [str(site)]
    assert (path.mapping, path.namespaces) == ({}, {})


def test_code_in_pth_files_does_not_run(tmp_path, site):
    canary = tmp_path / "ran"
    code = (
        f"import os; open({str(canary)!r}, 'w').close()\nimport\tevil\nimport __editable___evil_finder; x()\n"
    )
    evil = f"open({str(canary)!r}, 'w').close()\n"
    write(site, {"evil.pth": code, "evil.py": evil, "__editable___evil_finder.py": evil, "six.py": ""})
    write(site, {"sitecustomize.py": evil, "usercustomize.py": evil})
    assert located(site, "six") == "six.py"
    assert not canary.exists()
    # and it would have run
    code = f"import site; site.addsitedir({str(site)!r})"
    subprocess.run([sys.executable, "-S", "-c", code], check=False, capture_output=True)
    assert canary.exists()


def test_direct_url_tells_where_an_editable_project_is(tmp_path, site):
    project = write(
        tmp_path / "a project",
        {"src/my_app/__init__.py": "", "extra/__init__.py": "", "tests/__init__.py": "", "docs/x.py": ""},
    )
    info = "my_app-1.0.dist-info"
    url = project.as_uri()
    write(
        site,
        {
            f"{info}/direct_url.json": f'{{"url": "{url}", "dir_info": {{"editable": true}}}}',
            f"{info}/top_level.txt": "my_app\nextra\ndocs\n",
        },
    )
    installed = packages(site)
    assert installed.locate("my_app") == str(project / "src/my_app/__init__.py")
    assert installed.locate("extra") == str(project / "extra/__init__.py")
    assert not installed.has("tests")
    assert not installed.has("docs")
    (site / info / "direct_url.json").write_text(f'{{"url": "{url}", "dir_info": {{}}}}')
    assert not packages(site).has("my_app")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"dir_info": {"editable": true}}', "[" * 100_000]
    + [f'{{"url": {url}, "dir_info": {{"editable": true}}}}'
       for url in ("1", '"https://x"', '"file:"', '"file:///\\u0000"', '"file://[/x"', '"file:///no/such/place"')],
)  # fmt: skip
def test_broken_metadata_is_no_metadata(site, text):
    write(
        site, {"app-1.0.dist-info/direct_url.json": text, "six.py": "", "app-1.0.dist-info/RECORD": "\0,,,"}
    )
    assert not packages(site).has("app")
    assert packages(site).has("six")


def test_no_environment_is_too_large_or_too_strange(tmp_path, site, monkeypatch):
    write(site, {f"m{number}.py": "" for number in range(20)})
    write(site, {"big.pth": "x\n" * 600_000})
    (site / "directory.pth").mkdir()
    os.mkfifo(site / "pipe.pth")
    os.mkfifo(site / "pipe.egg-link")
    (site / "fifo-stubs").mkdir()
    (site / "fifo-stubs/__init__.pyi").touch()
    os.mkfifo(site / "fifo-stubs/py.typed")
    (site / "many.pth").write_text("".join(f"{tmp_path}/p{number}\n" for number in range(1200)))
    for number in range(1200):
        (tmp_path / f"p{number}").mkdir()
    installed = packages(site)
    assert installed.locate("m7") == str(site / "m7.py")
    assert installed.locate("fifo.gone") is None
    assert len(search_path([str(site)], Listings()).directories) == 1000
    monkeypatch.setattr("awaitlint.index.environment._MOST_ENTRIES", 20)
    assert not packages(site).has("m7")


def test_packages_that_come_and_go_are_noticed(site):
    write(site, {"six.py": "", "httpx/__init__.py": "", "paths.pth": "nowhere\n"})
    installed = packages(site)
    assert not installed.has_changed()
    assert installed.locate("httpx.gone") is None
    assert not installed.has_changed()
    (site / "httpx/gone.py").touch()
    assert installed.has_changed()
    installed = packages(site)
    assert not installed.has("new")
    assert not installed.has_changed()
    (site / "paths.pth").write_text("elsewhere\n")
    assert installed.has_changed()
    installed = packages(site)
    assert not installed.has("new")
    (site / "new.py").touch()
    assert installed.has_changed()
    assert packages(site).has("new")
