"""Parsing the suspects with libcst, and one walk for all rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awaitlint.index.facts import ScopeKind
from awaitlint.index.lower.narrowing import PROBES
from awaitlint.syntax.cst import cst
from awaitlint.syntax.parse import SyntaxProblem
from awaitlint.syntax.positions import Placed
from awaitlint.syntax.slices import parse_region
from awaitlint.syntax.walk import Walker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import libcst

    from awaitlint.index.facts import ModuleFacts, Scope, Site
    from awaitlint.model import Span
    from awaitlint.rulekit.context import ModuleContext
    from awaitlint.rulekit.rule import Rule

#: a longer spelling is shortened in messages
_LONGEST = 60
_SPACE = re.compile(r"\s+")
#: a call of a function with one argument, such as ``inspect.iscoroutinefunction(self.callback)``
_PROBE = re.compile(r"(\w+)\(([\w.\s]+)\)")

#: a context manager that wants its body to fail
_RAISES = re.compile(r"(?:\w+\.)*(?:raises|assertRaises|assertRaisesRegex)\(")


class Walk:
    """The position of a walk over one region, for the rules' visitors."""

    def __init__(self, context: ModuleContext, placed: Placed) -> None:
        self.parents: list[libcst.CSTNode] = []
        self._lines = context.lines
        self._facts = context.facts
        self._placed = placed
        self._sites = {(s.line, s.column, s.end_line, s.end_column): s for s in context.facts.sites}
        self._starts = {
            (scope.line, scope.column): index
            for index, scope in enumerate(context.facts.scopes)
            if scope.kind is not ScopeKind.MODULE
        }
        self._scopes: list[tuple[libcst.CSTNode, int]] = []
        self._probed: dict[libcst.CSTNode, list[str]] = {}

    # the walker's hooks
    def enter(self, node: libcst.CSTNode) -> None:
        if type(node).__name__ in ("FunctionDef", "ClassDef", "Lambda"):
            span = self._placed.span(node)
            found = self._starts.get((span.line, self._bytes(span.line, span.column)))
            if found is not None:
                self._scopes.append((node, found))

    def leave(self, node: libcst.CSTNode) -> None:
        if self._scopes and self._scopes[-1][0] is node:
            self._scopes.pop()

    # what rules ask
    @property
    def scope(self) -> Scope:
        # decorators, defaults and the like stand in the definition's node but outside its scope
        for node, index in reversed(self._scopes):
            if self._inside(node):
                return self._facts.scopes[index]
        return self._facts.scopes[0]

    def _inside(self, definition: libcst.CSTNode) -> bool:
        body = getattr(definition, "body", None)
        for parent, child in zip(self.parents, [*self.parents[1:], None], strict=True):
            if parent is definition:
                return child is None or child is body
        return False

    def span(self, node: libcst.CSTNode) -> Span:
        return self._placed.span(node)

    def outer_span(self, node: libcst.CSTNode) -> Span:
        return self._placed.outer_span(node)

    def site(self, node: libcst.CSTNode) -> Site | None:
        # to `ast`, the parentheses of these are part of them
        whole = isinstance(node, (cst.Tuple, cst.GeneratorExp))
        span = self._placed.outer_span(node) if whole else self._placed.span(node)
        key = (
            span.line,
            self._bytes(span.line, span.column),
            span.end_line,
            self._bytes(span.end_line, span.end_column),
        )
        return self._sites.get(key)

    def _bytes(self, line: int, column: int) -> int:
        """A column in UTF-8 bytes, as facts count them."""
        text = self._lines[line - 1]
        return column if text.isascii() else len(text[:column].encode("utf-8", "surrogatepass"))

    def is_probed(self, node: libcst.CSTNode) -> bool:
        own = ""
        outer: libcst.CSTNode | None = None
        for parent in self.parents:
            above, outer = outer, parent
            if isinstance(parent, (cst.If, cst.IfExp, cst.While)):
                test: libcst.CSTNode = parent.test
            elif isinstance(parent, cst.BooleanOperation) and not isinstance(above, cst.BooleanOperation):
                test = parent
            else:
                continue
            for subject in self._subjects(test):
                own = own or self._text(node)
                rest = own.removeprefix(subject)
                if rest != own and not rest[:1].isalnum() and rest[:1] != "_":
                    return True
        return False

    def _subjects(self, test: libcst.CSTNode) -> list[str]:
        """What a test asks about: ``f`` in ``iscoroutinefunction(f)``."""
        known = self._probed.get(test)
        if known is None:
            found = _PROBE.findall(self._text(test))
            known = self._probed[test] = [subject.strip() for probe, subject in found if probe in PROBES]
        return known

    def expects_error(self) -> bool:
        return any(
            isinstance(parent, cst.With)
            and any(_RAISES.match(self._text(item.item)) for item in parent.items)
            for parent in self.parents
        )

    def in_generator(self, node: libcst.CSTNode) -> bool:
        path = [*self.parents, node]
        generator = cst.GeneratorExp
        for position, parent in enumerate(self.parents):
            if type(parent) is generator:
                inside = path[position + 1 : position + 3]
                # the first iterable is evaluated where the expression stands
                if not (len(inside) > 1 and inside[0] is parent.for_in and inside[1] is parent.for_in.iter):
                    return True
        return False

    def source(self, node: libcst.CSTNode) -> str:
        text = self._text(node) or "…"
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

    def _text(self, node: libcst.CSTNode) -> str:
        """The node as it is written, on one line."""
        span = self._placed.span(node)
        rows = self._lines[span.line - 1 : span.end_line]
        if not rows:
            return ""
        rows[-1] = rows[-1][: span.end_column]
        rows[0] = rows[0][span.column :]
        return _SPACE.sub(" ", " ".join(rows)).strip()


def regions(facts: ModuleFacts, lines: Iterable[int], last_line: int) -> list[tuple[int, int]]:
    """The stretches of lines to parse so that every given line is in one: whole outermost functions.

    A line outside functions makes it the whole file.
    """
    tops = sorted(
        (scope.first_line, scope.end_line)
        for scope in facts.scopes
        if scope.kind is ScopeKind.FUNCTION and not _in_function(facts, scope)
    )
    found: set[tuple[int, int]] = set()
    for line in lines:
        region = next(((first, last) for first, last in tops if first <= line <= last), None)
        if region is None:
            return [(1, last_line)]
        found.add(region)
    return sorted(found)


def _in_function(facts: ModuleFacts, scope: Scope) -> bool:
    parent = scope.parent
    while parent > 0:
        if facts.scopes[parent].kind is not ScopeKind.CLASS:
            return True
        parent = facts.scopes[parent].parent
    return False


def visit(
    context: ModuleContext,
    rules: Sequence[Rule],
    handlers: Sequence[object],
    stretches: Iterable[tuple[int, int]],
) -> None:
    """Walk stretches of a module; `handlers` are what the walker calls in place of each rule.

    A stretch that cannot be walked costs none of the others.

    Raises:
        SyntaxProblem: libcst cannot parse what Python's own parser can, or the text is nested too deeply.
    """
    problem: SyntaxProblem | None = None
    for first, last in stretches:
        try:
            _visit_stretch(context, rules, handlers, first, last)
        except SyntaxProblem as error:
            problem = problem or error
        except RecursionError:
            problem = problem or SyntaxProblem(first, 0, "nested too deeply")
    if problem is not None:
        raise problem


def _visit_stretch(
    context: ModuleContext, rules: Sequence[Rule], handlers: Sequence[object], first: int, last: int
) -> None:
    region = parse_region(context.lines, first, last)
    # here and not in a rule, which would be blamed for a tree too deep to go through
    walk = Walk(context, region.positions)
    for rule in rules:
        rule.context = walk
    walker = Walker(handlers, walk.enter, walk.leave, parents=walk.parents)
    if first <= 1 and last >= len(context.lines):
        walker.walk(region.module)
        return
    walk.parents.extend(region.parents)
    for root in region.roots:
        walker.walk(root)
