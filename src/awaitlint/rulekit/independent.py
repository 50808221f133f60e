"""Which awaited calls could run at the same time: those that share nothing that serves one user at a time.

Nothing proves it.  What counts here is what names and types tell: a function of a module, or a method of
an object that no other call has to do with, or of a client that keeps a pool of connections.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.values import ClassValue, Instance, ModuleValue, members, without_none
from awaitlint.rulekit.locks import managers
from awaitlint.rulekit.running import chains, innermost_function, names, spelling
from awaitlint.rulekit.waiting import Waiting
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import evaluated

if TYPE_CHECKING:
    import libcst

    from awaitlint.infer.values import Value
    from awaitlint.rulekit.rule import Rule

#: classes whose instances serve any number of tasks at once, by qualified name
_POOLED = frozenset(
    {
        "aiohttp.client.ClientSession",
        "httpx._client.AsyncClient",
        "openai._client.AsyncOpenAI",
        "openai.lib.azure.AsyncAzureOpenAI",
        "anthropic._client.AsyncAnthropic",
        "redis.asyncio.client.Redis",
        "asyncpg.pool.Pool",
    }
)
#: names of what belongs to one task at a time
_SESSION = re.compile(
    r"session|prisma|(?<![a-z])db(?![a-z])|database|conn|(?<![a-z])tx(?:n)?(?![a-z])|transaction|cursor|sock|stream|reader"
    r"|writer|queue|(?<![a-z])q(?![a-z])|(?<![a-z])ws(?![a-z])|page(?![a-z])|browser|channel|serial|(?<![a-z])bus"
    r"|proto|pipe|proc|transport|driver|uow|unit_of_work|repo|(?<![a-z])dao|crud|lock|context|(?<![a-z])ctx"
    r"|(?<![a-z])iter|(?<![a-z])it(?![a-z])|generator|cur(?![a-z])|engine|file",
    re.IGNORECASE,
)
#: names of objects of which several use one session
_SHARING = re.compile(r"repo|(?<![a-z])dao|crud|uow|unit_of_work", re.IGNORECASE)
#: names of functions that bring something and change nothing
_READS = re.compile(
    r"_*(?:a(?:sync)?_|a(?=get|find|list|load|query|search|embed|invoke))?(?:get|fetch|load|find|query|search|list"
    r"|count|lookup|look_up|retrieve|download|select|describe|resolve|compute|calculate|estimate|embed|translate"
    r"|summari[sz]e|classify|predict|generate|ask|invoke|complete|request|call|scrape|crawl"
    r"|geocode|head|mget|hget\w*|smembers|lrange|scan|fetchrow|fetchval|fetchone|fetchall)(?![a-z])",
    re.IGNORECASE,
)
#: names of functions for which the order of calls matters
ORDERED = re.compile(
    r"send|write|put|emit|apply|execute|next|acquire|read|recv|receive|push|pop|commit|step|migrat|publish|input"
    r"|prompt|sleep|wait|start|stop|close|open|connect|flush|drain|move|click|type|press|set|update|create|insert"
    r"|delete|remove|add|save|upsert|record|append|notify|run(?:_|$)|handle|dispatch|on_|commit|install|register"
    r"|gather|as_completed",
    re.IGNORECASE,
)
#: names of objects from which one gets what is there already
_AT_HAND = re.compile(
    r"memory|store|cache|state|registry|context|(?<![a-z])ctx(?![a-z])|settings|config|manager", re.IGNORECASE
)
#: names of functions that get what all else is done with, or see to it that it is there
_NEEDED_FIRST = re.compile(
    r"client|session|instance|manager|conn|pool|controller|factory|engine|settings|config|or_raise|or_404",
    re.IGNORECASE,
)
#: files and functions of tests, where one thing after the other is as it should be
_TESTS = re.compile(r"(?:^|/)(?:tests?|testing)/|(?:^|/)test_[^/]*$|_test\.py$|(?:^|/)conftest\.py$")
#: functions of builtins that arguments may call
_PURE = frozenset(
    {"str", "int", "float", "len", "list", "tuple", "set", "dict", "min", "max", "sorted", "repr"}
)
_PLAIN = frozenset(
    {f"builtins.{name}" for name in ("str", "int", "float", "bool", "bytes", "list", "tuple", "dict", "set")}
    | {
        "uuid.UUID",
        "datetime.datetime",
        "datetime.date",
        "datetime.timedelta",
        "decimal.Decimal",
        "pathlib.Path",
    }
)


@dataclass(frozen=True, slots=True)
class Awaited:
    """A call that is awaited: the last name of its function, what the function belongs to, its arguments.

    `owner` is empty for a function of a module; `pooled` says that the owner serves many at once.
    """

    name: str
    owner: str
    pooled: bool
    arguments: frozenset[str]

    @property
    def reads(self) -> bool:
        """Whether the name of the function says that it brings something from afar and changes nothing."""
        return _READS.match(self.name) is not None and not self.is_at_hand

    @property
    def is_at_hand(self) -> bool:
        """Whether names say that the call has nothing to wait for, or makes what all else needs."""
        if _NEEDED_FIRST.search(self.name) is not None:
            return True
        return not self.pooled and _AT_HAND.search(self.owner) is not None


def awaited_call(rule: Rule, node: libcst.CSTNode | None) -> Awaited | None:
    """The call of an ``await f(...)`` whose arguments have no effects of their own."""
    if not isinstance(node, cst.Await) or not isinstance(node.expression, cst.Call):
        return None
    call = node.expression
    site = rule.context.site(call)
    if (
        site is None
        or rule.module.is_safe(site)
        or not _may_wait(rule, site)
        or not all(_is_plain(argument) for argument in call.args)
    ):
        return None
    arguments = frozenset(each for argument in call.args for each in chains(argument.value))
    fact = rule.module.facts.nodes[site.node]
    if not isinstance(fact, f.Call):
        return None
    if isinstance(call.func, cst.Name):
        # not what somebody passed in, and not a nested function, which shares variables with others
        known = isinstance(rule.module.facts.nodes[fact.func], (f.Name, f.Import))
        return Awaited(call.func.value, "", False, arguments) if known else None
    if not isinstance(call.func, cst.Attribute):
        return None
    owner = spelling(call.func.value)
    attribute = rule.module.facts.nodes[fact.func]
    if not owner or not isinstance(attribute, f.Attr):
        return None
    value = rule.module.infer.value(rule.module.module, attribute.value)
    if isinstance(value, ModuleValue):
        owner = ""
    return Awaited(call.func.attr.value, owner, _is_pooled(rule, attribute.value), arguments)


def _may_wait(rule: Rule, site: f.Site) -> bool:
    """Whether a call can wait for anything, as far as its code is at hand; if not, nothing is gained."""
    return Waiting(rule.module.infer).calls(rule.module.module, site.node)


def _is_plain(argument: libcst.Arg) -> bool:
    """Whether an argument has no effects: it calls nothing but a few builtins, and awaits nothing."""
    for part in evaluated(argument.value):
        if isinstance(part, cst.Call) and spelling(part.func) not in _PURE:
            return False
        if isinstance(part, (cst.Await, cst.Yield, cst.NamedExpr, cst.Lambda, cst.GeneratorExp)):
            return False
    return True


def _is_pooled(rule: Rule, node: int) -> bool:
    """Whether an object, or what its chain of attributes begins with, serves many tasks at once."""
    module = rule.module
    for _ in range(5):
        if is_pool(rule, module.infer.value(module.module, node)):
            return True
        fact = module.facts.nodes[node]
        if not isinstance(fact, f.Attr):
            return False
        node = fact.value
    return False


def is_pool(rule: Rule, value: Value) -> bool:
    """Whether a value is a client that keeps a pool of connections."""
    found = members(without_none(value))
    return all(
        isinstance(member, Instance)
        and any(cls is not None and cls.qualname in _POOLED for cls in rule.module.infer.mro(member.cls))
        for member in found
    )


def are_apart(rule: Rule, first: Awaited, second: Awaited) -> bool:
    """Whether two calls share nothing that serves one task at a time."""
    mine, others = _base(first), _base(second)
    if mine and mine == others:
        return False
    # the methods of `self` may use any of its attributes
    both = (mine, others)
    if "self" in both and all(base.split(".")[0] == "self" for base in both):
        return False
    return _share_data(rule, first, second)


def _base(call: Awaited) -> str:
    """What a call's function belongs to: a name, or an attribute of `self`; empty for what all may use."""
    if call.pooled:
        return ""
    first, _, rest = call.owner.partition(".")
    return f"self.{rest.partition('.')[0]}" if first == "self" and rest else first


def _share_data(rule: Rule, first: Awaited, second: Awaited) -> bool:
    """Whether what two calls have in common is data only."""
    for one, other in ((first, second), (second, first)):
        base = _base(one)
        if _SHARING.search(base) or any(_is_part(argument, base) for argument in other.arguments):
            return False
    return all(_is_data(rule, argument) for argument in first.arguments & second.arguments)


def _is_part(argument: str, owner: str) -> bool:
    return bool(owner) and owner != "self" and (argument == owner or argument.startswith(f"{owner}."))


def _is_data(rule: Rule, argument: str) -> bool:
    """Whether an argument that two calls share is data: no session, connection or the like."""
    if argument in ("self", "cls") or _SESSION.search(argument.rpartition(".")[2]) is not None:
        return False
    if "." in argument or "[" in argument:
        return True
    scope = rule.context.scope
    for node in scope.bindings.get(argument, ()):
        for member in members(rule.module.infer.value(rule.module.module, node)):
            if isinstance(member, Instance) and member.cls.qualname not in _PLAIN:
                return bool(member.cls.module.path) and not _SESSION.search(member.cls.qualname)
            if isinstance(member, ClassValue):
                return True
    return True


def is_session(name: str) -> bool:
    """Whether something is named like what belongs to one task at a time."""
    return _SESSION.search(name) is not None


def is_test(rule: Rule) -> bool:
    """Whether the visited node stands in a test, or in a file of tests."""
    function = innermost_function(rule.context.parents)
    if function is not None and function.name.value.startswith("test"):
        return True
    path = os.path.relpath(rule.module.path, rule.module.infer.project.root)
    return _TESTS.search(path.replace("\\", "/")) is not None


def in_session(rule: Rule) -> bool:
    """Whether a `with` around the visited node holds something that belongs to one task at a time."""
    parents = rule.context.parents
    function = innermost_function(parents)
    for parent in reversed(parents):
        if parent is function:
            return False
        if isinstance(parent, cst.With) and holds_session(rule, parent):
            return True
    return False


def holds_session(rule: Rule, node: libcst.With) -> bool:
    """Whether a `with` holds what is named like a session, and is no pool."""
    for item, value in zip(node.items, managers(rule, node), strict=True):
        if not is_pool(rule, value) and any(map(is_session, names(item.item) | _attributes(item.item))):
            return True
    return False


def _attributes(node: libcst.CSTNode) -> set[str]:
    return {part.attr.value for part in evaluated(node) if isinstance(part, cst.Attribute)}
