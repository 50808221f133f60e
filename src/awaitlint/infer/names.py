"""What names stand for: in modules, in builtins, as parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.special import SPECIAL_FORMS, TYPING_ALIASES, TYPING_MODULES
from awaitlint.infer.values import (
    NONE,
    AwaitableValue,
    CallableValue,
    ClassValue,
    Context,
    External,
    FunctionValue,
    Instance,
    ModuleValue,
    NoneValue,
    SpecialForm,
    TypeVarValue,
    Unknown,
    Value,
    union,
)

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
from awaitlint.infer.evaluator import CYCLE, UNCUT, Evaluator

_NO_TABLE = Unknown("this version of Python has no such thing in its standard library")


class Names(Evaluator):
    """Looks up names."""

    # ------------------------------------------------------------------ names
    def builtin(self, name: str) -> Value:
        """What a name of `builtins` stands for."""
        builtins = self.project.stdlib_module("builtins")
        return self.module_attribute(builtins, name) if builtins is not None else _NO_TABLE

    def instance_of(self, name: str, *args: Value) -> Value:
        """An instance of a builtin class."""
        cls = self.builtin(name)
        return Instance(ClassValue(cls.module, cls.scope, args)) if isinstance(cls, ClassValue) else _NO_TABLE

    def stdlib_instance(self, module_name: str, name: str, *args: Value) -> Value:
        """An instance of a class of the standard library."""
        module = self.project.stdlib_module(module_name)
        cls = self.module_attribute(module, name) if module is not None else _NO_TABLE
        return Instance(ClassValue(cls.module, cls.scope, args)) if isinstance(cls, ClassValue) else _NO_TABLE

    def module_attribute(self, module: Module, name: str) -> Value:
        """What ``module.name`` stands for, submodules included."""
        key = (module, name)
        known = self._lookups.get(key)
        if known is not None:
            return known
        result, final = self.guarded(key, self._module_attribute, module, name)
        if final:
            self._lookups[key] = result
        return result

    def _module_attribute(self, module: Module, name: str) -> Value:
        if module.is_stdlib and module.name in TYPING_MODULES:
            if name in SPECIAL_FORMS:
                return SpecialForm(name)
            if name in TYPING_ALIASES:
                source, original = TYPING_ALIASES[name]
                target = self.project.stdlib_module(source)
                return self.module_attribute(target, original) if target is not None else _NO_TABLE
        nodes = module.facts.scopes[0].bindings.get(name)
        if nodes is not None:
            found = self.bound_functions(module, nodes)
            if found is None:
                found = union([self.value(module, node) for node in nodes])
            # a global that is None here is set from elsewhere
            if not isinstance(found, NoneValue):
                return found
        for source, level in reversed(module.facts.stars):
            target = self.project.resolve(module, source, level)
            if target is None:
                return Unknown(f"a star import of `{source}`, which is not at hand, may bind `{name}`")
            if target is not module and self._exported(target, name):
                found = self.module_attribute(target, name)
                if not isinstance(found, Unknown) or found is CYCLE or _may_be_bound(found):
                    return found
        sub = self.project.submodule(module, name)
        if sub is not None:
            return ModuleValue(sub)
        return Unknown(f"`{module.name}` has no `{name}`")

    def _exported(self, module: Module, name: str) -> bool:
        exports = module.facts.exports
        if exports is not None:
            return name in exports
        return not name.startswith("_")

    def _binds(self, module: Module, name: str) -> bool:
        return name in module.facts.scopes[0].bindings or bool(module.facts.stars)

    def _name(self, module: Module, node: f.Name, _context: Context) -> Value:
        if self._binds(module, node.name):
            found = self.module_attribute(module, node.name)
            if not isinstance(found, Unknown) or node.name in module.facts.scopes[0].bindings:
                return found
            if _may_be_bound(found):
                return found
        builtin = self.builtin(node.name)
        return Unknown(f"`{node.name}` is not defined") if isinstance(builtin, Unknown) else builtin

    def _free(self, module: Module, node: f.Free, context: Context) -> Value:
        key = (module, node.scope, node.name)
        known = None if context else self._frees.get(key)
        if known is not None:
            return known
        nodes = module.facts.scopes[node.scope].bindings.get(node.name, ())
        found = union([self.value(module, bound, context) for bound in nodes])
        if not context and self._cut == UNCUT:
            self._frees[key] = found
        return found

    def _import(self, module: Module, node: f.Import, _context: Context) -> Value:
        target = self.project.resolve(module, node.module, node.level)
        if target is None:
            if node.level:
                return Unknown(f"there is no module `{'.' * node.level}{node.module}`")
            return External(f"{node.module}.{node.name}" if node.name else node.module)
        if not node.name:
            return ModuleValue(target)
        if target is module and target.is_package and node.name not in target.facts.scopes[0].bindings:
            sub = self.project.submodule(target, node.name)
            return ModuleValue(sub) if sub is not None else Unknown(f"`{target.name}` has no `{node.name}`")
        found = self.module_attribute(target, node.name)
        if isinstance(found, Unknown) and target.is_package:
            sub = self.project.submodule(target, node.name)
            if sub is not None:
                return ModuleValue(sub)
        return found

    # ------------------------------------------------------------------ parameters
    def contradicts_annotation(self, default: Value, declared: CallableValue) -> bool:
        """Whether a function that is assigned gives no awaitable where its annotation promises one."""
        if not isinstance(declared.result, AwaitableValue) or not isinstance(default, FunctionValue):
            return False
        return not default.fact.is_async and not isinstance(self.result(default), (AwaitableValue, Unknown))

    def _param(self, module: Module, node: f.Param, context: Context) -> Value:
        if context:
            key = (module, node.scope, node.index)
            for bound, value in context:
                if bound == key:
                    return value
        scope = module.facts.scopes[node.scope]
        param = scope.params[node.index]
        if param.annotation >= 0:
            value = self.annotation(module, param.annotation, context)
            if isinstance(value, CallableValue) and param.default >= 0:
                default = self.value(module, param.default)
                if self.contradicts_annotation(default, value):
                    return Unknown(f"the default of `{param.name}` is not what its annotation says")
            if param.kind == "vararg":
                return self.instance_of("tuple", value)
            if param.kind == "kwarg":
                return self.instance_of("dict", self.instance_of("str"), value)
            if node.index == 0 and isinstance(value, TypeVarValue) and value.bound is None:
                # ``self: T`` says that the method returns what it is called on
                receiver = self._receiver(module, scope)
                return value if isinstance(receiver, Unknown) else receiver
            if param.default >= 0 and isinstance(module.facts.nodes[param.default], f.Const):
                default = self.value(module, param.default)
                if isinstance(default, NoneValue) and not isinstance(value, Unknown):
                    return union([value, NONE])
            return value
        if param.kind == "vararg":
            return self.instance_of("tuple")
        if param.kind == "kwarg":
            return self.instance_of("dict")
        if node.index == 0 and module.facts.scopes[scope.parent].kind is f.ScopeKind.CLASS:
            receiver = self._receiver(module, scope)
            if scope.kind is f.ScopeKind.FUNCTION and not isinstance(receiver, Unknown):
                return receiver
        return self.unannotated(module, node.scope, node.index)

    def _receiver(self, module: Module, scope: f.Scope) -> Value:
        """What the first parameter of a method is."""
        cls = ClassValue(module, scope.parent, self.type_params(module, scope.parent))
        implicit = scope.name in ("__new__", "__init_subclass__", "__class_getitem__")
        for decorator in scope.decorators:
            value = self.value(module, decorator)
            name = value.qualname if isinstance(value, (ClassValue, FunctionValue)) else ""
            if name == "builtins.staticmethod":
                return Unknown("a static method has no receiver")
            implicit |= name in ("builtins.classmethod", "abc.abstractclassmethod")
        if implicit or self.is_metaclass(cls):
            return cls
        return Instance(cls)


def _may_be_bound(value: Unknown) -> bool:
    """Whether a name that was looked up in a module may come from a star import of what is not at hand."""
    return value.reason.startswith("a star import")
