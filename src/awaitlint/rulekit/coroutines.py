"""What the rules about un-awaited coroutines share: evidence, wording, the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from awaitlint.index import facts as f
from awaitlint.model import Edit, Safety, Span
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst
from awaitlint.syntax.edits import insert_await

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import AwaitableValue
    from awaitlint.model import Fix, Related


#: uses of a name after which its coroutine is in somebody's care
_HANDLED = frozenset(
    {f.Use.AWAITED, f.Use.ARGUMENT, f.Use.RETURNED, f.Use.YIELDED, f.Use.ELEMENT, f.Use.STORED}
)


class CoroutineRule(Rule):
    """Base of the rules that report a coroutine at a site of certain uses."""

    fixes: ClassVar[tuple[Safety, ...]] = (Safety.UNSAFE,)

    def suspect(self, site: f.Site) -> bool:
        return self.awaitable(site) is not None

    def awaitable(self, site: f.Site) -> AwaitableValue | None:
        """What the rule speaks of at a site: the coroutine that it certainly is."""
        return self.module.coroutine(site)

    def called_by_name(self, node: int, names: frozenset[str]) -> bool:
        """Whether a call may be one of functions with these names: cheap, and never too narrow."""
        nodes = self.module.facts.nodes
        call = nodes[node]
        if not isinstance(call, f.Call):
            return False
        func = nodes[call.func]
        return func.name in names if isinstance(func, (f.Attr, f.Name)) else True

    def visit_Call(self, node: libcst.Call) -> None:
        self._look(node)

    def visit_Name(self, node: libcst.Name) -> None:
        self._look(node)

    def _look(self, node: libcst.Call | libcst.Name) -> None:
        found = self.found(node)
        if found is None or not self.suspect(found[0]) or self.context.expects_error():
            return
        site, value = found
        message = self.message(node, site)
        if message is not None:
            self.report(
                node,
                message,
                related=self.evidence(site, value),
                fix=self.await_fix(node, site),
                cause=self.cause(site),
            )

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        """What to say of a coroutine at a site of one of the rule's uses; None where it is fair after all."""
        raise NotImplementedError

    def found(self, node: libcst.CSTNode) -> tuple[f.Site, AwaitableValue] | None:
        """The site at a node and the coroutine it is, where this rule speaks of it."""
        site = self.context.site(node)
        if site is None or site.use not in self.uses:
            return None
        value = self.awaitable(site)
        if value is None or self.context.is_probed(node, nearby=self._is_found_async(site)):
            return None
        return site, value

    def _is_found_async(self, site: f.Site) -> bool:
        """Whether a site calls a function that was found to be ``async def``, as wrappers of such do."""
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        func = nodes[call.func] if isinstance(call, f.Call) else None
        return isinstance(func, f.Narrow) and func.test == "async function" and func.positive

    def is_handled(self, site: f.Site) -> bool:
        """Whether the same coroutine is awaited, given away or kept elsewhere: the code knows what it has."""
        node = self.bound_to(site.node)
        return any(
            other.use in _HANDLED and self.bound_to(other.node) == node
            for other in self.module.facts.sites
            if other.scope == site.scope
        )

    # ------------------------------------------------------------------ evidence
    def binding(self, site: f.Site) -> f.Site | None:
        """For a use of a local name, the first call whose coroutine the name is bound to."""
        return next(iter(self.bindings(site)), None)

    def bindings(self, site: f.Site) -> list[f.Site]:
        """For a use of a local name, the calls whose coroutines the name may be bound to."""
        if self.is_call(site):
            return []
        found = [self.module.call_site(node) for node in self.module.flow.origins(site.node)]
        return [each for each in found if each is not None and self.awaitable(each) is not None]

    def is_call(self, site: f.Site) -> bool:
        """Whether a site is a call itself, not the use of a name bound to one."""
        if not isinstance(self.module.facts.nodes[site.node], f.Call):
            return False
        bound = self.module.call_site(site.node)
        return bound is not None and (bound.line, bound.column) == (site.line, site.column)

    def bound_to(self, node: int) -> int:
        """The node that a local name stands for, through narrowings and declarations."""
        nodes = self.module.facts.nodes
        seen: set[int] = set()
        while (node not in seen and isinstance(fact := nodes[node], (f.Narrow, f.Declared))) or (
            isinstance(fact, f.Phi) and len(fact.options) == 1
        ):
            seen.add(node)
            node = fact.options[0] if isinstance(fact, f.Phi) else fact.value
        return node

    def cause(self, site: f.Site) -> object:
        """What several findings about one forgotten await have in common."""
        bound = self.binding(site)
        return ("coroutine", self.bound_to(site.node) if bound is None else bound.node)

    def evidence(self, site: f.Site, value: AwaitableValue) -> list[Related]:
        """Where the coroutine comes from: the definition, and for a name the call that it was bound to."""
        related: list[Related] = []
        bound = self.binding(site)
        if bound is not None:
            related.append(self.module.place(bound, f"the {noun(value)} is created here"))
        if value.function is not None:
            fact = value.function.fact
            word = "is `async def`" if fact.is_async else "returns an awaitable"
            related.append(self.module.definition(value.function, f"`{fact.name}` {word}"))
        return related

    def subject(self, node: libcst.CSTNode, site: f.Site) -> str:
        """The expression in the user's spelling; of a long call, the function with ``(...)``."""
        if self.is_call(site) and isinstance(node, cst.Call):
            return f"{self.context.source(node.func)}({'...' if node.args else ''})"
        return self.context.source(node)

    # ------------------------------------------------------------------ where and how to await
    def can_await(self, scope: f.Scope) -> bool:
        return scope.is_async and scope.kind is f.ScopeKind.FUNCTION

    def await_fix(self, node: libcst.BaseExpression, site: f.Site) -> Fix | None:
        """Add the missing `await`: at the call, also where it is bound to the name that is used here."""
        if not self.is_call(site):
            bound = self.bindings(site)
            if not bound or not all(self.can_await(self.module.scope_of(each)) for each in bound):
                return None
            wanted = [self.module.flow.wants(each.node) for each in bound]
            if any(each != [] for each in wanted):
                return self._fix_here(node) if self._is_last(site, wanted) else None
            spans = [self.module.span(each) for each in bound]
            awaits = [Edit(Span(at.line, at.column, at.line, at.column), "await ") for at in spans]
            return self.fix("Add `await` where the coroutine is created", awaits)
        return self._fix_here(node)

    def _fix_here(self, node: libcst.BaseExpression) -> Fix | None:
        """Await an expression where it stands."""
        if not self.can_await(self.context.scope) or self.context.in_generator(node):
            return None
        edits = insert_await(self.context, self.module.lines, node, self.context.parents)
        return self.fix("Add `await`", edits) if edits else None

    def _is_last(self, site: f.Site, wanted: list[list[f.Site] | None]) -> bool:
        """Whether a use ends the function: what wants the coroutine further down is not run after it."""
        return (
            site.use is f.Use.RETURNED
            and self.module.infer.coroutine(self.module.value(site)) is not None
            and all(
                other.scope == site.scope and (other.line, other.column) > (site.line, site.column)
                for others in wanted
                for other in others or (site,)
            )
        )

    def advice(self, site: f.Site) -> str:
        """What to do about it where the value is created."""
        bound = self.binding(site)
        scope = self.module.scope_of(bound or site)
        if self.can_await(scope):
            return "add `await`" if bound is None else f"`await` it on line {bound.line}"
        return "only `async def` code can await it"


def noun(value: AwaitableValue) -> str:
    """What to call a value: a coroutine or, as it works by itself, a future."""
    return "future" if value.kind == "Future" else "coroutine"
