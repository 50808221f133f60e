"""What every test shares: an environment that does not lead out of the test's own directory."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's virtual environment and colours are no business of a test."""
    names = (
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "AWAITLINT_CACHE_DIR",
    )
    for name in names:
        monkeypatch.delenv(name, raising=False)
