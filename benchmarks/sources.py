"""A package's modules, parsed, with what a look at a node's surroundings needs."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A parsed file."""

    #: dotted, for instance `httpx._client`
    name: str
    #: the path from the directory that holds the package, with slashes
    file: str
    is_package: bool
    source: bytes
    tree: ast.Module
    parents: dict[ast.AST, ast.AST]

    def parent(self, node: ast.AST) -> ast.AST:
        return self.parents[node]

    def scopes(self, node: ast.AST) -> Iterator[Scope]:
        """The functions, lambdas and classes around a node, innermost first.

        A default value, a decorator or an annotation counts as inside of the function that it belongs to.
        """
        while (above := self.parents.get(node)) is not None:
            node = above
            if isinstance(node, Scope):
                yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement around a node, or the node itself."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def line(self, number: int) -> str:
        """The text of a line, without the space around it; lines count from 1."""
        return self.source.splitlines()[number - 1].decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """All modules of a package."""

    #: the import package's name
    package: str
    modules: tuple[Module, ...]
    #: files that this Python cannot parse, or that are not UTF-8
    unreadable: tuple[str, ...]

    @property
    def lines(self) -> int:
        return sum(module.source.count(b"\n") for module in self.modules)


def read_package(directory: Path) -> Sources:
    """Parse every Python file of a package's directory."""
    modules, unreadable = [], []
    for path in sorted(directory.rglob("*.py")):
        file = path.relative_to(directory.parent).as_posix()
        module = read_module(file, path.read_bytes())
        if module is None:
            unreadable.append(file)
        else:
            modules.append(module)
    return Sources(directory.name, tuple(modules), tuple(unreadable))


def read_module(file: str, source: bytes) -> Module | None:
    """A file, parsed; None if this Python cannot parse it, or if it is not UTF-8."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        tree = parse(source)
    except (SyntaxError, ValueError):
        return None
    if encoding not in ("utf-8", "utf-8-sig"):
        return None
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    parts = file.removesuffix(".py").split("/")
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Module(name, file, is_package, source, tree, parents)


def parse(source: bytes) -> ast.Module:
    """A file's tree, without the compiler's warnings about its escapes.

    Raises:
        SyntaxError: it does not parse.
        ValueError: it holds null bytes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)
