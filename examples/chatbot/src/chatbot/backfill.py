"""Rewrites stored conversations: python -m chatbot.backfill ID..."""

from __future__ import annotations

import sys

from chatbot.storage import store


def rewrite(conversation_id: str) -> int:
    conversation = await store.load(conversation_id)
    await store.save(conversation)
    return len(conversation.messages)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(argument, rewrite(argument))
