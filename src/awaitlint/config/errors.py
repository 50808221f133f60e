"""What is wrong with a configuration, said in one line."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable
from pathlib import Path

#: Stands for a file where an option was given on the command line.
COMMAND_LINE = "command line"


class ConfigError(Exception):
    """A configuration that cannot be used: `source` is its file or ``command line``.

    `key` and `value` are the option and the part of its value that is wrong, None where the file as a whole
    cannot be read; the message names them all.
    """

    def __init__(
        self, source: Path | str, problem: str, *, key: str | None = None, value: object = None
    ) -> None:
        self.source = source
        self.problem = problem
        self.key = key
        self.value = value
        super().__init__(self._message())

    def _message(self) -> str:
        if self.key is None:
            return f"{_shown(self.source)}: {self.problem}"
        if self.source == COMMAND_LINE:
            return f"--{self.key} {self.value}: {self.problem}"
        return f"{_shown(self.source)}: {self.key} = {in_toml(self.value)}: {self.problem}"


def in_toml(value: object) -> str:
    """A value much as TOML writes it, shortened to 60 characters."""
    try:
        text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that offers the nearest of the known words, after a semicolon; empty where none is near."""
    found = difflib.get_close_matches(word.lower().replace("_", "-"), list(known), n=1, cutoff=0.5)
    return f"; did you mean `{found[0]}`?" if found else ""


def _shown(source: Path | str) -> str:
    if isinstance(source, str):
        return source
    try:
        return os.fspath(source.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return os.fspath(source)
