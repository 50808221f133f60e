"""The sieve on released packages: with it and without it, the same is found."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from awaitlint.config.load import SettingsCache
from awaitlint.engine.run import Options, run
from awaitlint.files.discover import discover
from awaitlint.files.source import SourceStore


def diagnostics(root: Path, *, sieve: bool) -> tuple[object, ...]:
    settings_for = SettingsCache(overrides={"select": ["ALL"]})
    targets = discover([root], settings_for, cwd=root)
    result = run(targets, settings_for, SourceStore(), options=Options(sieve=sieve, cache=False))
    assert not result.internal_errors
    return result.places


@pytest.mark.parametrize("package", ["anyio", "httpx_sse"])
def test_released_packages_and_what_is_left_of_them_without_some_awaits(tmp_path, package):
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    root = tmp_path / package
    shutil.copytree(Path(spec.origin).parent, root, ignore=shutil.ignore_patterns("__pycache__"))
    assert diagnostics(root, sieve=True) == diagnostics(root, sieve=False)
    numbers = count()
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r"\bawait ", lambda match: match[0] if next(numbers) % 3 else "", text), encoding="utf-8"
        )
    found = diagnostics(root, sieve=True)
    assert found == diagnostics(root, sieve=False)
    assert len(found) > (50 if package == "anyio" else 0)
