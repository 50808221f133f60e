"""By which name code reaches something in a package: ``fastapi.FastAPI.get`` where it says ``app.get``.

That is how decorators and functions are known whose effect no inference would find out.  The name is the
one in the code's imports, whether the package is installed or not, and wherever in it the thing is defined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project

#: steps from an expression to the import that it begins with
_MOST_STEPS = 50


class Trail(NamedTuple):
    """Where an expression begins: with an import that leads out of the project, or with something else."""

    module: Module
    #: the first node of it, in `module`
    node: int
    #: the attributes that are taken of it, the last first
    names: list[str]
    #: the calls on the way, the last first
    calls: list[tuple[Module, f.Call]]


def follow(project: Project, module: Module, node: int) -> Trail:
    """Go back from an expression of a module to where it begins, through names and calls."""
    names: list[str] = []
    calls: list[tuple[Module, f.Call]] = []
    for _ in range(_MOST_STEPS):
        fact = module.facts.nodes[node]
        if isinstance(fact, f.Attr):
            names.append(fact.name)
            node = fact.value
        elif isinstance(fact, f.Call):
            calls.append((module, fact))
            node = fact.func
        elif isinstance(fact, f.Narrow):
            node = fact.value
        elif isinstance(fact, f.Declared):
            node = fact.value if fact.value >= 0 else fact.annotation
        elif isinstance(fact, f.Phi) and len(fact.options) == 1:
            node = fact.options[0]
        elif isinstance(fact, (f.Name, f.Free)):
            scope = fact.scope if isinstance(fact, f.Free) else 0
            bound = module.facts.scopes[scope].bindings.get(fact.name, ())
            if len(bound) != 1:
                break
            (node,) = bound
        elif isinstance(fact, f.Import):
            target = project.resolve(module, fact.module, fact.level)
            if target is None or target.origin is not Origin.PROJECT:
                break
            bound = target.facts.scopes[0].bindings.get(fact.name, ())
            if len(bound) != 1:
                break
            module, node = target, bound[0]
        else:
            break
    return Trail(module, node, names, calls)


def reached(project: Project, module: Module, node: int, *, stdlib: bool = False) -> str:
    """The dotted name that an expression of a module stands for; calls in it are left out.

    ``app.get("/")`` is ``fastapi.FastAPI.get``, where ``app = FastAPI()`` stands here or is imported from
    another module of the project.  Empty where the expression begins elsewhere, or in the standard library
    unless `stdlib` asks for that.
    """
    return name_of(project, follow(project, module, node), stdlib=stdlib)


def name_of(project: Project, trail: Trail, *, stdlib: bool = False) -> str:
    """The dotted name of what a trail leads to, as `reached` gives it."""
    fact = trail.module.facts.nodes[trail.node]
    if not isinstance(fact, f.Import) or fact.level:
        return ""
    target = project.resolve(trail.module, fact.module, 0)
    if target is not None and (target.origin is Origin.PROJECT or (target.is_stdlib and not stdlib)):
        return ""
    start = (fact.module, fact.name) if fact.name else (fact.module,)
    return ".".join((*start, *reversed(trail.names)))
