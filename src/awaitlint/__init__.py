"""awaitlint finds async/await mistakes across a whole Python project without running it."""

__version__ = "0.1.0"
