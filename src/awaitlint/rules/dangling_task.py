"""
## What it does

Reports a task that nothing keeps: the result of `asyncio.create_task`, of `asyncio.ensure_future` or of
`create_task` of an event loop that is dropped, or bound to `_`, or given no more than a done callback. The
same goes for a `lambda` that starts a task for `loop.call_later`, `add_done_callback` and the like, which
drop what it returns, and for the future of `asyncio.run_coroutine_threadsafe`.

`asyncio.TaskGroup` keeps its tasks, and so do nurseries and task groups of other libraries.

## Why is this bad?

[The event loop keeps only weak references to tasks](https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task).
A task that nothing else refers to may be garbage-collected at any time, in the middle of its work. And nobody
looks at its exception: asyncio logs it when the task is collected. Of a future of
`run_coroutine_threadsafe` that is dropped, not even that is logged: the exception is never seen.

## Example

```py
import asyncio

async def refresh() -> None: ...

async def main(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.create_task(refresh())  # error: [dangling-task]
    loop.create_task(refresh()).add_done_callback(print)  # error: [dangling-task]
    loop.call_later(5, lambda: asyncio.ensure_future(refresh()))  # error: [dangling-task]

def from_thread(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.run_coroutine_threadsafe(refresh(), loop)  # error: [dangling-task]
```

## Use instead

```py
import asyncio

tasks: set[asyncio.Task[None]] = set()

async def refresh() -> None: ...

def start() -> None:
    task = asyncio.create_task(refresh())
    tasks.add(task)
    task.add_done_callback(tasks.discard)

async def main() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(refresh())

def from_thread(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.run_coroutine_threadsafe(refresh(), loop).result()
```

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import ScopeKind, Use
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import AwaitableValue, Instance, Unknown, members
from awaitlint.model import Severity
from awaitlint.rulekit.futures import FUTURES, future_maker
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.tasks import bound_names, handles_errors, scheduled, starter, starter_named

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site

#: what drops a function's result in the end goes by these names, so that others are not looked up
_GIVEN_TO = frozenset(
    {"add_done_callback", "add_reader", "add_signal_handler", "add_writer", "add_callback", "spawn_callback"}
    | {"call_at", "call_later", "call_soon", "call_soon_threadsafe"}
)
#: coroutines that other threads start without a look at how they end: ``queue.put(item)``
_FAREWELLS = frozenset({"aclose", "close", "put"})
#: task groups came with it
_TASK_GROUP = (3, 11)


class DanglingTask(Rule):
    code = "AWL201"
    name = "dangling-task"
    summary = "a task that nothing keeps, which may be garbage-collected before it is done"
    severity = Severity.WARNING
    uses = frozenset({Use.DISCARDED, Use.NEVER_READ, Use.ATTRIBUTE, Use.RETURNED, Use.BOUND, Use.STORED})

    def suspect(self, site: Site) -> bool:
        return self._dropped(site) is not None

    def _dropped(self, site: Site) -> str | None:
        """The last name of the function that starts the task which is dropped at a site."""
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        if not isinstance(call, f.Call):
            return None
        if self._is_handing(site):
            return self._given_away(site)
        if site.use in (Use.BOUND, Use.STORED) or self.module.call_site(site.node) is not site:
            return None
        if site.use is Use.RETURNED and self.module.scope_of(site).kind is not ScopeKind.LAMBDA:
            return None
        if site.use is Use.ATTRIBUTE and getattr(nodes[site.other], "name", "") != "add_done_callback":
            return None
        name = starter(self.module, site.node)
        if name is None or not self._is_lost(site, call, name) or self.module.is_safe(site):
            return None
        return name

    def _is_lost(self, site: Site, call: f.Call, name: str) -> bool:
        """Whether nothing keeps the task that a call starts."""
        if self._fails(site, call) or (name == "ensure_future" and self._is_kept(site, call)):
            return False
        if name == "run_coroutine_threadsafe" and self._handles_errors(call):
            return False
        if site.use is Use.NEVER_READ:
            return "_" in bound_names(self.module, site.node)
        if site.use is Use.ATTRIBUTE:
            return name != "run_coroutine_threadsafe" and self._is_discarded_chain(site)
        return site.use is Use.DISCARDED or self._is_callback(site)

    def _fails(self, site: Site, call: f.Call) -> bool:
        """Whether no loop is running, as while a module is imported: there is no task to lose."""
        scope = self.module.scope_of(site)
        func = self.module.facts.nodes[call.func]
        of_loop = isinstance(func, f.Attr) and self.module.called(site) is not None
        of_loop = of_loop and "EventLoop" in getattr(self.module.called(site), "qualname", "")
        return scope.kind in (ScopeKind.MODULE, ScopeKind.CLASS) and not of_loop

    def _is_kept(self, site: Site, call: f.Call) -> bool:
        """Whether `ensure_future` is given a future, which somebody else may keep."""
        if not call.args:
            return True
        value = self.module.infer.value(self.module.module, call.args[0])
        if isinstance(value, Unknown):
            return site.use is Use.ATTRIBUTE
        if future_maker(self.module, call.args[0]) in FUTURES:
            return False
        return any(
            isinstance(member, Instance) and self.module.infer.has_base(member.cls, "_asyncio.Future")
            for member in members(value)
        )

    def _handles_errors(self, call: f.Call) -> bool:
        """Whether the coroutine catches its exceptions itself, or what it does is a mere farewell."""
        made = self.module.facts.nodes[call.args[0]] if call.args else None
        if isinstance(made, f.Call) and last_name(self.module.facts.nodes[made.func]) in _FAREWELLS:
            return True
        value = self.module.infer.value(self.module.module, call.args[0]) if call.args else None
        function = value.function if isinstance(value, AwaitableValue) else None
        return function is not None and handles_errors(function)

    def _is_discarded_chain(self, site: Site) -> bool:
        """Whether ``task.add_done_callback`` is called where the task is made, in a statement."""
        if bound_names(self.module, site.node):
            # a walrus
            return False
        for user in self.module.infer.users(self.module.module).get(site.other, ()):
            outer = self.module.call_site(user)
            if outer is not None and outer.use is Use.DISCARDED:
                return True
        return False

    def _is_callback(self, site: Site) -> bool:
        """Whether the lambda whose body a call is goes to something that drops what it returns."""
        users = self.module.infer.users(self.module.module)
        made = self.module.facts.nodes.index(f.Lambda(site.scope))
        return any(made in scheduled(self.module, user) for user in users.get(made, ()))

    def _given_away(self, site: Site) -> str | None:
        """The function that starts a task, where it is itself what a loop is to call."""
        if self.module.call_site(site.node) is not site or self.module.is_safe(site):
            return None
        for node in scheduled(self.module, site.node):
            if isinstance(self.module.facts.nodes[node], (f.Attr, f.Name, f.Free, f.Import)):
                name = starter_named(self.module, node)
                if name is not None and name != "run_coroutine_threadsafe":
                    return name
        return None

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        if site is None or site.use not in self.uses:
            return
        name = self._dropped(site)
        if name is None or self.context.expects_error():
            return
        subject = f"`{self.context.source(node.func)}(...)`"
        if name == "run_coroutine_threadsafe":
            self.report(
                node,
                f"the future of {subject} is dropped: an exception of the coroutine is never seen, not even"
                " logged; keep the future, and ask for its `result()` or give it a done callback",
            )
            return
        group = self.module.settings.target_version >= _TASK_GROUP and self.context.scope.is_async
        handed = self._is_handing(site)
        self.report(
            node,
            f"the task {f'that {subject} starts' if handed else f'of {subject}'} is dropped: the event loop"
            " keeps only a weak reference to it, so it may be garbage-collected before it is done; keep it in"
            " a set (`tasks.add(task)`, `task.add_done_callback(tasks.discard)`)"
            f"{' or use `asyncio.TaskGroup`' if group else ''}",
        )

    def _is_handing(self, site: Site) -> bool:
        """Whether a call gives something that may start a task to a loop or future."""
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        func = nodes[call.func] if isinstance(call, f.Call) else None
        return isinstance(func, f.Attr) and func.name in _GIVEN_TO
