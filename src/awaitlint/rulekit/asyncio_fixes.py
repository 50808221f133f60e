"""Fixes for what has come out of use in asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.model import Edit, Safety, Span
from awaitlint.rulekit.asyncio_age import LOOP_REMOVED
from awaitlint.rulekit.libraries import is_shadowed
from awaitlint.syntax.cst import cst
from awaitlint.syntax.imports import add_from_import, add_import
from awaitlint.syntax.reaching import dotted

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.asyncio_age import Spellings
    from awaitlint.rulekit.rule import Rule

_TASKS = frozenset({"Task.all_tasks", "Task.current_task"})


class AgeFixes:
    """The fixes of a rule, at the node that is visited."""

    def __init__(self, rule: Rule, spellings: Spellings) -> None:
        self._rule = rule
        self._module = rule.module
        self._context = rule.context
        self._spellings = spellings

    def is_taken(self, name: str) -> bool:
        """Whether a name means something else than the builtin somewhere in the module."""
        facts = self._module.facts
        if facts.stars:
            return True
        for scope in facts.scopes:
            for index in scope.bindings.get(name, ()):
                node = facts.nodes[index]
                if not (isinstance(node, f.Import) and node.module.partition(".")[0] == "asyncio"):
                    return True
        return False

    def of_attribute(self, node: libcst.CSTNode, name: str) -> Fix | None:
        """Name what replaces ``asyncio.name``."""
        if not isinstance(node, cst.Attribute):
            return None
        if name == "TimeoutError":
            return self._builtin(node, name)
        if name in _TASKS and isinstance(node.value, cst.Attribute):
            base = node.value.value
            if self._spellings.aliases.get(dotted(base)) != "asyncio":
                return None
            gone = self._module.settings.target_version >= (3, 9)
            new = f"{dotted(base)}.{node.attr.value}"
            edit = Edit(self._context.span(node), new)
            return self._rule.fix(
                f"Replace with `{new}`", [edit], safety=Safety.SAFE if gone else Safety.UNSAFE
            )
        if name == "iscoroutinefunction" and not is_shadowed(self._module, "inspect"):
            edits = [Edit(self._context.span(node.value), "inspect")]
            added = add_import(self._module.text, "import inspect")
            edits += [added] if added is not None else []
            return self._rule.fix("Ask `inspect`", edits, safety=Safety.UNSAFE)
        return None

    def _builtin(self, node: libcst.Attribute, name: str) -> Fix | None:
        parents = self._context.parents
        if len(parents) > 1 and isinstance(parents[-2], cst.Tuple):
            names = [dotted(element.value) for element in parents[-2].elements]
            if any(each != dotted(node) and self._spellings.name(each) == name for each in names):
                return None
            if name in names or names.count(dotted(node)) > 1:
                return None
        return self._rule.fix(
            f"Replace with `{name}`", [Edit(self._context.span(node), name)], safety=Safety.SAFE
        )

    def of_import(self, statement: libcst.ImportFrom, name: str) -> Fix | None:
        """Import the name from elsewhere, where it is imported alone."""
        names = statement.names
        if name != "iscoroutinefunction" or isinstance(names, cst.ImportStar) or len(names) != 1:
            return None
        assert statement.module is not None
        edit = Edit(self._context.span(statement.module), "inspect")
        return self._rule.fix("Import it from `inspect`", [edit], safety=Safety.UNSAFE)

    def of_get_event_loop(self, node: libcst.Call) -> Fix | None:
        """Ask for the running loop."""
        message = "Ask for the running loop"
        if isinstance(node.func, cst.Attribute):
            if self._spellings.aliases.get(dotted(node.func.value)) not in ("asyncio", "asyncio.events"):
                return None
            edit = Edit(self._context.span(node.func.attr), "get_running_loop")
            return self._rule.fix(message, [edit], safety=Safety.SAFE)
        if not isinstance(node.func, cst.Name) or is_shadowed(self._module, "get_running_loop"):
            return None
        edits = [Edit(self._context.span(node.func), "get_running_loop")]
        added = add_from_import(self._module.text, "asyncio", "get_running_loop")
        edits += [added] if added is not None else []
        return self._rule.fix(message, edits, safety=Safety.SAFE)

    def of_loop(self, node: libcst.Call, given: libcst.Arg) -> Fix | None:
        """Leave out the argument `loop`."""
        index = next(number for number, each in enumerate(node.args) if each is given)
        here = self._context.span(given)
        if index:
            before = self._context.span(node.args[index - 1])
            removed = Span(before.end_line, before.end_column, here.end_line, here.end_column)
        elif len(node.args) > 1:
            after = self._context.span(node.args[1])
            removed = Span(here.line, here.column, after.line, after.column)
        else:
            whole = self._context.span(node)
            if isinstance(given.comma, cst.Comma) or whole.end_line != here.end_line:
                return None
            removed = here
        gone = self._module.settings.target_version >= LOOP_REMOVED
        return self._rule.fix(
            "Leave out `loop`", [Edit(removed, "")], safety=Safety.SAFE if gone else Safety.UNSAFE
        )
