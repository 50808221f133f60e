# ruff: noqa: E501 -- snippets, files and messages stand as they are
"""AWL801: every row of the table, every shape of the import, and what the fix writes."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from awaitlint.index.facts import Import, ModuleFacts, Scope, ScopeKind
from awaitlint.index.modules import Module
from awaitlint.index.requirements import admitted
from awaitlint.model import Edit, Fix, Related, Safety, Severity, Span
from awaitlint.rules.langfuse_observe_import import (
    Finding,
    LangfuseObserveImport,
    Row,
    Target,
    find,
    target_for,
)
from awaitlint.syntax.reaching import wraps_in_sync

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = Target(Row.UNKNOWN)
TWO = Target(Row.ONLY_2, "langfuse 2.60.10 (uv.lock)")
BELOW = Target(Row.BEFORE_2_21, "langfuse 2.7.3 (uv.lock)")
BOTH = Target(Row.BOTH, "langfuse>=2 (pyproject.toml)")
THREE = Target(Row.ONLY_3, "langfuse 3.1.0 (uv.lock)")
ALWAYS = Target(Row.ONLY_3, "langfuse 3.1.0 (uv.lock)", always=True)
ALL = (UNKNOWN, TWO, BELOW, BOTH, THREE, ALWAYS)


def places(module: cst.Module) -> Callable[[cst.CSTNode], Span]:
    ranges = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)

    def span(node: cst.CSTNode) -> Span:
        place: Any = ranges[node]
        return Span(place.start.line, place.start.column, place.end.line, place.end.column)

    return span


def check(source: str, target: Target = UNKNOWN) -> list[Finding]:
    module = cst.parse_module(source)
    return list(find(module, target, places(module), source.splitlines()))


def case(source: str) -> str:
    return textwrap.dedent(source).lstrip("\n")


def applied(source: str, fix: Fix | None) -> str:
    assert fix is not None
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:index])) for index in range(len(lines) + 1)]

    def offset(edit: Edit, *, end: bool) -> int:
        line, column = (
            (edit.span.end_line, edit.span.end_column) if end else (edit.span.line, edit.span.column)
        )
        return starts[line - 1] + column

    for edit in sorted(fix.edits, key=lambda each: each.span, reverse=True):
        source = source[: offset(edit, end=False)] + edit.replacement + source[offset(edit, end=True) :]
    ast.parse(source)
    return source


SIMPLE = case("""
    from langfuse import observe


    @observe(name="answer")
    async def answer(): ...
""")
ATTRIBUTE = SIMPLE.replace("from langfuse import observe", "import langfuse as lf").replace("@obs", "@lf.obs")
OLD = SIMPLE.replace("from langfuse import", "from langfuse.decorators import")


@pytest.mark.parametrize(
    ("source", "target", "severity", "message", "safety"),
    [
        (
            SIMPLE,
            TWO,
            Severity.ERROR,
            (
                "`from langfuse import observe` raises ImportError: langfuse 2.60.10 (uv.lock) has no top-level `observe`;"
                " import it from `langfuse.decorators`"
            ),
            Safety.SAFE,
        ),
        (
            ATTRIBUTE,
            TWO,
            Severity.ERROR,
            (
                "`lf.observe` raises AttributeError: langfuse 2.60.10 (uv.lock) has no top-level `observe`;"
                " import it from `langfuse.decorators`"
            ),
            None,
        ),
        (
            SIMPLE,
            BELOW,
            Severity.ERROR,
            (
                "`from langfuse import observe` raises ImportError: langfuse 2.7.3 (uv.lock) has no `observe`,"
                " which came with 2.21; require `langfuse>=3`"
            ),
            None,
        ),
        (
            SIMPLE,
            BOTH,
            Severity.WARNING,
            (
                "`from langfuse import observe` raises ImportError on langfuse 2.x, which langfuse>=2 (pyproject.toml)"
                " also admits; require `langfuse>=3`"
            ),
            None,
        ),
        (
            SIMPLE,
            UNKNOWN,
            Severity.WARNING,
            (
                "`from langfuse import observe` raises ImportError on langfuse 2.x and is right only for 3 and later;"
                " on 2.x import it from `langfuse.decorators`, and pin langfuse or set `langfuse-target`"
            ),
            Safety.UNSAFE,
        ),
        (
            ATTRIBUTE,
            UNKNOWN,
            Severity.WARNING,
            (
                "`lf.observe` raises AttributeError on langfuse 2.x and is right only for 3 and later;"
                " on 2.x import it from `langfuse.decorators`, and pin langfuse or set `langfuse-target`"
            ),
            None,
        ),
        (
            SIMPLE,
            ALWAYS,
            Severity.WARNING,
            (
                "`from langfuse import observe` is right for langfuse 3.1.0 (uv.lock) and is reported because"
                " `langfuse-target` is `always`"
            ),
            None,
        ),
        (
            OLD,
            THREE,
            Severity.ERROR,
            (
                "`from langfuse.decorators import observe` raises ModuleNotFoundError: langfuse 3.1.0 (uv.lock) has no"
                " `langfuse.decorators`; import `observe` from `langfuse`"
            ),
            Safety.SAFE,
        ),
        (
            OLD.replace("import observe", "import langfuse_context, observe"),
            THREE,
            Severity.ERROR,
            (
                "`from langfuse.decorators import observe` raises ModuleNotFoundError: langfuse 3.1.0 (uv.lock) has no"
                " `langfuse.decorators`; import `observe` from `langfuse`"
            ),
            None,
        ),
    ],
)
def test_rows(source: str, target: Target, severity: Severity, message: str, safety: Safety | None) -> None:
    (found,) = check(source, target)
    assert (found.message, found.severity) == (message, severity)
    assert (found.fix.safety if found.fix else None) is safety
    assert [function.name.value for function in found.functions] == ["answer"]


def test_right_imports_are_silent() -> None:
    assert check(SIMPLE, THREE) == []
    assert check(ATTRIBUTE, THREE) == []
    for target in (UNKNOWN, TWO, BELOW, BOTH):
        assert check(OLD, target) == []


@pytest.mark.parametrize(
    ("header", "decorator"),
    [
        ("from langfuse import observe", "observe"),
        ("from langfuse import observe", "observe()"),
        ("from langfuse import observe", "(observe(name='x'))"),
        ("from langfuse import observe as traced", "traced()"),
        ("from langfuse import (\n    Langfuse,\n    observe,\n)", "observe"),
        ("import langfuse", "langfuse.observe()"),
        ("import langfuse as lf", "lf.observe"),
        ("import langfuse.openai", "langfuse.observe()"),
        ("from langfuse import observe\ntraced = observe", "traced()"),
        ("from langfuse import observe\ntraced = observe(name='x')", "traced"),
        ("import langfuse\ntraced = langfuse.observe", "traced"),
        ("import langfuse\ntraced: object = langfuse.observe", "traced"),
        ("if DEBUG:\n    from langfuse import observe\nelse:\n    observe = plain", "observe"),
        ("for _ in (1,):\n    from langfuse import observe", "observe"),
        ("while True:\n    from langfuse import observe\n    break", "observe"),
        ("with lock:\n    from langfuse import observe", "observe"),
        ("match x:\n    case 1:\n        from langfuse import observe", "observe"),
        ("try:\n    pass\nfinally:\n    from langfuse import observe", "observe"),
        (
            "try:\n    import x\nexcept ImportError:\n    x = None\nelse:\n    from langfuse import observe",
            "observe",
        ),
        ("def observe(): ...\nfrom langfuse import observe", "observe"),
        ("if TYPE_CHECKING:\n    observe = 1\nfrom langfuse import observe", "observe"),
        ("if not TYPE_CHECKING:\n    from langfuse import observe", "observe"),
    ],
)
def test_shapes_of_the_import(header: str, decorator: str) -> None:
    (found,) = check(f"{header}\n\n\n@{decorator}\nasync def f(): ...\n")
    assert isinstance(found.node, cst.ImportAlias)


@pytest.mark.parametrize(
    "function",
    [
        "@observe()\nasync def f(): ...",
        "@observe()\nasync def f():\n    yield 1",
        "@app.get('/')\n@observe()\nasync def f(): ...",
        "@observe()\n@app.get('/')\nasync def f(): ...",
        "class A:\n    @observe()\n    async def f(self): ...",
        "class A:\n    class B:\n        @observe()\n        async def f(self): ...",
        "def g():\n    @observe()\n    async def f(): ...\n    return f",
        "class A:\n    def g(self):\n        @observe()\n        async def f(): ...",
        "if x:\n    @observe()\n    async def f(): ...",
        "try:\n    @observe()\n    async def f(): ...\nfinally:\n    pass",
    ],
)
def test_kinds_of_functions(function: str) -> None:
    (found,) = check(f"from langfuse import observe\n\n{function}\n")
    assert [each.name.value for each in found.functions] == ["f"]


@pytest.mark.parametrize(
    "source",
    [
        "from langfuse import observe\n@observe()\ndef f(): ...\n",
        "from langfuse import observe\nasync def f(): ...\nf = observe()(f)\n",
        "from langfuse import observe\n@other\nasync def f(): ...\n",
        "from langfuse import observe\n@other(observe)\nasync def f(): ...\n",
        "from langfuse import observe\nobserve = mine\n@observe\nasync def f(): ...\n",
        "from langfuse import observe\ndel observe\n@observe\nasync def f(): ...\n",
        "from langfuse import observe\nobserve += 1\n@observe\nasync def f(): ...\n",
        "from langfuse import observe\nfor observe in x:\n    @observe\n    async def f(): ...\n",
        "from langfuse import observe\nwith x as (a, observe):\n    @observe\n    async def f(): ...\n",
        "from langfuse import observe\nfrom mine import observe\n@observe\nasync def f(): ...\n",
        "from langfuse import observe\ndef g(observe):\n    @observe\n    async def f(): ...\n",
        "from langfuse import observe\ndef g():\n    observe = x\n    def h():\n        @observe\n        async def f(): ...\n",
        "from langfuse import observe\nclass A:\n    observe = x\n    @observe\n    async def f(self): ...\n",
        "from langfuse import observe\ndef g():\n    @observe\n    async def f(): ...\nobserve = mine\n",
        "def g():\n    from langfuse import observe\n@observe\nasync def f(): ...\n",
        "class A:\n    from langfuse import observe\n    def g(self):\n        @observe\n        async def f(): ...\n",
        "from langfuse_extras import observe\n@observe\nasync def f(): ...\n",
        "from .langfuse import observe\n@observe\nasync def f(): ...\n",
        "from . import langfuse\n@langfuse.observe\nasync def f(): ...\n",
        "from langfuse import *\n@observe\nasync def f(): ...\n",
        "import langfuse\n@langfuse.other.observe\nasync def f(): ...\n",
        "import langfuse\nlangfuse = mine\n@langfuse.observe\nasync def f(): ...\n",
        "from langfuse import Langfuse\nx = Langfuse()\n@x.observe\nasync def f(): ...\n",
        "if TYPE_CHECKING:\n    from langfuse import observe\n@observe\nasync def f(): ...\n",
        "if typing.TYPE_CHECKING:\n    from langfuse import observe\nelse:\n    observe = x\n@observe\nasync def f(): ...\n",
        "if not TYPE_CHECKING:\n    observe = x\nelse:\n    from langfuse import observe\n@observe\nasync def f(): ...\n",
        "if x:\n    from langfuse import observe\n    raise SystemExit\nelse:\n    observe = y\n@observe\nasync def f(): ...\n",
    ],
)
def test_what_is_not_that_import(source: str) -> None:
    compile(source, "x.py", "exec")
    for target in ALL:
        assert check(source, target) == []


def test_scopes_of_an_import_in_a_function() -> None:
    source = case("""
        def routes(app):
            from langfuse import observe

            @app.get("/")
            @observe()
            async def index(): ...

            class View:
                @observe()
                async def get(self):
                    @observe()
                    async def inner(): ...

            return View

        def other():
            global observe
            from langfuse import observe

        class Later:
            async def f(self):
                @observe
                async def g(): ...
    """)
    first, second = check(source)
    assert [function.name.value for function in first.functions] == ["index", "get", "inner"]
    assert [function.name.value for function in second.functions] == ["g"]


def test_nonlocal() -> None:
    source = case("""
        def outer():
            observe = None
            def load():
                nonlocal observe
                from langfuse import observe
            def use():
                @observe
                async def f(): ...
    """)
    assert len(check(source)) == 1


def test_each_import_is_one_report() -> None:
    source = case("""
        from langfuse import observe, observe as traced
        import langfuse

        @observe()
        async def a(): ...

        @traced
        @observe
        async def b(): ...

        @langfuse.observe()
        async def c(): ...
    """)
    found = check(source)
    assert [[function.name.value for function in each.functions] for each in found] == [
        ["a", "b"],
        ["b"],
        ["c"],
    ]


def test_submodule_imports_keep_the_package() -> None:
    source = "import langfuse\nimport langfuse.openai\n\n@langfuse.observe()\nasync def f(): ...\n"
    (found,) = check(source, TWO)
    assert isinstance(found.node, cst.ImportAlias)
    assert cst.Module([]).code_for_node(found.node.name) == "langfuse"


@pytest.mark.parametrize(
    ("header", "decorator", "spelling"),
    [
        (
            "import langfuse.decorators",
            "langfuse.decorators.observe()",
            "`import langfuse.decorators` raises ModuleNotF",
        ),
        (
            "import langfuse.decorators as d",
            "d.observe",
            "`import langfuse.decorators as d` raises ModuleNotF",
        ),
        (
            "from langfuse import decorators",
            "decorators.observe",
            "`from langfuse import decorators` raises ImportError",
        ),
        (
            "import langfuse",
            "langfuse.decorators.observe",
            "`langfuse.decorators.observe` raises AttributeError",
        ),
        (
            "import langfuse\nimport langfuse.decorators",
            "langfuse.decorators.observe",
            "`import langfuse.decorators` rai",
        ),
    ],
)
def test_other_spellings_of_the_old_import(header: str, decorator: str, spelling: str) -> None:
    (found,) = check(f"{header}\n\n@{decorator}\nasync def f(): ...\n", THREE)
    assert found.message.startswith(spelling)
    assert found.fix is None


BOTH_PATHS = case("""
    try:
        from langfuse import observe
    except ImportError:
        from langfuse.decorators import observe

    @observe()
    async def f(): ...
""")


@pytest.mark.parametrize(
    "source",
    [
        BOTH_PATHS,
        BOTH_PATHS.replace("langfuse ", "langfuse.X ")
        .replace("langfuse.decorators ", "langfuse ")
        .replace(".X", ".decorators"),
        BOTH_PATHS.replace("except ImportError:", "except (ImportError, AttributeError):"),
        BOTH_PATHS.replace(
            "    from langfuse.decorators import observe\n",
            "    try:\n        from langfuse.decorators import observe\n    except ImportError:\n        observe = noop\n",
        ),
        (
            "if V3:\n    from langfuse import observe\nelse:\n    from langfuse.decorators import observe\n\n"
            "@observe()\nasync def f(): ...\n"
        ),
    ],
)
def test_both_paths_are_exempt(source: str) -> None:
    for target in ALL:
        assert check(source, target) == []


SHIM = case("""
    from functools import wraps

    try:
        from langfuse import observe
    except ImportError:
        def observe(*args, **kwargs):
            def decorator(func):
                @wraps(func)
                def wrapper(*args, **kwargs):
                    return func(*args, **kwargs)
                return wrapper
            return decorator

    @observe()
    async def f(): ...
""")


@pytest.mark.parametrize(
    ("target", "severity", "start", "safety"),
    [
        (
            TWO,
            Severity.ERROR,
            "on langfuse 2.60.10 (uv.lock) `from langfuse import observe` fails and",
            Safety.UNSAFE,
        ),
        (BELOW, Severity.ERROR, "on langfuse 2.7.3 (uv.lock) `from", None),
        (
            BOTH,
            Severity.WARNING,
            "on langfuse 2.x, which langfuse>=2 (pyproject.toml) also admits, `from",
            None,
        ),
        (UNKNOWN, Severity.WARNING, "on langfuse 2.x `from", Safety.UNSAFE),
        (THREE, Severity.WARNING, "where langfuse 3 is not installed `from", None),
        (ALWAYS, Severity.WARNING, "where langfuse 3 is not installed `from", None),
    ],
)
def test_sync_fallback_is_reported_for_every_version(
    target: Target, severity: Severity, start: str, safety: Safety | None
) -> None:
    (found,) = check(SHIM, target)
    assert found.message.startswith(start)
    assert "its fallback wraps `async def` functions in a sync function" in found.message
    assert found.severity is severity
    assert (found.fix.safety if found.fix else None) is safety
    assert isinstance(found.fallback, cst.FunctionDef)


def test_sync_fallback_behind_both_paths() -> None:
    nested = SHIM.replace(
        "except ImportError:\n",
        "except ImportError:\n  try:\n    from langfuse.decorators import observe\n  except ImportError:\n",
    )
    for target in ALL:
        (found,) = check(nested, target)
        assert "its fallback wraps" in found.message


def test_sync_fallback_of_the_old_import() -> None:
    source = SHIM.replace("from langfuse import", "from langfuse.decorators import")
    (found,) = check(source, THREE)
    assert found.message.startswith(
        "on langfuse 3.1.0 (uv.lock) `from langfuse.decorators import observe` fails"
    )
    assert found.fix is not None
    assert found.fix.safety is Safety.UNSAFE
    assert check(source, TWO) == []


def test_sync_fallback_that_is_defined_first() -> None:
    source = case("""
        def observe(func):
            def wrapper(*args):
                return func(*args)
            return wrapper

        with contextlib.suppress(ImportError):
            from langfuse import observe

        @observe
        async def f(): ...
    """)
    (found,) = check(source, THREE)
    assert "its fallback wraps" in found.message
    assert check(source.replace("with contextlib.suppress(ImportError)", "if x"), THREE) == []


@pytest.mark.parametrize(
    "fallback", ["observe = None", "observe = noop", "def observe(f):\n        return f", "pass"]
)
def test_other_fallbacks_do_not_exempt(fallback: str) -> None:
    source = f"try:\n    from langfuse import observe\nexcept ImportError:\n    {fallback}\n\n@observe\nasync def f(): ...\n"
    assert check(source, THREE) == []
    (found,) = check(source, TWO)
    assert found.message.startswith(
        "`from langfuse import observe` falls to its `except` branch: langfuse 2.60.10"
    )
    assert found.fix is not None
    assert found.fix.safety is Safety.UNSAFE


@pytest.mark.parametrize("handler", ["except ImportError:\n    raise", "except ValueError:\n    pass"])
def test_an_import_error_that_gets_out(handler: str) -> None:
    source = f"try:\n    from langfuse import observe\n{handler}\n\n@observe\nasync def f(): ...\n"
    (found,) = check(source, TWO)
    assert "raises ImportError" in found.message
    assert found.fix is not None
    assert found.fix.safety is Safety.SAFE


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def observe(f):\n    def w(*a, **k):\n        return f(*a, **k)\n    return w", True),
        ("def observe(**o):\n    return lambda f: lambda *a: f(*a)", True),
        (
            "class observe:\n    def __call__(self, f):\n        def w(*a): return f(*a)\n        return w",
            True,
        ),
        ("def observe(f):\n    def w(*a):\n        with span(): return f(*a)\n    return w", True),
        ("def observe(f): return f", False),
        ("def observe(**o):\n    return lambda f: f", False),
        ("def observe(f):\n    async def w(*a): return await f(*a)\n    return w", False),
        (
            "def observe(f):\n    if iscoroutinefunction(f):\n        return f\n    def w(*a): return f(*a)\n    return w",
            False,
        ),
        ("def observe(*a, **k):\n    def d(f): return f\n    return d(*a) if a else d", False),
        ("def observe(f):\n    def w(f): return f(*x)\n    return w", False),
        ("def observe(f):\n    def w(): log(*f)\n    return f", False),
    ],
)
def test_wraps_in_sync(source: str, expected: bool) -> None:
    assert wraps_in_sync(cst.parse_module(source).body[0]) is expected


@pytest.mark.parametrize(
    ("extra", "target", "part", "has_fix"),
    [
        (
            "from langfuse import get_client",
            UNKNOWN,
            "`get_client`, which this file also imports, needs langfuse 3",
            False,
        ),
        ("from langfuse.langchain import CallbackHandler", UNKNOWN, "`langfuse.langchain`, which", False),
        ("import langfuse.langchain", UNKNOWN, "`langfuse.langchain`, which", False),
        (
            "from langfuse.decorators import langfuse_context",
            UNKNOWN,
            "`langfuse_context`, which this file also",
            False,
        ),
        (
            "from langfuse.callback import CallbackHandler",
            UNKNOWN,
            "is gone in langfuse 3: import `observe` from",
            False,
        ),
        ("from langfuse import get_client", TWO, "needs langfuse 3: require `langfuse>=3`", False),
        ("from langfuse import get_client", BELOW, "needs langfuse 3: require `langfuse>=3`", False),
        (
            "from langfuse.decorators import langfuse_context",
            TWO,
            "import it from `langfuse.decorators`",
            True,
        ),
        ("from langfuse.callback import CallbackHandler", BOTH, "is gone in langfuse 3", False),
        ("from langfuse import get_client", BOTH, "require `langfuse>=3`", False),
        (
            "from langfuse import get_client, Langfuse\nimport langfuse.callback",
            UNKNOWN,
            "on 2.x import it from",
            True,
        ),
        ("if TYPE_CHECKING:\n    from langfuse import get_client", UNKNOWN, "on 2.x import it from", True),
    ],
)
def test_evidence_in_the_file(extra: str, target: Target, part: str, has_fix: bool) -> None:
    (found,) = check(f"{extra}\n{SIMPLE}", target)
    assert part in found.message
    assert (found.fix is not None) is has_fix


def test_evidence_never_silences() -> None:
    for line in ("from langfuse import get_client", "from langfuse.decorators import langfuse_context"):
        for target in (UNKNOWN, TWO, BELOW, BOTH, ALWAYS):
            assert len(check(f"{line}\n{SIMPLE}", target)) == 1


USE = "\n@observe\nasync def f(): ...\n"
USE_OBS = "\n@obs\nasync def f(): ...\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from langfuse import observe\n", "from langfuse.decorators import observe\n"),
        ("from langfuse import observe  # why\n", "from langfuse.decorators import observe  # why\n"),
        ("from langfuse import (observe)\n", "from langfuse.decorators import (observe)\n"),
        (
            "from langfuse import Langfuse, observe\n",
            "from langfuse import Langfuse\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import observe, Langfuse  # both\n",
            "from langfuse import Langfuse  # both\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import A, observe, B\n",
            "from langfuse import A, B\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import A, \\\n    observe\n",
            "from langfuse import A\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import \\\n    observe, \\\n    A\n",
            "from langfuse import \\\n    A\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import (\n    Langfuse,  # the client\n    observe,  # the decorator\n    A,\n)  # end\n",
            (
                "from langfuse import (\n    Langfuse,  # the client\n    A,\n)  # end\n"
                "from langfuse.decorators import observe  # the decorator\n"
            ),
        ),
        (
            "from langfuse import (\n    Langfuse,  # the client\n    observe\n)\n",
            "from langfuse import (\n    Langfuse,  # the client\n)\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import (\n    # tracing\n    observe,\n    Langfuse)\n",
            "from langfuse import (\n    # tracing\n    Langfuse)\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import (Langfuse,\n                      observe)\n",
            "from langfuse import (Langfuse,\n                      )\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import (observe,  # it\n                      Langfuse)\n",
            "from langfuse import (  # it\n                      Langfuse)\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import (\n    A, observe,  # two\n    B,\n)\n",
            "from langfuse import (\n    A,  # two\n    B,\n)\nfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import (\n    A,\n    observe, B,\n)\n",
            "from langfuse import (\n    A,\n    B,\n)\nfrom langfuse.decorators import observe\n",
        ),
        (
            "import os; from langfuse import A, observe; import sys\n",
            "import os; from langfuse import A; from langfuse.decorators import observe; import sys\n",
        ),
        (
            "if x: from langfuse import A, observe  # one line\n",
            "if x: from langfuse import A; from langfuse.decorators import observe  # one line\n",
        ),
        (
            "if x:\n\tfrom langfuse import A, observe\n",
            "if x:\n\tfrom langfuse import A\n\tfrom langfuse.decorators import observe\n",
        ),
        (
            "from langfuse import A, observe\r\n",
            "from langfuse import A\r\nfrom langfuse.decorators import observe\r\n",
        ),
    ],
)
def test_fix(before: str, after: str) -> None:
    use = USE.replace("\n", "\r\n") if "\r" in before else USE
    (found,) = check(before + use, TWO)
    fixed = applied(before + use, found.fix)
    assert fixed == after + use
    assert check(fixed, TWO) == []


def test_fix_keeps_the_alias() -> None:
    before = f"from langfuse import Langfuse, observe as obs\n{USE_OBS}"
    (found,) = check(before, TWO)
    assert applied(before, found.fix) == (
        f"from langfuse import Langfuse\nfrom langfuse.decorators import observe as obs\n{USE_OBS}"
    )
    (found,) = check(f"from langfuse import observe as obs\n{USE_OBS}", TWO)
    assert found.fix is not None
    assert found.fix.message == "Import `observe` from `langfuse.decorators`"
    assert applied(f"from langfuse import observe as obs\n{USE_OBS}", found.fix) == (
        f"from langfuse.decorators import observe as obs\n{USE_OBS}"
    )


def test_no_fix_that_would_lose_a_comment() -> None:
    (found,) = check(f"from langfuse import (\n    A,\n    observe,  # it\n); import os\n{USE}", TWO)
    assert found.fix is None


def test_fix_at_the_end_of_a_file_without_newline() -> None:
    before = "def g():\n    @observe\n    async def f(): ...\nfrom langfuse import A, observe"
    (found,) = check(before, TWO)
    assert applied(before, found.fix).endswith(
        "\nfrom langfuse import A\nfrom langfuse.decorators import observe"
    )


def test_fix_of_the_old_import() -> None:
    (found,) = check(OLD, THREE)
    assert applied(OLD, found.fix) == SIMPLE


SOURCES = {
    "uv.lock": '[[package]]\nname = "langfuse"\nversion = "{0}"\n',
    "poetry.lock": '[[package]]\nname = "langfuse"\nversion = "{0}"\n',
    "pdm.lock": '[[package]]\nname = "langfuse"\nversion = "{0}"\n',
    "pylock.toml": '[[packages]]\nname = "langfuse"\nversion = "{0}"\n',
    "Pipfile.lock": '{{"default": {{"langfuse": {{"version": "=={0}"}}}}}}',
    "pyproject.toml": '[project]\ndependencies = ["langfuse=={0}"]\n',
    "setup.cfg": "[options]\ninstall_requires = langfuse=={0}\n",
    "Pipfile": '[packages]\nlangfuse = "=={0}"\n',
    "requirements.txt": "langfuse=={0}\n",
    "requirements-dev.in": "langfuse=={0}\n",
    "requirements/base.txt": "langfuse=={0}\n",
    "constraints.txt": "langfuse=={0}\n",
    ".venv/lib/python3.12/site-packages/langfuse-{0}.dist-info/METADATA": "Version: {0}\n",
}


def resolve(root: Path, option: str = "auto") -> Target:
    return target_for(option, lambda: admitted("langfuse", root, root), lambda path: path.name)


@pytest.mark.parametrize(
    ("version", "row"),
    [
        ("2.7.3", Row.BEFORE_2_21),
        ("2.21.0", Row.ONLY_2),
        ("2.60.10", Row.ONLY_2),
        ("3.0.0", Row.ONLY_3),
        ("5.0.4", Row.ONLY_3),
    ],
)
@pytest.mark.parametrize("name", SOURCES)
def test_rows_by_source(tmp_path: Path, name: str, version: str, row: Row) -> None:
    path = tmp_path / name.format(version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCES[name].format(version))
    target = resolve(tmp_path)
    place = f"langfuse-{version}.dist-info" if name.startswith(".venv") else path.name
    assert (target.row, target.version) == (row, f"langfuse {version} ({place})")
    assert [related.message for related in target.related] == [f"the project takes langfuse {version}"]


@pytest.mark.parametrize(
    ("specifier", "row"),
    [
        ("", Row.BOTH),
        (">=2", Row.BOTH),
        ("!=2.*", Row.BOTH),
        (">=2.21,<4", Row.BOTH),
        ("<3", Row.ONLY_2),
        (">=2.21,<3", Row.ONLY_2),
        ("~=2.5", Row.ONLY_2),
        ("<2.21", Row.BEFORE_2_21),
        ("~=2.7.0", Row.BEFORE_2_21),
        (">=3", Row.ONLY_3),
        ("~=3.1", Row.ONLY_3),
        ("==3.0.0b1", Row.ONLY_3),
        (">=3,<2", Row.UNKNOWN),
    ],
)
def test_rows_by_specifier(tmp_path: Path, specifier: str, row: Row) -> None:
    (tmp_path / "requirements.txt").write_text(f"langfuse{specifier}\n")
    assert resolve(tmp_path).row is row


def test_the_place_shown_is_the_one_that_admits_the_old_version(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["langfuse>=3"]\n[dependency-groups]\ndev = ["langfuse>=2.30"]\n'
    )
    target = resolve(tmp_path)
    assert (target.row, target.version) == (Row.BOTH, "langfuse>=2.30 (pyproject.toml)")
    assert target.related[0].span == Span(4, 8, 4, 22)


def test_a_place_without_a_version_is_shown(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("httpx\nlangfuse @ git+https://e.org/langfuse@main\n")
    related = Related("requirements.txt", Span(2, 0, 2, 42), "no version is told here")
    assert resolve(tmp_path) == Target(Row.UNKNOWN, related=(related,))


def test_options(tmp_path: Path) -> None:
    assert resolve(tmp_path) == Target(Row.UNKNOWN)
    assert resolve(tmp_path, "always") == Target(Row.UNKNOWN, always=True)
    (tmp_path / "requirements.txt").write_text("langfuse==3.1.0\n")
    assert (resolve(tmp_path, "2").row, resolve(tmp_path, "2").version) == (
        Row.ONLY_2,
        "langfuse 2.x (`langfuse-target`)",
    )
    assert resolve(tmp_path, "always").always
    assert resolve(tmp_path, "always").row is Row.ONLY_3
    (tmp_path / "requirements.txt").write_text("langfuse==2.60.10\n")
    assert resolve(tmp_path, "3+").row is Row.ONLY_3


class FakeModule(SimpleNamespace):
    """As much of a module under check as the rule asks for."""

    def add(self, rule: object, span: Span, message: str, **rest: Any) -> None:
        self.found.append((span, message, rest))


def visit(path: Path, display: str, source: str, option: str = "auto") -> list[Any]:
    module = cst.parse_module(source)
    fake: Any = FakeModule(
        module=None,
        facts=facts(nodes=[]),
        infer=SimpleNamespace(project=SimpleNamespace(resolve=lambda *_: None)),
        path=path,
        display=display,
        text=source,
        lines=source.splitlines(),
        settings=SimpleNamespace(langfuse_target=option, python=None),
        found=[],
        display_of=lambda other: other.name,
    )
    rule = LangfuseObserveImport(fake)
    rule.context = SimpleNamespace(span=places(module), parents=[])  # type: ignore[assignment]
    rule.visit_Module(module)
    return fake.found


def test_rule_reports_the_import_with_its_evidence(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "langfuse"\nversion = "2.60.10"\n')
    (tmp_path / "app").mkdir()
    ((span, message, rest),) = visit(tmp_path / "app" / "main.py", "app/main.py", SIMPLE)
    assert span == Span(1, 21, 1, 28)
    assert "langfuse 2.60.10 (uv.lock)" in message
    assert rest["severity"] is Severity.ERROR
    assert rest["related"] == (
        Related("app/main.py", Span(5, 10, 5, 16), "`observe` decorates `async def answer`"),
        Related("uv.lock", Span(2, 0, 2, 17), "the project takes langfuse 2.60.10"),
    )


def test_rule_shows_the_fallback(tmp_path: Path) -> None:
    ((_, _, rest),) = visit(tmp_path / "main.py", str(tmp_path / "main.py"), SHIM, "3+")
    assert [related.message for related in rest["related"]] == [
        "`observe` decorates `async def f`",
        "the fallback wraps it in a sync function",
    ]


def facts(*scopes: Scope, nodes: list[Any], imports: tuple[str, ...] = ()) -> ModuleFacts:
    module = Scope(kind=ScopeKind.MODULE, name="", qualname="", parent=-1)
    absolute = [*imports, *(node.module for node in nodes if not node.level)]
    packages = tuple(sorted({name.partition(".")[0] for name in absolute}))
    return ModuleFacts(nodes=nodes, scopes=[module, *scopes], sites=[], imports=imports, packages=packages)


def function(first: int, last: int, *, is_async: bool = True, decorators: tuple[int, ...] = (0,)) -> Scope:
    return Scope(
        kind=ScopeKind.FUNCTION,
        name="f",
        qualname="f",
        parent=0,
        first_line=first,
        end_line=last,
        is_async=is_async,
        decorators=decorators,
    )


TOP_IMPORT = Import("langfuse", 0, "observe")


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (facts(function(3, 4), nodes=[TOP_IMPORT]), (1,)),
        (facts(function(1, 2), nodes=[TOP_IMPORT]), (3,)),
        (facts(function(1, 4), nodes=[TOP_IMPORT]), (0,)),
        (facts(function(3, 4), nodes=[], imports=("langfuse.openai",)), (1,)),
        (facts(function(3, 4), nodes=[Import("langfuse.decorators", 0, "observe")]), (1,)),
        (facts(function(3, 4), nodes=[Import("langfuse", 1, "observe")]), ()),
        (facts(function(3, 4), nodes=[Import("langfuse_extras", 0, "observe")]), ()),
        (facts(function(3, 4, is_async=False), nodes=[TOP_IMPORT]), ()),
        (facts(function(3, 4, decorators=()), nodes=[TOP_IMPORT]), ()),
    ],
)
def test_suspicious_lines_are_at_module_level(module: ModuleFacts, expected: tuple[int, ...]) -> None:
    fake: Any = FakeModule(
        module=Module("app", None, module, is_package=False, is_stub=False),
        infer=SimpleNamespace(project=SimpleNamespace(resolve=lambda *_: None)),
        facts=module,
        lines=["", "", "", ""],
    )
    assert tuple(LangfuseObserveImport(fake).suspicious()) == expected


def test_long_chains_of_conditions() -> None:
    chain = "if x == 0:\n    pass\n" + "".join(f"elif x == {n}:\n    pass\n" for n in range(1, 150))
    assert len(check(f"from langfuse import observe\n{chain}{USE}")) == 1
