"""
## What it does

Reports an async function that is given to something which calls it as a plain function and drops what it
returns, by families:

- `loop`: `call_soon`, `call_soon_threadsafe`, `call_later`, `call_at`, `add_signal_handler`, `add_reader` and
  `add_writer` of an asyncio event loop; `run_sync` of `anyio.from_thread` and `trio.from_thread`;
- `done-callback`: `add_done_callback` of futures and tasks;
- `thread`: `threading.Thread`, `threading.Timer`, `multiprocessing.Process`;
- `executor`: `asyncio.to_thread`, `loop.run_in_executor`, `Executor.submit`, `anyio.to_thread.run_sync`,
  `sync_to_async` and others that run a plain function in a thread or process;
- `exit`: `atexit.register`, `signal.signal`, `weakref.finalize`, `ExitStack.callback`, `addClassCleanup` of
  unittest, `addfinalizer` of pytest;
- `functional`: `filter`, `sorted`, `min`, `max`, `list.sort`, `functools.reduce`, `re.sub`, their kin in
  `itertools` and `heapq`; `map` where nobody gets the coroutines.

The function may be a name, a bound method, a `functools.partial`, a lambda whose body is a coroutine, or a
plain function that certainly returns one. The loop, future or executor has to be known as such. Code that
awaits what the other thread gives back is not reported.

## Why is this bad?

Calling an async function only makes a coroutine. Whoever calls a callback has no use for what it returns, so
the body never runs, and Python says so at best in a `RuntimeWarning: coroutine ... was never awaited`. As a
predicate the coroutine is always true; as a key it cannot be compared.

## Example

```py
import asyncio
import threading

async def refresh() -> None: ...

async def main(task: asyncio.Task[None], names: list[str]) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(60, refresh)  # error: [async-function-as-sync-callback]
    loop.call_soon(lambda: refresh())  # error: [async-function-as-sync-callback]
    threading.Thread(target=refresh).start()  # error: [async-function-as-sync-callback]
    await asyncio.to_thread(refresh)  # error: [async-function-as-sync-callback]
```

## Use instead

```py
import asyncio
import threading

async def refresh() -> None: ...

tasks: set[asyncio.Task[None]] = set()

def start_refresh() -> None:
    task = asyncio.create_task(refresh())
    tasks.add(task)
    task.add_done_callback(tasks.discard)

async def main(names: list[str]) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(60, start_refresh)
    loop.call_soon(start_refresh)
    threading.Thread(target=asyncio.run, args=(refresh(),)).start()
    await refresh()
```

## Options

- `async-function-as-sync-callback.slots`: the families that are looked at, all of them by default.

  ```toml
  [tool.awaitlint.async-function-as-sync-callback]
  slots = ["loop", "done-callback", "thread", "executor"]
  ```

- `known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.handoffs import given
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import function_of, members, without_none
from awaitlint.rulekit.arguments import arguments
from awaitlint.rulekit.callables import coroutine_of, qualname
from awaitlint.rulekit.callbacks import caller, caller_names, decorates, words
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.rulekit.callbacks import Caller

#: builtins that make use of what they iterate, or collect it
_ENDS = frozenset({"builtins.any", "builtins.all", "builtins.sum", "builtins.min", "builtins.max"})
_COLLECTS = frozenset({"builtins.list", "builtins.tuple", "builtins.set", "collections.deque"})
#: what makes coroutines one by one as it is iterated
_MAPS = frozenset({"map", "starmap"})


class AsyncFunctionAsSyncCallback(Rule):
    code = "AWL107"
    name = "async-function-as-sync-callback"
    summary = "an async function for something that calls it and drops the coroutine"

    def suspicious(self) -> Iterator[int]:
        if not self._names:
            return
        calls = self.module.calls
        renamed = [name for name in calls.names if name not in self._names and self._may_be_renamed(name)]
        for site, call in chain(calls.named(self._names), calls.named(renamed), calls.others):
            if (call.args or call.keywords) and self._found(site) is not None:
                yield site.line
        for line, found in self._decorated.items():
            yield from (line for each in found if each is not None)

    @cached_property
    def _names(self) -> frozenset[str]:
        """The names by which code calls what is looked for."""
        return caller_names() if self.module.settings.async_function_as_sync_callback_slots else frozenset()

    def _found(self, site: f.Site) -> tuple[Caller, int] | None:
        """What the call at a site calls, and the node of the async function that it is given."""
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        if not isinstance(call, f.Call):
            return None
        func = nodes[call.func]
        if isinstance(func, (f.Attr, f.Name)):
            named = func.name in self._names or (isinstance(func, f.Name) and self._may_be_renamed(func.name))
        else:
            named = True
        if not named or self.module.call_site(site.node) is not site:
            return None
        if not any(map(self._may_be_function, (*call.args, *(node for _, node in call.keywords)))):
            return None
        known = self._caller(call.func)
        if known is None or (known.name in _MAPS and not self._is_lost(site)):
            return None
        for node in given(call, known.slots, nodes):
            if self._may_be_function(node) and self._makes_coroutines(node):
                if self.module.is_safe(site) or self._is_result_run(site.node, known):
                    return None
                if known.family != "executor" and self.module.coroutine(site) is not None:
                    # the call gives that coroutine, and other rules see what becomes of it
                    return None
                return known, node
        return None

    def _may_be_renamed(self, name: str) -> bool:
        """Whether a name of the module stands for something that has another name, or for a subclass."""
        bound = self.module.facts.scopes[0].bindings.get(name, ())
        nodes = self.module.facts.nodes
        return any(
            isinstance(node := nodes[index], (f.Import, f.Class, f.Attr))
            and (not isinstance(node, (f.Import, f.Attr)) or node.name in self._names)
            for index in bound
        )

    def _caller(self, func: int) -> Caller | None:
        known = caller(self.module, self.module.infer.value(self.module.module, func))
        slots = self.module.settings.async_function_as_sync_callback_slots
        return known if known is not None and known.family in slots else None

    def _may_be_function(self, node: int) -> bool:
        """Whether an argument may be a function that makes coroutines: cheap."""
        nodes = self.module.facts.nodes
        fact = nodes[node]
        if isinstance(fact, f.Lambda):
            return any(
                isinstance(nodes[body], (f.Call, f.Phi))
                for body in self.module.facts.scopes[fact.scope].returned
            )
        if isinstance(fact, f.Call):
            return last_name(nodes[fact.func]) != "" or isinstance(nodes[fact.func], f.Func)
        return isinstance(
            fact, (f.Name, f.Free, f.Attr, f.Func, f.Import, f.Narrow, f.Param, f.Phi, f.Declared, f.Class)
        )

    def _makes_coroutines(self, node: int) -> bool:
        value = without_none(self.module.infer.value(self.module.module, node))
        made = coroutine_of(self.module, value)
        # a function that is declared to give any awaitable may start a task
        return made is not None and made.kind == "Coroutine"

    # ------------------------------------------------------------------ what becomes of the coroutine
    def _is_lost(self, site: f.Site) -> bool:
        """Whether nobody can await what iterating the call at a site gives."""
        if site.use is Use.DISCARDED:
            return True
        outer = self.module.facts.nodes[site.other] if site.use is Use.ARGUMENT and site.other >= 0 else None
        if not isinstance(outer, f.Call) or outer.args[:1] != (site.node,):
            return False
        name = qualname(self.module.infer.value(self.module.module, outer.func))
        if name in _COLLECTS:
            around = self.module.call_site(site.other)
            return around is not None and around.use is Use.DISCARDED
        return name in _ENDS

    def _is_result_run(self, call: int, known: Caller) -> bool:
        """Whether somebody runs the coroutine that comes back: awaits it, or gives it to what may do that."""
        if known.family != "executor":
            return False
        nodes, users = self.module.facts.nodes, self.module.infer.users(self.module.module)
        # (node, whether it is the coroutine itself and not a future of it)
        todo = [(call, False)]
        seen = set(todo)
        while todo:
            index, is_coroutine = todo.pop()
            for user in users.get(index, ()):
                node = nodes[user]
                if is_coroutine and self.module.infer.looks_at(self.module.module, user, index):
                    return True
                step: tuple[int, bool] | None = None
                if isinstance(node, (f.Narrow, f.Declared, f.Phi)):
                    step = (user, is_coroutine)
                elif isinstance(node, f.Await):
                    step = (user, True)
                elif isinstance(node, f.Call) and node.func == index:
                    # `future.result()`, or what `sync_to_async` made
                    step = (user, isinstance(nodes[index], f.Attr))
                elif isinstance(node, f.Attr) and node.name in ("result", "get"):
                    step = (user, False)
                if step is not None and step not in seen:
                    seen.add(step)
                    todo.append(step)
        return False

    # ------------------------------------------------------------------ decorators
    @cached_property
    def _decorated(self) -> dict[int, list[Caller | None]]:
        """Of each async function that is decorated, by its line: what its decorators call it for."""
        found = {}
        for scope in self.module.facts.scopes:
            if scope.decorators and scope.is_async and not scope.is_generator:
                callers_ = [self._decorator(node) for node in scope.decorators]
                if any(callers_):
                    found[scope.line] = callers_
        return found

    def _decorator(self, node: int) -> Caller | None:
        if last_name(self.module.facts.nodes[node]) not in self._names:
            return None
        known = self._caller(node)
        return known if known is not None and decorates(known) else None

    def visit_Decorator(self, node: libcst.Decorator) -> None:
        function = self.context.parents[-1]
        if not isinstance(function, cst.FunctionDef) or function.asynchronous is None:
            return
        found = self._decorated.get(self.context.span(function).line)
        known = found[function.decorators.index(node)] if found else None
        # where another decorator stands below, it may have made a plain function of it
        if known is None or function.decorators[-1] is not node:
            return
        subject, name = self.context.source(node.decorator), function.name.value
        self.report(node.decorator, f"`{name}` is `async def`, and `{subject}` {words(known)}")

    # ------------------------------------------------------------------ calls
    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        found = self._found(site) if site is not None else None
        if site is None or found is None or self.context.expects_error():
            return
        known, index = found
        call = self.module.facts.nodes[site.node]
        assert isinstance(call, f.Call)
        argument = next(written for written, each in arguments(node, call) if each == index)
        if self.context.is_probed(argument):
            return
        function = function_of(members(without_none(self.module.infer.value(self.module.module, index)))[0])
        text, subject = self.context.source(argument), self.context.source(node.func)
        kind, related = "makes a coroutine", []
        if function is not None and function.fact.is_async:
            related.append(self.module.definition(function, f"`{function.fact.name}` is `async def`"))
            if isinstance(argument, (cst.Name, cst.Attribute)):
                kind = "is `async def`"
        self.report(
            argument,
            f"`{text}` {kind}, and `{subject}` {words(known)}",
            related=related,
            cause=("argument", site.node, index),
        )
