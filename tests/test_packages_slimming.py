"""What the table of packages leaves out of a distribution: never what changes an answer."""

from __future__ import annotations

import ast
from textwrap import dedent

from slimming import slim

from awaitlint.index import facts as f
from awaitlint.index.lower import lower


def slimmed(**sources: str) -> dict[str, f.ModuleFacts]:
    """The slimmed facts of the package ``pkg`` whose modules are given; `init` is the package itself."""
    modules = {}
    for name, text in {"init": "", **sources}.items():
        data = dedent(text).encode()
        modules["pkg" if name == "init" else f"pkg.{name}"] = lower(ast.parse(data), data)
    return slim(modules, {"pkg"})


def names(facts: f.ModuleFacts) -> set[str]:
    return set(facts.scopes[0].bindings)


def scope(facts: f.ModuleFacts, qualname: str) -> f.Scope:
    (found,) = [each for each in facts.scopes if each.qualname == qualname]
    return found


def members(facts: f.ModuleFacts, qualname: str) -> set[str]:
    return set(scope(facts, qualname).bindings)


class TestNames:
    def test_private_names_are_there_only_if_something_refers_to_them(self) -> None:
        facts = slimmed(
            one="""
            import asyncio, logging
            log = logging.getLogger(__name__)
            class _Used: ...
            class _Unused: ...
            def _helper(): return 1
            def _other(): return 2
            def make() -> _Used: return _Used()
            def build(): return _helper()
            """
        )["pkg.one"]
        assert names(facts) == {"_Used", "_helper", "make", "build"}

    def test_private_modules_are_reached_through_imports(self) -> None:
        found = slimmed(
            init="from ._client import Client as Client, connect\nfrom . import _state as state",
            _client="class Client:\n    async def get(self): ...\ndef connect(): ...\ndef forgotten(): ...",
            _state="current = 1\ndef read(): ...",
            public="from ._all import *",
            _all="__all__ = ['shown']\ndef shown(): ...\ndef hidden(): ...",
            _nobody="def lonely(): ...",
        )
        assert names(found["pkg._client"]) == {"Client", "connect"}
        assert names(found["pkg._state"]) == set()
        assert names(found["pkg._all"]) == {"shown"}
        assert "pkg._nobody" not in found
        assert found["pkg.public"].stars == (("_all", 1),)

    def test_star_imports_of_nothing_are_dropped(self) -> None:
        found = slimmed(init="from ._codes import *\ndef get(): ...", _codes="OK = 200")
        assert found["pkg"].stars == ()
        assert "pkg._codes" not in found

    def test_exports_name_what_is_there(self) -> None:
        facts = slimmed(
            init="__all__ = ['get', 'LIMIT', 'sub']\nLIMIT = 5\ndef get(): ...", sub="def f(): ..."
        )
        assert facts["pkg"].exports == ("get", "sub")
        assert facts["pkg"].sites == []


class TestFunctions:
    def test_bodies_go_where_the_annotation_decides(self) -> None:
        facts = slimmed(
            one="""
            from typing import Any, Awaitable, Optional, Union
            class Answer:
                async def read(self): ...
            def told(x) -> Answer: return x.made()
            def maybe(x) -> Optional[Answer]: return x.made()
            def open_(x) -> Any: return x.made()
            def eager(x) -> Awaitable[int]: return x.made()
            def untold(x): return x.made()
            async def coroutine(x) -> "list[Answer]": return x.made()
            """
        )["pkg.one"]
        kept = {each.name for each in facts.scopes if each.returned}
        assert kept == {"open_", "eager", "untold"}
        assert not scope(facts, "told").falls_through

    def test_a_plain_function_that_returns_a_coroutine_keeps_its_body(self) -> None:
        """Its annotation is not true, and `await` of its call is no mistake."""
        facts = slimmed(
            one="""
            class Client:
                async def fetch(self) -> bytes: ...
                def get(self) -> bytes: return self.fetch()
                def size(self) -> int: return self.count()
                def count(self) -> int: return 1
            """
        )["pkg.one"]
        assert scope(facts, "Client.get").returned
        assert not scope(facts, "Client.size").returned

    def test_generators_say_what_they_give(self) -> None:
        facts = slimmed(
            one="""
            from collections.abc import AsyncIterator
            class Row:
                async def delete(self): ...
            async def rows(x) -> AsyncIterator[Row]:
                for row in x: yield row
            async def others(x):
                for row in x: yield row
            """
        )["pkg.one"]
        (row,) = scope(facts, "rows").yielded
        node = facts.nodes[row]
        assert isinstance(node, f.Declared)
        assert facts.nodes[node.annotation] == f.Name("Row")
        (other,) = scope(facts, "others").yielded
        assert isinstance(facts.nodes[other], f.Iter)

    def test_overloads_stay_and_their_implementation_goes(self) -> None:
        facts = slimmed(
            one="""
            from typing import overload
            @overload
            def get(x: int) -> int: ...
            @overload
            def get(x: str) -> str: ...
            def get(x): return x
            """
        )["pkg.one"]
        assert len(facts.scopes[0].bindings["get"]) == 2
        assert [p.annotation >= 0 for each in facts.scopes[1:] for p in each.params] == [True, True]

    def test_setters_go(self) -> None:
        facts = slimmed(
            one="""
            class Client:
                @property
                def timeout(self): return self.made()
                @timeout.setter
                def timeout(self, value): ...
                def made(self): ...
            """
        )["pkg.one"]
        assert len(scope(facts, "Client").bindings["timeout"]) == 1

    def test_annotations_of_parameters_stay_where_they_are_true(self) -> None:
        facts = slimmed(
            one="""
            from typing import Awaitable, Callable, TypeVar
            T = TypeVar("T")
            class Pool:
                async def get(self): ...
            class Client:
                def __init__(self, pool: Pool, size: int = 5) -> None:
                    self.pool = pool
                    self.slots = [None] * size
                async def get(self, key: str, timeout: float | None = None) -> bytes: ...
            def call(function: Callable[[], Awaitable[int]], times: int) -> None: ...
            def first(values: list[T], *, limit: int = 1) -> T: ...
            def loose(value: Pool): return value.get()
            async def take(value: int) -> int:
                return await value if inspect.isawaitable(value) else value
            """
        )["pkg.one"]

        def annotated(qualname: str) -> set[str]:
            return {each.name for each in scope(facts, qualname).params if each.annotation >= 0}

        assert annotated("Client.__init__") == {"pool", "size"}
        assert annotated("Client.get") == {"key", "timeout"}
        assert annotated("call") == {"function", "times"}
        assert annotated("first") == {"values", "limit"}
        assert annotated("take") == set()
        assert annotated("loose") == {"value"}
        assert [p.default >= 0 for p in scope(facts, "Client.get").params] == [False, False, True]

    def test_nested_functions_stay_where_they_are_returned(self) -> None:
        facts = slimmed(
            one="""
            def retry(times):
                def decorate(function):
                    def inner(): ...
                    async def wrapper(): return await function()
                    return wrapper
                return decorate
            """
        )["pkg.one"]
        assert [each.name for each in facts.scopes] == ["", "retry", "decorate", "wrapper"]
        assert [scope(facts, "retry.decorate").bindings.keys()] == [{"function"}]
        assert [each.parent for each in facts.scopes] == [-1, 0, 1, 2]


class TestClasses:
    def test_private_members_are_kept_everywhere_or_nowhere(self) -> None:
        facts = slimmed(
            one="""
            class Base:
                def _send(self): return 1
                def _unread(self): return 1
            class Client(Base):
                async def _send(self): ...
                async def _unread(self): ...
                def send(self): return self._send()
                def __repr__(self): ...
                def __aenter__(self): ...
            """
        )["pkg.one"]
        assert members(facts, "Base") == {"_send"}
        assert members(facts, "Client") == {"_send", "send", "__aenter__"}

    def test_private_members_over_a_foreign_base_are_kept(self) -> None:
        """What is left out of the base is not known here, so nothing may be missing above it."""
        facts = slimmed(one="import other\nclass Client(other.Base):\n    async def _send(self): ...")[
            "pkg.one"
        ]
        assert members(facts, "Client") == {"_send"}

    def test_fields_of_builtin_types_go(self) -> None:
        facts = slimmed(
            one="""
            import httpx
            from pydantic import BaseModel
            class Usage(BaseModel):
                tokens: int
            class Client:
                name: str
                limits: dict[str, int] | None = None
                usage: Usage
                transport: httpx.AsyncClient
                def __init__(self, name):
                    self.count = 0
                    self.session = httpx.AsyncClient()
                def close(self): ...
            """
        )["pkg.one"]
        assert members(facts, "Client") == {"transport", "__init__", "close"}
        assert set(scope(facts, "Client").attributes) == {"session"}
        assert "Usage" not in names(facts)

    def test_records_are_there_where_a_function_returns_them(self) -> None:
        facts = slimmed(
            one="""
            from typing import TypedDict
            from dataclasses import dataclass
            class Options(TypedDict):
                url: str
            @dataclass
            class User:
                name: str
            @dataclass
            class Session:
                name: str
                async def close(self): ...
            def load() -> User: ...
            """
        )["pkg.one"]
        assert names(facts) >= {"User", "Session", "load"}
        assert "Options" not in names(facts)
        assert members(facts, "User") == set()

    def test_a_private_subclass_that_is_async_is_kept(self) -> None:
        """Rules look for one before they say that a method is not awaitable."""
        facts = slimmed(
            one="""
            class Lock:
                def acquire(self) -> bool: ...
            class _AsyncLock(Lock):
                async def acquire(self): ...
            class _Other(Lock):
                def acquire(self): ...
            """
        )["pkg.one"]
        assert names(facts) == {"Lock"}
        assert {each.name for each in facts.scopes if each.kind is f.ScopeKind.CLASS} == {
            "Lock",
            "_AsyncLock",
        }

    def test_data_is_not_spelled_out(self) -> None:
        facts = slimmed(
            one="""
            from typing import Annotated, Literal
            def get(key: Annotated[str, "a long story"], x): return x
            def mode(kind: Literal["a", "b"], x): return x
            def all_(kind: Literal["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"], x):
                return x
            def texts(x): return getattr(x, "name", "text")
            """
        )["pkg.one"]
        strings = {
            node.value for node in facts.nodes if isinstance(node, f.Const) and type(node.value) is str
        }
        assert strings == {"a", "b", "name"}
        assert f.Plain("str") in facts.nodes


def test_loops_are_copied() -> None:
    facts = slimmed(
        one="""
        def follow(link):
            while link.next:
                link = link.next
            return link
        """
    )["pkg.one"]
    (returned,) = scope(facts, "follow").returned
    phi = facts.nodes[returned]
    assert isinstance(phi, f.Phi)
    attributes = [facts.nodes[option] for option in phi.options if isinstance(facts.nodes[option], f.Attr)]
    assert [facts.nodes[each.value] for each in attributes] == [phi]
