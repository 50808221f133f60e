"""Text that nests as deeply as Python's parser allows ends in findings or in one that says so."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FORGOTTEN = "async def work(): ...\nasync def main():\n    work()\n"
DEEP = {
    "parentheses": "x = " + "(" * 100_000 + ")" * 100_000,
    "calls": "x = " + "f(" * 190 + ")" * 190,
    "comprehensions": "x = " + "[" * 98 + "y" + " for y in z]" * 98,
    "attributes": "x = a" + ".b" * 2_900,
    "more attributes": "x = a" + ".b" * 20_000,
    "method calls": "x = a" + ".b()" * 1_400,
    "subscripts": "x = a" + "[0]" * 2_900,
    "lambdas": "x = " + "lambda: " * 2_900 + "1",
    "more lambdas": "x = " + "lambda: " * 5_000 + "1",
    "not": "if " + "not " * 2_900 + "y:\n    pass",
    "negations": "x = " + "-" * 2_900 + "1",
    "powers": "x = " + "1 ** " * 1_450 + "1",
    "sums": "x = " + "1 + " * 2_900 + "1",
    "conditional expressions": "x = " + "1 if a else " * 2_900 + "1",
    "elif": "if a: b = 1\n" + "elif a: b = 1\n" * 2_900,
    "annotation": "x: a" + ".b" * 2_900,
    "quoted annotation": "x: 'a" + ".b" * 2_900 + "'",
    "blocks": "".join(" " * depth + "if a:\n" for depth in range(99)) + " " * 99 + "b = 1",
    "functions": "".join(" " * depth + "def f():\n" for depth in range(99)) + " " * 99 + "b = 1",
    "names": "x0 = f\n" + "".join(f"x{n + 1} = x{n}\n" for n in range(3_000)) + "x3000()",
    "results": "def f0(): ...\n"
    + "".join(f"def f{n + 1}(): return f{n}()\n" for n in range(3_000))
    + "f3000()",
}


def check(directory: Path) -> str:
    """What is found in the file ``deep.py``."""
    # in a process of its own, for an overflow of the stack would end it
    done = subprocess.run(
        [sys.executable, "-m", "awaitlint", "check", "--no-cache", "--output-format=concise", "deep.py"],
        cwd=directory, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting(name: str, tmp_path: Path) -> None:
    (tmp_path / "deep.py").write_text(f"{DEEP[name]}\n{FORGOTTEN}")
    found = check(tmp_path)
    assert "AWL101 `work()` is never awaited" in found or "nested" in found


def test_a_long_line_of_ancestors(tmp_path: Path) -> None:
    classes = "".join(f"class C{n + 1}(C{n}): ...\n" for n in range(3_000))
    asked = "async def main():\n    C3000().m()\n    C150().m()\n"
    (tmp_path / "deep.py").write_text(f"class C0:\n    async def m(self): ...\n{classes}{asked}")
    found = check(tmp_path)
    assert "`C150().m()` is never awaited" in found
    assert "`C3000().m()` is never awaited" in found


def test_a_class_that_derives_from_itself_with_arguments_that_grow(tmp_path: Path) -> None:
    (tmp_path / "one.pyi").write_text(
        'from typing import TypeVar\nT = TypeVar("T")\n'
        "class A(B[list[T]]):\n    async def own(self) -> None: ...\nclass B(A[T]): ...\n"
    )
    (tmp_path / "deep.py").write_text(
        "from one import A, B\nasync def main(a: A[int], b: B[str]):\n"
        "    a.own()\n    b.own()\n    a.other()\n"
    )
    found = check(tmp_path)
    assert "`a.own()` is never awaited" in found
    # the bases of a class that is its own ancestor are not known
    assert "b.own()" not in found
    assert "a.other()" not in found
