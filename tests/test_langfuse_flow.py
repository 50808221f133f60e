"""AWL801 against Python itself: what a decorator was when generated code ran is among what the rule says."""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

import libcst as cst
import pytest

from awaitlint.rulekit.langfuse import OLD, TOP
from awaitlint.syntax.reaching import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    Log = list[tuple[str, str]]

SIMPLE = (
    "from langfuse import observe",
    "from langfuse.decorators import observe",
    "import langfuse",
    "import langfuse.decorators",
    "observe = langfuse.observe",
    "observe = other",
    "traced = observe",
    "observe = traced",
    "del observe",
    "raise ValueError",
)
DECORATORS = ("observe", "observe()", "traced", "langfuse.observe()", "langfuse.decorators.observe")


class Program:
    """A random module of imports, assignments, branches, classes, functions and decorated functions."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0
        lines = ["import langfuse", "observe = traced = other", *self.block(3, ""), *self.block(3, "")]
        self.text = "\n".join(lines) + "\n"

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def block(self, depth: int, indent: str, *, in_function: bool = False) -> list[str]:
        lines: list[str] = []
        inner = indent + "    "

        def nested() -> list[str]:
            return self.block(depth - 1, inner, in_function=in_function)

        for _ in range(self.random.randint(1, 3)):
            kind = self.random.choice(("simple", "use", "if", "try", "try", "for", "with", "class", "def"))
            if kind == "simple":
                lines.append(indent + self.random.choice(SIMPLE))
            elif kind == "use" or depth == 0:
                lines += [
                    f"{indent}@{self.random.choice(DECORATORS)}",
                    f"{indent}async def {self.name('f')}(): ...",
                ]
            elif kind == "if":
                lines += [f"{indent}if maybe():", *nested(), f"{indent}else:", *nested()]
            elif kind == "try":
                handler = self.random.choice(("except ImportError:", "except Exception:", "except:"))
                lines += [f"{indent}try:", *nested(), indent + handler, *nested()]
                lines += self.random.choice(
                    ((), (f"{indent}else:", *nested()), (f"{indent}finally:", *nested()))
                )
            elif kind == "for":
                lines += [f"{indent}for _ in few():", *nested()]
            elif kind == "with":
                lines += [f"{indent}with suppress(Exception):", *nested()]
            elif kind == "class" and not in_function:
                lines += [f"{indent}class {self.name('K')}:", *self.block(0, inner)]
            else:
                name = self.name("g")
                lines += [f"{indent}def {name}():", *self.block(depth - 1, inner, in_function=True)]
                lines += [f"{indent}functions.append({name})"]
        return lines


class Marked:
    """A decorator that writes down that it was used."""

    def __init__(self, origin: str, log: Log) -> None:
        self.origin = origin
        self.log = log

    def __call__(self, function: Any = None) -> Any:
        if function is None:
            return self
        self.log.append((self.origin, function.__name__))
        return function


@pytest.fixture
def _no_langfuse() -> Iterator[None]:
    names = ("langfuse", "langfuse.decorators")
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    yield
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def install(log: Log, *, top: bool, old: bool) -> None:
    """Stand in for a version of langfuse."""
    langfuse: Any = ModuleType("langfuse")
    langfuse.__path__ = []
    sys.modules["langfuse"] = langfuse
    sys.modules.pop("langfuse.decorators", None)
    if top:
        langfuse.observe = Marked(TOP, log)
    if old:
        decorators: Any = ModuleType("langfuse.decorators")
        decorators.observe = Marked(OLD, log)
        langfuse.decorators = sys.modules["langfuse.decorators"] = decorators


def ran(code: Any, seed: int, log: Log) -> None:
    """Run a module and then its functions; functions of one that failed are not called."""
    choices = random.Random(seed)
    functions: list[Any] = []
    names = {
        "other": Marked("", log),
        "maybe": lambda: choices.random() < 0.5,
        "few": lambda: range(choices.randint(0, 1)),
        "suppress": suppress,
        "functions": functions,
    }
    try:
        exec(code, names)
    except Exception:  # noqa: BLE001 -- generated code fails in many ways
        return
    for function in functions:
        before = len(functions)
        try:
            function()
        except Exception:  # noqa: BLE001
            del functions[before:]


@pytest.mark.usefixtures("_no_langfuse")
@pytest.mark.parametrize("start", range(0, 400, 100))
def test_what_python_decorated_with_is_found(start: int) -> None:
    seen = 0
    for seed in range(start, start + 100):
        text = Program(seed).text
        found: dict[str, set[str]] = {}
        for (function, _), bindings in Flow(cst.parse_module(text)).uses.items():
            found.setdefault(function.name.value, set()).update(binding.origin for binding in bindings)
        code = compile(text, "generated.py", "exec")
        for top, old in ((True, False), (False, True), (True, True)):
            log: Log = []
            install(log, top=top, old=old)
            ran(code, seed, log)
            for origin, name in log:
                seen += bool(origin)
                assert not origin or origin in found[name], f"{name} was decorated with {origin}:\n{text}"
    assert seen > 100
