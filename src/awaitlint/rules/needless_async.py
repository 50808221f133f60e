"""
## What it does

Reports an `async def` that uses nothing of what makes a function asynchronous: no `await`, `async for`,
`async with` or async comprehension, and no `yield`.

Only functions are reported that the project awaits and does nothing else with. The rule is silent where a
function might have to be asynchronous for somebody's sake: it has a decorator, is a special method or a
test, overrides something or may do so (a base is not known), is abstract or only raises, has a namesake that
is `async def` (a method: any namesake), is mentioned somewhere in the project other than in an `await` (also
in parts, as in `getattr(self, f"step_{name}")`), calls nothing and changes nothing, stands beside abstract
methods or has a docstring that speaks of subclasses, as hooks do, or calls something that needs a running
event loop, such as `create_task`.

All source files of the project are searched for mentions, by their text, also if only one file is checked.

## Why is this bad?

Each call makes a coroutine, and its caller has to be asynchronous as well, for nothing. A reader believes
that other tasks run at each `await`, which they do not.

## Example

<!-- select: needless-async -->

```py
async def parse(text: str) -> list[str]:  # error: [needless-async]
    return text.split()

async def main(text: str, queue) -> None:
    for word in await parse(text):
        await queue.put(word)
```

## Use instead

```py
def parse(text: str) -> list[str]:
    return text.split()

async def main(text: str, queue) -> None:
    for word in parse(text):
        await queue.put(word)
```

## Fix safety

The fix drops `async`, and the `await` of every call. There is one only where all calls stand in the same file
and each follows its `await` on the same line. It is unsafe: other code may await the function, too.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import last_name
from awaitlint.model import Edit, Safety, Severity, Span
from awaitlint.rulekit.definitions import Definitions, function
from awaitlint.rulekit.mentions import Mentions, mentions, project_mentions
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

_ASYNCHRONOUS = frozenset({Use.AWAITED, Use.ASYNC_ITERATED, Use.ASYNC_WITH})
#: functions that want a running event loop, by their last names
_NEED_LOOP = frozenset(
    {"create_task", "current_task", "ensure_future", "get_event_loop", "get_running_loop", "run_in_executor"}
    | {"create_future", "call_soon", "call_later", "call_at", "start_soon", "current_async_library"}
    | {"current_time", "Future", "TaskGroup", "open_nursery", "create_task_group", "checkpoint"}
)


class NeedlessAsync(Rule):
    code = "AWL506"
    name = "needless-async"
    summary = "an `async def` that awaits nothing, and is awaited for nothing"
    default = False
    severity = Severity.INFO
    fixes = (Safety.UNSAFE,)

    def suspicious(self) -> Iterator[int]:
        for index, scope in enumerate(self.module.facts.scopes):
            if scope.is_async and self._is_needless(index):
                yield scope.line

    @cached_property
    def _definitions(self) -> Definitions:
        return Definitions(self.module)

    @cached_property
    def _asynchronous(self) -> frozenset[int]:
        """The scopes of the module that certainly use what asynchronous functions may."""
        return frozenset(site.scope for site in self.module.facts.sites if site.use in _ASYNCHRONOUS)

    @cached_property
    def _calling(self) -> frozenset[int]:
        """The scopes of the module that call something, or use a value in another way that facts tell."""
        return frozenset(site.scope for site in self.module.facts.sites)

    @cached_property
    def _busy(self) -> frozenset[int]:
        """The scopes of the module that call something which needs a running event loop."""
        nodes = self.module.facts.nodes
        found = set()
        for site in self.module.facts.sites:
            call = nodes[site.node]
            if isinstance(call, f.Call) and last_name(nodes[call.func]) in _NEED_LOOP:
                found.add(site.scope)
        return frozenset(found)

    @cached_property
    def _mentions(self) -> Mentions:
        return project_mentions(self.module.infer.project)

    def _is_needless(self, index: int) -> bool:
        """Whether a function need not be asynchronous, as far as facts and the project's text tell."""
        scope = self.module.facts.scopes[index]
        if scope.kind is not f.ScopeKind.FUNCTION or scope.is_generator or scope.decorators or scope.is_stub:
            return False
        if index in self._asynchronous or index in self._busy:
            return False
        if not (scope.falls_through or scope.returned) or self._may_be_hook(index):
            return False
        name = scope.name
        # `contextlib.aclosing` awaits that
        if name == "aclose" or name.startswith(("__", "test")) or not self._is_of_its_own(index):
            return False
        found = self._mentions
        if found.is_value(name) or name in found.called or not found.awaited[name]:
            return False
        owner = self._definitions.owner(index)
        return found.defined_async[name] == 1 and (owner is None or found.defined[name] == 1)

    def _may_be_hook(self, index: int) -> bool:
        """Whether subclasses may want to do more: it gives a constant, or others beside it are abstract.

        What the facts do not tell of a method that calls nothing, `_is_idle` does.
        """
        facts = self.module.facts
        scope = facts.scopes[index]
        if facts.scopes[scope.parent].kind is not f.ScopeKind.CLASS:
            return False
        if not scope.name.startswith("_") and any(
            other.parent == scope.parent and other.kind is f.ScopeKind.FUNCTION and other.is_stub
            for other in facts.scopes
        ):
            return True
        if index in self._calling:
            return False
        return not scope.falls_through and all(
            isinstance(facts.nodes[node], f.Const) for node in scope.returned
        )

    def _is_idle(self, index: int, body: libcst.BaseSuite) -> bool:
        """Whether a method that everybody may replace calls nothing and changes nothing, as hooks do."""
        facts = self.module.facts
        scope = facts.scopes[index]
        if scope.name.startswith("_") or facts.scopes[scope.parent].kind is not f.ScopeKind.CLASS:
            return False
        return index not in self._calling and not any(map(_changes, own_nodes([body])))

    def _is_of_its_own(self, index: int) -> bool:
        """Whether no base has, or may have, a method of that name."""
        cls = self._definitions.owner(index)
        if cls is None:
            return True
        infer = self.module.infer
        name = self.module.facts.scopes[index].name
        return not infer.is_protocol(cls) and all(
            entry is not None and name not in entry.fact.bindings for entry in infer.mro(cls)[1:]
        )

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        if node.asynchronous is None or node.decorators:
            return
        index = self._definitions.scope(self.context, node)
        if index < 0 or not self._is_needless(index) or _uses_async(node.body):
            return
        if self._is_documented(node) or self._is_idle(index, node.body):
            return
        name = node.name.value
        times = self._mentions.awaited[name]
        calls = "the call that awaits it does" if times == 1 else f"the {times} calls that await it do"
        edits = self._edits(index, node)
        self.report(
            node.name,
            f"`{name}` is `async def` and awaits nothing, so that {calls} so for nothing: no other task runs "
            "meanwhile; make it a plain `def`, and drop `await` from its calls",
            fix=self.fix(f"Make `{name}` a plain function, and drop `await` from its calls", edits)
            if edits
            else None,
        )

    def _is_documented(self, node: libcst.FunctionDef) -> bool:
        """Whether the docstring speaks of subclasses, for which the function may be asynchronous."""
        text = (node.get_docstring(clean=False) or "").lower()
        return "overrid" in text or "subclass" in text

    def _edits(self, index: int, node: libcst.FunctionDef) -> list[Edit]:
        """Drop ``async`` and each ``await``; nothing where that cannot all be done in this file."""
        name, nodes = node.name.value, self.module.facts.nodes
        place = self.context.span(node)
        edits = [Edit(Span(place.line, place.column, place.line, place.column + len("async ")), "")]
        if not self.module.lines[place.line - 1].startswith("async def ", place.column):
            return []
        for site in self.module.facts.sites:
            call = nodes[site.node]
            if not isinstance(call, f.Call) or self.module.call_site(site.node) is not site:
                continue
            found = function(self.module.infer.value(self.module.module, call.func))
            if found is None or (found.module, found.scope) != (self.module.module, index):
                continue
            span = self.module.span(site)
            before = self.module.lines[span.line - 1][: span.column]
            if site.use is not Use.AWAITED or not before.endswith("await "):
                return []
            edits.append(Edit(Span(span.line, span.column - len("await "), span.line, span.column), ""))
        here = mentions(self.module.text).awaited[name]
        return edits if len(edits) - 1 == here == self._mentions.awaited[name] else []


def _changes(node: libcst.CSTNode) -> bool:
    """Whether a node sets or deletes an attribute or an item."""
    if isinstance(node, cst.Del):
        return not isinstance(node.target, cst.Name)
    targets: list[libcst.BaseExpression] = []
    if isinstance(node, cst.Assign):
        targets = [each.target for each in node.targets]
    elif isinstance(node, (cst.AugAssign, cst.AnnAssign)):
        targets = [node.target]
    return any(isinstance(target, (cst.Attribute, cst.Subscript)) for target in targets)


def _uses_async(body: libcst.CSTNode) -> bool:
    """Whether a function's own code uses anything that only asynchronous functions may."""
    todo: list[libcst.CSTNode] = [body]
    while todo:
        node = todo.pop()
        if isinstance(node, cst.Await):
            return True
        if isinstance(node, (cst.For, cst.With, cst.CompFor)) and node.asynchronous is not None:
            return True
        if isinstance(node, cst.FunctionDef):
            todo += (node.params, *node.decorators)
        elif not isinstance(node, cst.Lambda):
            todo += node.children
    return False
