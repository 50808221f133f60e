"""Facts as Python text, for people: of modules whose text is not at hand, and of what has none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f

if TYPE_CHECKING:
    from awaitlint.index.facts import ModuleFacts

_OPERATORS = {
    "Add": "+",
    "Sub": "-",
    "Mult": "*",
    "MatMult": "@",
    "Div": "/",
    "FloorDiv": "//",
    "Mod": "%",
    "Pow": "**",
    "LShift": "<<",
    "RShift": ">>",
    "BitOr": "|",
    "BitXor": "^",
    "BitAnd": "&",
}
_BRACKETS = {"list": "[]", "set": "{}", "tuple": "()", "dict": "{}", "generator": "()"}
#: nesting below which an ellipsis stands
_DEEPEST = 6


def spell(facts: ModuleFacts, node: int, depth: int = 0) -> str:
    """A node as the code that it may have been lowered from; ``…`` for what facts do not keep."""
    if node < 0 or depth > _DEEPEST:
        return "…"

    def inner(other: int) -> str:
        return spell(facts, other, depth + 1)

    match facts.nodes[node]:
        case f.Const(value):
            return repr(value)
        case f.Plain(name):
            return "..." if name == "ellipsis" else "…"
        case f.Name(name) | f.Free(name=name) | f.TypeParam(name=name):
            return name
        case f.Import(module, level, name):
            return name or "." * level + module
        case f.Attr(value, name):
            return f"{inner(value)}.{name}"
        case f.Call(func, args, keywords):
            return f"{inner(func)}({'...' if args or keywords else ''})"
        case f.Await(value):
            return f"await {inner(value)}"
        case f.Index(value, index):
            found = facts.nodes[index]
            many = isinstance(found, f.Display) and found.kind == "tuple"
            return f"{inner(value)}[{inner(index)[1:-1] if many else inner(index)}]"
        case f.BinOp(op, left, right):
            sign = _OPERATORS.get(op)
            return f"{inner(left)} {sign} {inner(right)}" if sign else "…"
        case f.Display(kind, elements):
            brackets = _BRACKETS[kind]
            return f"{brackets[0]}{', '.join(map(inner, elements))}{brackets[1]}"
        case f.DictDisplay() | f.Comp(kind="dict" | "set"):
            return "{...}"
        case f.Comp(kind):
            return "[...]" if kind == "list" else "(...)"
        case f.Func(scope) | f.Class(scope):
            return facts.scopes[scope].name
        case f.Lambda():
            return "lambda: ..."
        case f.Param(scope, index):
            return facts.scopes[scope].params[index].name
        case f.Narrow(value) | f.Starred(value):
            return inner(value)
        case f.Declared(annotation, value):
            return inner(value if value >= 0 else annotation)
        case f.Super():
            return "super()"
        case _:
            return "…"
