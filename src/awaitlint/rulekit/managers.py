"""Generators under the wrong one of `contextmanager` and `asynccontextmanager`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.infer.values import FunctionValue
from awaitlint.model import Edit, Span
from awaitlint.rulekit.definitions import Definitions, qualname
from awaitlint.rulekit.libraries import is_shadowed
from awaitlint.syntax.cst import cst
from awaitlint.syntax.edits import make_async
from awaitlint.syntax.imports import add_from_import

if TYPE_CHECKING:
    import libcst

    from awaitlint.rulekit.context import ModuleContext, NodeContext

#: each with the one that is for the other kind of generator
_OTHER = {"contextmanager": "asynccontextmanager", "asynccontextmanager": "contextmanager"}
_KNOWN = {f"contextlib.{name}": name for name in _OTHER}


class Misdecorated(NamedTuple):
    """A decorator (by its number) that the function below it is of no use to."""

    number: int
    name: str
    scope: f.Scope

    @property
    def message(self) -> str:
        """What is wrong, in the middle of a sentence that begins with the decorator."""
        if self.name == "contextmanager":
            return (
                "needs a plain generator, and `{function}` is an async one: `with` and `async with` fail"
                if self.scope.is_generator
                else "needs a generator, and `{function}` is `async def` without `yield`: `with` fails"
            )
        if self.scope.is_async:
            return "needs an async generator, and `{function}` has no `yield`: `async with` raises TypeError"
        return "needs an async generator, and `{function}` is a plain one: `async with` raises TypeError"


class Managers:
    """The context managers that one module defines by a function."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self.definitions = Definitions(module)

    def misdecorated(self, scope: int) -> Misdecorated | None:
        """The decorator of a function that is the wrong one; None where there is none."""
        fact = self._module.facts.scopes[scope]
        if not fact.decorators or fact.kind is not f.ScopeKind.FUNCTION:
            return None
        if not (fact.is_async or fact.is_generator):
            return None
        infer, module = self._module.infer, self._module.module
        if not any(qualname(infer.value(module, node)) in _KNOWN for node in fact.decorators):
            return None
        for decorator, value in self.definitions.decorations(scope):
            name = _KNOWN.get(qualname(infer.value(module, decorator)))
            if name and value == FunctionValue(module, scope) and self._is_wrong(fact, name):
                return Misdecorated(fact.decorators.index(decorator), name, fact)
        return None

    @staticmethod
    def _is_wrong(fact: f.Scope, name: str) -> bool:
        if name == "contextmanager":
            return fact.is_async
        if fact.is_async:
            # one that only raises, or has no body, stands for what a subclass does
            return not fact.is_generator and not fact.is_stub and (fact.falls_through or bool(fact.returned))
        return fact.is_generator

    def edits(self, context: NodeContext, node: libcst.FunctionDef, wrong: Misdecorated) -> list[Edit]:
        """What mends it: ``async``, where only that is missing, or else the other decorator."""
        if not wrong.scope.is_generator:
            return []
        if not wrong.scope.is_async and not any(self._delegates(wrong.scope)):
            return list(make_async(context, node))
        decorator = node.decorators[wrong.number].decorator
        other = _OTHER[wrong.name]
        if isinstance(decorator, cst.Attribute) and decorator.attr.value == wrong.name:
            return [Edit(context.span(decorator.attr), other)]
        if not isinstance(decorator, cst.Name) or not self._is_imported(decorator.value, wrong.name):
            return []
        if is_shadowed(self._module, other):
            return []
        edits = [Edit(context.span(decorator), other)]
        added = add_from_import(self._module.text, "contextlib", other)
        return edits if added is None else [*edits, added]

    def _is_imported(self, name: str, wanted: str) -> bool:
        """Whether a name is that of `contextlib`, by an import at module level."""
        facts = self._module.facts
        bound = facts.scopes[0].bindings.get(name, ())
        return (
            name == wanted and len(bound) == 1 and facts.nodes[bound[0]] == f.Import("contextlib", 0, wanted)
        )

    def _delegates(self, scope: f.Scope) -> list[f.Yielded]:
        """Each ``yield from`` between the first and the last node of a function."""
        nodes = self._module.facts.nodes[scope.first_node : scope.end_node]
        return [node for node in nodes if isinstance(node, f.Yielded) and node.is_from]


def without_async(text: str, line: int, column: int) -> Edit | None:
    """Take ``async`` away from a statement or a clause, by the text of its line and where it begins."""
    rest = text[column:]
    word = rest.removeprefix("async")
    blank = len(word) - len(word.lstrip(" \t"))
    if word == rest or not blank or not word.lstrip(" \t").startswith(("for", "with")):
        return None
    return Edit(Span(line, column, line, column + len("async") + blank), "")
