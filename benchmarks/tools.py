"""The linters and type checkers: how each is run, and what it says as data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.processes import Cost, Finished, run


class Diagnostic(msgspec.Struct, frozen=True, order=True):
    """One thing that a tool says about a line."""

    #: the path from the tree's directory, with slashes
    file: str
    line: int
    code: str
    message: str


class Checked(msgspec.Struct, frozen=True):
    """A tool's run over one tree."""

    diagnostics: tuple[Diagnostic, ...]
    cost: Cost


class ToolError(Exception):
    """A tool failed, or what it printed could not be read."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a tool is to check, run in the directory that holds the package."""

    #: the import package's directory, from the working directory
    package: str
    #: the virtual environment whose packages the tool may see
    environment: Path
    #: is anything installed there?
    dependencies: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A linter or type checker."""

    name: str
    #: its command line, without the tool's own path
    arguments: Callable[[Job], list[str]]
    #: `(file, line, code, message)` of each diagnostic in what it printed
    rows: Callable[[str], Iterable[tuple[str, int, str | None, str]]]
    #: matches the codes of its rules about forgotten `await`
    await_codes: str
    #: names and contents of files that lie in the working directory while it runs
    files: Callable[[Job], dict[str, str]] = lambda _: {}

    def names(self, diagnostic: Diagnostic) -> bool:
        """Whether a diagnostic says that an `await` is missing, rather than that some types do not fit."""
        return bool(re.fullmatch(self.await_codes, diagnostic.code) or _MENTION.search(diagnostic.message))


#: words that tell a reader what the matter is
_MENTION = re.compile(r"corout|await|\bTask\[|\bFuture\[", re.IGNORECASE)


def check(tool: Tool, command: Sequence[str], tree: Path, job: Job) -> Checked:
    """What a tool, started by a command, says about a tree.

    Raises:
        ToolError: it failed, or was killed for taking too long, or printed something else than expected.
    """
    written = [tree / name for name in tool.files(job)]
    try:
        for path, text in zip(written, tool.files(job).values(), strict=True):
            path.write_text(text, encoding="utf-8")
        finished = run([*command, *tool.arguments(job)], tree)
    finally:
        for path in written:  # the next tool must not see it
            path.unlink(missing_ok=True)
    return Checked(tuple(_diagnostics(tool, finished, tree)), finished.cost)


def _diagnostics(tool: Tool, finished: Finished, tree: Path) -> Iterator[Diagnostic]:
    if finished.exit_code not in (0, 1):
        said = finished.errors or finished.output
        raise ToolError(f"{tool.name} exited with {finished.exit_code}: {said[-500:]}")
    try:
        rows = list(tool.rows(finished.output))
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{tool.name}: {error!r}: {finished.output[:200]}{finished.errors[-500:]}") from error
    root = tree.resolve()
    for file, line, code, message in sorted(rows, key=str):
        path = (root / file).resolve()
        if path.is_relative_to(root):
            text = " ".join(message.replace(f"{root}/", "").replace(str(root), ".").split())
            yield Diagnostic(path.relative_to(root).as_posix(), line, code or "syntax", text)


# Each tool's output.


def _ruff_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output):
        yield each["filename"], each["location"]["row"], each["code"], each["message"]


def _mypy_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for line in filter(None, output.splitlines()):  # where there is nothing to say, it is one empty line
        each: dict[str, Any] = json.loads(line)
        if each["severity"] == "error":
            yield each["file"], each["line"], each["code"], each["message"]


def _pyright_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output)["generalDiagnostics"]:
        if each["severity"] == "error":
            yield each["file"], each["range"]["start"]["line"] + 1, each.get("rule"), each["message"]


def _gitlab_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output):
        place = each["location"]
        yield place["path"], place["positions"]["begin"]["line"], each["check_name"], each["description"]


def _pyrefly_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output)["errors"]:
        yield each["path"], each["line"], each["name"], each["description"]


# Each tool's command line.  None reads a configuration, none keeps a cache.


def _python(job: Job) -> str:
    return str(job.environment / "bin" / "python")


def _awaitlint(job: Job) -> list[str]:
    return [*_awaitlint_options(job), "--output-format", "json", job.package]


def _awaitlint_options(job: Job) -> list[str]:
    walk = ["--no-respect-gitignore", "--exclude", "__pycache__"]
    environment = ["--python", str(job.environment)] if job.dependencies else []
    return ["check", "--isolated", "--no-cache", "--exit-zero", *walk, *environment]


def fix_arguments(job: Job, select: str) -> list[str]:
    """The arguments of awaitlint to apply every fix of some rules (codes or their prefixes, with commas)."""
    return [*_awaitlint_options(job), "--quiet", "--fix", "--unsafe-fixes", "--select", select, job.package]


def _mypy(job: Job) -> list[str]:
    # Without an __init__.py, a package's modules are not those of the standard library either.
    strictness = ["--explicit-package-bases", "--ignore-missing-imports", "--check-untyped-defs"]
    codes = ["--enable-error-code=unused-awaitable", "--enable-error-code=truthy-bool"]
    isolated = ["--config-file=", "--cache-dir=/dev/null", "--output=json"]
    return [*isolated, *strictness, *codes, "--python-executable", _python(job), job.package]


def _pyright(job: Job) -> list[str]:
    return ["--outputjson", "--pythonpath", _python(job)]


def _pyright_files(job: Job) -> dict[str, str]:
    settings = {
        "include": [job.package],
        "typeCheckingMode": "standard",
        "reportUnusedCoroutine": "error",
        "reportUnnecessaryComparison": "error",
    }
    return {"pyrightconfig.json": json.dumps(settings)}


def _ty(job: Job) -> list[str]:
    output = ["check", "--output-format", "gitlab", "--exit-zero", "--no-progress"]
    return [*output, "--python", str(job.environment), job.package]


def _pyrefly(job: Job) -> list[str]:
    output = [
        "check",
        "--preset",
        "default",
        "--output-format",
        "json",
        "--summary=none",
        "--progress-bar",
        "no",
    ]
    return [*output, "--search-path", ".", "--python-interpreter-path", _python(job), job.package]


def _ruff(job: Job) -> list[str]:
    isolated = ["check", "--isolated", "--no-cache", "--exit-zero", "--output-format", "json"]
    return [*isolated, "--target-version", "py313", "--select", "ASYNC,RUF006,PLE,F,B", job.package]


AWAITLINT = Tool("awaitlint", _awaitlint, _ruff_rows, "AWL.*")

PEERS = {
    tool.name: tool
    for tool in (
        Tool("mypy", _mypy, _mypy_rows, "unused-(coroutine|awaitable)"),
        Tool("basedpyright", _pyright, _pyright_rows, "reportUnusedCoroutine", _pyright_files),
        Tool("ty", _ty, _gitlab_rows, "unused-awaitable"),
        Tool("pyrefly", _pyrefly, _pyrefly_rows, "unused-coroutine"),
        Tool("ruff", _ruff, _ruff_rows, "RUF006"),
    )
}
TYPE_CHECKERS = ("mypy", "basedpyright", "ty", "pyrefly")


def version(command: Sequence[str], directory: Path) -> str:
    """What a tool says about its version.

    Raises:
        ToolError: it does not start.
    """
    finished = run([*command, "--version"], directory)
    if finished.exit_code:
        raise ToolError(f"{' '.join(command)} --version exited with {finished.exit_code}: {finished.errors}")
    return finished.output.strip().splitlines()[0]
