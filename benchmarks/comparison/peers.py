"""The tools at their strictest: every rule that could find one of the marked lines is on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.processes import run
from benchmarks.tools import PEERS, Job, Tool, ToolError

#: those that read installed packages
WITH_DEPENDENCIES = ("mypy", "basedpyright", "ty", "pyrefly", "hydroid")

#: the tool and the distribution that it comes in, where the names differ
_DISTRIBUTIONS = {"hydroid": "hydroid-cli"}
_RUFF = "ASYNC,RUF006,RUF029,F,PLE,PLW,B,S113,UP041,PT,SIM117,BLE,E722"
_MYPY = (
    "deprecated",
    "mutable-override",
    "possibly-undefined",
    "redundant-expr",
    "redundant-self",
    "truthy-bool",
    "truthy-iterable",
    "unused-awaitable",
)
_LINE = re.compile(r"([^:\n]+):(\d+):\d+: (\w+) (.*)")


def tools(files: Sequence[str]) -> tuple[Tool, ...]:
    """The tools, in the order of the page; `files` are the paths of the modules in the tree."""
    return (
        Tool("ruff", _ruff, PEERS["ruff"].rows, ""),
        Tool("flake8-async", lambda _: [*_FLAKE8_ASYNC, *files], _line_rows, ""),
        Tool("pylint", lambda _: [*_PYLINT, *files], _pylint_rows, ""),
        Tool("codehound", lambda _: _CODEHOUND, _codehound_rows, ""),
        Tool("hydroid", _hydroid, _hydroid_rows, ""),
        Tool("mypy", _mypy, PEERS["mypy"].rows, ""),
        Tool("basedpyright", PEERS["basedpyright"].arguments, _pyright_rows, "", _pyright_files),
        Tool("ty", _ty, PEERS["ty"].rows, ""),
        Tool("pyrefly", _pyrefly, PEERS["pyrefly"].rows, ""),
    )


def version(peers: Path, tool: str) -> str:
    """The version of a tool in an environment.

    Raises:
        ToolError: it is not installed there.
    """
    script = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    command = [str(peers / "bin" / "python"), "-c", script, _DISTRIBUTIONS.get(tool, tool)]
    finished = run(command, peers)
    if finished.exit_code:
        raise ToolError(f"{tool} is not installed in {peers}: {finished.errors[-200:]}")
    return finished.output.strip()


# What is on.  None keeps a cache, and none reads another configuration than the tree's.

_FLAKE8_ASYNC = ["--enable=ASYNC", "--async200-blocking-calls=acme_mainframe.client.*->acme_mainframe.aio"]
_PYLINT = ["--disable=all", "--enable=F,E,W", "--disable=import-error", "--output-format=json", "--exit-zero"]
_CODEHOUND = ["scan", "--include-tests", "--exit-zero", "--format=json", "."]


def _ruff(_job: Job) -> list[str]:
    isolated = ["check", "--isolated", "--no-cache", "--preview", "--exit-zero", "--output-format=json"]
    return [*isolated, "--target-version=py311", f"--select={_RUFF}", "."]


def _hydroid(job: Job) -> list[str]:
    return ["--python", str(job.environment), "--no-cache", "--cpu", "--format=json", "."]


def _mypy(job: Job) -> list[str]:
    isolated = ["--config-file=", "--cache-dir=/dev/null", "--output=json", "--explicit-package-bases"]
    python = str(job.environment / "bin" / "python")
    codes = [f"--enable-error-code={code}" for code in _MYPY]
    return [*isolated, "--strict", *codes, "--ignore-missing-imports", "--python-executable", python, "."]


def _pyright_files(_job: Job) -> dict[str, str]:
    return {"pyrightconfig.json": json.dumps({"include": ["."], "typeCheckingMode": "all"})}


def _ty(job: Job) -> list[str]:
    output = ["check", "--output-format=gitlab", "--exit-zero", "--no-progress", "--error=all"]
    return [*output, "--python", str(job.environment), "."]


def _pyrefly(job: Job) -> list[str]:
    output = ["check", "--preset=all", "--output-format=json", "--summary=none", "--progress-bar=no"]
    python = str(job.environment / "bin" / "python")
    return [*output, "--search-path", ".", "--python-interpreter-path", python, "."]


# What they print.


def _line_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for file, line, code, message in _LINE.findall(output):
        yield file, int(line), code, message


def _pylint_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output):
        yield each["path"], each["line"], each["message-id"], f"{each['symbol']}: {each['message']}"


def _codehound_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output):
        yield each["path"], each["line"], each["code"], each["message"]


def _hydroid_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output)["diagnostics"]:
        place, sink = each["location"], each["sink"]
        yield place["path"], place["line"], sink["category"], f"{sink['qualname']} blocks: {sink['advice']}"


def _pyright_rows(output: str) -> Iterator[tuple[str, int, str | None, str]]:
    for each in json.loads(output)["generalDiagnostics"]:
        if each["severity"] != "information":
            yield each["file"], each["range"]["start"]["line"] + 1, each.get("rule"), each["message"]
