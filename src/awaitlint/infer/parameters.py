"""What parameters without annotations are: FastAPI's dependencies, pytest's fixtures, private calls."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin
from awaitlint.infer.calls import Calls
from awaitlint.infer.evaluator import CYCLE, Arguments
from awaitlint.infer.values import (
    ClassValue,
    External,
    FunctionValue,
    Instance,
    OverloadedValue,
    Unknown,
    Value,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from awaitlint.index.modules import Module

#: a private function with more calls than this is taken to be called with anything
_MOST_CALLS = 12
#: functions whose argument makes a parameter's value, by qualified name or as they are reached
_DEPENDS = frozenset(
    {
        "fastapi.Depends",
        "fastapi.Security",
        "fastapi.param_functions.Depends",
        "fastapi.param_functions.Security",
    }
    | {"fastapi.params.Depends", "fastapi.params.Security", "faststream.Depends", "taskiq.TaskiqDepends"}
)


class Parameters(Calls):
    """Looks for what is passed in a parameter that its function does not describe."""

    def unannotated(self, module: Module, scope: int, index: int) -> Value:
        """What a parameter without annotation is, as far as the way it gets its value tells."""
        fact = module.facts.scopes[scope]
        param = fact.params[index]
        if module.origin is Origin.PROJECT and fact.kind is f.ScopeKind.FUNCTION:
            if param.default >= 0:
                found = self._dependency(module, param.default)
                if found is not None:
                    return found
            if _may_have_fixtures(module, fact):
                fixture = self._fixture(module, fact, param.name)
                if fixture is not None:
                    return self.provided(fixture)
            if _is_private(module, fact):
                passed = self._passed(module, scope, index)
                if passed is not None:
                    return passed
        return Unknown(f"the parameter `{param.name}` has no annotation")

    def provided(self, function: Value) -> Value:
        """What a framework gets from a dependency or fixture: awaited, or the item that it yields."""
        if isinstance(function, ClassValue):
            return self.class_instance(function)
        if not isinstance(function, FunctionValue):
            return Unknown("what makes the value of the parameter is not known")
        fact = function.fact
        if fact.is_generator:
            return union([self.value(function.module, node, function.context) for node in fact.yielded])
        made = self.call(function, Arguments())
        return self.awaited(made) if fact.is_async else made

    # ------------------------------------------------------------------ FastAPI
    def _dependency(self, module: Module, default: int) -> Value | None:
        """The value of a parameter whose default is ``Depends(function)``."""
        node = module.facts.nodes[default]
        if not isinstance(node, f.Call) or not node.args:
            return None
        func = self.value(module, node.func)
        if isinstance(func, OverloadedValue):
            func = func.functions[0]
        name = func.path if isinstance(func, External) else getattr(func, "qualname", "")
        return self.provided(self.value(module, node.args[0])) if name in _DEPENDS else None

    # ------------------------------------------------------------------ pytest
    def _fixture(self, module: Module, fact: f.Scope, name: str) -> FunctionValue | None:
        """The fixture that pytest passes under a name: of the class, the module, or a conftest above it."""
        if self._is_parametrized(module, fact, name):
            return None
        parent = fact.parent
        while parent >= 0:
            scope = module.facts.scopes[parent]
            found = _fixture_in(module, scope, name)
            if found is not None and module.facts.scopes[found.scope] is not fact:
                return found
            parent = scope.parent
        for conftest in self._conftests(module):
            found = _fixture_in(conftest, conftest.facts.scopes[0], name)
            if found is not None:
                return found
        return None

    def _is_parametrized(self, module: Module, fact: f.Scope, name: str) -> bool:
        """Whether ``@pytest.mark.parametrize`` gives the parameter its values."""
        nodes = module.facts.nodes
        for decorator in fact.decorators:
            call = nodes[decorator]
            func = nodes[call.func] if isinstance(call, f.Call) and call.args else None
            if isinstance(call, f.Call) and isinstance(func, f.Attr) and func.name == "parametrize":
                names = nodes[call.args[0]]
                if not isinstance(names, f.Const) or name in str(names.value):
                    return True
        return False

    def _conftests(self, module: Module) -> Iterator[Module]:
        root = os.fspath(self.project.root)
        directory = module.directory or root
        while directory.startswith(root):
            found = self.project.file_for(module, Path(directory) / "conftest.py")
            if found is not None and found is not module:
                yield found
            above = os.path.dirname(directory)  # noqa: PTH120  a string, as a module has it
            if above == directory:
                return
            directory = above

    # ------------------------------------------------------------------ private functions
    def _passed(self, module: Module, scope: int, index: int) -> Value | None:
        """The union of what all calls of a private function pass, where every one is seen and known."""
        calls = self._calls_of(module, scope)
        if not calls:
            return None
        fact = module.facts.scopes[scope]
        is_method = module.facts.scopes[fact.parent].kind is f.ScopeKind.CLASS
        receiver = Instance(ClassValue(module, fact.parent)) if is_method else None
        function = FunctionValue(module, scope, receiver)
        found: list[Value] = []
        for call in calls:
            matched = dict(self._matched(function, Arguments(module, call)))
            lazy = matched.get(index)
            if lazy is not None:
                value = lazy()
            elif fact.params[index].default >= 0 and not _spreads(module, call):
                value = self.value(module, fact.params[index].default)
            else:
                return None
            if value is CYCLE:
                continue
            if isinstance(value, (Unknown, External)):
                return None
            found.append(value)
        return union(found) if found else None

    def _calls_of(self, module: Module, scope: int) -> list[f.Call]:
        """Every call of a private function; none where it is used in another way, or called too often."""
        table = self._private.get(module)
        if table is None:
            table = self._private[module] = dict(_calls_by_name(module))
        return table.get(module.facts.scopes[scope].name, [])

    #: name of a private function -> its calls, for names that only one function of the module has
    _private: dict[Module, dict[str, list[f.Call]]]


def _calls_by_name(module: Module) -> Iterator[tuple[str, list[f.Call]]]:
    """(name, calls) of the private functions that the module only ever calls."""
    facts = module.facts
    names: dict[str, int] = {}
    for scope in facts.scopes:
        if scope.kind is f.ScopeKind.FUNCTION and _is_private(module, scope):
            names[scope.name] = names.get(scope.name, 0) + 1
    names = {name: 0 for name, count in names.items() if count == 1}
    if not names:
        return
    references: dict[int, str] = {}
    for index, node in enumerate(facts.nodes):
        if isinstance(node, (f.Attr, f.Name, f.Free)):
            if node.name in names:
                references[index] = node.name
        elif isinstance(node, f.Func) and facts.scopes[node.scope].name in names:
            references[index] = facts.scopes[node.scope].name
    calls: dict[str, list[f.Call]] = {name: [] for name in names}
    spoiled: set[str] = set()
    for node in facts.nodes:
        values_of = _VALUES.get(type(node))
        if values_of is None:
            continue
        if isinstance(node, f.Call) and node.func in references:
            calls[references[node.func]].append(node)
        for part in values_of(node):
            if part in references:
                spoiled.add(references[part])
    for scope in facts.scopes:
        kept = (*scope.returned, *scope.yielded, *(param.default for param in scope.params))
        stored = (node for nodes in scope.attributes.values() for node in nodes)
        spoiled.update(references[part] for part in (*kept, *stored) if part in references)
        for bound, nodes in scope.bindings.items():
            spoiled.update(references[part] for part in nodes if references.get(part, bound) != bound)
    for name, found in calls.items():
        if name not in spoiled and len(found) <= _MOST_CALLS:
            yield name, found


#: for each kind of node that holds or hands on the values of others, which these are
_VALUES: dict[type, Callable[[Any], tuple[int, ...]]] = {
    **dict.fromkeys((f.Declared, f.Narrow, f.Starred, f.Yielded, f.Attr), lambda node: (node.value,)),
    f.Call: lambda node: (*node.args, *(value for _, value in node.keywords)) if node.keywords else node.args,
    f.Phi: lambda node: node.options,
    f.Display: lambda node: node.elements,
    f.DictDisplay: lambda node: node.values,
    f.Comp: lambda node: (node.key, node.element),
}


def _spreads(module: Module, call: f.Call) -> bool:
    nodes = module.facts.nodes
    return any(isinstance(nodes[arg], f.Starred) for arg in call.args) or any(
        k == "**" for k, _ in call.keywords
    )


def _is_private(module: Module, fact: f.Scope) -> bool:
    """Whether nobody outside of the module is meant to call a function: a nested or an underscored one."""
    if fact.decorators or fact.name.startswith("__"):
        return False
    parent = module.facts.scopes[fact.parent]
    return fact.name.startswith("_") or parent.kind is f.ScopeKind.FUNCTION


def _may_have_fixtures(module: Module, fact: f.Scope) -> bool:
    """Whether pytest calls a function: a test, or a fixture."""
    name = module.name.rpartition(".")[2]
    if not (name.startswith("test_") or name.endswith("_test") or name == "conftest"):
        return False
    return fact.name.startswith("test") or _is_fixture(module, fact)


def _is_fixture(module: Module, fact: f.Scope) -> bool:
    nodes = module.facts.nodes
    for decorator in fact.decorators:
        node = nodes[decorator]
        node = nodes[node.func] if isinstance(node, f.Call) else node
        if isinstance(node, (f.Attr, f.Name, f.Import)) and node.name == "fixture":
            return True
    return False


def _fixture_in(module: Module, scope: f.Scope, name: str) -> FunctionValue | None:
    """The fixture that a module or class defines under a name."""
    bound = scope.bindings.get(name, ())
    node = module.facts.nodes[bound[-1]] if bound else None
    if isinstance(node, f.Func) and _is_fixture(module, module.facts.scopes[node.scope]):
        return FunctionValue(module, node.scope)
    return None
