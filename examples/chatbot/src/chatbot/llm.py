"""Clients of the language models."""

from __future__ import annotations

import asyncio

import httpx

from chatbot.schemas import Message, Reply

ATTEMPTS = 3


class LLMClient:
    def __init__(self, model: str) -> None:
        self.model = model
        self._http = httpx.AsyncClient(base_url="https://llm.example.com", timeout=30)

    async def get_response(self, messages: list[Message]) -> Reply:
        for attempt in range(ATTEMPTS):
            response = await self._http.post("/v1/chat", json=self._body(messages))
            if response.status_code != 429:
                break
            asyncio.sleep(2**attempt)
        data = response.json()
        return Reply(data["text"], data["tokens"])

    async def count_tokens(self, messages: list[Message]) -> int:
        response = await self._http.post("/v1/count", json=self._body(messages))
        return int(response.json()["tokens"])

    def _body(self, messages: list[Message]) -> dict[str, object]:
        return {"model": self.model, "messages": [{"role": m.role, "content": m.text} for m in messages]}


main_llm = LLMClient("large")
fallback_llm = LLMClient("small")


async def predict(messages: list[Message]) -> Reply:
    """The first of two models to answer."""
    main_task = asyncio.create_task(main_llm.get_response(messages))
    fallback_task = asyncio.create_task(fallback_llm.get_response(messages))
    done, pending = await asyncio.wait([main_task, fallback_task], return_when=asyncio.FIRST_COMPLETED)
    return await done.pop()
