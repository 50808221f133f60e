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
#: how often something is decoded before it stays awake
_OFTEN = 3
_PARTS = ("nodes", "sites")
_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "nodes": msgspec.msgpack.Decoder(list[Node]),
    "sites": msgspec.msgpack.Decoder(list[Site]),
}
#: under which facts have the dormitory, and the parts that are encoded only
_KEEPER, _ASLEEP = "keeper", "asleep"


class DormantFacts(ModuleFacts):
    """Facts without nodes, or without sites: those that are asked for are decoded.

    Facts become dormant by their class alone, so that everybody who has them has these; and what has all of
    its parts again is as it was before.
    """

    def __getattr__(self, name: str) -> Any:
        own: dict[Any, Any] = self.__dict__
        asleep: set[str] = own.get(_ASLEEP, set())
        if name not in asleep:
            raise AttributeError(name)
        found = _DECODERS[name].decode(own[name])
        if name == "nodes":
            _share_strings(found)
        setattr(self, name, found)
        asleep.remove(name)
        times = own[name, "times"] = own.get((name, "times"), 0) + 1
        if times < _OFTEN:
            own[_KEEPER].woken(self, len(found))
        else:
            # it would be decoded again and again
            del own[name]
        if not asleep:
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
        own: dict[Any, Any] = facts.__dict__
        asleep: set[str] = own.setdefault(_ASLEEP, set())
        for part in _PARTS:
            if own.get((part, "times"), 0) == _OFTEN:
                continue
            if part not in own:
                try:
                    own[part] = _ENCODER.encode(getattr(facts, part))
                except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError, RecursionError):
                    continue
            if part not in asleep:
                asleep.add(part)
                delattr(facts, part)
        if asleep:
            own[_KEEPER] = self
            facts.__class__ = DormantFacts


def _share_strings(nodes: list[Any]) -> None:
    """Make equal strings one object again, as they are where a text is lowered."""
    for node in nodes:
        kind = type(node)
        if kind is Attr or kind is Name or kind is Free:
            msgspec.structs.force_setattr(node, "name", sys.intern(node.name))
        elif kind is Const and type(node.value) is str:
            msgspec.structs.force_setattr(node, "value", sys.intern(node.value))
