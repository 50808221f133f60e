"""The check of one file: facts, suspects, visitors, findings."""

from __future__ import annotations

import functools
from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.config.options import SEVERITIES
from awaitlint.config.selection import reports_likely, selected
from awaitlint.engine.checked import Checked
from awaitlint.engine.suppressions import Comments, suppress
from awaitlint.files.source import SourceError, decode
from awaitlint.index.facts import Call, Name
from awaitlint.infer.values import FunctionValue, OverloadedValue, members
from awaitlint.model import Confidence, Diagnostic, Severity
from awaitlint.rulekit.context import ModuleContext
from awaitlint.rulekit.registry import all_rules, rule_keys
from awaitlint.rules.syntax_error import SyntaxErrorRule
from awaitlint.rules.unused_suppression import UnusedSuppression
from awaitlint.syntax.parse import SyntaxProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.engine.session import Lowered, Session
    from awaitlint.engine.suppressions import Suppressed
    from awaitlint.files.discover import Target
    from awaitlint.index.facts import Site
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.rule import Rule


_TOO_DEEP = SyntaxProblem(1, 0, "nested too deeply to be analysed")


def check_file(session: Session, target: Target, *, hidden: bool = False) -> Checked:
    """Check one file; `hidden` asks for what is too mild or too unsure to be reported, and for the rules."""
    settings = session.settings_for(target.path)
    codes = selected(rule_keys(), settings, target.path)
    lowered = session.lowered(target.path)
    if lowered.problem is not None:
        return _unreadable(session, target, lowered, codes)
    if target.path.suffix == ".pyi" or not codes:
        return Checked(codes=codes)
    rules = [rule for rule in all_rules() if rule.code in codes and is_wanted(rule, settings)]
    try:
        context = inspect(session, target, settings, rules)
    except RecursionError:
        session.was_too_deep = True
        session.linked(target.path, settings).infer.recover()
        return _unreadable(session, target, lowered._replace(problem=_TOO_DEEP), codes)
    if context is None:
        return Checked()
    checked = _outcome(session, context, frozenset(rule.code for rule in rules), hidden=hidden)
    # what it has worked out refers to it, and would stay until garbage is collected
    vars(context).clear()
    return checked


def _outcome(session: Session, context: ModuleContext, codes: frozenset[str], *, hidden: bool) -> Checked:
    """What becomes of the findings of a file."""
    settings = context.settings
    wanted = [pair for pair in context.findings if is_wanted(pair[1], settings)]
    shown = first_of_each_cause(wanted)
    noqa = session.options.noqa
    if UnusedSuppression.code not in codes and not hidden:
        # the text of a file without findings need not be decoded
        return Checked(suppress(context.text, shown, noqa=noqa).kept if shown else ())
    mild = first_of_each_cause(pair for pair in context.findings if not is_wanted(pair[1], settings))
    whole = not any(finding.code == SyntaxErrorRule.code for _, finding in context.findings)
    checked = codes - context.failed if whole else codes & {SyntaxErrorRule.code}
    comments = Comments.of(context.text, noqa=noqa)
    outcome = suppress(context.text, [*shown, *mild], comments)
    unshown = set(map(id, mild))
    found = [each for each in outcome.kept if id(each) not in unshown]
    if whole and UnusedSuppression.code in codes:
        found += _unused(session, context, comments, checked, outcome)
        found.sort(key=lambda finding: finding.sort_key)
    return Checked(tuple(found), tuple(each for each in outcome.kept if id(each) in unshown), checked)


def _unused(
    session: Session, context: ModuleContext, comments: Comments, checked: frozenset[str], outcome: Suppressed
) -> list[Diagnostic]:
    """The comments that the file can do without."""
    if not comments.found:
        return []
    from awaitlint.engine.unused import Unused  # noqa: PLC0415  only where it is asked for

    chains = session.chains(session.linked(context.path, context.settings), context.settings)
    unused = Unused(
        context.text,
        comments,
        checked,
        lambda line: chains.silences(context.module, line),
        noqa=session.options.judge_noqa,
    )
    found = unused.findings(context.display, outcome)
    return [finding for finding in found if is_wanted(finding, context.settings)]


def inspect(
    session: Session, target: Target, settings: Settings, rules: Sequence[type[Rule]]
) -> ModuleContext | None:
    """A file that rules have looked at, with all that they found; None where it cannot be read."""
    context = _context(session, target.path, target.display, settings, session.lowered(target.path))
    if context is None:
        return None
    made = [rule(context) for rule in rules]
    lines = _suspects(session, context, made)
    if lines:
        _visit(session, context, made, lines)
    return context


def is_wanted(subject: type[Rule] | Diagnostic, settings: Settings) -> bool:
    """Whether findings as sure as a rule, or as this one, are reported; and as severe as this one."""
    if subject.confidence is not Confidence.CERTAIN and not reports_likely(
        settings, subject.code, subject.name
    ):
        return False
    if not isinstance(subject, Diagnostic) or subject.severity is Severity.ERROR:
        return True
    least = settings.min_severity
    if least is None:
        mild = subject.severity is Severity.INFO
        return not mild or reports_likely(settings, subject.code, subject.name)
    return SEVERITIES.index(subject.severity.value) <= SEVERITIES.index(least)


def _context(
    session: Session, path: Path, display: str, settings: Settings, lowered: Lowered
) -> ModuleContext | None:
    linked = session.linked(path, settings)
    module = linked.project.module_at(path)
    if module is None or lowered.data is None:
        return None
    return ModuleContext(
        module=module,
        path=path,
        display=display,
        data=lowered.data,
        settings=settings,
        infer=linked.infer,
        display_of=session.display_of,
        chains=lambda: session.chains(linked, settings),
    )


def _unreadable(session: Session, target: Target, lowered: Lowered, codes: frozenset[str]) -> Checked:
    """The one finding about a file that cannot be read, decoded or parsed."""
    if SyntaxErrorRule.code not in codes or lowered.problem is None:
        return Checked()
    finding = SyntaxErrorRule.finding(target.display, lowered.problem)
    text = ""
    if lowered.data is not None:
        try:
            text = decode(lowered.data).text
        except SourceError:
            text = lowered.data.decode("latin-1")
    kept = suppress(text, [finding], noqa=session.options.noqa).kept
    return Checked(kept, codes=frozenset({SyntaxErrorRule.code}))


def _suspects(session: Session, context: ModuleContext, rules: list[Rule]) -> dict[int, set[Rule]]:
    """The lines that rules want to have visited, with the rules; under -1 those that want all of them."""
    lines: dict[int, set[Rule]] = {}
    for rule in rules:
        try:
            rule.look()
            for line in rule.suspicious():
                lines.setdefault(line, set()).add(rule)
            for use in () if rule.callees else rule.uses:
                for site in context.by_use.get(use, ()):
                    if rule.suspect(site):
                        lines.setdefault(site.line, set()).add(rule)
        except Exception as error:  # noqa: BLE001  # one rule's crash must not lose another's findings
            _crashed(session, context, rule, error)
    # those that are asked about some calls only come last: to know what is called takes longest
    called = Called(context)
    for rule in rules:
        try:
            for site in called.sites(rule) if rule.callees else ():
                if rule.suspect(site):
                    lines.setdefault(site.line, set()).add(rule)
        except Exception as error:  # noqa: BLE001
            _crashed(session, context, rule, error)
    if not session.options.sieve and context.lines:
        return {-1: set(rules)}
    return lines


class Called:
    """The functions that calls call, wherever another name for one was given: asked once for each."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context
        self._known: dict[int | str, frozenset[str]] = {}

    @cached_property
    def _calls(self) -> list[tuple[Site, int]]:
        """The sites of calls, and of names bound to one, with the node of what is called."""
        nodes = self._context.facts.nodes
        return [
            (site, call.func) for site in self._context.facts.sites if type(call := nodes[site.node]) is Call
        ]

    def sites(self, rule: Rule) -> Iterator[Site]:
        """The sites that may be calls of the functions that a rule names."""
        uses, callees = rule.uses, rule.callees
        for site, func in self._calls:
            if site.use in uses and rule.may_suspect(site) and not self._names(func).isdisjoint(callees):
                yield site

    def _names(self, func: int) -> frozenset[str]:
        """The names by which the functions were defined that the node of a call's function may be."""
        node = self._context.facts.nodes[func]
        key = node.name if isinstance(node, Name) else func
        known = self._known.get(key)
        if known is None:
            value = self._context.infer.value(self._context.module, func)
            known = self._known[key] = frozenset(_names(value))
        return known


def _names(value: Value) -> Iterator[str]:
    for member in members(value):
        function = member.functions[0] if isinstance(member, OverloadedValue) else member
        if isinstance(function, FunctionValue):
            yield function.fact.name


def _visit(session: Session, context: ModuleContext, rules: list[Rule], lines: dict[int, set[Rule]]) -> None:
    """Parse what the rules want to have visited, and show each rule the functions that it suspects."""
    from awaitlint.engine.visit import regions, visit  # noqa: PLC0415  libcst comes with it

    last = max(1, len(context.lines))
    stretches = [(1, last)] if -1 in lines else regions(context.facts, lines, last)
    wanted: dict[tuple[int, int], set[Rule]] = {stretch: set() for stretch in stretches}
    for line, who in lines.items():
        for (first, end), those in wanted.items():
            if line < 0 or first <= line <= end:
                those.update(who)
    guards = {
        rule: Guard(rule, lambda rule, error: _crashed(session, context, rule, error))
        for rule in rules
        if any(rule in who for who in wanted.values())
    }
    try:
        visit(
            context,
            {
                stretch: {rule: guard for rule, guard in guards.items() if rule in who}
                for stretch, who in wanted.items()
            },
        )
    except SyntaxProblem as problem:
        reason = f"libcst cannot read what Python can ({problem.message}), and a mistake is suspected here"
        finding = SyntaxErrorRule.finding(
            context.display, SyntaxProblem(problem.line, problem.column, reason)
        )
        context.findings.append((SyntaxErrorRule.code, finding))
    for guard in guards.values():
        # its methods refer to it
        vars(guard).clear()


@functools.cache
def _visitors(classes: tuple[type, ...]) -> tuple[str, ...]:
    """The names of the methods that look at nodes, of the classes of a rule."""
    return tuple(name for name in dir(classes[0]) if name.startswith(("visit_", "leave_")))


class Guard:
    """Stands before a rule's visitor: a crash is named, and the rule is not asked again in this file."""

    def __init__(self, rule: Rule, report: Callable[[Rule, Exception], None]) -> None:
        self._rule = rule
        self._report = report
        self._broken = False
        for name in _visitors(type(rule).__mro__):
            setattr(self, name, self._guarded(name))

    def _guarded(self, name: str) -> Callable[[object], None]:
        method = getattr(self._rule, name)

        def call(node: object) -> None:
            if self._broken:
                return
            try:
                method(node)
            except Exception as error:  # noqa: BLE001
                self._broken = True
                self._report(self._rule, error)

        return call


def _crashed(session: Session, context: ModuleContext, rule: Rule, error: Exception) -> None:
    if isinstance(error, RecursionError):
        session.was_too_deep = True
        context.infer.recover()
        finding = SyntaxErrorRule.finding(context.display, _TOO_DEEP)
        context.findings.append((SyntaxErrorRule.code, finding))
        return
    context.failed.add(rule.code)
    reason = f"{type(error).__name__}: {error}"
    session.internal_errors.append(f"{context.display}: the rule {rule.name} ({rule.code}) failed: {reason}")


def first_of_each_cause(findings: Iterable[tuple[object, Diagnostic]]) -> list[Diagnostic]:
    """Findings (with their causes) in order; of several with one cause, the first in the text.

    Those of a rule that yields to another are left out where that one reports the same cause or place.
    """
    ordered = sorted(unyielded(findings), key=lambda pair: pair[1].sort_key)
    seen: set[object] = set()
    kept = []
    for cause, finding in ordered:
        if cause not in seen:
            seen.add(cause)
            kept.append(finding)
    return kept


def unyielded(findings: Iterable[tuple[object, Diagnostic]]) -> list[tuple[object, Diagnostic]]:
    """Findings (with their causes), less those that another rule has more to say of."""
    found = list(findings)
    yielding = _yielding()
    if not any(finding.code in yielding for _, finding in found):
        return found
    spoken: dict[object, set[str]] = {}
    for cause, finding in found:
        spoken.setdefault(cause, set()).add(finding.code)
        spoken.setdefault(finding.span, set()).add(finding.code)
    return [
        (cause, finding)
        for cause, finding in found
        if (spoken[cause] | spoken[finding.span]).isdisjoint(yielding.get(finding.code, ()))
    ]


@functools.cache
def _yielding() -> dict[str, frozenset[str]]:
    """Of the rules that yield to others, by code, the codes of those."""
    return {rule.code: rule.yields_to for rule in all_rules() if rule.yields_to}
