"""Parsing the suspects with libcst, and one walk for all rules."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from awaitlint.index.facts import ScopeKind
from awaitlint.index.lower.narrowing import PROBES
from awaitlint.syntax.cst import cst
from awaitlint.syntax.parse import SyntaxProblem
from awaitlint.syntax.positions import Placed
from awaitlint.syntax.slices import parse_region
from awaitlint.syntax.walk import Walker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
#: the nodes whose names a walk keeps of the visited node's ancestors
_DEFINITIONS = frozenset({"FunctionDef", "ClassDef", "Lambda"})
_FRAMES = _DEFINITIONS | {"If", "IfExp", "While", "BooleanOperation", "GeneratorExp"}


class _Index:
    """A module's facts by where they stand, for the walks over its regions."""

    def __init__(self, context: ModuleContext) -> None:
        self.lines = context.lines
        self.columns = context.columns
        self.scopes = context.facts.scopes
        self.sites = {(s.line, s.column, s.end_line, s.end_column): s for s in context.facts.sites}
        self.starts = {
            (scope.line, scope.column): number
            for number, scope in enumerate(self.scopes)
            if scope.kind is not ScopeKind.MODULE
        }
        #: line -> the scope around the outermost function that begins there
        self.around: dict[int, int] = {}
        for scope in self.scopes:
            if scope.kind is ScopeKind.FUNCTION:
                self.around.setdefault(scope.first_line, scope.parent)


#: a context manager that wants its body to fail
_RAISES = re.compile(r"(?:\w+\.)*(?:raises|assertRaises|assertRaisesRegex)\(")


class Walk:
    """The position of a walk over one region, for the rules' visitors."""

    def __init__(self, index: _Index) -> None:
        self.parents: list[libcst.CSTNode] = []
        self._index = index
        self._placed: Placed
        #: the scope around the region
        self._outermost = 0
        #: of the visited node's ancestors: definitions with their scopes, what has a test with its test,
        #: generator expressions with their number of ancestors
        self._scopes: list[tuple[libcst.CSTNode, int]] = []
        self._tests: list[tuple[libcst.CSTNode, libcst.CSTNode]] = []
        self._generators: list[tuple[libcst.GeneratorExp, int]] = []
        self._probed: dict[libcst.CSTNode, list[str]] = {}
        self._last: tuple[libcst.CSTNode | None, Site | None] = (None, None)

    def begin(
        self, placed: Placed, parents: Sequence[libcst.CSTNode] = (), first_line: int | None = None
    ) -> None:
        """Go on to a region: the places of its nodes, the ancestors of its roots, the line of a function."""
        self._placed = placed
        self._outermost = self._index.around.get(first_line, 0) if first_line is not None else 0
        self._last = (None, None)
        self.parents.clear()
        for frames in (self._scopes, self._tests, self._generators, self._probed):
            frames.clear()
        for parent in parents:
            if type(parent).__name__ not in _DEFINITIONS:
                self.enter(parent)
            self.parents.append(parent)

    # the walker's hooks
    def enter(self, node: libcst.CSTNode) -> None:
        kind = type(node).__name__
        if kind not in _FRAMES:
            return
        if kind in _DEFINITIONS:
            span = self._placed.span(node)
            found = self._index.starts.get((span.line, self._index.columns.to_bytes(span.line, span.column)))
            if found is not None:
                self._scopes.append((node, found))
        elif kind == "GeneratorExp":
            self._generators.append((node, len(self.parents)))  # type: ignore[arg-type]
        elif kind != "BooleanOperation":
            self._tests.append((node, node.test))  # type: ignore[attr-defined]
        elif not self.parents or type(self.parents[-1]).__name__ != kind:
            self._tests.append((node, node))

    def leave(self, node: libcst.CSTNode) -> None:
        if type(node).__name__ in _FRAMES:
            for frames in (self._scopes, self._tests, self._generators):
                if frames and frames[-1][0] is node:
                    frames.pop()

    # what rules ask
    @property
    def scope(self) -> Scope:
        # decorators, defaults and the like stand in the definition's node but outside its scope
        for node, index in reversed(self._scopes):
            if self._inside(node):
                return self._index.scopes[index]
        return self._index.scopes[self._outermost]

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
        if self._last[0] is not node:
            self._last = (node, self._site(node))
        return self._last[1]

    def _site(self, node: libcst.CSTNode) -> Site | None:
        # to `ast`, the parentheses of these are part of them
        whole = type(node).__name__ in ("Tuple", "GeneratorExp")
        span = self._placed.outer_span(node) if whole else self._placed.span(node)
        to_bytes = self._index.columns.to_bytes
        key = (
            span.line,
            to_bytes(span.line, span.column),
            span.end_line,
            to_bytes(span.end_line, span.end_column),
        )
        return self._index.sites.get(key)

    def is_probed(self, node: libcst.CSTNode, *, nearby: bool = False) -> bool:
        own = ""
        function = self._innermost() if nearby else 0
        for frame, test in self._tests:
            if any(frame is each for each in self.parents[:function]):
                continue
            for subject in self._subjects(test):
                own = own or self._text(node)
                rest = own.removeprefix(subject)
                if rest != own and not rest[:1].isalnum() and rest[:1] != "_":
                    return True
        return False

    def _innermost(self) -> int:
        """The number of ancestors outside of the innermost function."""
        return max(
            (i for i, parent in enumerate(self.parents) if isinstance(parent, cst.FunctionDef)), default=0
        )

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
        for generator, depth in self._generators:
            inside = [*self.parents[depth + 1 : depth + 3], node][:2]
            # the first iterable is evaluated where the expression stands
            for_in = generator.for_in
            if not (len(inside) > 1 and inside[0] is for_in and inside[1] is for_in.iter):
                return True
        return False

    def source(self, node: libcst.CSTNode) -> str:
        text = self._text(node) or "…"
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

    def _text(self, node: libcst.CSTNode) -> str:
        """The node as it is written, on one line."""
        span = self._placed.span(node)
        rows = self._index.lines[span.line - 1 : span.end_line]
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
        before = bisect_right(tops, (line, last_line))
        if not before or line > tops[before - 1][1]:
            return [(1, last_line)]
        found.add(tops[before - 1])
    return sorted(found)


def _in_function(facts: ModuleFacts, scope: Scope) -> bool:
    parent = scope.parent
    while parent > 0:
        if facts.scopes[parent].kind is not ScopeKind.CLASS:
            return True
        parent = facts.scopes[parent].parent
    return False


def visit(context: ModuleContext, stretches: Mapping[tuple[int, int], Mapping[Rule, object]]) -> None:
    """Walk stretches of a module, each for its own rules; with each rule, what the walker calls in its place.

    A stretch that cannot be walked costs none of the others.

    Raises:
        SyntaxProblem: libcst cannot parse what Python's own parser can, or the text is nested too deeply.
    """
    problem: SyntaxProblem | None = None
    walk = Walk(_Index(context))
    walkers: dict[tuple[Rule, ...], Walker] = {}
    for (first, last), rules in stretches.items():
        for rule in rules:
            rule.context = walk
        walker = walkers.get(tuple(rules))
        if walker is None:
            walker = Walker(rules.values(), walk.enter, walk.leave, parents=walk.parents)
            walkers[tuple(rules)] = walker
        try:
            region = parse_region(context.lines, first, last)
            # here and not in a rule, which would be blamed for a tree too deep to go through
            whole = first <= 1 and last >= len(context.lines)
            walk.begin(region.positions, region.parents, None if whole else first)
            for root in (region.module,) if whole else region.roots:
                walker.walk(root)
        except SyntaxProblem as error:
            problem = problem or error
        except RecursionError:
            problem = problem or SyntaxProblem(first, 0, "nested too deeply")
    if problem is not None:
        raise problem
