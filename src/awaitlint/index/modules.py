"""Modules, wherever they come from."""

from __future__ import annotations

import enum
from pathlib import Path

from awaitlint.index.dormant import DormantFacts
from awaitlint.index.facts import ModuleFacts, Scope, ScopeKind


class Origin(enum.Enum):
    """Where a module comes from."""

    #: a file of the project
    PROJECT = enum.auto()
    #: the table of the standard library
    STDLIB = enum.auto()
    #: the bundled knowledge of third-party packages
    BUNDLED = enum.auto()
    #: a file of the project's virtual environment
    ENVIRONMENT = enum.auto()


class Module:
    """A module: its facts and where they come from.  Compared by identity."""

    __slots__ = (
        *("directory", "facts", "is_empty", "is_namespace", "is_package", "is_stdlib", "is_stub", "memo"),
        *("name", "origin", "path", "reads", "text_matters", "unreadable", "uses"),
    )

    def __init__(
        self,
        name: str,
        path: Path | None,
        facts: ModuleFacts,
        *,
        is_package: bool,
        is_stub: bool,
        origin: Origin = Origin.PROJECT,
        is_namespace: bool = False,
    ) -> None:
        #: dotted name, for messages and for known names
        self.name = name
        #: None for a module whose facts come with awaitlint
        self.path = path
        self.origin = origin
        self.is_stdlib = origin is Origin.STDLIB
        self.facts = facts
        #: nothing stands in it
        self.is_empty = not isinstance(facts, DormantFacts) and not facts.nodes
        self.is_package = is_package
        #: a directory that is a package without having an ``__init__``
        self.is_namespace = is_namespace
        #: known from a stub (a ``.pyi`` file or the standard-library table): bodies say nothing
        self.is_stub = is_stub
        #: the directory that relative imports start from; None where there is no file
        self.directory: str | None = None if path is None else str(path.parent)
        #: node -> inferred value; belongs to inference
        self.memo: dict[int, object] = {}
        #: what was looked up on its behalf: (name, level, or one of the numbers below) -> what was found
        self.uses: dict[tuple[str, int], Module | None] = {}
        #: modules of which its code takes attributes, however it came by them
        self.reads: set[Module] = set()
        #: whether somebody has looked at its text, and not at its facts only
        self.text_matters = False
        #: files that were meant by one of the lookups, and could not be read or parsed
        self.unreadable: set[str] = set()

    def __repr__(self) -> str:
        return f"Module({self.name})"

    def forget_bodies(self) -> None:
        """Forget what was inferred inside of functions: who asks again gets the same answers."""
        scopes = self.facts.scopes
        inside = bytearray(max([scope.end_node for scope in scopes]) + 1)
        for scope in scopes:
            if scope.kind is ScopeKind.FUNCTION:
                inside[scope.first_node : scope.end_node] = b"\1" * (scope.end_node - scope.first_node)
        last = len(inside)
        self.memo = {node: value for node, value in self.memo.items() if node >= last or not inside[node]}


def empty_facts() -> ModuleFacts:
    """The facts of a namespace package."""
    return ModuleFacts(
        nodes=[], scopes=[Scope(kind=ScopeKind.MODULE, name="", qualname="", parent=-1)], sites=[]
    )


def new_namespace(directory: str, name: str, origin: Origin) -> Module:
    """A directory that is a namespace package."""
    path = Path(directory) / "__init__.py"
    return Module(name, path, empty_facts(), is_package=True, is_stub=False, origin=origin, is_namespace=True)
