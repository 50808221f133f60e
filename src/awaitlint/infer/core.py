"""From a node to a value: one case per kind of node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from awaitlint.index import facts as f
from awaitlint.infer.values import (
    NEVER,
    NONE,
    CallableValue,
    ClassValue,
    Context,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    ModuleValue,
    OverloadedValue,
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

    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project
from awaitlint.infer.evaluator import CYCLE, Arguments
from awaitlint.infer.statements import Statements

#: each makes the value of a function larger, and slower to remember things by
_MOST_DECORATORS = 100


def _is_bare(value: Value) -> bool:
    """Whether a value is a container of the builtins of which nothing says what it holds."""
    return (
        isinstance(value, Instance)
        and value.cls.module.is_stdlib
        and (not value.cls.args or value.cls.args[0] is NEVER)
    )


class Core(Statements):
    """The table of cases, and those of expressions."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
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

    def _const(self, _module: Module, node: f.Const, _context: Context) -> Value:
        return NONE if node.value is None else self.instance_of(type(node.value).__name__)

    def _plain(self, _module: Module, node: f.Plain, _context: Context) -> Value:
        return self.instance_of(node.type_name)

    def _phi(self, module: Module, node: f.Phi, context: Context) -> Value:
        return union([self.value(module, option, context) for option in node.options])

    def _super(self, module: Module, node: f.Super, context: Context) -> Value:
        cls = ClassValue(module, node.scope)
        for (place, scope, index), receiver in context:
            # a method that is looked at as the one of a subclass
            if place is module and not index and module.facts.scopes[scope].parent == node.scope:
                return SuperValue(cls, receiver)
        return SuperValue(cls, Instance(cls))

    def _type_param(self, module: Module, node: f.TypeParam, _context: Context) -> Value:
        return TypeVarValue(f"{module.name}:{node.scope}", node.name)

    # ------------------------------------------------------------------ operators
    def _attr(self, module: Module, node: f.Attr, context: Context) -> Value:
        owner = self.value(module, node.value, context)
        if isinstance(owner, ModuleValue):
            module.reads.add(owner.module)
        elif isinstance(owner, UnionValue):
            module.reads.update([each.module for each in owner.members if isinstance(each, ModuleValue)])
        found = self.attribute(owner, node.name)
        if isinstance(found, Unknown):
            return self.of_subclasses(module, owner, node.name, found) if found.absent else found
        if (
            node.name in module.facts.patched
            and any(isinstance(m, (FunctionValue, OverloadedValue, CallableValue)) for m in members(found))
            and not isinstance(owner, (ModuleValue, ClassValue))
            and self._is_patched(module, owner, node.name, found)
        ):
            return Unknown(f"the method `{node.name}` is replaced somewhere in the module")
        return found

    def _is_patched(self, module: Module, receiver: Value, name: str, found: Value) -> bool:
        """Whether the module may assign an attribute of such an object from outside of its class.

        One async function in the place of another makes no difference.
        """
        receiver = without_none(receiver)
        if isinstance(receiver, TypeVarValue) and receiver.bound is not None:
            receiver = without_none(receiver.bound)
        if isinstance(receiver, UnionValue):
            return any(self._is_patched(module, member, name, found) for member in receiver.members)
        cls = receiver.cls if isinstance(receiver, Instance) else receiver
        is_async = isinstance(found, FunctionValue) and found.fact.is_async
        for node, assigned in module.facts.patched[name]:
            value = self.value(module, assigned) if is_async else NONE
            if isinstance(value, FunctionValue) and value.fact.is_async:
                continue
            for owner in members(without_none(self.value(module, node))):
                other = owner.cls if isinstance(owner, Instance) else owner
                if isinstance(owner, (Unknown, External)) or not isinstance(cls, ClassValue):
                    return True
                if not isinstance(other, ClassValue):
                    continue
                if self.is_subclass(cls, other) or self.is_subclass(other, cls):
                    return True
        return False

    def _await(self, module: Module, node: f.Await, context: Context) -> Value:
        return self.awaited(self.value(module, node.value, context))

    def _yielded(self, module: Module, node: f.Yielded, context: Context) -> Value:
        if node.is_from:
            value = self.value(module, node.value, context)
            if isinstance(value, Instance):
                return self.generator_return(value)
        return Unknown("what is sent into a generator is not known")

    def _binop(self, module: Module, node: f.BinOp, context: Context) -> Value:
        left = self.value(module, node.left, context)
        right = self.value(module, node.right, context)
        if left is CYCLE or right is CYCLE:
            return CYCLE
        if node.op == "BitOr" and (self.is_type(left) or self.is_type(right)):
            return TypeForm(union([self.as_instance(left), self.as_instance(right)]))
        if node.op == "Div" and isinstance(left, Instance) and left.cls.module.name.startswith("pathlib"):
            return left
        if isinstance(left, Instance) and isinstance(right, Instance) and left.cls.module.name == "builtins":
            name = left.cls.fact.name
            if name == "str" and (node.op == "Mod" or (node.op == "Add" and right.cls.fact.name == "str")):
                return left
            if name == right.cls.fact.name and name in ("int", "float", "list", "set", "bytes", "bool"):
                return self.instance_of("float") if node.op == "Div" else left
        return Unknown("what an operator gives for these operands is not known")

    def _index(self, module: Module, node: f.Index, context: Context) -> Value:
        value = self.value(module, node.value, context)
        if isinstance(value, (SpecialForm, TypeForm)) or self.is_type(value):
            return self.subscripted_type(module, value, node.index, context)
        index = module.facts.nodes[node.index]
        number = index.value if isinstance(index, f.Const) and type(index.value) is int else None
        key = index.value if isinstance(index, f.Const) and type(index.value) is str else None
        found = union([self._item(member, number, key) for member in members(without_none(value))])
        return self.filled(module, node.value, found) if _is_bare(value) else found

    def _item(self, value: Value, number: int | None, key: str | None) -> Value:
        field = self.field(value, key) if key is not None else None
        if field is not None:
            return field
        if isinstance(value, TupleValue):
            if number is not None and -len(value.elements) <= number < len(value.elements):
                return value.elements[number]
            return union(list(value.elements))
        if isinstance(value, External):
            return Unknown(f"the code of `{value.path.partition('.')[0]}` is not at hand")
        if isinstance(value, Instance):
            args = value.cls.args
            name = (
                value.cls.fact.name if value.cls.module.name in ("builtins", "typing", "collections") else ""
            )
            if name in ("list", "tuple", "Sequence", "MutableSequence", "deque") and number is not None:
                return args[0] if args else Unknown(f"nothing says what the `{name}` holds")
            if name in ("dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"):
                return args[1] if len(args) > 1 else Unknown(f"nothing says what the `{name}` holds")
            if name in ("list", "tuple", "Sequence", "deque"):
                return Unknown(f"a slice of the `{name}`, or an item by a number that is computed")
            return self.call(self.attribute(value, "__getitem__"), Arguments())
        return Unknown(getattr(value, "reason", "") or "what an index gives is not known")

    # ------------------------------------------------------------------ displays
    def _display(self, module: Module, node: f.Display, context: Context) -> Value:
        nodes = module.facts.nodes
        if any(isinstance(nodes[element], f.Starred) for element in node.elements):
            return self.instance_of(node.kind)
        values = [self.value(module, element, context) for element in node.elements]
        if node.kind == "tuple":
            return TupleValue(tuple(values))
        return self.instance_of(node.kind, union(values) if values else NEVER)

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
        decorators = module.facts.scopes[node.scope].decorators
        if len(decorators) > _MOST_DECORATORS:
            return Unknown("a function with too many decorators to follow")
        for decorator in reversed(decorators):
            value = self.decorated(module, decorator, value, context)
        return value
