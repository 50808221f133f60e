"""What a rule is: metadata, the facts it looks for, and a libcst visitor that reports.

A rule module in `awaitlint.rules` defines one subclass of `Rule` per code.  Its module docstring is the
rule's documentation page.  The engine asks `suspect` about the sites of a module whose use is in `uses`
(of some calls only, where `callees` names them; and the rule itself, through `suspicious`, where it looks
at something other than sites); functions with a suspect are parsed with libcst and walked, and the
``visit_X``/``leave_X`` methods of the rules that suspect something there are called for each node.  What
`suspect` lets through may only over-approximate what the visitor reports: with the sieve switched off every
function is walked, and the diagnostics are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from awaitlint.model import Confidence, Edit, Fix, Related, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import libcst

    from awaitlint.index.facts import Site, Use
    from awaitlint.rulekit.context import ModuleContext, NodeContext


class Rule:
    """Base class of the rules; one instance looks at one module.

    Class attributes are the metadata: `code` (``AWL101``), `name` (``unawaited-coroutine``), `summary` (what
    it reports, a phrase without a final period), `default` (reported unless deselected), `severity`,
    `confidence` (of its findings, unless one says otherwise; *likely* ones are reported only under the preset
    ``pedantic`` or where the rule is selected by its own code or name), `fixes` (the safety of
    its fixes, empty when it has none).
    """

    code: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str]
    default: ClassVar[bool] = True
    severity: ClassVar[Severity] = Severity.ERROR
    confidence: ClassVar[Confidence] = Confidence.CERTAIN
    fixes: ClassVar[tuple[Safety, ...]] = ()
    #: the uses of a value that can make a site a suspect
    uses: ClassVar[frozenset[Use]] = frozenset()
    #: where it is not empty, the rule is asked about calls of functions only that were defined by these names
    callees: ClassVar[frozenset[str]] = frozenset()
    #: codes of rules that have more to say of one mistake: where one of them reports something with the same
    #: cause, or at the same place, this rule's finding is not shown.  No rule is silent because another one
    #: speaks, for that may not be selected.
    yields_to: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, module: ModuleContext) -> None:
        self.module = module
        #: set by the walk before a ``visit_X`` call
        self.context: NodeContext

    def may_suspect(self, site: Site) -> bool:  # noqa: ARG002  for rules that override it
        """Whether `suspect` can hold of a call, whatever it calls: asked before that is looked up."""
        return True

    def suspect(self, site: Site) -> bool:
        """Whether the site, whose use is in `uses`, may be reported: cheap, and never too narrow."""
        raise NotImplementedError

    def look(self) -> None:
        """Report what facts alone tell: text that no visitor has to look at is not parsed with libcst."""

    def suspicious(self) -> Iterable[int]:
        """Lines to be walked for other reasons than a site: each function that holds one is visited."""
        return ()

    def report(
        self,
        node: libcst.CSTNode,
        message: str,
        *,
        related: Sequence[Related] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        cause: object = None,
    ) -> None:
        """Report a finding at a node of the walked tree; see `ModuleContext.add`."""
        self.module.add(
            self,
            self.context.span(node),
            message,
            related=tuple(related),
            fix=fix,
            severity=severity,
            confidence=confidence,
            cause=cause,
        )

    def fix(self, message: str, edits: Iterable[Edit], *, safety: Safety | None = None) -> Fix:
        """A fix of this rule, as safe as `fixes` says unless `safety` says otherwise."""
        return Fix(message, tuple(edits), safety or self.fixes[0])
