"""Running the engine over a case."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitlint.config.load import SettingsCache
from awaitlint.engine.fixes import apply_fixes
from awaitlint.engine.reveal import reveal
from awaitlint.engine.run import Options, run
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.flake8_plugin import Plugin
from mdtest.expect import mismatches

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from awaitlint.model import Diagnostic
    from mdtest.document import Case

#: What a chain of fixes may take; the command line gives up after as many.
MAX_PASSES = 10


class Project:
    """A case whose files are on disk, in a repository of its own, so that nothing outside it is read."""

    def __init__(self, case: Case, root: Path) -> None:
        self.case = case
        self.root = root
        (root / ".git").mkdir()
        for source in case.files:
            path = root / source.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source.text, encoding="utf-8", newline="")
        overrides = {"select": list(case.select)} if case.select else {}
        self.settings = SettingsCache(overrides=overrides)

    @property
    def targets(self) -> list[Target]:
        return [Target(self.root / source.path, source.path) for source in self.case.python_files]

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change the text of every Python file."""
        for source in self.case.python_files:
            path = self.root / source.path
            path.write_text(change(source.text), encoding="utf-8", newline="")

    def diagnostics(self, *, sieve: bool = True, backwards: bool = False) -> tuple[Diagnostic, ...]:
        """What the engine finds in the files as they are now; internal errors fail the test."""
        targets = self.targets[::-1] if backwards else self.targets
        result = run(targets, self.settings, SourceStore(), options=Options(sieve=sieve, cache=False))
        assert not result.internal_errors, "\n".join(result.internal_errors)
        return result.diagnostics

    def differences(self) -> list[str]:
        """Where findings and expectations differ."""
        return mismatches(self.case, self.diagnostics())

    def revealed(self) -> dict[str, list[tuple[int, str]]]:
        """path -> (line, description) of each ``reveal`` call."""
        return {
            target.display: sorted(reveal(target.path, self.settings(target.path), SourceStore()))
            for target in self.targets
        }

    def fix(self, *, unsafe: bool) -> list[Diagnostic]:
        """Apply fixes until there are none left to apply; what was applied."""
        done: list[Diagnostic] = []
        for _ in range(MAX_PASSES):
            found = self.diagnostics()
            applied: list[Diagnostic] = []
            for target in self.targets:
                own = [each for each in found if each.path == target.display]
                outcome = apply_fixes(self.read(target.display), own, unsafe=unsafe)
                assert not outcome.rejected, f"broken fixes: {outcome.rejected}"
                if outcome.applied:
                    target.path.write_text(outcome.text, encoding="utf-8", newline="")
                    applied += outcome.applied
            if not applied:
                return done
            done += applied
        raise AssertionError(f"fixes go on after {MAX_PASSES} passes")

    def flake8(self, path: str) -> list[tuple[int, int, str]]:
        """What the flake8 plugin yields for a file."""
        text = self.read(path)
        plugin = Plugin(ast.parse(text), str(self.root / path), text.splitlines(keepends=True))
        return [(line, column, message) for line, column, message, _ in plugin.run()]
