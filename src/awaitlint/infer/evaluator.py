"""Evaluating what may depend on itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from awaitlint.index import facts as f
from awaitlint.infer.values import (
    AwaitableValue,
    ClassValue,
    Context,
    CycleValue,
    Instance,
    TupleValue,
    TypeVarValue,
    UnionValue,
    Unknown,
    Value,
    is_small,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project
    from awaitlint.infer.values import FunctionValue

#: how deep evaluation goes before it gives up
_DEPTH = 120
#: what `Evaluator._cut` says where no cycle was cut
UNCUT = _DEPTH
CYCLE = CycleValue("defined in terms of itself")
_CIRCULAR = Unknown("defined in terms of itself")
_NOTHING = Unknown("there is no expression")
_DEEP = Unknown("too deep")
#: how often something that depends on itself is computed before it is given up
_ROUNDS = 3
#: these depend on nothing that could depend on them
_LEAVES = frozenset({f.Const, f.Plain, f.Lambda, f.Class, f.TypeParam, f.Super})
#: these only hand on what others say
_PASSING = frozenset({f.Attr, f.Name, f.Import, f.Await})
#: values that have parts
_COMPOUND = frozenset({Instance, TupleValue, UnionValue})


class Arguments(NamedTuple):
    """The arguments of a call: of a call in the text, or values given by inference itself."""

    module: Module | None = None
    call: f.Call | None = None
    context: Context = ()
    values: tuple[Value, ...] = ()


_NO_ARGUMENTS = Arguments()


class Evaluator:
    """Evaluates nodes once; the cases and everything they ask are added by the classes that build on it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._in_context: dict[tuple[Module, int, Context], Value] = {}
        #: what is being computed -> how deep
        self._in_progress: dict[tuple[Any, ...], int] = {}
        #: what depends on a frame that is still being computed -> (value, how deep that frame is)
        self._provisional: dict[tuple[Any, ...], tuple[Value, int]] = {}
        #: what something that depends on itself is taken to be while it is computed again
        self._assumed: dict[tuple[Any, ...], Value] = {}
        #: the outermost frame that a cycle led back to; results inside it are not final
        self._cut = _DEPTH
        self._depth = 0
        self._lookups: dict[tuple[Module, str], Value] = {}
        #: what the names of functions are in the functions inside of them
        self._frees: dict[tuple[Module, int, str], Value] = {}
        self._cases: dict[type, Callable[[Module, Any, Context], Value]] = {}

    def recover(self) -> None:
        """Begin anew after Python's stack did not suffice; what is final stays remembered."""
        self._in_progress.clear()
        self._provisional.clear()
        self._assumed.clear()
        self._cut, self._depth = UNCUT, 0

    # ------------------------------------------------------------------ evaluation
    def value(self, module: Module, node: int, context: Context = ()) -> Value:
        """What a node evaluates to."""
        if node < 0:
            return _NOTHING
        if not context:
            known = module.memo.get(node)
            if known is not None:
                return known  # type: ignore[return-value]
        else:
            found = self._in_context.get((module, node, context))
            if found is not None:
                return found
        fact = module.facts.nodes[node]
        kind = type(fact)
        case = self._cases.get(kind)
        if case is None:
            return Unknown("it is bound in a way that is not followed")
        if kind in _LEAVES:
            result, final = case(module, fact, context), True
        elif kind in _PASSING and self._depth < _DEPTH:
            # every cycle leads through something that is guarded, so this need not be; what was computed
            # while a cycle was cut is not remembered
            self._depth += 1
            try:
                result = case(module, fact, context)
            finally:
                self._depth -= 1
            if not self._depth and self._cut != _DEPTH:
                # it was too deep: what is asked next begins anew
                self._cut = _DEPTH
                self._provisional.clear()
            final = self._cut == _DEPTH
        else:
            result, final = self.guarded((module, node, context), case, module, fact, context)
            if type(result) in _COMPOUND and not is_small(result):
                # code can name a type that is exponential in the code's length
                result = Unknown("a type too large to follow")
        if final:
            if context:
                self._in_context[module, node, context] = result
            else:
                module.memo[node] = result
        return result

    def guarded(
        self, key: tuple[Any, ...], compute: Callable[..., Value], *arguments: object
    ) -> tuple[Value, bool]:
        """Compute something that may come to depend on itself: ``compute(*arguments)``.

        Returns the value, and whether it is final: a value computed while a cycle was cut further out may
        only be used until the outermost frame of that cycle is done, else the answer would depend on where
        evaluation began.  Until then it is remembered, else evaluation could take exponential time.
        """
        begun = self._in_progress.get(key)
        if begun is not None:
            self._cut = min(self._cut, begun)
            return self._assumed.get(key, CYCLE), False
        provisional = self._provisional.get(key)
        if provisional is not None:
            value, cut = provisional
            self._cut = min(self._cut, cut)
            return value, False
        depth = self._depth
        if depth >= _DEPTH:
            self._cut = 0
            return _DEEP, False
        outer, self._cut = self._cut, _DEPTH
        self._in_progress[key] = depth
        self._depth = depth + 1
        try:
            result = compute(*arguments)
        finally:
            del self._in_progress[key]
            self._depth = depth
            cut, self._cut = self._cut, outer
        if cut >= depth or depth == 0:
            if cut < _DEPTH:
                # the outermost frame of a cycle: what was computed inside it is computed anew, if asked for
                self._forget(depth)
                if isinstance(result, CycleValue):
                    result = _CIRCULAR
                elif isinstance(result, UnionValue) and CYCLE in result.members:
                    result = self._settled_cycle(key, result, compute, arguments)
            return result, True
        if cut < outer:
            self._cut = cut
        self._provisional[key] = (result, cut)
        return result, False

    def _forget(self, depth: int) -> None:
        """Forget what was computed while the frame of this depth was."""
        self._provisional = {k: v for k, v in self._provisional.items() if v[1] < depth}

    def _settled_cycle(
        self,
        key: tuple[Any, ...],
        result: Value,
        compute: Callable[..., Value],
        arguments: tuple[object, ...],
    ) -> Value:
        """The value of something that depends on itself: the rest of it, if that explains all of it."""
        depth = self._depth
        for _ in range(_ROUNDS):
            if not isinstance(result, UnionValue) or CYCLE not in result.members:
                assumed = result
            else:
                assumed = union([member for member in result.members if member != CYCLE])
            if isinstance(assumed, Unknown):
                return assumed
            outer, self._cut = self._cut, _DEPTH
            self._in_progress[key] = depth
            self._assumed[key] = assumed
            self._depth = depth + 1
            try:
                result = compute(*arguments)
            finally:
                del self._in_progress[key], self._assumed[key]
                self._depth = depth
                self._cut = outer
                self._forget(depth)
            if result == assumed:
                return result
        return _CIRCULAR

    # ------------------------------------------------------------------ given by the other parts
    def annotation(self, module: Module, node: int, context: Context = ()) -> Value:
        raise NotImplementedError

    def as_instance(self, value: Value) -> Value:
        raise NotImplementedError

    def is_type(self, value: Value) -> bool:
        raise NotImplementedError

    def subscripted_type(self, module: Module, value: Value, index: int, context: Context) -> Value:
        raise NotImplementedError

    def type_params(self, module: Module, scope: int) -> tuple[TypeVarValue, ...]:
        raise NotImplementedError

    def attribute(self, value: Value, name: str) -> Value:
        raise NotImplementedError

    def is_subclass(self, cls: ClassValue, base: ClassValue) -> bool:
        raise NotImplementedError

    def is_metaclass(self, cls: ClassValue) -> bool:
        raise NotImplementedError

    def bound_functions(self, module: Module, nodes: tuple[int, ...]) -> Value | None:
        raise NotImplementedError

    def call(self, func: Value, arguments: Arguments) -> Value:
        raise NotImplementedError

    def call_function(self, func: FunctionValue, arguments: Arguments) -> Value:
        raise NotImplementedError

    def result(self, func: FunctionValue, arguments: Arguments = _NO_ARGUMENTS) -> Value:
        raise NotImplementedError

    def decorated(self, module: Module, decorator: int, value: Value, context: Context) -> Value:
        raise NotImplementedError

    def awaited(self, value: Value) -> Value:
        raise NotImplementedError

    def coroutine(self, value: Value, *, or_none: bool = False) -> AwaitableValue | None:
        raise NotImplementedError

    def refuses(self, declared: Value, depth: int = 0) -> bool:
        raise NotImplementedError

    def field(self, value: Value, key: str) -> Value | None:
        raise NotImplementedError

    def from_body(self, func: FunctionValue, arguments: Arguments) -> Value:
        raise NotImplementedError

    def unannotated(self, module: Module, scope: int, index: int) -> Value:
        raise NotImplementedError

    def of_subclasses(self, module: Module, owner: Value, name: str, found: Unknown) -> Value:
        raise NotImplementedError

    def filled(self, module: Module, node: int, found: Value) -> Value:
        raise NotImplementedError

    def generator_return(self, value: Instance) -> Value:
        raise NotImplementedError

    def _call(self, module: Module, node: f.Call, context: Context) -> Value:
        raise NotImplementedError
