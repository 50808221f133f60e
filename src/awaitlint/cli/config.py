"""``awaitlint config``: which options there are, what they are set to, and where."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from awaitlint.cli.arguments import SHARED, overrides, shared_options
from awaitlint.cli.output import write_lines
from awaitlint.cli.running import current_directory, rule_names, shown
from awaitlint.config.errors import did_you_mean
from awaitlint.config.load import Origin, SettingsCache
from awaitlint.config.options import BY_KEY, OPTIONS, Kind, Option, plain
from awaitlint.files.discover import UsageError

#: what keys may consist of without quotes
_BARE_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@click.command(short_help="List the options, their values and where these come from.")
@click.argument("key", metavar="[KEY]", required=False)
@shared_options(without=("output-format",))
@click.option(
    "--for",
    "place",
    metavar="PATH",
    help="The file or directory that the options are for (the current directory by default).",
)
@click.option("--config", metavar="PATH", help="The configuration file to use for every file.")
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
@click.option("--schema", is_flag=True, help="Show a JSON schema of the configuration.")
@click.option(
    "--output-format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the options are written.",
)
def config(key: str | None, **given: Any) -> int:
    """List the options with their values and where these come from; or tell all about one.

    Options of awaitlint check can be given to see what becomes of them.
    """
    if given["schema"]:
        if key is not None:
            raise click.UsageError("--schema is of all options: leave out the key")
        from awaitlint.config.schema import schema  # noqa: PLC0415  only for this option

        write_lines([json.dumps(schema(rule_names()), indent=2)])
        return 0
    if given["isolated"] and given["config"] is not None:
        raise click.UsageError("--config and --isolated exclude each other")
    options = OPTIONS if key is None else _named(key)
    named = Path(given["config"]) if given["config"] is not None else None
    directory = _directory(given["place"])
    cache = SettingsCache(
        config=named, isolated=given["isolated"], overrides=overrides(given), rule_names=rule_names
    )
    settings = cache.in_directory(directory)
    origins = cache.origins(directory)
    found = [
        (each, plain(each, getattr(settings, each.field)), origins.get(each.field, ())) for each in options
    ]
    alone = key is not None and len(found) == 1
    if given["shape"] == "json":
        records = [_record(*each) for each in found]
        write_lines([json.dumps(records[0] if alone else records, indent=2)])
    elif alone:
        write_lines(_page(*found[0]))
    else:
        write_lines(_line(*each) for each in found)
    return 0


def _named(key: str) -> Sequence[Option]:
    """The option of a key, or those of a table.  Raises `click.UsageError`."""
    wanted = key.strip().removeprefix("--").lower().replace("_", "-").removeprefix("tool.awaitlint.")
    found = [option for option in OPTIONS if option.key == wanted]
    found = found or [option for option in OPTIONS if option.key.startswith(f"{wanted}.")]
    if not found:
        raise click.UsageError(f"{key}: no such option{did_you_mean(wanted, BY_KEY)}")
    return found


def _directory(place: str | None) -> Path:
    here = current_directory()
    if place is None:
        return here
    path = Path(os.path.normpath(here / place))
    if not path.exists():
        raise UsageError(f"no such file or directory: {place}")
    return path if path.is_dir() else path.parent


# -------------------------------------------------------------------------------- writing
def _line(option: Option, value: Any, origins: tuple[Origin, ...]) -> str:
    """An option as TOML; one without a value as a comment."""
    if value is None:
        return f"# {option.key} is not set"
    return f"{option.key} = {toml(value)}  # {_origin(origins)}"


def _page(option: Option, value: Any, origins: tuple[Origin, ...]) -> Iterator[str]:
    """All about an option."""
    default = plain(option, option.default)
    yield option.key
    yield ""
    yield option.help
    yield ""
    yield f"value:    {'not set' if value is None else toml(value)}"
    yield f"origin:   {_origin(origins)}"
    yield f"default:  {'not set' if default is None else toml(default)}"
    yield f"type:     {option.type}"
    yield f"example:  {option.example}"
    if option.key in SHARED:
        flags = f"--{option.key}, --no-{option.key}" if option.kind is Kind.FLAG else f"--{option.key}"
        yield f"option:   {flags}"


def _record(option: Option, value: Any, origins: tuple[Origin, ...]) -> dict[str, Any]:
    return {
        "key": option.key,
        "value": value,
        "default": plain(option, option.default),
        "origins": [os.fspath(each.source) for each in origins] or ["default"],
        "type": option.type,
        "help": option.help,
        "example": option.example,
        "flag": f"--{option.key}" if option.key in SHARED else None,
    }


def _origin(origins: tuple[Origin, ...]) -> str:
    names = []
    for each in origins:
        name = each.source if isinstance(each.source, str) else shown(each.source)
        names.append(f"{name} ({each.key})" if each.key else name)
    return " and ".join(names) or "default"


def toml(value: Any) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        items = ", ".join(f"{_key(key)} = {toml(each)}" for key, each in value.items())
        return f"{{ {items} }}" if items else "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if key and _BARE_KEY.issuperset(key) else toml(key)
