"""A JSON schema of the configuration, made from the table of options: editors complete and check by it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from awaitlint.config.options import BLOCKING_KINDS, OPTIONS, Kind, Option, plain
from awaitlint.config.selection import ALL

DRAFT = "http://json-schema.org/draft-07/schema#"

_TEXT = {"type": "string", "pattern": r"\S"}
_CHARACTER_SET = r"\[(?:![\s\S]|[^!])[^\]]*\]"
#: what stands between braces: braces in it, down to some depth, where whatever stands is taken as it is
_IN_BRACES = r"[\s\S]*"
for _ in range(3):
    _IN_BRACES = rf"(?:\\[\s\S]|{_CHARACTER_SET}|\{{{_IN_BRACES}\}}|[^\[{{}}\\])*"
#: a glob whose brackets and braces are closed
_GLOB = rf"(?:\\[\s\S]?|{_CHARACTER_SET}|\{{{_IN_BRACES}\}}|[^\[{{\\])*"
_DEFINITIONS: dict[str, dict[str, Any]] = {
    "glob": {"allOf": [_TEXT, {"pattern": f"^{_GLOB}$"}]},
    "glob-of-files": {"pattern": f"^!?{_GLOB}$"},
}


def schema(rules: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The schema of the table ``[tool.awaitlint]``, which is also that of ``awaitlint.toml``.

    Args:
        rules: The codes and names of the rules.
    """
    properties: dict[str, Any] = {}
    for option in OPTIONS:
        outer, dot, inner = option.key.partition(".")
        if not dot:
            properties[option.key] = _described(option)
            continue
        table = properties.setdefault(outer, {"type": "object", "additionalProperties": False})
        table.setdefault("properties", {})[inner] = _described(option)
    return {
        "$schema": DRAFT,
        "title": "awaitlint",
        "description": "The options of awaitlint: the table [tool.awaitlint] of pyproject.toml, or the whole"
        " of awaitlint.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "definitions": {"rule": _selector(tuple(rules)), **_DEFINITIONS},
    }


def _described(option: Option) -> dict[str, Any]:
    described = {"description": option.help, **_value(option)}
    default = plain(option, option.default)
    if default is not None and not (default == [] and "minItems" in described):
        described["default"] = default
    example: Any = tomllib.loads(option.example)
    for part in option.key.split("."):
        example = example[part]
    return {**described, "examples": [example]}


def _value(option: Option) -> dict[str, Any]:
    match option.kind:
        case Kind.FLAG:
            return {"type": "boolean"}
        case Kind.CHOICE:
            return {"enum": list(option.choices)}
        case Kind.VERSION:
            return {"type": "string", "pattern": r"^(?:py)?3\.?(?:0?[7-9]|[1-9][0-9])$"}
        case Kind.PATH:
            return {"type": "string", "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
        case Kind.STRINGS:
            return {"type": "array", "items": _TEXT}
        case Kind.CHOICES:
            names = "|".join(map(re.escape, option.choices)).replace(r"\-", "-")
            offered = [{"enum": list(option.choices)}, {"pattern": rf"^\s*(?:{names})\s*$"}]
            return {"type": "array", "items": {"type": "string", "anyOf": offered}}
        case Kind.GLOBS:
            return {"type": "array", "items": _reference("glob")}
        case Kind.SELECTORS:
            least = {"minItems": 1} if option.key == "select" else {}
            return {"type": "array", "items": _reference("rule"), **least}
        case Kind.SELECTORS_BY_GLOB:
            return {
                "type": "object",
                "propertyNames": _reference("glob-of-files"),
                "additionalProperties": {"type": "array", "items": _reference("rule")},
            }
        case Kind.TEXTS_BY_NAME:
            return {"type": "object", "additionalProperties": {"type": "string"}}
        case Kind.LEVELS:
            levels = {"enum": list(option.choices)}
            return {
                "type": "object",
                "additionalProperties": False,
                "properties": dict.fromkeys(sorted(BLOCKING_KINDS), levels),
            }


def _reference(name: str) -> Mapping[str, str]:
    return {"$ref": f"#/definitions/{name}"}


def _selector(rules: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """What names rules: the selectors that editors offer, and the other spellings of these."""
    codes = {code[:end] for code, _ in rules for end in range(len(code.rstrip("0123456789")), len(code) + 1)}
    names = sorted(name for _, name in rules)
    offered = [ALL, *sorted(codes), *names]
    spellings = [_in_any_case(each) for each in (ALL, *sorted(codes))]
    pattern = "|".join((*spellings, *map(re.escape, names))).replace(r"\-", "-")
    return {
        "description": "A rule by its code, the beginning of codes, or its name; ALL stands for every rule.",
        "type": "string",
        "anyOf": [{"enum": offered}, {"pattern": rf"^\s*(?:{pattern})\s*$"}],
    }


def _in_any_case(selector: str) -> str:
    return "".join(f"[{char}{char.lower()}]" if char.isalpha() else char for char in selector)
