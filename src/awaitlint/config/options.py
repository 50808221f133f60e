"""Every option there is: its key, its type, its default, and what it does.

This table is the only description of the options.  Parsing and validation, the help of the command line,
and the generated reference and schema all come from it; `Settings` has a field for each entry.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from awaitlint.config.settings import CALLBACK_SLOTS, Settings
from awaitlint.files.globs import GlobError, compile_glob


class Kind(enum.Enum):
    """The type of an option's value, by how it is written in TOML."""

    FLAG = "true or false"
    CHOICE = "a string"
    VERSION = 'a Python version such as "3.12"'
    #: absolute, or relative to the directory that the option stands in
    PATH = "a path"
    STRINGS = "a list of strings"
    #: globs of files, see `awaitlint.files.globs`
    GLOBS = "a list of globs"
    #: codes, prefixes of codes, names of rules, ``ALL``
    SELECTORS = "a list of rules"
    #: some of the option's choices
    CHOICES = "a list of names"
    #: a table from globs to selectors
    SELECTORS_BY_GLOB = "a table from globs to lists of rules"
    #: a table from globs of qualified names to texts
    TEXTS_BY_NAME = "a table from names to texts"
    #: a table from kinds of blocking calls to levels
    LEVELS = "a table from kinds to levels"


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `key` is what a configuration file calls it, `example` a line of TOML.

    A key with a dot, ``blocking.calls``, stands for ``calls`` in the table ``blocking``.
    """

    key: str
    kind: Kind
    help: str
    example: str
    choices: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The name of the field of `Settings`."""
        return self.key.replace("-", "_").replace(".", "_")

    @property
    def type(self) -> str:
        """What its values are, in words."""
        choices = ", ".join(f'"{choice}"' for choice in self.choices)
        if self.kind is Kind.CHOICE:
            return f"one of {choices}"
        return f"{self.kind.value}: {choices}" if choices else self.kind.value

    @property
    def default(self) -> object:
        """What holds where nothing is configured, as `Settings` has it."""
        return _DEFAULTS[self.field]


class OptionError(ValueError):
    """A value that an option does not take: `value` is the part that is wrong."""

    def __init__(self, value: object, problem: str) -> None:
        super().__init__(problem)
        self.value = value
        self.problem = problem


_DEFAULTS = {field.name: field.default for field in fields(Settings)}

OUTPUT_FORMATS = ("concise", "full", "grouped", "json", "json-lines", "github", "sarif")
#: what blocking calls wait for
BLOCKING_KINDS = frozenset(
    {"sleep", "network", "database", "process", "file", "wait", "cpu", "reentry", "user"}
)
#: from the worst on
SEVERITIES = ("error", "warning", "info")

OPTIONS = (
    Option(
        "preset",
        Kind.CHOICE,
        "What is reported where nothing is selected: `default`, the rules that are on by default and only "
        "what"
        " is certain, or `pedantic`, every rule, and what is merely likely as well.",
        'preset = "pedantic"',
        choices=("default", "pedantic"),
    ),
    Option(
        "select",
        Kind.SELECTORS,
        "The rules to check, in place of those of the preset: codes, prefixes of codes, names, or ALL. The "
        "more"
        " specific of two entries wins, and `ignore` wins over an equally specific `select`.",
        'select = ["AWL1", "blocking-sleep"]',
    ),
    Option(
        "extend-select",
        Kind.SELECTORS,
        "Rules to check in addition to those selected.",
        'extend-select = ["client-per-request"]',
    ),
    Option(
        "ignore",
        Kind.SELECTORS,
        "Rules to leave out.",
        'ignore = ["AWL305"]',
    ),
    Option(
        "per-file-ignores",
        Kind.SELECTORS_BY_GLOB,
        "Rules to leave out in the files that a glob matches; a glob that begins with `!` stands for the"
        " files that it does not match.",
        'per-file-ignores = { "tests/*" = ["AWL3"], "!src/**" = ["unawaited-coroutine"] }',
    ),
    Option(
        "extend-per-file-ignores",
        Kind.SELECTORS_BY_GLOB,
        "Entries in addition to those of `per-file-ignores`.",
        'extend-per-file-ignores = { "scripts/*" = ["ALL"] }',
    ),
    Option(
        "exclude",
        Kind.GLOBS,
        "Files and directories that are not searched, in place of the default ones. A pattern without a slash"
        " matches a name at any depth, one with a slash a path relative to the project's root.",
        'exclude = [".venv", "src/generated"]',
    ),
    Option(
        "extend-exclude",
        Kind.GLOBS,
        "Files and directories that are not searched, in addition to those of `exclude`.",
        'extend-exclude = ["*_pb2.py"]',
    ),
    Option(
        "force-exclude",
        Kind.FLAG,
        "Leave excluded files out even where they are given by name, as pre-commit does.",
        "force-exclude = true",
    ),
    Option(
        "respect-gitignore",
        Kind.FLAG,
        "Leave out what git ignores when a directory is searched.",
        "respect-gitignore = false",
    ),
    Option(
        "src",
        Kind.STRINGS,
        "Directories, relative to the project's root, that top-level modules are imported from, in addition"
        " to those that are found.",
        'src = ["lib", "services/api/src"]',
    ),
    Option(
        "python",
        Kind.PATH,
        "The Python interpreter, or the directory of the environment, that the project's dependencies are"
        " installed for. They are read and never run. Where it is not given, `.venv`, `venv` or `env` in the"
        " project or around it, or else the active environment.",
        'python = ".venv/bin/python"',
    ),
    Option(
        "target-version",
        Kind.VERSION,
        "The oldest Python that the code has to run on. Where it is not given, the lower bound of"
        " `requires-python` in pyproject.toml (or of `python` among Poetry's dependencies), or of"
        " `python_requires` in setup.cfg or setup.py, where that is a plain text.",
        'target-version = "3.11"',
    ),
    Option(
        "baseline",
        Kind.PATH,
        "The file of the findings that are known already, which are not reported. `awaitlint check"
        " --update-baseline` writes it.",
        'baseline = "awaitlint-baseline.json"',
    ),
    Option(
        "known-safe-calls",
        Kind.STRINGS,
        "Qualified names, with globs, of functions and methods whose calls are never reported.",
        'known-safe-calls = ["app.events.fire_and_forget", "app.metrics.*"]',
    ),
    Option(
        "min-severity",
        Kind.CHOICE,
        "The mildest findings that are reported: `error`, `warning` or `info`. Where it is not given,"
        " `warning`, and `info` under the preset `pedantic` and for rules that are selected by their own code"
        " or name.",
        'min-severity = "error"',
        choices=SEVERITIES,
    ),
    Option(
        "blocking.calls",
        Kind.TEXTS_BY_NAME,
        "Further functions and methods that block the event loop: qualified names, with globs, and what to do"
        " instead. Calls of them in async code are reported by `user-blocking-call`.",
        'blocking.calls = { "app.legacy.*" = "use app.client instead" }',
    ),
    Option(
        "blocking.handoffs",
        Kind.STRINGS,
        "Further functions and decorators, by qualified name with globs, that have other threads or processes"
        " run what they are given.",
        'blocking.handoffs = ["app.workers.in_thread"]',
    ),
    Option(
        "blocking.safe",
        Kind.STRINGS,
        "Functions and methods, by qualified name with globs, that do not block, whatever their code does.",
        'blocking.safe = ["app.cache.load", "redis.client.Redis.ping"]',
    ),
    Option(
        "blocking.levels",
        Kind.LEVELS,
        "How bad calls of a kind are: `error`, `warning`, `info`, or `off`.",
        'blocking.levels = { database = "warning", file = "error" }',
        choices=(*SEVERITIES, "off"),
    ),
    Option(
        "async-function-as-sync-callback.slots",
        Kind.CHOICES,
        "What `async-function-as-sync-callback` looks at, of that which calls a function it is given:"
        " callbacks of the event loop, of futures, threads, executors, what runs at exit or cleans up, and"
        " functions such as `filter` and `sorted`.",
        'async-function-as-sync-callback.slots = ["loop", "done-callback", "thread", "executor"]',
        choices=CALLBACK_SLOTS,
    ),
    Option(
        "coroutine-never-used.report-partial",
        Kind.FLAG,
        "Let `coroutine-never-used` also report a coroutine that is used on some paths through the function,"
        " and dropped on another.",
        "coroutine-never-used.report-partial = true",
    ),
    Option(
        "langfuse-target",
        Kind.CHOICE,
        "The version of Langfuse that `langfuse-observe-import` assumes: `auto` reads it from the project's"
        " requirements, `always` reports whatever the version.",
        'langfuse-target = "3+"',
        choices=("auto", "2", "3+", "always"),
    ),
    Option(
        "output-format",
        Kind.CHOICE,
        "How findings are written.",
        'output-format = "concise"',
        choices=OUTPUT_FORMATS,
    ),
    Option(
        "fix",
        Kind.FLAG,
        "Apply the safe fixes.",
        "fix = true",
    ),
    Option(
        "unsafe-fixes",
        Kind.FLAG,
        "Count unsafe fixes in: list them as available, and apply them when fixing.",
        "unsafe-fixes = true",
    ),
)

BY_KEY = {option.key: option for option in OPTIONS}


def parse(option: Option, value: object) -> object:
    """The value of the option's field for a value from TOML or the command line; raises `OptionError`.

    Whether the named rules exist is not checked here, see `awaitlint.config.selection.unknown_selector`.
    """
    match option.kind:
        case Kind.FLAG:
            if not isinstance(value, bool):
                raise OptionError(value, f"expected {option.kind.value}")
            return value
        case Kind.CHOICE:
            if not isinstance(value, str) or value not in option.choices:
                choices = ", ".join(f'"{choice}"' for choice in option.choices)
                raise OptionError(value, f"expected one of {choices}")
            return value
        case Kind.VERSION:
            return _version(value)
        case Kind.PATH:
            if not isinstance(value, str) or not value.strip() or "\0" in value:
                raise OptionError(value, f"expected {option.kind.value}")
            return Path(value.strip())
        case Kind.STRINGS | Kind.SELECTORS:
            strings = _strings(value, option.kind)
            if not strings and option.key == "select":
                raise OptionError("", "names no rule, and stands in place of the default ones")
            return strings
        case Kind.CHOICES:
            return _chosen(option, _strings(value, option.kind))
        case Kind.GLOBS:
            return _checked_globs(_strings(value, option.kind))
        case Kind.SELECTORS_BY_GLOB:
            if not isinstance(value, dict):
                raise OptionError(value, f"expected {option.kind.value}")
            _checked_globs(key.removeprefix("!") for key in value)
            return tuple((key, _strings(value[key], Kind.SELECTORS)) for key in value)
        case Kind.TEXTS_BY_NAME | Kind.LEVELS:
            return _texts(option, value)


def _strings(value: object, kind: Kind) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise OptionError(value, f"expected {kind.value}")
    for item in value:
        if not isinstance(item, str) or not item.strip():
            raise OptionError(item, f"expected {kind.value}")
    return tuple(item.strip() for item in value)


def _chosen(option: Option, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in option.choices:
            choices = ", ".join(f'"{choice}"' for choice in option.choices)
            raise OptionError(name, f"expected some of {choices}")
    return names


def _texts(option: Option, value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise OptionError(value, f"expected {option.kind.value}")
    for key, text in value.items():
        if option.kind is Kind.LEVELS:
            if key not in BLOCKING_KINDS:
                raise OptionError(key, f"expected one of {', '.join(sorted(BLOCKING_KINDS))}")
            if text not in option.choices:
                choices = ", ".join(f'"{choice}"' for choice in option.choices)
                raise OptionError(text, f"expected one of {choices}")
        elif not isinstance(text, str):
            raise OptionError(text, f"expected {option.kind.value}")
    return tuple((key.strip(), text.strip()) for key, text in value.items())


def _checked_globs(patterns: Iterable[str]) -> tuple[str, ...]:
    checked = tuple(patterns)
    for pattern in checked:
        try:
            compile_glob(pattern)
        except GlobError as error:
            raise OptionError(pattern, f"not a glob: {error}") from error
    return checked


def plain(option: Option, value: object) -> Any:
    """The value of an option's field as TOML has it; None where there is none."""
    if isinstance(value, Path):
        return os.fspath(value)
    if option.kind is Kind.VERSION and isinstance(value, tuple):
        return ".".join(str(part) for part in value)
    if option.kind is Kind.SELECTORS_BY_GLOB and isinstance(value, tuple):
        table: dict[str, list[str]] = {}
        for pattern, selectors in value:
            table.setdefault(pattern, []).extend(selectors)
        return table
    if option.kind in (Kind.TEXTS_BY_NAME, Kind.LEVELS) and isinstance(value, tuple):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _version(value: object) -> tuple[int, int]:
    match = re.fullmatch(r"(?:py)?3\.?([0-9]{1,2})", value) if isinstance(value, str) else None
    if match is None or int(match[1]) < 7:
        raise OptionError(value, f"expected {Kind.VERSION.value}, 3.7 or later")
    return (3, int(match[1]))
