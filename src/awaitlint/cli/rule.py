"""``awaitlint rule``: what a rule reports, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from awaitlint.cli.output import write_lines
from awaitlint.config.selection import nearest_rule
from awaitlint.report.context import rule_url

if TYPE_CHECKING:
    from awaitlint.rulekit.rule import Rule


@click.command(short_help="Explain a rule.")
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
    """Explain a rule: what it reports, why that is a mistake, and what to write instead."""
    from awaitlint.rulekit.registry import all_rules, documentation  # noqa: PLC0415  only for this command

    if every == (name is not None):
        raise click.UsageError("name one rule, by its code or its name, or say --all")
    rules = all_rules()
    if name is not None:
        rules = tuple(each for each in rules if name.upper() == each.code or name.lower() == each.name)
        if not rules:
            known = [(each.code, each.name) for each in all_rules()]
            raise click.UsageError(f"{name}: {nearest_rule(name, known)}")
    if output_format == "json":
        described = [{**_record(each), "explanation": documentation(each)} for each in rules]
        write_lines([json.dumps(described if every else described[0], indent=2)])
    else:
        write_lines(["\n\n".join(documentation(each).strip() for each in rules)])
    return 0


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
