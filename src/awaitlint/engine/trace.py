"""How inference came to an answer: the parts of an expression, and what each of them evaluates to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitlint.engine.trace_lookup import Lookup
from awaitlint.engine.tracing import At, Step
from awaitlint.index import facts as f
from awaitlint.infer.evaluator import Arguments
from awaitlint.infer.insight import (
    body_context,
    body_decides,
    is_known,
    is_known_by_name,
)
from awaitlint.infer.known import GETTERS
from awaitlint.infer.values import (
    NEVER,
    CallableValue,
    ClassValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    SpecialForm,
    SuperValue,
    Unknown,
    Value,
    members,
    without_none,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from awaitlint.index.modules import Module
    from awaitlint.infer.values import Context

_NO_ARGUMENTS = Arguments()
#: members of a union, options, arguments that are shown
_MOST = 4
_TESTS = {
    ("none", True): "where it is None",
    ("none", False): "where it is not None",
    ("truthy", True): "where it is true",
    ("truthy", False): "where it is false",
    ("awaitable", True): "where the code found that it is awaitable",
    ("awaitable", False): "where the code found that it is not awaitable",
    ("async function", True): "where the code found that it is an async function",
    ("async function", False): "where the code found that it is no async function",
}


class Tracer(Lookup):
    """Traces expressions; nothing is shown twice."""

    def _expression(self, at: At, depth: int) -> Iterator[Step]:
        """The parts of an expression as it is written."""
        fact = at.module.facts.nodes[at.node]
        if isinstance(at.expr, ast.Name):
            yield from self.name(at, at.expr.id, depth)
            return
        match fact:
            case f.Call():
                yield from self._call(at, fact, depth)
            case f.Attr(value, name):
                yield self.step(self.texts.child(at, value), depth, "receiver")
                owner = self.infer.value(at.module, value, at.context)
                for member in members(without_none(owner))[:_MOST]:
                    yield from self._member(member, name, depth)
            case f.Index(value):
                yield self.step(self.texts.child(at, value), depth)
                yield from self._put_in(at.module, value, depth)
            case f.Await(value) | f.Starred(value) | f.Yielded(value):
                yield self.step(self.texts.child(at, value), depth)
            case f.BinOp(left=left, right=right):
                yield self.step(self.texts.child(at, left), depth)
                yield self.step(self.texts.child(at, right), depth)
            case f.Phi(options):
                for option in options[:_MOST]:
                    yield self.step(self._without_test(at, option), depth, "or")
            case f.Comp(element=element):
                yield self.step(self.texts.child(at, element), depth, "element")
            case f.Lambda(scope):
                yield from self._returns(FunctionValue(at.module, scope, None, at.context), at.context, depth)
            case f.Super(scope):
                yield self._class(ClassValue(at.module, scope))
            case f.Display() | f.DictDisplay() | f.Const() | f.Plain():
                return
            case _:
                yield from self.bound(at, "", depth)

    def _without_test(self, at: At, node: int) -> At:
        """An operand of ``or``, which counts only where it is true."""
        found = self.texts.child(at, node)
        narrowed = at.module.facts.nodes[node]
        if found.expr is None and isinstance(narrowed, f.Narrow):
            return self.texts.child(at, narrowed.value)
        return found

    # ------------------------------------------------------------------ names
    def bound(self, at: At, name: str, depth: int) -> Iterator[Step]:
        """What a local name is bound to, or a node that only stands for others."""
        module, node, context = at.module, at.node, at.context
        fact = module.facts.nodes[node]
        line = self.texts.bound_on(module, at.scope, name, node) if name else 0
        on = f" on line {line}" if line else ""
        origin = self.texts.at(module, node, at.scope, context)
        match fact:
            case f.Phi() if not line or origin.expr is None or isinstance(origin.expr, ast.Name):
                options = _options(module, node)
                options.sort(key=lambda each: self.texts.bound_on(module, at.scope, name, each))
                for option in options[:_MOST]:
                    yield from self.bound(at._replace(node=option), name, depth)
            case f.Narrow(value, test, against, positive):
                if test == "isinstance":
                    classes = self.texts.spelled(self.texts.at(module, against))
                    told = f"where it is {'' if positive else 'not '}an instance of `{classes}`"
                else:
                    told = _TESTS[test, positive]
                inner = module.facts.nodes[value]
                if isinstance(inner, f.Narrow) and inner == f.Narrow(inner.value, test, against, positive):
                    value = inner.value
                below = at._replace(node=value)
                yield self.made(told, at, depth, lambda deeper: self.bound(below, name, deeper))
            case f.Param():
                yield self._parameter(at, fact, depth)
            case f.Import():
                yield self.imported(at, fact, line, depth)
            case f.Func(scope):
                yield self.definition(FunctionValue(module, scope, None, context), depth)
            case f.Class(scope):
                yield self._class(ClassValue(module, scope))
            case f.Iter() | f.Enter() | f.Unpack() | f.Caught():
                words, source = self._taken(module, node)
                origin = self.texts.at(module, source, at.scope, context)
                yield self.step(
                    origin, depth, f"bound{on} to{words}", value=self.infer.value(module, node, context)
                )
                yield from self._filled(module, fact, depth)
            case f.Declared(annotation, value):
                declared = self.texts.at(module, annotation, at.scope, context)
                text = f"declared{on} as `{self.texts.spelled(declared)}`"
                yield self.made(text, at, depth, self._types(declared))
                if value >= 0:
                    yield self.step(self.texts.at(module, value, at.scope, context), depth, "and bound to")
            case f.Name() | f.Free():
                yield from self.name(at, fact.name, depth)
            case f.Unknown():
                yield self.unseen(name, at)
            case f.Const() | f.Plain() | f.TypeParam():
                if name:
                    yield self.made(f"bound{on} to `{self.texts.spelled(at)}`", at, depth, None)
            case _:
                yield self.step(origin, depth, f"bound{on} to" if name else "")

    def _taken(self, module: Module, node: int) -> tuple[str, int]:
        """How a value is taken out of another, in words, and that one."""
        match module.facts.nodes[node]:
            case f.Iter(value):
                words = " each element of"
            case f.Enter(value, is_async):
                words = f" what `{'async with' if is_async else 'with'}` gives for"
            case f.Unpack(value, index):
                words = f" element {index} of"
            case f.Caught(value):
                words = " an exception of"
            case _:
                return "", node
        more, source = self._taken(module, value)
        return words + more, source

    def _parameter(self, at: At, fact: f.Param, depth: int) -> Step:
        module, context = at.module, at.context
        scope = module.facts.scopes[fact.scope]
        param = scope.params[fact.index]
        of = f"parameter `{param.name}` of `{scope.name}`"
        place = self.texts.whereabouts(module, scope.line)
        if any(key == (module, fact.scope, fact.index) for key, _ in context):
            return self.made(f"{of}, as it is called here", at, depth, None, place)
        if param.annotation >= 0:
            annotation = self.texts.part(module, fact.scope, "args", fact.index, param.annotation)
            text = f"{of}, annotated `{self.texts.spelled(annotation)}`"
            return self.made(text, at, depth, self._types(annotation), place)
        owner = module.facts.scopes[scope.parent]
        if fact.index == 0 and owner.kind is f.ScopeKind.CLASS:
            value = self.infer.value(module, at.node, context)
            is_class = isinstance(value, ClassValue)
            text = f"the class `{owner.name}`" if is_class else f"an instance of class `{owner.name}`"
            return self.made(text, at, depth, None, self.texts.whereabouts(module, owner.line))
        return self.made(f"{of}, without annotation", at, depth, None, place)

    def _types(self, at: At) -> Callable[[int], Iterator[Step]]:
        """The types that an annotation names: those of other packages, and the unknown ones."""

        def parts(depth: int) -> Iterator[Step]:
            for part in self._named(at):
                form = self.infer.value(part.module, part.node, part.context)
                if isinstance(form, SpecialForm) or (isinstance(form, ClassValue) and form.module.is_stdlib):
                    continue
                value = self.infer.as_instance(form)
                if isinstance(form, ClassValue) or not is_known(self.infer, value):
                    yield self.step(part, depth, value=value)

        return parts

    def _named(self, at: At) -> Iterator[At]:
        """The names and attributes in an annotation."""
        match at.module.facts.nodes[at.node]:
            case f.Index(value, index):
                yield self.texts.child(at, value)
                yield from self._named(self.texts.child(at, index))
            case f.BinOp(left=left, right=right):
                yield from self._named(self.texts.child(at, left))
                yield from self._named(self.texts.child(at, right))
            case f.Display(elements=elements):
                for element in elements:
                    yield from self._named(self.texts.child(at, element))
            case f.Const() | f.Plain():
                return
            case _:
                yield at

    # ------------------------------------------------------------------ calls
    def _call(self, at: At, fact: f.Call, depth: int) -> Iterator[Step]:
        module, context = at.module, at.context
        yield self.step(self.texts.child(at, fact.func), depth, "function")
        func = self.infer.value(module, fact.func, context)
        arguments = Arguments(module, fact, context)
        if is_known_by_name(self.infer, module, fact, context):
            yield Step("it is known by its name: what it gives is made of its arguments")
            func = Unknown("it is known by its name")
            yield from self._arguments(at, fact, depth)
        for member in members(without_none(func))[:_MOST]:
            yield from self._called(member, arguments, depth)
        method = module.facts.nodes[fact.func]
        if isinstance(method, f.Attr) and method.name in GETTERS:
            yield from self._put_in(module, method.value, depth)
        if any(self._depends_on_arguments(member) for member in members(func)):
            yield from self._arguments(at, fact, depth)

    def _filled(self, module: Module, fact: f.Node, depth: int) -> Iterator[Step]:
        """What was put into the container that a loop goes through."""
        inner = module.facts.nodes[fact.value] if isinstance(fact, f.Unpack) and fact.index == 1 else None
        if isinstance(fact, f.Iter):
            yield from self._put_in(module, self.infer.viewed(module, fact.value, "values"), depth)
        elif isinstance(inner, f.Iter):
            yield from self._put_in(module, self.infer.viewed(module, inner.value, "items"), depth)

    def _put_in(self, module: Module, container: int, depth: int) -> Iterator[Step]:
        """What the code puts into a container that begins empty."""
        if self.infer.filled(module, container, NEVER) == NEVER:
            return
        for source, node in self.infer.put_in(module, container)[:_MOST]:
            yield self.step(self.texts.at(source, node), depth, "put into it:")

    def _arguments(self, at: At, fact: f.Call, depth: int) -> Iterator[Step]:
        nodes = (*fact.args, *(node for _, node in fact.keywords))
        for node in nodes[:_MOST]:
            argument = self.texts.child(at, node)
            if is_known(self.infer, self.infer.value(at.module, node, at.context)):
                yield self.made(f"argument `{self.texts.spelled(argument)}`", argument, depth, None)
            else:
                yield self.step(argument, depth, "argument")

    def _called(self, func: Value, arguments: Arguments, depth: int) -> Iterator[Step]:
        """The definition of what is called."""
        if isinstance(func, OverloadedValue):
            for function in self.infer.fitting(func, arguments)[:_MOST]:
                words = f"of {len(func.functions)} overloads "
                yield from self._defined(function, depth, arguments, words)
        elif isinstance(func, FunctionValue):
            yield from self._defined(func, depth, arguments)
        elif isinstance(func, ClassValue):
            if not self.is_shown(("class", func.module, func.scope)):
                yield self._class(func)
        elif isinstance(func, CallableValue) and func.origin is not None:
            yield from self._defined(func.origin, depth)
        elif isinstance(func, Instance):
            yield from self._member(func, "__call__", depth)
            called = self.infer.attribute(func, "__call__")
            if isinstance(called, FunctionValue):
                yield from self._defined(called, depth, arguments)

    def _defined(
        self, func: FunctionValue, depth: int, arguments: Arguments = _NO_ARGUMENTS, words: str = ""
    ) -> Iterator[Step]:
        """A function's definition, unless what led to it has shown it."""
        if not self.is_shown(("def", func.module, func.scope, body_context(self.infer, func, arguments))):
            yield self.definition(func, depth, arguments, words)

    def _depends_on_arguments(self, func: Value) -> bool:
        if isinstance(func, OverloadedValue):
            return True
        if not isinstance(func, FunctionValue) or func.fact.returns < 0:
            return False
        return self.infer.has_type_vars(self.infer.annotation(func.module, func.fact.returns, func.context))

    def definition(
        self, func: FunctionValue, depth: int, arguments: Arguments = _NO_ARGUMENTS, words: str = ""
    ) -> Step:
        """A function's definition: its decorators, and its annotation or body."""
        fact = func.fact
        context = body_context(self.infer, func, arguments)
        text = f"{words}`{'async def' if fact.is_async else 'def'} {fact.name}`"
        place = self.texts.whereabouts(func.module, fact.line)

        def parts(deeper: int) -> Iterator[Step]:
            yield from self._decorators(func, deeper)
            yield from self._returns(func, context, deeper)

        return self.listed(text, place, ("def", func.module, func.scope, context), depth, parts)

    def _decorators(self, func: FunctionValue, depth: int) -> Iterator[Step]:
        """Each decorator, as they are applied, with what it makes of the function."""
        module, fact = func.module, func.fact
        value: Value = FunctionValue(module, func.scope, None, func.context)
        for number, node in reversed(list(enumerate(fact.decorators))):
            if self.texts.spelled(At(module, node)).endswith("overload"):
                continue
            after = self.infer.decorated(module, node, value, func.context)
            at = self.texts.part(module, func.scope, "decorator_list", number, node)
            text = f"decorator `@{self.texts.spelled(at)}`"
            if after == value:
                yield Step(f"{text}, which leaves it what it is")
            else:
                decorator = self.infer.value(module, node, func.context)
                if is_known(self.infer, after) and is_known(self.infer, decorator):
                    yield self.made(text, at, depth, None, value=after)
                else:
                    yield self.step(at, depth, text=text, value=after)
            value = after

    def _returns(self, func: FunctionValue, context: Context, depth: int) -> Iterator[Step]:
        """What a function says that it returns or, where that does not decide, what it returns."""
        module, fact = func.module, func.fact
        if fact.returns >= 0:
            annotation = self.texts.part(module, func.scope, "returns", 0, fact.returns)
            value = self.infer.annotation(module, fact.returns, func.context)
            text = f"return annotation `{self.texts.spelled(annotation)}`"
            yield self.made(text, annotation, depth, self._types(annotation), value=value)
            decides = isinstance(value, Unknown) or body_decides(self.infer, func, value)
            if module.is_stub or fact.is_stub or not decides:
                return
        elif fact.is_stub or module.is_stub:
            empty = "" if module.is_stub else ", and its body does nothing"
            yield Step(f"it has no return annotation{empty}")
            return
        if fact.is_generator:
            yield Step("it yields: calling it makes a generator")
            return
        source = self.texts.of(module)
        places = source.recorder.returns.get(func.scope, []) if source is not None else []
        for number, node in enumerate(fact.returned[:_MOST]):
            at = self.texts.at(module, node, func.scope, context)
            line = 0
            if number < len(places):
                line = places[number].lineno
                at = At(module, node, places[number].value, func.scope, context)
            yield self.step(at, depth, f"returns on line {line}" if line else "returns")
        if fact.falls_through and fact.kind is f.ScopeKind.FUNCTION:
            yield Step("returns None at its end")

    def _class(self, cls: ClassValue) -> Step:
        self.show(("class", cls.module, cls.scope))
        return Step(f"class `{cls.fact.name}`", self.texts.whereabouts(cls.module, cls.fact.line))

    # ------------------------------------------------------------------ attributes
    def _member(self, owner: Value, name: str, depth: int) -> Iterator[Step]:
        if isinstance(owner, SuperValue):
            receiver = owner.receiver
            mro = self.infer.mro(receiver.cls if isinstance(receiver, Instance) else owner.cls)
            names = [entry is not None and entry.qualname == owner.cls.qualname for entry in mro]
            after = mro[names.index(True) + 1 :] if True in names else ()
            yield from self.in_classes(after, receiver, name, depth)
        elif isinstance(owner, (Instance, ClassValue)):
            cls = owner.cls if isinstance(owner, Instance) else owner
            yield from self.in_classes(self.infer.mro(cls), owner, name, depth)
        else:
            yield from self.in_module(owner, name, depth)


def _options(module: Module, node: int) -> list[int]:
    """The nodes that one of several paths leads to."""
    found: dict[int, None] = {}
    todo, seen = [node], set[int]()
    while todo:
        index = todo.pop(0)
        fact = module.facts.nodes[index]
        if not isinstance(fact, f.Phi):
            found[index] = None
        elif index not in seen:
            seen.add(index)
            todo.extend(fact.options)
    return list(found)
