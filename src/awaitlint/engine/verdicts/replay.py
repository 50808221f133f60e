"""Looking names up again, once files have come or gone: some lookups of a record lead elsewhere now.

The same code answers as in any other run; only facts are not needed, beyond whether a file has any.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from awaitlint.engine.verdicts.learning import Observer
from awaitlint.engine.verdicts.records import BUNDLED, EMPTY, NAMESPACE, NOWHERE, UNREADABLE
from awaitlint.index.facts import ModuleFacts, Plain
from awaitlint.index.levels import FILE, PASSED_OVER, READ, SUBMODULE
from awaitlint.index.modules import empty_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from awaitlint.engine.verdicts.names import Names
    from awaitlint.engine.verdicts.records import Links, Record
    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project

    Load = Callable[[Path], ModuleFacts | None]


def moved(
    record: Record,
    links: Links,
    changed: set[int],
    names: Names,
    project_with: Callable[[Load], Project],
    load: Load,
) -> set[int]:
    """The nodes of a record of which a lookup leads elsewhere now.

    Args:
        record: The record.
        links: Its links.
        changed: Nodes whose file has changed, which need not be asked about.
        names: How the record names files.
        project_with: Makes the project, given what tells it the facts of a file.
        load: The facts of a file as it is now.
    """
    states = {
        names.path(node.key): node.state
        for number, node in enumerate(record.nodes)
        if node.state < NAMESPACE and number not in changed
    }
    something = empty_facts()
    something.nodes.append(Plain("object"))

    def state(path: Path) -> ModuleFacts | None:
        known = states.get(os.fspath(path))
        if known is None:
            return load(path)
        if known == UNREADABLE:
            return None
        return empty_facts() if known == EMPTY else something

    project = project_with(state)
    observer = Observer(project, names, lambda _: None, 0)
    keys = [node.key for node in record.nodes]
    found = set()
    for number, node in enumerate(record.nodes):
        uses = links[number]
        if number in changed or not uses:
            continue
        module = _module(project, names, node.key, node.state, node.name)
        if module is None:
            found.add(number)
            continue
        for name, level, target in uses:
            if level in (PASSED_OVER, READ):
                continue
            now = _look_up(project, module, name, level)
            if (observer.key_of(now) if now is not None else "") != (
                keys[target] if target != NOWHERE else ""
            ):
                found.add(number)
                break
    return found


def _module(project: Project, names: Names, key: str, state: int, name: str) -> Module | None:
    if state == BUNDLED:
        return project.bundled(names.module_of(key))
    if state == NAMESPACE:
        if name:
            return project.installed(name)
        return project.namespace_at(names.path(key.rstrip("/")))
    return project.module_of(names.path(key), name)


def _look_up(project: Project, module: Module, name: str, level: int) -> Module | None:
    if level == SUBMODULE:
        return project.submodule(module, name)
    if level == FILE:
        return project.file_for(module, Path(os.path.normpath(os.path.join(module.directory or "", name))))
    return project.resolve(module, name, level)
