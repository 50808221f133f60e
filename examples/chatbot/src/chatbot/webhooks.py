"""What the chat platform calls."""

from __future__ import annotations

import logging

from fastapi import APIRouter, HTTPException
from langfuse import observe

from chatbot.schemas import Message
from chatbot.services import answer, find_user, record_event, summarize

log = logging.getLogger(__name__)
router = APIRouter()


@router.post("/webhook")
@observe(name="webhook")
async def webhook(payload: dict[str, str]) -> dict[str, object]:
    conversation_id = await payload.get("conversation_id")
    if not conversation_id:
        raise HTTPException(400, "conversation_id is missing")
    record_event("webhook", conversation_id)
    reply = await answer(Message(conversation_id, payload["text"]))
    return {"reply": reply.text, "tokens": reply.tokens}


@router.get("/conversations/{conversation_id}/summary")
@observe(name="summary")
async def summary(conversation_id: str):
    data = summarize(conversation_id)
    return data


@router.get("/users/{user_id}")
async def user(user_id: str) -> dict[str, str]:
    profile = find_user(user_id)
    log.info("profile of %s", user_id)
    return {"id": user_id, "name": profile["name"]}
