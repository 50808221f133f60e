"""What becomes of an expression's value, and which rule reports that, or why none does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.config.selection import selected
from awaitlint.engine.check import first_of_each_cause, is_wanted
from awaitlint.engine.suppressions import suppress
from awaitlint.index.facts import Use
from awaitlint.infer.values import External, Unknown, members
from awaitlint.rulekit.registry import rule_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from awaitlint.index.facts import Site
    from awaitlint.infer.values import AwaitableValue
    from awaitlint.model import Diagnostic, Span
    from awaitlint.rulekit.context import ModuleContext

_USES = {
    Use.OTHER: "its value is used in a way that says nothing",
    Use.AWAITED: "it is awaited",
    Use.DISCARDED: "its value is dropped",
    Use.BOUND: "its value is bound to a local name",
    Use.NEVER_READ: "its value is bound to a name that nothing reads",
    Use.STORED: "its value is stored in an attribute, an item or a global name",
    Use.RETURNED: "its value is returned",
    Use.YIELDED: "its value is yielded",
    Use.ARGUMENT: "its value is passed to a function",
    Use.ELEMENT: "its value is put into a collection",
    Use.TESTED: "its value is tested for truth",
    Use.COMPARED: "its value is compared",
    Use.OPERAND: "its value is an operand",
    Use.SUBSCRIPTED: "an item of its value is taken",
    Use.ATTRIBUTE: "an attribute of its value is taken",
    Use.CALLED: "its value is called",
    Use.ITERATED: "its value is iterated",
    Use.ASYNC_ITERATED: "its value is iterated asynchronously",
    Use.UNPACKED: "its value is unpacked",
    Use.FORMATTED: "its value is put into a string",
    Use.WITH: "its value is entered with `with`",
    Use.ASYNC_WITH: "its value is entered with `async with`",
    Use.DECORATOR: "its value decorates a definition",
}
#: why a coroutine that is used so is not reported by itself
_HANDED_ON = {
    Use.OTHER: "nobody reports a coroutine there",
    Use.STORED: "whoever reads it may await it",
    Use.RETURNED: "whoever gets it may await it",
    Use.YIELDED: "whoever gets it may await it",
    Use.ARGUMENT: "the function may await it",
    Use.ELEMENT: "whoever takes it out may await it",
    Use.DECORATOR: "nobody reports a coroutine there",
}
#: uses of a bound name that are told
_MOST = 4


@dataclass(frozen=True, slots=True)
class Report:
    """A rule and what it does about the expression, such as ``reports it``."""

    code: str
    name: str
    does: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a value is used, the rules that speak of it, and otherwise why none does."""

    use: str
    reports: tuple[Report, ...] = ()
    silence: str = ""


def outcome(
    context: ModuleContext, site: Site | None, span: Span, known: Collection[Diagnostic] = ()
) -> Outcome:
    """What becomes of the expression at `span`; `site` is None where facts have none.

    `context` is of a file that all rules have looked at, `known` are findings that are in its baseline.
    """
    if site is None:
        return Outcome("", silence="it cannot run, or only type checkers read it")
    use = _USES[site.use]
    if context.path.suffix == ".pyi":
        return Outcome(use, silence="stub files are not reported")
    reports = tuple(_reports(context, site, span, known))
    return Outcome(use, reports, "" if reports else _silence(context, site))


# -------------------------------------------------------------------------------- findings
def _reports(
    context: ModuleContext, site: Site, span: Span, known: Collection[Diagnostic]
) -> Iterator[Report]:
    settings = context.settings
    codes = selected(rule_keys(), settings, context.path)
    on = [pair for pair in context.findings if pair[1].code in codes and is_wanted(pair[1], settings)]
    shown = first_of_each_cause(on)
    silenced = suppress(context.text, shown).silenced
    for cause, each in sorted(context.findings, key=lambda pair: pair[1].sort_key):
        if not _is_about(context, site, span, cause, each):
            continue
        where = "" if each.span.line == span.line else f" on line {each.span.line}"
        if each.code not in codes:
            does = f"would report it{where}, but is not selected"
        elif not is_wanted(each, settings):
            does = f"would report it{where} under the preset `pedantic`: it is not certain"
        elif each in silenced:
            does = f"would report it{where}, but a comment silences it"
        elif each in known:
            does = f"would report it{where}, but it is known from the baseline"
        elif each in shown:
            does = f"reports it{where}"
        else:
            first = next((other for same, other in on if same == cause and other in shown), None)
            does = f"reports it once, on line {first.span.line}" if first else "leaves it to the other rule"
        yield Report(each.code, each.name, does)


def _is_about(context: ModuleContext, site: Site, span: Span, cause: object, finding: Diagnostic) -> bool:
    """Whether a finding speaks of an expression: at its place, at its ``await``, at a use."""
    if finding.span == span or cause == ("coroutine", site.node):
        return True
    if isinstance(cause, tuple) and cause[:2] == ("argument", site.node):
        return True
    before = (finding.span.line, finding.span.column)
    if site.use is not Use.AWAITED or before >= (span.line, span.column):
        return False
    rows = context.lines[finding.span.line - 1 : span.line]
    rows[-1] = rows[-1][: span.column]
    rows[0] = rows[0][finding.span.column :]
    return "".join("".join(rows).split()).rstrip("(") == "await"


# -------------------------------------------------------------------------------- silence
def _silence(context: ModuleContext, site: Site) -> str:
    """Why no rule speaks of a value."""
    infer = context.infer
    value = context.value(site)
    made = infer.coroutine(value, or_none=True)
    if made is None:
        return _no_coroutine(context, site)
    if site.use is Use.AWAITED:
        return "as it should be"
    if context.is_safe(site, made):
        return "`known-safe-calls` covers it"
    if context.is_overridden(site, made):
        return "a subclass overrides the function with one of the other kind"
    if site.use in (Use.BOUND, Use.NEVER_READ):
        return _uses_of_name(context, site)
    handed_on = _HANDED_ON.get(site.use)
    if handed_on is not None:
        return handed_on
    return _probed(made)


def _probed(made: AwaitableValue) -> str:
    if made.kind == "Awaitable":
        return "it may be a task or future, which works by itself, or the code looks whether it is awaitable"
    return "the code around it looks whether it is awaitable, or expects it to fail"


def _no_coroutine(context: ModuleContext, site: Site) -> str:
    """Why no rule speaks of a value that is not certainly a coroutine."""
    value = context.value(site)
    found = members(value)
    if any(isinstance(member, (Unknown, External)) for member in found):
        return "no rule speaks of what is unknown"
    if any(context.infer.coroutine(member) is not None for member in found):
        return "it is a coroutine on some paths only"
    if site.use is Use.AWAITED:
        return "as it should be" if context.infer.is_awaitable(value) else "it may be awaitable"
    if context.infer.is_awaitable(value):
        return "it works by itself, awaited or not"
    return "it is no coroutine"


def _uses_of_name(context: ModuleContext, site: Site) -> str:
    """What the code does with the local name that a coroutine is bound to."""
    uses = [
        f"line {other.line}: {_USES[other.use].replace('its value is ', '')}"
        for other in context.facts.sites
        if other is not site and site.node in context.flow.origins(other.node) and other.node != -1
        if (other.line, other.column) != (site.line, site.column)
    ]
    if not uses:
        return "nobody reports what becomes of the name"
    return f"the name is used on {'; '.join(uses[:_MOST])}"
