"""Facts of modules that were looked at: encoded, until somebody asks for them again.

What is known of a module's scopes is asked for by everybody who imports it; its nodes and sites, which take
most of the room, seldom once its own code has been checked.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

import msgspec

from awaitlint.index.facts import Attr, Const, Free, ModuleFacts, Name, Node, Site

#: nodes of a module below which there is little to be gained
_FEWEST = 64
#: nodes and sites of modules that were looked at which stay awake: some 20 MB
_MOST = 200_000
_PARTS = ("nodes", "sites")
_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "nodes": msgspec.msgpack.Decoder(list[Node]),
    "sites": msgspec.msgpack.Decoder(list[Site]),
}
#: under which dormant facts have the dormitory
_KEEPER = ""


class DormantFacts(ModuleFacts):
    """Facts without nodes, or without sites: those that are asked for are decoded.

    Facts become dormant by their class alone, so that everybody who has them has these; and what has all of
    its parts again is as it was before.
    """

    def __getattr__(self, name: str) -> Any:
        encoded = self.__dict__
        if name not in _PARTS or name not in encoded:
            raise AttributeError(name)
        found = _DECODERS[name].decode(encoded.pop(name))
        if name == "nodes":
            _share_strings(found)
        setattr(self, name, found)
        encoded[_KEEPER].woken(self, len(found))
        if len(encoded) == 1:
            encoded.clear()
            self.__class__ = ModuleFacts  # type: ignore[assignment]
        return found


class Dormitory:
    """Puts facts to sleep, those first that were not asked for longest."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._awake: deque[tuple[ModuleFacts, int]] = deque()
        self._size = 0

    def add(self, facts: ModuleFacts) -> None:
        """Take in facts of a module that was looked at; nobody may hold nodes or sites of any just now."""
        if type(facts) is ModuleFacts and len(facts.nodes) >= _FEWEST:
            self.woken(facts, len(facts.nodes) + len(facts.sites))
        while self._size > self._most:
            oldest, size = self._awake.popleft()
            self._size -= size
            self._put_to_sleep(oldest)

    def woken(self, facts: ModuleFacts, size: int) -> None:
        """Note that nodes or sites, so many of them, take room again."""
        self._awake.append((facts, size))
        self._size += size

    def _put_to_sleep(self, facts: ModuleFacts) -> None:
        encoded = facts.__dict__
        for part in _PARTS:
            if part not in encoded:
                try:
                    encoded[part] = _ENCODER.encode(getattr(facts, part))
                except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError, RecursionError):
                    continue
                delattr(facts, part)
        if encoded:
            encoded[_KEEPER] = self
            facts.__class__ = DormantFacts


def _share_strings(nodes: list[Any]) -> None:
    """Make equal strings one object again, as they are where a text is lowered."""
    for node in nodes:
        kind = type(node)
        if kind is Attr or kind is Name or kind is Free:
            msgspec.structs.force_setattr(node, "name", sys.intern(node.name))
        elif kind is Const and type(node.value) is str:
            msgspec.structs.force_setattr(node, "value", sys.intern(node.value))
