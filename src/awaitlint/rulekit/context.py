"""What a rule can ask: about the module under check, and about the node that is being visited."""

from __future__ import annotations

import fnmatch
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from awaitlint.files.source import decode, split_lines
from awaitlint.index.facts import Attr, Call, Declared, Narrow, Phi, Use
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import (
    ClassValue,
    External,
    FunctionValue,
    UnionValue,
    Unknown,
    function_of,
)
from awaitlint.model import Diagnostic, Related, Span
from awaitlint.rulekit.called import Calls, calls
from awaitlint.rulekit.flow import Flow
from awaitlint.syntax.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import libcst

    from awaitlint.config.settings import Settings
    from awaitlint.index.facts import Scope, Site
    from awaitlint.index.modules import Module
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.values import AwaitableValue, Value
    from awaitlint.model import Confidence, Fix, Root, Severity
    from awaitlint.rulekit.blocked import BlockedModule
    from awaitlint.rulekit.cancel_scopes import CancelScopes
    from awaitlint.rulekit.chains import Chains
    from awaitlint.rulekit.rule import Rule


#: uses that fail on None, too: the value is not None there
_FAILS_ON_NONE = frozenset(
    {
        Use.ATTRIBUTE,
        Use.SUBSCRIPTED,
        Use.CALLED,
        Use.ITERATED,
        Use.ASYNC_ITERATED,
        Use.UNPACKED,
        Use.OPERAND,
        Use.WITH,
        Use.ASYNC_WITH,
    }
)


class ModuleContext:
    """One module under check: its text, its facts, inference over its project, and where findings go."""

    def __init__(
        self,
        *,
        module: Module,
        path: Path,
        display: str,
        data: bytes,
        settings: Settings,
        infer: Inference,
        display_of: Callable[[Path], str],
        chains: Callable[[], Chains] | None = None,
    ) -> None:
        self.module = module
        self.facts = module.facts
        self.path = path
        #: the path as the run names it
        self.display = display
        self._data = data
        self.settings = settings
        self.infer = infer
        #: how the run names another file
        self.display_of = display_of
        self._chains = chains
        #: (cause, finding): of findings with the same cause only the first in the text is shown
        self.findings: list[tuple[object, Diagnostic]] = []
        #: codes of rules that failed: what they would have found is not known
        self.failed: set[str] = set()
        #: of sites, by their identity, for several rules ask about one
        self._coroutines: dict[int, AwaitableValue | None] = {}

    @cached_property
    def text(self) -> str:
        """The decoded text."""
        return decode(self._data).text

    def mentions(self, word: str) -> bool:
        """Whether ASCII letters stand somewhere in the text; cheaper than to decode it."""
        return word.encode("ascii") in self._data

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines without their ends; line n is lines[n - 1]."""
        return split_lines(self.text)

    @cached_property
    def columns(self) -> Columns:
        """The text's columns in bytes, as facts count them, and in characters."""
        return Columns(self.lines)

    def scope_of(self, site: Site) -> Scope:
        return self.facts.scopes[site.scope]

    def call_site(self, node: int) -> Site | None:
        """The site of a call, by its node."""
        return self._call_sites.get(node)

    @cached_property
    def _call_sites(self) -> dict[int, Site]:
        # backwards, for the first of several is the call itself
        return {site.node: site for site in reversed(self.facts.sites)}

    @cached_property
    def calls(self) -> Calls:
        """The calls that the module makes: rules that look for some go through these only."""
        return calls(self.facts, self._call_sites)

    @cached_property
    def library(self) -> tuple[str, str]:
        """The async library that the module uses, and the name it has there."""
        from awaitlint.rulekit.libraries import library  # noqa: PLC0415  it builds on this module

        return library(self)

    @cached_property
    def by_use(self) -> dict[int, list[Site]]:
        """The sites of the module by how they use their values."""
        found: dict[int, list[Site]] = {}
        for site in self.facts.sites:
            found.setdefault(site.use, []).append(site)
        return found

    def value(self, site: Site) -> Value:
        """What the expression at a site evaluates to."""
        return self.infer.value(self.module, site.node)

    def coroutine(self, site: Site) -> AwaitableValue | None:
        """The coroutine that the expression at a site certainly is, unless its call is known to be safe.

        Where None would fail as well, the value may also be None on some path.
        """
        key = id(site)
        if key in self._coroutines:
            return self._coroutines[key]
        found = self._coroutines[key] = self._coroutine(site)
        return found

    def _may_make(self, call: int) -> bool:
        """Whether a call can give a coroutine; cheaper than to ask for its value."""
        node = self.facts.nodes[call]
        return isinstance(node, Call) and self.infer.may_make_coroutine(
            self.infer.value(self.module, node.func)
        )

    def _coroutine(self, site: Site) -> AwaitableValue | None:
        node = self.facts.nodes[site.node]
        if isinstance(node, Call):
            if not self._may_make(site.node):
                return None
        elif isinstance(node, (Phi, Narrow, Declared)):
            calls = self.flow.origins(site.node)
            if calls and not any(map(self._may_make, calls)):
                return None
        value = self.value(site)
        found = self.infer.coroutine(value, or_none=site.use in _FAILS_ON_NONE)
        if found is None and isinstance(value, UnionValue):
            found = self._on_some_path(site)
            return self._of_some_function(site, value) if found is None else found
        if found is None:
            return None
        if self.is_safe(site, found) or self.is_overridden(site, found):
            return None
        return found

    def _on_some_path(self, site: Site) -> AwaitableValue | None:
        """The coroutine that a name is bound to on some path, in async code that makes no use of it."""
        if not self.facts.scopes[site.scope].is_async:
            return None
        for call in self.flow.origins(site.node):
            made = self.infer.coroutine(self.infer.value(self.module, call))
            bound = self.call_site(call)
            if made is None or bound is None or bound is site or bound.scope != site.scope:
                continue
            if self.is_safe(bound, made) or self.is_overridden(bound, made) or self.flow.is_handled(call):
                continue
            return made
        return None

    def _of_some_function(self, site: Site, value: UnionValue) -> AwaitableValue | None:
        """The coroutine that a bare call makes on some path, where nothing says what it makes on the others.

        What is called, or has the method, is a local variable that was bound on several paths.  The function
        may serve two worlds if it awaits a call of that name, too.
        """
        if site.use is not Use.DISCARDED or not self.scope_of(site).is_async:
            return None
        if not self._is_bound_on_paths(site):
            return None
        made: AwaitableValue | None = None
        for member in value.members:
            coroutine = self.infer.coroutine(member)
            if coroutine is None and not isinstance(member, Unknown):
                return None
            if coroutine is not None and coroutine.function is not None and coroutine.function.fact.is_async:
                made = made or coroutine
        if made is None or self.is_safe(site, made) or self.is_overridden(site, made):
            return None
        called = self._called_by(site)
        if any(
            other.use is Use.AWAITED and other.scope == site.scope and self._called_by(other) == called
            for other in self.facts.sites
        ):
            return None
        return made

    def _is_bound_on_paths(self, site: Site) -> bool:
        nodes = self.facts.nodes
        call = nodes[site.node]
        node = nodes[call.func] if isinstance(call, Call) else call
        while isinstance(node, (Attr, Narrow)):
            node = nodes[node.value]
        return isinstance(node, Phi)

    def _called_by(self, site: Site) -> str | int:
        """What a call calls: its last name, or the node where that is a local variable."""
        call = self.facts.nodes[site.node]
        return (last_name(self.facts.nodes[call.func]) or call.func) if isinstance(call, Call) else -1

    @cached_property
    def blocked(self) -> BlockedModule | None:
        """What blocks the module's async functions; None where nobody works that out."""
        if self._chains is None or not any(scope.is_async for scope in self.facts.scopes):
            return None
        from awaitlint.rulekit.blocked import BlockedModule  # noqa: PLC0415  it builds on this module

        return BlockedModule(self, self._chains())

    @cached_property
    def flow(self) -> Flow:
        """Where the values of calls go."""
        return Flow(self.module, self.infer)

    @cached_property
    def cancel_scopes(self) -> CancelScopes:
        """The cancel scopes, timeouts and task groups that expressions stand for."""
        from awaitlint.rulekit.cancel_scopes import CancelScopes  # noqa: PLC0415  few modules have one

        return CancelScopes(self.module, self.infer)

    def called(self, site: Site) -> FunctionValue | None:
        """The function that the call at a site calls, where it is one and known."""
        call = self.facts.nodes[site.node]
        if not isinstance(call, Call):
            return None
        return function_of(self.infer.value(self.module, call.func))

    def is_safe(self, site: Site, value: AwaitableValue | None = None) -> bool:
        """Whether `known-safe-calls` covers the function that is called, or that made the coroutine."""
        patterns = self.settings.known_safe_calls
        if not patterns:
            return False
        functions = [self.called(site), value.function if value is not None else None]
        names = {function.qualname for function in functions if function is not None}
        call = self.facts.nodes[site.node]
        reached = self.infer.value(self.module, call.func) if isinstance(call, Call) else None
        if isinstance(reached, External):
            names.add(reached.path.replace("()", ""))
        elif isinstance(reached, ClassValue):
            names.add(reached.qualname)
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)

    def is_overridden(self, site: Site, value: AwaitableValue | None = None) -> bool:
        """Whether a subclass at hand makes the called method asynchronous that is not, or the reverse."""
        function = value.function if value is not None else self.called(site)
        return function is not None and self.infer.is_overridden(function, self.module)

    def definition(self, function: FunctionValue, message: str) -> Related:
        """The place where a function is defined, as evidence."""
        fact, module = function.fact, function.module
        if module.path is None:
            return Related(f"<stdlib {module.name}>", None, message)
        keyword = "async def " if fact.is_async else "def "
        column = fact.column
        span = Span(fact.line, column, fact.line, column + len(keyword) + len(fact.name))
        return Related(self.display_of(module.path), span, message)

    def span(self, site: Site) -> Span:
        """The place of a site, in characters."""
        return Span(
            site.line,
            self.columns.to_characters(site.line, site.column),
            site.end_line,
            self.columns.to_characters(site.end_line, site.end_column),
        )

    def place(self, site: Site, message: str) -> Related:
        """A place in the module under check, as evidence."""
        return Related(self.display, self.span(site), message)

    def add(
        self,
        rule: Rule,
        span: Span,
        message: str,
        *,
        related: tuple[Related, ...] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        cause: object = None,
        root: Root | None = None,
    ) -> None:
        """Record a finding; of several with the same cause, the first in the text is shown."""
        finding = Diagnostic(
            path=self.display,
            span=span,
            code=rule.code,
            name=rule.name,
            message=message,
            severity=severity or rule.severity,
            confidence=confidence or rule.confidence,
            related=related,
            fix=fix,
            root=root,
        )
        self.findings.append((cause if cause is not None else (rule.code, span), finding))


class NodeContext(Protocol):
    """The walk's position: valid during a ``visit_X`` or ``leave_X`` call."""

    #: the visited node's ancestors, outermost first
    parents: list[libcst.CSTNode]

    @property
    def scope(self) -> Scope:
        """The scope that encloses the visited node."""

    def span(self, node: libcst.CSTNode) -> Span:
        """The node's place in the file, without its own parentheses."""

    def outer_span(self, node: libcst.CSTNode) -> Span:
        """The node's place with its own parentheses."""

    def site(self, node: libcst.CSTNode) -> Site | None:
        """The site that facts have at this expression."""

    def is_probed(self, node: libcst.CSTNode, *, nearby: bool = False) -> bool:
        """Whether an enclosing test asks if the node (or what it calls) is awaitable or asynchronous.

        `nearby` leaves out the tests outside of the function that the node stands in.
        """

    def expects_error(self) -> bool:
        """Whether the visited node stands in ``with pytest.raises(...)`` or ``self.assertRaises(...)``."""

    def in_generator(self, node: libcst.CSTNode) -> bool:
        """Whether the node is evaluated by a generator expression, when somebody iterates it."""

    def source(self, node: libcst.CSTNode) -> str:
        """The user's spelling of a node, on one line, shortened where it is long."""
