"""``awaitlint rule``: what a rule reports, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from awaitlint.cli.output import write_lines
from awaitlint.config.selection import matches, nearest_rule
from awaitlint.report.context import rule_url

if TYPE_CHECKING:
    from awaitlint.rulekit.rule import Rule


#: what a page says to the tests, such as that an example does not compile
_MARKS = re.compile(r"^<!--.*-->\n\n?", re.MULTILINE)


@click.command(short_help="List the rules, or explain one.")
@click.argument("name", metavar="[CODE|NAME]", required=False)
@click.option("--all", "every", is_flag=True, help="Explain all rules.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the explanation is written.",
)
def rule(name: str | None, every: bool, output_format: str) -> int:
    """Explain a rule: what it reports, why that is a mistake, and what to write instead.

    Without a rule, or with the beginning of a code such as AWL1, list the rules.
    """
    from awaitlint.rulekit.registry import all_rules, documentation  # noqa: PLC0415  only for this command

    if every and name is not None:
        raise click.UsageError("name a rule, or say --all")
    rules = all_rules() if name is None else _named(name, all_rules())
    if output_format == "json":
        described = [{**_record(each), "explanation": documentation(each)} for each in rules]
        write_lines(
            [json.dumps(described[0] if name is not None and len(rules) == 1 else described, indent=2)]
        )
    elif every or len(rules) == 1:
        pages = (_MARKS.sub("", documentation(each)).strip() for each in rules)
        write_lines(
            ["\n\n".join(f"{_heading(each)}\n\n{page}" for each, page in zip(rules, pages, strict=True))]
        )
    else:
        write_lines(_listing(rules))
    return 0


def _named(name: str, rules: Sequence[type[Rule]]) -> Sequence[type[Rule]]:
    """The rules that a code, a name or the beginning of a code stands for; the letters may be left out."""
    wanted = name.strip()
    selector = f"AWL{wanted}" if wanted.isdecimal() else wanted.lower().replace("_", "-")
    found = [each for each in rules if matches(selector, each.code, each.name)]
    if not found:
        advice = nearest_rule(selector, [(each.code, each.name) for each in rules])
        more = "" if "`" in advice else "; `awaitlint rule` lists them"
        raise click.UsageError(f"{name}: {advice}{more}")
    return found


def _heading(rule: type[Rule]) -> str:
    default = "On by default" if rule.default else "Off by default"
    fixes = ", ".join(each.value for each in rule.fixes) or "none"
    summary = rule.summary if rule.summary.startswith("`") else rule.summary[:1].upper() + rule.summary[1:]
    return f"# {rule.code} {rule.name}\n\n{summary}. {default}; fixes: {fixes}."


def _listing(rules: Sequence[type[Rule]]) -> Iterator[str]:
    width = max(len(each.name) for each in rules)
    for each in rules:
        off = "" if each.default else " (off by default)"
        yield f"{each.code}  {each.name:<{width}}  {each.summary}{off}"


def _record(rule: type[Rule]) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "default": rule.default,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "fixes": [safety.value for safety in rule.fixes],
        "url": rule_url(rule.name),
    }
