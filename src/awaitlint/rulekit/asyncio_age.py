"""What has come out of use in asyncio, since which Python, and how a module spells it.

From "What's New" of Python 3.7 to 3.14 and the documentation of the functions; a test compares the versions
with typeshed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from awaitlint.rulekit.context import ModuleContext

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Api:
    """Something in asyncio that is removed, or will be."""

    #: what to do, for messages
    advice: str
    #: the version that removes it, where it is released
    removed: Version | None = None
    #: the version that deprecates it
    deprecated: Version | None = None
    #: the version that is announced to remove it
    until: Version | None = None
    #: the oldest Python that has what to use instead
    since: Version = (3, 7)


_POLICY = Api("give `asyncio.Runner` a `loop_factory`", deprecated=(3, 14), until=(3, 16), since=(3, 11))
_WATCHER = Api("leave it out: child processes need none", removed=(3, 14), deprecated=(3, 12))
#: by their names in `asyncio`
APIS: dict[str, Api] = {
    "coroutine": Api("write `async def`", removed=(3, 11), deprecated=(3, 8)),
    "Task.all_tasks": Api("use `asyncio.all_tasks`", removed=(3, 9), deprecated=(3, 7)),
    "Task.current_task": Api("use `asyncio.current_task`", removed=(3, 9), deprecated=(3, 7)),
    # before 3.12 nothing but asyncio's knows the functions that are marked as asynchronous
    "iscoroutinefunction": Api(
        "use `inspect.iscoroutinefunction`", deprecated=(3, 14), until=(3, 16), since=(3, 12)
    ),
    **dict.fromkeys(
        (
            "AbstractEventLoopPolicy",
            "DefaultEventLoopPolicy",
            "WindowsProactorEventLoopPolicy",
            "WindowsSelectorEventLoopPolicy",
            "get_event_loop_policy",
            "set_event_loop_policy",
        ),
        _POLICY,
    ),
    **dict.fromkeys(
        (
            "AbstractChildWatcher",
            "FastChildWatcher",
            "MultiLoopChildWatcher",
            "PidfdChildWatcher",
            "SafeChildWatcher",
            "ThreadedChildWatcher",
            "get_child_watcher",
            "set_child_watcher",
        ),
        _WATCHER,
    ),
    "TimeoutError": Api("use that", deprecated=(3, 11), since=(3, 11)),
}
#: what took a `loop` until Python 3.10
LOOP_TAKERS = frozenset(
    {"BoundedSemaphore", "Condition", "Event", "LifoQueue", "Lock", "PriorityQueue", "Queue", "Semaphore"}
    | {"as_completed", "gather", "shield", "sleep", "wait", "wait_for"}
    | {"create_subprocess_exec", "create_subprocess_shell"}
    | {"open_connection", "open_unix_connection", "start_server", "start_unix_server"}
)
LOOP_REMOVED = (3, 10)

_BLANK = re.compile(r"\s+")
#: modules of asyncio whose names are in `asyncio` itself
_PARTS = re.compile(
    r"asyncio\.(?:base_events|coroutines|events|exceptions|locks|queues|streams|subprocess|tasks|unix_events"
    r"|windows_events)\."
)


class Spellings:
    """How a module names asyncio and what is in it."""

    def __init__(self, module: ModuleContext) -> None:
        self._facts = module.facts

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Names that mean asyncio, or something of it, wherever the module binds them."""
        found: dict[str, str] = {}
        others: set[str] = set()
        if "asyncio" not in self._facts.packages:
            return found
        nodes = self._facts.nodes
        for scope in self._facts.scopes:
            for name, bound in scope.bindings.items():
                for index in bound:
                    node = nodes[index]
                    path = ""
                    if isinstance(node, f.Import) and not node.level:
                        path = f"{node.module}.{node.name}" if node.name else node.module
                    if path.partition(".")[0] != "asyncio" or found.setdefault(name, path) != path:
                        others.add(name)
        return {name: path for name, path in found.items() if name not in others}

    def name(self, dotted: str) -> str:
        """What a dotted expression names in asyncio: ``Task.all_tasks``; "" where it is something else."""
        first, dot, rest = dotted.partition(".")
        path = self.aliases.get(first)
        return name_in_asyncio(f"{path}{dot}{rest}") if path is not None else ""

    def lines(self, text: str, names: Iterable[str]) -> Iterator[int]:
        """The lines on which one of these names of asyncio stands, and perhaps lines that only look so."""
        last = "|".join(re.escape(name.rpartition(".")[2]) for name in names)
        if not last or not self.aliases:
            return
        aliases = "|".join(map(re.escape, self.aliases))
        patterns = [rf"\b(?:{aliases})\s*\.\s*(?:\w+\s*\.\s*)?(?:{last})\b"]
        imported = {name for each in self._imported if (name := name_in_asyncio(each)) in set(names)}
        if imported:
            patterns.append(rf"\b(?:{'|'.join(map(re.escape, imported))})\b")
        wanted = {*names}
        for match in re.finditer("|".join(patterns), text):
            spelled = _BLANK.sub("", match[0])
            # `asyncio.current_task` is no `Task.current_task`
            if "." in spelled and self.name(spelled) not in wanted:
                continue
            start = text.rfind("\n", 0, match.start()) + 1
            if not text[start : match.start()].lstrip().startswith("#"):
                yield text.count("\n", 0, start) + 1

    @property
    def _imported(self) -> Iterator[str]:
        for node in self._facts.nodes:
            if isinstance(node, f.Import) and node.name and node.module.partition(".")[0] == "asyncio":
                yield f"{node.module}.{node.name}"


def name_in_asyncio(path: str) -> str:
    """The name in asyncio of what `path` leads to; "" for asyncio itself and what is not in it."""
    whole = _PARTS.sub("asyncio.", path + ".", count=1)[:-1]
    return whole.removeprefix("asyncio.") if whole.startswith("asyncio.") else ""
