"""The table of packages: what inference makes of it, how it is read, and how it fails."""

from __future__ import annotations

import ast
import re
import struct
import zlib
from pathlib import Path

import msgspec
import pytest

from awaitlint.files.source import SourceStore
from awaitlint.index import facts as f
from awaitlint.index import packages
from awaitlint.index.lower import lower
from awaitlint.index.modules import Origin
from awaitlint.index.packages import TABLE, PackageLibrary, TableFile, package_library
from awaitlint.index.project import Project
from awaitlint.index.stdlib import standard_library
from awaitlint.index.table import PREAMBLE, TableError
from awaitlint.infer.describe import describe
from awaitlint.infer.engine import Inference

LARGEST = 5_250_000

#: each use of `reveal` with what it is, by package
REVEALED = {
    "httpx": """
        import httpx
        reveal(httpx.AsyncClient().get("x"))  # Coroutine[Response]
        reveal(httpx.get("x"))  # Response
        async def main(response: httpx.Response):
            async with httpx.AsyncClient() as client:
                reveal(await client.post("x"))  # Response
            reveal(response.aread())  # Coroutine[bytes]
        """,
    "httpx_sse": """
        import httpx, httpx_sse
        async def main():
            async with httpx_sse.aconnect_sse(httpx.AsyncClient(), "GET", "x") as source:
                reveal(source)  # EventSource
        """,
    "aiohttp": """
        import aiohttp
        async def main():
            async with aiohttp.ClientSession() as session:
                async with session.get("x") as response:
                    reveal(response)  # ClientResponse
                    reveal(response.text())  # Coroutine[str]
                reveal(session.close())  # Coroutine[None]
        """,
    "requests": """
        import requests
        reveal(requests.get("x"))  # Response
        reveal(requests.Session().post("x"))  # Response
        """,
    "websockets": """
        import websockets
        async def main():
            async with websockets.connect("x") as socket:
                reveal(socket.send("x"))  # Coroutine[None]
                reveal(socket.recv())  # Coroutine[str | bytes]
        """,
    "redis": """
        import redis.asyncio
        async def main():
            client = redis.asyncio.from_url("x")
            reveal(client.aclose())  # Coroutine[None]
            async with client.pipeline() as pipeline:
                reveal(pipeline.execute())  # Coroutine[list]
        """,
    "asyncpg": """
        import asyncpg
        reveal(asyncpg.connect("x"))  # Coroutine[Connection[Record]]
        async def main():
            pool = await asyncpg.create_pool("x")
            reveal(pool.fetch("x"))  # Coroutine[list[Record]]
            async with pool.acquire() as connection:
                reveal(connection.execute("x"))  # Coroutine[str]
        """,
    "psycopg": """
        import psycopg
        from psycopg_pool import AsyncConnectionPool
        reveal(psycopg.AsyncConnection.connect("x"))  # Coroutine[AsyncConnection]
        reveal(AsyncConnectionPool().open())  # Coroutine[None]
        """,
    "aiosqlite": """
        import aiosqlite
        async def main():
            async with aiosqlite.connect("x") as database:
                reveal(database.commit())  # Coroutine[None]
        """,
    "sqlalchemy": """
        from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
        sessions = async_sessionmaker(create_async_engine("x"))
        reveal(sessions())  # AsyncSession
        async def main(session: AsyncSession):
            reveal(session.commit())  # Coroutine[None]
            reveal(session.get(int, 1))  # Coroutine[int | None]
            reveal(session.add(1))  # None
            result = await session.execute("x")
            reveal(result.scalars())  # ScalarResult
        """,
    "sqlmodel": """
        from sqlmodel.ext.asyncio.session import AsyncSession
        async def main(session: AsyncSession):
            reveal(session.commit())  # Coroutine[None]
        """,
    "motor": """
        from motor.motor_asyncio import AsyncIOMotorClient
        found = AsyncIOMotorClient()["db"]["collection"].find_one()
        reveal(found)  # Coroutine[Mapping[str, Unknown] | None]
        """,
    "pymongo": """
        from pymongo import AsyncMongoClient
        client = AsyncMongoClient()
        reveal(client["db"]["collection"].find_one())  # Coroutine[Mapping[str, Unknown] | None]
        reveal(client.close())  # Coroutine[None]
        """,
    "databases": """
        from databases import Database
        reveal(Database("x").fetch_all("x"))  # Coroutine[list[Record]]
        """,
    "tortoise": """
        from tortoise.models import Model
        class User(Model): ...
        reveal(User.create())  # Coroutine[User]
        """,
    "beanie": """
        from beanie import Document
        class User(Document): ...
        reveal(User.get(1))  # Coroutine[User | None]
        """,
    "neo4j": """
        from neo4j import AsyncGraphDatabase
        reveal(AsyncGraphDatabase.driver("x").verify_connectivity())  # Coroutine[None]
        """,
    "elasticsearch": """
        from elasticsearch import AsyncElasticsearch
        reveal(AsyncElasticsearch().search())  # Coroutine[ObjectApiResponse]
        reveal(AsyncElasticsearch().indices.create(index="x"))  # Coroutine[ObjectApiResponse]
        """,
    "weaviate": """
        import weaviate
        reveal(weaviate.use_async_with_local().connect())  # Coroutine[None]
        """,
    "chromadb": """
        import chromadb
        reveal(chromadb.AsyncHttpClient())  # Coroutine[AsyncClientAPI]
        """,
    "openai": """
        import openai
        client = openai.AsyncOpenAI()
        reveal(client.chat.completions.create(model="m", messages=[]))  # Coroutine[ChatCompletion]
        reveal(client.embeddings.create(model="m", input="x"))  # Coroutine[CreateEmbeddingResponse]
        reveal(openai.OpenAI().chat.completions.create(model="m", messages=[]))  # ChatCompletion
        """,
    "anthropic": """
        from anthropic import AsyncAnthropic
        client = AsyncAnthropic()
        reveal(client.messages.create(model="m", max_tokens=1, messages=[]))  # Coroutine[Message]
        async def main():
            async with client.messages.stream(model="m", max_tokens=1, messages=[]) as stream:
                reveal(stream.get_final_message())  # Coroutine[ParsedMessage]
        """,
    "google": """
        from google import genai
        from google.cloud import firestore
        models = genai.Client().aio.models
        reveal(models.generate_content(model="m", contents="x"))  # Coroutine[GenerateContentResponse]
        document = firestore.AsyncClient().collection("a").document("b")
        reveal(document.get())  # Coroutine[DocumentSnapshot[AsyncDocumentReference]]
        """,
    "cohere": """
        import cohere
        reveal(cohere.AsyncClientV2().chat(model="m", messages=[]))  # Coroutine[V2ChatResponse]
        """,
    "groq": """
        from groq import AsyncGroq
        reveal(AsyncGroq().chat.completions.create(model="m", messages=[]))  # Coroutine[ChatCompletion]
        """,
    "agents": """
        from agents import Runner
        reveal(Runner.run(1, "x"))  # Coroutine[RunResult]
        """,
    "pydantic_ai": """
        from pydantic_ai import Agent
        reveal(Agent("x").run("x"))  # Coroutine[AgentRunResult]
        reveal(Agent("x").run_sync("x"))  # AgentRunResult
        """,
    "mcp": """
        from mcp import ClientSession
        async def main(session: ClientSession):
            reveal(session.initialize())  # Coroutine[InitializeResult]
            reveal(session.call_tool("x"))  # Coroutine[CallToolResult]
        """,
    "fastapi": """
        from fastapi import UploadFile, WebSocket
        async def main(socket: WebSocket, upload: UploadFile):
            reveal(socket.accept())  # Coroutine[None]
            reveal(upload.read())  # Coroutine[bytes]
        """,
    "starlette": """
        from starlette.requests import Request
        async def main(request: Request):
            reveal(request.body())  # Coroutine[bytes]
        """,
    "quart": """
        from quart import Quart
        reveal(Quart("x").run_task())  # Coroutine[None]
        """,
    "channels": """
        from channels.generic.websocket import AsyncWebsocketConsumer
        class Consumer(AsyncWebsocketConsumer):
            async def connect(self):
                reveal(self.accept())  # Coroutine[None]
        """,
    "asgiref": """
        from asgiref.sync import sync_to_async
        def load() -> int: ...
        reveal(sync_to_async(load)())  # Coroutine[int]
        """,
    "strawberry": """
        import strawberry
        reveal(strawberry.Schema(1).execute("q"))  # Coroutine[ExecutionResult]
        """,
    "uvicorn": """
        import uvicorn
        reveal(uvicorn.Server(uvicorn.Config("x")).serve())  # Coroutine[None]
        """,
    "anyio": """
        import anyio
        def load() -> int: ...
        reveal(anyio.sleep(1))  # Coroutine[None]
        reveal(anyio.to_thread.run_sync(load))  # Coroutine[int]
        """,
    "trio": """
        import trio
        reveal(trio.sleep(1))  # Coroutine[None]
        reveal(trio.to_thread.run_sync(print))  # Coroutine[None]
        """,
    "aiofiles": """
        import aiofiles
        async def main():
            async with aiofiles.open("x") as file:
                reveal(file.read())  # Coroutine[str]
        """,
    "tenacity": """
        from tenacity import retry, stop_after_attempt
        @retry(stop=stop_after_attempt(3))
        async def load() -> int: ...
        reveal(load())  # Coroutine[int]
        """,
    "nats": """
        import nats
        async def main():
            client = await nats.connect()
            reveal(client.publish("x", b""))  # Coroutine[None]
        """,
    "aio_pika": """
        import aio_pika
        reveal(aio_pika.connect_robust("x"))  # Coroutine[RobustConnection]
        """,
    "aiokafka": """
        from aiokafka import AIOKafkaProducer
        producer = AIOKafkaProducer()
        reveal(producer.start())  # Coroutine[None]
        reveal(producer.send_and_wait("t", b""))  # Coroutine[Unknown]
        """,
    "arq": """
        import arq
        async def main():
            pool = await arq.create_pool()
            reveal(pool.enqueue_job("x"))  # Coroutine[Job | None]
        """,
    "saq": """
        from saq import Queue
        reveal(Queue.from_url("x").enqueue("t"))  # Coroutine[Job | None]
        """,
    "apscheduler": """
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        reveal(AsyncIOScheduler().add_job(print))  # Job
        """,
    "socketio": """
        import socketio
        reveal(socketio.AsyncServer().emit("x"))  # Coroutine[None]
        """,
    "discord": """
        import discord
        reveal(discord.Client().close())  # Coroutine[None]
        async def main(message: discord.Message):
            reveal(message.delete())  # Coroutine[None]
        """,
    "telegram": """
        import telegram
        reveal(telegram.Bot("t").send_message(1, "x"))  # Coroutine[Message]
        async def main(update: telegram.Update):
            reveal(update.message.reply_text("x"))  # Coroutine[Message]
        """,
    "aiogram": """
        from aiogram import Bot
        reveal(Bot("t").send_message(1, "x"))  # Coroutine[Message]
        """,
    "slack_sdk": """
        from slack_sdk.web.async_client import AsyncWebClient
        reveal(AsyncWebClient().chat_postMessage(channel="c"))  # Coroutine[AsyncSlackResponse]
        """,
    "playwright": """
        from playwright.async_api import async_playwright
        async def main():
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch()
                page = await browser.new_page()
                reveal(page.goto("x"))  # Coroutine[Response | None]
                reveal(page.locator("x").click())  # Coroutine[None]
        """,
    "temporalio": """
        from temporalio.client import Client
        reveal(Client.connect("x"))  # Coroutine[Client]
        """,
    "azure": """
        from azure.cosmos.aio import CosmosClient
        from azure.identity.aio import DefaultAzureCredential
        from azure.servicebus.aio import ServiceBusClient
        reveal(DefaultAzureCredential().get_token("x"))  # Coroutine[AccessToken]
        reveal(CosmosClient("a").create_database("x"))  # Coroutine[DatabaseProxy]
        sender = ServiceBusClient("a", "b").get_queue_sender("q")
        reveal(sender.send_messages("m"))  # Coroutine[None]
        """,
    "grpc": """
        import grpc
        reveal(grpc.aio.insecure_channel("x").close())  # Coroutine[None]
        """,
    "gcloud": """
        from gcloud.aio.storage import Storage
        reveal(Storage().upload("a", "b", "c"))  # Coroutine[dict[str, Unknown]]
        """,
    "supabase": """
        import supabase
        reveal(supabase.acreate_client("a", "b"))  # Coroutine[AsyncClient]
        """,
    "aiosmtplib": """
        import aiosmtplib
        reveal(aiosmtplib.send("m"))  # Coroutine[tuple[dict[str, SMTPResponse], str]]
        """,
    "bleak": """
        from bleak import BleakClient
        reveal(BleakClient("x").connect())  # Coroutine[None]
        """,
    "zeroconf": """
        from zeroconf.asyncio import AsyncZeroconf
        reveal(AsyncZeroconf().async_close())  # Coroutine[None]
        """,
    "janus": """
        import janus
        reveal(janus.Queue().close())  # None
        reveal(janus.Queue().wait_closed())  # Coroutine[None]
        """,
    "tornado": """
        from tornado.httpclient import AsyncHTTPClient
        reveal(AsyncHTTPClient().fetch("x"))  # Future[HTTPResponse]
        """,
}


def revealed(source: str) -> list[tuple[int, str]]:
    """(line, description) of what is revealed in a text, with the bundled packages at hand."""
    data = source.encode()
    path = Path("/project/main.py")
    project = Project(
        path.parent,
        [],
        SourceStore(),
        standard_library((3, 12)),
        lambda each: lower(ast.parse(data), data) if each == path else None,
        packages=package_library(),
    )
    module = project.module_at(path)
    assert module is not None
    infer, nodes = Inference(project), module.facts.nodes
    found = []
    for site in module.facts.sites:
        call = nodes[site.node]
        if isinstance(call, f.Call) and nodes[call.func] == f.Name("reveal"):
            found.append((site.line, describe(infer, infer.value(module, call.args[0]))))
    return sorted(found)


@pytest.mark.parametrize("package", REVEALED)
def test_revealed(package: str) -> None:
    source = re.sub(r"^ {8}", "", REVEALED[package], flags=re.MULTILINE)
    expected = [
        (number, line.partition("  # ")[2])
        for number, line in enumerate(source.splitlines(), 1)
        if "reveal(" in line
    ]
    assert expected
    assert revealed(source) == expected
    assert package_library().has(package)


# ---------------------------------------------------------------------- the interface
def test_modules_and_packages() -> None:
    library = package_library()
    assert library.has("redis.asyncio.client")
    assert library.is_package("redis.asyncio")
    assert not library.is_package("redis.asyncio.client")
    assert not library.is_package("redis.nothing")
    assert not library.has("no_such_package")
    assert not library.has("asyncio")
    assert library.module("no_such_package") is None
    assert library.module("redis.nothing") is None
    assert {"aiohttp", "google", "httpx", "redis"} <= library.top_level
    assert library.versions["httpx"].split(".") >= ["0", "28"]
    assert len(library.versions) > 200


def test_namespaces_hold_nothing() -> None:
    library = package_library()
    for name in ("google", "google.cloud", "azure"):
        assert library.is_package(name)
        facts = library.module(name)
        assert facts is not None
        assert facts.scopes[0].bindings == {}


def test_stubs_are_told_apart() -> None:
    library = package_library()
    assert library.is_stub("aiofiles")
    assert library.is_stub("asyncpg.connection")
    assert not library.is_stub("redis.client")
    assert not library.is_stub("no_such_package")
    project = Project(
        Path("/project"), [], SourceStore(), standard_library((3, 12)), lambda _: None, packages=library
    )
    stub, module = project.installed("aiofiles"), project.installed("redis.client")
    assert stub is not None
    assert module is not None
    assert (stub.is_stub, module.is_stub) == (True, False)
    assert module.origin is Origin.BUNDLED
    typing = project.stdlib_module("typing")
    assert typing is not None
    assert typing.is_stub


def test_one_instance() -> None:
    assert package_library() is package_library()


def test_reads_only_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[tuple[int, int]] = []
    read = TableFile.read

    def counted(self: TableFile, offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return read(self, offset, length)

    monkeypatch.setattr(TableFile, "read", counted)
    library = PackageLibrary()
    assert reads == []
    assert library.has("httpx._client")
    assert len(reads) == 1
    first = library.module("httpx._client")
    assert library.module("httpx._client") is first
    assert len(reads) == 2
    # the whole package stands in one chunk
    assert library.module("httpx") is not None
    assert len(reads) == 2
    assert library.module("anyio") is not None
    assert len(reads) == 4
    library.has("none")
    assert len(reads) == 4


def test_few_chunks_are_kept() -> None:
    library = PackageLibrary()
    for name in sorted(library.top_level)[: 2 * packages._RECENT]:
        library.module(name)
    assert len(library._file._recent) == packages._RECENT


def test_size() -> None:
    assert TABLE.stat().st_size < LARGEST


# ---------------------------------------------------------------------- damage
def parts_of(data: bytes) -> tuple[packages.Header, bytes]:
    _, _, length, _ = PREAMBLE.unpack_from(data)
    end = PREAMBLE.size + length
    return msgspec.msgpack.decode(data[PREAMBLE.size : end], type=packages.Header), data[end:]


def table_of(header: packages.Header, body: bytes) -> bytes:
    data = msgspec.msgpack.encode(header)
    layout = packages.LAYOUT
    return PREAMBLE.pack(layout.magic, layout.container, len(data), zlib.crc32(data)) + data + body


def damaged(how: str) -> bytes:
    data = TABLE.read_bytes()
    header, body = parts_of(data)
    if how == "empty":
        return b""
    if how == "magic":
        return b"AWLSTD\r\n" + data[8:]
    if how == "container":
        return data[:8] + struct.pack("<I", packages.LAYOUT.container + 1) + data[12:]
    if how == "schema":
        return table_of(msgspec.structs.replace(header, schema=f.SCHEMA + 1), body)
    if how == "header":
        return data[: PREAMBLE.size + 2] + b"\xff" + data[PREAMBLE.size + 3 :]
    assert how == "truncated"
    return data[:-1]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("empty", "is not a table of package facts"),
        ("magic", "is not a table of package facts"),
        ("container", f"has layout {packages.LAYOUT.container + 1}"),
        ("schema", f"holds facts of schema {f.SCHEMA + 1}, and this awaitlint has schema {f.SCHEMA}"),
        ("header", "has a damaged header"),
        ("truncated", "bytes instead of"),
    ],
)
def test_damaged_table(tmp_path: Path, how: str, message: str) -> None:
    path = tmp_path / "table.bin"
    path.write_bytes(damaged(how))
    with pytest.raises(TableError) as caught:
        PackageLibrary(path)
    assert str(caught.value).startswith(f"internal error: {path} ")
    assert message in str(caught.value)
    assert str(caught.value).endswith("make packages)")


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read: No such file or directory"):
        PackageLibrary(tmp_path / "table.bin")


def test_table_that_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "table.bin"
    path.write_bytes(TABLE.read_bytes())
    library = PackageLibrary(path)
    path.unlink()
    with pytest.raises(TableError, match="cannot be read: No such file or directory"):
        library.has("httpx")


def test_damaged_chunk(tmp_path: Path) -> None:
    header, body = parts_of(TABLE.read_bytes())
    offset, length = TableFile(TABLE).index("httpx")["httpx"].chunk
    middle = offset + length // 2
    path = tmp_path / "table.bin"
    path.write_bytes(table_of(header, body[:middle] + b"\0\xff\0\xff" + body[middle + 4 :]))
    library = PackageLibrary(path)
    assert library.module("anyio") is not None
    with pytest.raises(TableError, match=r"is damaged at byte \d+"):
        library.module("httpx")


def chunk_of(record: object, **fields: object) -> bytes:
    """A table whose package ``httpx`` is one module that holds a record."""
    header, _ = parts_of(TABLE.read_bytes())
    data = msgspec.msgpack.encode(record)
    stream = zlib.compress(data)
    values = {"offset": 0, "length": len(stream), "names": ("",), "sizes": (len(data),), "flags": (1,)}
    index = zlib.compress(msgspec.msgpack.encode([packages.Chunk(**values | fields)]))
    places = {"httpx": (len(stream), len(index))}
    body = stream + index
    return table_of(msgspec.structs.replace(header, size=len(body), packages=places), body)


ROOT = [0, "", -1]


@pytest.mark.parametrize(
    ("record", "fields", "message"),
    [
        ([[], [ROOT]], {}, ""),
        ([1, 2], {}, "has damaged facts for httpx: Expected `array`"),
        ([[[99]], [ROOT]], {}, "has damaged facts for httpx: Invalid value 99"),
        ([[], [ROOT, [2, "f", 1]]], {}, "has damaged facts for httpx: scope 1 stands in scope 1"),
        ([[], [[3, "", -1, [["x", "normal"]]]]], {}, "has damaged facts for httpx"),
        ([[], [ROOT]], {"names": ("", ".x")}, "has a damaged index of httpx: names and sizes do not match"),
        ([[], [ROOT]], {"flags": ("",)}, "has a damaged index of httpx: Expected `int`"),
        ([[], [ROOT]], {"sizes": (3,)}, "has damaged facts for httpx: Input data was truncated"),
    ],
)
def test_streams_of_another_shape(
    tmp_path: Path, record: object, fields: dict[str, object], message: str
) -> None:
    """Streams that decompress and do not hold what they should."""
    path = tmp_path / "table.bin"
    path.write_bytes(chunk_of(record, **fields))
    library = PackageLibrary(path)
    if not message:
        assert library.module("httpx") == f.ModuleFacts(
            nodes=list(packages.FIRST_NODES),
            scopes=[f.Scope(kind=f.ScopeKind.MODULE, name="", qualname="", parent=-1)],
            sites=[],
        )
        return
    with pytest.raises(TableError, match=re.escape(message)):
        library.module("httpx")
