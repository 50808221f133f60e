"""Facts of packages as the table holds them: the inverse of what `awaitlint.index.packages` reads."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from table_tools import REFERENCES, Body, table

from awaitlint.index import facts as f
from awaitlint.index import packages as p

#: Decompressed bytes of a chunk: larger ones compress better, smaller ones are read faster.
CHUNK = 128 * 1024


class Packed(NamedTuple):
    """A module as the table holds it."""

    data: bytes
    is_package: bool
    is_stub: bool


#: what the generated file says: top-level package → module → what it holds
Library = dict[str, dict[str, Packed]]


def _bound(facts: f.ModuleFacts) -> dict[int, int]:
    """Scope → node, of the definitions that are bound to nothing but their own name around them."""
    found: dict[int, int] = {}
    for number, scope in enumerate(facts.scopes):
        for name, nodes in scope.bindings.items():
            if own := _own(facts, number, name, nodes):
                found.update(own)
    return found


def _own(facts: f.ModuleFacts, number: int, name: str, nodes: tuple[int, ...]) -> dict[int, int]:
    """Scope → node, where a name is bound to definitions of that name only, in the order of the text."""
    found: dict[int, int] = {}
    for index in nodes:
        node = facts.nodes[index]
        if not isinstance(node, (f.Func, f.Class)):
            return {}
        scope = facts.scopes[node.scope]
        if scope.name != name or scope.parent != number or any(node.scope <= other for other in found):
            return {}
        if (scope.kind is f.ScopeKind.CLASS) != isinstance(node, f.Class):
            return {}
        found[node.scope] = index
    return found


def _imported(facts: f.ModuleFacts) -> dict[str, int]:
    """Name → node, of what a module imports and calls as it is called there; grouped by where it is from."""
    found = {}
    for name, nodes in facts.scopes[0].bindings.items():
        node = facts.nodes[nodes[0]]
        if len(nodes) == 1 and isinstance(node, f.Import) and name == (node.name or node.module):
            found[name] = nodes[0]
    keys: dict[tuple[str, int, bool], int] = {}
    for node in map(facts.nodes.__getitem__, found.values()):
        assert isinstance(node, f.Import)
        keys.setdefault((node.module, node.level, bool(node.name)), len(keys))

    def group(name: str) -> int:
        node = facts.nodes[found[name]]
        assert isinstance(node, f.Import)
        return keys[node.module, node.level, bool(node.name)]

    return {name: found[name] for name in sorted(found, key=group)}


def _grouped(facts: f.ModuleFacts, imported: dict[str, int]) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    """`Record.imports`."""
    groups: dict[tuple[str, int, bool], list[str]] = {}
    for index in imported.values():
        node = facts.nodes[index]
        assert isinstance(node, f.Import)
        names = groups.setdefault((node.module, node.level, bool(node.name)), [])
        if node.name:
            names.append(node.name)
    return tuple((module, level, tuple(names)) for (module, level, _), names in groups.items())


def _said_exports(facts: f.ModuleFacts) -> tuple[str, ...] | None:
    """`Record.exports`."""
    public = {name for name in facts.scopes[0].bindings if not name.startswith("_")}
    exports = facts.exports
    return None if exports is None or (set(exports) == public and not facts.stars) else exports


def encode(facts: f.ModuleFacts) -> bytes:
    """A module's facts as `Record`; sites and places are not stored."""
    first = len(p.FIRST_NODES)
    if tuple(facts.nodes[:first]) not in (p.FIRST_NODES, ()):
        raise ValueError(f"facts begin with {facts.nodes[:first]}")
    bound, imported = _bound(facts), _imported(facts)
    implied = {*bound.values(), *imported.values()}
    order = [index for index in range(len(facts.nodes)) if index not in implied]
    order += [*imported.values(), *(bound[scope] for scope in sorted(bound))]
    renumbered = {old: new for new, old in enumerate(order)} | {-1: -1}

    def mapped(value: Any) -> Any:
        if isinstance(value, int):
            return renumbered[value]
        return tuple(
            renumbered[item] if isinstance(item, int) else (item[0], renumbered[item[1]]) for item in value
        )

    nodes = []
    for index in order[first : len(order) - len(implied)]:
        node = facts.nodes[index]
        changed = {field: mapped(getattr(node, field)) for field in REFERENCES[type(node)]}
        nodes.append(msgspec.structs.replace(node, **changed) if changed else node)
    definitions = []
    for number, scope in enumerate(facts.scopes):
        flags = int(scope.kind)
        for bit, is_set in (
            (p.IS_ASYNC, scope.is_async),
            (p.IS_GENERATOR, scope.is_generator),
            (p.FALLS_THROUGH, scope.falls_through),
            (p.IS_STUB, scope.is_stub),
            (p.IS_BOUND, number in bound),
        ):
            flags |= bit if is_set else 0
        definition = p.Definition(
            flags=flags,
            name=scope.name,
            parent=scope.parent,
            params=tuple(
                f.ParamFact(each.name, each.kind, mapped(each.annotation), mapped(each.default))
                for each in scope.params
            ),
            returns=mapped(scope.returns),
            returned=mapped(scope.returned),
            decorators=mapped(scope.decorators),
            bases=mapped(scope.bases),
            bindings={
                name: mapped(nodes)
                for name, nodes in scope.bindings.items()
                if not _own(facts, number, name, nodes) and (number or name not in imported)
            },
            attributes={name: mapped(nodes) for name, nodes in scope.attributes.items()},
            yielded=mapped(scope.yielded),
            keywords=mapped(scope.keywords),
            type_params=scope.type_params,
        )
        definitions.append(_trimmed(definition))
    record = p.Record(
        nodes, (), _grouped(facts, imported), facts.stars, _said_exports(facts), tuple(facts.patched)
    )
    fields = _trimmed(record)
    fields[1] = definitions
    return msgspec.msgpack.encode(fields)


def _trimmed(record: Any) -> list[Any]:
    """A record's fields, less trailing ones that have their default."""
    fields = [getattr(record, name) for name in record.__struct_fields__]
    defaults = [
        None
        if field.required
        else field.default_factory()
        if field.default is msgspec.NODEFAULT
        else field.default
        for field in msgspec.structs.fields(type(record))
    ]
    least = sum(field.required for field in msgspec.structs.fields(type(record)))
    while len(fields) > least and fields[-1] == defaults[len(fields) - 1]:
        fields.pop()
    return fields


def pack(library: Library, distributions: dict[str, str]) -> bytes:
    """The table's bytes, in the layout that `awaitlint.index.packages` describes."""
    body = Body()
    places = {}
    for package, modules in sorted(library.items()):
        runs: list[list[str]] = []
        room = 0
        for name, packed in sorted(modules.items()):
            if len(packed.data) > room:
                runs.append([])
                room = CHUNK
            runs[-1].append(name)
            room -= len(packed.data)
        index = []
        for names in runs:
            run = [modules[name] for name in names]
            place = body.add(b"".join(packed.data for packed in run))
            short = tuple(name.removeprefix(package) for name in names)
            flags = tuple(
                p.IS_PACKAGE * packed.is_package + p.IS_STUB_FILE * packed.is_stub for packed in run
            )
            index.append(p.Chunk(*place, short, tuple(len(packed.data) for packed in run), flags))
        places[package] = body.add(msgspec.msgpack.encode(index))
    header = p.Header(f.SCHEMA, len(body.data), dict(sorted(distributions.items())), places)
    return table(p.LAYOUT, header, body)


def unpack(path: Any) -> tuple[Library, dict[str, str]]:
    """What a table holds, and the distributions that it was made from.

    Raises:
        TableError: It cannot be read.
    """
    file = p.TableFile(path)
    library: Library = {}
    for package in file.header.packages:
        library[package] = {
            name: Packed(file.data(entry), entry.is_package, entry.is_stub)
            for name, entry in file.index(package).items()
        }
    return library, file.header.distributions
