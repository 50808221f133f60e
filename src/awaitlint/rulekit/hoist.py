"""Edits that evaluate a part of a statement first, into a new local variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.model import Edit, Span
from awaitlint.rulekit.running import innermost_function, names
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.rule import Rule


def text_of(module: ModuleContext, span: Span) -> str:
    """The code of a span as it is written."""
    rows = module.lines[span.line - 1 : span.end_line]
    rows[-1] = rows[-1][: span.end_column]
    rows[0] = rows[0][span.column :]
    return "\n".join(rows)


def indentation(module: ModuleContext, span: Span) -> str | None:
    """The white space before a place; None where code stands there."""
    before = module.lines[span.line - 1][: span.column]
    return before if not before.strip() else None


def free_name(rule: Rule, wanted: str) -> str | None:
    """A name that neither the visited node's function nor its module uses, made from a wanted one."""
    function = innermost_function(rule.context.parents)
    if function is None:
        return None
    used = names(function) | set(rule.module.facts.scopes[0].bindings)
    for candidate in (wanted, *(f"{wanted}_{number}" for number in range(2, 100))):
        if candidate not in used:
            return candidate
    return None


def hoist(rule: Rule, part: libcst.BaseExpression, wanted: str) -> Fix | None:
    """Assign a part of the visited statement to a local variable on a line before it.

    None where the statement shares its line with others.
    """
    parents = rule.context.parents
    if not parents or not isinstance(parents[-1], cst.SimpleStatementLine) or len(parents[-1].body) != 1:
        return None
    module = rule.module
    start = rule.context.span(parents[-1].body[0])
    indent, name = indentation(module, start), free_name(rule, wanted)
    if indent is None or name is None:
        return None
    place = rule.context.outer_span(part)
    line = f"{name} = {text_of(module, place)}\n{indent}"
    edits = (Edit(Span(start.line, start.column, start.line, start.column), line), Edit(place, name))
    return rule.fix("Await into a local variable first", edits)
