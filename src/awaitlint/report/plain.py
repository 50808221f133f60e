"""Text from the checked project, made harmless."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def one_line(text: str) -> str:
    """Text on one line, with nothing in it that could steer a terminal."""
    return _CONTROL.sub(lambda match: " " if match[0].isspace() else "\N{REPLACEMENT CHARACTER}", text)
