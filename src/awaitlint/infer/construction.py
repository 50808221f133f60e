"""Calls of classes: the object that is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin
from awaitlint.infer.typing import Mapping
from awaitlint.infer.values import (
    NONE,
    ClassValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    TupleValue,
    TypeVarValue,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.decorators import Decorators


class Construction(Decorators):
    """What inference knows of the construction of objects."""

    def instantiate(self, cls: ClassValue, arguments: Arguments) -> Value:
        """What calling a class gives."""
        if self.is_metaclass(cls):
            return Unknown("a class that a metaclass makes")
        if self.is_enum(cls) and cls.module.is_stdlib:
            return Unknown("an enumeration that is made by a call")
        if self._has_calling_metaclass(cls):
            return Unknown(f"the metaclass of `{cls.fact.name}` makes its instances")
        if cls.module.origin is Origin.BUNDLED and self._is_of_another_version(cls, arguments):
            return Unknown(f"`{cls.fact.name}` does not take these arguments in the version that is known")
        for entry in self.mro(cls):
            if entry is None:
                break
            new = entry.fact.bindings.get("__new__")
            if new is not None and not entry.module.is_stdlib:
                made = self.call(self.bind(self.value(entry.module, new[-1]), cls), arguments)
                if isinstance(made, (Instance, TupleValue)):
                    return made
                return Unknown(f"what `{cls.fact.name}.__new__` makes is not known")
            if new is not None and len(new) > 1 and not cls.args and self.type_params(cls.module, cls.scope):
                # the overloads of reversed and zip say what they give the items of
                overloads = self.bind(self.bound_functions(entry.module, new) or NONE, cls)
                if isinstance(overloads, OverloadedValue):
                    made = self.call_function(self.fitting(overloads, arguments)[0], arguments)
                    if isinstance(made, Instance) and made.cls.args:
                        return made
                break
        params = self.type_params(cls.module, cls.scope)
        if params and not cls.args:
            return Instance(self._with_arguments(cls, params, arguments))
        return self.class_instance(cls)

    def _is_of_another_version(self, cls: ClassValue, arguments: Arguments) -> bool:
        """Whether a class is made with arguments that its ``__init__`` does not have."""
        if arguments.call is None or not arguments.call.keywords:
            return False
        for entry in self.mro(cls):
            bound = entry.fact.bindings.get("__init__") if entry is not None else None
            if entry is None:
                return False
            if bound is None:
                continue
            init = entry.module.facts.nodes[bound[-1]]
            if len(bound) > 1 or not isinstance(init, f.Func):
                return False
            params = entry.module.facts.scopes[init.scope].params
            if any(param.kind == "kwarg" for param in params):
                return False
            names = {param.name for param in params} | {"**"}
            return any(name not in names for name, _ in arguments.call.keywords)
        return False

    def _has_calling_metaclass(self, cls: ClassValue) -> bool:
        for entry in self.mro(cls):
            for keyword, node in entry.fact.keywords if entry is not None else ():
                if entry is not None and keyword == "metaclass":
                    meta = self.value(entry.module, node)
                    if isinstance(meta, ClassValue) and not meta.module.is_stdlib:
                        return any(
                            base is not None
                            and not base.module.is_stdlib
                            and "__call__" in base.fact.bindings
                            for base in self.mro(meta)
                        )
        return False

    def _with_arguments(
        self, cls: ClassValue, params: tuple[TypeVarValue, ...], arguments: Arguments
    ) -> ClassValue:
        """A generic class with the type arguments that the constructor's arguments tell."""
        mapping: Mapping = {}
        call = arguments.call
        is_given = bool(arguments.values) or (call is not None and bool(call.args or call.keywords))
        init = self.instance_attribute(Instance(cls), "__init__") if is_given else NONE
        if isinstance(init, FunctionValue) and init.qualname == "builtins.object.__init__":
            init = self.instance_attribute(Instance(cls), "__new__")
        if isinstance(init, OverloadedValue):
            init = self.fitting(init, arguments)[0]
        if isinstance(init, FunctionValue):
            self._unify_arguments(init, arguments, mapping)
        args = tuple(
            mapping.get(param) or param.bound or Unknown(f"no argument says what `{param.name}` is")
            for param in params
        )
        known = any(not isinstance(arg, Unknown) for arg in args)
        return ClassValue(cls.module, cls.scope, args if known else ())
