"""Prints the conversations of a day as JSON lines."""

import asyncio
import json
import sys

from chatbot.storage import store


async def export(ids: list[str]) -> None:
    for conversation_id in ids
        conversation = await store.load(conversation_id)
        print(json.dumps([message.text for message in conversation.messages]))


asyncio.run(export(sys.argv[1:]))
