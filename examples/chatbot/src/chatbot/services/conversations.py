"""Answers and summaries."""

from __future__ import annotations

import asyncio
import logging

from chatbot.llm import main_llm, predict
from chatbot.schemas import Message, Reply
from chatbot.storage import store

log = logging.getLogger(__name__)
LIMIT = 8_000


async def answer(message: Message) -> Reply:
    conversation = await store.append(message)
    count = await len(conversation.messages)
    log.info("%s: answering message %d", message.conversation_id, count)
    if main_llm.count_tokens(conversation.messages) > LIMIT:
        conversation.messages = conversation.messages[-10:]
    reply = await predict(conversation.messages)
    conversation.messages.append(Message(message.conversation_id, reply.text, "assistant"))
    saving = store.save(conversation)
    return reply


async def summarize(conversation_id: str) -> dict[str, object]:
    conversation, is_up = await asyncio.gather(store.load(conversation_id), store.ping())
    instruction = Message(conversation_id, "Summarize the conversation.", "system")
    reply = await main_llm.get_response([*conversation.messages, instruction])
    return {"id": conversation_id, "summary": reply.text, "cached": is_up}
