"""What inference found out, in words, why it found out no more, and which way it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.infer.describe import describe
from awaitlint.infer.values import (
    AwaitableValue,
    CallableValue,
    ClassValue,
    ContextManagerValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    OverloadedValue,
    TupleValue,
    UnionValue,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index import facts as f
    from awaitlint.index.modules import Module
    from awaitlint.infer.engine import Inference
    from awaitlint.infer.evaluator import Arguments
    from awaitlint.infer.values import Context

#: how deep in a type its unknown parts are looked for
_DEPTH = 4


def verdict(inference: Inference, value: Value) -> str:
    """A value as `describe` has it, and what makes it unknown, in whole or in part."""
    if isinstance(value, (Unknown, External)):
        reason = why_unknown(value)
        return f"unknown: {reason}" if reason else "unknown"
    described = describe(inference, value)
    reason = next(filter(None, map(why_unknown, _unknown_parts(inference, value))), "")
    return f"{described} (unknown: {reason})" if reason else described


def is_known(inference: Inference, value: Value) -> bool:
    """Whether no part of a value is unknown."""
    return next(_unknown_parts(inference, value), None) is None


def why_unknown(value: Value) -> str:
    """Why a value is unknown; empty where inference does not say."""
    if isinstance(value, External):
        package = value.path.partition(".")[0].partition("(")[0]
        return f"the code of `{package}` is not at hand"
    return value.reason if isinstance(value, Unknown) else ""


def _unknown_parts(inference: Inference, value: Value, depth: int = 0) -> Iterator[Value]:
    if depth > _DEPTH:
        return
    parts: tuple[Value, ...] = ()
    if isinstance(value, (Unknown, External)):
        yield value
    elif isinstance(value, UnionValue):
        parts = value.members
    elif isinstance(value, TupleValue):
        parts = value.elements
    elif isinstance(value, Instance):
        parts = value.cls.args
    elif isinstance(value, AwaitableValue):
        parts = (inference.awaited(value),)
    elif isinstance(value, CallableValue):
        parts = (value.result,)
    elif isinstance(value, (GeneratorValue, ContextManagerValue)):
        parts = (value.item,)
    for part in parts:
        yield from _unknown_parts(inference, part, depth + 1)


# -------------------------------------------------------------------------------- the ways of calls
def is_known_by_name(inference: Inference, module: Module, call: f.Call, context: Context) -> bool:
    """Whether what a call gives is known by the name of its function, such as `typing.cast`."""
    func = inference.value(module, call.func, context)
    if isinstance(func, OverloadedValue):
        func = func.functions[0]
    if isinstance(func, FunctionValue) and func.module.is_stdlib and func.receiver is None:
        return inference._special_function(module, func.qualname, call, context) is not None
    if isinstance(func, ClassValue) and func.module.is_stdlib:
        return inference._special_class(module, func, call, context) is not None
    return False


def body_context(inference: Inference, func: FunctionValue, arguments: Arguments) -> Context:
    """What a call tells of the parameters of a function, with which its body is evaluated."""
    if not inference._may_depend_on_parameters(func.module, func.scope):
        return func.context
    return inference._call_context(func, arguments)


def body_decides(inference: Inference, func: FunctionValue, declared: Value) -> bool:
    """Whether a function's body counts for more than its return annotation."""
    return inference._is_eager(func, declared) or inference._is_either(func, declared)
