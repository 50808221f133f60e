"""The command line as a whole: its commands, and what becomes of an error."""

from __future__ import annotations

import errno
import importlib
import os
import re
import sys
from collections.abc import Sequence

import click

from awaitlint.cli.output import OutputError, error, prepare_streams, reason, say, write_lines
from awaitlint.cli.version import version_line
from awaitlint.config.errors import ConfigError
from awaitlint.files.discover import UsageError

#: Exit codes: findings, a run that failed, a run that was interrupted.
FAILED, INTERRUPTED = 2, 130
_UNWRITABLE = frozenset({errno.EBADF, errno.EFBIG, errno.EIO, errno.ENOSPC})
#: how click begins its messages, which end with a period
_CLICKS = re.compile(r"^(?:Got|Invalid|Missing|No such|Option)\b")


class _Commands(click.Group):
    #: commands of a module of their own by the same name, which is imported when it is asked for
    _MODULES = ("check", "rule", "config", "clean")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._MODULES})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._MODULES:
            return super().get_command(ctx, cmd_name)
        found = getattr(importlib.import_module(f"awaitlint.cli.{cmd_name}"), cmd_name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of that name; a path in its place is taken for what it is: a missing ``check``."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            if args and (os.path.exists(args[0]) or args[0] == "-"):  # noqa: PTH110  any string may come
                raise click.UsageError(
                    f"no such command: {args[0]}; did you mean `awaitlint check {args[0]}`?", ctx
                ) from None
            raise


def _tell_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        ctx.exit(say(version_line()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    help="Finds async/await mistakes across a whole Python project, without running it.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
@click.pass_context
def commands(ctx: click.Context) -> int:
    if ctx.invoked_subcommand is None:
        write_lines([ctx.get_help()], sys.stderr)
        return FAILED
    return 0


@commands.command(help="Show the version.")
def version() -> int:
    return say(version_line())


def run(arguments: Sequence[str]) -> int:
    """Run the command line with its arguments and answer the exit code; nothing but that comes out of it."""
    prepare_streams()
    try:
        code = commands.main(list(arguments), prog_name="awaitlint", standalone_mode=False)
    except click.exceptions.Exit as finished:
        return finished.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as problem:
        error(_CLICKS.sub(lambda match: match[0].lower(), problem.format_message()).rstrip("."))
    except (ConfigError, OutputError, UsageError) as problem:
        error(str(problem))
    except SystemExit as finished:  # click ends so when a pipe is closed
        return finished.code if isinstance(finished.code, int) else FAILED
    except Exception as problem:  # noqa: BLE001  whatever it is, the user gets a line and an exit code
        if isinstance(problem, OSError) and problem.filename is None and problem.errno in _UNWRITABLE:
            error(reason(problem))  # click's own output, such as a help text
            return FAILED
        if {"-v", "--verbose"} & set(arguments):
            import traceback  # noqa: PLC0415  only here

            traceback.print_exc()
        kind = type(problem).__name__
        error(f"internal error: {kind}: {problem} (run again with --verbose for the traceback)")
    else:
        return code if isinstance(code, int) else 0
    return FAILED
