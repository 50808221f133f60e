"""Arguments and parameters: which argument is whose, and which overload is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.known import QUEUES
from awaitlint.infer.typing import Mapping
from awaitlint.infer.values import (
    AwaitableValue,
    CallableValue,
    ClassValue,
    Context,
    FunctionValue,
    Instance,
    NoneValue,
    OverloadedValue,
    TypeVarValue,
    UnionValue,
    Value,
    members,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitlint.index.modules import Module
from awaitlint.infer.awaiting import Awaiting

#: more arguments than any call has: what no positional argument gives
_NEVER = 1 << 30


class _Shape(NamedTuple):
    """The parameters of a function, as a call sees them."""

    size: int
    positional: int
    has_varargs: bool
    has_kwargs: bool
    #: what may be given by name
    named: frozenset[str]
    #: (position among the positional parameters, name) of what has no default
    required: tuple[tuple[int, str], ...]


class Lazy:
    """An argument that is evaluated when it is asked for."""

    __slots__ = ("_context", "_inference", "_module", "_node", "_value")

    def __init__(
        self,
        inference: Signatures,
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

    def constant(self) -> f.Const | None:
        """The argument, where it is a literal in the text."""
        node = self._module.facts.nodes[self._node] if self._module is not None and self._node >= 0 else None
        return node if isinstance(node, f.Const) else None

    def __call__(self) -> Value:
        if self._value is None:
            assert self._module is not None
            self._value = self._inference.value(self._module, self._node, self._context)
        return self._value


class Signatures(Awaiting):
    """Matches arguments with parameters."""

    def _call_overloaded(self, func: OverloadedValue, arguments: Arguments) -> Value:
        made = union([self.call_function(function, arguments) for function in self.fitting(func, arguments)])
        if isinstance(made, AwaitableValue) and self._body_makes_coroutines(made.function):
            return AwaitableValue("Coroutine", made.result, made.function)
        if (
            isinstance(made, AwaitableValue)
            and not all(map(self._takes_receiver, func.functions))
            and not self._is_queue(func.functions[0].receiver)
        ):
            # a client for both worlds: what its asynchronous flavour gives does not start by itself
            return AwaitableValue("Coroutine", made.result, made.function)
        return made

    def _body_makes_coroutines(self, func: FunctionValue | None) -> bool:
        """Whether what an overload's implementation returns is a coroutine wherever it can be awaited."""
        if func is None or func.fact.is_async or func.module.is_stub:
            return False
        bound = func.module.facts.scopes[func.fact.parent].bindings.get(func.fact.name, ())
        node = func.module.facts.nodes[bound[-1]] if bound else None
        if (
            not isinstance(node, f.Func)
            or node.scope == func.scope
            or func.module.facts.scopes[node.scope].is_stub
        ):
            return False
        implementation = FunctionValue(func.module, node.scope, func.receiver, func.context)
        returned = members(self.from_body(implementation, Arguments()))
        return all(
            self.coroutine(member) is not None or self.is_awaitable(member) is False for member in returned
        ) and any(self.coroutine(member) is not None for member in returned)

    def fitting(self, func: OverloadedValue, arguments: Arguments) -> Sequence[FunctionValue]:
        """The overloads that a call may mean."""
        mine = [function for function in func.functions if self._takes_receiver(function)]
        fitting = [function for function in mine or func.functions if self._fits(function, arguments)]
        exact = [function for function in fitting if self._accepts(function, arguments)]
        if len(exact) > 1 and self._wants_async(exact[0], arguments):
            return exact[:1]
        return exact or fitting or func.functions

    def _wants_async(self, func: FunctionValue, arguments: Arguments) -> bool:
        """Whether a parameter is a callback that gives an awaitable, and so does the argument."""
        key = (func.module, func.scope)
        wanted = self._callbacks.get(key)
        if wanted is None:
            wanted = self._callbacks[key] = frozenset(
                position
                for position, param in enumerate(func.fact.params)
                if param.annotation >= 0
                and isinstance(declared := self.annotation(func.module, param.annotation), CallableValue)
                and isinstance(declared.result, AwaitableValue)
            )
        return bool(wanted) and any(
            position in wanted and self._gives_awaitable(lazy()) is True
            for position, lazy in self._matched(func, arguments)
        )

    def _gives_awaitable(self, callback: Value) -> bool | None:
        """Whether calling a callback gives an awaitable; None where that is not known."""
        if not isinstance(callback, (FunctionValue, ClassValue, CallableValue)):
            return None
        return self.is_awaitable(self.call(callback, Arguments()))

    def _is_queue(self, receiver: Value | None) -> bool:
        """Whether methods of an object only note what is to be done later, as those of a pipeline do."""
        return isinstance(receiver, Instance) and any(
            entry is not None and entry.qualname in QUEUES for entry in self.mro(receiver.cls)
        )

    def _takes_receiver(self, func: FunctionValue) -> bool:
        """Whether an overload may be meant for what it is called on, as its annotation of ``self`` says.

        Protocols are told apart by attributes that are declared ``Literal[...]``.
        """
        receiver, params = func.receiver, func.fact.params
        if not isinstance(receiver, Instance) or not params or params[0].annotation < 0:
            return True
        declared = self.annotation(func.module, params[0].annotation)
        if not isinstance(declared, Instance) or not self.is_protocol(declared.cls):
            return True
        for name, nodes in declared.cls.fact.bindings.items():
            wanted = self._literal(declared.cls.module, nodes[-1])
            if wanted is None:
                continue
            for entry in self.mro(receiver.cls):
                if entry is not None and name in entry.fact.bindings:
                    if self._literal(entry.module, entry.fact.bindings[name][-1]) not in (None, wanted):
                        return False
                    break
        return True

    def _literal(self, module: Module, node: int) -> tuple[type, object] | None:
        """The one value of an attribute that is declared ``Literal[value]``, with its type."""
        nodes = module.facts.nodes
        declared = nodes[node]
        form = nodes[declared.annotation] if isinstance(declared, f.Declared) else None
        if not isinstance(form, f.Index):
            return None
        value, index = nodes[form.value], nodes[form.index]
        if getattr(value, "name", "") != "Literal":
            return None
        if isinstance(index, f.Display) and len(index.elements) == 1:
            index = nodes[index.elements[0]]
        return (type(index.value), index.value) if isinstance(index, f.Const) else None

    def _fits(self, func: FunctionValue, arguments: Arguments) -> bool:
        """Whether a function takes as many arguments, and ones of these names."""
        call, module = arguments.call, arguments.module
        shape = self._shape(func)
        if call is None or module is None:
            return not arguments.values or len(arguments.values) <= shape.size
        if any(isinstance(module.facts.nodes[arg], f.Starred) for arg in call.args):
            return True
        keywords = {keyword for keyword, _ in call.keywords}
        if "**" in keywords:
            return True
        given = len(call.args)
        if given > shape.positional and not shape.has_varargs:
            return False
        if not shape.has_kwargs and not keywords <= shape.named:
            return False
        return all(position < given or name in keywords for position, name in shape.required)

    def _shape(self, func: FunctionValue) -> _Shape:
        """What a call has to give to a function, besides what the function is bound to."""
        bound = func.receiver is not None
        key = (func.module, func.scope, bound)
        found = self._shapes.get(key)
        if found is None:
            params = func.fact.params
            if bound and params and params[0].kind in ("posonly", "normal"):
                params = params[1:]
            positional = [param for param in params if param.kind in ("posonly", "normal")]
            required = [(at, param.name) for at, param in enumerate(positional) if param.default < 0]
            only = [param.name for param in params if param.kind == "kwonly" and param.default < 0]
            found = self._shapes[key] = _Shape(
                len(params),
                len(positional),
                any(param.kind == "vararg" for param in params),
                any(param.kind == "kwarg" for param in params),
                frozenset(param.name for param in params if param.kind in ("normal", "kwonly")),
                (*required, *((_NEVER, name) for name in only)),
            )
        return found

    def _accepts(self, func: FunctionValue, arguments: Arguments) -> bool:
        """Whether no argument is certainly of another type than the parameter's annotation."""
        for position, lazy in self._matched(func, arguments):
            annotation = func.fact.params[position].annotation
            if annotation < 0:
                continue
            declared = self.annotation(func.module, annotation, func.context)
            if self._contradicts(declared, lazy()):
                return False
            form = func.module.facts.nodes[annotation]
            if isinstance(form, f.Index) and self._is_other_literal(func.module, form, lazy):
                return False
        return True

    @staticmethod
    def _is_other_literal(module: Module, form: f.Index, argument: Lazy) -> bool:
        """Whether an argument is written out, and none of the values that an annotation lists."""
        nodes = module.facts.nodes
        given = argument.constant() if getattr(nodes[form.value], "name", "") == "Literal" else None
        if given is None:
            return False
        index = nodes[form.index]
        listed = [nodes[each] for each in (index.elements if isinstance(index, f.Display) else (form.index,))]
        values = [(type(each.value), each.value) for each in listed if isinstance(each, f.Const)]
        return len(values) == len(listed) and (type(given.value), given.value) not in values

    def _contradicts(self, declared: Value, actual: Value) -> bool:
        """Whether a value certainly is not what an annotation says; only plain classes are told apart."""
        if isinstance(declared, UnionValue):
            return all(self._contradicts(member, actual) for member in declared.members)
        if isinstance(actual, UnionValue):
            return any(self._contradicts(declared, member) for member in actual.members)
        if isinstance(declared, AwaitableValue):
            return self.is_awaitable(actual) is False
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
        if isinstance(declared, CallableValue) and isinstance(declared.result, AwaitableValue):
            return self._gives_awaitable(actual) is False
        if isinstance(declared, TypeVarValue) and declared.bound is not None:
            return self._contradicts(declared.bound, actual)
        if isinstance(declared, Instance) and isinstance(actual, AwaitableValue):
            return actual.kind == "Coroutine" and self.refuses(declared)
        return False

    def _unify_arguments(self, func: FunctionValue, arguments: Arguments, mapping: Mapping) -> None:
        params = func.fact.params
        for position, value in self._matched(func, arguments):
            if params[position].annotation >= 0:
                pattern = self.annotation(func.module, params[position].annotation)
                if self.has_type_vars(pattern):
                    self.unify(pattern, value(), mapping)

    def positional(self, arguments: Arguments) -> list[Lazy]:
        """The positional arguments before the first starred one."""
        lazies = [Lazy(self, value=value) for value in arguments.values]
        module, call = arguments.module, arguments.call
        if module is not None and call is not None:
            for node in call.args:
                if isinstance(module.facts.nodes[node], f.Starred):
                    break
                lazies.append(Lazy(self, module, node, arguments.context))
        return lazies

    def _matched(self, func: FunctionValue, arguments: Arguments) -> list[tuple[int, Lazy]]:
        """(position of the parameter, its argument), for the arguments that can be told apart."""
        params = func.fact.params
        first = 1 if func.receiver is not None and params and params[0].kind in ("posonly", "normal") else 0
        found: list[tuple[int, Lazy]] = []
        module, call = arguments.module, arguments.call
        position = first
        for lazy in self.positional(arguments):
            if position >= len(params) or params[position].kind not in ("posonly", "normal", "vararg"):
                break
            found.append((position, lazy))
            if params[position].kind != "vararg":
                position += 1
        if module is not None and call is not None:
            by_name = {param.name: index for index, param in enumerate(params) if param.kind != "posonly"}
            for keyword, node in call.keywords:
                if keyword in by_name:
                    found.append((by_name[keyword], Lazy(self, module, node, arguments.context)))
        return found

    #: of a function, the positions of callbacks that are to give an awaitable
    _callbacks: dict[tuple[Module, int], frozenset[int]]
    _shapes: dict[tuple[Module, int, bool], _Shape]
