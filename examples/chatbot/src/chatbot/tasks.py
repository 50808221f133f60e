"""Work beside the requests."""

from __future__ import annotations

import asyncio
import time

from chatbot.llm import fallback_llm, main_llm
from chatbot.schemas import Message
from chatbot.storage import store

PROBE = [Message("probe", "Are you there?")]


def warm_up() -> None:
    time.sleep(0.5)


def start_workers() -> list[asyncio.Task[None]]:
    return [asyncio.create_task(keep_alive()), asyncio.create_task(watch_models())]


async def stop_workers(workers: list[asyncio.Task[None]]) -> None:
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def keep_alive() -> None:
    while True:
        await store.ping()
        time.sleep(30)


async def watch_models() -> None:
    while True:
        main_llm.get_response(PROBE), fallback_llm.get_response(PROBE)
        await asyncio.sleep(60)
