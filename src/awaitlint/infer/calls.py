"""Calls: what a function returns, what a decorator makes of it, what awaiting gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.special import TYPING_MODULES
from awaitlint.infer.core import Arguments
from awaitlint.infer.known import (
    CONTEXT_MANAGERS,
    PROPERTIES,
    TYPE_VARIABLES,
    is_transparent,
)
from awaitlint.infer.typing import Mapping, Typing
from awaitlint.infer.values import (
    NONE,
    UNKNOWN,
    AwaitableValue,
    CallableValue,
    ClassMethodValue,
    ClassValue,
    Context,
    ContextManagerValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    ModuleValue,
    NoneValue,
    OverloadedValue,
    PropertyValue,
    StaticMethodValue,
    SuperValue,
    TupleValue,
    TypeForm,
    TypeVarValue,
    UnionValue,
    Unknown,
    Value,
    members,
    union,
    without_none,
)

if TYPE_CHECKING:
    from awaitlint.index.project import Module

#: how deep calls are followed with the values of their arguments
_CONTEXT_DEPTH = 4
_ASYNC_ITERATORS = frozenset({"AsyncIterator", "AsyncIterable", "AsyncGenerator"})
_NO_ARGUMENTS = Arguments()


class Calls(Typing):
    """What inference knows of calls."""

    # ------------------------------------------------------------------ calls in the text
    def _call(self, module: Module, node: f.Call, context: Context) -> Value:
        func = self.value(module, node.func, context)
        if isinstance(func, FunctionValue) and func.module.is_stdlib and func.receiver is None:
            special = self._special_function(module, func.qualname, node, context)
            if special is not None:
                return special
        elif isinstance(func, ClassValue) and func.module.is_stdlib:
            special = self._special_class(module, func, node, context)
            if special is not None:
                return special
        elif isinstance(func, OverloadedValue):
            first = func.functions[0]
            if first.module.is_stdlib and first.receiver is None:
                special = self._special_function(module, first.qualname, node, context)
                if special is not None:
                    return special
        return self.call(func, Arguments(module, node, context))

    def _special_function(self, module: Module, name: str, node: f.Call, context: Context) -> Value | None:
        if name in ("typing.cast", "typing_extensions.cast") and len(node.args) == 2:
            text = module.facts.nodes[node.args[0]]
            if isinstance(text, f.Const):
                return Unknown("a cast to a quoted type")
            return self.annotation(module, node.args[0], context)
        if name == "builtins.getattr" and len(node.args) == 2:
            attribute = module.facts.nodes[node.args[1]]
            if isinstance(attribute, f.Const) and isinstance(attribute.value, str):
                return self.attribute(self.value(module, node.args[0], context), attribute.value)
            return UNKNOWN
        if name in ("builtins.getattr", "builtins.eval", "builtins.__import__", "importlib.import_module"):
            return UNKNOWN
        if name.partition(".")[2] in ("assert_type", "reveal_type") and node.args:
            return self.value(module, node.args[0], context)
        return None

    def _special_class(self, module: Module, cls: ClassValue, node: f.Call, context: Context) -> Value | None:
        name = cls.qualname
        if name in TYPE_VARIABLES:
            text = module.facts.nodes[node.args[0]] if node.args else None
            bound = next((value for keyword, value in node.keywords if keyword == "bound"), -1)
            label = str(text.value) if isinstance(text, f.Const) else "?"
            limit = self._bound(module, bound) if bound >= 0 else None
            return TypeVarValue(module.name, label, limit)
        if name == "functools.partial" and node.args:
            func = self.value(module, node.args[0], context)
            origin = func if isinstance(func, FunctionValue) else None
            return CallableValue(self.call(func, _NO_ARGUMENTS), origin)
        if name == "builtins.type" and len(node.args) == 1:
            value = self.value(module, node.args[0], context)
            return value.cls if isinstance(value, Instance) else UNKNOWN
        if name == "builtins.super" and len(node.args) == 2:
            owner = self.value(module, node.args[0], context)
            receiver = self.value(module, node.args[1], context)
            return SuperValue(owner, receiver) if isinstance(owner, ClassValue) else UNKNOWN
        if name in (
            "builtins.type",
            "typing.NewType",
            "typing.NamedTuple",
            "enum.EnumMeta",
            "types.MethodType",
        ):
            return UNKNOWN
        if name in ("builtins.list", "builtins.set", "builtins.frozenset") and len(node.args) == 1:
            iterable = self.value(module, node.args[0], context)
            item = union([self.element(member, is_async=False) for member in members(iterable)])
            return Instance(ClassValue(cls.module, cls.scope, (item,)))
        return None

    def _bound(self, module: Module, node: int) -> Value | None:
        if isinstance(module.facts.nodes[node], f.Const):
            return None
        value = self.annotation(module, node)
        return None if isinstance(value, (Unknown, TypeVarValue)) else value

    # ------------------------------------------------------------------ calls of values
    def call(self, func: Value, arguments: Arguments) -> Value:
        """What calling a value gives."""
        if isinstance(func, FunctionValue):
            return self.call_function(func, arguments)
        if isinstance(func, ClassValue):
            return self._instantiate(func, arguments)
        if isinstance(func, External):
            return External(f"{func.path}()")
        if isinstance(func, UnionValue):
            return union([self.call(member, arguments) for member in members(without_none(func))])
        if isinstance(func, CallableValue):
            return func.result
        if isinstance(func, OverloadedValue):
            return self._call_overloaded(func, arguments)
        if isinstance(func, Instance):
            found = self.attribute(func, "__call__")
            return UNKNOWN if isinstance(found, Instance) else self.call(found, arguments)
        if isinstance(func, (StaticMethodValue, ClassMethodValue)):
            return self.call(func.function, arguments)
        if isinstance(func, Unknown):
            return func
        return UNKNOWN

    def _instantiate(self, cls: ClassValue, arguments: Arguments) -> Value:
        if self.is_metaclass(cls):
            return UNKNOWN
        if self.is_enum(cls) and cls.module.is_stdlib:
            return UNKNOWN
        if self._has_calling_metaclass(cls):
            return Unknown(f"the metaclass of {cls.fact.name} makes its instances")
        for entry in self.mro(cls):
            if entry is None:
                break
            new = entry.fact.bindings.get("__new__")
            if new is not None and not entry.module.is_stdlib:
                made = self.call(self.bind(self.value(entry.module, new[-1]), cls), arguments)
                return made if isinstance(made, Instance) else UNKNOWN
        params = self.type_params(cls.module, cls.scope)
        if params and not cls.args:
            return Instance(self._with_arguments(cls, params, arguments))
        return self.class_instance(cls)

    def _has_calling_metaclass(self, cls: ClassValue) -> bool:
        for entry in self.mro(cls):
            for keyword, node in entry.fact.keywords if entry is not None else ():
                if entry is not None and keyword == "metaclass":
                    meta = self.value(entry.module, node)
                    if isinstance(meta, ClassValue) and not meta.module.is_stdlib:
                        return any(
                            base is not None and "__call__" in base.fact.bindings for base in self.mro(meta)
                        )
        return False

    def _with_arguments(
        self, cls: ClassValue, params: tuple[TypeVarValue, ...], arguments: Arguments
    ) -> ClassValue:
        """A generic class with the type arguments that the constructor's arguments tell."""
        mapping: Mapping = {}
        init = self.instance_attribute(Instance(cls), "__init__")
        if isinstance(init, FunctionValue) and init.qualname == "builtins.object.__init__":
            init = self.instance_attribute(Instance(cls), "__new__")
        if isinstance(init, FunctionValue):
            self._unify_arguments(init, arguments, mapping)
        args = tuple(mapping.get(param, param.bound or UNKNOWN) for param in params)
        known = any(not isinstance(arg, Unknown) for arg in args)
        return ClassValue(cls.module, cls.scope, args if known else ())

    def _call_overloaded(self, func: OverloadedValue, arguments: Arguments) -> Value:
        fitting = [function for function in func.functions if self._fits(function, arguments)]
        exact = [function for function in fitting if self._accepts(function, arguments)]
        return union(
            [self.call_function(function, arguments) for function in (exact or fitting or func.functions)]
        )

    def _fits(self, func: FunctionValue, arguments: Arguments) -> bool:
        """Whether a function takes as many arguments, and ones of these names."""
        call, module = arguments.call, arguments.module
        params = func.fact.params
        if func.receiver is not None and params and params[0].kind in ("posonly", "normal"):
            params = params[1:]
        if call is None or module is None:
            return not arguments.values or len(arguments.values) <= len(params)
        if any(isinstance(module.facts.nodes[arg], f.Starred) for arg in call.args):
            return True
        keywords = {keyword for keyword, _ in call.keywords}
        if "**" in keywords:
            return True
        positional = [param for param in params if param.kind in ("posonly", "normal")]
        has_varargs = any(param.kind == "vararg" for param in params)
        has_kwargs = any(param.kind == "kwarg" for param in params)
        if len(call.args) > len(positional) and not has_varargs:
            return False
        named = {param.name for param in params if param.kind in ("normal", "kwonly")}
        if not has_kwargs and not keywords <= named:
            return False
        return all(
            param.default >= 0 or param.name in keywords
            for param in [*positional[len(call.args) :], *(p for p in params if p.kind == "kwonly")]
        )

    def _accepts(self, func: FunctionValue, arguments: Arguments) -> bool:
        """Whether no argument is certainly of another type than the parameter's annotation."""
        for position, lazy in self._matched(func, arguments):
            annotation = func.fact.params[position].annotation
            if annotation < 0:
                continue
            declared = self.annotation(func.module, annotation, func.context)
            if self._contradicts(declared, lazy()):
                return False
        return True

    def _contradicts(self, declared: Value, actual: Value) -> bool:
        """Whether a value certainly is not what an annotation says; only plain classes are told apart."""
        if isinstance(declared, UnionValue):
            return all(self._contradicts(member, actual) for member in declared.members)
        if isinstance(actual, NoneValue):
            return isinstance(declared, Instance) and not self.is_protocol(declared.cls)
        if isinstance(declared, NoneValue):
            return isinstance(actual, (Instance, AwaitableValue, FunctionValue))
        if isinstance(declared, Instance) and isinstance(actual, Instance):
            known = self.mro(actual.cls)[-1] is not None
            return (
                known
                and not self.is_protocol(declared.cls)
                and not self.is_subclass(actual.cls, declared.cls)
            )
        if isinstance(declared, Instance) and isinstance(actual, AwaitableValue):
            return not self.is_awaitable(declared) and not self.is_protocol(declared.cls)
        return False

    def call_function(self, func: FunctionValue, arguments: Arguments) -> Value:
        """What calling a function gives: for ``async def``, a coroutine."""
        fact = func.fact
        if fact.is_async:
            if fact.is_generator:
                item = union([self.value(func.module, node, func.context) for node in fact.yielded])
                return GeneratorValue(is_async=True, item=item)
            if self.is_hook(func) and self._returns_async_iterator(func):
                return Unknown("an abstract async def that returns an async iterator stands for a generator")
            if fact.returns >= 0 and self.has_type_vars(
                self.annotation(func.module, fact.returns, func.context)
            ):
                return AwaitableValue("Coroutine", self.result(func, arguments), func)
            return AwaitableValue("Coroutine", None, func)
        if fact.is_generator:
            item = union([self.value(func.module, node, func.context) for node in fact.yielded])
            return GeneratorValue(is_async=False, item=item)
        return self.result(func, arguments)

    def _returns_async_iterator(self, func: FunctionValue) -> bool:
        value = (
            self.annotation(func.module, func.fact.returns, func.context)
            if func.fact.returns >= 0
            else UNKNOWN
        )
        return isinstance(value, Instance) and value.cls.fact.name in _ASYNC_ITERATORS

    def result(self, func: FunctionValue, arguments: Arguments = _NO_ARGUMENTS) -> Value:
        """What a function's body returns (of ``async def``: what awaiting its call gives)."""
        fact = func.fact
        if fact.returns >= 0:
            declared = self.annotation(func.module, fact.returns, func.context)
            if self.has_type_vars(declared):
                declared = self.erase(self._applied(func, declared, arguments))
            if self._is_eager(func, declared):
                # what the body makes decides: the work may be under way already
                made = self._from_body(func, arguments)
                if self.coroutine(made) is not None or not isinstance(declared, AwaitableValue):
                    return made
                return AwaitableValue(declared.kind, declared.result, func)
            if isinstance(declared, AwaitableValue) and not self._is_callback(func):
                return AwaitableValue(declared.kind, declared.result, func)
            if not isinstance(declared, Unknown):
                return declared
            if fact.is_stub or func.module.is_stub:
                return declared
        if self.is_hook(func) or func.module.is_stub:
            return Unknown(f"{fact.name} has no body and no return annotation")
        return self._from_body(func, arguments)

    def is_hook(self, func: FunctionValue) -> bool:
        """Whether a method is there to be replaced by subclasses: abstract, or with a body that says nothing."""
        module, fact = func.module, func.fact
        if fact.kind is not f.ScopeKind.FUNCTION or module.is_stub:
            return False
        if module.facts.scopes[fact.parent].kind is not f.ScopeKind.CLASS:
            return False
        if fact.is_stub:
            return True
        for decorator in fact.decorators:
            value = self.value(module, decorator)
            if isinstance(value, FunctionValue) and value.qualname == "abc.abstractmethod":
                return True
        return False

    def _is_callback(self, func: FunctionValue) -> bool:
        """Whether a method describes what somebody passes in: a Protocol's."""
        parent = func.module.facts.scopes[func.fact.parent]
        return parent.kind is f.ScopeKind.CLASS and self.is_protocol(
            ClassValue(func.module, func.fact.parent)
        )

    def body_may_be_awaitable(self, func: FunctionValue) -> bool:
        """Whether a function's body returns an awaitable on some path, whatever its annotation says."""
        if func.fact.is_async or func.fact.is_stub or func.module.is_stub:
            return False
        return any(self.is_awaitable(member) for member in members(self._from_body(func, _NO_ARGUMENTS)))

    def _is_eager(self, func: FunctionValue, declared: Value) -> bool:
        """Whether a plain function with a body is declared to return an awaitable of some kind."""
        fact = func.fact
        return (
            isinstance(declared, AwaitableValue)
            and declared.kind == "Awaitable"
            and not fact.is_async
            and not fact.is_stub
            and not func.module.is_stub
        )

    def _applied(self, func: FunctionValue, declared: Value, arguments: Arguments) -> Value:
        """A declared result with the type variables that the receiver and the arguments decide."""
        mapping: Mapping = {}
        receiver = func.receiver
        owner = receiver.cls if isinstance(receiver, Instance) else receiver
        if isinstance(owner, ClassValue):
            scope = func.fact.parent
            for entry in self.mro(owner):
                if entry is not None and entry.module is func.module and entry.scope == scope:
                    mapping.update(self.class_mapping(entry))
                    break
            if func.fact.params and func.fact.params[0].annotation >= 0 and receiver is not None:
                pattern = self.annotation(func.module, func.fact.params[0].annotation)
                self.unify(pattern, receiver, mapping)
        self._unify_arguments(func, arguments, mapping)
        return self.substitute(declared, mapping, receiver)

    def _unify_arguments(self, func: FunctionValue, arguments: Arguments, mapping: Mapping) -> None:
        params = func.fact.params
        for position, value in self._matched(func, arguments):
            if params[position].annotation >= 0:
                pattern = self.annotation(func.module, params[position].annotation)
                if self.has_type_vars(pattern):
                    self.unify(pattern, value(), mapping)

    def _matched(self, func: FunctionValue, arguments: Arguments) -> list[tuple[int, _Lazy]]:
        """(position of the parameter, its argument), for the arguments that can be told apart."""
        params = func.fact.params
        first = 1 if func.receiver is not None and params and params[0].kind in ("posonly", "normal") else 0
        found: list[tuple[int, _Lazy]] = []
        lazies: list[_Lazy] = [_Lazy(self, value=value) for value in arguments.values]
        module, call = arguments.module, arguments.call
        if module is not None and call is not None:
            for node in call.args:
                if isinstance(module.facts.nodes[node], f.Starred):
                    break
                lazies.append(_Lazy(self, module, node, arguments.context))
        position = first
        for lazy in lazies:
            if position >= len(params) or params[position].kind not in ("posonly", "normal", "vararg"):
                break
            found.append((position, lazy))
            if params[position].kind != "vararg":
                position += 1
        if module is not None and call is not None:
            by_name = {param.name: index for index, param in enumerate(params) if param.kind != "posonly"}
            for keyword, node in call.keywords:
                if keyword in by_name:
                    found.append((by_name[keyword], _Lazy(self, module, node, arguments.context)))
        return found

    def _from_body(self, func: FunctionValue, arguments: Arguments) -> Value:
        key = ("result", func)
        known = self._results.get(func)
        if known is None:
            known, final = self.guarded(key, lambda: self._returned(func, func.context))
            if final:
                self._results[func] = known
        if (
            not self._may_depend_on_parameters(func.module, func.scope)
            or len(func.context) > 3 * _CONTEXT_DEPTH
        ):
            return known
        context = self._call_context(func, arguments)
        if context == func.context or self._context_depth >= _CONTEXT_DEPTH:
            return known
        self._context_depth += 1
        try:
            found, _ = self.guarded((*key, context), lambda: self._returned(func, context))
        finally:
            self._context_depth -= 1
        return known if isinstance(found, Unknown) else found

    def _returned(self, func: FunctionValue, context: Context) -> Value:
        fact = func.fact
        values = [self.value(func.module, node, context) for node in fact.returned]
        if fact.falls_through and fact.kind is f.ScopeKind.FUNCTION:
            values.append(NONE)
        if not values:
            return Unknown(f"{fact.name} never returns")
        return union(values)

    def _call_context(self, func: FunctionValue, arguments: Arguments) -> Context:
        """The function's context with its parameters bound to this call's arguments, where they are known."""
        bound: dict[tuple[Module, int, int], Value] = dict(func.context)
        params = func.fact.params
        if func.receiver is not None and params and params[0].annotation < 0:
            bound[func.module, func.scope, 0] = func.receiver
        for position, lazy in self._matched(func, arguments):
            param = params[position]
            if param.kind in ("posonly", "normal", "kwonly"):
                value = lazy()
                if isinstance(value, (FunctionValue, ClassValue, Instance, CallableValue, AwaitableValue)):
                    bound[func.module, func.scope, position] = value
        return tuple(bound.items())

    def _may_depend_on_parameters(self, module: Module, scope: int) -> bool:
        """Whether what a function returns is made of its parameters: returned, called, or closed over."""
        key = (module, scope)
        found = self._dependent.get(key)
        if found is None:
            nodes = module.facts.nodes
            todo, seen, found = list(module.facts.scopes[scope].returned), set[int](), False
            while todo and len(seen) < 50:
                index = todo.pop()
                if index in seen or index < 0:
                    continue
                seen.add(index)
                node = nodes[index]
                if isinstance(node, (f.Param, f.Free, f.Func, f.Lambda)):
                    found = True
                    break
                if isinstance(node, f.Phi):
                    todo.extend(node.options)
                elif isinstance(node, f.Call):
                    todo.append(node.func)
                elif isinstance(node, (f.Await, f.Narrow, f.Declared, f.Attr, f.Enter)):
                    todo.append(node.value)
            self._dependent[key] = found
        return found

    # ------------------------------------------------------------------ decorators
    def decorated(self, module: Module, decorator: int, value: Value, context: Context) -> Value:
        """What a decorator makes of a function."""
        found = self.value(module, decorator, context)
        if isinstance(found, ClassValue):
            name = found.qualname
            if name in PROPERTIES or self.has_base(found, "builtins.property"):
                return PropertyValue(value)
            if name == "builtins.staticmethod" or name == "abc.abstractstaticmethod":
                return StaticMethodValue(value)
            if name == "builtins.classmethod" or name == "abc.abstractclassmethod":
                return ClassMethodValue(value)
        name = self._decorator_name(module, decorator, found, context)
        if name in CONTEXT_MANAGERS:
            return self._context_manager(value, is_async=CONTEXT_MANAGERS[name])
        if name and is_transparent(name):
            return value
        if isinstance(found, (FunctionValue, ClassValue)) and found.module.is_stdlib:
            return UNKNOWN
        if isinstance(found, (FunctionValue, OverloadedValue)):
            return self._apply(found, value)
        if isinstance(found, CallableValue):
            return found.result
        if isinstance(found, ClassValue):
            return self.call(found, Arguments(values=(value,)))
        if isinstance(found, Instance) and not found.cls.module.is_stdlib:
            called = self.attribute(found, "__call__")
            return self._apply(called, value) if isinstance(called, FunctionValue) else UNKNOWN
        return Unknown("a decorator that is not known")

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
            return UNKNOWN
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
        """Whether a decorator is annotated ``(F) -> F``."""
        fact = function.fact
        first = 1 if function.receiver is not None else 0
        if fact.returns < 0 or len(fact.params) <= first:
            return False
        returns = self.annotation(function.module, fact.returns, function.context)
        if not isinstance(returns, TypeVarValue):
            return False
        annotation = fact.params[first].annotation
        return annotation >= 0 and self.annotation(function.module, annotation, function.context) == returns

    def _context_manager(self, value: Value, *, is_async: bool) -> Value:
        if not isinstance(value, FunctionValue):
            return UNKNOWN
        if value.fact.returns >= 0:
            declared = self.annotation(value.module, value.fact.returns, value.context)
            if isinstance(declared, Instance) and declared.cls.args:
                item = declared.cls.args[0]
                if not isinstance(item, Unknown):
                    return CallableValue(ContextManagerValue(is_async, self.erase(item)))
        item = union([self.value(value.module, node, value.context) for node in value.fact.yielded])
        return CallableValue(ContextManagerValue(is_async, item))

    # ------------------------------------------------------------------ awaiting
    def awaited(self, value: Value) -> Value:
        """What awaiting a value gives."""
        if isinstance(value, AwaitableValue):
            if value.result is not None:
                return value.result
            return self.result(value.function) if value.function is not None else UNKNOWN
        if isinstance(value, UnionValue):
            return union([self.awaited(member) for member in members(without_none(value))])
        if isinstance(value, Instance):
            made = self.call(self.attribute(value, "__await__"), _NO_ARGUMENTS)
            return self.generator_return(made) if isinstance(made, Instance) else UNKNOWN
        return value if isinstance(value, Unknown) else UNKNOWN

    def generator_return(self, value: Instance) -> Value:
        """The result of ``yield from`` a generator: the third argument of ``Generator``."""
        for entry in self.mro(value.cls):
            if entry is not None and entry.qualname == "typing.Generator" and len(entry.args) > 2:
                return entry.args[2]
        return UNKNOWN

    def is_awaitable(self, value: Value) -> bool | None:
        """Whether a value can be awaited; None where that is not known."""
        if isinstance(value, AwaitableValue):
            return True
        if isinstance(
            value, (NoneValue, FunctionValue, ModuleValue, TupleValue, ClassValue, OverloadedValue)
        ):
            return False
        if isinstance(value, (GeneratorValue, ContextManagerValue)):
            return False
        if isinstance(value, Instance):
            return self._is_awaitable_instance(value)
        if isinstance(value, UnionValue):
            answers = {self.is_awaitable(member) for member in value.members}
            return answers.pop() if len(answers) == 1 else None
        return None

    def _is_awaitable_instance(self, value: Instance) -> bool | None:
        for entry in self.mro(value.cls):
            if entry is None:
                return None
            if "__await__" in entry.fact.bindings:
                return True
            if any(not self._is_stdlib(self.value(entry.module, node)) for node in entry.fact.decorators):
                return None
            for keyword, node in entry.fact.keywords:
                if keyword == "metaclass" and isinstance(self.value(entry.module, node), (Unknown, External)):
                    return None
        return None if self.is_protocol(value.cls) else False

    def _may_be_at_work(self, value: AwaitableValue) -> bool:
        """Whether it is a plain function that made an awaitable: perhaps a task, which needs nobody to await it."""
        return value.kind == "Awaitable" and value.function is not None and not value.function.fact.is_async

    @staticmethod
    def _is_stdlib(value: Value) -> bool:
        if isinstance(value, OverloadedValue):
            value = value.functions[0]
        if isinstance(value, CallableValue):
            return True
        return isinstance(value, (FunctionValue, ClassValue)) and value.module.is_stdlib

    def is_overridden(self, func: FunctionValue, module: Module) -> bool:
        """Whether a subclass makes a method asynchronous that is not, or the reverse.

        Only the module that defines the class and `module` are searched, so that the answer does not depend
        on what else a run looks at.
        """
        if not isinstance(func.receiver, Instance):
            return False
        owner = func.module.facts.scopes[func.fact.parent]
        if owner.kind is not f.ScopeKind.CLASS:
            return False
        defining = ClassValue(func.module, func.fact.parent)
        for source in {func.module, module}:
            if source.is_stdlib:
                continue
            for index, scope in enumerate(source.facts.scopes):
                if scope.kind is not f.ScopeKind.CLASS or func.fact.name not in scope.bindings:
                    continue
                cls = ClassValue(source, index)
                if cls == defining or not self.is_subclass(cls, defining):
                    continue
                value = self.value(source, scope.bindings[func.fact.name][-1])
                if isinstance(value, FunctionValue) and value.fact.is_async != func.fact.is_async:
                    return True
        return False

    def is_protocol(self, cls: ClassValue) -> bool:
        """Whether a class only describes others: a Protocol."""
        nodes = cls.module.facts.nodes
        for base in cls.fact.bases:
            node = nodes[base]
            value = self.value(cls.module, node.value if isinstance(node, f.Index) else base)
            if getattr(value, "name", "") == "Protocol":
                return True
        return cls.module.name in TYPING_MODULES and cls.module.is_stdlib

    def coroutine(self, value: Value, *, or_none: bool = False) -> AwaitableValue | None:
        """The coroutine that a value certainly is, or None; `or_none` lets it also be None.

        An instance of a class that implements `collections.abc.Coroutine` is one too.
        """
        first: AwaitableValue | None = None
        for member in members(value):
            if isinstance(member, AwaitableValue) and not self._may_be_at_work(member):
                first = first or member
            elif isinstance(member, Instance) and self.has_base(member.cls, "typing.Coroutine"):
                first = first or AwaitableValue("Coroutine", UNKNOWN)
            elif not (or_none and isinstance(member, NoneValue)):
                return None
        return first

    if TYPE_CHECKING:
        _results: dict[FunctionValue, Value]
        _dependent: dict[tuple[Module, int], bool]
        _context_depth: int


class _Lazy:
    """An argument that is evaluated when it is asked for."""

    __slots__ = ("_context", "_inference", "_module", "_node", "_value")

    def __init__(
        self,
        inference: Calls,
        module: Module | None = None,
        node: int = -1,
        context: Context = (),
        *,
        value: Value | None = None,
    ) -> None:
        self._inference = inference
        self._module = module
        self._node = node
        self._context = context
        self._value = value

    def __call__(self) -> Value:
        if self._value is None:
            assert self._module is not None
            self._value = self._inference.value(self._module, self._node, self._context)
        return self._value


__all__ = ["Calls", "TypeForm"]
