"""What a run keeps: facts and findings, and nothing of the work that led to them."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from awaitlint.config.settings import Settings
from awaitlint.engine.check import check_file
from awaitlint.engine.options import Options
from awaitlint.engine.session import Session
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.index.lower import lower
from awaitlint.index.recent import Recent
from awaitlint.syntax.parse import parse

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"""\
import asyncio
import time


async def work(values):
    for value in values:
        time.sleep(value)
    if hasattr(values, "__await__"):
        asyncio.sleep(1)
    return [value for value in values]
"""


def test_lowering_leaves_only_facts_behind() -> None:
    lower(parse(TEXT), TEXT)
    gc.collect()
    gc.disable()
    try:
        facts = lower(parse(TEXT), TEXT)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert facts.sites


def test_a_check_leaves_no_visitors_behind(tmp_path: Path) -> None:
    from awaitlint.engine.check import Guard  # noqa: PLC0415
    from awaitlint.rulekit.context import ModuleContext  # noqa: PLC0415

    path = tmp_path / "work.py"
    path.write_bytes(TEXT)
    session = Session(lambda _: Settings(tmp_path), SourceStore(), Options(cache=False))

    def alive() -> list[object]:
        return [each for each in gc.get_objects() if isinstance(each, (Guard, ModuleContext))]

    gc.collect()
    gc.disable()
    try:
        # those of other tests, which something still refers to
        before = alive()
        checked = check_file(session, Target(path, "work.py"))
        left = alive()
    finally:
        gc.enable()
    assert len(checked.found) > 1
    assert len(left) == len(before)


def test_what_was_asked_for_last_is_kept() -> None:
    recent: Recent[int, str] = Recent(2)
    for number in range(4):
        recent.put(number, str(number))
        assert recent.get(0 if number < 3 else number) == str(0 if number < 3 else number)
    assert recent.get(1) is None
    assert recent.get(0) == "0"
