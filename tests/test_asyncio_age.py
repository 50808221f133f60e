"""What `awaitlint.rulekit.asyncio_age` says of versions, against typeshed and the running Python."""

from __future__ import annotations

import asyncio
import inspect
import sys

import pytest

from awaitlint.index import facts as f
from awaitlint.index.stdlib import standard_library
from awaitlint.rulekit.asyncio_age import APIS, LOOP_REMOVED, LOOP_TAKERS

OLDEST, NEWEST = (3, 10), (3, 14)
#: classes and functions that only one platform's modules have
PARTS = ("asyncio", "asyncio.events", "asyncio.tasks", "asyncio.unix_events", "asyncio.windows_events")


def exists(name: str, version: tuple[int, int]) -> bool:
    """Whether asyncio has a name, one with a dot in a class of it."""
    library = standard_library(version)
    owner, dot, member = name.rpartition(".")
    for part in (*PARTS, "asyncio.coroutines", "asyncio.exceptions"):
        facts = library.module(part)
        assert facts is not None
        if not dot and name in facts.scopes[0].bindings:
            return True
        if dot and any(
            scope.kind is f.ScopeKind.CLASS and scope.name == owner and member in scope.bindings
            for scope in facts.scopes
        ):
            return True
    return False


def before(version: tuple[int, int]) -> tuple[int, int]:
    return version[0], version[1] - 1


@pytest.mark.parametrize("name", APIS)
def test_removed_names_are_there_until_they_are_removed(name):
    api = APIS[name]
    assert api.removed is None or api.until is None
    if api.removed is None:
        assert exists(name, NEWEST)
    elif api.removed > OLDEST:
        assert exists(name, before(api.removed))
        assert not exists(name, api.removed)
    else:
        assert not exists(name, OLDEST)


@pytest.mark.parametrize("name", sorted(LOOP_TAKERS))
@pytest.mark.skipif(sys.version_info < LOOP_REMOVED, reason="these take a loop")
def test_functions_take_no_loop(name):
    assert "loop" not in inspect.signature(getattr(asyncio, name)).parameters


@pytest.mark.skipif(sys.version_info < (3, 11), reason="it is a class of its own")
def test_the_alias_is_one():
    assert asyncio.TimeoutError is TimeoutError
