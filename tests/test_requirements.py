# ruff: noqa: E501 -- snippets, files and messages stand as they are
"""Which versions of a distribution a project admits, from every kind of file that says so."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from awaitlint.index.requirements import Admission, Origin, admitted, project_root
from awaitlint.index.requirements_versions import Mention, linked, pep440, poetry, tagged

BELOW, TWO, THREE = ("0", "2.21"), ("2.21", "3"), ("3", None)


@pytest.fixture(autouse=True)
def _no_active_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def ask(root: Path, folder: str = ".") -> Admission:
    return admitted("langfuse", root / folder, root)


def series(admission: Admission) -> str:
    """Which of the three series are admitted, `<` below 2.21, `2`, `3`; `?` where nothing is known."""
    if not admission.known:
        return "?"
    pairs = (("<", BELOW), ("2", TWO), ("3", THREE))
    return "".join(mark for mark, bounds in pairs if admission.admits(*bounds))


UV_LOCK = """version = 1

[[package]]
name = "app"
source = { virtual = "." }
dependencies = [
    { name = "langfuse" },
]

[package.metadata]
requires-dist = [{ name = "langfuse", specifier = ">=2" }]

[[package]]
name = "langfuse"
version = "3.1.0"
source = { registry = "https://example.org/simple" }
"""

LOCKS = [
    ("uv.lock", UV_LOCK, "3", 14),
    ("uv.lock", UV_LOCK.replace("\n", "\r\n"), "3", 14),
    ("uv.lock", UV_LOCK.replace("3.1.0", "2.60.10"), "2", 14),
    ("uv.lock", UV_LOCK + '\n[[package]]\nname = "langfuse"\nversion = "2.60.10"\n', "23", 14),
    ("poetry.lock", '[[package]]\nname = "Langfuse"\nversion = "2.60.10"\n\n[metadata]\nx = 1\n', "2", 2),
    ("pdm.lock", '[metadata]\ngroups = []\n\n[[package]]\nname = "langfuse"\nversion = "2.7.3"\n', "<", 5),
    ("pylock.toml", 'lock-version = "1.0"\n[[packages]]\nname = "langfuse"\nversion = "3.0.0"\n', "3", 3),
    ("pylock.dev.toml", '[[packages]]\nname = "langfuse"\nversion = "3.0.0"\n', "3", 2),
    (
        "pylock.toml",
        '[[packages]]\nname = "langfuse"\nvcs = {type = "git", requested-revision = "v2.60.3"}\n',
        "2",
        2,
    ),
    ("Pipfile.lock", '{"_meta": {},\n "default": {\n  "langfuse": {"version": "==2.60.10"}}}', "2", 3),
    ("Pipfile.lock", '{"default": {}, "develop":\n {"langfuse": {"version": "==3.1.0"}}}', "3", 2),
]


@pytest.mark.parametrize(("name", "text", "expected", "line"), LOCKS)
def test_lock_files(tmp_path: Path, name: str, text: str, expected: str, line: int) -> None:
    write(tmp_path, {name: text})
    found = ask(tmp_path)
    assert (series(found), found.origin, found.mentions[0].path) == (expected, Origin.LOCK, tmp_path / name)
    assert found.mentions[0].span is not None
    assert found.mentions[0].span.line == line


DECLARATIONS = [
    ("pyproject.toml", '[project]\nname = "a"\ndependencies = ["langfuse>=2,<3"]\n', "<2", 3),
    (
        "pyproject.toml",
        '[project]\ndependencies = [\n  "x",\n  "langfuse[openai] ~= 3.0 ; python_version > \'3\'",\n]',
        "3",
        4,
    ),
    ("pyproject.toml", '[project]\ndependencies = ["langfuse"]\n', "<23", 2),
    ("pyproject.toml", '[project]\ndependencies = ["langfuse (>=2.21,<3)"]\n', "2", 2),
    ("pyproject.toml", '[project]\ndependencies = ["LangFuse==2.60.*"]\n', "2", 2),
    ("pyproject.toml", '[project.optional-dependencies]\ntracing = ["langfuse>=3"]\n', "3", 2),
    (
        "pyproject.toml",
        '[dependency-groups]\ndev = ["pytest", {include-group = "x"}, "langfuse==2.60.10"]\n',
        "2",
        2,
    ),
    (
        "pyproject.toml",
        '[project]\ndependencies = ["langfuse==2.60.1"]\n[dependency-groups]\nd = ["langfuse>=3"]',
        "23",
        2,
    ),
    ("pyproject.toml", '[project]\nname = "langfuse"\nversion = "3.1.0"\n', "3", 2),
    ("pyproject.toml", '[tool.poetry]\nname = "langfuse"\nversion = "2.60.10"\n', "2", 2),
    ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nlangfuse = "^2.30"\n', "2", 3),
    ("pyproject.toml", '[tool.poetry.dependencies]\nlangfuse = "2.60.10"\n', "2", 2),
    ("pyproject.toml", '[tool.poetry.dependencies]\nlangfuse = {version = "~3.1", extras = ["x"]}\n', "3", 2),
    ("pyproject.toml", '[tool.poetry.dependencies]\nlangfuse = "*"\n', "<23", 2),
    ("pyproject.toml", '[tool.poetry.dev-dependencies]\nlangfuse = "^2.21 || ^3"\n', "23", 2),
    ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\nlangfuse = ">=2.21 <3"\n', "2", 2),
    (
        "pyproject.toml",
        '[tool.poetry.dependencies]\nlangfuse = {git = "https://e.org/l", tag = "v3.2.0"}\n',
        "3",
        2,
    ),
    (
        "pyproject.toml",
        '[tool.poetry.dependencies]\nlangfuse = [\n {version = "2.60.10", python = "3.8"},\n {version = "3"}]\n',
        "23",
        2,
    ),
    (
        "pyproject.toml",
        '[project]\ndependencies = ["langfuse>=3"]\n[tool.poetry.dependencies]\nlangfuse = {source = "o"}\n',
        "3",
        2,
    ),
    ("pyproject.toml", '[tool.uv]\ndev-dependencies = ["langfuse>=3"]\n', "3", 2),
    (
        "pyproject.toml",
        '[project]\ndependencies = ["langfuse>=2.21"]\n[tool.uv]\nconstraint-dependencies = ["langfuse<3"]\n',
        "2",
        2,
    ),
    (
        "pyproject.toml",
        '[project]\ndependencies = ["langfuse"]\n[tool.uv]\noverride-dependencies = ["langfuse==3.1"]\n',
        "3",
        4,
    ),
    (
        "pyproject.toml",
        '[project]\ndependencies = ["langfuse"]\n[tool.uv.sources]\nlangfuse = {git = "g@e", tag = "v2.60"}\n',
        "2",
        4,
    ),
    (
        "pyproject.toml",
        '[project]\ndependencies = ["langfuse>=3"]\n[tool.uv.sources]\nlangfuse = { index = "own" }\n',
        "3",
        2,
    ),
    ("pyproject.toml", '[tool.pdm.dev-dependencies]\ntest = ["langfuse>=3"]\n', "3", 2),
    (
        "pyproject.toml",
        '[project]\ndependencies = ["langfuse"]\n[tool.pdm.resolution.overrides]\nlangfuse = "2.60.10"\n',
        "2",
        4,
    ),
    (
        "setup.cfg",
        "[options]\ninstall_requires =\n    x\n    langfuse>=2.21,<3; python_version>'3'\n",
        "2",
        4,
    ),
    ("setup.cfg", "[options]\ninstall_requires = x; langfuse>=3\n", "3", 2),
    ("setup.cfg", "[options.extras_require]\nall =\n  langfuse==3.1.0\n", "3", 3),
    ("Pipfile", '[packages]\nlangfuse = "==2.60.10"\n', "2", 2),
    ("Pipfile", '[packages]\nlangfuse = "*"\n', "<23", 2),
    ("Pipfile", '[dev-packages]\nlangfuse = {version = ">=3"}\n', "3", 2),
    ("Pipfile", '[packages]\nlangfuse = {git = "https://e.org/l.git", ref = "v3.1.0"}\n', "3", 2),
    ("requirements.txt", "# langfuse==1\nhttpx\nlangfuse==2.60.10  # pinned\n", "2", 3),
    ("requirements.txt", "langfuse==2.60.10 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n", "2", 1),
    ("requirements.txt", "\ufefflangfuse>=3".encode("utf-16-le"), "3", 1),
    ("requirements.txt", b"# caf\xe9\nlangfuse>=3\n", "3", 2),
    ("requirements.txt", "git+https://github.com/langfuse/langfuse-python@v3.1.0#egg=langfuse\n", "3", 1),
    ("requirements.txt", "-e git+https://github.com/langfuse/langfuse-python@v2.60.3#egg=langfuse\n", "2", 1),
    ("requirements.txt", "langfuse @ https://e.org/langfuse-2.60.10-py3-none-any.whl\n", "2", 1),
    ("requirements.txt", "./wheels/langfuse-2.60.10-py3-none-any.whl\n", "2", 1),
    ("requirements-dev.txt", "langfuse>=3\n", "3", 1),
    ("requirements.in", "langfuse<3,>=2.21\n", "2", 1),
    ("requirements/base.txt", "langfuse>=3\n", "3", 1),
    ("requirements/base.in", "langfuse>=3\n", "3", 1),
    ("constraints.txt", "langfuse<3\n", "<2", 1),
]


@pytest.mark.parametrize(("name", "text", "expected", "line"), DECLARATIONS)
def test_declarations(tmp_path: Path, name: str, text: str | bytes, expected: str, line: int) -> None:
    write(tmp_path, {name: text})
    found = ask(tmp_path)
    assert (series(found), found.origin) == (expected, Origin.DECLARATION)
    assert found.mentions[0].path == tmp_path / name
    assert found.mentions[0].span is not None
    assert found.mentions[0].span.line == line


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "from setuptools import setup\nsetup(install_requires=['langfuse>=3'])\n"},
        {"requirements.txt": "langfuse-extras==3\nmy-langfuse==3\n"},
        {"requirements.txt": "langfuse @ git+https://github.com/langfuse/langfuse-python@main\n"},
        {"requirements.txt": "langfuse @ git+https://github.com/langfuse/langfuse-python@3c4d5e6\n"},
        {"requirements.txt": "langfuse>=three\n"},
        {"requirements.txt": "langfuse>=3; " + "(" * 100_000 + "\n"},
        {"requirements.txt": "# langfuse>=3\n--index-url https://e.org/langfuse\n"},
        {"pyproject.toml": "[project\ndependencies = ['langfuse>=3']"},
        {"pyproject.toml": "[project]\ndependencies = 'langfuse>=3'\n"},
        {"pyproject.toml": "project = 3\ntool = ['langfuse']\n"},
        {"pyproject.toml": b"[project]\ndependencies = ['langfuse>=3'] # \xff\n"},
        {"pyproject.toml": "x = " + "[" * 20_000 + "'langfuse'"},
        {"pyproject.toml": '[tool.poetry.dependencies]\nlangfuse = {path = "../langfuse"}\n'},
        {"pyproject.toml": "[tool.poetry.dependencies]\nlangfuse = 3\n"},
        {"setup.cfg": "langfuse>=3\n[options\n"},
        {"Pipfile.lock": "{'langfuse': "},
        {"Pipfile.lock": "[" * 100_000 + '"langfuse"'},
        {"Pipfile.lock": '["langfuse"]'},
        {"uv.lock": '[[package]]\nname = "langfuse"\nversion = 3\n'},
        {"uv.lock": '[[package]]\nname = "langfuse"\nversion = "not a version"\n'},
        {"uv.lock": '[[package]]\nname = "langfuse"\nversion = "3\n'},
        {"uv.lock/keep": "a folder with that name"},
        {"requirements.txt": b"\xff\xfel"},
        {"requirements.txt": "-r \x00langfuse\n-r missing.txt\n-r https://e.org/langfuse.txt\n"},
    ],
)
def test_nothing_tells_the_version(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    write(tmp_path, files)
    found = ask(tmp_path)
    assert series(found) == "?"
    assert found.admits(*TWO)


def test_what_cannot_be_read_is_absent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "uv.lock")
    (tmp_path / "poetry.lock").symlink_to("poetry.lock")
    with (tmp_path / "pdm.lock").open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    write(tmp_path, {"requirements.txt": "langfuse>=3"})
    assert series(ask(tmp_path)) == "3"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "langfuse>=2,<3\n" * 50_000),
        ("requirements.txt", "".join(f"langfuse>=2.{n},<3\n" for n in range(30_000))),
        (
            "pyproject.toml",
            "[project]\ndependencies = [" + ",".join(f"'langfuse>=2.{n},<3'" for n in range(9_000)) + "]",
        ),
        ("poetry.lock", '[[package]]\nname = "langfuse"\nversion = "2.60.10"\n' * 20_000),
    ],
    ids=["same", "different", "toml", "lock"],
)
def test_a_file_that_names_it_endlessly_takes_no_time(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {name: text})
    before = time.process_time()
    found = ask(tmp_path)
    assert "2" in series(found)
    assert "3" not in series(found)
    assert time.process_time() - before < 5


def test_a_place_without_a_version_is_kept(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "x\nlangfuse @ git+https://e.org/l@main\n"})
    found = ask(tmp_path)
    assert [mention.path.name for mention in found.mentions] == ["requirements.txt"]
    assert found.mentions[0].span is not None
    assert found.mentions[0].span.line == 2


def test_includes_are_followed_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "requirements.txt": "-r requirements/base.in\n-cpins/constraints.txt\n",
            "requirements/base.in": "--requirement=../requirements.txt\nlangfuse>=2.21\n",
            "pins/constraints.txt": "-c constraints.txt\nlangfuse<3\n",
        },
    )
    found = ask(tmp_path)
    assert series(found) == "2"
    assert found.mentions[0].path == tmp_path / "requirements" / "base.in"
    assert found.mentions[0].describe("langfuse") == "langfuse>=2.21,<3"


def test_includes_stay_in_the_project(tmp_path: Path) -> None:
    write(tmp_path, {"outside.txt": "langfuse>=3", "project/requirements.txt": "-r ../outside.txt\n"})
    assert series(admitted("langfuse", tmp_path / "project", tmp_path / "project")) == "?"
    assert series(admitted("langfuse", tmp_path / "project", tmp_path)) == "3"


def test_the_constraint_is_the_place_where_the_requirement_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "langfuse\n-c pins.txt\n", "pins.txt": "x\nlangfuse==3.1.0\n"})
    (mention,) = ask(tmp_path).mentions
    assert (mention.path.name, mention.describe("langfuse")) == ("pins.txt", "langfuse 3.1.0")


SITE = ".venv/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (f"{SITE}/langfuse-3.1.0.dist-info", "3"),
        ("venv/Lib/site-packages/Langfuse-2.60.10.dist-info", "2"),
        (f"{SITE}/langfuse_extras-3.1.0.dist-info", "?"),
        (f"{SITE}/~angfuse-3.1.0.dist-info", "?"),
        ("env/lib/python3.12/site-packages/langfuse-3.1.0.dist-info", "?"),
    ],
)
def test_the_project_s_environment(tmp_path: Path, folder: str, expected: str) -> None:
    write(tmp_path, {f"{folder}/METADATA": "", "app/main.py": ""})
    found = ask(tmp_path, "app")
    assert series(found) == expected
    assert found.origin is (None if expected == "?" else Origin.ENVIRONMENT)


def test_the_active_environment_counts_inside_the_project_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root in ("project/env", "elsewhere"):
        write(tmp_path, {f"{root}/lib/python3.12/site-packages/langfuse-3.1.0.dist-info/METADATA": ""})
    project = tmp_path / "project"
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "elsewhere"))
    assert series(ask(project)) == "?"
    monkeypatch.setenv("VIRTUAL_ENV", str(project / "env"))
    assert series(ask(project)) == "3"
    monkeypatch.setattr(sys, "prefix", str(project / "env"))
    assert series(ask(project)) == "?"


def test_the_configured_environment_counts_and_no_other(tmp_path: Path) -> None:
    for root, version in (("project/.venv", "2.60.10"), ("elsewhere", "3.1.0"), ("other", "")):
        write(tmp_path, {f"{root}/lib/python3.12/site-packages/langfuse-{version}.dist-info/METADATA": ""})
    project = tmp_path / "project"
    assert series(admitted("langfuse", project, project)) == "2"
    assert series(admitted("langfuse", project, project, tmp_path / "elsewhere")) == "3"
    assert series(admitted("langfuse", project, project, tmp_path / "other")) == "?"
    assert series(admitted("langfuse", project, project, tmp_path / "gone")) == "?"


def test_order(tmp_path: Path) -> None:
    """Each source decides only while those before it say nothing."""
    sources: list[tuple[str, str, Origin]] = [
        ("uv.lock", UV_LOCK, Origin.LOCK),
        ("poetry.lock", '[[package]]\nname = "langfuse"\nversion = "3.1"\n', Origin.LOCK),
        ("pdm.lock", '[[package]]\nname = "langfuse"\nversion = "3.2"\n', Origin.LOCK),
        ("pylock.toml", '[[packages]]\nname = "langfuse"\nversion = "3.3"\n', Origin.LOCK),
        ("Pipfile.lock", '{"default": {"langfuse": {"version": "==3.4"}}}', Origin.LOCK),
        ("pyproject.toml", '[project]\ndependencies = ["langfuse>=3"]\n', Origin.DECLARATION),
        ("setup.cfg", "[options]\ninstall_requires = langfuse>=3\n", Origin.DECLARATION),
        ("Pipfile", '[packages]\nlangfuse = ">=3"\n', Origin.DECLARATION),
        ("requirements.txt", "langfuse>=3\n", Origin.DECLARATION),
        ("requirements-dev.txt", "langfuse>=3\n", Origin.DECLARATION),
        ("requirements/prod.txt", "langfuse>=3\n", Origin.DECLARATION),
        ("requirements.in", "langfuse>=3\n", Origin.DECLARATION),
        ("constraints.txt", "langfuse>=3\n", Origin.DECLARATION),
        (f"{SITE}/langfuse-3.5.0.dist-info/METADATA", "", Origin.ENVIRONMENT),
    ]
    write(tmp_path, {name: text for name, text, _ in sources})
    for name, _, origin in sources:
        found = ask(tmp_path)
        place = Path(name).parent if origin is Origin.ENVIRONMENT else Path(name)
        assert (found.origin, found.mentions[0].path) == (origin, tmp_path / place)
        (tmp_path / name).unlink()


def test_the_nearest_folder_wins(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "requirements.txt": "langfuse<3\n",
            "services/a/requirements.txt": "langfuse>=3\n",
            "services/b/requirements.txt": "httpx\n",
        },
    )
    assert series(ask(tmp_path, "services/a/src")) == "3"
    assert series(ask(tmp_path, "services/b")) == "<2"
    assert series(admitted("langfuse", tmp_path / "services" / "b", tmp_path / "services")) == "?"


def test_a_lock_file_above_decides_unless_a_nearer_declaration_contradicts_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "uv.lock": UV_LOCK,
            "member/pyproject.toml": '[project]\ndependencies = ["langfuse>=2"]\n',
            "apart/requirements.txt": "langfuse==2.60.10\n",
        },
    )
    assert ask(tmp_path, "member").origin is Origin.LOCK
    assert series(ask(tmp_path, "member")) == "3"
    assert ask(tmp_path, "apart").origin is Origin.DECLARATION
    assert series(ask(tmp_path, "apart")) == "2"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("langfuse==2.60.10\n")
    assert series(ask(tmp_path)) == "2"
    path.write_text("langfuse==3.1.0\n")
    assert series(ask(tmp_path)) == "3"
    path.unlink()
    assert series(ask(tmp_path)) == "?"


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("langfuse==2.60.10\n")
    first = ask(tmp_path)

    def refuse(self: Path) -> bytes:
        raise AssertionError(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert ask(tmp_path) == first


def test_project_root(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"repository/pkg/pyproject.toml": "", "repository/pkg/src/a.py": "", "loose/pkg/setup.py": ""},
    )
    (tmp_path / "repository" / ".git").mkdir()
    assert project_root(tmp_path / "repository" / "pkg" / "src") == tmp_path / "repository"
    assert project_root(tmp_path / "loose" / "pkg" / "src") == tmp_path / "loose" / "pkg"


def test_packaging_is_imported_for_a_mention_only(tmp_path: Path) -> None:
    write(tmp_path, {"a/requirements.txt": "httpx>=1\n", "b/requirements.txt": "langfuse>=1\n"})
    code = (
        "import sys; from pathlib import Path; from awaitlint.index.requirements import admitted\n"
        "root = Path(sys.argv[1]); admitted('langfuse', root, root)\n"
        "print(any(name.startswith('packaging') for name in sys.modules))"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True, check=True
        )
        for name in ("a", "b")
    ]
    assert [answer.stdout.strip() for answer in answers] == ["False", "True"]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("^2.1", ">=2.1,<3"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~2.1.3", ">=2.1.3,<2.2"),
        ("~2", ">=2,<3"),
        ("2.*", "==2.*"),
        ("v2.1", "==2.1"),
        (">= 2.0 <3", ">=2.0,<3"),
        (">=2.0, <3, !=2.5", ">=2.0,<3,!=2.5"),
        ("*", ""),
    ],
)
def test_poetry_constraints(constraint: str, expected: str) -> None:
    assert poetry(constraint) == pep440(expected)


@pytest.mark.parametrize("constraint", ["latest", "2.1 - 3", "", "^", ">=2 <", "==two"])
def test_what_poetry_does_not_know_is_unknown(constraint: str) -> None:
    assert poetry(constraint) is None


def versions() -> list[str]:
    minors = [f"2.{minor}.{patch}" for minor in (0, 20, 21, 22, 59, 60) for patch in (0, 1, 10)]
    return ["1.0", "2.0", *minors, "3.0.0b1", "3.0.0", "3.0.1", "3.5.2", "4.0.0"]


@pytest.mark.parametrize(
    "upper", ["", "<2.21", "<=2.21", "<3", "<=3", "!=2.21.0", "!=2.*", "!=3.*", "==2.60.*"]
)
@pytest.mark.parametrize(
    "lower",
    [
        "",
        ">=2",
        ">2.20.10",
        ">=2.21",
        "~=2.21",
        "~=2.60.0",
        ">=3",
        ">3",
        "==3.0.0b1",
        ">=3.0.0b1",
        "==2.60.10",
    ],
)
def test_admission_agrees_with_the_releases_there_are(tmp_path: Path, lower: str, upper: str) -> None:
    """A release that satisfies the specifiers proves that its series is admitted."""
    wanted = SpecifierSet(",".join(filter(None, (lower, upper))))
    write(tmp_path, {"requirements.txt": f"langfuse{wanted}\n"})
    found = series(ask(tmp_path))
    for version in versions():
        if wanted.contains(version, prereleases=True):
            major, minor = map(int, version.split(".")[:2])
            assert ("3" if major >= 3 else "2" if (major, minor) >= (2, 21) else "<") in found


@pytest.mark.parametrize(
    ("specifiers", "expected"),
    [
        (">=3,<2", "?"),
        ("==2.*,<2.21", "<"),
        (">2.60.10,!=2.*", "3"),
        ("!=2.*", "<3"),
        ("~=2.5", "<2"),
        ("===2.60.10", "2"),
        ("==3.0.0b1", "3"),
        ("==2.60.10+local", "2"),
        ("<3,>=2.21", "2"),
        (">=3", "3"),
    ],
)
def test_series(tmp_path: Path, specifiers: str, expected: str) -> None:
    write(tmp_path, {"requirements.txt": f"langfuse{specifiers}\n"})
    assert series(ask(tmp_path)) == expected.replace("?", "")


@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("git+https://github.com/langfuse/langfuse-python@v3.1.0", "3.1.0"),
        ("git+ssh://git@github.com/langfuse/langfuse-python.git@refs/tags/3.1.0#egg=langfuse", "3.1.0"),
        ("git+ssh://git@github.com/langfuse/langfuse-python", None),
        ("https://e.org/langfuse-2.60.10.tar.gz#sha256=0", "2.60.10"),
        ("https://github.com/langfuse/langfuse-python/archive/refs/tags/v2.60.3.zip", "2.60.3"),
        ("https://e.org/langfuse-2.60.10-py3-none-any.whl?token=1", "2.60.10"),
        ("https://e.org/langfuse.whl", None),
    ],
)
def test_links(url: str, version: str | None) -> None:
    assert linked(url) == version


def test_a_long_constraint_is_shortened() -> None:
    spelling = ",".join(f">={n}" for n in range(2, 500))
    mention = Mention(Path("r.txt"), None, spelling, (">=2",))
    assert len(mention.describe("langfuse")) == len("langfuse") + 60
    assert mention.describe("langfuse").startswith("langfuse>=2,>=3,")


def test_tags_need_a_dot() -> None:
    assert tagged("v3.1.0") == "3.1.0"
    assert tagged("langfuse-3.1") == "3.1"
    assert tagged("1234567") is None
    assert tagged("main") is None
