"""Edits: awaits that come and go, imports that arrive, functions that become async."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable

import libcst
import pytest

from awaitlint.files.source import split_lines
from awaitlint.model import Edit
from awaitlint.syntax.edits import insert_await, make_async, remove_await
from awaitlint.syntax.imports import add_from_import, add_import
from awaitlint.syntax.slices import Region, parse_region
from awaitlint.syntax.walk import walk


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits made to it, from the last to the first."""
    starts = [0, *(match.end() for match in re.finditer(r"\r\n?|\n", text))]
    for edit in sorted(edits, key=lambda each: each.span, reverse=True):
        start = starts[edit.span.line - 1] + edit.span.column
        end = starts[edit.span.end_line - 1] + edit.span.end_column
        text = text[:start] + edit.replacement + text[end:]
    return text


def edited(
    text: str,
    wanted: Callable[[libcst.CSTNode], bool],
    edit: Callable[[Region, list[str], libcst.CSTNode, list[libcst.CSTNode]], Iterable[Edit]],
) -> str:
    """Edit the first node of a text that is wanted."""
    lines = split_lines(text)
    region = parse_region(lines, 1, len(lines))
    parents: list[libcst.CSTNode] = []
    found: list[Iterable[Edit]] = []

    def look(node: libcst.CSTNode) -> None:
        if not found and wanted(node):
            found.append(edit(region, lines, node, parents))

    walk(region.module, [], look, parents=parents)
    return applied(text, found[0])


def awaited(text: str, code: str) -> str:
    """Await the first expression that is spelled `code`, without its own parentheses."""

    def wanted(node: libcst.CSTNode) -> bool:
        if not isinstance(node, libcst.BaseExpression):
            return False
        bare = node.with_changes(lpar=(), rpar=())
        return libcst.Module([]).code_for_node(bare) == code

    return edited(
        text,
        wanted,
        insert_await,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("before", "code", "after"),
    [
        ("f()", "f()", "await f()"),
        ("x = f()", "f()", "x = await f()"),
        ('f()["k"]', "f()", '(await f())["k"]'),
        ("a[f()]", "f()", "a[await f()]"),
        ("f().x", "f()", "(await f()).x"),
        ("f()()", "f()", "(await f())()"),
        ("g(f())", "f()", "g(await f())"),
        ("g(*f(), **k)", "f()", "g(*await f(), **k)"),
        ("-f()", "f()", "-await f()"),
        ("not f()", "f()", "not await f()"),
        ("f() + 1", "f()", "await f() + 1"),
        ("1 + f()", "f()", "1 + await f()"),
        ("f() ** 2", "f()", "(await f()) ** 2"),
        ("2 ** f()", "f()", "2 ** await f()"),
        ("await f()", "f()", "await (await f())"),
        ("[*f(), 1]", "f()", "[*await f(), 1]"),
        ("a or b", "a or b", "await (a or b)"),
        ("(a or b)", "a or b", "await (a or b)"),
        ("(a or b).x", "a or b", "(await (a or b)).x"),
        ("f() if a else b", "f() if a else b", "await (f() if a else b)"),
        ("f() if a else b", "f()", "await f() if a else b"),
        ("x = lambda: 1", "lambda: 1", "x = await (lambda: 1)"),
        ("-f()", "-f()", "await (-f())"),
        ("(f())", "f()", "(await f())"),
        ("( f() ).x", "f()", "( await f() ).x"),
        ("((f()))", "f()", "((await f()))"),
        ("return(f())", "f()", "return(await f())"),
        ("return(a or b)", "a or b", "return await (a or b)"),
        ("return[f()]", "[f()]", "return await [f()]"),
        ("x = a if b else[c]", "[c]", "x = a if b else await [c]"),
        ("x = a, b", "a, b", "x = await (a, b)"),
        ("x = (a, b)", "a, b", "x = await (a, b)"),
        ("(a, b)[0]", "a, b", "(await (a, b))[0]"),
        ("g(x for x in y)", "x for x in y", "g(await (x for x in y))"),
        ("(x for x in y)", "x for x in y", "await (x for x in y)"),
        ("f'{f()!r}'", "f()", "f'{await f()!r}'"),
        ("f(\n  1,\n)", "f(\n  1,\n)", "await f(\n  1,\n)"),
        ("x = (\n    f()\n    .g()\n)", "f()", "x = (\n    (await f())\n    .g()\n)"),
        ("x = (\n    f()  # c\n)", "f()", "x = (\n    await f()  # c\n)"),
        ("ä = 'ü' + f()", "f()", "ä = 'ü' + await f()"),
        ("'a' 'b'", "'a' 'b'", "await 'a' 'b'"),
        ("assert f(), 1", "f()", "assert await f(), 1"),
        ("x = yield f()", "f()", "x = yield await f()"),
        ("yield f()", "yield f()", "await (yield f())"),
    ],
)
def test_insert_await(before: str, code: str, after: str) -> None:
    result = awaited(before, code)
    assert result == after
    body = "\n".join("    " + line for line in result.split("\n"))
    operands = [
        ast.dump(node.value)
        for node in ast.walk(ast.parse(f"async def _():\n{body}\n"))
        if isinstance(node, ast.Await)
    ]
    assert ast.dump(ast.parse(f"({code})", mode="eval").body) in operands, "the await takes something else"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await x", "x"),
        ("await  f(1)", "f(1)"),
        ("y = (await f()).x", "y = (f()).x"),
        ("await (a or b)", "(a or b)"),
        ("return await(x)", "return (x)"),
        ("await (  # c\n  x\n)", "(  # c\n  x\n)"),
        ("(await  # c\n  x)", "(  # c\n  x)"),
        ("await \\\n  x", "x"),
        ("await [f() for f in g]", "[f() for f in g]"),
        ("ä = 'ü', await f('日')", "ä = 'ü', f('日')"),
    ],
)
def test_remove_await(before: str, after: str) -> None:
    result = edited(
        before,
        lambda node: isinstance(node, libcst.Await),
        lambda region, _lines, node, _parents: remove_await(region, node),  # type: ignore[arg-type]
    )
    assert result == after
    ast.parse(result)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(): pass", "async def f(): pass"),
        ("class C:\n\n    @a\n    # c\n    def f(self):\n        pass", None),
        ("if x:\n\tdef f(): pass", "if x:\n\tasync def f(): pass"),
        ("async def f(): pass", "async def f(): pass"),
    ],
)
def test_make_async(before: str, after: str | None) -> None:
    result = edited(
        before,
        lambda node: isinstance(node, libcst.FunctionDef),
        lambda region, _lines, node, _parents: make_async(region, node),  # type: ignore[arg-type]
    )
    assert result == (after or before.replace("def", "async def"))
    ast.parse(result)


IMPORTS = [
    ("", "import asyncio\n"),
    ("x = 1\n", "import asyncio\n\nx = 1\n"),
    ("import os\n", "import asyncio\nimport os\n"),
    ("import abc\n", "import abc\nimport asyncio\n"),
    ("import abc\nimport os\nx = 1\n", "import abc\nimport asyncio\nimport os\nx = 1\n"),
    ("from a import b\n", "import asyncio\nfrom a import b\n"),
    ('"""doc"""\n', '"""doc"""\n\nimport asyncio\n'),
    ('"""doc"""', '"""doc"""\n\nimport asyncio'),
    ('"""doc"""\n\nx = 1\n', '"""doc"""\n\nimport asyncio\n\nx = 1\n'),
    ('"""doc"""\nx = 1\n', '"""doc"""\n\nimport asyncio\n\nx = 1\n'),
    ('"""a\nb"""; x = 1\ny = 2\n', '"""a\nb"""; x = 1\n\nimport asyncio\n\ny = 2\n'),
    (
        '"""doc"""\n\nfrom __future__ import annotations\n\nimport os\n',
        '"""doc"""\n\nfrom __future__ import annotations\n\nimport asyncio\nimport os\n',
    ),
    (
        "from __future__ import annotations\n\nx = 1\n",
        "from __future__ import annotations\n\nimport asyncio\n\nx = 1\n",
    ),
    ("#!/bin/python\n# licence\n\nx = 1\n", "#!/bin/python\n# licence\n\nimport asyncio\n\nx = 1\n"),
    ("@d\ndef f(): pass\n", "import asyncio\n\n@d\ndef f(): pass\n"),
    ("x = 1\r\ny = 2\r\n", "import asyncio\r\n\r\nx = 1\r\ny = 2\r\n"),
    ("import os; import sys\nimport re\n", "import os; import sys\nimport asyncio\nimport re\n"),
    ("import os; x = 1\n", "import asyncio\n\nimport os; x = 1\n"),
    ("import (\n", None),
    ("import asyncio\n", None),
    ("import os, asyncio\n", None),
    ("import asyncio.subprocess\n", None),
    ("import asyncio as aio\n", "import asyncio as aio\nimport asyncio\n"),
    ("if x:\n    import asyncio\n", "import asyncio\n\nif x:\n    import asyncio\n"),
    ("def f():\n    import asyncio\n", "import asyncio\n\ndef f():\n    import asyncio\n"),
    ("type X = int\n", "import asyncio\n\ntype X = int\n"),
]


@pytest.mark.parametrize(("before", "after"), IMPORTS)
def test_add_import(before: str, after: str | None) -> None:
    edit = add_import(before, "import asyncio")
    if after is None:
        assert edit is None
        return
    assert edit is not None
    result = applied(before, [edit])
    assert result == after
    assert add_import(result, "import asyncio") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\n", "import os\nfrom a.b import c\n"),
        ("from a import x\nfrom z import y\n", "from a import x\nfrom a.b import c\nfrom z import y\n"),
        ("from .m import y\n", "from a.b import c\nfrom .m import y\n"),
        ("from a import (\n    x,\n)\n", "from a import (\n    x,\n)\nfrom a.b import c\n"),
        ("from a.b import c as d\n", "from a.b import c as d\nfrom a.b import c\n"),
        ("from a.b import c\n", None),
        ("from a.b import x, c\n", None),
        ("from a.b import c as c\n", None),
    ],
)
def test_add_from_import(before: str, after: str | None) -> None:
    edit = add_from_import(before, "a.b", "c")
    assert (None if edit is None else applied(before, [edit])) == after
