"""The entry point: ``awaitlint`` and ``python -m awaitlint``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from awaitlint import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and answer the exit code: 0 clean, 1 findings, 2 the run failed."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments in (["version"], ["--version"]):
        # Asked for by every editor and hook at its start, and not worth an import.
        sys.stdout.write(f"awaitlint {__version__}\n")
        return 0
    from awaitlint.cli.main import run  # noqa: PLC0415  see above

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
