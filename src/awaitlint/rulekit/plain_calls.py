"""Which async functions of a module a framework calls as plain functions, see `plain_callers`."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.reached import follow, name_of, reached
from awaitlint.infer.values import (
    CallableValue,
    ClassMethodValue,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    OverloadedValue,
    PropertyValue,
    StaticMethodValue,
)
from awaitlint.rulekit import plain_callers as known
from awaitlint.rulekit.lineage import descends, lineage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.reached import Trail
    from awaitlint.index.requirements import Admission
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.plain_callers import PlainCaller

_ACCESSORS = {"setter": "assignment", "deleter": "deletion"}
_COMMANDS = frozenset({"command", "group"})


class Given(NamedTuple):
    """An async function that a call gives to something which calls it as a plain function."""

    caller: PlainCaller
    #: the number of the positional argument, or the name of the keyword argument
    key: int | str


class PlainCalls:
    """Answers for one module."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self._infer = module.infer
        self._facts = module.facts

    # ------------------------------------------------------------------ definitions
    def of_function(self, scope: int) -> PlainCaller | None:
        """Who calls an async function as a plain one, because of its decorators, its class or its name."""
        fact = self._facts.scopes[scope]
        for number, decorator in enumerate(fact.decorators):
            caller = self._decorating(decorator)
            if caller is not None:
                return caller if self.stays_async(scope, number + 1) else None
        parent = self._facts.scopes[fact.parent]
        if parent.kind is f.ScopeKind.CLASS:
            return self._of_method(scope)
        is_hook = fact.parent == 0 and not fact.decorators and fact.name.startswith("pytest_")
        return known.PYTEST if is_hook and self._module.path.name == "conftest.py" else None

    def _decorating(self, decorator: int) -> PlainCaller | None:
        node = self._facts.nodes[decorator]
        if isinstance(node, f.Attr) and node.name in _ACCESSORS:
            owner = self._infer.value(self._module.module, node.value)
            if isinstance(owner, PropertyValue):
                return replace(known.PROPERTY, consequence=f"the {_ACCESSORS[node.name]} does nothing")
            return None
        trail = follow(self._infer.project, self._module.module, decorator)
        path = name_of(self._infer.project, trail)
        if not path and trail.names and trail.names[0] in _COMMANDS:
            path = self._through_group(trail)
        if not path:
            return None
        caller = next(
            (caller for caller, names in known.DECORATORS if known.pattern(names).fullmatch(path)), None
        )
        if caller is None and known.pattern(known.FLASK_DECORATORS).fullmatch(path) and self._is_old_flask:
            caller = known.FLASK
        if caller is known.CELERY and self._celery_awaits:
            return None
        return None if caller is not None and _is_changed(trail, path) else caller

    def _through_group(self, trail: Trail) -> str:
        """The name of ``cli.command``, where ``cli`` is a function that `click.group` decorates."""
        for _ in range(10):
            fact = trail.module.facts.nodes[trail.node]
            if not isinstance(fact, f.Func) or len(trail.names) != 1 or trail.names[0] not in _COMMANDS:
                return ""
            decorators = trail.module.facts.scopes[fact.scope].decorators
            if not decorators:
                return ""
            name = trail.names[0]
            trail = follow(self._infer.project, trail.module, decorators[0])
            path = name_of(self._infer.project, trail)
            if _is_changed(trail, path or name):
                return ""
            if path:
                return path.rpartition(".")[0] + f".{name}" if path.endswith(".group") else ""
        return ""

    def _admitted(self, distribution: str) -> Admission:
        """Which versions of a distribution the project takes."""
        from awaitlint.index.requirements import admitted, project_root  # noqa: PLC0415 -- few files need it

        folder = self._module.path.parent
        return admitted(distribution, folder, project_root(folder), self._module.settings.python)

    @cached_property
    def _is_old_flask(self) -> bool:
        """Whether the project takes a version of Flask before 2.0, and no other."""
        found = self._admitted("flask")
        return found.known and not found.admits("2", None)

    @cached_property
    def _celery_awaits(self) -> bool:
        """Whether the project requires something that makes Celery await."""
        found = map(self._admitted, known.ASYNC_CELERY)
        return any(each.known or each.mentions for each in found)

    def stays_async(self, scope: int, first: int) -> bool:
        """Whether a function is still an ``async def`` under its decorators from a number on."""
        fact = self._facts.scopes[scope]
        module = self._module.module
        value: Value = FunctionValue(module, scope)
        for decorator in reversed(fact.decorators[first:]):
            path = reached(self._infer.project, module, decorator)
            if not (path and known.pattern(known.OPTIONS).fullmatch(path)):
                value = self._infer.decorated(module, decorator, value, ())
        return makes_coroutines(self._infer, value)

    # ------------------------------------------------------------------ methods
    def _of_method(self, scope: int) -> PlainCaller | None:
        fact = self._facts.scopes[scope]
        if not known.pattern(known.METHOD_NAMES).fullmatch(fact.name):
            return None
        cls = ClassValue(self._module.module, fact.parent)
        if not cls.fact.bases or len(cls.fact.bindings.get(fact.name, ())) != 1:
            return None
        entries = [entry for entry in known.METHODS if known.pattern(entry.names).fullmatch(fact.name)]
        ancestors = lineage(self._infer, cls)
        for entry in entries:
            owner = descends(ancestors, known.pattern(entry.owners), entry.through)
            if owner and self.stays_async(scope, 0) and not self._is_awaited(fact.name, cls):
                return self._hook(fact.name, owner) if entry.owners == known.TEST_CASES else entry.caller
        return None

    @staticmethod
    def _hook(name: str, owner: str) -> PlainCaller:
        instead = known.ASYNC_HOOKS.get(name)
        if instead is None:
            return known.UNITTEST
        if owner.endswith(".IsolatedAsyncioTestCase"):
            return replace(known.UNITTEST, advice=f"name it `{instead}`")
        return replace(known.UNITTEST, advice=f"use `{instead}` of `unittest.IsolatedAsyncioTestCase`")

    def _is_awaited(self, name: str, cls: ClassValue) -> bool:
        """Whether the module awaits, or gives away, what the method of a class returns, `super` aside."""
        nodes, module = self._facts.nodes, self._module.module
        for site in self._facts.sites:
            call = nodes[site.node]
            func = nodes[call.func] if isinstance(call, f.Call) else None
            if not isinstance(func, f.Attr) or func.name != name or isinstance(nodes[func.value], f.Super):
                continue
            if site.use in (f.Use.DISCARDED, f.Use.NEVER_READ):
                continue
            if reached(self._infer.project, module, func.value, stdlib=True):
                continue
            owner = self._infer.value(module, func.value)
            if isinstance(owner, Instance):
                owner = owner.cls
            if not isinstance(owner, ClassValue):
                return True
            if self._infer.is_subclass(cls, owner) or self._infer.is_subclass(owner, cls):
                return True
        return False

    # ------------------------------------------------------------------ arguments
    def may_take(self, call: f.Call) -> bool:
        """Whether a call may be one that takes a function: cheap, and never too narrow."""
        func = self._facts.nodes[call.func]
        kind = type(func)
        if not (call.args or call.keywords):
            return False
        if kind is f.Attr or kind is f.Import:
            return func.name in known.ARGUMENT_NAMES  # type: ignore[union-attr]
        return kind is f.Name and func.name in self._imported  # type: ignore[union-attr]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names by which the module may call what takes a function."""
        return known.ARGUMENT_NAMES | self._imported

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The names that the module imports such functions by."""
        nodes = self._facts.nodes
        return frozenset(
            name
            for name, bound in self._facts.scopes[0].bindings.items()
            for node in (nodes[index] for index in bound)
            if isinstance(node, f.Import) and node.name in known.ARGUMENT_NAMES
        )

    def argument(self, call: f.Call) -> Given | None:
        """The async function among the arguments of a call that is called as a plain one."""
        if not self.may_take(call):
            return None
        for path in self._paths(call.func):
            for caller, names, position, keyword in known.ARGUMENTS:
                if known.pattern(names).fullmatch(path):
                    if caller is known.CELERY and self._celery_awaits:
                        return None
                    return self._given(call, caller, position, keyword)
        return None

    def _given(self, call: f.Call, caller: PlainCaller, position: int, keyword: str) -> Given | None:
        nodes = self._facts.nodes
        key: int | str
        starred = any(isinstance(nodes[argument], f.Starred) for argument in call.args[: position + 1])
        if len(call.args) > position and not starred:
            node, key = call.args[position], position
        else:
            node, key = next(((value, name) for name, value in call.keywords if name == keyword), (-1, ""))
        if node < 0 or any(name in known.CHANGED_BY for name, _ in call.keywords):
            return None
        value = self._infer.value(self._module.module, node)
        return Given(caller, key) if makes_coroutines(self._infer, value) else None

    def _paths(self, func: int) -> Iterator[str]:
        """The names by which what is called may be known."""
        module = self._module.module
        path = reached(self._infer.project, module, func)
        if path:
            yield path
        if not isinstance(self._facts.nodes[func], f.Attr):
            return
        value = self._infer.value(module, func)
        if isinstance(value, OverloadedValue):
            value = value.functions[0]
        if isinstance(value, External):
            yield value.path.replace("()", "")
        if isinstance(value, (FunctionValue, ClassValue)):
            yield from self._qualnames(value)

    def _qualnames(self, value: FunctionValue | ClassValue) -> Iterator[str]:
        receiver = value.receiver if isinstance(value, FunctionValue) else None
        if not isinstance(receiver, Instance):
            yield value.qualname
            return
        if value.qualname.startswith("unittest.") and self._infer.has_base(
            receiver.cls, "unittest.async_case.IsolatedAsyncioTestCase"
        ):
            return
        ancestors = lineage(self._infer, receiver.cls)
        if value.qualname.startswith("unittest."):
            if descends(ancestors, known.pattern(known.TEST_CASES), known.RUNNERS):
                yield value.qualname
            return
        for ancestor in ancestors:
            if ancestor.cls is None:
                return
            yield f"{ancestor.name}.{value.fact.name}"


def _is_changed(trail: Trail, path: str) -> bool:
    """Whether a call on the way names a class of its own for what it makes."""
    is_command = path.rpartition(".")[2] in _COMMANDS
    return any(
        any(keyword in known.CHANGED_BY for keyword, _ in call.keywords)
        # the class is the second parameter of click's decorators
        or (is_command and len(call.args) > 1)
        for _, call in trail.calls
    )


def makes_coroutines(infer: Inference, value: Value) -> bool:
    """Whether a value is a function, bound or not, whose call certainly makes a coroutine."""
    if isinstance(value, (ClassMethodValue, StaticMethodValue)):
        value = value.function
    elif isinstance(value, PropertyValue):
        value = value.getter
    if isinstance(value, CallableValue):
        value = value.origin or value
    if not isinstance(value, FunctionValue) or value.fact.is_generator:
        return False
    if value.fact.kind is f.ScopeKind.LAMBDA:
        return infer.coroutine(infer.value(value.module, value.fact.returned[0])) is not None
    return value.fact.is_async
