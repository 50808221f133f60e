"""The facts of modules, on disk from one run to the next.

Facts depend on a module's bytes alone, so they are kept by content: the key is a hash of the bytes and of
everything else that facts are made with, which is awaitlint's version, its code that makes them, and the
version of the running Python, whose `ast` decides what can be read.  Nothing has to be invalidated: what
changed has another key, and what is no longer asked for is dropped when room is needed.  How entries lie on
disk is `pack`'s concern.

A cache is as little trusted as the sources beside it.  It is typed data that can run nothing; its size is
bounded by the module's; and every number in it is checked, since inference follows them without looking.  So
a forged entry may say what another source would say, and can do no more than that source could.
"""

from __future__ import annotations

import sys
import weakref
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import awaitlint
from awaitlint.engine.directory import cache_directory
from awaitlint.engine.pack import LARGEST, PackDirectory
from awaitlint.files.digests import digest
from awaitlint.index.facts import (
    SCHEMA,
    Attr,
    Await,
    BinOp,
    Call,
    Caught,
    Class,
    Comp,
    Const,
    Declared,
    DictDisplay,
    Display,
    Enter,
    Free,
    Func,
    Import,
    Index,
    Iter,
    Lambda,
    ModuleFacts,
    Name,
    Narrow,
    Param,
    Phi,
    Plain,
    ScopeKind,
    Starred,
    Super,
    TypeParam,
    Unknown,
    Unpack,
    Yielded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awaitlint.engine.pack import Limits

#: bytes of source below which looking up costs about as much as parsing
_SMALLEST = 1024
#: A record has at most `_RATIO` bytes for each byte of source (real ones: 2.2), and `_RATIO` KB.
_RATIO = 16
#: nodes that name a scope and no other node, and nodes that name nothing but a node
_SCOPED = (Func, Class, Free, Super, Lambda, TypeParam)
_VALUED = (Await, Iter, Unpack, Starred, Yielded, Enter)


def project_cache(root: Path, given: Path | None = None) -> FactsCache | None:
    """The cache of the project at `root`, an absolute path, where it has one; see `cache_directory`."""
    directory = cache_directory(root, given)
    return FactsCache(directory) if directory is not None else None


class FactsCache:
    """Facts by the bytes of a module.

    Neither what is in the directory nor a disk that cannot be written makes a method fail.  What was put is
    on the disk after `flush`, or when the cache is dropped or the process ends.

    Args:
        directory: Created when something is first written; its parent exists.
        limits: How large it may become.
    """

    def __init__(self, directory: Path, limits: Limits | None = None) -> None:
        self._entries = PackDirectory(directory, salt(), limits)
        weakref.finalize(self, self._entries.flush)

    def get(self, data: bytes) -> ModuleFacts | None:
        """The facts of a module by its bytes; the caller owns them."""
        if len(data) < _SMALLEST:
            return None
        key = key_of(data)
        for payload in self._entries.candidates(key, _RATIO * (len(data) + 1024)):
            try:
                facts = _DECODER.decode(payload)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                facts = None
            if facts is not None and is_sound(facts, data):
                return facts
            self._entries.reject(key)
        return None

    def unchecked(self, key: bytes) -> ModuleFacts | None:
        """The facts of a key, to be compared with others: what they refer to need not be there."""
        for payload in self._entries.candidates(key, LARGEST):
            try:
                return _DECODER.decode(payload)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                self._entries.reject(key)
        return None

    def put(self, data: bytes, facts: ModuleFacts) -> None:
        """Keep the facts of a module; what cannot be represented (a number of 70 bits, say) is not kept."""
        if len(data) < _SMALLEST:
            return
        try:
            payload = _ENCODER.encode(facts)
        except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError, RecursionError):
            return
        if len(payload) <= _RATIO * (len(data) + 1024) and is_sound(facts, data):
            self._entries.put(key_of(data), payload)

    def flush(self) -> None:
        """Write what was put."""
        self._entries.flush()


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ModuleFacts)


@cache
def salt() -> bytes:
    """16 bytes that stand for all that facts are made with but the source."""
    package = Path(awaitlint.__file__).parent
    made_with: list[object] = [SCHEMA, awaitlint.__version__, sys.implementation.name, sys.version_info[:2]]
    # the code too, so that a forgotten change of SCHEMA shows nobody yesterday's facts
    for path in (package / "index" / "facts.py", *_python_files(package, "index/lower", "syntax")):
        try:
            made_with.append(digest(path.read_bytes()))
        except OSError:  # installed without its sources
            made_with.append(None)
    return digest(repr(made_with).encode())


def key_of(data: bytes) -> bytes:
    """The key of a module's facts by its bytes."""
    return digest(data, person=salt())


def _python_files(package: Path, *directories: str) -> Iterable[Path]:
    return (path for name in directories for path in sorted((package / name).glob("*.py")))


def is_sound(facts: ModuleFacts, data: bytes) -> bool:
    """Whether every number in facts of a module with these bytes is one that may be followed.

    Nodes and scopes that are referred to exist; places are in the text; a scope's parent stands before it,
    and a chain of renamings (`Narrow`, `Declared`, a `Phi` of one option) ends.  It takes about as
    long as decoding does, which is why there are plain loops here, and one for each of the frequent kinds.
    """
    if not facts.scopes or facts.scopes[0].kind is not ScopeKind.MODULE or facts.scopes[0].parent != -1:
        return False
    size = len(data)
    last_line = data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n") + 1
    return (
        _nodes_are_sound(facts, size)
        and _scopes_are_sound(facts, last_line, size)
        and _sites_are_sound(facts, last_line, size)
        and _marks_are_sound(facts, last_line)
        and all(0 <= level <= size for _, level in facts.stars)
    )


def _nodes_are_sound(facts: ModuleFacts, size: int) -> bool:
    nodes: list[Any] = facts.nodes
    count, scopes = len(nodes), len(facts.scopes)
    params = [len(scope.params) for scope in facts.scopes]
    ahead: list[int] = []
    # the frequent kinds come first
    for own, node in enumerate(nodes):
        kind = type(node)
        if kind is Attr:
            if not 0 <= node.value < count:
                return False
        elif kind is Call:
            if not 0 <= node.func < count:
                return False
            for value in node.args:
                if not 0 <= value < count:
                    return False
            if node.keywords:
                for _, value in node.keywords:
                    if not 0 <= value < count:
                        return False
        elif kind is Param:
            if not (0 <= node.scope < scopes and 0 <= node.index < params[node.scope]):
                return False
        elif kind is Const or kind is Name:
            continue
        elif kind is Index:
            if not (0 <= node.value < count and 0 <= node.index < count):
                return False
        elif kind is Narrow:
            if not (0 <= node.value < own and -1 <= node.against < count):
                return False
        elif kind is Import:
            if not 0 <= node.level <= size:
                return False
        elif kind is Phi:
            options = node.options
            for value in options:
                if not 0 <= value < count:
                    return False
            if len(options) == 1 and options[0] >= own:
                ahead.append(own)
        elif kind in _SCOPED:
            if not 0 <= node.scope < scopes:
                return False
        elif kind is Display:
            if not _all_within(node.elements, count):
                return False
        elif kind is BinOp:
            if not (0 <= node.left < count and 0 <= node.right < count):
                return False
        elif kind is Declared:
            if not (0 <= node.annotation < count and -1 <= node.value < own):
                return False
        elif kind in _VALUED:
            if not 0 <= node.value < count:
                return False
        elif kind is DictDisplay:
            if not _all_within(node.values, count) or not all(-1 <= key < count for key in node.keys):
                return False
        elif kind is Comp:
            if not (0 <= node.element < count and -1 <= node.key < count):
                return False
        elif kind is Caught:
            if not 0 <= node.types < count:
                return False
        elif kind is not Plain and kind is not Unknown:
            return False
    return _chains_end(nodes, ahead)


def _all_within(references: tuple[int, ...], count: int) -> bool:
    for reference in references:  # noqa: SIM110  all() would make a generator for each of many short tuples
        if not 0 <= reference < count:
            return False
    return True


def _chains_end(nodes: list[Any], ahead: list[int]) -> bool:
    """Whether every `Narrow` and `Declared` renames something; `ahead` are renamings of what comes later.

    Names that are never bound leave circles of `Phi` nodes behind, which do no harm by themselves.
    """
    ended: set[int] = set()
    if all(_chain_ends(nodes, node, ended) for node in ahead):
        return True
    return all(
        _chain_ends(nodes, node, ended) for node, fact in enumerate(nodes) if type(fact) in (Narrow, Declared)
    )


def _chain_ends(nodes: list[Any], node: int, ended: set[int]) -> bool:
    chain: set[int] = set()
    while node >= 0 and node not in ended:
        if node in chain:
            return False
        chain.add(node)
        fact = nodes[node]
        if type(fact) is Phi and len(fact.options) == 1:
            node = fact.options[0]
        elif type(fact) is Narrow or type(fact) is Declared:
            node = fact.value
        else:
            break
    ended |= chain
    return True


def _scopes_are_sound(facts: ModuleFacts, last_line: int, size: int) -> bool:
    count = len(facts.nodes)
    for own, scope in enumerate(facts.scopes):
        if own and not 0 <= scope.parent < own:
            return False
        # the module itself has no lines
        if not (own > 0) <= scope.first_line <= scope.line <= scope.end_line <= last_line:
            return False
        if not (0 <= scope.column <= size and -1 <= scope.returns < count):
            return False
        for param in scope.params:
            if not (-1 <= param.annotation < count and -1 <= param.default < count):
                return False
        for references in (scope.decorators, scope.returned, scope.yielded, scope.bases):
            if references and not _all_within(references, count):
                return False
        for names in (scope.bindings, scope.attributes):
            for references in names.values():
                for reference in references:
                    if not 0 <= reference < count:
                        return False
        if scope.keywords and not _all_within(tuple([value for _, value in scope.keywords]), count):
            return False
    return all(
        0 <= each.scope < len(facts.scopes) and 0 < each.line <= last_line and 0 <= each.column <= size
        for each in facts.misplaced
    )


def _sites_are_sound(facts: ModuleFacts, last_line: int, size: int) -> bool:
    count, scopes = len(facts.nodes), len(facts.scopes)
    for site in facts.sites:
        if not (0 <= site.node < count and 0 <= site.scope < scopes and -1 <= site.other < count):
            return False
        if not 0 < site.line <= site.end_line <= last_line:
            return False
        if not (0 <= site.column <= size and 0 <= site.end_column <= size):
            return False
    return True


def _marks_are_sound(facts: ModuleFacts, last_line: int) -> bool:
    count, scopes = len(facts.nodes), len(facts.scopes)
    return all(
        0 <= mark.scope < scopes and 0 < mark.line <= last_line and -1 <= mark.node < count
        for mark in facts.marks
    )
