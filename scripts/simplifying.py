"""Facts of a distribution without what cannot change an answer.

What is taken away makes inference know less, never something else.
"""

from __future__ import annotations

import msgspec
from annotating import Annotations
from linking import Place, is_stdlib

from awaitlint.index import facts as f
from awaitlint.index.lower.narrowing import PROBES

#: elements of a display beyond which only its class is kept
_LARGE = 12
_ITERATORS = frozenset(
    {"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"}
)
_STRING = f.Plain("str")
_NONE = 1
#: functions that know what to do with a coroutine that they are given
TAKERS = PROBES | frozenset(
    {"create_task", "ensure_future", "gather", "run", "run_coroutine_threadsafe", "run_until_complete"}
    | {"shield", "start_soon", "wait", "wait_for"}
)
#: calls whose first argument is a name that inference reads; of getattr it is the second
_NAMING = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple"})


class Simplified:
    """The modules of a distribution, less what cannot change an answer.  Nodes keep their numbers."""

    def __init__(self, modules: dict[str, f.ModuleFacts], packages: set[str]) -> None:
        #: the modules as they were
        self.linked = Annotations(modules, packages)
        self._asked_for = self.linked.protocol_members()
        self.modules = {name: self._module(name, facts) for name, facts in modules.items()}

    def _module(self, name: str, facts: f.ModuleFacts) -> f.ModuleFacts:
        self._name, self._facts = name, facts
        self._nodes = list(facts.nodes)
        self._read = self._names_in_strings()
        self._taken = self._taken_parameters()
        scopes = [self._scope(index, scope) for index, scope in enumerate(facts.scopes)]
        for index, node in enumerate(facts.nodes):
            self._nodes[index] = self._node(index, node)
        return msgspec.structs.replace(
            facts, nodes=self._nodes, scopes=scopes, sites=[], misplaced=(), packages=(), marks=()
        )

    def _taken_parameters(self) -> set[tuple[int, int]]:
        """(scope, position) of the parameters that are awaited, or looked at whether they are coroutines."""
        nodes, found = self._facts.nodes, set()
        for node in nodes:
            used: tuple[int, ...] = ()
            if isinstance(node, (f.Await, f.Yielded)) or (
                isinstance(node, f.Narrow) and node.test in ("awaitable", "async function")
            ):
                used = (node.value,)
            elif isinstance(node, f.Call):
                name = getattr(nodes[node.func], "name", "")
                if name in TAKERS or (name == "isinstance" and not self._is_told_apart(node)):
                    used = (*node.args, *(value for _, value in node.keywords))
            for index in used:
                value = nodes[index]
                while isinstance(value, (f.Narrow, f.Declared)) and value.value >= 0:
                    value = nodes[value.value]
                if isinstance(value, f.Param):
                    found.add((value.scope, value.index))
        return found

    def _is_told_apart(self, call: f.Call) -> bool:
        """Whether an ``isinstance`` test is for classes that no coroutine is an instance of."""
        return len(call.args) == 2 and self.linked.is_closed(Place(self._name, call.args[1]))

    # ------------------------------------------------------------------ nodes
    def _names_in_strings(self) -> set[int]:
        """The string nodes whose text inference reads."""
        nodes, found = self._facts.nodes, set()
        for node in nodes:
            if isinstance(node, f.Call) and node.args:
                func = nodes[node.func]
                name = getattr(func, "name", "")
                if name in _NAMING or isinstance(func, f.Import):
                    found.update(node.args)
                    found.update(value for _, value in node.keywords)
                if name == "getattr" and len(node.args) > 1:
                    found.add(node.args[1])
            elif isinstance(node, f.Index) and getattr(nodes[node.value], "name", "") == "Literal":
                index = nodes[node.index]
                elements = index.elements if isinstance(index, f.Display) else (node.index,)
                if len(elements) <= _LARGE:
                    found.update(elements)
        return found

    def _node(self, index: int, node: f.Node) -> f.Node:
        if isinstance(node, f.Const) and isinstance(node.value, str) and index not in self._read:
            return _STRING
        if isinstance(node, f.Const) and type(node.value) is float:
            return f.Plain("float")
        if isinstance(node, f.Display) and len(node.elements) > _LARGE and node.kind != "tuple":
            return f.Plain(node.kind)
        if isinstance(node, f.DictDisplay) and len(node.keys) > _LARGE:
            return f.Plain("dict")
        if isinstance(node, f.Index):
            return self._index(node)
        if isinstance(node, f.Declared) and node.value >= 0 and self._is_told(node):
            return f.Declared(node.annotation, -1)
        return node

    def _index(self, node: f.Index) -> f.Node:
        """``Annotated[X, ...]`` without what is data to others; a long ``Literal`` by its class."""
        nodes = self._facts.nodes
        name, index = getattr(nodes[node.value], "name", ""), nodes[node.index]
        if name == "Annotated" and isinstance(index, f.Display) and index.elements:
            return f.Index(node.value, index.elements[0])
        if name == "Literal" and isinstance(index, f.Display) and len(index.elements) > _LARGE:
            elements = tuple(dict.fromkeys(_kept_constant(nodes[element]) for element in index.elements))
            if elements == (_STRING,):
                return f.Index(node.value, index.elements[0])
        return node

    def _is_told(self, node: f.Declared) -> bool:
        """Whether a declaration's annotation says all that inference takes from it."""
        value = self._facts.nodes[node.value]
        if isinstance(value, f.Call) and self.linked.cls(Place(self._name, value.func)) is not None:
            # perhaps of a subclass of what is declared
            return False
        return self.linked.decides(Place(self._name, node.annotation))

    # ------------------------------------------------------------------ scopes
    def _scope(self, index: int, scope: f.Scope) -> f.Scope:
        if scope.kind is f.ScopeKind.FUNCTION:
            returned, yielded, falls = self._body(scope)
            params = tuple(
                self._param(param, is_taken=(index, position) in self._taken)
                for position, param in enumerate(scope.params)
            )
            return msgspec.structs.replace(
                scope, params=params, returned=returned, yielded=yielded, falls_through=falls
            )
        bindings = {name: self._bound(nodes) for name, nodes in scope.bindings.items()}
        if scope.kind is not f.ScopeKind.CLASS:
            return msgspec.structs.replace(scope, bindings=bindings)
        data = {
            name
            for name in (*bindings, *scope.attributes)
            if self._is_data(index, name, bindings.get(name, ()))
        }
        return msgspec.structs.replace(
            scope,
            bindings={name: nodes for name, nodes in bindings.items() if name not in data},
            attributes={
                name: self._assigned(scope, name, nodes)
                for name, nodes in scope.attributes.items()
                if name not in data
            },
        )

    def _is_data(self, index: int, name: str, bound: tuple[int, ...]) -> bool:
        """Whether a name of a class is a field or constant of a builtin class, and hides nothing."""
        if name in self._asked_for:
            return False
        nodes = (*bound, *self._facts.scopes[index].attributes.get(name, ()))
        declared = next((node for node in nodes if isinstance(self._facts.nodes[node], f.Declared)), None)
        if declared is not None and not any(isinstance(self._facts.nodes[node], f.Func) for node in bound):
            # it speaks for every assignment
            nodes = (declared,)
        if not all(self._is_plain(node) for node in nodes):
            return False
        ancestors = self.linked.ancestors(self._name, index)
        if any(base is None or (isinstance(base[1], str) and not is_stdlib(base[0])) for base in ancestors):
            # of a declaration, the base's is of a class that this one's is derived from
            return declared is not None
        owners = (
            self.linked.modules[base[0]].scopes[base[1]]
            for base in ancestors
            if base is not None and isinstance(base[1], int)
        )
        return not any(name in owner.bindings or name in owner.attributes for owner in owners)

    def _is_plain(self, index: int, depth: int = 0) -> bool:
        """Whether a value is, or is declared to be, of a builtin class."""
        node = self._facts.nodes[index] if index >= 0 else None
        if isinstance(node, f.Declared):
            return self.linked.is_data(Place(self._name, node.annotation))
        if isinstance(node, (f.Display, f.DictDisplay)) and depth < 4:
            parts = node.elements if isinstance(node, f.Display) else (*node.keys, *node.values)
            return all(self._is_plain(part, depth + 1) for part in parts if part >= 0)
        return isinstance(node, f.Plain) or (isinstance(node, f.Const) and node.value is not None)

    def _assigned(self, scope: f.Scope, name: str, assigned: tuple[int, ...]) -> tuple[int, ...]:
        """What methods assign to an attribute; where an annotation decides, it alone."""
        nodes = self._facts.nodes
        for node in (*scope.bindings.get(name, ()), *assigned):
            if isinstance(fact := nodes[node], f.Declared):
                if self.linked.decides(Place(self._name, fact.annotation)):
                    assigned = tuple(each for each in assigned if each == node)
                break
        return tuple(dict.fromkeys(0 if self._is_opaque(node) else node for node in assigned))

    def _is_opaque(self, index: int) -> bool:
        """Whether a value assigned by a method is made of a parameter of which nothing is known."""
        nodes = self._facts.nodes
        while True:
            node = nodes[index]
            if isinstance(node, (f.Attr, f.Index, f.Await, f.Enter, f.Iter, f.Unpack)):
                index = node.value
            elif isinstance(node, f.Call):
                index = node.func
            else:
                break
        if not isinstance(node, f.Param):
            return False
        scope = self._facts.scopes[node.scope]
        param = scope.params[node.index]
        return node.index > 0 and param.annotation < 0 and param.kind in ("posonly", "normal", "kwonly")

    def _param(self, param: f.ParamFact, *, is_taken: bool) -> f.ParamFact:
        """A parameter; of its default it is only asked whether there is one, and whether it is None.

        Where a body that is left out knows what to do with a coroutine, nothing is said to the contrary.
        """
        annotation, default = param.annotation, param.default
        if is_taken and self.linked.is_closed(Place(self._name, annotation)):
            annotation = -1
        if default >= 0 and not (default == _NONE and annotation >= 0):
            default = 0
        return f.ParamFact(param.name, param.kind, annotation, default)

    def _bound(self, nodes: tuple[int, ...]) -> tuple[int, ...]:
        """The nodes of a name, less the body behind overloads, and setters behind a property's getter."""
        facts = self._facts
        functions = [n for n in nodes if isinstance(facts.nodes[n], f.Func)]
        if len(functions) < 2 or len(functions) < len(nodes):
            return nodes
        kept = tuple(node for node in functions if self._decorator_attribute(node) is None)
        overloads = tuple(node for node in kept if self._is_overload(node))
        return overloads if len(overloads) > 1 else kept or nodes

    def _decorators(self, node: int) -> tuple[int, ...]:
        func = self._facts.nodes[node]
        assert isinstance(func, f.Func)
        return self._facts.scopes[func.scope].decorators

    def _decorator_attribute(self, node: int) -> str | None:
        """``setter`` or ``deleter``, where a function is one of a property."""
        for decorator in self._decorators(node):
            found = self._facts.nodes[decorator]
            if isinstance(found, f.Attr) and found.name in ("setter", "deleter"):
                return found.name
        return None

    def _is_overload(self, node: int) -> bool:
        func = self._facts.nodes[node]
        assert isinstance(func, f.Func)
        return any(
            (self.linked.outside(Place(self._name, decorator)) or ("", ""))[1] == "overload"
            for decorator in self._facts.scopes[func.scope].decorators
        )

    # ------------------------------------------------------------------ bodies
    def _body(self, scope: f.Scope) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
        """(returned, yielded, falls_through) of a function, as far as its annotation leaves them open."""
        everything = scope.returned, scope.yielded, scope.falls_through
        if scope.returns < 0:
            return everything
        place = Place(self._name, scope.returns)
        if scope.is_generator:
            item = self.linked.first_argument(place, _ITERATORS)
            place = Place(self._name, -1 if item is None else item)
            if item is None or not (self.linked.decides(place) and self.linked.is_closed(place)):
                return (), scope.yielded, False
            self._nodes.append(f.Declared(item, -1))
            return (), (len(self._nodes) - 1,), False
        if not self.linked.decides(place) or (not scope.is_async and self._may_return_coroutine(scope)):
            return everything
        return (), (), False

    def _may_return_coroutine(self, scope: f.Scope) -> bool:
        """Whether a plain function returns a call of an async function in sight, whatever it is annotated."""
        nodes = self._facts.nodes
        todo, seen = list(scope.returned), set[int]()
        while todo:
            index = todo.pop()
            if index in seen or index < 0:
                continue
            seen.add(index)
            node = nodes[index]
            if isinstance(node, f.Phi):
                todo += node.options
            elif isinstance(node, (f.Narrow, f.Declared)):
                todo.append(node.value)
            elif isinstance(node, f.Call) and self._is_async(scope, nodes[node.func]):
                return True
        return False

    def _is_async(self, scope: f.Scope, func: f.Node) -> bool:
        if isinstance(func, f.Name):
            found = self.linked.definition(self._name, func.name)
        elif isinstance(func, f.Attr) and isinstance(self._facts.nodes[func.value], f.Param):
            found = self._method(scope.parent, func.name)
        else:
            return isinstance(func, f.Func) and self._facts.scopes[func.scope].is_async
        if found is None:
            return False
        facts = self.linked.modules[found[0]]
        last = facts.nodes[found[1][-1]]
        return isinstance(last, f.Func) and facts.scopes[last.scope].is_async

    def _method(self, scope: int, name: str) -> tuple[str, tuple[int, ...]] | None:
        """The module and nodes of a method, looked up from a class upwards."""
        if self._facts.scopes[scope].kind is not f.ScopeKind.CLASS:
            return None
        for owner in ((self._name, scope), *self.linked.ancestors(self._name, scope)):
            if owner is not None and isinstance(owner[1], int):
                nodes = self.linked.modules[owner[0]].scopes[owner[1]].bindings.get(name)
                if nodes is not None:
                    return owner[0], nodes
        return None


def _kept_constant(node: f.Node) -> f.Node:
    return _STRING if isinstance(node, f.Const) and isinstance(node.value, str) else node
