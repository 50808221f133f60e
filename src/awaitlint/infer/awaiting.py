"""Awaiting: what it gives, what can be awaited, what is certainly a coroutine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.special import TYPING_MODULES
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.typing import Typing
from awaitlint.infer.values import (
    AwaitableValue,
    CallableValue,
    ClassValue,
    ContextManagerValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    ModuleValue,
    NoneValue,
    OverloadedValue,
    TupleValue,
    UnionValue,
    Unknown,
    Value,
    members,
    union,
    without_none,
)

if TYPE_CHECKING:
    from awaitlint.index.modules import Module

_NO_ARGUMENTS = Arguments()
_RESULT = Unknown("what awaiting it gives is not known")


class Awaiting(Typing):
    """What inference knows of awaitables."""

    # ------------------------------------------------------------------ awaiting
    def awaited(self, value: Value) -> Value:
        """What awaiting a value gives."""
        if isinstance(value, AwaitableValue):
            if value.result is not None:
                return value.result
            return self.result(value.function) if value.function is not None else _RESULT
        if isinstance(value, UnionValue):
            return union([self.awaited(member) for member in members(without_none(value))])
        if isinstance(value, Instance):
            made = self.call(self.attribute(value, "__await__"), _NO_ARGUMENTS)
            return (
                self.generator_return(made)
                if isinstance(made, Instance)
                else Unknown("its `__await__` is not known")
            )
        return value if isinstance(value, Unknown) else _RESULT

    def generator_return(self, value: Instance) -> Value:
        """The result of ``yield from`` a generator: the third argument of ``Generator``."""
        for entry in self.mro(value.cls):
            if entry is not None and entry.qualname == "typing.Generator" and len(entry.args) > 2:
                return entry.args[2]
        return Unknown("what the generator returns is not known")

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
        """Whether a plain function made the awaitable: perhaps a task, which runs by itself."""
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
        key = (func.module, func.fact.parent, not func.fact.is_async)
        return any(
            key in self._overrides(source, func.fact.name)
            for source in {func.module, module}
            if not source.is_stdlib
        )

    def _overrides(self, module: Module, name: str) -> frozenset[tuple[Module, int, bool]]:
        """Of the methods of a name in a module: the bases of the class of each, and whether it is async."""
        key = (module, name)
        found = self._override_tables.get(key)
        if found is None:
            made: set[tuple[Module, int, bool]] = set()
            for index, scope in enumerate(module.facts.scopes):
                if scope.kind is not f.ScopeKind.CLASS or name not in scope.bindings:
                    continue
                bases = self.mro(ClassValue(module, index))[1:]
                value = self.value(module, scope.bindings[name][-1]) if any(bases) else None
                if isinstance(value, FunctionValue):
                    is_async = value.fact.is_async
                    made.update((base.module, base.scope, is_async) for base in bases if base is not None)
            found = self._override_tables[key] = frozenset(made)
        return found

    def is_protocol(self, cls: ClassValue) -> bool:
        """Whether a class only describes others: a Protocol."""
        nodes = cls.module.facts.nodes
        for base in cls.fact.bases:
            node = nodes[base]
            value = self.value(cls.module, node.value if isinstance(node, f.Index) else base)
            if getattr(value, "name", "") == "Protocol":
                return True
        return cls.module.name in TYPING_MODULES and cls.module.is_stdlib

    def is_coroutine_class(self, cls: ClassValue) -> bool:
        """Whether the instances of a class are coroutines, or want to be awaited as those do."""
        found = self._coroutine_classes.get(cls)
        if found is None:
            found = self.has_base(cls, "typing.Coroutine") or self._warns_unless_awaited(cls)
            self._coroutine_classes[cls] = found
        return found

    def _warns_unless_awaited(self, cls: ClassValue) -> bool:
        """Whether a class is a mere wrapper of an awaitable that warns when it is dropped un-awaited.

        It has no methods besides the special ones, among them ``__await__``, and a ``__del__`` that warns.
        """
        bindings = cls.fact.bindings
        if "__await__" not in bindings or "__del__" not in bindings or "__aenter__" in bindings:
            return False
        nodes, facts = cls.module.facts.nodes, cls.module.facts
        methods = [name for name, bound in bindings.items() if isinstance(nodes[bound[-1]], f.Func)]
        if not all(name.startswith("__") for name in methods):
            return False
        last = nodes[bindings["__del__"][-1]]
        for site in facts.sites:
            call = nodes[site.node]
            if isinstance(last, f.Func) and site.scope == last.scope and isinstance(call, f.Call):
                func = self.value(cls.module, call.func)
                if isinstance(func, OverloadedValue):
                    func = func.functions[0]
                if isinstance(func, FunctionValue) and func.fact.name == "warn" and func.module.is_stdlib:
                    return True
        return False

    def may_make_coroutine(self, func: Value) -> bool:
        """Whether calling a value can give a coroutine: never too narrow, and cheaper than the call's value.

        What the arguments decide (type variables, overloads) is not looked at.
        """
        if isinstance(func, FunctionValue):
            found = self._makers.get(func)
            if found is None:
                found = self._makers[func] = self._function_may_make_coroutine(func)
            return found
        if isinstance(func, OverloadedValue):
            return any(self.may_make_coroutine(function) for function in func.functions)
        if isinstance(func, ClassValue):
            return self.has_base(func, "typing.Coroutine")
        return not isinstance(func, (Unknown, External, ModuleValue, NoneValue))

    def _function_may_make_coroutine(self, func: FunctionValue) -> bool:
        fact = func.fact
        if fact.is_async or fact.is_generator or fact.returns < 0:
            return not fact.is_generator
        declared = self.annotation(func.module, fact.returns, func.context)
        return any(
            not isinstance(member, (NoneValue, TupleValue))
            and not (isinstance(member, Instance) and not self.is_coroutine_class(member.cls))
            for member in members(declared)
        )

    def gives_future(self, func: FunctionValue) -> bool:
        """Whether a plain function is declared to return a future of asyncio, among other things perhaps."""
        key = (func.module, func.scope)
        found = self._future_givers.get(key)
        if found is None:
            fact, found = func.fact, False
            if fact.returns >= 0 and not fact.is_async:
                declared = self.annotation(func.module, fact.returns)
                found = any(
                    isinstance(member, Instance) and self.has_base(member.cls, "_asyncio.Future")
                    for member in members(declared)
                )
            self._future_givers[key] = found
        return found

    def coroutine(self, value: Value, *, or_none: bool = False) -> AwaitableValue | None:
        """The coroutine that a value certainly is, or None; `or_none` lets it also be None.

        An instance of a class that implements `collections.abc.Coroutine` is one too.
        """
        first: AwaitableValue | None = None
        for member in members(value):
            if isinstance(member, AwaitableValue) and not self._may_be_at_work(member):
                first = first or member
            elif isinstance(member, Instance) and self.is_coroutine_class(member.cls):
                first = first or AwaitableValue("Coroutine", _RESULT)
            elif not (or_none and isinstance(member, NoneValue)):
                return None
        return first

    #: of a function, whether calling it can give a coroutine
    _makers: dict[FunctionValue, bool]
    _override_tables: dict[tuple[Module, str], frozenset[tuple[Module, int, bool]]]
    #: of a function, whether it is declared to return a future
    _future_givers: dict[tuple[Module, int], bool]
    _coroutine_classes: dict[ClassValue, bool]
