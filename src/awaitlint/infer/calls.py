"""Calls: what a function returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.known import GETTERS, MADE, MAKER_NAMES, MAKERS, TYPE_VARIABLES
from awaitlint.infer.typing import Mapping
from awaitlint.infer.values import (
    NONE,
    AwaitableValue,
    CallableValue,
    ClassMethodValue,
    ClassValue,
    Context,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    OverloadedValue,
    StaticMethodValue,
    SuperValue,
    TypeVarValue,
    UnionValue,
    Unknown,
    Value,
    members,
    union,
    without_none,
)

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
from awaitlint.infer.construction import Construction

#: how deep calls are followed with the values of their arguments
_CONTEXT_DEPTH = 4
_ASYNC_ITERATORS = frozenset({"AsyncIterator", "AsyncIterable", "AsyncGenerator"})
_NO_ARGUMENTS = Arguments()


class Calls(Construction):
    """What inference knows of calls."""

    # ------------------------------------------------------------------ calls in the text
    def _call(self, module: Module, node: f.Call, context: Context) -> Value:
        func = self.value(module, node.func, context)
        if isinstance(func, FunctionValue) and func.fact.name in MAKER_NAMES and func.qualname in MAKERS:
            chosen = module.facts.nodes[node.args[0]] if node.args else None
            kind = chosen.value if isinstance(chosen, f.Const) else ""
            return External(f"{MAKERS[func.qualname]}({kind}{MADE})")
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
        found = self.call(func, Arguments(module, node, context))
        method = module.facts.nodes[node.func]
        if isinstance(method, f.Attr) and method.name in GETTERS and len(node.args) < 2:
            return self.filled(module, method.value, found)
        return found

    def _special_function(self, module: Module, name: str, node: f.Call, context: Context) -> Value | None:
        if name in ("typing.cast", "typing_extensions.cast") and len(node.args) == 2:
            return self.annotation(module, node.args[0], context)
        if name == "builtins.getattr" and len(node.args) == 2:
            attribute = module.facts.nodes[node.args[1]]
            if isinstance(attribute, f.Const) and isinstance(attribute.value, str):
                return self.attribute(self.value(module, node.args[0], context), attribute.value)
            return Unknown("the attribute that `getattr` takes is computed")
        if name in ("builtins.getattr", "builtins.eval", "builtins.__import__", "importlib.import_module"):
            return Unknown(f"what `{name.partition('.')[2]}` gives depends on the run")
        if name == "builtins.anext" and node.args:
            step = self.call(
                self.attribute(self.value(module, node.args[0], context), "__anext__"), _NO_ARGUMENTS
            )
            return AwaitableValue("Coroutine", self.awaited(step))
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
            return value.cls if isinstance(value, Instance) else Unknown("a class that is computed")
        if name == "builtins.super" and len(node.args) == 2:
            owner = self.value(module, node.args[0], context)
            receiver = self.value(module, node.args[1], context)
            if isinstance(owner, ClassValue):
                return SuperValue(owner, receiver)
            return Unknown("the class that `super` is given is not known")
        if name in (
            "builtins.type",
            "typing.NewType",
            "typing.NamedTuple",
            "enum.EnumMeta",
            "types.MethodType",
        ):
            return Unknown(f"what `{name}` makes is not followed")
        if name in ("builtins.list", "builtins.set", "builtins.frozenset") and len(node.args) == 1:
            iterable = self.value(module, node.args[0], context)
            item = union([self.element(member, is_async=False) for member in members(iterable)])
            return Instance(ClassValue(cls.module, cls.scope, (item,)))
        return None

    def _bound(self, module: Module, node: int) -> Value | None:
        value = self.annotation(module, node)
        return None if isinstance(value, (Unknown, TypeVarValue)) else value

    # ------------------------------------------------------------------ calls of values
    def call(self, func: Value, arguments: Arguments) -> Value:
        """What calling a value gives."""
        if isinstance(func, FunctionValue):
            return self.call_function(func, arguments)
        if isinstance(func, ClassValue):
            return self.instantiate(func, arguments)
        if isinstance(func, External):
            return External(f"{func.path}()")
        if isinstance(func, UnionValue):
            return union([self.call(member, arguments) for member in members(without_none(func))])
        if isinstance(func, CallableValue):
            return self._call_callable(func, arguments)
        if isinstance(func, OverloadedValue):
            return self._call_overloaded(func, arguments)
        if isinstance(func, Instance):
            found = self.attribute(func, "__call__")
            return (
                Unknown("`__call__` is an object")
                if isinstance(found, Instance)
                else self.call(found, arguments)
            )
        if isinstance(func, (StaticMethodValue, ClassMethodValue)):
            return self.call(func.function, arguments)
        if isinstance(func, Unknown):
            return func
        return Unknown("what is called is no function")

    def _call_callable(self, func: CallableValue, arguments: Arguments) -> Value:
        """The result of a ``Callable[[X], Y]``, with what the arguments say of its type variables."""
        values = self.positional(arguments)
        alone = isinstance(func.result, AwaitableValue) and len(values) == 1 and not func.params
        if alone and isinstance(values[0](), FunctionValue):
            return Unknown("a function that is given to a function makes another, perhaps")
        if not func.params or not self.has_type_vars(func.result):
            return func.result
        if values and func.params[0] == func.result:
            # a decorator: it gives what it is given
            return values[0]()
        mapping: Mapping = {}
        for pattern, value in zip(func.params, values, strict=False):
            self.unify(pattern, value(), mapping)
        return self.erase(self.substitute(func.result, mapping))

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
        if func.fact.returns < 0:
            return False
        value = self.annotation(func.module, func.fact.returns, func.context)
        return isinstance(value, Instance) and value.cls.fact.name in _ASYNC_ITERATORS

    def result(self, func: FunctionValue, arguments: Arguments = _NO_ARGUMENTS) -> Value:
        """What a function's body returns (of ``async def``: what awaiting its call gives)."""
        fact = func.fact
        if fact.returns >= 0:
            declared = self.annotation(func.module, fact.returns, func.context)
            if self.has_type_vars(declared):
                declared = self._applied(func, declared, arguments)
                if not (isinstance(declared, CallableValue) and declared.params):
                    # a generic function that is returned keeps what its own arguments decide
                    declared = self.erase(declared)
            if self._is_eager(func, declared):
                # what the body makes decides: the work may be under way already
                made = self.from_body(func, arguments)
                if self.coroutine(made) is not None or not isinstance(declared, AwaitableValue):
                    return made
                return AwaitableValue(declared.kind, declared.result, func)
            if self._is_either(func, declared):
                # the receiver or the arguments decide which: perhaps the body tells
                made = self.from_body(func, arguments)
                return made if self.coroutine(made) is not None else declared
            if isinstance(declared, AwaitableValue) and not self._is_callback(func):
                # of an async function that it is given, it may hand out the coroutine
                return AwaitableValue(declared.kind, declared.result, declared.function or func)
            if not isinstance(declared, Unknown):
                return declared
            if fact.is_stub or func.module.is_stub:
                return declared
        if self.is_hook(func) or func.module.is_stub:
            return Unknown(f"`{fact.name}` has no body and no return annotation")
        return self.from_body(func, arguments)

    def is_hook(self, func: FunctionValue) -> bool:
        """Whether subclasses are to replace a method: it is abstract, or its body says nothing."""
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
        if func.fact.is_async or func.module.is_stub:
            return False
        if self.is_hook(func):
            # what subclasses put in its place may be asynchronous
            return True
        return any(self.is_awaitable(member) for member in members(self.from_body(func, _NO_ARGUMENTS)))

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

    def _is_either(self, func: FunctionValue, declared: Value) -> bool:
        """Whether a plain function with a body is declared to return an awaitable or something else."""
        fact = func.fact
        return (
            isinstance(declared, UnionValue)
            and not (fact.is_async or fact.is_stub or func.module.is_stub)
            and any(isinstance(member, AwaitableValue) for member in declared.members)
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

    def from_body(self, func: FunctionValue, arguments: Arguments) -> Value:
        """What a function's body returns, whatever its annotation says."""
        key = ("result", func)
        known = self._results.get(func)
        if known is None:
            known, final = self.guarded(key, self._returned, func, func.context)
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
            found, _ = self.guarded((*key, context), self._returned, func, context)
        finally:
            self._context_depth -= 1
        return known if isinstance(found, Unknown) else found

    def _returned(self, func: FunctionValue, context: Context) -> Value:
        fact = func.fact
        values = [self.value(func.module, node, context) for node in fact.returned]
        if fact.falls_through and fact.kind is f.ScopeKind.FUNCTION:
            values.append(NONE)
        if not values:
            # where something else may have been called, it was
            return Unknown(f"`{fact.name}` never returns", absent=not fact.is_stub)
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

    _results: dict[FunctionValue, Value]
    _dependent: dict[tuple[Module, int], bool]
    _context_depth: int
