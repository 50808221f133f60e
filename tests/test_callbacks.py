"""What calls a function that it is given, against what is known of the standard library and of packages."""

from __future__ import annotations

import pytest

from awaitlint.config.settings import CALLBACK_SLOTS
from awaitlint.index.handoffs import Taker, handoffs
from awaitlint.rulekit.callables import STARTER_NAMES, STARTERS
from awaitlint.rulekit.callbacks import _EVENT_LOOP, _OF_LOOPS, Caller, caller_names, callers, words
from tests.named import VERSIONS, names

#: those that `test_handoffs` does not know
OWN = {name: known for name, known in callers().items() if name not in handoffs()}


def test_families_are_those_of_the_option() -> None:
    known = {caller.family for caller in callers().values()} | {family for family, _ in _OF_LOOPS.values()}
    assert known == set(CALLBACK_SLOTS)


@pytest.mark.parametrize("name", OWN)
def test_names_exist_and_take_the_function_there(name: str) -> None:
    for version in VERSIONS if names().stdlib.has(name.partition(".")[0]) else (VERSIONS[0],):
        definition = names(version).definition(name)
        assert definition is not None
        for slot in OWN[name].slots:
            if slot.taker is Taker.ARGUMENT:
                assert (slot.name, slot.position) in definition.parameters()


def test_methods_of_loops_exist() -> None:
    for name, (_, position) in _OF_LOOPS.items():
        definition = names().definition(f"{_EVENT_LOOP}.{name}")
        assert definition is not None, name
        assert {("callback", position), ("func", position)} & set(definition.parameters()), name


def test_starters_exist() -> None:
    assert [name for name in STARTERS if names().definition(name) is None] == []
    renamed = {"from_thread_run": "run"}
    last = {name.rpartition(".")[2] for name in STARTERS}
    assert {renamed.get(name, name) for name in last} == STARTER_NAMES


def test_names_by_which_code_calls_them() -> None:
    assert {"call_soon", "Thread", "run_sync", "sync_to_async", "filter"} <= caller_names()
    assert "from_thread_run_sync" not in caller_names()


def test_there_are_words_for_each() -> None:
    assert all(words(known) for known in callers().values())
    assert words(Caller("loop", "call_later", ())) != words(Caller("loop", "add_signal_handler", ()))
