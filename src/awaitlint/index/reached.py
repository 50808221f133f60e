"""By which name code reaches something in a package: ``fastapi.FastAPI.get`` where it says ``app.get``.

That is how decorators and functions are known whose effect no inference would find out.  The name is the
one in the code's imports, whether the package is installed or not, and wherever in it the thing is defined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.project import Origin

if TYPE_CHECKING:
    from awaitlint.index.project import Module, Project

#: steps from an expression to the import that it begins with
_MOST_STEPS = 50


def reached(project: Project, module: Module, node: int) -> str:
    """The dotted name that an expression of a module stands for; calls in it are left out.

    ``app.get("/")`` is ``fastapi.FastAPI.get``, where ``app = FastAPI()`` stands here or is imported from
    another module of the project.  Empty where the expression begins elsewhere, or in the standard library.
    """
    names: list[str] = []
    for _ in range(_MOST_STEPS):
        fact = module.facts.nodes[node]
        if isinstance(fact, f.Attr):
            names.append(fact.name)
            node = fact.value
        elif isinstance(fact, f.Call):
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
                return ""
            (node,) = bound
        elif isinstance(fact, f.Import):
            target = project.resolve(module, fact.module, fact.level)
            if target is None or target.origin is not Origin.PROJECT:
                outside = fact.level == 0 and (target is None or not target.is_stdlib)
                start = (fact.module, fact.name) if fact.name else (fact.module,)
                return ".".join((*start, *reversed(names))) if outside else ""
            bound = target.facts.scopes[0].bindings.get(fact.name, ())
            if len(bound) != 1:
                return ""
            module, node = target, bound[0]
        else:
            return ""
    return ""
