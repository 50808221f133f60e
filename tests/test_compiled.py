"""A build is compiled or not; `make test-compiled` runs all tests on one that is."""

from __future__ import annotations

import importlib
import sys
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pathspec
import pytest

import awaitlint
from awaitlint.cli.version import is_compiled, version_line

ROOT = Path(__file__).resolve().parent.parent
HOOKS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
HOOK = HOOKS["targets"]["wheel"]["hooks"]["mypyc"]
COMPILED = is_compiled("awaitlint.infer.engine")


def chosen() -> list[str]:
    """The modules that a compiled build compiles."""
    sources = [path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*.py")]
    included = pathspec.GitIgnoreSpec.from_lines(HOOK["include"])
    excluded = pathspec.GitIgnoreSpec.from_lines(HOOK["exclude"])
    files = sorted(set(included.match_files(sources)) - set(excluded.match_files(sources)))
    names = [name.removeprefix("src/").removesuffix(".py").replace("/", ".") for name in files]
    return [name.removesuffix(".__init__") for name in names]


@pytest.mark.parametrize("name", chosen())
def test_a_build_is_compiled_as_a_whole_or_not_at_all(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert module.__file__.endswith(tuple(EXTENSION_SUFFIXES)) is COMPILED


def test_a_compiled_build_has_the_sources_too() -> None:
    # the key of the cache is made of them, and tracebacks quote them
    package = Path(awaitlint.__file__).parent.parent
    modules = [package.joinpath(*name.split(".")) for name in chosen()]
    assert modules
    assert [
        each for each in modules if not (each.with_suffix(".py").exists() or (each / "__init__.py").exists())
    ] == []


def test_an_installation_from_source_is_not_compiled() -> None:
    assert HOOK["enable-by-default"] is False


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (f"engine{EXTENSION_SUFFIXES[0]}", f"awaitlint {awaitlint.__version__} (compiled)"),
        ("engine.py", f"awaitlint {awaitlint.__version__}"),
    ],
)
def test_the_version_tells(file: str, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "infer").mkdir()
    (tmp_path / "infer" / file).touch()
    monkeypatch.setattr(awaitlint, "__path__", [str(tmp_path)])
    assert version_line() == line


def test_what_is_not_there_is_not_compiled() -> None:
    assert not is_compiled("no_such_module")
    assert not is_compiled(sys.__name__)
