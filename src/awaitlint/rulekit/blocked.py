"""What blocks the async functions of one module: shared by the rules that speak of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.facts import ScopeKind
from awaitlint.infer.callgraph import Kind
from awaitlint.infer.values import ClassValue, FunctionValue
from awaitlint.model import OTHER_PLACE, Related, Safety, Severity, Span
from awaitlint.rulekit.libraries import in_thread, offload
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.startup import StartUp

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.infer.callgraph import Step
    from awaitlint.rulekit.chains import Chains
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.leaves import Leaf
    from awaitlint.rulekit.reasons import Hop, Reason

#: what a call that blocks does, by kind
WAITS = {
    "sleep": "sleeps",
    "network": "waits for the network",
    "database": "waits for the database",
    "process": "waits for another process",
    "file": "waits for the file system",
    "wait": "waits for another thread",
    "cpu": "computes for long",
    "reentry": "cannot run where an event loop is running",
    "user": "blocks",
}
#: what asks the person at the terminal
_ASKS = frozenset(
    {"input", "getpass", "prompt", "confirm", "ask", "getchar", "pause", "edit", "readline", "read"}
)
_MILDER = {Severity.ERROR: Severity.WARNING, Severity.WARNING: Severity.INFO, Severity.INFO: Severity.INFO}


def waits(leaf: Leaf) -> str:
    """What a blocking call does, as the end of a sentence about it."""
    if leaf.kind == "wait":
        if leaf.name.startswith("select"):
            return "waits for input or output"
        if leaf.name.rpartition(".")[2] in _ASKS:
            return "waits for the user"
    return WAITS[leaf.kind]


class Blocked(NamedTuple):
    """A step of an async function that blocks: by itself, or by what it reaches (`reason`)."""

    scope: int
    step: Step
    leaf: Leaf
    reason: Reason | None


class BlockedModule:
    """What blocks in the async functions of a module."""

    def __init__(self, module: ModuleContext, chains: Chains) -> None:
        self.chains = chains
        self._module = module
        self._startup = StartUp(module)

    @cached_property
    def direct(self) -> dict[int, Blocked]:
        """Calls that block by themselves, by their nodes."""
        found: dict[int, Blocked] = {}
        for scope in self._scopes:
            for step, leaf in self.chains.direct(self._function(scope)):
                found.setdefault(step.node, Blocked(scope, step, leaf, None))
        return found

    def of_kinds(self, kinds: frozenset[str]) -> Iterator[Blocked]:
        """Calls that block by themselves, of some kinds."""
        yield from (found for found in self.direct.values() if found.leaf.kind in kinds)

    def at(self, site: f.Site, kinds: frozenset[str]) -> Blocked | None:
        """The call at a site, where it blocks by itself and is of one of the kinds."""
        found = self.direct.get(site.node)
        return found if found is not None and found.step.site is site and found.leaf.kind in kinds else None

    @cached_property
    def reached(self) -> list[Blocked]:
        """Steps that block by what they reach, for each root cause the one with the shortest way."""
        best: dict[object, Blocked] = {}
        for scope in self._scopes:
            for step, reason in self.chains.reached(self._function(scope)):
                known = best.get(reason.root)
                if known is None or known.reason is None or reason.distance < known.reason.distance:
                    best[reason.root] = Blocked(scope, step, reason.leaf, reason)
        return list(best.values())

    def others(self, blocked: Blocked) -> list[Blocked]:
        """Further async functions of the module that reach the same root cause."""
        assert blocked.reason is not None
        found = []
        for scope in self._scopes:
            if scope == blocked.scope:
                continue
            for step, reason in self.chains.reached(self._function(scope)):
                if reason.root == blocked.reason.root:
                    found.append(Blocked(scope, step, reason.leaf, reason))
        return found

    @cached_property
    def _scopes(self) -> list[int]:
        """The scopes whose code runs in an event loop: async functions, and classes defined in them."""
        found: list[int] = []
        for index, scope in enumerate(self._module.facts.scopes):
            if scope.is_async:
                if not self._has_own_thread(scope):
                    found.append(index)
            elif scope.kind is ScopeKind.CLASS and scope.parent in found:
                found.append(index)
        return found

    def _has_own_thread(self, scope: f.Scope) -> bool:
        """Whether a method is a thread's: the event loop in which it runs is that thread's own."""
        module = self._module
        if module.facts.scopes[scope.parent].kind is not ScopeKind.CLASS:
            return False
        cls = ClassValue(module.module, scope.parent)
        return module.infer.has_base(cls, "threading.Thread")

    def _function(self, scope: int) -> FunctionValue:
        return FunctionValue(self._module.module, scope)

    def severity(self, blocked: Blocked) -> Severity:
        """How bad it is: one step less at the start and the end of a program."""
        severity = blocked.leaf.severity
        return _MILDER[severity] if self._startup.has(blocked.scope) else severity

    def span(self, blocked: Blocked) -> Span:
        """The place of the step, in characters."""
        line, column, end_line, end_column = self.chains.place(self._function(blocked.scope), blocked.step)
        columns = self._module.columns
        return Span(
            line,
            columns.to_characters(line, column),
            end_line,
            columns.to_characters(end_line, end_column),
        )

    def spelling(self, blocked: Blocked) -> str:
        """What is called, as the code spells it: ``self.client.get``."""
        span = self.span(blocked)
        text = self._module.lines[span.line - 1][span.column :]
        if span.end_line == span.line:
            text = text[: span.end_column - span.column]
        if blocked.step.site is not None:
            text = text.partition("(")[0]
        return " ".join(text.split()) or blocked.leaf.name

    def chain(self, blocked: Blocked) -> list[Hop]:
        """The hops from the step down to the blocking call."""
        assert blocked.reason is not None
        return self.chains.chain(self._function(blocked.scope), blocked.step, blocked.reason)

    def place(self, hop: Hop) -> str:
        """Where a hop stands, as ``app/db.py:12``: relative to the project, whoever asks."""
        if hop.module.path is None:
            return hop.module.name
        path, root = hop.module.path, self._module.infer.project.root
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        return f"{shown.as_posix()}:{hop.line}"

    def other(self, blocked: Blocked) -> Related:
        """The place of a step that leads to the same root cause as another."""
        return Related(self._module.display, self.span(blocked), OTHER_PLACE)

    def related(self, hop: Hop) -> Related:
        """A hop as evidence."""
        path = hop.module.path
        shown = self._module.display_of(path) if path is not None else f"<{hop.module.name}>"
        columns = self.chains.texts.columns(hop.module)
        span = Span(
            hop.line,
            columns.to_characters(hop.line, hop.column),
            hop.end_line,
            columns.to_characters(hop.end_line, hop.end_column),
        )
        return Related(shown, span, f"`{hop.function}` {hop.kind.value} `{hop.callee}`")


class BlockedRule(Rule):
    """Base of the rules that report calls which block by themselves, by the kind of what they wait for."""

    fixes: ClassVar[tuple[Safety, ...]] = (Safety.UNSAFE,)
    #: the kinds that the rule speaks of
    kinds: ClassVar[frozenset[str]] = frozenset()

    def suspicious(self) -> Iterator[int]:
        blocked = self.module.blocked
        for found in blocked.of_kinds(self.kinds) if blocked is not None else ():
            if found.step.site is not None:
                yield found.step.site.line

    def _found(self, site: f.Site) -> Blocked | None:
        blocked = self.module.blocked
        found = blocked.at(site, self.kinds) if blocked is not None else None
        return None if found is None or self.module.is_safe(site) else found

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        found, blocked = self._found(site) if site is not None else None, self.module.blocked
        if site is None or found is None or blocked is None or self.context.in_generator(node):
            return
        subject = self.context.source(node.func)
        handed = found.step.kind is Kind.HAND
        what = found.leaf.name if handed else subject
        what_for = waits(found.leaf)
        self.report(
            node,
            f"`{what}` {what_for} and stops the event loop and every task in it; {self.advice(found.leaf)}",
            severity=blocked.severity(found),
            fix=offload(self, node, site) if self.fixes and not handed else None,
        )

    def advice(self, leaf: Leaf) -> str:
        """What to do instead, in the end of a sentence."""
        if leaf.advice:
            return leaf.advice
        thread = f"`await {in_thread(self.module)}(...)`"
        return f"use `{leaf.instead}`, or {thread}" if leaf.instead else f"run it in a thread: {thread}"
