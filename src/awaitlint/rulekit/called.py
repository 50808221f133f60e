"""The calls of a module by how they name what is called, so that rules need not go through all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index.facts import Attr, Call, Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from awaitlint.index.facts import ModuleFacts, Site


class Calls(NamedTuple):
    """The calls of a module, each at the site of its own: not at the uses of names that are bound to it."""

    #: in the order of the text
    all: list[tuple[Site, Call]]
    #: ``x.name(...)``
    attributes: dict[str, list[tuple[Site, Call]]]
    #: ``name(...)``, where the name is looked up in the module
    names: dict[str, list[tuple[Site, Call]]]
    others: list[tuple[Site, Call]]

    def named(self, names: Iterable[str]) -> Iterator[tuple[Site, Call]]:
        """The calls of names and attributes that are among some names."""
        for name in names:
            yield from self.attributes.get(name, ())
            yield from self.names.get(name, ())


def calls(facts: ModuleFacts, own: dict[int, Site]) -> Calls:
    """The calls of a module; `own` has the first site of each node, which is that of a call itself."""
    found = Calls([], {}, {}, [])
    nodes = facts.nodes
    for site in facts.sites:
        call = nodes[site.node]
        if type(call) is not Call or own[site.node] is not site:
            continue
        pair = (site, call)
        found.all.append(pair)
        func = nodes[call.func]
        if isinstance(func, Attr):
            found.attributes.setdefault(func.name, []).append(pair)
        elif isinstance(func, Name):
            found.names.setdefault(func.name, []).append(pair)
        else:
            found.others.append(pair)
    return found
