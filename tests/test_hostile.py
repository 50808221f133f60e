"""Code that is nested or chained far beyond what people write: no crash, and every other file is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from awaitlint.config.load import SettingsCache
from awaitlint.engine.options import Options
from awaitlint.engine.run import run
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.infer.engine import Inference

if TYPE_CHECKING:
    from pathlib import Path

LEVELS = 1500


def check(root: Path, **files: str) -> list[tuple[str, int, str]]:
    """(name, line, code) of what is found in modules that are checked in this order."""
    (root / ".git").mkdir()
    for name, text in files.items():
        (root / f"{name}.py").write_text(text, encoding="utf-8")
    targets = [Target(root / f"{name}.py", name) for name in files]
    result = run(targets, SettingsCache(isolated=True), SourceStore(), options=Options(cache=False))
    assert result.internal_errors == ()
    return [(each.path, each.span.line, each.code) for each in result.diagnostics]


def test_deep_inheritance(tmp_path: Path) -> None:
    classes = "".join(f"class C{at + 1}(C{at}): ...\n" for at in range(LEVELS))
    text = f"class C0:\n    async def m(self): ...\n{classes}async def g():\n    C{LEVELS}().m()\n"
    assert check(tmp_path, main=text) == [("main", LEVELS + 4, "AWL101")]


def test_deep_generic_inheritance(tmp_path: Path) -> None:
    classes = "".join(f"class C{at + 1}(C{at}[T]): ...\n" for at in range(LEVELS))
    text = (
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass C0(Generic[T]):\n"
        f"    async def m(self) -> T: ...\n{classes}async def g():\n    C{LEVELS}[int]().m()\n"
    )
    assert check(tmp_path, main=text) == [("main", LEVELS + 6, "AWL101")]


def test_deep_types_cost_their_file_only(tmp_path: Path) -> None:
    text = (
        "from typing import TypeVar\nT = TypeVar('T')\ndef d(x: T) -> tuple[T, T]: ...\n"
        "async def g():\n    z = 1\n" + "    z = d(z)\n" * 400 + "    await z\n"
    )
    other = "async def f(): ...\nasync def g():\n    f()\n"
    found = check(tmp_path, main=text, other=other)
    assert [each for each in found if each[0] == "other"] == [("other", 3, "AWL101")]
    assert [code for path, _, code in found if path == "main"] in ([], ["AWL901"])


def test_a_chain_that_is_too_long_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / "m0.py").write_text("async def f(): ...\n", encoding="utf-8")
    files = {f"m{at}": f"from m{at - 1} import f\nasync def g():\n    f()\n" for at in range(1, 101)}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    found = check(tmp_path, **{f"m{at}": files[f"m{at}"] for at in (100, 30, 60, 70)})
    assert {path for path, _, _ in found} == {"m30", "m60", "m70"}


def test_many_subclasses_are_gone_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    made = Inference.mro
    monkeypatch.setattr(Inference, "mro", lambda self, cls: asked.append(cls) or made(self, cls))

    def times(count: int) -> int:
        classes = "".join(f"class C{at}(B):\n    async def m(self): ...\n" for at in range(count))
        calls = "".join(f"    C{at}().m()\n" for at in range(count))
        root = tmp_path / str(count)
        root.mkdir()
        asked.clear()
        text = f"class B:\n    async def m(self): ...\n{classes}async def g():\n{calls}"
        assert len(check(root, main=text)) == count
        return len(asked)

    assert times(200) < 15 * times(20)


def test_a_name_that_many_functions_set_is_evaluated_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    value = Inference.value
    monkeypatch.setattr(
        Inference, "value", lambda self, *arguments: asked.append(1) or value(self, *arguments)
    )

    def times(count: int) -> int:
        functions = "".join(
            f"    def a{at}():\n        nonlocal x\n        x = f()\n        x.y()\n" for at in range(count)
        )
        root = tmp_path / str(count)
        root.mkdir()
        asked.clear()
        check(root, main=f"async def f(): ...\ndef o():\n    x = 1\n{functions}    if x: pass\n")
        return len(asked)

    assert times(400) < 15 * times(40)


def test_many_decorators_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    made = Inference.decorated
    monkeypatch.setattr(
        Inference, "decorated", lambda self, *arguments: asked.append(1) or made(self, *arguments)
    )
    wrap = "def d(f):\n    def w(*a): return f(*a)\n    return w\n"
    assert check(tmp_path, main=f"{wrap}" + "@d\n" * 500 + "async def g(): ...\ng()\n") == []
    assert len(asked) < 500


def test_what_libcst_cannot_read_costs_one_function(tmp_path: Path) -> None:
    text = "async def f(): ...\n\n\nasync def g():\n    (x): int = 1\n    f()\n\n\nasync def h():\n    f()\n"
    assert check(tmp_path, main=text) == [("main", 5, "AWL901"), ("main", 10, "AWL101")]
