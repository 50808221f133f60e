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


#: what braces may stand for at most
_MOST_ALTERNATIVES = 1000

#: A piece of a pattern: one of these wildcards, or the regular expression of exactly one character.
_STAR, _FOLDERS = "*", "**/"
_Pieces = tuple[str, ...]


@functools.lru_cache(maxsize=1024)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """The regular expression that a whole name or path (with ``/``) has to match.

    ``*`` and ``**`` match any characters, ``**/`` any number of directories, ``?`` one character,
    ``[abc]``, ``[a-z]`` and ``[!a]`` a character of a set, ``{one,other}`` an alternative; a backslash
    takes the next character as it is.  Raises `GlobError`.

    However many wildcards there are, matching takes time that grows with the name and not exponentially.
    """
    alternatives, end = _parse(pattern, 0, nested=False)
    assert end == len(pattern)
    try:
        return re.compile("|".join(f"(?:{_regex(each)})" for each in alternatives), re.DOTALL)
    except re.error as error:
        raise GlobError(str(error)) from error


def _parse(pattern: str, at: int, *, nested: bool) -> tuple[list[_Pieces], int]:
    """What a pattern stands for from a place on, up to its end or that of the braces; and where that is."""
    done: list[_Pieces] = []
    current: list[_Pieces] = [()]
    while at < len(pattern):
        char = pattern[at]
        at += 1
        found: list[_Pieces]
        if char == "*":
            folders = pattern.startswith("*/", at) and (at == 1 or pattern[at - 2] in "/{,")
            at += 2 if folders else 0
            found = [(_FOLDERS if folders else _STAR,)]
        elif char == "?":
            found = [(".",)]
        elif char == "[":
            end = pattern.find("]", at + 2 if pattern.startswith("!", at) else at + 1)
            if end == -1:
                raise GlobError("`[` is never closed")
            found = [(_character_set(pattern[at:end]),)]
            at = end + 1
        elif char == "{":
            found, at = _parse(pattern, at, nested=True)
        elif char == "}" and nested:
            return done + current, at
        elif char == "," and nested:
            done += current
            current = [()]
            continue
        else:
            if char == "\\" and at < len(pattern):
                char = pattern[at]
                at += 1
            found = [(re.escape(char),)]
        if len(done) + len(current) * len(found) > _MOST_ALTERNATIVES:
            raise GlobError("too many alternatives in braces")
        current = [(*left, *right) for left in current for right in found]
    if nested:
        raise GlobError("`{` is never closed")
    return done + current, at


def _regex(pieces: _Pieces) -> str:
    """The regular expression of a pattern without braces.

    What stands between two wildcards may as well be where it is found first, since the second of them covers
    the rest: so nothing is tried twice.
    """
    wildcards: list[tuple[str, list[str]]] = [("", [])]
    for piece in pieces:
        wildcard, fixed = wildcards[-1]
        if piece not in (_STAR, _FOLDERS):
            fixed.append(piece)
        elif fixed or not wildcard:
            wildcards.append((piece, []))
        elif piece == _STAR:
            wildcards[-1] = (_STAR, [])
    parts: list[str] = []
    for index, (wildcard, fixed) in enumerate(wildcards):
        text = "".join(fixed)
        # a directory begins where one before it ends
        following = wildcards[index + 1][0] if index + 1 < len(wildcards) else ""
        first = following == _STAR or (following == _FOLDERS and text.endswith("/"))
        if wildcard == _STAR:
            parts.append(f"(?>.*?{text})" if first else f".*{text}")
        elif wildcard == _FOLDERS:
            parts.append(f"(?>(?:.*?/)??{text})" if first else f"(?:.*/)?{text}")
        else:
            parts.append(text)
    return "".join(parts)


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
