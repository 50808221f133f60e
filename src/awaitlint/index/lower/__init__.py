"""From a syntax tree to facts."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitlint.index.facts import ModuleFacts, Scope, ScopeKind
from awaitlint.index.lower.state import Assigned, namespace
from awaitlint.index.lower.statements import StatementLowerer
from awaitlint.syntax.stack import recursing

if TYPE_CHECKING:
    from collections.abc import Callable


def lower(
    tree: ast.Module,
    data: bytes,
    *,
    version: tuple[int, int] | None = None,
    make: Callable[..., StatementLowerer] = StatementLowerer,
) -> ModuleFacts:
    """The facts of a module.

    Args:
        tree: The module's syntax tree.
        data: Its source; only searched for ``:=``.
        version: Python version for which ``sys.version_info`` tests are decided, as stubs need it.
        make: Makes what does the work; called once more where the tree is nested deeply.

    Raises:
        RecursionError: The tree is nested too deeply.
    """
    return recursing(lambda: _lower(tree, data, version, make))


def _lower(
    tree: ast.Module,
    data: bytes,
    version: tuple[int, int] | None,
    make: Callable[..., StatementLowerer],
) -> ModuleFacts:
    walrus = (
        [number for number, line in enumerate(data.splitlines(), 1) if b":=" in line] if b":=" in data else []
    )
    lowerer = make(walrus=walrus, version=version)
    lowerer.scopes.append(Scope(kind=ScopeKind.MODULE, name="", qualname="", parent=-1))
    state = lowerer.state
    state.globals = set()
    state.locals = Assigned(lowerer.walrus).block(tree.body).names
    lowerer.block(tree.body)
    lowerer.scopes[0].bindings = namespace(state, lowerer.nodes)
    lowerer.finish()
    return ModuleFacts(
        nodes=lowerer.nodes,
        scopes=lowerer.scopes,
        sites=lowerer.sites,
        imports=tuple(dict.fromkeys(lowerer.imports)),
        packages=tuple(sorted(lowerer.packages)),
        stars=tuple(dict.fromkeys(lowerer.stars)),
        exports=None if lowerer.exports is None else tuple(lowerer.exports),
        misplaced=tuple(lowerer.misplaced),
        marks=tuple(lowerer.marks),
        patched={name: tuple(found) for name, found in lowerer.patched.items()},
    )
