"""Names that a module of the project passes on: from which import, in which module, they come."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.files.source import SourceError, decode, split_lines
from awaitlint.index import facts as f
from awaitlint.index.modules import Module, Origin
from awaitlint.rulekit.langfuse import Standing
from awaitlint.syntax.parse import SyntaxProblem
from awaitlint.syntax.reaching import Flow
from awaitlint.syntax.slices import parse_region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import libcst

    from awaitlint.model import Span
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.syntax.reaching import Binding


class Outside(NamedTuple):
    """A thing from outside of the project: the module that imports it, its name there, its dotted name."""

    module: Module
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The import of langfuse's `observe` in another module: the import to judge, and what may take over."""

    module: Module
    path: Path
    binding: Binding
    fallbacks: tuple[libcst.CSTNode, ...]
    imported: Sequence[str]
    span: Callable[[libcst.CSTNode], Span]


class ReExports:
    """Follows names through the modules of a project by their imports and assignments alone."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module.module
        self._project = module.infer.project

    def leads_to(self, node: int, package: str) -> bool:
        """Whether an expression of the module may be something of a package from outside."""
        found = self._follow(self._module, node, "", set())
        return any(isinstance(each, Outside) and each.path.partition(".")[0] == package for each in found)

    def elsewhere(self, origin: str) -> Elsewhere | None:
        """Where `observe` is imported, if a dotted name of the module leads to that in another module."""
        for found in self._named_by(origin):
            if isinstance(found, Outside) and found.path.startswith("langfuse."):
                return self._import_of(found)
        return None

    def _import_of(self, outside: Outside) -> Elsewhere | None:
        path = outside.module.path
        outside.module.text_matters = True
        if path is None:
            return None
        try:
            flow, span = _flow(self._project.store.read(path))
        except (SourceError, SyntaxProblem, RecursionError):
            return None
        standing = Standing.of(flow.names.get(outside.name, ()))
        suspects = sorted(standing.suspects, key=lambda binding: span(binding.node))
        if not suspects:
            return None
        return Elsewhere(outside.module, path, suspects[0], standing.fallbacks, flow.imported, span)

    # ------------------------------------------------------------------ following
    def _named_by(self, origin: str) -> Iterator[Module | Outside]:
        """What the dotted name of an import statement, with its leading dots, stands for."""
        parts = origin.lstrip(".").split(".")
        level = len(origin) - len(origin.lstrip("."))
        for size in range(len(parts) - 1, -1 if level else 0, -1):
            target = self._project.resolve(self._module, ".".join(parts[:size]), level)
            if target is None or target.origin is not Origin.PROJECT:
                continue
            owners: list[Module] = [target]
            for name in parts[size:]:
                found = [each for owner in owners for each in self._named(owner, name, set())]
                yield from (each for each in found if isinstance(each, Outside))
                owners = [each for each in found if isinstance(each, Module)]
            return

    def _named(
        self, module: Module, name: str, seen: set[tuple[Module, int | str]]
    ) -> Iterator[Module | Outside]:
        if (module, name) in seen:
            return
        seen.add((module, name))
        nodes = module.facts.scopes[0].bindings.get(name, ())
        for node in nodes:
            yield from self._follow(module, node, name, seen)
        for source, level in module.facts.stars if not nodes else ():
            target = self._project.resolve(module, source, level)
            if target is not None and target.origin is Origin.PROJECT:
                yield from self._named(target, name, seen)
        if not nodes and (inner := self._project.submodule(module, name)) is not None:
            self._module.reads.add(inner)
            yield inner

    def _follow(
        self, module: Module, node: int, name: str, seen: set[tuple[Module, int | str]]
    ) -> Iterator[Module | Outside]:
        """What a node may be; `name` is the name that it is bound to."""
        if node < 0 or (module, node) in seen:
            return
        seen.add((module, node))
        fact = module.facts.nodes[node]
        if isinstance(fact, f.Import):
            target = self._project.resolve(module, fact.module, fact.level)
            if target is not None and target.origin is Origin.PROJECT:
                yield from self._named(target, fact.name, seen) if fact.name else (target,)
            elif not fact.level:
                yield Outside(module, name, f"{fact.module}.{fact.name}" if fact.name else fact.module)
        elif isinstance(fact, f.Attr):
            for owner in self._follow(module, fact.value, name, seen):
                if isinstance(owner, Module):
                    yield from self._named(owner, fact.name, seen)
                else:
                    yield owner._replace(path=f"{owner.path}.{fact.name}")
        elif isinstance(fact, f.Name):
            yield from self._named(module, fact.name, seen)
        else:
            for inner in self._parts(module, fact):
                yield from self._follow(module, inner, name, seen)

    @staticmethod
    def _parts(module: Module, fact: f.Node) -> tuple[int, ...]:
        """The nodes that a node takes its value from; of a call, the function: a decorator's factory."""
        if isinstance(fact, f.Phi):
            return fact.options
        if isinstance(fact, (f.Narrow, f.Declared)):
            return (fact.value,)
        if isinstance(fact, f.Call):
            return (fact.func,)
        if isinstance(fact, f.Free):
            return module.facts.scopes[fact.scope].bindings.get(fact.name, ())
        return ()


@functools.lru_cache(maxsize=8)
def _flow(data: bytes) -> tuple[Flow, Callable[[libcst.CSTNode], Span]]:
    """How names flow in a module, and where its nodes are: many modules import from few."""
    lines = split_lines(decode(data).text)
    region = parse_region(lines, 1, len(lines))
    return Flow(region.module), region.span
