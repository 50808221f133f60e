"""Profiles and the event log."""

from __future__ import annotations

import redis
from redis.asyncio import Redis

profiles = Redis.from_url("redis://localhost:6379/1", decode_responses=True)
events = redis.Redis.from_url("redis://localhost:6379/2")


async def find_user(user_id: str) -> dict[str, str]:
    profile: dict[str, str] = await profiles.hgetall(f"user:{user_id}")
    return profile or {"name": "guest"}


async def is_blocked(user_id: str) -> bool:
    return bool(await profiles.sismember("blocked", user_id))


async def record_event(kind: str, subject: str) -> None:
    events.lpush(f"events:{kind}", subject)


async def greeting(user_id: str) -> str:
    if is_blocked(user_id):
        return "This account is blocked."
    return f"Hello, {find_user(user_id)}!"
