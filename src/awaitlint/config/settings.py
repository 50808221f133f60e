"""The options of a run, as every layer reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from awaitlint.files.discover import DEFAULT_EXCLUDE

#: what may call an async function as a plain one, see `awaitlint.rulekit.callbacks`
CALLBACK_SLOTS = ("loop", "done-callback", "thread", "executor", "exit", "functional")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that govern a file; `awaitlint.config.options` says what each one means.

    `root` is the directory that the patterns are relative to: the configuration's own, or the project's
    where the configuration was named on the command line or there is none.  `config_path` is the file that
    the options come from, None where there is none.
    """

    root: Path
    config_path: Path | None = None
    #: ``default`` or ``pedantic``: what `select` stands for where it is empty, and how sure rules must be
    preset: str = "default"
    #: selectors: codes, prefixes of codes, names of rules, ``ALL``; empty stands for the preset's rules
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    #: globs with the selectors that are ignored in the files they match
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    extend_per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    #: source roots besides those that are found, relative to `root`
    src: tuple[str, ...] = ()
    #: an interpreter, or the directory of an environment, with the project's dependencies; absolute
    python: Path | None = None
    #: the oldest Python that the code has to run on
    target_version: tuple[int, int] = (3, 13)
    #: whether the configuration, the command line or what the project requires says so
    target_is_known: bool = False
    #: the file of the findings that are known already; absolute
    baseline: Path | None = None
    #: globs of qualified names whose calls are never reported
    known_safe_calls: tuple[str, ...] = ()
    #: the mildest findings that are reported; None: ``warning``, and ``info`` where that is asked for
    min_severity: str | None = None
    #: (glob of qualified names, what to do instead)
    blocking_calls: tuple[tuple[str, str], ...] = ()
    blocking_handoffs: tuple[str, ...] = ()
    blocking_safe: tuple[str, ...] = ()
    #: (kind, level)
    blocking_levels: tuple[tuple[str, str], ...] = ()
    #: the families of callers that `async-function-as-sync-callback` looks at
    async_function_as_sync_callback_slots: tuple[str, ...] = CALLBACK_SLOTS
    #: report a coroutine that some path leaves unused, too
    coroutine_never_used_report_partial: bool = False
    #: ``auto``, ``2``, ``3+`` or ``always``
    langfuse_target: str = "auto"
    output_format: str = "full"
    fix: bool = False
    unsafe_fixes: bool = False
