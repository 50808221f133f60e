"""
## What it does

Reports an augmented assignment to something that other tasks can see, such as an attribute or a global, whose
right side awaits: `self.total += await fetch()`. The same goes for `self.total = self.total + await fetch()`,
where the old value stands before the `await`.

Silent are local variables and objects that the function made itself; containers that are changed in place
(`self.items += await ...` on a list, a set or a dict); code that holds a lock; buffers that are filled from
one stream (`self.buffer += await self.read()`).

## Why is this bad?

Python reads the old value first, then awaits, then adds and assigns. What other tasks have added to the
target in the meantime is lost, without an error: with two tasks that add 1 at the same time, the sum is 1.

## Example

```py
import asyncio

class Meter:
    def __init__(self) -> None:
        self.total = 0

    async def fetch(self, url: str) -> int:
        await asyncio.sleep(0.1)
        return len(url)

    async def add(self, url: str) -> None:
        self.total += await self.fetch(url)  # error: [await-in-augmented-assignment]
```

## Use instead

```py
import asyncio

class Meter:
    def __init__(self) -> None:
        self.total = 0

    async def fetch(self, url: str) -> int:
        await asyncio.sleep(0.1)
        return len(url)

    async def add(self, url: str) -> None:
        size = await self.fetch(url)
        self.total += size
```

## Fix safety

The fix awaits into a local variable first. It is unsafe, because code that relies on the old value of the
target behaves differently, and because it chooses the variable's name.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.marks import MarkKind
from awaitlint.infer.bodies import PARTS
from awaitlint.infer.values import Instance, TupleValue, Unknown, members
from awaitlint.model import Confidence, Safety
from awaitlint.rulekit.hoist import hoist
from awaitlint.rulekit.locks import is_guarded
from awaitlint.rulekit.rule import Rule
from awaitlint.rulekit.running import root, spelling
from awaitlint.rulekit.spelled import is_shared, value_of
from awaitlint.syntax.cst import cst
from awaitlint.syntax.own import evaluated, is_await

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from awaitlint.infer.values import Value

#: classes of numbers, and of what is added to without being changed in place
_NUMBERS = frozenset(
    {f"builtins.{name}" for name in ("int", "float", "complex", "bool")}
    | {"_decimal.Decimal", "decimal.Decimal", "fractions.Fraction", "datetime.timedelta"}
)
#: what may stand for a variable that other tasks see, or for a sum with one
_READ = frozenset({f.Attr, f.Index, f.Name, f.Free, f.BinOp, f.Phi, f.Narrow, f.Param, f.Declared, f.Call})
_TEXTS = frozenset({"builtins.str", "builtins.bytes", "builtins.tuple"})
#: names of functions that take the next part of a stream, which only one task does
_STREAM = re.compile(
    r"read|recv|receive|next|chunk|pull|drain|line|block|frame|fill|buffer|decode", re.IGNORECASE
)


class AwaitInAugmentedAssignment(Rule):
    code = "AWL603"
    name = "await-in-augmented-assignment"
    summary = "`self.x += await …`: the old value is read before the await"
    fixes = (Safety.UNSAFE,)

    def suspicious(self) -> Iterator[int]:
        facts = self.module.facts
        for mark in facts.marks:
            if mark.kind is MarkKind.AUGMENTED:
                yield mark.line
        yield from self._spelled_out()

    def _spelled_out(self) -> Iterator[int]:
        """Lines with an `await` in what may be on the right of an operator, a variable's value included."""
        nodes = self.module.facts.nodes
        awaited = {site.other: site for site in self.module.by_use.get(Use.AWAITED, ())}
        if not awaited:
            return
        order = sorted(awaited)
        for index, node in enumerate(nodes):
            if type(node) is not f.BinOp or type(nodes[node.left]) not in _READ:
                continue
            bound = self._bound.get(index)
            # of what is assigned to an item, facts do not say where it goes
            if bound is None and not self._reads_item(node.left):
                continue
            seen, todo = {node.right}, [node.right]
            while todo:
                part = todo.pop()
                found = [part] if part in awaited else []
                if type(nodes[part]) in (f.Plain, f.Unknown):
                    # such as an f-string, of which facts leave out what is in it
                    found += order[bisect_right(order, node.left) : bisect_left(order, index)]
                for each in found:
                    # a variable of the function's own is nobody else's
                    if bound is None or bound != {awaited[each].scope} or not awaited[each].scope:
                        yield awaited[each].line
                parts = PARTS.get(type(nodes[part]))
                inner = () if parts is None else parts(nodes[part])
                todo.extend(each for each in inner if each >= 0 and each not in seen)
                seen.update(inner)

    @cached_property
    def _bound(self) -> dict[int, set[int]]:
        """The nodes that are assigned to names, with the scopes of these, and to attributes, with -1."""
        facts = self.module.facts
        places = [
            (node, number)
            for number, scope in enumerate(facts.scopes)
            for bound in scope.bindings.values()
            for node in bound
        ]
        for scope in facts.scopes:
            places += [(node, -1) for assigned in scope.attributes.values() for node in assigned]
        places += [(node, -1) for pairs in facts.patched.values() for _, node in pairs]
        found: dict[int, set[int]] = {}
        for node, number in places:
            if type(facts.nodes[node]) is f.BinOp:
                found.setdefault(node, set()).add(number)
        return found

    def _reads_item(self, node: int) -> bool:
        """Whether an item may be among the operands of an operator, of which a node is the left one."""
        nodes = self.module.facts.nodes
        seen, todo = {node}, [node]
        while todo:
            part = nodes[todo.pop()]
            if isinstance(part, f.Index):
                return True
            inner: tuple[int, ...] = ()
            if isinstance(part, f.BinOp):
                inner = (part.left, part.right)
            elif isinstance(part, f.Phi):
                inner = part.options
            elif isinstance(part, (f.Narrow, f.Declared)):
                inner = (part.value,)
            todo.extend(each for each in inner if each >= 0 and each not in seen)
            seen.update(inner)
        return False

    def visit_AugAssign(self, node: libcst.AugAssign) -> None:
        if not any(is_await(part) for part in evaluated(node.value)):
            return
        operand = self._augmenting(node)
        of_target = self._kind(value_of(self.module, self.context.scope, node.target))
        of_value = self._kind(operand)
        if "other" in (of_target, of_value):
            return
        kind = "number" if "number" in (of_target, of_value) else of_target or of_value
        self._check(node, node.target, node.value, kind, sure=bool(kind))

    def _augmenting(self, node: libcst.AugAssign) -> Value:
        """What the right side of an augmented assignment is."""
        line, scope = self.context.span(node).line, self.context.scope
        scopes = self.module.facts.scopes
        for mark in self.module.facts.marks:
            if mark.kind is MarkKind.AUGMENTED and mark.line == line and scopes[mark.scope] is scope:
                return self.module.infer.value(self.module.module, mark.node)
        return Unknown("not reached")

    def _kind(self, value: Value) -> str:
        """``number``, ``text`` or ``other``; empty where nothing is known."""
        kinds: set[str] = set()
        for member in members(value):
            # a protocol says what a type variable can be
            if isinstance(member, Instance) and not self.module.infer.is_protocol(member.cls):
                name = member.cls.qualname
                kinds.add("number" if name in _NUMBERS else "text" if name in _TEXTS else "other")
            elif isinstance(member, TupleValue):
                kinds.add("text")
        return kinds.pop() if len(kinds) == 1 else "other" if kinds else ""

    def visit_Assign(self, node: libcst.Assign) -> None:
        if len(node.targets) != 1 or not isinstance(node.value, cst.BinaryOperation):
            return
        target = node.targets[0].target
        written = spelling(target)
        operands = _operands(node.value)
        first = next((at for at, each in enumerate(operands) if written and spelling(each) == written), None)
        if first is None:
            return
        waiting = [each for each in operands[first + 1 :] if _awaits(each)]
        if waiting:
            kind = self._kind(value_of(self.module, self.context.scope, target))
            self._check(node, target, waiting[0], kind, sure=True, hoisted=len(waiting) == 1)

    def _check(
        self,
        node: libcst.Assign | libcst.AugAssign,
        target: libcst.BaseExpression,
        value: libcst.BaseExpression,
        kind: str,
        *,
        sure: bool,
        hoisted: bool = True,
    ) -> None:
        """Report an assignment whose `value` awaits after the old value of the target was read."""
        scope = self.context.scope
        if not scope.is_async or not is_shared(self.module, scope, target):
            return
        if self._is_alone(target, value, kind) or is_guarded(self):
            return
        subject = self.context.source(target)
        waits = next(part for part in evaluated(value) if is_await(part))
        words = f"`{self.context.source(waits)}`" if isinstance(waits, cst.Await) else "the value"
        fix = hoist(self, value, "value") if hoisted else None
        self.report(
            node,
            f"`{subject}` is read before {words} is awaited: what other tasks assign to it in the "
            "meantime is lost; await into a local variable first",
            fix=fix,
            confidence=Confidence.CERTAIN if sure else Confidence.LIKELY,
        )

    def _is_alone(self, target: libcst.BaseExpression, value: libcst.BaseExpression, kind: str) -> bool:
        """Whether no two tasks can be here: the value is made of the old one, or is read from a stream."""
        written, owner = spelling(target), root(target)
        for part in evaluated(value):
            if written and spelling(part) == written:
                return True
            if not isinstance(part, cst.Await) or not isinstance(part.expression, cst.Call):
                continue
            site = self.context.site(part.expression)
            if site is not None and self.module.is_safe(site):
                return True
            func = part.expression.func
            name = func.attr.value if isinstance(func, cst.Attribute) else spelling(func)
            receiver = root(func)
            same = owner is not None and receiver is not None and receiver.value == owner.value
            if _STREAM.search(name) and (kind != "number" or (same and isinstance(func, cst.Attribute))):
                return True
        return False


def _operands(node: libcst.BinaryOperation) -> list[libcst.BaseExpression]:
    """The operands of a chain of operators, in the order in which they are evaluated."""
    found: list[libcst.BaseExpression] = []
    current: libcst.BaseExpression = node
    while isinstance(current, cst.BinaryOperation):
        found.append(current.right)
        current = current.left
    return [current, *reversed(found)]


def _awaits(node: libcst.BaseExpression) -> bool:
    return any(isinstance(part, cst.Await) for part in evaluated(node))
