"""
## What it does

Reports a coroutine that is used as if it were the result. The coroutine may be a call, a local name that is
bound to one, or (in async code that never awaits it) a name that is bound to one on some path only.

- An operation: it is compared, added, subscripted, called, iterated, unpacked (also with `*` and `**`),
  entered with `with` or `async with`, its attribute is taken, it is put into a string. This includes the
  precedence slip `await fetch()["key"]`, which subscripts the coroutine and awaits the item.
- A function that can only want the result: `print`, `str`, `len`, `json.dumps`, `copy.deepcopy`, pydantic's
  `model_validate`, a logger, and the like.
- A parameter that cannot take a coroutine: its annotation is of another type (also that of a
  `Callable[[X], Y]` or of a `list[X]` that is appended to), or the function's body does with it what no
  coroutine can do (also further down, in functions that it is handed on to). So are the fields of
  dataclasses, of `NamedTuple`, `TypedDict` and of models such as pydantic's.
- An attribute, an item, a name or the elements of a container, where another type is declared; an attribute
  that the module uses as the result and never awaits; and elements that the function takes out again to use
  them as results.
- A `yield` where another type is declared, a `cast` to another type, an `isinstance` that is always false.

The future of `asyncio.gather`, `asyncio.shield` or `loop.run_in_executor` is reported, too, where it is
subscripted, iterated, unpacked, called, an operand, compared with a literal, or given to a parameter of
another type. So is that of any function declared to return one, where async code subscripts or iterates it,
or asks it for an attribute of its result.

A place is fair where its type is not known, is `Any`, `object` or a type variable, or lets an awaitable in;
and where the body of the function awaits the parameter, looks at what it is, or hands it on to somebody
unknown. In code that is not async, only operations count and functions such as `print`: code that hands a
coroutine on may serve two worlds.

## Why is this bad?

The operation fails at run time (`TypeError: 'coroutine' object is not subscriptable`,
`AttributeError: 'coroutine' object has no attribute 'id'`), or it quietly works on the coroutine object, as
in a comparison or a log line. Where the coroutine is only stored or handed on, the failure comes later and
elsewhere.

## Example

```py
async def fetch() -> dict[str, int]:
    return {"id": 1}

async def main(flag: bool) -> None:
    user = fetch()
    print(user["id"])  # error: [coroutine-used-as-value]
    print(f"got {fetch()}")  # error: [coroutine-used-as-value]
    one = await fetch()["id"]  # error: [coroutine-used-as-value]
    other = {"id": 2}
    if flag:
        other = fetch()
    print(other["id"])  # error: [coroutine-used-as-value]
```

Places that cannot take a coroutine:

```py
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

@dataclass
class User:
    name: str

def greet(name: str) -> None: ...

def shout(name):
    print(name.upper())

async def get_name() -> str:
    return "a"

async def main(user: User, ages: dict[str, int]) -> bool:
    greet(get_name())  # error: [coroutine-used-as-value]
    shout(get_name())  # error: [coroutine-used-as-value]
    User(name=get_name())  # error: [coroutine-used-as-value]
    user.name = get_name()  # error: [coroutine-used-as-value]
    ages["a"] = get_name()  # error: [coroutine-used-as-value]
    name: str = get_name()  # error: [coroutine-used-as-value]
    print(name, cast(str, get_name()))  # error: [coroutine-used-as-value]
    return isinstance(get_name(), str)  # error: [coroutine-used-as-value]

async def names() -> list[str]:
    return [get_name()]  # error: [coroutine-used-as-value]

async def stream() -> AsyncIterator[str]:
    yield get_name()  # error: [coroutine-used-as-value]

class Session:
    async def start(self) -> None:
        self.name = get_name()  # error: [coroutine-used-as-value]

    def title(self) -> str:
        return self.name.title()
```

Futures:

```py
import asyncio

async def fetch() -> int:
    return 1

async def main() -> None:
    numbers = asyncio.gather(fetch(), fetch())
    print(numbers[0])  # error: [coroutine-used-as-value]
    text = asyncio.get_running_loop().run_in_executor(None, input)
    print("got " + text)  # error: [coroutine-used-as-value]
```

## Use instead

```py
async def fetch() -> dict[str, int]:
    return {"id": 1}

async def main() -> None:
    user = await fetch()
    print(user["id"])
    print(f"got {await fetch()}")
    one = (await fetch())["id"]
```

A function that does take coroutines says so, by its annotation (`name: str | Awaitable[str]`) or by
`inspect.isawaitable(name)` in its body. Where AWL108, AWL802 or AWL803 reports the same coroutine, this one
does not.

## Fix safety

The fix adds `await` where the coroutine is created, with parentheses where they are needed. It is unsafe,
because the code then does what it did not do before. There is none where a function or a task
is wanted, nor in code that is not async.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.infer.bodies import COROUTINE_ATTRIBUTES
from awaitlint.infer.values import AwaitableValue, Instance, Unknown, members
from awaitlint.rulekit.coroutines import CoroutineRule, noun
from awaitlint.rulekit.futures import OF_FUTURES, future, has_attribute, misused_future
from awaitlint.rulekit.places import PLACES, Places
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

    from awaitlint.model import Fix
    from awaitlint.rulekit.context import ModuleContext

_WHAT = {
    Use.COMPARED: "compared",
    Use.OPERAND: "used with an operator",
    Use.SUBSCRIPTED: "subscripted",
    Use.CALLED: "called",
    Use.ITERATED: "iterated",
    Use.ASYNC_ITERATED: "iterated with `async for`",
    Use.UNPACKED: "unpacked",
    Use.FORMATTED: "put into a string",
    Use.WITH: "entered with `with`",
    Use.ASYNC_WITH: "entered with `async with`",
}
#: what to do where something else than the result is wanted
_INSTEAD = {
    "function": "give it a function, not what calling one makes",
    "task": "make it one with `asyncio.create_task`",
}
#: uses that no awaitable object is fit for, whatever its class
_CERTAIN = PLACES | {Use.CALLED, Use.ITERATED, Use.OPERAND, Use.SUBSCRIPTED, Use.UNPACKED}


class CoroutineUsedAsValue(CoroutineRule):
    code = "AWL104"
    name = "coroutine-used-as-value"
    summary = "a coroutine used as if it were its result"
    uses = frozenset({*_WHAT, *PLACES, Use.ATTRIBUTE})
    yields_to = frozenset({"AWL108", "AWL802", "AWL803"})

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._places = Places(module)

    def suspect(self, site: f.Site) -> bool:
        if site.use is Use.ATTRIBUTE and self._is_own_attribute(site):
            return False
        if site.use in PLACES and not self._places.may_refuse(site):
            return False
        value = self.awaitable(site)
        if value is None:
            return False
        if value.kind != "Coroutine" and not self._is_misused(site, value):
            return False
        infer = self.module.infer
        if site.use is Use.ASYNC_ITERATED and value.function is not None and infer.is_hook(value.function):
            # what subclasses put in its place may well be an async generator
            return False
        if value.kind != "Future" and not self._is_plain(site):
            return False
        if site.use not in PLACES:
            return True
        return self._places.refusal(site, value) is not None

    def _is_plain(self, site: f.Site) -> bool:
        """Whether the value is a mere coroutine, or an object that lacks the attribute which is taken."""
        found = members(self.module.value(site))
        if any(isinstance(member, AwaitableValue) for member in found):
            return True
        if site.use is Use.ARGUMENT:
            return all(
                isinstance(member, Instance) and self._places.is_foreign(site, member) for member in found
            )
        taken = self.module.facts.nodes[site.other] if site.other >= 0 else None
        if site.use is not Use.ATTRIBUTE or not isinstance(taken, f.Attr):
            return False
        values = [self.module.infer.attribute(member, taken.name) for member in found]
        return all(isinstance(each, Unknown) and each.absent for each in values)

    def _is_misused(self, site: f.Site, value: AwaitableValue) -> bool:
        """Whether a use is one for which no awaitable object is fit, whatever its class.

        An attribute that is taken is one of the result's, which no task or future has.
        """
        if site.use in _CERTAIN or (site.use is Use.COMPARED and value.kind == "Future"):
            return True
        taken = self.module.facts.nodes[site.other] if site.other >= 0 else None
        if site.use is not Use.ATTRIBUTE or not isinstance(taken, f.Attr) or taken.name in OF_FUTURES:
            return False
        return has_attribute(self.module, self.module.infer.awaited(value), taken.name)

    def _is_own_attribute(self, site: f.Site) -> bool:
        """Whether the attribute that is taken is one that coroutines have."""
        attribute = self.module.facts.nodes[site.other] if site.other >= 0 else None
        return isinstance(attribute, f.Attr) and (
            attribute.name in COROUTINE_ATTRIBUTES
            or attribute.name == "__class__"
            or attribute.name.startswith("cr_")
        )

    def awaitable(self, site: f.Site) -> AwaitableValue | None:
        found = self.module.coroutine(site)
        if found is None and (site.use in _CERTAIN or site.use is Use.COMPARED):
            found = future(self.module, site)
        return found or misused_future(self.module, site)

    def message(self, node: libcst.Call | libcst.Name, site: f.Site) -> str | None:
        value = self.awaitable(site)
        if value is None:
            return None
        subject, kind = self.subject(node, site), noun(value)
        if site.use in PLACES:
            refusal = self._places.refusal(site, value)
            if refusal is None:
                return None
            if refusal.wants != "result":
                advice = _INSTEAD[refusal.wants]
                return f"`{subject}` is a {kind}, not a {refusal.wants}, and is {refusal.words}; {advice}"
            what: str | None = refusal.words
        else:
            what = self._what(site, value)
        return what and f"`{subject}` is a {kind}, not its result, and is {what}; {self.advice(site)}"

    def await_fix(self, node: libcst.BaseExpression, site: f.Site) -> Fix | None:
        value = self.awaitable(site)
        if value is not None and site.use in PLACES:
            refusal = self._places.refusal(site, value)
            if refusal is not None and refusal.wants != "result":
                return None
        return super().await_fix(node, site)

    def _what(self, site: f.Site, value: AwaitableValue) -> str | None:
        """What an operation does with the coroutine, in words; None where that is fair after all."""
        if site.use is Use.ATTRIBUTE:
            attribute = self.module.facts.nodes[site.other] if site.other >= 0 else None
            if isinstance(attribute, f.Attr):
                return f"asked for its attribute `{attribute.name}`"
            return "given an attribute"
        if site.use is Use.COMPARED and value.kind == "Future":
            if not self._is_with_literal():
                return None
        elif site.use is Use.COMPARED and not self.is_call(site):
            if self._is_identity() or self.is_handled(site):
                return None
        elif site.use is Use.ITERATED and self._is_delegated(site):
            return None
        return _WHAT[site.use]

    def _is_delegated(self, site: f.Site) -> bool:
        """``yield from`` in a generator that a decorator may make a coroutine, as `types.coroutine` does."""
        parent = self.context.parents[-1] if self.context.parents else None
        return isinstance(parent, cst.From) and bool(self.module.scope_of(site).decorators)

    def _is_with_literal(self) -> bool:
        """Whether the comparison is with a number or a text: futures are compared with each other."""
        parent = self._comparison()
        return parent is not None and any(
            isinstance(side, (cst.Integer, cst.Float, cst.SimpleString))
            for side in (parent.left, *(target.comparator for target in parent.comparisons))
        )

    def _comparison(self) -> libcst.Comparison | None:
        return next((p for p in reversed(self.context.parents) if isinstance(p, cst.Comparison)), None)

    def _is_identity(self) -> bool:
        """Whether the comparison asks if it is one particular object, as opposed to None."""
        parent = self._comparison()
        return parent is not None and all(
            isinstance(target.operator, (cst.Is, cst.IsNot)) and not _is_none(target.comparator)
            for target in parent.comparisons
        )


def _is_none(node: libcst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
