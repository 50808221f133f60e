"""What bodies do with the values that they hold: which nodes use which, and what that tells of a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.lower.narrowing import PROBES
from awaitlint.infer.parameters import Parameters
from awaitlint.infer.values import ClassValue, Instance, Unknown, Value, union, without_none

if TYPE_CHECKING:
    from awaitlint.index.modules import Module
    from awaitlint.index.recent import Recent
    from awaitlint.infer.values import FunctionValue

#: what every coroutine has besides the attributes of `object`
COROUTINE_ATTRIBUTES = frozenset({"close", "send", "throw", "__await__", "__name__", "__qualname__"})
#: what every object has
OBJECT_ATTRIBUTES = frozenset(dir(object))
#: functions that know what to do with a coroutine, whatever else their caller does with it
TAKERS = PROBES | {
    "create_task",
    "ensure_future",
    "gather",
    "run",
    "run_coroutine_threadsafe",
    "run_until_complete",
    "shield",
    "start_soon",
    "wait",
    "wait_for",
}
_HASATTR = f.Name("hasattr")
#: functions by which code tells what kind of thing it has
_TESTS = frozenset({"callable", "hasattr", "type"})


class UseOfParameter(NamedTuple):
    """A node that uses a parameter: `used` is the parameter's own node, or one that narrows it.

    `reached` says whether a coroutine would get there: none passes ``isinstance(value, str)``.
    """

    user: int
    used: int
    reached: bool


class Bodies(Parameters):
    """What inference knows of the way in which code uses parameters and attributes."""

    def users(self, module: Module) -> dict[int, list[int]]:
        """For each node of a module, the nodes that use it."""
        found = self._user_tables.get(module)
        if found is None:
            found = {}
            for index, node in enumerate(module.facts.nodes):
                kind = type(node)
                parts: tuple[int, ...]
                # attributes and calls are half of all nodes
                if kind is f.Attr:
                    parts = (node.value,)  # type: ignore[union-attr, assignment]
                elif kind is f.Call and not node.keywords:  # type: ignore[union-attr]
                    parts = (node.func, *node.args)  # type: ignore[union-attr]
                else:
                    parts_of = PARTS.get(kind)
                    if parts_of is None:
                        continue
                    parts = parts_of(node)
                for part in parts:
                    users = found.get(part)
                    if users is None:
                        found[part] = [index]
                    else:
                        users.append(index)
            self._user_tables.put(module, found)
        return found

    def _captured(self, module: Module) -> dict[tuple[int, str], list[int]]:
        """The nodes that read the names of enclosing functions, by scope and name."""
        found = self._captures.get(module)
        if found is None:
            found = self._captures[module] = {}
            for index, node in enumerate(module.facts.nodes):
                if type(node) is f.Free:
                    found.setdefault((node.scope, node.name), []).append(index)
        return found

    def of_subclasses(self, module: Module, owner: Value, name: str, found: Unknown) -> Value:
        """An attribute that a class lacks, where the code asks ``hasattr``: what its subclasses have.

        Only those beside the class count; ``aclose`` of an `AsyncIterable` is that of an `AsyncGenerator`.
        """
        owner = without_none(owner)
        if not found.absent or not isinstance(owner, Instance) or not self._is_asked_for(module, name):
            return found
        source = owner.cls.module
        given = [
            self.instance_attribute(Instance(ClassValue(source, index)), name)
            for index, scope in enumerate(source.facts.scopes)
            if scope.kind is f.ScopeKind.CLASS
            and name in scope.bindings
            and self.is_subclass(ClassValue(source, index), owner.cls)
        ]
        return union(given) if given else found

    def _is_asked_for(self, module: Module, name: str) -> bool:
        """Whether a module asks of something whether it has an attribute."""
        known = self._asked_for.get(module)
        if known is None:
            nodes = module.facts.nodes
            calls = [node for node in nodes if type(node) is f.Call and len(node.args) == 2]
            names = [nodes[call.args[1]] for call in calls if nodes[call.func] == _HASATTR]
            known = frozenset(str(each.value) for each in names if isinstance(each, f.Const))
            self._asked_for[module] = known
        return name in known

    def uses_of(self, func: FunctionValue, index: int) -> list[UseOfParameter]:
        """Every use of a parameter, also after it was narrowed, and in functions inside of the function."""
        module, key = func.module, (func.module, func.scope, index)
        known = self._param_uses.get(key)
        if known is not None:
            return known
        nodes, users = module.facts.nodes, self.users(module)
        name = func.fact.params[index].name
        bound = func.fact.bindings.get(name, ())
        start = [node for node in bound[:1] if nodes[node] == f.Param(func.scope, index)]
        if len(bound) == 1:
            start += [node for node in self._captured(module).get((func.scope, name), ()) if node in users]
        found = self._param_uses[key] = self.uses_from(module, start)
        return found

    def uses_from(self, module: Module, start: list[int]) -> list[UseOfParameter]:
        """Every use of what some nodes stand for, also where it is narrowed or one of several values."""
        nodes, users = module.facts.nodes, self.users(module)
        todo = [(node, True) for node in start]
        seen, found = dict(todo), list[UseOfParameter]()
        while todo:
            used, reached = todo.pop()
            for user in users.get(used, ()):
                found.append(UseOfParameter(user, used, reached))
                node = nodes[user]
                if isinstance(node, (f.Narrow, f.Declared, f.Phi)):
                    passes = reached and not (isinstance(node, f.Narrow) and not self.passes(module, node))
                    if user not in seen or (passes and not seen[user]):
                        seen[user] = passes
                        todo.append((user, passes))
        return found

    def is_looked_at(self, func: FunctionValue, index: int) -> bool:
        """Whether a function's body looks whether a parameter is a coroutine, or awaits it."""
        return any(self.looks_at(func.module, use.user, use.used) for use in self.uses_of(func, index))

    def looks_at(self, module: Module, user: int, used: int) -> bool:
        """Whether a node that uses another awaits it, or can tell that it is a coroutine."""
        nodes = module.facts.nodes
        node = nodes[user]
        if isinstance(node, (f.Await, f.Yielded)):
            return True
        if isinstance(node, f.Narrow):
            return self.tells_coroutines(module, node)
        if not isinstance(node, f.Call) or node.func == used:
            return False
        name = last_name(nodes[node.func])
        if name == "isinstance" and len(node.args) == 2:
            return self.may_be_instance(module, node.args[1])
        return name in TAKERS or name in _TESTS

    def cannot(self, module: Module, user: int, used: int) -> bool:
        """Whether a node does with another what cannot be done with a coroutine."""
        node = module.facts.nodes[user]
        if isinstance(node, f.Attr):
            return not (
                node.name in COROUTINE_ATTRIBUTES
                or node.name in OBJECT_ATTRIBUTES
                or node.name.startswith("cr_")
            )
        if isinstance(node, (f.Index, f.Iter, f.Enter, f.Unpack, f.Starred)):
            return node.value == used
        if isinstance(node, f.BinOp):
            # what is known of the other operand must leave no room for a reflected operator; "%" makes a text
            other = self.value(module, node.right if node.left == used else node.left)
            known = isinstance(other, Instance) and other.cls.module.name == "builtins"
            return known and not (node.op == "Mod" and node.right == used)
        return isinstance(node, f.Call) and node.func == used

    def keeps(self, module: Module, user: int, used: int) -> bool:
        """Whether a node puts another into a container or gives it to a function, which may await it."""
        node = module.facts.nodes[user]
        if isinstance(node, f.Call):
            return node.func != used
        return isinstance(node, (f.Display, f.DictDisplay, f.Comp))

    def tells_coroutines(self, module: Module, node: f.Narrow) -> bool:
        """Whether a test may tell a coroutine from other values."""
        if node.test != "isinstance":
            return node.test in ("awaitable", "async function")
        return self.may_be_instance(module, node.against)

    def passes(self, module: Module, node: f.Narrow) -> bool:
        """Whether a coroutine may get to where a test holds (or, where that is what the node says, fails)."""
        if node.test == "truthy":
            return node.positive
        if node.test == "none":
            return not node.positive
        return node.test != "isinstance" or not node.positive or self.may_be_instance(module, node.against)

    def may_be_instance(self, module: Module, against: int) -> bool:
        """Whether a coroutine may be an instance of what the second argument of `isinstance` names."""
        classes = self._classes_of(self.value(module, against))
        return classes is None or not all(self.refuses(self.as_instance(cls)) for cls in classes)

    _asked_for: dict[Module, frozenset[str]]
    _user_tables: Recent[Module, dict[int, list[int]]]
    _captures: dict[Module, dict[tuple[int, str], list[int]]]
    _param_uses: dict[tuple[Module, int, int], list[UseOfParameter]]


def _value(node: f.Attr | f.Await | f.Yielded | f.Iter | f.Enter | f.Unpack | f.Narrow) -> tuple[int, ...]:
    return (node.value,)


#: for each kind of node that does something with others, which these are
PARTS: dict[type, Callable[[Any], tuple[int, ...]]] = {
    **dict.fromkeys(
        (f.Attr, f.Await, f.Yielded, f.Iter, f.Enter, f.Unpack, f.Narrow, f.Declared, f.Starred), _value
    ),
    f.Index: lambda node: (node.value, node.index),
    f.Call: lambda node: (node.func, *node.args, *(value for _, value in node.keywords)),
    f.Display: lambda node: node.elements,
    f.Phi: lambda node: node.options,
    f.DictDisplay: lambda node: (*node.keys, *node.values),
    f.Comp: lambda node: (node.key, node.element),
    f.BinOp: lambda node: (node.left, node.right),
}


def last_name(node: f.Node) -> str:
    """The last name of what a node loads: ``gather`` of ``asyncio.gather``; "" for anything else."""
    return node.name if isinstance(node, (f.Attr, f.Name, f.Free, f.Import)) else ""
