"""Where an awaited call leads, by plain analysis of imports, annotations and assignments.

This labels mutants, nothing else: what cannot be told is `dynamic`.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.scopes import (
    Assigned,
    Binding,
    Imported,
    Names,
    decorated,
    has_parameter,
    names,
    parameters,
    quoted,
    self_assignments,
)
from benchmarks.sources import Function, Module, Scope, Sources


class Callee(StrEnum):
    """Where the called function is defined, and how the call reaches it."""

    #: in the same module
    LOCAL = "local"
    #: a method of the same module, called on `self`, `cls` or `super()`
    SELF = "self"
    #: a function in another file of the package
    PROJECT_FUNCTION = "project-function"
    #: a method, inherited ones too, of a class in another file of the package
    PROJECT_INSTANCE = "project-instance"
    THIRD_PARTY = "third-party"
    STDLIB = "stdlib"
    #: a callback, an unannotated parameter, an untyped result
    DYNAMIC = "dynamic"
    #: no call is awaited
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Def:
    """A function or method of the package."""

    module: Module
    node: Function


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the package, an instance of it, or what `super()` gives in one of its methods."""

    module: Module
    node: ast.ClassDef
    instance: bool = False
    above: bool = False


@dataclass(frozen=True, slots=True)
class External:
    """Something outside of the package, or what is made by calling that."""

    dotted: str
    made: bool = False

    @property
    def last(self) -> str:
        return self.dotted.rpartition(".")[2]


Value = Module | Def | Class | External

#: annotations that stand for what is in their brackets; of several, the first that is known counts
_TRANSPARENT = {"Optional", "Annotated", "Final", "ClassVar", "Union", "Awaitable", "Coroutine"}
_OPAQUE = {"type", "Type", "Callable", "Any", "None", "Literal", "object", "TypeAlias", "Final", "ClassVar"}
#: bases that have no methods of interest
_PLAIN_BASES = {"object", "Generic", "Protocol", "ABC", "Enum"}
_HOLDERS = (
    "builtins.",
    "contextvars.",
    "functools.",
    "dataclasses.",
    "pydantic.",
    "typing.",
    "typing_extensions.",
)
_BUILTINS = frozenset(dir(builtins))


class Callees:
    """Labels the calls of a package."""

    def __init__(self, sources: Sources) -> None:
        self._package = sources.package
        self._modules = {module.name: module for module in sources.modules}
        self._names: dict[ast.AST, Names] = {}
        self._active: set[object] = set()

    def label(self, call: ast.Call, module: Module) -> tuple[Callee, str]:
        """Where a call leads, and the place and kind of the definition where that is known."""
        value, function = self._infer(call.func, module), call.func
        if isinstance(value, Class) and value.instance:
            value, function = (
                self._member(value, "__call__"),
                ast.Attribute(call.func, "__call__", ast.Load()),
            )
        match value:
            case External():
                if value.made and isinstance(function, ast.Name) and not value.last[:1].isupper():
                    return Callee.DYNAMIC, ""
                top = value.dotted.partition(".")[0]
                return Callee.STDLIB if top in sys.stdlib_module_names else Callee.THIRD_PARTY, value.dotted
            case Def() | Class():
                place = f"{value.module.file}:{value.node.lineno} {_kind(value.node)} {value.node.name}"
                return self._within(value, function, module), place
            case _:
                return Callee.DYNAMIC, ""

    def _within(self, value: Def | Class, function: ast.expr, module: Module) -> Callee:
        """Which of the labels for the package's own functions a call has."""
        same = value.module is module
        if isinstance(function, ast.Attribute) and _is_self(function.value):
            return Callee.SELF if same else Callee.PROJECT_INSTANCE
        if same:
            return Callee.LOCAL
        method = isinstance(value.module.parent(value.node), ast.ClassDef)
        return Callee.PROJECT_INSTANCE if method else Callee.PROJECT_FUNCTION

    # Names.

    def _scope(self, scope: ast.Module | Scope, module: Module) -> Names:
        if scope not in self._names:
            self._names[scope] = names(scope, module)
        return self._names[scope]

    def _dotted(self, dotted: str) -> Value | None:
        """What an absolute dotted name stands for."""
        if dotted in self._modules:
            return self._modules[dotted]
        if dotted.partition(".")[0] != self._package:
            return External(dotted)
        head, _, last = dotted.rpartition(".")
        owner = self._dotted(head) if head else None
        return self._attribute(owner, last) if owner else None

    def _global(self, name: str, module: Module) -> Value | None:
        """What a name stands for at the top level of a module of the package."""
        scope = self._scope(module.tree, module)
        if name in scope.bound:
            return self._bound(scope.bound[name], module, module.tree)
        for star in scope.stars:
            found = self._dotted(f"{star}.{name}")
            if isinstance(found, Def | Class):
                return found
        return self._modules.get(f"{module.name}.{name}")

    def _name(self, node: ast.Name, module: Module) -> Value | None:
        directly = True
        for scope in module.scopes(node):
            if isinstance(scope, ast.ClassDef) and not directly:
                continue
            directly = directly and isinstance(scope, ast.ClassDef)
            if not isinstance(scope, ast.ClassDef) and has_parameter(scope, node.id):
                return self._parameter(node.id, scope, module)
            own = self._scope(scope, module)
            if node.id in own.bound:
                return self._bound(own.bound[node.id], module, scope)
        found = self._global(node.id, module)
        if found is None and node.id in _BUILTINS and node.id not in self._scope(module.tree, module).bound:
            return External(f"builtins.{node.id}")
        return found

    def _parameter(self, name: str, scope: Function | ast.Lambda, module: Module) -> Value | None:
        for position, parameter in enumerate(parameters(scope)):
            if parameter.arg == name:
                owner = _owner(scope, module) if position == 0 else None
                return owner or self._annotated(parameter.annotation, module, scope)
        return None

    def _bound(self, binding: Binding, module: Module, where: ast.AST) -> Value | None:
        """What a name stands for, given what binds it; `where` is the scope."""
        with self._once(id(binding)) as first:
            if not first:
                return None
            match binding:
                case ast.ClassDef():
                    return Class(module, binding)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    return Def(module, binding)
                case Imported():
                    return self._dotted(binding.dotted)
                case Assigned(annotation=ast.expr() as annotation):
                    return self._annotated(annotation, module, where) or self._infer(binding.value, module)
                case Assigned(entered=ast.expr() as manager):
                    return self._entered(manager, module)
                case Assigned():
                    return self._infer(binding.value, module)

    # Types.

    def _annotated(self, annotation: ast.expr | None, module: Module, where: ast.AST) -> Value | None:
        """An instance of the class that an annotation names."""
        match annotation:
            case ast.Constant(value=str(text)):
                return self._annotated(quoted(text, annotation, module), module, where)
            case ast.BinOp():
                left = self._annotated(annotation.left, module, where)
                return left or self._annotated(annotation.right, module, where)
            case ast.Subscript():
                name = ast.unparse(annotation.value).rpartition(".")[2]
                if name in _TRANSPARENT:
                    inner = annotation.slice
                    choices = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                    return _first(self._annotated(choice, module, where) for choice in choices)
                return None if name in _OPAQUE else self._annotated(annotation.value, module, where)
            case ast.Name() | ast.Attribute():
                name = annotation.id if isinstance(annotation, ast.Name) else annotation.attr
                if name == "Self":
                    return self._enclosing_class(where, module)
                return None if name in _OPAQUE else _instance(self._infer(annotation, module))
            case _:
                return None

    def _enclosing_class(self, node: ast.AST, module: Module, *, above: bool = False) -> Class | None:
        """An instance of the class around a node."""
        owner = next((scope for scope in module.scopes(node) if isinstance(scope, ast.ClassDef)), None)
        return Class(module, owner, instance=True, above=above) if owner else None

    def _entered(self, manager: ast.expr, module: Module) -> Value | None:
        """What a context manager gives: itself, unless it is a generator whose annotation says more."""
        function = self._infer(manager.func, module) if isinstance(manager, ast.Call) else None
        if isinstance(function, Def):
            returned = function.node.returns
            if isinstance(returned, ast.Subscript):
                inner = returned.slice
                yielded = inner.elts[0] if isinstance(inner, ast.Tuple) else inner
                return self._annotated(yielded, function.module, function.node)
            return self._annotated(returned, function.module, function.node)
        return self._infer(manager, module)

    def _infer(self, node: ast.expr | None, module: Module) -> Value | None:
        """What an expression evaluates to."""
        if node is None:
            return None
        with self._once(node) as first:
            if not first:
                return None
            match node:
                case ast.Await() | ast.NamedExpr():
                    return self._infer(node.value, module)
                case ast.Name():
                    return self._name(node, module)
                case ast.Attribute():
                    return self._attribute(self._infer(node.value, module), node.attr)
                case ast.Call():
                    return self._called(node, module)
                case ast.IfExp():
                    return self._either([node.body, node.orelse], module)
                case ast.BoolOp():
                    return self._either(node.values, module)
                case _:
                    return None

    def _either(self, nodes: Sequence[ast.expr], module: Module) -> Value | None:
        """What is known about several expressions of which one counts: nothing, if one of them is unknown."""
        values = [self._infer(node, module) for node in nodes if not isinstance(node, ast.Constant)]
        return None if None in values else _first(values)

    def _called(self, call: ast.Call, module: Module) -> Value | None:
        """What a call returns."""
        if isinstance(call.func, ast.Name) and call.func.id == "super":
            return self._enclosing_class(call, module, above=True)
        function = self._infer(call.func, module)
        match function:
            case Def():
                return self._annotated(function.node.returns, function.module, function.node)
            case Class(instance=False):
                return _instance(function)
            case External(last="cast") if len(call.args) == 2:
                return self._annotated(call.args[0], module, call)
            case External(last="TypeVar"):
                bounds = [keyword.value for keyword in call.keywords if keyword.arg == "bound"]
                return _first(self._annotated(bound, module, call) for bound in bounds)
            case External():
                # What a built-in, a context variable or a declared field holds may be anything.
                handed_out = function.dotted.startswith(_HOLDERS)
                return None if handed_out else External(function.dotted, made=True)
            case _:
                return None

    # Members.

    def _attribute(self, value: Value | None, name: str) -> Value | None:
        match value:
            case External():
                return External(f"{value.dotted}.{name}", made=value.made)
            case Module():
                with self._once((value, name)) as first:
                    return self._global(name, value) if first else None
            case Class():
                return self._member(value, name)
            case _:
                return None

    def _member(self, owner: Class, name: str) -> Value | None:
        """A method, or what an attribute holds, looked up in a class and then in its bases."""
        with self._once((owner.node, name, owner.above)) as first:
            if not first:
                return None
            if not owner.above:
                known, value = self._own_member(owner, name)
                if known:
                    return value
            outside: Value | None = None
            for base in owner.node.bases:
                named = base.value if isinstance(base, ast.Subscript) else base
                above = self._infer(named, owner.module)
                if isinstance(above, Class) and above.node is not owner.node:
                    found = self._member(Class(above.module, above.node, instance=True), name)
                    if found is not None and not isinstance(found, External):
                        return found
                    outside = outside or found
                elif isinstance(above, External) and above.last not in _PLAIN_BASES:
                    outside = outside or External(f"{above.dotted}.{name}", made=True)
            return outside

    def _own_member(self, owner: Class, name: str) -> tuple[bool, Value | None]:
        """Whether a class itself defines a member, and what it is."""
        module, body = owner.module, self._scope(owner.node, owner.module).bound.get(name)
        if isinstance(body, Function):
            if decorated(body, "property"):
                return True, self._annotated(body.returns, module, body)
            return True, Def(module, body)
        value = self._bound(body, module, owner.node) if body is not None else None
        known = body is not None
        for function, binding in self_assignments(owner.node, name):
            known, value = True, value or self._bound(binding, module, function)
        return known, value

    @contextmanager
    def _once(self, question: object) -> Iterator[bool]:
        """Gives False where answering a question leads to asking it again."""
        if question in self._active:
            yield False
            return
        self._active.add(question)
        try:
            yield True
        finally:
            self._active.remove(question)


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)


def _instance(value: Value | None) -> Value | None:
    """An instance, given its class."""
    match value:
        case Class():
            return Class(value.module, value.node, instance=True)
        case External():
            return External(value.dotted, made=True)
        case _:
            return None


def _owner(scope: Function | ast.Lambda, module: Module) -> Class | None:
    """What the first parameter of a method is."""
    owner = module.parent(scope)
    if (
        not isinstance(owner, ast.ClassDef)
        or isinstance(scope, ast.Lambda)
        or decorated(scope, "staticmethod")
    ):
        return None
    return Class(module, owner, instance=not decorated(scope, "classmethod"))


def _kind(node: ast.AST) -> str:
    kinds: dict[type[ast.AST], str] = {ast.AsyncFunctionDef: "async def", ast.FunctionDef: "def"}
    return kinds.get(type(node), "class")


def _is_self(node: ast.expr) -> bool:
    """Whether a method is called on the object or class itself."""
    match node:
        case ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super")):
            return True
        case _:
            return False
