"""From a node to a value: one case per kind of node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.special import SPECIAL_FORMS, TYPING_ALIASES, TYPING_MODULES
from awaitlint.infer.values import (
    NONE,
    UNKNOWN,
    AwaitableValue,
    ClassValue,
    Context,
    ContextManagerValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    ModuleValue,
    NoneValue,
    SpecialForm,
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
    from collections.abc import Callable

    from awaitlint.index.project import Module, Project

#: how deep evaluation goes before it gives up
_DEPTH = 120
_CYCLE = Unknown("defined in terms of itself")
_DEEP = Unknown("too deep")


class Arguments(NamedTuple):
    """The arguments of a call: of a call in the text, or values given by inference itself."""

    module: Module | None = None
    call: f.Call | None = None
    context: Context = ()
    values: tuple[Value, ...] = ()


class Core:
    """Evaluates nodes; the other parts of inference are mixed into `Inference`."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._in_context: dict[tuple[Module, int, Context], Value] = {}
        self._in_progress: dict[tuple[Any, ...], int] = {}
        #: the outermost frame that a cycle led back to; results inside it are not final
        self._cut = _DEPTH
        self._depth = 0
        self._lookups: dict[tuple[Module, str], Value] = {}
        self._cases: dict[type, Callable[[Module, Any, Context], Value]] = {
            f.Const: self._const,
            f.Plain: self._plain,
            f.Name: self._name,
            f.Free: self._free,
            f.Phi: self._phi,
            f.Attr: self._attr,
            f.Call: self._call,
            f.Await: self._await,
            f.Yielded: self._yielded,
            f.Index: self._index,
            f.BinOp: self._binop,
            f.Display: self._display,
            f.DictDisplay: self._dict_display,
            f.Comp: self._comp,
            f.Lambda: self._lambda,
            f.Func: self._func,
            f.Class: self._class,
            f.Param: self._param,
            f.Import: self._import,
            f.Iter: self._iter,
            f.Enter: self._enter,
            f.Unpack: self._unpack,
            f.Caught: self._caught,
            f.Narrow: self._narrow,
            f.Declared: self._declared,
            f.Super: self._super,
            f.TypeParam: self._type_param,
        }

    # ------------------------------------------------------------------ evaluation
    def value(self, module: Module, node: int, context: Context = ()) -> Value:
        """What a node evaluates to."""
        if node < 0:
            return UNKNOWN
        if not context:
            known = module.memo.get(node)
            if known is not None:
                return known  # type: ignore[return-value]
        else:
            found = self._in_context.get((module, node, context))
            if found is not None:
                return found
        fact = module.facts.nodes[node]
        case = self._cases.get(type(fact))
        if case is None:
            return UNKNOWN
        key = (module, node, context)
        result, final = self.guarded(key, lambda: case(module, fact, context))
        if final:
            if context:
                self._in_context[key] = result
            else:
                module.memo[node] = result
        return result

    def guarded(self, key: tuple[Any, ...], compute: Callable[[], Value]) -> tuple[Value, bool]:
        """Compute something that may come to depend on itself.

        Returns the value, and whether it is final: a value computed while a cycle was cut further out may
        only be used there, not remembered, else the answer would depend on where evaluation began.
        """
        begun = self._in_progress.get(key)
        if begun is not None:
            self._cut = min(self._cut, begun)
            return _CYCLE, False
        depth = self._depth
        if depth >= _DEPTH:
            self._cut = 0
            return _DEEP, False
        self._in_progress[key] = depth
        self._depth = depth + 1
        try:
            result = compute()
        finally:
            del self._in_progress[key]
            self._depth = depth
        final = self._cut >= depth
        if final or depth == 0:
            self._cut = _DEPTH
            final = True
        return result, final

    # ------------------------------------------------------------------ names
    def builtin(self, name: str) -> Value:
        """What a name of `builtins` stands for."""
        builtins = self.project.stdlib_module("builtins")
        return self.module_attribute(builtins, name) if builtins is not None else UNKNOWN

    def instance_of(self, name: str, *args: Value) -> Value:
        """An instance of a builtin class."""
        cls = self.builtin(name)
        return Instance(ClassValue(cls.module, cls.scope, args)) if isinstance(cls, ClassValue) else UNKNOWN

    def stdlib_instance(self, module_name: str, name: str, *args: Value) -> Value:
        """An instance of a class of the standard library."""
        module = self.project.stdlib_module(module_name)
        cls = self.module_attribute(module, name) if module is not None else UNKNOWN
        return Instance(ClassValue(cls.module, cls.scope, args)) if isinstance(cls, ClassValue) else UNKNOWN

    def module_attribute(self, module: Module, name: str) -> Value:
        """What ``module.name`` stands for, submodules included."""
        key = (module, name)
        known = self._lookups.get(key)
        if known is not None:
            return known
        result, final = self.guarded(key, lambda: self._module_attribute(module, name))
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
                return self.module_attribute(target, original) if target is not None else UNKNOWN
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
                return Unknown(f"a star import of {source}, which is not at hand, may bind {name}")
            if target is not module and self._exported(target, name):
                found = self.module_attribute(target, name)
                if not isinstance(found, Unknown) or found is _CYCLE:
                    return found
        sub = self.project.submodule(module, name)
        if sub is not None:
            return ModuleValue(sub)
        return Unknown(f"{module.name} has no {name}")

    def _exported(self, module: Module, name: str) -> bool:
        exports = module.facts.exports
        if exports is not None:
            return name in exports
        return not name.startswith("_")

    def _binds(self, module: Module, name: str) -> bool:
        return name in module.facts.scopes[0].bindings or bool(module.facts.stars)

    def _const(self, _module: Module, node: f.Const, _context: Context) -> Value:
        return NONE if node.value is None else self.instance_of(type(node.value).__name__)

    def _plain(self, _module: Module, node: f.Plain, _context: Context) -> Value:
        return self.instance_of(node.type_name)

    def _name(self, module: Module, node: f.Name, _context: Context) -> Value:
        if self._binds(module, node.name):
            found = self.module_attribute(module, node.name)
            if not isinstance(found, Unknown) or node.name in module.facts.scopes[0].bindings:
                return found
            if found.reason.startswith("a star import"):
                return found
        builtin = self.builtin(node.name)
        return Unknown(f"{node.name} is not defined") if isinstance(builtin, Unknown) else builtin

    def _free(self, module: Module, node: f.Free, context: Context) -> Value:
        nodes = module.facts.scopes[node.scope].bindings.get(node.name, ())
        return union([self.value(module, bound, context) for bound in nodes])

    def _phi(self, module: Module, node: f.Phi, context: Context) -> Value:
        return union([self.value(module, option, context) for option in node.options])

    def _import(self, module: Module, node: f.Import, _context: Context) -> Value:
        target = self.project.resolve(module, node.module, node.level)
        if target is None:
            if node.level:
                return Unknown(f"no module {'.' * node.level}{node.module}")
            return External(f"{node.module}.{node.name}" if node.name else node.module)
        if not node.name:
            return ModuleValue(target)
        if target is module and target.is_package and node.name not in target.facts.scopes[0].bindings:
            sub = self.project.submodule(target, node.name)
            return ModuleValue(sub) if sub is not None else UNKNOWN
        found = self.module_attribute(target, node.name)
        if isinstance(found, Unknown) and target.is_package:
            sub = self.project.submodule(target, node.name)
            if sub is not None:
                return ModuleValue(sub)
        return found

    # ------------------------------------------------------------------ parameters
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
            if param.kind == "vararg":
                return self.instance_of("tuple", value)
            if param.kind == "kwarg":
                return self.instance_of("dict", self.instance_of("str"), value)
            if param.default >= 0 and isinstance(module.facts.nodes[param.default], f.Const):
                default = self.value(module, param.default)
                if isinstance(default, NoneValue) and not isinstance(value, Unknown):
                    return union([value, NONE])
            return value
        if param.kind == "vararg":
            return self.instance_of("tuple")
        if param.kind == "kwarg":
            return self.instance_of("dict")
        if node.index == 0 and scope.kind is f.ScopeKind.FUNCTION:
            return self._receiver(module, scope)
        return Unknown(f"the parameter {param.name} has no annotation")

    def _receiver(self, module: Module, scope: f.Scope) -> Value:
        """What the first parameter of a method is."""
        if module.facts.scopes[scope.parent].kind is not f.ScopeKind.CLASS:
            return Unknown(f"the parameter {scope.params[0].name} has no annotation")
        cls = ClassValue(module, scope.parent, self.type_params(module, scope.parent))
        implicit = scope.name in ("__new__", "__init_subclass__", "__class_getitem__")
        for decorator in scope.decorators:
            value = self.value(module, decorator)
            name = value.qualname if isinstance(value, (ClassValue, FunctionValue)) else ""
            if name == "builtins.staticmethod":
                return UNKNOWN
            implicit |= name in ("builtins.classmethod", "abc.abstractclassmethod")
        if implicit or self.is_metaclass(cls):
            return cls
        return Instance(cls)

    def _super(self, module: Module, node: f.Super, _context: Context) -> Value:
        cls = ClassValue(module, node.scope)
        return SuperValue(cls, Instance(cls))

    def _type_param(self, module: Module, node: f.TypeParam, _context: Context) -> Value:
        return TypeVarValue(f"{module.name}:{node.scope}", node.name)

    # ------------------------------------------------------------------ operators
    def _attr(self, module: Module, node: f.Attr, context: Context) -> Value:
        found = self.attribute(self.value(module, node.value, context), node.name)
        if (
            isinstance(found, FunctionValue)
            and found.receiver is not None
            and node.name in module.facts.patched
        ):
            return Unknown(f"the method {node.name} is replaced somewhere in the module")
        return found

    def _await(self, module: Module, node: f.Await, context: Context) -> Value:
        return self.awaited(self.value(module, node.value, context))

    def _yielded(self, module: Module, node: f.Yielded, context: Context) -> Value:
        if node.is_from:
            value = self.value(module, node.value, context)
            if isinstance(value, Instance):
                return self.generator_return(value)
        return UNKNOWN

    def _binop(self, module: Module, node: f.BinOp, context: Context) -> Value:
        left = self.value(module, node.left, context)
        right = self.value(module, node.right, context)
        if node.op == "BitOr" and (self.is_type(left) or self.is_type(right)):
            return TypeForm(union([self.as_instance(left), self.as_instance(right)]))
        if isinstance(left, Instance) and isinstance(right, Instance) and left.cls.module.name == "builtins":
            name = left.cls.fact.name
            if name == "str" and (node.op == "Mod" or (node.op == "Add" and right.cls.fact.name == "str")):
                return left
            if name == right.cls.fact.name and name in ("int", "float", "list", "set", "bytes", "bool"):
                return self.instance_of("float") if node.op == "Div" else left
        return UNKNOWN

    def _index(self, module: Module, node: f.Index, context: Context) -> Value:
        value = self.value(module, node.value, context)
        if isinstance(value, (SpecialForm, TypeForm)) or self.is_type(value):
            return self.subscripted_type(module, value, node.index, context)
        index = module.facts.nodes[node.index]
        number = index.value if isinstance(index, f.Const) and type(index.value) is int else None
        return union([self._item(member, number) for member in members(without_none(value))])

    def _item(self, value: Value, number: int | None) -> Value:
        if isinstance(value, TupleValue):
            if number is not None and -len(value.elements) <= number < len(value.elements):
                return value.elements[number]
            return union(list(value.elements))
        if isinstance(value, External):
            return UNKNOWN
        if isinstance(value, Instance):
            args = value.cls.args
            name = (
                value.cls.fact.name if value.cls.module.name in ("builtins", "typing", "collections") else ""
            )
            if name in ("list", "tuple", "Sequence", "MutableSequence", "deque") and number is not None:
                return args[0] if args else UNKNOWN
            if name in ("dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"):
                return args[1] if len(args) > 1 else UNKNOWN
            if name in ("list", "tuple", "Sequence", "deque"):
                return UNKNOWN
            return self.call(self.attribute(value, "__getitem__"), Arguments())
        return UNKNOWN

    # ------------------------------------------------------------------ displays
    def _display(self, module: Module, node: f.Display, context: Context) -> Value:
        nodes = module.facts.nodes
        if any(isinstance(nodes[element], f.Starred) for element in node.elements):
            return self.instance_of(node.kind)
        values = [self.value(module, element, context) for element in node.elements]
        if node.kind == "tuple":
            return TupleValue(tuple(values))
        return self.instance_of(node.kind, *([union(values)] if values else []))

    def _dict_display(self, module: Module, node: f.DictDisplay, context: Context) -> Value:
        if -1 in node.keys or not node.keys:
            return self.instance_of("dict")
        keys = union([self.value(module, key, context) for key in node.keys])
        return self.instance_of(
            "dict", keys, union([self.value(module, item, context) for item in node.values])
        )

    def _comp(self, module: Module, node: f.Comp, context: Context) -> Value:
        element = self.value(module, node.element, context)
        if node.kind == "generator":
            return GeneratorValue(node.is_async, element)
        if node.kind == "dict":
            return self.instance_of("dict", self.value(module, node.key, context), element)
        return self.instance_of(node.kind, element)

    # ------------------------------------------------------------------ definitions
    def _lambda(self, module: Module, node: f.Lambda, context: Context) -> Value:
        return FunctionValue(module, node.scope, None, context)

    def _class(self, module: Module, node: f.Class, _context: Context) -> Value:
        return ClassValue(module, node.scope)

    def _func(self, module: Module, node: f.Func, context: Context) -> Value:
        value: Value = FunctionValue(module, node.scope, None, context)
        for decorator in reversed(module.facts.scopes[node.scope].decorators):
            value = self.decorated(module, decorator, value, context)
        return value

    # ------------------------------------------------------------------ statements
    def _iter(self, module: Module, node: f.Iter, context: Context) -> Value:
        value = self.value(module, node.value, context)
        return union(
            [self.element(member, is_async=node.is_async) for member in members(without_none(value))]
        )

    def element(self, value: Value, *, is_async: bool) -> Value:
        """What iterating a value gives."""
        if isinstance(value, GeneratorValue):
            return value.item if value.is_async == is_async else UNKNOWN
        if isinstance(value, TupleValue):
            return union(list(value.elements))
        if not isinstance(value, Instance):
            return UNKNOWN
        cls = value.cls
        if (
            not is_async
            and cls.module.name == "builtins"
            and cls.fact.name in ("list", "set", "frozenset", "dict", "tuple")
        ):
            return cls.args[0] if cls.args else UNKNOWN
        iterator = self.call(self.attribute(value, "__aiter__" if is_async else "__iter__"), Arguments())
        if isinstance(iterator, GeneratorValue):
            return iterator.item
        item = self.call(self.attribute(iterator, "__anext__" if is_async else "__next__"), Arguments())
        return self.awaited(item) if is_async else item

    def _enter(self, module: Module, node: f.Enter, context: Context) -> Value:
        value = self.value(module, node.value, context)
        return union(
            [self._entered(member, is_async=node.is_async) for member in members(without_none(value))]
        )

    def _entered(self, value: Value, *, is_async: bool) -> Value:
        if isinstance(value, ContextManagerValue):
            return value.item if value.is_async == is_async else UNKNOWN
        if isinstance(value, External):
            # most context managers of most libraries give themselves
            return UNKNOWN
        entered = self.call(self.attribute(value, "__aenter__" if is_async else "__enter__"), Arguments())
        return self.awaited(entered) if is_async else entered

    def _unpack(self, module: Module, node: f.Unpack, context: Context) -> Value:
        value = self.value(module, node.value, context)
        found = []
        for member in members(without_none(value)):
            if isinstance(member, TupleValue):
                inside = -len(member.elements) <= node.index < len(member.elements)
                found.append(member.elements[node.index] if inside else UNKNOWN)
            else:
                found.append(self.element(member, is_async=False))
        return union(found)

    def _caught(self, module: Module, node: f.Caught, context: Context) -> Value:
        value = self.value(module, node.types, context)
        classes = value.elements if isinstance(value, TupleValue) else members(value)
        return union([self.as_instance(cls) if isinstance(cls, ClassValue) else UNKNOWN for cls in classes])

    def _declared(self, module: Module, node: f.Declared, context: Context) -> Value:
        form = self.value(module, node.annotation, context)
        if isinstance(form, SpecialForm) and form.name in ("Final", "ClassVar", "TypeAlias"):
            return self.value(module, node.value, context)
        declared = self.as_instance(form)
        if node.value < 0:
            return declared
        if isinstance(declared, Unknown):
            return self.value(module, node.value, context)
        value = self.value(module, node.value, context)
        if isinstance(value, AwaitableValue):
            # what was assigned is the truth, whatever was declared
            return value
        if isinstance(value, Instance) and isinstance(declared, (Instance, UnionValue)):
            narrowed = [
                m for m in members(declared) if isinstance(m, Instance) and self.is_subclass(value.cls, m.cls)
            ]
            if narrowed and not value.cls.module.is_stdlib:
                return value
        return declared

    def _narrow(self, module: Module, node: f.Narrow, context: Context) -> Value:
        if node.test == "awaitable":
            value = self.value(module, node.value, context) if node.positive else UNKNOWN
            if self.coroutine(value) is not None:
                return AwaitableValue("Awaitable", self.awaited(value))
            return Unknown("the code looks whether it is awaitable")
        value = self.value(module, node.value, context)
        if node.test in ("none", "truthy"):
            if node.test == "none" and node.positive:
                return NONE if not isinstance(value, AwaitableValue) else value
            if node.test == "none" or node.positive:
                return without_none(value)
            return value
        classes = self._classes_of(self.value(module, node.against, context))
        if not node.positive:
            if isinstance(value, AwaitableValue):
                return Unknown("the code looks whether it is a coroutine")
            if classes is None or not isinstance(value, UnionValue):
                return value
            rest = [
                m for m in value.members if not (isinstance(m, Instance) and self._any_base(m.cls, classes))
            ]
            return union(rest) if rest else UNKNOWN
        if classes is None:
            return UNKNOWN
        kept = [m for m in members(value) if isinstance(m, Instance) and self._any_base(m.cls, classes)]
        if kept:
            return union(kept)
        return union([self.as_instance(cls) for cls in classes])

    def _classes_of(self, value: Value) -> list[ClassValue] | None:
        """The classes that an ``isinstance`` test names, or None where not all are known."""
        found: list[ClassValue] = []
        for member in value.elements if isinstance(value, TupleValue) else members(value):
            if isinstance(member, ClassValue):
                found.append(member)
            elif isinstance(member, TypeForm):
                for instance in members(member.instance):
                    if not isinstance(instance, Instance):
                        return None
                    found.append(instance.cls)
            else:
                return None
        return found

    def _any_base(self, cls: ClassValue, bases: list[ClassValue]) -> bool:
        return any(self.is_subclass(cls, base) for base in bases)

    # ------------------------------------------------------------------ given by the other parts
    if TYPE_CHECKING:

        def annotation(self, module: Module, node: int, context: Context = ()) -> Value: ...
        def as_instance(self, value: Value) -> Value: ...
        def is_type(self, value: Value) -> bool: ...
        def subscripted_type(self, module: Module, value: Value, index: int, context: Context) -> Value: ...
        def type_params(self, module: Module, scope: int) -> tuple[TypeVarValue, ...]: ...
        def attribute(self, value: Value, name: str) -> Value: ...
        def is_subclass(self, cls: ClassValue, base: ClassValue) -> bool: ...
        def is_metaclass(self, cls: ClassValue) -> bool: ...
        def bound_functions(self, module: Module, nodes: tuple[int, ...]) -> Value | None: ...
        def call(self, func: Value, arguments: Arguments) -> Value: ...
        def decorated(self, module: Module, decorator: int, value: Value, context: Context) -> Value: ...
        def awaited(self, value: Value) -> Value: ...
        def coroutine(self, value: Value, *, or_none: bool = False) -> AwaitableValue | None: ...
        def generator_return(self, value: Instance) -> Value: ...
        def _call(self, module: Module, node: f.Call, context: Context) -> Value: ...
