"""From a run to the record of it: what an earlier record says and still holds, and what was learned since."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from awaitlint.engine.verdicts.memory import reached_from, settled
from awaitlint.engine.verdicts.records import (
    BUNDLED,
    EMPTY,
    FACTS,
    NAMESPACE,
    NOWHERE,
    UNREADABLE,
    UNSETTLED,
    Node,
    Record,
    encode_links,
)
from awaitlint.index.levels import PASSED_OVER, READ
from awaitlint.index.modules import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from awaitlint.engine.session import Lowered
    from awaitlint.engine.verdicts.memory import Memory
    from awaitlint.engine.verdicts.names import Names
    from awaitlint.files.listings import Listings
    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project

#: sets of options of which the findings are kept
_MOST_OPTIONS = 8
#: directories, which a record does not forget otherwise
_MOST_DIRECTORIES = 200_000

#: (name, level) -> the name of the node that was found, "" for none
Uses = dict[tuple[str, int], str]


class Learned(NamedTuple):
    """What a run has learned about a project."""

    nodes: dict[str, tuple[Node, Uses]]
    directories: dict[str, tuple[int, bytes]]
    inputs: dict[tuple[str, str], bytes]
    #: by the name of a file and a set of options: what was found, b"" for nothing
    findings: Mapping[tuple[str, bytes], bytes]


# ------------------------------------------------------------------------------- what a run says
class Observer:
    """Reads from a linked project what was looked up in it.

    Args:
        project: The project.
        names: How the record names its files.
        lowered: How a file was when it was read, None for one that was not.
        began: When reading began, in nanoseconds since 1970.
    """

    def __init__(
        self, project: Project, names: Names, lowered: Callable[[str], Lowered | None], began: int
    ) -> None:
        self._project = project
        self._names = names
        self._lowered = lowered
        self._began = began

    def nodes(self) -> dict[str, tuple[Node, Uses]]:
        """The modules that were loaded, with what was looked up on behalf of each."""
        found: dict[str, tuple[Node, Uses]] = {}
        for module in self._project.modules():
            node = self._node(module)
            if node is not None:
                found[node.key] = (node, self._uses(module, found))
        return found

    def unreadable(self, path: str) -> Node | None:
        """A file that cannot be read or parsed; None for one that nobody has tried to read."""
        return self._file(path, UNREADABLE)

    def _node(self, module: Module) -> Node | None:
        key = self.key_of(module)
        if not key:
            return None
        name = module.name if module.origin is Origin.ENVIRONMENT else ""
        if module.origin is Origin.BUNDLED or module.is_namespace:
            state = BUNDLED if module.origin is Origin.BUNDLED else NAMESPACE
            return Node(key, state, b"", UNSETTLED, name)
        state = EMPTY if module.is_empty else FACTS
        return self._file(str(module.path), state, name, text_matters=module.text_matters)

    def _file(self, path: str, state: int, name: str = "", *, text_matters: bool = False) -> Node | None:
        lowered = self._lowered(path)
        if lowered is None:
            return None
        known = lowered.signature
        signature = settled(known, self._began) if known is not None else UNSETTLED
        return Node(self._names.key(path), state, lowered.digest, signature, name, text_matters)

    def key_of(self, module: Module) -> str:
        """The name of a module's node; "" for one of the standard library, which always is the same."""
        if module.origin is Origin.STDLIB:
            return ""
        if module.origin is Origin.BUNDLED:
            return self._names.bundled(module.name)
        assert module.path is not None
        if module.is_namespace:
            return self._names.key(str(module.path.parent)) + "/"
        return self._names.key(str(module.path))

    def _uses(self, module: Module, found: dict[str, tuple[Node, Uses]]) -> Uses:
        uses: Uses = {}
        for key, target in module.uses.items():
            if target is None:
                uses[key] = ""
            elif name := self.key_of(target):
                uses[key] = name
        for target in module.reads:
            if name := self.key_of(target):
                uses[name, READ] = name
        for path in module.unreadable:
            node = self._file(path, UNREADABLE)
            if node is not None:
                found[node.key] = (node, {})
                uses[node.key, PASSED_OVER] = node.key
        return uses


def directories_of(listings: Iterable[Listings], names: Names) -> dict[str, tuple[int, bytes]]:
    """The directories in which names were looked up."""
    return {
        names.key(directory): seen
        for each in listings
        for directory, seen in each.seen().items()
        if os.path.isabs(directory)
    }


# ------------------------------------------------------------------------------- the new record
def merged(memory: Memory, learned: Learned) -> Record:
    """The record of all that is known after a run."""
    nodes, findings = _still_true(memory, learned)
    old = memory.record
    for key, now in learned.nodes.items():
        nodes[key] = _together(nodes[key], now) if key in nodes else now
    findings |= learned.findings
    recent = dict.fromkeys(options for _, options in learned.findings)
    recent |= dict.fromkeys(old.options if old is not None else ())
    options = list(recent)[:_MOST_OPTIONS]
    findings = {key: found for key, found in findings.items() if key[0] in nodes and key[1] in options}
    kept = _needed({key for key, _ in findings}, nodes)
    directories = {key: (now, seen) for key, now, seen in (old.directories if old is not None else ())}
    directories |= learned.directories
    inputs = {(key, kind): seen for key, kind, seen in (old.inputs if old is not None else ())}
    inputs |= learned.inputs
    numbers = {key: number for number, key in enumerate(kept)}
    clean: list[list[int]] = [[] for _ in options]
    others = []
    for (key, each), found in findings.items():
        if found:
            others.append((numbers[key], options.index(each), found))
        else:
            clean[options.index(each)].append(numbers[key])
    links = [
        [(name, level, numbers.get(target, NOWHERE)) for (name, level), target in nodes[key][1].items()]
        for key in kept
    ]
    return Record(
        nodes=[nodes[key][0] for key in kept],
        directories=[(key, *seen) for key, seen in list(directories.items())[-_MOST_DIRECTORIES:]],
        inputs=[(*key, seen) for key, seen in inputs.items()],
        options=options,
        clean=clean,
        findings=others,
        links=encode_links(links),
    )


def _still_true(
    memory: Memory, learned: Learned
) -> tuple[dict[str, tuple[Node, Uses]], dict[tuple[str, bytes], bytes]]:
    """The nodes and findings of the old record that a run has not shown to be different."""
    old = memory.record
    if old is None:
        return {}, {}
    links = memory.links
    if len(links) != len(old.nodes):
        return {}, {}
    keys = [node.key for node in old.nodes]
    changed = memory.changed - memory.moved
    nodes: dict[str, tuple[Node, Uses]] = {}
    for number, (node, uses) in enumerate(zip(old.nodes, links, strict=True)):
        now = learned.nodes.get(node.key)
        known = {(name, level): keys[target] if target != NOWHERE else "" for name, level, target in uses}
        if now is not None and number not in memory.moved and _differs(node, known, now):
            changed.add(number)
        # what has changed and was not read stays as it was: the next time it is found to have changed, too
        if now is None or number not in changed:
            nodes[node.key] = (node, known)
    stale = reached_from(changed, links)
    findings = {
        (keys[node], old.options[each]): b"" for each, clean in enumerate(old.clean) for node in clean
    }
    findings |= {(keys[node], old.options[each]): found for node, each, found in old.findings}
    outdated = {keys[number] for number in stale | memory.moved}
    wary = {keys[number] for number in memory.wary}
    return nodes, {
        key: found
        for key, found in findings.items()
        if key[0] not in outdated and not (found and key[0] in wary)
    }


def _differs(node: Node, uses: Uses, now: tuple[Node, Uses]) -> bool:
    if (node.digest, node.state, node.name) != (now[0].digest, now[0].state, now[0].name):
        return True
    return any(uses.get(key, target) != target for key, target in now[1].items())


def _together(before: tuple[Node, Uses], now: tuple[Node, Uses]) -> tuple[Node, Uses]:
    """A node as it is now, with all that was looked up on its behalf."""
    text_matters = before[0].text_matters or now[0].text_matters
    return structs.replace(now[0], text_matters=text_matters), {**before[1], **now[1]}


def _needed(answered: set[str], nodes: Mapping[str, tuple[Node, Uses]]) -> dict[str, None]:
    """The nodes that some findings depend on, in order."""
    needed = dict.fromkeys(sorted(answered))
    queue = list(needed)
    while queue:
        for target in nodes[queue.pop()][1].values():  # also those whose text does not matter
            if target and target not in needed and target in nodes:
                needed[target] = None
                queue.append(target)
    return needed
