"""Which rules are checked in which file: what ``preset``, ``select``, ``ignore`` and ``per-file-ignores`` mean."""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Iterable
from pathlib import Path

from awaitlint.config.settings import Settings
from awaitlint.files.globs import globs

#: Stands for every rule.
ALL = "ALL"
#: The preset that has every rule.
PEDANTIC = "pedantic"

_CODE = re.compile(r"[A-Z]+[0-9]*")


def matches(selector: str, code: str, name: str) -> bool:
    """Whether a selector covers a rule: by its name, its code, a prefix of the code, or ``ALL``.

    A prefix stands for a family only at the borders that codes have: the letters, then any digit.
    """
    if selector == name:
        return True
    upper = selector.upper()
    if upper == ALL:
        return True
    return code.startswith(upper) and len(upper) >= len(code.rstrip("0123456789"))


def selected(
    rules: Iterable[tuple[str, str, bool]], settings: Settings, path: Path | None = None
) -> frozenset[str]:
    """The codes of the rules to check in a file, given each rule's code, name and whether it is a default.

    The most specific selector that covers a rule decides; of two equally specific ones, `ignore` wins.
    Without `select`, the rules of the preset are selected (``pedantic`` has all), less specifically than any
    selector could.  What `per-file-ignores` names for the file (absolute path) is left out in any case.
    """
    without = file_ignores(settings, path) if path is not None else ()
    return _selected(
        tuple(rules),
        settings.preset == PEDANTIC,
        settings.select,
        (*settings.select, *settings.extend_select),
        settings.ignore,
        without,
    )


def reports_likely(settings: Settings, code: str, name: str) -> bool:
    """Whether a rule's *likely* findings are reported: under ``pedantic``, or where it is selected by itself.

    A prefix of its code is not enough: who selects a family does not ask for guesses.
    """
    return settings.preset == PEDANTIC or any(
        each == name or each.upper() == code for each in (*settings.select, *settings.extend_select)
    )


@functools.lru_cache(maxsize=256)
def _selected(
    rules: tuple[tuple[str, str, bool], ...],
    pedantic: bool,
    instead: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    without: tuple[str, ...],
) -> frozenset[str]:
    codes = set()
    for code, name, default in rules:
        if any(matches(selector, code, name) for selector in without):
            continue
        on = max((_specificity(each, code) for each in select if matches(each, code, name)), default=-1)
        off = max((_specificity(each, code) for each in ignore if matches(each, code, name)), default=-1)
        if on > off or (on == off == -1 and (default or pedantic) and not instead):
            codes.add(code)
    return frozenset(codes)


def _specificity(selector: str, code: str) -> int:
    """How closely a selector that covers a rule points at it; its name does so as its whole code does."""
    upper = selector.upper()
    if upper == ALL:
        return 0
    return len(upper) if code.startswith(upper) else len(code)


def file_ignores(settings: Settings, path: Path) -> tuple[str, ...]:
    """The selectors that ``per-file-ignores`` names for a file (absolute path)."""
    entries = (*settings.per_file_ignores, *settings.extend_per_file_ignores)
    if not entries:
        return ()
    root = os.fspath(settings.root)
    ignored: list[str] = []
    for pattern, selectors in entries:
        negated = pattern.startswith("!")
        if globs((pattern.removeprefix("!"),), root).match(os.fspath(path)) != negated:
            ignored.extend(selectors)
    return tuple(ignored)


def unknown_selector(selectors: Iterable[str], rules: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """The first selector that covers no rule (code, name), and advice that names the nearest one."""
    known = tuple(rules)
    for selector in selectors:
        if not any(matches(selector, code, name) for code, name in known):
            return selector, nearest_rule(selector, known)
    return None


def nearest_rule(selector: str, rules: Iterable[tuple[str, str]]) -> str:
    """Advice for a selector that covers none of the rules (code, name)."""
    nearest = _nearest(selector, tuple(rules))
    return f"no such rule; did you mean `{nearest}`?" if nearest else "no such rule"


@functools.lru_cache(maxsize=64)
def _nearest(selector: str, rules: tuple[tuple[str, str], ...]) -> str | None:
    spelled = selector.replace("_", "-")
    if _CODE.fullmatch(spelled.upper()) and spelled[-1:].isdigit():
        # codes are all alike: only one that differs in a digit is worth a guess
        found = difflib.get_close_matches(spelled.upper(), [code for code, _ in rules], n=1, cutoff=0.82)
        return found[0] if found else None
    spelled = spelled.lower()
    names = [name for _, name in rules]
    found = [name for name in names if len(spelled) > 3 and spelled in name]
    found = found or difflib.get_close_matches(spelled, names, n=1, cutoff=0.5)
    return found[0] if found else None
