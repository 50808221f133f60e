"""The libcst → `ast` conversion, compared with the `ast` that Python itself builds."""

# ruff: noqa: E101
# The odd syntax has tabs in it.

from __future__ import annotations

import ast
import importlib.util
import sys
import tokenize
import warnings
from pathlib import Path

import libcst
import pytest

import awaitlint.syntax
from awaitlint.syntax.from_cst import TypeParameter, to_ast

STDLIB = [
    "argparse",
    "asyncio.base_events",
    "asyncio.tasks",
    "ast",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "pathlib",
    "socketserver",
    "statistics",
    "string",
    "typing",
]

ODD = r'''
x = 1,  # c
x = (1, 2) ; y = ((1, 2)) ;
f(x for x in y); f((x for x in y)); f  (  x for x in y  ); f(a, (x for x in y), *b, k=1, **kw,)
a[1], a[1,], a[1:2], a[ : ], a[::], a[1 : 2 : 3, ...], a[(1)], a[(1, 2)], a[*b], a[*b, 1 , ], a[(x := 1)]
if a: pass;
elif b: c;d;
else: e ;
try: pass
except (A, B) as e: pass
except C: x;
else: y ;
finally: z ;
try: pass
except* A: pass
with (a as b, c): pass
with (a, b): pass
with (a): pass
with (a, b) as c: pass
with (a), (b): pass
with (open(x)) as f, (g): pass ;
def f(a, /, b: int=1, *args: (int), c=2, d, **kw: str) -> (int): return  a ,
def g(*, a, b=(1)): yield
def h(*args: *Ts): x = yield a ,
lambda: 0; lambda a, /, b=1, *c, d, e=2, **f: (a)
async def k():
    async with a as b, c: pass
    async for x in y: pass
    else: z
    await x; return [i async for i in x if a if b for j in k]
del a, b; del (a, b); del (a), b; del a[1], a.b,; del [a, b]
x: int; x.y: int; x[1]: int = yield_
a or b or c and d and (e and f) or (g or h)
not a; -a ** -b; a if b else c; (a); ((a))
a < b <= c != d is not e not in f in g is h
{**a, 'b': c, **d}; {*a, b}; [*a, b, ]; {}; []; (); (  ); {a: b for a, b in c}; {a for a in b}
*a, b = c; (*a, b) = c = d; [a, *b] = c
for a, in b: pass
for *a, b in *c, d: pass
global x ; y = 1
import a . b . c as d, e; from . import x; from .. a . b import (c as d, e,); from ... import (x)
from .a import *
raise; raise a; raise a from b; assert a; assert a, (b)
@a
@(b)
@c.d(e) # comment
class C(A, *d, metaclass=M, **e): x = 1 ;
class E(): "doc"
while a: break;
else: continue_
"a" 'b' """c
d"""; b'a' b"b"; u'x' "y"; "x" u"y"; r"\n"; "\
x"
f"a{b}c" "d" f"{e!r:>{w}}{f=}{g = }{h=!s}{i=:x}" u"k"; f""; f"" "x"; "x" f""; f"{{x}}"; rf"\{a}\d"
f"\{b}\N{EM DASH}"; f"""{a
}b {c:
}"""; f"é{ü}ß{x:é}"; u"é" f"{a}" "é" u"z"; f"{a!s:{b}{c}}"; f"{ {1:2}[1] }{(yield_)}{*a,}"
0x1F, 0o17, 0b1, 1_000, 1., .5, 1e3, 1j, 1_0.0_1j, 00, 1E5J
match a, b:
    case 1: pass
    case -1 | 1 + 2j | "a" "b" | None | True: pass
    case (a): pass
    case (a, ): pass
    case (): pass
    case [a, *_, b]: pass
    case [ * rest ] if x: pass
    case a, *b: pass
    case {"x": 1, **rest}: pass
    case {}: pass
    case A(): pass
    case a.B(1, x=2, y=C(z) , ): pass
    case (1 | 2) as x: pass
    case ((1) as y): pass
    case _: pass;
match *a, b:
    case [(a), ((b | c))]: pass
print(a, end=(b) ); a = b = c; a @= b; a //= b; a **= (b); a <<= b; a >>= b; a |= b; a &= c; a ^= d; a %= e
if (a :=  1): pass
(a  .  b  [ c ] ( d )); a \
  + b; x = a \
  ,
def ff():
	if 1:
	    return
	# c
    # less

	x = (yield)
	y = yield from z
é = 'ü', ñ.ö(é, ß=é), µ
'''

PYTHON_3_12 = r"""
type X = int
type Y[T: (int, str), *Ts, **P] = list[T] ;
def f[T, U: int](a: T) -> U: pass
class A[T](B): x: T
class C[*Ts]: pass
async def g[T](): await x
f"{x["a"]}" f'{f'{f'{1}'}'}'; f"{
  a  # comment
}"; f"{'\n'.join(x)}"; f"{x!r}{y=!a:{z}}"; f"{x!r  }" + b; f'{a["b"]=}' 'c' "d"
"""

PYTHON_3_13 = r"""
type Y[T: int = str, *Ts = *tuple[int], **P = [int, str]] = list[T]
class A[T=int, U = (str)]: pass
def f[*Ts=*x](): pass
"""


def dumped(tree: ast.Module) -> str:
    """The tree with all its positions, but those that this Python's `ast` has wrong."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        if sys.version_info < (3, 12):
            # every part of an f-string has the place of the whole, and nested expressions a wrong one
            for value in node.values:
                for part in ast.walk(value):
                    for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
                        if hasattr(part, name):
                            setattr(part, name, 0)
                    if isinstance(part, ast.Constant):
                        part.kind = None
        elif sys.version_info < (3, 13):
            # 3.12 adds empty texts to format specifications
            node.values = [v for v in node.values if not (isinstance(v, ast.Constant) and v.value == "")]
    return ast.dump(tree, include_attributes=True, indent=1)


def assert_same(source: str) -> None:
    with warnings.catch_warnings():
        # for escapes that Python warns about
        warnings.simplefilter("ignore")
        expected = ast.parse(source)
    ours = to_ast(libcst.parse_module(source), source)
    assert dumped(ours).splitlines() == dumped(expected).splitlines()


@pytest.mark.parametrize("module", STDLIB)
def test_standard_library(module: str) -> None:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    with tokenize.open(spec.origin) as file:
        assert_same(file.read())


def complete(line: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(line)
    except SyntaxError:
        return False
    return bool(line)


@pytest.mark.parametrize("line", [line for line in ODD.split("\n") if complete(line)])
def test_each_odd_line(line: str) -> None:
    """The lines that are complete, one by one; the others are compared in the whole text."""
    assert_same(line)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_odd_syntax(newline: str) -> None:
    assert_same(ODD.replace("\n", newline))


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\n\n",
        "\x0cx\ny\n",
        "# only a comment",
        "x",
        "x\n\x0cdef f():\n    pass\n\x0c\ny",
        "if x:\n  y\n\n  # tail\n# end",
    ],
)
def test_edges(source: str) -> None:
    assert_same(source)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no ast to compare with")
def test_python_3_12() -> None:
    assert_same(PYTHON_3_12)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="there is no ast to compare with")
def test_python_3_13() -> None:
    assert_same(PYTHON_3_13)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python has nodes for them")
def test_type_parameters_without_nodes() -> None:
    source = "def f[T: int, *Ts, **P](): pass\nclass C[T]: pass\ntype X[T] = list[T]\n"
    function, cls, alias = to_ast(libcst.parse_module(source)).body
    found = [(p.kind, p.name) for p in function.type_params]  # type: ignore[attr-defined]
    assert found == [("TypeVar", "T"), ("TypeVarTuple", "Ts"), ("ParamSpec", "P")]
    first = function.type_params[0]  # type: ignore[attr-defined]
    assert isinstance(first, TypeParameter)
    assert isinstance(first.bound, ast.Name)
    assert [p.name for p in cls.type_params] == ["T"]  # type: ignore[attr-defined]
    assert isinstance(alias, ast.Assign)
    assert ast.unparse(alias) == "X = list[T]"
    assert [p.name for p in alias.type_params] == ["T"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "same_as"),
    [
        ("try: pass\nexcept A, B: pass", "try: pass\nexcept (A, B): pass"),
        ("lazy import a.b as c", "import a.b as c"),
        ("lazy from a import b", "from a import b"),
        ("[*a for a in b]", None),
    ],
)
def test_newer_than_any_ast(source: str, same_as: str | None) -> None:
    tree = to_ast(libcst.parse_module(source))
    if same_as is None:
        comprehension = tree.body[0].value  # type: ignore[attr-defined]
        assert isinstance(comprehension.elt, ast.Starred)
    else:
        assert ast.dump(tree) == ast.dump(ast.parse(same_as))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has nodes for them")
def test_template_strings() -> None:
    tree = to_ast(libcst.parse_module("t'a{b!r:{c}>}d'"))
    assert ast.dump(tree) == ast.dump(ast.parse("f'a{b!r:{c}>}d'"))


@pytest.mark.parametrize("source", ["'\\N{no such name}'", "b'é'", "x = " + "1" * 5000])
def test_literals_that_python_refuses(source: str) -> None:
    with pytest.raises(ValueError, match=r"Unicode|ASCII|limit"):
        to_ast(libcst.parse_module(source))


def test_deep_nesting() -> None:
    source = " + ".join(["a"] * 700)
    tree = to_ast(libcst.parse_module(source))
    depth, node = 0, tree.body[0].value  # type: ignore[attr-defined]
    while isinstance(node, ast.BinOp):
        depth, node = depth + 1, node.left
    assert depth == 699


def test_this_package() -> None:
    package = Path(awaitlint.syntax.__path__[0])
    paths = sorted(package.glob("*.py"))
    assert len(paths) > 10
    for path in paths:
        assert_same(path.read_text(encoding="utf-8"))
