"""Calls that want a function as an argument, and what they can do with an ``async def``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.handoffs import HandOff, Role, Taker, handoffs
from awaitlint.index.reached import reached
from awaitlint.infer.values import ClassValue, External, FunctionValue, Instance, OverloadedValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter that takes a function."""

    position: int
    name: str
    #: whether the function may be ``async def``, so that the coroutine's own function is what is wanted
    takes_async: bool
    #: whether the arguments behind it are for the function
    forwards: bool = False
    #: whether it is called on the event loop that runs
    on_loop: bool = False


#: calls that `data/handoffs.tsv` has not, by the names that code reaches them by
_OTHERS: tuple[tuple[str, Wanted], ...] = (
    (
        r"(?:fastapi|starlette)\.(?:\w+\.)?(?:FastAPI|APIRouter|Starlette|Router)\.add_event_handler",
        Wanted(1, "func", takes_async=True),
    ),
    (
        r"apscheduler\.schedulers\.(?:asyncio\.AsyncIO|tornado\.Tornado)Scheduler\.add_job",
        Wanted(0, "func", takes_async=True),
    ),
    (r"apscheduler\.schedulers\.\w+\.\w+Scheduler\.add_job", Wanted(0, "func", takes_async=False)),
    (
        r"aiohttp\.web\.(?:get|post|put|patch|delete|head|options|view)",
        Wanted(1, "handler", takes_async=True),
    ),
    (
        r"aiohttp\.web\.Application\.router\.add_(?:get|post|put|patch|delete|head|options|view)",
        Wanted(1, "handler", takes_async=True),
    ),
    (
        r"aiohttp\.web\.Application\.on_(?:startup|shutdown|cleanup)\.append",
        Wanted(0, "", takes_async=True),
    ),
    (r"quart\.(?:app\.)?Quart\.add_background_task", Wanted(0, "func", takes_async=True, forwards=True)),
    (
        r"telegram\.ext\.(?:\w+\.)*(?:Command|Message)Handler",
        Wanted(1, "callback", takes_async=True),
    ),
    (r"telegram\.ext\.(?:\w+\.)*CallbackQueryHandler", Wanted(0, "callback", takes_async=True)),
    (
        r"telegram\.ext\.(?:\w+\.)*JobQueue\.run_(?:once|repeating|daily|monthly)",
        Wanted(0, "callback", takes_async=True),
    ),
    (r"signal\.signal", Wanted(1, "handler", takes_async=False)),
    (r"atexit\.register", Wanted(0, "func", takes_async=False)),
    (r"weakref\.finalize", Wanted(1, "func", takes_async=False)),
)
#: last names of those that are methods, of objects which may come from anywhere
_METHODS = frozenset(
    {"add_event_handler", "add_job", "add_background_task"}
    | {f"run_{when}" for when in ("once", "repeating", "daily", "monthly")}
    | {f"add_{verb}" for verb in ("get", "post", "put", "patch", "delete", "head", "options", "view")}
)
#: those of the others: too common to ask inference what they are
_COMMON = frozenset(
    {"append", "signal", "register", "finalize", "CommandHandler", "MessageHandler", "CallbackQueryHandler"}
    | {"get", "post", "put", "patch", "delete", "head", "options", "view"}
)
#: what other rules speak of, or what takes a coroutine as well, or an iterator and the like
_LEFT_OUT = re.compile(
    r"(?:homeassistant|anyio\.from_thread|operator|fastapi\.concurrency)\b.*"
    r"|trio\._threads\.from_thread.*|starlette\.concurrency\.iterate_in_threadpool"
)
_ROLES = frozenset({Role.OFFLOAD, Role.OFFLOAD_IF_SYNC, Role.SCHEDULE, Role.LOOP})
_ASYNC_ROLES = frozenset({Role.OFFLOAD_IF_SYNC, Role.LOOP})
#: methods and classes whose arguments behind the function are for it
_FORWARDING = frozenset({"add_task", "BackgroundTask"})


@cache
def _last_names() -> frozenset[str]:
    """The last names of the calls about which inference is asked."""
    known = handoffs()
    found = set(_METHODS)
    for name, entry in known.items():
        if entry.role in _ROLES and any(slot.taker is Taker.ARGUMENT for slot in entry.slots):
            found.update(path.rpartition(".")[2] for path in (name, *entry.public))
    return frozenset(found)


@cache
def _every_name() -> frozenset[str]:
    return _last_names() | _COMMON


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


class WantedFunctions:
    """Which arguments of a module's calls have to be functions."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module

    def at(self, call: f.Call, node: int) -> Wanted | None:
        """The parameter that an argument of a call goes to, where that takes a function."""
        nodes = self._module.facts.nodes
        func = nodes[call.func]
        if isinstance(func, (f.Attr, f.Import)):
            if func.name not in _every_name():
                return None
        elif not isinstance(func, f.Name) or func.name not in self._imported:
            return None
        if node in call.args:
            position, keyword = call.args.index(node), ""
            if any(isinstance(nodes[before], f.Starred) for before in call.args[:position]):
                return None
        else:
            position, keyword = -1, next((name for name, value in call.keywords if value == node), "")
        for wanted in self._wanted(call.func):
            if keyword == wanted.name if position < 0 else position == wanted.position:
                return wanted
        return None

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The names that the module imports such functions by."""
        facts, names = self._module.facts, _every_name()
        return frozenset(
            name
            for name, bound in facts.scopes[0].bindings.items()
            for node in (facts.nodes[index] for index in bound)
            if isinstance(node, f.Import) and node.name in names
        )

    def _wanted(self, func: int) -> Iterator[Wanted]:
        """The parameters of what is called that take functions."""
        module, infer = self._module.module, self._module.infer
        path = reached(infer.project, module, func, stdlib=True)
        found = self._of_paths((path,)) if path else ()
        node = module.facts.nodes[func]
        if not found and not (isinstance(node, f.Attr) and node.name not in _last_names()):
            value = infer.value(module, func)
            if isinstance(value, OverloadedValue):
                value = value.functions[0]
            method = self._method(value)
            found = _slots(method) if method is not None else self._of_paths(_names(value))
        yield from found

    @staticmethod
    def _of_paths(paths: Sequence[str]) -> tuple[Wanted, ...]:
        for path in paths:
            known = handoffs().spelled(path)
            if known is not None:
                return _slots(known)
        return tuple(
            wanted for names, wanted in _OTHERS if any(_pattern(names).fullmatch(path) for path in paths)
        )[:1]

    def _method(self, value: Value) -> HandOff | None:
        """What is known of a method, by the class that it is called on and those that it inherits from."""
        receiver = value.receiver if isinstance(value, FunctionValue) else None
        if not isinstance(value, FunctionValue) or not isinstance(receiver, Instance):
            return None
        classes = [entry.qualname for entry in self._module.infer.mro(receiver.cls) if entry is not None]
        return handoffs().method(classes, value.fact.name)


def _slots(known: HandOff) -> tuple[Wanted, ...]:
    if known.role not in _ROLES or _LEFT_OUT.fullmatch(known.name):
        return ()
    forwards = known.name.rpartition(".")[2] in _FORWARDING
    return tuple(
        Wanted(
            slot.position,
            slot.name,
            takes_async=known.role in _ASYNC_ROLES,
            forwards=forwards,
            on_loop=known.role is Role.SCHEDULE,
        )
        for slot in known.slots
        if slot.taker is Taker.ARGUMENT
    )


def _names(value: Value) -> list[str]:
    """The names of what is called, with the class that a method is called on."""
    if isinstance(value, External):
        return [value.path.replace("()", "")]
    if isinstance(value, ClassValue):
        return [value.qualname]
    if not isinstance(value, FunctionValue):
        return []
    receiver = value.receiver
    if isinstance(receiver, Instance):
        return [value.qualname, f"{receiver.cls.qualname}.{value.fact.name}"]
    return [value.qualname]
