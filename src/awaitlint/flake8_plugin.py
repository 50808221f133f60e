"""The flake8 plugin: awaitlint's findings for a file that flake8 checks, in an editor or on a terminal.

flake8 makes one `Plugin` per file, in one or several processes, and applies its own select, ignore, noqa
and per-file-ignores to what the plugin yields.  What a module imports is found from the file's own project,
so a file gives the same findings as with ``awaitlint check``.
"""

from __future__ import annotations

import codecs
import functools
import io
import os
import sys
import time
import tokenize
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from flake8.exceptions import ExecutionError

from awaitlint import __version__
from awaitlint.config.errors import ConfigError
from awaitlint.config.load import SettingsCache
from awaitlint.engine.options import Options
from awaitlint.engine.roots import one_for_each_root
from awaitlint.engine.verdicts.verdicts import Verdicts
from awaitlint.files.discover import Target, display_name
from awaitlint.files.source import SourceError, SourceStore, decode
from awaitlint.rulekit.registry import rule_keys

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence

    from flake8.options.manager import OptionManager

    from awaitlint.engine.session import Session
    from awaitlint.model import Diagnostic

#: seconds for which what the cache says is taken to hold
_RECHECK = 2.0
#: flake8's option and the key of `[tool.awaitlint]` that it takes the place of
_OVERRIDES = {
    "awl_known_safe_calls": "known-safe-calls",
    "awl_langfuse_target": "langfuse-target",
    "awl_python": "python",
    "awl_src": "src",
    "awl_target_version": "target-version",
}


@dataclass(frozen=True, slots=True)
class _Choices:
    """What flake8's options say about awaitlint; a session is made for each set of choices."""

    config: Path | None = None
    isolated: bool = False
    noqa: bool = True
    overrides: tuple[tuple[str, str | tuple[str, ...]], ...] = ()

    def settings(self) -> SettingsCache:
        """The settings of each file; raises `ConfigError` for an option with a bad value."""
        return SettingsCache(
            config=self.config,
            isolated=self.isolated,
            overrides=dict(self.overrides),
            rule_names=lambda: [(key.code, key.name) for key in rule_keys()],
        )


class _Checker:
    """What lives as long as the process and notices what changes meanwhile.

    A file that is saved may be known from the cache; only for others is there a session.
    """

    def __init__(self, choices: _Choices) -> None:
        given = os.environ.get("AWAITLINT_CACHE_DIR")
        cache_dir = Path(os.path.realpath(given)) if given else None
        self._settings_for = choices.settings()
        # which ``noqa`` does what is up to flake8's own options
        self._options = Options(
            isolated=choices.isolated, judge_noqa=False, noqa=choices.noqa, cache_dir=cache_dir
        )
        self._session: Session | None = None
        self._verdicts: Verdicts | None = None
        self._began = 0.0
        self._generation = 0
        # flake8's workers end without what `atexit` would run
        Finalize(None, self._keep, exitpriority=0)

    def check(self, filename: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
        """(line, column, "CODE message") of each finding in the file, whose text is `lines`."""
        target = Target(os.path.abspath(filename), filename)  # noqa: PTH100  pathlib would keep ".."
        for found in one_for_each_root(self._found(target, "".join(lines))):
            yield found.span.line, found.span.column, f"{found.code} {found.message}"
        crashes = self._session.internal_errors if self._session is not None else []
        for crash in crashes:
            print(f"awaitlint: {crash}", file=sys.stderr)  # noqa: T201  no flake8 report has a place for it
        crashes.clear()

    def _found(self, target: Target, text: str) -> Sequence[Diagnostic]:
        """What is reported of a file with this text."""
        settings = self._settings_for(target.path)
        is_saved = _holds(_saved(target.path), text)
        known = self._memory().recall(target, settings) if is_saved else None
        if known is not None and settings.baseline is None:
            return known.found
        session = self._working_session()
        session.refresh({})
        if known is not None:
            return session.shown(target, known)
        if not is_saved or not _holds(session.lowered(target.path).data, text):
            session.refresh({target.path: _encode(text)})
            return session.check(target)
        with self._memory().watching(target, settings, session) as keep:
            checked = session.checked(target)
            keep(checked)
        return session.shown(target, checked)

    def _memory(self) -> Verdicts:
        """What is known of earlier runs, as it was a moment ago."""
        now, session = time.monotonic(), self._session
        if session is not None and session.generation != self._generation:
            # what was looked up for the findings is not known any more
            self._generation = session.generation
            self._verdicts = None
        elif now - self._began > _RECHECK:
            self._keep()
        if self._verdicts is None:
            self._began = now
            self._verdicts = Verdicts(self._options, _display_of, self._working_session)
        return self._verdicts

    def _keep(self) -> None:
        """Write down what was found."""
        session = self._session
        if self._verdicts is not None and (session is None or session.generation == self._generation):
            if session is not None:
                session.flush()
            self._verdicts.save(session)
        self._verdicts = None

    def _working_session(self) -> Session:
        if self._session is None:
            from awaitlint.engine.session import Session  # noqa: PLC0415  not for files that are known

            self._session = Session(self._settings_for, SourceStore(), self._options)
        return self._session


def _display_of(path: Path) -> str:
    return display_name(os.fspath(path), os.getcwd())  # noqa: PTH109


def _saved(path: Path) -> bytes | None:
    """The bytes of a file; None where it cannot be read."""
    try:
        return SourceStore().read(path)
    except SourceError:
        return None


def _holds(data: bytes | None, text: str) -> bool:
    """Whether a file's bytes are the text, which flake8 reads with universal newlines.

    A file that Python would refuse to decode, flake8 takes to be Latin-1; it drops byte order marks.
    """
    if data is None:
        return False
    try:
        saved = decode(data).text
    except SourceError:
        saved = data.decode("latin-1").removeprefix(codecs.BOM_UTF8.decode("latin-1"))
    saved = saved.replace("\r\n", "\n").replace("\r", "\n")
    return saved.removeprefix("\ufeff") == text.removeprefix("\ufeff")


def _encode(text: str) -> bytes:
    """The text as bytes that decode to the same number of characters, by the text's own coding cookie."""
    data = text.encode()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data if encoding == "utf-8" else text.encode(encoding, errors="replace")
    except (SyntaxError, LookupError, UnicodeError):
        return data


_checker = functools.lru_cache(maxsize=1)(_Checker)


class Plugin:
    """flake8's view of awaitlint."""

    name = "awaitlint"
    version = __version__
    choices: ClassVar[_Choices] = _Choices()

    def __init__(self, tree: ast.AST, filename: str, lines: list[str]) -> None:
        # flake8 tells by the name of the first parameter that this plugin runs once a file
        del tree
        self._filename = filename
        self._lines = lines

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """The findings as flake8 takes them: line, column from 0, text with its code, and the plugin."""
        try:
            for line, column, text in _checker(self.choices).check(self._filename, self._lines):
                yield line, column, text, type(self)
        except ConfigError as error:
            raise ExecutionError(str(error)) from error

    @staticmethod
    def add_options(manager: OptionManager) -> None:
        """Register options of `[tool.awaitlint]`, and two that say where that table is read."""
        manager.add_option(
            "--awl-config",
            metavar="FILE",
            parse_from_config=True,
            normalize_paths=True,
            help="awaitlint's configuration file (default: the nearest one of each checked file)",
        )
        manager.add_option(
            "--awl-isolated",
            action="store_true",
            parse_from_config=True,
            help="Ignore awaitlint's configuration files and the active environment.",
        )
        manager.add_option(
            "--awl-known-safe-calls",
            metavar="NAMES",
            parse_from_config=True,
            comma_separated_list=True,
            help="Qualified names, with globs, of calls that awaitlint leaves alone.",
        )
        manager.add_option(
            "--awl-langfuse-target",
            metavar="TARGET",
            parse_from_config=True,
            help="The langfuse that the project runs with: auto, 2, 3+ or always.",
        )
        manager.add_option(
            "--awl-python",
            metavar="PATH",
            parse_from_config=True,
            normalize_paths=True,
            help="The interpreter or environment that the project's dependencies are installed for.",
        )
        manager.add_option(
            "--awl-src",
            metavar="DIRECTORIES",
            parse_from_config=True,
            comma_separated_list=True,
            help="More source roots, relative to the project's root.",
        )
        manager.add_option(
            "--awl-target-version",
            metavar="VERSION",
            parse_from_config=True,
            help="The oldest Python that the project supports, such as 3.11.",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Keep what flake8's configuration and command line say; it goes before `[tool.awaitlint]`.

        Raises `ExecutionError`, which flake8 prints, where an option's value is wrong.
        """
        overrides: list[tuple[str, str | tuple[str, ...]]] = []
        for option, key in _OVERRIDES.items():
            value = getattr(options, option)
            if value:
                overrides.append((key, tuple(value) if isinstance(value, list) else value))
        config = Path(options.awl_config) if options.awl_config else None
        # flake8's own option, which a manager without flake8's options does not have
        noqa = not getattr(options, "disable_noqa", False)
        choices = _Choices(config, options.awl_isolated, noqa, tuple(overrides))
        try:
            choices.settings()
        except ConfigError as error:
            raise ExecutionError(f"awl-{error.key} = {error.value}: {error.problem}") from error
        cls.choices = choices
