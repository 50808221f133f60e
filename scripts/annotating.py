"""What annotations say, as far as slimming a distribution's facts has to know."""

from __future__ import annotations

from linking import DEPTH, STDLIB, Linked, Place, is_stdlib

from awaitlint.index import facts as f
from awaitlint.index.special import TYPING_MODULES

#: typing names (also of `collections.abc`) that leave open what a value is, or whether it has to be awaited
_OPEN = frozenset(
    {"Any", "AnyStr", "Awaitable", "ClassVar", "Final", "Generic", "Incomplete", "NamedTuple", "NewType"}
    | {"ParamSpec", "Protocol", "TypeAlias", "TypeVar", "TypeVarTuple", "TypedDict", "Union", "Unused"}
)
#: those that are decided by their first argument
_WRAPPERS = frozenset({"Annotated", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly"})
#: names of typing and `collections.abc` that stand for builtin classes, or are made of others
_CONTAINERS = frozenset(
    {"Optional", "Union", "List", "Dict", "Set", "FrozenSet", "Tuple", "Any", "Literal", "Annotated"}
    | {"Sequence", "MutableSequence", "Mapping", "MutableMapping", "Collection", "Iterable", "Iterator"}
    | {"Self", "Text", "AnyStr", "NoReturn", "Never", "LiteralString"}
)
#: modules of the standard library whose classes are data
_DATA_MODULES = frozenset({"datetime", "decimal", "enum", "fractions", "ipaddress", "pathlib", "uuid"})
#: classes that make data of what derives from them, and decorators that do
_DATA_BASES = frozenset(
    {("pydantic", "BaseModel"), ("pydantic", "RootModel"), ("msgspec", "Struct"), ("proto", "Message")}
    | {("google.protobuf.message", "Message"), ("pydantic.main", "BaseModel")}
    | {(module, name) for module in TYPING_MODULES for name in ("TypedDict", "NamedTuple")}
    | {("enum", name) for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")}
)
_DATA_DECORATORS = frozenset(
    {("dataclasses", "dataclass"), ("attr", "s"), ("attr", "attrs"), ("attr", "define"), ("attrs", "define")}
    | {("attr", "frozen"), ("attrs", "frozen"), ("pydantic.dataclasses", "dataclass")}
)
#: methods that make a class more than data
_ACTIVE = frozenset({"__await__", "__aiter__", "__anext__", "__aenter__", "__call__", "__getattr__"})


class Annotations(Linked):
    """What annotations of a distribution's modules say."""

    def __init__(self, modules: dict[str, f.ModuleFacts], packages: set[str]) -> None:
        super().__init__(modules, packages)
        self._data: dict[tuple[str, int], bool] = {}

    def decides(self, place: Place, depth: int = 0) -> bool:
        """Whether an annotation alone says what a value is, and that it is not merely ``Awaitable``.

        `Calls.result` does not look at the body of such a function.
        """
        module, index = place
        facts = self.modules[module]
        node = facts.nodes[index] if index >= 0 else None
        if depth > DEPTH or node is None:
            return False
        if isinstance(node, f.Const):
            return node.value is None
        if isinstance(node, f.Class):
            return True
        if isinstance(node, f.BinOp):
            return self._union_decides(module, (node.left, node.right), depth)
        if isinstance(node, f.Phi):
            return all(self.decides(Place(module, option), depth + 1) for option in node.options)
        if isinstance(node, f.Declared):
            return self.decides(Place(module, node.value), depth + 1)
        if isinstance(node, f.Index):
            return self._subscript_decides(place, node, depth)
        if (outside := self.outside(place)) is not None:
            source, name = outside
            return not (is_stdlib(source) and (name in _OPEN or name == "Optional"))
        found = None
        if isinstance(node, f.Name):
            found = self.definition(module, node.name)
            if found is None:
                return node.name != "object" and self._is_builtin_class(node.name)
        elif isinstance(node, f.Import) and node.name:
            found = self.definition(self.absolute(module, node.module, node.level), node.name)
        elif isinstance(node, f.Attr):
            owner = self.imported_module(Place(module, node.value))
            found = self.definition(owner, node.name) if owner is not None else None
        if found is None or found == (module, (index,)):
            return False
        return all(self.decides(Place(found[0], other), depth + 1) for other in found[1])

    def _subscript_decides(self, place: Place, node: f.Index, depth: int) -> bool:
        module = place.module
        base = Place(module, node.value)
        source, name = self.outside(base) or ("", "")
        if source in TYPING_MODULES or source == "collections.abc":
            index = self.modules[module].nodes[node.index]
            elements = index.elements if isinstance(index, f.Display) else (node.index,)
            if name == "Optional":
                # a union with None is more than an unknown value
                return not self._is_awaitable(Place(module, elements[0]), depth + 1)
            if name == "Union":
                return self._union_decides(module, elements, depth)
            if name in _WRAPPERS:
                return self.decides(Place(module, elements[0]), depth + 1)
        return self.decides(base, depth + 1)

    def _union_decides(self, module: str, elements: tuple[int, ...], depth: int) -> bool:
        """Whether a union is of something that is known, and of nothing that is awaitable."""
        places = [Place(module, element) for element in elements]
        return not any(self._is_awaitable(place, depth + 1) for place in places) and any(
            self.decides(place, depth + 1) for place in places
        )

    def _is_awaitable(self, place: Place, depth: int) -> bool:
        """Whether an annotation is, or is a union with, an awaitable, maybe by another name."""
        nodes = self.modules[place.module].nodes
        node = nodes[place.node]
        if depth > DEPTH:
            return False
        if isinstance(node, f.BinOp):
            return any(
                self._is_awaitable(Place(place.module, part), depth + 1) for part in (node.left, node.right)
            )
        if isinstance(node, f.Index):
            index = nodes[node.index]
            parts = index.elements if isinstance(index, f.Display) else (node.index,)
            _, name = self.outside(Place(place.module, node.value)) or ("", "")
            return self._is_awaitable(Place(place.module, node.value), depth + 1) or (
                name in ("Union", "Optional")
                and any(self._is_awaitable(Place(place.module, part), depth + 1) for part in parts)
            )
        if (self.outside(place) or ("", ""))[1] in ("Awaitable", "Coroutine"):
            return True
        found = self.definition(place.module, node.name) if isinstance(node, f.Name) else None
        if found is None or len(found[1]) != 1:
            return False
        alias = self.modules[found[0]].nodes[found[1][0]]
        return isinstance(alias, (f.Index, f.Name, f.BinOp)) and self._is_awaitable(
            Place(found[0], found[1][0]), depth + 1
        )

    @staticmethod
    def _is_builtin_class(name: str) -> bool:
        builtins = STDLIB.module("builtins")
        assert builtins is not None
        nodes = builtins.scopes[0].bindings.get(name, ())
        return bool(nodes) and isinstance(builtins.nodes[nodes[0]], f.Class)

    def first_argument(self, place: Place, names: frozenset[str]) -> int | None:
        """The first argument where a node is ``X[...]``, X of the standard library and one of `names`."""
        nodes = self.modules[place.module].nodes
        node = nodes[place.node] if place.node >= 0 else None
        if not isinstance(node, f.Index):
            return None
        source, name = self.outside(Place(place.module, node.value)) or ("", "")
        if name not in names or not is_stdlib(source):
            return None
        index = nodes[node.index]
        return index.elements[0] if isinstance(index, f.Display) and index.elements else node.index

    # ------------------------------------------------------------------ protocols
    def protocol_members(self) -> frozenset[str]:
        """The names of what the distribution's protocols ask for; classes are told apart by them."""
        found = set()
        for module, facts in self.modules.items():
            for index, scope in enumerate(facts.scopes):
                if scope.kind is f.ScopeKind.CLASS and scope.bases:
                    bases = {base[1] for base in self.bases(module, index) if base is not None}
                    if "Protocol" in bases:
                        found |= scope.bindings.keys()
        return frozenset(found)

    # ------------------------------------------------------------------ data
    def is_data_class(self, module: str, scope: int) -> bool:
        """Whether a class is a record: a model, a dataclass, an enumeration, with fields and no methods."""
        key = (module, scope)
        known = self._data.get(key)
        if known is None:
            self._data[key] = False
            known = self._data[key] = self._is_data_class(module, scope)
        return known

    def _is_data_class(self, module: str, scope: int) -> bool:
        facts = self.modules[module]
        record = facts.scopes[scope]
        has_fields = False
        for name, nodes in record.bindings.items():
            node = facts.nodes[nodes[-1]]
            has_fields |= not (name.startswith("_") or name == "model_config" or isinstance(node, f.Func))
            if isinstance(node, f.Func):
                function = facts.scopes[node.scope]
                if name in _ACTIVE or function.is_async:
                    return False
                if not (name.startswith("_") or function.decorators):
                    return False
        if not has_fields:
            # perhaps what others derive from
            return False
        is_data = any(
            self.outside(Place(module, node.func if isinstance(node, f.Call) else decorator))
            in _DATA_DECORATORS
            for decorator in record.decorators
            for node in (facts.nodes[decorator],)
        )
        for base in self.ancestors(module, scope):
            if base in _DATA_BASES:
                is_data = True
            elif (
                base is None
                or (isinstance(base[1], str) and not is_stdlib(base[0]))
                or (isinstance(base[1], int) and self._is_active(base[0], base[1]))
            ):
                return False
        return is_data

    def _is_active(self, module: str, scope: int) -> bool:
        facts = self.modules[module]
        for name, nodes in facts.scopes[scope].bindings.items():
            node = facts.nodes[nodes[-1]]
            if isinstance(node, f.Func) and (
                name in _ACTIVE - {"__getattr__"} or facts.scopes[node.scope].is_async
            ):
                return True
        return False

    def is_data(self, place: Place, depth: int = 0) -> bool:
        """Whether an annotation is of builtin classes and records, such as ``dict[str, User] | None``."""
        return self._is_made_of(place, depth, others=False)

    def is_closed(self, place: Place, depth: int = 0) -> bool:
        """Whether an annotation has no type variables and stands for nothing that is called or awaited."""
        return self._is_made_of(place, depth, others=True)

    def _is_made_of(self, place: Place, depth: int, *, others: bool) -> bool:
        nodes = self.modules[place.module].nodes
        node = nodes[place.node] if place.node >= 0 else None
        if isinstance(node, (f.Const, f.Plain)):
            return True
        if depth > DEPTH or node is None:
            return False

        def all_made(module: str, *parts: int) -> bool:
            return all(self._is_made_of(Place(module, part), depth + 1, others=others) for part in parts)

        if isinstance(node, f.BinOp):
            return all_made(place.module, node.left, node.right)
        if isinstance(node, f.Display):
            return all_made(place.module, *node.elements)
        if isinstance(node, f.Phi):
            return all_made(place.module, *node.options)
        if isinstance(node, f.Declared):
            return node.value >= 0 and all_made(place.module, node.value)
        if isinstance(node, f.Index):
            _, name = self.outside(Place(place.module, node.value)) or ("", "")
            return name == "Literal" or all_made(place.module, node.value, node.index)
        if (outside := self.outside(place)) is not None:
            source, name = outside
            if source in TYPING_MODULES or source == "collections.abc":
                return name in _CONTAINERS or name in _WRAPPERS
            return others or source in _DATA_MODULES
        cls = self.cls(place)
        if cls is not None:
            return self.is_data_class(*cls) or (others and not self._is_called(*cls))
        found = self.definition(place.module, node.name) if isinstance(node, f.Name) else None
        if isinstance(node, f.Name) and found is None:
            return node.name != "object" and self._is_builtin_class(node.name)
        if found is None or len(found[1]) != 1 or found == (place.module, (place.node,)):
            return False
        return all_made(*found[:1], *found[1])

    def _is_called(self, module: str, scope: int) -> bool:
        owners = ((module, scope), *self.ancestors(module, scope))
        return any(
            owner is not None
            and isinstance(owner[1], int)
            and "__call__" in self.modules[owner[0]].scopes[owner[1]].bindings
            for owner in owners
        )
