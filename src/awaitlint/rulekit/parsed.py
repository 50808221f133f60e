"""Calls that give data which was read from a text: it cannot be awaited, whatever their annotation says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.values import External, FunctionValue, NoneValue, members

if TYPE_CHECKING:
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

#: what makes numbers, texts, lists and dicts of a text
_PARSERS = frozenset(
    {
        "ast.literal_eval",
        "json.load",
        "json.loads",
        "json.decoder.JSONDecoder.decode",
        "json.decoder.JSONDecoder.raw_decode",
        "orjson.loads",
        "simplejson.load",
        "simplejson.loads",
        "ujson.load",
        "ujson.loads",
        "yaml.safe_load",
        "yaml.safe_load_all",
    }
)
#: arguments by which the caller decides what is made
_HOOKS = frozenset({"cls", "default", "object_hook", "object_pairs_hook", "**"})
#: functions that hand on what others parse, one inside of the other
_DEEPEST = 4


def is_parsed(module: ModuleContext, node: int) -> bool:
    """Whether a node is a call that certainly gives what a parser made: ``json.loads(text)``.

    Also a call of a plain function all of whose results are such calls, as `json` of an HTTP response is.
    """
    call = module.facts.nodes[node]
    if not isinstance(call, f.Call) or not _HOOKS.isdisjoint(name for name, _ in call.keywords):
        return False
    return _parses(module.infer, module.infer.value(module.module, call.func), _DEEPEST)


def _parses(infer: Inference, value: Value, depth: int) -> bool:
    """Whether calling a value gives what a parser made."""
    return all(_is_parser(infer, each, depth) for each in members(value))


def _is_parser(infer: Inference, value: Value, depth: int) -> bool:
    if isinstance(value, External):
        return value.path in _PARSERS
    if not isinstance(value, FunctionValue):
        return False
    if value.qualname in _PARSERS:
        return True
    fact, nodes = value.fact, value.module.facts.nodes
    if not depth or fact.is_async or fact.is_generator or fact.is_stub or fact.decorators:
        return False
    if not fact.returned or infer.is_hook(value):
        return False
    for index in fact.returned:
        node = nodes[index]
        if isinstance(node, f.Call):
            if not _parses(infer, infer.value(value.module, node.func), depth - 1):
                return False
        elif not isinstance(infer.value(value.module, index), NoneValue):
            return False
    return True
