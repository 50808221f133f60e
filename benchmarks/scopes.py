"""What the names of a scope are bound to, as far as one statement says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.sources import Function, Module, Scope


@dataclass(frozen=True, slots=True)
class Imported:
    """A module, or a name in one."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """A value with what is said about it: its annotation, the expression, the `with` item it comes from."""

    annotation: ast.expr | None = None
    value: ast.expr | None = None
    entered: ast.expr | None = None


Binding = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | Imported | Assigned


@dataclass(frozen=True, slots=True)
class Names:
    """A scope's own names; of several bindings of a name the first counts, an import before anything else."""

    bound: dict[str, Binding] = field(default_factory=dict)
    #: modules whose names are all imported
    stars: list[str] = field(default_factory=list)
    #: names that belong to a scope further out
    elsewhere: set[str] = field(default_factory=set)


def names(scope: ast.Module | Scope, module: Module) -> Names:
    """The names that a scope binds; a function's parameters are not among them."""
    found = Names()
    for node in _own(scope):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.bound.setdefault(node.name, node)
            case ast.Import():
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found.bound[alias.asname or top] = Imported(alias.name if alias.asname else top)
            case ast.ImportFrom():
                origin = _origin(node, module)
                found.stars.extend(origin for alias in node.names if alias.name == "*")
                for alias in node.names:
                    found.bound[alias.asname or alias.name] = Imported(f"{origin}.{alias.name}")
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.bound.setdefault(name, Assigned(node.annotation, node.value))
            case ast.Assign():
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found.bound.setdefault(target.id, Assigned(value=node.value))
            case ast.NamedExpr():
                found.bound.setdefault(node.target.id, Assigned(value=node.value))
            case ast.withitem(optional_vars=ast.Name(id=name)):
                found.bound.setdefault(name, Assigned(entered=node.context_expr))
            case ast.Global() | ast.Nonlocal():
                found.elsewhere.update(node.names)
            case ast.Name(ctx=ast.Store()):
                found.bound.setdefault(node.id, Assigned())
            case ast.ExceptHandler(name=str(name)):
                found.bound.setdefault(name, Assigned())
            case _:
                pass
    for name in found.elsewhere:
        found.bound.pop(name, None)
    return found


def _own(scope: ast.Module | Scope) -> Iterator[ast.AST]:
    """The nodes of a scope in the order of the text, without what is inside of its functions and classes."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, Scope):
            waiting[:0] = ast.iter_child_nodes(node)


def _origin(node: ast.ImportFrom, module: Module) -> str:
    """The absolute name of the module that a statement imports from."""
    if not node.level:
        return node.module or ""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def parameters(function: Function | ast.Lambda) -> list[ast.arg]:
    """A function's parameters, without `*args` and `**kwargs`."""
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def decorated(node: Function, name: str) -> bool:
    """Does a decorator's last name end so?  `cached_property` is a `property`."""
    return any(ast.unparse(decorator).partition("(")[0].endswith(name) for decorator in node.decorator_list)


def has_parameter(scope: Function | ast.Lambda, name: str) -> bool:
    starred = [parameter for parameter in (scope.args.vararg, scope.args.kwarg) if parameter]
    return any(parameter.arg == name for parameter in [*parameters(scope), *starred])


def quoted(text: str, annotation: ast.expr, module: Module) -> ast.expr | None:
    """The expression in a quoted annotation, put in the annotation's place."""
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None
    for node in ast.walk(parsed):
        module.parents[node] = annotation
    return parsed


def self_assignments(owner: ast.ClassDef, name: str) -> Iterator[tuple[Function, Assigned]]:
    """What the methods of a class assign to `self.<name>`."""

    def is_target(target: ast.expr) -> bool:
        return (
            isinstance(target, ast.Attribute) and target.attr == name and ast.unparse(target.value) == "self"
        )

    for function in owner.body:
        if isinstance(function, Function):
            for node in ast.walk(function):
                if isinstance(node, ast.AnnAssign) and is_target(node.target):
                    yield function, Assigned(node.annotation, node.value)
                elif isinstance(node, ast.Assign) and any(is_target(target) for target in node.targets):
                    yield function, Assigned(value=node.value)
