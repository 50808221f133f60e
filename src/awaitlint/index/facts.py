"""The facts of a module: a small, serialisable record of everything inference asks about it.

Facts depend on a module's text alone, never on its path, its name or other modules, so they can be
cached by content and computed anywhere.  Expressions are nodes in one table, and refer to each other by
their index in it.  Local variables are in static single assignment form: a load of a local name *is* the
node that was assigned to it, or a `Phi` of the nodes that may reach it, so inference needs no flow
analysis of its own.  (The construction follows Braun et al., "Simple and Efficient Construction of Static
Single Assignment Form", CC 2013.)
"""

from __future__ import annotations

import enum

import msgspec

from awaitlint.index.marks import Mark

#: Raise this whenever the meaning or the layout of facts changes; caches and tables are keyed by it.
SCHEMA = 6


class _Node(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of the expression nodes.  Integers that name a node are indexes into `ModuleFacts.nodes`."""


class Unknown(_Node, frozen=True, tag=0):
    """An expression that facts do not describe."""


class Const(_Node, frozen=True, tag=1):
    """A literal whose value is kept: None, True, a number, a short string."""

    value: str | int | float | bool | None


class Plain(_Node, frozen=True, tag=2):
    """An instance of a builtin class about which nothing else is known, such as an f-string's ``str``."""

    type_name: str


class Name(_Node, frozen=True, tag=3):
    """A name looked up in the module's namespace and then in builtins."""

    name: str


class Free(_Node, frozen=True, tag=4):
    """A name bound in an enclosing function (`scope`), read from a nested one."""

    scope: int
    name: str


class Phi(_Node, frozen=True, tag=5):
    """One of several values, by the path taken; also conditional expressions and ``and``/``or``."""

    options: tuple[int, ...]


class Attr(_Node, frozen=True, tag=6):
    value: int
    name: str


class Call(_Node, frozen=True, tag=7):
    """A call.  A starred argument is a `Starred` node; ``**kwargs`` has the keyword ``**``."""

    func: int
    args: tuple[int, ...]
    keywords: tuple[tuple[str, int], ...]


class Await(_Node, frozen=True, tag=8):
    value: int


class Yielded(_Node, frozen=True, tag=9):
    """What a ``yield`` evaluates to (what was sent), or the result of ``yield from value``."""

    value: int
    is_from: bool


class Index(_Node, frozen=True, tag=10):
    value: int
    index: int


class BinOp(_Node, frozen=True, tag=11):
    op: str
    left: int
    right: int


class Display(_Node, frozen=True, tag=12):
    """A list, tuple or set display; `kind` is the builtin's name."""

    kind: str
    elements: tuple[int, ...]


class DictDisplay(_Node, frozen=True, tag=13):
    """A dict display; a ``**other`` item has key -1."""

    keys: tuple[int, ...]
    values: tuple[int, ...]


class Comp(_Node, frozen=True, tag=14):
    """A comprehension; `kind` is ``list``, ``set``, ``dict`` or ``generator``; `key` is -1 but for dicts."""

    kind: str
    key: int
    element: int
    is_async: bool


class Lambda(_Node, frozen=True, tag=15):
    scope: int


class Func(_Node, frozen=True, tag=16):
    """What a ``def`` binds, decorators applied."""

    scope: int


class Class(_Node, frozen=True, tag=17):
    scope: int


class Param(_Node, frozen=True, tag=18):
    """The value of a parameter: `index` into the scope's `params`."""

    scope: int
    index: int


class Import(_Node, frozen=True, tag=19):
    """An imported thing: ``import module`` (name empty) or ``from <level dots>module import name``."""

    module: str
    level: int
    name: str


class Iter(_Node, frozen=True, tag=20):
    """An element of an iterable (``for``) or asynchronous iterable (``async for``)."""

    value: int
    is_async: bool


class Enter(_Node, frozen=True, tag=21):
    """What ``with value as x`` binds."""

    value: int
    is_async: bool


class Unpack(_Node, frozen=True, tag=22):
    """Element `index` of an unpacked value; negative counts from the end, after a starred target."""

    value: int
    index: int


class Caught(_Node, frozen=True, tag=23):
    """What ``except types as x`` binds."""

    types: int


class Narrow(_Node, frozen=True, tag=24):
    """`value` on a path where a test holds.

    `test` is ``isinstance`` (with `against` the class node), ``none``, ``truthy``, or a probe such as
    ``inspect.isawaitable`` (``awaitable``) or ``inspect.iscoroutinefunction`` (``async function``);
    `positive` tells which branch this is.
    """

    value: int
    test: str
    against: int
    positive: bool


class Declared(_Node, frozen=True, tag=25):
    """A variable with an annotation, and what was assigned (-1 for a bare declaration)."""

    annotation: int
    value: int


class Starred(_Node, frozen=True, tag=26):
    value: int


class Super(_Node, frozen=True, tag=27):
    """Zero-argument ``super()`` in a method of class `scope`."""

    scope: int


class TypeParam(_Node, frozen=True, tag=28):
    """A type parameter of a generic class or function (PEP 695)."""

    scope: int
    name: str


Node = (
    Unknown
    | Const
    | Plain
    | Name
    | Free
    | Phi
    | Attr
    | Call
    | Await
    | Yielded
    | Index
    | BinOp
    | Display
    | DictDisplay
    | Comp
    | Lambda
    | Func
    | Class
    | Param
    | Import
    | Iter
    | Enter
    | Unpack
    | Caught
    | Narrow
    | Declared
    | Starred
    | Super
    | TypeParam
)


class Use(enum.IntEnum):
    """How the value of an expression is used where it stands."""

    OTHER = 0
    AWAITED = 1
    #: an expression statement, or an arm of one (``a and f()``, ``f() if c else g()``, ``f(), g()``)
    DISCARDED = 2
    #: bound to a local name that is read somewhere; `Site.other` is the Declared node, where there is one
    BOUND = 3
    #: bound to a local name that no load can reach
    NEVER_READ = 4
    #: bound to a global, an attribute, an item; `Site.other` is the Attr or Index node of the target
    STORED = 5
    RETURNED = 6
    YIELDED = 7
    #: an argument of a call; `Site.other` is the call's node
    ARGUMENT = 8
    #: an element of a list, tuple, set or dict display, or of a comprehension
    ELEMENT = 9
    #: tested for truth: if, while, assert, not, and/or, ternary, comprehension condition, match guard
    TESTED = 10
    #: an operand of a comparison
    COMPARED = 11
    #: an operand of an arithmetic operator
    OPERAND = 12
    #: its item is taken or set
    SUBSCRIPTED = 13
    #: its attribute is taken or set; `Site.other` is the Attr node
    ATTRIBUTE = 14
    #: it is called
    CALLED = 15
    #: iterated by a sync for, a sync comprehension, ``*`` or ``yield from``
    ITERATED = 16
    ASYNC_ITERATED = 17
    #: unpacked into several targets
    UNPACKED = 18
    #: put into an f-string
    FORMATTED = 19
    WITH = 20
    ASYNC_WITH = 21
    DECORATOR = 22


class Site(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A place in the text where a value that may matter is used.

    There is one for every call, for every other operand of ``await``, and for every use of a local name
    that was bound to a call.  Columns count UTF-8 bytes, as `ast` does.
    """

    use: Use
    node: int
    scope: int
    line: int
    column: int
    end_line: int
    end_column: int
    #: the node that uses this one, where `use` says so; else -1
    other: int = -1


class ParamFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A parameter; `kind` is ``posonly``, ``normal``, ``vararg``, ``kwonly`` or ``kwarg``; -1 is none."""

    name: str
    kind: str
    annotation: int
    default: int


class ScopeKind(enum.IntEnum):
    MODULE = 0
    CLASS = 1
    FUNCTION = 2
    LAMBDA = 3


class Scope(msgspec.Struct, array_like=True, kw_only=True):
    """A module, class, function or lambda.  Scope 0 is the module."""

    kind: ScopeKind
    name: str
    #: dotted name within the module, ``Class.method``; "" for the module
    qualname: str
    parent: int
    #: line of the ``def``/``class`` keyword, first line (decorators included), last line
    line: int = 0
    first_line: int = 0
    end_line: int = 0
    #: column of the keyword (of ``async`` in ``async def``), in UTF-8 bytes
    column: int = 0
    is_async: bool = False
    #: contains a ``yield`` of its own
    is_generator: bool = False
    decorators: tuple[int, ...] = ()
    #: of a function
    params: tuple[ParamFact, ...] = ()
    returns: int = -1
    #: nodes of the returned values; of a lambda, its body
    returned: tuple[int, ...] = ()
    yielded: tuple[int, ...] = ()
    #: the end of the body can be reached, so that None may be returned
    falls_through: bool = False
    #: the body is only a docstring, ``...``, ``pass`` or ``raise NotImplementedError``
    is_stub: bool = False
    #: of a class
    bases: tuple[int, ...] = ()
    keywords: tuple[tuple[str, int], ...] = ()
    #: every node bound to a name of this scope, in source order
    bindings: dict[str, tuple[int, ...]] = {}
    #: of a class: what its methods assign to ``self.<name>``
    attributes: dict[str, tuple[int, ...]] = {}
    #: names of type parameters (PEP 695)
    type_params: tuple[str, ...] = ()
    #: of a function or lambda: its nodes are those from `first_node` up to, not including, `end_node`,
    #: less those of the scopes inside of it
    first_node: int = 0
    end_node: int = 0


class Misplaced(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An async construct that stands outside an async function, as far as one pass can tell."""

    scope: int
    line: int
    column: int


class ModuleFacts(msgspec.Struct, array_like=True, kw_only=True, dict=True):
    """Everything known about one module."""

    nodes: list[Node]
    scopes: list[Scope]
    sites: list[Site]
    #: modules imported with ``import a.b.c`` (dotted names), so that ``a.b`` resolves as an attribute
    imports: tuple[str, ...] = ()
    #: first parts of the names of all modules imported absolutely, anywhere in the module; sorted
    packages: tuple[str, ...] = ()
    #: (module, level) of every ``from x import *``, in source order
    stars: tuple[tuple[str, int], ...] = ()
    #: names of ``__all__``, where it is a literal; None where there is none
    exports: tuple[str, ...] | None = None
    misplaced: tuple[Misplaced, ...] = ()
    #: attributes that are assigned other than through the first parameter of a method: name → (owner, value)
    patched: dict[str, tuple[tuple[int, int], ...]] = {}
    marks: tuple[Mark, ...] = ()
