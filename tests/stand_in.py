"""A command line with a small engine that stands in for the real one.

The engine finds ``sleep(`` and ``fetch(`` by their text, and has a safe fix for the one and an unsafe one for
the other.
"""

from __future__ import annotations

import io
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

from awaitlint.cli.main import run as run_cli
from awaitlint.config.selection import selected
from awaitlint.engine.fixes import FixError, apply_fixes, encode
from awaitlint.files.source import SourceError, SourceStore, decode, split_lines
from awaitlint.model import Confidence, Diagnostic, Edit, Fix, Safety, Severity, Span
from awaitlint.rulekit.registry import Key

SLEEP = ("AWL301", "blocking-sleep", "sleep(", "Await it", Safety.SAFE)
FETCH = ("AWL101", "unawaited-coroutine", "fetch(", "Add `await`", Safety.UNSAFE)


def rule(code, name, summary, safety):
    return types.SimpleNamespace(
        code=code,
        name=name,
        summary=summary,
        default=True,
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        fixes=(safety,),
    )


RULES = (rule("AWL101", "unawaited-coroutine", "nobody awaits", Safety.UNSAFE),
         rule("AWL301", "blocking-sleep", "it sleeps", Safety.SAFE))  # fmt: skip


@dataclass(frozen=True)
class Result:
    diagnostics: tuple[Diagnostic, ...]
    files: int
    internal_errors: tuple[str, ...] = ()
    texts: SourceStore = field(default_factory=SourceStore)
    session: None = None


@dataclass(frozen=True)
class FixResult:
    result: Result
    changed: list
    applied: int
    errors: list


class Engine:
    """What stands in for the engine; remembers how it was called."""

    def __init__(self) -> None:
        self.calls: list = []
        self.crash: BaseException | None = None
        self.internal_errors: tuple[str, ...] = ()
        self.fix_errors: list[FixError] = []

    def run(self, targets, settings_for, store, *, options, progress=None):
        self.calls.append((targets, options))
        if self.crash is not None:
            raise self.crash
        found = []
        for target in targets:
            try:
                text = decode(store.read(target.path)).text
            except SourceError as error:
                found.append(
                    Diagnostic(target.display, Span(1, 0, 1, 0), "AWL901", "syntax-error", error.reason)
                )
                continue
            found += self.find(text, target, settings_for(target.path))
        return Result(tuple(found), len(targets), self.internal_errors, store)

    @staticmethod
    def find(text, target, settings):
        codes = selected([(each.code, each.name, True) for each in RULES], settings, target.path)
        for number, line in enumerate(split_lines(text), 1):
            for code, name, word, advice, safety in (SLEEP, FETCH):
                at = line.find(word)
                if code in codes and at >= 0 and not line[:at].endswith("await "):
                    fix = Fix(advice, (Edit(Span(number, at, number, at), "await "),), safety)
                    span = Span(number, at, number, at + len(word) + 1)
                    yield Diagnostic(target.display, span, code, name, f"`{word})` is not awaited", fix=fix)

    def fix_files(self, targets, settings_for, store, *, unsafe, write, options):
        changed, remaining, applied, texts = [], [], 0, {}
        for target in targets:
            decoded = decode(store.read(target.path))
            found = list(self.find(decoded.text, target, settings_for(target.path)))
            outcome = apply_fixes(decoded.text, found, unsafe=unsafe)
            applied += len(outcome.applied)
            remaining += self.find(outcome.text, target, settings_for(target.path))
            texts[target.path] = encode(outcome.text, decoded.encoding, bom=decoded.bom)
            if outcome.text != decoded.text:
                changed.append((target, decoded.text, outcome.text))
                if write:
                    target.path.write_bytes(texts[target.path])
        result = Result(tuple(remaining), len(targets), self.internal_errors, SourceStore(texts))
        return FixResult(result, changed, applied, self.fix_errors)


def install(monkeypatch) -> Engine:
    """Put the engine and its rules in the place of the real ones."""
    stand_in = Engine()
    module = types.SimpleNamespace
    monkeypatch.setitem(sys.modules, "awaitlint.engine.run", module(run=stand_in.run))
    monkeypatch.setitem(sys.modules, "awaitlint.engine.fix", module(fix_files=stand_in.fix_files))
    monkeypatch.setitem(
        sys.modules,
        "awaitlint.rulekit.registry",
        module(
            all_rules=lambda: RULES,
            rule_keys=lambda: [Key(each.code, each.name, each.default) for each in RULES],
            documentation=lambda each: f"# {each.name}\n\n{each.summary}\n",
        ),
    )
    return stand_in


@dataclass
class Outcome:
    code: int
    out: str
    err: str


class CommandLine:
    """Runs the command line in the current directory, which is a project without options."""

    def __init__(self, monkeypatch, capture) -> None:
        self.monkeypatch = monkeypatch
        self.capture = capture
        Path("pyproject.toml").write_text('[project]\nname = "x"\n')

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> Outcome:
        if stdin is not None:
            self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run_cli(arguments)
        captured = self.capture.readouterr()
        return Outcome(code, captured.out.decode(errors="surrogateescape"), captured.err.decode())


def write(name: str, text: str) -> Path:
    """A file below the current directory."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path
