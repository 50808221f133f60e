"""await-outside-async against the compiler of the Python that runs.

Snippets are put together systematically: a construct in an expression in a statement in a scope.  For each
that parses, the rule's logic finds something exactly if the compiler refuses it; with all that was found
mended the compiler accepts it, so nothing is missed; and with all but one mended the compiler refuses it,
so each finding is a mistake of its own.
"""

from __future__ import annotations

import ast
import sys
import textwrap
import warnings
from collections.abc import Iterator

import libcst
import pytest

from awaitlint.syntax.misplaced import Misplacement, find_misplaced
from awaitlint.syntax.positions import Positions

CONSTRUCTS = [
    "await a",
    "[x async for x in a]",
    "(x async for x in a)",
    "[await x for x in a]",
    "(await x for x in a)",
    "{x: await x async for x in a}",
]

#: `$` is the expression that is put in
EXPRESSIONS = [
    "$",
    "[q for y in b for q in $]",
    "[$ for q in a]",
    "[q for q in $]",
    "($ for q in a)",
    "(q for q in $)",
    "(q for y in b for q in $)",
    "[q for q in a if $]",
    "lambda: $",
    "lambda k=$: k",
    "f(a, k=$)",
    "$ if a else b",
    "f'{$}'",
    "[q async for q in $]",
    "{k: $ for k in a}",
    "{q for q in $}",
]

STATEMENTS = [
    "$",
    "def g(p=$): pass",
    "@d($)\ndef g(): pass",
    "def g(p: $): pass",
    "def g() -> $: pass",
    "async def g(p: $): pass",
    "@d\nclass C(B, k=$): pass",
    "v: $ = 1",
    "v.w: $ = 1",
    "v[$]: int",
    "for q in $: pass",
    "with $ as q: pass",
    "async with $: pass",
    "async for q in a: $",
    "match $:\n case _: pass",
    "class C:\n v: $",
    "class C:\n $",
    "async def g():\n $\n async with h: pass",
]

GENERICS = [
    "def g[T](p: $): pass",
    "def g[T](p=$): pass",
    "@d($)\ndef g[T](): pass",
    "def g[T: $](): pass",
    "class C[T]($): pass",
    "@d($)\nclass C[T]: pass",
    "type X = $",
    "type X[T: $] = int",
]

FUNCTIONS = [
    "def f():\n$",
    "async def f():\n$",
    "async def f():\n def h():\n$",
    "def f():\n async def h():\n$",
    "class K:\n async def m(self):\n$",
]
SCOPES = ["$", *FUNCTIONS, "class K:\n$", "async def f():\n class K:\n$"]

RESULTS = [
    "yield from a",
    "yield 1",
    "return 1",
    "return None",
    "return",
    "if a: return 1",
    "await a",
    "lambda: (yield 1)",
    "lambda: (yield from a)",
    "lambda x=(yield from a): 0",
    "def g(x=(yield 1)): pass",
    "def g(x: (yield 1)): pass",
    "@(yield 1)\ndef g(): pass",
    "[q for q in (yield 1)]",
    "class C((yield 1)): pass",
    "x: (yield 1)",
    "def g(): yield 1",
    "def g(): return 1",
    "async def g(): yield from a",
    "async def g():\n return 1\n yield 1",
    "class C:\n def g(self): yield 1",
]

FUTURE = "from __future__ import annotations\n"

#: parts of the compiler's messages
OURS = (
    "'await' outside",
    "'async for' outside",
    "'async with' outside",
    "asynchronous comprehension outside",
    "'yield from' inside async function",
    "'return' with value in async generator",
    "await expression cannot be used within",
    "'await expression' can not be used within",
)


def inside(template: str, code: str) -> str:
    """Put code into a template; where `$` is a line of its own, as the body of what is above it."""
    if template.endswith("\n$"):
        depth = template.count("\n")
        return template.removesuffix("$") + textwrap.indent(code, " " * depth)
    return template.replace("$", code)


def expressions() -> list[str]:
    """Every construct in every expression in every expression."""
    nested = [
        outer.replace("$", f"({inner.replace('$', f'({construct})')})")
        for construct in CONSTRUCTS
        for inner in EXPRESSIONS
        for outer in EXPRESSIONS
    ]
    # an f-string in one with the same quotes is new in Python 3.12
    return [expression for expression in nested if expression.count("f'") < 2]


def placements(future: str) -> Iterator[str]:
    """All expressions in functions, sync and async in turn; some in every statement in every scope."""
    nested = expressions()
    for number, expression in enumerate(nested):
        yield future + inside(FUNCTIONS[number % 2], f"({expression})")
    statements = STATEMENTS + (GENERICS if sys.version_info >= (3, 12) else [])
    number = 0
    for scope in SCOPES:
        for statement in statements:
            number += 1
            for expression in nested[number % 97 :: 97]:
                yield future + inside(scope, inside(statement, f"({expression})"))


def results(future: str) -> Iterator[str]:
    """Pairs of statements about what a function returns and yields."""
    for function in FUNCTIONS:
        for first in RESULTS:
            for second in RESULTS:
                yield future + inside(function, f"{first}\n{second}")


def refusal(source: str) -> str:
    """The compiler's message; empty where it accepts the source."""
    try:
        compile(source, "<snippet>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.msg
    return ""


def is_ours(message: str) -> bool:
    return any(part in message for part in OURS)


def mended(source: str, positions: Positions, found: list[Misplacement]) -> str:
    """The source without the constructs that were found."""
    edits = []
    for item in found:
        start, end = positions.offsets[id(item.node)]
        match item.construct:
            case "return":
                edits.append((start, end, "return"))
            case "yield from":
                edits.append((start, start + len("yield from"), "yield"))
            case "await":
                edits.append((start, start + len("await "), ""))
            case _:
                edits.append((start, start + len("async "), ""))
    for start, end, replacement in sorted(edits, reverse=True):
        source = source[:start] + replacement + source[end:]
    return source


def disagreement(source: str) -> str | None:
    """How the rule and the compiler differ about a snippet, if they do."""
    message = refusal(source)
    if message and not is_ours(message):
        return None
    module = libcst.parse_module(source)
    found = find_misplaced(module)
    if bool(message) != bool(found):
        return f"{message or 'compiles'}, but found {[(item.construct, item.where) for item in found]}"
    positions = Positions(module)
    rest = refusal(mended(source, positions, found)) if found else ""
    if rest:
        return f"missed: {rest}"
    if len(found) > 1:
        for item in found:
            others = [other for other in found if other is not item]
            if not is_ours(refusal(mended(source, positions, others))):
                return f"false alarm: {item.construct} {item.where}"
    return None


@pytest.mark.parametrize("future", ["", FUTURE], ids=["plain", "future"])
@pytest.mark.parametrize(("snippets", "least"), [(placements, 3_000), (results, 1_500)])
def test_compiler_agrees(future: str, snippets: object, least: int) -> None:
    assert callable(snippets)
    verdicts = {True: 0, False: 0}
    with warnings.catch_warnings():
        # "'tuple' object is not callable" and the like
        warnings.simplefilter("ignore")
        for source in snippets(future):
            ast.parse(source)
            difference = disagreement(source)
            assert difference is None, f"{difference}\n{source}"
            verdicts[bool(refusal(source))] += 1
    # the oracle has said both, and often
    assert sum(verdicts.values()) > least
    assert min(verdicts.values()) > least // 5


def test_every_occurrence_is_found_in_order() -> None:
    source = """
async def fetch(): ...
def load(pages, lock):
    await fetch()
    async with lock: x = lambda: await fetch()
    async for page in pages: pass
    return [await fetch() async for page in pages]
class Page:
    text = await fetch()
await fetch()
async def numbers():
    yield from [1]
    return 2
"""
    found = [(item.construct, item.where) for item in find_misplaced(libcst.parse_module(source))]
    in_load = "in the sync function `load`"
    assert found == [
        ("await", in_load),
        ("async with", in_load),
        ("await", "in a lambda"),
        ("async for", in_load),
        ("await", in_load),
        ("async for", in_load),
        ("await", "in the body of class `Page`"),
        ("await", "at module level"),
        ("yield from", "in the async function `numbers`"),
        ("return", "with a value in the async generator `numbers`"),
    ]
