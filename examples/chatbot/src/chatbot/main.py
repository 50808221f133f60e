"""The application: start-up, health and the routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chatbot.storage import store
from chatbot.tasks import start_workers, stop_workers, warm_up
from chatbot.webhooks import router


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    warm_up()
    workers = start_workers()
    yield
    await stop_workers(workers)
    await store.close()


app = FastAPI(lifespan=lifespan)
app.include_router(router)


@app.get("/health")
async def health() -> dict[str, str]:
    if store.ping():
        return {"status": "ok"}
    return {"status": "degraded"}
