"""Special methods that Python calls without awaiting them, and what comes of a coroutine there.

From the data model (https://docs.python.org/3/reference/datamodel.html).
"""

from __future__ import annotations

#: those that Python awaits
AWAITED = frozenset({"__aenter__", "__aexit__", "__anext__"})

#: methods that constructors made by decorators call -> those decorators
POST_INIT = {
    "__post_init__": frozenset({"dataclasses.dataclass", "pydantic.dataclasses.dataclass"}),
    "__attrs_post_init__": frozenset(
        {
            *("attr.s", "attr.attrs", "attr.define", "attr.mutable", "attr.frozen", "attr.dataclass"),
            *("attrs.define", "attrs.mutable", "attrs.frozen"),
        }
    ),
    "__attrs_pre_init__": frozenset({"attr.s", "attr.attrs", "attr.define", "attrs.define", "attrs.frozen"}),
}

_ADVICE = "make it a plain method"
#: methods about which there is more to say
_OWN = {
    "__init__": "calling the class raises TypeError, because it must return None; await in a classmethod "
    "that makes the instance",
    "__del__": "Python calls it without awaiting it, so that it never runs; offer an `aclose` method",
    "__enter__": "`with` does not await it, so that it never runs; rename it to `__aenter__` for "
    "`async with`",
    "__exit__": "`with` swallows every exception, because {thing} is true, and it never runs; rename it to "
    "`__aexit__` for `async with`",
    "__iter__": "`for` raises TypeError, because {thing} is no iterator; `__aiter__` is for `async for`",
    "__next__": "`for` gets {thing} at each step and never ends; rename it to `__anext__` for `async for`",
    "__aiter__": "`async for` does not await it and raises TypeError; make it a plain method that returns "
    "the iterator",
    "__await__": "`await` raises TypeError, because it must return an iterator; make it a plain method that "
    "returns `self.method().__await__()`",
}

#: methods whose coroutine Python drops
_DROPPED = frozenset(
    {
        *("__setattr__", "__delattr__", "__setitem__", "__delitem__", "__set__", "__delete__"),
        *("__set_name__", "__init_subclass__", "__setstate__", "__release_buffer__"),
        *POST_INIT,
    }
)
#: methods whose result has to be of one type -> what fails, and which type
_TYPED = {
    "__bool__": ("`if obj` and `bool(obj)`", "a bool"),
    "__bytes__": ("`bytes(obj)`", "bytes"),
    "__buffer__": ("`memoryview(obj)`", "a memoryview"),
    "__complex__": ("`complex(obj)`", "a complex number"),
    "__dir__": ("`dir(obj)`", "an iterable"),
    "__float__": ("`float(obj)`", "a float"),
    "__format__": ("`format(obj)`", "a string"),
    "__fspath__": ("`os.fspath(obj)`", "a path"),
    "__getnewargs__": ("pickling", "a tuple"),
    "__getnewargs_ex__": ("pickling", "a tuple"),
    "__getstate__": ("pickling", "a state that can be pickled"),
    "__hash__": ("`hash(obj)`", "an integer"),
    "__index__": ("`operator.index(obj)`", "an integer"),
    "__int__": ("`int(obj)`", "an integer"),
    "__len__": ("`len(obj)`", "an integer"),
    "__length_hint__": ("`operator.length_hint(obj)`", "an integer"),
    "__mro_entries__": ("the class statement", "a tuple"),
    "__prepare__": ("the class statement", "a mapping"),
    "__reduce__": ("pickling", "a tuple"),
    "__reduce_ex__": ("pickling", "a tuple"),
    "__repr__": ("`repr(obj)`", "a string"),
    "__sizeof__": ("`sys.getsizeof(obj)`", "an integer"),
    "__str__": ("`str(obj)`", "a string"),
}
#: methods whose result counts as true or false -> the operation
_TRUTHY = {
    "__contains__": "x in obj",
    "__eq__": "==",
    "__ne__": "!=",
    "__lt__": "<",
    "__le__": "<=",
    "__gt__": ">",
    "__ge__": ">=",
    "__instancecheck__": "isinstance(x, cls)",
    "__subclasscheck__": "issubclass(x, cls)",
}
#: augmented assignments, whose target becomes what the method returns
_IN_PLACE = {
    "__iadd__": "+=",
    "__isub__": "-=",
    "__imul__": "*=",
    "__imatmul__": "@=",
    "__itruediv__": "/=",
    "__ifloordiv__": "//=",
    "__imod__": "%=",
    "__ipow__": "**=",
    "__ilshift__": "<<=",
    "__irshift__": ">>=",
    "__iand__": "&=",
    "__ixor__": "^=",
    "__ior__": "|=",
}


def consequence(name: str, *, is_generator: bool) -> str:
    """What goes wrong where a special method is `async def`, and what to do; empty where it may be fair."""
    thing = "an async generator" if is_generator else "a coroutine"
    if name in AWAITED:
        if not is_generator:
            return ""
        return "it contains `yield`, so that it gives an async generator, and awaiting that raises TypeError"
    if name == "__aiter__" and is_generator:
        return ""
    if name in _OWN:
        return _OWN[name].format(thing=thing)
    if name in _DROPPED:
        return f"Python calls it without awaiting it, so that it never runs; {_ADVICE}"
    if name in _TYPED:
        what, wanted = _TYPED[name]
        return f"{what} raises TypeError, because it must return {wanted}; {_ADVICE}"
    if name in _TRUTHY:
        return f"`{_TRUTHY[name]}` is always true, because {thing} is; {_ADVICE}"
    if name in _IN_PLACE:
        return f"`obj {_IN_PLACE[name]} x` puts {thing} in the place of `obj`; {_ADVICE}"
    return ""
