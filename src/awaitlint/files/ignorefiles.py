"""What git leaves out: ``.gitignore`` files from a repository's root down, and ``.git/info/exclude``."""

# ruff: noqa: PTH110, PTH118, PTH120
# A walk looks at many entries, and strings are much cheaper than paths.

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awaitlint.files.source import read_regular, split_lines

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

#: In pathspec's regular expressions: several ``*`` in a row; text between two of them, but for sets that a
#: slash may be in; wildcards that are left.
_STARS = re.compile(r"(?:\[\^/\]\*){2,}")
_BETWEEN = re.compile(
    r"\[\^/\]\*"
    r"((?:\\.|\[\^/\](?!\*)|\[(?!\^)\]?(?:\\.|[^\]\\/])*\]|[^\\\[\](){}|?*+^$.])+)"
    r"(?=\[\^/\]\*)"
)
_WILD, _MOST_WILD = re.compile(r"\[\^/\]\*(?!\?)|\.\+"), 5

#: Group names, which may occur once in a regular expression.
_NAMED_GROUP = re.compile(r"\(\?P<\w+>")


@dataclass(frozen=True, slots=True)
class IgnoreChain:
    """The ignore files that hold in one directory, the nearest first; immutable, shared by a subtree."""

    specs: tuple[tuple[str, re.Pattern[str], GitIgnoreSpec], ...] = ()
    #: outside a repository git ignores nothing, whatever the files say
    in_repository: bool = False

    @classmethod
    def at(cls, directory: str) -> IgnoreChain:
        """The chain of a directory (absolute path): empty where it lies in no git repository."""
        above: list[str] = []
        current = directory
        while True:
            above.append(current)
            if os.path.exists(os.path.join(current, ".git")):
                break
            parent = os.path.dirname(current)
            if parent == current:
                return cls()
            current = parent
        chain = cls()
        for entered in reversed(above):
            if chain.ignores(entered, is_dir=True):
                # Who names a directory that git ignores wants it checked.
                chain = cls(in_repository=True)
            chain = chain.enter(entered, is_repository=entered == current)
        return chain

    def enter(self, directory: str, *, is_repository: bool) -> IgnoreChain:
        """The chain within a subdirectory; a repository of its own knows nothing of the one around it."""
        chain = self
        if is_repository:
            chain = IgnoreChain(in_repository=True)
            chain = chain.with_file(directory, os.path.join(directory, ".git", "info", "exclude"))
        return chain.with_file(directory, os.path.join(directory, ".gitignore"))

    def with_file(self, directory: str, path: str) -> IgnoreChain:
        """The chain with one more file, if it exists: its patterns are relative to the directory."""
        try:
            text = read_regular(path).decode("utf-8", errors="surrogateescape")
        except OSError:
            return self
        lines = [line for line in split_lines(text) if line.strip() and line[0] != "#"]
        if not lines:
            return self
        spec = _spec(lines)
        return IgnoreChain(((directory, _any_of(spec), spec), *self.specs), in_repository=self.in_repository)

    def ignores(self, path: str, *, is_dir: bool) -> bool:
        """Whether an entry (absolute path) is ignored, given that the directory it lies in is not."""
        for directory, any_of, spec in self.specs:
            name = path[len(directory.rstrip(os.sep)) + 1 :].replace(os.sep, "/")
            if is_dir:
                name += "/"
            if not any_of.search(name):
                continue
            include = spec.check_file(name).include
            if include is not None:
                return include
        return False


def _any_of(spec: GitIgnoreSpec) -> re.Pattern[str]:
    """What any of the patterns matches: most names match none, and one search tells so for all of them."""
    parts = [pattern.regex.pattern for pattern in spec.patterns if pattern.regex is not None]
    return re.compile("|".join(f"(?:{_NAMED_GROUP.sub('(?:', part)})" for part in parts) or r"(?!)")


def _spec(lines: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  only trees with ignore files pay for it

    try:
        spec = GitIgnoreSpec.from_lines(lines)
    except ValueError:
        spec = GitIgnoreSpec.from_lines(line for line in lines if _well_formed(line))
    tamed = [_tamed(pattern) for pattern in spec.patterns]
    if all(new is old for new, old in zip(tamed, spec.patterns, strict=True)):
        return spec
    patterns = [each for each in tamed if each is not None]
    try:
        return GitIgnoreSpec(patterns, backend="simple")
    except TypeError:  # there is no choice before pathspec 1.0
        return GitIgnoreSpec(patterns)


def _tamed(pattern: Any) -> Any:
    """A pattern whose regular expression tries nothing again and again; None where it cannot be had.

    Between two ``*`` in one name, the first place where the text fits is as good as any.  With more other
    wildcards than any real file has, a pattern is left out.
    """
    if pattern.regex is None:
        return pattern
    regex = pattern.regex.pattern
    tamed = _BETWEEN.sub(r"(?>[^/]*?\1)", _STARS.sub("[^/]*", regex))
    if len(_WILD.findall(tamed)) > _MOST_WILD:
        return None
    return pattern if tamed == regex else type(pattern)(re.compile(tamed), include=pattern.include)


def _well_formed(line: str) -> bool:
    """Git skips a pattern that it cannot read and goes on with the rest."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  imported by the caller already

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
