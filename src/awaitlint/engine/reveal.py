"""What inference says of the arguments of ``reveal(...)``, for tests and for people who wonder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.engine.session import Session
from awaitlint.index import facts as f
from awaitlint.infer.describe import describe

if TYPE_CHECKING:
    from pathlib import Path

    from awaitlint.config.settings import Settings
    from awaitlint.files.source import SourceStore


def reveal(path: Path, settings: Settings, store: SourceStore) -> list[tuple[int, str]]:
    """(line, description) for every call of the undefined name ``reveal`` in a file."""
    session = Session(lambda _: settings, store)
    linked = session.linked(path, settings)
    module = linked.project.module_at(path)
    if module is None:
        return []
    nodes = module.facts.nodes
    found: list[tuple[int, str]] = []
    for site in module.facts.sites:
        call = nodes[site.node]
        if (
            isinstance(call, f.Call)
            and isinstance(name := nodes[call.func], f.Name)
            and name.name == "reveal"
        ):
            found.extend(
                (site.line, describe(linked.infer, linked.infer.value(module, arg))) for arg in call.args
            )
    return found
