"""Which async library a module uses, and fixes that name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.model import Edit, Span
from awaitlint.syntax.edits import insert_await
from awaitlint.syntax.imports import add_import

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.rule import Rule

_LIBRARIES = ("asyncio", "anyio", "trio")


def library(module: ModuleContext) -> tuple[str, str]:
    """The async library that a module uses, asyncio where it uses none, and the name it has there."""
    facts = module.facts
    used = dict.fromkeys(_LIBRARIES, "")
    for node in facts.nodes:
        if isinstance(node, f.Import) and not node.level:
            top = node.module.partition(".")[0]
            if top in used:
                used[top] = used[top] or top
    for name, nodes in facts.scopes[0].bindings.items():
        for index in nodes:
            node = facts.nodes[index]
            if isinstance(node, f.Import) and not node.name and not node.level and node.module in used:
                used[node.module] = name
    found = next((name for name in _LIBRARIES if used[name]), "asyncio")
    return found, used[found] or found


def is_shadowed(module: ModuleContext, name: str) -> bool:
    """Whether the name of a library means something else in a module."""
    bindings = module.facts.scopes[0].bindings.get(name, ())
    nodes = module.facts.nodes
    if any(not isinstance(nodes[index], f.Import) for index in bindings):
        return True
    return any(
        name in scope.bindings and scope.kind is not f.ScopeKind.CLASS for scope in module.facts.scopes[1:]
    )


def in_thread(module: ModuleContext) -> str:
    """The function by which the module's library runs another in a thread: ``asyncio.to_thread``."""
    found, bound = module.library
    return f"{bound}.to_thread" if found == "asyncio" else f"{bound}.to_thread.run_sync"


def offload(rule: Rule, node: libcst.Call, site: f.Site) -> Fix | None:
    """Have a thread make a call: ``await asyncio.to_thread(f, x)``; None where that cannot stand."""
    module, context = rule.module, rule.context
    found, bound = module.library
    if not module.scope_of(site).is_async or is_shadowed(module, bound):
        return None
    if found != "asyncio" and any(argument.keyword is not None for argument in node.args):
        # their functions take no keyword arguments for the function that they run
        return None
    func = context.span(node.func)
    line = module.lines[func.end_line - 1]
    if line[func.end_column : func.end_column + 1] != "(":
        return None
    text = _text(module, func)
    opening = Span(func.end_line, func.end_column, func.end_line, func.end_column + 1)
    edits = [
        Edit(func, f"{in_thread(module)}({text}"),
        Edit(opening, ", " if node.args else ""),
        *insert_await(context, module.lines, node, context.parents),
    ]
    added = add_import(module.text, f"import {found}") if bound == found else None
    if added is not None:
        edits.append(added)
    return rule.fix(f"Run it in a thread with `await {in_thread(module)}(...)`", edits)


def _text(module: ModuleContext, span: Span) -> str:
    rows = module.lines[span.line - 1 : span.end_line]
    rows[-1] = rows[-1][: span.end_column]
    rows[0] = rows[0][span.column :]
    return "\n".join(rows)
