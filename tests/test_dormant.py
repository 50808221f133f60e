"""What a session keeps of files that were checked: facts that sleep, bytes that are read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from awaitlint.config.settings import Settings
from awaitlint.engine.options import Options
from awaitlint.engine.session import Session
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.index.dormant import DormantFacts, Dormitory
from awaitlint.index.facts import ModuleFacts
from awaitlint.index.lower import lower
from awaitlint.syntax.parse import parse

if TYPE_CHECKING:
    from pathlib import Path

#: enough nodes to be worth the trouble, of several kinds
SOURCE = b"import asyncio\n" + b"".join(
    b"async def f%d(a=1.0, b=True, *c, **d):\n    x = await a.b('key', [1, c], y={**d})\n    return x or -1\n"
    % number
    for number in range(40)
)


def facts_of(data: bytes = SOURCE) -> ModuleFacts:
    return lower(parse(data), data)


def test_sleeping_facts_wake_as_they_were() -> None:
    facts, before = facts_of(), facts_of()
    Dormitory(most=0).add(facts)
    assert type(facts) is DormantFacts
    assert facts.scopes == before.scopes
    assert type(facts) is DormantFacts
    assert facts.sites == before.sites
    assert type(facts) is DormantFacts
    assert facts.nodes == before.nodes
    assert [type(node) for node in facts.nodes] == [type(node) for node in before.nodes]
    assert type(facts) is ModuleFacts
    assert msgspec.msgpack.encode(facts) == msgspec.msgpack.encode(before)


def test_facts_that_sleep_have_no_other_attributes() -> None:
    facts = facts_of()
    Dormitory(most=0).add(facts)
    with pytest.raises(AttributeError, match="elsewhere"):
        _ = facts.elsewhere  # type: ignore[attr-defined]
    assert type(facts) is DormantFacts


def test_the_oldest_sleep_first() -> None:
    first, second = facts_of(), facts_of()
    dormitory = Dormitory(most=len(first.nodes) + len(first.sites))
    dormitory.add(first)
    assert type(first) is ModuleFacts
    dormitory.add(second)
    assert (type(first), type(second)) == (DormantFacts, ModuleFacts)


def test_small_facts_stay_awake() -> None:
    facts = facts_of(b"x = 1\n")
    Dormitory(most=0).add(facts)
    assert type(facts) is ModuleFacts


def test_what_is_asked_for_often_stays_awake() -> None:
    dormitory, facts, before = Dormitory(most=0), facts_of(), facts_of()
    slept = []
    for _ in range(6):
        dormitory.add(facts)
        slept.append(type(facts) is DormantFacts)
        assert (facts.nodes, facts.sites) == (before.nodes, before.sites)
    assert slept == [True, True, True, False, False, False]


HELPER = "import time\n\n\ndef wait(quick=False):\n    {}time.sleep(1)\n\n\ndef other():\n    return 1\n"
USER = "from helper import wait\n\n\nasync def main():\n    wait()\n"


def session_at(root: Path, **files: str) -> tuple[Session, list[Target]]:
    for name, text in files.items():
        (root / f"{name}.py").write_text(text, "utf-8")
    targets = [Target(root / f"{name}.py", f"{name}.py") for name in files]
    return Session(lambda _: Settings(root), SourceStore(), Options(cache=False)), targets


def test_bytes_of_files_without_findings_are_read_again(tmp_path: Path) -> None:
    session, (helper, user) = session_at(tmp_path, helper=HELPER.format(""), user=USER)
    assert session.check(helper) == ()
    kept = session.read(helper.path)
    assert kept is not None
    assert kept.data is None
    assert session.lowered(helper.path).data == HELPER.format("").encode()
    assert [found.code for found in session.check(user)] == ["AWL308"]
    assert session.texts().overlays == {user.path: USER.encode()}


@pytest.mark.parametrize("change", ["rewritten", "removed", "emptied"])
def test_nothing_is_concluded_from_a_file_that_changed_meanwhile(tmp_path: Path, change: str) -> None:
    text = HELPER.format("if not quick:\n        ")
    session, (helper, user) = session_at(tmp_path, helper=text, user=USER)
    assert session.check(helper) == ()
    if change == "removed":
        helper.path.unlink()
    else:
        helper.path.write_text(f"# a line more\n{text}" if change == "rewritten" else "", "utf-8")
    assert session.lowered(helper.path).data is None
    assert session.check(user) == ()
    assert session.internal_errors == []
    assert session.check(helper) == ()


def test_a_buffer_with_the_bytes_of_a_file_that_was_left_changes_nothing(tmp_path: Path) -> None:
    session, (helper, user) = session_at(tmp_path, helper=HELPER.format(""), user=USER)
    session.check(helper)
    session.refresh({helper.path: HELPER.format("").encode()})
    assert session.generation == 0
    session.refresh({helper.path: HELPER.format("return\n    ").encode()})
    assert session.generation == 1
    assert session.check(user) == ()
