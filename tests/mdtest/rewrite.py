"""Rewritings of a source under which the findings are known in advance."""

from __future__ import annotations

import io
import itertools
import re
import tokenize

from mdtest.expect import without_expectations

#: Where awaitables come from when no ``async def`` makes them; `_` is appended, and nothing is known of them.
_ASYNC_NAMES = re.compile(
    r"\b(?:asyncio|anyio|trio|aiohttp|Async\w+|async_\w+|Awaitable\w*|Coroutine\w*|CoroutineType"
    r"|IsolatedAsyncioTestCase|aclosing|__await__|__anext__|coroutine)\b"
)
_IN_STRING = re.compile(r"\b(?:await|async) +")


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def without_async(text: str) -> str:
    """The source as synchronous code: without the keywords, and without modules and types that are async.

    Raises `tokenize.TokenError` or `SyntaxError` where the source cannot be read as tokens.
    """
    lines = text.split("\n")
    tokens = _tokens(text)
    for token, after in reversed(list(itertools.pairwise(tokens))):
        row, column = token.start
        line = lines[row - 1]
        if token.type == tokenize.NAME and token.string in {"async", "await"}:
            end = after.start[1] if after.start[0] == row else token.end[1]
            lines[row - 1] = line[:column] + line[end:]
        elif (
            token.type == tokenize.STRING and token.start[0] == token.end[0] and "f" in _prefix(token.string)
        ):
            # before Python 3.12 an f-string is one token
            inner = _IN_STRING.sub("", token.string)
            lines[row - 1] = line[:column] + inner + line[token.end[1] :]
    return _ASYNC_NAMES.sub(r"\g<0>_", "\n".join(lines))


def _prefix(string: str) -> str:
    return string[: min(string.find(quote) for quote in "'\"" if quote in string)].lower()


def with_noqa(text: str) -> str:
    """The source with ``# noqa`` at the end of every line that holds code and can hold a comment.

    Raises `tokenize.TokenError` or `SyntaxError` where the source cannot be read as tokens.
    """
    text = without_expectations(text)
    lines = text.split("\n")
    ends = {t.start[0] for t in _tokens(text) if t.type in {tokenize.NEWLINE, tokenize.NL}}
    for row in ends:
        line = lines[row - 1] if row <= len(lines) else ""
        if line.strip():
            lines[row - 1] = f"{line}  # noqa"
    return "\n".join(lines)
