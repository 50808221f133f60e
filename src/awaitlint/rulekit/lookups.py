"""Items of dicts and lists: what is known of one that the code looks up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.values import Instance, NoneValue, Unknown, members

if TYPE_CHECKING:
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

#: methods that give an item, and may give None
_GETTERS = frozenset({"get", "pop", "setdefault"})
#: methods that give all items
_VIEWS = frozenset({"values", "items", "copy"})
#: containers that can be added to
_FILLED = frozenset({"builtins.dict", "builtins.list", "builtins.set"})


def is_plain_lookup(module: ModuleContext, site: f.Site, value: Value) -> bool:
    """Whether a site is ``payload.get("key")`` on a plain dict: None where the key is missing, else data.

    Only for dicts that come from outside, not for those that the code itself fills.
    """
    nodes = module.facts.nodes
    call = nodes[site.node]
    if not isinstance(call, f.Call) or len(call.args) != 1 or call.keywords:
        return False
    func, key = nodes[call.func], nodes[call.args[0]]
    if not isinstance(func, f.Attr) or func.name != "get" or not isinstance(nodes[func.value], f.Param):
        return False
    if not isinstance(key, f.Const) or not isinstance(key.value, str):
        return False
    found = members(value)
    if not any(isinstance(m, NoneValue) for m in found) or not any(isinstance(m, Unknown) for m in found):
        return False
    receiver = module.infer.value(module.module, func.value)
    return any(isinstance(m, Instance) and m.cls.qualname == "builtins.dict" for m in members(receiver))


def is_item_of_filled(module: ModuleContext, node: f.Node) -> bool:
    """Whether a node is an item of a container of which only the first items are known.

    The container is one that the code itself made: ``jobs = {"id": 1}``, to which ``jobs["work"] = start()``
    is added later.
    """
    nodes = module.facts.nodes
    found = _container(nodes, node)
    if found is None:
        return False
    container, key = found
    value = module.infer.value(module.module, container)
    if not isinstance(value, Instance) or value.cls.qualname not in _FILLED:
        return False
    display = nodes[container]
    if isinstance(display, f.DictDisplay) and key >= 0 and key in display.keys:
        # it was there from the start; perhaps something else was put in its place
        return any(_is_filled_by(nodes, site, container) for site in module.facts.sites)
    if key < 0 and isinstance(display, (f.Display, f.DictDisplay, f.Comp)):
        # all that it holds: the code may have added something where it did more than to iterate it
        users = module.infer.users(module.module).get(container, ())
        return any(_may_fill(nodes[user]) for user in users) or any(
            _is_filled_by(nodes, site, container) for site in module.facts.sites
        )
    return not module.infer.is_written(module.module, container)


def is_set_to_awaitable(module: ModuleContext, node: f.Node) -> bool:
    """Whether a node loads an attribute that its class sets to an awaitable, whatever it is declared."""
    infer = module.infer
    owner = infer.value(module.module, node.value) if isinstance(node, f.Attr) else None
    if not isinstance(node, f.Attr) or not isinstance(owner, Instance):
        return False
    return any(
        infer.is_awaitable(infer.value(entry.module, assigned))
        for entry in infer.mro(owner.cls)
        if entry is not None
        for assigned in entry.fact.attributes.get(node.name, ())
    )


def _container(nodes: list[f.Node], node: f.Node) -> tuple[int, int] | None:
    """The container of which a node is an item, and the key, which is -1 where it may be any item."""
    if isinstance(node, f.Call) and isinstance(func := nodes[node.func], f.Attr):
        if func.name in _GETTERS:
            return func.value, node.args[0] if node.args else -1
        return None
    if isinstance(node, f.Index):
        return node.value, node.index
    if isinstance(node, (f.Iter, f.Unpack)):
        inner = nodes[node.value]
        if isinstance(inner, f.Iter):
            return _container(nodes, inner)
        if isinstance(inner, f.Call) and isinstance(func := nodes[inner.func], f.Attr):
            return (func.value, -1) if func.name in _VIEWS else None
        return node.value, -1
    return None


def _is_filled_by(nodes: list[f.Node], site: f.Site, container: int) -> bool:
    """Whether a site sets an item of a container, perhaps from a nested function."""
    target = nodes[site.other] if site.use is Use.STORED and site.other >= 0 else None
    return isinstance(target, f.Index) and (
        target.value == container or isinstance(nodes[target.value], f.Free)
    )


def _may_fill(user: f.Node) -> bool:
    """Whether a node that uses a container may add to it: a method, or a function that it is given to."""
    return isinstance(user, f.Call) or (isinstance(user, f.Attr) and user.name not in _VIEWS)
