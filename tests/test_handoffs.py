"""Hand-offs and factories against what is known of the standard library and of packages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from awaitlint.index.factories import COLUMNS as FACTORY_COLUMNS
from awaitlint.index.factories import FACTORIES, factories, read
from awaitlint.index.handoffs import COLUMNS, HANDOFFS, HandOff, HandOffs, Role, Slot, Taker, handoffs, slots
from awaitlint.index.rows import DataError, table
from awaitlint.infer.values import ClassValue
from tests.named import VERSIONS, Found, names

#: packages of which awaitlint brings no facts; checked in their documentation
UNBUNDLED = {"aiomisc", "chainlit", "curio", "distributed", "homeassistant", "nonebot", "twisted"}
BUNDLED = [hand for hand in handoffs().values() if hand.name.split(".")[0] not in UNBUNDLED]


def found(hand: HandOff) -> Found:
    definition = names().definition(hand.name)
    assert definition is not None, hand.name
    return definition


def test_the_files_are_sorted() -> None:
    rows = [fields for _, fields in table(HANDOFFS, COLUMNS)]
    assert rows == sorted(rows, key=lambda fields: fields[:2])
    rows = [fields for _, fields in table(FACTORIES, FACTORY_COLUMNS)]
    assert rows == sorted(rows, key=lambda fields: [*fields[:2], *fields[4:6]])


def test_every_role_and_taker_is_used() -> None:
    assert {hand.role for hand in handoffs().values()} == set(Role)
    assert {slot.taker for hand in handoffs().values() for slot in hand.slots} == set(Taker)


def test_names_exist() -> None:
    assert [hand.name for hand in BUNDLED if names().definition(hand.name) is None] == []
    assert {hand.name.split(".")[0] for hand in handoffs().values()} >= UNBUNDLED


def test_the_standard_library_has_them_in_every_version() -> None:
    standard = [hand for hand in BUNDLED if names().stdlib.has(hand.name.split(".")[0])]
    assert len(standard) > 40
    for hand in standard:
        assert all(names(version).definition(hand.name) for version in VERSIONS), hand.name


def test_slots_are_parameters_at_their_positions_or_methods() -> None:
    wrong = []
    for hand in BUNDLED:
        parameters = found(hand).parameters()
        for slot in hand.slots:
            if slot.taker is Taker.ARGUMENT and (slot.name, slot.position) not in parameters:
                wrong.append((hand.name, slot))
            if slot.taker is Taker.METHOD:
                assert isinstance(names().value(hand.name), ClassValue), hand.name
    assert not wrong


def test_keyword_only_slots_have_no_position() -> None:
    assert handoffs()["builtins.sorted"].slots == (Slot(Taker.ARGUMENT, "key"),)


@pytest.mark.parametrize(
    ("spelling", "role", "slot"),
    [
        ("asyncio.to_thread", Role.OFFLOAD, Slot(Taker.ARGUMENT, "func", 0)),
        ("asyncio.get_running_loop.run_in_executor", Role.OFFLOAD, Slot(Taker.ARGUMENT, "func", 1)),
        ("asgiref.sync.sync_to_async", Role.OFFLOAD, Slot(Taker.DECORATED, "")),
        ("anyio.to_thread.run_sync", Role.OFFLOAD, Slot(Taker.ARGUMENT, "func", 0)),
        ("fastapi.concurrency.run_in_threadpool", Role.OFFLOAD, Slot(Taker.ARGUMENT, "func", 0)),
        ("threading.Thread", Role.OFFLOAD, Slot(Taker.ARGUMENT, "target", 1)),
        ("threading.Thread", Role.OFFLOAD, Slot(Taker.METHOD, "run")),
        ("fastapi.BackgroundTasks.add_task", Role.OFFLOAD_IF_SYNC, Slot(Taker.ARGUMENT, "func", 0)),
        ("fastapi.APIRouter.get", Role.OFFLOAD_IF_SYNC, Slot(Taker.DECORATED, "")),
        ("fastapi.Depends", Role.OFFLOAD_IF_SYNC, Slot(Taker.ARGUMENT, "dependency", 0)),
        ("asyncio.get_event_loop.call_later", Role.SCHEDULE, Slot(Taker.ARGUMENT, "callback", 1)),
        ("functools.partial", Role.BIND, Slot(Taker.ARGUMENT, "func", 0)),
        ("sanic.Sanic.get", Role.LOOP, Slot(Taker.DECORATED, "")),
    ],
)
def test_spellings(spelling: str, role: Role, slot: Slot) -> None:
    hand = handoffs().spelled(spelling)
    assert hand is not None
    assert hand.role is role
    assert slot in hand.slots


@pytest.mark.parametrize("text", ["", "func@", "func@x", "a b c@", ".run@0", "@0", "1"])
def test_malformed_slots(text: str) -> None:
    with pytest.raises(ValueError, match="is not a slot"):
        slots(text)


@pytest.mark.parametrize(
    ("role", "slot", "message"),
    [("throw", "func@0", "the role `throw` is unknown"), ("bind", "-", "`-` is not")],
)
def test_a_malformed_row(tmp_path: Path, role: str, slot: str, message: str) -> None:
    path = tmp_path / "handoffs.tsv"
    path.write_text("\t".join(COLUMNS) + "\n" + f"a\tb\t\t{role}\t{slot}\t\t\n")
    with pytest.raises(DataError, match=r"handoffs\.tsv:2: " + re.escape(message)):
        HandOffs(path)


def test_factories() -> None:
    for factory in factories():
        definition = names().definition(factory.name)
        assert definition is not None, factory.name
        parameters = definition.parameters()
        assert (factory.parameter, factory.position) in parameters or ("args", 0) in parameters
        assert names().exists(factory.instead)
    client = next(each for each in factories() if each.name == "boto3.client")
    assert client.value == "*"
    assert client.blocks("get_object")
    assert not client.blocks("generate_presigned_url")
    base = names().class_of("botocore.client.BaseClient")
    assert base is not None
    assert {name for name in base.fact.bindings if not name.startswith("_")} <= client.methods | {"meta"}


def test_a_factory_of_resources() -> None:
    table_ = next(
        each
        for each in factories()
        if (each.name, each.value, each.path) == ("boto3.resource", "dynamodb", ("Table",))
    )
    assert table_.blocks("get_item")
    assert not table_.blocks("batch_writer")
    session = next(each for each in factories() if each.name == "boto3.session.Session.client")
    assert session.public == ("boto3.Session.client",)


@pytest.mark.parametrize(
    ("argument", "methods", "message"),
    [("name", "get", "`name` is not an argument"), ("name@0", "get-it", "are not names")],
)
def test_a_malformed_factory(tmp_path: Path, argument: str, methods: str, message: str) -> None:
    path = tmp_path / "factories.tsv"
    fields = ["a", "b", "", argument, "*", "", methods, "c", ""]
    path.write_text("\t".join(FACTORY_COLUMNS) + "\n" + "\t".join(fields) + "\n")
    with pytest.raises(DataError, match=r"factories\.tsv:2: .*" + re.escape(message)):
        read(path)
