"""The values that travel through the service."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Message:
    conversation_id: str
    text: str
    role: str = "user"


@dataclass(frozen=True)
class Reply:
    text: str
    tokens: int


@dataclass
class Conversation:
    id: str
    messages: list[Message] = field(default_factory=list)
