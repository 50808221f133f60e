"""The entry point: ``awaitlint`` and ``python -m awaitlint``."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # telling the version does without importing `typing`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and answer the exit code: 0 clean, 1 findings, 2 the run failed."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments in (["version"], ["--version"]):
        # Asked for by every editor and hook at its start, and not worth importing click.
        from awaitlint.cli.output import say  # noqa: PLC0415  see above
        from awaitlint.cli.version import version_line  # noqa: PLC0415

        return say(version_line())
    from awaitlint.cli.main import run  # noqa: PLC0415  see above

    return run(arguments)


def console() -> NoReturn:
    """Run the command line and end the process at once, for freeing a project's facts takes a while."""
    # Facts and values make no garbage to speak of; one collection among millions of them takes as long as
    # parsing does.
    gc.disable()
    try:
        code = main()
    except KeyboardInterrupt:  # while modules are imported; later it is the command line's
        code = 130
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads any more
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    console()
