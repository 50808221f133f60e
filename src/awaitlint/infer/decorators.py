"""What decorators make of functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.reached import reached
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.known import (
    CONTEXT_MANAGERS,
    PROPERTIES,
    is_transparent,
)
from awaitlint.infer.values import (
    CallableValue,
    ClassMethodValue,
    ClassValue,
    Context,
    ContextManagerValue,
    External,
    FunctionValue,
    Instance,
    OverloadedValue,
    PropertyValue,
    StaticMethodValue,
    TypeVarValue,
    UnionValue,
    Unknown,
    Value,
    union,
)

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
from awaitlint.infer.signatures import Signatures


class Decorators(Signatures):
    """Known decorators go by name, those of the project are called."""

    # ------------------------------------------------------------------ decorators
    def decorated(self, module: Module, decorator: int, value: Value, context: Context) -> Value:
        """What a decorator makes of a function."""
        found = self.value(module, decorator, context)
        if isinstance(found, ClassValue):
            name = found.qualname
            if name in PROPERTIES or self.has_base(found, "builtins.property"):
                return PropertyValue(value)
            if name in ("builtins.staticmethod", "abc.abstractstaticmethod"):
                return StaticMethodValue(value)
            if name in ("builtins.classmethod", "abc.abstractclassmethod"):
                return ClassMethodValue(value)
        name = self._decorator_name(module, decorator, found, context)
        if name in CONTEXT_MANAGERS:
            return self._context_manager(value, is_async=CONTEXT_MANAGERS[name])
        if name and is_transparent(name):
            return value
        path = reached(self.project, module, decorator)
        if path and is_transparent(path):
            return value
        if isinstance(found, (FunctionValue, ClassValue)) and found.module.is_stdlib:
            return Unknown(f"what the decorator `{name}` makes is not known")
        if isinstance(found, (FunctionValue, OverloadedValue)):
            return self._apply(found, value)
        if isinstance(found, CallableValue):
            return self.call(found, Arguments(values=(value,)))
        if isinstance(found, ClassValue):
            return self.call(found, Arguments(values=(value,)))
        if isinstance(found, Instance) and not found.cls.module.is_stdlib:
            called = self.attribute(found, "__call__")
            if isinstance(called, FunctionValue):
                return self._apply(called, value)
            return Unknown(f"what `{found.cls.fact.name}.__call__` makes of a function is not known")
        return Unknown(f"the decorator{f' `{name}`' if name else ''} is not known")

    def _decorator_name(self, module: Module, decorator: int, found: Value, context: Context) -> str:
        """The qualified name by which a decorator can be known; of ``@d(...)``, the name of ``d``."""
        if isinstance(found, External):
            return found.path
        if isinstance(found, (FunctionValue, ClassValue)):
            return found.qualname
        if isinstance(found, OverloadedValue):
            return found.functions[0].qualname
        node = module.facts.nodes[decorator]
        if isinstance(node, f.Call):
            maker = self.value(module, node.func, context)
            if isinstance(maker, OverloadedValue):
                maker = maker.functions[0]
            if isinstance(maker, Instance):
                return maker.cls.qualname
            if isinstance(maker, (FunctionValue, ClassValue)) and maker.module.is_stdlib:
                return maker.qualname
        if isinstance(found, Instance) and found.cls.module.is_stdlib:
            return found.cls.qualname
        return ""

    def _apply(self, decorator: Value, value: Value) -> Value:
        """Call a decorator that is at hand with the function."""
        function = decorator.functions[0] if isinstance(decorator, OverloadedValue) else decorator
        if not isinstance(function, FunctionValue) or function.fact.is_async:
            return Unknown("the decorator is no plain function")
        if self._returns_its_argument(function):
            return value
        made = self.call(decorator, Arguments(values=(value,)))
        wrapped = value.fact.is_async if isinstance(value, FunctionValue) else None
        if isinstance(made, UnionValue) and wrapped is not None:
            # a decorator for both worlds returns an async wrapper for an async function
            same = [m for m in made.members if isinstance(m, FunctionValue) and m.fact.is_async == wrapped]
            others = [m for m in made.members if not isinstance(m, FunctionValue)]
            if same and not others:
                return union(list(same))
        return made

    def _returns_its_argument(self, function: FunctionValue) -> bool:
        """Whether a decorator is annotated ``(F) -> F`` or ``(Callable[P, R]) -> Callable[P, R]``."""
        fact = function.fact
        first = 1 if function.receiver is not None else 0
        if fact.returns < 0 or len(fact.params) <= first:
            return False
        returns = self.annotation(function.module, fact.returns, function.context)
        if not isinstance(returns, TypeVarValue) and not (
            isinstance(returns, CallableValue) and isinstance(returns.result, TypeVarValue)
        ):
            return False
        annotation = fact.params[first].annotation
        return annotation >= 0 and self.annotation(function.module, annotation, function.context) == returns

    def _context_manager(self, value: Value, *, is_async: bool) -> Value:
        if not isinstance(value, FunctionValue):
            return Unknown("what makes the context manager is no function")
        if value.fact.returns >= 0:
            declared = self.annotation(value.module, value.fact.returns, value.context)
            if isinstance(declared, Instance) and declared.cls.args:
                item = declared.cls.args[0]
                if not isinstance(item, Unknown):
                    return CallableValue(ContextManagerValue(is_async, self.erase(item)), value)
        item = union([self.value(value.module, node, value.context) for node in value.fact.yielded])
        return CallableValue(ContextManagerValue(is_async, item), value)
