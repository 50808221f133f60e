"""
## What it does

Reports an object that is entered or iterated in the wrong one of two ways:

- `with` on an object that only `async with` can enter, and the reverse, also `enter_context` and
  `enter_async_context` of exit stacks, and generators, which neither can enter;
- `for` over an object that only `async for` can iterate, and the reverse, also in comprehensions, unpacking,
  `*`, and functions such as `list`, `sorted`, `sum` and `"".join`;
- `@contextmanager` on an `async def`, and `@asynccontextmanager` on a plain generator.

An object counts where its class is known with all its bases, and none of them answers for unknown names.

## Why is this bad?

The statement fails before its body runs: `TypeError: 'Lock' object does not support the context manager
protocol`, or `TypeError: 'async_generator' object is not iterable`.

## Example

```py
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

lock = asyncio.Lock()

async def rows() -> AsyncIterator[int]:
    yield 1

@asynccontextmanager  # error: [sync-async-protocol-mismatch]
def connection():
    yield 1

async def main() -> None:
    with lock:  # error: [sync-async-protocol-mismatch]
        pass
    for row in rows():  # error: [sync-async-protocol-mismatch]
        print(row)
    print([row async for row in range(3)])  # error: [sync-async-protocol-mismatch]
    print(list(rows()))  # error: [sync-async-protocol-mismatch]
```

## Use instead

```py
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

lock = asyncio.Lock()

async def rows() -> AsyncIterator[int]:
    yield 1

@asynccontextmanager
async def connection():
    yield 1

async def main() -> None:
    async with lock:
        pass
    async for row in rows():
        print(row)
    print([row for row in range(3)])
    print([row async for row in rows()])
```

## Fix safety

The fix adds `async` or takes it away, or puts the other decorator in the place of the wrong one, and adds its
import. It is safe: the code cannot have worked. There is none where `async` cannot stand (outside of async
functions), none for generator expressions, whose consumer would have to change as well, none for a statement
with another object in it that is entered in the right way, and none for the locks of `threading`, which
belong into no async code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.facts import Use
from awaitlint.index.marks import MarkKind
from awaitlint.infer.values import (
    CallableValue,
    ClassValue,
    FunctionValue,
    Instance,
    OverloadedValue,
    UnionValue,
    members,
)
from awaitlint.model import Edit, Safety, Span
from awaitlint.rulekit.managers import Managers, without_async
from awaitlint.rulekit.protocols import Form, Protocols
from awaitlint.rulekit.rule import Rule
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst

    from awaitlint.rulekit.context import ModuleContext

_FORMS = {
    Use.WITH: Form("with", is_async=False),
    Use.ASYNC_WITH: Form("with", is_async=True),
    Use.ITERATED: Form("for", is_async=False),
    Use.UNPACKED: Form("for", is_async=False),
    Use.ARGUMENT: Form("for", is_async=False),
    Use.ASYNC_ITERATED: Form("for", is_async=True),
}
_MARKS = {
    Form("with", is_async=False): MarkKind.WITH,
    Form("with", is_async=True): MarkKind.ASYNC_WITH,
    Form("for", is_async=False): MarkKind.FOR,
    Form("for", is_async=True): MarkKind.ASYNC_FOR,
}
#: nodes of what is certainly plain
_PLAIN = frozenset({f.BinOp, f.Const, f.DictDisplay, f.Display, f.Plain})
_FORMS_OF = {kind: form for form, kind in _MARKS.items()}
#: what to do where a generator is entered
_DECORATE = {
    "an async generator": "decorate its function with `@asynccontextmanager` and use `async with`, or use"
    " `async for`",
    "a plain generator": "decorate its function with `@contextmanager` and use `with`, or use `for`",
}
_COMPREHENSIONS = ("ListComp", "SetComp", "DictComp", "GeneratorExp")


class SyncAsyncProtocolMismatch(Rule):
    code = "AWL503"
    name = "sync-async-protocol-mismatch"
    # about cancel scopes and task groups
    yields_to = frozenset({"AWL403"})
    summary = (
        "`with`, `for` or a decorator of context managers where the asynchronous one is meant, or reversed"
    )
    fixes = (Safety.SAFE,)
    uses = frozenset(_FORMS)

    def __init__(self, module: ModuleContext) -> None:
        super().__init__(module)
        self._protocols = Protocols(module)
        self._managers = Managers(module)

    # ------------------------------------------------------------------ suspects
    def suspect(self, site: f.Site) -> bool:
        return bool(self._misfit(site))

    def suspicious(self) -> Iterator[int]:
        facts = self.module.facts
        for mark in facts.marks:
            form = _FORMS_OF.get(mark.kind)
            if form is not None and self._noun(mark.node, form, facts.scopes[mark.scope]):
                yield mark.line
        for index in range(len(facts.scopes)):
            if self._managers.misdecorated(index) is not None:
                yield facts.scopes[index].first_line

    def _misfit(self, site: f.Site) -> str:
        """What a site's object is that is not fit for what is done with it; "" where it may be."""
        form = self._protocols.form_of_argument(site) if site.use is Use.ARGUMENT else _FORMS[site.use]
        if form is None or self.module.is_safe(site):
            return ""
        return self._noun(site.node, form, self.module.scope_of(site))

    def _noun(self, node: int, form: Form, scope: f.Scope) -> str:
        """What a node stands for that is not fit for a form; "" where it may be."""
        if node < 0 or not self._is_worth_a_look(node, form, scope):
            return ""
        value = self.module.infer.value(self.module.module, node)
        noun = self._protocols.misfit(value, form)
        if not noun:
            return ""
        calls = self.module.flow.origins(node)
        if any(map(self._protocols.is_doubtful, (node, *calls))):
            return ""
        if "context manager" in noun and any(map(self._protocols.is_misdecorated, calls)):
            return ""
        return noun

    def _is_worth_a_look(self, node: int, form: Form, scope: f.Scope) -> bool:
        """Whether a node may stand for such a thing: there are very many loops, and most are plain ones.

        Plain functions that iterate come to something asynchronous by a call, if at all.
        """
        if form.word == "with" or form.is_async:
            return True
        call = self.module.facts.nodes[node]
        if not isinstance(call, f.Call):
            return scope.is_async and type(call) not in _PLAIN
        func = self.module.infer.value(self.module.module, call.func)
        if isinstance(func, FunctionValue):
            fact = func.fact
            if fact.is_async or fact.is_generator:
                return fact.is_async and fact.is_generator
            return scope.is_async or fact.returns >= 0
        return isinstance(func, (ClassValue, OverloadedValue, CallableValue)) or (
            scope.is_async and isinstance(func, UnionValue)
        )

    # ------------------------------------------------------------------ statements
    def visit_With(self, node: libcst.With) -> None:
        form = Form("with", node.asynchronous is not None)
        found = self._found(node, [item.item for item in node.items], form)
        nouns = [self._noun(each, form, self.context.scope) for each in found]
        locks = any(map(self._is_thread_lock, found))
        edits = self._edits(node, form) if all(nouns) and not locks else []
        for item, each, noun in zip(node.items, found, nouns, strict=True):
            if noun:
                advice = "use a lock of the async library" if self._is_thread_lock(each) else ""
                self._say(item.item, noun, form, edits, advice)

    def visit_For(self, node: libcst.For) -> None:
        form = Form("for", node.asynchronous is not None)
        (found,) = self._found(node, [node.iter], form)
        if noun := self._noun(found, form, self.context.scope):
            self._say(node.iter, noun, form, self._edits(node, form))

    def visit_CompFor(self, node: libcst.CompFor) -> None:
        form = Form("for", node.asynchronous is not None)
        site = self.context.site(node.iter)
        noun = self._misfit(site) if site is not None and _FORMS.get(site.use) == form else ""
        if not noun:
            return
        kinds = [type(parent).__name__ for parent in self.context.parents]
        around = [kind for kind in kinds if kind in _COMPREHENSIONS]
        lazy = around[-1:] == ["GeneratorExp"]
        if form.is_async and not (self.context.scope.is_async or lazy):
            # a SyntaxError in the first place
            return
        can = form.is_async or not (len(around) > 1 or lazy)
        self._say(node.iter, noun, form, self._edits(node, form) if can else [])

    def _found(
        self, statement: libcst.With | libcst.For, nodes: Sequence[libcst.BaseExpression], form: Form
    ) -> list[int]:
        """The facts' nodes of the objects of a statement; -1 for what is not to be judged."""
        if form.is_async and not self.context.scope.is_async:
            return [-1] * len(nodes)
        line = self.context.span(statement).line
        plain = [node for node in nodes if not isinstance(node, cst.Call)]
        marks = [m for m in self.module.facts.marks if m.line == line and m.kind is _MARKS[form]]
        # calls may have marks, too, and the body of a `finally` is looked at more than once
        marks = [m for m in marks if not isinstance(self.module.facts.nodes[m.node], f.Call) or plain]
        marked = dict(zip(plain, marks, strict=False)) if plain and not len(marks) % len(plain) else {}
        found = []
        for node in nodes:
            if node in marked:
                found.append(marked[node].node)
                continue
            site = self.context.site(node) if isinstance(node, cst.Call) else None
            judged = site is not None and _FORMS.get(site.use) == form and not self.module.is_safe(site)
            found.append(site.node if site is not None and judged else -1)
        return found

    # ------------------------------------------------------------------ the rest
    def visit_StarredElement(self, node: libcst.StarredElement) -> None:
        self._iterated(node.value)

    def visit_Arg(self, node: libcst.Arg) -> None:
        self._iterated(node.value)

    def visit_From(self, node: libcst.From) -> None:
        self._iterated(node.item)

    def visit_Assign(self, node: libcst.Assign) -> None:
        self._iterated(node.value)

    def _iterated(self, node: libcst.BaseExpression) -> None:
        """What is iterated by something else than a statement."""
        site = self.context.site(node)
        if site is None or site.use not in {Use.ITERATED, Use.UNPACKED, Use.ARGUMENT}:
            return
        noun = self._misfit(site)
        if noun and not self._is_asked(node):
            what, advice = "iterating it", "use `async for`, or an async comprehension"
            if site.use is Use.ARGUMENT:
                call = self.context.parents[-1]
                assert isinstance(call, cst.Call)
                what = f"`{self.context.source(call.func)}`"
                form = self._protocols.form_of_argument(site)
                if form is not None and form.word == "with":
                    advice = self._how_to_enter(noun, form)
            self.report(node, f"`{self.context.source(node)}` is {noun}: {what} raises TypeError; {advice}")

    @staticmethod
    def _how_to_enter(noun: str, form: Form) -> str:
        """What to do about something that an exit stack cannot enter."""
        if "generator" in noun:
            return _DECORATE[noun]
        return f"use `{'enter_context' if form.is_async else 'enter_async_context'}`"

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        scope = self._managers.definitions.scope(self.context, node) if node.decorators else -1
        wrong = self._managers.misdecorated(scope) if scope >= 0 else None
        if wrong is None:
            return
        decorator = node.decorators[wrong.number].decorator
        edits = self._managers.edits(self.context, node, wrong)
        advice = "; make it `async def`" if not wrong.scope.is_async else ""
        if wrong.name == "contextmanager":
            advice = "; use `asynccontextmanager`"
        what = wrong.message.format(function=node.name.value)
        self.report(
            decorator,
            f"`@{self.context.source(decorator)}` {what}{advice}",
            fix=self.fix("Make the two agree", edits) if edits else None,
        )

    # ------------------------------------------------------------------ reporting
    def _say(
        self,
        node: libcst.BaseExpression,
        noun: str,
        form: Form,
        edits: Sequence[Edit],
        advice: str = "",
    ) -> None:
        if self._is_asked(node):
            return
        other = form.other.text
        fails = "fails before its body runs" if form.word == "with" else "raises TypeError"
        if form.word == "with" and noun in _DECORATE:
            advice, edits = _DECORATE[noun], []
        elif not form.is_async and not self.context.scope.is_async:
            advice = f"only `async def` code can use `{other}`"
        self.report(
            node,
            f"`{self.context.source(node)}` is {noun}: `{form.text}` {fails}; {advice or f'use `{other}`'}",
            fix=self.fix(f"Replace `{form.text}` with `{other}`", edits) if edits else None,
        )

    def _edits(self, node: libcst.With | libcst.For | libcst.CompFor, form: Form) -> list[Edit]:
        """Add ``async`` to a statement or clause, or take it away; nothing where it cannot stand."""
        place = self.context.span(node)
        line, column = place.line, place.column
        # a clause of a comprehension may begin with the blank before it
        text = self.module.lines[line - 1]
        column += len(text[column:]) - len(text[column:].lstrip(" \t"))
        if form.is_async:
            edit = without_async(text, line, column)
            return [edit] if edit is not None else []
        scope = self.context.scope
        if (
            not scope.is_async
            or scope.kind is not f.ScopeKind.FUNCTION
            or not text.startswith(form.word, column)
        ):
            return []
        return [Edit(Span(line, column, line, column), "async ")]

    def _is_thread_lock(self, node: int) -> bool:
        value = self.module.infer.value(self.module.module, node) if node >= 0 else None
        return value is not None and any(
            isinstance(member, Instance) and member.cls.module.name in ("_thread", "threading")
            for member in members(value)
        )

    def _is_asked(self, node: libcst.BaseExpression) -> bool:
        """Whether the code asks what the object can do, or expects that it cannot."""
        if self.context.expects_error() or self.context.is_probed(node):
            return True
        tests = [
            self.context.source(p.test) for p in self.context.parents if isinstance(p, (cst.If, cst.IfExp))
        ]
        asked = f"hasattr({self.context.source(node)},"
        return any(asked in test or ("hasattr" in test and "__" in test) for test in tests)
