"""The functions of a module that other threads run, as far as the module itself says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.handoffs import Role, given
from awaitlint.infer.bodies import last_name
from awaitlint.infer.values import CallableValue, ClassValue, FunctionValue, Instance, members
from awaitlint.rulekit.tasks import hand_off, is_loop_named, is_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.facts import Site
    from awaitlint.rulekit.context import ModuleContext

#: who runs functions in other processes, or in greenlets of the same thread
_NO_THREADS = (
    "anyio.to_interpreter.",
    "anyio.to_process.",
    "concurrent.futures.process.",
    "multiprocessing.",
)
_GREENLETS = "sqlalchemy."
#: calls by which code shows that it has a loop in its thread, or that it looks which thread this is
_OWN = frozenset(
    {"current_thread", "get_ident", "get_native_id", "get_running_loop", "main_thread", "new_event_loop"}
    | {"run_forever", "run_sync", "run_until_complete", "set_event_loop", "Runner"}
)


def run_in_threads(module: ModuleContext) -> dict[int, Site | None]:
    """The plain functions that other threads run, by scope, with the place where they are handed over.

    None stands for the ``run`` of a class derived from `threading.Thread`.
    """
    found: dict[int, Site | None] = {}
    for site in module.facts.sites:
        if module.call_site(site.node) is site:
            for node in _handed(module, site):
                for function in _functions(module, node):
                    found.setdefault(function, site)
    for index, scope in enumerate(module.facts.scopes):
        parent = module.facts.scopes[scope.parent]
        if scope.name == "run" and parent.kind is f.ScopeKind.CLASS and scope.kind is f.ScopeKind.FUNCTION:
            cls = ClassValue(module.module, scope.parent)
            if not scope.is_async and module.infer.has_base(cls, "threading.Thread"):
                found.setdefault(index, None)
    return found


def _handed(module: ModuleContext, site: Site) -> Iterator[int]:
    """The nodes of the functions that a call has another thread run."""
    call = module.facts.nodes[site.node]
    if not isinstance(call, f.Call) or not (call.args or call.keywords):
        return
    known = hand_off(module, site.node)
    if known is not None:
        other = known.name.startswith((*_NO_THREADS, _GREENLETS)) or _is_process_pool(module, call)
        if known.role is Role.OFFLOAD and not other:
            yield from given(call, known.slots, module.facts.nodes)
        return
    func = module.facts.nodes[call.func]
    if isinstance(func, f.Attr) and func.name == "run_in_executor" and len(call.args) > 1:
        value = module.infer.value(module.module, call.func)
        if is_unknown(value) and is_loop_named(module, func.value):
            yield call.args[1]


def _is_process_pool(module: ModuleContext, call: f.Call) -> bool:
    value = module.infer.value(module.module, call.func)
    receiver = value.receiver if isinstance(value, FunctionValue) else None
    return isinstance(receiver, Instance) and receiver.cls.qualname.startswith(_NO_THREADS)


def _functions(module: ModuleContext, node: int) -> Iterator[int]:
    """The scopes of the plain functions in the module that a node may stand for."""
    for member in members(module.infer.value(module.module, node)):
        function = member.origin if isinstance(member, CallableValue) else member
        if isinstance(function, FunctionValue) and function.module is module.module:
            fact = function.fact
            if not fact.is_async and not fact.is_generator:
                yield function.scope


def has_loop_of_its_own(module: ModuleContext, scope: int) -> bool:
    """Whether a function runs a loop in its thread, or finds out in which thread it is."""
    facts = module.facts
    for site in facts.sites:
        call = facts.nodes[site.node]
        if site.scope != scope or not isinstance(call, f.Call):
            continue
        func = facts.nodes[call.func]
        name = last_name(func)
        if name in _OWN or (name == "run" and _is_asyncio_run(module, call)):
            return True
        if isinstance(func, f.Attr) and name in ("run", "start"):
            # of other libraries: ``self.io_loop.start()``
            receiver = last_name(facts.nodes[func.value])
            if receiver.endswith("loop"):
                return True
    return False


def _is_asyncio_run(module: ModuleContext, call: f.Call) -> bool:
    value = module.infer.value(module.module, call.func)
    return isinstance(value, FunctionValue) and value.qualname.startswith("asyncio.")
