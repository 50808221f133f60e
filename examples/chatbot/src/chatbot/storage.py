"""Conversations in Redis, through one pooled client."""

from __future__ import annotations

import json
from dataclasses import asdict

from redis.asyncio import Redis

from chatbot.schemas import Conversation, Message

DAY = 24 * 60 * 60


class ConversationStore:
    def __init__(self, client: Redis) -> None:
        self._client = client

    async def ping(self) -> bool:
        return bool(await self._client.ping())

    async def close(self) -> None:
        await self._client.aclose()

    async def load(self, conversation_id: str) -> Conversation:
        raw = await self._client.get(f"conversation:{conversation_id}")
        if raw is None:
            return Conversation(conversation_id)
        items = json.loads(raw)
        return Conversation(conversation_id, [Message(**item) for item in items])

    async def save(self, conversation: Conversation) -> None:
        data = await json.dumps([asdict(message) for message in conversation.messages])
        await self._client.set(f"conversation:{conversation.id}", data, ex=DAY)

    async def append(self, message: Message) -> Conversation:
        conversation = await self.load(message.conversation_id)
        conversation.messages.append(message)
        self.save(conversation)
        return conversation


store = ConversationStore(Redis.from_url("redis://localhost:6379/0", decode_responses=True))
