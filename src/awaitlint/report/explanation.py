"""What ``--explain`` writes: each expression with what its answer depends on, indented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.report.plain import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from awaitlint.engine.explain import Explanation
    from awaitlint.engine.tracing import Step
    from awaitlint.report.style import Style

_INDENT = "  "


def render(explanations: Iterable[Explanation], style: Style) -> Iterator[str]:
    """The lines, without their ends; an empty one between two expressions."""
    for number, each in enumerate(explanations):
        if number:
            yield ""
        place = f"{one_line(each.path)}:{each.span.line}:{each.span.column + 1}"
        verdict = _verdict(each.verdict, style, is_known=each.is_known)
        text = style.bold(one_line(f"`{each.text}`"))
        yield f"{style.frame(place)} {text}: {verdict}{_remark(each.remark)}"
        for step in each.steps:
            yield from _step(step, style, 1)
        yield from _outcome(each, style)


def _step(step: Step, style: Style, level: int) -> Iterator[str]:
    place = f", {style.frame(one_line(step.place))}" if step.place else ""
    verdict = f": {_verdict(step.verdict, style, is_known=step.is_known)}" if step.verdict else ""
    yield f"{_INDENT * level}{one_line(step.text)}{place}{verdict}{_remark(step.remark)}"
    for part in step.parts:
        yield from _step(part, style, level + 1)


def _verdict(text: str, style: Style, *, is_known: bool) -> str:
    text = one_line(text)
    return style.accent(text) if is_known else style.note(text)


def _remark(text: str) -> str:
    return f" ({text})" if text else ""


def _outcome(each: Explanation, style: Style) -> Iterator[str]:
    outcome = each.outcome
    use = f"{outcome.use}: " if outcome.use else ""
    if outcome.silence:
        yield f"{_INDENT}{use}{outcome.silence}"
    for report in outcome.reports:
        yield f"{_INDENT}{use}{style.code(report.code)} {report.name} {report.does}"
