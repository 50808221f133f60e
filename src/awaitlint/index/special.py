"""Names of `typing` that mean something to every reader of annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from awaitlint.index.facts import Name

if TYPE_CHECKING:
    from awaitlint.index.facts import ModuleFacts

#: typing's special forms, handled by name wherever they are imported from
SPECIAL_FORMS = frozenset(
    {
        "Annotated",
        "Any",
        "Callable",
        "ClassVar",
        "Concatenate",
        "Final",
        "Generic",
        "Literal",
        "LiteralString",
        "Never",
        "NoReturn",
        "NotRequired",
        "Optional",
        "Protocol",
        "ReadOnly",
        "Required",
        "Self",
        "TypeAlias",
        "TypeGuard",
        "TypeIs",
        "Unpack",
        "Union",
    }
)
TYPING_MODULES = frozenset({"typing", "typing_extensions"})

#: typing's own names for classes that live elsewhere
TYPING_ALIASES = {
    "List": ("builtins", "list"),
    "Dict": ("builtins", "dict"),
    "Set": ("builtins", "set"),
    "FrozenSet": ("builtins", "frozenset"),
    "Tuple": ("builtins", "tuple"),
    "Type": ("builtins", "type"),
    "DefaultDict": ("collections", "defaultdict"),
    "OrderedDict": ("collections", "OrderedDict"),
    "Counter": ("collections", "Counter"),
    "ChainMap": ("collections", "ChainMap"),
    "Deque": ("collections", "deque"),
    # a function, which as a base stands for a mapping with keys of its own
    "TypedDict": ("typing", "_TypedDict"),
}


def name_special_forms(facts: ModuleFacts) -> ModuleFacts:
    """A typing module's facts in which its own uses of its special forms go by name, as everybody else's do.

    Within the stub, ``Protocol`` is a variable of the class ``_SpecialForm``.
    """
    nodes = list(facts.nodes)
    for name in SPECIAL_FORMS:
        for node in facts.scopes[0].bindings.get(name, ()):
            nodes[node] = Name(name)
    return msgspec.structs.replace(facts, nodes=nodes)
