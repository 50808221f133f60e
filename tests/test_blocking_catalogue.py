"""The catalogue of blocking calls against what is known of the standard library and of packages."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from awaitlint.index import facts as f
from awaitlint.index.blocking import (
    BLOCKING,
    COLUMNS,
    BlockingCall,
    Catalogue,
    Check,
    Condition,
    Kind,
    On,
    Severity,
    State,
    catalogue,
    conditions,
)
from awaitlint.index.rows import ANY, DataError, table
from awaitlint.infer.values import ClassValue
from tests.named import VERSIONS, Found, names, packaged

#: packages of which awaitlint brings no facts, and where the entries were checked
UNBUNDLED = {
    **dict.fromkeys(
        (
            *("argon2", "cassandra", "celery", "clickhouse_driver", "confluent_kafka", "docker", "fabric"),
            *("feedparser", "filelock", "git", "github", "google", "googleapiclient", "httplib2", "hvac"),
            *(
                "influxdb_client",
                "invoke",
                "joblib",
                "kafka",
                "kubernetes",
                "ldap3",
                "minio",
                "mysql",
                "numpy",
            ),
            *(
                "openpyxl",
                "pandas",
                "paramiko",
                "passlib",
                "pdfplumber",
                "peewee",
                "pexpect",
                "PIL",
                "polars",
            ),
            *(
                "portalocker",
                "psutil",
                "pwdlib",
                "pymemcache",
                "pyodbc",
                "pypdf",
                "questionary",
                "rich",
                "rq",
                "selenium",
            ),
            *(
                "sendgrid",
                "sentence_transformers",
                "serial",
                "stripe",
                "twilio",
                "valkey",
                "websocket",
                "yaml",
            ),
            "yt_dlp",
        ),
        "the released wheel; `source` has the line",
    ),
    **dict.fromkeys(
        ("bcrypt", "cryptography", "duckdb", "MySQLdb", "zmq"), "documentation: written in C, Cython or Rust"
    ),
    **dict.fromkeys(
        ("cv2", "snowflake", "spacy", "torch", "transformers", "yfinance"), "documentation: not fetched"
    ),
}
#: of `google`, which is bundled in part, these are not
UNBUNDLED_PARTS = ("google.cloud.bigquery.", "google.cloud.storage.")
#: replacements in packages that are not bundled, checked in the released wheels
UNBUNDLED_INSTEAD = ("valkey.asyncio.Valkey", "zmq.asyncio.Context")
#: classes with async in their names whose methods block: they are threads, loops, or hold certificates
RIGHTLY = {
    *("aioconsole.events.InteractiveEventLoop", "aioftp.common.SSLSessionBoundContext"),
    *("asgiref.current_thread_executor.CurrentThreadExecutor", "asgiref.sync.AsyncToSync"),
    *("aiostream.test_utils.BaseEventLoopWithInternals", "aiostream.test_utils.TimeTrackingTestLoop"),
    "tornado.platform.asyncio.AddThreadSelectorEventLoop",
}
_DOTTED = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_VALUE = r'(?:None|True|False|-?\d+|"[^"\t;,]*")'
_CONDITION = rf"[a-z_]\w*(?:@\d+)?(?:=(?:{_VALUE})(?:,{_VALUE})*|~[A-Z_]+(?:,[A-Z_]+)*|[+-])"
PATTERNS = {
    "owner": _DOTTED,
    "members": r"\*|[A-Za-z_]\w*(?: [A-Za-z_]\w*)*",
    "public": rf"(?:=?{_DOTTED}(?: =?{_DOTTED})*)?",
    "unless": rf"(?:{_CONDITION}(?:; {_CONDITION})*)?",
    "instead": rf"(?:\.?{_DOTTED})?",
    "python": r"(?:3\.\d+-|-3\.\d+|3\.\d+-3\.\d+)?",
    "source": r"(?:library/[a-z_0-9.]+|[A-Za-z_0-9]+-[\w.]+:[\w./-]+(?::\d+)?)?",
}
CALLS = [call for call in catalogue().values() if not call.name.endswith(f".{ANY}")]
STANDARD = [
    call for call in CALLS if any(names(each).stdlib.has(call.name.split(".")[0]) for each in VERSIONS)
]
PACKAGES = [call for call in CALLS if call not in set(STANDARD)]
BUNDLED = [
    call
    for call in PACKAGES
    if call.name.split(".")[0] in packaged().top_level and not call.name.startswith(UNBUNDLED_PARTS)
]


def found(call: BlockingCall) -> Found:
    """What the name of an entry means in the newest Python that has it."""
    definition = names(call.until or VERSIONS[-1]).definition(call.name)
    assert definition is not None, call.name
    return definition


def test_the_file_is_well_formed_and_sorted() -> None:
    rows = [fields for _, fields in table(BLOCKING, COLUMNS)]
    assert rows == sorted(rows, key=lambda fields: fields[:2])
    for fields in rows:
        for column, pattern in PATTERNS.items():
            text = fields[COLUMNS.index(column)]
            assert re.fullmatch(pattern, text), f"{fields[0]}: {column} {text!r}"
        for column in ("members", "public"):
            parts = fields[COLUMNS.index(column)].split()
            assert len(parts) == len(set(parts)), fields
        members = fields[1].split()
        assert members == sorted(members)


def test_every_word_of_the_vocabulary_is_used() -> None:
    calls = list(catalogue().values())
    assert {call.kind for call in calls} == set(Kind)
    assert {call.severity for call in calls} == set(Severity)
    assert {call.on for call in calls} == set(On)
    assert {call.state for call in calls} == {None, *State}
    assert {each.check for call in calls for each in call.unless} == set(Check)


def test_standard_library_entries_exist_in_just_their_versions() -> None:
    wrong = []
    for call in STANDARD:
        known = [each for each in VERSIONS if names(each).definition(call.name) is not None]
        first, last = call.since or VERSIONS[0], call.until or VERSIONS[-1]
        if known != [each for each in VERSIONS if first <= each <= last]:
            wrong.append((call.name, known))
    assert not wrong


def test_bundled_entries_exist() -> None:
    assert [call.name for call in BUNDLED if names().definition(call.name) is None] == []


def test_entries_of_other_packages_are_listed_with_a_reason() -> None:
    bundled = {call.name for call in BUNDLED}
    others = {call.name.split(".")[0] for call in PACKAGES if call.name not in bundled}
    assert others == set(UNBUNDLED)
    assert not (others - {"google"}) & packaged().top_level


def test_no_entry_is_async() -> None:
    assert [
        call.name for call in [*STANDARD, *BUNDLED] if any(scope.is_async for scope in found(call).functions)
    ] == []


def test_conditions_name_parameters_at_their_positions() -> None:
    assert [
        (call.name, each)
        for call in [*STANDARD, *BUNDLED]
        for each in call.unless
        if (each.parameter, each.position) not in found(call).parameters()
    ] == []


def test_replacements_exist() -> None:
    missing = set()
    for call in CALLS:
        name = call.instead
        if name.startswith("."):
            name = call.name.rpartition(".")[0] + name
            if call.name.split(".")[0] in UNBUNDLED:
                continue
        if name not in ("await", *UNBUNDLED_INSTEAD) and not names().exists(name):
            missing.add(name)
    assert not missing


def test_classes_of_which_nothing_blocks_exist() -> None:
    classes = [name.removesuffix(f".{ANY}") for name in catalogue() if name.endswith(f".{ANY}")]
    assert len(classes) > 10
    for name in classes:
        assert name.split(".")[0] in {"valkey", "zmq"} or names().class_of(name) is not None, name


def test_spellings_are_of_one_entry_in_one_version() -> None:
    spelled: dict[str, list[BlockingCall]] = {}
    for call in CALLS:
        for spelling in dict.fromkeys((call.name, *call.public)):
            spelled.setdefault(spelling, []).append(call)
    for spelling, calls in spelled.items():
        ranges = sorted(
            ((call.since or VERSIONS[0], call.until or VERSIONS[-1]) for call in calls),
        )
        for (_, last), (first, _) in pairwise(ranges):
            assert last < first, (spelling, [call.name for call in calls])


@pytest.mark.parametrize(
    "package",
    [
        *(
            "aioboto3",
            "aiobotocore",
            "aioftp",
            "aiopath",
            "asgiref",
            "asyncpg",
            "azure",
            "clickhouse_connect",
        ),
        *("cohere", "dns", "elasticsearch", "httpx", "huggingface_hub", "langchain_core", "motor", "neo4j"),
        *(
            "openai",
            "opensearchpy",
            "psycopg",
            "psycopg_pool",
            "pymongo",
            "qdrant_client",
            "redis",
            "slack_sdk",
        ),
        *("sqlalchemy", "sqlmodel", "storage3", "supabase", "tenacity", "tornado", "websockets"),
    ],
)
def test_async_classes_have_no_blocking_methods(package: str) -> None:
    """What a sync and an async class inherit from one base is not an entry of that base."""
    infer, library = names().infer, packaged()
    assert library.has(package)
    hits: Counter[tuple[str, str]] = Counter()
    for name in list(library._indexes[package]):
        module = names().module(name)
        assert module is not None
        for number, scope in enumerate(module.facts.scopes):
            qualname = f"{name}.{scope.qualname}"
            if scope.kind is not f.ScopeKind.CLASS or not re.search(r"async|aio|Async", qualname):
                continue
            if qualname in RIGHTLY or "_sync." in qualname:
                continue
            chain: list[str] = []
            seen: set[str] = set()
            for entry in infer.mro(ClassValue(module, number)):
                if entry is None:
                    break
                chain.append(entry.qualname)
                for member in entry.fact.bindings:
                    if member not in seen and (call := catalogue().method(chain, member)):
                        hits[qualname, call.name] += 1
                seen.update(entry.fact.bindings)
    assert not hits


@pytest.mark.parametrize(
    ("chain", "member"),
    [
        (["_io.BytesIO", "io.BufferedIOBase", "_io._BufferedIOBase"], "read"),
        (["_io.StringIO", "io.TextIOBase", "_io._TextIOBase"], "write"),
        (["asyncio.queues.Queue"], "get"),
        (["asyncio.locks.Event"], "wait"),
        (["asyncio.futures.Future"], "result"),
        (["_asyncio.Task", "_asyncio.Future"], "result"),
        (["redis.client.Pipeline", "redis.client.Redis"], "get"),
        (["redis.asyncio.client.Redis", "redis.commands.core.BasicKeyCommands"], "get"),
        (["subprocess.Popen"], "poll"),
        (["queue.Queue"], "get_nowait"),
        (["sqlalchemy.orm.session.Session"], "add"),
        (["sqlalchemy.orm.session.Session"], "query"),
        (["django.db.models.query.QuerySet"], "filter"),
        (["pymongo.synchronous.collection.Collection"], "find"),
    ],
)
def test_what_does_not_block_is_not_there(chain: list[str], member: str) -> None:
    assert catalogue().method(chain, member) is None


@pytest.mark.parametrize(
    "name",
    [
        *("builtins.print", "os.getcwd", "os.path.join", "logging.info", "logging.Logger.info", "time.time"),
        *("asyncio.sleep", "json.loads", "hashlib.sha256", "threading.Thread.start", "redis.Redis"),
    ],
)
def test_what_is_quick_is_not_there(name: str) -> None:
    assert catalogue().spelled(name) is None


@pytest.mark.parametrize(
    ("spelling", "kind", "severity"),
    [
        ("time.sleep", Kind.SLEEP, Severity.ALWAYS),
        ("requests.get", Kind.NETWORK, Severity.ALWAYS),
        ("requests.Session.get", Kind.NETWORK, Severity.ALWAYS),
        ("socket.gethostbyname", Kind.NETWORK, Severity.ALWAYS),
        ("openai.OpenAI.chat.completions.create", Kind.NETWORK, Severity.ALWAYS),
        ("redis.from_url.get", Kind.DATABASE, Severity.ALWAYS),
        ("psycopg2.connect.cursor.execute", Kind.DATABASE, Severity.ALWAYS),
        ("sqlite3.connect", Kind.DATABASE, Severity.ALWAYS),
        ("sqlalchemy.orm.Session.execute", Kind.DATABASE, Severity.ALWAYS),
        ("django.db.models.Manager.get", Kind.DATABASE, Severity.RAISES),
        ("subprocess.run", Kind.PROCESS, Severity.ALWAYS),
        ("os.popen", Kind.PROCESS, Severity.ALWAYS),
        ("subprocess.Popen", Kind.PROCESS, Severity.BRIEF),
        ("builtins.open", Kind.FILE, Severity.BRIEF),
        ("os.path.exists", Kind.FILE, Severity.BRIEF),
        ("shutil.rmtree", Kind.FILE, Severity.HEAVY),
        ("pandas.read_csv", Kind.FILE, Severity.HEAVY),
        ("builtins.input", Kind.WAIT, Severity.ALWAYS),
        ("select.select", Kind.WAIT, Severity.ALWAYS),
        ("concurrent.futures.Future.result", Kind.WAIT, Severity.ALWAYS),
        ("threading.Lock.acquire", Kind.LOCK, Severity.ALWAYS),
        ("hashlib.scrypt", Kind.CPU, Severity.HEAVY),
        ("asyncio.run", Kind.REENTRY, Severity.RAISES),
    ],
)
def test_spellings(spelling: str, kind: Kind, severity: Severity) -> None:
    call = catalogue().spelled(spelling)
    assert call is not None
    assert (call.kind, call.severity) == (kind, severity)
    assert catalogue()[call.name] is call


def test_an_entry() -> None:
    call = catalogue()["queue.Queue.put"]
    assert call.unless == (
        Condition("block", 1, Check.EQUALS, (False,)),
        Condition("timeout", 2, Check.EQUALS, (0,)),
    )
    assert (call.state, call.is_conditional, call.on) == (State.ROOM, True, On.CALL)
    assert call.public[0] == call.spelling == "queue.Queue.put"
    assert call.replacement == "asyncio.Queue"
    assert call.source == "library/queue"
    lock = catalogue()["_thread.lock.acquire"]
    assert (lock.since, lock.until) == ((3, 13), None)
    twin = catalogue()["django.db.models.query.QuerySet.get"]
    assert twin.replacement == "django.db.models.QuerySet.aget"
    assert catalogue()["os.walk"].on is On.ITERATE
    assert catalogue()["httpx._client.Client.stream"].on is On.ENTER
    assert catalogue()["time.sleep"].spelling == "time.sleep"


def test_an_inherited_method_is_found_in_a_base() -> None:
    call = catalogue().method(["app.db.Cache", "redis.client.Redis"], "get")
    assert call is catalogue()["redis.client.Redis.get"]
    assert catalogue().method(["app.db.Cache"], "get") is None


def test_conditions() -> None:
    assert conditions('mode@0~A,B; name+; host-; x@2="",None,-1,True') == (
        Condition("mode", 0, Check.FLAG, ("A", "B")),
        Condition("name", -1, Check.GIVEN),
        Condition("host", -1, Check.ABSENT),
        Condition("x", 2, Check.EQUALS, ("", None, -1, True)),
    )


GOOD = ["time", "sleep", "", "sleep", "always", "", "", "", "asyncio.sleep", "", "library/time"]


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("owner", "ti me", "the owner `ti me` is not a dotted name"),
        ("members", "", "`` are not names of members"),
        ("public", "a-b", "`a-b` are not dotted names"),
        ("kind", "nap", "`nap`, `always`, `` or `` is unknown"),
        ("severity", "sometimes", "is unknown"),
        ("state", "tired", "is unknown"),
        ("on", "leave", "is unknown"),
        ("unless", "block", "`block` is not a condition"),
        ("unless", "block=", "`block=` has a value too many or too few"),
        ("unless", "block+1", "`block+1` has a value too many or too few"),
        ("unless", "block=no", "invalid literal"),
        ("instead", "", "what blocks has something to use instead"),
        ("instead", "a thread", "`a thread` is not a name to use instead"),
        ("python", "3.11", "`3.11` is not a range of Python versions"),
    ],
)
def test_a_malformed_row(tmp_path: Path, column: str, text: str, message: str) -> None:
    fields = [text if name == column else field for name, field in zip(COLUMNS, GOOD, strict=True)]
    path = tmp_path / "blocking.tsv"
    path.write_text("\t".join(COLUMNS) + "\n" + "\t".join(fields) + "\n")
    with pytest.raises(DataError, match=r"blocking\.tsv:2: .*" + re.escape(message)):
        Catalogue(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "blocking.tsv:1: the columns are not owner"),
        ("\t".join(COLUMNS) + "\n" + "\t".join(GOOD), "the last line has no end"),
        ("\t".join(COLUMNS) + "\ntime\n", "blocking.tsv:2: 1 columns instead of 11"),
        ("\t".join(COLUMNS) + ("\n" + "\t".join(GOOD)) * 2 + "\n", ":3: a name of `time` is there already"),
    ],
)
def test_a_damaged_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "blocking.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(message)):
        Catalogue(path)
    with pytest.raises(DataError, match="No such file"):
        Catalogue(tmp_path / "missing.tsv")
