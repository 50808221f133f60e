"""What names and attributes are that facts have no nodes for, such as the targets of assignments.

Facts know what a load evaluates to, but not what `x` was where the code says ``self.x += 1``.  The answers
here do not follow the order of the text: they are all that the name or attribute is bound to anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import ScopeKind
from awaitlint.infer.values import Instance, TupleValue, Unknown, union, without_none
from awaitlint.rulekit.running import root
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Scope
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

#: containers by where the type of their items stands among their type arguments
_ITEMS = {
    "builtins.dict": 1,
    "collections.defaultdict": 1,
    "collections.OrderedDict": 1,
    "typing.Mapping": 1,
    "typing.MutableMapping": 1,
    "builtins.list": 0,
    "collections.deque": 0,
}
#: methods that give what a container holds
_VIEWS = frozenset({"get", "items", "setdefault", "values"})
#: how far a value is followed
_DEPTH = 20


def value_of(module: ModuleContext, scope: Scope, node: libcst.BaseExpression) -> Value:
    """What a chain of names, attributes and items may be, in the code of a scope."""
    if isinstance(node, cst.Name):
        return _named(module, scope, node.value)
    if isinstance(node, cst.Attribute):
        return module.infer.attribute(value_of(module, scope, node.value), node.attr.value)
    if isinstance(node, cst.Subscript):
        return _item(value_of(module, scope, node.value))
    return Unknown("no name, attribute or item")


def _named(module: ModuleContext, scope: Scope, name: str) -> Value:
    here: Scope | None = scope
    while here is not None and here.kind is not ScopeKind.MODULE:
        bound = here.bindings.get(name)
        if bound and (here is scope or here.kind is not ScopeKind.CLASS):
            return union([module.infer.value(module.module, node) for node in bound])
        here = module.facts.scopes[here.parent]
    return module.infer.module_attribute(module.module, name)


def _item(container: Value) -> Value:
    owner = without_none(container)
    if isinstance(owner, TupleValue):
        return union(list(owner.elements))
    if isinstance(owner, Instance):
        if owner.cls.qualname == "collections.Counter":
            return Unknown("a number, as a rule")
        at = _ITEMS.get(owner.cls.qualname)
        if at is not None and at < len(owner.cls.args):
            return owner.cls.args[at]
    return Unknown("nothing says what the container holds")


def is_shared(
    module: ModuleContext, scope: Scope, node: libcst.BaseExpression, *, given: bool = True
) -> bool:
    """Whether other code than this call of a function has what a name, attribute or item belongs to.

    That is so for globals, variables of enclosing functions, parameters (`self` among them; no others where
    `given` is false), and what is found in their attributes and items; it is not so for what the function
    made itself, or got from a call.
    """
    name = root(node)
    if name is None:
        return False
    bound = scope.bindings.get(name.value)
    if not bound or scope.kind is ScopeKind.MODULE:
        return True
    if name is node:
        # the variable itself is the function's own, whatever it holds
        return False
    return all(_is_from_outside(module, each, given=given) for each in bound)


def _is_from_outside(module: ModuleContext, index: int, depth: int = 0, *, given: bool) -> bool:
    nodes, scopes = module.facts.nodes, module.facts.scopes
    node = nodes[index]
    if depth > _DEPTH:
        return False
    followed: tuple[int, ...] = ()
    if isinstance(node, (f.Name, f.Free, f.Import, f.Class)):
        return True
    if isinstance(node, f.Param):
        scope = scopes[node.scope]
        is_receiver = node.index == 0 and scopes[scope.parent].kind is ScopeKind.CLASS
        return is_receiver or (given and scope.params[node.index].kind not in ("vararg", "kwarg"))
    if isinstance(node, f.Phi):
        followed = node.options
    elif isinstance(node, f.Call):
        func = nodes[node.func]
        followed = (func.value,) if isinstance(func, f.Attr) and func.name in _VIEWS else ()
    elif isinstance(node, (f.Attr, f.Index, f.Iter, f.Narrow, f.Unpack, f.Declared)) and node.value >= 0:
        followed = (node.value,)
    return bool(followed) and all(_is_from_outside(module, each, depth + 1, given=given) for each in followed)
