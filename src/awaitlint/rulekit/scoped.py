"""Base of the rules about ``with`` statements that enter a cancel scope, a timeout or a task group."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from awaitlint.index.facts import Use
from awaitlint.index.marks import MarkKind
from awaitlint.rulekit.cancel_scopes import Kind
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.suites import indentation, is_inside
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.index.facts import Scope, Site
    from awaitlint.rulekit.cancel_scopes import CancelScope

_OF_MARKS = {MarkKind.WITH: False, MarkKind.ASYNC_WITH: True}
_OF_SITES = {Use.WITH: False, Use.ASYNC_WITH: True}
#: what stands before and behind the only item of a header that ends on its line
_HEADER_START = re.compile(r"[ \t]*(?:async\b\s*)?with\b\s*$")
_HEADER_END = re.compile(r"(?:\s+as\s+[\w.]+)?\s*:\s*$")


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a ``with`` statement: `node` is the context manager, `scope` and `line` are where it stands.

    `site` is that of a call, `awaits` says whether the body waits where facts know.
    """

    node: int
    scope: int
    line: int
    is_async: bool
    site: Site | None = None
    awaits: bool | None = None


class ScopedRule(Rule):
    """Looks at the ``with`` statements that enter scopes of some kinds."""

    uses = frozenset(_OF_SITES)
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)

    def may_report(self, entry: Entry) -> bool:
        """Whether an entry may be reported as far as its place tells: cheap, and never too narrow."""
        raise NotImplementedError

    def suspect(self, site: Site) -> bool:
        # every item of a `with` that is no call has a mark, also where it has a site
        is_call = self.module.call_site(site.node) is site
        return is_call and self._is_suspect(self._entry(site))

    def suspicious(self) -> Iterator[int]:
        for mark in self.module.facts.marks:
            is_async = _OF_MARKS.get(mark.kind)
            if is_async is not None and self._is_suspect(
                Entry(mark.node, mark.scope, mark.line, is_async, awaits=mark.awaits)
            ):
                yield mark.line

    def _is_suspect(self, entry: Entry) -> bool:
        return self.may_report(entry) and self.opened(entry) is not None

    def opened(self, entry: Entry) -> CancelScope | None:
        """What opened the scope that is entered, where it is of the kinds that the rule looks at."""
        found = self.module.cancel_scopes.at(entry.node)
        if found is None or found.kind not in self.kinds:
            return None
        return None if entry.site is not None and self.module.is_safe(entry.site) else found

    def scope_of(self, entry: Entry) -> Scope:
        return self.module.facts.scopes[entry.scope]

    @staticmethod
    def _entry(site: Site) -> Entry:
        return Entry(site.node, site.scope, site.line, _OF_SITES[site.use], site)

    @cached_property
    def _marked(self) -> dict[tuple[int, bool], list[Entry]]:
        """The items that are no calls, by the line of the statement, in the order of the text."""
        found: dict[tuple[int, bool], list[Entry]] = {}
        for mark in self.module.facts.marks:
            is_async = _OF_MARKS.get(mark.kind)
            if is_async is not None:
                entry = Entry(mark.node, mark.scope, mark.line, is_async, awaits=mark.awaits)
                found.setdefault((mark.line, is_async), []).append(entry)
        return found

    def entries(self, node: libcst.With) -> Iterator[tuple[libcst.WithItem, Entry]]:
        """The items of a statement at hand."""
        key = (self.context.span(node).line, node.asynchronous is not None)
        marked = iter(self._marked.get(key, ()))
        for item in node.items:
            if not isinstance(item.item, cst.Call):
                entry = next(marked, None)
                if entry is not None:
                    yield item, entry
                continue
            site = self.context.site(item.item)
            if site is not None and site.use in _OF_SITES:
                yield item, self._entry(site)

    # ------------------------------------------------------------------ bodies, without a tree
    @cached_property
    def _waits(self) -> dict[int, list[int]]:
        """For each scope the lines on which it certainly waits, in order."""
        found: dict[int, set[int]] = {}
        for site in self.module.facts.sites:
            if site.use in (Use.AWAITED, Use.ASYNC_WITH, Use.ASYNC_ITERATED):
                found.setdefault(site.scope, set()).add(site.line)
        return {scope: sorted(lines) for scope, lines in found.items()}

    def surely_awaits(self, entry: Entry) -> bool:
        """Whether the body of a statement waits, where that can be told from its indentation."""
        if entry.awaits is not None or entry.site is None:
            return bool(entry.awaits)
        site, lines = entry.site, self.module.lines
        if not self.is_plain(site):
            return False
        indent = indentation(lines[site.line - 1])
        waits = self._waits.get(site.scope, [])
        at = bisect_right(waits, site.end_line)
        return at < len(waits) and all(is_inside(line, indent) for line in lines[site.end_line : waits[at]])

    def is_plain(self, site: Site) -> bool:
        """Whether a call is the only item of its statement, whose suite begins on the line after."""
        span, lines = self.module.span(site), self.module.lines
        before = lines[span.line - 1][: span.column]
        after = lines[span.end_line - 1][span.end_column :]
        return _HEADER_START.match(before) is not None and _HEADER_END.match(after) is not None
