"""What several processes learned in one run, put together.

Each of them has read files and looked names up by itself.  Where they saw different things, something has
changed meanwhile: then nothing that depends on it is to be believed, and the record says of it what is true
of no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from awaitlint.engine.verdicts.learning import Learned, Uses
from awaitlint.engine.verdicts.records import UNSETTLED, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

#: in the place of a digest: no file and no directory has it
_NEVER = b"changed"


class Share(msgspec.Struct, array_like=True):
    """What one process learned about a project, as `Learned` has it; `target` is a file of the project."""

    target: int
    nodes: list[tuple[Node, list[tuple[str, int, str]]]]
    directories: list[tuple[str, int, bytes]]
    inputs: list[tuple[str, str, bytes]]
    findings: list[tuple[str, bytes, bytes]]


def share(target: int, learned: Learned) -> Share:
    """What was learned, on its way to another process."""
    return Share(
        target,
        [
            (node, [(name, level, found) for (name, level), found in uses.items()])
            for node, uses in learned.nodes.values()
        ],
        [(key, *seen) for key, seen in learned.directories.items()],
        [(*key, seen) for key, seen in learned.inputs.items()],
        [(*key, found) for key, found in learned.findings.items()],
    )


def learned_of(share: Share) -> Learned:
    return Learned(
        {
            node.key: (node, {(name, level): found for name, level, found in uses})
            for node, uses in share.nodes
        },
        {key: (modified, seen) for key, modified, seen in share.directories},
        {(path, kind): seen for path, kind, seen in share.inputs},
        {(key, options): found for key, options, found in share.findings},
    )


def together(parts: Sequence[Learned]) -> Learned:
    """What all of them learned."""
    if len(parts) == 1:
        return parts[0]
    nodes: dict[str, tuple[Node, Uses]] = {}
    directories: dict[str, tuple[int, bytes]] = {}
    inputs: dict[tuple[str, str], bytes] = {}
    findings: dict[tuple[str, bytes], bytes] = {}
    for part in parts:
        for key, now in part.nodes.items():
            known = nodes.get(key)
            nodes[key] = now if known is None else _one(known, now)
        for directory, (modified, seen) in part.directories.items():
            before, fingerprint = directories.get(directory, (modified, seen))
            directories[directory] = (
                before if before == modified else 0,
                fingerprint if fingerprint == seen else _NEVER,
            )
        for place, looked in part.inputs.items():
            inputs[place] = looked if inputs.get(place, looked) == looked else _NEVER
        findings |= part.findings
    return Learned(nodes, directories, inputs, findings)


def _one(first: tuple[Node, Uses], second: tuple[Node, Uses]) -> tuple[Node, Uses]:
    """A module as two processes saw it; each has looked up what its own files needed."""
    node, uses = first
    other, more = second
    same = (node.state, node.digest, node.name) == (other.state, other.digest, other.name)
    if not same or any(uses.get(use, found) != found for use, found in more.items()):
        node = replace(node, digest=_NEVER, signature=UNSETTLED, text_matters=True)
    elif node.signature != other.signature:
        node = replace(node, signature=UNSETTLED)
    if other.text_matters:
        node = replace(node, text_matters=True)
    return node, {**uses, **more}
