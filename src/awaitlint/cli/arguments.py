"""The options of ``awaitlint check``, described by the table that also describes the configuration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import click

from awaitlint.config.options import BY_KEY, Kind

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Configuration options that can be given on the command line.
SHARED = (
    "preset",
    "select",
    "extend-select",
    "ignore",
    "per-file-ignores",
    "exclude",
    "extend-exclude",
    "force-exclude",
    "respect-gitignore",
    "python",
    "target-version",
    "min-severity",
    "baseline",
    "output-format",
    "fix",
    "unsafe-fixes",
)

_METAVARS = {
    Kind.SELECTORS: "RULES",
    Kind.GLOBS: "GLOBS",
    Kind.SELECTORS_BY_GLOB: "GLOB:RULE,...",
    Kind.VERSION: "VERSION",
    Kind.PATH: "PATH",
}


def shared_options(without: Collection[str] = ()) -> Callable[[_Function], _Function]:
    """Gives a command the options that it shares with the configuration; one that is absent is None."""

    def decorate(function: _Function) -> _Function:
        for key in reversed(SHARED):
            if key not in without:
                function = _with_option(function, key)
        return function

    return decorate


def _with_option(function: _Function, key: str) -> _Function:
    option = BY_KEY[key]
    summary = option.help.partition(". ")[0].rstrip(".").replace("`", "") + "."
    if option.kind is Kind.FLAG:
        decorate = click.option(f"--{key}/--no-{key}", option.field, default=None, help=summary)
    elif option.kind is Kind.CHOICE:
        decorate = click.option(
            f"--{key}", option.field, type=click.Choice(option.choices), default=None, help=summary
        )
    elif option.kind in (Kind.VERSION, Kind.PATH):
        decorate = click.option(f"--{key}", option.field, metavar=_METAVARS[option.kind], help=summary)
    else:
        decorate = click.option(
            f"--{key}", option.field, multiple=True, metavar=_METAVARS[option.kind], help=summary
        )
    return decorate(function)


def overrides(given: dict[str, Any]) -> dict[str, object]:
    """The given options as a configuration would have them, by key."""
    found: dict[str, object] = {}
    for key in SHARED:
        option = BY_KEY[key]
        value = given.get(option.field)
        if value is None or value == ():
            continue
        if option.kind is Kind.SELECTORS_BY_GLOB:
            found[key] = _by_glob(value, key)
        elif isinstance(value, tuple):
            found[key] = list(_split(value))
        else:
            found[key] = value
    return found


def _split(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        yield from (part.strip() for part in value.split(",") if part.strip())


def _by_glob(values: Iterable[str], key: str) -> dict[str, list[str]]:
    """``tests/*:AWL1,AWL2,scripts/*:ALL``: a part without a colon is another rule of the glob before it."""
    found: dict[str, list[str]] = {}
    for value in values:
        glob = None
        for part in _split((value,)):
            before, colon, after = part.rpartition(":")
            if colon:
                glob = before.strip()
            if not glob or not after.strip():
                raise click.UsageError(f"--{key} {value}: expected GLOB:RULE, such as tests/*:AWL101")
            found.setdefault(glob, []).append(after.strip())
    return found
