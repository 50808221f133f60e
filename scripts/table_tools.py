"""What the generators of tables share: copying facts without what nobody asks for, and the container."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Any

import msgspec

from awaitlint.index import facts as f
from awaitlint.index.table import PREAMBLE, Layout

#: the fields of each kind of node that name other nodes; -1 stands for none
REFERENCES: dict[type[f.Node], tuple[str, ...]] = {
    **dict.fromkeys((f.Unknown, f.Const, f.Plain, f.Name, f.Import), ()),
    **dict.fromkeys((f.Free, f.Lambda, f.Func, f.Class, f.Param, f.Super, f.TypeParam), ()),
    **dict.fromkeys((f.Attr, f.Await, f.Yielded, f.Iter, f.Enter, f.Unpack, f.Starred), ("value",)),
    f.Phi: ("options",),
    f.Call: ("func", "args", "keywords"),
    f.Index: ("value", "index"),
    f.BinOp: ("left", "right"),
    f.Display: ("elements",),
    f.DictDisplay: ("keys", "values"),
    f.Comp: ("key", "element"),
    f.Caught: ("types",),
    f.Narrow: ("value", "against"),
    f.Declared: ("annotation", "value"),
}
#: nodes whose `scope` is an index of `ModuleFacts.scopes`
SCOPED = (f.Free, f.Lambda, f.Func, f.Class, f.Param, f.Super, f.TypeParam)
#: nodes that every module has in front: Unknown, None, True, False
FIXED = 4


class Copier:
    """Copies nodes of modules into one table, where equal ones are one node and only those asked for are.

    An annotation that occurs fifty times is resolved once.  Calls stay apart, since what two equal calls
    return need not be the same thing (``T = TypeVar("T")``).
    """

    def __init__(self) -> None:
        self.nodes: list[f.Node] = []
        self._shared: dict[bytes, int] = {}
        # of the module that is being copied
        self._source: list[f.Node] = []
        self._renumbered: dict[int, int] = {}
        #: nodes whose parts are being copied -> the place kept for them, or -1
        self._open: dict[int, int] = {}
        self._calls: Counter[bytes] = Counter()
        self._scope_map: dict[int, int] = {}

    def begin(self, nodes: list[f.Node], scope_map: dict[int, int]) -> None:
        """Copy from another module, whose scopes get the numbers of `scope_map`."""
        if not self.nodes:
            self.nodes = list(nodes[:FIXED])
        if self.nodes[:FIXED] != nodes[:FIXED]:
            raise ValueError(f"facts begin with {nodes[:FIXED]}")
        self._source = nodes
        self._scope_map = scope_map
        self._renumbered = {index: index for index in range(-1, FIXED)}
        self._calls.clear()

    def number(self, index: int) -> int:
        """The new number of a node; its parts get theirs first, but where a loop leads back to it."""
        done = self._renumbered.get(index)
        if done is not None:
            return done
        if index in self._open:
            if self._open[index] < 0:
                self._open[index] = self._add(f.Unknown())
            return self._open[index]
        self._open[index] = -1
        node = self._copied(self._source[index])
        kept = self._open.pop(index)
        if kept < 0:
            kept = self._share(node)
        else:
            self.nodes[kept] = node
        self._renumbered[index] = kept
        return kept

    def _copied(self, node: f.Node) -> f.Node:
        changed = {field: self._mapped(getattr(node, field)) for field in REFERENCES[type(node)]}
        if isinstance(node, SCOPED):
            changed["scope"] = self._scope_map[node.scope]
        return msgspec.structs.replace(node, **changed) if changed else node

    def _mapped(self, value: Any) -> Any:
        """A field that names nodes: an index, several, or pairs of keyword and index."""
        if isinstance(value, int):
            return self.number(value)
        return tuple(
            self.number(item) if isinstance(item, int) else (item[0], self.number(item[1])) for item in value
        )

    def _add(self, node: f.Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _share(self, node: f.Node) -> int:
        # equality alone would take Const(1) for Const(True)
        key = msgspec.msgpack.encode(node)
        if isinstance(node, f.Call):
            # the n-th of equal calls in one module is the n-th of them in another
            self._calls[key] += 1
            key += self._calls[key].to_bytes(2, "little")
        known = self._shared.get(key)
        if known is None:
            known = self._shared[key] = self._add(node)
        return known

    def numbers(self, nodes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(map(self.number, nodes))

    def scope(self, scope: f.Scope, **fields: Any) -> f.Scope:
        """A scope's copy, without places in the text; `fields` replace what its record says."""
        number = self.number
        given = {
            "parent": scope.parent if scope.parent < 0 else self._scope_map[scope.parent],
            "line": 0,
            "first_line": 0,
            "end_line": 0,
            "column": 0,
            "decorators": self.numbers(scope.decorators),
            "params": tuple(
                f.ParamFact(p.name, p.kind, number(p.annotation), number(p.default)) for p in scope.params
            ),
            "returns": number(scope.returns),
            "returned": self.numbers(fields.pop("returned", scope.returned)),
            "yielded": self.numbers(fields.pop("yielded", scope.yielded)),
            "bases": self.numbers(scope.bases),
            "keywords": tuple((name, number(value)) for name, value in scope.keywords),
            "bindings": self.names(fields.pop("bindings", scope.bindings)),
            "attributes": self.names(fields.pop("attributes", scope.attributes)),
        }
        return msgspec.structs.replace(scope, **given, **fields)

    def names(self, names: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        return {
            name: (self._share(f.Plain("list")),) if name == "__all__" else self.numbers(nodes)
            for name, nodes in names.items()
        }


class Body:
    """The compressed streams of a table; equal ones are stored once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._places: dict[bytes, tuple[int, int]] = {}

    def add(self, content: bytes) -> tuple[int, int]:
        """Offset and length of the content's stream; length 0 for no content."""
        if not content:
            return (0, 0)
        if content not in self._places:
            stream = zlib.compress(content, 9)
            self._places[content] = (len(self.data), len(stream))
            self.data += stream
        return self._places[content]


def table(layout: Layout, header: msgspec.Struct, body: Body) -> bytes:
    """A table's bytes, in the layout that `awaitlint.index.table` describes."""
    data = msgspec.msgpack.encode(header)
    preamble = PREAMBLE.pack(layout.magic, layout.container, len(data), zlib.crc32(data))
    return preamble + data + bytes(body.data)
