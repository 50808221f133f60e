"""Base of the rules that report what an async function reaches through plain ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from awaitlint.index.facts import ScopeKind
from awaitlint.model import Confidence, Root
from awaitlint.rulekit.blocked import waits
from awaitlint.rulekit.libraries import in_thread
from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.rulekit.blocked import Blocked


class ChainedRule(Rule):
    """Reports chains, at the call where they leave async code."""

    #: kinds of blocking calls that the rule leaves to another, and those it speaks of alone
    but: ClassVar[frozenset[str]] = frozenset()
    only: ClassVar[frozenset[str]] = frozenset()

    def look(self) -> None:
        # facts know all of a chain, and its places: nothing is left for a walk to find out
        for blocked in self._reached():
            if self.module.facts.scopes[blocked.scope].kind is ScopeKind.FUNCTION:
                self._report(blocked)

    def _reached(self) -> Iterator[Blocked]:
        module = self.module.blocked
        for blocked in module.reached if module is not None else ():
            kind = blocked.leaf.kind
            if kind in self.but or (self.only and kind not in self.only):
                continue
            site = blocked.step.site
            if site is None or not self.module.is_safe(site):
                yield blocked

    def _report(self, blocked: Blocked) -> None:
        module, reason = self.module.blocked, blocked.reason
        assert module is not None
        assert reason is not None
        leaf, root = blocked.leaf, reason.root
        subject = module.spelling(blocked)
        chain = module.chain(blocked)
        hops, place = [module.related(hop) for hop in chain], module.place(chain[-1])
        does = waits(leaf)
        what = f"`{leaf.name}`, which {does}"
        confidence = None
        if leaf.kind == "reentry":
            # what starts a loop for plain code most likely has another way for async code
            if module.chains.is_conditional(reason, blocked.step.function):
                confidence = Confidence.LIKELY
            message = f"`{subject}` fails here: it reaches `{leaf.name}` ({place}), which {does}"
        else:
            step = "calls" if reason.distance == 0 else "reaches"
            advice = leaf.advice or f"run it in a thread: `await {in_thread(self.module)}(...)`"
            message = f"`{subject}` blocks the event loop: it {step} {what} ({place}); {advice}"
        self.module.add(
            self,
            module.span(blocked),
            message,
            related=(*hops, *(module.other(each) for each in module.others(blocked))),
            severity=module.severity(blocked),
            confidence=confidence,
            cause=(self.code, root),
            root=Root(f"{self.code} {'/'.join(root)}", reason.distance, len(hops)),
        )
