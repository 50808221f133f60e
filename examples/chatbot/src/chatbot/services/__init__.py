"""What the routes and the workers call."""

from chatbot.services.conversations import answer, summarize
from chatbot.services.users import find_user, record_event

__all__ = ["answer", "find_user", "record_event", "summarize"]
