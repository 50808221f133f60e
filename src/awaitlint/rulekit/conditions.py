"""Whether the arguments of a blocking call say that it does not wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.blocking import Check

if TYPE_CHECKING:
    from awaitlint.index.blocking import Condition
    from awaitlint.index.modules import Module


def holds(module: Module, call: f.Call, name: str, condition: Condition) -> bool:
    """Whether an argument is one with which a call of that name does not block; what is not told is not."""
    nodes = module.facts.nodes
    given = next((value for keyword, value in call.keywords if keyword == condition.parameter), -1)
    if given < 0 and 0 <= condition.position < len(call.args):
        given = call.args[condition.position]
    spread = any(keyword == "**" for keyword, _ in call.keywords) or any(
        isinstance(nodes[argument], f.Starred) for argument in call.args
    )
    if given < 0:
        # what is spread may hold it
        return spread or condition.check is Check.ABSENT
    if condition.check is Check.GIVEN:
        return True
    if condition.check is Check.ABSENT:
        return False
    node = nodes[given]
    if condition.check is Check.FLAG:
        return _flags(module, given, condition.values)
    if isinstance(node, f.Const):
        return any(
            node.value == value and (node.value is None) == (value is None) for value in condition.values
        )
    # a flag that is computed may be off; nobody computes a time of nothing, or None, but for polling
    flags = any(isinstance(value, bool) for value in condition.values) or name.startswith("select")
    return flags and not isinstance(node, (f.Plain, f.Display, f.DictDisplay))


def _flags(module: Module, index: int, names: tuple[object, ...]) -> bool:
    node = module.facts.nodes[index]
    if isinstance(node, f.BinOp):
        return _flags(module, node.left, names) or _flags(module, node.right, names)
    if isinstance(node, f.Attr):
        return node.name in names
    # what stands for a number may hold the flag
    return not isinstance(node, f.Const)
