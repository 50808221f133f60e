"""Which objects are fit for `with` and `for`, and which for `async with` and `async for` only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awaitlint.index import facts as f
from awaitlint.index.modules import Origin
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    ContextManagerValue,
    FunctionValue,
    GeneratorValue,
    Instance,
    NoneValue,
    OverloadedValue,
    TupleValue,
    TypeVarValue,
    function_of,
    members,
)

if TYPE_CHECKING:
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext


class Form(NamedTuple):
    """A statement that asks something of an object: `word` is ``with`` or ``for``."""

    word: str
    is_async: bool

    @property
    def text(self) -> str:
        return f"async {self.word}" if self.is_async else self.word

    @property
    def other(self) -> Form:
        return Form(self.word, not self.is_async)


#: the methods by which an object is fit for a form; one of them is enough
_METHODS = {
    Form("with", is_async=False): ("__enter__",),
    Form("with", is_async=True): ("__aenter__",),
    Form("for", is_async=False): ("__iter__", "__getitem__"),
    Form("for", is_async=True): ("__aiter__",),
}
_ITERATED = Form("for", is_async=False)
#: functions of Python's own that iterate their first argument
_CONSUMERS = frozenset(
    {
        "all",
        "any",
        "dict",
        "enumerate",
        "frozenset",
        "iter",
        "list",
        "max",
        "min",
        "reversed",
        "set",
        "sorted",
    }
    | {"sum", "tuple", "zip"}
)
#: classes of packages whose `__enter__` does nothing but to raise an error that says so
_REFUSE = frozenset(
    {
        "aiohttp.client.ClientSession",
        "aiohttp.client.ClientTimeout",
        "aiohttp.test_utils.BaseTestServer",
        "aiohttp.test_utils.TestClient",
    }
)
_NO_RETURN = frozenset({"NoReturn", "Never"})

#: methods of Python's own that do so, or that enter it: their qualified names, and the statement that does it
_TAKING = {
    "join": (frozenset({"builtins.str.join", "builtins.bytes.join"}), _ITERATED),
    "enter_context": (frozenset({"contextlib._BaseExitStack.enter_context"}), Form("with", is_async=False)),
    "enter_async_context": (
        frozenset({"contextlib.AsyncExitStack.enter_async_context"}),
        Form("with", is_async=True),
    ),
}


class Protocols:
    """What the objects of one module are fit for."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self._infer = module.infer
        self._classes: dict[tuple[ClassValue, Form], bool | None] = {}

    def misfit(self, value: Value, form: Form) -> str:
        """What a value is that is certainly not fit for a form but for the other: a noun, "" otherwise."""
        found = [member for member in members(value) if not isinstance(member, NoneValue)]
        nouns = {self._noun(member, form) for member in found}
        if not nouns or "" in nouns:
            return ""
        return nouns.pop() if len(nouns) == 1 else _general(form)

    def _noun(self, value: Value, form: Form) -> str:
        if isinstance(value, ContextManagerValue):
            return _general(form) if form.word == "with" and value.is_async != form.is_async else ""
        if isinstance(value, GeneratorValue):
            # neither kind can be entered
            if form.word == "for" and value.is_async == form.is_async:
                return ""
            return "an async generator" if value.is_async else "a plain generator"
        if isinstance(value, TupleValue):
            return "a tuple" if form == Form("for", is_async=True) else ""
        if not isinstance(value, Instance):
            return ""
        if self._is_fit(value.cls, form.other) is not True or self._is_fit(value.cls, form) is not False:
            return ""
        if value.cls.module.name == "builtins":
            name = value.cls.fact.name
            return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
        return _general(form)

    def _is_fit(self, cls: ClassValue, form: Form) -> bool | None:
        key = (cls, form)
        if key not in self._classes:
            self._classes[key] = self._has(cls, form)
        return self._classes[key]

    def _has(self, cls: ClassValue, form: Form) -> bool | None:
        """Whether the instances of a class are fit for a form; None where that is not known."""
        infer = self._infer
        mro = infer.mro(cls)
        for entry in mro:
            if entry is None:
                return None
            for name in _METHODS[form]:
                if name in entry.fact.bindings:
                    return self._works(entry, name)
        if any(self._is_open(entry) for entry in mro if entry is not None):
            return None
        return None if infer.is_protocol(cls) and not cls.module.is_stdlib else False

    def _works(self, cls: ClassValue, name: str) -> bool | None:
        """Whether a special method that a class has does more than to refuse."""
        if cls.qualname in _REFUSE and name == "__enter__":
            return False
        node = cls.module.facts.nodes[cls.fact.bindings[name][-1]]
        if not isinstance(node, f.Func):
            # `__iter__ = None` says no
            return False if node == f.Const(None) else None
        fact = cls.module.facts.scopes[node.scope]
        if fact.returns >= 0 and last_name(cls.module.facts.nodes[fact.returns]) in _NO_RETURN:
            return False
        if (
            name == "__getitem__"
            or cls.module.is_stub
            or cls.module.is_stdlib
            or cls.module.origin is Origin.BUNDLED
        ):
            return True
        if fact.is_stub and not fact.falls_through:
            # NotImplementedError: for subclasses to say
            return None
        return fact.falls_through or bool(fact.returned) or fact.is_generator

    def _is_open(self, cls: ClassValue) -> bool:
        """Whether instances of a class may have methods that its body does not define."""
        fact, module, infer = cls.fact, cls.module, self._infer
        if "__getattr__" in fact.bindings or "__getattribute__" in fact.bindings:
            return True
        if module.is_stdlib:
            return False
        for keyword, node in fact.keywords:
            if keyword == "metaclass" and not isinstance(infer.value(module, node), ClassValue):
                return True
        return any(not _is_stdlib(infer.value(module, node)) for node in fact.decorators)

    def form_of_argument(self, site: f.Site) -> Form | None:
        """What a function of Python's own does with its first argument: iterates it, or enters it."""
        nodes, module = self._module.facts.nodes, self._module.module
        call = nodes[site.other] if site.other >= 0 else None
        if not isinstance(call, f.Call) or call.args[:1] != (site.node,):
            return None
        func = nodes[call.func]
        if isinstance(func, f.Name):
            own = func.name in self._module.facts.scopes[0].bindings
            return _ITERATED if func.name in _CONSUMERS and not own else None
        if not isinstance(func, f.Attr) or func.name not in _TAKING:
            return None
        method = self._infer.value(module, call.func)
        if isinstance(method, OverloadedValue):
            method = method.functions[0]
        names, form = _TAKING[func.name]
        return form if isinstance(method, FunctionValue) and method.qualname in names else None

    def is_misdecorated(self, call: int) -> bool:
        """Whether what a call calls is a generator under the wrong one of the two decorators."""
        node = self._module.facts.nodes[call]
        if not isinstance(node, f.Call):
            return True
        func = self._infer.value(self._module.module, node.func)
        made = function_of(func)
        if made is None or not isinstance(func, CallableValue):
            return False
        result = func.result
        return isinstance(result, ContextManagerValue) and made.fact.is_async != result.is_async

    def is_doubtful(self, node: int) -> bool:
        """Whether code denies that a value is of some class, or nothing says what a type variable stands for.

        What is known of the value may not be the whole truth then.
        """
        nodes, module = self._module.facts.nodes, self._module.module
        fact = nodes[node]
        while isinstance(fact, (f.Narrow, f.Declared)) and fact.value >= 0:
            if isinstance(fact, f.Narrow) and fact.test == "isinstance" and not fact.positive:
                return True
            fact = nodes[fact.value]
        if not isinstance(fact, f.Call):
            return False
        func = self._infer.value(module, fact.func)
        if isinstance(func, Instance):
            func = self._infer.attribute(func, "__call__")
        method = function_of(func)
        if method is None or not isinstance(method.receiver, Instance) or method.receiver.cls.args:
            return False
        returns = method.fact.returns
        return returns >= 0 and isinstance(self._infer.annotation(method.module, returns), TypeVarValue)


def _is_stdlib(value: Value) -> bool:
    if isinstance(value, CallableValue):
        # `dataclass(frozen=True)` and the like
        return True
    if isinstance(value, OverloadedValue):
        value = value.functions[0]
    return isinstance(value, (FunctionValue, ClassValue)) and value.module.is_stdlib


def _general(form: Form) -> str:
    """What an object is that is not fit for a form."""
    if form.word == "with":
        return "no async context manager" if form.is_async else "an async context manager"
    return "no async iterable" if form.is_async else "an async iterable"
