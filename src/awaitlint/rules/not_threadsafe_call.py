"""
## What it does

Reports calls that belong into the thread of the event loop, in a function that another thread runs:
`loop.call_soon`, `loop.create_task`, `loop.stop`, `Future.set_result`, `Task.cancel`, `asyncio.Event.set`,
`asyncio.Queue.put_nowait` and the like. Functions that another thread runs are those given to
`threading.Thread`, `asyncio.to_thread`, `run_in_executor`, `executor.submit` and others in the same module,
and `run` of a class derived from `threading.Thread`. A function that runs a loop of its own is not reported.

## Why is this bad?

Almost nothing in asyncio is thread-safe. The call changes the loop's data while the loop uses them; and the
loop, which sleeps until something happens, does not notice it: the callback runs seconds later, or never.
asyncio's debug mode raises RuntimeError for some of these.

## Example

<!-- select: not-threadsafe-call -->

```py
import asyncio
import threading

def work(loop: asyncio.AbstractEventLoop, done: asyncio.Future[int]) -> None:
    loop.call_soon(print, "working")  # error: [not-threadsafe-call]
    done.set_result(1)  # error: [not-threadsafe-call]

async def main() -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    threading.Thread(target=work, args=(loop, done)).start()
    await done
```

## Use instead

```py
import asyncio
import threading

def work(loop: asyncio.AbstractEventLoop, done: asyncio.Future[int]) -> None:
    loop.call_soon_threadsafe(print, "working")
    loop.call_soon_threadsafe(done.set_result, 1)

async def main() -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    threading.Thread(target=work, args=(loop, done)).start()
    await done
```

## Fix safety

The fix has the loop make the call, with `call_soon_threadsafe` or `asyncio.run_coroutine_threadsafe`. It is
unsafe: the call is then made some time later, and gives something else. There is none where the code does not
say which loop it is.

## Options

`known-safe-calls`: globs of qualified names whose calls are never reported.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.model import Edit, Safety, Severity, Span
from awaitlint.rulekit.libraries import is_shadowed, library
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.tasks import functions_of, is_loop_named, is_unknown
from awaitlint.rulekit.threads import has_loop_of_its_own, run_in_threads
from awaitlint.syntax.cst import cst
from awaitlint.syntax.imports import add_import

if TYPE_CHECKING:
    import libcst

    from awaitlint.index.facts import Site
    from awaitlint.model import Fix

#: methods of loops, futures and tasks, and of what coroutines synchronise with
_LOOP = frozenset(
    {"add_reader", "call_at", "call_later", "call_soon", "create_task", "remove_reader", "stop"}
)
_FUTURE = frozenset({"add_done_callback", "cancel", "set_exception", "set_result"})
_SHARED = frozenset({"clear", "get_nowait", "notify", "notify_all", "put_nowait", "release", "set"})
_METHODS = _LOOP | _FUTURE | _SHARED
_LOOP_CLASSES = ("asyncio.events.", "asyncio.base_events.")
_FUTURE_CLASSES = ("_asyncio.", "asyncio.futures.", "asyncio.tasks.")
_SHARED_CLASSES = ("asyncio.locks.", "asyncio.queues.")


class NotThreadsafeCall(Rule):
    code = "AWL605"
    name = "not-threadsafe-call"
    summary = "a call into an event loop from another thread, by a method that is not thread-safe"
    default = False
    severity = Severity.WARNING
    fixes = (Safety.UNSAFE,)
    uses = frozenset(Use)

    def suspect(self, site: Site) -> bool:
        nodes = self.module.facts.nodes
        call = nodes[site.node]
        func = nodes[call.func] if isinstance(call, f.Call) else None
        if not isinstance(func, f.Attr) or func.name not in _METHODS:
            return False
        if self.module.call_site(site.node) is not site or site.scope not in self._threads:
            return False
        return bool(self._kind(site)) and not self.module.is_safe(site)

    @cached_property
    def _threads(self) -> dict[int, Site | None]:
        found = run_in_threads(self.module)
        return {scope: at for scope, at in found.items() if not has_loop_of_its_own(self.module, scope)}

    def _kind(self, site: Site) -> str:
        """What has the method that a call calls: a ``loop``, a ``future``, something ``shared``; or empty."""
        call = self.module.facts.nodes[site.node]
        func = self.module.facts.nodes[call.func] if isinstance(call, f.Call) else None
        if not isinstance(call, f.Call) or not isinstance(func, f.Attr):
            return ""
        value = self.module.infer.value(self.module.module, call.func)
        if is_unknown(value):
            return "loop" if func.name in _LOOP and is_loop_named(self.module, func.value) else ""
        names = list(functions_of(value, unknown=True))
        for kind, methods, owners in (
            ("loop", _LOOP, _LOOP_CLASSES),
            ("future", _FUTURE, _FUTURE_CLASSES),
            ("shared", _SHARED, _SHARED_CLASSES),
        ):
            if func.name in methods and names and all(name.startswith(owners) for name in names):
                return kind
        return ""

    def visit_Call(self, node: libcst.Call) -> None:
        site = self.context.site(node)
        if site is None or not isinstance(node.func, cst.Attribute) or not self.suspect(site):
            return
        kind, method = self._kind(site), node.func.attr.value
        subject = self.context.source(node.func)
        scope = self.module.scope_of(site)
        function = f"`{scope.name}`" if scope.name.isidentifier() else "this"
        threadsafe = "asyncio.run_coroutine_threadsafe" if method == "create_task" else "call_soon_threadsafe"
        handed = self._threads[site.scope]
        self.report(
            node,
            f"`{subject}` is not thread-safe, and {function} runs in another thread: the event loop may not"
            f" notice the call, or break; use `{threadsafe}`",
            related=[]
            if handed is None
            else [self.module.place(handed, "it is given to another thread here")],
            fix=self._fix(node, node.func, site, kind),
        )

    def _fix(self, node: libcst.Call, func: libcst.Attribute, site: Site, kind: str) -> Fix | None:
        """Have the loop make the call, where its result is not wanted."""
        method = func.attr.value
        name = self.context.span(func.attr)
        if method == "call_soon":
            return self.fix("Use `call_soon_threadsafe`", [Edit(name, "call_soon_threadsafe")])
        # comments and new lines in the receiver would move
        place, receiver = self.context.span(func), self.context.outer_span(func.value)
        plain = self._is_plain(func.value) and place.line == place.end_line
        if site.use is not Use.DISCARDED or not plain or kind == "shared":
            return None
        if any(argument.keyword is not None or argument.star for argument in node.args):
            return None
        owner = self._text(receiver)
        if method == "create_task":
            return self._fix_task(node, owner)
        loop = owner if kind == "loop" else f"{owner}.get_loop()"
        line = self.module.lines[place.end_line - 1]
        if line[place.end_column : place.end_column + 1] != "(":
            return None
        opening = Span(place.end_line, place.end_column, place.end_line, place.end_column + 1)
        edits = [
            Edit(place, f"{loop}.call_soon_threadsafe({self._text(place)}"),
            Edit(opening, ", " if node.args else ""),
        ]
        return self.fix("Have the loop make the call", edits)

    def _fix_task(self, node: libcst.Call, loop: str) -> Fix | None:
        found, bound = library(self.module)
        if found != "asyncio" or len(node.args) != 1 or is_shadowed(self.module, bound):
            return None
        after = self.context.outer_span(node.args[0].value)
        edits = [
            Edit(self.context.span(node.func), f"{bound}.run_coroutine_threadsafe"),
            Edit(Span(after.end_line, after.end_column, after.end_line, after.end_column), f", {loop}"),
        ]
        added = add_import(self.module.text, "import asyncio") if bound == "asyncio" else None
        if added is not None:
            edits.append(added)
        return self.fix("Use `asyncio.run_coroutine_threadsafe`", edits)

    def _is_plain(self, node: libcst.BaseExpression) -> bool:
        """Whether an expression is a name or attributes of one, which may be written twice."""
        while isinstance(node, cst.Attribute):
            node = node.value
        return isinstance(node, cst.Name)

    def _text(self, span: Span) -> str:
        return self.module.lines[span.line - 1][span.column : span.end_column]
