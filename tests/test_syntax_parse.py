"""Parsing bytes: what is read, what is refused, and with which reason."""

from __future__ import annotations

import ast
import subprocess
import sys
import warnings

import libcst
import pytest

from awaitlint.syntax.newer import newer_lines
from awaitlint.syntax.parse import SyntaxProblem, parse

NEWER = [
    "type X[T: int = str] = list[T]\n",
    "async def f[T](x: T): return await x\n",
    "class C[*Ts]: pass\n",
    "f'{x['a']}'\n",
    'f"{\n x}"\n',
    "f\"{'\\n'.join(x)}\"\n",
    'f"{x:{y:{z}}}"\n',
    "try: pass\nexcept A, B: pass\n",
    "t'{a}'\n",
    "[*a for a in b]\n",
    "{**a for a in b}\n",
    "lazy import a\n",
]


def refused(data: bytes) -> SyntaxProblem:
    with pytest.raises(SyntaxProblem) as caught:
        parse(data)
    return caught.value


@pytest.mark.parametrize("source", NEWER)
def test_newer_syntax_is_read(source: str) -> None:
    before = "def g():\n    return 'ü'\n"
    tree = parse((before + source).encode())
    assert len(tree.body) >= 2
    assert tree.body[1].lineno == 3


def test_newer_syntax_has_positions() -> None:
    tree = parse("type Ü = ö; x = f(ä)\n".encode())
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert (call.lineno, call.col_offset, call.end_col_offset) == (1, 18, 23)


@pytest.mark.parametrize(
    "data", [b"", b"\xef\xbb\xbf", b"\r\r\n\n", b"\x0c", b"# coding: latin-1\nx = '\xe9'\n"]
)
def test_edges_are_read(data: bytes) -> None:
    assert isinstance(parse(data), ast.Module)


def test_no_warning_is_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(parse(b"x = '\\d'\nx is 1\n").body) == 2


@pytest.mark.parametrize(
    ("data", "line", "column", "reason"),
    [
        (b"x = (1,\ny = 2\n", 1, 4, "'(' was never closed"),
        (b"def f(:\n  pass\n", 1, 6, "invalid syntax"),
        (b"if x:\npass\n", 2, 0, "expected an indented block"),
        (b"x = 'abc\n", 1, 4, "unterminated string literal"),
        ("é = 1 1\n".encode(), 1, 6, "invalid syntax"),
        (b"\n\nx = 1 \x00\n", 3, 6, "null bytes"),
        (b"x = 1\ny = '\xff'\n", 2, None, "codec can't decode"),
        (b"# coding: foo\nx\n", 1, 0, "unknown encoding"),
        (b"# coding: ascii\n\n\xe9\n", 3, 0, "'ascii' codec can't decode"),
        (b"\xef\xbb\xbf# coding: latin-1\nx\n", 1, 0, "BOM"),
        (b"(" * 1000 + b")" * 1000, 1, None, "too many nested parentheses"),
        (b"-" * 100_000 + b"1", 1, 0, "too deeply nested"),
        # libcst accepts these: Python's word counts
        (b"x = '\\N{no such name}'\n", 1, None, "unknown Unicode character name"),
        ("b'é'\n".encode(), 1, None, "ASCII"),  # at its end in Python 3.11.2
    ],
)
def test_reasons(data: bytes, line: int, column: int | None, reason: str) -> None:
    problem = refused(data)
    assert problem.line == line
    assert column is None or problem.column == column
    assert reason in problem.message


def test_error_after_newer_syntax() -> None:
    problem = refused(b"type X = int\nx = 1 1\n")
    assert (problem.line, problem.column, problem.message) == (2, 6, "invalid syntax")


def test_error_before_newer_syntax() -> None:
    problem = refused(b"b = 1 1\ntype X = int\n")
    assert (problem.line, problem.column) == (1, 6)


def test_real_error_in_a_file_with_newer_syntax() -> None:
    """What only libcst accepts stays an error, whatever comes after it."""
    assert "ASCII" in refused("b'é'\nlazy import a\n".encode()).message


@pytest.mark.parametrize("nested", [b"(" * 3000 + b")" * 3000, b"[" * 900 + b"]" * 900])
def test_deep_nesting_after_newer_syntax(nested: bytes) -> None:
    """Libcst's parser would overflow the stack, which nothing can catch."""
    assert "nested" in refused(b"lazy import a\n" + nested + b"\n").message


def test_brackets_in_strings_are_not_nesting() -> None:
    assert parse(b"lazy import a\nx = '" + b"(" * 300 + b"'\n# " + b"[" * 300 + b"\n")


def test_newer_lines_knows_versions() -> None:
    module = libcst.parse_module("type X = int\n\ntry: pass\nexcept A, B: pass\n")
    assert newer_lines(module, version=(3, 11)) == [1, 4]
    assert newer_lines(module, version=(3, 12)) == [4]
    assert newer_lines(module, version=(3, 14)) == []


def test_f_strings_that_python_3_11_reads_are_not_newer() -> None:
    module = libcst.parse_module("""f"{x['a']}{y:>{z}}" f'''{x["a"]}\n''' """)
    assert newer_lines(module, version=(3, 11)) == []


def test_libcst_is_imported_only_when_it_is_needed() -> None:
    """A run that finds nothing must not pay for libcst."""
    program = """
import sys
from awaitlint.syntax.parse import SyntaxProblem, parse
import awaitlint.syntax.cst
import awaitlint.syntax.edits
import awaitlint.syntax.imports
import awaitlint.syntax.misplaced
import awaitlint.syntax.positions
import awaitlint.syntax.scopes
import awaitlint.syntax.slices
import awaitlint.syntax.walk
import awaitlint.rules.await_outside_async
parse(b"async def f(): await g()\\n")
assert "libcst" not in sys.modules, "too early"
parse(b"lazy import a\\n")
assert "libcst" in sys.modules, "never"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
