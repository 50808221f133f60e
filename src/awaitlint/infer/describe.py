"""Values in words, for messages, tests and ``reveal``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.infer.values import (
    AwaitableValue,
    CallableValue,
    ClassMethodValue,
    ClassValue,
    ContextManagerValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    ModuleValue,
    NeverValue,
    NoneValue,
    OverloadedValue,
    PropertyValue,
    SpecialForm,
    StaticMethodValue,
    SuperValue,
    TupleValue,
    TypeForm,
    TypeVarValue,
    UnionValue,
    Value,
)

if TYPE_CHECKING:
    from awaitlint.infer.engine import Inference


def describe(inference: Inference, value: Value, depth: int = 0) -> str:
    """A short description, such as ``Coroutine[User]`` or ``list[int] | None``."""
    if depth > 4:
        return "…"

    def inner(other: Value) -> str:
        return describe(inference, other, depth + 1)

    match value:
        case NoneValue():
            return "None"
        case NeverValue():
            return "Never"
        case ModuleValue(module):
            return f"module {module.name}"
        case External(path):
            return f"Unknown ({path})" if depth == 0 else "Unknown"
        case Instance(cls):
            known = [inner(arg) for arg in cls.args]
            args = "" if not known or all(arg == "Unknown" for arg in known) else f"[{', '.join(known)}]"
            return f"{cls.fact.name}{args}"
        case ClassValue():
            return f"type[{value.fact.name}]"
        case FunctionValue(receiver=None):
            return f"def {value.qualname}"
        case FunctionValue():
            return f"bound method {value.fact.qualname}"
        case OverloadedValue(functions):
            return inner(functions[0]) if depth else describe(inference, functions[0])
        case CallableValue(result):
            return f"Callable[{inner(result)}]"
        case PropertyValue():
            return "property"
        case StaticMethodValue(function) | ClassMethodValue(function):
            return describe(inference, function, depth)
        case AwaitableValue(kind):
            return f"{kind}[{inner(inference.awaited(value))}]"
        case GeneratorValue(is_async, item):
            return f"{'AsyncGenerator' if is_async else 'Generator'}[{inner(item)}]"
        case ContextManagerValue(is_async, item):
            return f"{'AsyncContextManager' if is_async else 'ContextManager'}[{inner(item)}]"
        case TupleValue(elements):
            return f"tuple[{', '.join(map(inner, elements))}]"
        case SuperValue(cls):
            return f"super of {cls.fact.name}"
        case TypeVarValue(name=name):
            return name
        case SpecialForm(name):
            return name
        case TypeForm(instance):
            return f"type[{inner(instance)}]"
        case UnionValue(found):
            return " | ".join(map(inner, found))
        case _:
            return "Unknown"
