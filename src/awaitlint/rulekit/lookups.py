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
    if isinstance(node, f.Call) and isinstance(func := nodes[node.func], f.Attr) and func.name in _GETTERS:
        container, key = func.value, node.args[0] if node.args else -1
    elif isinstance(node, f.Index):
        container, key = node.value, node.index
    else:
        return False
    value = module.infer.value(module.module, container)
    if not isinstance(value, Instance) or value.cls.qualname not in ("builtins.dict", "builtins.list"):
        return False
    display = nodes[container]
    if isinstance(display, f.DictDisplay) and key >= 0 and key in display.keys:
        # it was there from the start; perhaps something else was put in its place
        return any(
            site.use is Use.STORED
            and site.other >= 0
            and isinstance(target := nodes[site.other], f.Index)
            and target.value == container
            for site in module.facts.sites
        )
    return not module.infer.is_written(module.module, container)
