"""The places where an `await` can be deleted, and how its value is used there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.sources import Function, Module


class Shape(StrEnum):
    """How the awaited value is used; the shapes are numbered as in the tables."""

    STATEMENT = "S1"
    ASSIGNED = "S2"
    RETURNED = "S3"
    INSIDE = "S4"
    #: the operand is no call, whatever is done with its value
    NO_CALL = "S5"


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """An `await` in the body of an `async def`."""

    module: Module
    node: ast.Await
    #: the functions around it, innermost first
    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """What is done with an expression's value."""

    shape: Shape
    #: a finer name, such as `compare`
    detail: str
    #: where an assigned value goes
    target: ast.Name | ast.Attribute | ast.Subscript | None = None


#: what the value is part of, by the node above it, unless `_inside` looks closer
_PARTS: dict[type[ast.AST], str] = {
    ast.Attribute: "attribute",
    ast.AugAssign: "operator",
    ast.BinOp: "operator",
    ast.BoolOp: "test",
    ast.Compare: "compare",
    ast.Dict: "collection",
    ast.For: "iteration",
    ast.List: "collection",
    ast.Set: "collection",
    ast.Starred: "star",
    ast.Subscript: "subscript",
    ast.Tuple: "collection",
    ast.UnaryOp: "operator",
    ast.Yield: "yield",
    ast.keyword: "argument",
    ast.withitem: "with",
}


def sites(module: Module) -> Iterator[Site]:
    """Every `await` inside of an `async def`, outer ones before those inside of them.

    Those in f-strings are left out: before Python 3.12 their places are wrong, and a benchmark's mutants
    should not depend on the Python that makes them.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Await) and not _in_string(node, module):
            scopes = list(module.scopes(node))
            functions = tuple(scope for scope in scopes if isinstance(scope, Function))
            innermost = next((scope for scope in scopes if not isinstance(scope, ast.Lambda)), None)
            if isinstance(innermost, ast.AsyncFunctionDef):
                yield Site(module, node, functions)


def _in_string(node: ast.AST, module: Module) -> bool:
    while not isinstance(node, ast.stmt):
        if isinstance(node, ast.JoinedStr):
            return True
        node = module.parent(node)
    return False


def use(node: ast.expr, module: Module) -> Use:
    """What is done with an expression's value; of a conditional expression's arm, with that of the whole."""
    above = module.parent(node)
    while isinstance(above, ast.IfExp) and node is not above.test:
        node, above = above, module.parent(above)
    if isinstance(above, ast.Expr):
        return Use(Shape.STATEMENT, "statement")
    if isinstance(above, ast.Return):
        return Use(Shape.RETURNED, "return")
    if isinstance(above, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        target = above.targets[0] if isinstance(above, ast.Assign) else above.target
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            return Use(
                Shape.ASSIGNED, type(above if isinstance(above, ast.NamedExpr) else target).__name__, target
            )
        return Use(Shape.INSIDE, "unpacked")
    return Use(Shape.INSIDE, _inside(node, above))


def _inside(node: ast.expr, above: ast.AST) -> str:
    """Names the larger expression that an expression is part of."""
    match above:
        case ast.Call():
            return "called" if node is above.func else "argument"
        case ast.comprehension():
            return "test" if node in above.ifs else "iteration"
        case ast.If() | ast.While() | ast.Assert() | ast.IfExp() | ast.UnaryOp(op=ast.Not()):
            return "test"
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return "comprehension"
        case _:
            return _PARTS.get(type(above), type(above).__name__.lower())


def header(statement: ast.stmt) -> tuple[int, int]:
    """The line and the column (of a byte) at which a statement ends, or a compound statement's header.

    The colon of a header is not counted in: the end is that of its last expression.
    """
    heads: list[ast.expr] = []
    match statement:
        case ast.With() | ast.AsyncWith():
            for item in statement.items:
                heads += [item.context_expr, *([item.optional_vars] if item.optional_vars else [])]
        case ast.Match():
            heads = [statement.subject]
        case ast.If() | ast.While() | ast.For() | ast.AsyncFor():
            heads = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr)]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Try() | ast.TryStar():
            return statement.lineno, statement.col_offset
        case _:
            return end(statement)
    return max(end(head) for head in heads)


def end(node: ast.stmt | ast.expr) -> tuple[int, int]:
    """The line and the column (of a byte) after a node's last character."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset


def statement_lines(node: ast.expr, module: Module) -> set[int]:
    """The lines of the statement around an expression; of a compound statement, those of its header."""
    statement = module.statement(node)
    lines = set(range(statement.lineno, header(statement)[0] + 1))
    return lines | set(range(node.lineno, end(node)[0] + 1))


def reading_lines(target: ast.expr, function: Function, module: Module) -> set[int]:
    """The lines of the statements in a function that read what was assigned to a target."""
    text, lines = ast.unparse(target), set[int]()
    for node in ast.walk(function):
        match node:
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()) | ast.Subscript(ctx=ast.Load()):
                if type(node) is type(target) and ast.unparse(node) == text:
                    lines |= statement_lines(node, module)
            case _:
                pass
    return lines
