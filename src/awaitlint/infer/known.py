"""Functions and decorators whose effect is known by name.

Names are qualified; of a package whose code is not at hand they are as it was reached, less the
parentheses of calls: ``@app.get("/")`` on an ``app = fastapi.FastAPI()`` is ``fastapi.FastAPI.get``.
"""

from __future__ import annotations

import re
from functools import cache

from awaitlint.index.special import TYPING_MODULES

#: classes whose call makes a type variable
TYPE_VARIABLES = frozenset(
    {f"{module}.{name}" for module in TYPING_MODULES for name in ("TypeVar", "ParamSpec", "TypeVarTuple")}
)

PROPERTIES = frozenset(
    {
        "builtins.property",
        "functools.cached_property",
        "abc.abstractproperty",
        "enum.property",
        "types.DynamicClassAttribute",
    }
)
CONTEXT_MANAGERS = {
    "contextlib.contextmanager": False,
    "contextlib.asynccontextmanager": True,
}

#: stands in the path of an `External` behind the kind of object that a factory made: ``boto3.client(s3!)``
MADE = "!"
#: functions that make objects of classes which stand in no source, by qualified name
MAKERS = {
    "boto3.client": "boto3.client",
    "boto3.resource": "boto3.resource",
    "boto3.session.Session.client": "boto3.client",
    "boto3.session.Session.resource": "boto3.resource",
}
#: the last names of those
MAKER_NAMES = frozenset(name.rpartition(".")[2] for name in MAKERS)

#: classes whose methods queue a command and give the object itself, though they are declared awaitable
QUEUES = frozenset(
    {
        "redis.asyncio.client.Pipeline",
        "redis.asyncio.cluster.ClusterPipeline",
        "redis.asyncio.multidb.client.Pipeline",
        "redis.commands.json.Pipeline",
        "redis.commands.search.AsyncPipeline",
        "redis.commands.timeseries.Pipeline",
    }
)

#: methods of containers that give an item
GETTERS = frozenset({"pop", "popleft", "get", "setdefault"})

#: decorators of the standard library that leave a function what it is
_STDLIB_TRANSPARENT = frozenset(
    {
        "abc.abstractmethod",
        "atexit.register",
        "functools.cache",
        "functools.lru_cache",
        "functools.singledispatch",
        "functools.total_ordering",
        "functools.update_wrapper",
        "functools.wraps",
        "typing.dataclass_transform",
        "typing.final",
        "typing.no_type_check",
        "typing.override",
        "typing.type_check_only",
        "typing.overload",
        "typing_extensions.dataclass_transform",
        "typing_extensions.deprecated",
        "typing_extensions.final",
        "typing_extensions.overload",
        "typing_extensions.override",
        "unittest.case.expectedFailure",
        "unittest.case.skip",
        "unittest.case.skipIf",
        "unittest.case.skipUnless",
        "unittest.mock._patcher",
        "unittest.mock.patch",
        "warnings.deprecated",
    }
)

_METHODS = "get|post|put|patch|delete|head|options|trace"
_ROUTES = f"{_METHODS}|route|websocket|websocket_route|api_route|middleware|exception_handler|on_event"
_HOOKS = "before_request|after_request|before_serving|after_serving|errorhandler"
#: the same for packages: each leaves an ``async def`` a function whose call gives a coroutine
_PACKAGE_TRANSPARENT = rf"""
      fastapi\.(?:FastAPI|APIRouter|applications\.FastAPI|routing\.APIRouter)\.(?:{_ROUTES})
    | starlette\.applications\.Starlette\.(?:{_ROUTES})
    | aiohttp\.web\.RouteTableDef\.(?:{_ROUTES}|view)
    | aiohttp\.web\.middleware
    | quart\.(?:Quart|Blueprint)\.(?:{_ROUTES}|{_HOOKS})
    | sanic\.(?:Sanic|Blueprint)\.(?:{_ROUTES}|listener|on_request|on_response|exception)
    | flask\.(?:Flask|Blueprint)\.(?:{_ROUTES}|{_HOOKS})
    | robyn\.Robyn\.(?:{_ROUTES})
    | socketio\.AsyncServer\.(?:event|on)
    | discord\.(?:Client|Bot|ext\.commands\.Bot|ext\.commands\.AutoShardedBot)\.(?:event|listen)
    | discord\.ext\.commands\.(?:Bot\.)?(?:event|Cog\.listener)
    | langfuse\.(?:observe|decorators\.observe)
    | langsmith\.traceable | opik\.track | mlflow\.trace | weave\.op
    | logfire\.(?:instrument|Logfire\.instrument)
    | ddtrace\.tracer\.wrap | sentry_sdk\.(?:trace|tracing\.trace)
    | tenacity\.retry | backoff\.(?:on_exception|on_predicate) | stamina\.retry
    | aiocache\.cached | async_lru\.alru_cache
    | pytest\.mark\.[\w.]+ | hypothesis\.(?:given|settings|example)
    | typer\.Typer\.(?:command|callback)
    """

#: decorators that make an endpoint: what the function returns goes to the framework
_HANDLER_METHODS = f"{_METHODS}|route|api_route"
_HANDLERS = rf"""
      (?P<framework>fastapi)\.(?:FastAPI|APIRouter|applications\.FastAPI|routing\.APIRouter)\.(?:{_HANDLER_METHODS})
    | (?P<starlette>starlette)\.applications\.Starlette\.(?:route)
    | (?P<aiohttp>aiohttp)\.web\.RouteTableDef\.(?:{_HANDLER_METHODS}|view)
    | (?P<litestar>litestar)\.(?:{_HANDLER_METHODS}|handlers\.(?:{_HANDLER_METHODS}))
    | (?P<quart>quart)\.(?:Quart|Blueprint)\.(?:{_HANDLER_METHODS})
    | (?P<sanic>sanic)\.(?:Sanic|Blueprint)\.(?:{_HANDLER_METHODS})
    | (?P<flask>flask)\.(?:Flask|Blueprint)\.(?:{_HANDLER_METHODS})
    """
#: classes whose (abstract) methods are handlers: View classes
FRAMEWORK_NAMES = {
    "fastapi": "FastAPI",
    "starlette": "Starlette",
    "aiohttp": "aiohttp",
    "litestar": "Litestar",
    "quart": "Quart",
    "sanic": "Sanic",
    "flask": "Flask",
    "django": "Django",
}


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Compiled where a package's decorator turns up: that takes longer than importing this module."""
    return re.compile(text, re.VERBOSE)


def _plain(path: str) -> str:
    """A path of an `External` value less the parentheses of calls."""
    return path.replace("()", "")


def is_transparent(path: str) -> bool:
    """Whether a decorator, named by its qualified name or external path, leaves a function what it is."""
    name = _plain(path)
    return name in _STDLIB_TRANSPARENT or _pattern(_PACKAGE_TRANSPARENT).fullmatch(name) is not None


def handler_framework(path: str) -> str | None:
    """The framework (its display name) of a decorator that makes a web handler, or None."""
    name = _plain(path)
    match = _pattern(_HANDLERS).fullmatch(name)
    return FRAMEWORK_NAMES[name.partition(".")[0]] if match is not None else None
