"""What dotted names mean to inference, for tests of the data files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from awaitlint.files.source import SourceStore
from awaitlint.index import facts as f
from awaitlint.index.modules import Module
from awaitlint.index.packages import PackageLibrary
from awaitlint.index.project import Project
from awaitlint.index.stdlib import standard_library
from awaitlint.infer.engine import Inference
from awaitlint.infer.values import (
    ClassValue,
    FunctionValue,
    Instance,
    ModuleValue,
    OverloadedValue,
    Unknown,
    Value,
    members,
    without_none,
)

VERSIONS = ((3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15))


class Found(NamedTuple):
    """What a name stands for: its overloads, or the constructors of a class."""

    functions: tuple[f.Scope, ...]
    #: the first parameter is the receiver
    is_method: bool

    def parameters(self) -> list[tuple[str, int]]:
        """(name, position less the receiver, or -1 for keyword-only ones) of every overload's parameters."""
        return [
            (param.name, -1 if param.kind == "kwonly" else number - self.takes_receiver(scope))
            for scope in self.functions
            for number, param in enumerate(scope.params)
        ]

    def takes_receiver(self, scope: f.Scope) -> bool:
        return self.is_method and bool(scope.params) and scope.params[0].name in ("self", "cls", "_cls")


class Names:
    """The names of one Python version's standard library and of the packages that come with awaitlint."""

    def __init__(self, version: tuple[int, int]) -> None:
        packages = packaged()
        self.stdlib = standard_library(version)
        self._project = Project(
            Path("/nowhere"), [], SourceStore(), self.stdlib, lambda _: None, packages=packages
        )
        self.infer = Inference(self._project)

    def module(self, name: str) -> Module | None:
        if self.stdlib.has(name.partition(".")[0]):
            return self._project.stdlib_module(name)
        return self._project.installed(name)

    def value(self, name: str) -> Value | None:
        """What a path of modules and attributes evaluates to; a class in it stands for an instance."""
        parts = name.split(".")
        ends = (end for end in range(len(parts), 0, -1) if self.module(".".join(parts[:end])))
        end = next(ends, 0)
        module = self.module(".".join(parts[:end])) if end else None
        if module is None:
            return None
        value: Value = ModuleValue(module)
        for part in parts[end:]:
            value = without_none(value)
            owner = Instance(value) if isinstance(value, ClassValue) else value
            value = self.infer.attribute(owner, part)
        return value

    def class_of(self, name: str) -> ClassValue | None:
        """The class of that qualified name, or of the object that a path leads to."""
        for value in members(self.value(name) or Unknown("there is none")):
            if isinstance(value, Instance):
                return value.cls
            if isinstance(value, ClassValue) and value.qualname == name:
                return value
        return None

    def definition(self, name: str) -> Found | None:
        """A function or class by its module's name, or a method by that of a class that has it."""
        owner, _, member = name.rpartition(".")
        module = self.module(owner)
        if module is not None:
            return self._in_module(module, member)
        cls = self.class_of(owner)
        for entry in self.infer.mro(cls) if cls is not None else ():
            if entry is not None and member in entry.fact.bindings:
                scopes = self._scopes(entry.module, entry.fact.bindings[member])
                return Found(scopes or self._evaluated(Instance(entry), member), is_method=True)
        return None

    def _in_module(self, module: Module, member: str) -> Found | None:
        bound = module.facts.scopes[0].bindings.get(member, ())
        functions = self._scopes(module, bound)
        if functions:
            return Found(functions, is_method=False)
        for node in bound:
            fact = module.facts.nodes[node]
            if isinstance(fact, f.Class):
                return Found(self._constructors(ClassValue(module, fact.scope)), is_method=True)
        evaluated = self._evaluated(ModuleValue(module), member)
        return Found(evaluated, is_method=False) if evaluated else None

    @staticmethod
    def _scopes(module: Module, nodes: tuple[int, ...]) -> tuple[f.Scope, ...]:
        facts = [module.facts.nodes[node] for node in nodes]
        return tuple(module.facts.scopes[fact.scope] for fact in facts if isinstance(fact, f.Func))

    def _constructors(self, cls: ClassValue) -> tuple[f.Scope, ...]:
        for name in ("__init__", "__new__"):
            for entry in self.infer.mro(cls):
                if entry is not None and name in entry.fact.bindings:
                    return self._scopes(entry.module, entry.fact.bindings[name])
        return ()

    def _evaluated(self, owner: Value, member: str) -> tuple[f.Scope, ...]:
        found: list[f.Scope] = []
        for value in members(self.infer.attribute(owner, member)):
            functions = value.functions if isinstance(value, OverloadedValue) else (value,)
            found += [function.fact for function in functions if isinstance(function, FunctionValue)]
        return tuple(found)

    def exists(self, name: str) -> bool:
        """Whether a path leads somewhere."""
        value = self.value(name)
        if value is None or not isinstance(value, Unknown):
            return value is not None
        return self.definition(name) is not None


@cache
def packaged() -> PackageLibrary:
    return PackageLibrary()


@cache
def names(version: tuple[int, int] = VERSIONS[-1]) -> Names:
    return Names(version)
