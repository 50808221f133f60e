"""The command line with the real engine, in this process: faster than one of its own."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awaitlint.cli.main import run as run_cli


@dataclass
class Done:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class RealCommandLine:
    """Runs ``awaitlint check`` without a cache; `capture` is the fixture ``capsysbinary``."""

    monkeypatch: Any
    capture: Any

    def __call__(self, cwd: Path, *arguments: str, stdin: str = "") -> Done:
        with self.monkeypatch.context() as patch:
            patch.chdir(cwd)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            code = run_cli(["check", "--no-cache", *arguments])
        captured = self.capture.readouterr()
        return Done(code, captured.out.decode(), captured.err.decode())
