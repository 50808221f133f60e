"""Frameworks that call what they are given as a plain function: where, and what becomes of a coroutine.

Names are as code reaches them, less the parentheses of calls (see `awaitlint.index.reached`).  What the
frameworks do was read in their released source: click 8.5, typer 0.29, Celery 5.7, invoke 3.0, schedule 1.2,
APScheduler 3.11, pydantic 2.14, SQLAlchemy 2.0, Django 6, Django REST framework 3.18, locust, nox, hydra
and ray.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class PlainCaller:
    """One that calls functions and does not await what they return."""

    #: how it is named in messages
    name: str
    #: what becomes of the coroutine
    consequence: str
    advice: str


@dataclass(frozen=True, slots=True)
class Methods:
    """Methods of subclasses that are called so."""

    caller: PlainCaller
    #: the classes
    owners: str
    #: the methods, a pattern
    names: str
    #: methods through which they are called: a class that has one of its own may await what they return
    through: frozenset[str] = frozenset()


_RUN = "make it a plain function that calls `asyncio.run(...)`"
_PLAIN = "make it a plain function"


def _command(name: str) -> PlainCaller:
    return PlainCaller(name, "the body never runs", _RUN)


CELERY = PlainCaller("Celery", "the task never runs", _RUN)
_CELERY_SIGNAL = PlainCaller("Celery", "the receiver never runs", _PLAIN)
_RAY = PlainCaller("ray", "it refuses the task with `ValueError`", _RUN)
_SCHEDULE = PlainCaller("schedule", "the job never runs", _RUN)
_APSCHEDULER = PlainCaller(
    "the scheduler",
    "the job never runs",
    "use `AsyncIOScheduler`, or a plain function that calls `asyncio.run(...)`",
)
_PYDANTIC = PlainCaller("pydantic", "the coroutine takes the place of the value", _PLAIN)
_SQLALCHEMY = PlainCaller("SQLAlchemy", "the listener never runs", _PLAIN)
_DJANGO = PlainCaller("Django", "a coroutine takes the place of the result", _PLAIN)
_DRF = PlainCaller(
    "Django REST framework", "it fails with `Expected a Response`", f"{_PLAIN}, or use the views of `adrf`"
)
UNITTEST = PlainCaller("unittest", "the body never runs", _PLAIN)
_CLEANUP = PlainCaller(
    "unittest", "the cleanup never runs", "use `addAsyncCleanup` of `unittest.IsolatedAsyncioTestCase`"
)

PYTEST = PlainCaller("pytest", "the hook does nothing", _PLAIN)
#: the consequence is that of an accessor
PROPERTY = PlainCaller("Python", "", "make it a method")

#: decorators; `flask` only where the project takes a version before 2
DECORATORS: tuple[tuple[PlainCaller, str], ...] = (
    (
        _command("click"),
        r"(?:rich_)?click\.(?:core\.)?(?:Group\.)?(?:command|group)",
    ),
    (_command("click"), r"flask\.(?:(?:Flask|Blueprint)\.cli|cli\.AppGroup)\.(?:command|group)"),
    (_command("typer"), r"typer\.(?:main\.)?Typer\.(?:command|callback)"),
    (_command("invoke"), r"(?:invoke|fabric)\.(?:tasks\.)?task"),
    (_command("nox"), r"nox\.session"),
    (_command("hydra"), r"hydra\.main"),
    (_command("locust"), r"locust\.task"),
    (_RAY, r"ray\.remote"),
    (CELERY, r"celery\.(?:app\.)?(?:(?:base\.)?Celery\.task|shared_task|current_app\.task)"),
    (_CELERY_SIGNAL, r"celery\.signals\.\w+\.connect"),
    (_SCHEDULE, r"schedule\.repeat"),
    (
        _APSCHEDULER,
        r"apscheduler\.schedulers\.(?:background\.BackgroundScheduler|blocking\.BlockingScheduler)\.scheduled_job",
    ),
    (
        _PYDANTIC,
        r"pydantic\.(?:\w+\.)*(?:(?:field_|root_|model_)?validator|(?:field|model)_serializer|computed_field)",
    ),
    (_SQLALCHEMY, r"sqlalchemy\.event\.(?:api\.)?listens_for"),
    (_DJANGO, r"django\.template\.Library\.(?:simple_tag|inclusion_tag|simple_block_tag|filter|tag)"),
    (_DJANGO, r"django\.contrib\.admin\.(?:decorators\.)?(?:action|display)"),
    (_DRF, r"rest_framework\.decorators\.api_view"),
)
FLASK = PlainCaller(
    "Flask before 2.0", "it fails with `TypeError`", f"require `flask[async]>=2`, or {_PLAIN}"
)
FLASK_DECORATORS = (
    r"flask\.(?:Flask|Blueprint)\.(?:route|before_request|after_request|errorhandler|before_first_request"
    r"|teardown_request|teardown_appcontext|context_processor|before_app_request|app_errorhandler)"
)
#: decorators between those and the function that leave it what it is
OPTIONS = (
    r"(?:rich_)?click\.(?:decorators\.)?(?:option|argument|pass_context|pass_obj|password_option"
    r"|confirmation_option|version_option|help_option)|flask\.cli\.with_appcontext"
    r"|pydantic\.(?:\w+\.)*(?:field_validator|validator|model_validator|field_serializer)"
)
#: distributions that make Celery await its tasks
ASYNC_CELERY = ("celery-aio-pool", "celery-pool-asyncio")
#: arguments of those decorators, and of the calls that made what they belong to, that change who calls
CHANGED_BY = frozenset({"cls", "base", "task_cls"})

#: calls that take a function: which argument, the name of the parameter
ARGUMENTS: tuple[tuple[PlainCaller, str, int, str], ...] = (
    (_command("typer"), r"typer\.(?:main\.)?run", 0, "function"),
    (_SCHEDULE, r"schedule\.(?:Scheduler\.)?every\.(?:\w+\.)*do", 0, "job_func"),
    (
        _APSCHEDULER,
        r"apscheduler\.schedulers\.(?:background\.BackgroundScheduler|blocking\.BlockingScheduler)\.add_job",
        0,
        "func",
    ),
    (_SQLALCHEMY, r"sqlalchemy\.event\.(?:api\.)?listen", 2, "fn"),
    (CELERY, r"celery\.(?:app\.base\.)?Celery\.task", 0, "fun"),
    (_CELERY_SIGNAL, r"celery\.signals\.\w+\.connect", 0, "receiver"),
    (_PYDANTIC, r"pydantic\.(?:\w+\.)*(?:Before|After|Plain|Wrap)Validator", 0, "func"),
    (_CLEANUP, r"unittest\.case\.TestCase\.addCleanup", 0, "function"),
)
#: the last names of those
ARGUMENT_NAMES = frozenset(
    {"run", "do", "add_job", "listen", "task", "connect", "addCleanup"}
    | {f"{when}Validator" for when in ("Before", "After", "Plain", "Wrap")}
)

#: test cases that call their hooks so
TEST_CASES = (
    r"unittest\.(?:case\.TestCase|async_case\.IsolatedAsyncioTestCase)"
    r"|django\.test\.(?:testcases\.)?(?:Simple|Transaction|LiveServer)?TestCase"
)
#: the hooks that an asynchronous test case has other ones for
ASYNC_HOOKS = {"setUp": "asyncSetUp", "tearDown": "asyncTearDown"}
#: what decides in a test case how its methods are called
RUNNERS = frozenset(
    {"run", "__call__", "debug", "_callSetUp", "_callTearDown", "_callTestMethod", "__init_subclass__"}
    | {"__getattribute__", "__new__"}
)
METHODS: tuple[Methods, ...] = (
    Methods(UNITTEST, TEST_CASES, r"setUp|tearDown|setUpClass|tearDownClass|setUpTestData", RUNNERS),
    Methods(
        PlainCaller("the thread", "the body never runs", _RUN),
        r"threading\.(?:Thread|Timer)|multiprocessing\.(?:process\.BaseProcess|context\.Process)",
        "run",
        frozenset({"start", "__init_subclass__"}),
    ),
    Methods(
        PlainCaller("logging", "the record is lost", _PLAIN),
        r"logging\.Handler",
        "emit",
        frozenset({"handle", "__init_subclass__"}),
    ),
    Methods(
        PlainCaller("the event loop", "the body never runs", f"{_PLAIN} that starts a task"),
        r"asyncio\.protocols\.\w+",
        r"connection_made|connection_lost|data_received|eof_received|datagram_received|error_received"
        r"|pause_writing|resume_writing|pipe_data_received|process_exited",
    ),
    Methods(
        PlainCaller("socketserver", "the request is not handled", _PLAIN),
        r"socketserver\.BaseRequestHandler",
        r"setup|handle|finish",
        frozenset({"__init__", "__init_subclass__"}),
    ),
    Methods(
        PlainCaller("http.server", "the request is not answered", _PLAIN),
        r"http\.server\.BaseHTTPRequestHandler",
        r"do_[A-Z]+",
        frozenset({"handle", "handle_one_request", "__init_subclass__"}),
    ),
    Methods(
        PlainCaller("Django", "it fails with `TypeError`", f"{_RUN}, or `async_to_sync`"),
        r"django\.core\.management\.(?:base\.)?BaseCommand",
        "handle",
        frozenset({"execute", "run_from_argv", "__init_subclass__"}),
    ),
    Methods(
        _DRF,
        r"rest_framework\.(?:views\.APIView|viewsets\.\w+|generics\.\w+)",
        r"get|post|put|patch|delete|list|create|retrieve|update|partial_update|destroy",
        frozenset({"dispatch", "as_view", "__init_subclass__"}),
    ),
    Methods(_PYDANTIC, r"pydantic\.(?:main\.)?BaseModel", "model_post_init"),
)
#: every name of them: what is cheap to ask first
METHOD_NAMES = "|".join(entry.names for entry in METHODS)


@cache
def pattern(text: str) -> re.Pattern[str]:
    """A pattern of this module, compiled once."""
    return re.compile(text)
