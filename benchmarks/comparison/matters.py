"""Which diagnostics of the other tools name the matter, rather than something else about the same line.

A tool is given credit where what it says would lead a reader to the mistake, in whatever words: a type that
does not fit names a forgotten `await` where it speaks of a coroutine, a variable that is never read names a
task that nobody waits for.  The same words count against it where they are said about a look-alike.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from benchmarks.tools import Diagnostic


class Matter(NamedTuple):
    """What a rule is about."""

    code: str
    rule: str
    #: what a diagnostic's `code: message` contains if it names the matter
    words: re.Pattern[str]

    def is_named(self, diagnostic: Diagnostic) -> bool:
        if _ASIDE.fullmatch(diagnostic.code):
            return False
        return bool(self.words.search(f"{diagnostic.code}: {diagnostic.message}"))


#: codes of diagnostics about missing annotations, unknown types or style, whatever types they mention
_ASIDE = re.compile(
    r"reportUnknown\w+|reportMissing\w+|reportUntyped\w+|report(Explicit)?Any|reportImplicitOverride"
    r"|reportUnannotated\w+|reportUnusedParameter|reportPrivate\w+"
    r"|implicit-any.*|unknown-.*|untyped-.*|no-any-.*|no-untyped-.*|unsound-.*|dynamic-function-.*|var-annotated"
    r"|missing-override-decorator|missing-import|missing-source|import-not-found|implicit-reexport"
    r"|unnecessary-type-conversion|unannotated-.*|ASYNC9\d\d"
)

_AWAIT = r"corout|await|async function|\bTask\[|\bFuture\["
#: the value of a call is dropped; of no use where the call itself is the mistake
_NO_RESULT = r"^(?!reportUnusedCallResult|unused-call-result)"
_BLOCKS = r"\bblock|event[ -]loop|\bloop\b|async function|sync call|in async|cpu-bound"
_PROTOCOL = r"__a?(iter|enter|exit)__|\basync\b|iterable|Async(Iterator|Generator)"
_NEVER_READ = r"not accessed|unused.variable|never used|store a reference|without saving"


def _matter(code: str, rule: str, words: str) -> Matter:
    return Matter(code, rule, re.compile(words, re.IGNORECASE))


#: in the order of the catalogue
MATTERS = tuple(
    _matter(*each)
    for each in (
        ("AWL101", "unawaited-coroutine", _AWAIT),
        ("AWL102", "coroutine-never-used", f"{_AWAIT}|{_NEVER_READ}"),
        ("AWL103", "coroutine-in-boolean-context", _AWAIT),
        ("AWL104", "coroutine-used-as-value", _AWAIT),
        ("AWL105", "await-non-awaitable", r"await|not-async"),
        ("AWL106", "coroutine-awaited-twice", _AWAIT),
        ("AWL107", "async-function-as-sync-callback", f"{_NO_RESULT}.*({_AWAIT})"),
        ("AWL108", "uncalled-async-function", f"{_NO_RESULT}.*({_AWAIT})"),
        ("AWL109", "awaitable-aggregate-misuse", f"{_AWAIT}|CH064|overload.*gather"),
        ("AWL110", "unawaited-return-in-resource", _AWAIT),
        ("AWL111", "async-returns-coroutine", _AWAIT),
        ("AWL112", "inconsistent-await", _AWAIT),
        ("AWL201", "dangling-task", rf"\b(Task|Future)\[|{_NEVER_READ}|discarded"),
        ("AWL202", "task-never-used", rf"\bTask\[|{_NEVER_READ}"),
        ("AWL203", "gather-exceptions-ignored", r"BaseException"),
        ("AWL204", "cancelled-task-not-awaited", r"\bTask\[|cancel"),
        ("AWL205", "pending-tasks-abandoned", rf"\bTask\[|{_NEVER_READ}"),
        ("AWL301", "blocking-sleep", _BLOCKS),
        ("AWL302", "blocking-network", _BLOCKS),
        ("AWL303", "blocking-database", _BLOCKS),
        ("AWL304", "blocking-process", _BLOCKS),
        ("AWL305", "blocking-file", _BLOCKS),
        ("AWL306", "blocking-wait", _BLOCKS),
        ("AWL307", "event-loop-reentry", r"event[ -]loop|\bloop\b"),
        ("AWL308", "blocking-call-chain", _BLOCKS),
        ("AWL309", "async-twin-available", _BLOCKS),
        ("AWL310", "user-blocking-call", _BLOCKS),
        ("AWL311", "cpu-bound-call", _BLOCKS),
        ("AWL312", "client-per-request", r"pool|per request|client"),
        ("AWL401", "swallowed-cancellation", r"cancel|re-?raise|E722|W0702|W0718|BLE001|CH020"),
        ("AWL402", "timeout-without-await", r"checkpoint|await"),
        ("AWL403", "scope-not-entered", r"__a?enter__|async with|is not used|initialization from entry"),
        ("AWL404", "control-flow-in-task-group", r"task group|nursery"),
        ("AWL405", "yield-in-scope", r"\byield\b"),
        ("AWL501", "await-outside-async", r"async|await"),
        ("AWL502", "async-dunder", r"\basync|corout"),
        (
            "AWL503",
            "sync-async-protocol-mismatch",
            f"{_PROTOCOL}|no (matching )?overload.*contextmanager",
        ),
        ("AWL504", "cached-coroutine", r"cache|corout"),
        ("AWL505", "async-override-mismatch", r"corout|\basync\b|overrid"),
        ("AWL506", "needless-async", r"RUF029|ASYNC124"),
        ("AWL601", "sync-lock-across-await", r"\block|synchroni|\bblock"),
        ("AWL602", "ephemeral-lock", r"\block"),
        ("AWL603", "await-in-augmented-assignment", r"await|\brace\b"),
        ("AWL604", "check-then-act", r"\brace\b|\block"),
        ("AWL605", "not-threadsafe-call", r"thread"),
        ("AWL606", "await-in-loop", r"await"),
        ("AWL607", "sequential-awaits", r"concurren|gather"),
        (
            "AWL701",
            "deprecated-asyncio-api",
            r"deprecat|removed|alias|attribute|\bmember\b|keyword|(known|named) parameter|parameter named",
        ),
        ("AWL702", "async-test-never-runs", r"async|corout"),
        ("AWL703", "busy-wait", r"\bevent\b|busy|while"),
        ("AWL801", "langfuse-observe-import", r"observe"),
        ("AWL802", "handler-returns-coroutine", _AWAIT),
        ("AWL803", "coroutine-for-callable", f"{_NO_RESULT}.*({_AWAIT})"),
        ("AWL804", "async-def-never-awaited-by-framework", r"corout|\basync\b"),
    )
)
BY_RULE = {matter.rule: matter for matter in MATTERS}
