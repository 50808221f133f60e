"""The glob patterns of the configuration: ``exclude``, ``per-file-ignores`` and the like.

A pattern without a slash matches the name of a file or directory at any depth; one with a slash matches a
path relative to the project's root.  As in ruff, ``*`` crosses directories: ``tests/*`` covers everything
below ``tests``.  A pattern that matches a directory covers all that is in it.
"""

# ruff: noqa: PTH117, PTH119, PTH120
# Patterns are matched against strings, which the walk has already.

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Sequence


class GlobError(ValueError):
    """A pattern that is not well formed; the message says why."""


@functools.lru_cache(maxsize=1024)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """The regular expression that a whole name or path (with ``/``) has to match.

    ``*`` and ``**`` match any characters, ``**/`` any number of directories, ``?`` one character,
    ``[abc]``, ``[a-z]`` and ``[!a]`` a character of a set, ``{one,other}`` an alternative; a backslash
    takes the next character as it is.  Raises `GlobError`.
    """
    parts: list[str] = []
    depth = 0
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if pattern.startswith("*/", at) and (at == 1 or pattern[at - 2] in "/{,"):
                parts.append("(?:.*/)?")
                at += 2
            else:
                parts.append(".*")
        elif char == "?":
            parts.append(".")
        elif char == "[":
            end = pattern.find("]", at + 2 if pattern.startswith("!", at) else at + 1)
            if end == -1:
                raise GlobError("`[` is never closed")
            parts.append(_character_set(pattern[at:end]))
            at = end + 1
        elif char == "{":
            parts.append("(?:")
            depth += 1
        elif char == "}" and depth:
            parts.append(")")
            depth -= 1
        elif char == "," and depth:
            parts.append("|")
        elif char == "\\" and at < len(pattern):
            parts.append(re.escape(pattern[at]))
            at += 1
        else:
            parts.append(re.escape(char))
    if depth:
        raise GlobError("`{` is never closed")
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise GlobError(str(error)) from error


def _character_set(body: str) -> str:
    negated = body.startswith("!")
    inner = body[1:] if negated else body
    escaped = inner.replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^").replace("&", r"\&")
    escaped = escaped.replace("~", r"\~").replace("|", r"\|").replace("]", r"\]")
    return f"[{'^' if negated else ''}{escaped}]"


class Globs:
    """A list of patterns, ready to be matched against many paths below one root."""

    def __init__(self, patterns: Iterable[str], root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)
        self._exact_names: set[str] = set()
        self._names: list[re.Pattern[str]] = []
        self._paths: list[re.Pattern[str]] = []
        for pattern in patterns:
            self._add(pattern.replace(os.sep, "/") if os.sep != "/" else pattern)

    def _add(self, pattern: str) -> None:
        bare = pattern.rstrip("/")
        while bare.startswith("./"):
            bare = bare[2:]
        if not bare:
            return
        if "/" not in bare:
            if re.fullmatch(r"[\w.\-]+", bare):
                self._exact_names.add(bare)
            else:
                self._names.append(compile_glob(bare))
            return
        if not os.path.isabs(bare):
            bare = _escape(self.root.replace(os.sep, "/").rstrip("/")) + "/" + bare
        self._paths.append(compile_glob(bare))

    def match_entry(self, path: str) -> bool:
        """Whether a file or directory (absolute path) is matched itself, by its name or by its path."""
        name = os.path.basename(path)
        if name in self._exact_names or any(pattern.fullmatch(name) for pattern in self._names):
            return True
        if not self._paths:
            return False
        posix = path.replace(os.sep, "/")
        return any(pattern.fullmatch(posix) for pattern in self._paths)

    def match(self, path: str) -> bool:
        """Whether a path (absolute) is matched, or a directory between it and the root is.

        The root itself and what it lies in are never matched.  Of a path elsewhere only its own name and
        the whole path count: the names of the directories that it lies in say nothing about the project.
        """
        if path == self.root or self.root.startswith(path.rstrip(os.sep) + os.sep):
            return False
        if not path.startswith(self.root.rstrip(os.sep) + os.sep):
            return self.match_entry(path)
        while len(path) > len(self.root):
            if self.match_entry(path):
                return True
            path = os.path.dirname(path)
        return False


def _escape(text: str) -> str:
    return re.sub(r"([*?\[\]{},\\])", r"\\\1", text)


@functools.lru_cache(maxsize=256)
def globs(patterns: Sequence[str], root: str) -> Globs:
    """The compiled form of a tuple of patterns, remembered between files."""
    return Globs(patterns, root)
