"""Slots for plain functions: what calls the function that it is given, and drops what that returns.

An async function there gives a coroutine that nobody awaits.  The table names functions and methods of the
standard library, of trio, anyio and pytest; functions that have a thread or process call something come from
`awaitlint.index.handoffs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from awaitlint.index.handoffs import Role, Slot, Taker, handoffs, slots
from awaitlint.index.modules import Origin
from awaitlint.infer.values import (
    ClassValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    Unknown,
    members,
)

if TYPE_CHECKING:
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext


@dataclass(frozen=True, slots=True)
class Caller:
    """Something that calls a function it is given: `family` is that of the option, `name` its last name."""

    family: str
    name: str
    slots: tuple[Slot, ...]


#: family, slots, names: those of an owner share it
_TABLE = """
done-callback  fn@0          _asyncio.Future add_done_callback
done-callback  fn@0          concurrent.futures._base.Future add_done_callback
loop           fn@0          anyio.from_thread run_sync
loop           fn@0          trio._threads from_thread_run_sync
loop           sync_fn@0     trio._core._entry_queue.TrioToken run_sync_soon
thread         target@1      threading Thread
thread         function@1    threading Timer
thread         target@1      multiprocessing.context Process
thread         target@1      multiprocessing.process BaseProcess
thread         function@0    _thread start_new_thread
exit           func@0,@      atexit register
exit           handler@1     signal signal
exit           func@1        weakref finalize
exit           callback@0,@  contextlib._BaseExitStack callback
exit           function@0    unittest.case.TestCase addClassCleanup
exit           function@0    unittest.case addModuleCleanup
exit           finalizer@0   _pytest.fixtures.FixtureRequest addfinalizer
functional     function@0    builtins filter
functional     func@0        builtins map
functional     key           builtins sorted min max
functional     key           builtins.list sort
functional     function@0    functools reduce
functional     key@2         heapq nlargest nsmallest
functional     predicate@0   itertools takewhile dropwhile
functional     function@0    itertools filterfalse starmap
functional     key@1         itertools groupby
functional     repl@1        re sub subn
functional     repl@0        re.Pattern sub subn
"""
#: what becomes of the coroutine, and what to do, by the name of what calls the function or else by its family
_WORDS = {
    "loop": "calls it and drops the coroutine, which never runs; give it a plain function that starts a task",
    "done-callback": "calls it and drops the coroutine, which never runs; give it a plain function",
    "thread": "calls it and drops the coroutine, which never runs; have it run `asyncio.run`, or what your "
    "library has for that",
    "executor": "calls it in vain: what comes back is the coroutine, which never ran; await it without the "
    "thread",
    "exit": "calls it and drops the coroutine, which never runs; give it a plain function",
    "functional": "takes the coroutine for the result; await the results first",
    "add_signal_handler": "refuses it: TypeError; give it a plain function that starts a task",
    "call_soon_threadsafe": "calls it and drops the coroutine, which never runs; use "
    "`asyncio.run_coroutine_threadsafe`",
    "callback": "calls it and drops the coroutine, which never runs; use `push_async_callback`",
    "map": "only makes the coroutines, and nobody awaits them",
    **dict.fromkeys(
        ("filter", "filterfalse", "takewhile", "dropwhile"),
        "tests the coroutine, which is always true; await the answers first",
    ),
    **dict.fromkeys(
        ("sorted", "sort", "min", "max", "nlargest", "nsmallest"),
        "compares the coroutines: TypeError; await the keys first",
    ),
}
_EVENT_LOOP = "asyncio.events.AbstractEventLoop"
#: methods of asyncio's event loops, whatever makes them, by the position of the function
_OF_LOOPS = {
    "call_soon": ("loop", 0),
    "call_soon_threadsafe": ("loop", 0),
    "call_later": ("loop", 1),
    "call_at": ("loop", 1),
    "add_reader": ("loop", 1),
    "add_writer": ("loop", 1),
    "add_signal_handler": ("loop", 1),
    "run_in_executor": ("executor", 1),
}


@cache
def callers() -> dict[str, Caller]:
    """The functions, classes and methods that call what they are given, by qualified name."""
    found: dict[str, Caller] = {}
    for name, hand_off in handoffs().items():
        given = tuple(slot for slot in hand_off.slots if slot.taker is not Taker.METHOD)
        if hand_off.role is Role.OFFLOAD and given:
            found[name] = Caller("executor", name.rpartition(".")[2], given)
    for line in _TABLE.strip().splitlines():
        family, text, owner, *names = line.split()
        for name in names:
            found[f"{owner}.{name}"] = Caller(family, name, slots(text.replace(",", " ")))
    return found


@cache
def caller_names() -> frozenset[str]:
    """The last names of all that may call what it is given, by which code calls them."""
    renamed = {"from_thread_run_sync": "run_sync", "to_thread_run_sync": "run_sync"}
    return frozenset({renamed.get(each.name, each.name) for each in callers().values()} | _OF_LOOPS.keys())


def caller(module: ModuleContext, func: Value) -> Caller | None:
    """What is known of a function that is called, whatever it may be on other paths that are not known."""
    found = {_caller(module, member) for member in members(func) if not isinstance(member, Unknown)}
    return found.pop() if len(found) == 1 else None


def _caller(module: ModuleContext, func: Value) -> Caller | None:
    if isinstance(func, OverloadedValue):
        func = func.functions[0]
    if isinstance(func, ClassValue):
        for entry in module.infer.mro(func):
            if entry is None:
                return None
            if entry.qualname in callers():
                return callers()[entry.qualname]
            if "__init__" in entry.fact.bindings or "__new__" in entry.fact.bindings:
                return None
        return None
    if not isinstance(func, FunctionValue):
        return None
    known = callers().get(func.qualname)
    if known is not None:
        return known
    name, receiver = func.fact.name, func.receiver
    if name not in _OF_LOOPS or func.module.origin is Origin.PROJECT or not isinstance(receiver, Instance):
        return None
    if not module.infer.has_base(receiver.cls, _EVENT_LOOP):
        return None
    family, position = _OF_LOOPS[name]
    parameter = "func" if family == "executor" else "callback"
    return Caller(family, name, (Slot(Taker.ARGUMENT, parameter, position),))


def decorates(known: Caller) -> bool:
    """Whether the function can be given by decorating it."""
    return any(slot.taker is Taker.DECORATED for slot in known.slots)


def words(known: Caller) -> str:
    """What becomes of the coroutine, and what to do, for a message."""
    return _WORDS.get(known.name) or _WORDS[known.family]
